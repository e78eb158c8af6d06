"""The kind dropout: right ones of every form pass, and each known slip is caught and named."""

from __future__ import annotations

from pathlib import Path

import pytest
from courses import HEAD, codes, grade_text, make_course, parts

from grader.errors import ManifestError

EXERCISE = (
    'name = "e"\nkind = "dropout"\nforward = "f"\nbackward = "b"\nreference = "f"\ninputs = { x = "N D" }\n'
    "arguments = { p = 0.3, train = true }\npoints = { forward = 2, backward = 2, test = 1 }\n"
    '[[exercise.case]]\nname = "a few dropped"\nsizes = { N = 40, D = 60 }\n'
    '[[exercise.case]]\nname = "most dropped"\nsizes = { N = 50, D = 30 }\narguments = { p = 0.8 }\n'
)
REFERENCE = "def f(x, mask, p):\n    return x * mask / (1 - p)\n"
FORWARD = """
def f(x, p, train):
    if not train:
        return x, None
    mask = (np.random.rand(*x.shape) >= p) / (1 - p)
    return x * mask, mask
"""
BACKWARD = "def b(d, mask):\n    return d if mask is None else d * mask\n"

RIGHT = {
    "plain": FORWARD + BACKWARD,
    "kept where below": FORWARD.replace(">= p", "< 1 - p") + BACKWARD,
    "row by row": FORWARD.replace("np.random.rand(*x.shape)", "np.array([np.random.rand(x.shape[1]) for _ in x])")
    + BACKWARD,
    "binomial": FORWARD.replace("(np.random.rand(*x.shape) >= p)", "np.random.binomial(1, 1 - p, x.shape)") + BACKWARD,
    "own generator": "G = np.random.default_rng(1)\n"
    + FORWARD.replace("np.random.rand(*x.shape)", "G.random(x.shape)")
    + BACKWARD,
    "cache once": FORWARD.replace("mask, mask", "mask, [mask]").replace("x, None", "x, [None]")
    + "def b(d, c):\n    mask = c.pop()\n    return (d if mask is None else d * mask,)\n",
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_dropouts_earn_everything(tmp_path: Path, name: str) -> None:
    report = grade_text(make_course(tmp_path, EXERCISE, REFERENCE), RIGHT[name])
    assert report.score.verdict == "passed", parts(report)


WRONG = {
    "p inverted": (FORWARD.replace(">= p) / (1 - p)", "< p) / p"), BACKWARD, "forward", "WRONG_RATE", "to drop"),
    "not scaled": (FORWARD.replace(" / (1 - p)", ""), BACKWARD, "forward", "WRONG_VALUE", "not scaled"),
    "divided by p": (FORWARD.replace("/ (1 - p)", "/ p"), BACKWARD, "forward", "WRONG_VALUE", "divided by p"),
    "multiplied": (
        FORWARD.replace("/ (1 - p)", "* (1 - p)"),
        BACKWARD,
        "forward",
        "WRONG_VALUE",
        "multiplied by 1 - p",
    ),
    "mask alone": (
        FORWARD.replace("x * mask, mask", "mask, mask"),
        BACKWARD,
        "forward",
        "WRONG_VALUE",
        "without the input",
    ),
    "one row": (FORWARD.replace("*x.shape", "1, x.shape[1]"), BACKWARD, "forward", "SHARED_MASK", "axis 0"),
    "one column": (FORWARD.replace("*x.shape", "x.shape[0], 1"), BACKWARD, "forward", "SHARED_MASK", "axis 1"),
    "normal noise": (FORWARD.replace("rand(", "randn("), BACKWARD, "forward", "WRONG_RATE", "drops"),
    "nothing": (FORWARD.replace("if not train", "if True"), BACKWARD, "forward", "WRONG_RATE", "test time"),
    "seeded": (
        FORWARD.replace("    mask =", "    np.random.seed(3); mask ="),
        BACKWARD,
        "forward",
        "SAME_MASK",
        "every call",
    ),
    "backward not scaled": (
        FORWARD,
        "def b(d, m):\n    return d if m is None else d * (m > 0)\n",
        "backward",
        "WRONG_GRADIENT",
        "scale",
    ),
    "backward of test time": (FORWARD, "def b(d, m):\n    return d\n", "backward", "WRONG_GRADIENT", "as at test time"),
    "another mask": (
        FORWARD,
        "def b(d, m):\n    return d if m is None else d * (np.random.rand(*d.shape) < 0.7) / 0.7\n",
        "backward",
        "WRONG_GRADIENT",
        "differ",
    ),
    "follows": (
        FORWARD.replace(" / (1 - p)", ""),
        BACKWARD,
        "backward",
        "GRADIENT_FOLLOWS_FORWARD",
        "right derivative",
    ),
    "scaled at test time": (
        FORWARD.replace("return x, None", "return x * (1 - p), None"),
        BACKWARD,
        "test",
        "WRONG_VALUE",
        "at test",
    ),
    "dropped at test time": (FORWARD.replace("if not train", "if False"), BACKWARD, "test", "WRONG_VALUE", "at test"),
    "backward at test time": (
        FORWARD.replace("return x, None", "return x, np.zeros_like(x)"),
        BACKWARD,
        "test",
        "WRONG_GRADIENT",
        "passes through",
    ),
    "a number": ("def f(x, p, train):\n    return 3.0, None\n", BACKWARD, "forward", "WRONG_SHAPE", "out"),
    "None": ("def f(x, p, train):\n    return None, None\n", BACKWARD, "forward", "WRONG_STRUCTURE", "None"),
    "NaN": (FORWARD.replace("x * mask, mask", "x * mask * np.nan, mask"), BACKWARD, "forward", "NOT_FINITE", "NaN"),
    "no gradient": (FORWARD, "def b(d, m):\n    pass\n", "backward", "WRONG_STRUCTURE", "None"),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_slip_is_caught_and_named(tmp_path: Path, name: str) -> None:
    forward, backward, part, code, words = WRONG[name]
    report = grade_text(make_course(tmp_path, EXERCISE, REFERENCE), forward + backward)
    found = parts(report)[part]
    assert found.verdict == "failed"
    told = [f for check in found.checks for f in check.findings if f.code == code]
    assert told, codes(found)
    assert words in "\n".join([told[0].headline, told[0].likely])


def test_noise_that_is_not_uniform_is_not_put_down_to_an_inverted_p(tmp_path: Path) -> None:
    text = FORWARD.replace("np.random.rand(*x.shape)", "np.random.default_rng(4).normal(-0.045, 1, x.shape)") + BACKWARD
    report = grade_text(make_course(tmp_path, EXERCISE, REFERENCE), text)
    (told,) = [f for check in parts(report)["forward"].checks for f in check.findings if f.code == "WRONG_RATE"]
    assert not told.likely


def test_few_draws_are_told_by_what_they_share_not_by_their_rate(tmp_path: Path) -> None:
    text = FORWARD.replace("np.random.rand(*x.shape)", "np.random.default_rng(19).random((len(x), 1))") + BACKWARD
    report = grade_text(make_course(tmp_path, EXERCISE, REFERENCE), text)
    assert codes(parts(report)["forward"]) == {"SHARED_MASK"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("p = 0.8", "p = 0.5"), "can't tell dropping from keeping"),
        (("p = 0.3, train = true", "train = true, p = 0.3"), "in this order"),
        (('{ x = "N D" }', '{ x = "N D", y = "N" }'), "one array"),
    ],
)
def test_a_dropout_that_can_not_be_judged_is_refused(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    with pytest.raises(ManifestError, match=problem):
        make_course(tmp_path, EXERCISE.replace(*change), REFERENCE, HEAD)


def test_of_a_zero_nobody_can_tell_whether_it_was_kept(tmp_path: Path) -> None:
    exercise = EXERCISE.replace('x = "N D"', 'x = { axes = "N D", draw = "zeros" }')
    report = grade_text(make_course(tmp_path, exercise, REFERENCE), RIGHT[next(iter(RIGHT))])
    for part in ("forward", "backward"):
        (told,) = {(f.fault, f.headline) for check in parts(report)[part].checks for f in check.findings}
        assert told[0] == "course"
        assert "x has a zero" in told[1]


def test_twenty_seeds_blame_nobody(tmp_path: Path) -> None:
    assignment = make_course(tmp_path, EXERCISE, REFERENCE)
    for seed in range(20):
        text = f"np.random.seed({seed})\n" + RIGHT["plain"]
        assert grade_text(assignment, text, hidden_seed=seed).score.verdict == "passed"
