"""Optimizer steps: the trajectory of parameters and state against torch.optim, first diverging step and field named.

Each step continues from what the student's own step returned, so an error that only shows after a few steps (a
frozen step count, a missing bias correction) shows here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from grader.calls import Opaque
from grader.checks.asking import Unanswered, finding, size_of
from grader.checks.question import Question, Ruling
from grader.checks.slips import cause_of, tried
from grader.checks.values import Cause, Leaf, compare_leaves, describe_value, expected_leaves, structure_problem, tell
from grader.findings import Finding, FindingCode
from grader.numerics.comparison import Comparison
from grader.numerics.diagnosis import Context
from grader.numerics.trees import map_leaves, named_leaves
from grader.reference import Expected
from grader.slips import Variant

__all__ = ["trajectory"]

Results: TypeAlias = list[tuple[int, Leaf, Any, Comparison]]
"""Step, and what is compared after it."""


def trajectory(question: Question) -> Ruling:
    """All steps of one case, up to the first that differs."""
    case, exercise = question.case, question.exercise
    expected = question.oracle.expected(exercise, case)
    name, params = next(iter(case.inputs.items()))
    state = {field: _start(value) for field, value in expected.states[0].items()}
    every: Results = []
    for step, update in enumerate(case.updates, start=1):
        found = _step(question, params, state, step)
        if isinstance(found, Finding):
            return Ruling(failure=found, comparisons=_evidence(every))
        results = _compare(question, found, step)
        every += [(step, *result) for result in results]
        if not all(comparison.passed for _, _, comparison in results):
            came = [*named_leaves(params, name), *named_leaves(update, "grads")]
            before = {label: np.asarray(leaf) for label, leaf in came}
            failure = tell(
                FindingCode.WRONG_TRAJECTORY,
                [(_with_context(leaf, before), *rest) for leaf, *rest in results],
                hide_values=question.hide_values,
                cause=_cause(question, every, found),
                step=step,
                steps=len(case.updates),
            )
            return Ruling(failure=failure, comparisons=_evidence(every))
        params, state = _next(question, found)
    return Ruling(comparisons=_evidence(every))


def _step(question: Question, params: Any, state: dict[str, Any], step: int) -> dict[str, Any] | Finding:
    """What the student's step returns, by name."""
    exercise, case = question.exercise, question.case
    rest = [*list(case.inputs.values())[1:], *case.arguments.values()]
    args = [params, case.updates[step - 1], *([state] if exercise.state else []), *rest]
    function = exercise.functions["step"]
    result = question.student.value(function, *args, like=size_of(params, state))
    return _found(function, result, _after(question, question.oracle.expected(exercise, case), step))


def _after(question: Question, expected: Expected, step: int) -> dict[str, Any]:
    """What there is to compare after a step, by name."""
    name = next(iter(question.case.inputs))
    return {name: expected.trajectory[step - 1]} | (
        {"state": expected.states[step - 1]} if question.exercise.state else {}
    )


def _next(question: Question, found: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Parameters and state that the next step is given."""
    name = next(iter(question.case.inputs))
    return found[name], {field: _handed_on(value) for field, value in found.get("state", {}).items()}


def _evidence(every: Results) -> list[tuple[str, Comparison]]:
    return [(_label(leaf, step), comparison) for step, leaf, _, comparison in every]


def _label(leaf: Leaf, step: int) -> str:
    return f"{leaf.name} after step {step}"


def _cause(question: Question, every: Results, found: dict[str, Any]) -> Cause | None:
    """The known slip that gives the whole trajectory: where one gives what there is of it, the student is asked on."""

    def among(candidates: Sequence[Variant] | None) -> list[Variant]:
        results = [(replace(leaf, name=_label(leaf, step)), *rest) for step, leaf, *rest in every]
        return tried(question, results, lambda made: _named(question, made), candidates)

    candidates, last = among(None), every[-1][0]
    for step in range(last + 1, len(question.case.updates) + 1) if candidates else ():
        try:
            further = _step(question, *_next(question, found), step)
        except Unanswered:
            return None
        if isinstance(further, Finding):
            return None
        found = further
        every = [*every, *((step, *result) for result in _compare(question, found, step))]
    return cause_of(among(candidates)) if candidates else None


def _named(question: Question, made: Expected) -> dict[str, Any]:
    """All that a slip gives, step after step."""
    return {
        f"{label} after step {step}": leaf
        for step in range(1, len(question.case.updates) + 1)
        for name, tree in _after(question, made, step).items()
        for label, leaf in named_leaves(tree, name)
    }


def _slack(question: Question, expected: Expected, step: int) -> dict[str, Any]:
    """How far each may lie from what is expected, where less than float64 is asked."""
    return {} if expected.slack is None else _after(question, expected.slack, step)


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


def _compare(question: Question, found: dict[str, Any], step: int) -> list[tuple[Leaf, Any, Comparison]]:
    expected = question.oracle.expected(question.exercise, question.case)
    slack = _slack(question, expected, step)
    every = question.oracle.once(
        ("step", question.case.key, step),
        lambda: {
            name: expected_leaves(name, tree, slack=slack.get(name))
            for name, tree in _after(question, expected, step).items()
        },
    )
    return [result for name, own in every.items() for result in compare_leaves(found[name], own)]


def _with_context(leaf: Leaf, before: dict[str, Any]) -> Leaf:
    """The leaf with its own value before the step and its own gradient: what a wrong step is made of."""
    _, bracket, path = leaf.name.partition("[")
    own = {label: array for label, array in before.items() if label.partition("[")[1:] == (bracket, path)}
    return replace(leaf, context=Context(name=leaf.name, inputs=own, forward=True))
