"""An assignment that is declared for torch, end to end: tensors in, autograd refused, every verdict as for NumPy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from courses import HEAD, codes, grade_text, make_course, parts
from test_kinds import ADAM, ADAM_STEP, FUNCTION, LAYER, LOSS, MODEL, NET, NET_BACK, TANH, TANH_BACK

from grader.assignment import Assignment
from grader.calls import Profile, Rung, Source
from grader.grading import grade
from grader.report.console import render
from grader.report.model import Report
from grader.sandbox.pool import Sandbox
from grader.submission import Submission

TORCH = HEAD + 'profile = "torch"\n'
FORWARD = "import torch\ndef f(x, w):\n    t = torch.tanh(x)\n    return t * w, (t, w)\n"
BACKWARD = "def b(d, c):\n    t, w = c\n    return d * w * (1 - t * t), (d * t).sum(0)\n"
BORROWED = (
    "def b(d, c):\n    t, w = c\n    t = t.clone().requires_grad_()\n    return torch.autograd.grad(t * w, (t, w), d)\n"
)


@pytest.fixture
def course(tmp_path: Path) -> Assignment:
    return make_course(tmp_path, *LAYER, head=TORCH)


def told(report: Report, part: str) -> str:
    return "\n".join(f.headline for check in parts(report)[part].checks for f in check.findings)


def assert_full(report: Report) -> None:
    assert {part.earned == part.possible for part in parts(report).values()} == {True}, render(report)


def test_a_right_submission_gets_full_points(course: Assignment) -> None:
    report = grade_text(course, FORWARD + BACKWARD)
    assert_full(report)
    assert not [finding for part in parts(report).values() for finding in codes(part)]


KINDS = {
    "function": (FUNCTION, "def f(x): return x.mean(dim=1)"),
    "loss": (LOSS, "def f(p, t):\n    return ((p - t) ** 2).mean(), 2 * (p - t) / len(p)"),
    "step": (ADAM, ADAM_STEP.replace("np.sqrt", "torch.sqrt")),
    "model": (MODEL, NET.replace("np.tanh", "torch.tanh") + NET_BACK),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_tensors(tmp_path: Path, kind: str) -> None:
    exercise, text = KINDS[kind]
    report = grade_text(make_course(tmp_path, *exercise, head=TORCH), "import torch\n" + text)
    assert_full(report)


def test_a_borrowed_gradient_gets_nothing_and_is_told_why(course: Assignment) -> None:
    report = grade_text(course, FORWARD + BORROWED)
    assert (parts(report)["forward"].earned, parts(report)["backward"].earned) == (1, 0)
    assert codes(parts(report)["backward"]) == {"RAISED"}
    assert (
        "b raised AutogradRefused: autograd is refused here: no Tensor.requires_grad_, write the derivative yourself"
        in (told(report, "backward"))
    )
    assert "t.py, line 8, in b: t = t.clone().requires_grad_()" in render(report)


def test_a_borrowed_gradient_in_a_hidden_case_is_told_by_its_name(tmp_path: Path) -> None:
    exercise = LAYER[0].replace('name = "small"\n', 'name = "small"\nhidden = true\n')
    report = grade_text(make_course(tmp_path, exercise, LAYER[1], head=TORCH), FORWARD + BORROWED, hidden_seed=5)
    assert told(report, "backward") == "b raised AutogradRefused"


def test_a_refusal_that_is_swallowed_is_told_too(course: Assignment) -> None:
    swallowed = BORROWED.replace("    t = t", "    try: t").replace(
        "grad_()\n", "grad_()\n    except Exception: pass\n"
    )
    report = grade_text(course, FORWARD + swallowed.partition("    return")[0] + BACKWARD.partition("c\n")[2])
    assert parts(report)["backward"].earned == 0
    assert "autograd is refused here: no Tensor.requires_grad_" in told(report, "backward")


def test_a_wrong_gradient_gets_its_diagnosis(course: Assignment) -> None:
    report = grade_text(course, FORWARD + BACKWARD.replace("(d * t).sum(0)", "-(d * t).sum(0)"))
    assert parts(report)["backward"].earned == 0
    assert "WRONG_GRADIENT" in codes(parts(report)["backward"])
    assert "dw is not the gradient" in told(report, "backward")
    diagnoses = [f.diagnosis for check in parts(report)["backward"].checks for f in check.findings]
    assert diagnoses == ["SIGN"]


def test_writing_into_an_argument_is_warned_of(course: Assignment) -> None:
    report = grade_text(course, FORWARD.replace("torch.tanh(x)", "x.tanh_()") + BACKWARD)
    assert_full(report)
    assert "MUTATES_ARGUMENT" in codes(parts(report)["forward"])


DIGITS = {"float": "np.float32", "half": "np.float16"}


@pytest.mark.parametrize("cast", DIGITS)
def test_fewer_digits_are_told_as_for_numpy(tmp_path: Path, cast: str) -> None:
    found = []
    for profile, cast_all in ((TORCH, f".{cast}()"), (HEAD, f".astype({DIGITS[cast]})")):
        (tmp_path / str(len(found))).mkdir()
        course = make_course(tmp_path / str(len(found)), *LAYER, head=profile)
        forward, backward = (FORWARD, BACKWARD) if profile == TORCH else (TANH, TANH_BACK)
        report = grade_text(course, forward.replace("return t * w,", f"return (t * w){cast_all},") + backward)
        found.append((codes(parts(report)["forward"]), told(report, "forward")))
    assert found[0] == found[1]
    assert found[0][0] == {"WRONG_DTYPE"}


def test_digits_that_numpy_has_no_name_for_are_told_by_torchs(course: Assignment) -> None:
    report = grade_text(course, FORWARD.replace("return t * w,", "return (t * w).bfloat16(),") + BACKWARD)
    assert codes(parts(report)["forward"]) == {"WRONG_STRUCTURE"}
    assert "it is a tensor of dtype bfloat16" in told(report, "forward")


def test_the_oracle_and_the_submission_share_a_process_and_nothing_else(course: Assignment) -> None:
    text = (
        "import torch\ntorch.set_grad_enabled(False)\ntorch.set_default_dtype(torch.float16)\ntorch.tanh = torch.sin\n"
    )
    report = grade_text(course, text + FORWARD.replace("torch.tanh(x)", "x.tanh()") + BACKWARD)
    assert_full(report)


def test_numpy_is_there_too(course: Assignment) -> None:
    text = FORWARD.replace("torch.tanh(x)", "torch.from_numpy(np.tanh(x.numpy()))") + BACKWARD
    report = grade_text(course, text)
    assert_full(report)


def test_in_the_numpy_profile_torch_is_not_there(tmp_path: Path) -> None:
    report = grade_text(make_course(tmp_path, *LAYER), TANH + TANH_BACK + "import torch\n")
    assert_full(report)
    assert any("torch is not available here" in note for note in report.submission.notes)


@pytest.fixture(scope="module")
def tensors() -> Iterator[Sandbox]:
    with Sandbox(Profile.TORCH, require=Rung.NONE) as sandbox:
        yield sandbox


def graded(course: Assignment, sandbox: Sandbox, text: str) -> Report:
    source = Source(entry="t.py", files={"t.py": text.encode()})
    return grade(course, Submission(name="t", path="t.py", source=source, notes=()), sandbox=sandbox)


@pytest.mark.parametrize("kind", ["layer", *KINDS])
def test_a_process_of_its_own_says_the_same(tmp_path: Path, tensors: Sandbox, kind: str) -> None:
    exercise, text = {**KINDS, "layer": (LAYER, FORWARD + BACKWARD)}[kind]
    report = graded(make_course(tmp_path, *exercise, head=TORCH), tensors, "import torch\n" + text)
    assert_full(report)
    assert report.environment.isolation[-1] == "autograd refused (a deterrent)"
    assert report.environment.wall is tensors.rung


ANY = (
    "from array_api_compat import array_namespace\n"
    "def f(x, w):\n    t = array_namespace(x).tanh(x)\n    return t * w, (t, w)\n"
    "def b(d, c):\n    t, w = c\n    return d * w * (1 - t * t), array_namespace(d).sum(d * t, axis=0)\n"
)


def test_one_file_for_every_library_is_right_behind_the_wall_too(course: Assignment, tensors: Sandbox) -> None:
    assert_full(graded(course, tensors, ANY))


def test_autograd_is_refused_behind_the_wall_too(course: Assignment, tensors: Sandbox) -> None:
    report = graded(course, tensors, FORWARD + BORROWED)
    assert parts(report)["forward"].earned == 1
    assert codes(parts(report)["backward"]) == {"RAISED"}
    assert "autograd is refused here" in told(report, "backward")


DIFFERENCES = """
def b(d, c):
    x, w = c
    def at(x, w): return (f(x, w)[0] * d).sum()
    found, h = [], 1e-6
    for a in (x, w):
        g = torch.zeros_like(a)
        for i in range(a.numel()):
            keep = a.view(-1)[i].item()
            a.view(-1)[i] = keep + h
            up = at(x, w)
            a.view(-1)[i] = keep - h
            down = at(x, w)
            a.view(-1)[i] = keep
            g.view(-1)[i] = (up - down) / (2 * h)
        found.append(g)
    return tuple(found)
"""


def test_differences_of_tensors_are_seen_too(course: Assignment, tensors: Sandbox) -> None:
    forward = "import torch\ndef f(x, w):\n    return torch.tanh(x) * w, (x.clone(), w.clone())\n"
    assert graded(course, tensors, forward + BACKWARD).score.earned < 3
    assert codes(parts(graded(course, tensors, forward + DIFFERENCES))["backward"]) == {"NUMERICAL_DERIVATIVE"}
    assert codes(parts(grade_text(course, forward + DIFFERENCES))["backward"]) == {"NUMERICAL_DERIVATIVE"}


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_behind_the_wall_no_thread_can_be_started(course: Assignment, tensors: Sandbox) -> None:
    if tensors.rung is Rung.NONE:
        pytest.skip("there is no wall on this machine")
    thread = "import threading\ndef b(d, c):\n    threading.Thread(target=print).start()\n"
    assert "can't start new thread" in told(graded(course, tensors, FORWARD + thread), "backward")


def test_a_sandbox_of_the_other_profile_is_refused(course: Assignment, sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="the sandbox is for numpy, and t for torch"):
        graded(course, sandbox, FORWARD)
