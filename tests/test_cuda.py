"""A real GPU: the same judge on its tensors, behind the wall that its driver allows. Skipped where there is none."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from courses import HEAD, codes, make_course, parts
from test_kinds import LAYER
from test_torch_profile import ANY, assert_full, graded

from grader.assignment import Assignment
from grader.calls import Call, Elsewhere, Found, Loaded, Outcome, Profile, Raised, Returned, Rung, Source, TimedOut
from grader.cli import main
from grader.manifest import load_assignment
from grader.report.model import read_report
from grader.sandbox.inprocess import InProcess
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess
from grader.topics import find_manifest

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
]


@pytest.fixture(scope="module")
def gpu() -> Iterator[Sandbox]:
    with Sandbox(Profile.CUDA, require=Rung.NONE) as sandbox:
        yield sandbox


@pytest.fixture
def course(tmp_path: Path) -> Assignment:
    return replace(make_course(tmp_path, *LAYER, head=HEAD), profile=Profile.CUDA)


def pending_course(folder: Path) -> str:
    """The manifest of a course with points for the GPU, and a right hand-in in the folder handins beside it."""
    course = make_course(folder, *LAYER, head=HEAD + '[also_on]\n"cuda" = 0.1\n"cuda float32" = 0.1\n')
    (folder / "handins" / "ada").mkdir(parents=True)
    (folder / "handins" / "ada" / "t.py").write_text(ANY)
    return str(course.manifest)


def source(text: str) -> Source:
    return Source(entry="t.py", files={"t.py": f"import torch, numpy as np\n{text}".encode()})


def ask(gpu: Sandbox, text: str, *args: object, **options: object) -> Outcome:
    """One call behind the wall."""
    process = ChildProcess(source(text), sandbox=gpu, memory_bytes=1 << 31)
    try:
        assert isinstance(process.load(), Loaded)
        return process.call(Call(function="f", args=args, **options))  # type: ignore[arg-type]
    finally:
        process.close()


def value(outcome: Outcome) -> object:
    assert isinstance(outcome, Returned), outcome
    return outcome.value


def raised(outcome: Outcome) -> Raised:
    assert isinstance(outcome, Raised), outcome
    return outcome


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "bool"])
def test_arrays_cross_as_they_are(gpu: Sandbox, dtype: str) -> None:
    x = np.arange(6).reshape(2, 3).astype(dtype)
    text = "def f(x):\n    assert x.is_cuda and type(x) is torch.Tensor\n    return {'x': x, 'n': [x.T]}"
    back = value(ask(gpu, text, x))
    assert isinstance(back, dict)
    assert back["x"].dtype == x.dtype
    np.testing.assert_array_equal(back["x"], x)
    np.testing.assert_array_equal(back["n"][0], x.T)


@pytest.mark.parametrize(
    ("text", "found"),
    [("x.cpu()", Found.ON_CPU), ("torch.zeros(2)", Found.ON_CPU), ("np.zeros(2)", Found.NUMPY)],
)
def test_results_elsewhere_are_told(gpu: Sandbox, text: str, found: Found) -> None:
    back = value(ask(gpu, f"def f(x): return {text}", np.ones(2)))
    assert isinstance(back, Elsewhere)
    assert back.found is found


def test_a_right_submission_gets_full_points(course: Assignment, gpu: Sandbox) -> None:
    report = graded(course, gpu, ANY)
    assert_full(report)
    assert report.environment.isolation[-1] == "autograd refused (a deterrent), and a GPU's driver within reach"
    assert report.environment.wall is Rung.SECCOMP
    assert report.environment.device.startswith("cuda: ")


def test_a_wrong_one_does_not(course: Assignment, gpu: Sandbox) -> None:
    report = graded(course, gpu, ANY.replace("(1 - t * t)", "(1 - t)"))
    assert codes(parts(report)["backward"]) == {"WRONG_GRADIENT"}
    assert parts(report)["forward"].earned == 1


def test_autograd_is_refused(course: Assignment, gpu: Sandbox) -> None:
    borrowed = ANY.partition("def b")[0] + (
        "import torch\ndef b(d, c):\n    t, w = c\n    t = t.clone().requires_grad_()\n"
        "    return torch.autograd.grad(t * w, (t, w), d)\n"
    )
    assert "RAISED" in codes(parts(graded(course, gpu, borrowed))["backward"])


HOSTILE = """
import os, socket, subprocess, threading
def f(x):
    told = []
    def look():
        for act in (
            lambda: open('/etc/passwd'), lambda: os.listdir('/'), lambda: os.fork(), lambda: socket.socket(),
            lambda: subprocess.run(['true']), lambda: os.kill(os.getppid(), 0), lambda: open('/dev/nvidiactl'),
        ):
            try:
                act()
                told.append(1.0)
            except OSError:
                told.append(0.0)
    look()
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return torch.tensor(told, device=x.device)
"""


def test_the_wall_stands(gpu: Sandbox) -> None:
    if gpu.rung is Rung.NONE:
        pytest.skip("no wall here")
    np.testing.assert_array_equal(value(ask(gpu, HOSTILE, np.ones(2))), np.zeros(14))


def test_memory_has_a_limit_and_a_finding_of_its_own(course: Assignment, gpu: Sandbox) -> None:
    text = "def f(x): return torch.zeros(1 << 29, dtype=torch.float64, device=x.device).sum()"
    told = raised(ask(gpu, text, np.ones(2)))
    assert told.kind == "OutOfMemoryError"
    report = graded(course, gpu, "import torch\ndef f(x, w): return torch.zeros(1 << 31, device=x.device), None\n")
    assert "OUT_OF_MEMORY" in codes(parts(report)["forward"])


def test_after_a_failed_kernel_the_next_call_has_a_process_of_its_own(gpu: Sandbox) -> None:
    text = "def f(x): return x[torch.tensor([10 ** 9], device=x.device)]\ndef g(x): return x * 2"
    process = ChildProcess(source(text), sandbox=gpu)
    try:
        process.load()
        told = raised(process.call(Call(function="f", args=(np.ones(2),))))
        assert "CUDA error" in told.message
        assert "line 2, in f" in told.traceback or not told.traceback  # it may come up when it is waited for
        np.testing.assert_array_equal(value(process.call(Call(function="g", args=(np.ones(2),)))), [2.0, 2.0])
        assert process.started == 2
    finally:
        process.close()


def test_kernels_are_waited_for(gpu: Sandbox) -> None:
    text = "def f(x):\n    torch.cuda._sleep(10 ** 11)\n    return x"
    assert isinstance(ask(gpu, text, np.ones(2), seconds=1.0), TimedOut)


def test_float32_is_multiplied_with_all_its_digits(gpu: Sandbox) -> None:
    x = np.random.default_rng(0).normal(size=(128, 128)).astype(np.float32)
    back = value(ask(gpu, "def f(x): return x @ x", x))
    error = np.abs(back - x.astype(np.float64) @ x.astype(np.float64)).max()
    assert error < 1e-4  # 2^-11 of sums of 128 products would be a hundred times that


def test_in_this_process(course: Assignment) -> None:
    runner = InProcess(source("def f(x): return x @ x.T"), Profile.CUDA)
    np.testing.assert_array_equal(value(runner.call(Call(function="f", args=(np.eye(2),)))), np.eye(2))


SUMS = (
    'name = "sums"\nkind = "layer"\nforward = "f"\nbackward = "b"\nreference = "f"\noutput = "M D"\n'
    'inputs = { x = "N D", w = "M D" }\npoints = { forward = 1, backward = 2 }\n'
    '[[exercise.case]]\nname = "small"\nsizes = { N = 50000, M = 3, D = 2 }\n',
    "def f(x, w):\n    rows = torch.arange(len(x)) % len(w)\n"
    "    return torch.zeros_like(w).index_add(0, rows, x * w[rows])\n",
)
BY_ATOMICS = """
import torch
def f(x, w):
    rows = torch.arange(len(x), device=x.device) % len(w)
    return torch.zeros_like(w).index_add_(0, rows, x * w[rows]), (x, w, rows)
def b(dout, cache):
    x, w, rows = cache
    return dout[rows] * w[rows], torch.zeros_like(w).index_add_(0, rows, dout[rows] * x)
"""


def test_sums_in_another_order_are_no_fault_and_history_is(tmp_path: Path, gpu: Sandbox) -> None:
    """grader.numerics.contract states the rule; tests/test_repeats.py tries it where there is no GPU."""
    head = HEAD + '[also_on]\n"cuda float32" = 0.5\n'
    course = replace(make_course(tmp_path, *SUMS, head=head), profile=Profile.CUDA)
    assert_full(graded(course, gpu, BY_ATOMICS))
    late = BY_ATOMICS.replace(
        "return dout[rows]", "b.n = getattr(b, 'n', 0) + 1\n    return (1 + b.n % 3 * 1e-3) * dout[rows]"
    )
    assert codes(parts(graded(course, gpu, late))["backward"]) & {"NONDETERMINISTIC", "CACHE_SHARED", "ACCUMULATES"}


def test_what_was_pending_is_settled_here(tmp_path: Path) -> None:
    """By the command: graded as on a machine without a GPU, then completed on this one."""
    manifest, file, report = pending_course(tmp_path), tmp_path / "handins" / "ada" / "t.py", tmp_path / "report.json"
    asked = ["grade", str(file), "--assignment", manifest, "--report", str(report), "--require", "none"]
    assert main([*asked, "--device", "cpu"]) == 0
    before = read_report(report)
    assert (before.score.pending > 0, before.environment.device) == (True, "cpu")
    assert main([*asked, "--device", "cuda", "--complete", str(report)]) == 0
    after = read_report(report)
    assert (after.score.pending, after.score.earned) == (0, after.score.possible)
    assert after.environment.device.startswith("cpu, cuda: ")


def test_the_judges_of_a_class_fork_where_there_is_a_gpu(tmp_path: Path) -> None:
    manifest, run = pending_course(tmp_path), tmp_path / "run"
    batch = ["batch", str(tmp_path / "handins"), "--assignment", manifest, "--out", str(run), "--require", "none"]
    ran = subprocess.run([sys.executable, "-m", "grader", *batch], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (row,) = csv.DictReader((run / "scores.csv").read_text().splitlines())
    assert (row["earned"], row["pending"]) == ("3", "0")


def test_calibrate_forks_where_there_is_a_gpu() -> None:
    asked = ["calibrate", "functional", "--only", "loss", "--mutants", "4", "--seeds", "2", "--workers", "2"]
    ran = subprocess.run([sys.executable, "-m", "grader", *asked], capture_output=True, text=True, timeout=300)
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    assert re.search(r"(?m)^0 of \d+ checks of the worked solution not passed", ran.stdout), ran.stdout


@pytest.mark.parametrize("name", ["mlp", "norm", "losses", "functional"])
def test_topics_of_the_course(name: str, gpu: Sandbox) -> None:
    topic = load_assignment(find_manifest(name))
    assert topic.solution is not None
    source = Source(entry=topic.file, files={topic.file: topic.solution.read_bytes()})
    from grader.grading import grade
    from grader.submission import Submission

    report = grade(
        replace(topic, profile=Profile.CUDA),
        Submission(name=name, path=topic.file, source=source, notes=()),
        sandbox=gpu,
    )
    assert_full(report)
    assert not [f.headline for e in report.exercises for p in e.parts for c in p.checks for f in c.findings]
