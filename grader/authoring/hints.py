"""What the corpus's wrong submissions are told: `python -m grader.authoring.hints TOPIC [NAME ...] [--all]`.

For the author of a catalogue of slips (grader.slips). A line for each part that fails with wrong numbers and is told no
cause: submission, part, what it looks like. With --all those too whose cause is told, with it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from grader.authoring.corpus import Slip, compose, parts_of, read_slips
from grader.calls import Rung
from grader.errors import CourseError
from grader.findings import FindingCode
from grader.grading import grade_path
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.report.model import FindingReport, Report
from grader.sandbox.pool import Sandbox
from grader.topics import find_manifest

__all__ = ["main", "told"]

NUMBERS = {
    code.name
    for code in (
        FindingCode.WRONG_VALUE,
        FindingCode.WRONG_GRADIENT,
        FindingCode.WRONG_TRAJECTORY,
        FindingCode.NOT_FINITE,
        FindingCode.NOT_LEARNED,
        FindingCode.NOT_LINEAR_IN_UPSTREAM,
    )
}
"""Findings whose headline doesn't say what was done wrong."""


def told(report: Report) -> Iterator[tuple[str, FindingReport]]:
    """(exercise/part, first finding) of each part that fails."""
    for exercise, part in parts_of(report):
        findings = [found for check in part.checks for found in check.findings if not found.warning]
        if findings:
            yield f"{exercise.name}/{part.name}", findings[0]


def main(arguments: Sequence[str]) -> None:
    """Grade the wrong submissions of a topic and print the lines."""
    topic, *names = (argument for argument in arguments if not argument.startswith("-"))
    wanted = [one for one in read_slips(topic) if one.fails and (not names or any(fnmatch(one.name, n) for n in names))]
    if not wanted:
        raise CourseError(f"the corpus has no wrong submissions of {topic} named so")
    assignment = load_assignment(find_manifest(topic))
    oracle = Oracle(assignment)
    named = without = 0
    with Sandbox(assignment.profile, require=Rung.NONE) as sandbox, tempfile.TemporaryDirectory() as folder:
        for one in wanted:
            report = grade_path(assignment, compose(one, assignment, Path(folder)), oracle=oracle, sandbox=sandbox)
            for part, found in told(report):
                silent = not found.likely and found.code in NUMBERS
                named, without = named + (not silent), without + silent
                if silent or "--all" in arguments:
                    print(_line(one, part, found))
    print(f"{topic}: {without} of {named + without} parts that fail are told no cause")


def _line(slip: Slip, part: str, found: FindingReport) -> str:
    cause = f"\n    {found.likely}" if found.likely else ""
    return f"{slip.name}  {part}  {found.code} {found.diagnosis}\n    {found.pattern or found.headline}{cause}"


if __name__ == "__main__":
    main(sys.argv[1:])
