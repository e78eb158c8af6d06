"""Training loops: first the same trajectory as the reference's, then the loss and accuracy that they reach.

A wrong training is run again by the reference: with the slips of the course (grader.checks.slips), then on arguments
that make the usual mistakes of any loop (SLIPS); last, where it is short, by the mutants of the worked solution
(grader.checks.likeness). What gives the student's numbers is told.

Accuracy alone can't grade a training loop: a sum for a mean in the loss scores higher than the right code
(assignments/mlp/README.md shows it). So the parameters and losses must equal the reference's first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.cases import Case
from grader.checks.asking import Student, Unanswered, finding, size_of
from grader.checks.likeness import likened
from grader.checks.question import Question, Ruling
from grader.checks.slips import recognised
from grader.checks.values import (
    Leaf,
    compare_leaves,
    describe_value,
    expected_leaves,
    numbers,
    structure_problem,
    tell,
)
from grader.errors import OracleError
from grader.findings import Curve, Finding, FindingCode
from grader.numerics.comparison import Reason
from grader.numerics.tolerance import Tolerance
from grader.numerics.trees import named_leaves
from grader.reference import Expected

__all__ = ["SLIPS", "Slip", "result", "trajectory"]

Array: TypeAlias = NDArray[Any]
MOST_STEPS = 200
"""Of a curve; a picture has no room for more."""


def trajectory(question: Question) -> Ruling:
    """Losses of every step and the parameters after the last."""
    expected = question.oracle.expected(question.exercise, question.case)
    name = next(iter(question.exercise.inputs))
    trained = _train(question, _args(question))
    if isinstance(trained, Finding):
        return Ruling(failure=trained)
    params, losses = trained
    curve = _curve(question, losses)
    bad = _bad_losses(losses, len(expected.value))
    problem = structure_problem(params, expected.trajectory[0])
    if problem or bad:
        told = finding(FindingCode.WRONG_STRUCTURE, what=name if problem else "losses", problem=problem or bad)
        return Ruling(failure=told, curve=curve)
    return replace(_compare(question, params, np.asarray(losses, dtype=np.float64), expected), curve=curve)


def _compare(question: Question, params: Any, losses: Array, expected: Expected) -> Ruling:
    """Parameters first: a wrong update is the cause of the wrong losses after it."""
    name = next(iter(question.exercise.inputs))
    trained = compare_leaves(params, _trained(name, expected))
    told = compare_leaves(losses, _losses(expected))
    results = [*trained, *told]
    step = _first_wrong(losses, expected.value, told[0][2].tolerance)
    if any(not comparison.passed for _, _, comparison in trained):
        step = min(step, _first_step(question, params, len(losses)))

    def named(made: Expected) -> dict[str, Any]:
        return dict([*named_leaves(made.trajectory[0], name), *named_leaves(made.value, "loss")])

    failure = tell(
        FindingCode.WRONG_TRAJECTORY,
        results,
        hide_values=question.hide_values,
        cause=(cause := recognised(question, results, named)),
        step=step,
        steps=len(losses),
    )
    if failure is not None and failure.code is FindingCode.WRONG_TRAJECTORY and not (cause and cause.alone):
        failure = _explained(question, failure, params, losses, expected)
    failure = likened(question, failure, results, named)
    return Ruling(failure=failure, comparisons=[(leaf.name, comparison) for leaf, _, comparison in results])


def _trained(name: str, expected: Expected) -> list[Leaf]:
    slack = None if expected.slack is None else expected.slack.trajectory[0]
    return expected_leaves(name, expected.trajectory[0], slack=slack)


def _losses(expected: Expected) -> list[Leaf]:
    """Numbers, of whatever type."""
    slack = None if expected.slack is None else replace(expected.slack.value, dtype="float64")
    return expected_leaves("loss", expected.value, slack=slack)


def _first_wrong(losses: Array, expected: Array, tolerance: Tolerance) -> int:
    """Number of the first step whose loss differs; one more than there are if none does."""
    wrong = ~(np.abs(losses - expected) <= tolerance.atol + tolerance.rtol * np.abs(expected))
    return int(np.argmax(wrong)) + 1 if wrong.any() else len(losses) + 1


# ---------------------------------------------------------------------------------------------- what a loop got wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A training loop with a known mistake: the reference run on other arguments gives the same parameters."""

    pattern: str
    likely: str
    args: Callable[[Any, Array, Array, dict[str, Any]], tuple[Any, Array, Array, dict[str, Any]]]


SLIPS = (
    Slip(
        pattern="the parameters are those of a training on the first batch alone",
        likely="every step takes the same rows: start at (step * batch) % N",
        args=lambda p, x, y, a: (p, x[: a["batch"]], y[: a["batch"]], a),
    ),
    Slip(
        pattern="the parameters are those of a training in which every step takes all rows",
        likely="the batches are not cut out of the data",
        args=lambda p, x, y, a: (p, x, y, {**a, "batch": len(x)}),
    ),
    Slip(
        pattern="the parameters are those of a training that never uses the last rows",
        likely="a batch that runs over the end goes on with the first rows: take the rows modulo N",
        args=lambda p, x, y, a: (p, *(rows[: len(x) // a["batch"] * a["batch"]] for rows in (x, y)), a),
    ),
    Slip(
        pattern="the parameters are those of a training that starts with the second batch",
        likely="the first step takes the first rows: count the steps from 0",
        args=lambda p, x, y, a: (p, np.roll(x, -a["batch"], axis=0), np.roll(y, -a["batch"], axis=0), a),
    ),
    Slip(
        pattern="the parameters are those of a training with the learning rate times the batch size",
        likely="the gradient is summed over the batch; the 1/N of the mean is missing",
        args=lambda p, x, y, a: (p, x, y, {**a, "lr": a["lr"] * a["batch"]}),
    ),
    Slip(
        pattern="the parameters are those of a training with the learning rate divided by the batch size",
        likely="the 1/N of the mean is there twice",
        args=lambda p, x, y, a: (p, x, y, {**a, "lr": a["lr"] / a["batch"]}),
    ),
    Slip(
        pattern="the parameters are those of a training with one step less",
        likely="the loop ends one step early, or its last update is lost",
        args=lambda p, x, y, a: (p, x, y, {**a, "steps": a["steps"] - 1}),
    ),
    Slip(
        pattern="the parameters are those of a training with one step more",
        likely="the loop runs one step too many",
        args=lambda p, x, y, a: (p, x, y, {**a, "steps": a["steps"] + 1}),
    ),
)


def _explained(question: Question, failure: Finding, params: Any, losses: Array, expected: Expected) -> Finding:
    """The finding with the cause that reproduces the student's numbers, element by element; as it was if none does."""
    name, start = next(iter(question.case.inputs.items()))
    if _same(params, expected.trajectory[0], name):
        return _explained_losses(question, failure, losses)
    now, then = dict(named_leaves(params, name)), dict(named_leaves(start, name))
    moves = dict(named_leaves(expected.trajectory[0], name))
    frozen = [
        label
        for label, leaf in then.items()
        if np.array_equal(leaf, np.asarray(now[label])) and not np.array_equal(leaf, moves[label])
    ]
    if frozen:
        if len(frozen) == len(then):
            pattern = "still as they were drawn: all parameters"
            return replace(failure, pattern=pattern, likely="go on with what the step returns")
        pattern = f"still as they were drawn: {', '.join(frozen)}"
        right = {leaf.name for leaf, _, one in compare_leaves(params, _trained(name, expected)) if one.passed}
        # Zeros stay what they are in many a wrong step: one that multiplies by the parameters, say.
        known = right | set(frozen) == set(then) or any(np.any(then[label]) for label in frozen)
        likely = "the step leaves them out, or their gradient is zero" if known else ""
        return replace(failure, pattern=pattern, likely=likely)
    for slip in SLIPS:
        other = _reference_on(question, slip)
        if other is not None and _same(params, other.trajectory[0], name):
            return replace(failure, pattern=slip.pattern, likely=slip.likely)
    return failure


def _explained_losses(question: Question, failure: Finding, losses: Array) -> Finding:
    twice = Slip(
        pattern="", likely="", args=lambda p, x, y, a: (p, x[: a["batch"]], y[: a["batch"]], {**a, "steps": 2})
    )
    other = _reference_on(question, twice)
    if other is None or not np.isclose(losses[0], other.value[1], rtol=1e-9, atol=0.0):
        return failure
    pattern = "the first loss is that of the first batch after the first update"
    return replace(failure, pattern=pattern, likely="measure the loss before the update, with the scores that gave it")


def _same(params: Any, expected: Any, name: str) -> bool:
    return all(comparison.passed for _, _, comparison in compare_leaves(params, expected_leaves(name, expected)))


def _reference_on(question: Question, slip: Slip) -> Expected | None:
    """What the reference makes of the slip's arguments; None where they make no sense."""
    case = question.case
    if not _is_usual(case):
        return None
    (name, params), (x_name, x), (y_name, y) = list(case.inputs.items())[:3]
    params, x, y, arguments = slip.args(params, x, y, dict(case.arguments))
    if not len(x) or arguments["steps"] < 1:
        return None
    other = replace(
        case,
        spec=replace(case.spec, name=f"{case.name}: {slip.pattern}"),
        inputs={**case.inputs, name: params, x_name: x, y_name: y},
        arguments=arguments,
    )
    try:
        return question.oracle.expected(question.exercise, other)
    except OracleError:  # the reference need not take arguments that a mistake makes
        return None


def _percent(share: float) -> str:
    """With enough digits not to look like what was asked: 89.96% is not 90%."""
    return f"{100 * share:.6g}%"


def _is_usual(case: Case) -> bool:
    """Whether a training is one that the slips are about: (params, x, y, ..., lr, batch, steps), x and y by rows."""
    rows = list(case.inputs.values())[1:3]
    counts = [case.arguments.get(name) for name in ("batch", "steps")]
    return (
        len(rows) == 2
        and all(isinstance(array, np.ndarray) and array.ndim and len(array) == len(rows[0]) for array in rows)
        and all(isinstance(count, int) and count >= 1 for count in counts)
        and "lr" in case.arguments
    )


def result(question: Question) -> Ruling:
    """Loss and accuracy of the trained network, computed by the reference from the returned parameters."""
    spec = question.case.spec
    trained = _train(question, _args(question))
    if isinstance(trained, Finding):
        return Ruling(failure=trained)
    params, losses = trained
    bad = _unfit(question, params)
    if bad is not None:
        return Ruling(failure=bad)
    curve = _curve(question, losses)
    loss, accuracy = question.oracle.evaluate(question.exercise, question.case, params)
    enough = spec.accuracy is None or accuracy >= spec.accuracy
    low = spec.loss is None or loss <= spec.loss
    if enough and low:
        return Ruling(curve=curve)
    asked = [] if spec.accuracy is None else [f"an accuracy of {_percent(spec.accuracy)}"]
    asked += [] if spec.loss is None else [f"a loss of {spec.loss:g}"]
    reached = f"an accuracy of {_percent(accuracy)} and a loss of {loss:.4g} on what it was trained on"
    told = finding(FindingCode.NOT_LEARNED, reached=reached, asked=" and ".join(asked))
    return Ruling(failure=_from_the_start(question, told), curve=curve)


def _from_the_start(question: Question, told: Finding) -> Finding:
    """The finding with the cause that shows in the first steps of the same training; as it was if none does.

    Neither a reference that can't be trained for a step or two nor a loop that then fails changes what is told.
    """
    for steps in (1, 2):
        if question.case.arguments.get("steps", 0) <= steps:
            return told
        shorter = replace(question, case=_shorter(question.case, steps))
        try:
            failure = trajectory(shorter).failure
        except (OracleError, Unanswered):
            return told
        if failure is not None and failure.code in (FindingCode.WRONG_TRAJECTORY, FindingCode.NOT_FINITE):
            return replace(told, pattern=failure.pattern, likely=failure.likely, diagnosis=failure.diagnosis)
    return told


def _curve(question: Question, losses: Any) -> Curve | None:
    """Losses beside the reference's, at no more than MOST_STEPS steps; None where there are none to be seen.

    The trained network alone is judged, so a reference that can't be trained as long costs only the picture.
    """
    if question.hide_values:
        return None
    try:
        expected = question.oracle.expected(question.exercise, question.case).value
    except OracleError:
        return None
    if len(expected) < 2 or _bad_losses(losses, len(expected)):
        return None
    at = np.unique(np.linspace(0, len(expected) - 1, MOST_STEPS).round().astype(int))
    actual = np.asarray(losses, dtype=np.float64)
    return Curve(
        steps=tuple((at + 1).tolist()), actual=tuple(actual[at].tolist()), expected=tuple(expected[at].tolist())
    )


def _args(question: Question, **changes: Any) -> list[Any]:
    return [*question.case.inputs.values(), *({**question.case.arguments, **changes}).values()]


def _train(question: Question, args: list[Any]) -> tuple[Any, Any] | Finding:
    function = question.exercise.functions["train"]
    student: Student = question.student
    returned = student.value(function, *args, like=size_of(*args))
    if not isinstance(returned, (tuple, list)) or len(returned) != 2:
        problem = f"must return (params, losses), it returned {describe_value(returned)}"
        return finding(FindingCode.WRONG_STRUCTURE, what=function, problem=problem)
    return returned[0], numbers(returned[1])  # the history of losses is for the host


def _bad_losses(losses: Any, steps: int) -> str | None:
    """Why these are not a number a step, in words. A list, a tuple or an array will do."""
    items = list(losses) if isinstance(losses, (tuple, list)) or np.ndim(losses) == 1 else None
    if items is None:
        return f"must be one number a step, it is {describe_value(losses)}"
    for index, item in enumerate(items):
        if isinstance(item, (dict, tuple, list)) or np.ndim(item) or np.asarray(item).dtype.kind not in "biuf":
            return f"must be one number a step; at [{index}] it is {_describe_item(item)}"
    return None if len(items) == steps else f"must be {steps} numbers, one a step; it is {len(items)}"


def _describe_item(item: Any) -> str:
    return (
        f"of dtype {item.dtype}"
        if isinstance(item, (np.ndarray, np.generic)) and not item.ndim
        else describe_value(item)
    )


def _unfit(question: Question, params: Any) -> Finding | None:
    """Why the reference can't evaluate these parameters: another structure or shape than those it started from."""
    name, start = next(iter(question.case.inputs.items()))
    problem = structure_problem(params, start)
    if problem:
        return finding(FindingCode.WRONG_STRUCTURE, what=name, problem=problem)
    for leaf, value, comparison in compare_leaves(params, expected_leaves(name, start)):
        if comparison.actual_shape != comparison.expected_shape:
            problem = f"must be {describe_value(leaf.expected)}, it is {describe_value(value)}"
            return finding(FindingCode.WRONG_STRUCTURE, what=leaf.name, problem=problem)
        if comparison.reason is Reason.DTYPE:
            return finding(
                FindingCode.WRONG_DTYPE,
                what=leaf.name,
                dtype=comparison.actual_dtype,
                expected=comparison.expected_dtype,
            )
    return None


def _shorter(case: Case, steps: int) -> Case:
    """The same training of fewer steps."""
    spec = replace(case.spec, name=f"{case.name}, {steps} steps")
    return replace(case, spec=spec, arguments={**case.arguments, "steps": steps})


def _first_step(question: Question, final: Any, steps: int) -> int:
    """First step after which the parameters differ: asks for shorter trainings, at most log2(steps) of them.

    The last one where no argument `steps` can make it shorter.
    """
    name = next(iter(question.exercise.inputs))
    if question.case.arguments.get("steps") != steps:
        return steps
    low, high = 0, steps  # right after `low` steps, wrong after `high`
    while high - low > 1:
        middle = (low + high) // 2
        shorter = _shorter(question.case, middle)
        expected = question.oracle.expected(question.exercise, shorter)
        trained = _train(question, _args(question, steps=middle))
        if isinstance(trained, Finding) or structure_problem(trained[0], final):
            return high
        results = compare_leaves(trained[0], _trained(name, expected))
        if all(comparison.passed for _, _, comparison in results):
            low = middle
        else:
            high = middle
    return high
