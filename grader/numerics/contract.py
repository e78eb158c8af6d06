"""Does a forward/backward pair keep its promises? Exact tests, before any difference is taken.

History: forward(x), forward(something else), backward(first cache) must give what the clean call gave, but for what
float64 rounds (of fewer digits that is bit for bit). If it doesn't, a few more calls tell the causes apart. Something
else is x with the elements of each array shuffled: the same values, so the function is defined there as far as its
domain goes by elements.

A device may add up in another order each time (on a GPU index_add_ and scatter_add_ do, by atomics), and then right
results of the same call differ. Whoever asks on such a device says so (Repeats), and there the rule is: results of the
same call may lie as far apart as a right one may lie from the expected one, array by array. What depends on history
by more than that is told there too.

Linearity: backward(c d) must be c backward(d), with c = -2^20. In binary arithmetic that is exact, and it catches an
upstream gradient that is ignored, clipped, squared or rectified. With c = -2 a single small d would not reach the bound
that it is clipped at. A backward that is right may take logarithms of d, and round otherwise: 1e-9 is let pass.

Precision: float64 goes in, so results that all lie on the float32 grid were computed in float32 somewhere. Few
significant bits (a count, a power of 2) prove nothing, so values that 12 bits hold are not counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from grader.errors import GradmarkError
from grader.numerics.differences import EPS, Vector, norm
from grader.numerics.evidence import GradientFault, GradientProblem
from grader.numerics.pair import Evaluation, Pair, Tensor

__all__ = ["Repeats", "precision_problems", "promise_problems"]

_STRETCH = -(2.0**20)
_SAME = 1e-9
"""Relative differences that rounding in another way may make."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Repeats:
    """How far apart results of the same call may lie, element by element, where sums have no order of their own."""

    value: Vector
    """Shape (m,)."""
    gradient: Vector
    """Shape (n,)."""


def promise_problems(
    pair: Pair,
    first: Evaluation,
    upstream: Vector,
    gradient: Vector,
    rng: np.random.Generator,
    repeats: Repeats | None = None,
) -> tuple[GradientProblem, ...]:
    """History and linearity: three forward and two backward calls if all is well; for a loss, two calls.

    Args:
        pair: the functions.
        first: evaluation at pair.x.
        upstream: shape (m,).
        gradient: of the clean call with this upstream gradient, shape (n,).
        rng: shuffles.
        repeats: how far apart results of the same call may lie; without, no further than float64 rounds.
    """
    value_room, room = (None, None) if repeats is None else (repeats.value, repeats.gradient)
    if pair.backward is None:
        _disturb(pair, rng)
        again = pair.evaluate(pair.x)
        second = pair.differentiate(again, upstream)
    else:
        again = pair.evaluate(pair.x)
        _disturb(pair, rng)
        second = pair.differentiate(again, upstream)
    drift = _difference(again.value, first.value, room=value_room)
    if drift:
        return (_problem(GradientFault.NONDETERMINISTIC, f"forward's output changes by {drift:.1e} of its size"),)
    if _difference(second, gradient, room=room):
        history = _history_problem(pair, upstream, gradient, second, room)
        if history is not None:
            return (history,)
    return () if pair.backward is None else tuple(_linearity_problems(pair, upstream, gradient, room))


def precision_problems(pair: Pair, value: Vector, gradient: Vector, upstream: Vector) -> Iterable[GradientProblem]:
    """Outputs or gradients that were rounded to float32."""
    if _was_float32(value) and not _on_grid(pair.x, 24):
        yield GradientProblem(
            code=GradientFault.FLOAT32, tensor="the output", detail="every element is a float32 number"
        )
    if pair.backward is not None and _on_grid(upstream, 24):
        return
    for tensor in pair.tensors:
        if _was_float32(gradient[tensor.where]):
            yield GradientProblem(
                code=GradientFault.FLOAT32,
                tensor=f"the gradient of {tensor.name}",
                detail="every element is a float32 number",
            )


def _disturb(pair: Pair, rng: np.random.Generator) -> None:
    # A shuffled matrix may be singular, a shuffled row may be no distribution: what happens there is our doing.
    try:
        pair.disturb(rng)
    except GradmarkError:
        raise
    except Exception:
        return


def _history_problem(
    pair: Pair, upstream: Vector, clean: Vector, after: Vector, room: Vector | None
) -> GradientProblem | None:
    """Why backward gave `after` where the clean call gave `clean`: two more clean calls, and what changed."""
    third = pair.gradient(pair.x, upstream)
    fourth = pair.gradient(pair.x, upstream)
    grown, grown_again = third - after, fourth - third
    drift = _difference(fourth, third, room=room)
    grows = np.any(grown_again) if room is None else drift
    if grows and not _difference(grown_again, grown, slack=_SAME, room=None if room is None else 4 * room):
        return _problem(GradientFault.ACCUMULATES, "each call with the same arguments adds the same amount")
    if not drift and not _difference(third, clean, room=room):
        detail = "backward(first cache) changes when forward was called with other inputs in between"
        return _problem(GradientFault.CACHE_SHARED, detail)
    drift = drift or _difference(third, clean, room=room)
    if not drift:
        return None
    return _problem(GradientFault.NONDETERMINISTIC, f"backward's result changes by {drift:.1e} of its size")


def _linearity_problems(
    pair: Pair, upstream: Vector, gradient: Vector, room: Vector | None
) -> Iterable[GradientProblem]:
    stretched = pair.gradient(pair.x, _STRETCH * upstream)
    floor = EPS * norm(stretched)
    for tensor in pair.tensors:
        once, more = gradient[tensor.where], stretched[tensor.where]
        own = None if room is None else -_STRETCH * room[tensor.where]
        if _difference(more, _STRETCH * once, slack=_SAME, floor=floor, room=own):
            yield GradientProblem(
                code=GradientFault.NOT_LINEAR_IN_UPSTREAM, tensor=None, detail=_nonlinearity(tensor, once, more)
            )
            return


def _nonlinearity(tensor: Tensor, once: Vector, more: Vector) -> str:
    name = f"gradient of {tensor.name}"
    for factor, meaning in (
        (1.0, f"the sign and size of dout have no effect on the {name}"),
        (-_STRETCH, f"the sign of dout has no effect on the {name}"),
        (_STRETCH**2, f"the {name} goes with the square of dout"),
    ):
        if not _difference(more, factor * once, slack=_SAME):
            return meaning
    return f"backward(c dout) is not c backward(dout) in the {name}, with c = {_STRETCH:.0f}"


def _difference(
    actual: Vector, expected: Vector, *, slack: float = 0.0, floor: float = 0.0, room: Vector | None = None
) -> float:
    """Relative difference, as a 2-norm; 0.0 if it is no more than rounding in another order would make.

    So it is too where each element has at least so much room.
    """
    if room is not None and np.all(np.abs(actual - expected) <= room):
        return 0.0
    distance, size = norm(actual - expected), norm(expected)
    rounding = 64 * (EPS * np.sqrt(actual.size) * size + floor)
    if distance <= max(rounding, slack * size):
        return 0.0
    return distance / size if size else float("inf")


def _was_float32(values: Vector) -> bool:
    return values.size > 0 and _on_grid(values, 24) and not _on_grid(values, 12)


def _on_grid(values: Vector, bits: int) -> bool:
    """Whether every value has at most this many significant bits."""
    mantissa, _ = np.frexp(values)
    scaled = np.ldexp(mantissa, bits)
    return bool(np.all(scaled == np.round(scaled)))


def _problem(code: GradientFault, detail: str) -> GradientProblem:
    return GradientProblem(code=code, detail=detail)
