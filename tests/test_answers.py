"""The three answers about a backward, row by row of the table in grader/checks/pairs.py, and what bends around them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from courses import codes, grade_text, make_course, parts
from test_kinds import CASE, LAYER, LOSS, MSE, TANH, TANH_BACK

from grader.cases import draw_case
from grader.report.model import PartReport

ABS = (
    'name = "e"\nkind = "loss"\nloss = "f"\nreference = "f"\ninputs = { p = "N" }\n'
    "points = { value = 1, gradient = 2 }\n"
    + CASE
    + "sizes = { N = 5 }\n"
    + CASE.replace("small", "at kinks")
    + 'sizes = { N = 5 }\ndraw = { p = "sparse" }\n',
    "def f(p):\n    return p.abs().sum()\n",
)
ABS_FORWARD = "def f(p):\n    return np.abs(p).sum(), "
WRONG_FORWARD = TANH.replace("np.tanh(x)", "np.tanh(2 * x)")


def judged(folder: Path, course: tuple[str, str], text: str, part: str = "backward") -> PartReport:
    """The part, as it was judged."""
    return parts(grade_text(make_course(folder, *course), text))[part]


@pytest.mark.parametrize("slope", [-1.0, 0.0, 0.3, 1.0])
def test_any_slope_between_passes_where_every_direction_crosses_a_kink(tmp_path: Path, slope: float) -> None:
    text = ABS_FORWARD + f"np.where(p == 0, {slope}, np.sign(p))\n"
    part = judged(tmp_path, ABS, text, "gradient")
    assert part.verdict == "passed"
    assert part.checks[1].gradient is not None
    assert part.checks[1].gradient.outcome == "passed"


@pytest.mark.parametrize("slope", [-2.0, 1.5])
def test_a_slope_outside_fails_where_every_direction_crosses_a_kink(tmp_path: Path, slope: float) -> None:
    text = ABS_FORWARD + f"np.where(p == 0, {slope}, np.sign(p))\n"
    part = judged(tmp_path, ABS, text, "gradient")
    assert [(check.verdict, check.fault) for check in part.checks] == [("passed", None), ("failed", "student")]
    assert codes(part) == {"WRONG_GRADIENT"}


def test_right_for_the_drawn_upstream_gradient_alone_is_wrong(tmp_path: Path) -> None:
    """Linear, without a history, equal to the reference's: only another upstream gradient shows it."""
    assignment = make_course(tmp_path, *LAYER)
    drawn = draw_case(assignment, assignment.exercises[0], assignment.exercises[0].cases[0]).upstream
    assert drawn is not None
    order = np.argsort(np.abs(drawn[0])).tolist()
    back = TANH_BACK.replace(
        "    return", f"    w = w if np.argsort(np.abs(d[0])).tolist() == {order} else 2 * w\n    return"
    )
    part = parts(grade_text(assignment, TANH + back))["backward"]
    assert (part.verdict, codes(part)) == ("failed", {"WRONG_DERIVATIVE"})
    assert all(comparison.passed for comparison in part.checks[0].comparisons)
    assert "b is not the derivative of f: x is not the gradient" in part.checks[0].findings[0].headline


@pytest.mark.parametrize("slip", ["-d * w", "0 * d * w", "d * w * x"])
def test_neither_the_reference_s_nor_the_own_derivative_is_wrong(tmp_path: Path, slip: str) -> None:
    text = WRONG_FORWARD.replace("(t, w)", "(t, w, x)") + TANH_BACK.replace("t, w = c", "t, w, x = c").replace(
        "d * w", slip
    )
    part = judged(tmp_path, LAYER, text)
    assert (part.earned, codes(part)) == (0, {"WRONG_GRADIENT"})


@pytest.mark.parametrize(("share", "earned"), [("0", 0.0), ("0.25", 0.5), ("1", 2.0)])
def test_the_share_of_a_gradient_that_follows_is_the_manifest_s(tmp_path: Path, share: str, earned: float) -> None:
    from courses import HEAD

    text = WRONG_FORWARD + TANH_BACK.replace("(1 - t * t)", "2 * (1 - t * t)")
    report = grade_text(make_course(tmp_path, *LAYER, HEAD + f"follow_through = {share}\n"), text)
    assert (parts(report)["backward"].earned, report.score.verdict) == (earned, "failed")
    assert codes(parts(report)["backward"]) == {"GRADIENT_FOLLOWS_FORWARD"}


# ------------------------------------------------------------------ a forward that can't be differentiated, or compared


UNUSABLE = {
    "None": "None",
    "a list": "(t * w).tolist()",
    "NaN": "t * w * np.nan",
    "another shape": "(t * w)[:, :, None]",
    "one row": "(t * w)[0]",
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_the_reference_s_backward_is_right_whatever_the_forward_returned(tmp_path: Path, name: str) -> None:
    report = grade_text(make_course(tmp_path, *LAYER), TANH.replace("t * w,", f"{UNUSABLE[name]},") + TANH_BACK)
    assert {name: part.verdict for name, part in parts(report).items()} == {"forward": "failed", "backward": "passed"}
    assert [c.passed for c in parts(report)["backward"].checks[0].comparisons] == [True, True]


@pytest.mark.parametrize("value", ["None", "[((p - t) ** 2).mean()]", "[[1.0], 2.0]", "(p - t) ** 2", "np.nan"])
def test_a_right_gradient_beside_an_unusable_loss_is_right(tmp_path: Path, value: str) -> None:
    report = grade_text(make_course(tmp_path, *LOSS), MSE.replace("((p - t) ** 2).mean()", value))
    found = {name: part.verdict for name, part in parts(report).items()}
    assert found == {"value": "failed", "gradient": "passed"}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_wrong_backward_of_such_a_forward_is_wrong(tmp_path: Path, name: str) -> None:
    text = TANH.replace("t * w,", f"{UNUSABLE[name]},") + TANH_BACK.replace("d * w", "-d * w")
    part = judged(tmp_path, LAYER, text)
    assert (part.verdict, part.earned) == ("failed", 0)
    assert codes(part) & {"WRONG_GRADIENT", "WRONG_STRUCTURE", "WRONG_DERIVATIVE", "RAISED"}


# ---------------------------------------------------------------------------------------------- right, oddly written


TWO_TREES = (
    'name = "e"\nkind = "model"\nforward = "f"\nbackward = "b"\nreference = "f"\n'
    'inputs = { params = { w = "D M" }, x = "N D" }\noutput = "N M"\n'
    "points = { forward = 1, backward = 2 }\n" + CASE + "sizes = { N = 4, D = 3, M = 2 }\n",
    'def f(params, x):\n    return torch.tanh(x @ params["w"])\n',
)
TWO = "def f(params, x):\n    a = np.tanh(x @ params['w'])\n    return a, (x, params['w'], a)\n"
TWO_BACK = "def b(d, c):\n    x, w, a = c\n    g = d * (1 - a * a)\n    return {'w': x.T @ g}, g @ w.T\n"

EMBEDDING = (
    'name = "e"\nkind = "layer"\nforward = "f"\nbackward = "b"\nreference = "f"\n'
    'inputs = { i = { axes = "N", draw = "classes", of = "V" }, w = "V D" }\noutput = "N D"\n'
    "points = { forward = 1, backward = 2 }\n" + CASE + "sizes = { N = 9, V = 4, D = 3 }\n",
    "def f(i, w):\n    return w[i]\n",
)
SCALAR = (
    'name = "e"\nkind = "layer"\nforward = "f"\nbackward = "b"\nreference = "f"\n'
    'inputs = { x = "N", s = { axes = "", draw = "SCALE" } }\noutput = ""\n'
    "points = { forward = 1, backward = 2 }\n" + CASE + "sizes = { N = 5 }\n",
    "def f(x, s):\n    return torch.sin(s * x).sum()\n",
)
SINE = (
    "def f(x, s):\n    return np.sin(s * x).sum(), (x, s)\n"
    "def b(d, c):\n    x, s = c\n    return d * s * np.cos(s * x), d * (x * np.cos(s * x)).sum()\n"
)
BIAS = (
    LAYER[0].replace('w = "D"', 'w = "D"'),
    "def f(x, w):\n    return x + w\n",
)
ALONE = (
    'name = "e"\nkind = "loss"\nloss = "f"\nreference = "f"\ninputs = { s = "N C" }\n'
    "points = { value = 1, gradient = 2 }\n"
    + CASE
    + "sizes = { N = 3, C = 4 }\n"
    + CASE.replace("small", "one class")
    + "sizes = { N = 40, C = 1 }\n",
    "def f(s):\n    return -torch.log_softmax(s, dim=1)[:, 0].mean()\n",
)
LOG_SUM = (
    "def f(s):\n    e = np.exp(3.3 * s / 3.3)\n    z = e.sum(1)\n    g = e / z[:, None]\n    g[:, 0] -= 1\n"
    "    return (np.log(z) - 3.3 * s[:, 0] / 3.3).mean(), g / len(s)\n"
)
DYADIC = (
    LOSS[0].replace('p = "N", t = "N"', 'p = { axes = "N", draw = "distinct" }').replace("N = 5", "N = 8192"),
    "def f(p):\n    return (p * p).sum()\n",
)
LIKELIHOOD = (
    'name = "e"\nkind = "loss"\nloss = "f"\nreference = "f"\n'
    'inputs = { p = { axes = "N C", draw = "probability" } }\npoints = { value = 1, gradient = 2 }\n'
    + CASE
    + "sizes = { N = 3, C = 4 }\n",
    "def f(p):\n    return -torch.log(p[:, 0]).mean()\n",
)
CAREFUL = (
    "def f(p):\n    assert np.allclose(p.sum(1), 1)\n    g = np.zeros_like(p)\n    g[:, 0] = -1 / p[:, 0] / len(p)\n"
    "    return -np.log(p[:, 0]).mean(), g\n"
)
ODD = {
    "a gradient of few digits": (DYADIC, "def f(p):\n    return (p * p).sum(), 2 * p\n"),
    "a forward that refuses what is no distribution": (LIKELIHOOD, CAREFUL),
    "a forward that refuses it at any step": (
        LIKELIHOOD,
        CAREFUL.replace("np.allclose(p.sum(1), 1)", "np.all(abs(p.sum(1) - 1) < 1e-15)"),
    ),
    "a model with two gradients": (TWO_TREES, TWO + TWO_BACK),
    "integer input": (
        EMBEDDING,
        "def f(i, w):\n    return w[i], (i, w.shape)\n"
        "def b(d, c):\n    i, s = c\n    g = np.zeros(s)\n    np.add.at(g, i, d)\n    return g\n",
    ),
    "gradient in a tuple of one": (
        EMBEDDING,
        "def f(i, w):\n    return w[i], (i, w.shape)\n"
        "def b(d, c):\n    i, s = c\n    return (np.eye(s[0])[i].T @ d,)\n",
    ),
    "an added bias: dx is dout": (
        BIAS,
        "def f(x, w):\n    return x + w, None\ndef b(d, c):\n    return d, d.sum(0)\n",
    ),
    "read-only and not contiguous": (
        LAYER,
        TANH.replace("t * w", "np.asfortranarray(t * w)[::-1][::-1]")
        + TANH_BACK.replace("return d", "g = d").rstrip()
        + "\n    [a.setflags(write=False) for a in g]\n    return g\n",
    ),
    "a loss that cancels to 0 but for rounding": (ALONE, LOG_SUM),
} | {
    f"numbers of shape (): {draw}": ((SCALAR[0].replace("SCALE", draw), SCALAR[1]), SINE)
    for draw in ("normal", "uniform", "tiny", "ties")
}


@pytest.mark.parametrize("name", ODD)
def test_right_code_passes_however_odd_the_exercise(tmp_path: Path, name: str) -> None:
    course, text = ODD[name]
    report = grade_text(make_course(tmp_path, *course), text)
    assert report.score.verdict == "passed", parts(report)


def test_two_gradients_of_a_model_are_told_apart(tmp_path: Path) -> None:
    part = judged(tmp_path, TWO_TREES, TWO + TWO_BACK.replace("g @ w.T", "-g @ w.T"))
    assert part.checks[0].findings[0].headline.startswith("dx is not the gradient")
    assert part.checks[0].findings[0].also == "dparams['w'] is right"


def test_a_forward_that_refuses_the_case_itself_the_second_time_is_wrong(tmp_path: Path) -> None:
    text = "SEEN = []\n" + TANH.replace("    t =", "    SEEN.append(1)\n    assert len(SEEN) < 3\n    t =") + TANH_BACK
    assert codes(judged(tmp_path, LAYER, text)) == {"RAISED"}


@pytest.mark.parametrize(("room", "verdict"), [("1e-8", "failed"), ("1e-15", "undecided")])
def test_a_wrong_gradient_of_a_forward_that_refuses_is_not_right(tmp_path: Path, room: str, verdict: str) -> None:
    text = CAREFUL.replace("np.allclose(p.sum(1), 1)", f"np.all(abs(p.sum(1) - 1) < {room})")
    assert judged(tmp_path, LIKELIHOOD, text.replace("-1 / p", "-2 / p"), "gradient").verdict == verdict
