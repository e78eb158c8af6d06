"""What is told of a class: a table of scores for a spreadsheet, and a page of text."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Iterable

from grader.gradebook import Gradebook
from grader.report.console import points as written
from grader.report.exports.sheets import cell

__all__ = ["render_class", "scores_csv"]

MAX_LISTED = 20


def scores_csv(book: Gradebook) -> str:
    """The scores that count, a line a student in order of student, points by part behind the total.

    It holds nothing of when or where they were graded: two runs that agree on the points agree in every byte.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    header: list[str] = []
    for recorded in book.current():
        attempt, sealed = recorded.attempt, recorded.sealed
        if not header:
            header = ["student", "name", "earned", "possible", "undecided", "pending", "verdict", "fault"]
            header += ["late", "handin"]
            table.writerow([*header, *sealed.parts])
        points = sealed.points
        table.writerow(
            [
                cell(attempt.student),
                cell(attempt.name),
                *map(written, (points.earned, points.possible, points.undecided, points.pending)),
                sealed.verdict,
                " and ".join(sealed.faults),
                "late" if attempt.late else "",
                cell(attempt.handin),
                # Undecided is not the same as 0. What is pending may still come on top.
                *("" if part.undecided else written(part.earned) for part in sealed.parts.values()),
            ]
        )
    return text.getvalue()


def render_class(book: Gradebook, title: str) -> str:
    """The points of a class on a page: how many, how they lie, the parts by success, whose are undecided and why."""
    earned: list[float] = []
    full = possible = 0.0
    right: dict[str, int] = {}
    undecided: list[str] = []
    pending: list[str] = []
    for recorded in book.current():
        points = recorded.sealed.points
        earned.append(points.earned)
        full += points.full
        possible = max(possible, points.possible)
        for name, part in recorded.sealed.parts.items():
            right[name] = right.get(name, 0) + part.full
        if points.undecided:
            faults = f"the {' and the '.join(recorded.sealed.faults) or 'grading'} at fault"
            undecided.append(f"{recorded.attempt.student}: {points.undecided:g} points, {faults}")
        if points.pending:
            pending.append(f"{recorded.attempt.student}: {written(points.pending)} points")
    if not earned:
        return f"{title}: nothing is graded yet"
    width, digits = max(map(len, right)), len(str(len(earned)))
    return "\n".join(
        [
            f"{title}: {len(earned)} {'student' if len(earned) == 1 else 'students'}, "
            f"{full:g} with all {possible:g} points, {earned.count(0.0)} with none; "
            f"mean {statistics.fmean(earned):.1f}, median {statistics.median(earned):g}",
            *(f"  {name:<{width}}  {count:>{digits}} of {len(earned)} right" for name, count in right.items()),
            *_listed(f"  undecided  {len(undecided)}", undecided),
            *_listed(f"  pending  {len(pending)}", pending),
        ]
    )


def _listed(head: str, lines: Iterable[str]) -> list[str]:
    items = [f"    {line}" for line in lines]
    if len(items) > MAX_LISTED:
        items[MAX_LISTED:] = [f"    and {len(items) - MAX_LISTED} more"]
    return [head, *items] if items else []
