"""What is told of a report in plain text: its parts with their points, and what is to be said of each, bounded."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from grader.report.console import (
    has_words,
    part_lines,
    pending_note,
    score_text,
    state,
    told_everywhere,
    wall_note,
)
from grader.report.exports.grades import Grade, Undecided, exact, grade, told_open
from grader.report.model import PartReport, Report
from grader.report.visible import visible, visible_lines

__all__ = ["ROOM", "Told", "overall", "shortened", "told"]

ROOM: Final = 65_536
"""Bytes of one text, unless a consumer takes less."""
_LINE: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One part, as a test of somebody else's format."""

    exercise: str
    part: str
    verdict: Literal["passed", "failed", "undecided", "pending"]
    given: Fraction
    maximum: Fraction
    headline: str
    """One line; empty where there is nothing to say."""
    text: str
    """All there is to say; hidden cases without their values."""
    seconds: float

    @property
    def name(self) -> str:
        """By which the part goes."""
        return f"{self.exercise} / {self.part}"


def told(report: Report, undecided: Undecided, room: int = ROOM) -> Iterator[Told]:
    """Every part, in order. No report is without any."""
    everything = told_everywhere(report)
    for exercise in report.exercises:
        for part in exercise.parts:
            if everything is not None:  # said once, of the whole
                text = everything.headline
            elif has_words(part):
                lines = part_lines(report.assignment.manifest, exercise.name, part, report.seeds.private)
                text = textwrap.dedent("\n".join(lines))
            else:
                text = ""
            ended = "" if part.verdict == "passed" else state(part)  # their formats say that it passed
            points = _points(part, undecided)
            yield Told(
                exercise=visible(exercise.name),
                part=visible(part.name),
                verdict=part.verdict,
                given=points.given,
                maximum=points.maximum,
                headline=shortened(text.partition("\n")[0] or ended, _LINE),
                text=shortened(text or ended, room),
                seconds=sum(check.seconds for check in part.checks),
            )


def _points(part: PartReport, undecided: Undecided) -> Grade:
    """Of a part: where nothing of it counts it is worth nothing; where the whole is held back it shows what it has."""
    open_ = Undecided.ZERO if undecided is Undecided.HOLD else undecided
    return grade(part, open_) or Grade(given=exact(part.earned), maximum=exact(part.earned))


def overall(report: Report, undecided: Undecided, room: int = ROOM) -> str:
    """What is to be said of the whole: the points, what of them is open, why nothing could be graded, notes."""
    everything = told_everywhere(report)
    said = "" if everything is None else f"{everything.headline}\n{everything.detail}".strip("\n")
    notes = [*report.submission.notes, pending_note(report), wall_note(report)]
    blocks = [
        score_text(report.score),
        told_open(report.score, undecided),
        said,
        *(f"note: {note}" for note in notes if note and note not in said),
    ]
    return shortened("\n".join(filter(None, blocks)), room)


def shortened(text: str, room: int) -> str:
    """A text that anybody may read, in at most so many bytes (UTF-8); what is cut is counted in its last words."""
    shown = visible_lines(text[: room + 1])  # no letter takes less than a byte
    if len(text) <= room and len(shown.encode()) <= room:
        return shown
    note = f"{chr(10) if chr(10) in text else ' '}... ({len(text)} letters in all; the JSON report has them)"
    return shown.encode()[: max(0, room - len(note))].decode(errors="ignore") + note
