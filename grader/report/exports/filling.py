"""Fill one column of somebody else's table with the grades of a class, and say of whom it could not be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.report.console import points as written
from grader.report.exports.classes import Exported, Line
from grader.report.exports.grades import Undecided, exact, grade, rounded
from grader.report.exports.sheets import Sheet, filled
from grader.report.exports.students import Kind, match

__all__ = ["Column", "fill"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What is filled."""

    number: int
    name: str
    rows: Sequence[int]
    """Those of students."""
    ids: Sequence[dict[Kind, str]]
    """What each of these rows says about its student."""
    possible: Sequence[Fraction | None]
    """Points possible, for each of these rows, where the table says."""
    kept: frozenset[str] = frozenset()
    """What a cell that is never written over holds, in lower case."""
    places: int = 2


def fill(sheet: Sheet, lines: Sequence[Line], undecided: Undecided, column: Column, *, scale: bool) -> Exported:
    """Write each student's grade into their row. All else stays as it is, byte for byte.

    Raises:
        ValueError: other points are possible there, and `scale` is not given.
    """
    matches = match((line.student for line in lines), column.ids)
    unmatched = set(matches.unmatched)
    cells: dict[tuple[int, int], str] = {}
    held, missing, excused = [], [], 0
    for line in lines:
        handin, given = line.student.handin, grade(line.points, undecided)
        if handin in matches.ambiguous:
            rows = [sheet.line(column.rows[at]) for at in matches.ambiguous[handin]]
            missing.append(_ambiguous(handin, rows))
        elif handin in unmatched:
            missing.append(f"{handin}: no row has this id or name")
        elif given is None:
            held.append(handin)
        else:
            at = matches.found[handin]
            row = column.rows[at]
            whole = _whole(exact(line.points.possible), column.possible[at], column.name, scale)
            if len(sheet.rows[row]) <= column.number:
                missing.append(f"{handin}: line {sheet.line(row)} ends before the column {column.name}")
            elif sheet.value(row, column.number).strip().casefold() in column.kept:
                excused += 1
            else:
                score = rounded(given.scaled(whole), whole, column.places)
                cells[row, column.number] = written(score)
    others = len(column.rows) - len(matches.found) - len({at for many in matches.ambiguous.values() for at in many})
    notes = [
        f"{excused} excused (EX) stay so" if excused else "",
        f"{others} {'row is' if others == 1 else 'rows are'} of nobody who handed in, and stay{'s' * (others == 1)}"
        if others > 0
        else "",
    ]
    return Exported(
        data=filled(sheet, cells),
        written=len(cells),
        held=tuple(held),
        missing=tuple(missing),
        notes=tuple(filter(None, notes)),
    )


def _ambiguous(handin: str, rows: Sequence[int]) -> str:
    if len(rows) == 1:
        return f"{handin}: line {rows[0]} fits another hand-in as well"
    return f"{handin}: lines {', '.join(map(str, rows))} all fit"


def _whole(possible: Fraction, there: Fraction | None, column: str, scale: bool) -> Fraction:
    """Of how many points a grade is written."""
    if there is None or there == possible:
        return possible
    if scale:
        return there
    raise ValueError(
        f"{written(float(possible))} points are possible in the assignment and {written(float(there))} in the column "
        f"{column}: make them equal, or convert with --scale"
    )
