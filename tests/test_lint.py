"""`grader lint`: each thing that can be said of a topic is said of one that has it, and of no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import cli
from grader.authoring.lint import Level, Remark, lint
from grader.authoring.scaffold import write_scaffold
from grader.topics import find_manifest


@pytest.fixture
def course(tmp_path: Path) -> dict[str, Path]:
    """The files of a sound topic by their place."""
    names = ("manifest", "stub", "lesson", "reference", "solution", "slips")
    return dict(zip(names, write_scaffold("graphs", "Graphs", tmp_path), strict=True))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def said(course: dict[str, Path]) -> list[str]:
    return [f"{remark.level} {remark.where}: {remark.text}" for remark in lint(course["manifest"])]


PROBLEMS: dict[str, tuple[Callable[[dict[str, Path]], None], str]] = {
    "a broken manifest": (
        lambda c: change(c["manifest"], 'kind = "layer"', 'kind = "cake"'),
        "Invalid enum value 'cake'",
    ),
    "no such reference": (
        lambda c: change(c["reference"], "def scaled_tanh(", "def other("),
        "has no function 'scaled_tanh'",
    ),
    "a reference that raises": (
        lambda c: change(c["reference"], "return g *", "return 1 / 0 *"),
        "it raised ZeroDivisionError",
    ),
    "a reference whose gradient is another": (
        lambda c: change(c["reference"], "torch.tanh(x)", "torch.tanh(x.detach()) + 0 * x"),
        "finite differences and torch.autograd disagree on the reference",
    ),
    "a solution that is wrong": (
        lambda c: change(c["solution"], "(1 - t * t)", "(1 + t * t)"),
        "problem graphs / scaled tanh / backward: the worked solution does not pass the case small: dx is not",
    ),
    "a stub that is not what is cut": (
        lambda c: change(c["stub"], "Fill in", "Write"),
        "problem graphs / graphs.py: is not what is cut from the solution",
    ),
    "a stub that earns points": (
        lambda c: c["stub"].write_text(c["solution"].read_text()),
        "problem graphs / scaled tanh / forward: the stub earns 1 points",
    ),
    "no stub": (lambda c: c["stub"].unlink(), "there is no such file for students to edit"),
    "a slip that is right": (
        lambda c: change(c["slips"], "(1 - t)", "(1 - t * t)"),
        "the slip no_square gives what the reference gives in every visible case",
    ),
    "a slip that raises": (
        lambda c: change(c["slips"], "torch.tanh(x)", "torch.no_such(x)"),
        "the slip no_square can't be run in any case",
    ),
}
WARNINGS: dict[str, tuple[Callable[[dict[str, Path]], None], str]] = {
    "no lesson": (lambda c: c["lesson"].unlink(), "warning graphs / README.md: there is no lesson"),
    "no solution": (
        lambda c: change(c["manifest"], 'solution = "solutions/graphs.py"\n', ""),
        "warning graphs / solution: there is none",
    ),
    "no hidden case": (lambda c: change(c["manifest"], "hidden = true\n", ""), "has no hidden case"),
    "all square": (
        lambda c: [
            change(c["manifest"], old, "{ N = 3, D = 3 }")
            for old in ("{ N = 3, D = 4 }", "{ N = 1, D = 5 }", "{ N = 6, D = 2 }", "{ N = [2, 9], D = [2, 9] }")
        ],
        "warning graphs / scaled tanh: D and N are equal in every case",
    ),
    "no docstring": (
        lambda c: [
            change(c[place], '    """out[n, d] = g[d] tanh(x[n, d]).\n', '    f"""') for place in ("solution", "stub")
        ],
        "scaled_tanh_forward has no docstring",
    ),
}


def test_of_a_sound_topic_nothing_is_said(course: dict[str, Path]) -> None:
    assert said(course) == []


@pytest.mark.parametrize("what", PROBLEMS)
def test_a_problem_is_told(course: dict[str, Path], what: str) -> None:
    do, text = PROBLEMS[what]
    do(course)
    remarks = said(course)
    assert any(text in line and line.startswith("problem") for line in remarks), remarks


@pytest.mark.parametrize("what", WARNINGS)
def test_a_warning_is_told_and_nothing_else(course: dict[str, Path], what: str) -> None:
    do, text = WARNINGS[what]
    do(course)
    (line,) = said(course)
    assert text in line
    assert line.startswith("warning")


def test_arguments_that_never_change_are_told() -> None:
    """Of the shipped topics; what is the same everywhere there is so on purpose, and few."""
    remarks = lint(find_manifest("norm"))
    assert all(remark.level is Level.WARNING for remark in remarks), remarks


def test_the_command(course: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    topic = str(course["manifest"].parent)
    assert cli.main(["lint", topic]) == 0
    assert capsys.readouterr().out == "1 topic: no problems, no warnings\n"
    course["lesson"].unlink()
    assert cli.main(["lint", topic]) == 0
    assert "warning  graphs / README.md: there is no lesson\n" in capsys.readouterr().out
    course["stub"].unlink()
    assert cli.main(["lint", topic, "--format", "json"]) == 1
    told = [Remark(**item) for item in json.loads(capsys.readouterr().out)]
    assert [remark.level for remark in told] == ["problem", "warning"]
    assert cli.main(["lint", "no_such_topic"]) == 2
    assert "there is no assignment 'no_such_topic'" in capsys.readouterr().err
