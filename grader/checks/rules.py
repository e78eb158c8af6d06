"""What the wrong rule of one operation computes: a product of powers of what the operation sees, found by trying all.

The rule of a product's gradient is `grad * b`; a student's is often another product of the same few things: `grad * a`,
`grad / b`, `b`. So the student's class is asked for one step on fresh numbers, and what it gives is held against every
such product, and a result against what the other operations give. What is told is what the student's own code computes,
and never what is right. A claim holds for each element; of those that hold the shortest is told.

Only of operations that go element by element, on arrays of one shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any, Final

import numpy as np

from grader.graphs import Array, Backward, Graph, Step, evaluate, expression, name_of
from grader.operations import Operation
from grader.random_graphs import draw_gradient, is_sound

__all__ = ["fresh", "gradient_rule", "value_rule"]

_LENGTH: Final = 5
"""Elements that a claim is about."""
_CLOSE: Final = 1e-10
"""Relative, of each of the elements: far above what rounding does to a product, far below what chance would bring."""
_NOT_BY_ELEMENT: Final = frozenset(
    (
        Operation.MATMUL, Operation.SUM, Operation.MEAN, Operation.RESHAPE, Operation.TRANSPOSE, Operation.INDEX,
        Operation.TAKE,
    )
)  # fmt: skip
_NUMBER: Final = "the number"
_SINGLE: Final = 2.0**-22
"""Relative error of a few roundings to float32."""
_ROUNDED: Final = "right to seven digits only: something in it is float32"


def fresh(step: Step) -> Graph | None:
    """A graph of this step alone, on other numbers; None where no claim can be made of it."""
    if step.operation in _NOT_BY_ELEMENT:
        return None
    count = step.operation.operands
    rng = np.random.default_rng(0)
    drawn = [draw_gradient((_LENGTH,), rng) for _ in range(count)]
    gradient = draw_gradient((_LENGTH,), rng)
    for leaves in (drawn, [np.abs(leaf) for leaf in drawn]):
        other = Graph(
            leaves=tuple(leaves),
            steps=(replace(step, operands=tuple(range(count))),),
            backwards=(Backward(count, gradient),),
        )
        if is_sound(other):
            return other
    return None


def value_rule(graph: Graph, actual: Any) -> str:
    """`c = a + b gives a - b`: what the student's result is, of a graph of fresh(); empty if it is nothing known."""
    (step,), names = graph.steps, _names(graph)
    given = f"{names[-1]} = {expression(step)} gives"
    for words, candidate in _values(graph, names):
        if _is(actual, candidate):
            return f"{given} {words}"
    moved = _moved(graph, actual)
    if moved:
        return f"{given} log({names[0]} + {moved:.3g})"
    right = np.asarray(evaluate(graph)[-1])
    return f"{names[-1]} = {expression(step)} is {_ROUNDED}" if _is(actual, right, _SINGLE) else ""


def _moved(graph: Graph, actual: Any) -> float:
    """What was added inside of a logarithm, if that is what it is; else 0."""
    given = np.asarray(actual)
    if graph.steps[0].operation is not Operation.LOG or given.shape != (_LENGTH,) or given.dtype.kind != "f":
        return 0.0
    with np.errstate(all="ignore"):
        added = np.exp(given) - graph.leaves[0]
    # Of so small a difference the last digits are gone.
    return float(added.mean()) if np.ptp(added) <= 1e-6 * abs(added.mean()) + 1e-15 else 0.0


def _values(graph: Graph, names: list[str]) -> Iterator[tuple[str, Array]]:
    """What the operands are and what other operations make of them, the shortest first."""
    (step,), leaves = graph.steps, [np.asarray(leaf) for leaf in graph.leaves]
    yield from zip(names, leaves, strict=False)
    yield "zeros", np.zeros(_LENGTH)
    yield "ones", np.ones(_LENGTH)
    orders = {step.operands, step.operands[::-1]}
    for operation in Operation:
        if operation in _NOT_BY_ELEMENT:
            continue
        for operands in sorted(orders) if operation.operands == 2 else [(leaf,) for leaf in range(len(leaves))]:
            if len(operands) != operation.operands:
                continue
            with np.errstate(all="ignore"):
                other = Step(operation, operands, step.setting if step.setting is not None else 2.0)
                value = np.asarray(evaluate(replace(graph, steps=(other,)))[-1])
            named = "_NUMBER" in operation.name or operation.name.startswith("NUMBER_") or operation is Operation.POW
            if not named or step.setting is not None:
                yield expression(other), value


def gradient_rule(graph: Graph, leaf: int, actual: Any, right: Any) -> str:
    """`a.grad becomes grad * a`: what the student's gradient of a leaf is; empty if it is nothing known.

    Args:
        graph: what fresh() made.
        leaf: its number.
        actual: what the student's class has as its gradient.
        right: what it should have.
    """
    (step,), names = graph.steps, _names(graph)
    if actual is None or not np.any(actual):
        return f"{names[leaf]} gets no gradient from {expression(step)}"
    things = _things(graph, names)
    for powers in sorted(product(*(range(-2, 3) for _ in things)), key=_size):
        with np.errstate(all="ignore"):
            value = np.prod([array**power for array, power in zip(things.values(), powers, strict=True)], axis=0)
        for sign in ("", "-"):
            if _is(actual, -value if sign else value):
                rule = f"{sign}{_words(dict(zip(things, powers, strict=True)))}"
                return (
                    f"{names[leaf]}.grad becomes {rule} (grad is the gradient of the result): not the derivative of "
                    f"{names[-1]} = {expression(step)}"
                )
    single = _is(actual, np.asarray(right), _SINGLE)
    return f"{names[leaf]}.grad is {_ROUNDED}, in {names[-1]} = {expression(step)}" if single else ""


def _things(graph: Graph, names: list[str]) -> Mapping[str, Array]:
    """What a rule may be a product of."""
    (step,), nodes = graph.steps, [np.asarray(node) for node in evaluate(graph)]
    assert graph.backwards[0].gradient is not None
    things = {"grad": graph.backwards[0].gradient, **dict(zip(names, nodes, strict=True))}
    out, (x, *_) = names[-1], nodes
    match step.operation:
        case Operation.TANH:
            things[f"(1 - {out}**2)"] = 1 - nodes[-1] ** 2
            del things[out]
            things[f"(1 - {out})"], things[f"(1 + {out}**2)"] = 1 - nodes[-1], 1 + nodes[-1] ** 2
            things[f"(1 - {names[0]}**2)"] = 1 - x**2
        case Operation.EXP:
            things[f"exp({out})"] = np.exp(nodes[-1])
        case Operation.RELU:
            del things[out]
            things[f"({names[0]} > 0)"] = (x > 0).astype(np.float64)
            things[f"({names[0]} < 0)"] = (x < 0).astype(np.float64)
        case _ if isinstance(step.setting, (int, float)):
            things[_NUMBER] = np.full(_LENGTH, float(step.setting))
        case _:
            pass
    return things


def _size(powers: tuple[int, ...]) -> tuple[int, ...]:
    """Short before long; and of two as long that with the gradient in it."""
    return sum(map(abs, powers)), sum(power < 0 for power in powers), -abs(powers[0]), *(-power for power in powers)


def _words(powers: Mapping[str, int]) -> str:
    def one(name: str, power: int) -> str:
        return name if power == 1 else f"{name}**{power}"

    above = [one(name, power) for name, power in powers.items() if power > 0]
    below = [one(name, -power) for name, power in powers.items() if power < 0]
    return " / ".join([" * ".join(above) or "1", *below])


def _names(graph: Graph) -> list[str]:
    return [name_of(node) for node in range(len(graph.leaves) + 1)]


def _is(actual: Any, wanted: Array, close: float = _CLOSE) -> bool:
    given = np.asarray(actual)
    if given.shape != wanted.shape or given.dtype.kind not in "biuf" or not np.isfinite(wanted).all():
        return False
    return bool(np.allclose(given, wanted, rtol=close, atol=0.0))
