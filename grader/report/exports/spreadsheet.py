"""CSV for a spreadsheet: everybody, with everything."""

from __future__ import annotations

from collections.abc import Iterable

from grader.report.exports.classes import Exported, Line
from grader.report.exports.grades import Undecided, exact, grade, rounded
from grader.report.exports.sheets import table
from grader.report.exports.students import Kind

__all__ = ["spreadsheet"]

_IDS = (Kind.CANVAS, Kind.SIS, Kind.LOGIN, Kind.EMAIL, Kind.NUMBER, Kind.PARTICIPANT, Kind.LTI)


def spreadsheet(lines: Iterable[Line], undecided: Undecided) -> Exported:
    """A row a student, also for those whose grade is held back: then their score is empty, and what is open stands
    beside it. Behind it their points by part. Only ids that somebody has get a column.
    """
    lines = list(lines)
    kinds = [kind for kind in _IDS if any(line.student.ids.get(kind) for line in lines)]
    parts = list(dict.fromkeys(part for line in lines for part in line.parts))
    rows: list[list[str | float]] = [
        [
            *("student", "name", *(kind.value for kind in kinds), "score", "maximum"),
            *("earned", "undecided", "pending", "possible", "verdict", "fault", "late", "handin", *parts),
        ]
    ]
    held = []
    for line in lines:
        given, points = grade(line.points, undecided), line.points
        if given is None:
            held.append(line.student.handin)
        score = (rounded(given.given, given.maximum), rounded(given.maximum, given.maximum)) if given else ("", "")
        rows.append(
            [
                *(line.student.handin, line.student.known(Kind.NAME)),
                *(line.student.ids.get(kind, "") for kind in kinds),
                *(*score, points.earned, points.undecided, points.pending, points.possible),
                *(line.verdict, " and ".join(line.faults), "late" if line.late else "", line.handed_in),
                *(_part(line, part, undecided) for part in parts),
            ]
        )
    return Exported(data=table(rows).encode(), written=len(lines) - len(held), held=tuple(held))


def _part(line: Line, part: str, undecided: Undecided) -> str | float:
    """Points of a part; nothing where they are not known yet, which is not the same as 0."""
    points = line.parts.get(part)
    given = None if points is None else grade(points, undecided)
    return "" if given is None else rounded(given.given, exact(points.possible) if points else given.maximum)
