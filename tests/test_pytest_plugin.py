"""The pytest door, by running pytest: on a tiny assignment for what pytest does, on the network for the whole path.

A run inside this process forgets the modules that it was the first to import. Some can't be imported twice (torch,
NumPy's own) and some take a second: `same_by_another_door` and the imports below see to it that they are there.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import hypothesis  # noqa: F401  (its plugin would import it in every run)
import numpy as np
import pytest

from grader.grading import grade
from grader.manifest import load_assignment
from grader.pytest_plugin.points import file_names
from grader.report.console import render_part
from grader.report.model import Report, validate
from grader.sandbox.inprocess import InProcess
from grader.submission import load_submission
from grader.topics import find_manifest, reference_folder, submissions_folder

MANIFEST = """
format = 1
name = "tiny"
title = "Two functions"
file = "tiny.py"
reference = "tiny.py"
seed = 3

[[exercise]]
name = "square"
kind = "function"
function = "square"
reference = "square"
inputs = { x = "N D" }
points = { value = 1, stable = 0.5 }

[[exercise.case]]
name = "small"
sizes = { N = 3, D = 4 }

[[exercise.case]]
name = "larger"
part = "stable"
sizes = { N = 5, D = 2 }

[[exercise]]
name = "cube"
kind = "function"
function = "cube"
reference = "cube"
inputs = { x = "N" }
points = { value = 1.5 }

[[exercise.case]]
name = "small"
sizes = { N = 3 }

[[exercise.case]]
name = "hidden sizes"
sizes = { N = [4, 9] }
hidden = true
"""
REFERENCE = "def square(x):\n    return x * x\n\n\ndef cube(x):\n    return x * x * x\n"
RIGHT = REFERENCE
WRONG_CUBE = REFERENCE.replace("x * x * x", "x * x")
SQUARE, STABLE, CUBE = (
    f"assignments/tiny/assignment.toml::{part}" for part in ("square::value", "square::stable", "cube::value")
)


@pytest.fixture
def tiny(pytester: pytest.Pytester) -> Path:
    """A course of one tiny assignment, with a right submission; its folder."""
    return make_tiny(pytester.path, "tiny")


def make_tiny(root: Path, name: str) -> Path:
    folder = root / "assignments" / name
    folder.mkdir(parents=True)
    (root / "reference").mkdir(exist_ok=True)
    (root / "reference" / "tiny.py").write_text(REFERENCE)
    (folder / "assignment.toml").write_text(MANIFEST.replace('name = "tiny"', f'name = "{name}"', 1))
    (folder / "tiny.py").write_text(RIGHT)
    return folder


def submit(folder: Path, source: str) -> None:
    (folder / "tiny.py").write_text(source)


@pytest.fixture
def mlp(pytester: pytest.Pytester) -> Path:
    """The network's folder, copied without the reference: its stub is the submission."""
    folder = pytester.path / "assignments" / "mlp"
    shutil.copytree(find_manifest("mlp").parent, folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def same_by_another_door(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report on `wrong_network`, without pytest."""
    folder = tmp_path_factory.mktemp("mlp")
    wrong_network(folder)
    assignment = load_assignment(find_manifest("mlp"))
    submission = load_submission(folder, assignment.file)
    return grade(assignment, submission, evaluator=InProcess(submission.source))


def wrong_network(folder: Path) -> None:
    """A right submission but for one function, of which two others make use, and one thing wrong with each of those."""
    solution = (reference_folder(find_manifest("mlp")) / "solutions" / "mlp.py").read_text()
    slips = "affine_db_mean", "network_mean_again", "train_short_last_batch"
    texts = [(submissions_folder() / "mlp" / slip / "mlp.py").read_text() for slip in slips]
    (folder / "mlp.py").write_text("\n\n".join([solution, *texts]))


def read(path: Path) -> Any:
    document = json.loads(path.read_text())
    validate(document)
    return document


def score(document: Any) -> tuple[float, float, float]:
    points = document["score"]
    return points["earned"], points["undecided"], points["possible"]


def calls(run: pytest.HookRecorder) -> dict[str, pytest.TestReport]:
    """Reports of the tests themselves by node id."""
    reports = run.getreports("pytest_runtest_logreport")
    return {report.nodeid: report for report in reports if report.when == "call"}


# ------------------------------------------------------------------------------------------------- the whole path


def test_the_solution_has_all_points(pytester: pytest.Pytester, mlp: Path) -> None:
    shutil.copy(reference_folder(mlp / "assignment.toml") / "solutions" / "mlp.py", mlp / "mlp.py")
    result = pytester.runpytest_inprocess("-v", "--grade-report", "report.json")
    result.assert_outcomes(passed=12)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["assignments/mlp/assignment.toml::softmax::stable PASSED*"])
    result.stdout.fnmatch_lines(
        ["mlp: mlp", "  affine / forward           4 of 4  passed", "40 of 40 points", "report: *"]
    )
    document = read(pytester.path / "report.json")
    assert score(document) == (40, 0, 40)
    assert document["score"]["verdict"] == "passed"
    assert document["submission"]["digest"] == load_submission(mlp, "mlp.py").digest
    assert document["environment"]["isolation"] == []


def test_a_stub_is_not_written_yet_in_a_line_each(
    pytester: pytest.Pytester, mlp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    result = pytester.runpytest_inprocess("assignments")
    result.assert_outcomes(failed=12)
    assert result.ret == 1
    lines = result.stdout.lines
    told = [line for line in lines if line.startswith("FAILED assignments/mlp/assignment.toml::")]
    assert len(told) == 12
    assert "FAILED assignments/mlp/assignment.toml::sgd::step - sgd_step is not written yet" in told
    assert all(line.endswith(" is not written yet") for line in told)
    assert lines[lines.index("mlp / sgd / step".ljust(86) + " 0 of 4 points") + 1] == "  sgd_step is not written yet"
    assert "0 of 40 points" in lines
    assert "Traceback" not in result.stdout.str()


def test_the_message_is_that_of_every_door(pytester: pytest.Pytester, mlp: Path, same_by_another_door: Report) -> None:
    wrong_network(mlp)
    failed = {nodeid: str(report.longrepr) for nodeid, report in calls(pytester.inline_run()).items() if report.failed}
    manifest = "assignments/mlp/assignment.toml"
    assert failed == {
        f"{manifest}::{exercise.name}::{part.name}": render_part("mlp", manifest, exercise.name, part)
        for exercise in same_by_another_door.exercises
        for part in exercise.parts
        if part.verdict == "failed"
    }
    assert {nodeid.partition("::")[2] for nodeid in failed} == {
        "affine::backward",
        "network::backward",
        "training::trajectory",
    }


def test_workers_give_one_whole_report(pytester: pytest.Pytester, mlp: Path) -> None:
    wrong_network(mlp)
    alone = pytester.runpytest_inprocess("--grade-report", "alone.json", "--junitxml", "alone.xml")
    shared = pytester.runpytest_inprocess("-n", "2", "--grade-report", "shared.json", "--junitxml", "shared.xml")
    alone.assert_outcomes(passed=9, failed=3)
    shared.assert_outcomes(passed=9, failed=3)
    assert score(read(pytester.path / "alone.json")) == (24, 0, 40)
    assert without_times(read(pytester.path / "alone.json")) == without_times(read(pytester.path / "shared.json"))
    assert failures(pytester.path / "alone.xml") == failures(pytester.path / "shared.xml")
    assert set(failures(pytester.path / "alone.xml")) == {
        "assignments.mlp.assignment.toml.affine::backward",
        "assignments.mlp.assignment.toml.network::backward",
        "assignments.mlp.assignment.toml.training::trajectory",
    }
    assert summary(alone) == summary(shared)
    assert "FAILED assignments/mlp/assignment.toml::affine::backward - db is not the gra" in shared.stdout.str()


def without_times(value: Any) -> Any:
    """A report but for when, and for how long."""
    if isinstance(value, list):
        return [without_times(item) for item in value]
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in ("seconds", "started")}
    return value


def failures(path: Path) -> dict[str, str | None]:
    """Messages of the failed tests in a JUnit file, by class and name."""
    return {
        f"{case.get('classname')}::{case.get('name')}": failure.get("message")
        for case in ElementTree.parse(path).iter("testcase")
        for failure in case.iter("failure")
    }


def summary(result: pytest.RunResult) -> list[str]:
    """The points."""
    start = next(index for index, line in enumerate(result.outlines) if line.strip("= ") == "gradmark")
    return [line for line in result.outlines[start : result.outlines.index("", start)] if "report:" not in line]


# --------------------------------------------------------------------------------------------- what pytest offers


def test_node_ids(pytester: pytest.Pytester, tiny: Path) -> None:
    result = pytester.runpytest_inprocess("--collect-only", "-q")
    assert result.outlines[:3] == [SQUARE, STABLE, CUBE]
    assert "gradmark" not in result.stdout.str()


def test_a_node_id_runs_one_part_from_any_folder(
    pytester: pytest.Pytester, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(tiny, WRONG_CUBE)
    monkeypatch.chdir(tiny)
    result = pytester.runpytest_inprocess("--rootdir", str(pytester.path), "assignment.toml::cube::value")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['*rerun    pytest "assignment.toml::cube::value"'])


def test_editors_are_given_the_exercise_in_the_manifest(pytester: pytest.Pytester, tiny: Path) -> None:
    locations = {nodeid: report.location for nodeid, report in calls(pytester.inline_run()).items()}
    assert locations[STABLE] == (
        "assignments/tiny/assignment.toml",
        line_of('[[exercise]]\nname = "square'),
        "square::stable",
    )
    assert locations[CUBE] == ("assignments/tiny/assignment.toml", line_of('[[exercise]]\nname = "cube'), "cube::value")


def line_of(text: str) -> int:
    return MANIFEST[: MANIFEST.index(text)].count("\n")


def test_a_gpu_that_is_asked_for_and_not_there_is_one_line(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.devices.gpus", tuple)
    result = pytester.runpytest_inprocess("--grade-device", "cuda")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: there is no GPU, and cuda as the device requires one; auto leaves *"])
    result = pytester.runpytest_inprocess("--grade-device", "tpu")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_parts_that_were_not_selected_stay_in_the_denominator(pytester: pytest.Pytester, tiny: Path) -> None:
    result = pytester.runpytest_inprocess("-k", "square", "--grade-report", "report.json")
    result.assert_outcomes(passed=2, deselected=1)
    assert result.ret == 0
    assert summary(result)[1:] == [
        "tiny: tiny",
        "  square / value       1 of 1  passed",
        "  square / stable  0.5 of 0.5  passed",
        "  cube / value       0 of 1.5  not run",
        "1.5 of 3 points, 1.5 undecided",
    ]
    document = read(pytester.path / "report.json")
    assert score(document) == (1.5, 1.5, 3)
    assert document["score"]["verdict"] == "undecided"


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["here", "worker"])
def test_parts_after_a_stop_stay_in_the_denominator(
    pytester: pytest.Pytester, tiny: Path, workers: tuple[str, ...]
) -> None:
    make_tiny(pytester.path, "zero")
    submit(tiny, "def square(x):\n    return x\n")
    result = pytester.runpytest_inprocess("-x", "--grade-report", "report.json", *workers)
    assert result.ret != 0
    assert score(read(pytester.path / "report-tiny.json"))[1] >= 1.5
    assert score(read(pytester.path / "report-zero.json")) == (0, 3, 3)
    result.stdout.fnmatch_lines(["zero: zero", "*cube / value * not run", "0 of 3 points, 3 undecided"])


def test_the_folders_name_is_a_keyword(pytester: pytest.Pytester, tiny: Path) -> None:
    make_tiny(pytester.path, "other")
    pytester.runpytest_inprocess("-k", "tiny and cube").assert_outcomes(passed=1, deselected=5)


def test_last_failed(pytester: pytest.Pytester, tiny: Path) -> None:
    submit(tiny, WRONG_CUBE)
    pytester.runpytest_inprocess().assert_outcomes(passed=2, failed=1)
    assert list(calls(pytester.inline_run("--lf"))) == [CUBE]
    submit(tiny, RIGHT)
    assert [report.outcome for report in calls(pytester.inline_run("--lf")).values()] == ["passed"]
    assert len(calls(pytester.inline_run("--lf"))) == 3


@pytest.mark.parametrize(
    ("style", "line"),
    [("line", "assignments/tiny/assignment.toml:{line}: out is not right: *"), ("native", "tiny / cube / value *")],
)
def test_styles_of_tracebacks(pytester: pytest.Pytester, tiny: Path, style: str, line: str) -> None:
    submit(tiny, WRONG_CUBE)
    result = pytester.runpytest_inprocess("--tb", style)
    result.stdout.fnmatch_lines([line.format(line=line_of('[[exercise]]\nname = "cube') + 1)])
    assert "pytest_plugin" not in result.stdout.str()


def test_without_xdist(pytester: pytest.Pytester, tiny: Path) -> None:
    pytester.runpytest_inprocess("-p", "no:xdist").assert_outcomes(passed=3)


def test_without_an_assignment_nothing_is_said(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    (pytester.path / "assignment.toml").write_text('format = "of another tool"\n')
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    assert "gradmark\n" not in result.stdout.str().replace("plugins:", "").replace(" =", "\n")
    assert "points" not in result.stdout.str()


def test_ordinary_tests_beside_an_assignment(pytester: pytest.Pytester, tiny: Path) -> None:
    pytester.makepyfile("def test_it(): assert 1 == 2")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*assert 1 == 2", "3 of 3 points"])


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    code = "import grader.pytest_plugin, sys; print(*{'torch', 'numpy', 'msgspec', 'jsonschema'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_collecting_loads_nothing_heavy(pytester: pytest.Pytester, tiny: Path) -> None:
    code = "import pytest, sys; pytest.main(['--collect-only', '-q']); print(*{'torch', 'numpy'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=pytester.path)
    assert CUBE in done.stdout
    assert done.stdout.endswith("\n\n")


# -------------------------------------------------------------------------------------------------- the student's code


def test_what_the_code_prints_is_shown_with_its_failure(pytester: pytest.Pytester, tiny: Path) -> None:
    submit(tiny, "def square(x):\n    print('in square')\n    return x\n")
    result = pytester.runpytest_inprocess("-k", "square and value")
    result.stdout.fnmatch_lines(["*Captured stdout call*", "in square"])


def test_the_debugger_opens_in_the_students_frame(pytester: pytest.Pytester, tiny: Path) -> None:
    submit(tiny, "import numpy as np\n\ndef square(x):\n    mine = 'found'\n    return np.linalg.inv(x)\n")
    result = debug(pytester, "p mine + ' it'\nq\n", "--pdb", "-x")
    result.stdout.fnmatch_lines(["*tiny.py(5)square()", "-> return np.linalg.inv(x)", "*'found it'*"])
    result.stdout.fnmatch_lines(["  square raised LinAlgError: *"])


def test_quitting_the_debugger_ends_the_run(pytester: pytest.Pytester, tiny: Path) -> None:
    submit(tiny, REFERENCE.replace("    return x * x * x", "    breakpoint()\n    return x * x * x"))
    result = debug(pytester, "p x.shape\nq\n")
    result.stdout.fnmatch_lines(["*tiny.py(*)cube()", "*(3,)*", "*Exit: the debugger was quit*"])
    assert result.stdout.str().count("PDB set_trace") == 1
    assert result.ret == 2


def debug(pytester: pytest.Pytester, keys: str, *args: str) -> pytest.RunResult:
    return pytester.run(sys.executable, "-m", "pytest", *args, stdin=keys.encode())


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise SystemExit(0)", "cube raised SystemExit: 0"),
        ("import pytest\n    pytest.skip('not today')", "tiny.py raised Skipped: not today"),
        ("import pytest\n    pytest.fail('no')", "tiny.py raised Failed: no"),
        ("raise ValueError('half a \\udc80 pair')", "cube raised ValueError: half a ? pair"),
    ],
    ids=["exits", "skips", "fails", "surrogate"],
)
def test_code_that_gets_in_the_way_is_a_failure(pytester: pytest.Pytester, tiny: Path, body: str, told: str) -> None:
    submit(tiny, REFERENCE.replace("return x * x * x", body))
    result = pytester.runpytest_inprocess("--grade-report", "report.json")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines([f"  {told}", "1.5 of 3 points"])
    assert score(read(pytester.path / "report.json")) == (1.5, 0, 3)


def test_a_worker_sends_any_text_and_one_that_dies_leaves_its_part_not_run(
    pytester: pytest.Pytester, tiny: Path
) -> None:
    raises = REFERENCE.replace("return x * x\n", "raise ValueError('half a \\udc80 pair')\n")
    submit(tiny, raises.replace("return x * x * x", "import os\n    os._exit(0)"))
    result = pytester.runpytest_inprocess("-n", "1", "--grade-report", "report.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["  square raised ValueError: half a ? pair", "*cube / value * not run"])
    assert score(read(pytester.path / "report.json")) == (0, 1.5, 3)


def test_a_warning_is_shown_and_costs_nothing(pytester: pytest.Pytester, tiny: Path) -> None:
    submit(tiny, REFERENCE.replace("    return x * x * x", "    x[:] = x * x * x\n    return x"))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        ["  warning: cube writes into its argument x", "*cube / value*warning", "3 of 3 points"]
    )
    (section,) = calls(pytester.inline_run())[CUBE].sections
    assert section[0] == "gradmark"
    assert "writes into its argument" in section[1]


def test_a_project_where_warnings_are_errors_changes_no_verdict(pytester: pytest.Pytester, tiny: Path) -> None:
    pytester.makeini("[pytest]\nfilterwarnings = error")
    pytester.makeconftest("import numpy\nnumpy.seterr(all='raise')")
    warns = "warnings.warn('mine')\n    np.exp(np.full(3, 1e4))\n    return np.where(x < INFINITE, x * x * x, 0)"
    body = REFERENCE.replace("return x * x * x", warns)
    submit(tiny, f"import warnings\nimport numpy as np\nPATTERN = '\\d'\nINFINITE = np.exp(np.array(1e4))\n\n{body}")
    reference = REFERENCE.replace("return x * x * x", "warnings.warn('the course')\n    return x * x * x")
    (pytester.path / "reference" / "tiny.py").write_text(f"import warnings\n\n{reference}")
    with np.errstate():  # the conftest above changes it in this process
        pytester.runpytest_inprocess("-W", "error").assert_outcomes(passed=3)


def test_files_beside_the_submission_can_be_imported(pytester: pytest.Pytester, tiny: Path) -> None:
    (tiny / "layers.py").write_text("def power(x, n):\n    return x**n\n")
    submit(
        tiny,
        "from layers import power\n\ndef square(x):\n    return power(x, 2)\n\ndef cube(x):\n    return power(x, 3)\n",
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=3)
    assert "layers" not in sys.modules


def test_a_submission_that_cannot_be_read(pytester: pytest.Pytester, tiny: Path) -> None:
    (tiny / "tiny.py").unlink()
    result = pytester.runpytest_inprocess("--grade-report", "report.json")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["  the submission can't be read: *holds no Python file*", "0 of 3 points"])
    document = read(pytester.path / "report.json")
    assert document["submission"]["digest"] is None
    assert score(document) == (0, 0, 3)


def test_a_submission_that_does_not_parse(pytester: pytest.Pytester, tiny: Path) -> None:
    submit(tiny, "def square(x:\n")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["*tiny.py does not load: *line 1*", "note: tiny.py, line 1: SyntaxError: *"])


# ------------------------------------------------------------------------------------------------- the course's faults


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("format = 1", "format = 2", "format"),
        ('kind = "function"\nfunction = "cube"', 'function = "cube"', "exercise[1] (cube)"),
        ('inputs = { x = "N" }', "", "exercise cube.inputs"),
        ("points = { value = 1.5 }", "points = { value = -1 }", "exercise cube.points.value"),
        ("seed = 3", "seed = = 3", "not TOML"),
        ('reference = "tiny.py"', 'reference = "gone.py"', "reference"),
    ],
    ids=["version", "missing", "inputs", "points", "syntax", "reference"],
)
def test_a_broken_manifest_is_one_clean_error(
    pytester: pytest.Pytester, tiny: Path, old: str, new: str, field: str
) -> None:
    manifest = tiny / "assignment.toml"
    manifest.write_text(manifest.read_text().replace(old, new))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    assert result.ret == 2
    title = "ERROR collecting assignments/tiny/assignment.toml"
    start = next(index for index, line in enumerate(result.outlines) if line.strip("_ ") == title) + 1
    assert result.outlines[start].startswith(f"{manifest}: {field}")
    assert result.outlines[start + 1].startswith("=")
    assert "Traceback" not in result.stdout.str()


def test_the_courses_fault_is_no_pass_and_takes_no_points(pytester: pytest.Pytester, tiny: Path) -> None:
    reference = pytester.path / "reference" / "tiny.py"
    reference.write_text(REFERENCE.replace("return x * x * x", "raise RuntimeError('gone')"))
    result = pytester.runpytest_inprocess("--grade-report", "report.json")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*the course's reference failed: *gone*",
            "*cube / value * undecided (the course at fault)",
            "1.5 of 3 points, 1.5 undecided",
        ]
    )
    assert score(read(pytester.path / "report.json")) == (1.5, 1.5, 3)


def test_a_crash_of_ours_is_undecided(pytester: pytest.Pytester, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("grader.grading.Session.part", crash)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        ["  this machine failed while grading: ZeroDivisionError: ours", "0 of 3 points, 3 undecided"]
    )


# ------------------------------------------------------------------------------------------------------------ options


def test_a_private_seed_draws_other_hidden_cases_and_hides_them(pytester: pytest.Pytester, tiny: Path) -> None:
    submit(tiny, WRONG_CUBE)
    pytester.runpytest_inprocess("--grade-report", "public.json")
    result = pytester.runpytest_inprocess("--grade-seed", "8671", "--grade-report", "private.json")
    public, private = (read(pytester.path / f"{name}.json") for name in ("public", "private"))
    assert public["seeds"] == {"visible": 3, "hidden": 3, "private": False}
    assert private["seeds"] == {"visible": 3, "hidden": None, "private": True}
    assert "8671" not in (pytester.path / "private.json").read_text()
    assert "8671" not in result.stdout.str()
    assert cases(public)["small"] == cases(private)["small"]
    assert cases(public)["hidden sizes"] != cases(private)["hidden sizes"]


def cases(document: Any) -> dict[str, str]:
    """Input shapes of the cases of `cube`, by name, with the worst element."""
    checks = document["exercises"][1]["parts"][0]["checks"]
    return {check["case"]: f"{check['inputs']} {check['findings'][0].get('worst')}" for check in checks}


@pytest.mark.parametrize("seed", ["-1", "x", "1.5", ""])
def test_a_seed_is_an_integer_of_at_least_0(pytester: pytest.Pytester, tiny: Path, seed: str) -> None:
    result = pytester.runpytest_inprocess(f"--grade-seed={seed}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--grade-seed: '{seed}' is not an integer of at least 0"])


@pytest.mark.parametrize("where", ["gone/report.json", "assignments"], ids=["no folder", "a folder"])
def test_a_report_that_cannot_be_written(pytester: pytest.Pytester, tiny: Path, where: str) -> None:
    result = pytester.runpytest_inprocess("--grade-report", where)
    result.assert_outcomes(passed=3)
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    result.stdout.fnmatch_lines(["3 of 3 points", f"ERROR: the report can't be written to {pytester.path / where}: *"])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


def test_a_run_of_no_part_says_that_there_is_no_report(pytester: pytest.Pytester, tiny: Path) -> None:
    result = pytester.runpytest_inprocess("-k", "nothing", "--grade-report", "report.json")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines(["no part of an assignment was run: no report is written to report.json"])
    assert not (pytester.path / "report.json").exists()


def test_each_assignment_has_a_report_of_its_own(pytester: pytest.Pytester, tiny: Path) -> None:
    make_tiny(pytester.path, "other")
    pytester.runpytest_inprocess("--grade-report", "report.json").assert_outcomes(passed=6)
    names = {path.name: read(path)["assignment"]["name"] for path in pytester.path.glob("*.json")}
    assert names == {"report-other.json": "other", "report-tiny.json": "tiny"}


@pytest.mark.parametrize(
    ("assignments", "names"),
    [
        (["mlp"], ["r.json"]),
        (["mlp", "cnn"], ["r-mlp.json", "r-cnn.json"]),
        (["mlp", "mlp", "mlp"], ["r-mlp.json", "r-mlp-2.json", "r-mlp-3.json"]),
        (["a/../b", "ö c"], ["r-a_.._b.json", "r-ö_c.json"]),
        ([], []),
    ],
)
def test_names_of_reports(assignments: list[str], names: list[str]) -> None:
    assert file_names(Path("r.json"), assignments) == names
