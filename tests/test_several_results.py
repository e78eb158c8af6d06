"""Layers of several results, functions that return trees, sizes that follow from others, static methods."""

from __future__ import annotations

from pathlib import Path

import pytest
from courses import codes, grade_text, make_course, parts

CASE = '[[exercise.case]]\nname = "small"\n'
CELL = (
    'name = "e"\nkind = "layer"\nforward = "f"\nbackward = "b"\nreference = "f"\ninputs = { x = "N H", c = "N H" }\n'
    'output = ["N H", "N K"]\nderived = { K = "H - 1" }\npoints = { forward = 1, backward = 2 }\n'
    + CASE
    + "sizes = { N = 3, H = 4 }\n",
    "def f(x, c):\n    n = torch.sigmoid(x) * c\n    return torch.tanh(n), n[:, 1:] * x[:, :-1]\n",
)
FORWARD = (
    "def s(x):\n    return 1 / (1 + np.exp(-x))\n"
    "def f(x, c):\n    n = s(x) * c\n    h = np.tanh(n)\n    return h, n[:, 1:] * x[:, :-1], (x, c, n, h)\n"
)
BACKWARD = """
def b(dh, dk, cache):
    x, c, n, h = cache
    dn = dh * (1 - h * h)
    dx = np.zeros_like(x)
    dn[:, 1:] += dk * x[:, :-1]
    dx[:, :-1] += dk * n[:, 1:]
    return dx + dn * c * s(x) * (1 - s(x)), dn * s(x)
"""

RIGHT = {
    "flat": FORWARD + BACKWARD,
    "results in a tuple of their own": FORWARD.replace(
        "return h, n[:, 1:] * x[:, :-1],", "return (h, n[:, 1:] * x[:, :-1]),"
    )
    + BACKWARD,
    "lists": FORWARD.replace(
        "return h, n[:, 1:] * x[:, :-1], (x, c, n, h)", "return [h, n[:, 1:] * x[:, :-1], [x, c, n, h]]"
    )
    + BACKWARD,
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_layer_of_two_results(tmp_path: Path, name: str) -> None:
    report = grade_text(make_course(tmp_path, *CELL), RIGHT[name])
    assert report.score.verdict == "passed", parts(report)


WRONG = {
    "one result": (FORWARD.replace("n[:, 1:] * x[:, :-1], (", "("), BACKWARD, "forward", "MALFORMED", "2 results"),
    "second wrong": (FORWARD.replace("x[:, :-1], (", "x[:, 1:], ("), BACKWARD, "forward", "WRONG_VALUE", "out[1]"),
    "second shape": (
        FORWARD.replace("n[:, 1:] * x[:, :-1], (", "n * x, ("),
        BACKWARD,
        "forward",
        "WRONG_SHAPE",
        "out[1]",
    ),
    "upstream dropped": (
        FORWARD,
        BACKWARD.replace("dn[:, 1:] += dk * x[:, :-1]", "pass"),
        "backward",
        "WRONG_GRADIENT",
        "dx",
    ),
    "follows the own forward": (
        FORWARD.replace("np.tanh(n)", "np.tanh(n) * 3"),
        BACKWARD.replace("(1 - h * h)", "(3 - h * h / 3)"),
        "backward",
        "GRADIENT_FOLLOWS_FORWARD",
        "right derivative",
    ),
    "shape, and follows it": (
        FORWARD.replace("n[:, 1:] * x[:, :-1], (", "np.stack([n, n]), ("),
        BACKWARD.replace("dn[:, 1:] += dk * x[:, :-1]", "dn += dk.sum(0)").replace(
            "dx[:, :-1] += dk * n[:, 1:]", "pass"
        ),
        "backward",
        "GRADIENT_FOLLOWS_FORWARD",
        "right derivative",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_two_results_is_told(tmp_path: Path, name: str) -> None:
    forward, backward, part, code, words = WRONG[name]
    report = grade_text(make_course(tmp_path, *CELL), forward + backward)
    found = parts(report)[part]
    assert found.verdict == "failed"
    told = [f for check in found.checks for f in check.findings if f.code == code]
    assert told, codes(found)
    assert words in "\n".join([told[0].headline, told[0].pattern, told[0].worst, told[0].also])


TREE = (
    'name = "e"\nkind = "function"\nfunction = "f"\nreference = "f"\n'
    'inputs = { x = "N D", y = { axes = "N", draw = "ignored", of = "D" } }\n'
    "points = { value = 1 }\n" + CASE + 'sizes = { N = 7, D = 4 }\ndraw = { x = { draw = "normal", shift = 3 } }\n',
    'def f(x, y):\n    return {"mean": x.mean(), "kept": (y >= 0).sum(), "above": x > 3, "rows": [x[0], x.sum(1)]}\n',
)


def test_a_function_may_return_a_tree_of_numbers_counts_and_truths(tmp_path: Path) -> None:
    right = 'def f(x, y):\n    return {"rows": (x[0], x.sum(1)), "kept": int((y >= 0).sum()), "above": x > 3, '
    right += '"mean": float(x.mean())}\n'
    assert grade_text(make_course(tmp_path, *TREE), right).score.verdict == "passed"


def test_a_tree_keeps_its_keys_where_values_are_hidden(tmp_path: Path) -> None:
    exercise, reference = TREE
    hidden = make_course(tmp_path, exercise.replace("sizes =", "hidden = true\nsizes ="), reference)
    text = 'def f(x, y):\n    found = {"rows": (x[0], x.sum(1)), "kept": (y >= 0).sum(), "above": x > 3}\n'
    text += '    return found | {"mean": x.mean()}\n'
    assert grade_text(hidden, text, hidden_seed=5).score.verdict == "passed"
    told = grade_text(hidden, text.replace('"mean"', '"secret"'), hidden_seed=5)
    (finding,) = [f for check in parts(told)["value"].checks for f in check.findings]
    assert "lacks the key 'mean'" in finding.headline
    assert "secret" not in finding.headline


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ('{"mean": x.mean(), "kept": (y > 0).sum(), "above": x > 3, "rows": [x[0], x.sum(1)]}', "WRONG_VALUE", "kept"),
        (
            '{"mean": x.mean(), "kept": (y >= 0).sum(), "above": x < 3, "rows": [x[0], x.sum(1)]}',
            "WRONG_VALUE",
            "above",
        ),
        ('{"mean": x.mean(), "above": x > 3, "rows": [x[0], x.sum(1)]}', "WRONG_STRUCTURE", "'kept'"),
        ("x.mean()", "WRONG_STRUCTURE", "dict"),
    ],
)
def test_what_is_wrong_in_a_tree_is_told(tmp_path: Path, text: str, code: str, words: str) -> None:
    report = grade_text(make_course(tmp_path, *TREE), f"def f(x, y):\n    return {text}\n")
    told = [f for check in parts(report)["value"].checks for f in check.findings]
    assert [finding.code for finding in told] == [code]
    assert words in told[0].headline


STATIC = (CELL[0].replace('"f"\nback', '"Cell.forward"\nback').replace('"b"', '"Cell.backward"'), CELL[1])


def test_static_methods_of_a_class_are_functions_too(tmp_path: Path) -> None:
    text = RIGHT["flat"] + "class Cell:\n    forward, backward = staticmethod(f), staticmethod(b)\n"
    assignment = make_course(tmp_path, *STATIC)
    assert assignment.functions == ("Cell",)
    assert grade_text(assignment, text).score.verdict == "passed"


@pytest.mark.parametrize(
    "text", ["", "Cell = 3\n", "class Cell:\n    pass\n", "class Cell:\n    forward = backward = 3\n"]
)
def test_a_method_that_is_not_there_is_missing(tmp_path: Path, text: str) -> None:
    report = grade_text(make_course(tmp_path, *STATIC), text)
    assert codes(parts(report)["forward"]) == {"MISSING_FUNCTION"}


def test_of_a_wrong_verdict_no_cause_is_told_that_is_one_of_numbers(tmp_path: Path) -> None:
    exercise = (
        'name = "e"\nkind = "function"\nfunction = "f"\nreference = "f"\ninputs = { x = "N" }\n'
        "points = { value = 1 }\n" + CASE + "sizes = { N = 9 }\n"
    )
    report = grade_text(make_course(tmp_path, exercise, "def f(x):\n    return x > 0\n"), "def f(x): return x <= 0")
    (finding,) = (finding for check in parts(report)["value"].checks for finding in check.findings)
    assert (finding.code, finding.likely) == ("WRONG_VALUE", "")  # of a layer: the mask is inverted
    assert finding.pattern
