"""A new topic is whole: it lints clean, its stub is asked for, its solution earns all, its slip is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import cli
from grader.authoring.lint import lint
from grader.authoring.scaffold import scaffold, write_scaffold
from grader.grading import grade_path
from grader.manifest import load_assignment


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_scaffold("graphs", "Networks on graphs", tmp_path)[0]


def test_nothing_is_to_be_said_of_it(manifest: Path) -> None:
    assert lint(manifest) == []


def test_its_slip_is_named(manifest: Path, tmp_path: Path) -> None:
    assignment = load_assignment(manifest)
    assert assignment.solution is not None
    wrong = tmp_path / "graphs.py"
    wrong.write_text(assignment.solution.read_text().replace("(1 - t * t)", "(1 - t)"))
    (forward, backward) = grade_path(assignment, wrong).exercises[0].parts
    assert (forward.earned, backward.earned) == (1, 0)
    assert "the square is missing" in backward.checks[0].findings[0].likely


def test_the_command_writes_it_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["new", "graphs", "--course", str(tmp_path)]) == 0
    paths = capsys.readouterr().out.split()
    assert [Path(path).relative_to(tmp_path).as_posix() for path in paths] == list(scaffold("graphs", "Graphs"))
    assert 'title = "Graphs"' in Path(paths[0]).read_text()
    Path(paths[1]).write_text("mine")
    assert cli.main(["new", "graphs", "--course", str(tmp_path)]) == 2
    assert "nothing is written over" in capsys.readouterr().err
    assert Path(paths[1]).read_text() == "mine"


@pytest.mark.parametrize("name", ["Graphs", "a-b", "../up", "", "class", "a" * 41, "1st"])
def test_a_name_that_no_file_can_have_is_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["new", name, "--course", str(tmp_path)]) == 2
    assert "is not a topic's name" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("title", ['a "quoted" one', "two\nlines", "back\\slash"])
def test_a_title_that_no_manifest_can_hold_is_refused(title: str) -> None:
    with pytest.raises(ValueError, match="must be one line"):
        scaffold("graphs", title)
