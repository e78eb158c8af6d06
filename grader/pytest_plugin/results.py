"""A judged part on its way from the test that judged it to whoever counts the points.

It travels as the attribute `gradmark` of the test's report, in nothing but what JSON can hold, for pytest-xdist sends
the report from another process. The failure's message is an object of our own on the report, so that pytest's short
summary shows the finding's headline; as the message arrives from a worker as plain text, it is made anew there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import pytest

if TYPE_CHECKING:
    from grader.assignment import Assignment, Exercise, Part
    from grader.findings import Check
    from grader.report.model import SubmissionInfo

__all__ = ["Graded", "attach", "attached", "graded_part", "retell"]


class Graded(TypedDict):
    """What a test's report carries."""

    manifest: str
    exercise: str
    part: dict[str, Any]
    """A PartReport."""
    submission: dict[str, Any]
    """A SubmissionInfo."""
    text: str
    """The message; empty if there is nothing to say."""
    headline: str
    """The first finding's."""
    selected: list[str]
    """Manifests that this run has parts of, in order, also those it may never come to."""


def graded_part(
    assignment: Assignment,
    exercise: Exercise,
    part: Part,
    checks: Sequence[Check],
    *,
    submission: SubmissionInfo,
    private: bool,
    start: Path,
    selected: Iterable[str],
) -> Graded:
    """A part as plain data.

    Args:
        assignment: which the part belongs to.
        exercise: of the part.
        part: what was judged.
        checks: its checks.
        submission: whose work it is.
        private: whether the hidden cases have a private seed.
        start: folder that pytest was started in, which the line to run it again is for.
        selected: manifests that this run has parts of.
    """
    import msgspec

    from grader.report.build import part_report
    from grader.report.console import has_words, render_part
    from grader.report.feedback import part_for_student

    report = part_for_student(part_report(checks, exercise, part.name, private=private), exercise.feedback)
    findings = [finding for check in report.checks for finding in check.findings]
    text = ""
    if has_words(report):
        text = render_part(assignment.name, _shown(assignment.manifest, start), exercise.name, report, private)
    graded: Graded = _writable(
        Graded(
            manifest=str(assignment.manifest),
            exercise=exercise.name,
            part=msgspec.to_builtins(report),
            submission=msgspec.to_builtins(submission),
            text=text,
            headline=findings[0].headline if findings else "",
            selected=list(selected),
        )
    )
    return graded


def _writable(value: Any) -> Any:
    """With text that can be written down: a student's may hold half a surrogate pair, which no encoding takes."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [_writable(item) for item in value]
        case dict():
            return {key: _writable(item) for key, item in value.items()}
        case _:
            return value


def _shown(path: Path, start: Path) -> str:
    """The path as one would type it there."""
    try:
        return Path(os.path.relpath(path, start)).as_posix()
    except ValueError:  # on another drive
        return path.as_posix()


def attach(report: pytest.TestReport, graded: Graded) -> None:
    """Put a part on its test's report; what a part that passed has to say becomes a section of it."""
    report.__dict__["gradmark"] = graded
    if report.passed and graded["text"]:
        report.sections.append(("gradmark", graded["text"]))
    retell(report)


def attached(report: pytest.TestReport) -> Graded | None:
    """The part on a report, if it is one of ours."""
    return report.__dict__.get("gradmark")


def retell(report: pytest.TestReport) -> None:
    """Make the message of a failed part one that the short summary can quote."""
    graded = attached(report)
    if graded is not None and report.failed and report.longrepr == graded["text"]:
        path, line, _ = report.location
        crash = _Crash(path=path, lineno=(line or 0) + 1, message=graded["headline"])
        report.longrepr = _Told(text=graded["text"], reprcrash=crash)  # type: ignore[assignment]  # duck-typed there


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crash:
    """A failure in the short summary and in --tb=line."""

    path: str
    lineno: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.lineno}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """A failure as pytest prints it: the part's message, to the letter."""

    text: str
    reprcrash: _Crash

    def __str__(self) -> str:
        return self.text

    def toterminal(self, writer: Any) -> None:
        for line in self.text.splitlines():
            writer.line(line)
