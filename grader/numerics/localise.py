"""Where a gradient is wrong, once it is known to be: which tensor, and which of its elements.

A right gradient pays nothing for this. The true gradient of the student's own forward is the best witness: from the
reference if it explains the very differences that the student's gradient failed to explain (it doesn't where the
forward is wrong too), else by full differences where a tensor is small. In a large tensor, halving: the residual is
linear in the direction, so that of a half is measured and that of the other half follows; one wrong element among n
costs 4 log2(n) forward calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.numerics.comparison import compare
from grader.numerics.differences import (
    STEP,
    Residual,
    Vector,
    central_differences,
    kinked,
    noise_of,
    residual_of,
    stencil,
)
from grader.numerics.evidence import FailurePoint, GradientFault, GradientProblem, TensorResidual
from grader.numerics.kinks import Failing
from grader.numerics.pair import Broken, Pair, Tensor
from grader.numerics.tolerance import Tolerance, tolerance_for

__all__ = ["Located", "Reference", "failure_point", "locate"]

Reference = Callable[[tuple[Any, ...], Any], Any]
"""reference(inputs, upstream) -> gradients in the form that backward returns them."""

_FULL_DIFFERENCES = 4096
_MOST_CALLS = 400
_MOST_ELEMENTS = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Located:
    """Which tensors are wrong, where, and the true gradient where it was found."""

    problems: tuple[GradientProblem, ...]
    tensors: tuple[TensorResidual, ...]
    failure: FailurePoint


def locate(
    pair: Pair, failing: Failing, reference: Reference | None, rng: np.random.Generator, *, thorough: bool
) -> Located:
    """Find the tensors that are wrong, and if `thorough` the true gradient or the wrong elements."""
    truth = _from_reference(pair, failing, reference) if reference is not None else None
    if truth is not None:
        tensors = [_by_truth(tensor, failing, truth) for tensor in pair.tensors]
        expected, source = _by_name(pair, truth), "reference"
        problems = [_compared(pair, failing, tensor, truth) for tensor in _wrong(pair, tensors)]
    else:
        tensors = _by_probes(pair, failing, rng)
        expected, source, problems = _by_differences(pair, failing, _wrong(pair, tensors), rng, thorough)
    if not problems:
        detail = f"residual {abs(failing.residual.value):.1e}, allowed {failing.residual.tolerance:.1e}"
        problems = [GradientProblem(code=GradientFault.WRONG, tensor=_all_names(pair), detail=detail)]
    failure = FailurePoint(
        inputs=pair.shaped_inputs(failing.point.x),
        upstream=pair.shaped_output(failing.upstream),
        actual=_by_name(pair, failing.gradient),
        expected=expected,
        source=source,
    )
    return Located(problems=tuple(problems), tensors=tuple(tensors), failure=failure)


def failure_point(
    pair: Pair, x: Vector, upstream: Vector, actual: Mapping[str, Any], reference: Reference | None
) -> FailurePoint:
    """Where a result could not even be checked: what came back, and what the reference says."""
    truth = _asked(pair, x, upstream, reference) if reference is not None else None
    return FailurePoint(
        inputs=pair.shaped_inputs(x),
        upstream=pair.shaped_output(upstream),
        actual=actual,
        expected={} if truth is None else _by_name(pair, truth),
        source="" if truth is None else "reference",
    )


# --------------------------------------------------------------------------------------------- by the true gradient


def _asked(pair: Pair, x: Vector, upstream: Vector, reference: Reference) -> Vector | None:
    given = pair.arguments(x)
    try:
        return pair.flat_gradient(reference(given, pair.shaped_output(upstream)))
    except Broken:
        return None


def _from_reference(pair: Pair, failing: Failing, reference: Reference) -> Vector | None:
    """The reference's gradient, if it is the gradient of the student's own forward."""
    truth = _asked(pair, failing.point.x, failing.upstream, reference)
    if truth is None:
        return None
    sigma = noise_of(failing.upstream, failing.point.noise)
    return truth if residual_of(failing.stencil, failing.upstream, truth, sigma).passed else None


def _by_truth(tensor: Tensor, failing: Failing, truth: Vector) -> TensorResidual:
    actual, expected = failing.gradient[tensor.where], truth[tensor.where]
    error = (expected - actual) @ failing.direction[tensor.where]
    wrong = actual.size > 0 and not compare(actual, expected, _against_truth(expected, truth)).passed
    return TensorResidual(name=tensor.name, residual=float(error), tolerance=float("nan"), wrong=wrong)


def _against_truth(expected: Vector, truth: Vector) -> Tolerance:
    scale = float(np.max(np.abs(truth), initial=0.0))
    return tolerance_for(expected, np.float64, scale=scale)


def _compared(pair: Pair, failing: Failing, tensor: Tensor, truth: Vector) -> GradientProblem:
    actual, expected = (each[tensor.where].reshape(tensor.shape) for each in (failing.gradient, truth))
    result = compare(actual, expected, _against_truth(expected, truth))
    index = ", ".join(map(str, result.worst or ()))
    detail = (
        f"{result.wrong} of {result.size} elements differ, the worst at [{index}]: "
        f"{result.actual:.6g}, expected {result.expected:.6g}"
    )
    return GradientProblem(code=GradientFault.WRONG, tensor=tensor.name, detail=detail)


# ------------------------------------------------------------------------------------------------- by differences


def _by_probes(pair: Pair, failing: Failing, rng: np.random.Generator) -> list[TensorResidual]:
    """One probe a tensor; if none stands out, once more with steps that show what counts for little."""
    found: list[TensorResidual] = []
    for enlarged in (False, True, True):
        found = [_by_probe(pair, failing, tensor, rng, enlarged=enlarged) for tensor in pair.tensors]
        if any(each.wrong for each in found):
            break
    return found


def _by_probe(
    pair: Pair, failing: Failing, tensor: Tensor, rng: np.random.Generator, *, enlarged: bool
) -> TensorResidual:
    scale = np.where(pair.alone(tensor) > 0.0, failing.point.scale, 0.0)
    direction = (pair.alone(tensor) if enlarged else scale) * rng.standard_normal(pair.x.size)
    residual = _residual(pair, failing, direction)
    return TensorResidual(
        name=tensor.name, residual=residual.value, tolerance=residual.tolerance, wrong=not residual.passed
    )


def _residual(pair: Pair, failing: Failing, direction: Vector) -> Residual:
    """Residual along a direction, with a step that meets no kink; if there is none, one that proves nothing."""
    sigma = noise_of(failing.upstream, failing.point.noise)
    used = failing.upstream != 0.0
    for shorter in (1.0, 1 / 16, 1 / 256):
        points = stencil(pair.values, failing.point.x, direction, failing.stencil.step * shorter)
        if not (kinked(points, failing.point.value, failing.point.noise) & used).any():
            return residual_of(points, failing.upstream, failing.gradient, sigma)
    return Residual(value=0.0, truncation=0.0, roundoff=0.0)


def _by_differences(
    pair: Pair, failing: Failing, wrong: list[Tensor], rng: np.random.Generator, thorough: bool
) -> tuple[dict[str, Any], str, list[GradientProblem]]:
    expected: dict[str, Any] = {}
    problems = []
    for tensor in wrong:
        size = tensor.where.stop - tensor.where.start
        if not thorough:
            problems.append(
                GradientProblem(code=GradientFault.WRONG, tensor=tensor.name, detail=_not_explained(failing))
            )
        elif size <= _FULL_DIFFERENCES:
            expected[tensor.name] = _full(pair, failing, tensor)
            problems.append(_beside_differences(failing, tensor, expected[tensor.name]))
        else:
            problems.append(_halving(pair, failing, tensor, rng))
    return expected, "full differences" if expected else "", problems


def _not_explained(failing: Failing) -> str:
    return f"it leaves {abs(failing.residual.value):.1e} unexplained, allowed {failing.residual.tolerance:.1e}"


def _full(pair: Pair, failing: Failing, tensor: Tensor) -> Any:
    where = np.arange(tensor.where.start, tensor.where.stop)
    steps = min(STEP, failing.stencil.step) * failing.point.scale[where]
    slopes = central_differences(pair.values, failing.point.x, failing.upstream, where, steps)
    return slopes.reshape(tensor.shape)


def _beside_differences(failing: Failing, tensor: Tensor, expected: Any) -> GradientProblem:
    actual = failing.gradient[tensor.where].reshape(tensor.shape)
    worst = np.unravel_index(int(np.argmax(np.abs(actual - expected))), tensor.shape)
    index = ", ".join(str(int(i)) for i in worst)
    detail = f"the worst at [{index}]: {actual[worst]:.6g}, differences give {expected[worst]:.6g}"
    return GradientProblem(code=GradientFault.WRONG, tensor=tensor.name, detail=detail)


def _halving(pair: Pair, failing: Failing, tensor: Tensor, rng: np.random.Generator) -> GradientProblem:
    """Find wrong elements of a large tensor by halving ranges of it."""
    draws = failing.point.scale * rng.standard_normal(pair.x.size)

    def measured(low: int, high: int) -> tuple[float, float]:
        direction = np.zeros(pair.x.size)
        direction[low:high] = draws[low:high]
        residual = _residual(pair, failing, direction)
        return residual.value, residual.tolerance

    start = pair.forward_calls
    whole = (tensor.where.start, tensor.where.stop)
    pending = [(*whole, *measured(*whole))]
    found: list[int] = []
    cleared = 0
    while pending and len(found) < _MOST_ELEMENTS and pair.forward_calls - start < _MOST_CALLS:
        low, high, value, tolerance = pending.pop()
        if abs(value) <= tolerance:
            cleared += high - low
        elif high - low == 1:
            found.append(low)
        else:
            middle = (low + high) // 2
            left, left_tolerance = measured(low, middle)
            # The residual is linear in the direction: what the left half leaves over is the right half's.
            pending.append((middle, high, value - left, tolerance + left_tolerance))
            pending.append((low, middle, left, left_tolerance))
    return _found_problem(tensor, found, cleared, searched=not pending)


def _found_problem(tensor: Tensor, found: list[int], cleared: int, *, searched: bool) -> GradientProblem:
    places = [np.unravel_index(each - tensor.where.start, tensor.shape) for each in found]
    shown = ", ".join("[" + ", ".join(str(int(i)) for i in place) + "]" for place in places)
    which = f"wrong at {shown}" if searched else f"wrong at {shown} and elsewhere" if shown else "wrong in many places"
    size = tensor.where.stop - tensor.where.start
    detail = f"{which}; {cleared} of {size} elements are right"
    return GradientProblem(code=GradientFault.WRONG, tensor=tensor.name, detail=detail)


# -------------------------------------------------------------------------------------------------------- plumbing


def _wrong(pair: Pair, tensors: list[TensorResidual]) -> list[Tensor]:
    return [tensor for tensor, residual in zip(pair.tensors, tensors, strict=True) if residual.wrong]


def _by_name(pair: Pair, vector: Vector) -> dict[str, Any]:
    return dict(pair.shaped_inputs(vector))


def _all_names(pair: Pair) -> str:
    return ", ".join(tensor.name for tensor in pair.tensors)
