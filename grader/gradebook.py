"""The gradebook of a class: one SQLite file, written by one process, in which nothing is ever overwritten.

    reports     what a submission earned, once for each key: digest of the submission, of the assignment, of
                gradmark's own code, and of the hidden seed. The report itself is in it, compressed.
    attempts    which report counts for a student: the latest row of each. A regrade adds rows.
    book        what the whole is about: the assignment, the seed, where the submissions lay.

Each result is one transaction, on the disk when `record` returns (write-ahead log, synchronous = FULL; see "Write-Ahead
Logging" in SQLite's documentation). A process that is killed leaves whole transactions, and the next one goes on
behind them. The log does not work over a network: the folder belongs on a disk of the machine that grades. Triggers
refuse UPDATE and DELETE on both tables.

A report is kept without the student's name and shown with it, so that two students who hand in the same bytes (the
stub, most often) share one. Points are kept as the report writes them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from grader.errors import GradebookError, MachineError
from grader.findings import Fault
from grader.report.console import points
from grader.report.model import PartReport, Report, ScoreReport

__all__ = ["FILE", "Attempt", "Gradebook", "Key", "Points", "Recorded", "Sealed", "seal", "unseal"]

FILE = "gradebook.sqlite"
_FORMAT = "1"
_SCHEMA = """
CREATE TABLE book (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE reports (
    id INTEGER PRIMARY KEY,
    submission TEXT NOT NULL,
    assignment TEXT NOT NULL,
    grader TEXT NOT NULL,
    seed TEXT NOT NULL,
    verdict TEXT NOT NULL,
    earned REAL NOT NULL,
    possible REAL NOT NULL,
    undecided REAL NOT NULL,
    faults TEXT NOT NULL,
    parts TEXT NOT NULL,
    sealed BLOB NOT NULL,
    recorded TEXT NOT NULL
) STRICT;
CREATE INDEX reports_by_key ON reports (submission, assignment, grader, seed);
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    student TEXT NOT NULL,
    name TEXT NOT NULL,
    handin TEXT NOT NULL,
    late INTEGER NOT NULL,
    notes TEXT NOT NULL,
    report INTEGER NOT NULL REFERENCES reports,
    why TEXT NOT NULL,
    recorded TEXT NOT NULL
) STRICT;
CREATE INDEX attempts_by_student ON attempts (student, id);
"""
_KEY = "submission, assignment, grader, seed"
_SEALED = "verdict, earned, undecided, possible, faults, parts, sealed"
_KEPT = "".join(
    f"CREATE TRIGGER {table}_{verb} BEFORE {verb} ON {table} "
    "BEGIN SELECT RAISE(ABORT, 'a gradebook is only added to'); END;\n"
    for table in ("reports", "attempts")
    for verb in ("UPDATE", "DELETE")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a report depends on. Two gradings with the same key need not both be made."""

    submission: str
    assignment: str
    grader: str
    seed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Points of a part or of the whole."""

    earned: float
    undecided: float
    possible: float
    pending: float = 0.0

    @property
    def full(self) -> bool:
        """Whether that is all there are."""
        return self.earned == self.possible

    def __str__(self) -> str:
        undecided = f", {points(self.undecided)} undecided" if self.undecided else ""
        pending = f", {points(self.pending)} pending" if self.pending else ""
        return f"{points(self.earned)} of {points(self.possible)}{undecided}{pending}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A hand-in of a student, for which a report counts."""

    student: str
    name: str = ""
    handin: str = ""
    """As it is called in the download."""
    late: bool = False
    notes: tuple[str, ...] = ()
    why: str = "batch"
    """What made this report count: batch, regrade or merge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A report as it is kept: compressed, without the name of who handed it in, and what is asked of it most."""

    verdict: str
    points: Points
    parts: Mapping[str, Points]
    """By `exercise / part`, in the order of the assignment."""
    faults: tuple[str, ...]
    """Whose faults there are in it besides the student's, in order: course, machine."""
    report: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An attempt with the report that counts for it."""

    attempt: Attempt
    key: Key
    row: int
    """Of the report."""
    sealed: Sealed
    recorded: str


class Gradebook:
    """The gradebook in a folder. Use as a context manager.

    Every method raises MachineError where the disk is full or the file can't be read or written.
    """

    def __init__(self, folder: Path, *, write: bool = False) -> None:
        """Open it; where `write` is given, make it if it is not there, and keep other writers out.

        Raises:
            GradebookError: there is none, or it is of another format.
            MachineError: another process writes to it, or it can't be opened.
        """
        self.folder, self.path = folder, folder / FILE
        if not write and not self.path.is_file():
            raise GradebookError(f"{folder} holds no gradebook: `grader batch ... --out {folder}` makes one")
        with contextlib.ExitStack() as held:
            if write:
                held.enter_context(_alone(folder))
            with self._errors():
                self._db = sqlite3.connect(self.path, isolation_level=None, timeout=30.0)
                held.callback(self._db.close)
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute("PRAGMA foreign_keys = ON")
                if write:
                    self._db.execute("PRAGMA journal_mode = WAL")
                    self._make()
                found = self.about("format")
            if found != _FORMAT:
                raise GradebookError(
                    f"{self.path} is of format {found or 'unknown'}, and this gradmark knows {_FORMAT}"
                )
            self._held = held.pop_all()

    def about(self, key: str) -> str | None:
        """An entry of `book`."""
        with self._errors():
            row = self._db.execute("SELECT value FROM book WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def note(self, entries: Mapping[str, str]) -> None:
        """Set entries of `book`."""
        with self._transaction():
            self._db.executemany("INSERT OR REPLACE INTO book VALUES (?, ?)", entries.items())

    def known(self, key: Key, *, pending: bool = True) -> int | None:
        """Row of the latest report for a key; None if it is to be graded (again): a machine's fault is no answer.

        Nor is one with pending points, unless they are taken for an answer here.
        """
        with self._errors():
            row = self._db.execute(
                f"SELECT id, faults, parts FROM reports WHERE ({_KEY}) = (?, ?, ?, ?) ORDER BY id DESC",
                _columns(key),
            ).fetchone()
        if row is None or Fault.MACHINE in row[1].split() or (not pending and _pending(_parts(row[2]))):
            return None
        return int(row[0])

    def record(self, key: Key, sealed: Sealed, attempts: Sequence[Attempt]) -> int:
        """Add a report, and the attempts for which it counts; it is on the disk when this returns.

        Args:
            key: what it depends on.
            sealed: the report.
            attempts: may be empty: then it is there to be compared, and counts for nobody yet.

        Returns:
            The report's row.
        """
        with self._transaction():
            row = self._report(key, sealed)
            self._attempts(row, attempts)
        return row

    def adopt(self, other: Recorded) -> bool:
        """Add an attempt of another gradebook, with its report; False if it is here already."""
        attempt = other.attempt
        with self._transaction():
            found = self._db.execute(
                f"SELECT id FROM reports WHERE ({_KEY}) = (?, ?, ?, ?) AND sealed = ?",
                (*_columns(other.key), other.sealed.report),
            ).fetchone()
            if (
                found
                and self._db.execute(
                    "SELECT 1 FROM attempts WHERE (student, handin, report, recorded) = (?, ?, ?, ?)",
                    (attempt.student, attempt.handin, found[0], other.recorded),
                ).fetchone()
            ):
                return False
            row = found[0] if found else self._report(other.key, other.sealed)
            self._attempts(row, [attempt], other.recorded)
        return True

    def count(self, counted: Iterable[tuple[int, Attempt]]) -> None:
        """Have reports that are there count for students, all of them or none."""
        with self._transaction():
            for report, attempt in counted:
                self._attempts(report, [attempt])

    def current(self) -> Iterator[Recorded]:
        """The attempt that counts of every student, by student."""
        yield from self._recorded(
            "WHERE attempts.id IN (SELECT max(id) FROM attempts GROUP BY student) ORDER BY student"
        )

    def history(self, student: str | None = None) -> Iterator[Recorded]:
        """Every attempt in order, or every one of a student."""
        where, values = ("WHERE student = ? ", (student,)) if student is not None else ("", ())
        yield from self._recorded(f"{where}ORDER BY attempts.id", values)

    def latest(self, student: str) -> Recorded | None:
        """The attempt of a student that counts."""
        return next(self._recorded("WHERE student = ? ORDER BY attempts.id DESC LIMIT 1", (student,)), None)

    def report(self, row: int, student: str = "") -> Report:
        """A report, as that of a student."""
        report = unseal(self.sealed(row).report)
        return msgspec.structs.replace(report, submission=msgspec.structs.replace(report.submission, name=student))

    def sealed(self, row: int) -> Sealed:
        """A report as it is kept."""
        with self._errors():
            return _sealed(self._db.execute(f"SELECT {_SEALED} FROM reports WHERE id = ?", (row,)).fetchone())

    def close(self) -> None:
        """Close it."""
        self._held.close()

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def _make(self) -> None:
        with self._transaction():
            if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'book'").fetchone():
                for statement in f"{_SCHEMA}\n".split(";\n"):
                    self._db.execute(statement)
                for statement in _KEPT.splitlines():
                    self._db.execute(statement)
                self._db.execute("INSERT INTO book VALUES ('format', ?)", (_FORMAT,))

    def _report(self, key: Key, sealed: Sealed) -> int:
        parts = {name: (*_triple(part), part.pending) for name, part in sealed.parts.items()}
        told = sealed.verdict, *_triple(sealed.points), " ".join(sealed.faults), json.dumps(parts), sealed.report
        row = self._db.execute(
            f"INSERT INTO reports ({_KEY}, {_SEALED}, recorded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*_columns(key), *told, _now()),
        ).lastrowid
        assert row is not None
        return row

    def _attempts(self, report: int, attempts: Sequence[Attempt], recorded: str = "") -> None:
        when = recorded or _now()
        self._db.executemany(
            "INSERT INTO attempts (student, name, handin, late, notes, report, why, recorded) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(a.student, a.name, a.handin, a.late, "\n".join(a.notes), report, a.why, when) for a in attempts],
        )

    def _recorded(self, where: str, values: tuple[str, ...] = ()) -> Iterator[Recorded]:
        with self._errors():
            for row in self._db.execute(
                f"SELECT student, name, handin, late, notes, why, attempts.recorded, reports.id, {_KEY}, {_SEALED} "
                f"FROM attempts JOIN reports ON reports.id = attempts.report {where}",
                values,
            ):
                (student, name, handin, late, notes, why, recorded, number), key, sealed = row[:8], row[8:12], row[12:]
                attempt = Attempt(
                    student=student, name=name, handin=handin, late=bool(late), notes=tuple(notes.splitlines()), why=why
                )
                yield Recorded(
                    attempt=attempt,
                    key=Key(submission=key[0], assignment=key[1], grader=key[2], seed=key[3]),
                    row=number,
                    sealed=_sealed(sealed),
                    recorded=recorded,
                )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # where the disk was full SQLite has rolled back by itself
                    self._db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            problem = _problem(error.sqlite_errorcode & 0xFF)
            if problem is None:  # a mistake of ours
                raise
            raise MachineError(f"the gradebook {self.path} {problem} ({error})") from error


def _problem(code: int) -> str | None:
    match code:
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
            return "can't be written: is the disk full? What was recorded before is safe: make room and go on"
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return "is damaged, or no gradebook"
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return "can't be opened for writing"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "is in use by another program"
        case _:
            return None


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system takes back from a process that ends in whatever way.

    Raises:
        MachineError: another process holds it, or the folder can't be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # a class's points are for nobody else
        fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise MachineError(f"{folder} can't be written to: {error.strerror or error}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
        yield
    except BlockingIOError:
        holder = os.pread(fd, 20, 0).decode("ascii", "replace")
        raise MachineError(f"another process ({holder}) is writing to {folder}: wait for it, or end it") from None
    finally:
        os.close(fd)


def _columns(key: Key) -> tuple[str, str, str, str]:
    return key.submission, key.assignment, key.grader, key.seed


def _sealed(row: Sequence[Any]) -> Sealed:
    """From the columns of _SEALED."""
    verdict, earned, undecided, possible, faults, text, report = row
    parts = _parts(text)
    return Sealed(
        verdict=verdict,
        points=Points(earned=earned, undecided=undecided, possible=possible, pending=_pending(parts)),
        parts=parts,
        faults=tuple(faults.split()),
        report=report,
    )


_COLUMNS = ("earned", "undecided", "possible", "pending")
"""Of a part, in its JSON. What is pending stands there alone, and not where it was written before there was such."""


def _parts(text: str) -> dict[str, Points]:
    return {name: Points(**dict(zip(_COLUMNS, part, strict=False))) for name, part in json.loads(text).items()}


def _pending(parts: Mapping[str, Points]) -> float:
    return float(sum(Fraction(str(part.pending)) for part in parts.values()))


def _triple(points: Points) -> tuple[float, float, float]:
    return points.earned, points.undecided, points.possible


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def seal(report: Report) -> Sealed:
    """A report as a gradebook keeps it."""
    anonymous = msgspec.structs.replace(report, submission=msgspec.structs.replace(report.submission, name=""))
    checks = [check for exercise in report.exercises for part in exercise.parts for check in part.checks]
    faults = {check.fault for check in checks if check.fault not in (None, Fault.STUDENT)}
    return Sealed(
        verdict=report.score.verdict,
        points=_points(report.score),
        parts={
            f"{exercise.name} / {part.name}": _points(part) for exercise in report.exercises for part in exercise.parts
        },
        faults=tuple(sorted(map(str, faults))),
        report=zlib.compress(msgspec.json.encode(anonymous), 1),
    )


def _points(score: ScoreReport | PartReport) -> Points:
    return Points(earned=score.earned, undecided=score.undecided, possible=score.possible, pending=score.pending)


def unseal(report: bytes) -> Report:
    """The report again."""
    return msgspec.json.decode(zlib.decompress(report), type=Report)
