"""Formulas for sizes: what they give, and that nothing else than a formula is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.sizes import Formula


@given(st.integers(1, 40), st.integers(0, 3), st.integers(1, 5), st.integers(1, 4))
def test_a_formula_is_what_python_makes_of_it(h: int, pad: int, window: int, stride: int) -> None:
    formula = Formula("(H + 2 * pad - HH) // stride + 1")
    assert formula.names == {"H", "pad", "HH", "stride"}
    assert formula({"H": h, "pad": pad, "HH": window, "stride": stride}) == (h + 2 * pad - window) // stride + 1


@pytest.mark.parametrize("text", ["H", "7", "-H + 9", "H*(H-1)"])
def test_small_ones(text: str) -> None:
    assert Formula(text)({"H": 5}) == eval(text, {"H": 5})


@pytest.mark.parametrize(
    "text",
    ["", "H +", "H / 2", "H ** 9", "1.5", "True", "f(H)", "H.x", "H[0]", "'a'", "H if H else 1", "(" * 150, "H" * 300],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"formula|longer"):
        Formula(text)


def test_a_division_by_zero_is_told() -> None:
    with pytest.raises(ValueError, match="divides by zero"):
        Formula("H // stride")({"H": 3, "stride": 0})
