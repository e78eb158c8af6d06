"""Random expression graphs, drawn so that a right engine can't lose digits on them.

Each step is drawn together with its value, and taken only where the operation is well behaved: logarithms of what is
well above zero, quotients by what is well away from it, a ReLU away from its kink, nothing large. Leaves are numbers
of two decimals, so that a graph can be shown, and typed, as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.graphs import Array, Backward, Graph, Step, evaluate, pruned
from grader.operations import Form, GraphSpec, Operation

__all__ = ["draw_gradient", "draw_graph", "is_sound"]

TRIES = 400
"""Of whole graphs."""
_ATTEMPTS = 20
"""Of one step."""
_LARGEST = 30.0
_LEAST = 0.02
_MOST_ELEMENTS = 400
_NUMBERS = (0.5, 1.5, 2.5, 3.0, -1.5, -2.0)
_POWERS = (2, 3, -1, -2, 0.5, 1.5)
_NEW_LEAF = 0.4
"""Chance that the second operand is a new leaf, where an earlier node would do."""
_ELSEWHERE = 0.4
"""Chance that the first operand is another node than the latest: of a tree a new leaf, where branches can join."""
_KEPT = 0.7
"""Share of the declared steps that must be needed for the outputs."""
_JOINING = {Operation.ADD, Operation.SUB, Operation.MUL, Operation.DIV}


def draw_graph(spec: GraphSpec, sizes: Mapping[str, int], rng: np.random.Generator) -> Graph | None:
    """A graph as declared; None where none was found (operations that no shape of these allows).

    Args:
        spec: operations, number of steps, shapes of leaves.
        sizes: of the axes that the shapes name.
        rng: of every draw.
    """
    match spec.form:
        case Form.LADDER:
            return _ladder(spec, sizes, rng)
        case _:
            wanted = set(spec.operations) if spec.nodes >= len(spec.operations) else set()
            for _ in range(TRIES):
                graph = _Drawing(spec, sizes, rng).graph()
                if graph is None or len(graph.steps) < _KEPT * spec.nodes:
                    continue
                if wanted <= {step.operation for step in graph.steps}:
                    return graph
            return None


def is_sound(graph: Graph) -> bool:
    """Whether every step is well behaved on these numbers."""
    try:
        with np.errstate(all="ignore"):
            nodes = evaluate(graph)
    except ValueError:
        return False
    steps = zip(graph.steps, nodes[len(graph.leaves) :], strict=True)
    return all(_sound(step, [nodes[index] for index in step.operands], value) for step, value in steps)


def draw_gradient(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """An upstream gradient: nothing that is zero, or equal throughout."""
    return _decimals(shape, rng, positive=False)


def _decimals(shape: tuple[int, ...], rng: np.random.Generator, *, positive: bool) -> Array:
    sign = 1.0 if positive else rng.choice([-1.0, 1.0], shape)
    return np.asarray(np.round(sign * rng.uniform(0.4, 2.0, shape), 2))


def _ladder(spec: GraphSpec, sizes: Mapping[str, int], rng: np.random.Generator) -> Graph:
    """Doubles by adding to itself, halves and turns the sign, and again."""
    shape = _shape(spec.shapes[0], sizes)
    steps = [
        Step(Operation.ADD, (node, node)) if node % 2 == 0 else Step(Operation.MUL_NUMBER, (node,), -0.5)
        for node in range(spec.nodes)
    ]
    gradient = draw_gradient(shape, rng) if spec.upstream else None
    leaf = _decimals(shape, rng, positive=False)
    return Graph(leaves=(leaf,), steps=tuple(steps), backwards=(Backward(spec.nodes, gradient),))


def _shape(axes: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(1 if axis == "1" else sizes[axis] for axis in axes.split())


@dataclass(slots=True, eq=False)
class _Node:
    value: Array
    step: Step | None
    """None: a leaf. Operands by their place in the drawing, which is not yet that in the graph."""
    used: bool = False


@dataclass(slots=True, eq=False)
class _Drawing:
    """A graph under way."""

    spec: GraphSpec
    sizes: Mapping[str, int]
    rng: np.random.Generator
    nodes: list[_Node] = field(default_factory=list)

    def graph(self) -> Graph | None:
        spec, rng = self.spec, self.rng
        order: list[Operation] = []
        while len(order) < spec.nodes:
            order += [spec.operations[index] for index in rng.permutation(len(spec.operations))]
        self.leaf()
        for operation in order[: spec.nodes]:
            if not any(self.try_step(operation, anew=attempt > _ATTEMPTS // 2) for attempt in range(_ATTEMPTS)):
                return None
        last = len(self.nodes) - 1
        outputs = [last] * spec.backwards
        steps = [place for place, node in enumerate(self.nodes[:-1]) if node.step is not None]
        if spec.backwards > 1 and steps:
            outputs[0] = int(rng.choice(steps))
        return pruned(self.ordered(outputs))

    def leaf(self, shape: tuple[int, ...] | None = None) -> int:
        """A new leaf, of one of the declared shapes where none is given."""
        rng = self.rng
        drawn = _shape(str(rng.choice(self.spec.shapes)), self.sizes) if shape is None else shape
        self.nodes.append(_Node(_decimals(drawn, rng, positive=bool(rng.integers(2))), None))
        return len(self.nodes) - 1

    def try_step(self, operation: Operation, *, anew: bool) -> bool:
        """Add a step with this operation, if what was drawn for it is sound; `anew`: on a new leaf, to be joined."""
        before = len(self.nodes)
        operands = [self.leaf() if anew and _JOINING & set(self.spec.operations) else self.some()]
        if operation.operands == 2:
            operands.append(self.partner(operation, operands[0]))
            if operation is not Operation.MATMUL and self.rng.integers(2):
                operands.reverse()
        values = [self.nodes[index].value for index in operands]
        step = Step(operation, tuple(operands), self.setting(operation, values[0]))
        value = _tried(step, values)
        if value is None:
            del self.nodes[before:]
            return False
        for operand in operands:
            self.nodes[operand].used = True
        self.nodes.append(_Node(value, step))
        return True

    def some(self) -> int:
        """An operand: mostly the latest step, so that little is left unused."""
        latest = len(self.nodes) - 1
        if self.spec.form is Form.CHAIN or latest == 0 or self.rng.random() >= _ELSEWHERE:
            return latest
        if self.spec.form is Form.GRAPH:
            return int(self.rng.integers(len(self.nodes)))
        return self.leaf() if _JOINING & set(self.spec.operations) else latest

    def partner(self, operation: Operation, first: int) -> int:
        """The other operand: a node that fits, or a new leaf."""
        shape = self.nodes[first].value.shape
        again = self.spec.form is Form.GRAPH
        free = [
            place
            for place, node in enumerate(self.nodes)
            if (again or (not node.used and place != first)) and _fits(operation, shape, node.value.shape)
        ]
        unused = [place for place in free if not self.nodes[place].used and place != first]
        if unused and self.rng.random() > _NEW_LEAF:
            return int(self.rng.choice(unused))
        if free and (not again or self.rng.random() > _NEW_LEAF):
            return int(self.rng.choice(free))
        declared = [_shape(axes, self.sizes) for axes in self.spec.shapes]
        shapes = [other for other in declared if _fits(operation, shape, other)]
        if not shapes:
            return self.leaf((*shape[:-2], shape[-1], 2) if operation is Operation.MATMUL and shape else shape)
        return self.leaf(shapes[int(self.rng.integers(len(shapes)))])

    def setting(self, operation: Operation, x: Array) -> Any:
        """Number, axes, shape or index of a step."""
        rng = self.rng
        match operation:
            case Operation.POW:
                return _POWERS[int(rng.integers(len(_POWERS)))]
            case Operation.SUM | Operation.MEAN:
                axes = [*range(x.ndim), *([-1] if x.ndim else []), None, *([(0, x.ndim - 1)] if x.ndim > 1 else [])]
                return axes[int(rng.integers(len(axes)))], bool(rng.integers(2))
            case Operation.RESHAPE:
                return _other_shape(x.shape, rng)
            case Operation.TRANSPOSE:
                return tuple(int(axis) for axis in rng.permutation(x.ndim))
            case Operation.INDEX:
                return (
                    tuple(_part(length, rng) for length in x.shape[: int(rng.integers(1, x.ndim + 1))])
                    if x.ndim
                    else ()
                )
            case Operation.TAKE:
                return tuple(int(row) for row in rng.integers(0, x.shape[0], x.shape[0] + 1)) if x.ndim else ()
            case _ if operation.value.startswith("number") or operation.value.endswith("number"):
                return _NUMBERS[int(rng.integers(len(_NUMBERS)))]
            case _:
                return None

    def ordered(self, outputs: list[int]) -> Graph:
        """The drawing as a graph: its leaves first."""
        leaves = [place for place, node in enumerate(self.nodes) if node.step is None]
        steps = [(place, node.step) for place, node in enumerate(self.nodes) if node.step is not None]
        number = {place: index for index, place in enumerate([*leaves, *(place for place, _ in steps)])}
        return Graph(
            leaves=tuple(self.nodes[place].value for place in leaves),
            steps=tuple(
                Step(step.operation, tuple(number[operand] for operand in step.operands), step.setting)
                for _, step in steps
            ),
            backwards=tuple(
                Backward(
                    number[place],
                    draw_gradient(self.nodes[place].value.shape, self.rng) if self.spec.upstream else None,
                )
                for place in outputs
            ),
        )


def _part(length: int, rng: np.random.Generator) -> int | tuple[int, int]:
    """An index into an axis, or a slice that leaves something out where it can."""
    start = int(rng.integers(length))
    if rng.integers(2):
        return start
    return (start, length) if start else (0, max(1, length - 1))


def _other_shape(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[int, ...]:
    """The axes in another order, or two of them as one."""
    if len(shape) < 2:
        return (*shape, 1)
    if rng.integers(2):
        return (shape[0] * shape[1], *shape[2:])
    return (*shape[1:], shape[0])


def _fits(operation: Operation, shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    if operation is Operation.MATMUL:
        if len(shape) < 2 or len(other) < 2 or shape[-1] != other[-2]:
            return False
        shape, other = shape[:-2], other[:-2]
    try:
        np.broadcast_shapes(shape, other)
    except ValueError:
        return False
    return True


def _tried(step: Step, values: list[Array]) -> Array | None:
    """The value of a step on these operands; None where they don't fit or it isn't sound."""
    alone = Graph(leaves=tuple(values), steps=(Step(step.operation, tuple(range(len(values))), step.setting),))
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(evaluate(alone)[-1])
    except ValueError:
        return None
    return value if _sound(step, values, value) else None


def _sound(step: Step, operands: list[Array], value: Array) -> bool:
    """Whether a right engine keeps its digits here, forward and backward, and there is something to look at."""
    x, y = operands[0], operands[-1]
    if not value.size or value.size > _MOST_ELEMENTS or not np.all(np.abs(value) <= _LARGEST):
        return False
    match step.operation:
        case Operation.MATMUL:
            return x.ndim > 1 and y.ndim > 1
        case Operation.LOG:
            return bool(x.min() > 0.1)
        case Operation.DIV | Operation.NUMBER_DIV:
            return bool(np.abs(y).min() > 0.2)
        case Operation.POW:
            whole = isinstance(step.setting, int) and step.setting > 0
            return whole or bool(x.min() > 0.2)
        case Operation.RELU:
            return bool(np.abs(x).min() > _LEAST and x.max() > 0 and (x.min() < 0 or x.size < 3))
        case Operation.TANH:
            return bool(np.abs(x).max() < 3)  # beyond, 1 - tanh^2 loses digits
        case Operation.TRANSPOSE:
            return x.ndim > 1 and step.setting != tuple(range(x.ndim))
        case Operation.INDEX | Operation.TAKE:
            return x.ndim > 0
        case _:
            return True
