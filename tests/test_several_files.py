"""Courses with several files: found in whatever layout, imported by the course's own names, one broken file costing its
own functions only; what the course hands out stands in where it was left away.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from courses import HEAD, codes, make_course, parts

from grader.assignment import Assignment
from grader.calls import Call, Missing, Profile, Raised, Returned, Source
from grader.errors import ManifestError, SubmissionError
from grader.grading import grade_path
from grader.manifest import load_assignment
from grader.sandbox.inprocess import InProcess
from grader.sandbox.pool import Sandbox
from grader.submission import load_submission

ENTRY, MORE, PACKAGE = "layers.py", ("optim.py", "nets/fc.py"), "course"
LAYERS = "from builtins import range\nimport numpy as np\n\ndef double(x):\n    return 2 * x\n"
OPTIM = "from course.layers import double\n\ndef step(x):\n    return double(x) + 1\n"
FC = "from ..layers import *\nfrom ..given_layers import *\n\ndef net(x):\n    return quadruple(double(x))\n"
GIVEN = {
    "course.given_layers": b"from .layers import *\n\ndef quadruple(x):\n    return double(double(x))\n",
    "older.names": b"xrange = range\n",
}


def build(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def source(path: Path) -> Source:
    loaded = load_submission(path, ENTRY, ("double", "step", "net"), more_files=MORE, package=PACKAGE).source
    return Source(
        entry=loaded.entry,
        files=loaded.files,
        root=loaded.root,
        graded=loaded.graded,
        package=loaded.package,
        given=GIVEN,
    )


def ask(evaluator: InProcess, function: str) -> Any:
    outcome = evaluator.call(Call(function=function, args=(3.0,)))
    return outcome.value if isinstance(outcome, Returned) else outcome


LAYOUTS = {
    "the course's": {"course/layers.py": LAYERS, "course/optim.py": OPTIM, "course/nets/fc.py": FC},
    "two folders down": {"a/b/course/layers.py": LAYERS, "a/b/course/optim.py": OPTIM, "a/b/course/nets/fc.py": FC},
    "the package itself": {"layers.py": LAYERS, "optim.py": OPTIM, "nets/fc.py": FC},
    "under another name": {"hw 1/layers.py": LAYERS, "hw 1/optim.py": OPTIM, "hw 1/nets/fc.py": FC},
    "all in one folder": {"layers.py": LAYERS, "optim.py": OPTIM, "fc.py": FC},
    "with packages' files": {
        "course/layers.py": LAYERS,
        "course/optim.py": OPTIM,
        "course/nets/fc.py": FC,
        "course/__init__.py": "",
        "course/nets/__init__.py": "from course.nets.fc import *\nfrom course.nets.not_here import *\n",
    },
    "with a package's file that does not parse": {
        "course/layers.py": LAYERS,
        "course/optim.py": OPTIM,
        "course/nets/fc.py": FC,
        "course/nets/__init__.py": "print 'hello'\n",
    },
    "with their own of what is given": {
        "course/layers.py": LAYERS,
        "course/optim.py": OPTIM,
        "course/nets/fc.py": FC,
        "course/given_layers.py": "def quadruple(x):\n    return 4 * x\n",
    },
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_files_are_found_and_find_each_other(layout: Mapping[str, str], tmp_path: Path) -> None:
    evaluator = InProcess(source(build(tmp_path / "ann", layout)))
    assert [ask(evaluator, name) for name in ("double", "step", "net")] == [6.0, 7.0, 24.0]
    archive = tmp_path / "ann.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name, text in layout.items():
            packed.writestr(name, text)
    assert [ask(InProcess(source(archive)), name) for name in ("double", "step", "net")] == [6.0, 7.0, 24.0]


def test_their_own_comes_before_what_is_given(tmp_path: Path) -> None:
    own = {"layers.py": LAYERS, "nets/fc.py": FC, "given_layers.py": "def quadruple(x):\n    return 100.0\n"}
    assert ask(InProcess(source(build(tmp_path, own))), "net") == 100.0


def test_the_folder_of_the_first_file_is_that_of_the_others(tmp_path: Path) -> None:
    files = {
        "z/course/layers.py": LAYERS,
        "z/course/optim.py": OPTIM,
        "course/optim.py": "def step(x):\n    return 0\n",
    }
    assert ask(InProcess(source(build(tmp_path, files))), "step") == 7.0


def test_what_is_missing_is_noted_and_costs_its_own(tmp_path: Path) -> None:
    path = build(tmp_path / "ann", {"course/optim.py": OPTIM.replace("course.layers", ".layers"), "other.py": ""})
    loaded = load_submission(path, ENTRY, more_files=MORE, package=PACKAGE)
    assert loaded.source.graded == {"optim": "course/optim.py"}
    assert loaded.notes == ("of the files graded these are not there: layers.py, nets/fc.py",)
    evaluator = InProcess(source(path))
    outcome = ask(evaluator, "step")
    assert isinstance(outcome, Raised)
    assert "course.layers" in outcome.message or ".layers" in outcome.message, outcome
    assert isinstance(ask(evaluator, "double"), Missing)


def test_one_file_alone_and_one_under_another_name(tmp_path: Path) -> None:
    alone = build(tmp_path / "a", {"layers.py": LAYERS, "optim.py": OPTIM}) / "layers.py"
    assert ask(InProcess(source(alone)), "double") == 6.0
    mine = build(tmp_path / "b", {"mine.py": LAYERS + "\nfrom course.layers import double as again\n"})
    assert ask(InProcess(source(mine)), "again") == 6.0


def test_two_of_the_first_file_at_the_same_depth(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match=r"layers\.py in several places"):
        load_submission(
            build(tmp_path, {"a/layers.py": "", "b/layers.py": ""}), ENTRY, more_files=MORE, package=PACKAGE
        )


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("def step(x):\n    print 'x'\n", "course/optim.py, line 2: SyntaxError"),
        ("def step(x):\n        a = 1\n\treturn a\n", "course/optim.py, line 3: TabError"),
        ("def step(x)\n    return x\n", "course/optim.py, line 1: SyntaxError"),
        ("raise SystemExit\n", "course/optim.py, line 1: SystemExit"),
    ],
)
def test_a_broken_file_costs_its_own_functions(broken: str, told: str, tmp_path: Path) -> None:
    files = {"course/layers.py": LAYERS, "course/optim.py": broken, "course/nets/fc.py": FC}
    evaluator = InProcess(source(build(tmp_path, files)))
    assert (ask(evaluator, "double"), ask(evaluator, "net")) == (6.0, 24.0)
    assert isinstance(ask(evaluator, "step"), Missing)
    (problem,) = evaluator.load().problems
    assert problem.startswith(told)


def test_of_a_name_in_several_files_the_first_counts_but_no_placeholder(tmp_path: Path) -> None:
    files = {
        "layers.py": LAYERS + "from course.absent import step\n",
        "optim.py": "def double(x):\n    return 0\n\ndef step(x):\n    return 5.0\n",
    }
    evaluator = InProcess(source(build(tmp_path, files)))
    assert (ask(evaluator, "double"), ask(evaluator, "step")) == (6.0, 5.0)


def test_a_module_that_is_given_is_no_file_of_theirs(tmp_path: Path) -> None:
    files = {"layers.py": "from older.names import xrange\ndef double(x):\n    return sum(xrange(4)) / 0\n"}
    outcome = ask(InProcess(source(build(tmp_path, files))), "double")
    assert isinstance(outcome, Raised)
    assert outcome.kind == "ZeroDivisionError"
    assert outcome.traceback.startswith("layers.py, line 3")


# ---------------------------------------------------------------------------------------------- a course from its files

EXERCISE = (
    'name = "f"\nkind = "function"\nfunction = "net"\nreference = "f"\ninputs = { x = "N" }\npoints = { value = 1 }\n'
    '[[exercise.case]]\nname = "small"\nsizes = { N = 3 }\n'
)
SEVERAL = (
    HEAD.replace("t.py", "layers.py", 1)
    + 'more_files = ["optim.py", "nets/fc.py"]\npackage = "course"\n[given]\n"course.given_layers" = "given.py"\n'
)


def course(folder: Path, head: str = SEVERAL) -> Assignment:
    (folder / "reference").mkdir(parents=True, exist_ok=True)
    (folder / "reference" / "given.py").write_bytes(GIVEN["course.given_layers"])
    (folder / "reference" / "t.py").write_text("def f(x):\n    return 8 * x\n")
    (folder / "assignments" / "t").mkdir(parents=True, exist_ok=True)
    manifest = folder / "assignments" / "t" / "assignment.toml"
    manifest.write_text(head + "[[exercise]]\n" + EXERCISE)
    return load_assignment(manifest)


def test_it_is_graded_in_a_process_of_its_own(tmp_path: Path, sandbox: Sandbox) -> None:
    assignment = course(tmp_path / "course")
    assert (assignment.more_files, assignment.package, list(assignment.given)) == (
        MORE,
        PACKAGE,
        ["course.given_layers"],
    )
    report = grade_path(assignment, build(tmp_path / "ann", LAYOUTS["the course's"]), sandbox=sandbox)
    assert report.score.verdict == "passed", report
    report = grade_path(assignment, build(tmp_path / "bob", {"layers.py": LAYERS}), sandbox=sandbox)
    (part,) = parts(report).values()
    assert codes(part) == {"MISSING_FUNCTION"}
    assert "there is no function net in layers.py or another file that is graded" in str(part)


def test_what_the_course_gives_is_part_of_its_digest(tmp_path: Path) -> None:
    first = course(tmp_path).digest
    (tmp_path / "reference" / "given.py").write_text("x = 1\n")
    assert load_assignment(tmp_path / "assignments" / "t" / "assignment.toml").digest != first


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"nets/fc.py"', '"nets/../fc.py"', "more_files"),
        ('"nets/fc.py"', '"/fc.py"', "more_files"),
        ('"nets/fc.py"', '"fc.ipynb"', "more_files"),
        ('"nets/fc.py"', '"layers.py"', "more_files"),
        ('package = "course"', 'package = "my course"', "package"),
        ('more_files = ["optim.py", "nets/fc.py"]\n', "", "package"),
        ('"given.py"', '"gone.py"', "given.course.given_layers"),
        ('"course.given_layers" =', '"course.given-layers" =', "given"),
    ],
)
def test_a_manifest_that_names_no_modules(old: str, new: str, told: str, tmp_path: Path) -> None:
    assert old in SEVERAL
    with pytest.raises(ManifestError) as error:
        course(tmp_path, SEVERAL.replace(old, new))
    assert told in str(error.value)


def test_only_some_exercises_for_their_points_alone(tmp_path: Path) -> None:
    assignment = make_course(
        tmp_path, EXERCISE + "[[exercise]]\n" + EXERCISE.replace('"f"\nk', '"g"\nk'), "def f(x):\n    return x\n"
    )
    some = assignment.only(["g*"])
    assert ([exercise.name for exercise in some.exercises], some.points, assignment.points) == (["g"], 1, 2)
    assert some.digest not in (assignment.digest, assignment.only(["f"]).digest)
    with pytest.raises(ValueError, match="no exercise is named 'h'; there are 'f', 'g'"):
        assignment.only(["f", "h"])


# ------------------------------------------------------------------------------------------------ beside the manifest


def test_nothing_beside_the_manifest_is_one_skipped_line(pytester: pytest.Pytester) -> None:
    course(pytester.path)
    result = pytester.runpytest("assignments", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*t: nothing is handed in here. Put your files beside the manifest*"])
    build(pytester.path / "assignments" / "t", LAYOUTS["the course's"])
    pytester.runpytest("assignments").assert_outcomes(passed=1)


def test_torch_finds_the_files_as_well(tmp_path: Path) -> None:
    evaluator = InProcess(source(build(tmp_path, LAYOUTS["all in one folder"])), Profile.TORCH)
    assert [ask(evaluator, name) for name in ("double", "step", "net")] == [6.0, 7.0, 24.0]
