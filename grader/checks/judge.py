"""One aspect of one exercise on one case: ask, compare, and say what was found."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import assert_never

import numpy as np

from grader.assignment import Exercise, Kind
from grader.cases import describe
from grader.checks import dropout, engine, outputs, pairs, steps, training
from grader.checks.again import asked_again
from grader.checks.asking import Unanswered, finding
from grader.checks.question import Question, Ruling
from grader.errors import OracleError
from grader.findings import Check, Fault, Finding, FindingCode, Status
from grader.numerics.trees import keys_of

__all__ = ["judge"]


def judge(question: Question) -> tuple[Check, BaseException | None]:
    """Judge one check. Also gives the exception that the student's code raised, where it ran in this process."""
    exception: BaseException | None = None
    exercise = question.exercise
    known = question.oracle.once(("keys", exercise.name), lambda: frozenset(_keys(exercise)))
    question.student.start(hide_values=question.hide_values, known=known)
    try:
        # A student's 1e300 may overflow in our sums: that is data, not a warning (and warnings may be errors here).
        with np.errstate(all="ignore"):
            ruling = asked_again(question, _by_any(question))
    except Unanswered as unanswered:
        ruling = Ruling(failure=unanswered.finding, status=unanswered.status)
        exception = unanswered.exception
    except OracleError as error:
        told = finding(FindingCode.ORACLE_FAILED, fault=Fault.COURSE, problem=str(error))
        ruling = Ruling(failure=told)
    return _check(question, ruling), exception


def _by_any(question: Question) -> Ruling:
    """By the reference, or by another that is as right.

    A statement may leave something open (half of a penalty or all of it), and a maximum has several gradients where two
    are equal. What is right by any of the references passes; but a gradient must be right by one that the student's own
    results follow. A failure is told by the first of those that a cause is known for.
    """
    exercise, failed = question.exercise, None
    if not exercise.also_right:
        return _rule(question)
    for number, reference in enumerate((exercise.reference, *exercise.also_right)):
        name = f"{exercise.name}:{number}" if number else exercise.name  # no exercise is called so; the oracle keeps it
        case = replace(question.case, exercise=name)
        other = replace(question, exercise=replace(exercise, reference=reference), case=case)
        if question.aspect in ("backward", "gradient") and _results(other).failure is not None:
            continue
        ruling = _rule(other)
        if ruling.failure is None:
            return ruling
        if failed is None or (not _named(failed) and _named(ruling)):
            failed = ruling
    return failed or _rule(question)


def _named(ruling: Ruling) -> bool:
    """Whether a known slip is the cause."""
    return ruling.failure is not None and ruling.failure.diagnosis.startswith("SLIP ")


def _results(question: Question) -> Ruling:
    """What is said of the results that a gradient belongs to."""
    return outputs.loss(question) if question.exercise.kind is Kind.LOSS else outputs.forward(question)


def _rule(question: Question) -> Ruling:
    match question.exercise.kind:
        case Kind.FUNCTION:
            return outputs.value(question)
        case Kind.LAYER | Kind.MODEL:
            return outputs.forward(question) if question.aspect == "forward" else pairs.backward(question)
        case Kind.LOSS:
            return outputs.loss(question) if question.aspect == "value" else pairs.loss_gradient(question)
        case Kind.STEP:
            return steps.trajectory(question)
        case Kind.TRAINING:
            return training.result(question) if question.aspect == "result" else training.trajectory(question)
        case Kind.DROPOUT:
            ask = {"forward": dropout.forward, "backward": dropout.backward, "test": dropout.test}
            return ask[question.aspect](question)
        case Kind.ENGINE:
            return engine.value(question) if question.aspect == "value" else engine.gradient(question)
        case _:
            assert_never(question.exercise.kind)


def _check(question: Question, ruling: Ruling) -> Check:
    warnings = [
        *_overflow(question),
        *_waits(question),
        *(_mutation(question, *changed) for changed in question.student.changed),
    ]
    failure, status, fault, credit = ruling.failure, ruling.status, None, Fraction(1)
    if failure is None:
        failure = next((told for told in warnings if not told.warning), None)
        warnings = [told for told in warnings if told is not failure]
    if failure is not None:
        fault = failure.fault
        status = status or (Status.FAILED if fault is Fault.STUDENT else Status.UNDECIDED)
        credit = ruling.credit or Fraction(0)
    return Check(
        exercise=question.exercise.name,
        part=question.part,
        aspect=question.aspect,
        case=question.case.name,
        hidden=question.case.spec.hidden,
        status=status or Status.PASSED,
        setting=question.setting,
        fault=fault,
        credit=credit,
        findings=(*([failure] if failure else []), *ruling.warnings, *warnings),
        comparisons=tuple(ruling.comparisons),
        verdicts=ruling.verdicts,
        gradient=ruling.gradient,
        curve=ruling.curve,
        inputs=_inputs(question),
        seed=question.case.seed,
        calls=question.student.calls,
        seconds=question.student.seconds,
    )


def _inputs(question: Question) -> str:
    """What the function was called with: dropout at test time is, though its cases are those of the training."""
    case, exercise = question.case, question.exercise
    if exercise.kind is Kind.DROPOUT and question.aspect == "test":
        return describe(exercise, replace(case, arguments={**case.arguments, "train": False}))
    return question.oracle.once(("inputs", case.key), lambda: describe(exercise, case))


def _overflow(question: Question) -> list[Finding]:
    """A warning where the output was cut, in the check in which that happened."""
    function, limit = question.student.overflowed, question.student.limits.output_bytes
    if not function:
        return []
    return [replace(finding(FindingCode.OUTPUT_CUT, function=function, limit=limit), warning=True)]


def _waits(question: Question) -> list[Finding]:
    """A warning for each line that waits for the GPU, in the check that ran it first."""
    likely = "the GPU idles meanwhile: keep numbers in tensors, and ask for them once, at the end"
    return [
        replace(finding(FindingCode.SYNCHRONISES, function=function, where=where), warning=True, likely=likely)
        for function, where in question.student.waits
    ]


def _mutation(question: Question, writer: str, owner: str, position: int) -> Finding:
    exercise = question.exercise
    names = [*question.case.inputs, *exercise.arguments]
    if exercise.kind is Kind.STEP:
        names[1:1] = ["grads", "state"] if exercise.state else ["grads"]
    if exercise.kind is Kind.ENGINE and position >= len(names):
        names += ["the upstream gradient"] * (position + 1 - len(names))
    if owner == exercise.functions.get("backward"):
        names = ["the upstream gradient"]
    what = names[position] if position < len(names) else f"number {position + 1}"
    warning = exercise.mutation == "warn"
    whose = f"its argument {what}" if writer == owner else f"{what}, which {owner} was given"
    told = finding(FindingCode.MUTATES_ARGUMENT, function=writer, what=whose)
    return replace(
        told,
        warning=warning,
        likely="" if warning else "work on a copy or build a new array: the caller still needs the old one",
    )


def _keys(exercise: Exercise) -> set[str]:
    """Keys of the trees that an exercise hands over or asks for, and names of the functions that it is about."""
    return {*exercise.state, *exercise.writes, *keys_of(list(exercise.inputs.values()))}
