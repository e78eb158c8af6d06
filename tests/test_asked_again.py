"""Failures without a known cause, asked again: what varies, what is rounded inside, and what is neither."""

from __future__ import annotations

from pathlib import Path

import pytest
from courses import checks, grade_text, make_course

from grader.report.model import FindingReport

CASE = '[[exercise.case]]\nname = "c"\nsizes = { N = 4, D = 3 }\n'
FUNCTION = (
    'name = "e"\nkind = "function"\nfunction = "f"\nreference = "f"\ninputs = { x = "N D", w = "D" }\n'
    f"points = {{ value = 1 }}\n{CASE}"
)
LAYER = (
    'name = "e"\nkind = "layer"\nforward = "f"\nbackward = "b"\nreference = "f"\ninputs = { x = "N D", w = "D" }\n'
    f'output = "N"\npoints = {{ forward = 1, backward = 1 }}\n{CASE}'
)
LOSS = (
    'name = "e"\nkind = "loss"\nloss = "f"\nreference = "f"\ninputs = { w = "D", x = "N D" }\ngradients = ["w"]\n'
    f"points = {{ value = 1, gradient = 1 }}\n{CASE}"
)
STEP = (
    'name = "e"\nkind = "step"\nstep = "step"\nreference = "momentum"\ninputs = { w = "N D" }\n'
    'state = { velocity = "momentum_buffer" }\narguments = { lr = 0.1, momentum = 0.9 }\nsteps = 3\n'
    f"points = {{ step = 1 }}\n{CASE}"
)
PRODUCT = "def f(x, w):\n    return torch.tanh(x @ w)\n"
MEAN = "def f(w, x):\n    return torch.tanh(x @ w).mean()\n"
MOMENTUM = "def momentum(params, lr, momentum):\n    return torch.optim.SGD(params, lr=lr, momentum=momentum)\n"
COARSE = "def coarse(a):\n    return np.asarray(a, dtype=np.float32).astype(np.float64)\n"


def told(folder: Path, exercise: str, reference: str, text: str) -> dict[str, FindingReport]:
    """What is told first of each aspect that fails."""
    report = grade_text(make_course(folder, exercise, reference), COARSE + text)
    return {check.aspect: check.findings[0] for check in checks(report) if check.verdict == "failed"}


@pytest.mark.parametrize(
    ("exercise", "reference", "text", "lost"),
    [
        (FUNCTION, PRODUCT, "def f(x, w):\n    return np.tanh(coarse(x) @ w)\n", {"value": "x"}),
        (FUNCTION, PRODUCT, "def f(x, w):\n    return np.tanh(x @ coarse(w))\n", {"value": "w"}),
        (
            LAYER,
            PRODUCT,
            "def f(x, w):\n    out = np.tanh(x @ w)\n    return out, (x, w, out)\n"
            "def b(dout, cache):\n    x, w, out = cache\n    dz = coarse(dout) * (1 - out**2)\n"
            "    return np.outer(dz, w), dz @ x\n",
            {"backward": "the upstream gradient"},
        ),
        (
            LOSS,
            MEAN,
            "def f(w, x):\n    x = coarse(x)\n    out = np.tanh(x @ w)\n"
            "    return out.mean(), (1 - out**2) @ x / len(x)\n",
            {"value": "x"},  # the gradient is that of this loss
        ),
        (
            STEP,
            MOMENTUM,
            "def step(w, grads, state, lr, momentum):\n    v = momentum * state['velocity'] + coarse(grads)\n"
            "    return w - lr * v, {'velocity': v}\n",
            {"step": "grads"},
        ),
    ],
)
def test_what_is_rounded_inside_is_told_by_name(
    tmp_path: Path, exercise: str, reference: str, text: str, lost: dict[str, str]
) -> None:
    found = told(tmp_path, exercise, reference, text)
    assert found.keys() >= lost.keys(), found
    for aspect, name in lost.items():
        assert found[aspect].diagnosis == "FLOAT32"
        assert f"what is made of {name} is rounded to float32" in found[aspect].likely


@pytest.mark.parametrize(
    "text",
    [
        "def f(x, w):\n    return np.tanh(x @ w + 1e-8)\n",  # wrong by as little, in float64
        "def f(x, w):\n    return np.round(np.tanh(x @ w), 3)\n",  # wrong by more than float32 rounds
        "def f(x, w):\n    return np.tanh(x @ w) + 1e-7 * np.random.default_rng().random(len(x))\n",
    ],
)
def test_nothing_is_told_of_another_formula(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, FUNCTION, PRODUCT, text)["value"].diagnosis != "FLOAT32"


VARYING = [
    (
        STEP,
        MOMENTUM,
        "kept = {}\n"
        "def step(w, grads, state, lr, momentum):\n    v = momentum * kept.get('v', 0.0) + grads\n    kept['v'] = v\n"
        "    return w - lr * v, {'velocity': v}\n",
    ),
    (FUNCTION, PRODUCT, "calls = []\ndef f(x, w):\n    calls.append(1)\n    return len(calls) * np.tanh(x @ w) + 1\n"),
    (FUNCTION, PRODUCT, "def f(x, w):\n    return np.tanh(x @ w) + np.random.random(len(x))\n"),
]


@pytest.mark.parametrize(("exercise", "reference", "text"), VARYING)
def test_what_answers_otherwise_the_second_time_is_told_so(
    tmp_path: Path, exercise: str, reference: str, text: str
) -> None:
    found = told(tmp_path, exercise.replace('name = "c"', 'name = "c"\nrepeat = 2'), reference, text)
    assert {(finding.diagnosis, finding.likely.partition(" (")[0]) for finding in found.values()} == {
        ("VARIES", "it keeps something from call to call")
    }


def test_a_second_answer_that_is_none_is_told(tmp_path: Path) -> None:
    """As that of a process which writes into the judge's channel: what it was asked for does not matter."""
    text = (
        "calls = []\ndef f(x, w):\n    calls.append(1)\n    out = 3 + np.tanh(x @ w)\n"
        "    return (out, None) if len(calls) == 1 else out\ndef b(dout, cache):\n    return None\n"
    )
    assert told(tmp_path, LAYER, PRODUCT, text)["forward"].code == "MALFORMED"


def test_what_hardly_depends_on_anything_may_stay_the_same(tmp_path: Path) -> None:
    """Of a share so small nothing moves in float64 either."""
    reference = "def f(x, w):\n    return 2 + 1e-9 * torch.tanh(x @ w)\n"
    text = "def f(x, w):\n    return 2 + 1e-7 * np.arange(len(x)) + 1e-9 * np.tanh(x @ w)\n"
    found = told(tmp_path, FUNCTION, reference, text)
    assert found["value"].diagnosis != "FLOAT32"


def test_only_a_failure_without_a_cause_is_asked_again(tmp_path: Path) -> None:
    course = make_course(tmp_path, FUNCTION, PRODUCT)
    right, doubled, rounded = (  # the same twice; then once for each input until one moves nothing, and once for proof
        checks(grade_text(course, f"def f(x, w):\n    return {made}\n"))[0].calls
        for made in ("np.tanh(x @ w)", "2 * np.tanh(x @ w)", "np.tanh(np.float64(np.float32(x)) @ w)")
    )
    assert (right, doubled, rounded) == (1, 3, 5)
