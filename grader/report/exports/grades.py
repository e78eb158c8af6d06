"""Points as a grade: exact, and with a declared answer to "what of the points that nobody decided?"."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Protocol, assert_never

from grader.report.console import points as written

__all__ = ["Grade", "Pointed", "Undecided", "exact", "grade", "open_points", "rounded", "told_open"]


class Undecided(StrEnum):
    """What becomes of points that are undecided (the course or a machine is at fault) or pending (no GPU here)."""

    ZERO = "zero"
    """They count as not earned."""
    EXCLUDE = "exclude"
    """They are left out, as if the assignment had been without them."""
    HOLD = "hold"
    """Whoever has any gets no grade yet."""


class Pointed(Protocol):
    """Whatever has points: a report's score, a part of it, a line of a gradebook."""

    @property
    def earned(self) -> float: ...
    @property
    def possible(self) -> float: ...
    @property
    def undecided(self) -> float: ...
    @property
    def pending(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What was earned of what counts."""

    given: Fraction
    maximum: Fraction

    def __post_init__(self) -> None:
        if not 0 <= self.given <= self.maximum:
            raise ValueError(f"{self.given} of {self.maximum} points")

    @property
    def share(self) -> float:
        """Between 0 and 1; 1 only with every point, 0 only with none."""
        return rounded(self.scaled(Fraction(1)), Fraction(1), places=12)

    def scaled(self, whole: Fraction) -> Fraction:
        """The same share of another maximum."""
        return self.given * whole / self.maximum if self.maximum else Fraction(0)


def grade(points: Pointed, undecided: Undecided) -> Grade | None:
    """The grade, or None if it is held back. Where every point is open there is none but zero or held."""
    earned, possible, waiting = exact(points.earned), exact(points.possible), open_points(points)
    if not waiting:
        return Grade(given=earned, maximum=possible)
    match undecided:
        case Undecided.ZERO:
            return Grade(given=earned, maximum=possible)
        case Undecided.EXCLUDE:
            return Grade(given=earned, maximum=possible - waiting) if possible > waiting else None
        case Undecided.HOLD:
            return None
        case _:
            assert_never(undecided)


def open_points(points: Pointed) -> Fraction:
    """Points neither earned nor lost."""
    return exact(points.undecided) + exact(points.pending)


def told_open(points: Pointed, undecided: Undecided) -> str:
    """`2 points are undecided and 1 is pending: they count as 0 here`; empty where all is decided."""
    told = [
        f"{written(value)} {'point' if value == 1 else 'points'} {state}"
        for value, state in ((points.undecided, "undecided"), (points.pending, "pending"))
        if value
    ]
    if not told:
        return ""
    match undecided:
        case Undecided.ZERO:
            effect = "counted as 0 for now"
        case Undecided.EXCLUDE:
            effect = "left out"
        case Undecided.HOLD:
            effect = "there is no grade yet"
        case _:
            assert_never(undecided)
    return f"{' and '.join(told)}: {effect}"


def exact(points: float) -> Fraction:
    """Points as they are written: 0.1 + 0.2 is 0.3."""
    return Fraction(str(points))


def rounded(points: Fraction, whole: Fraction, places: int = 6) -> float:
    """A number for somebody's file. Never rounded up to the whole, nor down to none."""
    step = Fraction(1, 10**places)
    value = round(points / step) * step
    if value >= whole > points:
        value = math.floor(points / step) * step
    if value <= 0 < points:
        value = math.ceil(points / step) * step
    return float(value)
