"""Runs an expression graph with the student's class: operators and methods in the given order, then backward().

Nothing is judged here. What comes back is what the student's objects hold; the judge compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

__all__ = ["run"]

_OPERATIONS: Mapping[str, Callable[[Any, Any, Any], Any]] = MappingProxyType({
    "add": lambda a, b, _: a + b,
    "sub": lambda a, b, _: a - b,
    "mul": lambda a, b, _: a * b,
    "div": lambda a, b, _: a / b,
    "matmul": lambda a, b, _: a @ b,
    "add_number": lambda a, _, to: a + to,
    "number_add": lambda a, _, to: to + a,
    "sub_number": lambda a, _, to: a - to,
    "number_sub": lambda a, _, to: to - a,
    "mul_number": lambda a, _, to: a * to,
    "number_mul": lambda a, _, to: to * a,
    "div_number": lambda a, _, to: a / to,
    "number_div": lambda a, _, to: to / a,
    "pow": lambda a, _, to: a**to,
    "neg": lambda a, _, to: -a,
    "exp": lambda a, _, to: a.exp(),
    "log": lambda a, _, to: a.log(),
    "tanh": lambda a, _, to: a.tanh(),
    "relu": lambda a, _, to: a.relu(),
    "sum": lambda a, _, to: a.sum(axis=to[0], keepdims=to[1]),
    "mean": lambda a, _, to: a.mean(axis=to[0], keepdims=to[1]),
    "reshape": lambda a, _, to: a.reshape(to),
    "transpose": lambda a, _, to: a.transpose(to),
    "index": lambda a, _, to: a[_key(to)],
    "take": lambda a, _, to: a[list(to)],
})  # fmt: skip
"""By first operand, second (or once more the first) and setting."""


def run(kind: Any, program: tuple[Any, ...], *arrays: Any) -> tuple[list[Any], list[Any], tuple[Any, ...]]:
    """Build the leaves, take the steps, call backward().

    Args:
        kind: the student's class.
        program: number of leaves; steps as (name, operands, setting); calls of backward() as (node, with a gradient?).
        arrays: data of the leaves, then the gradients that backward() is given.

    Returns:
        The data of each step, the grad of each leaf (none where nothing was to be differentiated), and, where a step
        gave something that is not of the student's class, that: the steps end before it.
    """
    count, steps, calls = program
    nodes = [kind(array) for array in arrays[:count]]
    leaves, gradients = nodes[:], list(arrays[count:])
    own = kind if issubclass(type(kind), type) else type(nodes[0])  # or a function that makes them
    for name, operands, setting in steps:
        result = _OPERATIONS[name](nodes[operands[0]], nodes[operands[-1]], setting)
        if not issubclass(type(result), own):
            return [node.data for node in nodes[count:]], [], (result,)
        nodes.append(result)
    for node, given in calls:
        nodes[node].backward(*([gradients.pop(0)] if given else ()))
    return [node.data for node in nodes[count:]], [leaf.grad for leaf in leaves] if calls else [], ()


def _key(parts: tuple[Any, ...]) -> Any:
    """An index as it is written: a[1], a[0:2], a[1, 0:2]."""
    key = tuple([slice(*part) if type(part) is tuple else part for part in parts])
    return key[0] if len(key) == 1 else key
