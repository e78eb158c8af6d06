"""Files that would not run on a GPU, or would wait for it, told on a machine without one: each with its line.

tests/portability holds them, a file each. Its first line says what must be found: the exercise, the finding's code, the
line, and words of the finding. Files called right_ are right on a GPU, if oddly written, and pass without a word.

Where torch has a GPU the same files are asked of it too: what is said to fail here must fail there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from courses import HEAD, checks, make_course
from test_kinds import ADAM, ADAM_STEP, CASE, FUNCTION, LAYER, LOSS, MODEL, NET, NET_BACK

from grader.assignment import Assignment
from grader.calls import Profile, Source
from grader.grading import grade
from grader.report.console import render
from grader.report.model import CheckReport, Report
from grader.sandbox.inprocess import InProcess
from grader.submission import Submission

FOLDER = Path(__file__).parent / "portability"
FILES = sorted(FOLDER.glob("*.py"))
WRONG = [path.stem for path in FILES if not path.stem.startswith("right_")]
RIGHT = [path.stem for path in FILES if path.stem.startswith("right_")]
EXPECTED = re.compile(r"# (?P<exercise>\w+): (?P<code>[A-Z_]+), line (?P<line>\d+): (?P<words>.+)")
COURSES = {
    "layer": LAYER,
    "loss": (
        'name = "e"\nkind = "loss"\nloss = "loss"\nreference = "f"\ngradients = ["scores"]\n'
        'inputs = { scores = "N C", y = { axes = "N", draw = "classes", of = "C" } }\n'
        "points = { value = 1, gradient = 2 }\n" + CASE + "sizes = { N = 4, C = 3 }\n",
        "def f(scores, y):\n    return torch.nn.functional.cross_entropy(scores, y)\n",
    ),
    "embedding": (
        'name = "e"\nkind = "layer"\nforward = "embed"\nbackward = "embed_back"\nreference = "f"\n'
        'inputs.codes = { axes = "N T", draw = "classes", of = "V" }\ninputs.w = "V D"\noutput = "N T D"\n'
        "points = { forward = 1, backward = 2 }\n" + CASE + "sizes = { N = 3, T = 4, V = 5, D = 2 }\n",
        "def f(codes, w):\n    return w[codes]\n",
    ),
}


@pytest.fixture(scope="module")
def courses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Assignment]:
    head = HEAD + f'profile = "{Profile.PRETEND_CUDA}"\n'
    return {name: make_course(tmp_path_factory.mktemp(name), *parts, head=head) for name, parts in COURSES.items()}


def graded(assignment: Assignment, text: str, profile: Profile = Profile.PRETEND_CUDA) -> Report:
    assignment = replace(assignment, profile=profile)
    source = Source(entry="t.py", files={"t.py": text.encode()})
    submission = Submission(name="t", path="t.py", source=source, notes=())
    return grade(assignment, submission, evaluator=InProcess(source, assignment.profile))


@cache
def text_of(name: str) -> str:
    return (FOLDER / f"{name}.py").read_text("utf-8")


def test_there_are_as_many_as_promised() -> None:
    failing = [name for name in WRONG if "SYNCHRONISES" not in text_of(name).partition("\n")[0]]
    assert (len(failing) >= 20, len(RIGHT) >= 10) == (True, True)


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_with_its_line(courses: dict[str, Assignment], name: str) -> None:
    text = text_of(name)
    expected = EXPECTED.match(text)
    assert expected is not None, "its first line doesn't say what is to be found"
    report = graded(courses[expected["exercise"]], text)
    found = [finding for check in checks(report) for finding in check.findings]
    telling = [
        finding
        for finding in found
        if finding.code == expected["code"] and expected["words"] in f"{finding.headline} {finding.likely}"
    ]
    assert telling, render(report)
    told = "\n".join(f"{finding.headline}\n{finding.likely}\n{finding.detail}" for finding in found)
    assert f"t.py, line {expected['line']}," in told or f"t.py, line {expected['line']} " in told, render(report)
    assert (report.score.verdict == "passed") == (expected["code"] == "SYNCHRONISES"), render(report)
    assert not report.score.undecided


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_passes_without_a_word(courses: dict[str, Assignment], name: str) -> None:
    text = text_of(name)
    report = graded(courses[text.partition("\n")[0].removeprefix("# ")], text)
    assert report.score.verdict == "passed", render(report)
    assert not [finding for check in checks(report) for finding in check.findings], render(report)


@pytest.mark.parametrize("name", ["zeros_without_device", "gradient_filled_on_the_cpu", "loop_over_numbers"])
def test_what_a_student_reads(courses: dict[str, Assignment], name: str, golden: Callable[[str, str], None]) -> None:
    text = text_of(name)
    exercise = text.partition(":")[0].removeprefix("# ")
    golden(f"messages/portability_{name}.txt", render(graded(courses[exercise], text)) + "\n")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("name", [*WRONG, *RIGHT])
def test_a_real_gpu_says_the_same(courses: dict[str, Assignment], name: str) -> None:
    text = text_of(name)
    exercise = text.partition("\n")[0].partition(":")[0].removeprefix("# ")
    real, pretend = (graded(courses[exercise], text, profile) for profile in (Profile.CUDA, Profile.PRETEND_CUDA))
    verdicts = [[(check.aspect, check.verdict, failures(check)) for check in checks(one)] for one in (real, pretend)]
    assert verdicts[0] == verdicts[1], render(real)


def failures(check: CheckReport) -> list[str]:
    return [finding.code for finding in check.findings if not finding.warning]


KINDS = {
    "function": (FUNCTION, "def f(x): return x.mean(dim=1)", "x.mean(dim=1)", "out"),
    "loss": (LOSS, "def f(p, t): return ((p - t) ** 2).mean(), 2 * (p - t) / len(p)", "2 * (p - t) / len(p)", "dp"),
    "step": (ADAM, ADAM_STEP.replace("np.sqrt", "torch.sqrt"), "p - step", "params['layers'][0]['w']"),
    "model": (MODEL, NET.replace("np.tanh", "torch.tanh") + NET_BACK, "x.T @ g", "grads[0]['w']"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_graded_and_tells_what_lies_elsewhere(tmp_path: Path, kind: str) -> None:
    exercise, text, result, name = KINDS[kind]
    course = make_course(tmp_path, *exercise, head=HEAD + 'profile = "pretend-cuda"\n')
    right = graded(course, "import torch\n" + text)
    assert (right.score.verdict, right.score.undecided) == ("passed", 0), render(right)
    wrong = graded(course, "import torch\n" + text.replace(result, f"({result}).cpu()"))
    told = [finding for check in checks(wrong) for finding in check.findings if not finding.warning]
    assert [(finding.code, finding.headline.partition(" ")[0], finding.pattern) for finding in told] == [
        ("WRONG_DEVICE", name, "its numbers are right")
    ], render(wrong)
