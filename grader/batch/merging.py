"""Several gradebooks of one class, the shards of a job array for instance, as one."""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import GradebookError
from grader.gradebook import Gradebook

__all__ = ["Merged", "merge"]

_SAME = ("assignment", "gradmark", "seed of the hidden cases")
_TAKEN_OVER = (*_SAME, "name", "manifest", "seed", "submissions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What came of it."""

    added: int
    """Attempts that were not there yet."""
    students: int
    twice: tuple[str, ...]
    """Students with a result in more than one of the gradebooks; the one recorded last counts."""


def merge(folders: Sequence[Path], out: Path) -> Merged:
    """Add everything that the gradebooks in these folders hold, in order of time, to that in `out`.

    Done twice, it adds nothing the second time.

    Raises:
        GradebookError: they were not graded with the same assignment, gradmark and seed; or one is not there.
        MachineError: there is no room left.
    """
    with contextlib.ExitStack() as held:
        books = {folder: held.enter_context(Gradebook(folder)) for folder in dict.fromkeys(folders)}
        first, *others = books
        for folder in others:
            for what in _SAME:
                if books[folder].about(what) != books[first].about(what):
                    raise GradebookError(f"{first} and {folder} were graded with another {what}: they can't be merged")
        merged = held.enter_context(Gradebook(out, write=True))
        about = {key: value for key in _TAKEN_OVER if (value := books[first].about(key)) is not None}
        for what in _SAME:
            if merged.about(what) not in (None, about.get(what)):
                raise GradebookError(f"{out} holds results with another {what}: merge into another folder")
        merged.note(about)
        added, seen, twice = 0, set[str](), set[str]()
        for book in books.values():
            students = {recorded.attempt.student for recorded in book.current()}
            twice |= students & seen
            seen |= students
        for recorded in heapq.merge(*(book.history() for book in books.values()), key=lambda item: item.recorded):
            added += merged.adopt(recorded)
        return Merged(added=added, students=len(seen), twice=tuple(sorted(twice)))
