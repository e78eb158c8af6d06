"""A line of a gradebook, whatever it is exported to, and what the export says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grader.report.exports.grades import Pointed
from grader.report.exports.students import Student

__all__ = ["Exported", "Line"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a student has."""

    student: Student
    points: Pointed
    parts: Mapping[str, Pointed]
    verdict: str
    faults: tuple[str, ...] = ()
    late: bool = False
    handed_in: str = ""
    """What the download called it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A table, and who is not in it."""

    data: bytes
    written: int
    """Grades that are in it."""
    held: tuple[str, ...] = ()
    """Students without a grade because points of theirs are open."""
    missing: tuple[str, ...] = ()
    """A sentence for each student who has a grade that could not be put there."""
    notes: tuple[str, ...] = ()
