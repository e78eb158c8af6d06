"""A forward/backward pair as two functions on flat vectors.

The checks are about vectors: n differentiated inputs in, m outputs out. This module knows how they are laid out as
the student's tensors, hands out copies so that nothing the student writes into reaches us, notes such writing, and
counts calls. Where the functions run elsewhere, on copies of their own, there is nothing to write into: they are
handed views that can't be written to, and whoever runs them notes the writing. A cache is used at most once, by the
backward that belongs to its forward.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.numerics.differences import Vector, rms
from grader.numerics.evidence import GradientFault, GradientProblem
from grader.numerics.trees import leaves, map_leaves, named_leaves, rebuild, same_structure

__all__ = ["Broken", "Evaluation", "Pair", "Tensor"]


class Broken(Exception):  # noqa: N818 -- never leaves the gradient check
    """The pair broke its contract so that nothing further can be measured."""

    def __init__(self, *problems: GradientProblem, actual: Mapping[str, Any] | None = None) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems
        self.actual = actual
        """By tensor, what backward returned, where that is the problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One differentiated tensor and its place in the vector of inputs."""

    name: str
    shape: tuple[int, ...]
    where: slice


@dataclass(slots=True, kw_only=True, eq=False)
class Evaluation:
    """One call of forward. Its cache is good for one backward."""

    value: Vector
    """Outputs, shape (m,); a copy."""
    raw: Any
    """What forward returned first."""
    cache: Any
    given: tuple[Any, ...]
    """The copies that forward was called with."""
    x: Vector


@dataclass(slots=True, kw_only=True, eq=False)
class Pair:
    """The student's two functions, or with backward None a loss that returns (loss, gradients) at once."""

    forward: Callable[..., Any]
    backward: Callable[[Any, Any], Any] | None
    inputs: tuple[Any, ...]
    names: tuple[str, ...]
    differentiated: tuple[int, ...]
    """Positions of the inputs that backward returns gradients of."""
    forwards: Callable[[Sequence[tuple[Any, ...]]], Iterable[Any]] | None = None
    """Forward's results at several inputs, in order, if there is a quicker way than one call after the other."""
    elsewhere: bool = False
    """Whether both functions only see copies of what they are given."""
    tensors: tuple[Tensor, ...] = ()
    x: Vector = field(default_factory=lambda: np.zeros(0))
    scale: Vector = field(default_factory=lambda: np.zeros(0))
    """For each input its tensor's rms, or 1 for a tensor of zeros, shape (n,)."""
    forward_calls: int = 0
    backward_calls: int = 0
    mutations: dict[tuple[GradientFault, str | None], str] = field(default_factory=dict)
    _layout: tuple[Any, ...] = ()
    """The inputs, with the Tensor in place of each array that is differentiated."""
    _like: Any = None
    """What forward returned the first time: every later call has to match it."""
    _shapes: tuple[tuple[int, ...], ...] = ()
    """Of its leaves."""

    def __post_init__(self) -> None:
        found = [
            (name, np.asarray(leaf, dtype=np.float64))
            for position in self.differentiated
            for name, leaf in named_leaves(self.inputs[position], self.names[position])
            if _is_float(leaf)
        ]
        tensors, start = [], 0
        for name, array in found:
            if not np.all(np.isfinite(array)):
                raise ValueError(f"{name} is not finite: there is no derivative to check there")
            tensors.append(Tensor(name=name, shape=array.shape, where=slice(start, start + array.size)))
            start += array.size
        self.tensors = tuple(tensors)
        self.x = _joined([array for _, array in found])
        self.scale = _joined([np.full(array.size, rms(array) or 1.0) for _, array in found])
        places = iter(tensors)
        layout = {
            position: map_leaves(lambda leaf: next(places) if _is_float(leaf) else _lent(leaf), self.inputs[position])
            for position in self.differentiated
        }
        self._layout = tuple(layout.get(i, map_leaves(_lent, tree)) for i, tree in enumerate(self.inputs))

    def alone(self, tensor: Tensor) -> Vector:
        """Scale that moves one tensor only, enlarged so that it counts, shape (n,)."""
        scale = np.zeros_like(self.scale)
        own = self.scale[tensor.where]
        scale[tensor.where] = np.where(own < 1.0, 1.0, self.scale.max(initial=1.0))
        return scale

    def evaluate(self, x: Vector) -> Evaluation:
        """Call forward at x, shape (n,).

        Raises:
            Broken: forward's result is not of the agreed form.
        """
        given = self.arguments(x)
        return self._evaluation(x, given, self.forward(*given))

    def values(self, points: Sequence[Vector]) -> list[Vector]:
        """Outputs at points of our own choosing, where overflow and the like are our own doing."""
        given = [self.arguments(x) for x in points]
        with np.errstate(all="ignore"):
            results = self.forwards(given) if self.forwards else itertools.starmap(self.forward, given)
            return [
                self._evaluation(x, args, result).value for x, args, result in zip(points, given, results, strict=True)
            ]

    def _evaluation(self, x: Vector, given: tuple[Any, ...], result: Any) -> Evaluation:
        self.forward_calls += 1
        self._note_writes(given, x, "by forward")
        if not (isinstance(result, (tuple, list)) and len(result) == 2):
            second = "a cache" if self.backward is not None else "gradients"
            raise Broken(GradientProblem(code=GradientFault.FORWARD_RESULT, detail=f"no pair of output and {second}"))
        return Evaluation(value=self._flat_output(result[0]), raw=result[0], cache=result[1], given=given, x=x)

    def disturb(self, rng: np.random.Generator) -> None:
        """Call forward with the elements of every array shuffled, and forget the result."""

        def shuffled(leaf: Any) -> Any:
            return rng.permutation(leaf.ravel()).reshape(leaf.shape) if isinstance(leaf, np.ndarray) else leaf

        self.forward_calls += 1
        with np.errstate(all="ignore"):
            self.forward(*(map_leaves(shuffled, tree) for tree in self.arguments(self.x)))

    def differentiate(self, evaluation: Evaluation, upstream: Vector) -> Vector:
        """Call backward with this evaluation's cache.

        Args:
            evaluation: of forward; not used before.
            upstream: shape (m,); for a loss, all ones.

        Returns:
            shape (n,).

        Raises:
            Broken: backward's result is not of the agreed form.
        """
        if self.backward is None:
            return self.flat_gradient(evaluation.cache)
        given = self.shaped_output(upstream)
        self.backward_calls += 1
        result = self.backward(given, evaluation.cache)
        self._note_writes_upstream(given, upstream)
        self._note_writes(evaluation.given, evaluation.x, "by backward")
        return self.flat_gradient(result)

    def gradient(self, x: Vector, upstream: Vector) -> Vector:
        """A fresh forward and its backward."""
        return self.differentiate(self.evaluate(x), upstream)

    def shaped_output(self, values: Vector) -> Any:
        """Vector of shape (m,) in the form of forward's output."""
        parts, start = [], 0
        for leaf, shape in zip(leaves(self._like), self._shapes, strict=True):
            size = math.prod(shape)
            part = np.array(values[start : start + size]).reshape(shape)
            parts.append(part if isinstance(leaf, np.ndarray) else part[()])
            start += size
        return rebuild(self._like, parts)

    def shaped_inputs(self, x: Vector) -> dict[str, NDArray[np.float64]]:
        """Vector of shape (n,) as arrays by the names of the tensors."""
        return {tensor.name: x[tensor.where].reshape(tensor.shape).copy() for tensor in self.tensors}

    def arguments(self, x: Vector) -> tuple[Any, ...]:
        """All inputs, with x, shape (n,), in place of the differentiated tensors: fresh copies, or views."""
        x = _lent(x)

        def filled(leaf: Any) -> Any:
            value = x[leaf.where].reshape(leaf.shape) if isinstance(leaf, Tensor) else leaf
            return value if self.elsewhere else _copied(value)

        return tuple([map_leaves(filled, tree) for tree in self._layout])

    def _note_writes_upstream(self, given: Any, upstream: Vector) -> None:
        if self.elsewhere:
            return
        before, after = leaves(self.shaped_output(upstream)), leaves(given)
        if len(before) != len(after) or not all(map(np.array_equal, before, after)):
            self.mutations[(GradientFault.MUTATES_UPSTREAM, None)] = ""

    def _note_writes(self, given: tuple[Any, ...], x: Vector, by: str) -> None:
        if self.elsewhere:
            return
        for position, (tree, name) in enumerate(zip(self.arguments(x), self.names, strict=True)):
            after = leaves(given[position])
            before = named_leaves(tree, name)
            if len(after) != len(before):
                self.mutations.setdefault((GradientFault.MUTATES_INPUT, name), by)
                continue
            for (leaf_name, old), new in zip(before, after, strict=True):
                if isinstance(old, np.ndarray) and not _same_bits(old, new):
                    self.mutations.setdefault((GradientFault.MUTATES_INPUT, leaf_name), by)

    def _flat_output(self, out: Any) -> Vector:
        found = [_real_array(leaf) for leaf in leaves(out)]
        arrays = [array for array in found if array is not None]
        if len(arrays) < len(found):
            name, leaf = named_leaves(out, "output")[next(i for i, array in enumerate(found) if array is None)]
            raise Broken(_forward_problem(f"{name} is of type {type(leaf).__name__}"))
        shapes = tuple(array.shape for array in arrays)
        if self._like is None:
            self._like, self._shapes = map_leaves(_copied, out), shapes
        if shapes != self._shapes or not same_structure(out, self._like):
            raise Broken(_forward_problem("the shape of the output changes from call to call"))
        value = _joined(arrays)
        if self.backward is None and value.size != 1:
            shape = shapes[0] if shapes else ()
            raise Broken(_forward_problem(f"a loss is one number, this one has shape {shape}"))
        return value

    def flat_gradient(self, result: Any) -> Vector:
        """Gradients as backward returns them, as one vector of shape (n,).

        Raises:
            Broken: something in it is not an array of the shape of its tensor, or not finite.
        """
        trees = self._gradient_trees(result)
        actual = [
            gradient
            for position, tree in zip(self.differentiated, trees, strict=True)
            for gradient, leaf in zip(
                leaves(_like(self.inputs[position], tree)), leaves(self.inputs[position]), strict=True
            )
            if _is_float(leaf)
        ]
        named = {tensor.name: gradient for tensor, gradient in zip(self.tensors, actual, strict=True)}
        problems = [problem for tensor in self.tensors for problem in _gradient_problems(tensor, named[tensor.name])]
        if problems:
            raise Broken(*problems, actual=named)
        return _joined([np.asarray(each) for each in actual])

    def _gradient_trees(self, result: Any) -> Sequence[Any]:
        expected = [self.inputs[position] for position in self.differentiated]
        if len(expected) == 1 and same_structure(result, expected[0]):
            return [result]
        if (
            isinstance(result, (tuple, list))
            and len(result) == len(expected)
            and all(map(same_structure, result, expected))
        ):
            return result
        names = ", ".join(self.names[position] for position in self.differentiated)
        got = f"{len(result)} values" if isinstance(result, (tuple, list)) else f"one {type(result).__name__}"
        raise Broken(GradientProblem(code=GradientFault.COUNT, detail=f"expected gradients of {names}; got {got}"))


def _like(tree: Any, gradient: Any) -> Any:
    """The gradient with its dicts in the order of the tree's."""
    if isinstance(tree, dict):
        return {key: _like(value, gradient[key]) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        return [_like(value, part) for value, part in zip(tree, gradient, strict=True)]
    return gradient


def _gradient_problems(tensor: Tensor, gradient: Any) -> list[GradientProblem]:
    def problem(code: GradientFault, detail: str = "") -> list[GradientProblem]:
        return [GradientProblem(code=code, tensor=tensor.name, detail=detail)]

    if gradient is None:
        return problem(GradientFault.MISSING)
    array = _real_array(gradient)
    if array is None:
        return problem(GradientFault.NOT_AN_ARRAY, _type_of(gradient))
    if array.shape != tensor.shape:
        return problem(GradientFault.SHAPE, f"{array.shape}, expected {tensor.shape}")
    finite = np.isfinite(array)
    if not finite.all():
        bad = np.argwhere(~finite)
        first = ", ".join(str(int(i)) for i in bad[0])
        return problem(GradientFault.NOT_FINITE, f"{len(bad)} of {array.size}, the first at [{first}]")
    return []


def _forward_problem(detail: str) -> GradientProblem:
    return GradientProblem(code=GradientFault.FORWARD_RESULT, detail=detail)


def _type_of(value: Any) -> str:
    return f"dtype {value.dtype}" if isinstance(value, (np.ndarray, np.generic)) else f"type {type(value).__name__}"


def _real_array(value: Any) -> NDArray[Any] | None:
    if not isinstance(value, (bool, int, float, np.ndarray, np.generic)):
        return None
    array = np.asarray(value)
    return array if array.dtype.kind in "biuf" else None


def _is_float(leaf: Any) -> bool:
    """Whether a leaf is a tensor to differentiate. A plain Python float is a setting, like eps or momentum."""
    return isinstance(leaf, (np.ndarray, np.generic)) and leaf.dtype.kind == "f"


def _copied(leaf: Any) -> Any:
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def _lent(leaf: Any) -> Any:
    """A view that can't be written to."""
    if not isinstance(leaf, np.ndarray):
        return leaf
    view = leaf.view()
    view.flags.writeable = False
    return view


def _joined(arrays: Sequence[NDArray[Any]]) -> Vector:
    """All elements in a vector of its own."""
    return np.concatenate([array.ravel() for array in arrays], dtype=np.float64) if arrays else np.zeros(0)


def _same_bits(old: NDArray[Any], new: Any) -> bool:
    if not isinstance(new, np.ndarray) or new.dtype != old.dtype or new.shape != old.shape:
        return False
    return old.tobytes() == new.tobytes()
