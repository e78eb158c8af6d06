"""Handouts: what is in them runs, what gives answers away is not in them, and they are graded as the instructor's.

The search goes through every shipped topic, for what it must not find: lines of a worked solution between its markers,
slips, hidden cases, the names of the files that hold them.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader import cli
from grader.assignment import Assignment
from grader.authoring.release import handout, public_manifest, write_handout
from grader.authoring.scaffold import write_scaffold
from grader.authoring.stubs import BEGIN, END
from grader.errors import ManifestError
from grader.manifest import load_assignment
from grader.report.model import read_report
from grader.topics import assignment_names, find_manifest


def kept_back(text: str) -> set[str]:
    """What a solution says between its markers: every three lines of a region, or all of a shorter one.

    Two lines are anybody's: the torch reference begins its loop over the steps like the solution.
    """
    found, lines, inside = set(), list[str](), False
    for line in text.splitlines():
        if line.strip() == BEGIN:
            inside, lines = True, []
        elif line.strip() == END:
            inside = False
            size = min(3, len(lines))
            windows = ["\n".join(lines[start : start + size]) for start in range(len(lines) - size + 1)]
            found |= {window for window in windows if len(window) >= SHORT}
        elif inside and line.strip():
            lines.append(line.strip())
    return found


SHORT = 25
"""Characters: `return -x` may stand anywhere."""


def stripped(content: bytes) -> str:
    return "\n".join(line.strip() for line in content.decode().splitlines() if line.strip())


def hidden_names(assignment: Assignment) -> set[str]:
    """Names of cases that are hidden, and of none that are not."""
    names = {case.name.rpartition(" ")[0] or case.name for e in assignment.exercises for case in e.cases if case.hidden}
    return names - {case.name for e in assignment.exercises for case in e.cases if not case.hidden}


@pytest.mark.parametrize("name", assignment_names())
def test_nothing_in_it_gives_an_answer_away(name: str) -> None:
    assignment = load_assignment(find_manifest(name))
    assert assignment.solution is not None
    answers = kept_back(assignment.solution.read_text())
    slips = assignment.slips.read_text() if assignment.slips else ""
    told = {node.name for node in ast.parse(slips).body if isinstance(node, ast.FunctionDef) and node.decorator_list}
    files = handout([find_manifest(name)])
    assert not [path for path in files if "solutions" in path or "slips" in path]
    for path, content in files.items():
        if path.endswith((".npz", ".txt")) or "LICENSE" in path:
            continue
        text = stripped(content)
        # The reference is the definition in torch, which of a schedule is one line in any language.
        sought = {answer for answer in answers if "\n" in answer or not path.startswith("reference/")}
        assert not [answer for answer in sought if answer in text], path
        assert not [slip for slip in told if f"def {slip}(" in text], path
        if path.endswith(".toml"):
            assert "hidden = true" not in text
            assert "solution" not in text.replace("# solution", "")
            assert not [line for line in text.splitlines() if line.startswith("slips")]
            assert not [hidden for hidden in hidden_names(assignment) if f'"{hidden}"' in text]


def test_the_search_finds_what_was_left_in() -> None:
    """The test above can fail: of a folder that holds the solution beside the stub, it would."""
    assignment = load_assignment(find_manifest("mlp"))
    assert assignment.solution is not None
    text = stripped(assignment.solution.read_bytes())
    assert all(answer in text for answer in kept_back(assignment.solution.read_text()))
    assert hidden_names(assignment)


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_it_is_worked_in_and_handed_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the instructor's folder to the student's and back."""
    manifest = write_scaffold("graphs", "Graphs", tmp_path / "course")[0]
    out = tmp_path / "handout"
    assert cli.main(["release", str(manifest.parent), "--out", str(out)]) == 0
    assert "assignments/graphs/graphs.py" in capsys.readouterr().out
    done = run(folder=out)
    assert (done.returncode, "0 of 3 points" in done.stdout) == (1, True), done.stdout
    solution = load_assignment(manifest).solution
    assert solution is not None
    (out / "assignments" / "graphs" / "graphs.py").write_bytes(solution.read_bytes())
    done = run("--grade-report", "report.json", folder=out)
    assert (done.returncode, "3 of 3 points" in done.stdout) == (0, True), done.stdout
    assert read_report(out / "report.json").score.earned == 3
    handed = str(out / "assignments" / "graphs")
    assert cli.main(["grade", handed, "--assignment", str(manifest), "--seed", "5", "--require", "none"]) == 0
    assert "3 of 3 points" in capsys.readouterr().out


def test_the_stub_is_cut_anew(tmp_path: Path) -> None:
    manifest, stub, *_ = write_scaffold("graphs", "Graphs", tmp_path)
    clean = stub.read_bytes()
    stub.write_text("# solved while trying\n")
    assert handout([manifest])["assignments/graphs/graphs.py"] == clean


def test_a_zip_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    manifest = write_scaffold("graphs", "Graphs", tmp_path)[0]
    for name in ("one.zip", "two.zip"):
        write_handout([manifest], tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes().replace(b"one/", b"two/") == (tmp_path / "two.zip").read_bytes()
    names = zipfile.ZipFile(tmp_path / "one.zip").namelist()
    assert names == [f"one/{path}" for path in handout([manifest])]


def test_several_topics_make_one_handout() -> None:
    files = handout([find_manifest("mlp"), find_manifest("conv")])
    assert {"assignments/mlp/mlp.py", "assignments/conv/conv.py", "reference/data/mnist_10k.npz"} <= files.keys()
    assert files["README.md"].decode().startswith("# Hand-written deep learning\n")


HIDDEN_PART = """
[[exercise]]
name = "two"
kind = "function"
function = "two"
reference = "scaled_tanh"
inputs = { x = "N D", g = "D" }
points = { plain = 1, secret = 2 } # two of them for what is not shown

[[exercise.case]]
name = "shown"
part = "plain"
sizes = { N = 3, D = 4 }

# ------------------ not shown
[[exercise.case]]
name = "not shown"
part = "secret"
sizes = { N = 4, D = 3 }
hidden = true

[[exercise]]
name = "three"
kind = "function"
function = "three"
reference = "scaled_tanh"
inputs = { x = "N D", g = "D" }
points = { value = 1 }
case = [{ name = "only", sizes = { N = 4, D = 3 }, hidden = true }]
"""


def test_parts_and_exercises_of_hidden_cases_alone_are_not_handed_out(tmp_path: Path) -> None:
    manifest = write_scaffold("graphs", "Graphs", tmp_path)[0]
    manifest.write_text(manifest.read_text() + HIDDEN_PART)
    write_handout([manifest], tmp_path / "out")
    public = load_assignment(tmp_path / "out" / "assignments" / "graphs" / "assignment.toml")
    assert [exercise.name for exercise in public.exercises] == ["scaled tanh", "two"]
    assert [(part.name, part.points) for part in public.exercise("two").parts] == [("plain", 1)]
    text = (tmp_path / "out" / "assignments" / "graphs" / "assignment.toml").read_text()
    assert "points = { plain = 1 } # two of them" in text
    assert "part = " in text
    assert '"not shown"' not in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("points = { plain = 1, secret = 2 }", "points.plain = 1\npoints.secret = 2"), "must stand in one line"),
        (('[[exercise.case]]\nname = "not shown"', '[["exercise".case]]\nname = "not shown"'), "can't be handed out"),
    ],
)
def test_a_manifest_that_is_not_understood_is_not_handed_out(
    tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    manifest = write_scaffold("graphs", "Graphs", tmp_path)[0]
    manifest.write_text(manifest.read_text() + HIDDEN_PART.replace(*change))
    with pytest.raises(ManifestError, match=told):
        write_handout([manifest], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_comments_and_order_stay() -> None:
    manifest = find_manifest("mlp")
    text, public = manifest.read_text(), public_manifest(manifest.read_text(), load_assignment(manifest))
    lines = iter(text.splitlines())
    assert all(line in lines for line in public.splitlines())  # in the same order, nothing new
    assert "# ----" in public


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = write_scaffold("graphs", "Graphs", tmp_path / "course")[0]
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine").touch()
    assert cli.main(["release", str(manifest), "--out", str(tmp_path / "there")]) == 2
    assert "is there already" in capsys.readouterr().err
    assert cli.main(["release", "nope", "--out", str(tmp_path / "new")]) == 2
    assert "there is no assignment 'nope'" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert cli.main(["release", str(manifest), "--out", str(tmp_path / "empty")]) == 0
