"""Moodle: a table for the gradebook's import, or the assignment's own grading worksheet with its grades filled in.

The import (moodle/moodle, grade/import/csv) finds students by an id number or an address; what maps to what is chosen
there. One unknown student makes it refuse the whole file, and an empty grade takes away the one that is there: so a
student without a grade or without an id has no line. The worksheet (mod/assign/feedback/offline) knows students by the
same participant's number that a download of submissions has, which is no id number: it is the way for those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final

from grader.report.console import points as written
from grader.report.exports.classes import Exported, Line
from grader.report.exports.filling import Column, fill
from grader.report.exports.grades import Undecided, exact, grade, rounded, told_open
from grader.report.exports.sheets import read_sheet, table
from grader.report.exports.students import Kind, Student

__all__ = ["fill_moodle", "moodle"]

_KINDS: Final = {
    "Identifier": Kind.PARTICIPANT,
    "ID number": Kind.NUMBER,
    "Email address": Kind.EMAIL,
    "Full name": Kind.NAME,
}
_PLACES: Final = 5
"""Decimals that Moodle keeps."""


def moodle(lines: Iterable[Line], title: str, undecided: Undecided) -> Exported:
    """A table for the gradebook's import. A hand-in of unknown kind is taken for an id number, or an address."""
    rows: list[list[str | float]] = [
        ["First name", "Surname", "ID number", "Email address", f"Assignment: {title}", f"Feedback: {title}"]
    ]
    held, missing = [], []
    for line in lines:
        given, who = grade(line.points, undecided), line.student
        number, email = _ids(who)
        if given is None:
            held.append(who.handin)
        elif not (number or email):
            kind = who.kind.value if who.kind else "no id"
            missing.append(
                f"{who.handin}: Moodle's import does not know this id ({kind}). Fill the grading worksheet, with "
                "--into, or give --roster"
            )
        else:
            whole = exact(line.points.possible)
            score = rounded(given.scaled(whole), whole, _PLACES)
            rows.append([*_names(who.known(Kind.NAME)), number, email, score, _feedback(line, undecided)])
    return Exported(data=table(rows).encode(), written=len(rows) - 1, held=tuple(held), missing=tuple(missing))


def fill_moodle(
    worksheet: bytes, lines: Sequence[Line], undecided: Undecided, *, column: str = "", scale: bool
) -> Exported:
    """The grading worksheet with its column `Grade` filled.

    Raises:
        ValueError: it is not such a file, or other points are possible there.
    """
    sheet = read_sheet(worksheet)
    header = [text.strip() for text in sheet.values(0)]
    wanted = column or "Grade"
    if "Identifier" not in header or wanted not in header:
        raise ValueError(
            f"the first row is not that of a grading worksheet: it lacks Identifier or {wanted}. It has "
            f"{', '.join(header)}"
        )
    ids = {name: header.index(name) for name in _KINDS if name in header}
    rows = range(1, len(sheet.rows))
    most = header.index("Maximum grade") if "Maximum grade" in header else None
    return fill(
        sheet,
        lines,
        undecided,
        Column(
            number=header.index(wanted),
            name=wanted,
            rows=rows,
            ids=[{_KINDS[name]: _id(name, sheet.value(row, at)) for name, at in ids.items()} for row in rows],
            possible=[None if most is None else _number(sheet.value(row, most)) for row in rows],
            places=_PLACES,
        ),
        scale=scale,
    )


def _ids(who: Student) -> tuple[str, str]:
    """Id number and address. A download's own ids are neither; in a plain folder who named it knew what they are."""
    plain = who.handin if who.kind is None else ""
    email = who.known(Kind.EMAIL) or (plain if "@" in plain else "")
    number = who.known(Kind.NUMBER) or who.known(Kind.SIS) or (plain if not email else "")
    return number, email


def _names(name: str) -> tuple[str, str]:
    """First name and surname, just for the eye: split only where a comma says how."""
    surname, comma, first = name.partition(", ")
    return (first, surname) if comma else (name, "")


def _feedback(line: Line, undecided: Undecided) -> str:
    """Points of the parts. Moodle takes it for HTML; names of parts are the course's."""
    parts = [f"{name}: {written(points.earned)} of {written(points.possible)}" for name, points in line.parts.items()]
    return "; ".join([*parts, *filter(None, [told_open(line.points, undecided)])])


def _id(column: str, text: str) -> str:
    """A cell that identifies: of "Participant 1234" the number."""
    digits = re.search(r"\d+\s*\Z", text) if column == "Identifier" else None
    return digits[0].strip() if digits else text


def _number(text: str) -> Fraction | None:
    text = text.strip().replace(",", ".")
    return Fraction(text) if re.fullmatch(r"\d+(\.\d*)?", text) else None
