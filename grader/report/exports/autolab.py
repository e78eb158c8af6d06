"""Autolab (docs/lab.md, docs/features/formatted-feedback.md there): the output of an autograder.

Text for the student, then a line of JSON with the parts as tests, then, as the last line, the scores. The problems of
the assessment must be called as they are here: `exercise / part`.
"""

from __future__ import annotations

import json

from grader.report.exports.grades import Undecided, grade, rounded
from grader.report.exports.telling import overall, told
from grader.report.model import Report

__all__ = ["autolab"]

_STAGE = "Parts"


def autolab(report: Report, undecided: Undecided) -> bytes | None:
    """The output, or None where the grade is held back. Points that are left out are missing from a problem's score."""
    given = grade(report.score, undecided)
    if given is None:
        return None
    head, parts = overall(report, undecided), list(told(report, undecided))
    tests = {
        part.name: {"passed": part.verdict == "passed"} | ({"hint": part.headline} if part.headline else {})
        for part in parts
    }
    scores = {part.name: rounded(part.given, part.maximum) for part in parts}
    lines = [
        head,
        *(f"\n{part.name}\n{part.text}" for part in parts if part.text not in head),
        json.dumps({"_presentation": "semantic", "stages": [_STAGE], _STAGE: tests}, allow_nan=False),
        json.dumps({"scores": scores, "scoreboard": [rounded(given.given, given.maximum)]}, allow_nan=False),
    ]
    return "\n".join(lines).encode() + b"\n"
