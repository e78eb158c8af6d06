"""Who is who: the students of a run, and the lines of somebody else's table. Never guessed.

A hand-in from a platform's download is called by an id whose kind is known: the user in Canvas, the participant in
Moodle. One in a plain folder is called as somebody called it, which may be an id of any kind. A roster adds ids.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

__all__ = ["Kind", "Matches", "Student", "match", "same_name"]


class Kind(Enum):
    """Kinds of ids and names; the value is what messages and a roster's header call it."""

    CANVAS = "Canvas ID"
    SIS = "SIS User ID"
    LOGIN = "SIS Login ID"
    EMAIL = "Email address"
    NUMBER = "ID number"
    PARTICIPANT = "Participant"
    LTI = "LTI user ID"
    NAME = "Name"
    HANDIN = "the name of a hand-in"
    """No id of anybody's: no column holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """One who handed in."""

    handin: str
    """By which the gradebook keeps the results."""
    kind: Kind | None = None
    """What that is, if the download told."""
    ids: Mapping[Kind, str] = field(default_factory=dict)
    """What else is known, the name included."""

    def known(self, kind: Kind) -> str:
        """An id of a kind, or nothing."""
        return self.ids.get(kind) or (self.handin if self.kind is kind else "")

    @property
    def name(self) -> str:
        """To show."""
        return self.known(Kind.NAME) or self.handin


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Which line is whose."""

    found: Mapping[str, int]
    """Number of the line, by hand-in."""
    unmatched: tuple[str, ...]
    """Hand-ins that no line is for."""
    ambiguous: Mapping[str, tuple[int, ...]]
    """Lines among which nothing decides, by hand-in; one line alone if several hand-ins fit it."""


def match(students: Iterable[Student], lines: Sequence[Mapping[Kind, str]]) -> Matches:
    """Find each student's line: by ids, and only where none fits by name.

    Every id of a student must lead to the same line, or the student is ambiguous; a hand-in of unknown kind is looked
    for among all ids. Two students for whom one line fits are ambiguous, both.

    Args:
        students: of the run.
        lines: what each says about its student.
    """
    index: dict[Kind, dict[str, list[int]]] = {}
    for number, line in enumerate(lines):
        for kind, text in line.items():
            for key in _keys(kind, text):
                index.setdefault(kind, {}).setdefault(key, []).append(number)
    found: dict[str, int] = {}
    unmatched: list[str] = []
    ambiguous: dict[str, tuple[int, ...]] = {}
    holders: dict[int, list[str]] = {}
    for student in students:
        hits = _by_ids(student, index) or _by_name(student, index)
        match sorted(hits):
            case []:
                unmatched.append(student.handin)
            case [line_number]:
                found[student.handin] = line_number
                holders.setdefault(line_number, []).append(student.handin)
            case several:
                ambiguous[student.handin] = tuple(several)
    for line_number, several_students in holders.items():
        if len(several_students) > 1:
            ambiguous |= dict.fromkeys(several_students, (line_number,))
    return Matches(
        found={handin: number for handin, number in found.items() if handin not in ambiguous},
        unmatched=tuple(unmatched),
        ambiguous=ambiguous,
    )


_Index = Mapping[Kind, Mapping[str, list[int]]]


def _by_ids(student: Student, index: _Index) -> set[int]:
    hits: set[int] = set()
    for kind, keys in index.items():
        if kind is Kind.NAME:
            continue
        texts = [student.known(kind)] + ([student.handin] if student.kind is None else [])
        hits.update(number for text in texts for key in _keys(kind, text) for number in keys.get(key, ()))
    return hits


def _by_name(student: Student, index: _Index) -> set[int]:
    names = index.get(Kind.NAME, {})
    texts = [student.known(Kind.NAME), student.handin if student.kind is None else ""]
    return {number for text in texts for key in _keys(Kind.NAME, text) for number in names.get(key, ())}


def _keys(kind: Kind, text: str) -> set[str]:
    """What a text is compared by; nothing, not even the same nothing, if it is blank."""
    text = same_name(text)
    if not text:
        return set()
    if kind is not Kind.NAME or text.count(",") != 1:
        return {text}
    surname, _, first = text.partition(",")  # "Lovelace, Ada" is "Ada Lovelace"
    return {f"{first.strip()} {surname.strip()}"}


def same_name(text: str) -> str:
    """A text without what never tells two students apart: capitals, the width of spaces, how an accent is encoded."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
