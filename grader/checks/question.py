"""What a check is asked, and what it rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.assignment import Exercise
from grader.cases import Case
from grader.checks.asking import Student
from grader.findings import Curve, Finding, Status
from grader.numerics.comparison import Comparison
from grader.numerics.gradcheck import GradientCheck
from grader.reference import Oracle
from grader.settings import Setting

__all__ = ["Question", "Ruling"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """What a check is about, and whom it may ask."""

    exercise: Exercise
    case: Case
    part: str
    aspect: str
    student: Student
    oracle: Oracle
    hide_values: bool = False
    """A hidden case under a private seed: the student is told what is wrong, never with which numbers."""
    setting: Setting | None = None
    """In which further setting it is asked; None in the main one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ruling:
    """What a check found: its failing finding, if any, and the evidence."""

    failure: Finding | None = None
    credit: Fraction | None = None
    """Share that a failure leaves standing; none if not given."""
    status: Status | None = None
    comparisons: Sequence[tuple[str, Comparison]] = ()
    gradient: GradientCheck | None = None
    curve: Curve | None = None
    verdicts: tuple[bool, ...] = ()
    """What was answered where yes or no was asked, right or wrong."""
    warnings: Sequence[Finding] = ()
    """What is worth saying beside; costs nothing."""
