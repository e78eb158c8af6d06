"""The torch profile's deterrent: every way to a derivative that we know, and honest torch code that it must not touch.

The table in grader.sandbox.autograd is held to what happens here, row by row.
"""

from __future__ import annotations

import re
import sys
import threading
from typing import Any

import numpy as np
import pytest
import torch

from grader.calls import Call, Outcome, Profile, Raised, Returned, Source
from grader.sandbox import autograd
from grader.sandbox.inprocess import InProcess
from grader.sandbox.profiles import kit_of

HEAD = """
import gc, threading, _thread, numpy as np, torch, torch.nn.functional as F
from concurrent.futures import ThreadPoolExecutor
from torch import nn
from torch.autograd import grad as borrowed

def out(x, w):
    return torch.tanh(x @ w)

"""

RNG = np.random.default_rng(5)
X, W, DOUT = RNG.standard_normal((3, 4)), RNG.standard_normal((4, 5)), RNG.standard_normal((3, 5))
DX = (DOUT * (1 - np.tanh(X @ W) ** 2)) @ W.T


def source(text: str) -> Source:
    return Source(entry="t.py", files={"t.py": (HEAD + text).encode()})


def run(text: str, *args: Any) -> Outcome:
    """Outcome of one call of a function f that the text defines."""
    return InProcess(source(text), Profile.TORCH).call(Call(function="f", args=args))


def indented(body: str, by: int = 4) -> str:
    return "\n".join(" " * by + line for line in body.split("\n"))


def cheat(body: str) -> Outcome:
    return run(f"def f(x, w, dout):\n{indented(body)}\n", X, W, DOUT)


def returned(outcome: Outcome) -> Returned:
    assert isinstance(outcome, Returned), outcome
    return outcome


def numbers(outcome: Outcome) -> np.ndarray[Any, Any]:
    value = returned(outcome).value
    assert isinstance(value, np.ndarray), value
    return value


# What each way does. Where it gets there it returns dL/dx.
WAYS = {
    "torch.autograd.grad": "return torch.autograd.grad(out(x, w), x, dout)[0]",
    "Tensor.backward": "out(x, w).backward(dout)\nreturn x.grad",
    "torch.autograd.backward": "torch.autograd.backward(out(x, w), dout)\nreturn x.grad",
    "with torch.enable_grad()": "with torch.enable_grad():\n    y = out(x, w)\nreturn y",
    "@torch.enable_grad()": "@torch.enable_grad()\ndef g(): return out(x, w)\nreturn g()",
    "torch.set_grad_enabled(True)": "torch.set_grad_enabled(True)\nreturn out(x, w)",
    "torch.inference_mode(False)": "with torch.inference_mode(False):\n    return out(x, w)",
    "torch._C._set_grad_enabled(True)": "torch._C._set_grad_enabled(True)\nreturn out(x, w)",
    "torch._C._InferenceMode(False)": "with torch._C._InferenceMode(False):\n    return out(x, w)",
    "Tensor.requires_grad_": "x.requires_grad_()\nreturn x",
    "Tensor.requires_grad = True": "x.requires_grad = True\nreturn x",
    "a name imported with the file": "return borrowed(out(x, w), x, dout)[0]",
    "torch.autograd.functional.vjp": "return torch.autograd.functional.vjp(lambda x: out(x, w), x, dout)[1]",
    "torch.autograd.functional.jacobian": (
        "J = torch.autograd.functional.jacobian(lambda x: out(x, w), x)\nreturn torch.einsum('ijkl,ij->kl', J, dout)"
    ),
    "torch.autograd.gradcheck": "return torch.autograd.gradcheck(lambda x: out(x, w), x)",
    "torch.func.grad": "return torch.func.grad(lambda x: (out(x, w) * dout).sum())(x)",
    "torch.func.vjp": "return torch.func.vjp(lambda x: out(x, w), x)[1](dout)[0]",
    "torch.func.jvp": "return torch.func.jvp(lambda x: out(x, w), (x,), (torch.ones_like(x),))[1]",
    "torch.func.jacrev": "return torch.einsum('ijkl,ij->kl', torch.func.jacrev(lambda x: out(x, w))(x), dout)",
    "torch.func.linearize": "return torch.func.linearize(lambda x: out(x, w), x)[1](torch.ones_like(x))",
    "torch._functorch's own layers": (
        "from torch._C import _functorch as C\n"
        "level = C._grad_increment_nesting()\n"
        "try: return out(C._wrap_for_grad(x, level), w)\n"
        "finally: C._grad_decrement_nesting()"
    ),
    "torch.autograd.forward_ad": (
        "import torch.autograd.forward_ad as ad\n"
        "with ad.dual_level():\n    return ad.unpack_dual(out(ad.make_dual(x, torch.ones_like(x)), w)).tangent"
    ),
    "torch.autograd.graph's entry to the engine": (
        "return torch.autograd.graph._engine_run_backward((out(x, w),), (dout,), False, False, (x,), True, False)[0]"
    ),
    "the engine that torch made": (
        "engine = torch.autograd.Variable._execution_engine\n"
        "return engine.run_backward((out(x, w),), (dout,), False, False, (x,), True, False)[0]"
    ),
    "a new engine": (
        "return torch._C._ImperativeEngine().run_backward((out(x, w),), (dout,), False, False, (x,), True, False)[0]"
    ),
    "torch.nn.grad": (
        "columns = w.T.reshape(5, 4, 1)\n"
        "dy = (dout * (1 - out(x, w) ** 2)).reshape(3, 5, 1)\n"
        "return torch.nn.grad.conv1d_input((3, 4, 1), columns, dy).reshape(3, 4)"
    ),
    "torch.ops.aten.tanh_backward": "return torch.ops.aten.tanh_backward(dout, out(x, w)) @ w.T",
    "a derivative that has a name in torch": "return torch._softmax_backward_data(dout, out(x, w), 1, x.dtype) @ w.T",
    "an operation looked up by its name": (
        "return torch._C._jit_get_operation('aten::tanh_backward')[0](dout, out(x, w)) @ w.T"
    ),
    "torch.ops.aten._backward": "torch.ops.aten._backward(out(x, w), [x], dout)\nreturn x.grad",
    "torch._make_dual": "return torch._unpack_dual(out(torch._make_dual(x, torch.ones_like(x), 0), w), 0)[1]",
    "a dispatch mode taken off the stack": (
        "from torch.utils import _python_dispatch as dispatch\n"
        "with dispatch._disable_current_modes():\n    return torch.ops.aten.tanh_backward(dout, out(x, w)) @ w.T"
    ),
    "torch's dispatch turned off": (
        "with torch._C._DisableTorchDispatch():\n    return torch.ops.aten.tanh_backward(dout, out(x, w)) @ w.T"
    ),
    "dispatch keys put back": (
        "key = torch._C.DispatchKeySet(torch._C.DispatchKey.AutogradCPU)\n"
        "with torch._C._IncludeDispatchKeyGuard(torch._C.DispatchKey.AutogradCPU):\n    return out(x, w)"
    ),
    "redispatch to a kernel": (
        "keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CPU)\n"
        "return torch.ops.aten.tanh_backward.default.redispatch(keys, dout, out(x, w)) @ w.T"
    ),
    "in a thread": (
        "found = []\n"
        "def work():\n    found.append(torch.ops.aten.tanh_backward(dout, out(x, w)) @ w.T)\n"
        "thread = threading.Thread(target=work)\n"
        "threading.excepthook = lambda *args: None\n"
        "thread.start()\nthread.join()\nreturn found[0]"
    ),
    "in a pool of threads": (
        "def work():\n"
        "    y = out(x.detach().requires_grad_(), w)\n    return torch.autograd.grad(y, x, dout)[0]\n"
        "with ThreadPoolExecutor(1) as pool:\n    return pool.submit(work).result()"
    ),
    "a patch put back": "torch.Tensor.backward = lambda tensor: None\nreturn (dout * (1 - out(x, w) ** 2)) @ w.T",
    "torch.jit's compiler": (
        "unit = torch.jit.CompilationUnit('def f(x, y):\\n    return torch.autograd.grad([y], [x])')\n"
        "return unit.f(x, out(x, w))[0]"
    ),
    "torch.compile": "return torch.compile(lambda: torch.autograd.grad(out(x, w), x, dout)[0])()",
    "walking grad_fn": (
        "node = out(torch.zeros_like(x, requires_grad=True) + x, w).grad_fn\n"
        "return node.next_functions[0][0](node(dout))"
    ),
    "requires_grad=True where a tensor is made": (
        "z = torch.zeros_like(x, requires_grad=True)\ny = out(x + z, w)\nassert not y.requires_grad\nreturn y.grad_fn"
    ),
    "TensorBase's own requires_grad_": (
        "torch._C.TensorBase.requires_grad_(x)\ny = out(x, w)\nassert x.requires_grad and y.grad_fn is None\nreturn y"
    ),
    "a custom torch.autograd.Function": (
        "class Tanh(torch.autograd.Function):\n"
        "    @staticmethod\n    def forward(ctx, z):\n        ctx.save_for_backward(z)\n        return z.tanh()\n"
        "    @staticmethod\n    def backward(ctx, dy):\n        return dy * (1 - ctx.saved_tensors[0].tanh() ** 2)\n"
        "return Tanh.apply(nn.Parameter(x) @ w).grad_fn"
    ),
    "a hook on a tensor": "y = out(nn.Parameter(x), w)\ny.register_hook(print)\nreturn y",
    "a kernel called by its dispatch key": (
        "tanh_backward = torch.ops.aten.tanh_backward.default\n"
        "return tanh_backward._op_dk(torch._C.DispatchKey.CPU, dout, out(x, w)) @ w.T"
    ),
    "torch._decomp's formulas": (
        "from torch._decomp.decompositions import tanh_backward\nreturn tanh_backward(dout, out(x, w)) @ w.T"
    ),
    "the originals, found by gc": (
        "def found(kind, name):\n"
        "    return next(o for o in gc.get_objects() if isinstance(o, kind) and o.__name__ == name)\n"
        "with found(type, '_InferenceMode')(False):\n"
        "    found(type(len), '_set_grad_enabled')(True)\n"
        "    torch._C.TensorBase.requires_grad_(x)\n"
        "    engine = next(o for o in gc.get_objects() if type(o).__name__ == '_Engine')._original\n"
        "    y = x @ w\n"
        "    dy = dout * (1 - y.detach().tanh() ** 2)\n"  # the watch sees the engine's aten.tanh_backward
        "    return engine.run_backward((y,), (dy,), False, False, (x,), True, False)[0]"
    ),
    "leave(), called by the student": (
        "from grader.sandbox.profiles import kit_of\nfrom grader.calls import Profile\n"
        "guard = kit_of(Profile.TORCH).guard\nguard.leave()\n"
        "try:\n    x = x.clone().requires_grad_()\n    return torch.autograd.grad(out(x, w), x, dout)[0]\n"
        "finally:\n    guard.enter()"
    ),
    "complex step": (
        "dx = torch.zeros_like(x)\n"
        "for i in range(3):\n    for j in range(4):\n"
        "        z = x.to(torch.complex128)\n        z[i, j] += 1e-30j\n"
        "        dx[i, j] = (out(z, w.to(z.dtype)).imag / 1e-30 * dout).sum()\n"
        "return dx"
    ),
    "finite differences": (
        "dx = torch.zeros_like(x)\n"
        "for i in range(3):\n    for j in range(4):\n"
        "        h = torch.zeros_like(x)\n        h[i, j] = 1e-5\n"
        "        dx[i, j] = ((out(x + h, w) - out(x - h, w)) / 2e-5 * dout).sum()\n"
        "return dx"
    ),
}


def table() -> dict[str, str]:
    """What the module's docstring says of each way: its first word."""
    rows = re.findall(r"^    (\S.{50,54}?)  +(refused|nothing|through)\b", autograd.__doc__ or "", re.MULTILINE)
    return {way.strip(): verdict for way, verdict in rows}


def test_the_table_has_every_way_and_no_other() -> None:
    assert list(table()) == list(WAYS)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore")
def test_a_way_does_what_the_table_says(way: str) -> None:
    outcome = cheat(WAYS[way])
    match table()[way]:
        case "refused":
            assert isinstance(outcome, Raised), outcome
            assert outcome.kind == "AutogradRefused"
            assert re.fullmatch("autograd is refused here: no .+, write the derivative yourself", outcome.message)
        case "nothing":
            assert not isinstance(outcome, Raised) or outcome.kind != "AutogradRefused"
            assert not (isinstance(outcome, Returned) and right(outcome))
        case "through":
            assert right(outcome)
    assert_as_before()


def right(outcome: Outcome) -> bool:
    value = outcome.value if isinstance(outcome, Returned) else None
    return isinstance(value, np.ndarray) and value.shape == DX.shape and bool(np.allclose(value, DX, atol=1e-7))


def assert_as_before() -> None:
    """The oracle can work: autograd does, in this thread and in one of its own."""
    assert not torch.is_inference_mode_enabled()
    assert torch.is_grad_enabled()
    assert torch._C._len_torch_dispatch_stack() == 0
    x = torch.tensor(X).requires_grad_()
    (dx,) = torch.autograd.grad(torch.tanh(x @ torch.tensor(W)), x, torch.tensor(DOUT))
    np.testing.assert_allclose(dx, DX)


@pytest.mark.parametrize("way", ["torch.autograd.grad", "with torch.enable_grad()", "torch.ops.aten.tanh_backward"])
@pytest.mark.parametrize("instead", ["return (dout * (1 - out(x, w) ** 2)) @ w.T", "raise ValueError('no')"])
def test_a_refusal_that_is_swallowed_is_told_all_the_same(way: str, instead: str) -> None:
    body = f"try:\n{indented(WAYS[way])}\nexcept BaseException:\n{indented(instead)}"
    outcome = cheat(body)
    assert isinstance(outcome, Raised)
    assert outcome.kind == "AutogradRefused"
    assert outcome.traceback.startswith("t.py, line ")  # where it was tried
    assert_as_before()


def test_a_refusal_costs_the_call_it_was_in_and_no_other() -> None:
    text = "def f(x): return torch.autograd.grad(x.sum(), x)\ndef g(x): return 2 * x"
    runner = InProcess(source(text), Profile.TORCH)
    for _ in range(2):
        assert isinstance(runner.call(Call(function="f", args=(X,))), Raised)
        np.testing.assert_array_equal(numbers(runner.call(Call(function="g", args=(X,)))), 2 * X)


def test_what_is_refused_while_the_file_is_loaded_is_a_problem_with_its_line() -> None:
    text = (
        "a = torch.ones(2)\nb = torch.autograd.grad(a.sum(), a)\n"
        "try:\n    a.requires_grad_()\nexcept Exception:\n    pass\ndef f(x): return x + 1"
    )
    runner = InProcess(source(text), Profile.TORCH)
    first, *rest = runner.load().problems
    line = HEAD.count("\n") + 2
    told = "AutogradRefused: autograd is refused here: no torch.autograd.grad, write the derivative yourself"
    assert first == f"t.py, line {line}: {told}"
    assert rest == []
    np.testing.assert_array_equal(numbers(runner.call(Call(function="f", args=(X,)))), X + 1)
    swallowed = InProcess(source("try: torch.ones(2).requires_grad_()\nexcept Exception: pass"), Profile.TORCH)
    assert [problem.partition(":")[0] for problem in swallowed.load().problems] == [f"t.py, line {line - 1}"]


# --------------------------------------------------------------------------------------------------------- honest code

HONEST = {
    "matmul and broadcasting": "return (x @ w + dout.sum(0)) * 2 - dout.mean()",
    "einsum": "return torch.einsum('nd,dm,nm->d', x, w, dout)",
    "conv2d": "return F.conv2d(x.reshape(1, 1, 3, 4), w.reshape(1, 1, 4, 5)[..., :2, :2], padding=1)",
    "conv_transpose2d, conv's derivative by hand": "return F.conv_transpose2d(x.reshape(1, 1, 3, 4), w[None, None])",
    "in-place operations": "y = x.clone()\ny += 1\ny.mul_(2).clamp_(min=0)\ny[0] = 7\nreturn y",
    "indexing": (
        "y = torch.zeros_like(x)\ny[x > 0] = 1\n"
        "return y[[0, 2]][:, 1:], x[torch.arange(3), torch.tensor([0, 1, 2])], y[..., None]"
    ),
    "where": "return torch.where(x > 0, x, torch.exp(x) - 1)",
    "max with indices": "values, at = x.max(dim=1)\nreturn values, at",
    "no_grad blocks": "with torch.no_grad():\n    y = x @ w\nwith torch.inference_mode():\n    return y + 1",
    "no_grad as a decorator": "@torch.no_grad()\ndef g(a): return a + 1\nreturn g(x)",
    "grad turned off": "torch.set_grad_enabled(False)\nreturn x.requires_grad_(False) + 1",
    "softmax": "y = F.softmax(x @ w, dim=1)\nreturn y * (dout - (dout * y).sum(1, keepdim=True))",
    "a module": (
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.w = nn.Parameter(w.clone())\n        self.norm = nn.LayerNorm(5).double()\n"
        "    def forward(self, a): return self.norm(torch.tanh(a @ self.w))\n"
        "net = Net().eval()\nnet.zero_grad()\nfor p in net.parameters(): p.requires_grad = False\nreturn net(x)"
    ),
    "layers": "torch.manual_seed(1)\nreturn nn.Sequential(nn.Linear(4, 3), nn.GELU(), nn.Linear(3, 2)).double()(x)",
    "a parameter's gradient set by hand": (
        "p = nn.Parameter(x.clone())\np.grad = dout @ w.T\nwith torch.no_grad(): p -= 0.1 * p.grad\nreturn p"
    ),
    "functional": "return F.layer_norm(F.silu(x), (4,)), F.softplus(x), F.max_pool1d(x[None], 2), F.pad(x, [1, 1])",
    "losses": "return F.cross_entropy(x, torch.tensor([0, 1, 2])), F.mse_loss(x, 2 * x)",
    "attention": "return F.scaled_dot_product_attention(x[None], x[None], x[None], is_causal=True)",
    "index_add_": "return torch.zeros(2, 4, dtype=x.dtype).index_add_(0, torch.tensor([0, 1, 0]), x)",
    "scatter and gather": "at = x.argsort(1)\nreturn torch.zeros_like(x).scatter_(1, at, x.gather(1, at))",
    "detach and clone": "y = x.detach().clone()\ny.data.add_(1)\nreturn y",
    "unfold and fold": "c = F.unfold(x.reshape(1, 1, 3, 4), 2)\nreturn F.fold(c, (3, 4), 2)",
    "numpy": "return torch.from_numpy(np.tanh(x.numpy())) + torch.as_tensor(np.ones(4)), torch.tensor(x.tolist())",
    "linear algebra": "return torch.linalg.norm(x), torch.linalg.solve(w[:, :4], x.T), torch.linalg.svdvals(x)",
    "a conj that torch puts off": "return torch.fft.hfftn(x, dim=(0, 1)), torch.fft.irfft2(torch.fft.rfft2(x).conj())",
    "vmap": "return torch.vmap(lambda row: (row @ w).relu().sum())(x)",
    "a loop": "h = torch.zeros(4, dtype=x.dtype)\nfor row in x:\n    h = torch.tanh(h + row)\nreturn h",
    "printing": "text = f'{x} {x[0, 0]:.3f} {nn.Linear(2, 2)}'\nreturn len(text)",
    "deepcopy": "import copy\nreturn copy.deepcopy(x * 2), copy.copy(nn.Parameter(x))",
    "a subclass": "class T(torch.Tensor): pass\nreturn x.as_subclass(T) * 2",
    "a custom Function's forward": (
        "class Tanh(torch.autograd.Function):\n"
        "    @staticmethod\n    def forward(ctx, z):\n        ctx.save_for_backward(z)\n        return z.tanh()\n"
        "    @staticmethod\n    def backward(ctx, dy):\n        return dy * (1 - ctx.saved_tensors[0].tanh() ** 2)\n"
        "return Tanh.apply(x)"
    ),
    "compiled": (
        "@torch.compile\ndef g(a): return a + 1\n@torch.compile(fullgraph=True)\ndef h(a): return a + 1\n"
        "def k(a): return a * 2\nreturn torch.jit.trace(k, x)(h(g(x)))"
    ),
    "distributions": "from torch.distributions import Categorical\nreturn Categorical(logits=x).probs",
    "an optimizer": (
        "p = nn.Parameter(x.clone())\np.grad = dout @ w.T\no = torch.optim.SGD([p], 0.1)\no.step()\no.zero_grad()\n"
        "return p"
    ),
    "a pool of threads": (
        "with ThreadPoolExecutor(2) as pool:\n    return torch.stack(list(pool.map(lambda row: row * 2, x)))"
    ),
    "a compiler of its own": "torch.compile = torch.jit.script = lambda f: f\nreturn torch.compile(torch.tanh)(x)",
    "names like those refused": (
        "class Tape:\n    def backward(self, g): return g * 2\n    requires_grad_ = grad = backward\n"
        "return Tape().backward(x) + Tape().grad(x) + Tape().requires_grad_(x)"
    ),
    "a dispatch mode of its own": (
        "from torch.utils._python_dispatch import TorchDispatchMode\n"
        "class Count(TorchDispatchMode):\n    n = 0\n"
        "    def __torch_dispatch__(self, func, types, args=(), kwargs=None):\n"
        "        Count.n += 1\n        return func(*args, **(kwargs or {}))\n"
        "with Count(): y = x @ w\nreturn y"
    ),
}


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.filterwarnings("ignore")
def test_honest_code_gives_what_it_gives_without_the_guard(name: str) -> None:
    text = f"{HEAD}\ndef f(x, w, dout):\n{indented(HONEST[name])}\n"
    namespace: dict[str, Any] = {"__name__": "t"}
    with torch.no_grad():
        exec(text.replace("@torch.compile(fullgraph=True)", "").replace("@torch.compile", ""), namespace)
        expected = namespace["f"](*map(torch.tensor, (X, W, DOUT)))
    value = returned(cheat(HONEST[name])).value
    actual, wanted = ((v,) if not isinstance(v, tuple) else v for v in (value, expected))
    assert len(actual) == len(wanted)
    for one, other in zip(actual, wanted, strict=True):
        np.testing.assert_allclose(one, np.asarray(torch.as_tensor(other).detach()), rtol=1e-13)
    assert_as_before()


# ----------------------------------------------------------------------------------- the guard and whoever is beside it


def test_the_oracle_works_between_calls_and_its_torch_is_whole() -> None:
    """What student code was given stays refused only while it runs; whoever kept a refusal has the original again."""
    names = {
        (module, name): getattr(sys.modules[module], name)
        for module in ("torch", "torch.autograd", "torch.func", "torch._C", "torch.jit", "threading", "_thread")
        for name in dir(sys.modules[module])
    }
    attributes = dict(vars(torch.Tensor))
    runner = InProcess(source("from torch.func import vjp\nKEPT = [vjp, borrowed]\ndef f(x): return x"), Profile.TORCH)
    np.testing.assert_array_equal(numbers(runner.call(Call(function="f", args=(X,)))), X)
    assert all(getattr(sys.modules[module], name) is value for (module, name), value in names.items())
    assert dict(vars(torch.Tensor)) == attributes
    vjp, grad = runner._executor._load()["KEPT"]  # as a module that was imported meanwhile would keep them
    assert vjp is not torch.func.vjp
    x = torch.tensor(X)
    np.testing.assert_allclose(vjp(torch.tanh, x)[1](torch.ones_like(x))[0], 1 - np.tanh(X) ** 2)
    x.requires_grad_()
    np.testing.assert_allclose(grad(x.tanh().sum(), x)[0].detach(), 1 - np.tanh(X) ** 2)


LEFT_BEHIND = {
    "grad off": "torch.set_grad_enabled(False)",
    "a dispatch mode": "from torch.utils._python_dispatch import TorchDispatchMode as M\nM().__enter__()",
    "a default dtype": "torch.set_default_dtype(torch.float16)",
    "a function in place of another": "torch.tanh = F.relu = torch.linalg.norm = None",
    "an exception": "raise KeyboardInterrupt",
    "a name in builtins": "import builtins\nbuiltins.isinstance = builtins.len = None",
}


@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_what_a_call_leaves_behind_is_not_the_oracles(name: str) -> None:
    body = indented(LEFT_BEHIND[name] + "\nreturn x")
    text = f"def f(x):\n{body}\ndef g(): return torch.get_default_dtype() is torch.half"
    runner = InProcess(source(text), Profile.TORCH)
    before = torch.get_default_dtype(), torch.tanh, torch.nn.functional.relu, torch.linalg.norm
    try:
        outcome = runner.call(Call(function="f", args=(X,)))
    except KeyboardInterrupt:
        assert name == "an exception"
    else:
        assert isinstance(outcome, Returned), outcome
    assert before == (torch.get_default_dtype(), torch.tanh, torch.nn.functional.relu, torch.linalg.norm)
    assert_as_before()
    if name == "a default dtype":  # its own functions go on seeing it
        assert returned(runner.call(Call(function="g", args=()))).value
        assert before[0] is torch.get_default_dtype()


def test_a_guard_that_is_never_left_serves_call_after_call() -> None:
    """As in a process of the student's own."""
    guard = kit_of(Profile.TORCH).guard
    assert guard is not None
    runner = InProcess(source("def f(x): return x.tanh()\ndef g(x): return torch.func.grad(f)(x)"), Profile.TORCH)
    guard.enter()
    try:
        for _ in range(2):
            np.testing.assert_allclose(numbers(runner.call(Call(function="f", args=(X,)))), np.tanh(X))
            outcome = runner.call(Call(function="g", args=(X,)))
            assert isinstance(outcome, Raised)
            assert outcome.kind == "AutogradRefused"
            assert torch.is_inference_mode_enabled()
            with pytest.raises(autograd.AutogradRefused):
                torch.ones(2).requires_grad_()
    finally:
        guard.leave()
    assert_as_before()


def test_a_debugger_may_follow_new_threads() -> None:
    text = "def f(x):\n    start = threading._start_new_thread\n"
    text += "    threading._start_new_thread = lambda *args: start(*args)\n    return x"
    before = threading._start_new_thread  # type: ignore[attr-defined]
    try:
        np.testing.assert_array_equal(numbers(run(text, X)), X)
        assert threading._start_new_thread is not before  # type: ignore[attr-defined]
    finally:
        threading._start_new_thread = before  # type: ignore[attr-defined]


def test_threads_that_others_start_are_theirs() -> None:
    """A debugger's, an editor's: only those that the student's code starts are watched."""
    guard = kit_of(Profile.TORCH).guard
    assert guard is not None
    modes: list[bool] = []

    def note() -> None:
        modes.append(torch.is_inference_mode_enabled())

    def start() -> None:
        inner = threading.Thread(target=note)
        inner.start()
        inner.join()

    go_on = threading.Event()
    other = threading.Thread(target=lambda: (go_on.wait(), start()))
    other.start()
    guard.enter()
    start()
    go_on.set()
    other.join()
    guard.leave()
    assert modes == [True, False]
