"""Values: what a function returns, the first result of a forward, the number of a loss, against the reference's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from grader.checks.asking import Unanswered, finding, size_of
from grader.checks.question import Question, Ruling
from grader.checks.values import Leaf, compare_leaves, describe_value, structure_problem, tell
from grader.findings import FindingCode, Status
from grader.numerics.diagnosis import Context
from grader.numerics.trees import named_leaves

__all__ = ["float_inputs", "forward", "input_scale", "largest", "loss", "loss_and_gradient", "value"]


def value(question: Question) -> Ruling:
    """A function of which only the value is asked."""
    expected = question.oracle.expected(question.exercise, question.case).value
    actual = question.student.value(question.exercise.functions["function"], *question.case.args, like=expected.nbytes)
    return _value_ruling(question, "out", actual, expected)


def forward(question: Question) -> Ruling:
    """The forward result of a layer or a model; its cache is not looked at."""
    expected = question.oracle.expected(question.exercise, question.case).value
    actual, _ = question.student.pair(question.exercise.functions["forward"], *question.case.args, like=expected.nbytes)
    return _value_ruling(question, "out", actual, expected)


def loss(question: Question) -> Ruling:
    """The value of a loss function that returns (loss, gradient)."""
    expected = question.oracle.expected(question.exercise, question.case).value
    actual, _ = loss_and_gradient(question, question.case.args)
    return _value_ruling(question, "loss", actual, expected)


def _value_ruling(question: Question, name: str, actual: Any, expected: np.ndarray[Any, Any]) -> Ruling:
    problem = structure_problem(actual, expected)
    if problem:
        return Ruling(failure=finding(FindingCode.WRONG_STRUCTURE, what=name, problem=problem))
    axes = question.exercise.output
    context = Context(
        name=name, axes=axes, sizes=question.case.sizes, inputs=float_inputs(question.case.inputs), forward=True
    )
    leaf = Leaf(name=name, expected=expected, axes=axes, context=context)
    results = compare_leaves(actual, [leaf], input_scale(question))
    return Ruling(
        failure=tell(FindingCode.WRONG_VALUE, results, hide_values=question.hide_values),
        comparisons=[(leaf.name, result) for leaf, _, result in results],
    )


def loss_and_gradient(question: Question, args: Sequence[Any], *, watch: bool = False) -> tuple[Any, Any]:
    """The pair that a loss function returns, neither of which is looked at.

    Raises:
        Unanswered: it did not return, or no pair.
    """
    function = question.exercise.functions["loss"]
    result = question.student.value(function, *args, like=size_of(*args), watch=watch)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        problem = f"must return a pair (loss, gradient), it returned {describe_value(result)}"
        raise Unanswered(Status.FAILED, finding(FindingCode.WRONG_STRUCTURE, what=function, problem=problem))
    return result[0], result[1]


def input_scale(question: Question) -> float:
    """Size of the largest number that goes in: what may cancel in a result that is zero throughout."""
    return largest(float_inputs(question.case.inputs).values())


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
