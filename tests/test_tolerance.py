"""The tolerance table."""

from __future__ import annotations

import math

import numpy as np
import pytest

from grader.numerics.tolerance import EXACT, Tolerance, tolerance_for


def test_atol_is_a_share_of_the_largest_element():
    tolerance = tolerance_for(np.array([[1e-3, -200.0], [0.0, 5.0]]), np.float64)
    assert tolerance.rtol == 1e-9
    assert tolerance.atol == pytest.approx(2e-8)
    assert "float64" in tolerance.reason


def test_a_gradient_through_several_layers_has_ten_times_the_share():
    """And a number alone, beside which there is no larger one, has not."""
    assert tolerance_for(np.array([1.0, -200.0]), np.float64, deep=True).atol == pytest.approx(2e-7)
    assert tolerance_for(-200.0, np.float64, deep=True).atol == pytest.approx(2e-8)


@pytest.mark.parametrize("expected", [np.array([3, 4]), np.array(True), 7])
def test_integers_are_exact(expected):
    assert tolerance_for(expected, np.float64) is EXACT


@pytest.mark.parametrize("dtype", [np.float32, np.float16, "int64"])
def test_a_dtype_without_a_measured_entry_is_refused(dtype):
    with pytest.raises(ValueError, match=r"no tolerance has been measured for .*; known: float64"):
        tolerance_for(np.ones(2), dtype)


def test_nothing_and_infinities_give_no_absolute_tolerance():
    assert tolerance_for(np.zeros((0, 3)), np.float64).atol == 0.0
    assert tolerance_for(np.array([np.inf, np.nan]), np.float64).atol == 0.0


def test_the_size_of_cancelling_terms_gives_a_floor():
    assert tolerance_for(np.zeros(3), np.float64).atol == 0.0
    assert tolerance_for(np.zeros(3), np.float64, scale=2.0).atol == pytest.approx(128 * 2.0**-52)
    assert tolerance_for(np.ones(3), np.float64, scale=2.0).atol == 1e-10


@pytest.mark.parametrize("bad", [-1.0, math.inf, math.nan])
@pytest.mark.parametrize("field", ["rtol", "atol"])
def test_a_tolerance_that_accepts_anything_can_not_be_made(field, bad):
    with pytest.raises(ValueError, match=field):
        Tolerance(**{"rtol": 0.0, "atol": 0.0, "reason": "test", field: bad})


def test_it_reads_as_a_sentence():
    assert str(Tolerance(rtol=1e-9, atol=0.0, reason="why")) == "rtol 1.0e-09, atol 0.0e+00 (why)"
