"""The picture of an array's errors: what a letter stands for, and that only what may be seen is in a report."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from courses import checks, grade_text, make_course
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from test_kinds import LAYER, TANH, TANH_BACK

from grader.numerics.comparison import compare
from grader.numerics.errormap import LEVELS, MOST, error_map
from grader.numerics.tolerance import Tolerance

WRONG = TANH + TANH_BACK.replace(".sum(0)", ".mean(0)")


@pytest.mark.parametrize(
    ("ratio", "letter"),
    [
        *((0, "."), (1, "."), (1.01, "1"), (3.1, "1"), (3.2, "2"), (9.9, "2"), (11, "3"), (1e9, "i"), (1e30, "z")),
        *((math.nan, "!"), (math.inf, "!")),
    ],
)
def test_a_letter_is_a_half_decade_of_what_is_allowed(ratio: float, letter: str) -> None:
    found = error_map(np.array([0.0, ratio * 1e-9]), np.full(2, 1e-9))
    assert found is not None
    assert found.rows == (f".{letter}",)


def test_where_nothing_is_allowed_any_error_is_the_largest() -> None:
    found = error_map(np.array([0.0, 1e-300]), np.zeros(2))
    assert found is not None
    assert found.rows == (".z",)


@pytest.mark.parametrize(
    ("shape", "rows", "columns"),
    [((2,), 1, 2), ((3, 4), 3, 4), ((784, 8), 32, 8), ((100,), 1, 32), ((2, 3, 4), 2, 12), ((33, 1), 32, 1)],
)
def test_the_first_axis_goes_down_and_the_others_across(shape: tuple[int, ...], rows: int, columns: int) -> None:
    found = error_map(np.zeros(shape), np.ones(shape))
    assert found is not None
    assert (len(found.rows), {len(row) for row in found.rows}, found.shape) == (rows, {columns}, shape)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (0, 3)])
def test_less_than_two_elements_are_no_picture(shape: tuple[int, ...]) -> None:
    assert error_map(np.ones(shape), np.zeros(shape)) is None


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=1, max_dims=3, max_side=40).filter(lambda shape: math.prod(shape) > 1),
        elements=st.floats(0, 1e12) | st.just(math.nan) | st.just(math.inf),
        fill=st.just(0.0),
    )
)
def test_no_wrong_element_is_lost_and_no_right_one_is_blamed(error: np.ndarray) -> None:
    found = error_map(error, np.ones_like(error))
    assert found is not None
    assert max(len(found.rows), *map(len, found.rows)) <= MOST
    wrong = ~(error <= 1.0)
    letters = "".join(found.rows)
    assert (letters.count(".") == len(letters)) == (not wrong.any())
    if error.size == len(letters):
        assert [letter != "." for letter in letters] == wrong.ravel().tolist()
    finite = error[np.isfinite(error)].max(initial=0.0)
    worst = max((LEVELS.index(letter) for letter in letters if letter != "!"), default=0)
    assert worst <= (max(1, math.ceil(2 * math.log10(finite))) if finite > 1 else 0)
    assert ("!" in letters) == bool((~np.isfinite(error)).any())


def test_only_what_failed_is_pictured() -> None:
    tolerance = Tolerance(rtol=1e-9, atol=0.0, reason="")
    assert compare(np.ones(3), np.ones(3), tolerance).errors is None
    assert compare(np.ones((3, 1)), np.ones(3), tolerance).errors is None
    errors = compare(np.array([1.0, 2.0, 1.0]), np.ones(3), tolerance).errors
    assert errors is not None
    assert errors.rows == (".i.",)


def test_a_hidden_case_is_not_pictured(tmp_path: Path) -> None:
    hidden = LAYER[0] + "hidden = true\n"
    course = make_course(tmp_path, hidden, LAYER[1])
    public, private = (grade_text(course, WRONG, hidden_seed=seed) for seed in (None, 99))
    pictured = [[c.what for check in checks(r) for c in check.comparisons if c.errors] for r in (public, private)]
    assert pictured == [["dw"], []]
