"""Wrong answers that are the worked solution but for one thing: found by its mutants, told without a word of it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from courses import checks, grade_text, make_course
from topics import COURSES

from grader.assignment import Assignment
from grader.calls import Profile
from grader.checks.likeness import described
from grader.manifest import load_assignment
from grader.mutants import MutantKind, mutants
from grader.report.model import FindingReport
from grader.topics import assignment_names, find_manifest

EXERCISE = """
name = "bowl"
kind = "layer"
forward = "bowl_forward"
backward = "bowl_backward"
reference = "bowl"
inputs = { x = "N D", w = "N D" }
output = "N D"
points = { forward = 1, backward = 1 }
[[exercise.case]]
name = "small"
sizes = { N = 3, D = 4 }
"""
REFERENCE = "def bowl(x, w):\n    return torch.sin(x) * torch.exp(w) + x * torch.cos(w) - x**3 * w\n"
SOLUTION = """
import numpy as np

def _power(secret, count):
    # solution
    found = 1
    while count > 0:
        found = found * secret
        count -= 1
    return found
    # end solution

def bowl_forward(x, w):
    # solution
    return np.sin(x) * np.exp(w) + x * np.cos(w) - _power(x, 3) * w, (x, w)
    # end solution

def bowl_backward(dout, cache):
    # solution
    secret, hidden = cache
    first = np.cos(secret) * np.exp(hidden) + np.cos(hidden) - 3 * secret**2 * hidden
    second = np.sin(secret) * np.exp(hidden) - secret * np.sin(hidden) - secret**3
    return dout * first, dout * second
    # end solution
"""
STUDENT = """
def bowl_forward(x, w):
    return {forward}, (x, w)

def bowl_backward(dout, cache):
    x, w = cache
    e = np.exp(w)
    return (e * np.cos(x) {sign} np.cos(w) - 3 * w * x * x) * dout, dout * ({second})
"""
FORWARD, SECOND = "np.exp(w) * np.sin(x) - x**3 * w + np.cos(w) * x", "e * np.sin(x) - x * (np.sin(w) + x * x)"


def course(folder: Path, solution: str = SOLUTION) -> Assignment:
    path = folder / "solution.py"
    path.write_text(solution)
    return replace(make_course(folder, EXERCISE, REFERENCE), solution=path)


def student(forward: str = FORWARD, sign: str = "+", second: str = SECOND) -> str:
    return STUDENT.format(forward=forward, sign=sign, second=second)


def told(assignment: Assignment, text: str) -> FindingReport:
    (found,) = [finding for check in checks(grade_text(assignment, text)) for finding in check.findings]
    return found


def test_a_wrong_sign_is_told_in_other_code_than_the_solution(tmp_path: Path) -> None:
    found = told(course(tmp_path), student(sign="-"))
    assert found.likely == "as if a sign were the other one; in what gives dx"
    assert found.diagnosis.startswith("AS_IF")
    assert found.also == "dw is right"


def test_a_backward_without_dout_is_told_that_and_not_what_it_is_like(tmp_path: Path) -> None:
    text = student().replace(" * dout, dout * (", ", (")
    found = told(course(tmp_path), text)
    assert found.code == "NOT_LINEAR_IN_UPSTREAM"
    assert found.likely == "dout is left out: each term of a gradient has it as a factor, once"


def test_a_wrong_forward_is_told_too(tmp_path: Path) -> None:
    text = student(forward=FORWARD.replace("x**3", "x**2"))
    (first, *_) = [finding for check in checks(grade_text(course(tmp_path), text)) for finding in check.findings]
    assert "in what gives out" in first.likely


def test_what_is_right_but_odd_has_nothing_to_explain(tmp_path: Path) -> None:
    assert not [finding for check in checks(grade_text(course(tmp_path), student())) for finding in check.findings]


@pytest.mark.parametrize("noise", ["1e-6 * x", "1e-3", "np.sin(7 * x)"])
def test_nothing_is_told_of_what_no_mutant_gives_to_the_last_digits(noise: str, tmp_path: Path) -> None:
    """Of the same array, or of another: a hint is a claim about every element of all of them."""
    found = told(course(tmp_path), student(sign="-", second=f"{SECOND} + {noise}"))
    assert not found.diagnosis.startswith("AS_IF")
    assert "as if" not in found.likely


def test_a_solution_that_is_not_the_references_teaches_nothing(tmp_path: Path) -> None:
    found = told(course(tmp_path, SOLUTION.replace("3 * secret**2", "2 * secret**2")), student(sign="-"))
    assert not found.diagnosis.startswith("AS_IF")


def test_a_mutant_that_never_ends_is_ended_by_its_rounds(tmp_path: Path) -> None:
    """`count -= 1` left out, and `count += 1`, go on for ever; all of the others are still asked."""
    assignment = course(tmp_path)
    words = {mutant.words for mutant in mutants(SOLUTION, ["_power"])}
    assert {"left out", "a plus where a minus stood"} <= words
    assert "as if" in told(assignment, student(sign="-")).likely


def test_a_solution_in_torch_is_asked_with_tensors(tmp_path: Path) -> None:
    assignment = course(tmp_path, SOLUTION.replace("numpy as np", "torch as np"))
    torch = replace(assignment, profile=Profile.TORCH)
    text = f"import torch as np\n{student(sign='-')}"
    assert told(torch, text).likely == "as if a sign were the other one; in what gives dx"


TRAINING = """
name = "fit"
kind = "training"
train = "fit"
reference = "fit"
evaluate = "mean_square"
inputs = { params = { w = "D" }, x = "N D", y = "N" }
arguments = { lr = 0.1, batch = 4, steps = 3 }
points = { trajectory = 2 }
[[exercise.case]]
name = "small"
sizes = { N = 4, D = 3 }
"""
EVALUATE = """
def mean_square(params, x, y):
    return ((x @ params["w"] - y) ** 2).mean(), 0.0
"""
FIT = """
def fit(params, x, y, lr, batch, steps):
    w, losses = params["w"] * 1.0, []
    for _ in range(steps):
        miss = x @ w - y
        losses.append(float((miss**2).mean()))
        w = w - lr * (miss @ x / len(y) + 0.5 * w**3)
    return {"w": w}, losses
"""


def test_a_short_training_is_like_one_with_a_slip(tmp_path: Path) -> None:
    path = tmp_path / "solution.py"
    path.write_text(FIT.replace("    w, losses", "    # solution\n    w, losses") + "    # end solution\n")
    assignment = replace(make_course(tmp_path, TRAINING, FIT + EVALUATE), solution=path)
    other = FIT.replace("lr * (miss @ x / len(y) + 0.5 * w**3)", "lr * (x.T @ miss / len(y) - w**3 / 2)")
    found = told(assignment, other)
    assert found.code == "WRONG_TRAJECTORY"
    assert "a sign were the other one" in found.likely


def test_without_a_solution_nothing_is_looked_for(tmp_path: Path) -> None:
    found = told(replace(course(tmp_path), solution=None), student(sign="-"))
    assert not found.diagnosis.startswith("AS_IF")


WORDS = frozenset(
    (
        "a", "an", "and", "another", "are", "argument", "arguments", "array", "axes", "axis", "at", "be", "began",
        "belongs", "by", "call", "choice", "comparison", "condition", "constant", "divided", "division", "divisor",
        "each", "early", "ends", "end", "ended", "epsilon", "everywhere", "exponent", "factor", "few", "for",
        "formula", "from", "goes", "held", "in", "index", "inside", "is", "it", "key", "keepdims", "large", "last",
        "late", "least", "left", "less", "look", "loop", "made", "many", "matrix", "minus", "not", "number", "of",
        "one", "ones", "only", "operation", "opposite", "or", "order", "other", "other's", "out", "outside", "over",
        "overwritten", "part", "place", "plus", "power", "product", "quotient", "remainder", "results", "root",
        "round", "sign", "slice", "small", "start", "step", "steps", "stood", "sum", "term", "that", "the", "there",
        "time", "to", "too", "transpose", "turned", "twice", "two", "up", "upstream", "gradient", "way", "went",
        "were", "what", "where", "whole", "all", "added",
    )
)  # fmt: skip
PLAIN = frozenset(
    (
        "sum", "mean", "max", "min", "amax", "amin", "maximum", "minimum", "argmax", "argmin", "zeros_like",
        "ones_like", "zeros", "ones", "var", "std", "any", "exp", "expm1", "log", "log1p", "sin", "cos", "tril",
        "triu", "floor", "ceil", "cumsum", "cumprod", "logical_and", "logical_or", "append", "remove", "sqrt",
        "abs", "tanh", "sigmoid", "copy", "clone", "square", "clip", "flip", "reversed", "matrix_transpose",
        "transpose", "swapaxes", "moveaxis", "permute_dims", "softmax", "relu", "sorted",
    )
)  # fmt: skip


@pytest.mark.parametrize("name", [name for name in assignment_names() if name not in COURSES])
def test_what_is_said_of_a_mutant_holds_nothing_of_the_solution(name: str) -> None:
    path = load_assignment(find_manifest(name)).solution
    assert path is not None
    said = {(each.kind, each.words) for each in mutants(path.read_text(encoding="utf-8"))}
    for kind, words in said:
        text = described(kind, words)
        names = set(re.findall(r"[A-Za-z_'][\w']*", text)) - WORDS - PLAIN
        assert not names, f"{kind}: {words!r} is told as {text!r}"


def test_every_kind_has_words() -> None:
    assert all(
        described(kind, "a minus where a plus stood")
        for kind in MutantKind
        if kind not in (MutantKind.INDEX, MutantKind.RANGE)
    )
