"""Optimizer steps: the trajectory of parameters and state against torch.optim, first diverging step and field named.

Each step continues from what the student's own step returned, so an error that only shows after a few steps (a
frozen step count, a missing bias correction) shows here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from grader.calls import Opaque
from grader.checks.asking import finding, size_of
from grader.checks.question import Question, Ruling
from grader.checks.values import Leaf, compare_leaves, describe_value, expected_leaves, structure_problem, tell
from grader.findings import Finding, FindingCode
from grader.numerics.comparison import Comparison
from grader.numerics.diagnosis import Context
from grader.numerics.trees import map_leaves, named_leaves
from grader.reference import Expected

__all__ = ["trajectory"]


def trajectory(question: Question) -> Ruling:
    """All steps of one case, up to the first that differs."""
    case, exercise = question.case, question.exercise
    expected = question.oracle.expected(exercise, case)
    function = exercise.functions["step"]
    (name, params), *rest = case.inputs.items()
    state = {field: _start(value) for field, value in expected.states[0].items()}
    evidence: list[tuple[str, Comparison]] = []
    for step, update in enumerate(case.updates, start=1):
        args = [params, update, *([state] if exercise.state else []), *(value for _, value in rest)]
        result = question.student.value(function, *args, *case.arguments.values(), like=size_of(params, state))
        wanted = {name: expected.trajectory[step - 1]} | (
            {"state": expected.states[step - 1]} if exercise.state else {}
        )
        found = _found(function, result, wanted)
        if isinstance(found, Finding):
            return Ruling(failure=found, comparisons=evidence)
        before = {
            label: np.asarray(leaf) for label, leaf in [*named_leaves(params, name), *named_leaves(update, "grads")]
        }
        failure = _compare(question, found, wanted, _slack(name, expected.slack, step), step, before, evidence)
        if failure is not None:
            return Ruling(failure=failure, comparisons=evidence)
        params, state = found[name], {field: _handed_on(value) for field, value in found.get("state", state).items()}
    return Ruling(comparisons=evidence)


def _slack(name: str, slack: Expected | None, step: int) -> dict[str, Any]:
    if slack is None:
        return {}
    return {name: slack.trajectory[step - 1], "state": slack.states[step - 1]}


def _start(value: Any) -> Any:
    """A field of the state before the first step: zeros, or 0 for a count, an int as a student would write it."""
    return 0 if isinstance(value, np.ndarray) and value.ndim == 0 else map_leaves(np.zeros_like, value)


def _handed_on(value: Any) -> Any:
    """A count goes back as the number that it was: as an array of torch's it takes powers to float32."""
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _found(function: str, result: Any, wanted: dict[str, Any]) -> dict[str, Any] | Finding:
    """The returned trees by name; or what is wrong with their structure."""
    items = [result] if len(wanted) == 1 else result
    if not isinstance(items, (tuple, list)) or len(items) != len(wanted):
        problem = f"must return ({', '.join(wanted)}), it returned {describe_value(result)}"
        return finding(FindingCode.WRONG_STRUCTURE, what=function, problem=problem)
    for (name, tree), item in zip(wanted.items(), items, strict=True):
        problem_of_item = structure_problem(item, tree)
        if problem_of_item:
            new = "state" if name == "state" else "parameters"
            likely = f"return the new {new}" if item is None or isinstance(item, Opaque) else ""
            return finding(FindingCode.WRONG_STRUCTURE, what=name, problem=problem_of_item, likely=likely)
    return dict(zip(wanted, items, strict=True))


def _compare(
    question: Question,
    found: dict[str, Any],
    wanted: dict[str, Any],
    slack: dict[str, Any],
    step: int,
    before: dict[str, Any],
    evidence: list[tuple[str, Comparison]],
) -> Finding | None:
    every = question.oracle.once(
        ("step", question.case.key, step),
        lambda: {name: expected_leaves(name, tree, slack=slack.get(name)) for name, tree in wanted.items()},
    )
    results = [
        (leaf if comparison.passed else _with_context(leaf, before), value, comparison)
        for name, own in every.items()
        for leaf, value, comparison in compare_leaves(found[name], own)
    ]
    evidence += [(f"{leaf.name} after step {step}", result) for leaf, _, result in results]
    return tell(
        FindingCode.WRONG_TRAJECTORY,
        results,
        hide_values=question.hide_values,
        step=step,
        steps=len(question.case.updates),
    )


def _with_context(leaf: Leaf, before: dict[str, Any]) -> Leaf:
    """The leaf with its own value before the step and its own gradient: what a wrong step is made of."""
    _, bracket, path = leaf.name.partition("[")
    own = {label: array for label, array in before.items() if label.partition("[")[1:] == (bracket, path)}
    return replace(leaf, context=Context(name=leaf.name, inputs=own, forward=True))
