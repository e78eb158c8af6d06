"""Who reads what `grader export` writes: a parser a consumer, written from its documents and code, strict where it is.

Each refuses what the consumer refuses, crashes on, or silently makes something else of, and returns the score that it
would record. test_consumer_rules.py shows that they do refuse; test_exports.py that no export is refused.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

MB = 1_000_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Refused(Exception):  # noqa: N818 - it is what the consumer says
    """The consumer does not take it."""


@dataclass(frozen=True)
class Recorded:
    """What the consumer records."""

    score: float | None
    possible: float | None = None
    tests: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Points and maximum by name."""
    text: str = ""
    """All that a person is shown."""


def refuse(condition: object, why: str) -> None:
    if condition:
        raise Refused(why)


def strict_json(data: bytes | str) -> Any:
    """JSON of RFC 8259: no NaN, no infinities, UTF-8, no lone surrogates, no key twice."""

    def constant(name: str) -> None:
        raise Refused(f"{name} is not JSON")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        refuse(len({key for key, _ in pairs}) < len(pairs), "a key stands there twice")
        return dict(pairs)

    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        document = json.loads(text, parse_constant=constant, object_pairs_hook=once)
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, UnicodeError) as error:
        raise Refused(str(error)) from error
    return document


def keys(document: Any, what: str, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Any]:
    refuse(not isinstance(document, dict), f"{what} is no object")
    refuse(
        required - document.keys() if isinstance(required, set) else set(required) - document.keys(), f"{what} lacks"
    )
    refuse(document.keys() - {*required, *optional}, f"{what} has keys that nobody reads: {sorted(document)}")
    return dict(document)


def number(value: Any, what: str, low: float = 0.0, high: float = math.inf) -> float:
    refuse(isinstance(value, bool) or not isinstance(value, int | float), f"{what} is no number")
    refuse(not math.isfinite(value) or not low <= value <= high, f"{what} is {value}")
    return float(value)


def text(value: Any, what: str, most: float = math.inf) -> str:
    refuse(not isinstance(value, str), f"{what} is no text")
    refuse(len(value) > most, f"{what} is longer than {most}")
    return str(value)


# --------------------------------------------------------------------------------------------------------- Gradescope

VISIBILITY = ("hidden", "after_due_date", "after_published", "visible")
TEXT_FORMATS = ("text", "html", "simple_format", "md", "ansi")


def gradescope(data: bytes) -> Recorded:
    """gradescope-autograders.readthedocs.io, "Autograder Specifications"; a student who sees no total is refused."""
    optional = "score execution_time output output_format test_output_format test_name_format visibility"
    optional += " stdout_visibility extra_data tests leaderboard"
    top = keys(strict_json(data), "results.json", (), optional.split())
    refuse(not top.get("tests") and "score" not in top, "neither tests nor a score")
    if "execution_time" in top:
        number(top["execution_time"], "execution_time")
    for name in ("output_format", "test_output_format", "test_name_format"):
        refuse(top.get(name, "text") not in TEXT_FORMATS, f"{name} {top.get(name)}")
    for name in ("visibility", "stdout_visibility"):
        refuse(top.get(name, "visible") not in VISIBILITY, f"{name} {top.get(name)}")
    refuse(top.get("stdout_visibility", "hidden") != "hidden", "students see what the grader prints")
    shown, tests = [text(top.get("output", ""), "output")], {}
    for test in top.get("tests", []):
        of_a_test = "score max_score status name name_format number output output_format tags visibility extra_data"
        keys(test, "a test", (), of_a_test.split())
        refuse("score" not in top and "score" not in test, "no score anywhere")
        refuse(test.get("status", "passed") not in ("passed", "failed"), f"status {test.get('status')}")
        refuse(test.get("visibility", top.get("visibility", "visible")) != "visible", "students see no total")
        most = number(test["max_score"], "max_score")
        refuse(not re.fullmatch(r"\d+(\.\d+)*", text(test.get("number", "1"), "number")), "number")
        name = text(test.get("name", ""), "name")
        refuse(name in tests, f"two tests are called {name}")
        tests[name] = number(test["score"], "score", 0, most), most
        shown.append(text(test.get("output", ""), "output"))
    score = number(top["score"], "score") if "score" in top else sum(points for points, _ in tests.values())
    return Recorded(score=score, possible=sum(most for _, most in tests.values()), tests=tests, text="\n".join(shown))


# ------------------------------------------------------------------------------------------------------- PrairieLearn


def prairielearn(data: bytes) -> Recorded:
    """docs/externalGrading.md; the score is a share."""
    refuse(len(data) > MB, "larger than 1 MB")
    top = strict_json(data)
    refuse(not isinstance(top, dict), "no object")
    gradable = top.get("gradable", True)
    refuse(not isinstance(gradable, bool), "gradable is no boolean")
    errors = top.get("format_errors", [])
    errors = [errors] if isinstance(errors, str) else errors
    shown = [text(error, "format_errors") for error in errors]
    if not gradable:
        refuse(not shown, "nobody says why it is not gradable")
        return Recorded(score=None, text="\n".join(shown))
    share = number(top.get("score"), "score", 0, 1)
    shown += [text(top.get("message", ""), "message"), text(top.get("output", ""), "output")]
    tests = {}
    for test in top.get("tests", []):
        refuse("points" not in test or "max_points" not in test, "without points on every test none are shown")
        most = number(test["max_points"], "max_points")
        name = text(test.get("name"), "name")
        tests[name] = number(test["points"], "points", 0, most), most
        shown += [text(test.get(key, ""), key) for key in ("description", "message", "output")]
        refuse(test.get("images", []) != [], "images are not looked at here")
    return Recorded(score=share, possible=1.0, tests=tests, text="\n".join(shown))


# -------------------------------------------------------------------------------------------------- GitHub Classroom


def github_classroom(data: bytes) -> Recorded:
    """src/main.js, console-results.js and notify-classroom.js of the reporter, one runner."""
    line = data.decode("ascii").removesuffix("\n")
    refuse(not re.fullmatch(r"[A-Za-z0-9+/]+=*", line), "not one line of base64: the step's output is broken")
    top = strict_json(base64.b64decode(line, validate=True))
    refuse(top.get("version") != 1 or top.get("status") not in ("pass", "fail", "error"), "version or status")
    refuse(not isinstance(top.get("tests"), list), "tests.forEach of undefined")
    refuse(not top["tests"], "0 of 0 tests is NaN")
    log, total, tests = [text(top.get("message", ""), "message", 500)], 0.0, {}
    for test in top["tests"]:
        refuse(test.get("status") not in ("pass", "fail", "error"), "status")
        points = number(test.get("score"), "score")
        name = text(test.get("name"), "name")
        tests[name] = points, math.nan
        total += points
        text(test.get("output", ""), "output", 500)
        number(test.get("line_no", 0), "line_no")
        log += [name, text(test.get("message", ""), "message", 500)]
    printed = "\n".join(log)
    refuse(re.search(r"(?m)^\s*::|##\[", printed), "a line of the log is a command")
    most = number(top.get("max_score"), "max_score")
    refuse(total > most + 1e-9, "more points than there are")
    return Recorded(score=total if most else None, possible=most, tests=tests, text=printed)


# -------------------------------------------------------------------------------------------------------------- JUnit

_SECONDS = re.compile(r"\d*(\.\d{0,3})?")
_RULES: Mapping[str, tuple[set[str], set[str], set[str]]] = {
    # element: attributes that must be, attributes that may be, children
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url", "version"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": (
        {"name"},
        {"time", "classname", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
    "system-err": (set(), set(), set()),
}


def junit(data: bytes) -> Recorded:
    """The schema that pytest holds its own xunit2 against (testing/example_scripts/junit-10.xsd)."""
    try:
        root = ET.fromstring(data)
    except ET.ParseError as error:
        raise Refused(str(error)) from error
    refuse(root.tag != "testsuites", f"the root is {root.tag}")
    for element in root.iter():
        must, may, children = _RULES.get(element.tag, (set(), set(), set()))
        refuse(element.tag not in _RULES, f"there is no element {element.tag}")
        refuse(must - element.attrib.keys() or element.attrib.keys() - must - may, f"attributes of {element.tag}")
        refuse({child.tag for child in element} - children, f"children of {element.tag}")
        refuse(not _SECONDS.fullmatch(element.get("time", "")), f"time {element.get('time')}")
    (suite,) = root
    cases = suite.findall("testcase")
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        refuse(int(suite.get(count, "0")) != len(suite.findall(f"testcase/{tag}")), f"{count} are counted wrong")
    refuse(int(suite.get("tests", "")) != len(cases) or not cases, "tests are counted wrong, or there are none")
    refuse(any(len(case) > 1 for case in cases), "a test case has two outcomes")
    refuse(suite.find("testcase/properties") is not None, "record_property warns under xunit2")
    datetime.fromisoformat(suite.get("timestamp", ""))
    properties = {p.get("name", ""): p.get("value", "") for p in suite.findall("properties/property")}
    points = {k.removeprefix("points: "): float(v) for k, v in properties.items() if k.startswith("points: ")}
    score, most = properties.get("score"), properties.get("maximum")
    return Recorded(
        score=None if score is None else number(float(score), "score"),
        possible=None if most is None else number(float(most), "maximum"),
        tests={name: (value, math.nan) for name, value in points.items()},
        text="\n".join(filter(None, (element.text for element in root.iter()))),
    )


# -------------------------------------------------------------------------------------- CodeGrade, Autolab, LTI AGS


def codegrade(data: bytes) -> Recorded:
    """A fraction between 0 and 1 from file descriptor 3."""
    top = keys(strict_json(data), "the output", {"tag", "points"})
    refuse(top["tag"] != "points", "tag")
    found = re.fullmatch(r"(\d+(?:\.\d+)?)/(\d+(?:\.\d+)?)", text(top["points"], "points"))
    refuse(found is None, f"points {top['points']}")
    assert found is not None
    refuse(float(found[2]) <= 0 or float(found[1]) > float(found[2]), "not between 0 and 1")
    return Recorded(score=float(found[1]), possible=float(found[2]))


def autolab(data: bytes, problems: Collection[str]) -> Recorded:
    """docs/lab.md and docs/features/formatted-feedback.md: the last line counts, the one before it may be a layout."""
    lines = data.decode("utf-8").rstrip("\n").split("\n")
    last = keys(strict_json(lines[-1]), "the last line", {"scores"}, {"scoreboard"})
    refuse(not last["scores"] or set(last["scores"]) - set(problems), "problems that the assessment does not have")
    scores = {name: number(value, name) for name, value in last["scores"].items()}
    for value in last.get("scoreboard", []):
        number(value, "scoreboard")
    if len(lines) > 1 and lines[-2].startswith("{"):
        layout = strict_json(lines[-2])
        refuse(layout.get("_presentation") != "semantic", "_presentation")
        for stage in layout.get("stages", []):
            refuse(not isinstance(layout.get(stage), dict), f"stage {stage}")
            for result in layout[stage].values():
                refuse(not isinstance(result, dict) or not isinstance(result.get("passed"), bool), "passed")
    return Recorded(
        score=sum(scores.values()),
        tests={name: (value, math.nan) for name, value in scores.items()},
        text="\n".join(lines[:-2]),
    )


PROGRESS = ("Initialized", "Started", "InProgress", "Submitted", "Completed")
GRADING = ("FullyGraded", "Pending", "PendingManual", "Failed", "NotReady")


def lti_ags(data: bytes) -> Recorded:
    """LTI Assignment and Grade Services 2.0, "Score publish service". Only what is fully graded is a grade."""
    required = {"userId", "activityProgress", "gradingProgress", "timestamp"}
    top = keys(strict_json(data), "the score", required, {"scoreGiven", "scoreMaximum", "comment", "submission"})
    refuse(not text(top["userId"], "userId"), "nobody's")
    refuse(top["activityProgress"] not in PROGRESS or top["gradingProgress"] not in GRADING, "progress")
    when = re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}([+-]\d\d:\d\d|Z)", text(top["timestamp"], "timestamp")
    )
    refuse(when is None, f"timestamp {top['timestamp']}: a sub-second time with an offset")
    refuse(("scoreGiven" in top) != ("scoreMaximum" in top), "a score and its maximum go together")
    refuse(("scoreGiven" in top) != (top["gradingProgress"] == "FullyGraded"), "a score that is none yet, or none")
    if "scoreGiven" not in top:
        return Recorded(score=None, text=text(top.get("comment", ""), "comment"))
    most = number(top["scoreMaximum"], "scoreMaximum")
    refuse(most <= 0, "scoreMaximum")
    return Recorded(score=number(top["scoreGiven"], "scoreGiven"), possible=most, text=top.get("comment", ""))


# ------------------------------------------------------------------------------------------------------------- tables


def rows(data: bytes, delimiter: str = ",") -> list[list[str]]:
    """A CSV file, none of whose cells a spreadsheet runs: text that begins like a formula is one, a number is not."""
    found = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter, strict=True))
    for row in found:
        for value in row:
            is_number = re.fullmatch(r"-|-?\d+(\.\d+)?", value)  # a dash alone is how Moodle writes "none"
            refuse(value.startswith(FORMULA) and not is_number, f"a spreadsheet runs {value!r}")
    refuse(len({len(row) for row in found}) != 1, "rows of different lengths")
    return found


@dataclass(frozen=True)
class User:
    """Somebody in a course of Canvas or Moodle."""

    id: int
    name: str = ""
    sis: str = ""
    login: str = ""
    email: str = ""


def canvas(data: bytes, users: Sequence[User], assignment: str) -> dict[int, str]:
    """instructure/canvas-lms, lib/gradebook_importer.rb: grades by user, as the importer assigns them."""
    table = rows(data)
    header = table[0]
    refuse(len(header) <= 3 or "Student" not in header[0] or "ID" not in header[1], "Invalid header row")
    columns, sis, login = 3, None, None
    if "SIS Login ID" in header[2]:
        columns, login = 4, 2
    elif "SIS User ID" in header[2] and "SIS Login ID" in header[3]:
        columns, sis, login = 5, 2, 3
    refuse("Section" not in header[columns - 1], "Invalid header row: no Section where it belongs")
    refuse(assignment not in header[columns:], f"{assignment} is a new assignment")
    at = header.index(assignment)
    grades: dict[int, str] = {}
    for row in table[1:]:
        if "Points Possible" in row[0] or all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", v, re.I) for v in row):
            continue
        digits = re.match(r"\d+", row[1].strip())
        found = [u for u in users if digits and u.id == int(digits[0])]
        found = found or [u for u in users if sis is not None and row[sis] and u.sis == row[sis]]
        found = found or [u for u in users if login is not None and row[login] and u.login == row[login]]
        found = found or [u for u in users if u.name == row[0]]
        refuse(not found, f"Canvas asks who {row[0]} is")
        refuse(found[0].id in grades, f"{found[0]} twice")
        value = row[at].strip()
        refuse(value and value.casefold() != "ex" and not re.fullmatch(r"[\d.,]+%?", value), f"grade {value}")
        grades[found[0].id] = value
    return grades


def moodle(data: bytes, users: Sequence[User], most: float = 100.0) -> dict[int, float]:
    """moodle/moodle, grade/import/csv/classes/load_data.php, mapped by id number where there is one, else by address.

    One user who is not there, or a grade that is no number or above the site's maximum, refuses the whole file.
    """
    table = rows(data)
    header = [name.strip() for name in table[0]]
    number_at, email_at = header.index("ID number"), header.index("Email address")
    (grade_at,) = (at for at, name in enumerate(header) if name.startswith("Assignment: "))
    grades: dict[int, float] = {}
    for row in table[1:]:
        by_number = [user for user in users if row[number_at] and user.sis == row[number_at]]
        by_email = [user for user in users if row[email_at] and user.email == row[email_at]]
        found = by_number if row[number_at] else by_email
        refuse(not found, f"could not find user {row}")
        refuse(row[grade_at] in ("", "-"), "takes away the grade that is there")
        refuse(not re.fullmatch(r"\d+(\.\d+)?", row[grade_at]), "badgrade")
        grades[found[0].id] = number(float(row[grade_at]), "grade", 0, most)
    return grades


def moodle_worksheet(data: bytes) -> dict[str, str]:
    """moodle/moodle, mod/assign/feedback/offline/importgradeslib.php: grades by participant; commas, UTF-8."""
    table = rows(data)
    header = table[0]
    refuse({"Identifier", "Grade", "Last modified (grade)"} - set(header), "no worksheet")
    at, grade_at = header.index("Identifier"), header.index("Grade")
    return {row[at].removeprefix("Participant "): row[grade_at] for row in table[1:]}


def spreadsheet(data: bytes) -> list[dict[str, str]]:
    """Ours: what numbers claim to be is numbers."""
    table = rows(data)
    refuse(len(set(table[0])) != len(table[0]), "two columns of one name")
    found = [dict(zip(table[0], row, strict=True)) for row in table[1:]]
    for row in found:
        for name in ("score", "maximum", "earned", "undecided", "pending", "possible"):
            refuse(row[name] and not re.fullmatch(r"\d+(\.\d+)?", row[name]), f"{name} {row[name]}")
    return found
