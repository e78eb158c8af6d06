"""Statements that can be read in several ways (`also`): each reading is right, a mixture of two is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from courses import codes, grade_text, make_course, parts

LOSS = (
    'name = "e"\nkind = "loss"\nloss = "loss"\nreference = "whole"\nalso = ["half"]\n'
    'inputs = { w = "N D" }\narguments = { reg = 0.3 }\npoints = { value = 1, gradient = 2 }\n'
    '[[exercise.case]]\nname = "small"\nsizes = { N = 3, D = 4 }\n'
)
READINGS = (
    "def whole(w, reg):\n    return w.sum() + reg * (w * w).sum()\ndef half(w, reg):\n    return whole(w, reg / 2)\n"
)
TEXT = "def loss(w, reg):\n    return w.sum() + {value} * reg * (w * w).sum(), 1 + {gradient} * reg * w\n"


@pytest.mark.parametrize(
    ("value", "gradient", "found"),
    [
        (1, 2, {"value": set(), "gradient": set()}),
        (0.5, 1, {"value": set(), "gradient": set()}),
        (1, 1, {"value": set(), "gradient": {"WRONG_GRADIENT"}}),
        (0.5, 2, {"value": set(), "gradient": {"WRONG_GRADIENT"}}),
        (2, 4, {"value": {"WRONG_VALUE"}, "gradient": {"GRADIENT_FOLLOWS_FORWARD"}}),
    ],
)
def test_a_gradient_is_that_of_the_same_reading(
    value: float, gradient: float, found: dict[str, set[str]], tmp_path: Path
) -> None:
    report = grade_text(make_course(tmp_path, LOSS, READINGS), TEXT.format(value=value, gradient=gradient))
    assert {name: codes(part) for name, part in parts(report).items()} == found


STEP = (
    'name = "e"\nkind = "step"\nstep = "step"\nreference = "plain"\nalso = ["nesterov"]\n'
    'inputs = { w = "N D" }\narguments = { lr = 0.1 }\npoints = { step = 1 }\n'
    '[[exercise.case]]\nname = "small"\nsizes = { N = 3, D = 4 }\n'
)
STEPS = (
    "def plain(params, lr):\n    return torch.optim.SGD(params, lr=lr)\n"
    "def nesterov(params, lr):\n    return torch.optim.SGD(params, lr=2 * lr)\n"
)


@pytest.mark.parametrize(("rate", "found"), [(1, set()), (2, set()), (3, {"WRONG_TRAJECTORY"})])
def test_a_trajectory_follows_one_reading(rate: int, found: set[str], tmp_path: Path) -> None:
    text = f"def step(w, grads, lr):\n    return w - {rate} * lr * grads\n"
    assert codes(parts(grade_text(make_course(tmp_path, STEP, STEPS), text))["step"]) == found
