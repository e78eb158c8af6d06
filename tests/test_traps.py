"""NumPy's habits on torch tensors: each fails as torch has it, and the mend is told."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from grader.checks.traps import mend

HABITS = {
    "x.astype('float64')": "write xp.astype(x, dtype), or x.to(dtype)",
    "x.copy()": "write xp.asarray(x, copy=True), or x.clone()",
    "x.fill(0)": "write x[...] = value, or x.fill_(value)",
    "x[::-1]": "write xp.flip(x, axis=0)",
    "x - x.max(axis=1)": "on torch x.max(axis) is a pair (values, indices): write xp.max(x, axis=...)",
    "x.min(axis=1).reshape(3, 1)": "on torch x.min(axis) is a pair (values, indices): write xp.min(x, axis=...)",
    "x.size // 2": "is it x.size?",
    "1.0 / x.size": "is it x.size?",
    "np.add.at(x, i, x)": "write dw.index_add_(0, index, dout)",
    "xp.pad(x, 1)": "the array libraries have no pad in common",
    "x.transpose(1, 0, 2)": "write xp.permute_dims(x, (0, 2, 1))",
    "x @ torch.zeros(4, 2)": "give them dtype=x.dtype",
    "x @ torch.zeros(4)": "give them dtype=x.dtype",
    "torch.zeros(3, 4).index_put_((i,), x)": "give them dtype=x.dtype",
}
HONEST = {
    "x.no_such_thing": "a name of their own",
    "x @ x": "shapes",
    "x + 'text'": "another type",
    "x[7]": "out of range",
    "torch.no_such_thing": "another module",
    "[1, 2].copy(3)": "another object's method",
    "int('x')": "another error of the same class",
}


def raised(text: str) -> tuple[str, str]:
    """Name and message of what an expression raises on torch tensors."""
    import array_api_compat.torch as xp
    import numpy as np

    space: dict[str, Any] = {
        "torch": torch, "np": np, "xp": xp, "i": torch.tensor([2, 0, 1]), "x": torch.ones(3, 4, dtype=torch.float64),
    }  # fmt: skip
    try:
        eval(text, space)
    except Exception as error:
        return type(error).__name__, str(error)
    raise AssertionError(f"{text} is right")


@pytest.mark.parametrize("text", HABITS)
def test_a_habit_of_numpys_is_known_by_what_torch_says(text: str) -> None:
    kind, message = raised(text)
    assert HABITS[text] in mend(kind, message), (kind, message)


@pytest.mark.parametrize("text", HONEST)
def test_nothing_is_claimed_of_another_error(text: str) -> None:
    assert mend(*raised(text)) == ""


def test_nothing_is_claimed_of_words_alone() -> None:
    assert mend("ValueError", "'Tensor' object has no attribute 'astype'") == ""
    assert mend("AttributeError", "he said: 'Tensor' object has no attribute 'astype'") == ""
