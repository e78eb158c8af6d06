"""Canvas's gradebook (instructure/canvas-lms, lib/gradebook_importer.rb): best, one column of one's own export.

What the importer does is why this does what it does: the header begins Student, ID, SIS User ID, SIS Login ID, Section;
a row whose first cell holds "Points Possible" says so, and one that holds "Manual Posting" or nothing is nobody's. EX
is an excused student. An empty cell takes away the grade that is there, so a cell that is not filled stays as it was. A
column whose Points Possible are "(read only)" is not taken. Canvas shows two decimals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final

from grader.report.exports.classes import Exported, Line
from grader.report.exports.filling import Column, fill
from grader.report.exports.grades import Undecided, exact, grade, rounded
from grader.report.exports.sheets import Sheet, cell, read_sheet, table
from grader.report.exports.students import Kind

__all__ = ["canvas", "fill_canvas"]

_KINDS: Final = {
    "ID": Kind.CANVAS,
    "SIS User ID": Kind.SIS,
    "SIS Login ID": Kind.LOGIN,
    "Student": Kind.NAME,
}
_NOT_ASSIGNMENTS: Final = re.compile(
    r"(Unposted )?(Current|Final|Override) (Score|Points|Grade|Status)|(Student|LastName|FirstName|ID|SIS User ID"
    r"|SIS Login ID|Section|Integration ID|Root Account|Notes)$"
)
_TITLED: Final = re.compile(r"(?P<title>.*\S)\s*\((?P<id>\d+)\)\s*", re.DOTALL)
_NOBODYS: Final = re.compile(r"\s*(Muted|Manual Posting.*)?\s*", re.IGNORECASE)
_PLACES: Final = 2


def canvas(lines: Iterable[Line], title: str, undecided: Undecided) -> Exported:
    """A table to be imported as it is, which makes a new assignment of this title or fills the one there is.

    A hand-in of unknown kind is put where a login belongs. Canvas asks about every student whom it does not find.
    """
    lines = list(lines)
    header = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title]
    possible = max((line.points.possible for line in lines), default=0.0)
    rows: list[list[str | float]] = []
    held = []
    for line in lines:
        given, who = grade(line.points, undecided), line.student
        if given is None:
            held.append(who.handin)
            continue
        login = who.known(Kind.LOGIN) or (who.handin if who.kind is None else "")
        whole = exact(line.points.possible)
        score = rounded(given.scaled(whole), whole, _PLACES)
        rows.append([who.name, who.known(Kind.CANVAS), who.known(Kind.SIS), login, "", score])
    # The spaces are Canvas's; no formula begins with one.
    data = table([header, ["    Points Possible", "", "", "", "", possible], *rows])
    return Exported(data=data.encode(), written=len(rows), held=tuple(held))


def fill_canvas(
    export: bytes, lines: Sequence[Line], undecided: Undecided, *, titles: Sequence[str], column: str = "", scale: bool
) -> Exported:
    """The instructor's export with one column filled.

    Args:
        export: as Canvas let it be downloaded.
        lines: of the gradebook.
        undecided: what becomes of open points.
        titles: what the column may be called, if `column` does not say.
        column: its header, title or id.
        scale: whether points are converted to what Canvas says is possible.

    Raises:
        ValueError: it is not such a file, there is no such column (lists those that there are), or other points are
            possible there.
    """
    sheet = read_sheet(export)
    header = [text.strip() for text in sheet.values(0)]
    ids = {name: header.index(name) for name in _KINDS if name in header}
    if not {"Student", "ID"} <= ids.keys():
        raise ValueError("the first row is not that of a Canvas gradebook: it lacks Student and ID")
    number = _column(sheet, header, titles, column)
    worth = next((row for row in range(1, len(sheet.rows)) if "Points Possible" in sheet.value(row, 0)), None)
    students = [
        row for row in range(1, len(sheet.rows)) if row != worth and not all(map(_NOBODYS.fullmatch, sheet.values(row)))
    ]
    return fill(
        sheet,
        lines,
        undecided,
        Column(
            number=number,
            name=header[number],
            rows=students,
            ids=[{_KINDS[name]: sheet.value(row, at) for name, at in ids.items()} for row in students],
            possible=[None if worth is None else _number(sheet.value(worth, number))] * len(students),
            kept=frozenset({"ex"}),
            places=_PLACES,
        ),
        scale=scale,
    )


def _column(sheet: Sheet, header: Sequence[str], titles: Sequence[str], column: str) -> int:
    """Number of the assignment's column."""
    offered = [at for at, name in enumerate(header) if name and not _NOT_ASSIGNMENTS.match(name)]
    wanted = [column] if column else list(titles)
    found = [at for at in offered if any(_called(header[at], want) for want in wanted)]
    if len(found) == 1:
        return found[0]
    names = "".join(f"\n  {cell(header[at])}" for at in offered) or " none"
    asked = f"{' or '.join(map(repr, wanted))}" if wanted else "the assignment"
    several = f"{len(found)} columns are called {asked}" if found else f"no column is called {asked}"
    raise ValueError(f"{several}; say which with --column. There are:{names}")


def _called(header: str, want: str) -> bool:
    """Whether a column is meant by its whole header, its title, or its id."""
    titled = _TITLED.fullmatch(header)
    return want.strip() in {header, *([titled["title"], titled["id"]] if titled else [])}


def _number(text: str) -> Fraction | None:
    """A number as Canvas writes it: 1,234.5, in some places 1.234,5; None where there is none."""
    if not re.fullmatch(r"[\d.,]+", text.strip()) or not re.search(r"\d", text):
        return None
    whole, mark, decimals = re.fullmatch(r"([\d.,]*?)(?:([.,])(\d*))?", text.strip()).groups()  # type: ignore[union-attr]
    digits = re.sub(r"[.,]", "", whole) or "0"
    return Fraction(f"{digits}.{decimals or '0'}" if mark else digits)
