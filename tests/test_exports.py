"""Reports in other graders' formats: their consumers take every one, and record the score that the report has."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import assert_never

import consumer_rules as rules
import msgspec
import pytest
from consumer_rules import Recorded
from courses import HEAD, grade_text, make_course
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_kinds import LAYER, TANH, TANH_BACK
from test_markdown import BITS, anywhere, saying

from grader.grading import grade_path
from grader.report.exports.formats import ReportFormat, default_undecided, export_report, suffix
from grader.report.exports.github import OUTPUT
from grader.report.exports.grades import Undecided, exact, grade, rounded
from grader.report.exports.prairielearn import LIMIT
from grader.report.exports.telling import shortened, told
from grader.report.model import (
    AssignmentInfo,
    CheckReport,
    Environment,
    ExerciseReport,
    FindingReport,
    PartReport,
    Report,
    ScoreReport,
    Seeds,
    SubmissionInfo,
)
from grader.report.visible import visible_lines
from grader.sandbox.pool import Sandbox

RIGHT = TANH + TANH_BACK
WRONG = TANH + TANH_BACK.replace(".sum(0)", ".mean(0)")
WHEN = "2026-11-26T20:46:21+00:00"


def read(form: ReportFormat, data: bytes, report: Report) -> Recorded | None:
    """What the consumer records; None for a page, which has no consumer but people."""
    match form:
        case ReportFormat.GRADESCOPE:
            return rules.gradescope(data)
        case ReportFormat.PRAIRIELEARN:
            return rules.prairielearn(data)
        case ReportFormat.GITHUB:
            return rules.github_classroom(data)
        case ReportFormat.CODEGRADE:
            return rules.codegrade(data)
        case ReportFormat.AUTOLAB:
            return rules.autolab(data, [part.name for part in told(report, Undecided.ZERO)])
        case ReportFormat.JUNIT:
            return rules.junit(data)
        case ReportFormat.LTI:
            return rules.lti_ags(data)
        case ReportFormat.MARKDOWN:
            assert data.decode().strip()
            return None
        case _:
            assert_never(form)


def export(form: ReportFormat, report: Report, undecided: Undecided | None = None) -> bytes | None:
    return export_report(form, report, undecided or default_undecided(form), user="u7", when=WHEN)


def exported(form: ReportFormat, report: Report, undecided: Undecided | None = None) -> Recorded:
    """What the consumer records of a report that it is given."""
    data = export(form, report, undecided)
    assert data is not None
    recorded = read(form, data, report)
    assert recorded is not None
    return recorded


RECORDING = [form for form in ReportFormat if form is not ReportFormat.MARKDOWN]


# -------------------------------------------------------------------------------------------------- real submissions


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> dict[str, Report]:
    """One of each: right, wrong, timed out, pending, undecided by the course's fault, unreadable."""
    folder = tmp_path_factory.mktemp("courses")

    def course(name: str, head: str = HEAD, reference: str = LAYER[1]) -> Path:
        (folder / name).mkdir()
        make_course(folder / name, LAYER[0], reference, head=head)
        return folder / name

    from grader.manifest import load_assignment

    def assignment(where: Path) -> Path:
        return where / "assignments" / "t" / "assignment.toml"

    plain = load_assignment(assignment(course("plain")))
    impatient = load_assignment(assignment(course("impatient", HEAD + "limits = { call_seconds = 0.3 }\n")))
    broken = load_assignment(assignment(course("broken", reference="def f(x, w):\n    return x.nope\n")))
    (folder / "slow").mkdir()
    (folder / "slow" / "t.py").write_text("import numpy as np\ndef f(x, w):\n    while True:\n        pass\n")
    (folder / "hand`in <img>.zip").write_bytes(b"PK\x03\x04 and then nothing")
    return {
        "right": grade_text(plain, RIGHT),
        "wrong": grade_text(plain, WRONG),
        "timed out": grade_path(impatient, folder / "slow", sandbox=sandbox),
        "pending": without_gpu(grade_text(plain, RIGHT)),
        "undecided": grade_text(broken, RIGHT),
        "unreadable": grade_path(plain, folder / "hand`in <img>.zip"),
    }


def without_gpu(report: Report) -> Report:
    """A right report a fifth of whose points wait for a GPU."""
    waits = FindingReport(code="PENDING", headline="not judged with CUDA tensors yet: there is no GPU", fault="machine")
    check = CheckReport(
        aspect="forward", case="small", hidden=False, status="pending", verdict="pending", credit=0, findings=[waits]
    )
    parts = [
        msgspec.structs.replace(
            part,
            verdict="pending",
            earned=part.possible * 0.8,
            pending=float(exact(part.possible) - exact(part.possible * 0.8)),
            checks=[*part.checks, check],
        )
        for part in report.exercises[0].parts
    ]
    exercises = [msgspec.structs.replace(report.exercises[0], parts=parts)]
    score = msgspec.structs.replace(report.score, earned=2.4, pending=0.6, verdict="pending")
    return msgspec.structs.replace(report, exercises=exercises, score=score)


STATES = ("right", "wrong", "timed out", "pending", "undecided", "unreadable")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("form", ReportFormat)
def test_a_report_in_every_state_is_taken(form: ReportFormat, state: str, graded: dict[str, Report]) -> None:
    report = graded[state]
    for undecided in Undecided:
        data = export(form, report, undecided)
        if data is not None:
            read(form, data, report)
        else:
            assert grade(report.score, undecided) is None


def test_the_states_are_what_they_are_called(graded: dict[str, Report]) -> None:
    assert {name: (report.score.earned, report.score.verdict) for name, report in graded.items()} == {
        "right": (3.0, "passed"),
        "wrong": (1.0, "failed"),
        "timed out": (0.0, "failed"),
        "pending": (2.4, "pending"),
        "undecided": (0.0, "undecided"),
        "unreadable": (0.0, "failed"),
    }
    statuses = {check.status for e in graded["timed out"].exercises for part in e.parts for check in part.checks}
    assert "timed out" in statuses


@pytest.mark.parametrize("form", RECORDING)
def test_why_a_part_failed_is_told_wherever_there_is_room(form: ReportFormat, graded: dict[str, Report]) -> None:
    text = exported(form, graded["wrong"]).text
    assert ("dw is not the gradient" in text) == (form is not ReportFormat.CODEGRADE)


def test_junit_an_undecided_part_is_an_error_and_a_pending_one_is_skipped(graded: dict[str, Report]) -> None:
    def outcome(state: str) -> bytes:
        return export(ReportFormat.JUNIT, graded[state]) or b""

    assert b'errors="2" failures="0" skipped="0"' in outcome("undecided")
    assert b'errors="0" failures="0" skipped="2"' in outcome("pending")
    assert b'errors="0" failures="1" skipped="0"' in outcome("wrong")


def test_open_points_are_held_back_or_told(graded: dict[str, Report]) -> None:
    pending, undecided = graded["pending"], graded["undecided"]
    lti = json.loads(export(ReportFormat.LTI, pending) or b"")
    assert (lti["gradingProgress"], "scoreGiven" in lti) == ("Pending", False)
    assert json.loads(export(ReportFormat.LTI, undecided) or b"")["gradingProgress"] == "PendingManual"
    assert json.loads(export(ReportFormat.PRAIRIELEARN, undecided) or b"")["gradable"] is False
    assert export(ReportFormat.GRADESCOPE, undecided, Undecided.HOLD) is None
    zero = exported(ReportFormat.GRADESCOPE, pending)
    assert zero.score == 2.4
    assert "0.6 points pending: counted as 0 for now" in zero.text
    assert exported(ReportFormat.GRADESCOPE, pending, Undecided.EXCLUDE).score == 3.0
    left_out = exported(ReportFormat.LTI, pending, Undecided.EXCLUDE)
    assert (left_out.score, left_out.possible) == (2.4, 2.4)
    # Of nothing decided there is no share to be taken.
    assert export(ReportFormat.GRADESCOPE, undecided, Undecided.EXCLUDE) is None


def test_hidden_cases_are_folded_into_their_parts_without_values(tmp_path: Path) -> None:
    hidden = LAYER[0].replace("sizes = {", "hidden = true\nsizes = {")
    course = make_course(tmp_path, hidden, LAYER[1])
    report = grade_text(course, WRONG, hidden_seed=8671)
    assert all(check.hidden for part in report.exercises[0].parts for check in part.checks)
    for form in RECORDING:
        recorded = exported(form, report)
        assert "yours" not in recorded.text
        assert "8671" not in recorded.text
        if form not in (ReportFormat.CODEGRADE, ReportFormat.LTI):
            assert set(recorded.tests) == {"e / forward", "e / backward"}


# ----------------------------------------------------------------------------------------------------------- any report

LETTERS = [*BITS, "=1+1", "]]>", "&amp;", "<a>", '"', "'", "\x00", "\x1b[31m", "\ufffe", "é", "a"]
HOSTILE = st.lists(st.sampled_from(LETTERS), max_size=5).map("".join)
NAMES = ("affine", "=cmd()", "a,b", "<x>", "::error::", "tests", "stages", "a\n```", "\x1b[1m", "é\u202e")
"""Of the manifest, which is UTF-8."""
CODES = ("RAISED", "WRONG_VALUE", "DOES_NOT_LOAD", "PENDING", "NOT_WRITTEN")
HUNDREDTHS = st.sampled_from([0, 0, 0, 1, 33, 250, 999])


def a_part(name: str, points: tuple[int, int, int, int], code: str, text: str) -> PartReport:
    """A part of so many hundredths earned, undecided, pending and lost, and what is said of it."""
    earned, undecided, pending, lost = points
    lost = lost or not any(points)
    verdict = "failed" if lost else "undecided" if undecided else "pending" if pending else "passed"
    finding = FindingReport(code=code, headline=text, fault="student", worst=text, detail=text, likely=text)
    check = CheckReport(
        aspect="value",
        case=text,
        hidden=True,
        status=verdict,  # type: ignore[arg-type]
        verdict=verdict,  # type: ignore[arg-type]
        fault={"failed": "student", "undecided": "course"}.get(verdict),  # type: ignore[arg-type]
        credit=0.0,
        inputs=text,
        seconds=earned / 7,
        findings=[] if verdict == "passed" else [finding],
    )
    return PartReport(
        name=name,
        verdict=verdict,  # type: ignore[arg-type]
        earned=earned / 100,
        undecided=undecided / 100,
        pending=pending / 100,
        possible=(earned + undecided + pending + lost) / 100,
        checks=[check],
    )


def a_report(parts: list[tuple[tuple[int, int, int, int], str]], first: int, text: str) -> Report:
    """A report of one exercise: names and messages that mean something to somebody, and points of every kind."""
    made = [a_part(NAMES[(first + at) % len(NAMES)], points, code, text) for at, (points, code) in enumerate(parts)]
    total = {
        name: float(sum((exact(getattr(part, name)) for part in made), Fraction(0)))
        for name in ("earned", "possible", "undecided", "pending")
    }
    verdicts = {part.verdict for part in made}
    worst = next((v for v in ("failed", "undecided", "pending") if v in verdicts), "passed")
    name = NAMES[first]
    return Report(
        format="gradmark-report",
        version=1,
        grader="0.1.0",
        assignment=AssignmentInfo(name=name, title=name, manifest="t/assignment.toml", digest="0"),
        submission=SubmissionInfo(name=text, digest=None, notes=[text], printed=text),
        seeds=Seeds(visible=1, hidden=None, private=True),
        environment=Environment(python="3.12", platform="L", versions={}, device="cpu", isolation=[]),
        score=ScoreReport(**total, verdict=worst),  # type: ignore[arg-type]
        exercises=[ExerciseReport(name=name, kind="function", functions={}, parts=made)],
        started=WHEN,
        seconds=len(text) / 3,
    )


def reports() -> st.SearchStrategy[Report]:
    """Any report at all."""
    points = st.tuples(HUNDREDTHS, HUNDREDTHS, HUNDREDTHS, HUNDREDTHS)
    parts = st.lists(st.tuples(points, st.sampled_from(CODES)), min_size=1, max_size=4)
    return st.builds(a_report, parts, st.integers(0, len(NAMES) - 1), HOSTILE)


@given(reports(), st.sampled_from(Undecided))
@settings(max_examples=60)
def test_law_any_report_is_taken_and_the_score_is_the_reports(report: Report, undecided: Undecided) -> None:
    given_, whole = grade(report.score, undecided), exact(report.score.possible)
    for form in ReportFormat:
        data = export(form, report, undecided)
        if data is None:
            assert given_ is None
            continue
        recorded = read(form, data, report)
        if recorded is None:
            continue
        if given_ is None:
            assert recorded.score is None
            continue
        match form:
            case ReportFormat.GRADESCOPE:
                expected = float(given_.scaled(whole))
            case ReportFormat.PRAIRIELEARN:
                expected = float(given_.given / given_.maximum)
            case ReportFormat.CODEGRADE:
                assert recorded.possible
                assert recorded.score is not None
                recorded = Recorded(score=recorded.score / recorded.possible)
                expected = float(given_.given / given_.maximum)
            case _:
                expected = float(given_.given)
        assert recorded.score == pytest.approx(expected, abs=1e-6)
        if recorded.tests:
            assert sum(points for points, _ in recorded.tests.values()) == pytest.approx(float(given_.given), abs=1e-6)


@given(reports())
@settings(max_examples=30)
def test_law_full_marks_and_none_are_never_rounded_to(report: Report) -> None:
    given_ = grade(report.score, Undecided.ZERO)
    assert given_ is not None
    if 0 < given_.given < given_.maximum:
        assert 0 < given_.share < 1
        assert 0 < rounded(given_.scaled(Fraction(10)), Fraction(10), places=1) < 10


def test_nearly_everything_is_not_everything() -> None:
    assert rounded(Fraction("9.996"), Fraction(10), places=2) == 9.99
    assert rounded(Fraction("0.001"), Fraction(10), places=2) == 0.01
    assert rounded(Fraction(1, 3), Fraction(1), places=2) == 0.33
    assert rounded(Fraction(10), Fraction(10), places=2) == 10.0


# ---------------------------------------------------------------------------------------------------- what is too large


def test_prairielearn_a_huge_report_is_cut_until_it_fits_and_says_so(graded: dict[str, Report]) -> None:
    report = saying(graded["wrong"], "é\n" * 20_000)
    exercises = [msgspec.structs.replace(report.exercises[0], name=f"e{i}") for i in range(20)]
    score = msgspec.structs.replace(report.score, earned=20.0, possible=60.0)
    data = export(ReportFormat.PRAIRIELEARN, msgspec.structs.replace(report, exercises=exercises, score=score))
    assert data is not None
    assert LIMIT // 4 < len(data) <= LIMIT
    recorded = rules.prairielearn(data)
    assert len(recorded.tests) == 40
    assert "letters in all; the JSON report has them)" in recorded.text


def test_prairielearn_what_can_not_be_made_to_fit_is_refused(graded: dict[str, Report]) -> None:
    report = graded["right"]
    exercises = [msgspec.structs.replace(report.exercises[0], name=f"e{i}" + "x" * 9000) for i in range(60)]
    score = msgspec.structs.replace(report.score, earned=180.0, possible=180.0)
    with pytest.raises(ValueError, match=r"^\d+ bytes, and PrairieLearn takes 1000000$"):
        export(ReportFormat.PRAIRIELEARN, msgspec.structs.replace(report, exercises=exercises, score=score))


def test_github_outputs_have_500_letters(graded: dict[str, Report]) -> None:
    data = export(ReportFormat.GITHUB, saying(graded["wrong"], "x" * 3000))
    tests = json.loads(base64.b64decode(data or b""))["tests"]
    assert max(len(test["output"]) for test in tests) == OUTPUT
    assert tests[1]["output"].endswith("letters in all; the JSON report has them)")


@given(HOSTILE.map(lambda text: text * 20), st.integers(100, 300))
@example("é" * 500, 101)
@example("\x1b" * 100, 120)
@settings(max_examples=50)
def test_law_a_shortened_text_fits_and_a_short_one_is_whole(text: str, room: int) -> None:
    short = shortened(text, room)
    assert len(short.encode()) <= room
    assert (short == visible_lines(text)) == (len(visible_lines(text).encode()) <= room)


# --------------------------------------------------------------------------------------------------------- how it reads


@pytest.mark.parametrize("state", ["right", "wrong"])
@pytest.mark.parametrize("form", ReportFormat)
def test_an_export_reads_as_its_golden_file(
    form: ReportFormat, state: str, graded: dict[str, Report], golden: Callable[[str, str], None]
) -> None:
    data = export(form, _still(graded[state]))
    assert data is not None
    if form is ReportFormat.GITHUB:
        data = json.dumps(json.loads(base64.b64decode(data)), indent=2).encode() + b"\n"
    golden(f"exports/{state}.{form}{suffix(form)}", data.decode())


def _still(report: Report) -> Report:
    """Without what differs from run to run."""
    exercises = [
        msgspec.structs.replace(
            exercise,
            parts=[
                msgspec.structs.replace(
                    part, checks=[msgspec.structs.replace(check, seconds=0.125) for check in part.checks]
                )
                for part in exercise.parts
            ],
        )
        for exercise in report.exercises
    ]
    named = msgspec.structs.replace(report.submission, digest="0" * 64)
    return msgspec.structs.replace(anywhere(report), exercises=exercises, submission=named, started=WHEN, seconds=0.5)
