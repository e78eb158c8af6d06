"""PrairieLearn's results.json (docs/externalGrading.md there): at most 1 MB, a score between 0 and 1.

Points are shown only if every test has both points and max_points. A grade that is held back is not gradable: nothing
is awarded or lost, and the attempt does not count.
"""

from __future__ import annotations

import json
from typing import Any, Final

from grader.report.exports.grades import Undecided, grade, rounded
from grader.report.exports.telling import ROOM, overall, shortened, told
from grader.report.model import Report

__all__ = ["LIMIT", "prairielearn"]

LIMIT: Final = 1_000_000
"""Bytes of the file."""
_LEAST: Final = 100


def prairielearn(report: Report, undecided: Undecided) -> bytes:
    """results.json. Long texts are cut, all at the same length, until it fits.

    Raises:
        ValueError: it does not fit, however short: thousands of parts.
    """
    room = ROOM
    while True:
        text = json.dumps(_document(report, undecided, room), ensure_ascii=False, allow_nan=False).encode() + b"\n"
        if len(text) <= LIMIT:
            return text
        if room < _LEAST:
            raise ValueError(f"{len(text)} bytes, and PrairieLearn takes {LIMIT}")
        room //= 2


def _document(report: Report, undecided: Undecided, room: int) -> dict[str, Any]:
    given = grade(report.score, undecided)
    said = overall(report, undecided, room)
    if given is None:
        return {"gradable": False, "message": said, "format_errors": [said]}
    return {
        "gradable": True,
        "score": given.share,
        "message": said,
        "output": shortened(report.submission.printed, room),
        "tests": [
            {
                "name": part.name,
                "description": part.verdict,
                "points": rounded(part.given, part.maximum),
                "max_points": rounded(part.maximum, part.maximum),
                "message": part.headline,
                "output": part.text,
            }
            for part in told(report, undecided, room)
        ],
    }
