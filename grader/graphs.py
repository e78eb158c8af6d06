"""Expression graphs: what an engine of automatic differentiation is asked to compute, as data.

A Graph holds leaves (arrays), steps (operations over earlier results) and the nodes on which backward() is called, one
after the other. The same value is drawn by the judge (grader.random_graphs), evaluated here on NumPy or torch arrays
alike, run with the student's class beside the student's code (grader.sandbox.engine, which is given integers, floats
and names), made smaller while it still fails (grader.checks.shrinking), and shown as the Python that it stands for.

Nodes are numbered: leaves first, then steps in order. What is called `a` in a message is node 0, `b` node 1, ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, assert_never

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from grader.operations import Operation

__all__ = [
    "Backward",
    "Graph",
    "Step",
    "as_code",
    "evaluate",
    "expression",
    "name_of",
    "pruned",
    "total",
]

Array: TypeAlias = NDArray[Any]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_MOST_LINES = 14
"""Of a graph's code. A longer one shows its first and last steps."""
_MOST_NUMBERS = 24
"""Of an array in the code; of a larger one the shape is shown."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation over earlier nodes."""

    operation: Operation
    operands: tuple[int, ...]
    setting: Any = None
    """A number for those that are named for one; (axis, keepdims) of a sum or a mean; the shape or the order of the
    axes; of an index a tuple of ints and (start, stop) pairs, and of TAKE the rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Backward:
    """A call of backward() on a node."""

    node: int
    gradient: Array | None = None
    """Of the node's shape; None: called without, which means ones."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Graph:
    """An expression graph with the numbers in it."""

    leaves: tuple[Array, ...]
    steps: tuple[Step, ...]
    backwards: tuple[Backward, ...] = ()

    @property
    def gradients(self) -> tuple[Array, ...]:
        """Gradients that backward() is given, in order."""
        return tuple(call.gradient for call in self.backwards if call.gradient is not None)

    @property
    def program(self) -> tuple[Any, ...]:
        """All but the arrays, as it goes to the student's process: tuples of names, numbers and None."""
        return (
            len(self.leaves),
            tuple((str(step.operation), step.operands, step.setting) for step in self.steps),
            tuple((call.node, call.gradient is not None) for call in self.backwards),
        )


def evaluate(graph: Graph, leaves: Sequence[Any] | None = None) -> list[Any]:
    """Values of all nodes.

    Args:
        graph: what to evaluate.
        leaves: NumPy arrays or torch tensors in place of the graph's own leaves.

    Raises:
        ValueError: shapes don't fit together, or an index is out of range.
    """
    nodes = list(graph.leaves if leaves is None else leaves)
    for step in graph.steps:
        try:
            nodes.append(_value(step, [nodes[index] for index in step.operands]))
        except IndexError as error:
            raise ValueError(str(error)) from error
    return nodes


def _value(step: Step, operands: Sequence[Any]) -> Any:
    """The definition of each operation, in the words of the array API: for NumPy and torch alike."""
    x, y, to = operands[0], operands[-1], step.setting
    xp = array_namespace(x)
    match step.operation:
        case Operation.ADD:
            return x + y
        case Operation.SUB:
            return x - y
        case Operation.MUL:
            return x * y
        case Operation.DIV:
            return x / y
        case Operation.MATMUL:
            return xp.matmul(x, y)
        case Operation.ADD_NUMBER | Operation.NUMBER_ADD:
            return x + to
        case Operation.SUB_NUMBER:
            return x - to
        case Operation.NUMBER_SUB:
            return to - x
        case Operation.MUL_NUMBER | Operation.NUMBER_MUL:
            return x * to
        case Operation.DIV_NUMBER:
            return x / to
        case Operation.NUMBER_DIV:
            return to / x
        case Operation.POW:
            return x**to
        case Operation.NEG:
            return -x
        case Operation.EXP:
            return xp.exp(x)
        case Operation.LOG:
            return xp.log(x)
        case Operation.TANH:
            return xp.tanh(x)
        case Operation.RELU:
            return xp.where(x > 0, x, xp.zeros_like(x))
        case Operation.SUM:
            return xp.sum(x, axis=to[0], keepdims=to[1])
        case Operation.MEAN:
            return xp.mean(x, axis=to[0], keepdims=to[1])
        case Operation.RESHAPE:
            return xp.reshape(x, to)
        case Operation.TRANSPOSE:
            return xp.permute_dims(x, to)
        case Operation.INDEX:
            return x[tuple(slice(*part) if isinstance(part, tuple) else part for part in to)]
        case Operation.TAKE:
            return x[list(to)]
        case _:
            assert_never(step.operation)


def total(graph: Graph, nodes: Sequence[Any]) -> Any:
    """The number whose gradient all the calls of backward() add up to: Σ gradient * value over their nodes."""
    return sum(np.sum(nodes[call.node] * (1.0 if call.gradient is None else call.gradient)) for call in graph.backwards)


def pruned(graph: Graph) -> Graph:
    """The graph without the leaves and steps that no call of backward() needs."""
    count = len(graph.leaves)
    needed = {call.node for call in graph.backwards}
    for node in range(count + len(graph.steps) - 1, count - 1, -1):
        if node in needed:
            needed |= set(graph.steps[node - count].operands)
    number = {node: index for index, node in enumerate(sorted(needed))}
    return Graph(
        leaves=tuple(leaf for index, leaf in enumerate(graph.leaves) if index in needed),
        steps=tuple(
            replace(step, operands=tuple(number[operand] for operand in step.operands))
            for index, step in enumerate(graph.steps, start=count)
            if index in needed
        ),
        backwards=tuple(replace(call, node=number[call.node]) for call in graph.backwards),
    )


# ---------------------------------------------------------------------------------------------------------- as Python


def as_code(graph: Graph, kind: str, *, hide_values: bool = False) -> str:
    """The graph as a student would type it; runs as it stands, unless something had to be left out.

    Args:
        graph: what to show.
        kind: name of the student's class.
        hide_values: shapes only.
    """
    leaves = [
        f"{name_of(node)} = {kind}({_array(leaf, hide_values)}){_shape(leaf, hide_values)}"
        for node, leaf in enumerate(graph.leaves)
    ]
    steps = [f"{name_of(node)} = {expression(step)}" for node, step in enumerate(graph.steps, start=len(leaves))]
    if len(steps) > _MOST_LINES:
        left = len(steps) - _MOST_LINES
        steps = [*steps[: _MOST_LINES // 2], f"...  # {left} more steps", *steps[-_MOST_LINES // 2 :]]
    calls = [
        f"{name_of(call.node)}.backward({'' if call.gradient is None else _array(call.gradient, hide_values)})"
        for call in graph.backwards
    ]
    return "\n".join([*leaves, *steps, *calls])


def name_of(node: int) -> str:
    """A node's name: a to z, then t26, t27, ..."""
    return _LETTERS[node] if node < len(_LETTERS) else f"t{node}"


def _array(array: Array, hide_values: bool) -> str:
    if hide_values or array.size > _MOST_NUMBERS:
        return "..." if array.ndim == 0 else f"... of shape {array.shape}"
    return f"np.array({array.tolist()!r})"


def _shape(array: Array, hide_values: bool) -> str:
    return f"  # shape {array.shape}" if not hide_values and 1 < array.size <= _MOST_NUMBERS and array.ndim > 1 else ""


_INFIX = {
    Operation.ADD: "{a} + {b}",
    Operation.SUB: "{a} - {b}",
    Operation.MUL: "{a} * {b}",
    Operation.DIV: "{a} / {b}",
    Operation.MATMUL: "{a} @ {b}",
    Operation.ADD_NUMBER: "{a} + {to}",
    Operation.NUMBER_ADD: "{to} + {a}",
    Operation.SUB_NUMBER: "{a} - {to}",
    Operation.NUMBER_SUB: "{to} - {a}",
    Operation.MUL_NUMBER: "{a} * {to}",
    Operation.NUMBER_MUL: "{to} * {a}",
    Operation.DIV_NUMBER: "{a} / {to}",
    Operation.NUMBER_DIV: "{to} / {a}",
    Operation.POW: "{a} ** {to}",
    Operation.NEG: "-{a}",
}


def expression(step: Step) -> str:
    """A step as Python: a + b, a.sum(axis=0, keepdims=False)."""
    a, b, to = name_of(step.operands[0]), name_of(step.operands[-1]), step.setting
    if step.operation in _INFIX:
        shown = f"({to})" if step.operation is Operation.POW and to < 0 else to
        return _INFIX[step.operation].format(a=a, b=b, to=shown)
    match step.operation:
        case Operation.SUM | Operation.MEAN:
            return f"{a}.{step.operation}(axis={to[0]}, keepdims={to[1]})"
        case Operation.RESHAPE | Operation.TRANSPOSE:
            return f"{a}.{step.operation}({to})"
        case Operation.INDEX:
            return f"{a}[{', '.join(_part(part) for part in to)}]"
        case Operation.TAKE:
            return f"{a}[{list(to)}]"
        case _:
            return f"{a}.{step.operation}()"


def _part(part: int | tuple[int | None, int | None]) -> str:
    return ":".join("" if end is None else str(end) for end in part) if isinstance(part, tuple) else str(part)
