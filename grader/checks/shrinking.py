"""From a graph that fails to a small one that fails in the same way: what a student can look at.

Greedy: the first of the simpler graphs that still fails takes the place of the graph, until none does or no call is
left. Simpler are: one step alone on new leaves; fewer calls of backward(); an earlier node as output; a node's value
as a leaf; a step left out; shorter axes; backward() without a gradient; whole numbers. A graph whose steps would not
be sound (a logarithm of zero) is none of them, so what fails is never the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from grader.graphs import Array, Backward, Graph, Step, evaluate, pruned
from grader.random_graphs import draw_gradient, is_sound

__all__ = ["alone", "apart", "shrink", "simpler", "uses_of"]

MAX_CALLS = 120
"""Graphs that are tried at most; each is run once."""
_MOST_NODES = 12
"""Of a longer graph so many nodes are tried, spread over it."""


def shrink(graph: Graph, fails: Callable[[Graph], bool]) -> Graph:
    """A graph that can't be made simpler, or not within the calls, and still fails."""
    left = MAX_CALLS
    while True:
        for candidate in simpler(graph):
            if not left:
                return graph
            left -= 1
            if fails(candidate):
                graph = candidate
                break
        else:
            return graph


def simpler(graph: Graph) -> Iterator[Graph]:
    """Graphs with less in them, those with the least first."""
    for candidate in _candidates(graph):
        if is_sound(candidate):
            yield candidate


def _candidates(graph: Graph) -> Iterator[Graph]:
    nodes, count = evaluate(graph), len(graph.leaves)
    steps = _spread(range(count, len(nodes)))
    last = graph.backwards[-1]
    if len(graph.steps) > 1:
        for node in steps:
            yield alone(graph, node, nodes)
    if len(graph.backwards) > 1:
        for index in range(len(graph.backwards)):
            yield pruned(replace(graph, backwards=(*graph.backwards[:index], *graph.backwards[index + 1 :])))
    for node in steps[:-1]:
        yield pruned(replace(graph, backwards=(*graph.backwards[:-1], _call(node, nodes[node], last))))
    for node in reversed(steps[:-1]):
        yield _as_leaf(graph, nodes, node)
    for node in steps[:-1]:
        yield from _without(graph, nodes, node)
    for length in sorted({length for leaf in graph.leaves for length in leaf.shape if length > 1}, reverse=True):
        for shorter in (1, 2) if length > 2 else (1,):
            yield from _shorter(graph, length, shorter)
    if graph.gradients:
        yield replace(graph, backwards=tuple(Backward(call.node) for call in graph.backwards))
    for index, leaf in enumerate(graph.leaves):
        whole = np.where(np.round(leaf) == 0, np.sign(leaf), np.round(leaf))
        if not np.array_equal(whole, leaf):
            yield replace(graph, leaves=(*graph.leaves[:index], whole, *graph.leaves[index + 1 :]))


def _spread(nodes: range) -> list[int]:
    """All of them, or a few: closer together at the beginning."""
    if len(nodes) <= _MOST_NODES:
        return list(nodes)
    places = np.unique(np.geomspace(1, len(nodes), _MOST_NODES).astype(int)) - 1
    return [nodes[int(place)] for place in places]


def _call(node: int, value: Array, like: Backward) -> Backward:
    """backward() on another node, with a gradient of its shape."""
    if like.gradient is None:
        return Backward(node)
    return Backward(node, draw_gradient(np.shape(value), np.random.default_rng(0)))


def _rounded(value: Array) -> Array:
    """Few decimals, and nothing that becomes zero."""
    value = np.asarray(value)
    near = np.round(value, 2)
    return np.where(near == 0, np.where(value < 0, -0.01, 0.01), near)


def alone(graph: Graph, node: int, nodes: list[Array] | None = None) -> Graph:
    """One step on leaves that have its operands' values. An operand that is used twice is one leaf.

    Args:
        graph: where the step is from.
        node: its number.
        nodes: values of all nodes, if they are known.
    """
    nodes = evaluate(graph) if nodes is None else nodes
    step = graph.steps[node - len(graph.leaves)]
    operands = sorted(set(step.operands))
    return Graph(
        leaves=tuple(_rounded(nodes[operand]) for operand in operands),
        steps=(replace(step, operands=tuple(operands.index(operand) for operand in step.operands)),),
        backwards=(_call(len(operands), nodes[node], graph.backwards[-1]),),
    )


def _as_leaf(graph: Graph, nodes: list[Array], node: int) -> Graph:
    """A step's result as one more leaf."""
    count = len(graph.leaves)

    def moved(other: int) -> int:
        return count if other == node else other + 1 if count <= other < node else other

    steps = [step for index, step in enumerate(graph.steps, start=count) if index != node]
    return pruned(
        Graph(
            leaves=(*graph.leaves, _rounded(nodes[node])),
            steps=tuple(replace(step, operands=tuple(map(moved, step.operands))) for step in steps),
            backwards=tuple(replace(call, node=moved(call.node)) for call in graph.backwards),
        )
    )


def _without(graph: Graph, nodes: list[Array], node: int) -> Iterator[Graph]:
    """A step left out: its first operand of the same shape in its place."""
    step = graph.steps[node - len(graph.leaves)]
    for operand in dict.fromkeys(step.operands):
        if np.shape(nodes[operand]) == np.shape(nodes[node]):
            steps = tuple(_with_operand(other, node, operand) for other in graph.steps)
            calls = tuple(replace(call, node=operand if call.node == node else call.node) for call in graph.backwards)
            yield pruned(replace(graph, steps=steps, backwards=calls))


def _with_operand(step: Step, old: int, new: int) -> Step:
    return replace(step, operands=tuple(new if operand == old else operand for operand in step.operands))


def _shorter(graph: Graph, length: int, shorter: int) -> Iterator[Graph]:
    """Every axis of this length cut, in leaves and gradients alike, and in the shapes that steps are given."""

    def cut(array: Array) -> Array:
        return np.asarray(array[tuple(slice(shorter if size == length else None) for size in array.shape)])

    def shape(step: Step) -> Step:
        if step.operation != "reshape":
            return step
        return replace(step, setting=tuple(shorter if size == length else size for size in step.setting))

    smaller = replace(graph, leaves=tuple(map(cut, graph.leaves)), steps=tuple(map(shape, graph.steps)))
    try:
        nodes = evaluate(smaller)
    except ValueError:
        return
    calls = tuple(_call(call.node, nodes[call.node], call) for call in graph.backwards)
    yield replace(smaller, backwards=calls)


def uses_of(graph: Graph, node: int) -> int:
    """How often steps take it."""
    return sum(step.operands.count(node) for step in graph.steps)


def apart(graph: Graph, leaf: int) -> Graph:
    """The graph with a leaf of its own for each use of a leaf; they come after the others."""
    count, uses = len(graph.leaves), uses_of(graph, leaf)
    used = iter(range(count, count + uses))

    def moved(step: Step) -> Step:
        operands = (next(used) if o == leaf else o + uses if o >= count else o for o in step.operands)
        return replace(step, operands=tuple(operands))

    return Graph(
        leaves=(*graph.leaves, *(graph.leaves[leaf] for _ in range(uses))),
        steps=tuple(moved(step) for step in graph.steps),
        backwards=tuple(
            replace(call, node=call.node + uses if call.node >= count else call.node) for call in graph.backwards
        ),
    )
