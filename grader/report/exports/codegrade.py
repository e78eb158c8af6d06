"""CodeGrade: the points of a custom test, to be written to file descriptor 3: a fraction of two integers."""

from __future__ import annotations

import json
import math

from grader.report.exports.grades import Undecided, grade
from grader.report.model import Report

__all__ = ["codegrade"]


def codegrade(report: Report, undecided: Undecided) -> bytes | None:
    """`{"tag": "points", "points": "3/5"}`, or None where the grade is held back. 2.5 of 9 is 25/90, not reduced."""
    given = grade(report.score, undecided)
    if given is None:
        return None
    scale = _power_of_ten(math.lcm(given.given.denominator, given.maximum.denominator))
    earned, possible = given.given * scale, max(given.maximum * scale, 1)  # nothing of nothing is 0/1
    return json.dumps({"tag": "points", "points": f"{earned}/{possible}"}).encode() + b"\n"


def _power_of_ten(denominator: int) -> int:
    """The least that makes whole numbers of decimals."""
    scale = 1
    while scale % denominator:
        scale *= 10
    return scale
