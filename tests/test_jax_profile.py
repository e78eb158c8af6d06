"""An assignment graded with JAX: arrays of jax's in and out, jax.grad refused, every verdict as for NumPy.

JAX compiles each operation for each shape, so the cases are few here; benchmarks/test_jax.py has a whole topic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from courses import HEAD, codes, grade_text, make_course, parts
from test_kinds import LAYER
from test_torch_profile import ANY, assert_full, graded, told

from grader.assignment import Assignment
from grader.calls import Call, Opaque, Outcome, Profile, Raised, Returned, Rung, Source
from grader.errors import MachineError
from grader.manifest import load_assignment
from grader.sandbox import boot
from grader.sandbox.inprocess import InProcess
from grader.sandbox.pool import Sandbox
from grader.topics import find_manifest

jax = pytest.importorskip("jax", reason="JAX is not installed: pip install 'gradmark[jax]'")

HEADER = HEAD + 'profile = "jax"\n'


@pytest.fixture
def course(tmp_path: Path) -> Assignment:
    return make_course(tmp_path, *LAYER, head=HEADER)


@pytest.fixture(scope="module")
def arrays() -> Iterator[Sandbox]:
    with Sandbox(Profile.JAX, require=Rung.NONE) as sandbox:
        yield sandbox


def ask(text: str, *args: object) -> Outcome:
    source = Source(entry="t.py", files={"t.py": f"import jax, jax.numpy as jnp\n{text}".encode()})
    return InProcess(source, Profile.JAX).call(Call(function="f", args=args))


def value(outcome: Outcome) -> object:
    assert isinstance(outcome, Returned), outcome
    return outcome.value


def refusal(outcome: Outcome) -> str:
    assert isinstance(outcome, Raised), outcome
    return f"{outcome.kind}: {outcome.message}"


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "bool"])
def test_arrays_cross_as_they_are(dtype: str) -> None:
    x = np.arange(6).reshape(2, 3).astype(dtype)
    back = value(ask("def f(x): assert type(x) is type(jnp.ones(1)); return {'x': x, 'n': [x.T]}", x))
    assert isinstance(back, dict)
    assert back["x"].dtype == x.dtype
    np.testing.assert_array_equal(back["x"], x)
    np.testing.assert_array_equal(back["n"][0], x.T)


def test_what_has_no_numbers_is_named() -> None:
    escaped = "def f(x):\n    kept = []\n    jax.jit(lambda a: kept.append(a) or a)(x)\n    return kept[0]"
    assert value(ask(escaped, np.ones(2))) == Opaque("a value from inside a jax transformation, which has no numbers")
    assert value(ask("def f(x):\n    x.delete()\n    return x", np.ones(2))) == Opaque("a jax array that can't be read")
    assert value(ask("def f(x): return jnp.ones(2, dtype=jnp.bfloat16)", 1)) == Opaque("a jax array of dtype bfloat16")


WAYS = {
    "jax.grad": "def f(x): return jax.grad(lambda a: a @ a)(x)",
    "jax.vjp": "def f(x): return jax.vjp(jnp.tanh, x)[1](x)",
    "jax.jvp": "def f(x): return jax.jvp(jnp.tanh, (x,), (x,))",
    "jax.jacrev": "def f(x): return jax.jacrev(jnp.tanh)(x)",
    "jax.jacfwd": "def f(x): return jax.jacfwd(jnp.tanh)(x)",
    "jax.hessian": "def f(x): return jax.hessian(lambda a: a @ a)(x)",
    "jax.linearize": "def f(x): return jax.linearize(jnp.tanh, x)[1](x)",
    "jax.value_and_grad": "def f(x): return jax.value_and_grad(lambda a: a @ a)(x)",
    "jax.linear_transpose": "def f(x): return jax.linear_transpose(lambda a: 2 * a, x)(x)",
}


@pytest.mark.parametrize("way", WAYS)
def test_what_differentiates_is_refused(way: str) -> None:
    assert refusal(ask(WAYS[way], np.ones(3))).startswith(f"AutogradRefused: autograd is refused here: no {way},")


@pytest.mark.parametrize(
    "text",
    [
        "from jax import grad\ndef f(x): return grad(lambda a: a @ a)(x)",
        "def f(x):\n    try: return jax.grad(lambda a: a @ a)(x)\n    except Exception: return x",
        "from jax._src import api\ndef f(x): return api.grad(lambda a: a @ a)(x)",
    ],
)
def test_refusals_are_not_dodged_by_a_name_or_swallowed(text: str) -> None:
    if text.startswith("from jax import"):  # bound when the file was loaded, behind the guard too
        text = text.replace("from jax import grad", "from jax import grad as g").replace("grad(lambda", "g(lambda")
    assert "AutogradRefused" in refusal(ask(text, np.ones(3)))


def test_between_calls_jax_is_as_it_was() -> None:
    ask("jnp.tanh = None\ndef f(x): return x", 1)
    assert float(jax.grad(jax.numpy.tanh)(0.0)) == 1.0


def test_transformations_that_only_compute_are_left() -> None:
    text = "def f(x): return jax.jit(jax.vmap(lambda row: jnp.tanh(row).sum()))(x)"
    np.testing.assert_allclose(value(ask(text, np.ones((2, 3)))), 3 * np.tanh([1.0, 1.0]))


def test_a_right_submission_gets_full_points(course: Assignment) -> None:
    assert_full(grade_text(course, ANY))


def test_a_wrong_one_is_told_as_with_numpy(tmp_path: Path, course: Assignment) -> None:
    wrong = ANY.replace("(1 - t * t)", "(1 - t)")
    (tmp_path / "numpy").mkdir()
    with_numpy = make_course(tmp_path / "numpy", *LAYER)
    assert told(grade_text(course, wrong), "backward") == told(grade_text(with_numpy, wrong), "backward") != ""


def test_behind_the_wall_it_is_the_same(course: Assignment, arrays: Sandbox) -> None:
    report = graded(course, arrays, ANY)
    assert_full(report)
    assert report.environment.isolation[-1] == "jax.grad refused (a deterrent)"
    assert report.environment.wall is arrays.rung
    borrowed = ANY.partition("def b")[0] + "import jax\ndef b(d, c): return jax.vjp(lambda t, w: t * w, *c)[1](d)\n"
    assert "RAISED" in codes(parts(graded(course, arrays, borrowed))["backward"])


HOSTILE = """
import jax, jax.numpy as jnp, numpy as np, os, threading
def look(x):
    told = []
    for act in (lambda: open('/dev/urandom'), lambda: os.listdir('/'), lambda: os.fork(), lambda: open('/etc/passwd')):
        try:
            act()
            told.append(1.0)
        except OSError:
            told.append(0.0)
    return np.asarray(told)
def f(x, w):
    shape = jax.ShapeDtypeStruct((4,), jnp.float64)
    told = [*jax.pure_callback(look, shape, x), *look(x)]
    return jnp.zeros(8 + int(sum(told))), None
"""


def test_the_threads_of_jax_stand_behind_the_wall_too(course: Assignment, arrays: Sandbox) -> None:
    """A callback runs in a thread that was there before the wall."""
    if arrays.rung is Rung.NONE:
        pytest.skip("no wall here")
    report = graded(course, arrays, HOSTILE)
    (check, *_) = parts(report)["forward"].checks
    assert "has shape (8,)" in check.findings[0].headline, check.findings


def test_a_topic_of_the_course(arrays: Sandbox) -> None:
    topic = load_assignment(find_manifest("functional")).only(["predict", "one layer"])
    assert topic.solution is not None
    report = graded(replace(topic, profile=Profile.JAX), arrays, topic.solution.read_text())
    assert_full(report)


def test_without_jax_there_is_one_clear_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(boot.PACKAGES, Profile.JAX, ("no_such_package",))
    with pytest.raises(MachineError, match=r'no_such_package is not installed: pip install "gradmark\[jax\]"'):
        boot.command("zygote", (), Profile.JAX)
