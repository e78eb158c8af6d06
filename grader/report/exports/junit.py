"""JUnit XML as pytest writes it (xunit2): a test case a part, the points in properties of the suite.

A part that failed is a failure. One that is undecided is an error, as something is wrong with the course or the
machine: a skipped one would look green. One that is pending is skipped: nothing is wrong, another machine goes on.
Points of test cases have no place in xunit2, so they stand in the suite's properties, by the names of the parts.
"""

from __future__ import annotations

from typing import assert_never
from xml.etree import ElementTree as ET

from grader.report.console import points as written
from grader.report.exports.grades import Undecided, grade, rounded
from grader.report.exports.telling import Told, overall, told
from grader.report.model import Report
from grader.report.visible import visible

__all__ = ["junit"]


def junit(report: Report, undecided: Undecided) -> bytes:
    """The document. A grade that is held back leaves out just the property `score`."""
    parts = list(told(report, undecided))
    counted = [part.verdict for part in parts]
    counts = {
        "errors": str(counted.count("undecided")),
        "failures": str(counted.count("failed")),
        "skipped": str(counted.count("pending")),
        "tests": str(len(parts)),
        "time": f"{max(report.seconds, 0):.3f}",
    }
    root = ET.Element("testsuites", {name: value for name, value in counts.items() if name != "skipped"})
    suite = ET.SubElement(root, "testsuite", {"name": visible(report.assignment.name), **counts})
    suite.set("timestamp", visible(report.started))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(report, undecided, parts).items():
        ET.SubElement(properties, "property", name=name, value=value)
    for part in parts:
        _case(suite, visible(report.assignment.name), part)
    ET.SubElement(suite, "system-out").text = overall(report, undecided)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _properties(report: Report, undecided: Undecided, parts: list[Told]) -> dict[str, str]:
    given = grade(report.score, undecided)
    points = {name: getattr(report.score, name) for name in ("earned", "possible", "undecided", "pending")}
    if given is not None:
        points |= {
            "score": rounded(given.given, given.maximum),
            "maximum": rounded(given.maximum, given.maximum),
        }
    points |= {f"points: {part.name}": rounded(part.given, part.maximum) for part in parts}
    told_of = {"submission": report.submission.name, "digest": report.submission.digest or "", "grader": report.grader}
    return {name: visible(value) for name, value in told_of.items()} | {
        name: written(value) for name, value in points.items()
    }


def _case(suite: ET.Element, assignment: str, part: Told) -> None:
    case = ET.SubElement(
        suite, "testcase", classname=f"{assignment}.{part.exercise}", name=part.part, time=f"{max(part.seconds, 0):.3f}"
    )
    match part.verdict:
        case "passed":
            if part.text:  # a warning
                ET.SubElement(case, "system-out").text = part.text
            return
        case "failed":
            outcome = ET.SubElement(case, "failure", type="failed")
        case "undecided":
            outcome = ET.SubElement(case, "error", type="undecided")
        case "pending":
            outcome = ET.SubElement(case, "skipped", type="pending")
        case _:
            assert_never(part.verdict)
    outcome.set("message", part.headline)
    outcome.text = part.text
