"""One submission through the whole path, in reading order.

    plan       the assignment fixes every check and every point
    load       the student's process loads the submission
    judge      part by part: draw a case, ask, compare
    report     every planned check is in it, whatever happened

Nothing that a student's code does ends a grading, and neither does a fault of ours: a check that could not be made
is in the report as undecided, with whose fault it was.
"""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, assert_never

from grader.assignment import Assignment, CaseSpec, Exercise, Part
from grader.calls import Evaluator, Isolation, Killed, Loaded, LoadOutcome, Malformed, TimedOut
from grader.cases import Case, draw_case
from grader.checks.asking import Student, finding
from grader.checks.judge import judge
from grader.checks.question import Question
from grader.checks.vacuity import vacuous
from grader.errors import CourseError, MachineError, SubmissionError
from grader.findings import Check, Fault, Finding, FindingCode, Status
from grader.reference import Oracle
from grader.report.build import build_report
from grader.report.model import Report, SubmissionInfo
from grader.sandbox.foresight import Script
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess
from grader.submission import Submission, read_submission

__all__ = ["PartOutcome", "Session", "grade", "grade_path", "not_run", "prepare", "ungraded", "unreadable"]

TRIES = 3
_TIME_OVER = finding(
    FindingCode.MACHINE_FAILED, fault=Fault.MACHINE, problem="its time was over before this was asked (--within)"
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PartOutcome:
    """The checks of one part, and the first exception of the student's code where it ran in this process."""

    checks: tuple[Check, ...]
    exception: BaseException | None = None


class Session:
    """One submission being graded: the assignment, the oracle and the place where the student's code runs."""

    def __init__(
        self,
        assignment: Assignment,
        evaluator: Evaluator,
        oracle: Oracle,
        hidden_seed: int | None = None,
        until: float = math.inf,
    ) -> None:
        """Nothing is asked yet.

        Args:
            assignment: what is graded.
            evaluator: where the code runs.
            oracle: expected values.
            hidden_seed: private seed of the hidden cases.
            until: when this machine's time is over, by time.monotonic(): what was not asked by then is undecided.
        """
        self.until = until
        self.assignment = assignment
        self.evaluator = evaluator
        self.oracle = oracle
        self.hidden_seed = hidden_seed
        self.student = Student(evaluator, assignment.limits, assignment.files)
        self.loaded: LoadOutcome | None = None
        self._exercise: str | None = None

    def part(self, exercise: Exercise, part: Part) -> PartOutcome:
        """Judge all checks of one part. Each exercise begins with a process that holds nothing of the others."""
        if self._exercise not in (None, exercise.name):
            # One that saw hidden arrays is not asked whether it has kept them: what it says later may be shown.
            (self.evaluator.fresh if self.hidden_seed is None else self.evaluator.close)()
        self._exercise = exercise.name
        told = self._obstacle(exercise, part)
        if told is not None:
            return PartOutcome(checks=tuple(not_run(part, case, aspect, told) for case, aspect in part.checks))
        checks: list[Check] = []
        first: BaseException | None = None
        for case, aspect in part.checks:
            if time.monotonic() > self.until:
                checks.append(not_run(part, case, aspect, _TIME_OVER))
                continue
            if checks and checks[-1].status in (Status.TIMED_OUT, Status.NOT_RUN):
                problem = f"an earlier check of {exercise.name} / {part.name} ran out of time"
                checks.append(not_run(part, case, aspect, finding(FindingCode.NOT_RUN, problem=problem)))
                continue
            check, exception = self._check(exercise, part, case, aspect)
            checks.append(check)
            first = first or exception
        return PartOutcome(checks=tuple(checks), exception=first)

    def _check(self, exercise: Exercise, part: Part, spec: CaseSpec, aspect: str) -> tuple[Check, BaseException | None]:
        try:
            question = Question(
                exercise=exercise,
                case=_case(self.oracle, exercise, spec, self.hidden_seed),
                part=part.name,
                aspect=aspect,
                student=self.student,
                oracle=self.oracle,
                hide_values=spec.hidden and self.hidden_seed is not None,
            )
            return _again_if_the_machine_fails(lambda: self._judge(question))
        except CourseError as error:
            told = finding(FindingCode.ORACLE_FAILED, fault=Fault.COURSE, problem=str(error))
            return not_run(part, spec, aspect, told), None
        except Exception as error:
            # Promise 4: a crash of ours is never a student's failure. It is told, with where it happened.
            problem = f"{type(error).__name__}: {error}"
            told = finding(FindingCode.MACHINE_FAILED, fault=Fault.MACHINE, problem=problem)
            told = replace(told, detail="".join(traceback.format_tb(error.__traceback__)[-3:]).rstrip())
            return not_run(part, spec, aspect, told), None

    def _judge(self, question: Question) -> tuple[Check, BaseException | None]:
        """Judge a check; what it asks is known beforehand, if others passed it and this one will."""
        where = self.evaluator
        if not isinstance(where, ChildProcess):
            return judge(question)
        key, scripts = (question.exercise.name, question.part, question.aspect, question.case.key), self.oracle.asked
        script = scripts.get(key)
        where.foresee(script if script and script.useful else None)
        check, exception = judge(question)
        if check.status is Status.PASSED and not (script and script.foresaw(where.asked)):
            scripts[key] = Script(where.asked)
        return check, exception

    def _obstacle(self, exercise: Exercise, part: Part) -> Finding | None:
        """Why no check of a part can be made: no time, cases that say nothing, a submission that does not load."""
        if time.monotonic() > self.until:
            return _TIME_OVER
        try:
            problem = _vacuity(self.oracle, exercise, part, self.hidden_seed)
            if problem is not None:
                return finding(FindingCode.VACUOUS, fault=Fault.COURSE, problem=problem)
            self.loaded = self.loaded or _again_if_the_machine_fails(self.evaluator.load)
            return _load_problem(self.assignment.file, self.loaded)
        except Exception as error:
            return finding(FindingCode.MACHINE_FAILED, fault=Fault.MACHINE, problem=f"{type(error).__name__}: {error}")


def _case(oracle: Oracle, exercise: Exercise, spec: CaseSpec, hidden_seed: int | None) -> Case:
    seed = hidden_seed if spec.hidden else None
    return oracle.once(
        ("case", exercise.name, spec.name, seed), lambda: draw_case(oracle.assignment, exercise, spec, seed)
    )


def _vacuity(oracle: Oracle, exercise: Exercise, part: Part, hidden_seed: int | None) -> str | None:
    """Why the cases say nothing; None too where the reference fails in one, which its own check will tell."""

    def asked() -> str | None:
        try:
            cases = [(_case(oracle, exercise, case, hidden_seed), aspect) for case, aspect in part.checks]
            return vacuous(exercise, cases, oracle)
        except CourseError:
            return None

    return oracle.once(("vacuous", exercise.name, part.name, hidden_seed), asked)


def _again_if_the_machine_fails(action: Callable[[], T]) -> T:
    """Do it again where a process was killed from outside: what happens to this machine costs nobody a point."""
    for _ in range(TRIES - 1):
        with suppress(MachineError):
            return action()
    return action()


def not_run(part: Part, case: CaseSpec, aspect: str, told: Finding) -> Check:
    """A check that was not made, with why."""
    status = {FindingCode.TIMED_OUT: Status.TIMED_OUT, FindingCode.KILLED: Status.KILLED}.get(told.code, Status.NOT_RUN)
    if told.fault is not Fault.STUDENT:
        status = Status.UNDECIDED
    return Check(
        exercise=part.exercise,
        part=part.name,
        aspect=aspect,
        case=case.name,
        hidden=case.hidden,
        status=status,
        fault=told.fault,
        findings=(told,),
    )


def _load_problem(file: str, outcome: LoadOutcome) -> Finding | None:
    match outcome:
        case Loaded():
            return None
        case TimedOut(seconds=seconds):
            problem = f"it did not finish within {seconds:g} s (is there a loop outside of the functions?)"
        case Killed(reason=reason):
            problem = f"it ended its process: {reason}"
        case Malformed(problem=text):
            problem = text
        case _:
            assert_never(outcome)
    return finding(FindingCode.DOES_NOT_LOAD, file=file, problem=problem)


def grade(
    assignment: Assignment,
    submission: Submission,
    *,
    evaluator: Evaluator | None = None,
    sandbox: Sandbox | None = None,
    oracle: Oracle | None = None,
    hidden_seed: int | None = None,
    until: float = math.inf,
    progress: Callable[[Part], None] = lambda part: None,
) -> Report:
    """Grade a submission.

    Args:
        assignment: what is graded.
        submission: the student's files.
        evaluator: where the code runs; a process of the sandbox if not given. It is closed at the end.
        sandbox: where that process comes from, shared by the submissions of a class; one of its own if not given.
        oracle: expected values, shared by the submissions of a class; a new one if not given.
        hidden_seed: private seed of the hidden cases; the assignment's public one if not given.
        until: when this machine's time is over, by time.monotonic(): what was not asked by then is undecided.
        progress: called before each part.

    Raises:
        MachineError: the sandbox has no wall as high as it requires.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    with ExitStack() as held:
        where = evaluator
        if where is None:
            sandbox = sandbox or held.enter_context(Sandbox(assignment.profile))
            where = _process(assignment, submission, sandbox)
        held.callback(where.close)
        session = Session(assignment, where, oracle or Oracle(assignment), hidden_seed, until)
        checks = [
            check for exercise, part in _parts(assignment, progress) for check in session.part(exercise, part).checks
        ]
        # What is printed in a hidden case under a private seed could be its arrays.
        printed = where.output() if isinstance(where, ChildProcess) and hidden_seed is None else ""
        isolation = where.isolation
    return build_report(
        assignment,
        checks,
        submission=SubmissionInfo(
            name=submission.name,
            digest=submission.digest,
            notes=[*submission.notes, *(session.loaded.problems if isinstance(session.loaded, Loaded) else ())],
            printed=printed,
        ),
        hidden_seed=hidden_seed,
        isolation=isolation,
        started=started.isoformat(timespec="seconds"),
        seconds=time.perf_counter() - clock,
    )


def prepare(oracle: Oracle, hidden_seed: int | None = None) -> None:
    """Have the reference evaluate every case now, so that those who share the oracle need not.

    What it can't evaluate is told where it is asked for.
    """
    for exercise in oracle.assignment.exercises:
        for part in exercise.parts:
            with suppress(Exception):
                _vacuity(oracle, exercise, part, hidden_seed)
            for case, _ in part.checks:
                with suppress(Exception):
                    oracle.expected(exercise, _case(oracle, exercise, case, hidden_seed))


def _process(assignment: Assignment, submission: Submission, sandbox: Sandbox) -> ChildProcess:
    if sandbox.profile is not assignment.profile:
        raise ValueError(f"the sandbox is for {sandbox.profile}, and {assignment.name} for {assignment.profile}")

    sandbox.check()
    limits = assignment.limits
    return ChildProcess(
        assignment.with_course_code(submission.source),
        sandbox=sandbox,
        seconds_to_load=limits.load_seconds,
        total_seconds=limits.total_seconds,
        output_bytes=limits.output_bytes,
        memory_bytes=limits.memory_mb << 20,
    )


def grade_path(
    assignment: Assignment,
    path: Path,
    *,
    sandbox: Sandbox | None = None,
    hidden_seed: int | None = None,
    oracle: Oracle | None = None,
    until: float = math.inf,
    progress: Callable[[Part], None] = lambda part: None,
) -> Report:
    """Grade a folder, .py, .ipynb or .zip. One that can't be read is a report too, with every check not run."""
    try:
        submission = read_submission(path, assignment)
    except SubmissionError as error:
        return unreadable(assignment, error, name=path.name, hidden_seed=hidden_seed)
    return grade(
        assignment,
        submission,
        sandbox=sandbox,
        hidden_seed=hidden_seed,
        oracle=oracle,
        until=until,
        progress=progress,
    )


def ungraded(
    assignment: Assignment,
    told: Finding,
    *,
    name: str,
    digest: str | None = None,
    notes: Sequence[str] = (),
    hidden_seed: int | None = None,
) -> Report:
    """Report on a submission of which no check was made, with the one reason for it."""
    return build_report(
        assignment,
        [not_run(part, case, aspect, told) for part in assignment.parts for case, aspect in part.checks],
        submission=SubmissionInfo(name=name, digest=digest, notes=list(notes), printed=""),
        hidden_seed=hidden_seed,
        isolation=Isolation(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
    )


def unreadable(assignment: Assignment, error: SubmissionError, *, name: str, hidden_seed: int | None = None) -> Report:
    """Report on a submission that can't be read."""
    told = finding(FindingCode.SUBMISSION_UNREADABLE, problem=str(error))
    return ungraded(assignment, told, name=name, notes=[str(error)], hidden_seed=hidden_seed)


def _parts(assignment: Assignment, progress: Callable[[Part], None]) -> Iterator[tuple[Exercise, Part]]:
    for exercise in assignment.exercises:
        for part in exercise.parts:
            progress(part)
            yield exercise, part
