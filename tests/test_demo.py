"""The demonstration, and the reading of the corpus below it. A course of two functions keeps most of it fast."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from grader import cli, demo
from grader.assignment import Assignment
from grader.authoring.corpus import Expected, Slip, compose, differences, read_slip, read_slips
from grader.errors import CourseError, MachineError
from grader.grading import grade_path
from grader.manifest import load_assignment
from grader.report.model import Report, validate
from grader.sandbox.pool import Sandbox
from grader.topics import find_manifest, submissions_folder

MANIFEST = """
format = 1
name = "tiny"
title = "Two functions"
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
case = [{ name = "small", sizes = { N = 3 } }]

[[exercise]]
name = "square"
kind = "function"
function = "square"
reference = "square"
inputs = { x = "N" }
points = { value = 1 }
case = [{ name = "small", sizes = { N = 3 } }]
"""
SOLUTION = "def double(x):\n    return 2 * x\n\n\ndef square(x):\n    return x * x\n"
SLIP = "def double(x):\n    return 3 * x\n"
EXPECTED = """
title = "Triples"
whole = false
fails = ["double/value"]

[[expect]]
part = "double/value"
code = "WRONG_VALUE"
hint = "3 of 3"
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Assignment:
    """A course of two functions."""
    root = tmp_path / "course"
    manifest, reference = root / "assignments" / "tiny" / "assignment.toml", root / "reference" / "tiny.py"
    solution = reference.parent / "solutions" / "tiny.py"
    for path, text in ((manifest, MANIFEST), (reference, SOLUTION), (solution, SOLUTION)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return load_assignment(manifest)


@pytest.fixture
def slip(tmp_path: Path) -> Slip:
    """A submission that triples."""
    return written(tmp_path / "corpus" / "triples", EXPECTED, {"tiny.py": SLIP})


def written(folder: Path, expected: str, files: dict[str, str]) -> Slip:
    """A submission of the corpus, written and read."""
    folder.mkdir(parents=True)
    for name, text in {"expected.toml": expected, **files}.items():
        (folder / name).write_text(text)
    return read_slip(folder)


def silent(text: str) -> None:
    """Print nothing."""


def test_a_topic_of_a_wheel_is_named_as_in_a_checkout(
    tiny: Assignment, slip: Slip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / ".venv" / "site-packages" / "grader" / "_topics"
    shutil.copytree(tmp_path / "course", installed)
    monkeypatch.chdir(tmp_path)  # where students work, with a virtual environment in the same folder
    assignment = load_assignment(installed / "assignments" / "tiny" / "assignment.toml")
    report = grade_path(assignment, compose(slip, tiny, tmp_path / "out"))
    assert report.assignment.manifest == "assignments/tiny/assignment.toml"


# ------------------------------------------------------------------------------------------------- reading


def test_the_corpus_of_the_shipped_topic_is_read_whole() -> None:
    slips = read_slips("mlp")
    assert len(slips) == len(list((submissions_folder() / "mlp").iterdir())) > 100
    assert {bool(slip.fails) for slip in slips if slip.name.startswith("right_")} == {False}
    parts = {f"{part.exercise}/{part.name}" for part in load_assignment(find_manifest("mlp")).parts}
    assert {name for slip in slips for name in (*slip.fails, *(row.part for row in slip.expects))} <= parts


def test_what_is_shown_is_there_right_and_wrong() -> None:
    names = {slip.name for slip in read_slips("mlp")}
    assert set(demo._SHOWN) <= names
    assert demo._SUM_FOR_MEAN in demo._SHOWN


@pytest.mark.parametrize(
    ("expected", "problem"),
    [
        ("title = ", "Invalid value"),
        (EXPECTED.replace("whole = false", "whole = 1"), "$.whole"),
        (EXPECTED.replace("code", "cod"), "$.expect[0]"),
        (EXPECTED.replace('title = "Triples"', ""), "`title`"),
    ],
)
def test_a_broken_expectation_names_file_and_field(tmp_path: Path, expected: str, problem: str) -> None:
    with pytest.raises(CourseError) as raised:
        written(tmp_path / "x", expected, {})
    assert str(tmp_path / "x" / "expected.toml") in str(raised.value)
    assert problem in str(raised.value)


def test_a_slip_is_laid_over_the_worked_solution(tiny: Assignment, slip: Slip, tmp_path: Path) -> None:
    folder = compose(slip, tiny, tmp_path / "out")
    (file,) = folder.iterdir()
    assert "3 * x" in file.read_text()
    assert "2 * x" not in file.read_text()
    assert "x * x" in file.read_text()


def test_a_whole_submission_is_copied_without_what_is_expected(tiny: Assignment, tmp_path: Path) -> None:
    files = {"tiny.py": "from other import *\n", "other.py": SOLUTION}
    slip = written(tmp_path / "whole", EXPECTED.replace("whole = false", "whole = true"), files)
    folder = compose(slip, tiny, tmp_path / "out")
    assert {path.name: path.read_text() for path in folder.iterdir()} == files


def test_an_archive_is_what_was_handed_in(tiny: Assignment, tmp_path: Path) -> None:
    slip = written(tmp_path / "zipped", EXPECTED.replace("whole = false", "whole = true"), {})
    with zipfile.ZipFile(slip.folder / "homework.zip", "w") as archive:
        archive.writestr("tiny.py", SLIP)
    assert compose(slip, tiny, tmp_path / "out") == tmp_path / "out" / "zipped" / "homework.zip"


def test_what_lay_there_before_is_gone(tiny: Assignment, slip: Slip, tmp_path: Path) -> None:
    old = tmp_path / "out" / slip.name / "old.py"
    old.parent.mkdir(parents=True)
    old.touch()
    assert [path.name for path in compose(slip, tiny, tmp_path / "out").iterdir()] == ["tiny.py"]


def test_faults_of_the_course_and_of_the_machine(tiny: Assignment, slip: Slip, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="triples needs the worked solution"):
        compose(slip, replace(tiny, solution=None), tmp_path)
    (slip.folder / "tiny.py").write_text("x = 1\n")
    with pytest.raises(CourseError, match="rewrites none of the solution's functions"):
        compose(slip, tiny, tmp_path / "out")
    (tmp_path / "file").touch()
    with pytest.raises(MachineError, match="can't be written"):
        compose(slip, tiny, tmp_path / "file")


# ------------------------------------------------------------------------------------------------- differences


@pytest.fixture
def report(tiny: Assignment, slip: Slip, tmp_path: Path) -> Report:
    """The submission that triples, graded."""
    return grade_path(tiny, compose(slip, tiny, tmp_path / "out"))


def test_every_kind_of_difference(report: Report, slip: Slip) -> None:
    def told(**changes: object) -> tuple[str, ...]:
        return differences(report, replace(slip, **changes))

    def row(part: str, code: str, hint: str = "") -> tuple[Expected, ...]:
        return (Expected(part=part, code=code, hint=hint),)

    assert told() == ()
    assert told(fails=()) == ("does not earn its points, and should: double/value",)
    assert told(fails=("double/value", "square/value")) == ("earns its points, and should not: square/value",)
    assert told(expects=row("double/value", "WRONG_SHAPE")) == (
        "double/value: expected WRONG_SHAPE, found WRONG_VALUE",
    )
    assert told(expects=row("square/value", "WRONG_VALUE")) == ("square/value: expected WRONG_VALUE, found nothing",)
    assert told(expects=row("cube/value", "WRONG_VALUE")) == ("there is no part cube/value",)
    (line,) = told(expects=row("double/value", "WRONG_VALUE", "a sign"))
    assert line.startswith("double/value: WRONG_VALUE does not say 'a sign': ")


def test_undecided_is_a_difference_even_where_a_part_must_fail(tiny: Assignment, slip: Slip, tmp_path: Path) -> None:
    tiny.reference.write_text("def double(x):\n    return x.nope\n\n\ndef square(x):\n    return x * x\n")
    told = differences(grade_path(tiny, compose(slip, tiny, tmp_path / "out")), slip)
    assert told[0] == "undecided: double/value (ORACLE_FAILED)"


# ------------------------------------------------------------------------------------------------- all of it


def test_the_corpus_is_graded_and_told(
    tiny: Assignment, slip: Slip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "assignment_names", lambda: ("tiny",))
    monkeypatch.setattr(demo, "find_manifest", lambda name: tiny.manifest)
    monkeypatch.setattr(demo, "read_slips", lambda topic: (slip,))
    out = tmp_path / "out"
    assert cli.main(["demo", "--all", "--out", str(out)]) == cli.PASSED
    shown = capsys.readouterr()
    assert shown.out.splitlines()[1].startswith("triples     1 of 3  double / value: WRONG_VALUE  yes  ")
    assert "1 of 1 submissions were graded as expected" in shown.out
    assert shown.err == ""
    validate(json.loads((out / "reports" / "tiny" / "triples.json").read_bytes()))

    monkeypatch.setattr(demo, "read_slips", lambda topic: (replace(slip, fails=()),))
    assert cli.main(["demo", "--all", "--out", str(out)]) == cli.FAILED
    shown = capsys.readouterr()
    assert "triples: does not earn its points, and should: double/value" in shown.out
    assert "0 of 1 submissions were graded as expected" in shown.out


def test_a_corpus_of_nothing_is_not_a_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "assignment_names", tuple)
    with pytest.raises(CourseError, match="no submissions"):
        demo.check_corpus(tmp_path, silent, silent)


def test_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_SHOWN", ("right_einsum", "relu_mask_missing", "softmax_sum"))
    monkeypatch.setattr(demo, "_STEPS", 80)
    monkeypatch.setattr(demo, "_STEPS_A_CALL", 80)
    said: list[str] = []
    progress: list[str] = []
    as_expected = demo.show(tmp_path / "out", said.append, progress.append)
    text = "\n".join(said)
    assert as_expected, text
    assert "mlp / relu / backward" in text
    assert "likely" in text
    rows = {line.split()[0]: line for block in said if block.startswith("submission") for line in block.splitlines()}
    assert "40 of 40" in rows["worked_solution"]
    assert "40 of 40" in rows["right_einsum"]
    assert "relu / backward: WRONG_GRADIENT  yes" in rows["relu_mask_missing"]
    assert "mean (right)  40 of 40" in text
    assert "sum (wrong)" in text
    assert "right_einsum: affine / forward" in progress
    reports = sorted(path.stem for path in (tmp_path / "out" / "reports" / "mlp").glob("*.json"))
    assert reports == ["relu_mask_missing", "right_einsum", "softmax_sum", "worked_solution"]
    assert f"{tmp_path / 'out' / 'submissions' / 'mlp' / 'relu_mask_missing'} --assignment mlp" in text


def test_the_wrong_gradient_reaches_the_better_accuracy(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "_STEPS", 400)
    mlp = load_assignment(find_manifest("mlp"))
    wrong = compose(read_slip(submissions_folder() / "mlp" / demo._SUM_FOR_MEAN), mlp, tmp_path)
    _, right = demo._worked_solution(mlp, tmp_path)
    images, labels = demo._digits(mlp)
    reached = [demo._train(mlp, sandbox, path, images, labels) for path in (right, wrong)]
    assert reached[0].trained_on < 0.6
    assert reached[1].trained_on > 0.9


def test_a_call_ends_where_the_images_do() -> None:
    assert demo._STEPS_A_CALL * 100 % demo._IMAGES == 0
    assert demo._STEPS % demo._STEPS_A_CALL == 0


def test_a_training_that_raises_is_told(tiny: Assignment, sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text("def train(*_):\n    raise ValueError('no')\n")
    mlp = load_assignment(find_manifest("mlp"))
    with pytest.raises(MachineError, match="did not come back"):
        demo._train(replace(tiny, file="tiny.py"), sandbox, tmp_path, *demo._digits(mlp))


def test_without_a_folder_a_temporary_one_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo.tempfile, "tempdir", str(tmp_path))
    assert demo._folder(None).parent == tmp_path
    (tmp_path / "file").touch()
    with pytest.raises(MachineError, match="can't be written"):
        demo._folder(tmp_path / "file" / "below")
