"""A roster: which ids belong to what a hand-in is called. CSV with a header, made by the instructor or exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from grader.report.exports.sheets import read_sheet
from grader.report.exports.students import Kind, Student, same_name

__all__ = ["COLUMNS", "Roster", "read_roster", "with_roster"]

COLUMNS: Final = {
    "canvas id": Kind.CANVAS,
    "id": Kind.CANVAS,
    "sis user id": Kind.SIS,
    "sid": Kind.SIS,
    "sis login id": Kind.LOGIN,
    "login": Kind.LOGIN,
    "email address": Kind.EMAIL,
    "email": Kind.EMAIL,
    "id number": Kind.NUMBER,
    "participant": Kind.PARTICIPANT,
    "lti user id": Kind.LTI,
    "name": Kind.NAME,
}
"""Names of columns, in any capitals."""
_HANDIN: Final = ("handin", "hand-in", "student")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Ids by hand-in."""

    ids: Mapping[str, Mapping[Kind, str]]


def read_roster(data: bytes) -> Roster:
    """Read a roster.

    Raises:
        ValueError: it has no column for the hand-in or none for an id (lists those that there may be), or two rows
            for one hand-in (names the line).
    """
    sheet = read_sheet(data)
    header = [same_name(text) for text in sheet.values(0)]
    key = next((header.index(name) for name in _HANDIN if name in header), None)
    columns = {at: COLUMNS[name] for at, name in enumerate(header) if name in COLUMNS}
    if key is None or not columns:
        raise ValueError(
            f"a roster has a column called {' or '.join(_HANDIN)}, and one or more of {', '.join(COLUMNS)}; this one "
            f"has {', '.join(sheet.values(0))}"
        )
    ids: dict[str, dict[Kind, str]] = {}
    for row in range(1, len(sheet.rows)):
        handin = same_name(sheet.value(row, key))
        if handin in ids:
            raise ValueError(f"line {sheet.line(row)}: {sheet.value(row, key)} stands there twice")
        if handin:
            found = {kind: sheet.value(row, at).strip() for at, kind in columns.items()}
            ids[handin] = {kind: text for kind, text in found.items() if text}
    return Roster(ids=ids)


def with_roster(student: Student, roster: Roster) -> Student:
    """A student with the ids of the roster besides. What the hand-in is called is then no id of unknown kind."""
    found = roster.ids.get(same_name(student.handin))
    if found is None:
        return student
    known = student.kind or (Kind.HANDIN if found.keys() - {Kind.NAME} else None)
    return Student(handin=student.handin, kind=known, ids={**student.ids, **found})
