"""What can be graded: the topics that came with gradmark, and the exercises of one, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from grader.assignment import Exercise
from grader.manifest import load_assignment
from grader.report.console import points
from grader.topics import assignment_names, find_manifest

__all__ = ["ListedExercise", "ListedTopic", "as_json", "as_text", "exercises", "topics"]


class ListedTopic(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the table of topics."""

    name: str
    title: str
    exercises: int
    points: float
    arrays: str
    """What the students' arrays are: numpy or torch."""


class ListedExercise(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the table of a topic's exercises."""

    name: str
    kind: str
    points: float
    asks_for: list[str]
    """The student's functions and classes."""


def topics() -> list[ListedTopic]:
    """All topics, by name.

    Raises:
        CourseError: a manifest is broken.
    """
    return [
        ListedTopic(
            name=name,
            title=assignment.title,
            exercises=len(assignment.exercises),
            points=float(assignment.points),
            arrays=assignment.profile.value,
        )
        for name in assignment_names()
        for assignment in [load_assignment(find_manifest(name))]
    ]


def exercises(manifest: Path) -> list[ListedExercise]:
    """The exercises of one assignment, in its order.

    Raises:
        CourseError: the manifest is broken.
    """
    return [_listed(exercise) for exercise in load_assignment(manifest).exercises]


def _listed(exercise: Exercise) -> ListedExercise:
    return ListedExercise(
        name=exercise.name,
        kind=exercise.kind.value,
        points=float(sum(part.points for part in exercise.parts)),
        asks_for=list(exercise.writes),
    )


def as_json(listed: Sequence[ListedTopic] | Sequence[ListedExercise]) -> bytes:
    """One JSON document."""
    return msgspec.json.format(msgspec.json.encode(listed), indent=2) + b"\n"


def as_text(listed: Sequence[ListedTopic] | Sequence[ListedExercise]) -> str:
    """A line each, in columns."""
    rows = [_cells(item) for item in listed]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _cells(item: ListedTopic | ListedExercise) -> tuple[str, ...]:
    match item:
        case ListedTopic():
            count = f"{item.exercises} exercise{'s' if item.exercises != 1 else ''}"
            return item.name, f"{points(item.points)} points", count, item.title
        case ListedExercise():
            return item.name, item.kind, f"{points(item.points)} points", ", ".join(item.asks_for)
