"""One submission through the whole path, in reading order.

    plan       the assignment fixes every check and every point
    load       the student's process loads the submission
    judge      part by part: draw a case, ask, compare
    apart      what failed once more, with what it calls and what is wrong by itself answered by the reference
    further    what passed, in the further settings too
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
from typing import Any, TypeAlias, TypeVar, assert_never

from grader import __version__
from grader.answering import Answers, answered_for, callees_first
from grader.assignment import Assignment, CaseSpec, Exercise, Kind, Part
from grader.calls import Evaluator, Isolation, Killed, Loaded, LoadOutcome, Malformed, Profile, TimedOut
from grader.cases import Case, draw_case
from grader.checks.asking import Student, finding
from grader.checks.judge import judge
from grader.checks.question import Question
from grader.checks.slips import raises_too, sharpened, slips_named
from grader.checks.vacuity import vacuous
from grader.checks.verdicts import cause_of_verdicts, with_verdicts
from grader.devices import missing
from grader.errors import CourseError, GradebookError, MachineError, SubmissionError
from grader.findings import Check, Fault, Finding, FindingCode, Status, Verdict
from grader.reference import Oracle
from grader.report.build import build_report, completed
from grader.report.model import Report, SubmissionInfo
from grader.sandbox.foresight import Script
from grader.sandbox.inprocess import InProcess
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess
from grader.settings import Device, Precision, Setting
from grader.slips import Slip
from grader.submission import Submission, read_submission

__all__ = [
    "PartOutcome",
    "Session",
    "complete",
    "complete_path",
    "grade",
    "grade_path",
    "matching",
    "not_run",
    "prepare",
    "ungraded",
    "unreadable",
]

TRIES = 3
_TIME_OVER = finding(
    FindingCode.MACHINE_FAILED, fault=Fault.MACHINE, problem="its time was over before this was asked (--within)"
)
_OF_ARRAYS = (FindingCode.WRONG_VALUE, FindingCode.WRONG_GRADIENT, FindingCode.WRONG_SHAPE, FindingCode.NOT_FINITE)
T = TypeVar("T")
Elsewhere: TypeAlias = Callable[[Profile], Evaluator]
"""What makes a place for the submission to run in with other arrays."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PartOutcome:
    """The checks of one part, and the first exception of the student's code where it ran in this process."""

    checks: tuple[Check, ...]
    exception: BaseException | None = None


class Session:
    """One submission being graded: the assignment, the oracle and the places where the student's code runs."""

    def __init__(
        self,
        assignment: Assignment,
        evaluator: Evaluator,
        oracle: Oracle,
        hidden_seed: int | None = None,
        *,
        elsewhere: Elsewhere | None = None,
        missing: Callable[[Profile], str] = missing,
    ) -> None:
        """Nothing runs yet.

        Args:
            assignment: what is graded.
            evaluator: where the code runs in the main setting.
            oracle: expected values.
            hidden_seed: private seed of the hidden cases.
            elsewhere: makes the places for the further settings, when they are first needed; closed with `close`.
            missing: why there can be none, by profile; empty if there can.
        """
        self.until = math.inf
        """When this machine's time is over, by time.monotonic(): what was not asked by then is undecided."""
        self.assignment = assignment
        self.evaluator = evaluator
        self.oracle = oracle
        self.hidden_seed = hidden_seed
        self.loaded: LoadOutcome | None = None
        self._elsewhere, self._missing = elsewhere, missing
        self._places: dict[Profile, Evaluator] = {assignment.profile: evaluator}
        self._loads: dict[Profile, LoadOutcome] = {}
        self._students: dict[Setting, Student] = {}
        self._exercise: str | None = None
        self._failed: dict[tuple[str, str], bool] = {}
        """Of the parts judged so far, by exercise and name."""
        self._causes: dict[str, set[str]] = {}
        """What known slips say that explain all wrong arrays so far, by exercise."""
        self._verdicts: dict[str, dict[str, tuple[Case, tuple[bool, ...]]]] = {}
        """What was answered where yes or no was asked, by exercise and case."""

    def part(self, exercise: Exercise, part: Part) -> PartOutcome:
        """Judge all checks of one part. What is wrong with other exercises alone costs it nothing.

        That is known only when those that it may call were judged: those that were not yet are, which nobody sees.
        """
        self._begin(exercise)
        told = self._obstacle(exercise, part)
        if told is not None:
            outcome = PartOutcome(checks=tuple(_not_made(part, told)))
        else:
            checks, first = self._apart(exercise, part, *self._asked(exercise, part, None))
            outcome = self._with_further(exercise, part, PartOutcome(checks=tuple(checks), exception=first))
        failed = [check for check in outcome.checks if check.setting is None and check.verdict is Verdict.FAILED]
        self._failed[exercise.name, part.name] = bool(failed)
        explained = self._by_verdicts(exercise, part, self._explained(exercise, part, outcome.checks))
        return replace(outcome, checks=self._with_the_engine(exercise, explained))

    def _explained(self, exercise: Exercise, part: Part, checks: Sequence[Check]) -> tuple[Check, ...]:
        """With the cause that only all cases together tell: the one slip that explains every wrong array.

        Told of a function that raises where the slip raises too, and in the place of several that a case names.
        """
        failed = [
            (check.findings[0], spec, aspect)
            for check, (_, spec, aspect) in zip(checks, part.planned, strict=False)  # the main setting comes first
            if check.setting is None and check.verdict is Verdict.FAILED and not _is_empty(check)
        ]
        slips = self.oracle.slips(exercise) if any(told.diagnosis.startswith("SLIP ") for told, *_ in failed) else ()
        for told, *_ in failed:
            if told.code in _OF_ARRAYS:
                known = {slip.likely for slip in slips_named(told, slips)}
                self._causes[exercise.name] = self._causes.get(exercise.name, known) & known
        raised = [
            (spec, aspect) for told, spec, aspect in failed if told.code is FindingCode.RAISED and not told.likely
        ]
        causes = [
            likely
            for likely in self._causes.get(exercise.name, ())
            if all(self._raises_too(exercise, spec, aspect, likely) for spec, aspect in raised)
        ]
        if causes:  # what was raised in the forward tells of the backward too
            self._causes[exercise.name] = set(causes)
        return tuple(_with_cause(check, slips, *causes) if len(causes) == 1 else check for check in checks)

    def _by_verdicts(self, exercise: Exercise, part: Part, checks: Sequence[Check]) -> tuple[Check, ...]:
        """With what explains all answers of yes or no so far: those of one case are too few to tell."""
        answers = self._verdicts.setdefault(exercise.name, {})
        for check, (_, spec, _) in zip(checks, part.planned, strict=False):  # the main setting comes first
            if check.setting is None and check.verdicts:
                case = _case(self.oracle, exercise, spec, self.hidden_seed, self.assignment.setting.precision)
                answers[spec.name] = case, check.verdicts
        wrong = [check.setting is None and bool(check.verdicts) and check.verdict is Verdict.FAILED for check in checks]
        cause = cause_of_verdicts(self.oracle, exercise, list(answers.values())) if any(wrong) else None
        return tuple(
            replace(check, findings=(with_verdicts(check.findings[0], cause), *check.findings[1:]))
            if is_wrong
            else check
            for check, is_wrong in zip(checks, wrong, strict=True)
        )

    def _with_the_engine(self, exercise: Exercise, checks: tuple[Check, ...]) -> tuple[Check, ...]:
        """With a word on the student's engine, where wrong arrays have no cause and exercises of that engine fail.

        The judge has no engine of its own to put in its place, so this can't be judged apart: see `_apart`.
        """
        if exercise.kind is Kind.ENGINE or not any(_without_cause(check) for check in checks):
            return checks
        engines = [other for other in self.assignment.exercises if other.kind is Kind.ENGINE]
        wrong = {engine.name: [part.name for part in self._wrong(engine)] for engine in engines}
        where = [f"{name} / {_listed(parts)}" for name, parts in wrong.items() if parts]
        if not where:
            return checks
        fail = "fails, so mend it" if sum(map(len, wrong.values())) == 1 else "fail, so mend these"
        likely = f"what is built on a wrong engine is wrong with it: {_listed(where)} {fail} first"
        return tuple(
            replace(check, findings=(replace(check.findings[0], likely=likely), *check.findings[1:]))
            if _without_cause(check)
            else check
            for check in checks
        )

    def _raises_too(self, exercise: Exercise, spec: CaseSpec, aspect: str, likely: str) -> bool:
        case = _case(self.oracle, exercise, spec, self.hidden_seed, self.assignment.setting.precision)
        return raises_too(self.oracle, exercise, case, likely, backward=aspect != "forward")

    def _with_further(self, exercise: Exercise, part: Part, outcome: PartOutcome) -> PartOutcome:
        """What was found in the main setting, and in the further ones if that passed."""
        checks, first, failure = list(outcome.checks), outcome.exception, _failure(outcome.checks)
        for setting, _ in part.also_on:
            if failure is None:
                more, exception = self.further(exercise, part, setting)
                first = first or exception
            else:
                more = _not_made(part, _told_of(failure, self.assignment, setting), setting)
            checks += more
        return PartOutcome(checks=tuple(checks), exception=first)

    def further(self, exercise: Exercise, part: Part, setting: Setting) -> tuple[list[Check], BaseException | None]:
        """The checks of a part in a further setting, of one that passes in the main one."""
        self._begin(exercise)
        if time.monotonic() > self.until:
            return _not_made(part, _TIME_OVER, setting), None
        told: Finding | None
        try:
            problem = self._missing(setting.profile)
            if problem:
                return _not_made(part, _pending(setting, problem), setting), None
            told = self._load_problem(setting.profile)
            problem = _vacuity(self.oracle, exercise, part, self.hidden_seed, setting) or ""
            if problem:
                told = finding(FindingCode.VACUOUS, fault=Fault.COURSE, problem=f"in {setting.precision} {problem}")
        except Exception as error:
            told = _crash(error)
        if told is not None:
            return _not_made(part, told, setting), None
        return self._apart(exercise, part, *self._asked(exercise, part, setting), setting)

    # -------------------------------------------------------------------------------------------- one slip costs once

    def _apart(
        self,
        exercise: Exercise,
        part: Part,
        checks: list[Check],
        first: BaseException | None,
        setting: Setting | None = None,
    ) -> tuple[list[Check], BaseException | None]:
        """What failed, judged once more with wrong functions of other exercises answered by the reference.

        In a process of its own, which is ended: it may have seen the answers. Only what failed, and no more than the
        first of it, if that calls none of them. Answers have the digits of float64, so in fewer none are given.
        """
        failed = [check for check in checks if check.verdict is Verdict.FAILED]
        where = setting or self.assignment.setting
        if not failed or _is_not_there(exercise, failed) or where.precision is not Precision.FLOAT64:
            return checks, first
        wrong = [other for other in answered_for(self.assignment, exercise) if self._wrong(other)]
        if not wrong:
            return checks, first
        answers = Answers(self.oracle, wrong)
        evaluator = self._place(where.profile).answering(answers)
        try:
            return self._once_more(exercise, part, checks, first, answers, evaluator, setting)
        finally:
            evaluator.close()

    def _once_more(
        self,
        exercise: Exercise,
        part: Part,
        before: list[Check],
        raised: BaseException | None,
        answers: Answers,
        evaluator: Evaluator,
        setting: Setting | None,
    ) -> tuple[list[Check], BaseException | None]:
        student = Student(evaluator, self.assignment.limits, self.assignment.files)
        checks, first = list(before), None
        for index, (spec, aspect) in enumerate(part.checks if setting is None else part.also_asked):
            if checks[index].verdict is not Verdict.FAILED:
                continue
            answers.begin()
            check, exception = self._check(exercise, part, spec, aspect, setting, student)
            if not answers.asked:
                break
            checks[index] = self._told_apart(checks[index], check, answers, student)
            first = first or exception
            if check.status is Status.TIMED_OUT:
                break
        return checks, first or raised

    def _wrong(self, exercise: Exercise) -> list[Part]:
        """Parts of an exercise that failed."""
        for part in exercise.parts:
            if (exercise.name, part.name) not in self._failed:
                self.part(exercise, part)
        return [part for part in exercise.parts if self._failed[exercise.name, part.name]]

    def _told_apart(self, before: Check, after: Check, answers: Answers, student: Student) -> Check:
        """Which of two checks is told, and what is said beside.

        Args:
            before: as the submission was handed in.
            after: with some functions answered.
            answers: what was asked in it.
            student: who answered in it.
        """
        exercises = [self.assignment.exercise(name) for name in dict.fromkeys(answers.asked.values())]
        wrong = {exercise.name: [part.name for part in self._wrong(exercise)] for exercise in exercises}
        where = _listed([f"{name} / {_listed(parts)}" for name, parts in wrong.items()])
        fails = "fails" if sum(map(len, wrong.values())) == 1 else "fail"
        if after.verdict is Verdict.PASSED:
            problem = "that slip costs once"
        elif after.verdict is Verdict.UNDECIDED or after.credit < before.credit:
            return before
        elif answers.refused or student.not_answered or (_raised(after) and not _raised(before)):
            problem = _NOT_ANSWERED if student.hide_values or not answers.refused else answers.refused
            told = finding(FindingCode.NOT_APART, where=where, problem=problem, warning=True)
            return replace(before, findings=(*before.findings, told))
        else:
            problem = "what is wrong here is something else"
        functions = tuple(answers.asked)
        fields: dict[str, Any] = {"functions": _listed(functions), "where": where, "fails": fails, "problem": problem}
        told = replace(finding(FindingCode.ANSWERED, **fields), warning=True)
        return replace(after, findings=(*after.findings, told), answered=functions)

    def close(self) -> None:
        """End the processes of the further settings; that of the main one is the caller's."""
        for profile, place in self._places.items():
            if profile is not self.assignment.profile:
                place.close()

    def _begin(self, exercise: Exercise) -> None:
        if self._exercise not in (None, exercise.name):
            for place in self._places.values():
                # One that saw hidden arrays is not asked whether it has kept them: what it says later may be shown.
                (place.fresh if self.hidden_seed is None else place.close)()
        self._exercise = exercise.name

    def _asked(
        self, exercise: Exercise, part: Part, setting: Setting | None
    ) -> tuple[list[Check], BaseException | None]:
        """All checks of a part in one setting, up to one that ran out of time, and the first exception."""
        checks: list[Check] = []
        first: BaseException | None = None
        student = self._student(setting or self.assignment.setting)
        for case, aspect in part.checks if setting is None else part.also_asked:
            if time.monotonic() > self.until:
                checks.append(not_run(part, case, aspect, _TIME_OVER, setting))
                continue
            if checks and checks[-1].status in (Status.TIMED_OUT, Status.NOT_RUN):
                problem = f"an earlier check of {exercise.name} / {part.name} ran out of time"
                checks.append(not_run(part, case, aspect, finding(FindingCode.NOT_RUN, problem=problem), setting))
                continue
            check, exception = self._check(exercise, part, case, aspect, setting, student)
            checks.append(check)
            first = first or exception
        return checks, first

    def _check(
        self, exercise: Exercise, part: Part, spec: CaseSpec, aspect: str, setting: Setting | None, student: Student
    ) -> tuple[Check, BaseException | None]:
        try:
            where = setting or self.assignment.setting
            question = Question(
                exercise=exercise,
                case=_case(self.oracle, exercise, spec, self.hidden_seed, where.precision),
                part=part.name,
                aspect=aspect,
                student=student,
                oracle=self.oracle,
                hide_values=spec.hidden and self.hidden_seed is not None,
                setting=setting,
            )
            return _again_if_the_machine_fails(lambda: self._judge(question))
        except CourseError as error:
            told = finding(FindingCode.ORACLE_FAILED, fault=Fault.COURSE, problem=str(error))
            return not_run(part, spec, aspect, told, setting), None
        except Exception as error:
            # Promise 4: a crash of ours is never a student's failure. It is told, with where it happened.
            told = replace(_crash(error), detail="".join(traceback.format_tb(error.__traceback__)[-3:]).rstrip())
            return not_run(part, spec, aspect, told, setting), None

    def _judge(self, question: Question) -> tuple[Check, BaseException | None]:
        """Judge a check; what it asks is known beforehand, if others passed it and this one will."""
        where, usual = question.student.evaluator, self._students.values()
        if not isinstance(where, ChildProcess) or not any(question.student is student for student in usual):
            return judge(question)
        key = (question.exercise.name, question.part, question.aspect, question.case.key, question.setting)
        script = self.oracle.asked.get(key)
        where.foresee(script if script and script.useful else None)
        check, exception = judge(question)
        if check.status is Status.PASSED and not (script and script.foresaw(where.asked)):
            self.oracle.asked[key] = Script(where.asked)
        return check, exception

    def _obstacle(self, exercise: Exercise, part: Part) -> Finding | None:
        """Why no check of a part can be made: no time, cases that say nothing, a submission that does not load."""
        if time.monotonic() > self.until:
            return _TIME_OVER
        try:
            problem = _vacuity(self.oracle, exercise, part, self.hidden_seed)
            if problem is not None:
                return finding(FindingCode.VACUOUS, fault=Fault.COURSE, problem=problem)
            told = self._load_problem(self.assignment.profile)
            self.loaded = self._loads.get(self.assignment.profile)
            return told
        except Exception as error:
            return _crash(error)

    def _load_problem(self, profile: Profile) -> Finding | None:
        if profile not in self._loads:
            self._loads[profile] = _again_if_the_machine_fails(self._place(profile).load)
        return _load_problem(self.assignment.file, self._loads[profile])

    def _place(self, profile: Profile) -> Evaluator:
        if profile not in self._places:
            if self._elsewhere is None:
                raise MachineError(f"there is no place for {profile} here")
            self._places[profile] = self._elsewhere(profile)
        return self._places[profile]

    def _student(self, setting: Setting) -> Student:
        if setting not in self._students:
            self._students[setting] = Student(
                self._place(setting.profile), self.assignment.limits, self.assignment.files, precision=setting.precision
            )
        return self._students[setting]


def _failure(checks: Sequence[Check]) -> Check | None:
    """The check because of which a part is not judged in further settings."""
    wrong = [check for check in checks if check.verdict is not Verdict.PASSED]
    return next((check for check in wrong if check.verdict is Verdict.FAILED), next(iter(wrong), None))


def _told_of(failure: Check, assignment: Assignment, setting: Setting) -> Finding:
    """Why there is no check in a further setting: the student fails in the main one, or that is undecided."""
    if failure.verdict is Verdict.FAILED:
        return finding(FindingCode.FAILS_ALREADY, arrays=setting.words, main=assignment.setting.words)
    return next(told for told in failure.findings if not told.warning)


def _pending(setting: Setting, problem: str) -> Finding:
    return finding(FindingCode.PENDING, fault=Fault.MACHINE, arrays=setting.words, problem=problem)


def _crash(error: Exception) -> Finding:
    return finding(FindingCode.MACHINE_FAILED, fault=Fault.MACHINE, problem=f"{type(error).__name__}: {error}")


def _case(
    oracle: Oracle,
    exercise: Exercise,
    spec: CaseSpec,
    hidden_seed: int | None,
    precision: Precision = Precision.FLOAT64,
) -> Case:
    seed = hidden_seed if spec.hidden else None
    return oracle.once(
        ("case", exercise.name, spec.name, seed, precision),
        lambda: draw_case(oracle.assignment, exercise, spec, seed).rounded(precision),
    )


def _vacuity(
    oracle: Oracle,
    exercise: Exercise,
    part: Part,
    hidden_seed: int | None,
    setting: Setting | None = None,
) -> str | None:
    """Why the cases say nothing; None too where the reference fails in one, which its own check will tell."""
    precision = Precision.FLOAT64 if setting is None else setting.precision
    asked_for = part.checks if setting is None else part.also_asked

    def asked() -> str | None:
        try:
            cases = [(_case(oracle, exercise, case, hidden_seed, precision), aspect) for case, aspect in asked_for]
            return vacuous(exercise, cases, oracle)
        except CourseError:
            return None

    return oracle.once(("vacuous", exercise.name, part.name, hidden_seed, setting), asked)


_NOT_ANSWERED = "it uses a function otherwise than the exercise asks for it, or looks into its cache"


def _is_empty(check: Check) -> bool:
    """Whether an array without elements is what is wrong: that speaks for no slip, and against none."""
    return any(0 in (compared.actual_shape or ()) and not compared.passed for _, compared in check.comparisons)


def _without_cause(check: Check) -> bool:
    """Whether its arrays are wrong in the main setting, and nothing is known of why."""
    if check.setting is not None or check.verdict is not Verdict.FAILED:
        return False
    told = check.findings[0]
    return told.code in _OF_ARRAYS and not told.likely


def _with_cause(check: Check, slips: Sequence[Slip], likely: str) -> Check:
    """A check of which this is known to be the cause: its first finding says so."""
    if check.setting is not None or not check.findings:
        return check
    told, *rest = check.findings
    if told.code is FindingCode.RAISED and not told.likely:
        told = replace(told, likely=likely)
    return replace(check, findings=(sharpened(told, slips, likely), *rest))


def _raised(check: Check) -> bool:
    return bool(check.findings) and check.findings[0].code in (FindingCode.RAISED, FindingCode.MALFORMED)


def _is_not_there(exercise: Exercise, failed: Sequence[Check]) -> bool:
    """Whether an exercise's own functions are not written: then nothing that they call is to blame."""
    visible = [check.findings[0] for check in failed if not check.hidden]  # the others may not say what is missing
    own = exercise.functions.values()
    return bool(visible) and all(
        told.code in (FindingCode.MISSING_FUNCTION, FindingCode.DOES_NOT_LOAD)
        or (told.code is FindingCode.NOT_WRITTEN and any(name in told.headline for name in own))
        for told in visible
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _again_if_the_machine_fails(action: Callable[[], T]) -> T:
    """Do it again where a process was killed from outside: what happens to this machine costs nobody a point."""
    for _ in range(TRIES - 1):
        with suppress(MachineError):
            return action()
    return action()


def not_run(part: Part, case: CaseSpec, aspect: str, told: Finding, setting: Setting | None = None) -> Check:
    """A check that was not made, with why."""
    status = {FindingCode.TIMED_OUT: Status.TIMED_OUT, FindingCode.KILLED: Status.KILLED}.get(told.code, Status.NOT_RUN)
    if told.code is FindingCode.PENDING:
        status = Status.PENDING
    elif told.fault is not Fault.STUDENT:
        status = Status.UNDECIDED
    return Check(
        exercise=part.exercise,
        part=part.name,
        aspect=aspect,
        case=case.name,
        hidden=case.hidden,
        status=status,
        setting=setting,
        fault=None if status is Status.PENDING else told.fault,
        findings=(told,),
    )


def _not_made(part: Part, told: Finding, setting: Setting | None = None) -> list[Check]:
    """All checks of a part in a further setting, or in all, not made for the one reason."""
    return [
        not_run(part, case, aspect, told, where)
        for where, case, aspect in part.planned
        if setting is None or where == setting
    ]


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
    device: Device = Device.AUTO,
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
        device: which devices may be used.
        until: when this machine's time is over, by time.monotonic(): what was not asked by then is undecided.
        progress: called before each part.

    Raises:
        MachineError: the sandbox has no wall as high as it requires.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    with ExitStack() as held:
        session = _session(
            held, assignment, submission, evaluator, sandbox, oracle or Oracle(assignment), hidden_seed, device
        )
        session.until = until
        where = session.evaluator
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


def _session(
    held: ExitStack,
    assignment: Assignment,
    submission: Submission,
    evaluator: Evaluator | None,
    sandbox: Sandbox | None,
    oracle: Oracle,
    hidden_seed: int | None,
    device: Device,
    places: Elsewhere | None = None,
) -> Session:
    """A session whose places are closed with the stack; for the arguments see `grade` and `complete`."""
    where = evaluator
    if where is None:
        sandbox = sandbox or held.enter_context(Sandbox(assignment.profile))
        if sandbox.profile is not assignment.profile:
            raise ValueError(f"the sandbox is for {sandbox.profile}, and {assignment.name} for {assignment.profile}")
        where = _process(assignment, submission, sandbox)
    held.callback(where.close)

    def elsewhere(profile: Profile) -> Evaluator:
        if sandbox is not None:
            return _process(assignment, submission, sandbox.beside(profile))
        return InProcess(assignment.with_course_code(submission.source), profile)

    session = Session(
        assignment,
        where,
        oracle,
        hidden_seed,
        elsewhere=places or elsewhere,
        missing=lambda profile: "" if places else missing(profile, device),
    )
    held.callback(session.close)
    return session


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
            for setting, _ in part.also_on:
                with suppress(Exception):
                    _vacuity(oracle, exercise, part, hidden_seed, setting)
                for case, _ in part.also_asked:
                    with suppress(Exception):
                        oracle.expected(exercise, _case(oracle, exercise, case, hidden_seed, setting.precision))


def _process(assignment: Assignment, submission: Submission, sandbox: Sandbox) -> ChildProcess:
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
    device: Device = Device.AUTO,
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
        device=device,
        until=until,
        progress=progress,
    )


def complete_path(
    assignment: Assignment,
    path: Path,
    *,
    earlier: Report,
    sandbox: Sandbox | None = None,
    hidden_seed: int | None = None,
    device: Device = Device.AUTO,
    progress: Callable[[Part], None] = lambda part: None,
) -> Report:
    """Judge what is pending in an earlier report on the same submission; for the other arguments see `grade`.

    Raises:
        SubmissionError: it can't be read.
        GradebookError: report, assignment, submission and seed don't belong together, or nothing is pending.
        MachineError: this machine can judge nothing of what is pending.
    """
    return complete(
        assignment,
        matching(assignment, path, earlier, hidden_seed),
        earlier,
        sandbox=sandbox,
        hidden_seed=hidden_seed,
        device=device,
        progress=progress,
    )


def complete(
    assignment: Assignment,
    submission: Submission,
    earlier: Report,
    *,
    evaluator: Evaluator | None = None,
    sandbox: Sandbox | None = None,
    oracle: Oracle | None = None,
    hidden_seed: int | None = None,
    device: Device = Device.AUTO,
    elsewhere: Elsewhere | None = None,
    progress: Callable[[Part], None] = lambda part: None,
) -> Report:
    """The earlier report with what was pending judged, as far as this machine has what it needs.

    Args are those of `grade`, and:
        elsewhere: makes the places for further settings, all of them, whatever this machine is said to have.

    Raises:
        GradebookError: nothing is pending.
        MachineError: this machine can judge nothing of what is pending.
    """
    open_ = {
        (exercise.name, part.name, check.setting)
        for exercise in earlier.exercises
        for part in exercise.parts
        for check in part.checks
        if check.status == "pending"
    }
    if not open_:
        raise GradebookError("nothing is pending in this report")
    checks: list[Check] = []
    with ExitStack() as held:
        oracle = oracle or Oracle(assignment)
        session = _session(held, assignment, submission, evaluator, sandbox, oracle, hidden_seed, device, elsewhere)
        for exercise, part in _parts(assignment, progress):
            for setting, _ in part.also_on:
                if (exercise.name, part.name, str(setting)) in open_:
                    checks += session.further(exercise, part, setting)[0]
    settled = [check for check in checks if check.status is not Status.PENDING]
    if not settled:
        raise MachineError("; ".join(dict.fromkeys(told.headline for check in checks for told in check.findings)))
    where = " and ".join(dict.fromkeys(str(check.setting) for check in settled))
    return completed(assignment, earlier, checks, f"{where} judged {datetime.now(UTC).isoformat(timespec='seconds')}")


def matching(assignment: Assignment, path: Path, earlier: Report, hidden_seed: int | None) -> Submission:
    """The submission that a report is about, if it is. Which private seed the report was made with is not in it.

    Raises:
        SubmissionError: it can't be read.
        GradebookError: report, assignment, submission and seed don't belong together.
    """
    submission, problem = read_submission(path, assignment), ""
    if earlier.assignment.digest != assignment.digest:
        problem = "is of another assignment, or its manifest, reference, data or choice of exercises has changed since"
    elif earlier.grader != __version__:
        problem = f"is by gradmark {earlier.grader}, and this is {__version__}: grade again"
    elif earlier.submission.digest != submission.digest:
        problem = f"is about other files ({earlier.submission.name}) than those of {submission.name}"
    elif earlier.seeds.private and hidden_seed is None:
        problem = "was made with a private seed: give the same with --seed"
    elif hidden_seed is not None and not earlier.seeds.private:
        problem = "was made without a private seed: leave --seed out"
    if problem:
        raise GradebookError(f"the report {problem}")
    return submission


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
        [check for part in assignment.parts for check in _not_made(part, told)],
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
    """Those that others call first: what is wrong with them is asked for when these have failed."""
    for exercise in callees_first(assignment):
        for part in exercise.parts:
            progress(part)
            yield exercise, part
