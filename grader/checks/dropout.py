"""Inverted dropout, judged by what a random layer promises, whatever numbers it draws and in whatever order.

A kept element is x / (1 - p), the share of kept ones is 1 - p within what chance allows, each element is drawn by
itself and anew in each call, the backward uses the mask of its own forward, and at test time nothing happens at all.
Which elements were kept shows in the result: no x is zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.calls import Kept
from grader.checks.asking import finding, size_of
from grader.checks.question import Question, Ruling
from grader.checks.values import Leaf, compare_leaves, expected_leaves, structure_problem, tell
from grader.errors import OracleError
from grader.findings import Finding, FindingCode
from grader.numerics.comparison import Comparison
from grader.reference import Expected

__all__ = ["backward", "forward", "test"]

Array: TypeAlias = NDArray[Any]
Factors: TypeAlias = Mapping[str, Callable[[Array, Array, float], Array]]

CHANCE = 1e-12
"""A right dropout is blamed for its kept share, or for rows or calls that are alike, less often than this."""

PLAUSIBLE = 1e-4
"""An explanation that is less likely than this is not given."""

_FORWARD_SLIPS: Factors = {
    "what is kept is not scaled: divide it by 1 - p, so that its mean stays what it was": lambda x, mask, p: x * mask,
    "what is kept is divided by p: p is the probability to drop, 1 - p that to keep": lambda x, mask, p: x * mask / p,
    "this is the mask, without the input": lambda x, mask, p: mask / (1 - p),
    "what is kept is multiplied by 1 - p, and must be divided by it": lambda x, mask, p: x * mask * (1 - p),
}
_BACKWARD_SLIPS: Factors = {
    "the scale 1/(1 - p) of the forward is missing": lambda d, mask, p: d * mask,
    "what was dropped passed nothing on, and gets no gradient: multiply by the mask": lambda d, mask, p: d / (1 - p),
    "the upstream gradient is passed on as at test time; in training it goes through the mask": lambda d, mask, p: d,
    "the gradient goes where the elements were dropped: the mask is inverted": lambda d, mask, p: (
        d * (1 - mask) / (1 - p)
    ),
    "the scale of the forward is there twice": lambda d, mask, p: d * mask / (1 - p) ** 2,
}


def forward(question: Question) -> Ruling:
    """In training: the scale of what is kept, how much is, and that each element of each call is drawn by itself."""
    x, p, function = _x(question), _p(question), question.exercise.functions["forward"]
    out, _ = _run(question, train=True)
    bad = _structure(question, out)
    if bad is not None:
        return Ruling(failure=bad)
    failure = _shares(function, np.asarray(out), p)
    mask = _mask(out)
    wanted = question.oracle.with_mask(question.exercise, question.case, mask)
    results = compare_leaves(out, _out(wanted))
    comparisons = [(leaf.name, result) for leaf, _, result in results]
    wrong = tell(FindingCode.WRONG_VALUE, results, hide_values=question.hide_values)
    if wrong is not None and (failure is None or wrong.code is not FindingCode.WRONG_VALUE):
        return Ruling(failure=_explained(wrong, _FORWARD_SLIPS, x, mask, p, out), comparisons=comparisons)
    if failure is None:
        again, _ = _run(question, train=True)
        if _structure(question, again) is None and np.array_equal(_mask(again), mask) and _unlikely_twice(mask, p):
            failure = finding(FindingCode.SAME_MASK, function=function, likely="draw a new mask in every call")
    return Ruling(failure=failure, comparisons=comparisons)


def backward(question: Question) -> Ruling:
    """In training: the upstream gradient through the mask that the forward used."""
    roles, p, up = question.exercise.functions, _p(question), question.case.upstream
    out, cache = _run(question, train=True)
    bad = _structure(question, out)
    if bad is not None:
        return Ruling(failure=bad)
    mask = _mask(out)
    wanted = question.oracle.with_mask(question.exercise, question.case, mask)
    results = _gradient(question, cache, wanted)
    if isinstance(results, Finding):
        return Ruling(failure=results)
    (leaf, actual, _), comparisons = results[0], _named(results)
    wrong = tell(FindingCode.WRONG_GRADIENT, results, hide_values=question.hide_values)
    if wrong is None:
        return Ruling(comparisons=comparisons)
    if wrong.code is FindingCode.WRONG_GRADIENT and not _forward_is_right(out, wanted):
        own = np.asarray(up) * (np.asarray(out, dtype=np.float64) / _x(question))
        if all(result.passed for _, _, result in compare_leaves(actual, expected_leaves(leaf.name, own))):
            code = FindingCode.GRADIENT_FOLLOWS_FORWARD
            told = finding(code, function=roles["backward"], forward=roles["forward"])
            return Ruling(failure=told, credit=question.exercise.follow_through, comparisons=comparisons)
    told = _explained(wrong, _BACKWARD_SLIPS, up, mask, p, actual)
    if told.code is FindingCode.WRONG_GRADIENT and not told.likely and _is_another_mask(up, mask, actual):
        told = replace(told, likely="this is another mask than the forward's: keep that one in the cache, draw none")
    return Ruling(failure=told, comparisons=comparisons)


def test(question: Question) -> Ruling:
    """At test time: the identity, forward and backward."""
    x, up = _x(question), question.case.upstream
    out, cache = _run(question, train=False)
    bad = _structure(question, out)
    if bad is not None:
        return Ruling(failure=bad)
    results = compare_leaves(out, expected_leaves("out", x))
    likely = "at test time nothing is dropped and nothing is scaled: that was done in training"
    wrong = tell(FindingCode.WRONG_VALUE, results, hide_values=question.hide_values)
    if wrong is not None:
        return Ruling(failure=replace(wrong, likely=likely), comparisons=_named(results))
    name = next(iter(question.case.inputs))
    gradients = _gradient(question, cache, Expected(value=x, gradients={name: up}))
    if isinstance(gradients, Finding):
        return Ruling(failure=gradients)
    wrong = tell(FindingCode.WRONG_GRADIENT, gradients, hide_values=question.hide_values)
    told = (
        None if wrong is None else replace(wrong, likely="at test time the upstream gradient passes through as it is")
    )
    return Ruling(failure=told, comparisons=_named([*results, *gradients]))


def _run(question: Question, *, train: bool) -> tuple[Any, Kept]:
    function, x = question.exercise.functions["forward"], _x(question)
    if train and not np.all(x):
        name = next(iter(question.case.inputs))
        problem = f"{name} has a zero, and of a zero the result doesn't tell whether it was kept"
        raise OracleError(question.exercise.name, problem)
    return question.student.pair(function, x, _p(question), train, like=size_of(x))


def _gradient(question: Question, cache: Kept, wanted: Expected) -> Any:
    """The returned gradient beside the expected one; or what is wrong with its structure."""
    ((name, expected),), function = wanted.gradients.items(), question.exercise.functions["backward"]
    gradient = question.student.value(function, question.case.upstream, cache, like=size_of(expected))
    if isinstance(gradient, (tuple, list)) and len(gradient) == 1:
        gradient = gradient[0]
    problem = structure_problem(gradient, expected)
    if problem:
        return finding(FindingCode.WRONG_STRUCTURE, what=f"d{name}", problem=problem)
    slack = None if wanted.slack is None else wanted.slack.gradients
    return compare_leaves(gradient, expected_leaves(f"d{name}", expected, slack=slack))


def _structure(question: Question, out: Any) -> Finding | None:
    """Why nothing can be said of the elements."""
    x = _x(question)
    problem = structure_problem(out, x)
    if problem:
        return finding(FindingCode.WRONG_STRUCTURE, what="out", problem=problem)
    results = compare_leaves(out, expected_leaves("out", x))
    _, _, result = results[0]
    if result.actual_shape == result.expected_shape and np.asarray(out).dtype.kind in "biuf":
        return None
    return tell(FindingCode.WRONG_VALUE, results, hide_values=question.hide_values)


def _shares(function: str, out: Array, p: float) -> Finding | None:
    """Whether as many are kept as should be, and each for itself."""
    mask = out != 0
    kept, size = int(mask.sum()), mask.size
    shared = _shared(function, mask, p) if 0 < kept < size else None
    if shared is not None:  # then fewer numbers were drawn than the odds below count on
        return shared
    if _odds(kept, size, 1 - p) < CHANCE:
        inverted = _odds(kept, size, p) >= PLAUSIBLE
        likely = "p is the probability to drop an element, not to keep it" if inverted else ""
        if kept == size:
            likely = "nothing is dropped: is this what happens at test time?"
        return finding(FindingCode.WRONG_RATE, function=function, dropped=size - kept, size=size, p=p, likely=likely)
    return None


def _shared(function: str, mask: Array, p: float) -> Finding | None:
    """Whether one draw serves all along an axis."""
    for axis in range(mask.ndim if mask.ndim > 1 else 0):
        first = np.take(mask, [0], axis=axis)
        if (mask == first).all() and _unlikely_twice(first, p, mask.shape[axis] - 1):
            problem = f"its mask is the same all along axis {axis}"
            return finding(FindingCode.SHARED_MASK, function=function, problem=problem, likely="draw an array like x")
    return None


def _odds(kept: int, size: int, share: float) -> float:
    """At most how likely a kept share at least so far off is, by chance (Chernoff's bound on a binomial's tails)."""
    seen = kept / size
    terms = [(seen, share), (1 - seen, 1 - share)]
    divergence = sum(a * math.log(a / b) for a, b in terms if a > 0)
    return min(1.0, 2 * math.exp(-size * divergence))


def _unlikely_twice(mask: Array, p: float, times: int = 1) -> bool:
    """Whether so many other draws of this mask are like it by chance less often than CHANCE."""
    alike = p * p + (1 - p) * (1 - p)
    return mask.size * times * math.log(alike) < math.log(CHANCE)


def _explained(wrong: Finding, slips: Factors, given: Array, mask: Array, p: float, actual: Any) -> Finding:
    """The finding with the slip that gives the student's numbers, element by element; as it was if none does."""
    found = np.asarray(actual, dtype=np.float64)
    for likely, slip in slips.items():
        if wrong.code in (FindingCode.WRONG_VALUE, FindingCode.WRONG_GRADIENT) and np.allclose(
            found, slip(given, mask, p), rtol=1e-9, atol=0.0
        ):
            return replace(wrong, likely=likely)
    return wrong


def _is_another_mask(up: Array, mask: Array, actual: Any) -> bool:
    """Whether the gradient is the upstream one, some dropped and the rest times one number, but by no such mask."""
    factors = np.asarray(actual, dtype=np.float64) / np.asarray(up)
    kept = factors[factors != 0]
    if not 0 < len(kept) < factors.size or not np.isfinite(kept).all():
        return False
    return bool(np.allclose(kept, kept[0], rtol=1e-9, atol=0.0) and np.any((factors != 0) != (mask != 0)))


def _forward_is_right(out: Any, wanted: Expected) -> bool:
    return all(result.passed for _, _, result in compare_leaves(out, _out(wanted)))


def _out(wanted: Expected) -> list[Leaf]:
    return expected_leaves("out", wanted.value, slack=None if wanted.slack is None else wanted.slack.value)


def _named(results: Any) -> list[tuple[str, Comparison]]:
    return [(leaf.name, result) for leaf, _, result in results]


def _mask(out: Any) -> Array:
    return np.asarray(np.asarray(out) != 0, dtype=np.float64)


def _x(question: Question) -> Array:
    return np.asarray(next(iter(question.case.inputs.values())))


def _p(question: Question) -> float:
    return float(question.case.arguments["p"])
