"""How much of a report a student is told. Pure: a Report in, a Report out.

A report holds the whole truth, for the course. `for_student` makes of it what the manifest's `feedback` lets a student
see; every door for students (grader grade, pytest, the pages made from them) renders and writes that and nothing else,
so neither a text nor the JSON beside it says more. A class's gradebook keeps the whole, and `grader show` can print
either. Points, verdicts and faults are the same at every level, and so is what is told before any check is made: that
a file does not load, or a function is not there.

    full      everything
    hint      no worst element, value, number of elements, example, probe or curve; the pattern only by its kind
    verdict   of each check how it ended, in a word; no cause, no shapes, no seed, no warnings
"""

from __future__ import annotations

from typing import Final, assert_never

from msgspec.structs import replace

from grader.assignment import Feedback
from grader.numerics.diagnosis import DiagnosisCode
from grader.report.model import CheckReport, ComparisonReport, FindingReport, GradientReport, PartReport, Report

__all__ = ["for_student", "part_for_student"]

_OF_NO_CHECK: Final = (
    "NOT_WRITTEN",
    "MISSING_FUNCTION",
    "DOES_NOT_LOAD",
    "SUBMISSION_UNREADABLE",
    "FAILS_ALREADY",
    "PENDING",
)
"""Why no check was made: it says nothing of any."""
_KEPT: Final = {
    "WRONG_VALUE": 1,
    "NOT_FINITE": 1,
    "WRONG_GRADIENT": 1,
    "WRONG_DERIVATIVE": 1,
    "NUMERICAL_DERIVATIVE": 1,
    "CHECKS_ITSELF": 1,
    "WRONG_RATE": 1,
    "SHARED_MASK": 1,
    "WRONG_TRAJECTORY": 2,
    "NOT_LEARNED": 1,
    "ORACLES_DISAGREE": 2,
    "INCONCLUSIVE": 2,
}
"""Codes whose headline ends in numbers: how many of its parts, between colons, are said without them."""
_OF_THEIR_OWN_CODE: Final = ("RAISED", "KILLED", "MALFORMED", "OUT_OF_MEMORY", "TIMED_OUT", "TIME_USED_UP")
"""Their detail is what the student's own code did: a traceback."""
_ENDED: Final = {
    "RAISED": "raised an exception",
    "TIMED_OUT": "timed out",
    "TIME_USED_UP": "timed out",
    "KILLED": "ended its process",
    "OUT_OF_MEMORY": "ran out of memory",
    "NOT_RUN": "not run",
}


def for_student(report: Report, at_most: Feedback = Feedback.FULL) -> Report:
    """What a student may see of a report: per exercise as its manifest says, and at most this much."""
    exercises = [
        replace(
            exercise,
            parts=[part_for_student(part, exercise.feedback.at_most(at_most)) for part in exercise.parts],
            feedback=exercise.feedback.at_most(at_most),
        )
        for exercise in report.exercises
    ]
    submission = report.submission
    if any(exercise.feedback is Feedback.VERDICT for exercise in exercises):
        submission = replace(submission, printed="")  # it could be the arrays of a check
    return replace(report, exercises=exercises, submission=submission, audience="student")


def part_for_student(part: PartReport, level: Feedback) -> PartReport:
    """What a student may see of one part."""
    match level:
        case Feedback.FULL:
            return part
        case Feedback.HINT:
            return replace(part, checks=[_hinted(check) for check in part.checks])
        case Feedback.VERDICT:
            return replace(part, checks=[_ended(check) for check in part.checks])
        case _:
            assert_never(level)


# ------------------------------------------------------------------------------------------------------------- hint


def _hinted(check: CheckReport) -> CheckReport:
    return replace(
        check,
        findings=[_hint(finding) for finding in check.findings],
        comparisons=[_without_values(comparison) for comparison in check.comparisons],
        gradient=None if check.gradient is None else _without_numbers(check.gradient),
        curve=None,
    )


def _hint(finding: FindingReport) -> FindingReport:
    own = finding.code in (*_OF_NO_CHECK, *_OF_THEIR_OWN_CODE)
    kind = DiagnosisCode.__members__.get(finding.diagnosis)  # none if it is a known slip, whose words hold no value
    return replace(
        finding,
        headline=_first_of(finding.headline, _KEPT.get(finding.code, len(finding.headline))),
        worst="",
        pattern=kind.title if finding.pattern and kind is not None else finding.pattern if finding.diagnosis else "",
        also=_without_brackets(finding.also),
        detail=finding.detail if own else "",
        graph="",
    )


def _first_of(text: str, count: int) -> str:
    return ": ".join(text.split(": ")[:count])


def _without_brackets(text: str) -> str:
    """`db (every element is 1/3 of the expected one) fails too`: without what it looks like."""
    kept, depth = "", 0
    for letter in text:
        depth += letter == "("
        if depth == 0:
            kept += letter
        depth -= letter == ")" and depth > 0
    return " ".join(kept.split())


def _without_values(comparison: ComparisonReport) -> ComparisonReport:
    return replace(
        comparison, wrong=None, atol=None, worst=None, actual=None, expected=None, error=None, allowed=None, errors=None
    )


def _without_numbers(gradient: GradientReport) -> GradientReport:
    return replace(
        gradient,
        probes=[],
        problems=[_first_of(problem, 1) for problem in gradient.problems],
        warnings=[_first_of(warning, 1) for warning in gradient.warnings],
    )


# ---------------------------------------------------------------------------------------------------------- verdict


def _ended(check: CheckReport) -> CheckReport:
    told = [finding for finding in check.findings if not finding.warning]
    return replace(
        check,
        findings=[_end(finding) for finding in told[:1]],
        comparisons=[],
        gradient=None,
        curve=None,
        inputs="",
        seed=None,
    )


def _end(finding: FindingReport) -> FindingReport:
    if finding.code in _OF_NO_CHECK or finding.code in ("FAILED", "UNDECIDED"):  # or it has been cut before
        return finding
    if finding.fault != "student":
        headline = f"undecided: the {finding.fault} is at fault, not the student"
        return FindingReport(code="UNDECIDED", headline=headline, fault=finding.fault)
    code = finding.code if finding.code in _ENDED else "FAILED"
    return FindingReport(code=code, headline=_ENDED.get(code, "failed"), fault=finding.fault)
