"""Known slips of going downhill: see grader/slips.py for what this file is and how it is read.

A slip of `descend` is looked for in the paths on the curve and in the valley too, and so is one of their derivatives.
Those of the checker say yes or no: they are told where they give every answer (grader.checks.verdicts).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from grader.slips import slip, straight_through, with_backward

Function = Callable[[Tensor], Tensor]

# What was done, or which rule is broken: by function, in the order of the reference.
_LOG1P = "log1p adds 1 by itself: what it is given must be 1 less"
_INNER = "the chain rule has two factors: what is in the logarithm must be differentiated too"
_POWERS = "look at the powers again: the exponent comes to the front, and is one less afterwards"
_OUTER = "the chain rule has two factors: the logarithm must be differentiated too, at what is in it"
_SUM = "the logarithm of a sum is not the sum of the logarithms: differentiate the whole, by the chain rule"
_EACH_ENTRY = "df works entry by entry, and its result has the shape of x: do not sum"
_ANY_GRADIENT = "call the gradient that is handed over: descend is for any function"
_OWN_RATE = "use the rate that is handed over, not one of your own"
_LENGTH = "a step is the rate times the gradient, long where it is steep: do not divide by its length"
_ANEW = "ask for the gradient anew in every step, at the point that was reached"
_IN_PLACE = "x -= ... changes the array that is already in the path: make a new one in every step"
_MOMENTUM = "this is momentum: a step is the rate times the gradient, and nothing of the step before"
_TEN = "the square of y - x^2 has the factor 10 in this valley"
_TWO = "the derivative of a square has the factor 2"
_INNER_X = "the inner derivative of x^2 is a function of x, not a number"
_INNER_SIGN = "the inner derivative of what x is subtracted in has a minus"
_BOTH_TERMS = "x is in the second term too: there the chain rule goes through x^2"
_ORDER = "first the derivative by x, then that by y, as p holds them"
_BOTH = "go as far to the left as to the right, and divide by the whole way: one-sided differences are less exact"
_BACK = "each component is moved from where x is: put one back before you move the next"
_OWN_STEP = "use the step h that is handed over, not one of your own"
_SAY_NO = "a checker must say no too: try yours on a gradient that is wrong"
_ALL_REJECTED = (
    "try it on a right gradient, and print the differences beside it: they are wrong, "
    "or the step is far too large or far too small, or no error is small enough"
)
_ALL_COMPONENTS = "all components must be right, not any of them"
_EVERY = "look at all components: any of them may be wrong"
_ABSOLUTE = "an error may be negative: compare its absolute value"
_CANCEL = "errors of several components cancel in a sum: compare component by component"
_ELSEWHERE = "two gradients may be as long and point elsewhere: compare component by component"
_ONE_SIDED = "it compares with one-sided differences, whose own error is too large: take central ones"
_WRONG = "the differences that it compares with are wrong: look at central_difference, and at how it is called"
_ROUNDING = "the step is far too small: f(x + h) and f(x - h) differ by little more than rounding"
_SHARE = "the tolerance is an absolute one: what is a small error depends on the size of f"
_FLAT = "where a slope is 0 an error is no share of it: measure errors by the size of f as well"
_LOOSE = "the tolerance is too large: an error of a thousandth must be found"

# ------------------------------------------------------------------------------------------------------ f: its value


@slip("f", pattern="the logarithm is that to base 10", likely="log is the natural logarithm, and so is its derivative")
def f_base_ten(x: Tensor) -> Tensor:
    return straight_through(reference.f(x) / math.log(10), reference.f(x))


@slip("f", pattern="there is 1 too much in the logarithm", likely=_LOG1P)
def f_log1p(x: Tensor) -> Tensor:
    return torch.log1p(x**4 + x**3 + 2)


# ------------------------------------------------------------------------------------------------- f: its derivative


def _sloped(x: Tensor, slope: Tensor) -> Tensor:
    """The function f with another derivative, entry by entry."""
    return straight_through(reference.f(x), slope.detach() * x)


def _inner(x: Tensor) -> Tensor:
    return x**4 + x**3 + 2


def _inner_slope(x: Tensor) -> Tensor:
    return 4 * x**3 + 3 * x**2


@slip("f", pattern="the 2 is still there in the derivative", likely="the derivative of a constant is 0")
def df_constant_kept(x: Tensor) -> Tensor:
    return _sloped(x, (_inner_slope(x) + 2) / _inner(x))


@slip("f", pattern="it is divided by f", likely="divide by what is in the logarithm, not by the logarithm")
def df_divides_by_f(x: Tensor) -> Tensor:
    return _sloped(x, _inner_slope(x) / _inner(x).log())


@slip("f", pattern="the logarithm is differentiated, what is in it is not", likely=_INNER)
def df_inner_missing(x: Tensor) -> Tensor:
    return _sloped(x, 1 / _inner(x))


@slip("f", pattern="what is in the logarithm is differentiated, the logarithm is not", likely=_OUTER)
def df_outer_missing(x: Tensor) -> Tensor:
    return _sloped(x, _inner_slope(x))


@slip("f", pattern="each term of the sum has a logarithm of its own", likely=_SUM)
def df_sum_of_logarithms(x: Tensor) -> Tensor:
    return _sloped(x, 4 / x + 3 / x)


@slip("f", pattern="the derivative of the cube has the factor 2", likely=_POWERS)
def df_cube_by_two(x: Tensor) -> Tensor:
    return _sloped(x, (4 * x**3 + 2 * x**2) / _inner(x))


@slip("f", pattern="the derivatives of the powers have their old exponents", likely=_POWERS)
def df_exponents_kept(x: Tensor) -> Tensor:
    return _sloped(x, (4 * x**4 + 3 * x**3) / _inner(x))


@slip("f", pattern="the derivative is the sum of the slopes at all entries", likely=_EACH_ENTRY)
def df_summed(x: Tensor) -> Tensor:
    return _sloped(x, (_inner_slope(x) / _inner(x)).sum())


# ----------------------------------------------------------------------------------------------------------- descend


def _walk(start: Tensor, steps: int, step: Callable[[Tensor, int], Tensor]) -> list[Tensor]:
    path = [start]
    for number in range(steps):
        path.append(path[-1] - step(path[-1], number))
    return path


def _slope(function: int | Function) -> Function:
    of = reference.FUNCTIONS[function] if isinstance(function, int) else function
    return lambda x: reference._gradient(of, x)


@slip("descend", pattern="the steps follow the slope of f, whatever is handed over", likely=_ANY_GRADIENT)
def descend_by_df(start: Tensor, function: Any, rate: float, steps: int) -> list[Tensor]:
    return reference.descend(start, lambda x: reference.f(x).sum(), rate, steps)


@slip("descend", pattern="all steps are the same: the gradient is that of the start", likely=_ANEW)
def descend_first_gradient(start: Tensor, function: Any, rate: float, steps: int) -> list[Tensor]:
    first = _slope(function)(start)
    return _walk(start, steps, lambda x, _: rate * first)


@slip("descend", pattern="every point of the path is the last one", likely=_IN_PLACE)
def descend_in_place(start: Tensor, function: Any, rate: float, steps: int) -> list[Tensor]:
    return [reference.descend(start, function, rate, steps)[-1]] * (steps + 1)


@slip("descend", pattern="nine tenths of each step are kept for the next", likely=_MOMENTUM)
def descend_momentum(start: Tensor, function: Any, rate: float, steps: int) -> list[Tensor]:
    slope, velocity = _slope(function), [torch.zeros_like(start)]

    def step(x: Tensor, _: int) -> Tensor:
        velocity.append(0.9 * velocity[-1] + rate * slope(x))
        return velocity[-1]

    return _walk(start, steps, step)


@slip("descend", pattern="the rate is 0.1 in all cases", likely=_OWN_RATE)
def descend_rate_tenth(start: Tensor, function: Any, rate: float, steps: int) -> list[Tensor]:
    return reference.descend(start, function, 0.1, steps)


@slip("descend", pattern="all steps are as long as the rate", likely=_LENGTH)
def descend_unit_steps(start: Tensor, function: Any, rate: float, steps: int) -> list[Tensor]:
    slope = _slope(function)
    return _walk(start, steps, lambda x, _: rate * slope(x) / (slope(x).norm() + 1e-12))


@slip("descend", pattern="the steps go uphill", likely="the gradient points uphill: subtract it")
def descend_uphill(start: Tensor, function: Any, rate: float, steps: int) -> list[Tensor]:
    return reference.descend(start, function, -rate, steps)


# ------------------------------------------------------------------------------------------------------------ valley


def _valley(p: Tensor, dx: Tensor, dy: Tensor) -> Tensor:
    """The valley with another gradient."""
    slopes = torch.stack([dx, dy]).detach()
    return with_backward(reference.valley(p), lambda g: (g * slopes,), p)


def _parts(p: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x, y - x^2, and the two derivatives."""
    x, y = p
    off = y - x**2
    return x, off, -2 * (1 - x) - 40 * x * off, 20 * off


@slip("valley", pattern="the factor is 100", likely=_TEN)
def valley_hundred(p: Tensor) -> Tensor:
    x, y = p
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


@slip("valley", pattern="in the derivative by x, the second term lacks its factor x", likely=_INNER_X)
def valley_inner_x_missing(p: Tensor) -> Tensor:
    x, off, _, dy = _parts(p)
    return _valley(p, -2 * (1 - x) - 40 * off, dy)


@slip("valley", pattern="both derivatives are half of what they must be", likely=_TWO)
def valley_halved(p: Tensor) -> Tensor:
    _, _, dx, dy = _parts(p)
    return _valley(p, dx / 2, dy / 2)


@slip("valley", pattern="in the derivative by x, the first term has the other sign", likely=_INNER_SIGN)
def valley_first_sign(p: Tensor) -> Tensor:
    x, off, _, dy = _parts(p)
    return _valley(p, 2 * (1 - x) - 40 * x * off, dy)


@slip("valley", pattern="the derivative by x is that of the first term alone", likely=_BOTH_TERMS)
def valley_x_counted_once(p: Tensor) -> Tensor:
    x, _, _, dy = _parts(p)
    return _valley(p, -2 * (1 - x), dy)


@slip("valley", pattern="the two derivatives stand in each other's place", likely=_ORDER)
def valley_swapped(p: Tensor) -> Tensor:
    _, _, dx, dy = _parts(p)
    return _valley(p, dy, dx)


# ------------------------------------------------------------------------------------------------------- differences


def _differences(of: Function, x: Tensor, up: float, down: float, divisor: float) -> Tensor:
    """(of(x + up e_d) - of(x - down e_d)) / divisor, for each component d."""
    sides = torch.eye(len(x), dtype=x.dtype)
    return torch.stack([(of(x + up * side) - of(x - down * side)) / divisor for side in sides])


def _none_put_back(of: Function, x: Tensor, h: float) -> Tensor:
    moved = [x - h * (torch.arange(len(x)) < d) for d in range(len(x) + 1)]
    sides = 2 * h * torch.eye(len(x), dtype=x.dtype)
    return torch.stack([(of(after + side) - of(after)) / (2 * h) for after, side in zip(moved[1:], sides, strict=True)])


@slip("differences", pattern="the differences go to one side only", likely=_BOTH)
def differences_right(x: Tensor, function: int, h: float) -> Tensor:
    return _differences(reference.FUNCTIONS[function], x, h, 0, h)


@slip("differences", pattern="the differences are divided by h", likely="the two points are 2h apart: divide by that")
def differences_by_h(x: Tensor, function: int, h: float) -> Tensor:
    return 2 * reference.central_difference(x, function, h)


@slip("differences", pattern="components that were moved stay where they are", likely=_BACK)
def differences_not_put_back(x: Tensor, function: int, h: float) -> Tensor:
    return _none_put_back(reference.FUNCTIONS[function], x, h)


@slip("differences", pattern="they do not depend on h: the step is another, small one", likely=_OWN_STEP)
def differences_own_h(x: Tensor, function: int, h: float) -> Tensor:
    return reference.central_difference(x, function, 1e-5)


# ------------------------------------------------------------------------------------------- check: answers yes or no

Test = Callable[[Tensor, Tensor, float], bool]
"""(claimed gradient, right one or differences, size of value and slopes) -> whether it is accepted."""
Numbers = Callable[[Function, Tensor], Tensor]
TOLERANCE = 1e-5


def _verdicts(args: Sequence[Any], test: Test, numbers: Numbers | None = None) -> Tensor:
    """A checker's answers; what it compares with is the right gradient, or these numbers."""
    x, wrong, component, function, scale, factor, shift, turn = args
    answers = []
    for row, damaged, at in zip(x, wrong, component, strict=True):
        of = _scaled(reference.FUNCTIONS[function], scale)
        claimed = truth = reference._gradient(of, row)
        if damaged:
            claimed = factor * (truth.roll(1) if turn else truth)
            claimed[at] += shift * scale
        found = truth if numbers is None else numbers(of, row)
        answers.append(bool(test(claimed, found, max(float(of(row).abs()), float(found.abs().max())))))
    return torch.tensor(answers)


def _scaled(of: Function, scale: float) -> Function:
    return lambda x: scale * of(x)


def _near(claimed: Tensor, found: Tensor, size: float) -> bool:
    return bool((claimed - found).abs().max() <= TOLERANCE * size)


def _central(of: Function, x: Tensor, h: float = 1e-5) -> Tensor:
    return _differences(of, x, h, h, 2 * h)


@slip("check", pattern="everything is accepted", likely=_SAY_NO)
def check_accepts_all(*args: Any) -> Tensor:
    return _verdicts(args, lambda *_: True)


@slip("check", pattern="everything is rejected", likely=_ALL_REJECTED)
def check_accepts_none(*args: Any) -> Tensor:
    return _verdicts(args, lambda *_: False)


@slip("check", pattern="accepted is what has one right component", likely=_ALL_COMPONENTS)
def check_any_component(*args: Any) -> Tensor:
    return _verdicts(args, lambda a, n, size: bool(((a - n).abs() <= TOLERANCE * size).any()))


@slip("check", pattern="only the first component is looked at", likely=_EVERY)
def check_first_component(*args: Any) -> Tensor:
    return _verdicts(args, lambda a, n, size: _near(a[:1], n[:1], size))


@slip("check", pattern="what is too small is accepted", likely=_ABSOLUTE)
def check_negative_errors(*args: Any) -> Tensor:
    return _verdicts(args, lambda a, n, size: bool((a - n).max() <= TOLERANCE * size))


@slip("check", pattern="what is too large is accepted", likely=_ABSOLUTE)
def check_positive_errors(*args: Any) -> Tensor:
    return _verdicts(args, lambda a, n, size: bool((n - a).max() <= TOLERANCE * size))


@slip("check", pattern="accepted is what has the right sum", likely=_CANCEL)
def check_sums(*args: Any) -> Tensor:
    return _verdicts(args, lambda a, n, size: _near(a.sum(), n.sum(), size))


@slip("check", pattern="accepted is what has the right length", likely=_ELSEWHERE)
def check_lengths(*args: Any) -> Tensor:
    return _verdicts(args, lambda a, n, size: _near(a.norm(), n.norm(), size))


@slip("check", pattern="right gradients are rejected where the slope changes fast", likely=_ONE_SIDED)
def check_one_sided_large(*args: Any) -> Tensor:
    return _verdicts(args, _near, lambda of, x: _differences(of, x, 1e-4, 0, 1e-4))


@slip("check", pattern="right gradients are rejected where the slope changes fast", likely=_ONE_SIDED)
def check_one_sided(*args: Any) -> Tensor:
    return _verdicts(args, _near, lambda of, x: _differences(of, x, 1e-5, 0, 1e-5))


@slip("check", pattern="right gradients are rejected where one component acts on another", likely=_BACK)
def check_not_put_back(*args: Any) -> Tensor:
    return _verdicts(args, _near, lambda of, x: _none_put_back(of, x, 1e-5))


@slip("check", pattern="gradients are accepted that are twice the right ones", likely=_WRONG)
def check_twice(*args: Any) -> Tensor:
    return _verdicts(args, _near, lambda of, x: 2 * _central(of, x))


@slip("check", pattern="gradients of the other sign are accepted", likely=_WRONG)
def check_other_sign(*args: Any) -> Tensor:
    return _verdicts(args, _near, lambda of, x: -_central(of, x))


@slip("check", pattern="nearly all right gradients are rejected", likely=_ROUNDING)
def check_small_step(*args: Any) -> Tensor:
    return _verdicts(args, _near, lambda of, x: _central(of, x, 1e-14))


@slip("check", pattern="large functions are rejected, small ones accepted, right or wrong", likely=_SHARE)
def check_absolute(*args: Any) -> Tensor:
    return _verdicts(args, lambda a, n, _: _near(a, n, 1.0), _central)


@slip("check", pattern="errors are accepted where f is small, slopes of 0 rejected where it is large", likely=_SHARE)
def check_allclose(*args: Any) -> Tensor:
    return _verdicts(args, lambda a, n, _: torch.allclose(a, n, TOLERANCE, 1e-8), _central)


@slip("check", pattern="right gradients are rejected that are 0 in a component", likely=_FLAT)
def check_relative(*args: Any) -> Tensor:
    return _verdicts(args, lambda a, n, size: _near(a, n, size) and bool((a.abs() > TOLERANCE * size).all()))


@slip("check", pattern="right gradients are rejected that are 0 in a component, but where f is small", likely=_FLAT)
def check_relative_with_floor(*args: Any) -> Tensor:
    return _verdicts(
        args, lambda a, n, _: bool(((a - n).abs() < 1e-5 * (a.abs() + n.abs()).clamp(1e-8)).all()), _central
    )


@slip("check", pattern="small errors are accepted", likely=_LOOSE)
def check_loose(*args: Any) -> Tensor:
    return _verdicts(args, lambda a, n, size: _near(a, n, 500 * size))
