"""The manifest's border: what is read, and that every broken one names file and field."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from grader.assignment import Kind
from grader.calls import Profile
from grader.cases import draw_case
from grader.errors import CourseError, ManifestError
from grader.manifest import load_assignment
from grader.topics import assignment_names, find_manifest

TINY = """
format = 1
name = "tiny"
title = "Double it"
file = "tiny.py"
reference = "tiny.py"
seed = 7
[[exercise]]
name = "double"
kind = "layer"
forward = "f"
backward = "b"
reference = "double"
inputs = { x = "N D" }
output = "N D"
points = { forward = 1.5, backward = 2 }
[[exercise.case]]
name = "small"
sizes = { N = 2, D = 3 }
[[exercise.case]]
name = "more"
sizes = { N = [2, 5], D = 3 }
hidden = true
repeat = 2
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Folder of a course with one tiny topic; its manifest is what the tests rewrite."""
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "tiny.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "assignments" / "tiny").mkdir(parents=True)
    return tmp_path / "assignments" / "tiny" / "assignment.toml"


def test_a_manifest_becomes_an_assignment(course: Path) -> None:
    course.write_text(TINY)
    assignment = load_assignment(course)
    exercise = assignment.exercise("double")
    assert exercise.kind is Kind.LAYER
    assert assignment.points == Fraction("3.5")
    assert [case.name for case in exercise.cases] == ["small", "more 1", "more 2"]
    assert [len(part.checks) for part in assignment.parts] == [3, 3]
    assert assignment.functions == ("f", "b")
    assert exercise.gradients == ("x",)


def test_the_profile_is_numpy_unless_it_says_torch(course: Path) -> None:
    for text, profile in (
        (TINY, Profile.NUMPY),
        (TINY.replace("seed = 7", 'seed = 7\nprofile = "torch"'), Profile.TORCH),
    ):
        course.write_text(text)
        assert load_assignment(course).profile is profile


def test_a_case_may_move_its_checks_to_a_part_of_its_own(course: Path) -> None:
    text = TINY.replace("hidden = true", 'part = "robust"').replace("backward = 2 }", "backward = 2, robust = 1 }")
    course.write_text(text)
    robust = load_assignment(course).exercise("double").part("robust")
    assert [(case.name, aspect) for case, aspect in robust.checks] == [
        ("more 1", "forward"),
        ("more 1", "backward"),
        ("more 2", "forward"),
        ("more 2", "backward"),
    ]


BROKEN = {
    "not TOML": ("format = 1", "format = = 1", "not TOML"),
    "another format": ("format = 1", "format = 2", "format"),
    "missing title": ('title = "Double it"\n', "", "title"),
    "unknown field": ("seed = 7", "seed = 7\nsede = 8", "sede"),
    "wrong type": ("seed = 7", 'seed = "7"', "seed"),
    "unknown kind": ('kind = "layer"', 'kind = "leyer"', "exercise[0] (double).kind"),
    "role of another kind": ('backward = "b"', 'backward = "b"\nloss = "l"', "exercise double.loss"),
    "missing role": ('backward = "b"\n', "", "exercise double.backward"),
    "no function's name": ('forward = "f"', 'forward = "f()"', "exercise double.forward"),
    "missing output": ('output = "N D"\n', "", "exercise double.output"),
    "unknown draw": ('inputs = { x = "N D" }', 'inputs = { x = { axes = "N D", draw = "norml" } }', "inputs.x"),
    "classes of nothing": ('{ x = "N D" }', '{ x = { axes = "N D", draw = "classes" } }', "inputs.x"),
    "axis without a size": ("sizes = { N = 2, D = 3 }", "sizes = { N = 2 }", "case small.sizes"),
    "size of an unknown axis": ("sizes = { N = 2, D = 3 }", "sizes = { N = 2, D = 3, K = 1 }", "case small.sizes"),
    "size 0": ("sizes = { N = 2, D = 3 }", "sizes = { N = 0, D = 3 }", "case small.sizes.N"),
    "upside-down range": ("N = [2, 5]", "N = [5, 2]", "case more.sizes.N"),
    "points of no part": ("backward = 2 }", "backwards = 2 }", "exercise double.points"),
    "part without points": ("points = { forward = 1.5, backward = 2 }", "points = { forward = 1.5 }", "double.points"),
    "no points": ("backward = 2 }", "backward = 0 }", "points.backward"),
    "points in thirds": ("backward = 2 }", "backward = 0.333 }", "points.backward"),
    "infinite points": ("backward = 2 }", "backward = inf }", "points.backward"),
    "NaN points": ("backward = 2 }", "backward = nan }", "points.backward"),
    "draw of an unknown input": ('name = "small"', 'name = "small"\ndraw = { w = "tiny" }', "case small.draw"),
    "unknown argument": ('name = "small"', 'name = "small"\narguments = { lr = 1 }', "case small.arguments"),
    "accuracy of a layer": ('name = "small"', 'name = "small"\naccuracy = 0.5', "case small"),
    "two cases of a name": ('name = "small"', 'name = "more 1"', "exercise double.case"),
    "a name that breaks node ids": ('name = "double"', 'name = "a::b"', "exercise"),
    "no such reference": ('reference = "tiny.py"', 'reference = "gone.py"', "reference"),
    "reference outside": ('reference = "tiny.py"', 'reference = "../assignments/tiny/assignment.toml"', "reference"),
    "file elsewhere": ('file = "tiny.py"', 'file = "../tiny.py"', "file"),
    "gradient of nothing": ('output = "N D"', 'output = "N D"\ngradients = ["w"]', "exercise double.gradients"),
    "follow_through above 1": ("seed = 7", "seed = 7\nfollow_through = 1.5", "follow_through"),
    "follow_through in thirds": ("seed = 7", "seed = 7\nfollow_through = 0.333", "follow_through"),
    "follow_through NaN": ("seed = 7", "seed = 7\nfollow_through = nan", "follow_through"),
    "unknown profile": ("seed = 7", 'seed = 7\nprofile = "matlab"', "profile"),
    "profile that is no text": ("seed = 7", "seed = 7\nprofile = 1", "profile"),
    "profile of one exercise": ('output = "N D"', 'output = "N D"\nprofile = "torch"', "exercise[0] (double)"),
    "negative seed": ("seed = 7", "seed = -7", "seed"),
    "seed of 64 bits": ("seed = 7", "seed = 9223372036854775808", "seed"),
    "a name that moves the cursor": ('name = "double"', 'name = "a\\u001b[2J"', "exercise"),
    "a title that moves the cursor": ("Double it", "a\\u001b[2J", "title"),
    "a key that moves the cursor": ("seed = 7", 'seed = 7\n"\\u001b[2J" = 1', "unknown field `\\x1b[2J`"),
    "a name that is a path": ('name = "tiny"', 'name = "a/b"', "name"),
    "a part's name that breaks node ids": (
        TINY[TINY.index("points") :],
        'points = { "a::b" = 1 }\n[[exercise.case]]\nname = "c"\nsizes = { N = 2, D = 3 }\npart = "a::b"',
        "exercise double.points",
    ),
    "no cases": (TINY[TINY.index("points") :], "points = {}\ncase = []", "exercise double.points"),
    "no argument's name": ("inputs = { x =", 'inputs = { "x[0]" =', "exercise double.inputs"),
    "no arrays": ('{ x = "N D" }', '{ x = "N D", w = {} }', "inputs.w"),
    "no arrays deep down": ('{ x = "N D" }', '{ x = "N D", w = [{ a = [] }] }', "inputs.w[0].a"),
    "no gradient": ('output = "N D"', 'output = "N D"\ngradients = []', "exercise double.gradients"),
    "no input with a gradient": ('{ x = "N D" }', '{ x = { axes = "N D", draw = "mask" } }', "double.gradients"),
    "scale NaN": ('{ x = "N D" }', '{ x = { axes = "N D", scale = nan } }', "inputs.x"),
    "scale 0": ('{ x = "N D" }', '{ x = { axes = "N D", scale = 0 } }', "inputs.x"),
    "probabilities without an axis": (
        '{ x = "N D" }',
        '{ x = "N D", s = { axes = "", draw = "probability" } }',
        "inputs.s",
    ),
    "classes in one case": ('name = "small"', 'name = "small"\ndraw = { x = "classes" }', "case small.draw"),
    "data in one case": ('name = "small"', 'name = "small"\ndraw = { x = "data" }', "case small.draw"),
    "limit of 0": ("[[exercise]]", "[limits]\ncall_seconds = 0\n[[exercise]]", "limits"),
    "unknown limit": ("[[exercise]]", "[limits]\ncall_second = 1\n[[exercise]]", "call_second"),
    "repeat 0": ("repeat = 2", "repeat = 0", "case more.repeat"),
    "repeat without end": ("repeat = 2", "repeat = 1_000_000_000_000", "exercise"),
    "a size without end": ("N = [2, 5]", "N = [2, 5_000_000_000]", "case more.sizes.N"),
    "steps without end": ('output = "N D"', 'output = "N D"\nsteps = 1_000_000_000', "exercise double.steps"),
    "a file's name with a zero byte": ('file = "tiny.py"', 'file = "a\\u0000.py"', "file"),
    "a reference with a zero byte": ('reference = "tiny.py"', 'reference = "a\\u0000"', "reference"),
    "a reference of a name too long": ('reference = "tiny.py"', f'reference = "{"a" * 3000}"', "reference"),
    "more digits than Python's int takes": ("seed = 7", f"seed = {'9' * 5000}", "in one line"),
    "a seed that can't be printed": ("seed = 7", f"seed = 0x{'f' * 3900}", "seed"),
    "points that can't be printed": (
        "forward = 1.5",
        f"forward = 0x{'f' * 3900}",
        "exercise[0] (double).points.forward",
    ),
    "a size that can't be printed": ("N = [2, 5]", f"N = [0x{'f' * 3900}, 5]", "case[1] (more).sizes.N[0]"),
    "arrays in arrays": ("seed = 7", f"seed = {'[' * 3900}", "nested too deeply"),
    "tables in tables": ("inputs = { x =", f"inputs{'.a' * 1000} = {{ x =", "inputs.a.a"),
    "a key of thousands of parts": ("seed = 7", f"seed{'.a' * 50_000} = 7", "in one line"),
    "a key that looks like a path": ("seed = 7", 'seed = 7\n" - at `$.exercise[99]" = 1', "unknown field"),
    "an index that is no number": ("seed = 7", 'seed = 7\n" - at `$.exercise[\u00b2]" = 1', "unknown field"),
    "an output that is an empty list": ('output = "N D"', "output = []", "exercise double.output"),
    "a formula that runs code": (
        'output = "N D"',
        'output = "N K"\nderived = { K = "__import__(1)" }',
        "exercise double.derived.K",
    ),
    "a formula over an unknown axis": (
        'output = "N D"',
        'output = "N K"\nderived = { K = "Q + 1" }',
        "case small.sizes",
    ),
    "a formula over a formula": (
        'output = "N D"',
        'output = "N K"\nderived = { K = "J + 1", J = "N" }',
        "exercise double.derived.K",
    ),
    "a formula over a fraction": (
        'output = "N D"',
        'output = "N K"\narguments = { p = 0.3 }\nderived = { K = "N + p" }',
        "exercise double.derived.K",
    ),
    "a derived size that is given too": (
        'output = "N D"',
        'output = "N D"\nderived = { D = "N + 1" }',
        "case small.sizes",
    ),
    "ignored without classes": ('x = "N D"', 'x = { axes = "N D", draw = "ignored" }', "exercise double.inputs.x"),
    "a shift that is no number": ('x = "N D"', 'x = { axes = "N D", shift = nan }', "exercise double.inputs.x"),
    "a case's scale of 0": (
        "sizes = { N = 2, D = 3 }",
        'sizes = { N = 2, D = 3 }\ndraw = { x = { draw = "normal", scale = 0 } }',
        "case small.draw",
    ),
    "a case that draws numbers as classes": (
        "sizes = { N = 2, D = 3 }",
        'sizes = { N = 2, D = 3 }\ndraw = { x = "ignored" }',
        "case small.draw",
    ),
    "a function's name with an empty part": ('forward = "f"', 'forward = "f."', "exercise double.forward"),
    "an adapter that is not there": ("seed = 7", 'seed = 7\nadapter = "gone.py"', "adapter"),
    "a limit without end": ("[[exercise]]", "[limits]\ncall_seconds = inf\n[[exercise]]", "call_seconds"),
    "a limit that no system takes": ("[[exercise]]", "[limits]\nmemory_mb = 10_000_000_000\n[[exercise]]", "memory_mb"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_manifest_names_file_and_field(course: Path, name: str) -> None:
    old, new, field = BROKEN[name]
    assert old in TINY
    course.write_text(TINY.replace(old, new, 1))
    with pytest.raises(ManifestError) as caught:
        load_assignment(course)
    assert str(course) in str(caught.value)
    assert field in str(caught.value)


def test_no_file_at_all_is_a_manifest_error(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="No such file"):
        load_assignment(tmp_path / "assignment.toml")


def test_bytes_that_are_not_text_are_a_manifest_error(course: Path) -> None:
    course.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ManifestError, match="not TOML"):
        load_assignment(course)


def test_topics_are_found_by_name_folder_and_file(course: Path) -> None:
    course.write_text(TINY)
    assert find_manifest(str(course)) == course
    assert find_manifest(str(course.parent)) == course
    assert find_manifest("mlp").is_file()
    assert "mlp" in assignment_names()
    with pytest.raises(CourseError, match="no assignment 'gone'"):
        find_manifest("gone")


def test_the_digest_follows_manifest_and_reference(course: Path) -> None:
    course.write_text(TINY)
    first = load_assignment(course).digest
    course.write_text(TINY + "\n")
    second = load_assignment(course).digest
    (course.parent.parent.parent / "reference" / "tiny.py").write_text("def double(x):\n    return x + x\n")
    third = load_assignment(course).digest
    assert len({first, second, third}) == 3


UNUSUAL = {
    "a size that follows from another": ('output = "N D"', 'output = "N K"\nderived = { K = "2 * D - 1" }'),
    "two results": ('output = "N D"', 'output = ["N D", "D"]'),
    "a method": ('forward = "f"', 'forward = "Double.forward"'),
    "another draw for a case": (
        "sizes = { N = 2, D = 3 }",
        'sizes = { N = 2, D = 3 }\ndraw = { x = { draw = "uniform", scale = 0.01, shift = -3 } }',
    ),
    "unicode": ('name = "double"', 'name = "doppelt \u00fc\u4e8c"'),
    "blanks and signs in a case's name": ('name = "small"', "name = \"it's a 'small' one, 50 % {x}\""),
    "unicode input": ('{ x = "N D" }', '{ "\u03b8" = "N D" }'),
    "a hundredth of a point": ("forward = 1.5", "forward = 0.01"),
    "no credit for following": ("seed = 7", "seed = 0\nfollow_through = 0"),
    "all the credit": ("seed = 7", "seed = 9223372036854775807\nfollow_through = 1"),
    "a part that is called like an aspect": ("hidden = true", 'part = "forward"\nhidden = true'),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_unusual_and_legal_is_read_and_drawn(course: Path, name: str) -> None:
    old, new = UNUSUAL[name]
    assert old in TINY
    course.write_text(TINY.replace(old, new, 1), encoding="utf-8")
    assignment = load_assignment(course)
    for case in assignment.exercises[0].cases:
        assert draw_case(assignment, assignment.exercises[0], case, hidden_seed=2**63).sizes["D"] == 3
