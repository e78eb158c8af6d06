"""Training loops: first the same trajectory as the reference's, then the loss and accuracy that they reach.

Accuracy alone can't grade a training loop: a sum for a mean in the loss scores higher than the right code
(assignments/mlp/README.md shows it). So the parameters and losses must equal the reference's first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from grader.checks.asking import Student, finding, size_of
from grader.checks.question import Question, Ruling
from grader.checks.values import compare_leaves, describe_value, expected_leaves, structure_problem, tell
from grader.findings import Finding, FindingCode

__all__ = ["result", "trajectory"]


def trajectory(question: Question) -> Ruling:
    """Losses of every step and the parameters after the last."""
    expected = question.oracle.expected(question.exercise, question.case)
    name = next(iter(question.exercise.inputs))
    trained = _train(question, _args(question))
    if isinstance(trained, Finding):
        return Ruling(failure=trained)
    params, losses = trained
    bad = _bad_losses(losses, len(expected.value))
    problem = structure_problem(params, expected.trajectory[0])
    if problem or bad:
        told = finding(
            FindingCode.WRONG_STRUCTURE, what=name if problem else "losses", problem=problem or bad
        )
        return Ruling(failure=told)
    kept = compare_leaves(np.asarray(losses, dtype=np.float64), expected_leaves("losses", expected.value))
    results = [*compare_leaves(params, expected_leaves(name, expected.trajectory[0])), *kept]
    comparisons = [(leaf.name, comparison) for leaf, _, comparison in results]
    steps = len(expected.value)
    step = _first_step(question, params) if any(not comparison.passed for _, _, comparison in results[:-1]) else 0
    loss = kept[0][2]
    step = step or (loss.worst[0] + 1 if loss.worst else steps)
    failure = tell(FindingCode.WRONG_TRAJECTORY, results, hide_values=question.hide_values, step=step, steps=steps)
    return Ruling(failure=failure, comparisons=comparisons)


def result(question: Question) -> Ruling:
    """Loss and accuracy of the trained network, computed by the reference from the returned parameters."""
    spec = question.case.spec
    trained = _train(question, _args(question))
    if isinstance(trained, Finding):
        return Ruling(failure=trained)
    params, _ = trained
    problem = structure_problem(params, next(iter(question.case.inputs.values()))) or _bad_shapes(question, params)
    if problem:
        return Ruling(failure=finding(FindingCode.WRONG_STRUCTURE, what="params", problem=problem))
    loss, accuracy = question.oracle.evaluate(question.exercise, question.case, params)
    enough = spec.accuracy is None or accuracy >= spec.accuracy
    low = spec.loss is None or loss <= spec.loss
    if enough and low:
        return Ruling()
    asked = [f"accuracy {spec.accuracy:.0%}"] * (spec.accuracy is not None) + [f"loss {spec.loss}"] * (spec.loss is not None)
    reached = f"accuracy {accuracy:.1%} and loss {loss:.4g} on the images it was trained on"
    return Ruling(failure=finding(FindingCode.NOT_LEARNED, reached=reached, asked=" and ".join(asked)))


def _args(question: Question, **changes: Any) -> list[Any]:
    return [*question.case.inputs.values(), *({**question.case.arguments, **changes}).values()]


def _train(question: Question, args: list[Any]) -> tuple[Any, Any] | Finding:
    function = question.exercise.functions["train"]
    student: Student = question.student
    returned = student.value(function, *args, like=size_of(*args))
    if not isinstance(returned, (tuple, list)) or len(returned) != 2:
        problem = f"must return (params, losses), it returned {describe_value(returned)}"
        return finding(FindingCode.WRONG_STRUCTURE, what=function, problem=problem)
    return returned[0], returned[1]


def _bad_losses(losses: Any, steps: int) -> str | None:
    """Why these are not a number a step, in words. A list, a tuple or an array will do."""
    items = list(losses) if isinstance(losses, (tuple, list)) or np.ndim(losses) == 1 else None
    if items is None or any(np.ndim(item) != 0 or np.asarray(item).dtype.kind not in "biuf" for item in items):
        return f"must be one number a step, it is {describe_value(losses)}"
    return None if len(items) == steps else f"must be {steps} numbers, one a step; it is {len(items)}"


def _bad_shapes(question: Question, params: Any) -> str | None:
    name, start = next(iter(question.case.inputs.items()))
    for leaf, value, comparison in compare_leaves(params, expected_leaves(name, start)):
        if comparison.actual_shape != comparison.expected_shape or np.asarray(value).dtype.kind not in "biuf":
            return f"{leaf.name} must be {describe_value(leaf.expected)}, it is {describe_value(value)}"
    return None


def _first_step(question: Question, final: Any) -> int:
    """First step after which the parameters differ: asks for shorter trainings, at most log2(steps) of them."""
    name = next(iter(question.exercise.inputs))
    steps = int(question.case.arguments["steps"])
    low, high = 0, steps  # right after `low` steps, wrong after `high`
    while high - low > 1:
        middle = (low + high) // 2
        shorter = replace(
            question.case,
            spec=replace(question.case.spec, name=f"{question.case.name}, {middle} steps"),
            arguments={**question.case.arguments, "steps": middle},
        )
        expected = question.oracle.expected(question.exercise, shorter)
        trained = _train(question, _args(question, steps=middle))
        if isinstance(trained, Finding) or structure_problem(trained[0], final):
            return high
        results = compare_leaves(trained[0], expected_leaves(name, expected.trajectory[0]))
        if all(comparison.passed for _, _, comparison in results):
            low = middle
        else:
            high = middle
    return high
