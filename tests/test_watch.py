"""Numerical derivatives are seen as they are taken, in both evaluators; nothing is seen in honest code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
from courses import codes, grade_text, make_course, parts
from test_kinds import CASE, LAYER

from grader.calls import Call, Evaluator, Kept, Method, Noticed, Raised, Returned, Source
from grader.report.model import PartReport
from grader.sandbox.executor import MAX_MESSAGE
from grader.sandbox.inprocess import InProcess
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess
from grader.sandbox.process import _noticed as read

RNG = np.random.default_rng(7)
X, W, B, DOUT = (RNG.standard_normal(shape) for shape in [(3, 4), (4, 5), (5,), (3, 5)])

AFFINE = """
import numpy as np
def forward(x, w, b):
    return x @ w + b, (x, w, b)
"""
TANH = """
import numpy as np
def forward(x):
    return np.tanh(x), x
"""
RELU = """
import numpy as np
def forward(x):
    return np.maximum(x, 0), x
"""
LOSS = """
import numpy as np
def value(scores, y):
    z = scores - scores.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(y)), y]).mean(), p
"""


@dataclass(frozen=True)
class Code:
    """A pair of passes or a loss, and what its numerical derivative looks like ("" if it has none)."""

    text: str
    words: str = ""
    method: Method = Method.DIFFERENCES


def affine(body: str, *args: Any, head: str = AFFINE, **options: Any) -> Code:
    return Code(f"{head}\ndef backward(dout, cache):\n    x, w, b = cache\n{indent(body)}", *args, **options)


def elementwise(head: str, body: str, *args: Any, **options: Any) -> Code:
    return Code(f"{head}\ndef backward(dout, x):\n{indent(body)}", *args, **options)


def loss(body: str, *args: Any, **options: Any) -> Code:
    return Code(f"{LOSS}\ndef loss(scores, y):\n{indent(body)}", *args, **options)


def indent(body: str) -> str:
    return "\n".join(f"    {line}" for line in body.strip("\n").split("\n"))


REST = "return dout @ w.T, dw, dout.sum(axis=0)"
PER_ELEMENT = """
dw = np.zeros_like(w)
for i in range(w.shape[0]):
    for j in range(w.shape[1]):
        {steps}
        dw[i, j] = {quotient}
        {back}
return dout @ w.T, dw, dout.sum(axis=0)
"""


def per_element(steps: str, quotient: str, back: str = "pass") -> str:
    return PER_ELEMENT.format(steps=steps.replace("\n", "\n        "), quotient=quotient, back=back)


CHEATS = {
    "central differences through its own forward": affine(
        per_element(
            "old = w[i, j]\nw[i, j] = old + 1e-5\nup = forward(x, w, b)[0]\n"
            "w[i, j] = old - 1e-5\ndown = forward(x, w, b)[0]",
            "((up - down) * dout).sum() / 2e-5",
            "w[i, j] = old",
        ),
        "one element of w moved by 1e-05 at a time: w[0, 0], w[0, 1], w[0, 2], ...",
    ),
    "a step taken back with rounding": affine(
        per_element(
            "w[i, j] += 1e-6\nup = (x @ w + b)\nw[i, j] -= 2e-6\ndown = (x @ w + b)",
            "((up - down) * dout).sum() / 2e-6",
            "w[i, j] += 1e-6",
        ),
        "one element of w moved by 1e-06",
    ),
    "a step of 1, inlined": affine(
        per_element("moved = w.copy()\nmoved[i, j] += 1", "((x @ moved - x @ w) * dout).sum()"),
        "one element of w moved by 1 at a time",
    ),
    "each element set to zero, through its own forward": affine(
        per_element(
            "z = w.copy()\nz[i, j] = 0", "((forward(x, w, b)[0] - forward(x, z, b)[0]) * dout).sum() / w[i, j]"
        ),
        "it calls forward with one element of w moved at a time",
    ),
    "relative steps": affine(
        per_element(
            "h = 1e-6 * max(1, abs(w[i, j]))\nz = w.copy()\nz[i, j] += h",
            "((x @ z - x @ w) * dout).sum() / h",
        ),
        "one element of w moved",
    ),
    "one-hot directions in the call": affine(
        per_element(
            "e = np.zeros_like(w)\ne[i, j] = 1e-5",
            "((forward(x, w + e, b)[0] - forward(x, w - e, b)[0]) * dout).sum() / 2e-5",
        ),
        "one element of w moved by 1e-05 at a time",
    ),
    "all directions in one array": affine(
        "e = 1e-5 * np.eye(w.size).reshape(-1, *w.shape)\nups = w + e\ndowns = w - e\n"
        "dw = np.einsum('knm,nm->k', x @ ups - x @ downs, dout).reshape(w.shape) / 2e-5\n" + REST,
        "one element of w moved by 1e-05 at a time",
    ),
    "the numerical gradient of the textbooks": affine(
        "dw = numerical(lambda w: (forward(x, w, b)[0] * dout).sum(), w)\n" + REST,
        "one element of w moved by 1e-05 at a time",
        head=AFFINE
        + """
def numerical(f, x, h=1e-5):
    grad = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index"], op_flags=["readwrite"])
    while not it.finished:
        ix = it.multi_index
        old = x[ix]
        x[ix] = old + h
        up = f(x)
        x[ix] = old - h
        down = f(x)
        x[ix] = old
        grad[ix] = (up - down) / (2 * h)
        it.iternext()
    return grad
""",
    ),
    "a flat vector": affine(
        "dw = np.zeros(w.size)\nfor k in range(w.size):\n    v = w.ravel().copy()\n    v[k] += 1e-5\n"
        "    dw[k] = ((x @ v.reshape(w.shape) - x @ w) * dout).sum() / 1e-5\ndw = dw.reshape(w.shape)\n" + REST,
        "one element of w moved by 1e-05 at a time",
    ),
    "a layer object": Code(
        """
import numpy as np
class Layer:
    def __init__(self, x, w, b):
        self.x, self.w, self.b = x, w, b
    def out(self):
        return self.x @ self.w + self.b
def forward(x, w, b):
    layer = Layer(x, w, b)
    return layer.out(), layer
def backward(dout, layer):
    dw = np.zeros_like(layer.w)
    for i in np.ndindex(dw.shape):
        layer.w[i] += 1e-5
        up = layer.out()
        layer.w[i] -= 1e-5
        dw[i] = ((up - layer.out()) * dout).sum() / 1e-5
    return dout @ layer.w.T, dw, dout.sum(axis=0)
""",
        "line 15 of backward has one element of w moved by 1e-05 at a time",
    ),
    "complex, by function": affine(
        per_element("z = w.astype(complex)\nz[i, j] += 1e-20j", "(forward(x, z, b)[0].imag * dout).sum() / 1e-20"),
        "1e-20i added to one element of w at a time: w[0, 0], w[0, 1], w[0, 2], ...",
        Method.COMPLEX_STEP,
    ),
    "complex, a step of 1": affine(
        per_element("z = w + 0j\nz[i, j] += 1j", "((x @ z + b).imag * dout).sum()"),
        "1i added to one element of w at a time",
        Method.COMPLEX_STEP,
    ),
    "central, of a lambda": elementwise(
        RELU,
        "f = lambda z: np.maximum(z, 0)\nh = 1e-6\nreturn dout * (f(x + h) - f(x - h)) / (2 * h)",
        "x + 1e-06 and x - 1e-06",
    ),
    "central, through its own forward": elementwise(
        TANH,
        "return dout * (forward(x + 1e-5)[0] - forward(x - 1e-5)[0]) / 2e-5",
        "x + 1e-05 and x - 1e-05",
    ),
    "central, in one expression": elementwise(
        TANH,
        "h = 1e-5\nreturn dout * (np.tanh(x + h) - np.tanh(x - h)) / (2 * h)",
        "line 8 of backward has x + 1e-05 and x - 1e-05",
    ),
    "central, in two names": elementwise(
        TANH,
        "h = np.full(x.shape, 1e-5)\nup = np.add(x, h)\ndown = np.subtract(x, h)\n"
        "return dout * (np.tanh(up) - np.tanh(down)) / 2e-5",
        "x + 1e-05 and x - 1e-05",
    ),
    "one-sided, through its own forward": elementwise(
        RELU,
        "return dout * (forward(x + 1e-6)[0] - np.maximum(x, 0)) / 1e-6",
        "it calls forward with x + 1e-06, and returns what that adds to the result, divided by the step",
    ),
    "central, number by number": elementwise(
        TANH,
        "f = lambda z: np.tanh(z)\ndx = np.zeros_like(x)\nfor i in np.ndindex(x.shape):\n"
        "    dx[i] = dout[i] * (f(x[i] + 1e-5) - f(x[i] - 1e-5)) / 2e-5\nreturn dx",
        "it calls <lambda> with x[0, 0] + 1e-05 and - 1e-05, and so on: x[0, 0], x[0, 1], x[0, 2], ...",
    ),
    "complex, in one expression": elementwise(
        TANH, "return dout * np.tanh(x + 1e-20j).imag / 1e-20", "x + 1e-20i", Method.COMPLEX_STEP
    ),
    "complex, h by name": elementwise(
        TANH, "h = 1e-30\nreturn dout * np.imag(np.tanh(x + 1j * h)) / h", "x + 1e-30i", Method.COMPLEX_STEP
    ),
    "complex, number by number": elementwise(
        TANH,
        "import cmath\ndef f(z): return cmath.tanh(z)\ndx = np.zeros_like(x)\nfor i in np.ndindex(x.shape):\n"
        "    dx[i] = dout[i] * f(complex(x[i], 1e-20)).imag / 1e-20\nreturn dx",
        "it calls f with 1e-20i added to one element of x at a time",
        Method.COMPLEX_STEP,
    ),
    "a loss": loss(
        "d = np.zeros_like(scores)\nfor i in np.ndindex(d.shape):\n    up, down = scores.copy(), scores.copy()\n"
        "    up[i] += 1e-5\n    down[i] -= 1e-5\n    d[i] = (value(up, y)[0] - value(down, y)[0]) / 2e-5\n"
        "return value(scores, y)[0], d",
        "one element of scores moved by 1e-05 at a time: scores[0, 0], scores[0, 1], scores[0, 2], ...",
    ),
    "a loss that calls itself": loss(
        "if y is None: return None\nl = value(scores, y)[0]\nif scores.flags.writeable:\n"
        "    d = np.zeros_like(scores)\n    for i in np.ndindex(d.shape):\n        z = scores.copy()\n"
        "        z[i] += 1e-7\n        z.flags.writeable = False\n        d[i] = (loss(z, y)[0] - l) / 1e-7\n"
        "    return l, d\nreturn l, 0",
        "one element of scores moved by 1e-07 at a time",
    ),
}  # fmt: skip

ANALYTIC = "return dout @ w.T, x.T @ dout, dout.sum(axis=0)"
HONEST = {
    "the formula": affine(ANALYTIC),
    "forward once more at the same point": affine("out, (x, w, b) = forward(x.copy(), w, b)\n" + ANALYTIC),
    "forward row by row": affine(
        "for n in range(len(x)):\n    forward(x[n : n + 1], w, b)\nfor m in range(5):\n    forward(x, w[:, m], b[m])\n"
        + ANALYTIC
    ),
    "forward in float32": affine("forward(x.astype('f4'), w.astype('f4'), b.astype('f4'))\n" + ANALYTIC),
    "loops over every element": affine(
        "dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros_like(b)\n"
        "for n in range(3):\n    for d in range(4):\n"
        "        for m in range(5):\n            dx[n, d] += dout[n, m] * w[d, m]\n"
        "            dw[d, m] += x[n, d] * dout[n, m]\n    db += dout[n]\nreturn dx, dw, db"
    ),
    "an explicit Jacobian, row by row": affine(
        "dw = np.zeros_like(w)\nfor d in range(4):\n    for m in range(5):\n        J = np.zeros_like(dout)\n"
        "        J[:, m] = x[:, d]\n        dw[d, m] = (J * dout).sum()\n" + REST
    ),
    "basis vectors through its forward": affine(
        "dx = np.zeros_like(x)\nfor d in range(4):\n    e = np.zeros_like(x)\n    e[:, d] = 1\n"
        "    dx[:, d] = ((forward(e, w, b)[0] - b) * dout).sum(axis=1)\nreturn dx, x.T @ dout, dout.sum(axis=0)"
    ),
    "one-hot matrices through its forward": affine(
        per_element("e = np.zeros_like(w)\ne[i, j] = 1", "((forward(x, e, b)[0] - b) * dout).sum()")
    ),
    "scaling and restoring in place": affine("w *= 2\nx /= 3\ndx = dout @ w.T / 2\nw /= 2\nx *= 3\n" + ANALYTIC),
    "a row emptied and restored": affine(
        "for d in range(4):\n    old = w[d].copy()\n    w[d] = 0\n    forward(x, w, b)\n    w[d] = old\n" + ANALYTIC
    ),
    "a copy edited step by step": affine(
        "z = w.copy()\nfor i in range(4):\n    for j in range(5):\n        z[i, j] += 1e-6\n" + ANALYTIC
    ),
    "a copy cleaned element by element": affine(
        "z = w.copy()\nfor i in range(4):\n    for j in range(5):\n        if z[i, j] < 0:\n            z[i, j] = 0\n"
        + ANALYTIC
    ),
    "each element left out": affine(
        "for i in range(4):\n    for j in range(5):\n        z = w.copy()\n        z[i, j] = 1\n        z.prod()\n"
        "        z[i, j] = -np.inf\n        z.max()\n" + ANALYTIC
    ),
    "the row of a Jacobian from a copy less one": affine(
        "for j in range(5):\n    r = b.copy()\n    r[j] -= 1\n    for i in range(3):\n        q = b.copy()\n"
        "        q[j] -= 1\n" + ANALYTIC
    ),
    "tiles less one-hot rows": affine(
        "p = np.tile(b, (5, 1)) - np.eye(5)\nq = np.tile(w[0], (5, 1))\n" + ANALYTIC
    ),
    "momentum, weight decay, an optimizer in the file": affine(
        "v = 0.9 * w - 1e-3 * (x.T @ dout)\nu = w - 1e-3 * v\nfor _ in range(5):\n    u = u - 1e-4 * w\n" + ANALYTIC
    ),
    "noise added to everything": affine("z = w + 1e-6 * np.random.randn(*w.shape)\nforward(x, z, b)\n" + ANALYTIC),
    "Fourier transforms there and back": affine(
        "for a in (x, w, b):\n    f = np.fft.fftn(a)\n    back = np.fft.ifftn(f)\n"
        "    one = np.fft.ifft(np.fft.fft(a))\n"
        "    g = lambda z: abs(z)\n    for z in one.ravel():\n        g(z)\n" + ANALYTIC
    ),
    "complex casts and pairs": affine("z = x + 0j\nz = z * np.exp(1j * x)\nq = x + 1j * x\n" + ANALYTIC),
    "an epsilon in a logarithm": elementwise(
        TANH, "eps = 1e-8\ny = np.log(np.abs(x + eps))\ng = lambda z: np.log(np.abs(z))\ng(x + eps)\ng(x)\n"
        "return dout * (1 - np.tanh(x) ** 2)"
    ),
    "thresholds on both sides": elementwise(
        TANH, "up = x + 0.5\ndown = x - 0.5\ns = np.sign(x + 3) - np.sign(x - 3)\nreturn dout * (1 - np.tanh(x) ** 2)"
    ),
    "a threshold that it was given": Code(
        "import numpy as np\ndef forward(x, lam):\n    return np.sign(x) * np.maximum(abs(x) - lam, 0), (x, lam)\n"
        "def backward(dout, cache):\n    x, lam = cache\n    return dout * ((x - lam > 0) | (x + lam < 0))"
    ),
    "a helper for one number": elementwise(
        TANH, "def slope(z):\n    t = np.tanh(z)\n    return 1 - t * t\ndx = np.zeros_like(x)\n"
        "for i in np.ndindex(x.shape):\n    slope(x[i] + 1e-8)\n    dx[i] = dout[i] * slope(x[i])\nreturn dx"
    ),
    "forward at a point beside": elementwise(
        TANH, "t = forward(x + 1e-8)[0]\nreturn dout * (1 - t * t)"
    ),
    "a numerical gradient that is not called": elementwise(
        TANH + "def numerical(f, x, h=1e-5):\n    g = np.zeros_like(x)\n    for i in np.ndindex(x.shape):\n"
        "        x[i] += h\n        up = f(x)\n        x[i] -= 2 * h\n        g[i] = (up - f(x)).sum() / (2 * h)\n"
        "        x[i] += h\n    return g\nnumerical(lambda z: forward(z)[0], np.random.randn(3, 4))\n",
        "return dout * (1 - np.tanh(x) ** 2)",
    ),
    "a loss in loops": loss(
        "d = np.zeros_like(scores)\nl = 0\nfor n in range(len(y)):\n    s = scores[n].copy()\n    s -= s.max()\n"
        "    p = np.exp(s) / np.exp(s).sum()\n    l -= np.log(p[y[n]])\n    for c in range(len(p)):\n"
        "        d[n, c] = (p[c] - (c == y[n])) / len(y)\nreturn l / len(y), d"
    ),
    "a loss that edits a copy of its scores": loss(
        "p = scores.copy()\np -= p.max(axis=1, keepdims=True)\np = np.exp(p)\np /= p.sum(axis=1, keepdims=True)\n"
        "l = -np.log(p[np.arange(len(y)), y]).mean()\n"
        "for n in range(len(y)):\n    p[n, y[n]] -= 1\nreturn l, p / len(y)"
    ),
    "a loss in place": loss(
        "scores -= scores.max(axis=1, keepdims=True)\np = value(scores, y)[1]\nl = value(scores, y)[0]\n"
        "p[np.arange(len(y)), y] -= 1\np /= len(y)\nreturn l, p"
    ),
    "patched builtins": elementwise(
        TANH,
        "import builtins\nfor name in ('abs', 'max', 'list', 'any', 'type', 'isinstance', 'len'):\n"
        "    setattr(builtins, name, None)\nreturn dout * (1 - np.tanh(x) ** 2)",
    ),
    "strict floating point": elementwise(
        TANH, "np.seterr(all='raise')\nx = x.copy()\nx[0, 0] = np.nan\nx[1, 1] = np.inf\ny = x\nreturn dout"
    ),
    "objects that answer oddly": elementwise(
        TANH,
        "class A:\n    __slots__ = ()\n    def __getattr__(self, name): raise KeyboardInterrupt\n"
        "    def __eq__(self, other): raise KeyboardInterrupt\n    def __add__(self, other): raise KeyboardInterrupt\n"
        "class B(A):\n    __dict__ = property(lambda self: 1 / 0)\na, b, c = A(), B(), [A(), {1: B()}]\nd = {'d': 1}\n"
        "d['d'] = d\nif False: a + x\nreturn dout * (1 - np.tanh(x) ** 2)",
    ),
}  # fmt: skip


def inputs(code: Code) -> tuple[tuple[Any, ...], np.ndarray[Any, Any]]:
    """Arguments of the forward call, and the upstream gradient."""
    if "def loss" in code.text:
        return (X, np.array([1, 3, 0])), DOUT
    if "lam" in code.text and "forward(x, lam)" in code.text:
        return (X, 1e-5), X[::-1]
    return ((X,), X[::-1]) if "forward(x)" in code.text else ((X, W, B), DOUT)


def asked(evaluator: Evaluator, code: Code, **options: Any) -> Returned:
    args, upstream = inputs(code)
    if "def loss" in code.text:
        outcome = evaluator.call(Call(function="loss", args=args, watch=True, **options))
    else:
        first = evaluator.call(Call(function="forward", args=args, keep=1))
        assert isinstance(first, Returned), first
        assert first.noticed is None
        outcome = evaluator.call(Call(function="backward", args=(upstream, Kept(1)), watch=True, **options))
    assert isinstance(outcome, Returned), outcome
    return outcome


def noticed(door: Callable[[Source], Evaluator], code: Code) -> Noticed | None:
    evaluator = door(Source(entry="t.py", files={"t.py": code.text.encode()}))
    try:
        return asked(evaluator, code).noticed
    finally:
        evaluator.close()


@pytest.fixture(autouse=True)
def _nobody_traces() -> Iterator[None]:
    """Coverage and debuggers go first where they trace; here they wait."""
    tracing = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracing)


@pytest.mark.parametrize("name", CHEATS)
def test_a_numerical_derivative_is_seen(name: str) -> None:
    code = CHEATS[name]
    found = noticed(InProcess, code)
    assert found is not None
    assert found.method is code.method
    assert code.words in found.words


@pytest.mark.parametrize("name", HONEST)
def test_nothing_is_seen_in_honest_code(name: str) -> None:
    assert noticed(InProcess, HONEST[name]) is None
    assert sys.gettrace() is None


@pytest.mark.parametrize("name", [*list(CHEATS)[::4], *list(HONEST)[::6], "patched builtins"])
def test_a_process_of_its_own_sees_the_same(name: str, sandbox: Sandbox) -> None:
    code = {**CHEATS, **HONEST}[name]
    assert noticed(partial(ChildProcess, sandbox=sandbox), code) == noticed(InProcess, code)


# ------------------------------------------------------------------------------------------------------- good manners

CHEAT = CHEATS["central differences through its own forward"]


def test_who_traces_already_goes_first() -> None:
    def mine(frame: FrameType, event: str, arg: Any) -> None:
        return None

    sys.settrace(mine)
    found = noticed(InProcess, CHEAT)
    tracing = sys.gettrace()
    sys.settrace(None)
    assert tracing is mine
    assert found is None


def test_a_call_that_is_not_watched_is_not_traced() -> None:
    runner = InProcess(Source(entry="t.py", files={"t.py": b"import sys\ndef f(x): return sys.gettrace() is None"}))
    for watch in (False, True):
        outcome = runner.call(Call(function="f", args=(X,), watch=watch))
        assert isinstance(outcome, Returned)
        assert bool(outcome.value) is not watch


def test_tracing_ends_with_the_call_that_raises_and_after_so_many_events() -> None:
    loop = "    for _ in range(30000):\n        pass\n    assert sys.gettrace() is None, 'on'\n    1 / 0"
    text = f"import sys\ndef f(x):\n{loop}"
    outcome = InProcess(Source(entry="t.py", files={"t.py": text.encode()})).call(
        Call(function="f", args=(X,), watch=True)
    )
    assert isinstance(outcome, Raised)
    assert outcome.kind == "ZeroDivisionError"
    assert sys.gettrace() is None


def test_code_that_traces_itself_keeps_its_own_trace() -> None:
    text = "import sys\ndef f(x):\n    sys.settrace(g)\n    return 1\ndef g(*a): return None"
    InProcess(Source(entry="t.py", files={"t.py": text.encode()})).call(Call(function="f", args=(X,), watch=True))
    assert getattr(sys.gettrace(), "__name__", "") == "g"


def test_what_a_child_says_that_it_saw_is_read_with_care() -> None:
    assert read(("finite differences", "1e-10", "w" * 9000)) == Noticed(
        method=Method.DIFFERENCES, words="w" * MAX_MESSAGE, noise=1e-10
    )
    for texts in ((), ("",), ("a guess", "0.0", "w"), ("finite differences", "much", "w"), ("finite differences",)):
        assert read(texts) is None


# ------------------------------------------------------------------------------------------------------ what it costs

KEEPS_X = "def f(x, w):\n    t = np.tanh(x)\n    return t * w, (x, w, t)\n"
DIFFERENCE = "d * w * (np.tanh(x + 1e-5) - np.tanh(x - 1e-5)) / 2e-5"
BY_DIFFERENCES = f"def b(d, c):\n    x, w, t = c\n    return {DIFFERENCE}, (d * t).sum(axis=0)\n"
CHECKED = (
    "def b(d, c):\n    x, w, t = c\n    dx = d * w * (1 - t * t)\n"
    f"    assert np.allclose(dx, {DIFFERENCE})\n    return dx, (d * t).sum(axis=0)\n"
)


def backward_of(folder: Path, text: str, **options: Any) -> PartReport:
    exercise = LAYER[0].replace(CASE, CASE + "hidden = true\n") if options else LAYER[0]
    return parts(grade_text(make_course(folder, exercise, LAYER[1]), text, **options))["backward"]


def test_a_right_gradient_by_differences_earns_nothing(tmp_path: Path) -> None:
    part = backward_of(tmp_path, KEEPS_X + BY_DIFFERENCES)
    assert (part.earned, codes(part)) == (0, {"NUMERICAL_DERIVATIVE"})
    (finding,) = part.checks[0].findings
    assert finding.headline == "b differentiates numerically: line 7 of b has x + 1e-05 and x - 1e-05"
    assert finding.likely.startswith("derive the formula")


def test_a_hidden_case_says_how_and_no_more(tmp_path: Path) -> None:
    (finding,) = backward_of(tmp_path, KEEPS_X + BY_DIFFERENCES, hidden_seed=5).checks[0].findings
    assert finding.headline == "b differentiates numerically: finite differences"


def test_a_formula_that_checks_itself_is_warned_of(tmp_path: Path) -> None:
    part = backward_of(tmp_path, KEEPS_X + CHECKED)
    assert (part.earned, codes(part)) == (part.possible, {"CHECKS_ITSELF"})


def test_differences_of_a_wrong_forward_earn_no_share(tmp_path: Path) -> None:
    text = (KEEPS_X + BY_DIFFERENCES).replace("np.tanh(", "1.5 * np.tanh(")
    part = backward_of(tmp_path, text)
    assert (part.earned, codes(part)) == (0, {"NUMERICAL_DERIVATIVE"})


def test_a_wrong_gradient_is_told_first(tmp_path: Path) -> None:
    (finding,) = backward_of(tmp_path, KEEPS_X + BY_DIFFERENCES.replace("/ 2e-5", "/ 2.7e-5")).checks[0].findings
    assert finding.code == "WRONG_GRADIENT"
