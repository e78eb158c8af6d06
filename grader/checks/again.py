"""What a function that fails without a known cause says of itself when it is asked again.

*The same.* Another answer to the same question comes from what is kept from call to call, from a draw, or from memory
that was never written.

*Nearly the same.* A result that is right to six digits was rounded on the way (a cast, zeros made by torch without a
dtype), or it comes from another formula by little (an epsilon). Its numbers do not tell which, but the function does.
Something that goes in is moved by 1e-11 of itself: in float64 the result moves, in float32 it stays the same to the
last bit. It is moved by 1e-3 as well: a result that hardly depends on it may stay the same in float64 too, and of that
nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from grader.assignment import Kind
from grader.cases import Case
from grader.checks.asking import Unanswered, size_of
from grader.checks.lookalikes import first_state
from grader.checks.outputs import loss_and_gradient
from grader.checks.question import Question, Ruling
from grader.findings import Fault, Finding, FindingCode
from grader.numerics.diagnosis import DiagnosisCode
from grader.numerics.trees import leaves
from grader.settings import Precision

__all__ = ["asked_again"]

_SHARE: Final = 0.1
"""Of the time of one call, that a function may have taken which is asked again: the time of all is for the checks."""
_LITTLE: Final = 1e-11
"""Share of itself by which a number is moved: far less than float32 holds, far more than float64 rounds by."""
_MORE: Final = 1e-3
_NEAR: Final = 1e5
"""How many times the tolerance a result may be off that was rounded to float32."""
_SEEN: Final = 64 * float(np.finfo(np.float64).eps)
"""Share of an array's largest element by which float64 shows for sure that something moved."""
_NUMBERS: Final = (FindingCode.WRONG_VALUE, FindingCode.WRONG_GRADIENT, FindingCode.WRONG_TRAJECTORY)
_VARIES: Final = (
    "it keeps something from call to call (a global, a default argument, a list that grows), draws at random, or "
    "leaves a part of np.empty unset: what it returns may depend on its arguments alone"
)


def asked_again(question: Question, ruling: Ruling) -> Ruling:
    """The ruling, with what its failure comes from, if it has no cause yet and the function's answers tell one."""
    failure = ruling.failure
    if failure is None or failure.likely or failure.fault is not Fault.STUDENT or failure.code not in _NUMBERS:
        return ruling
    if question.student.seconds > _SHARE * question.student.limits.call_seconds:
        return ruling
    try:
        near = _is_near(ruling) and question.student.precision is Precision.FLOAT64
        return replace(ruling, failure=_with_cause(question, failure, near=near))
    except Unanswered as unanswered:
        # What its process sends unasked is told, whichever question it is that meets it.
        met = unanswered.finding.code is FindingCode.MALFORMED
        return replace(ruling, failure=unanswered.finding, status=unanswered.status) if met else ruling


def _with_cause(question: Question, failure: Finding, *, near: bool) -> Finding:
    first, second = _answer(question, question.case), _answer(question, question.case)
    if first and not _equal(first, second) and not _differ_by_order(question, first, second):
        pattern = "asked the same again it returns something else"
        return replace(failure, pattern=pattern, likely=_VARIES, diagnosis="VARIES")
    name = _rounded(question, first) if near and question.exercise.kind is not Kind.TRAINING else None
    if name is None:
        return failure
    return replace(
        failure,
        pattern=f"with every number of {name} moved by {_LITTLE:.0e} of itself yours stays the same to the last bit",
        likely=f"what is made of {name} is rounded to float32: a dtype, a cast, zeros made by torch without a dtype",
        diagnosis=DiagnosisCode.FLOAT32.name,
    )


def _is_near(ruling: Ruling) -> bool:
    """Whether all that is wrong is so by little."""
    return all(
        result.error is not None and result.allowed is not None and result.error <= _NEAR * result.allowed
        for _, result in ruling.comparisons
        if not result.passed
    )


def _rounded(question: Question, first: list[Any]) -> str | None:
    """The first of what goes in whose last digits are lost."""
    little, more = (question.case.nudged(share, np.random.default_rng(0)) for share in (_LITTLE, _MORE))
    for (name, near), (_, far) in zip(_moved(question, little), _moved(question, more), strict=True):
        after = _answer(question, near)
        if first and _equal(first, after) and _depends(first, _answer(question, far)):
            return name
    return None


def _moved(question: Question, other: Case) -> Iterator[tuple[str, Case]]:
    """The case with one thing of the other in it, for each thing that has floating-point numbers."""
    case = question.case
    for name, tree in case.inputs.items():
        if any(np.asarray(leaf).dtype.kind == "f" for leaf in leaves(tree)):
            yield name, replace(case, inputs={**case.inputs, name: other.inputs[name]})
    if case.updates:
        yield "grads", replace(case, updates=other.updates)
    if question.aspect == "backward":
        yield "the upstream gradient", replace(case, upstream=other.upstream)


def _answer(question: Question, case: Case) -> list[Any]:
    """The floating-point arrays that the student's function gives in a case; none where it isn't asked again."""
    student, exercise, roles = question.student, question.exercise, question.exercise.functions
    match exercise.kind:
        case Kind.FUNCTION:
            made = student.value(roles["function"], *case.args, like=size_of(*case.args))
        case Kind.LOSS:
            made = loss_and_gradient(question, case.args)[question.aspect != "value"]
        case Kind.LAYER | Kind.MODEL:
            several = len(exercise.outputs)
            made, cache = student.pair(roles["forward"], *case.args, like=size_of(case.upstream), results=several)
            if question.aspect == "backward":
                upstream = case.upstream if several > 1 else [case.upstream]
                made = student.value(roles["backward"], *upstream, cache, like=size_of(*case.args))
        case Kind.STEP:
            params, *rest = case.args
            state = [first_state(question.oracle.expected(exercise, question.case).states[0])] if exercise.state else []
            made = student.value(roles["step"], params, case.updates[0], *state, *rest, like=size_of(params, *state))
        case Kind.TRAINING:  # a few steps, where the trajectory is asked for
            made = student.value(roles["train"], *case.args) if question.aspect == "trajectory" else []
        case Kind.DROPOUT | Kind.ENGINE:  # a draw, or many small functions
            made = []
    return [array for leaf in leaves(made) if (array := np.asarray(leaf)).dtype.kind == "f"]


def _equal(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


def _differ_by_order(question: Question, first: list[Any], second: list[Any]) -> bool:
    """Whether two answers differ by no more than the order in which a device adds up: see numerics.contract."""
    near = 1e-9 if question.student.precision is Precision.FLOAT64 else 1e-3
    return len(first) == len(second) and all(
        a.shape == b.shape and np.allclose(a, b, rtol=0.0, atol=near * float(np.max(np.abs(a), initial=0.0)))
        for a, b in zip(first, second, strict=True)
    )


def _depends(first: list[Any], far: list[Any]) -> bool:
    """Whether the little move would show in float64, by what the large one does."""
    return any(
        a.shape == b.shape and a.size > 0 and np.max(np.abs(a - b)) * (_LITTLE / _MORE) > _SEEN * np.max(np.abs(a))
        for a, b in zip(first, far, strict=False)
    )
