"""Results of another library than the arrays that went in: told with the lines that name NumPy, and what to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from courses import HEAD, codes, grade_text, make_course, parts
from test_kinds import ADAM, ADAM_STEP, FUNCTION, LAYER

from grader.assignment import Assignment
from grader.calls import Call, Elsewhere, Found, Profile, Returned, Rung, Source
from grader.report.console import render
from grader.sandbox.inprocess import InProcess
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess


@pytest.fixture(scope="module")
def tensors() -> Iterator[Sandbox]:
    with Sandbox(Profile.TORCH, require=Rung.NONE) as sandbox:
        yield sandbox


JAX = pytest.param(Profile.JAX, marks=pytest.mark.skipif(find_spec("jax") is None, reason="there is no JAX here"))
PAIR = """
from array_api_compat import array_namespace
def f(x, w):
    t = array_namespace(x).tanh(x)
    return t * w, (t, w)
def b(dout, cache):
    t, w = cache
    dx = np.asarray(dout * w * (1 - t * t))
    dw = (dout * t).sum(0)
    return dx, np.asarray(dw)
"""


def returned(profile: Profile, text: str, *args: object) -> object:
    """What `f` gives, in this process."""
    source = Source(entry="t.py", files={"t.py": f"import numpy as np\n{text}".encode()})
    outcome = InProcess(source, profile).call(Call(function="f", args=args))
    assert isinstance(outcome, Returned), outcome
    return outcome.value


def course_in(folder: Path, profile: Profile, what: tuple[str, str] = LAYER) -> Assignment:
    return replace(make_course(folder, *what, head=HEAD), profile=profile)


@pytest.mark.parametrize("profile", [Profile.TORCH, JAX])
@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("def f(x): return np.asarray(x)", "NumPy is used at t.py, line 2"),
        ("def f(x):\n    'np.zeros'\n    y = np.zeros(2)\n    return y * np.ones(2) + np.ones(2)",
         "NumPy is used at t.py, line 4 and line 5"),
        ("def f(x):\n    a = np\n    a = np\n    a = np\n    return np.ones(2)",
         "NumPy is used at t.py, line 3 and line 4 and line 5 and further on"),
        ("def g(x): return np.asarray(x)\ndef f(x): return g(x)", ""),
        ("from numpy import asarray as f", ""),
        ("class M(np.ndarray): ndim = 0\ndef f(x): return np.ones(2).view(M)", "NumPy is used at t.py, line 3"),
        ("def f(x): return np.ma.ones(2)", "NumPy is used at t.py, line 2"),
        ("def f(x): return np.array(['a'])", "NumPy is used at t.py, line 2"),
    ],
)  # fmt: skip
def test_a_numpy_array_is_none_of_those_that_went_in(profile: Profile, text: str, made: str) -> None:
    found = returned(profile, text, np.ones(2))
    assert isinstance(found, Elsewhere)
    assert (found.found, found.wanted, found.made) == (Found.NUMPY, profile, made)


@pytest.mark.parametrize("profile", [Profile.TORCH, JAX])
@pytest.mark.parametrize(
    "result",
    ["x", "[x, {'a': x * 2}]", "1.5", "np.float64(2.0)", "np.sum(np.ones(3))", "np.array(2.0)", "x.sum()", "None"],
)
def test_numbers_and_own_arrays_are_no_strays(profile: Profile, result: str) -> None:
    assert "Elsewhere" not in repr(returned(profile, f"def f(x): return {result}", np.ones(2)))


def test_where_no_array_went_in_any_library_will_do() -> None:
    assert isinstance(returned(Profile.TORCH, "def f(n): return np.ones(n)", 2), np.ndarray)
    assert isinstance(returned(Profile.TORCH, "def f(d): return np.ones(2)", {"x": [np.ones(1)]}), Elsewhere)


def test_a_tensor_is_no_numpy_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no torch to import, so that here a tensor has to be left where it is found."""
    monkeypatch.setattr(np, "left", torch.ones(3, dtype=torch.float64), raising=False)
    found = returned(Profile.NUMPY, "def f(x): return np.left", np.ones(3))
    assert isinstance(found, Elsewhere)
    assert (found.found, found.wanted) == (Found.TENSOR, Profile.NUMPY)
    report = grade_text(course_in(tmp_path, Profile.NUMPY, FUNCTION), "def f(x): return np.left")
    (told,) = parts(report)["value"].checks[0].findings
    assert (told.code, told.headline, told.likely) == (
        "WRONG_LIBRARY",
        "out is a torch tensor, expected a NumPy array, like what went in",
        "compute with the library of what went in, xp = array_namespace(x)",
    )


@pytest.mark.parametrize("profile", [Profile.TORCH, JAX])
def test_a_gradient_of_another_library_fails_though_its_numbers_are_right(
    tmp_path: Path, profile: Profile, golden: Callable[[str, str], None]
) -> None:
    report = grade_text(course_in(tmp_path, profile), PAIR)
    assert parts(report)["forward"].earned == parts(report)["forward"].possible
    assert codes(parts(report)["backward"]) == {"WRONG_LIBRARY"}
    golden(f"messages/stray_{profile}.txt", render(report) + "\n")


@pytest.mark.parametrize(
    ("what", "text", "part"),
    [
        (FUNCTION, "def f(x): return np.asarray(x).mean(1)", "value"),
        (ADAM, ADAM_STEP + "inner = adam\ndef adam(*a):\n    p, s = inner(*a)\n"
         "    return {'layers': [{'w': np.asarray(each['w'])} for each in p['layers']]}, s", "step"),
    ],
)  # fmt: skip
def test_every_kind_tells_it(tmp_path: Path, what: tuple[str, str], text: str, part: str) -> None:
    report = grade_text(course_in(tmp_path, Profile.TORCH, what), text)
    assert codes(parts(report)[part]) == {"WRONG_LIBRARY"}


def test_behind_the_wall_it_is_the_same(tensors: Sandbox) -> None:
    source = Source(entry="t.py", files={"t.py": b"import numpy as np\ndef f(x): return {'a': [np.asarray(x)]}"})
    process = ChildProcess(source, sandbox=tensors)
    try:
        process.load()
        outcome = process.call(Call(function="f", args=(np.arange(3.0),)))
    finally:
        process.close()
    assert isinstance(outcome, Returned), outcome
    found = outcome.value["a"][0]
    assert (found.found, found.wanted, found.made) == (Found.NUMPY, Profile.TORCH, "NumPy is used at t.py, line 2")
    np.testing.assert_array_equal(found.value, np.arange(3.0))


def test_in_a_hidden_case_no_word_of_the_student_s_process_is_told(tmp_path: Path) -> None:
    """Nor the lines: what comes over the wire as such could be the arrays."""
    exercise = FUNCTION[0] + "hidden = true\n"
    course = course_in(tmp_path, Profile.TORCH, (exercise, FUNCTION[1]))
    for seed, likely in ((None, "NumPy is used at t.py, line 2: compute it"), (5, "compute it")):
        report = grade_text(course, "def f(x): return np.asarray(x).mean(1)", hidden_seed=seed)
        (told,) = [finding for check in parts(report)["value"].checks for finding in check.findings]
        assert told.code == "WRONG_LIBRARY"
        assert told.likely.startswith(likely)
