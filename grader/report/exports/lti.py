"""LTI Assignment and Grade Services 2.0: the body of a score (application/vnd.ims.lis.v1.score+json).

A platform ignores a score whose timestamp is older than the one it has, so the time is that at which the result began
to count, not that of the grading: after a regrade an earlier report may count again.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from grader.report.exports.grades import Undecided, grade, rounded
from grader.report.exports.telling import overall, shortened, told
from grader.report.model import Report

__all__ = ["lti_ags"]

_COMMENT: Final = 2_000


def lti_ags(report: Report, undecided: Undecided, user: str, when: str) -> bytes:
    """The body. Where the grade is held back it carries none, and says who is to do something.

    Args:
        report: what is told.
        undecided: what becomes of open points.
        user: the LTI user id.
        when: since when the result counts, ISO 8601 with an offset.

    Raises:
        ValueError: `when` is none.
    """
    given = grade(report.score, undecided)
    body: dict[str, Any] = {
        "userId": user,
        "activityProgress": "Completed" if given else "Submitted",
        # Undecided points want somebody who mends the course; pending ones only another machine.
        "gradingProgress": "FullyGraded" if given else "PendingManual" if report.score.undecided else "Pending",
        "timestamp": _milliseconds(when),
        "comment": shortened(_comment(report, undecided), _COMMENT),
    }
    if given:
        body["scoreGiven"] = rounded(given.given, given.maximum)
        body["scoreMaximum"] = rounded(given.maximum, given.maximum)
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _milliseconds(when: str) -> str:
    try:
        moment = datetime.fromisoformat(when)
    except ValueError:
        raise ValueError(f"started: {when!r} is no point in time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="milliseconds")


def _comment(report: Report, undecided: Undecided) -> str:
    """What a student reads beside the score: the whole, then the parts that want a word, a line each."""
    head = overall(report, undecided)
    words = [f"{part.name}: {part.headline}" for part in told(report, undecided) if part.headline not in head]
    return "\n".join([head, *words])
