"""The comparison rule: |actual - expected| <= atol + rtol |expected|, and what comes before it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.numerics.comparison import Reason, compare
from grader.numerics.tolerance import EXACT, Tolerance, tolerance_for

TIGHT = Tolerance(rtol=1e-9, atol=0.0, reason="test")
LOOSE = Tolerance(rtol=0.5, atol=0.0, reason="test")
ONE = np.array([1.5, -2.25, 0.125])
NAN, INF = math.nan, math.inf

TABLE = [
    ("equal", ONE.copy(), ONE, Reason.EQUAL),
    ("within the tolerance", ONE * (1 + 1e-10), ONE, Reason.EQUAL),
    ("beyond the tolerance", ONE * (1 + 1e-8), ONE, Reason.VALUES),
    ("a column for a row", ONE[:, None], ONE, Reason.SHAPE),
    ("not summed over the batch", np.broadcast_to(ONE, (4, 3)), ONE, Reason.SHAPE),
    ("one number for three", np.float64(1.5), np.full(3, 1.5), Reason.SHAPE),
    ("(1,) for a number", np.array([2.0]), np.array(2.0), Reason.SHAPE),
    ("(1, 1) for a number", np.array([[2.0]]), np.array(2.0), Reason.SHAPE),
    ("a Python float for a number", 2.0, np.array(2.0), Reason.EQUAL),
    ("a Python int for a number", 2, 2.0, Reason.EQUAL),
    ("a NumPy scalar for a number", np.float64(2.0), 2.0, Reason.EQUAL),
    ("integers with the right values", np.array([1, 2]), np.array([1.0, 2.0]), Reason.EQUAL),
    ("truth values with the right values", np.array([True, False]), np.array([1.0, 0.0]), Reason.EQUAL),
    ("floats for integers", np.array([1.0, 2.0]), np.array([1, 2]), Reason.EQUAL),
    ("integers that lost the fraction", np.array([1, -2, 0]), ONE, Reason.PRECISION),
    ("integers with other values", np.array([3, 2]), np.array([1.0, 2.0]), Reason.VALUES),
    ("float32 that holds the values", ONE.astype(np.float32), ONE, Reason.EQUAL),
    ("float32 that rounds the values", (ONE / 3).astype(np.float32), ONE / 3, Reason.PRECISION),
    ("float16 that rounds the values", (ONE / 3).astype(np.float16), ONE / 3, Reason.PRECISION),
    ("float32 with other values", (ONE / 3).astype(np.float32) + 1, ONE / 3, Reason.VALUES),
    ("float64 with float32's values", (ONE / 3).astype(np.float32).astype(float), ONE / 3, Reason.VALUES),
    ("complex", ONE + 0j, ONE, Reason.DTYPE),
    ("objects", ONE.astype(object), ONE, Reason.DTYPE),
    ("text", np.array(["1.5", "2", "3"]), ONE, Reason.DTYPE),
    ("None", None, ONE, Reason.NOT_AN_ARRAY),
    ("a list", [1.5, -2.25, 0.125], ONE, Reason.NOT_AN_ARRAY),
    ("a str for a number", "2.0", 2.0, Reason.NOT_AN_ARRAY),
    ("a complex number", 2 + 0j, 2.0, Reason.DTYPE),
    ("a NaN", np.array([1.5, NAN, 0.125]), ONE, Reason.NOT_FINITE),
    ("an infinity", np.array([1.5, -INF, 0.125]), ONE, Reason.NOT_FINITE),
    ("equal infinities", np.array([INF, -INF]), np.array([INF, -INF]), Reason.EQUAL),
    ("the other infinity", np.array([INF, INF]), np.array([INF, -INF]), Reason.NOT_FINITE),
    ("finite for an infinity", np.array([1e300]), np.array([INF]), Reason.VALUES),
    ("NaN where NaN is expected", np.array([NAN]), np.array([NAN]), Reason.NOT_FINITE),
    ("too large a difference", np.array([1e308]), np.array([-1e308]), Reason.VALUES),
    ("nothing", np.zeros((0, 3)), np.zeros((0, 3)), Reason.EMPTY),
    ("nothing of another shape", np.zeros((0, 2)), np.zeros((0, 3)), Reason.SHAPE),
]


@pytest.mark.parametrize(("actual", "expected", "reason"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_table(actual, expected, reason):
    result = compare(actual, expected, TIGHT)
    assert result.reason is reason
    assert result.passed is (reason is Reason.EQUAL)


def test_an_infinite_expected_value_does_not_allow_everything():
    assert not compare(np.array([0.0]), np.array([INF]), LOOSE).passed


def test_the_evidence_names_the_worst_element():
    expected = np.array([[1000.0, 1.0], [2.0, 0.5]])
    actual = expected + np.array([[1e-3, 0.0], [1e-4, -1e-4]])
    result = compare(actual, expected, tolerance_for(expected, np.float64))
    assert (result.wrong, result.size, result.worst) == (3, 4, (1, 1))
    assert result.expected == 0.5
    assert result.error == pytest.approx(1e-4)
    assert result.allowed == pytest.approx(1e-7 + 5e-10)


def test_the_worst_is_the_nan_if_there_is_one():
    assert compare(np.array([9.0, NAN, 0.125]), ONE, TIGHT).worst == (1,)


def test_where_nothing_is_allowed_the_worst_is_the_largest_error():
    result = compare(np.array([1, 2, 9, 4]), np.array([0, 2, 3, 2]), EXACT)
    assert (result.worst, result.wrong, result.error) == ((2,), 3, 6.0)


def test_no_values_no_evidence_of_values():
    result = compare(np.zeros((3, 1)), ONE, TIGHT)
    assert (result.actual_shape, result.expected_shape) == ((3, 1), (3,))
    assert result.worst is result.error is result.wrong is None
    assert compare(None, ONE, TIGHT).actual_shape is None
    assert compare(None, ONE, TIGHT).actual_dtype == "NoneType"


def test_nothing_is_written_into():
    actual, expected = ONE.copy(), ONE.copy()
    actual.flags.writeable = expected.flags.writeable = False
    assert compare(actual, expected, TIGHT).passed


arrays = hnp.arrays(
    np.float64, hnp.array_shapes(min_dims=0, max_dims=3, max_side=4), elements=st.floats(-1e6, 1e6, allow_nan=False)
)


@given(arrays)
def test_law_an_array_equals_itself_and_its_copy_in_any_layout(x):
    assert compare(x, x, EXACT).passed
    assert compare(x.copy(order="F"), x, EXACT).passed


@given(arrays, st.data())
def test_law_one_nan_anywhere_fails(x, data):
    place = tuple(data.draw(st.integers(0, side - 1)) for side in x.shape)
    broken = x.copy()
    broken[place] = NAN
    huge = Tolerance(rtol=1e300, atol=1e300, reason="test")
    result = compare(broken, x, huge)
    assert result.reason is Reason.NOT_FINITE
    assert (result.worst, result.wrong) == (place, 1)


@given(arrays, st.floats(-10, 10), st.floats(0, 1), st.floats(0, 1))
def test_law_the_rule_holds_on_every_element(x, shift, rtol, atol):
    actual = x + shift
    result = compare(actual, x, Tolerance(rtol=rtol, atol=atol, reason="test"))
    wrong = [abs(a - e) > atol + rtol * abs(e) for a, e in zip(actual.ravel(), x.ravel(), strict=True)]
    assert result.wrong == sum(wrong)
    assert result.passed is not any(wrong)


@given(arrays, arrays)
def test_law_shapes_are_never_stretched(x, y):
    assume(x.shape != y.shape)
    assert compare(x, y, LOOSE).reason is Reason.SHAPE
