"""`grader export`: what is written where, who is listed, and that a wrong input is one clear message."""

from __future__ import annotations

import json
import os
from pathlib import Path

import consumer_rules as rules
import pytest
from test_exports import a_report

from grader import cli
from grader.cli import exporting
from grader.gradebook import Attempt, Gradebook, Key, seal
from grader.report.exports.formats import ClassFormat, ReportFormat, suffix
from grader.report.model import Report, write_report

PLATFORM = "doejane_4711_9_mlp.py"


def a_result(earned: int, undecided: int = 0) -> Report:
    """A report of two parts: 2.5 points that are all earned, and some of others."""
    parts = [((250, 0, 0, 0), "RAISED"), ((earned, undecided, 0, 750 - earned - undecided), "RAISED")]
    return a_report(parts, 0, "what was said")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A class of three: one from Canvas, one by name, one whose points are undecided."""
    with Gradebook(tmp_path / "run", write=True) as book:
        for number, (attempt, report) in enumerate(
            [
                (Attempt(student="4711", name="doejane", handin=PLATFORM), a_result(250)),
                (Attempt(student="bob", handin="bob.zip", late=True), a_result(0)),
                (Attempt(student="eve", handin="eve.zip"), a_result(0, undecided=750)),
            ]
        ):
            key = Key(submission=str(number), assignment="a", grader="g", seed="public")
            book.record(key, seal(report), [attempt])
    return tmp_path / "run"


def export(*argv: object) -> int:
    return cli.main(["export", *map(str, argv)])


def test_the_formats_of_the_option_are_those_there_are() -> None:
    assert (tuple(ClassFormat), tuple(ReportFormat)) == (exporting._CLASS, exporting._REPORT)


@pytest.mark.parametrize("form", ReportFormat)
def test_of_a_run_each_student_gets_a_file(
    form: ReportFormat, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "out"
    code = export(run, "--format", form, "--out", out, "--undecided", "zero")
    assert (code, capsys.readouterr().err) == (0, f"grader: 3 files in {out}\n")
    assert {path.name for path in out.iterdir()} == {f"{who}{suffix(form)}" for who in ("4711", "bob", "eve")}


def test_a_report_is_written_to_stdout_or_to_a_file(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    write_report(a_result(250), tmp_path / "r.json")
    assert export(tmp_path / "r.json", "--format", "gradescope") == 0
    written = capsysbinary.readouterr().out
    assert rules.gradescope(written).score == 5.0
    (tmp_path / "results.json").write_text("an earlier one")
    assert export(tmp_path / "r.json", "--format", "gradescope", "--out", tmp_path / "results.json") == 0
    assert (tmp_path / "results.json").read_bytes() == written
    assert export(tmp_path / "r.json", "--format", "csv") == 0
    assert len(rules.spreadsheet(capsysbinary.readouterr().out)) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"r.json", "results.json"}


def test_lti_names_the_user_of_the_roster_and_when_the_result_began_to_count(run: Path, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("handin,LTI user ID\n4711,u-1\nbob,u-2\neve,u-3\n")
    out = tmp_path / "out"
    assert export(run, "--format", "lti-ags", "--out", out, "--roster", tmp_path / "roster.csv") == 2
    found = {path.stem: json.loads(path.read_bytes()) for path in out.iterdir()}
    assert {who: body["userId"] for who, body in found.items()} == {"4711": "u-1", "bob": "u-2", "eve": "u-3"}
    assert found["eve"]["gradingProgress"] == "PendingManual"
    with Gradebook(run) as book:
        recorded = {entry.attempt.student: entry.recorded for entry in book.current()}
    assert {who: body["timestamp"] for who, body in found.items()} == {
        who: when.replace("+", ".000+") for who, when in recorded.items()
    }
    for path in out.iterdir():
        rules.lti_ags(path.read_bytes())


def test_whose_grade_is_held_back_is_listed_and_an_earlier_file_goes(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert export(run, "--format", "codegrade", "--out", out) == 0
    assert (out / "eve.json").is_file()
    capsys.readouterr()
    assert export(run, "--format", "codegrade", "--out", out, "--undecided", "hold") == 2
    assert not (out / "eve.json").exists()
    assert capsys.readouterr().err == (
        "grader: held back: eve: 2.5 of 10, 7.5 undecided, the course at fault\n"
        "grader: --undecided zero or exclude gives them a grade\n"
        f"grader: 2 files in {out}\n"
    )


def test_canvas_the_instructors_export_is_filled_and_left_alone(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = b"Student,ID,SIS User ID,SIS Login ID,Section,affine (3)\r\nDoe,4711,,x,A,\r\nR,5,,bob,A,1\r\nE,6,,,A,\r\n"
    (tmp_path / "theirs.csv").write_bytes(theirs)
    argv = [run, "--format", "canvas", "--into", tmp_path / "theirs.csv", "--out", tmp_path / "ours.csv"]
    assert export(*argv) == 2
    assert (tmp_path / "theirs.csv").read_bytes() == theirs
    filled = theirs.replace(b"4711,,x,A,", b"4711,,x,A,5").replace(b"A,1", b"A,2.5")
    assert (tmp_path / "ours.csv").read_bytes() == filled
    assert capsys.readouterr().err.splitlines() == [
        "grader: no grade is written for eve: no row has this id or name",
        "grader: 1 row is of nobody who handed in, and stays",
        f"grader: 2 grades written to {tmp_path / 'ours.csv'}",
    ]


def test_moodle_a_participants_number_is_no_id_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handin = "Jane Doe_71_assignsubmission_file"
    with Gradebook(tmp_path / "run", write=True) as book:
        key = Key(submission="s", assignment="a", grader="g", seed="public")
        book.record(key, seal(a_result(250)), [Attempt(student="71", name="Jane Doe", handin=handin)])
    assert export(tmp_path / "run", "--format", "moodle") == 2
    told = capsys.readouterr()
    assert "no grade is written for 71: Moodle's import does not know this id (Participant)" in told.err
    assert rules.moodle(told.out.encode(), []) == {}
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("Identifier,Grade,Last modified (grade)\nParticipant 71,,-\n")
    assert export(tmp_path / "run", "--format", "moodle", "--into", sheet) == 0
    assert rules.moodle_worksheet(capsys.readouterr().out.encode()) == {"71": "5"}


MISTAKES = {
    "no such format": (["run", "--format", "xml"], "'xml' is not one of 'csv', 'canvas', 'moodle', 'gradescope',"),
    "no run": ([".", "--format", "csv"], "that can't be done: . holds no gradebook: `grader batch ... --out .` makes"),
    "an empty run": (["empty", "--format", "csv"], "that can't be done: empty holds no results yet"),
    "no report": (["list.csv", "--format", "junit"], "list.csv: not a report of version 1: JSON is malformed"),
    "a broken report": (["bad.json", "--format", "junit"], "not a report of version 1: Object missing required field"),
    "no folder": (["run", "--format", "gradescope"], "gradescope is one file a student: say in which folder"),
    "a file as folder": (["run", "--format", "junit", "--out", "list.csv"], "list.csv is a file, and junit is one"),
    "a folder as file": (["run", "--format", "csv", "--out", "run"], "run is a folder, and this is one file"),
    "a table for csv": (["run", "--format", "csv", "--into", "list.csv"], "csv fills no table; canvas and moodle do"),
    "a column of no table": (["run", "--format", "canvas", "--column", "x"], "say which, with --into"),
    "no table": (["run", "--format", "canvas", "--into", "list.csv"], "list.csv: the first row is not that of a"),
    "no roster": (["run", "--format", "csv", "--roster", "list.csv"], "list.csv: a roster has a column called handin"),
    "over what is read": (
        ["run", "--format", "canvas", "--into", "list.csv", "--out", "list.csv"],
        "list.csv is what is read: it is not written over",
    ),
    "no room": (["run", "--format", "csv", "--out", "no/x.csv"], "machine is at fault: no/x.csv can't be written"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_message(
    mistake: str, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Gradebook(tmp_path / "empty", write=True).close()
    Path("list.csv").write_text("a,b\n1,2\n")
    Path("bad.json").write_text('{"format": "gradmark-report", "version": 1}')
    argv, message = MISTAKES[mistake]
    assert export(*argv) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.out == ""
    assert "Traceback" not in told.err
    assert Path("list.csv").read_text() == "a,b\n1,2\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_full_disk_is_told_and_a_device_is_not_replaced_by_a_file(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = Path("/dev/full")
    before = os.stat(full).st_rdev
    pipe = run.parent / "pipe"  # tried first where no harm is done: a mistake would make a file of it
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert export(run, "--format", "csv", "--out", pipe, "--undecided", "zero") == 0
    assert rules.spreadsheet(os.read(reader, 100_000))
    os.close(reader)
    assert pipe.is_fifo()
    assert export(run, "--format", "csv", "--out", full) == 2
    assert "this machine is at fault: /dev/full can't be written: No space left on device" in capsys.readouterr().err
    assert os.stat(full).st_rdev == before
