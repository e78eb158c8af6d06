"""Where the parts of one assignment are graded in this process: the submission, loaded once, beside its oracle.

The student's code is to behave here as in a script of their own. Warnings and floating-point errors are what plain
Python makes of them, whatever the project around asks of its tests, and whoever quits the debugger is out at once.
"""

from __future__ import annotations

import warnings
from bdb import BdbQuit
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import pytest

from grader.errors import SubmissionError

if TYPE_CHECKING:
    from grader.assignment import Assignment, Exercise, Part
    from grader.calls import Answering, Call, Evaluator, Isolation, LoadOutcome, Outcome
    from grader.findings import Finding
    from grader.grading import PartOutcome, Session
    from grader.report.model import SubmissionInfo
    from grader.settings import Device

__all__ = ["DebuggerQuit", "Desk", "close_desks", "desk_of", "end_at_own_frame", "nothing_here", "plain_python"]


class Desk:
    """One assignment being graded: the submission is the folder of the manifest."""

    def __init__(self, assignment: Assignment, hidden_seed: int | None, device: Device) -> None:
        from grader.checks.asking import finding
        from grader.devices import missing
        from grader.findings import FindingCode
        from grader.grading import Session
        from grader.reference import Oracle
        from grader.sandbox.inprocess import InProcess
        from grader.submission import read_submission

        self.folder = assignment.manifest.resolve().parent
        self.private = hidden_seed is not None
        self.digest: str | None = None
        self.session: Session | Finding
        """Or why the submission can't be read."""
        try:
            submission = read_submission(self.folder, assignment)
        except SubmissionError as error:
            self.session = finding(FindingCode.SUBMISSION_UNREADABLE, problem=str(error))
            self.notes: tuple[str, ...] = (str(error),)
        else:
            source = assignment.with_course_code(submission.source)
            evaluator = _UntilQuit(InProcess(source, assignment.profile))
            self.session = Session(
                assignment,
                evaluator,
                Oracle(assignment),
                hidden_seed,
                elsewhere=lambda profile: _UntilQuit(InProcess(source, profile)),
                missing=lambda profile: missing(profile, device),
            )
            self.digest, self.notes = submission.digest, submission.notes

    def part(self, exercise: Exercise, part: Part) -> PartOutcome:
        """Judge one part; whatever goes wrong on our side is an undecided part.

        Raises:
            DebuggerQuit: the student has had enough.
        """
        from grader.checks.asking import finding
        from grader.findings import Fault, Finding, FindingCode

        if isinstance(self.session, Finding):
            return _no_check(part, self.session)
        try:
            return self.session.part(exercise, part)
        except (pytest.skip.Exception, pytest.fail.Exception) as error:
            # Student code that calls pytest.skip() would otherwise turn its part green.
            problem = f"{type(error).__name__}: {error}"
            return _no_check(part, finding(FindingCode.RAISED, function=self.session.assignment.file, problem=problem))
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            return _no_check(part, finding(FindingCode.MACHINE_FAILED, fault=Fault.MACHINE, problem=problem), error)

    def submission(self) -> SubmissionInfo:
        """Whose work this is, with the problems of loading it: those come to light when the first part runs."""
        from grader.calls import Loaded
        from grader.findings import Finding
        from grader.report.model import SubmissionInfo

        loaded = None if isinstance(self.session, Finding) else self.session.evaluator.load()
        problems = loaded.problems if isinstance(loaded, Loaded) else ()
        return SubmissionInfo(name=self.folder.name, digest=self.digest, notes=[*self.notes, *problems], printed="")

    def close(self) -> None:
        """End the session."""
        from grader.findings import Finding

        if not isinstance(self.session, Finding):
            self.session.evaluator.close()
            self.session.close()


def nothing_here(assignment: Assignment) -> bool:
    """Whether a topic that comes without a stub has no files of a student's beside its manifest yet."""
    from grader.archive import list_folder

    return bool(assignment.more_files) and not list_folder(assignment.manifest.resolve().parent).sizes


_DESKS = pytest.StashKey[dict[Path, Desk]]()


def desk_of(config: pytest.Config, assignment: Assignment) -> Desk:
    """The desk of an assignment, opened the first time."""
    desks = config.stash.setdefault(_DESKS, {})
    if assignment.manifest not in desks:
        from grader.settings import Device

        device = Device(config.getoption("--grade-device"))
        desks[assignment.manifest] = Desk(assignment, config.getoption("--grade-seed"), device)
    return desks[assignment.manifest]


def close_desks(config: pytest.Config) -> None:
    """Close all desks."""
    desks = config.stash.get(_DESKS, {})
    while desks:
        desks.popitem()[1].close()


def _no_check(part: Part, told: Finding, exception: BaseException | None = None) -> PartOutcome:
    from grader.grading import PartOutcome, not_run

    checks = tuple(not_run(part, case, aspect, told, setting) for setting, case, aspect in part.planned)
    return PartOutcome(checks=checks, exception=exception)


class DebuggerQuit(BaseException):
    """Passes through everything that turns a student's exceptions into findings."""


class _UntilQuit:
    """An evaluator that ends the run when the debugger is quit; it would open again at every call that is left."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    @property
    def isolation(self) -> Isolation:
        return self._evaluator.isolation

    @property
    def overflowed(self) -> bool:
        return self._evaluator.overflowed

    def load(self) -> LoadOutcome:
        return self._evaluator.load()

    def call(self, call: Call) -> Outcome:
        try:
            outcome = self._evaluator.call(call)
        except BdbQuit:
            raise DebuggerQuit from None
        if isinstance(getattr(outcome, "exception", None), pytest.exit.Exception):  # how pytest's own debugger quits
            raise DebuggerQuit
        return outcome

    def calls(self, calls: Sequence[Call]) -> Iterator[Outcome]:
        return map(self.call, calls)

    def fresh(self) -> None:
        self._evaluator.fresh()

    def answering(self, answers: Answering) -> Evaluator:
        return _UntilQuit(self._evaluator.answering(answers))

    def close(self) -> None:
        self._evaluator.close()


@contextmanager
def plain_python() -> Iterator[None]:
    """Warnings and floating-point errors as in a plain script: a project that makes them errors changes no verdict."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import numpy as np

        with np.errstate(divide="warn", over="warn", invalid="warn", under="ignore"):
            yield


def end_at_own_frame(exception: BaseException | None, folder: Path) -> TracebackType | None:
    """The traceback up to the innermost frame of a file in this folder: a debugger opens in the last frame."""
    frames: list[TracebackType] = []
    trace = None if exception is None else exception.__traceback__
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    while frames and not Path(frames[-1].tb_frame.f_code.co_filename).is_relative_to(folder):
        frames.pop()
    for frame in reversed(frames):
        trace = TracebackType(trace, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return trace
