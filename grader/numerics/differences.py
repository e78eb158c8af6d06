"""Finite differences that know their own error.

Everything here is about a function f from a vector of n inputs to a vector of m outputs, both float64; the layout of
tensors in those vectors is another module's business. Four things are measured, all from values of f alone:

Rounding noise of each output. On a grid of spacing 2^-44 along a random line, f is a polynomial of degree 2 to far
below rounding, so its third difference is rounding noise with the weights 1, -3, 3, -1: the noise times sqrt(20).
(R. W. Hamming, Introduction to Applied Numerical Analysis, 1971; J. Moré and S. Wild, Estimating computational
noise, SIAM J. Sci. Comput. 33, 2011.) One sample of it may be zero by luck: floors of 2 units in the last place of
the output, and of half the rms over all outputs, keep the estimate from collapsing.

The residual of a claimed gradient g along a direction u, for an upstream gradient d:

    r(h) = (<d, f(x + hu) - f(x - hu)> - <g, x+ - x->) / 2h

with x+ and x- as they are represented, so that the step is exact. r(h) - r(0) = O(h^2), and Richardson's
R = (4 r(h/2) - r(h)) / 3 errs by O(h^4). If g is the gradient, R is 0 but for errors that can be bounded:

    |r(h/2) - r(h)|    truncation, before Richardson removes most of it; g cancels in it
    19 sigma / h       rounding of f: 10 standard deviations of R, where sigma^2 = sum (d_j noise_j)^2
    8 eps ||g o u||    rounding of <g, x+ - x->

The tolerance is their sum. But for the last term, at the level of rounding, it depends on f only: a wrong gradient
can't loosen the tolerance that it is judged by.

Kinks. For a smooth output, s(h) = f(x + hu) + f(x - hu) - 2 f(x) is h^2 c + O(h^4), so s(h) - 4 s(h/2) is nothing but
noise. Across a kink s(h) is of the order of h and the difference stands out. A difference quotient that changes from
h to h/2 shows those kinks that are symmetric about x.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "EPS",
    "Function",
    "Residual",
    "STEP",
    "Stencil",
    "Vector",
    "at_each",
    "central_differences",
    "coarse_noise",
    "kinked",
    "noise_of",
    "norm",
    "residual_of",
    "rms",
    "rounding_noise",
    "stencil",
]

Vector: TypeAlias = NDArray[np.float64]
Function: TypeAlias = Callable[[Sequence[Vector]], Sequence[Vector]]
"""A function at several points: it may be quicker to be asked for all of them at once."""

EPS = float(np.finfo(np.float64).eps)
STEP = 2.0**-16
"""First step h, in units of the direction. Near eps^(1/5) / 50: small enough to meet few kinks in a network."""

_GRID = 2.0**-44
_AT_ONCE = 64
"""Elements whose differences are asked for together."""
_ROUNDOFF_SIGMAS = 19.0
"""10 standard deviations: the noise of R is at most 1.9 sigma / h for 4 independent values of f."""
_KINK_SIGMAS = 80.0
"""8 standard deviations of s(h) - 4 s(h/2), which is about 10 times as noisy as f."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stencil:
    """Values of f at x ± hu and x ± hu/2, and the steps as they are represented."""

    step: float
    plus: Vector
    minus: Vector
    moved: Vector
    """x+ - x-, shape (n,); about 2hu."""
    half_plus: Vector
    half_minus: Vector
    half_moved: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """How far a claimed gradient is from the differences along one direction, and how far a right one may be."""

    value: float
    truncation: float
    roundoff: float

    @property
    def tolerance(self) -> float:
        """Sum of the bounds."""
        return self.truncation + self.roundoff

    @property
    def passed(self) -> bool:
        """Whether a right gradient could leave this residual. NaN could not."""
        return abs(self.value) <= self.tolerance


def rms(values: Vector) -> float:
    """Root of the mean square; 0 for no values."""
    return float(np.sqrt(np.mean(np.square(values)))) if values.size else 0.0


def norm(values: Vector) -> float:
    """Euclidean length."""
    return math.sqrt(float(values @ values))


def at_each(f: Callable[[Vector], Vector]) -> Function:
    """A function of one point, at several of them."""
    return lambda points: [f(point) for point in points]


def stencil(f: Function, x: Vector, direction: Vector, step: float) -> Stencil:
    """Evaluate f four times: at x ± step * direction and at half of that."""
    whole, half = direction * step, direction * (step / 2)
    points = x + whole, x - whole, x + half, x - half
    plus, minus, half_plus, half_minus = f(points)
    moved, half_moved = points[0] - points[1], points[2] - points[3]
    return Stencil(
        step=step,
        plus=plus,
        minus=minus,
        moved=moved,
        half_plus=half_plus,
        half_minus=half_minus,
        half_moved=half_moved,
    )


def rounding_noise(f: Function, x: Vector, value: Vector, direction: Vector) -> Vector:
    """Standard deviation of the rounding error of each output near x, shape (m,). Three evaluations of f.

    Args:
        f: the function.
        x: where, shape (n,).
        value: f(x), shape (m,).
        direction: of the size of x, shape (n,); the evaluations lie at x + 2^-44 {1, 2, 3} direction.
    """
    noise: Vector = _third_differences(f, x, value, direction * _GRID, 3)[0]
    return np.asarray(np.maximum(np.maximum(noise, 2 * EPS * np.abs(value)), 0.5 * rms(noise)))


def coarse_noise(f: Function, x: Vector, value: Vector, direction: Vector) -> Vector:
    """Rounding noise on the scale of a step: 15 more evaluations of f, shape (m,).

    Where f adds a large number and takes it off again, its rounding is too coarse to show on the fine grid. A kink may
    lie on this one: it shows in 3 of the 13 third differences at most, noise in all, so the tenth smallest is taken.
    """
    thirds = _third_differences(f, x, value, direction * (STEP / 8), 15)
    noise: Vector = np.sort(thirds, axis=0)[9]
    return np.asarray(np.maximum(noise, 0.5 * rms(noise)))


def _third_differences(f: Function, x: Vector, value: Vector, spacing: Vector, count: int) -> NDArray[np.float64]:
    """Third differences over sqrt(20) at x + {0, ..., count} spacing, shape (count - 2, m); 0 where not finite."""
    values = np.stack([value, *f([x + k * spacing for k in range(1, count + 1)])])
    with np.errstate(all="ignore"):
        for _ in range(3):
            values = values[1:] - values[:-1]
        noise = np.abs(values) / math.sqrt(20.0)
    return np.where(np.isfinite(noise), noise, 0.0)


def noise_of(upstream: Vector, noise: Vector) -> float:
    """Standard deviation sigma of the rounding error of <upstream, f>."""
    return float(np.sqrt(np.sum(np.square(upstream * noise))))


def residual_of(points: Stencil, upstream: Vector, gradient: Vector, sigma: float) -> Residual:
    """Residual of a claimed gradient along the direction of a stencil.

    Outputs whose upstream gradient is 0 take no part, whatever f is there.

    Args:
        points: values of f.
        upstream: shape (m,).
        gradient: claimed gradient of <upstream, f>, shape (n,).
        sigma: see noise_of.
    """
    h = points.step
    whole = (_rise(points.plus, points.minus, upstream) - float(gradient @ points.moved)) / (2 * h)
    half = (_rise(points.half_plus, points.half_minus, upstream) - float(gradient @ points.half_moved)) / h
    along = norm(gradient * points.half_moved) / h
    return Residual(
        value=(4 * half - whole) / 3,
        truncation=abs(half - whole),
        roundoff=_ROUNDOFF_SIGMAS * sigma / h + 8 * EPS * along,
    )


def kinked(points: Stencil, value: Vector, noise: Vector) -> NDArray[np.bool_]:
    """Which outputs are not smooth between x - hu and x + hu, or not finite there, shape (m,)."""
    h = points.step
    noise = np.maximum(noise, rms(noise))
    with np.errstate(all="ignore"):
        bend = points.plus + points.minus - 2 * value
        half_bend = points.half_plus + points.half_minus - 2 * value
        flags = ~(np.abs(bend - 4 * half_bend) <= _KINK_SIGMAS * noise)
        if value.size > 1:  # a lone output has no others to tell a kink from curvature by
            slope = (points.plus - points.minus) / (2 * h)
            change = np.abs(slope - (points.half_plus - points.half_minus) / h)
            usual = rms(slope[np.isfinite(slope)])
            flags |= ~(change <= np.maximum(1e-4 * usual, _KINK_SIGMAS * noise / h))
    return np.asarray(flags)


def central_differences(f: Function, x: Vector, upstream: Vector, where: NDArray[np.intp], steps: Vector) -> Vector:
    """Derivatives of <upstream, f> by the inputs `where`, one by one: two evaluations of f for each.

    Args:
        f: the function.
        x: shape (n,).
        upstream: shape (m,).
        where: indices into x, shape (k,).
        steps: one for each of them, shape (k,).

    Returns:
        shape (k,).
    """
    slopes = np.empty(where.size)
    for start in range(0, where.size, _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        moves = np.zeros((where[some].size, x.size))
        moves[np.arange(len(moves)), where[some]] = steps[some]
        above, below = x + moves, x - moves
        values = f([*above, *below])
        for k, index in enumerate(where[some]):
            rise = _rise(values[k], values[len(moves) + k], upstream)
            slopes[start + k] = rise / (above[k] - below[k])[index]
    return slopes


def _rise(plus: Vector, minus: Vector, upstream: Vector) -> float:
    used = upstream != 0.0
    return float(upstream[used] @ (plus[used] - minus[used]))
