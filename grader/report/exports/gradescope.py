"""Gradescope's results.json (gradescope-autograders.readthedocs.io, "Autograder Specifications").

A test a part, every one visible: where a test is hidden until some date, students see no total before it. There is no
top-level max_score in the format; the points of the assignment are set in its outline, so a grade that leaves points
out is scaled to all of them. `score` is always given, and overrides the sum of the tests.
"""

from __future__ import annotations

import json

from grader.report.exports.grades import Undecided, exact, grade, rounded
from grader.report.exports.telling import overall, told
from grader.report.model import Report

__all__ = ["gradescope"]


def gradescope(report: Report, undecided: Undecided) -> bytes | None:
    """results.json, or None where the grade is held back: the format has no other word for that than no file."""
    given = grade(report.score, undecided)
    if given is None:
        return None
    whole = exact(report.score.possible)
    document = {
        "score": rounded(given.scaled(whole), whole),
        "execution_time": report.seconds,
        "output": overall(report, undecided),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "score": rounded(part.given, part.maximum),
                "max_score": rounded(part.maximum, part.maximum),
                "status": "passed" if part.verdict == "passed" else "failed",
                "name": part.name,
                "number": str(number),
                "output": part.text,
                "visibility": "visible",
            }
            for number, part in enumerate(told(report, undecided), 1)
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"
