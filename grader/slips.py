"""Known slips: references that are wrong on purpose, by which a wrong answer is recognised and its cause named.

A pattern of one array (grader.numerics.diagnosis) names the cause of a sum for a mean. It can't name that of a batch
norm whose variance is taken for a constant: the numbers are not the right ones times anything. So a course writes down
the mistakes that it knows, as torch functions of the same signature as the right one, and where a student's arrays
equal those of a slip, every element of every array that the check compares, the student is told which it is.

How to write one. The manifest names a file of the reference folder, `slips = "slips/mlp.py"`; in it, forward only:

    import torch
    from grader.slips import slip, straight_through

    @slip("relu", pattern="what the array looks like", likely="what was done, or what to do instead")
    def relu_leaks(x):
        return torch.where(x > 0, x, 0.01 * x)

`@slip` names the exercises, one or several, or a tuple of them that the file defines: `@slip(*_NETS, ...)`. autograd
makes the wrong gradient of a wrong forward. `reference` is the module of the right functions (put there, not imported):
a slip often is `reference.relu(x)` and a little more.

A wrong backward of a right forward is a function of the right value and another gradient:

    straight_through(value, slope)   the value of the first, the gradient of the second: a formula that was derived for
                                     something else. `straight_through(reference.relu(x), x)` forgets the mask
    on_the_way_back(x, change)       x, but its gradient is change(gradient). `on_the_way_back(x, lambda g: g / len(g))`
                                     in the argument of the right function: dx is averaged over the batch
    x.detach()                       inside the right function: a path is forgotten. The mean of a batch norm with
                                     `x.detach().var(0)` for the variance takes that for a constant
    with_backward(value, back, *inputs)  what fits none of these: any backward, written out

which are below. The slip of a *step* makes another torch.optim.Optimizer (its state[leaf] has the same
fields); that of a *training* is another training function; that of a *function* has no gradient.

What is for free: a slip of `affine` is looked for in every exercise whose reference calls `affine` (a network, its
training), in each call and in all, and the message says in which. So a catalogue is of layers, and needs of networks
only what is wrong between the layers. Where exercises share a reference, the layer's name is that which `@slip` has
first; and where a second right reference of an exercise (also_right) calls the first, its slips are the exercise's own.

A mistake that is made forward alone and forward and backward is two slips, and both give the same result in a forward
check: where they have the same `likely`, they are one cause, told with the pattern of the first. So the one of the
forward alone comes first, and its pattern speaks of the result. Of a gradient, a slip with a wrong value is found only
where the student's value is the same.

What to know when choosing the words. `pattern` says what can be seen in the arrays, `likely` what the student did. Both
are shown of a hidden case too, so neither holds numbers. A pattern that names one cause for all wrong arrays
(every gradient is 1/N of the right one) is told in the place of a slip, but not in a network: such a slip is of use
there. Where several slips with
different words give the same arrays in a case, two are told with "or", and more are not told (grader.checks.slips).

Of a yes or no one array says little: a slip of such a function is told where it gives all answers of all cases so far
(grader.checks.verdicts).

A slip that raises, or whose arrays have other shapes, is not found; no student is hurt by it. tests/test_slips.py holds
that each runs, and gives something else than the reference in a visible case.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

__all__ = ["Slip", "Variant", "declared", "on_the_way_back", "slip", "slips_in", "straight_through", "with_backward"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slip:
    """A wrong reference, and what is said of it."""

    name: str
    exercises: tuple[str, ...]
    pattern: str
    likely: str
    function: Callable[..., Any]

    def __call__(self, *args: Any, **options: Any) -> Any:
        """As the function: one slip may be made of another."""
        return self.function(*args, **options)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Variant:
    """A reference with a slip in it: the slip itself, or a slip of another exercise's reference that it calls."""

    slip: Slip
    replaced: str
    """Name of the reference function in whose place the slip stands."""
    layer: str = ""
    """Exercise that the slip is of; empty where that is the exercise itself."""
    call: int = 0
    """Which call of it is replaced, from 1 on; 0 for all of them."""
    of: int = 1
    """How many there are."""

    @property
    def key(self) -> tuple[str, str, int]:
        """For caches."""
        return self.slip.name, self.replaced, self.call

    @property
    def where(self) -> str:
        """`in the 2nd call of affine: `, in front of what is said of the slip."""
        if not self.layer:
            return ""
        return f"in the {_ordinal(self.call)} call of {self.layer}: " if self.call else f"in {self.layer}: "


def slip(*exercises: str, pattern: str, likely: str) -> Callable[[Callable[..., Any]], Slip]:
    """Declare a wrong reference of these exercises."""

    def declare(function: Callable[..., Any]) -> Slip:
        name = function.__name__
        return Slip(name=name, exercises=exercises, pattern=pattern, likely=likely, function=function)

    return declare


def slips_in(module: ModuleType) -> tuple[Slip, ...]:
    """The slips that a module declares, in its order."""
    return tuple(value for value in vars(module).values() if isinstance(value, Slip))


def straight_through(value: Any, slope: Any) -> Any:
    """The value of the first tensor and the gradient of the second, which has its shape."""
    return value.detach() + (slope - slope.detach())


def on_the_way_back(x: Any, change: Callable[[Any], Any]) -> Any:
    """The tensor itself, whose gradient goes through `change`."""
    if not x.requires_grad:
        return x
    passed = x * 1
    passed.register_hook(change)
    return passed


def with_backward(value: Any, back: Callable[[Any], Sequence[Any]], *inputs: Any) -> Any:
    """The value of a tensor, whose gradients for the inputs are what `back` makes of the upstream gradient.

    As a student writes it: nothing holds that it is the derivative of anything.
    """
    made: list[Any] = []
    passed = [on_the_way_back(x, partial(_nth, made, number)) for number, x in enumerate(inputs)]
    out = value.detach() + 0 * sum(x.nan_to_num(0, 0, 0).sum() for x in passed)  # scores of -inf are no numbers
    if out.requires_grad:
        out.register_hook(lambda gradient: made.__setitem__(slice(None), back(gradient)))
    return out


def _nth(made: list[Any], number: int, gradient: Any) -> Any:
    """What was made for an input, in the place of the gradient that came."""
    return made[number]


def declared(text: bytes) -> Iterator[tuple[str, str]]:
    """(function, exercise) for each that a file names in so many words, or by a tuple of them. Nothing of it is run.

    Raises:
        SyntaxError, ValueError: it does not parse, or declares two slips of one name.
    """
    tree = ast.parse(text)
    functions = [
        (node.name, call)
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for call in node.decorator_list
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] == "slip"
    ]
    for name, count in Counter(name for name, _ in functions).items():
        if count > 1:
            raise ValueError(f"there are two slips named {name}")
    families = {
        target.id: [item.value for item in node.value.elts if isinstance(item, ast.Constant)]
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for name, call in functions:
        for argument in call.args:
            match argument:
                case ast.Constant(value=exercise):
                    yield name, str(exercise)
                case ast.Starred(value=ast.Name(id=family)):
                    yield from ((name, str(exercise)) for exercise in families.get(family, ()))


def _ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, ... 11th."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
