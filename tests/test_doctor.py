"""The doctor tries rather than looks up, and each way in which this machine may fall short is told with what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader import cli, doctor
from grader.calls import Call, Killed, Loaded, LoadOutcome, Outcome, Raised, Returned, Rung, TimedOut
from grader.doctor import Level, Line, as_json, diagnose, render, works
from grader.errors import MachineError
from grader.sandbox import process
from grader.sandbox.pool import Sandbox


class Pretended:
    """A child process that answers as it is told to."""

    def __init__(self, loaded: LoadOutcome, *answers: Outcome) -> None:
        self.loaded, self.answers, self.closed = loaded, list(answers), 0

    def __call__(self, *_: Any, **__: Any) -> Pretended:
        return self

    def load(self) -> LoadOutcome:
        return self.loaded

    def call(self, call: Call) -> Outcome:
        return self.answers.pop(0)

    def close(self) -> None:
        self.closed += 1


LOADED = Loaded(functions=("double", "torch_is_here"))
DOUBLED = Returned(value=2 * np.arange(6, dtype=np.float64).reshape(2, 3))


@pytest.fixture(scope="module")
def here() -> tuple[Line, ...]:
    """What the doctor really says here."""
    return diagnose()


def about(lines: Any, name: str) -> Line:
    """The line about this."""
    (found,) = [line for line in lines if line.about == name]
    return found


def test_here_grading_works(here: tuple[Line, ...]) -> None:
    assert works(here), render(here)
    assert about(here, "torch computes").seen == "yes, in float64"
    assert about(here, "submission's process").level is Level.OK
    assert about(here, "numpy").seen == np.__version__
    assert "40 points" in about(here, "topic mlp").seen


def test_torch_is_really_kept_from_a_submission(here: tuple[Line, ...]) -> None:
    assert about(here, "torch in it") == Line(about="torch in it", seen="no: no autograd to borrow")


def test_the_wall_that_stands_here_is_named(here: tuple[Line, ...]) -> None:
    with Sandbox(require=Rung.NONE) as sandbox:
        assert about(here, "wall").seen.startswith(f"{sandbox.rung}: ")
        assert about(here, "layers").seen == ", ".join(sandbox.layers)


def test_a_wall_that_is_missing_is_said_plainly_and_what_is_refused_with_a_remedy() -> None:
    lines = list(doctor._wall(Rung.NONE, ("process",), {"seccomp": "no such call"}))
    assert about(lines, "wall").level is Level.WARNING
    assert "can read the files that you can" in about(lines, "wall").seen
    assert "--unsafe" in about(lines, "wall").remedy
    assert about(lines, "no seccomp").seen == "no such call"
    assert about(lines, "no seccomp").remedy


def test_a_layer_that_is_not_needed_asks_for_nothing() -> None:
    lines = list(doctor._wall(Rung.UNPRIVILEGED, ("process",), {"own user": "[Errno 1]"}))
    assert [line.level for line in lines] == [Level.OK] * 3
    assert about(lines, "no own user").remedy == ""


def test_a_warning_does_not_stop_grading_and_a_problem_does() -> None:
    fine, doubtful = Line(about="a", seen="1"), Line(about="b", level=Level.WARNING, seen="2", remedy="look")
    broken = Line(about="c", level=Level.PROBLEM, seen="3", remedy="mend it")
    assert works([fine, doubtful])
    assert not works([fine, broken])
    assert render([fine, broken]).splitlines() == [
        "ok       a  1",
        "problem  c  3",
        "            -> mend it",
        "",
        "Grading does not work here; see each problem above.",
    ]


@pytest.mark.parametrize(("level", "code"), [(Level.WARNING, cli.PASSED), (Level.PROBLEM, cli.UNDECIDED)])
def test_the_exit_code_says_whether_grading_works(
    level: Level, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (Line(about="x", level=level, seen="y", remedy="z"),)
    monkeypatch.setattr(doctor, "diagnose", lambda progress: lines)
    assert cli.main(["doctor"]) == code
    assert capsys.readouterr().out.startswith(f"{level.value:<8} x  y\n")
    assert cli.main(["doctor", "--format", "json"]) == code
    assert json.loads(capsys.readouterr().out) == {
        "works": code == cli.PASSED,
        "lines": [{"about": "x", "level": level.value, "seen": "y", "remedy": "z"}],
    }


def test_json_of_any_text() -> None:
    assert json.loads(as_json([Line(about="∂", seen="\x1b")]))["lines"][0]["about"] == "∂"


# ------------------------------------------------------------------------------------------------- what may be wrong


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    line = about(doctor._packages(), "torch")
    assert line.level is Level.PROBLEM
    assert line.remedy == f"{sys.executable} -m pip install torch"


@pytest.mark.parametrize(
    ("script", "seen"),
    [
        ("echo 'ImportError: libtorch.so: no such file' >&2; exit 1", "no: ImportError: libtorch.so: no such file"),
        ("kill -SEGV $$", "no: the process ended with status -11"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for a broken Python")
def test_a_torch_that_does_not_compute(tmp_path: Path, script: str, seen: str) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    (line,) = doctor._torch(str(python))
    assert (line.level, line.seen) == (Level.PROBLEM, seen)


def test_a_torch_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], timeout: float, **_: Any) -> None:
        raise subprocess.TimeoutExpired(command[0], timeout)

    monkeypatch.setattr(doctor.subprocess, "run", run)
    (line,) = doctor._torch("python")
    assert line.level is Level.PROBLEM
    assert "timed out after 60" in line.seen


def test_devices_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.CompletedProcess([], 0, stdout='a warning\n["cuda:0 One", "cuda:1 Two"]\n', stderr="")
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: done)
    assert about(doctor._torch(), "devices").seen == "cpu, cuda:0 One, cuda:1 Two"


def test_a_broken_topic_and_no_topic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "assignment.toml"
    broken.write_text("format = 2")
    monkeypatch.setattr(doctor, "assignment_names", lambda: ("tiny",))
    monkeypatch.setattr(doctor, "find_manifest", lambda name: broken)
    (line,) = doctor._topics()
    assert line.level is Level.PROBLEM
    assert str(broken) in line.seen
    monkeypatch.setattr(doctor, "assignment_names", lambda: ())
    (line,) = doctor._topics()
    assert line.level is Level.WARNING


@pytest.mark.parametrize(
    ("child", "seen"),
    [
        (Pretended(Killed(reason="it exited with code 3")), "did not start: it exited with code 3"),
        (Pretended(TimedOut(seconds=60.0)), "did not start: no answer within 60 s"),
        (Pretended(LOADED, Returned(value=np.zeros(3))), "doubling an array gave Returned"),
        (Pretended(LOADED, Raised(kind="E", message="", traceback="")), "doubling an array gave Raised"),
    ],
)
def test_a_process_that_does_not_answer(child: Pretended, seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ChildProcess", child)
    (line,) = doctor._isolation()
    assert (line.level, child.closed) == (Level.PROBLEM, 1)
    assert line.seen.startswith(seen)
    assert line.remedy


def test_a_process_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise MachineError("no process could be started")

    monkeypatch.setattr(process, "ChildProcess", refuse)
    (line,) = doctor._isolation()
    assert (line.level, line.seen) == (Level.PROBLEM, "failed: MachineError: no process could be started")


@pytest.mark.parametrize("answer", [Returned(value=np.array(True)), TimedOut(seconds=60.0)])
def test_a_submission_that_can_import_torch_is_a_warning(answer: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ChildProcess", Pretended(LOADED, DOUBLED, answer))
    lines = list(doctor._isolation())
    assert about(lines, "torch in it").level is Level.WARNING
    assert works(lines)


def test_a_whole_wall_is_not_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    child = Pretended(LOADED, DOUBLED, Returned(value=np.array(False)))
    monkeypatch.setattr(process, "ChildProcess", child)
    assert all(line.level is Level.OK for line in doctor._isolation())


def test_progress_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_torch", "_topics", "_isolation"):
        monkeypatch.setattr(doctor, name, tuple)
    told: list[str] = []
    record: Callable[[str], None] = told.append
    diagnose(record)
    assert told == ["importing torch", "reading the topics", "starting a process for a submission"]
