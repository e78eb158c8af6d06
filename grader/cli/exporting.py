"""`grader export`: reports and gradebooks in other people's formats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from grader.cli.terminal import PASSED, UNDECIDED, say, tell
from grader.errors import GradebookError, MachineError
from grader.report.writing import write_whole

if TYPE_CHECKING:
    from grader.gradebook import Attempt, Gradebook, Sealed
    from grader.report.exports.classes import Exported, Line
    from grader.report.exports.formats import ClassFormat, ReportFormat
    from grader.report.exports.grades import Undecided
    from grader.report.exports.roster import Roster
    from grader.report.exports.students import Student
    from grader.report.model import Report

__all__ = ["export_command"]

_CLASS: Final = ("csv", "canvas", "moodle")
_REPORT: Final = (
    "gradescope",
    "prairielearn",
    "github-classroom",
    "codegrade",
    "autolab",
    "junit",
    "markdown",
    "lti-ags",
)
"""Written out, as `--help` answers without loading what writes them; tests/test_exporting.py holds them to it."""
_MOST_HELD: Final = 20


@click.command(
    "export",
    epilog="""\b
Examples:
  grader export run --format csv --out grades.csv
  grader export run --format canvas --into canvas-export.csv --out upload.csv
  grader export run --format canvas --into canvas-export.csv --column "Homework 3 (8841)" --scale --out upload.csv
  grader export run --format moodle --into worksheet.csv --out upload.csv
  grader export run --format gradescope --out results/       one file a student
  grader export report.json --format gradescope --out results/results.json
  grader export report.json --format junit > junit.xml
  echo "result=$(grader export report.json --format github-classroom)" >> "$GITHUB_OUTPUT"
  grader export report.json --format codegrade >&3

\b
Points may be open: undecided, as the course or a machine was at fault, or
pending, as there was no GPU. What becomes of them:
  hold     whoever has any gets no grade, and is listed: in a table the line
           is left out or left as it was. For csv, canvas, moodle, lti-ags
           (PendingManual or Pending) and prairielearn (not gradable) the
           default.
  zero     they count as not earned, and the text says so. The default for
           the others, which always need a score.
  exclude  they are left out of what is possible; where that is fixed the
           grade is scaled to it.

\b
A roster is a CSV file. Its column `handin` holds what hand-ins are called
(see `grader show RUN`), others what the students are called elsewhere: id
(Canvas), sis user id, sis login id, id number (Moodle), email address,
lti user id, name.

\b
Exit codes: 0 every grade is written, 2 some are not (the list says whose).
""",
)
@click.argument("source", metavar="RUN|REPORT", type=click.Path(exists=True, path_type=Path))
@click.option("--format", "form", type=click.Choice([*_CLASS, *_REPORT]), required=True, help="Of what is written.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="File to write, or, for one file a student, folder. An earlier export there is written over. Default: stdout.",
)
@click.option(
    "--into",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Fill the grades into this table of yours and leave all else in it as it is: for canvas the gradebook's "
    "export, for moodle the assignment's grading worksheet. It is not written to: --out is.",
)
@click.option(
    "--column",
    metavar="NAME",
    help="Column of that table: its header, title or id. Default: the one called like the assignment.",
)
@click.option("--scale", is_flag=True, help="Convert to the points that are possible in that table.")
@click.option(
    "--roster",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="CSV of who is called how elsewhere.",
)
@click.option(
    "--undecided",
    type=click.Choice(["zero", "exclude", "hold"]),
    help="What becomes of points that nobody decided. Default: by format, see below.",
)
def export_command(
    source: Path,
    form: str,
    out: Path | None,
    into: Path | None,
    column: str | None,
    scale: bool,
    roster: Path | None,
    undecided: str | None,
) -> int:
    """Write the grades of RUN, a folder of `grader batch`, or of REPORT, a JSON report, as other programs read them.

    csv, canvas and moodle are tables with a line a student. The others tell one report: of RUN each student gets a
    file in the folder --out. Students are found by ids, then by name; whoever is not found, or not for certain, is
    listed and gets nothing.
    """
    from grader.report.exports.formats import ClassFormat, ReportFormat, default_undecided
    from grader.report.exports.grades import Undecided

    fits_into = form in (ClassFormat.CANVAS, ClassFormat.MOODLE)
    if into and not fits_into:
        raise click.BadParameter(f"{form} fills no table; canvas and moodle do", param_hint="'--into'")
    if (column or scale) and not into:
        raise click.BadParameter("they tell of your table: say which, with --into", param_hint="'--column/--scale'")
    for theirs in (source, source / "gradebook.sqlite", into, roster):
        if out and theirs and theirs.is_file() and out.resolve() == theirs.resolve():
            raise click.BadParameter(f"{out} is what is read: it is not written over", param_hint="'--out'")
    chosen = ClassFormat(form) if form in _CLASS else ReportFormat(form)
    policy = Undecided(undecided) if undecided else default_undecided(chosen)
    with ExitStack() as held:
        found = _Source.open(source, held)
        ids = _roster(roster, found)
        if isinstance(chosen, ClassFormat):
            return _class(chosen, found, policy, ids, out, into, column or "", scale)
        if found.is_run:
            return _folder(chosen, found, policy, ids, out)
        return _single(chosen, found, policy, ids, out)


# --------------------------------------------------------------------------------------------------- what is exported


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A student's result, its report still packed."""

    attempt: Attempt
    sealed: Sealed
    when: str
    """Since when it counts."""

    @property
    def report(self) -> Report:
        import msgspec

        from grader.gradebook import unseal
        from grader.report.feedback import for_student

        report = for_student(unseal(self.sealed.report))  # students read what other programs are given
        named = msgspec.structs.replace(report.submission, name=self.attempt.student)
        return msgspec.structs.replace(report, submission=named)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A run or a report."""

    path: Path
    book: Gradebook | None
    alone: _Entry | None

    @classmethod
    def open(cls, path: Path, held: ExitStack) -> _Source:
        from grader.gradebook import Attempt, Gradebook, seal
        from grader.report.model import read_report

        if path.is_dir():
            return cls(path=path, book=held.enter_context(Gradebook(path)), alone=None)
        try:
            report = read_report(path)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="'RUN|REPORT'") from error
        except OSError as error:
            raise MachineError(f"{path} can't be read: {error.strerror or error}") from error
        name = report.submission.name or path.stem
        attempt = Attempt(student=name, handin=name)
        return cls(path=path, book=None, alone=_Entry(attempt=attempt, sealed=seal(report), when=report.started))

    @property
    def is_run(self) -> bool:
        return self.book is not None

    def entries(self) -> Iterator[_Entry]:
        """One after the other; of a class no more than one report is unpacked at a time."""
        if self.alone is not None:
            yield self.alone
        if self.book is not None:
            for recorded in self.book.current():
                yield _Entry(attempt=recorded.attempt, sealed=recorded.sealed, when=recorded.recorded)


def _roster(path: Path | None, found: _Source) -> Roster:
    from grader.report.exports.roster import Roster, read_roster
    from grader.report.exports.students import same_name

    if path is None:
        return Roster(ids={})
    try:
        roster = read_roster(path.read_bytes())
    except ValueError as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="'--roster'") from error
    absent = [e.attempt.student for e in found.entries() if same_name(e.attempt.student) not in roster.ids]
    if absent:
        tell(f"not in {path.name}: {', '.join(absent[:_MOST_HELD])}{' and more' if len(absent) > _MOST_HELD else ''}")
    return roster


def _student(attempt: Attempt, roster: Roster) -> Student:
    """Who it is, with the kind of id that the download called them by."""
    from grader.batch.downloads import Layout, labels
    from grader.report.exports.roster import with_roster
    from grader.report.exports.students import Kind, Student

    kind: Kind | None = None
    if f"_{attempt.student}_assignsubmission_" in attempt.handin:
        kind = Kind.PARTICIPANT
    elif any(label.student == attempt.student for label in labels(Layout.CANVAS, attempt.handin, False, {})):
        kind = Kind.CANVAS if attempt.student.isdecimal() else Kind.HANDIN  # anonymous ones have no id
    elif attempt.handin.startswith("submission_") and "@" in attempt.student:
        kind = Kind.EMAIL  # Gradescope's, without a number in the course's list
    ids = {Kind.NAME: attempt.name} if attempt.name else {}
    return with_roster(Student(handin=attempt.student, kind=kind, ids=ids), roster)


def _line(entry: _Entry, roster: Roster) -> Line:
    from grader.report.exports.classes import Line

    sealed = entry.sealed
    return Line(
        student=_student(entry.attempt, roster),
        points=sealed.points,
        parts=sealed.parts,
        verdict=sealed.verdict,
        faults=sealed.faults,
        late=entry.attempt.late,
        handed_in=entry.attempt.handin,
    )


# ------------------------------------------------------------------------------------------------------------ doing it


def _class(
    form: ClassFormat,
    found: _Source,
    undecided: Undecided,
    roster: Roster,
    out: Path | None,
    into: Path | None,
    column: str,
    scale: bool,
) -> int:
    from grader.report.exports.formats import export_class, filled_class

    first = next(found.entries(), None)
    if first is None:
        raise GradebookError(f"{found.path} holds no results yet")
    assignment = first.report.assignment
    lines = [_line(entry, roster) for entry in found.entries()]
    if into is None:
        exported = export_class(form, lines, undecided, assignment)
    else:
        try:
            exported = filled_class(form, into.read_bytes(), lines, undecided, assignment, column=column, scale=scale)
        except ValueError as error:
            raise click.BadParameter(f"{into}: {error}", param_hint="'--into'") from error
        except OSError as error:
            raise MachineError(f"{into} can't be read: {error.strerror or error}") from error
    _give(exported.data, out)
    return _told(exported, lines, out)


def _single(form: ReportFormat, found: _Source, undecided: Undecided, roster: Roster, out: Path | None) -> int:
    assert found.alone is not None
    data, held = _rendered(form, found.alone, undecided, roster)
    if data is not None:
        _give(data, out)
    elif out and out.is_file():
        out.unlink()  # what an earlier export wrote there is no longer so
    _told_held([_open(_line(found.alone, roster))] if held else [])
    return UNDECIDED if held else PASSED


def _folder(form: ReportFormat, found: _Source, undecided: Undecided, roster: Roster, out: Path | None) -> int:
    from grader.report.exports.formats import suffix

    if out is None:
        raise click.BadParameter(f"{form} is one file a student: say in which folder", param_hint="'--out'")
    if out.exists() and not out.is_dir():
        raise click.BadParameter(f"{out} is a file, and {form} is one file a student", param_hint="'--out'")
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)  # a class's points are for nobody else
    except OSError as error:
        raise MachineError(f"{out} can't be made: {error.strerror or error}") from error
    held, files = [], 0
    for entry in found.entries():
        name = entry.attempt.student
        if Path(name).name != name:
            raise GradebookError(f"{found.path}: no file can be called {name!r}")
        path = out / f"{name}{suffix(form)}"
        data, is_held = _rendered(form, entry, undecided, roster)
        held += [_open(_line(entry, roster))] if is_held else []
        if data is None:
            path.unlink(missing_ok=True)  # what an earlier export wrote there is no longer so
        else:
            write_whole(data, path)
            files += 1
    _told_held(held)
    tell(f"{files} {'file' if files == 1 else 'files'} in {out}")
    return UNDECIDED if held else PASSED


def _rendered(form: ReportFormat, entry: _Entry, undecided: Undecided, roster: Roster) -> tuple[bytes | None, bool]:
    """A student's file, if there is one, and whether the grade is held back."""
    from grader.report.exports.formats import ReportFormat, export_report
    from grader.report.exports.grades import grade
    from grader.report.exports.students import Kind

    student = _student(entry.attempt, roster)
    user = student.known(Kind.LTI) or student.handin
    report = entry.report
    try:
        data = export_report(form, report, undecided, user=user, when=entry.when)
    except ValueError as error:
        raise GradebookError(f"{student.handin} can't be written as {form}: {error}") from error
    return data, form is not ReportFormat.MARKDOWN and grade(report.score, undecided) is None


def _told(exported: Exported, lines: Sequence[Line], out: Path | None) -> int:
    for missing in exported.missing:
        tell(f"no grade is written for {missing}")
    held = set(exported.held)
    _told_held([_open(line) for line in lines if line.student.handin in held])
    for note in exported.notes:
        tell(note)
    where = f" to {out}" if out else ""
    tell(f"{exported.written} {'grade' if exported.written == 1 else 'grades'} written{where}")
    return UNDECIDED if exported.missing or exported.held else PASSED


def _told_held(held: Sequence[str]) -> None:
    more = len(held) - _MOST_HELD
    for line in held[:_MOST_HELD]:
        tell(f"held back: {line}")
    if more > 0:
        tell(f"held back: {more} more; --format csv lists everybody")
    if held:
        tell("--undecided zero or exclude gives them a grade")


def _open(line: Line) -> str:
    """`ada: 4 of 9, 2 undecided, the course at fault`."""
    faults = f", the {' and the '.join(line.faults)} at fault" if line.faults else ""
    return f"{line.student.handin}: {line.points}{faults}"


def _give(data: bytes, out: Path | None) -> None:
    if out is None:
        say(data)
    elif out.is_dir():
        raise click.BadParameter(f"{out} is a folder, and this is one file", param_hint="'--out'")
    else:
        write_whole(data, out)
