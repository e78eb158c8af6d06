"""Calls on a submission: copies in, plain trees out, caches used once, and a judge that is left as it was."""

from __future__ import annotations

import builtins
import io
import math
import warnings
from bdb import BdbQuit
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.calls import Call, Isolation, Kept, Malformed, Missing, Outcome, Raised, Returned, Source
from grader.sandbox.executor import MAX_SLOTS, Executor
from grader.sandbox.inprocess import InProcess
from grader.sandbox.loading import Program
from grader.sandbox.patches import GUARDED, Patches

CHILD = BaseException
SUBMISSIONS = Path(__file__).parent / "submissions" / "mlp"


def source(text: str) -> Source:
    return Source(entry="mlp.py", files={"mlp.py": f"import numpy as np\n{text}\n".encode()})


def executor(text: str, trap: type[BaseException] = CHILD) -> Executor:
    return Executor(Program(source(text)), trap)


def call(function: str = "f", *args: Any, **kwargs: Any) -> Call:
    return Call(function=function, args=args, **kwargs)


def returned(outcome: Outcome) -> Returned:
    assert isinstance(outcome, Returned), outcome
    return outcome


def ask(body: str, *args: Any, **kwargs: Any) -> Outcome:
    """Outcome of one call of a function f of the arguments a and b."""
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    names = ", ".join("ab"[: len(args)])
    return executor(f"def f({names}):\n{lines}").call(call("f", *args, **kwargs))


# ------------------------------------------------------------------------------------------------ what is written into


def test_the_judges_own_arrays_are_never_changed() -> None:
    x, tree = np.arange(3.0), {"W": np.ones(2), "rest": [np.ones(1), 2]}
    outcome = returned(ask("a[:] = 9\nb['W'] += 1\nb['rest'][0][:] = 5\nb['rest'].append(1)\nb['new'] = a", x, tree))
    assert outcome.changed == (0, 1)
    assert x.tolist() == [0, 1, 2]
    assert (list(tree), tree["W"].tolist(), tree["rest"][0].tolist(), tree["rest"][1:]) == (
        ["W", "rest"],
        [1, 1],
        [1],
        [2],
    )


def test_arguments_lie_in_memory_as_they_come_out_of_the_wire() -> None:
    body = "return a.flags.c_contiguous and a.flags.writeable and type(b) is float"
    assert returned(ask(body, np.ones((3, 2)).T, np.float32(1))).value
    assert returned(ask(body, np.broadcast_to(1.0, (3, 2)), 1.0)).value


CHANGES = {
    "nothing": ("return a['W'] + a['n'] + a['l'][0]", False),
    "same bits": ("a['W'][:] = a['W'].copy()", False),
    "NaN over NaN": ("a['W'][0] = np.nan", False),
    "sign of zero": ("a['W'][1] = -0.0", True),
    "one element": ("a['l'][0][0] += 1e-15", True),
    "in place": ("a['W'] += 1", True),
    "array replaced": ("a['W'] = a['W'] + 1", True),
    "array replaced by an equal one": ("a['W'] = a['W'].copy()", False),
    "array replaced by a list": ("a['W'] = [np.nan, 0.0]", True),
    "array replaced by a lying one": ("class A(np.ndarray): pass\na['W'] = a['W'].view(A)", True),
    "number replaced by an array": ("a['n'] = np.zeros(3)", True),
    "number replaced by an evil one": ("class N(float): __eq__ = __ne__ = None\na['n'] = N(2)", True),
    "number replaced by an equal one": ("a['n'] = float('2')", False),
    "None replaced": ("a['none'] = 0", True),
    "key added": ("a['X'] = 1", True),
    "key removed": ("del a['W']", True),
    "key renamed": ("a['V'] = a.pop('W')", True),
    "keys in another order": ("a['W'] = a.pop('W')", False),
    "list extended": ("a['l'].append(1)", True),
    "list sorted the other way": ("a['l'].reverse()", True),
    "list replaced by a tuple": ("a['l'] = tuple(a['l'])", True),
    "refers to itself": ("a['W'] = a", True),
    "resized": ("a['W'].resize(5, refcheck=False)", True),
    "another shape": ("a['W'].shape = (2, 1)", True),
    "another dtype": ("a['W'].dtype = 'i8'", True),
    "lying dict": ("class D(dict): keys = None\na['d'] = D(a['d'])", True),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.filterwarnings("ignore:Setting the:DeprecationWarning")
def test_what_counts_as_written_into(name: str) -> None:
    body, changed = CHANGES[name]
    tree = {"W": np.array([np.nan, 0.0]), "n": 2.0, "none": None, "l": [np.ones(1), 3], "d": {"x": 1}}
    assert returned(ask(body, tree, np.ones(2))).changed == ((0,) if changed else ())


def test_an_argument_that_is_nan_or_none_is_not_written_into() -> None:
    assert returned(ask("return 1", float("nan"), None)).changed == ()


def test_what_backward_writes_into_of_the_call_that_made_its_cache() -> None:
    runner = executor(
        "def forward(x, w, d):\n    w += 1\n    return x, (x, w, d)\n"
        "def backward(dout, cache):\n    x, w, d = cache\n    w += 1\n    d['k'] = 2\n    return dout, x"
    )
    for _ in range(2):
        first = returned(runner.call(call("forward", np.ones(2), np.ones(2), {"k": 1}, keep=5)))
        assert (first.changed, first.changed_earlier) == ((1,), ())
        second = returned(runner.call(call("backward", np.ones(2), Kept(5))))
        assert (second.changed, second.changed_earlier) == ((), (2,))  # w was told of already


# -------------------------------------------------------------------------------------------------------------- caches


def test_a_cache_is_used_once() -> None:
    runner = executor("def f(x):\n    return x, {'x': x}\ndef g(dout, cache):\n    return dout * cache['x']")
    assert returned(runner.call(call("f", np.arange(3.0), keep=1))).value.tolist() == [0, 1, 2]
    assert returned(runner.call(call("g", np.float64(2), Kept(1)))).value.tolist() == [0, 2, 4]
    for slot in (1, 2):
        again = runner.call(call("g", np.ones(3), Kept(slot)))
        assert isinstance(again, Malformed)
        assert again.problem == "the cache of its forward call is gone"


def test_a_cache_may_be_anything_and_may_be_none() -> None:
    runner = executor("def f():\n    return 1, None\ndef g(cache):\n    return cache is None and 7")
    runner.call(call("f", keep=0))
    assert returned(runner.call(call("g", Kept(0)))).value == 7


def test_caches_that_nobody_asks_for_do_not_pile_up() -> None:
    runner = executor("def f(n):\n    return n, n\ndef g(cache):\n    return cache")
    for number in range(100):
        runner.call(call("f", number, keep=number))
    assert isinstance(runner.call(call("g", Kept(99 - MAX_SLOTS))), Malformed)
    for number in range(100 - MAX_SLOTS, 100):
        assert returned(runner.call(call("g", Kept(number)))).value == number


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("a", "an array of shape (2, 3)"),
        ("1.5", "a number"),
        ("(a,)", "1 value"),
        ("(a, a, a)", "3 values"),
        ("None", "None"),
        ("{'out': a, 'cache': a}", "a dict"),
        ("(x for x in a)", "a value of type generator"),
        ("'ab'", "a value of type str"),
    ],
)
def test_a_forward_that_returns_no_pair(text: str, form: str) -> None:
    outcome = ask(f"return {text}", np.ones((2, 3)), keep=1)
    assert isinstance(outcome, Malformed)
    assert outcome.problem == f"it must return a pair (out, cache), it returned {form}"


def test_pairs_of_other_classes() -> None:
    for pair in ("[1, 2]", "P(1, 2)", "L([1, 2])"):
        runner = executor(
            "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n    y: int\n"
            "class L(list):\n    __iter__ = __len__ = None\n"
            f"def f():\n    return {pair}\ndef g(c): return c"
        )
        assert returned(runner.call(call("f", keep=1))).value == 1
        assert returned(runner.call(call("g", Kept(1)))).value == 2


# ----------------------------------------------------------------------------------------------- functions and results


def test_functions_that_are_not_there() -> None:
    runner = executor(
        "class K:\n    def __call__(self, x): return x\nk = K()\nn = 3\n__hidden__ = len\n"
        "def f(x): return x\ng = lambda x: x\nglobals()[5] = len\nglobals()['no name'] = len\nlog = np.log\nétage = f"
    )
    assert runner.load().functions == ("K", "k", "f", "g", "log", "étage")
    for name in ("missing", "n", "np"):
        outcome = runner.call(call(name))
        assert isinstance(outcome, Missing)
        assert outcome.function == name
    for name in ("k", "f", "g", "étage"):
        assert returned(runner.call(call(name, 3))).value == 3


def test_a_module_that_makes_up_its_attributes() -> None:
    runner = executor(
        "import sys, types\ndef __getattr__(name): raise KeyboardInterrupt\n"
        "class M(types.ModuleType):\n    __dict__ = property(lambda m: 1 / 0)\n"
        "sys.modules[__name__].__class__ = M\ndef f(): return 7"
    )
    assert isinstance(runner.call(call("missing")), Missing)
    assert returned(runner.call(call("f"))).value == 7


def test_results_that_do_not_fit() -> None:
    outcome = ask("return np.zeros(9)", max_bytes=64)
    assert isinstance(outcome, Malformed)
    assert outcome.problem == "it is too large: an array of shape (9,); at most 64 bytes are accepted"
    assert returned(ask("return np.zeros(8), None", keep=1, max_bytes=64)).value.shape == (8,)


def test_the_time_of_a_call_is_that_of_the_function() -> None:
    assert returned(ask("import time\ntime.sleep(0.01)")).seconds >= 0.01


# ---------------------------------------------------------------------------------------------------------- exceptions


def raised(outcome: Outcome) -> Raised:
    assert isinstance(outcome, Raised), outcome
    return outcome


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        ("1 / 0", "ZeroDivisionError", "division by zero"),
        ("{}['W1']", "KeyError", "'W1'"),
        ("raise NotImplementedError('write f')", "NotImplementedError", "write f"),
        ("raise NotImplementedError", "NotImplementedError", ""),
        ("assert False", "AssertionError", ""),
        ("np.ones(2) @ np.ones(3)", "ValueError", "matmul: Input operand 1 has a mismatch in its core dimension 0, "
         "with gufunc signature (n?,k),(k,m?)->(n?,m?) (size 3 is different from 2)"),
        ("raise ValueError('a: b\\nc: d')", "ValueError", "a: b\nc: d"),
        ("eval('1 +')", "SyntaxError", "invalid syntax (<string>, line 1)"),
        ("raise SystemExit(3)", "SystemExit", "3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", ""),
        ("raise GeneratorExit", "GeneratorExit", ""),
        ("input()", "EOFError", "EOF when reading a line"),
        ("f()", "RecursionError", "maximum recursion depth exceeded"),
        ("raise ExceptionGroup('two', [ValueError(1), ValueError(2)])", "ExceptionGroup", "two (2 sub-exceptions)"),
        ("raise type('E' * 500, (Exception,), {})('x')", "E" * 100, "x"),
        ("raise ValueError('x' * 10000)", "ValueError", "x" * 500),
    ],
)  # fmt: skip
def test_what_is_raised_is_told(body: str, kind: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    found = raised(ask(body))
    assert (found.kind, found.message.removesuffix(" in comparison")) == (kind, message)
    assert found.traceback.startswith("mlp.py, line 3, in f: ")


ODD = {
    "str raises": ("class E(Exception):\n    def __str__(self): raise SystemExit", "E", "<exception str() failed>"),
    "str is no text": ("class E(Exception):\n    def __str__(self): return 3", "E", "<exception str() failed>"),
    "no class": ("class E(Exception):\n    __class__ = property(lambda e: 1 / 0)", "E", "(its text can't be shown)"),
    "no traceback": ("class E(Exception):\n    __traceback__ = property(lambda e: 1 / 0)", "E", None),
    "no attributes": ("class E(Exception):\n    def __getattribute__(self, n): raise KeyboardInterrupt", "E", None),
    "odd metaclass": (
        "class M(type):\n    __name__ = property(lambda c: 1 / 0)\n"
        "    def __instancecheck__(c, o): raise SystemExit\nclass E(Exception, metaclass=M): pass",
        "E",
        None,
    ),
    "named like an outcome": ("class Returned(Exception): pass\nE = Returned", "Returned", "1"),
    "name with odd signs": ("E = type('a b', (Exception,), {})", "a b", "1"),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_exceptions_that_are_odd(name: str) -> None:
    text, kind, message = ODD[name]
    found = raised(executor(f"{text}\ndef f():\n    raise E(1)").call(call()))
    assert found.kind == kind
    assert message is None or found.message == message
    assert found.traceback.endswith("in f: raise E(1)")


def test_what_passes_through_where_the_student_sits_in_front_of_it() -> None:
    runner = InProcess(source("import bdb\ndef f(e):\n    raise {'k': KeyboardInterrupt, 'b': bdb.BdbQuit}[e]"))
    with pytest.raises(KeyboardInterrupt):
        runner.call(call("f", "k"))
    with pytest.raises(BdbQuit):
        runner.call(call("f", "b"))


@pytest.mark.parametrize("kind", ["SystemExit", "GeneratorExit", "NotImplementedError"])
def test_what_does_not_pass_through(kind: str) -> None:
    runner = InProcess(source(f"def f():\n    raise {kind}('why')\nraise {kind}('top')\ndef g(): return 7"))
    assert runner.load().problems == (f"mlp.py, line 4: {kind}: top",)
    found = raised(runner.call(call()))
    assert (found.kind, found.message, type(found.exception).__name__) == (kind, "why", kind)
    assert returned(runner.call(call("g"))).value == 7
    assert runner.isolation == Isolation()
    runner.close()


# ------------------------------------------------------------------------------------------- what a judge may rely on


def test_warnings_are_no_failures_and_settings_do_not_last() -> None:
    text = (
        "import warnings\nwarnings.warn('top')\nwarnings.simplefilter('error')\nnp.seterr(all='raise')\n"
        "def f():\n    warnings.warn('called')\n    return np.zeros(1) / 0\n"
        "def g():\n    warnings.simplefilter('error')\n    np.seterr(all='raise')\n"
    )
    with warnings.catch_warnings(), np.errstate(all="warn"):
        warnings.simplefilter("error")
        before, state = list(warnings.filters), np.geterr()
        runner = executor(text)
        assert runner.load().problems == ()
        returned(runner.call(call("g")))
        assert np.isnan(returned(runner.call(call())).value).all()
        assert (list(warnings.filters), np.geterr()) == (before, state)


def test_patches_are_the_students_own() -> None:
    text = (
        "import builtins, math, numpy.testing\nnp.isfinite = lambda x: 'mine'\nnp.testing.assert_allclose = None\n"
        "np.linalg.norm = np.random.rand = math.exp = None\ndel np.array_equal\nnp.float = float\n"
        "builtins.print = builtins.next = builtins.isinstance = builtins.len = None\n"
        "def f():\n"
        "    assert np.linalg.norm is None and math.exp is None and print is None and len is None\n"
        "    assert not hasattr(np, 'array_equal')\n"
        "    np.isnan = 3\n"
        "    return np.float(np.isfinite(1) == 'mine')\n"
        "def g():\n    del np.isnan\n    np.isfinite = 4\n"
        "def h(): return hasattr(np, 'isnan') + np.isfinite\n"
    )
    modules = {"numpy": np, "numpy.testing": np.testing, "numpy.linalg": np.linalg, "numpy.random": np.random,
               "builtins": builtins, "math": math}  # fmt: skip
    assert set(modules) == set(GUARDED)
    before = {name: dict(vars(module)) for name, module in modules.items()}
    runner = InProcess(source(text))
    other = InProcess(source("def f(): return hasattr(np, 'float') + np.isfinite(1)"))
    for name, expected in (("f", 1.0), ("f", 1.0), ("g", None), ("h", 4)):
        found = returned(runner.call(call(name)))
        assert found.value == expected
        assert returned(other.call(call())).value == 1
        for module in modules:
            now = vars(modules[module])
            assert now.keys() == before[module].keys()
            assert all(now[key] is before[module][key] for key in now)


def test_patches_of_a_call_that_fails_are_taken_back_too() -> None:
    runner = InProcess(source("def f():\n    np.isfinite = None\n    1 / 0"))
    assert raised(runner.call(call())).kind == "ZeroDivisionError"
    assert np.isfinite(1)


def test_an_import_is_no_patch() -> None:
    patches = Patches()
    patches.put_in()
    import numpy.polynomial

    patches.take_out()
    assert np.polynomial is numpy.polynomial
    assert "polynomial" in vars(np)


def test_a_submission_that_patches_numpy_leaves_the_judge_alone() -> None:
    functions = (np.allclose, np.array_equal, np.testing.assert_allclose, np.testing.assert_array_equal, np.isfinite)
    text = (SUBMISSIONS / "run_patches_numpy" / "mlp.py").read_text()
    runner = InProcess(source(text))
    assert returned(runner.call(call("relu_backward", np.ones(2), 3))).value.tolist() == [1, 1]
    assert functions == (
        np.allclose,
        np.array_equal,
        np.testing.assert_allclose,
        np.testing.assert_array_equal,
        np.isfinite,
    )
