"""Placeholder until the intake lands."""

from __future__ import annotations
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Handin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handin:
    student: str
    name: str
    where: str
    late: bool
    notes: tuple[str, ...]
    path: Path

    @contextlib.contextmanager
    def opened(self) -> Iterator[Path]:
        yield self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    where: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    handins: tuple[Handin, ...]
    left_out: tuple[LeftOut, ...] = ()
    layout: str = "a folder"


def read_class(path: Path) -> Class:
    return Class(
        handins=tuple(
            Handin(student=p.stem, name="", where=p.name, late=False, notes=(), path=p) for p in sorted(path.iterdir())
        )
    )
