"""From the hand-ins of a class to its gradebook: what is known is skipped, what comes back is recorded at once."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from grader.assignment import Assignment
from grader.batch.handins import Handin
from grader.batch.work import Graded, Order, Task, grader_digest, seed_digest
from grader.checks.asking import finding
from grader.devices import missing
from grader.errors import GradebookError, MachineError, SubmissionError
from grader.findings import Fault, FindingCode
from grader.gradebook import Attempt, Gradebook, Key, Sealed, seal
from grader.grading import ungraded, unreadable
from grader.report.model import Report
from grader.submission import read_submission

__all__ = ["Graders", "Pass", "Shard", "Tally", "begin", "common_key", "patience"]

Graders: TypeAlias = Callable[[Iterator[Task]], Iterator[Graded]]
"""Whoever grades: takes tasks as it has room for them, gives reports back in any order."""

_MOST = 15.0
"""How many times its limits a submission may take by the clock; the sandbox gives up at 10 (grader.sandbox.process)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """The i-th of n shares of a class, i from 1. Which one a student is in depends on the id alone."""

    i: int
    n: int

    def __contains__(self, handin: Handin) -> bool:
        return int(hashlib.sha256(handin.student.encode()).hexdigest(), 16) % self.n == self.i - 1

    def __str__(self) -> str:
        return f"{self.i}/{self.n}"


@dataclass(slots=True, kw_only=True)
class Tally:
    """How far a pass is."""

    total: int
    known: int = 0
    """Whose report was there already."""
    verdicts: Counter[str] = field(default_factory=Counter)
    """Of the reports that this pass made, a hand-in each."""
    troubles: list[tuple[str, str]] = field(default_factory=list)
    """(student, whose fault) of those that are undecided."""
    started: float = field(default_factory=time.monotonic)
    _first: float = 0.0

    @property
    def graded(self) -> int:
        """Hand-ins graded in this pass."""
        return self.verdicts.total()

    @property
    def done(self) -> int:
        """Hand-ins that have a report."""
        return self.known + self.graded

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.started

    @property
    def rate(self) -> float:
        """Hand-ins graded a second, since the first one was: until then everything is got ready. 0 if not known."""
        return (self.graded - 1) / max(time.monotonic() - self._first, 1e-3) if self.graded > 1 else 0.0

    def add(self, student: str, verdict: str, faults: Sequence[str]) -> None:
        """Count a hand-in that was graded."""
        self._first = self._first or time.monotonic()
        self.verdicts[verdict] += 1
        if faults:
            self.troubles.append((student, " and ".join(faults)))


def common_key(assignment: Assignment, order: Order) -> Key:
    """What the keys of all reports of a pass have in common; without the submission."""
    return Key(submission="", assignment=assignment.digest, grader=grader_digest(), seed=seed_digest(order.seed))


def begin(
    book: Gradebook,
    assignment: Assignment,
    order: Order,
    submissions: Path,
    shard: Shard = Shard(i=1, n=1),
    *,
    anew: bool = False,
) -> None:
    """Note in a new gradebook what it is about, or see that it is about this; `anew`, after a regrade, note it again.

    Raises:
        GradebookError: it was begun with something else.
    """
    common = common_key(assignment, order)
    wanted = {"assignment": common.assignment, "gradmark": common.grader, "seed of the hidden cases": common.seed}
    found = {name: book.about(name) for name in wanted}
    changed = [name for name, value in wanted.items() if found[name] not in (None, value)]
    if changed and not anew:
        raise GradebookError(
            f"{book.folder} was graded with another {' and another '.join(changed)}. `grader regrade {book.folder} "
            f"--diff` says whose points that changes; or give another folder with --out"
        )
    book.note(
        {
            **wanted,
            "name": assignment.name,
            "manifest": str(order.manifest.resolve()),
            "seed": "" if order.seed is None else str(order.seed),
            "submissions": str(submissions.resolve()),
            "shard": str(shard),
        }
    )


def patience(assignment: Assignment) -> float:
    """Seconds after which it can't be a submission any more that keeps a judge from answering."""
    limits = assignment.limits
    return _MOST * (limits.total_seconds + limits.load_seconds * (1 + len(assignment.exercises)))


class Pass:
    """One way through the hand-ins of a class."""

    def __init__(
        self,
        book: Gradebook,
        assignment: Assignment,
        order: Order,
        *,
        counts: bool = True,
        told: Callable[[Tally], None] = lambda tally: None,
    ) -> None:
        """Nothing is read yet.

        Args:
            book: where the reports go.
            assignment: what is graded.
            order: what with.
            counts: whether the reports count for the students; else they are only there, to be compared.
            told: called after each hand-in.
        """
        self.book = book
        self.assignment = assignment
        self.order = order
        self.counts = counts
        self.told = told
        self.found: dict[str, tuple[int, Attempt]] = {}
        """Row of the report of each student, where it does not count yet."""
        self._common = common_key(assignment, order)
        self._lacking = any(missing(setting.profile, order.device) for setting in assignment.settings)
        """Whether what is pending stays so. Where everything is there, such a submission is graded again, whole."""
        self._open: dict[Key, list[Attempt]] = {}
        self._keys: dict[int, Key] = {}
        self.tally = Tally(total=0)

    def grade(self, handins: Iterable[Handin], graders: Graders) -> Tally:
        """Grade them. Ended in whatever way, what was recorded stays, and another pass goes on behind it.

        Raises:
            MachineError: there is no room left, or nobody to grade.
        """
        handins = list(handins)
        self.tally = Tally(total=len(handins))
        for graded in graders(self._tasks(handins)):
            key = self._keys.pop(graded.number)
            self._record(key, graded.sealed, self._open.pop(key))
        return self.tally

    def _tasks(self, handins: Iterable[Handin]) -> Iterator[Task]:
        for number, handin in enumerate(handins):
            attempt = Attempt(
                student=handin.student,
                name=handin.name,
                handin=handin.where,
                late=handin.late,
                notes=handin.notes,
                why="batch" if self.counts else "regrade",
            )
            try:
                with handin.opened() as path:
                    submission = read_submission(path, self.assignment)
                    notes = tuple(note.replace(str(path), handin.where) for note in submission.notes)
            except SubmissionError as error:
                report = unreadable(self.assignment, error, name=handin.student, hidden_seed=self.order.seed)
                self._without_a_judge(attempt, report)
                continue
            except MachineError:
                raise
            except Exception as error:
                self._without_a_judge(attempt, self._failed(handin, error))
                continue
            key = replace(self._common, submission=submission.digest)
            if key in self._open:
                self._open[key].append(attempt)
            elif (row := self.book.known(key, pending=self._lacking)) is not None:
                self._count(row, attempt)
            else:
                self._open[key], self._keys[number] = [attempt], key
                source = replace(submission.source, root=None)
                named = replace(submission, name=handin.student, path=handin.where, notes=notes, source=source)
                yield Task(number=number, submission=named)

    def _without_a_judge(self, attempt: Attempt, report: Report) -> None:
        """A report that needs none: known by its words, as there are no files to tell it by."""
        words = "\0".join(report.submission.notes)
        key = replace(self._common, submission=f"unreadable {hashlib.sha256(words.encode()).hexdigest()}")
        row = self.book.known(key)
        if row is None:
            self._record(key, seal(report), [attempt])
        else:
            self._count(row, attempt)

    def _failed(self, handin: Handin, error: Exception) -> Report:
        problem = f"{type(error).__name__}: {error}"
        told = finding(FindingCode.MACHINE_FAILED, fault=Fault.MACHINE, problem=problem)
        notes = [f"{handin.where}: {problem}"]
        return ungraded(self.assignment, told, name=handin.student, notes=notes, hidden_seed=self.order.seed)

    def _record(self, key: Key, sealed: Sealed, attempts: list[Attempt]) -> None:
        row = self.book.record(key, sealed, attempts if self.counts else [])
        for attempt in attempts:
            self.found[attempt.student] = row, attempt
            self.tally.add(attempt.student, sealed.verdict, sealed.faults)
            self.told(self.tally)

    def _count(self, row: int, attempt: Attempt) -> None:
        """A report that is there is this student's too."""
        self.found[attempt.student] = row, attempt
        latest = self.book.latest(attempt.student)
        if self.counts and (latest is None or latest.row != row or latest.attempt.handin != attempt.handin):
            self.book.count([(row, attempt)])
        self.tally.known += 1
        self.told(self.tally)
