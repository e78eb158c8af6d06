"""Probing a gradient at a point, and what to do where the function has kinks.

A probe takes one random direction through all tensors at once. Outputs that are not smooth along it are found free
of charge (differences.kinked); most functions have none. Where there are some, they are taken out of the upstream
gradient and the rest is probed as usual; then those taken out get two tests of their own:

Near a kink, not at it: a step 2048 times shorter stays on one side of it.

At a kink: a right gradient may choose any slope between those on the two sides (relu'(0) in [0, 1], a tie in a
maximum split in any way; F. Clarke, Optimization and Nonsmooth Analysis, 1983). So for an upstream gradient w that
is 0 elsewhere, <g, u> must lie between the sums of w_j times the least and the greatest of the two slopes. One
backward covers all such outputs. They are taken in two groups, those where both slopes have one sign and the others,
and w has the sign that makes excesses add up; a probe takes one group.

That interval holds for an output that is convex or concave near the point. A sum of kinks of both signs (a hidden
unit at 0 behind a matrix) can have right gradients outside of it. So before anyone is accused, one output outside is
found by bisection, and it is shown to bend one way only along 32 random triangles.

If no step avoids a kink and there is but one output (a hinge loss, at a margin of 0), the gradient as a whole must lie
between the slopes on the two sides: for single inputs, and for random directions. That says less than a difference
quotient, so it passes only together with a probe beside the inputs, and no odds are claimed for it. Where neither is to
be had the probe is inconclusive. That is never a failure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from grader.numerics.differences import (
    STEP,
    Residual,
    Stencil,
    Vector,
    coarse_noise,
    kinked,
    noise_of,
    norm,
    residual_of,
    rounding_noise,
    stencil,
)
from grader.numerics.evidence import GradientFault, GradientProblem, Probe, Where
from grader.numerics.pair import Evaluation, Pair

__all__ = ["Failing", "Point", "Probed", "point_at", "probe"]

_SHORTER = 1 / 16
_WORTH_A_SHORTER_STEP = 15
"""A step of 1/16 has 16 times the round-off: below this ratio it can only lose."""
_TRIES = 4
_NEAR = 1 / 2048
_USELESS = 1e-2
"""A tolerance above this share of the gradient, and of the output, shows nothing."""
_MOST_MASKED = 0.9
_TRIANGLES = 32
_SINGLE = 24
_MIXED = 8
"""Directions in which the gradient of a lone output is held between its slopes: single inputs, and all at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Point:
    """Where a function is probed, and its rounding noise there."""

    where: Where
    x: Vector
    value: Vector
    noise: Vector
    scale: Vector
    """Size of the steps for each input, shape (n,); 0 for those that stay where they are."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Failing:
    """A residual that a right gradient could not leave, with all that it was computed from."""

    point: Point
    upstream: Vector
    gradient: Vector
    direction: Vector
    stencil: Stencil
    residual: Residual


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probed:
    """What one probe found."""

    probes: tuple[Probe, ...] = ()
    coverage: float = 1.0
    """Share of the outputs that the first of these probes covers; 0 if it was inconclusive."""
    problems: tuple[GradientProblem, ...] = ()
    warnings: tuple[GradientProblem, ...] = ()
    failing: Failing | None = None


def point_at(pair: Pair, evaluation: Evaluation, where: Where, rng: np.random.Generator) -> Point:
    """Measure the rounding noise around an evaluation: three forward calls."""
    direction = pair.scale * rng.standard_normal(pair.x.size)
    noise = rounding_noise(pair.values, evaluation.x, evaluation.value, direction)
    return Point(where=where, x=evaluation.x, value=evaluation.value, noise=noise, scale=pair.scale)


def probe(
    pair: Pair, point: Point, upstream: Vector, gradient: Vector, rng: np.random.Generator, *, number: int = 0
) -> Probed:
    """Probe a gradient along one random direction: four forward calls where the function is smooth.

    Args:
        pair: the functions.
        point: where.
        upstream: shape (m,).
        gradient: what backward gave for it there, shape (n,).
        rng: draws the direction.
        number: of this probe; they take turns in what they test at kinks.
    """
    step = STEP
    for _ in range(_TRIES):
        direction = point.scale * rng.standard_normal(pair.x.size)
        points = stencil(pair.values, point.x, direction, step)
        flags = kinked(points, point.value, point.noise)
        if not flags.any():
            return _settle(pair, point, upstream, gradient, direction, points)
        if flags.size > 1 and flags.mean() <= _MOST_MASKED:
            return _around_kinks(pair, point, upstream, direction, points, flags, rng, number)
        step *= _SHORTER
    if flags.size == 1:
        return _alone_at_kink(pair, point, rng)
    detail = f"every step down to {step / _SHORTER:.0e} of the inputs' size crosses it"
    return Probed(coverage=0.0, warnings=(_problem(GradientFault.KINK, detail),))


def _settle(pair: Pair, point: Point, upstream: Vector, gradient: Vector, direction: Vector, points: Stencil) -> Probed:
    """Judge by the residual, with the step that gives the smallest tolerance."""
    sigma = noise_of(upstream, point.noise)
    residual = residual_of(points, upstream, gradient, sigma)
    for _ in range(_TRIES - 1):
        if residual.truncation <= _WORTH_A_SHORTER_STEP * residual.roundoff:
            break
        shorter = stencil(pair.values, point.x, direction, points.step * _SHORTER)
        finer = residual_of(shorter, upstream, gradient, sigma)
        if not finer.tolerance < residual.tolerance:
            break
        points, residual = shorter, finer
    return _judged(pair, point, upstream, gradient, direction, points, residual, point.where)


def _judged(
    pair: Pair,
    point: Point,
    upstream: Vector,
    gradient: Vector,
    direction: Vector,
    points: Stencil,
    residual: Residual,
    where: Where,
) -> Probed:
    if not residual.passed:
        residual = _with_coarse_noise(pair, point, upstream, gradient, direction, points)
    size = norm(gradient * point.scale)
    if residual.passed and residual.tolerance > _USELESS * max(size, norm(upstream * point.value)):
        detail = f"a right gradient could leave {residual.tolerance:.1e} unexplained, {where.value}"
        return Probed(coverage=0.0, warnings=(_problem(GradientFault.NOISY, detail),))
    evidence = Probe(
        where=where,
        residual=residual.value,
        truncation=residual.truncation,
        roundoff=residual.roundoff,
        step=points.step,
        gradient_norm=size,
    )
    if residual.passed:
        return Probed(probes=(evidence,))
    failing = Failing(
        point=point, upstream=upstream, gradient=gradient, direction=direction, stencil=points, residual=residual
    )
    return Probed(probes=(evidence,), failing=failing)


def _with_coarse_noise(
    pair: Pair, point: Point, upstream: Vector, gradient: Vector, direction: Vector, points: Stencil
) -> Residual:
    """Before a gradient is called wrong: allow for noise that the fine grid could not show."""
    noise = np.maximum(coarse_noise(pair.values, point.x, point.value, direction), point.noise)
    return residual_of(points, upstream, gradient, noise_of(upstream, noise))


def _around_kinks(
    pair: Pair,
    point: Point,
    upstream: Vector,
    direction: Vector,
    points: Stencil,
    flags: NDArray[np.bool_],
    rng: np.random.Generator,
    number: int,
) -> Probed:
    smooth = np.where(flags, 0.0, upstream)
    rest = _settle(pair, point, smooth, pair.gradient(point.x, smooth), direction, points)
    warning = _problem(GradientFault.KINK, f"{int(flags.sum())} of {flags.size} outputs, {point.where.value}")
    at_kinks = Probed()
    if rest.failing is None and point.where is Where.AT_INPUTS:
        at_kinks = _at_kinks(pair, point, upstream, points.step * _NEAR, flags, rng, number)
    return Probed(
        probes=rest.probes + at_kinks.probes,
        coverage=rest.coverage * (1.0 - float(flags.mean())),
        problems=at_kinks.problems,
        warnings=(warning, *rest.warnings, *at_kinks.warnings),
        failing=rest.failing or at_kinks.failing,
    )


def _at_kinks(
    pair: Pair,
    point: Point,
    upstream: Vector,
    step: float,
    flags: NDArray[np.bool_],
    rng: np.random.Generator,
    number: int,
) -> Probed:
    direction = point.scale * rng.standard_normal(pair.x.size)
    points = stencil(pair.values, point.x, direction, step)
    still = kinked(points, point.value, point.noise) & flags
    near = flags & ~still
    found = Probed()
    if near.any():
        masked = np.where(near, upstream, 0.0)
        gradient = pair.gradient(point.x, masked)
        residual = residual_of(points, masked, gradient, noise_of(masked, point.noise))
        found = _judged(pair, point, masked, gradient, direction, points, residual, Where.NEAR_KINK)
    if still.any() and found.failing is None:
        problems, warnings = _subgradient_problems(pair, point, points, np.flatnonzero(still), rng, number)
        return Probed(probes=found.probes, problems=problems, warnings=(*found.warnings, *warnings))
    return found


# ------------------------------------------------------------------------------------------------------- at a kink


def _alone_at_kink(pair: Pair, point: Point, rng: np.random.Generator) -> Probed:
    """The only output has a kink here: its gradient may be any that stays between the slopes on the two sides."""
    step = STEP * _NEAR
    coarse = coarse_noise(pair.values, point.x, point.value, point.scale * rng.standard_normal(point.x.size))
    point = replace(point, noise=np.maximum(coarse, point.noise))
    moves = [(point.x + step * along) - point.x for along in _directions(point, rng)]  # as they are represented
    values = pair.values([point.x + sign * move for move in moves for sign in (1, -1)])
    with np.errstate(all="ignore"):
        above = (np.concatenate(values[::2]) - point.value) / step
        below = (point.value - np.concatenate(values[1::2])) / step
        slopes = np.stack(moves) @ pair.gradient(point.x, np.ones(1)) / step
        slack = 40 * point.noise / step + 1e-6 * (np.abs(above) + np.abs(below))
        low, high = np.minimum(above, below), np.maximum(above, below)
        outside = np.maximum(low - slopes, slopes - high)
    warning = _problem(GradientFault.KINK, "in the only output")
    if not slack.max() <= _USELESS * max(map(norm, (slopes, above, below))):  # NaN is not
        return Probed(coverage=0.0, warnings=(warning,))
    worst = int(np.argmax(outside - slack))
    if outside[worst] > slack[worst]:
        own = slice(worst, worst + 1)
        group = _Slopes(outputs=np.zeros(1, dtype=np.intp), least=low[own], greatest=high[own], slack=slack[own])
        problems, warnings = _accuse(pair, point, group, moves[worst] / step, step, rng)
        return Probed(coverage=0.0, problems=problems, warnings=(warning, *warnings))
    evidence = Probe(
        where=Where.AT_KINK,
        residual=max(0.0, float(outside.max())),
        truncation=0.0,
        roundoff=float(slack.max()),
        step=step,
        gradient_norm=norm(slopes),
    )
    return Probed(probes=(evidence,), coverage=0.0, warnings=(warning,))


def _directions(point: Point, rng: np.random.Generator) -> list[Vector]:
    """Along single inputs, and along all at once."""
    chosen = rng.permutation(np.flatnonzero(point.scale))[:_SINGLE]
    single = np.zeros((chosen.size, point.x.size))
    single[np.arange(chosen.size), chosen] = point.scale[chosen]
    return [*single, *(point.scale * rng.standard_normal(point.x.size) for _ in range(_MIXED))]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Slopes:
    """Slopes of some outputs on both sides of a point, along a direction, all of shape (k,)."""

    outputs: NDArray[np.intp]
    least: Vector
    greatest: Vector
    slack: Vector
    """Rounding, and curvature over the step."""

    def only(self, which: NDArray[np.bool_] | slice) -> _Slopes:
        return _Slopes(
            outputs=self.outputs[which],
            least=self.least[which],
            greatest=self.greatest[which],
            slack=self.slack[which],
        )


Found = tuple[tuple[GradientProblem, ...], tuple[GradientProblem, ...]]


def _subgradient_problems(
    pair: Pair, point: Point, points: Stencil, outputs: NDArray[np.intp], rng: np.random.Generator, number: int
) -> Found:
    slopes = _slopes(point, points, outputs)
    one_sign = slopes.least * slopes.greatest >= 0.0
    groups = [group for group in (slopes.only(one_sign), slopes.only(~one_sign)) if group.outputs.size]
    if not groups:
        return (), ()
    group = groups[number % len(groups)]
    towards = np.where(group.least + group.greatest < 0.0, -1.0, 1.0)
    weights = towards * rng.uniform(0.5, 1.0, group.outputs.size)
    along = points.half_moved / points.step
    if not _outside(pair, point, group, weights, along):
        return (), ()
    while group.outputs.size > 1:  # the whole is outside, so one of its halves is
        middle = group.outputs.size // 2
        half = slice(0, middle)
        if not _outside(pair, point, group.only(half), weights[half], along):
            half = slice(middle, None)
        group, weights = group.only(half), weights[half]
    return _accuse(pair, point, group, along, points.step / 2, rng)


def _slopes(point: Point, points: Stencil, outputs: NDArray[np.intp]) -> _Slopes:
    step = points.step / 2
    value = point.value[outputs]
    with np.errstate(all="ignore"):
        above = (points.half_plus[outputs] - value) / step
        below = (value - points.half_minus[outputs]) / step
        slack = 40 * point.noise[outputs] / step + 1e-6 * (np.abs(above) + np.abs(below))
    every = _Slopes(outputs=outputs, least=np.minimum(above, below), greatest=np.maximum(above, below), slack=slack)
    return every.only(np.isfinite(every.slack))


def _value_along(pair: Pair, point: Point, group: _Slopes, weights: Vector, along: Vector) -> float:
    upstream = np.zeros(point.value.size)
    upstream[group.outputs] = weights
    return float(pair.gradient(point.x, upstream) @ along)


def _outside(pair: Pair, point: Point, group: _Slopes, weights: Vector, along: Vector) -> bool:
    """Whether backward's slope for these weights lies outside of what the two sides allow."""
    slope = _value_along(pair, point, group, weights, along)
    low, high = weights * group.least, weights * group.greatest
    slack = float(np.abs(weights) @ group.slack)
    return not float(np.minimum(low, high).sum()) - slack <= slope <= float(np.maximum(low, high).sum()) + slack


def _accuse(pair: Pair, point: Point, group: _Slopes, along: Vector, step: float, rng: np.random.Generator) -> Found:
    output = int(group.outputs[0])
    slope = _value_along(pair, point, group, np.ones(1), along)
    low, high = float(group.least[0]), float(group.greatest[0])
    detail = f"output {output}: slope {slope:.6g}, on the two sides {low:.6g} and {high:.6g}"
    direction = point.scale * rng.standard_normal(pair.x.size)
    noise = float(coarse_noise(pair.values, point.x, point.value, direction)[output])
    slack = float(group.slack[0]) + 40 * noise / step
    outside = not low - slack <= slope <= high + slack
    if outside and _bends_one_way(pair, point, output, step, rng):
        return (_problem(GradientFault.NOT_SUBGRADIENT, detail),), ()
    return (), (_problem(GradientFault.KINK, f"{detail}; nothing follows where kinks meet or rounding is coarse"),)


def _bends_one_way(pair: Pair, point: Point, output: int, step: float, rng: np.random.Generator) -> bool:
    """Whether the slope of an output is sub- or superadditive in the direction on every triangle tried."""
    up = down = False
    for _ in range(_TRIANGLES):
        first, second = (point.scale * rng.standard_normal(pair.x.size) for _ in range(2))
        values = pair.values([point.x + step * direction for direction in (first, second, first + second)])
        one, two, both = (float(value[output] - point.value[output]) / step for value in values)
        slack = 120 * float(point.noise[output]) / step + 1e-6 * (abs(one) + abs(two) + abs(both))
        up |= one + two - both > slack
        down |= one + two - both < -slack
        if up and down:
            return False
    return up or down


def _problem(code: GradientFault, detail: str) -> GradientProblem:
    return GradientProblem(code=code, detail=detail)
