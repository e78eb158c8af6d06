"""GitHub Classroom: what its reporter (classroom-resources/autograding-grading-reporter) reads from a step's output.

One line of base64, to be put behind `result=` in $GITHUB_OUTPUT. The reporter adds up the scores of the tests, fails
on a result without tests, divides by their number, and prints messages into the log, where a line that begins with `::`
would be a command.
"""

from __future__ import annotations

import base64
import json
from typing import Final

from grader.report.exports.grades import Undecided, grade, rounded
from grader.report.exports.telling import overall, shortened, told
from grader.report.model import Report

__all__ = ["OUTPUT", "github_classroom"]

OUTPUT: Final = 500
"""Letters of the output of one test."""
_STATUS: Final = {"passed": "pass", "failed": "fail", "undecided": "error", "pending": "error"}


def github_classroom(report: Report, undecided: Undecided) -> bytes | None:
    """The step's output, or None where the grade is held back: the format knows no result without points."""
    given = grade(report.score, undecided)
    if given is None:
        return None
    document = {
        "version": 1,
        "status": _STATUS[report.score.verdict],
        "max_score": rounded(given.maximum, given.maximum),
        "message": shortened(overall(report, undecided), OUTPUT),
        "tests": [
            {
                "name": part.name,
                "status": _STATUS[part.verdict],
                "score": rounded(part.given, part.maximum),
                "message": shortened(part.headline, OUTPUT),
                "output": shortened(part.text, OUTPUT),
                "test_code": "",
                "task_id": number,
                "filename": "",
                "line_no": 0,
                "duration": part.seconds,
            }
            for number, part in enumerate(told(report, undecided), 1)
        ],
    }
    return base64.b64encode(json.dumps(document, allow_nan=False).encode()) + b"\n"
