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
