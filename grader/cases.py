"""Cases: the drawn arrays that a student's functions are called with.

A case is drawn from the axis names and kinds of its exercise, the sizes of its declaration, and a seed: the same
seed gives the same arrays, whatever else is graded and in whatever order. Visible cases use the assignment's seed;
hidden ones use the private seed where there is one. A case is shared by all checks of it and by all submissions, so
its arrays can't be written to. Nothing here knows what a function ought to return.
"""

from __future__ import annotations

import functools
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from grader.assignment import ArraySpec, Assignment, CaseSpec, Draw, Exercise, Kind, named_specs
from grader.errors import ManifestError
from grader.graphs import Graph, name_of
from grader.numerics.trees import leaves, map_leaves, named_leaves
from grader.random_graphs import draw_graph
from grader.settings import Precision

__all__ = ["Case", "describe", "draw_case", "rounded"]

Array: TypeAlias = NDArray[Any]

_SPARSE_SHARE = 0.3
"""Share of exact zeros (sparse) or of values within 1e-6 of zero (near_kink)."""


MAX_SIZE = 1_000_000
"""Of an axis whose size follows from others."""
_MOST_LEAVES = 3
"""Up to this many arrays, a message gives the shape of each."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One set of drawn inputs for one exercise."""

    exercise: str
    spec: CaseSpec
    seed: int
    sizes: Mapping[str, int]
    inputs: Mapping[str, Any]
    """Trees of arrays by name, in the order of the arguments."""
    arguments: Mapping[str, bool | int | float]
    upstream: Any = None
    """Layer, model and dropout: the upstream gradient, of the shape of the output; a tuple of several's."""
    updates: tuple[Any, ...] = ()
    """Step: the gradients of each step, trees like the parameters."""
    graph: Graph | None = None
    """Engine: what is to be evaluated and differentiated; its leaves are the inputs."""
    precision: Precision = Precision.FLOAT64
    """What the numbers are rounded to."""

    @property
    def name(self) -> str:
        """Name of the case in its exercise."""
        return self.spec.name

    @property
    def args(self) -> tuple[Any, ...]:
        """Positional arguments of the student's (forward) function and of the reference."""
        return (*self.inputs.values(), *self.arguments.values())

    @property
    def key(self) -> tuple[str, str, int, Precision]:
        """What the case is drawn from, for caches."""
        return self.exercise, self.name, self.seed, self.precision

    def rounded(self, precision: Precision) -> Case:
        """The same, drawn in float64, with the numbers that this precision has. The arrays stay float64."""
        if precision is self.precision:
            return self
        return replace(self._with(lambda array: rounded(array, precision)), precision=precision)

    def nudged(self, unit: float, rng: np.random.Generator) -> Case:
        """The same with every number off by this share of itself, up or down: what rounding it does at most.

        Equal numbers of an array go the same way, as they do where they are rounded: ties stay ties.
        """

        def nudge(array: Array) -> Array:
            values, where = np.unique(array, return_inverse=True)
            return np.asarray(
                (values * (1.0 + unit * rng.choice((-1.0, 1.0), values.size)))[where].reshape(array.shape)
            )

        return self._with(nudge)

    def _with(self, change: Callable[[Array], Array]) -> Case:
        def leaf(value: Any) -> Any:
            if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
                return value
            changed = change(value)
            changed.setflags(write=False)
            return changed

        inputs, upstream, updates = (map_leaves(leaf, tree) for tree in (self.inputs, self.upstream, self.updates))
        return replace(self, inputs=inputs, upstream=upstream, updates=updates)


def rounded(array: Array, precision: Precision) -> Array:
    """To the nearest number of this precision, as float64.

    In tf32 the numbers stay those of float32: the device rounds them, in some operations and not in others.
    """
    match precision:
        case Precision.FLOAT64:
            return array
        case Precision.FLOAT32 | Precision.TF32:
            return array.astype(np.float32).astype(np.float64)
        case Precision.BFLOAT16:  # the upper half of a float32, rounded to even
            bits = array.astype(np.float32).view(np.uint32)
            kept = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
            return kept.view(np.float32).astype(np.float64)
        case _:
            assert_never(precision)


def draw_case(assignment: Assignment, exercise: Exercise, spec: CaseSpec, hidden_seed: int | None = None) -> Case:
    """Draw a case.

    Args:
        assignment: supplies the seed of visible cases and the data set.
        exercise: supplies axes and kinds of the inputs.
        spec: the case as declared.
        hidden_seed: seed of hidden cases; the assignment's where it is None.

    Raises:
        ManifestError: the data set can't be read, lacks a field, or its shape does not fit the axes; or a number that
            is drawn is not finite.
    """
    seed = hidden_seed if spec.hidden and hidden_seed is not None else assignment.seed
    rng = np.random.default_rng([seed, zlib.crc32(exercise.name.encode()), zlib.crc32(spec.name.encode())])
    sizes = _sizes(spec, rng)
    arguments = {**exercise.arguments, **spec.arguments}
    sizes |= _derived(assignment, exercise, spec, sizes, arguments)
    rows: dict[str, Array] = {}

    def tree(name: str, specs: Any) -> Any:
        if isinstance(specs, ArraySpec):
            specs = spec.draw.get(name, specs)
            if specs.draw is Draw.DATA:
                return _data(assignment, exercise, specs, sizes, rows, rng)
            return _array(specs, specs.draw, sizes, rng)
        if isinstance(specs, list):
            return [tree(f"{name}.{index}", item) for index, item in enumerate(specs)]
        return {key: tree(f"{name}.{key}", item) for key, item in specs.items()}

    inputs = {name: tree(name, specs) for name, specs in exercise.inputs.items()}
    for name, drawn in inputs.items():
        if not all(np.all(np.isfinite(array)) for array in leaves(drawn)):
            where = f"exercise {exercise.name}.case {spec.name}"
            raise ManifestError(str(assignment.manifest), where, f"{name} is drawn with numbers that are not finite")
    graph = None
    if spec.graph is not None:
        graph = draw_graph(spec.graph, sizes, rng)
        if graph is None:
            where = f"exercise {exercise.name}.case {spec.name}.graph"
            raise ManifestError(str(assignment.manifest), where, "no such graph was found: do the shapes allow it?")
        inputs = {name_of(index): leaf for index, leaf in enumerate(graph.leaves)}
    upstream: Any = None
    if exercise.kind in (Kind.LAYER, Kind.MODEL, Kind.DROPOUT):
        every = tuple(np.asarray(rng.standard_normal([sizes[axis] for axis in axes])) for axes in exercise.outputs)
        upstream = every if len(every) > 1 else every[0]
    updates: tuple[Any, ...] = ()
    if exercise.kind is Kind.STEP:
        first = next(iter(exercise.inputs))
        updates = tuple(_gradients(exercise.inputs[first], sizes, rng) for _ in range(exercise.steps))
    for array in leaves([inputs, upstream, list(updates), graph.gradients if graph else []]):
        if array is not None:
            array.setflags(write=False)
    return Case(
        exercise=exercise.name,
        spec=spec,
        seed=seed,
        sizes=sizes,
        inputs=inputs,
        arguments=arguments,
        upstream=upstream,
        updates=updates,
        graph=graph,
    )


def _gradients(specs: Any, sizes: Mapping[str, int], rng: np.random.Generator) -> Any:
    """A tree of gradients for one step: normal however the parameters are drawn, as those of zeros are not zero."""
    return map_leaves(lambda spec: _array(spec, Draw.NORMAL, sizes, rng), specs)


def _sizes(spec: CaseSpec, rng: np.random.Generator) -> dict[str, int]:
    """Sizes of the axes; those drawn from a range differ from all others wherever the range has room."""
    sizes = {axis: size for axis, size in spec.sizes.items() if isinstance(size, int)}
    for axis, size in spec.sizes.items():
        if not isinstance(size, int):
            low, high = size
            free = sorted(set(range(low, high + 1)) - set(sizes.values())) or list(range(low, high + 1))
            sizes[axis] = int(rng.choice(free))
    return {axis: sizes[axis] for axis in spec.sizes}


def _derived(
    assignment: Assignment,
    exercise: Exercise,
    spec: CaseSpec,
    sizes: Mapping[str, int],
    arguments: Mapping[str, bool | int | float],
) -> dict[str, int]:
    """Sizes that follow from others.

    Raises:
        ManifestError: one is no size.
    """
    known = {**{name: value for name, value in arguments.items() if isinstance(value, int)}, **sizes}
    found = {}
    for axis, formula in exercise.derived.items():
        where = f"exercise {exercise.name}.derived.{axis}"
        try:
            found[axis] = formula(known)
        except (ValueError, KeyError) as error:
            raise ManifestError(str(assignment.manifest), where, f"case {spec.name}: {error}") from error
        if not 1 <= found[axis] <= MAX_SIZE:
            raise ManifestError(str(assignment.manifest), where, f"case {spec.name}: {found[axis]} is no size")
    return found


def _array(spec: ArraySpec, draw: Draw, sizes: Mapping[str, int], rng: np.random.Generator) -> Array:
    """An array, never a NumPy number: of shape () too it is handed over, and differentiated, as an array."""
    with np.errstate(all="ignore"):  # a scale that overflows is found by draw_case
        return np.asarray(_drawn(spec, draw, tuple(sizes[axis] for axis in spec.axes), sizes, rng))


def _drawn(
    spec: ArraySpec, draw: Draw, shape: tuple[int, ...], sizes: Mapping[str, int], rng: np.random.Generator
) -> Any:
    if draw is Draw.CLASSES:
        return rng.integers(0, sizes[str(spec.of)], shape)
    if draw is Draw.IGNORED:
        return _with_ignored(rng.integers(0, sizes[str(spec.of)], shape), rng)
    if draw is Draw.MASK:
        return _mask(shape, rng)
    if draw is Draw.ZEROS:
        return np.zeros(shape)
    if draw is Draw.ONES:
        return np.ones(shape)
    return _numbers(spec, draw, shape, rng) + spec.shift if spec.shift else _numbers(spec, draw, shape, rng)


def _numbers(spec: ArraySpec, draw: Draw, shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    """Scaled numbers, not shifted."""
    if draw is Draw.UNIFORM:
        return spec.scale * rng.uniform(-1.0, 1.0, shape)
    if draw is Draw.DISTINCT:
        size = int(np.prod(shape))
        return spec.scale * (rng.permutation(size).reshape(shape) - (size - 1) / 2) / max(size, 1)
    if draw is Draw.POSITIVE:
        return spec.scale * np.exp(rng.standard_normal(shape))
    normal = spec.scale * rng.standard_normal(shape)
    if draw is Draw.PROBABILITY:
        positive = np.exp(normal)
        return positive / positive.sum(axis=-1, keepdims=True)
    if draw is Draw.SPARSE:
        return np.where(_some(shape, rng), 0.0, normal)
    if draw is Draw.NEAR_KINK:
        return np.where(_some(shape, rng), 1e-6 * rng.uniform(-1.0, 1.0, shape), normal)
    if draw is Draw.TIES:
        return np.round(2 * normal) / 2
    return normal * {Draw.TINY: 1e-8, Draw.HUGE: 1e8, Draw.EXTREME: 1e4}.get(draw, 1.0)


def _mask(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Zeros and ones, with a one in each row of the last axis: a row that is masked throughout has no meaning."""
    mask = np.asarray(rng.integers(0, 2, shape), dtype=np.float64)
    if mask.ndim:
        empty = ~mask.any(axis=-1)
        mask[..., 0][empty] = 1.0  # the first: what a causal mask leaves as well
    return mask


def _with_ignored(classes: Array, rng: np.random.Generator) -> Array:
    """About 30 % of the labels are -1: at least one, and not all where there are several."""
    if classes.size > 1:
        classes[_some(classes.shape, rng)] = -1
    return classes


def _some(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Mask of about 30 % of the elements, and at least one: a case that is named for them must have them."""
    size = int(np.prod(shape))
    chosen = np.zeros(size, dtype=bool)
    chosen[rng.permutation(size)[: max(1, round(_SPARSE_SHARE * size))]] = True
    return chosen.reshape(shape)


def _data(
    assignment: Assignment,
    exercise: Exercise,
    spec: ArraySpec,
    sizes: Mapping[str, int],
    rows: dict[str, Array],
    rng: np.random.Generator,
) -> Array:
    """Rows of a field of the data set; inputs that share their first axis get the same rows."""
    where = f"exercise {exercise.name}.inputs"
    try:
        data = _load_data(str(assignment.data))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ManifestError(str(assignment.manifest), "data", f"{assignment.data} can't be read: {error}") from error
    if spec.field is None or spec.field not in data:
        raise ManifestError(str(assignment.manifest), where, f"the data have no field {spec.field!r}")
    table = data[spec.field]
    axis = spec.axes[0]
    if sizes[axis] > len(table):
        raise ManifestError(str(assignment.manifest), where, f"{sizes[axis]} rows asked, the data have {len(table)}")
    if axis not in rows:
        rows[axis] = rng.choice(len(table), sizes[axis], replace=False)
    picked = table[rows[axis]]
    if picked.ndim == 1 and picked.dtype.kind in "iu":
        return picked.astype(np.int64)
    if picked.dtype.kind == "u":  # pixels; signed integers are codes, and stay so
        picked = picked / np.iinfo(picked.dtype).max
    shape = tuple(sizes[name] for name in spec.axes)
    if picked.size != np.prod(shape):
        raise ManifestError(
            str(assignment.manifest), where, f"{spec.field!r} has rows of {table.shape[1:]}, not {shape[1:]}"
        )
    return np.asarray(picked, dtype=np.int64 if picked.dtype.kind == "i" else np.float64).reshape(shape)


@functools.lru_cache(maxsize=4)
def _load_data(path: str) -> Mapping[str, Array]:
    with np.load(Path(path), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def describe(exercise: Exercise, case: Case) -> str:
    """Shapes by axis name for a message: ``x (N=3, D=4)  w (D=4, M=5)  lr = 0.1``; many arrays share one list."""
    if case.graph is not None:
        leaves_of_it = [f"{name} {leaf.shape}" for name, leaf in case.inputs.items()]
        return f"a graph of {len(case.graph.steps)} steps over {'  '.join(leaves_of_it)}"
    arrays = [
        (label, ", ".join(f"{axis}={case.sizes[axis]}" for axis in spec.axes))
        for name, specs in exercise.inputs.items()
        for (_, spec), (label, _) in zip(named_specs(name, specs), named_leaves(case.inputs[name], name), strict=True)
    ]
    if len(arrays) <= _MOST_LEAVES:
        texts = [f"{label} ({axes})" for label, axes in arrays]
    else:
        texts = [f"{', '.join(case.inputs)} ({', '.join(f'{axis}={size}' for axis, size in case.sizes.items())})"]
    return "  ".join([*texts, *(f"{name} = {value}" for name, value in case.arguments.items())])
