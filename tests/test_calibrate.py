"""grader calibrate: what is fair is told so, and each way of not being so is found and named."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import pytest
import torch

from grader import cli
from grader.assignment import Assignment, Draw
from grader.authoring import trying
from grader.authoring.calibration import Calibration, calibrate, upper_bound
from grader.authoring.calibration_text import render_calibration
from grader.authoring.damages import DAMAGES, Damaged
from grader.authoring.forks import Ended, in_forks
from grader.authoring.trying import OwnCode, Version, try_versions, worked_solution
from grader.calls import Call, Returned, Source
from grader.errors import CourseError, MachineError
from grader.grading import prepare
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.sandbox.nvml import gpus

HEAD = """
format = 1
name = "tiny"
title = "One function"
file = "tiny.py"
reference = "tiny.py"
solution = "solutions/tiny.py"
seed = 7
"""
MEAN = """
[[exercise]]
name = "mean"
kind = "function"
function = "mean"
reference = "mean"
inputs = { x = "N D" }
points = { value = 2 }

[[exercise.case]]
name = "square"
sizes = { N = 3, D = 3 }
"""
WIDE = """
[[exercise.case]]
name = "wide"
sizes = { N = 2, D = 4 }
"""
SOLUTION = "import numpy as np\n\n\ndef mean(x):\n    return np.sum(x, axis=0) / x.shape[0]\n"
REFERENCE = "def mean(x):\n    return x.mean(0)\n"


def course(
    folder: Path, exercises: str = MEAN + WIDE, solution: str = SOLUTION, reference: str = REFERENCE
) -> Assignment:
    (folder / "reference" / "solutions").mkdir(parents=True)
    (folder / "reference" / "tiny.py").write_text(f"import torch\n{reference}", encoding="utf-8")
    (folder / "reference" / "solutions" / "tiny.py").write_text(solution, encoding="utf-8")
    (folder / "assignments" / "tiny").mkdir(parents=True)
    (folder / "assignments" / "tiny" / "assignment.toml").write_text(HEAD + exercises, encoding="utf-8")
    return load_assignment(folder / "assignments" / "tiny" / "assignment.toml")


def timeless(found: Calibration) -> Calibration:
    """The same without what differs from run to run and from machine to machine."""
    exercises = [msgspec.structs.replace(each, milliseconds=0.0, margin=0.0) for each in found.exercises]
    return msgspec.structs.replace(found, exercises=exercises, seconds=0.0)


# ------------------------------------------------------------------------------------------------ what is found


def test_a_course_whose_cases_see_everything_is_clean(tmp_path: Path) -> None:
    found = calibrate(course(tmp_path), seeds=4)
    (exercise,) = found.exercises
    assert found.clean
    assert not found.vacuous
    assert (exercise.checks, exercise.not_passed) == (8, [])
    assert exercise.killed >= 12
    assert exercise.killed + len(exercise.equivalent) == exercise.versions
    assert 0 <= exercise.margin < 1e-3


def test_further_settings_are_no_matter_of_it(tmp_path: Path) -> None:
    """Their processes aren't there, and what is wrong in the main one is what is looked for."""
    found = calibrate(course(tmp_path, '[also_on]\n"torch" = 0.1\n"cuda" = 0.1\n' + MEAN + WIDE), seeds=2, most=3)
    (exercise,) = found.exercises
    assert found.clean
    assert (exercise.checks, exercise.not_passed) == (4, [])


def test_a_hole_is_named_with_the_case_that_closes_it(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    """Of squares alone nobody can tell the number of rows from that of columns."""
    holed = course(tmp_path / "holed", MEAN)
    found = calibrate(holed, seeds=2)
    (exercise,) = found.exercises
    assert not found.clean
    assert [hole.version for hole in exercise.holes] == ["mean, line 5: 1 where 0 stood, in what is returned"]
    golden("calibration/hole.txt", render_calibration(timeless(found), everything=True) + "\n")
    case = exercise.holes[0].hole
    assert tomllib.loads(case.replace("exercise.case", "case"))["case"]
    mended = calibrate(course(tmp_path / "mended", f"{MEAN}\n{case}\n"), seeds=2)
    assert mended.clean
    (exercise,) = mended.exercises
    assert exercise.cases[1].alone == 1


def test_a_reference_that_disagrees_shows_as_false_fails(tmp_path: Path) -> None:
    found = calibrate(course(tmp_path, reference="def mean(x):\n    return x.mean(0) + 1e-6\n"), seeds=3)
    (exercise,) = found.exercises
    assert not found.clean
    assert len(exercise.not_passed) == exercise.checks == 6
    assert "mean / value, case square, seed 8: out is not right: 3 of 3 elements differ" in exercise.not_passed
    assert exercise.false_fails_below == 1.0


def test_a_part_whose_cases_cannot_tell_is_vacuous(tmp_path: Path) -> None:
    zeros = MEAN + 'draw = { x = "zeros" }\n'
    (exercise,) = calibrate(course(tmp_path, zeros), seeds=1, most=3).exercises
    assert exercise.vacuous == ["value: all zeros would pass as the value in every case"]


COUNTED = """
def mean(x):
    total, left = 0.0, len(x)
    while left > 0:
        left -= 1
        total = total + x[left]
    return total / len(x)
"""


def test_an_endless_mutant_is_ended_and_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "LEAST_SECONDS", 0.3)
    (exercise,) = calibrate(course(tmp_path, solution=COUNTED), seeds=1).exercises
    assert exercise.endless >= 1
    assert exercise.endless < exercise.killed
    assert not exercise.holes


def test_a_solution_that_is_missing_or_does_not_parse_is_the_courses_fault(tmp_path: Path) -> None:
    broken = course(tmp_path, solution="def mean(x:\n")
    with pytest.raises(CourseError, match="does not parse: line 1"):
        calibrate(broken, seeds=1)
    with pytest.raises(CourseError, match="nothing can be calibrated"):
        worked_solution(replace(broken, solution=None))


def test_further_wrong_versions_are_judged_too(tmp_path: Path) -> None:
    """The door for what is wrong in another way than by its source."""
    assignment = course(tmp_path)
    source = worked_solution(assignment)
    known = Version(
        words="a known slip",
        kind="slip",
        exercises=("mean",),
        evaluator=lambda: Damaged(OwnCode(source), "mean", DAMAGES["off by 1e-3"]),
    )
    without, within = (calibrate(assignment, seeds=1, most=2, more=more).exercises[0] for more in ((), (known,)))
    assert (within.versions, within.killed) == (without.versions + 1, without.killed + 1)


# ------------------------------------------------------------------------------------------------------ its parts


def test_a_version_is_judged_as_a_student_is(tmp_path: Path) -> None:
    assignment = course(tmp_path)
    oracle = Oracle(assignment)
    prepare(oracle)
    texts = {
        "right": SOLUTION,
        "wrong": SOLUTION.replace("axis=0", "axis=1"),
        "crash": SOLUTION.replace("return", "import os; os._exit(3)"),
        "raise": SOLUTION.replace("np.sum", "np.no"),
    }
    versions = [
        Version(words=name, kind="", exercises=("mean",), evaluator=partial(OwnCode, source(text)))
        for name, text in texts.items()
    ]
    right, wrong, crash, raised = try_versions(assignment, oracle, versions, workers=2)
    assert (right.killed, right.undecided, right.checks) == (False, False, 2)
    assert (wrong.killed, wrong.cases, wrong.raised) == (True, ["mean: square", "mean: wide"], False)
    assert wrong.codes == ["WRONG_VALUE", "WRONG_SHAPE"]
    assert (crash.killed, crash.endless, crash.raised) == (True, False, True)
    assert (raised.killed, raised.codes) == (True, ["RAISED"])


def source(text: str) -> Source:
    return Source(entry="tiny.py", files={"tiny.py": text.encode()})


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_spoils_what_is_returned_and_nothing_else(name: str) -> None:
    import numpy as np

    code = "import numpy as np\ndef f(n):\n    return [np.arange(6.0).reshape(2, 3) / 7, np.ones((2, 3)) / 3, n]\n"
    call = Call(function="f", args=(4,))
    right, wrong = (
        OwnCode(source(code)).call(call),
        (damaged := Damaged(OwnCode(source(code)), "f", DAMAGES[name])).call(call),
    )
    assert isinstance(right, Returned)
    assert isinstance(wrong, Returned)
    assert damaged.changed
    assert any(not np.array_equal(one, two) for one, two in zip(right.value, wrong.value, strict=True))
    assert [np.shape(leaf) for leaf in wrong.value] == [(2, 3), (2, 3), ()]
    assert wrong.value[2] == 4
    other = Damaged(OwnCode(source(code)), "g", DAMAGES[name]).call(call)
    assert isinstance(other, Returned)
    assert np.array_equal(other.value[0], right.value[0])


def test_what_ends_its_process_costs_only_itself() -> None:
    def work(number: int) -> bytes:
        if number == 1:
            os._exit(0)
        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        while number == 3:
            pass
        return str(number).encode()

    found = dict(in_forks(work, 6, seconds=0.3, workers=2))
    assert found == {
        0: b"0", 1: Ended(endless=False), 2: Ended(endless=False), 3: Ended(endless=True), 4: b"4", 5: b"5",
    }  # fmt: skip


def test_what_only_sleeps_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.authoring.forks.PATIENCE", 2.0)
    assert list(in_forks(lambda number: time.sleep(1000) or b"", 1, seconds=0.1)) == [(0, Ended(endless=True))]


def test_torch_does_not_wait_in_a_fork_for_threads_of_its_parent() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        large = torch.ones(700, 700, dtype=torch.float64)
        assert float((large @ large).sum()) == 700**3  # which makes the threads
        work = lambda number: str(float((large @ large).add(1).min())).encode()  # noqa: E731
        assert list(in_forks(work, 1, seconds=0.5)) == [(0, b"701.0")]
    finally:
        torch.set_num_threads(before)


def test_a_mistake_of_ours_in_a_fork_is_told() -> None:
    with pytest.raises(MachineError, match="ZeroDivisionError"):
        list(in_forks(lambda number: bytes(1 // number), 1, seconds=1.0))


def test_large_answers_come_whole() -> None:
    assert list(in_forks(lambda number: bytes(3_000_000), 1, seconds=10.0)) == [(0, bytes(3_000_000))]


@pytest.mark.parametrize(
    ("found", "tries", "bound"),
    [(0, 20_000, 1.498e-4), (0, 1, 0.95), (1, 20, 0.2161), (5, 100, 0.1023), (3, 3, 1.0), (0, 0, 1.0)],
)
def test_the_upper_bound_is_that_of_clopper_and_pearson(found: int, tries: int, bound: float) -> None:
    assert upper_bound(found, tries) == pytest.approx(bound, rel=1e-3)


# ----------------------------------------------------------------------------------------------------- the command


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    gpus()  # which are remembered before they are hidden
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "none that torch would know")


def run(*arguments: str) -> int:
    return cli.main(["calibrate", *arguments, "--seeds", "2", "--workers", "1"])


def test_the_command_tells_and_writes_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = str(course(tmp_path).manifest)
    assert run(manifest, "--mutants", "4", "--json", str(tmp_path / "c.json")) == cli.PASSED
    assert (
        os.environ["CUDA_VISIBLE_DEVICES"] == ""
    )  # what forks computes without a GPU: autograd starts threads for one
    printed = capsys.readouterr()
    assert "0 of 4 checks of the worked solution not passed, under 2 seeds" in printed.out
    assert printed.err == ""
    written = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    assert written["exercises"][0]["name"] == "mean"
    assert written["exercises"][0]["versions"] <= 4


def test_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(course(tmp_path / "hole", MEAN).manifest)) == cli.FAILED
    assert "HOLE  mean" in capsys.readouterr().out
    zeros = course(tmp_path / "zeros", MEAN + 'draw = { x = "zeros" }\n')
    assert run(str(zeros.manifest), "--mutants", "1") == cli.UNDECIDED
    assert "its cases can't tell: mean / value" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "there is no assignment 'nowhere'"),
        (["mlp", "--only", "no such"], "no exercise is named 'no such'; there are 'affine'"),
        (["mlp", "--seeds", "0"], "0 is not in the range x>=1"),
    ],
)
def test_a_users_mistake_is_told_in_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["calibrate", *arguments]) == cli.UNDECIDED
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err


def test_help(
    golden: Callable[[str, str], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main(["calibrate", "--help"]) == cli.PASSED
    golden("cli/calibrate-help.txt", capsys.readouterr().out)


# ---------------------------------------------------------------------------------------------- outside the statement


LOG = """
[[exercise]]
name = "mean"
kind = "function"
function = "mean"
reference = "mean"
inputs = { x = { axes = "N D", draw = "positive" } }
points = { value = 2 }

[[exercise.case]]
name = "square"
sizes = { N = 3, D = 4 }
"""


def test_what_the_statement_leaves_out_is_no_hole(tmp_path: Path) -> None:
    """|x| and x differ where x is negative, which nobody asked about; the manifest can say so."""
    solution = "import numpy as np\n\n\ndef mean(x):\n    return np.sum(np.abs(x), axis=0) / x.shape[0]\n"
    reference = "def mean(x):\n    return x.abs().mean(0)\n"
    draws = [draw.value for draw in Draw if draw is not Draw.POSITIVE]
    said = LOG.replace("points", f"outside = {{ x = {json.dumps(draws)} }}\npoints")
    open_, closed = (
        calibrate(course(tmp_path / name, text, solution, reference), seeds=1).exercises[0]
        for name, text in (("open", LOG), ("closed", said))
    )
    left_out = "mean, line 5: abs left out, in what is returned"
    assert left_out in {hole.version for hole in open_.holes}
    assert left_out not in {hole.version for hole in closed.holes}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('outside = { z = ["huge"] }', "exercise mean.outside: there is no input 'z'; there are x"),
        ('outside = { x = ["positive"] }', "case square draws x in a way that the statement leaves out"),
        ('outside = { x = ["vast"] }', "outside"),
    ],
)
def test_a_wrong_word_about_what_is_outside_is_told(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(CourseError, match=re.escape(words)):
        course(tmp_path, LOG.replace("points", f"{line}\npoints"))
