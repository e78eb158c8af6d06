"""Values: what a function returns, the first result of a forward, the number of a loss, against the reference's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from grader.assignment import Kind
from grader.checks.asking import Unanswered, finding, size_of
from grader.checks.likeness import likened
from grader.checks.question import Question, Ruling
from grader.checks.slips import recognised
from grader.checks.values import Leaf, compare_leaves, describe_value, expected_leaves, structure_problem, tell
from grader.checks.verdicts import verdicts_in
from grader.findings import FindingCode, Status
from grader.numerics.diagnosis import Context
from grader.numerics.trees import keys_of, named_leaves
from grader.reference import Expected

__all__ = [
    "expected_value",
    "float_inputs",
    "forward",
    "largest",
    "loss",
    "loss_and_gradient",
    "losses_and_gradients",
    "value",
    "value_ruling",
]


def value(question: Question) -> Ruling:
    """A function of which only the value is asked."""
    wanted = expected_value(question)
    function, room = question.exercise.functions["function"], _room(wanted)
    question.student.known |= keys_of(question.oracle.expected(question.exercise, question.case).value)
    return value_ruling(question, wanted, question.student.value(function, *question.case.args, like=room))


def forward(question: Question) -> Ruling:
    """The forward result of a layer or a model; its cache is not looked at."""
    wanted = expected_value(question)
    function, results = question.exercise.functions["forward"], len(question.exercise.outputs)
    actual, _ = question.student.pair(function, *question.case.args, like=_room(wanted), results=results)
    return value_ruling(question, wanted, actual)


def loss(question: Question) -> Ruling:
    """The value of a loss function that returns (loss, gradient)."""
    wanted = expected_value(question)
    actual, _ = loss_and_gradient(question, question.case.args)
    return value_ruling(question, wanted, actual)


def _room(wanted: Sequence[Leaf]) -> int:
    return sum(leaf.expected.nbytes for leaf in wanted)


def expected_value(question: Question) -> list[Leaf]:
    """The leaves of the expected result: one, unless there are several results. The same for every submission."""

    def leaf() -> list[Leaf]:
        case, exercise = question.case, question.exercise
        inputs = float_inputs(case.inputs)
        name = "loss" if exercise.kind is Kind.LOSS else "out"
        context = Context(name=name, axes=exercise.output, sizes=case.sizes, inputs=inputs, forward=True)
        # Where the result is zero throughout, the largest number that goes in is what may have cancelled in it.
        expected = question.oracle.expected(exercise, case)
        slack = None if expected.slack is None else expected.slack.value
        found = expected_leaves(name, expected.value, largest(inputs.values()), slack=slack)
        axes = exercise.outputs if len(exercise.outputs) == len(found) else [()] * len(found)
        return [
            replace(leaf, axes=own, context=replace(context, name=leaf.name, axes=own))
            for leaf, own in zip(found, axes, strict=True)
        ]

    return question.oracle.once(("value", question.case.key), leaf)


def value_ruling(question: Question, wanted: list[Leaf], actual: Any) -> Ruling:
    """A result beside the reference's."""
    problem = structure_problem(actual, question.oracle.expected(question.exercise, question.case).value)
    what = "loss" if question.exercise.kind is Kind.LOSS else "out"
    if problem:
        return Ruling(failure=finding(FindingCode.WRONG_STRUCTURE, what=what, problem=problem))
    results = compare_leaves(actual, wanted)

    def named(made: Expected) -> dict[str, Any]:
        return dict(named_leaves(made.value, what))

    cause = recognised(question, results, named)
    told = tell(FindingCode.WRONG_VALUE, results, hide_values=question.hide_values, cause=cause)
    return Ruling(
        failure=likened(question, told, results, named),
        comparisons=[(leaf.name, result) for leaf, _, result in results],
        verdicts=verdicts_in(results),
    )


def loss_and_gradient(question: Question, args: Sequence[Any], *, watch: bool = False) -> tuple[Any, Any]:
    """The pair that a loss function returns, neither of which is looked at.

    Raises:
        Unanswered: it did not return, or no pair.
    """
    function = question.exercise.functions["loss"]
    return _loss_pair(function, question.student.value(function, *args, like=size_of(*args), watch=watch))


def losses_and_gradients(question: Question, every: Sequence[Sequence[Any]]) -> Iterator[Callable[[], tuple[Any, Any]]]:
    """For each of these arguments in order what gives the pair, or raises as loss_and_gradient does."""
    function = question.exercise.functions["loss"]
    for answer in question.student.values(function, every, like=size_of(*every[0])):
        yield lambda answer=answer: _loss_pair(function, answer())  # type: ignore[misc]


def _loss_pair(function: str, result: Any) -> tuple[Any, Any]:
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        problem = f"must return a pair (loss, gradient), it returned {describe_value(result)}"
        raise Unanswered(Status.FAILED, finding(FindingCode.WRONG_STRUCTURE, what=function, problem=problem))
    return result[0], result[1]


def largest(arrays: Iterable[Any]) -> float:
    """Size of the largest finite element of these arrays; 0 if there is none."""
    return max((float(np.max(np.abs(a), where=np.isfinite(a), initial=0.0)) for a in arrays), default=0.0)


def float_inputs(inputs: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """The floating-point arrays of these trees by name."""
    return {
        label: leaf
        for name, tree in inputs.items()
        for label, leaf in named_leaves(tree, name)
        if np.asarray(leaf).dtype.kind == "f"
    }
