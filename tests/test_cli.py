"""The command line: exit codes, what is printed where, and that a user's mistake is told without a traceback.

A course of one function keeps these fast; the shipped topic is graded in tests/test_demo.py.
The golden help texts are what `COLUMNS=80 grader --help` and `COLUMNS=80 grader grade --help` print.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from grader import cli, grading
from grader.cli import single, terminal
from grader.errors import OracleError
from grader.reference import Oracle
from grader.report import model
from grader.report.model import validate
from grader.topics import assignment_names, find_manifest

GOLDEN = Path(__file__).parent / "golden" / "cli"
MANIFEST = """
format = 1
name = "tiny"
title = "One function"
file = "tiny.py"
reference = "tiny.py"
solution = "solutions/tiny.py"
seed = 7

[[exercise]]
name = "double"
kind = "function"
function = "double"
reference = "double"
inputs = { x = "N" }
points = { value = 2 }

[[exercise.case]]
name = "small"
sizes = { N = 3 }

[[exercise.case]]
name = "hidden"
sizes = { N = 5 }
hidden = true
"""
RIGHT = "def double(x):\n    return 2 * x\n"
WRONG = "def double(x):\n    return 3 * x\n"
STUB = "def double(x):\n    raise NotImplementedError('double is not written yet')\n"


class Ran(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command in this process."""

    def run(*argv: object) -> Ran:
        capsys.readouterr()
        code = cli.main([str(item) for item in argv])
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with one topic; its assignment.toml."""
    manifest = tmp_path / "course" / "assignments" / "tiny" / "assignment.toml"
    solution = tmp_path / "course" / "reference" / "solutions" / "tiny.py"
    for path, text in ((manifest, MANIFEST), (solution.parent.parent / "tiny.py", RIGHT), (solution, RIGHT)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return manifest


@pytest.fixture
def submission(course: Path) -> Path:
    """What a student handed in: the folder of the topic, with a right tiny.py."""
    (course.parent / "tiny.py").write_text(RIGHT)
    return course.parent


def in_a_process(*argv: object, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    command = [sys.executable, "-m", "grader", *map(str, argv)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **changes})


# ------------------------------------------------------------------------------------------------- exit codes


def test_everything_right_is_0_with_every_point(run: Callable[..., Ran], submission: Path) -> None:
    ran = run("grade", submission, "--assignment", submission)
    assert ran.code == cli.PASSED
    assert ran.out.endswith("2 of 2 points\n")


@pytest.mark.parametrize("code", [WRONG, STUB, "", "def double(x):\n  return\n 1", "raise SystemExit(0)"])
def test_something_wrong_is_1_with_no_points(run: Callable[..., Ran], submission: Path, code: str) -> None:
    (submission / "tiny.py").write_text(code)
    ran = run("grade", submission, "--assignment", submission)
    assert ran.code == cli.FAILED
    assert ran.out.endswith("0 of 2 points\n")
    assert "Traceback" not in ran.err


def test_an_unreadable_archive_is_a_report_with_1(run: Callable[..., Ran], course: Path, tmp_path: Path) -> None:
    archive = tmp_path / "handin.zip"
    archive.write_bytes(b"PK\x03\x04 and then nothing")
    ran = run("grade", archive, "--assignment", course, "--format", "json")
    assert ran.code == cli.FAILED
    (exercise,) = json.loads(ran.out)["exercises"]
    codes = {finding["code"] for check in exercise["parts"][0]["checks"] for finding in check["findings"]}
    assert codes == {"SUBMISSION_UNREADABLE"}


def test_a_missing_submission_is_a_usage_error(run: Callable[..., Ran], tmp_path: Path) -> None:
    ran = run("grade", tmp_path / "nothing")
    assert ran.code == cli.UNDECIDED
    assert ran.out == ""
    assert "does not exist" in ran.err


@pytest.mark.parametrize(
    "argv", [["frob"], ["grade"], ["grade", ".", "--seed", "-1"], ["grade", ".", "--format", "xml"], ["--frob"]]
)
def test_usage_errors_are_2(run: Callable[..., Ran], argv: list[str]) -> None:
    ran = run(*argv)
    assert (ran.code, ran.out) == (cli.UNDECIDED, "")
    assert "Usage: grader" in ran.err


def test_an_unknown_assignment_is_the_users_mistake(run: Callable[..., Ran], submission: Path) -> None:
    ran = run("grade", submission, "--assignment", "nope")
    assert ran.code == cli.UNDECIDED
    assert "Invalid value for '--assignment': there is no assignment 'nope'" in ran.err
    assert "mlp" in ran.err


def test_a_broken_manifest_names_file_and_field(run: Callable[..., Ran], course: Path, submission: Path) -> None:
    course.write_text(MANIFEST.replace("{ value = 2 }", "{ value = -2 }"))
    ran = run("grade", submission, "--assignment", submission)
    assert (ran.code, ran.out) == (cli.UNDECIDED, "")
    last = ran.err.splitlines()[-1]
    assert last.startswith("grader: the course is at fault: ")
    assert str(course) in last
    assert "exercise double.points.value" in last


def test_undecided_is_2_and_says_whose_fault(run: Callable[..., Ran], course: Path, submission: Path) -> None:
    (course.parent.parent.parent / "reference" / "tiny.py").write_text("def double(x):\n    return x.nope\n")
    ran = run("grade", submission, "--assignment", submission)
    assert ran.code == cli.UNDECIDED
    assert ran.out.endswith("0 of 2 points, 2 undecided\n")
    assert ran.err.endswith("grader: could not grade double / value: the course is at fault, not the student\n")


def test_a_failure_outweighs_what_is_undecided(
    run: Callable[..., Ran], submission: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (submission / "tiny.py").write_text(WRONG)
    expected = Oracle.expected

    def only_visible(self: Oracle, exercise: object, case: object) -> object:
        if case.spec.hidden:
            raise OracleError("double", "broken on purpose")
        return expected(self, exercise, case)

    monkeypatch.setattr(Oracle, "expected", only_visible)
    monkeypatch.setattr(grading, "vacuous", lambda *_: None)
    ran = run("grade", submission, "--assignment", submission)
    assert ran.code == cli.FAILED


def test_our_own_crash_is_2_not_pythons_1(
    run: Callable[..., Ran], submission: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(grading, "grade_path", crash)
    ran = run("grade", submission, "--assignment", submission)
    assert ran.code == cli.UNDECIDED
    assert ran.err.endswith("grader: this is a mistake in gradmark, not in the submission\n")


def test_interrupted_is_130_with_one_line(
    run: Callable[..., Ran], submission: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grading, "grade_path", lambda *_, **__: signal.raise_signal(signal.SIGINT))
    ran = run("grade", submission, "--assignment", submission)
    assert ran.code == cli.INTERRUPTED
    assert ran.err == "\ngrader: interrupted\n"  # the first line is the one that the terminal's ^C stands on


# ------------------------------------------------------------------------------------------------- what is printed


def test_json_alone_on_stdout_fits_the_schema(run: Callable[..., Ran], submission: Path) -> None:
    ran = run("grade", submission, "--assignment", submission, "--format", "json")
    document = json.loads(ran.out)
    validate(document)
    assert document["score"] == {"earned": 2.0, "possible": 2.0, "undecided": 0.0, "pending": 0.0, "verdict": "passed"}
    assert document["exercises"][0]["parts"][0]["checks"][0]["comparisons"]


def test_the_report_is_written_beside_the_text(run: Callable[..., Ran], submission: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    ran = run("grade", submission, "--assignment", submission, "--report", report)
    assert ran.out.endswith("2 of 2 points\n")
    validate(json.loads(report.read_bytes()))


def test_a_report_that_cannot_be_written_comes_after_the_text(
    run: Callable[..., Ran], submission: Path, tmp_path: Path
) -> None:
    ran = run("grade", submission, "--assignment", submission, "--report", tmp_path / "no folder" / "report.json")
    assert ran.code == cli.UNDECIDED
    assert ran.out.endswith("2 of 2 points\n")
    assert "the report can't be written to" in ran.err
    assert "Traceback" not in ran.err


def test_a_full_disk_leaves_the_earlier_report(
    run: Callable[..., Ran], submission: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = tmp_path / "report.json"
    report.write_text("the earlier one")

    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model.Path, "write_bytes", full)
    ran = run("grade", submission, "--assignment", submission, "--report", report)
    assert ran.code == cli.UNDECIDED
    assert ran.err.endswith("No space left on device\n")
    assert report.read_text() == "the earlier one"


def test_a_private_seed_changes_the_hidden_case_and_is_not_shown(run: Callable[..., Ran], submission: Path) -> None:
    (submission / "tiny.py").write_text(WRONG)
    ran = run("grade", submission, "--assignment", submission, "--seed", 8671, "--format", "json")
    document = json.loads(ran.out)
    assert document["seeds"] == {"visible": 7, "hidden": None, "private": True}
    visible, hidden = document["exercises"][0]["parts"][0]["checks"]
    assert (visible["seed"], hidden.get("seed")) == (7, None)
    assert "actual" not in hidden["comparisons"][0]
    assert "8671" not in ran.out


def test_control_characters_of_a_student_do_not_reach_the_terminal(run: Callable[..., Ran], submission: Path) -> None:
    (submission / "tiny.py").write_text("def double(x):\n    raise ValueError('\\x1b]0;owned\\x07\\x9b2J \\ud800')\n")
    ran = run("grade", submission, "--assignment", submission)
    assert ran.code == cli.FAILED
    assert "owned" in ran.out
    assert not any((ord(letter) < 32 and letter != "\n") or 127 <= ord(letter) < 160 for letter in ran.out)


@pytest.mark.parametrize(
    ("text", "colours"),
    [
        ("mlp / relu / backward   2 of 2 points", ["32"]),
        ("  relu / backward  0.5 of 2  1 of 7 checks failed", ["31"]),
        ("0 of 2 points, 2 undecided", ["33"]),
        ("  relu / backward  0 of 2  undecided (the course at fault)", ["33"]),
        ("  dw is not the gradient: 20 of 20 elements differ", []),
        ("ok       numpy  2.4\nproblem  torch  no", ["32", "31"]),
    ],
)
def test_colours(text: str, colours: list[str]) -> None:
    painted = terminal.painted(text)
    assert [piece.split("m")[0] for piece in painted.split("\x1b[")[1:] if not piece.startswith("0m")] == colours


def test_without_a_terminal_no_colour_and_no_progress(run: Callable[..., Ran], submission: Path) -> None:
    (submission / "tiny.py").write_text(WRONG)
    ran = run("grade", submission, "--assignment", submission)
    assert "\x1b" not in ran.out
    assert ran.err == ""


def _on_a_terminal(*argv: object, **environment: str) -> tuple[int, str]:
    """Exit code of the command, and what a terminal would get."""
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "grader", *map(str, argv)]
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env={**inherited, **environment}) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    return process.returncode, shown.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pty module")
def test_on_a_terminal_progress_is_erased_before_the_result(submission: Path) -> None:
    code, shown = _on_a_terminal("grade", submission, "--assignment", submission, COLUMNS="60")
    assert code == cli.PASSED
    before, _, after = shown.partition("1/1 double / value")
    assert "\r" + " " * 59 + "\r" in after
    assert "\x1b[32m2 of 2 points\x1b[0m" in after
    assert "points" not in before


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pty module")
def test_a_terminal_whose_user_wants_no_colour(submission: Path) -> None:
    code, shown = _on_a_terminal("grade", submission, "--assignment", submission, NO_COLOR="1")
    assert code == cli.PASSED
    assert "2 of 2 points" in shown
    assert "\x1b[3" not in shown


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # Linux says so when the other end is gone
        return b""


# ------------------------------------------------------------------------------------------------- which assignment


def test_a_submission_does_not_choose_how_it_is_graded(run: Callable[..., Ran], submission: Path) -> None:
    for path in (submission, submission / "tiny.py"):
        ran = run("grade", path)
        assert (ran.code, ran.out) == (cli.UNDECIDED, "")
        assert "does not choose how it is graded" in ran.err
        assert f"--assignment {submission}" in ran.err


def test_a_copy_of_a_topic_is_graded_by_the_manifest_that_came_with_gradmark(tmp_path: Path) -> None:
    (tmp_path / "mlp").mkdir()
    (tmp_path / "mlp" / "assignment.toml").write_text("points = 1000")
    assert single._manifest(None, tmp_path / "mlp") == find_manifest("mlp")


def test_also_where_the_copy_lies_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = find_manifest("mlp")
    (tmp_path / "mlp").mkdir()
    (tmp_path / "mlp" / "assignment.toml").write_text("points = 1000")
    monkeypatch.chdir(tmp_path)
    for asked in (None, "mlp"):
        assert single._manifest(asked, Path("mlp")) == shipped
    assert single._manifest("./mlp", Path("mlp")) == Path("mlp/assignment.toml")


def test_an_assignment_is_found_by_folder_and_by_file(run: Callable[..., Ran], course: Path, tmp_path: Path) -> None:
    archive = tmp_path / "handin.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("work/tiny.py", RIGHT)
    for assignment in (course, course.parent):
        ran = run("grade", archive, "--assignment", assignment)
        assert (ran.code, ran.err) == (cli.PASSED, "")


@pytest.mark.parametrize(
    ("submission", "names", "found"),
    [
        ("mlp.py", ["mlp.py"], ["mlp"]),
        ("conv.ipynb", ["conv.ipynb"], ["conv"]),
        ("handed_in", ["handed_in/mlp.py", "handed_in/plots.py"], ["mlp"]),
        ("conv", ["conv/mlp.py"], ["mlp"]),  # a file's name says more than a folder's
        ("conv", ["conv/layers.py"], ["conv"]),
        ("conv.zip", ["conv.zip"], ["conv"]),
        ("handed_in", ["handed_in/mlp.py", "handed_in/conv.py"], ["conv", "mlp"]),
        ("ada.py", ["ada.py"], []),
    ],
)
def test_the_topic_is_the_one_whose_file_it_is(
    tmp_path: Path, submission: str, names: list[str], found: list[str]
) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert single._named_after(tmp_path / submission, ("conv", "mlp", "norm")) == found


def test_of_several_topics_one_must_be_named(
    run: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single, "assignment_names", lambda: ("conv", "mlp"))
    ran = run("grade", tmp_path)
    assert ran.code == cli.UNDECIDED
    assert "Give --assignment; there are conv, mlp." in ran.err


# -------------------------------------------------------------------------------------------------- what there is


def test_the_topics_are_listed(run: Callable[..., Ran]) -> None:
    ran = run("topics")
    assert (ran.code, ran.err) == (cli.PASSED, "")
    lines = {line.split()[0]: line for line in ran.out.splitlines()}
    assert tuple(lines) == assignment_names()
    assert lines["mlp"].split("  ")[-1].strip() == "A two-layer network, by hand"
    assert "40 points" in lines["mlp"]
    listed = json.loads(run("topics", "--format", "json").out)
    assert [(topic["name"], topic["arrays"]) for topic in listed if topic["name"] == "mlp"] == [("mlp", "numpy")]


def test_the_exercises_of_a_topic_are_listed(run: Callable[..., Ran], course: Path) -> None:
    ran = run("topics", "mlp")
    assert (ran.code, ran.err) == (cli.PASSED, "")
    assert ran.out.splitlines()[0].split() == ["affine", "layer", "10", "points", "affine_forward,", "affine_backward"]
    listed = json.loads(run("topics", course, "--format", "json").out)
    assert listed == [{"name": "double", "kind": "function", "points": 2.0, "asks_for": ["double"]}]
    ran = run("topics", "nope")
    assert ran.code == cli.UNDECIDED
    assert "Invalid value for TOPIC: there is no assignment 'nope'" in ran.err


# ------------------------------------------------------------------------------------------------- the process


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["--help"], "help.txt"),
        (["grade", "--help"], "grade_help.txt"),
        (["topics", "--help"], "topics_help.txt"),
        (["batch", "--help"], "batch_help.txt"),
        (["regrade", "--help"], "regrade_help.txt"),
        (["export", "--help"], "export_help.txt"),
        (["package", "--help"], "package_help.txt"),
    ],
)
def test_help(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, argv: list[str], name: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ran = run(*argv)
    assert (ran.code, ran.err) == (cli.PASSED, "")
    assert ran.out == (GOLDEN / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["demo", "schema", "doctor", "merge", "show", "publish"])
def test_every_command_has_help_with_an_example(run: Callable[..., Ran], command: str) -> None:
    ran = run(command, "--help")
    assert ran.code == cli.PASSED
    assert f"  grader {command}" in ran.out


def test_the_schema_is_the_published_one(run: Callable[..., Ran]) -> None:
    assert json.loads(run("schema").out) == model.json_schema()


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["schema"], ["grade", "--help"], ["batch", "--help"]])
def test_what_needs_no_grading_loads_nothing_heavy(argv: list[str]) -> None:
    code = (
        "import sys; from grader.cli import main; code = main(sys.argv[1:]);"
        "print(*{'numpy', 'torch', 'msgspec', 'jsonschema'} & set(sys.modules), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *argv], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.strip()) == (cli.PASSED, "")


def test_a_reader_that_goes_away_changes_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "grader", "schema"], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (cli.PASSED, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_result_that_cannot_be_printed_is_2() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "grader", "schema"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == cli.UNDECIDED
    assert done.stderr.startswith("grader: this machine is at fault: the result can't be written to stdout")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM can't be caught there")
def test_a_job_that_is_cancelled_leaves_nothing_behind(submission: Path, tmp_path: Path) -> None:
    begun, folder = tmp_path / "begun", tmp_path / "temporary"
    folder.mkdir()
    endless = f"def double(x):\n    open({str(begun)!r}, 'w').close()\n    while True:\n        pass\n"
    (submission / "tiny.py").write_text(endless, encoding="utf-8")
    command = [sys.executable, "-m", "grader", "grade", str(submission), "--assignment", str(submission), "--unsafe"]
    with subprocess.Popen(command, env={**os.environ, "TMPDIR": str(folder)}) as process:
        deadline = time.monotonic() + 60
        while not begun.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert list(folder.iterdir())
        process.terminate()
    assert process.returncode == 128 + signal.SIGTERM
    assert not list(folder.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_job_that_is_cancelled_leaves_no_process_behind(submission: Path) -> None:
    (submission / "tiny.py").write_text("def double(x):\n    while True:\n        pass\n", encoding="utf-8")
    command = [sys.executable, "-m", "grader", "grade", str(submission), "--assignment", str(submission)]
    with subprocess.Popen(command) as process:
        started: set[int] = set()
        deadline = time.monotonic() + 60
        while len(started) < 2 and time.monotonic() < deadline:  # the zygote and the submission's process at least
            time.sleep(0.05)
            started = descendants(process.pid)
        process.terminate()
    assert len(started) >= 2
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in started) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]


def descendants(pid: int) -> set[int]:
    """Numbers of the processes below one."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found, more = set(), {pid}
    while more:
        more = {child for child, parent in parents.items() if parent in more}
        found |= more
    return found


def test_where_no_wall_can_be_built_nothing_is_graded(
    run: Callable[..., Ran], submission: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    ran = run("grade", submission, "--assignment", submission)
    assert ran.code == cli.UNDECIDED
    assert "this machine is at fault: the wall that is required (seccomp) can't be built here" in ran.err
    assert "--unsafe" in ran.err
    assert ran.out == ""


def test_without_a_wall_it_is_loud_and_the_report_says_so(
    run: Callable[..., Ran], submission: Path, tmp_path: Path
) -> None:
    ran = run("grade", submission, "--assignment", submission, "--unsafe", "--report", tmp_path / "r.json")
    assert ran.err.count("WARNING") == 2
    assert "graded without a wall" in ran.out
    assert json.loads((tmp_path / "r.json").read_text())["environment"]["wall"] == "none"


def test_a_terminal_that_knows_few_letters(submission: Path) -> None:
    (submission / "tiny.py").write_text("def double(x):\n    raise ValueError('∂L/∂x')\n", encoding="utf-8")
    done = in_a_process("grade", submission, "--assignment", submission, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == cli.FAILED
    assert r"\u2202L/\u2202x" in done.stdout


def test_only_some_exercises(run: Callable[..., Ran], tmp_path: Path) -> None:
    ran = run(
        "grade",
        find_manifest("mlp").parent,
        "--assignment",
        "mlp",
        "--only",
        "s*",
        "--only",
        "relu",
        "--require",
        "none",
    )
    assert (ran.code, "0 of 15" in ran.out.split("\n")[-2]) == (cli.FAILED, True), ran.out
    refused = run("grade", tmp_path, "--assignment", "mlp", "--only", "conv")
    assert refused.code == cli.UNDECIDED
    assert "no exercise is named 'conv'; there are 'affine', 'relu'" in refused.err
