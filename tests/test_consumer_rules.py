"""The consumers' rules do refuse: each line is a slip of known graders that its consumer crashes on or misreads."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from typing import Any

import consumer_rules as rules
import pytest
from consumer_rules import Refused, User


def as_json(document: Any) -> bytes:
    return json.dumps(document).encode()


def github(document: Any) -> bytes:
    return base64.b64encode(as_json(document))


TEST = {"name": "a", "score": 1, "max_score": 2, "status": "passed"}
HUB = {"version": 1, "status": "pass", "max_score": 2, "tests": [{"name": "a", "status": "pass", "score": 1}]}
LTI = {
    "userId": "u",
    "activityProgress": "Completed",
    "gradingProgress": "FullyGraded",
    "timestamp": "2026-11-26T20:46:21.000+00:00",
    "scoreGiven": 1,
    "scoreMaximum": 2,
}
PL = {"score": 0.5, "tests": [{"name": "a", "points": 1, "max_points": 2}]}
SUITE = (
    '<testsuites><testsuite name="s" tests="1" failures="{failures}" errors="0" timestamp="2026-01-01T00:00:00+00:00">'
    '{extra}<testcase name="a" time="{time}">{case}</testcase></testsuite></testsuites>'
)


def suite(failures: int = 0, extra: str = "", case: str = "", time: str = "0.1") -> bytes:
    return SUITE.format(failures=failures, extra=extra, case=case, time=time).encode()


def autolab(data: bytes) -> rules.Recorded:
    return rules.autolab(data, ["a"])


def canvas(data: bytes) -> dict[int, str]:
    return rules.canvas(data, [User(id=1, name="Ada", login="ada")], "Homework (7)")


def moodle(data: bytes) -> dict[int, float]:
    return rules.moodle(data, [User(id=1, sis="7", email="a@x")])


HEADER = b"Student,ID,SIS User ID,SIS Login ID,Section,Homework (7)\n"
IMPORT = b"First name,ID number,Email address,Assignment: X\n"
TAKEN: dict[str, tuple[Callable[[bytes], Any], bytes]] = {
    "gradescope": (rules.gradescope, as_json({"score": 1, "tests": [TEST]})),
    "gradescope, no score on top": (rules.gradescope, as_json({"tests": [TEST]})),
    "prairielearn": (rules.prairielearn, as_json(PL)),
    "prairielearn, not gradable": (rules.prairielearn, as_json({"gradable": False, "format_errors": "why"})),
    "github": (rules.github_classroom, github(HUB)),
    "junit": (rules.junit, suite()),
    "junit, a failure": (rules.junit, suite(failures=1, case='<failure message="m">t</failure>')),
    "codegrade": (rules.codegrade, b'{"tag": "points", "points": "3/5"}'),
    "autolab": (autolab, b'whatever\n{"scores": {"a": 1}}\n'),
    "lti": (rules.lti_ags, as_json(LTI)),
    "canvas": (canvas, HEADER + b"    Points Possible,,,,,10\nAda,1,,,,9.5\n"),
    "canvas, by login": (canvas, HEADER + b"somebody,,,ada,,EX\n"),
    "moodle": (moodle, IMPORT + b"Ada,7,,9.5\n"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_right_is_taken(name: str) -> None:
    read, data = TAKEN[name]
    read(data)


REFUSED: dict[str, tuple[Callable[[bytes], Any], bytes]] = {
    "gradescope: NaN": (rules.gradescope, as_json({"score": math.nan, "tests": [TEST]})),
    "gradescope: infinity": (rules.gradescope, as_json({"score": math.inf, "tests": [TEST]})),
    "gradescope: over-full": (rules.gradescope, as_json({"tests": [TEST | {"score": 3}]})),
    "gradescope: max_score on top": (rules.gradescope, as_json({"score": 1, "max_score": 2, "tests": [TEST]})),
    "gradescope: a hidden test": (rules.gradescope, as_json({"score": 1, "tests": [TEST | {"visibility": "hidden"}]})),
    "gradescope: hidden on top": (
        rules.gradescope,
        as_json({"score": 1, "visibility": "after_due_date", "tests": [TEST]}),
    ),
    "gradescope: nothing": (rules.gradescope, b"{}"),
    "gradescope: another status": (rules.gradescope, as_json({"score": 1, "tests": [TEST | {"status": "undecided"}]})),
    "gradescope: what is printed": (rules.gradescope, as_json({"score": 1, "stdout_visibility": "visible"})),
    "gradescope: a text as time": (rules.gradescope, as_json({"score": 1, "execution_time": "2 s"})),
    "gradescope: a lone surrogate": (rules.gradescope, b'{"score": 1, "output": "\\ud800"}'),
    "prairielearn: 110 %": (rules.prairielearn, as_json(PL | {"score": 1.1})),
    "prairielearn: points, not a share": (rules.prairielearn, as_json(PL | {"score": 28})),
    "prairielearn: no score": (rules.prairielearn, as_json({"tests": []})),
    "prairielearn: a test without points": (rules.prairielearn, as_json({"score": 1, "tests": [{"name": "a"}]})),
    "prairielearn: 1 MB": (rules.prairielearn, as_json({"score": 1, "output": "x" * 1_000_000})),
    "github: no tests": (rules.github_classroom, github({key: HUB[key] for key in HUB if key != "tests"})),
    "github: empty tests": (rules.github_classroom, github(HUB | {"tests": []})),
    "github: a test without a score": (
        rules.github_classroom,
        github(HUB | {"tests": [{"name": "a", "status": "pass"}]}),
    ),
    "github: not in base64": (rules.github_classroom, as_json(HUB)),
    "github: in several lines": (rules.github_classroom, base64.encodebytes(as_json(HUB) * 3)),
    "github: a long output": (
        rules.github_classroom,
        github(HUB | {"tests": [HUB["tests"][0] | {"output": "x" * 501}]}),  # type: ignore[index]
    ),
    "github: a command in the log": (
        rules.github_classroom,
        github(HUB | {"tests": [HUB["tests"][0] | {"message": "a\n::error::b"}]}),  # type: ignore[index]
    ),
    "github: more points than there are": (rules.github_classroom, github(HUB | {"max_score": 0.5})),
    "junit: a control character": (rules.junit, suite(failures=1, case="<failure>\x1b[1m</failure>")),
    "junit: not even as a reference": (rules.junit, suite(failures=1, case="<failure>&#27;</failure>")),
    "junit: counted wrong": (rules.junit, suite(case="<failure/>")),
    "junit: properties of a case": (rules.junit, suite(case="<properties/>")),
    "junit: three dots": (rules.junit, suite(time="1e-05")),
    "junit: an attribute of pytest's older family": (rules.junit, suite().replace(b'time="0.1"', b'file="a.py"')),
    "codegrade: above 1": (rules.codegrade, b'{"tag": "points", "points": "6/5"}'),
    "codegrade: of nothing": (rules.codegrade, b'{"tag": "points", "points": "0/0"}'),
    "codegrade: a number": (rules.codegrade, b'{"tag": "points", "points": 0.6}'),
    "autolab: the scores are not last": (autolab, b'{"scores": {"a": 1}}\nbye\n'),
    "autolab: another problem": (autolab, b'{"scores": {"b": 1}}\n'),
    "autolab: NaN": (autolab, b'{"scores": {"a": NaN}}\n'),
    "lti: negative": (rules.lti_ags, as_json(LTI | {"scoreGiven": -1})),
    "lti: no maximum": (rules.lti_ags, as_json({key: LTI[key] for key in LTI if key != "scoreMaximum"})),
    "lti: whole seconds": (rules.lti_ags, as_json(LTI | {"timestamp": "2026-11-26T20:46:21+00:00"})),
    "lti: no offset": (rules.lti_ags, as_json(LTI | {"timestamp": "2026-11-26T20:46:21.000"})),
    "lti: a score that is ignored": (rules.lti_ags, as_json(LTI | {"gradingProgress": "Pending"})),
    "canvas: no section": (canvas, b"Student,ID,Homework (7)\nAda,1,9\n"),
    "canvas: the SIS columns the other way round": (
        canvas,
        b"Student,ID,SIS Login ID,SIS User ID,Section,Homework (7)\nAda,1,,,,9\n",
    ),
    "canvas: another assignment": (canvas, HEADER.replace(b"(7)", b"(8)") + b"Ada,1,,,,9\n"),
    "canvas: nobody": (canvas, HEADER + b"Eve,,,eve,,9\n"),
    "canvas: a formula": (canvas, HEADER + b"=HYPERLINK(1),1,,,,9\n"),
    "canvas: a word": (canvas, HEADER + b"Ada,1,,,,undecided\n"),
    "moodle: nobody": (moodle, IMPORT + b"Eve,8,,9\n"),
    "moodle: an empty grade": (moodle, IMPORT + b"Ada,7,,\n"),
    "moodle: above the site's maximum": (moodle, IMPORT + b"Ada,7,,101\n"),
    "worksheet: a gradebook": (rules.moodle_worksheet, IMPORT),
    "spreadsheet: a formula": (rules.rows, b"a,b\n+1+1,2\n"),
    "spreadsheet: a tab first": (rules.rows, b"a,b\n\t=1,2\n"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused(name: str) -> None:
    read, data = REFUSED[name]
    with pytest.raises(Refused):
        read(data)


def test_a_negative_number_is_no_formula() -> None:
    assert rules.rows(b"a,b\n-1.5,-2\n")[1] == ["-1.5", "-2"]
