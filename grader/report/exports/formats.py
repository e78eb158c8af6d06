"""Every format there is, and which file writes it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

from grader.report.exports.autolab import autolab
from grader.report.exports.canvas import canvas, fill_canvas
from grader.report.exports.classes import Exported, Line
from grader.report.exports.codegrade import codegrade
from grader.report.exports.github import github_classroom
from grader.report.exports.grades import Undecided
from grader.report.exports.gradescope import gradescope
from grader.report.exports.junit import junit
from grader.report.exports.lti import lti_ags
from grader.report.exports.moodle import fill_moodle, moodle
from grader.report.exports.prairielearn import prairielearn
from grader.report.exports.spreadsheet import spreadsheet
from grader.report.markdown import render_markdown
from grader.report.model import AssignmentInfo, Report

__all__ = [
    "ClassFormat",
    "ReportFormat",
    "default_undecided",
    "export_class",
    "export_report",
    "filled_class",
    "suffix",
]


class ClassFormat(StrEnum):
    """A table with a line a student."""

    CSV = "csv"
    CANVAS = "canvas"
    MOODLE = "moodle"


class ReportFormat(StrEnum):
    """One report, whole."""

    GRADESCOPE = "gradescope"
    PRAIRIELEARN = "prairielearn"
    GITHUB = "github-classroom"
    CODEGRADE = "codegrade"
    AUTOLAB = "autolab"
    JUNIT = "junit"
    MARKDOWN = "markdown"
    LTI = "lti-ags"


def default_undecided(form: ClassFormat | ReportFormat) -> Undecided:
    """What becomes of open points where nobody says.

    Where a grade is recorded it is held back: a zero that is mended later has been seen. What an autograder or a step
    in CI writes must hold a score, as it may not be there without one, and says what of it is open.
    """
    match form:
        case ClassFormat.CSV | ClassFormat.CANVAS | ClassFormat.MOODLE | ReportFormat.LTI | ReportFormat.PRAIRIELEARN:
            return Undecided.HOLD
        case (
            ReportFormat.GRADESCOPE
            | ReportFormat.GITHUB
            | ReportFormat.CODEGRADE
            | ReportFormat.AUTOLAB
            | ReportFormat.JUNIT
            | ReportFormat.MARKDOWN
        ):
            return Undecided.ZERO
        case _:
            assert_never(form)


def suffix(form: ReportFormat) -> str:
    """Of a student's file."""
    match form:
        case ReportFormat.GRADESCOPE | ReportFormat.PRAIRIELEARN | ReportFormat.CODEGRADE | ReportFormat.LTI:
            return ".json"
        case ReportFormat.GITHUB | ReportFormat.AUTOLAB:
            return ".txt"
        case ReportFormat.JUNIT:
            return ".xml"
        case ReportFormat.MARKDOWN:
            return ".md"
        case _:
            assert_never(form)


def export_report(form: ReportFormat, report: Report, undecided: Undecided, *, user: str, when: str) -> bytes | None:
    """One report. None where its grade is held back and the format has no way to say so.

    Args:
        form: the format.
        report: what is told.
        undecided: what becomes of open points.
        user: the student's id where the report goes, if the format names one.
        when: since when the result counts.

    Raises:
        ValueError: it can't be written so; says why.
    """
    match form:
        case ReportFormat.GRADESCOPE:
            return gradescope(report, undecided)
        case ReportFormat.PRAIRIELEARN:
            return prairielearn(report, undecided)
        case ReportFormat.GITHUB:
            return github_classroom(report, undecided)
        case ReportFormat.CODEGRADE:
            return codegrade(report, undecided)
        case ReportFormat.AUTOLAB:
            return autolab(report, undecided)
        case ReportFormat.JUNIT:
            return junit(report, undecided)
        case ReportFormat.MARKDOWN:
            return render_markdown(report).encode()
        case ReportFormat.LTI:
            return lti_ags(report, undecided, user, when)
        case _:
            assert_never(form)


def export_class(
    form: ClassFormat, lines: Sequence[Line], undecided: Undecided, assignment: AssignmentInfo
) -> Exported:
    """A table of the class."""
    match form:
        case ClassFormat.CSV:
            return spreadsheet(lines, undecided)
        case ClassFormat.CANVAS:
            return canvas(lines, assignment.title, undecided)
        case ClassFormat.MOODLE:
            return moodle(lines, assignment.title, undecided)
        case _:
            assert_never(form)


def filled_class(
    form: ClassFormat,
    into: bytes,
    lines: Sequence[Line],
    undecided: Undecided,
    assignment: AssignmentInfo,
    *,
    column: str,
    scale: bool,
) -> Exported:
    """The instructor's own table, filled.

    Raises:
        ValueError: it is not such a table, or grades don't fit into it; says why.
    """
    match form:
        case ClassFormat.CANVAS:
            titles = list(dict.fromkeys([assignment.title, assignment.name]))
            return fill_canvas(into, lines, undecided, titles=titles, column=column, scale=scale)
        case ClassFormat.MOODLE:
            return fill_moodle(into, lines, undecided, column=column, scale=scale)
        case ClassFormat.CSV:
            raise ValueError("csv is made anew, and fills no table")
        case _:
            assert_never(form)
