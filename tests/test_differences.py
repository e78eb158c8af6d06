"""Finite differences: exact where they can be, with error bounds that hold and are not wide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.numerics.differences import (
    STEP,
    at_each,
    central_differences,
    kinked,
    noise_of,
    residual_of,
    rounding_noise,
    stencil,
)


def counted(f):
    calls = []

    def call(x):
        calls.append(x)
        return f(x)

    return call, calls


def draw(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def checked(f, gradient, x, *, seed=0, step=STEP):
    """Residual of a claimed gradient of <d, f> along a random direction, d and direction drawn from the seed."""
    value = f(x)
    direction, d = draw(seed, x.size), draw(seed + 1, value.size)
    noise = rounding_noise(at_each(f), x, value, draw(seed + 2, x.size))
    return residual_of(stencil(at_each(f), x, direction, step), d, gradient(x, d), noise_of(d, noise))


SMOOTH = {
    "sin": (np.sin, lambda x, d: np.cos(x) * d),
    "exp": (np.exp, lambda x, d: np.exp(x) * d),
    "cube": (lambda x: x**3, lambda x, d: 3 * x**2 * d),
    "sum of squares": (lambda x: np.array([x @ x]), lambda x, d: 2 * x * d),
    "large offset": (lambda x: np.tanh(x) + 1e6, lambda x, d: d / np.cosh(x) ** 2),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_a_right_gradient_is_within_the_tolerance(name):
    f, gradient = SMOOTH[name]
    for seed in range(50):
        assert checked(f, gradient, draw(seed, 40), seed=seed).passed


@pytest.mark.parametrize("name", ["sin", "exp", "cube", "sum of squares"])
def test_an_error_of_one_in_a_million_is_not(name):
    f, gradient = SMOOTH[name]
    results = [checked(f, lambda x, d: (1 + 1e-6) * gradient(x, d), draw(s, 40), seed=s) for s in range(50)]
    assert sum(result.passed for result in results) == 0


def test_a_wrong_gradient_does_not_loosen_its_own_tolerance():
    f, gradient = SMOOTH["sin"]
    x = draw(0, 40)
    right = checked(f, gradient, x)
    wrong = checked(f, lambda x, d: gradient(x, d) + draw(9, 40), x)
    assert wrong.tolerance == pytest.approx(right.tolerance, rel=0.01)


def test_nan_never_passes():
    f, _ = SMOOTH["sin"]
    assert not checked(f, lambda x, d: np.full(x.size, np.nan), draw(0, 10)).passed


def test_calls():
    f, calls = counted(np.sin)
    x = draw(0, 5)
    stencil(at_each(f), x, draw(1, 5), STEP)
    assert len(calls) == 4
    rounding_noise(at_each(f), x, np.sin(x), draw(2, 5))
    assert len(calls) == 4 + 3
    central_differences(at_each(f), x, np.ones(5), np.array([0, 3]), np.full(2, STEP))
    assert len(calls) == 4 + 3 + 2 * 2


def test_steps_are_the_represented_ones():
    x = np.array([1e6, 1.0, 1e-9])
    points = stencil(at_each(lambda x: x.copy()), x, np.array([1.0, 1.0, 1.0]) / 3, STEP)
    assert np.array_equal(points.moved, points.plus - points.minus)
    assert np.array_equal(points.half_moved, points.half_plus - points.half_minus)


@pytest.mark.parametrize(("size", "noise"), [(1.0, 2e-16), (1e6, 2e-10), (1e-6, 2e-22)])
def test_noise_has_the_size_of_rounding(size, noise):
    def f(x):
        return size * np.sin(x) / 3

    x = draw(0, 2000)
    found = rounding_noise(at_each(f), x, f(x), draw(1, 2000))
    assert 0.1 * noise < np.median(found) < 10 * noise


def test_noise_of_float32_inside_shows():
    def f(x):
        return np.sin(x * 1e7).astype(np.float32).astype(float)

    x = draw(0, 500)
    assert np.median(rounding_noise(at_each(f), x, f(x), draw(1, 500))) > 1e-9


def test_noise_survives_where_f_is_not_finite():
    def f(x):
        with np.errstate(all="ignore"):
            return np.where(x > 0, np.sqrt(x), np.nan)

    assert np.all(np.isfinite(rounding_noise(at_each(f), np.ones(4), np.ones(4), -(2.0**44) * np.ones(4))))


@pytest.mark.parametrize(
    ("f", "at"),
    [
        (np.abs, 0.0),
        (np.abs, 3e-6),
        (lambda x: np.maximum(x, 0), 0.0),
        (lambda x: np.maximum(x, 0), -3e-6),
        (lambda x: np.where(x > 0, 2 * x, x), 0.0),
        (np.sign, 0.0),
        (np.floor, 1.0),
        (lambda x: np.where(x >= 0, np.sqrt(np.abs(x)), np.nan), 0.0),
    ],
)
def test_kinks_are_found_where_they_are(f, at):
    x = np.abs(draw(0, 30)) + 1.001
    x[7] = at
    direction = np.sign(draw(1, 30)) + 0.5
    flags = kinked(stencil(at_each(f), x, direction, STEP), f(x), np.full(30, 1e-16))
    assert np.flatnonzero(flags).tolist() == [7]


def test_smooth_functions_have_no_kinks():
    for name, (f, _) in SMOOTH.items():
        for seed in range(20):
            x = draw(seed, 40)
            noise = rounding_noise(at_each(f), x, f(x), draw(seed + 1, 40))
            assert not kinked(stencil(at_each(f), x, draw(seed + 2, 40), STEP), f(x), noise).any(), name


def test_outputs_without_upstream_gradient_take_no_part():
    def f(x):
        return np.array([x[0], np.nan])

    points = stencil(at_each(f), np.ones(2), np.ones(2), STEP)
    assert residual_of(points, np.array([1.0, 0.0]), np.array([1.0, 0.0]), 1e-16).passed


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6))
def test_law_differences_of_a_linear_map_are_its_matrix(seed, m, n):
    matrix, x, d = draw(seed, m, n), draw(seed + 1, n), draw(seed + 2, m)
    found = central_differences(at_each(lambda x: matrix @ x), x, d, np.arange(n), np.full(n, 2.0**-10))
    assert np.allclose(found, d @ matrix, rtol=0, atol=1e-11)
