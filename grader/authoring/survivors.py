"""What no case of the manifest catches: is it right after all, or is there a hole in the cases?

Each survivor is tried on other configurations (grader.authoring.configurations), by the same judge: one that fails it
there shows the hole, and is the case to add. One that passes everywhere is called equivalent, with the evidence: in how
many configurations, and how far what it returned lay from what the right solution returned.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import numpy as np

from grader.assignment import Assignment, Exercise, Kind
from grader.authoring.configurations import Configuration, configurations
from grader.authoring.forks import Ended, in_forks
from grader.authoring.trying import LEAST_SECONDS, Version, quietly
from grader.calls import Answering, Call, Evaluator, Isolation, LoadOutcome, Outcome, Returned
from grader.cases import Case, draw_case
from grader.checks.asking import Student
from grader.checks.judge import judge
from grader.checks.question import Question
from grader.errors import CourseError
from grader.findings import Check, Verdict
from grader.numerics.trees import leaves
from grader.reference import Oracle

__all__ = ["ROUNDING", "Bank", "Looked", "bank", "difference", "look_closer"]

_KEPT: Final = 4
"""Results of a check that are compared bit by bit: the first, at the inputs of the case."""
_LONGEST: Final = 1.0
"""CPU seconds that the right solution may take for a configuration: others are not worth the wait."""
ROUNDING: Final = 1e-9
"""Share of the largest element up to which results are the same but for rounding."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What other configurations say of a survivor."""

    tried: int
    hole: int | None = None
    """Number, in the bank of its exercise, of the first configuration that fails it."""
    exercise: str = ""
    """Whose bank that is."""
    found: str = ""
    """What the judge says there."""
    apart: float | None = 0.0
    """Largest difference between its results and the right ones, as a share of the largest element; None where their
    forms differ."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bank:
    """The configurations of one exercise that make sense: the worked solution passes them."""

    exercise: Exercise
    configurations: tuple[Configuration, ...]
    cases: tuple[Case, ...]
    answers: tuple[tuple[tuple[Call, Any], ...], ...]
    """In each: what the worked solution was asked first, and what it returned."""


def bank(assignment: Assignment, oracle: Oracle, exercise: Exercise, right: Evaluator, *, most: int = 150) -> Bank:
    """Other configurations of an exercise, with the right solution's results in them."""
    kept: list[tuple[Configuration, Case, tuple[tuple[Call, Any], ...]]] = []
    if exercise.kind is Kind.TRAINING:
        most = min(most, 20)
    with quietly():
        warnings.simplefilter("ignore")
        for configuration in configurations(exercise, most=most):
            recorder, start = _Recorder(right), time.process_time()
            try:
                case = draw_case(assignment, exercise, configuration.spec)
                checks = list(_checks(assignment, oracle, exercise, configuration, case, recorder))
            except CourseError:
                continue
            passed = all(check.verdict is Verdict.PASSED for check in checks)
            if passed and time.process_time() - start < _LONGEST:
                kept.append((configuration, case, tuple(recorder.answers)))
    return Bank(
        exercise=exercise,
        configurations=tuple(configuration for configuration, _, _ in kept),
        cases=tuple(case for _, case, _ in kept),
        answers=tuple(answers for _, _, answers in kept),
    )


def look_closer(
    assignment: Assignment,
    oracle: Oracle,
    survivors: Sequence[Version],
    banks: dict[str, Bank],
    *,
    seconds: float = 60.0,
    workers: int = 1,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Looked]:
    """Try survivors on other configurations, each in a fork.

    Args:
        assignment: what is judged.
        oracle: the one that the banks were made with.
        survivors: versions that no case fails.
        banks: by exercise, of all exercises that they are of.
        seconds: of CPU time for one survivor; one that takes longer does not end in some configuration.
        workers: forks at once.
        progress: called with the number of those done.

    Raises:
        MachineError: no fork can be made.
    """

    def work(number: int) -> bytes:
        return msgspec.json.encode(_look(assignment, oracle, survivors[number], banks))

    found: dict[int, Looked] = {}
    for number, answer in in_forks(work, len(survivors), seconds=max(seconds, LEAST_SECONDS), workers=workers):
        if isinstance(answer, Ended):
            found[number] = _which_ends(assignment, oracle, survivors[number], banks, seconds)
        else:
            found[number] = msgspec.json.decode(answer, type=Looked)
        progress(len(found))
    return [found[number] for number in range(len(survivors))]


def _which_ends(
    assignment: Assignment, oracle: Oracle, survivor: Version, banks: dict[str, Bank], seconds: float
) -> Looked:
    """The configuration in which a survivor does not end, or ends its process: one fork for each."""
    tried = 0
    for name in survivor.exercises:
        here = banks[name]

        def work(number: int, here: Bank = here) -> bytes:
            one = replace(survivor, exercises=(here.exercise.name,))
            return msgspec.json.encode(_look(assignment, oracle, one, {here.exercise.name: _only(here, number)}))

        for number, answer in in_forks(work, len(here.cases), seconds=LEAST_SECONDS):
            tried += 1
            if isinstance(answer, Ended):
                told = "it does not end" if answer.endless else "it ends its process"
                return Looked(tried=tried, hole=number, exercise=name, found=told)
            looked = msgspec.json.decode(answer, type=Looked)
            if looked.hole is not None:
                return msgspec.structs.replace(looked, tried=tried, hole=number)
    return Looked(tried=tried, found=f"it took longer than {seconds:g} s in {tried} other configurations together")


def _only(every: Bank, number: int) -> Bank:
    """A bank of one configuration."""
    one = slice(number, number + 1)
    return replace(every, configurations=every.configurations[one], cases=every.cases[one], answers=every.answers[one])


def _look(assignment: Assignment, oracle: Oracle, survivor: Version, banks: dict[str, Bank]) -> Looked:
    tried, apart = 0, 0.0
    with quietly():
        warnings.simplefilter("ignore")
        for name in survivor.exercises:
            here = banks[name]
            evaluator = survivor.evaluator()
            for number, (configuration, case) in enumerate(zip(here.configurations, here.cases, strict=True)):
                tried += 1
                np.random.seed(0)
                here_apart = _apart(here.answers[number], evaluator)
                if here_apart == 0.0:
                    continue  # whoever gives the same answers, bit by bit, is not judged in another way
                apart = _larger(apart, here_apart)
                for check in _checks(assignment, oracle, here.exercise, configuration, case, _Recorder(evaluator)):
                    if check.verdict is Verdict.FAILED:
                        told = check.findings[0].headline
                        return Looked(tried=tried, hole=number, exercise=name, found=f"{check.aspect}: {told}")
    return Looked(tried=tried, apart=apart if apart != np.inf else None)


def _checks(
    assignment: Assignment,
    oracle: Oracle,
    exercise: Exercise,
    configuration: Configuration,
    case: Case,
    evaluator: _Recorder,
) -> Iterator[Check]:
    student = Student(evaluator, assignment.limits, assignment.files)
    for aspect in configuration.aspects:
        np.random.seed(0)
        evaluator.begin()
        question = Question(
            exercise=exercise,
            case=case,
            part=configuration.spec.part or aspect,
            aspect=aspect,
            student=student,
            oracle=oracle,
        )
        yield judge(question)[0]


def difference(assignment: Assignment, oracle: Oracle, version: Version, right: Callable[[], Evaluator]) -> float:
    """How far the results of a version lie from the right ones in the manifest's own cases, as a share of the largest
    element; infinite where it has none, or some of another form.
    """
    apart = 0.0
    with quietly():
        warnings.simplefilter("ignore")
        for name in version.exercises:
            exercise = assignment.exercise(name)
            for case, aspect in [check for part in exercise.parts for check in part.checks]:
                recorder = _Recorder(right())
                drawn = draw_case(assignment, exercise, case)
                configuration = Configuration(spec=case, aspects=(aspect,))
                for _ in _checks(assignment, oracle, exercise, configuration, drawn, recorder):
                    np.random.seed(0)
                    apart = _larger(apart, _apart(recorder.answers, version.evaluator()))
    return apart


class _Recorder:
    """An evaluator that keeps what is asked first in each check, and what was returned."""

    def __init__(self, inner: Evaluator) -> None:
        self.inner = inner
        self.answers: list[tuple[Call, Any]] = []
        self._room = 0

    def begin(self) -> None:
        """Begin with the next check."""
        self._room = _KEPT

    @property
    def isolation(self) -> Isolation:
        """The inner one's."""
        return self.inner.isolation

    @property
    def overflowed(self) -> bool:
        """The inner one's."""
        return self.inner.overflowed

    def load(self) -> LoadOutcome:
        """As the inner one does."""
        return self.inner.load()

    def call(self, call: Call) -> Outcome:
        """The inner one's outcome."""
        return self._kept(call, self.inner.call(call))

    def calls(self, calls: Sequence[Call]) -> Iterator[Outcome]:
        """The inner one's outcomes."""
        return map(self._kept, calls, self.inner.calls(calls))

    def fresh(self) -> None:
        """As the inner one does."""
        self.inner.fresh()

    def answering(self, answers: Answering) -> Evaluator:
        """The inner one's: what is asked there is not kept."""
        return self.inner.answering(answers)

    def close(self) -> None:
        """As the inner one does."""
        self.inner.close()

    def _kept(self, call: Call, outcome: Outcome) -> Outcome:
        if self._room and isinstance(outcome, Returned):
            self._room -= 1
            self.answers.append((call, outcome.value))
        return outcome


def _apart(answers: Sequence[tuple[Call, Any]], evaluator: Evaluator) -> float:
    """Largest difference from the right answers, as a share of their largest element; infinite where there is none."""
    apart = 0.0
    numbers = [leaf for _, right in answers for leaf in map(np.asarray, leaves(right)) if _is_number(leaf)]
    size = max((float(np.max(np.abs(leaf), where=np.isfinite(leaf), initial=0.0)) for leaf in numbers), default=0.0)
    for call, right in answers:
        outcome = evaluator.call(call)
        ones, others = leaves(right), leaves(outcome.value) if isinstance(outcome, Returned) else []
        if len(ones) != len(others):
            return np.inf
        for one, other in zip(map(np.asarray, ones), map(np.asarray, others), strict=True):
            apart = _larger(apart, _difference(one, other, size))
    return apart


def _is_number(array: np.ndarray[Any, Any]) -> bool:
    return array.dtype.kind in "biuf"


def _difference(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any], size: float) -> float:
    if not (_is_number(one) and _is_number(other)):
        return 0.0 if _is_number(one) == _is_number(other) else np.inf
    if one.shape != other.shape:
        return np.inf
    if np.array_equal(one, other, equal_nan=True):
        return 0.0
    return float(np.max(np.abs(one.astype(float) - other)) / size) if size else np.inf


def _larger(one: float, other: float) -> float:
    """The larger; NaN is the largest."""
    return other if not other <= one else one
