"""What the reference answers in the stead of a student's wrong function, so that whoever calls it is judged by itself.

A network whose affine layer averages over the batch has wrong gradients too: one slip, and it would cost twice. So a
part that failed is judged once more, in a process in which calls of functions that fail in their own exercises are
answered from here (grader.grading decides when). What passes then is right, and only its layer is not.

Whose calls are answered for whom is a matter of order, and not of who was judged first: functions, layers, losses and
steps stand before networks (models, and what takes parameters in a tree), those before trainings, and else all stand as
in the manifest. An exercise is answered
for those behind it alone. So two exercises can't earn points by each calling the other; and one whose reference is
that of another is not answered for it, or a line would do that calls what was never written.

What is asked comes from the student's process and is believed in nothing (Answers.answer): the tree must be that of
the exercise's inputs, its leaves numbers, its whole numbers none that would make the reference allocate or loop
without end. Is it not small, the price is asked first: the reference is run on shapes alone (torch's meta device) and
what it would compute is counted. What the reference does not take is refused in words that name the shapes.

Threats. The process that asks can have wrong functions answered at arguments of its own choice. It is a new one, asks
about nothing but functions whose own verdict has been given already, and is ended with the part: what it learns
reaches no process in which that function is judged. What it could take to its answers is the reference's value of a
function that the student lacks, as a right function of their own would give it: that is what is meant. It has no
point, tolerance, seed or expected value of the exercise that is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final, assert_never

import numpy as np

from grader.assignment import ArraySpec, Assignment, Draw, Exercise, Kind, Scalar, named_specs
from grader.calls import NotAnswered, Role, StandIn, Value
from grader.errors import GradmarkError
from grader.numerics.trees import leaves, map_leaves, same_structure
from grader.reference import Oracle

__all__ = ["Answers", "answered_for", "callees_first"]

MOST_ASKED: Final = 100_000
"""Questions of one part. A training of a thousand steps through ten layers asks a fifth of it."""
SMALL: Final = 1 << 14
"""Elements, of all arguments together, whose square is not much to compute with."""
SMALL_NUMBER: Final = 64
"""The same of a whole number, which may stand for sizes."""
LARGEST_NUMBER: Final = 1 << 20
"""In an array of whole numbers: they may be used as classes or positions, of which there then are so many."""


def callees_first(assignment: Assignment) -> list[Exercise]:
    """The exercises, those that others may call before these."""
    return sorted(assignment.exercises, key=_level)


def _level(exercise: Exercise) -> int:
    """0 for what networks are made of, 1 for networks, their losses among them, 2 for trainings."""
    match exercise.kind:
        case Kind.FUNCTION | Kind.LAYER | Kind.LOSS:
            return int(not all(isinstance(spec, ArraySpec) for spec in exercise.inputs.values()))
        case Kind.STEP | Kind.DROPOUT | Kind.ENGINE:
            return 0
        case Kind.MODEL:
            return 1
        case Kind.TRAINING:
            return 2
        case _:
            assert_never(exercise.kind)


def answered_for(assignment: Assignment, exercise: Exercise) -> list[Exercise]:
    """Exercises whose functions' calls may be answered while this one is judged.

    With an adapter there is none: what a student's functions take is known to it alone.
    """
    order = callees_first(assignment)
    if not assignment.one_slip_costs_once or assignment.adapter is not None or exercise.kind is Kind.ENGINE:
        return []
    own = {exercise.reference, *exercise.also_right}
    earlier = order[: order.index(exercise)]
    return [other for other in earlier if _has_answers(other) and other.reference not in own]


def _has_answers(exercise: Exercise) -> bool:
    """Whether one call says all: a dropout draws, an optimizer with a state remembers."""
    match exercise.kind:
        case Kind.FUNCTION | Kind.LAYER | Kind.MODEL | Kind.LOSS:
            return True
        case Kind.STEP:
            return not exercise.state
        case Kind.TRAINING | Kind.DROPOUT | Kind.ENGINE:
            return False
        case _:
            assert_never(exercise.kind)


class Answers:
    """Calls of these exercises' functions, answered by the reference (grader.calls.Answering)."""

    def __init__(self, oracle: Oracle, exercises: Sequence[Exercise], most: int = MOST_ASKED) -> None:
        """Nothing is asked yet.

        Args:
            oracle: gives the answers.
            exercises: those whose functions are answered.
            most: how many questions are answered, in all.
        """
        self._oracle = oracle
        self._left = most
        self._of = [(exercise, stand_in) for exercise in exercises for stand_in in _stand_ins(exercise)]
        self._afforded: set[Any] = set()
        self.asked: dict[str, str] = {}
        """Functions that were answered since begin(), each with its exercise's name."""
        self.refused = ""
        """Why something was not answered since begin(); empty if nothing was refused."""

    @property
    def stand_ins(self) -> tuple[StandIn, ...]:
        """The functions, in the order of their numbers."""
        return tuple(stand_in for _, stand_in in self._of)

    def begin(self) -> None:
        """Forget what was asked before."""
        self.asked, self.refused = {}, ""

    def answer(self, number: int, args: Value) -> Value:
        """The reference's answer to a call.

        Raises:
            NotAnswered: the arguments are none that it takes, or ask for too much.
        """
        try:
            if not 0 <= number < len(self._of):
                raise NotAnswered("there is no such function")
            exercise, stand_in = self._of[number]
            self.asked[stand_in.function] = exercise.name
            self._left -= 1
            if self._left < 0:
                raise NotAnswered(f"{stand_in.function} was asked too often")
            return self._answered(exercise, stand_in, args)
        except NotAnswered as refusal:
            self.refused = self.refused or str(refusal)
            raise

    def _answered(self, exercise: Exercise, stand_in: StandIn, args: Value) -> Value:
        try:
            with np.errstate(all="ignore"):
                return self._by_reference(exercise, stand_in.role, _items(args))
        except (GradmarkError, _UnfitError, ArithmeticError, ValueError) as error:
            words = error if isinstance(error, _UnfitError) else _shapes(args)
            raise NotAnswered(f"the reference of {stand_in.function} does not take this: {words}") from error

    def _by_reference(self, exercise: Exercise, role: Role, args: Sequence[Value]) -> Value:
        """What it gives, or its gradients.

        Raises:
            OracleError: it fails on these arguments.
            _UnfitError: they are not of the form that it takes.
        """
        if exercise.kind is Kind.STEP:
            return self._oracle.step(exercise, *_step(exercise, args))
        ups = len(exercise.outputs) if role is Role.BACKWARD else 0
        upstream, fitting = [_numbers(item) for item in args[:ups]], _fitting(exercise, args[ups:])
        self._afford(exercise, fitting)
        match role:
            case Role.BACKWARD:
                up = tuple(upstream) if ups > 1 else upstream[0]
                return _one_or_all(self._oracle.differentiated(exercise, fitting, up)[1])
            case Role.VALUE if exercise.kind is Kind.LOSS:
                value, gradients = self._oracle.differentiated(exercise, fitting, None)
                return value, _one_or_all(gradients)
            case Role.VALUE:
                return self._oracle.value(exercise, fitting)
            case Role.FORWARD:
                value = self._oracle.value(exercise, fitting)
                return value if len(exercise.outputs) > 1 else (value,)
            case _:
                assert_never(role)

    def _afford(self, exercise: Exercise, args: Sequence[Value]) -> None:
        """Refuse what would take the judge too long, or more memory than it has."""
        arrays = [leaf for leaf in leaves(list(args)) if isinstance(leaf, np.ndarray)]
        numbers = [leaf for leaf in leaves(list(args)) if isinstance(leaf, int)]
        if sum(array.size for array in arrays) <= SMALL and max(map(abs, numbers), default=0) <= SMALL_NUMBER:
            return
        key = exercise.name, tuple((array.shape, array.dtype.kind) for array in arrays), tuple(numbers)
        if key not in self._afforded:
            self._oracle.afford(exercise, args)
            self._afforded.add(key)


class _UnfitError(Exception):
    """Arguments of another form than the exercise's; the text says which."""


def _stand_ins(exercise: Exercise) -> list[StandIn]:
    parameters = tuple(exercise.inputs) + (("grads",) if exercise.kind is Kind.STEP else ()) + tuple(exercise.arguments)
    return [
        StandIn(
            function=exercise.functions[role],
            role={"forward": Role.FORWARD, "backward": Role.BACKWARD}.get(role, Role.VALUE),
            parameters=parameters,
            scalars=dict(exercise.arguments),
            pair=exercise.name,
        )
        for role in exercise.kind.roles
    ]


def _items(args: Value) -> Sequence[Value]:
    if not isinstance(args, (tuple, list)):
        raise _UnfitError("no arguments")
    return args


def _fitting(exercise: Exercise, args: Sequence[Value]) -> list[Value]:
    """Arguments as the reference takes them."""
    if len(args) != len(exercise.inputs) + len(exercise.arguments):
        raise _UnfitError(f"{len(args)} arguments")
    found = [_tree(name, spec, value) for (name, spec), value in zip(exercise.inputs.items(), args, strict=False)]
    rest = args[len(found) :]
    return found + [_scalar(*item, value) for item, value in zip(exercise.arguments.items(), rest, strict=True)]


def _step(exercise: Exercise, args: Sequence[Value]) -> tuple[Value, Value, list[Scalar]]:
    """Parameters, gradients and numbers of a step. The parameters may be of whatever structure."""
    if len(args) != 2 + len(exercise.arguments):
        raise _UnfitError(f"{len(args)} arguments")
    params, grads = map_leaves(_numbers, args[0]), map_leaves(_numbers, args[1])
    if not same_structure(grads, params):
        raise _UnfitError("gradients of another structure than the parameters")
    grads = _aligned(params, grads)
    return params, grads, [_scalar(*item, arg) for item, arg in zip(exercise.arguments.items(), args[2:], strict=True)]


def _tree(name: str, spec: Any, value: Value) -> Value:
    """A value of the structure that is declared, its numbers as the reference takes them.

    The reference may take another one all the same: many go through whatever tree there is.
    """
    if isinstance(spec, ArraySpec):
        return _classes(name, value) if spec.draw in (Draw.CLASSES, Draw.IGNORED) else _leaf(name, spec, value)
    keys = list(spec) if isinstance(spec, dict) else range(len(spec))
    found = value if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, (tuple, list)) else {}
    if isinstance(spec, dict) == isinstance(value, dict) and set(found) == set(keys):
        items = {key: _tree(f"{name}[{key!r}]", spec[key], found[key]) for key in keys}
        return items if isinstance(spec, dict) else list(items.values())
    if not found or not all(each.differentiable for _, each in named_specs(name, spec)):
        raise _UnfitError(f"{name} of another structure")
    return map_leaves(_numbers, value)


def _leaf(name: str, spec: ArraySpec, value: Value) -> Value:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
        raise _UnfitError(f"{name} that is no array of numbers")
    return _numbers(value) if spec.differentiable else _bounded(name, value)


def _classes(name: str, value: Value) -> Value:
    """Whole numbers, whatever type they are of."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf" or not np.all(value == np.round(value)):
        raise _UnfitError(f"{name} that holds no whole numbers")
    return _bounded(name, value).astype(np.int64)


def _bounded(name: str, value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if not np.all(np.abs(value.astype(np.float64)) <= LARGEST_NUMBER) and value.dtype.kind in "iuf":
        raise _UnfitError(f"{name} that holds too large a number")
    return value


def _numbers(value: Value) -> np.ndarray[Any, Any]:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
        raise _UnfitError("what is no array of numbers")
    return np.asarray(value, dtype=np.float64)


def _aligned(like: Value, tree: Value) -> Value:
    """A tree of the same structure, its keys in the same order."""
    if isinstance(like, dict):
        return {key: _aligned(value, tree[key]) for key, value in like.items()}
    if isinstance(like, (tuple, list)):
        return [_aligned(*pair) for pair in zip(like, tree, strict=True)]
    return tree


def _scalar(name: str, declared: Scalar, value: Value) -> Scalar:
    """A number of the type that the manifest's own is of."""
    if not isinstance(value, np.ndarray) or value.ndim or value.dtype.kind not in "biuf":
        raise _UnfitError(f"{name} that is no number")
    number = value.item()
    if isinstance(declared, bool):
        return bool(number)
    if isinstance(declared, int):
        if Fraction(number).denominator != 1:  # of an infinity, or of NaN, it raises
            raise _UnfitError(f"{name} that is no whole number")
        return int(number)
    return float(number)


def _one_or_all(values: Sequence[Value]) -> Value:
    return values[0] if len(values) == 1 else tuple(values)


def _shapes(args: Value) -> str:
    """Arguments in words: their shapes, as many as fit on a line."""
    shapes = [str(np.shape(leaf)) for leaf in leaves(args)]
    return f"arrays of shapes {', '.join(shapes[:8])}{', ...' if len(shapes) > 8 else ''}"
