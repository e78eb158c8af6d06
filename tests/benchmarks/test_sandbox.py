"""What a submission costs behind the wall, beside what graders pay who start a process for it.

    python -m pytest tests/benchmarks/test_sandbox.py -m benchmark -s

A warm submission is: fork, wall, load, three calls of a small layer, kill, reap. Its peers are one `import torch` in a
new Python, which is what a grader with a process a submission pays before anything else, and one cold pytest of a
single test that uses torch. All of it in turn, so that a busy machine is busy for everyone; medians.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from grader.calls import Call, Kept, Loaded, Profile, Returned, Rung, Source
from grader.grading import grade
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.sandbox.child import Child
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess
from grader.sandbox.warm import Zygote
from grader.submission import Submission
from grader.topics import find_manifest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="zygotes are for Linux")

ROUNDS = 7
"""Of the slow peers; between two of them MANY submissions are run."""
MANY = 40
LAYER = b"""
import numpy as np

def forward(x, w):
    return x @ w, (x, w)

def backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout
"""
TORCH_TEST = "import torch\n\ndef test_it():\n    assert torch.ones(2).sum() == 2\n"


class Bare:
    """A sandbox whose zygote puts up no layer at all."""

    rung = Rung.NONE
    layers = ()

    def __init__(self) -> None:
        self.zygote = Zygote(Profile.NUMPY, Rung.NONE)

    def child(self, output_bytes: int, limits: dict[str, int]) -> Child:
        return self.zygote.fork(output_bytes, limits)


def submission(sandbox: Sandbox) -> None:
    child = ChildProcess(Source(entry="t.py", files={"t.py": LAYER}), sandbox=sandbox)
    x, w = np.ones((3, 4)), np.ones((4, 5))
    loaded = child.load()
    assert isinstance(loaded, Loaded)
    out = child.call(Call(function="forward", args=(x, w), keep=1))
    assert isinstance(out, Returned)
    assert isinstance(child.call(Call(function="backward", args=(out.value, Kept(1)))), Returned)
    assert isinstance(child.call(Call(function="forward", args=(x, w), keep=2)), Returned)
    child.close()


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


@pytest.fixture
def bare() -> Iterator[Bare]:
    sandbox = Bare()
    yield sandbox
    sandbox.zygote.close()


def test_a_warm_submission(bare: Bare, tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(TORCH_TEST)
    times: dict[str, list[float]] = {}

    def measure(name: str, action: Callable[[], object], times_: int = 1) -> None:
        times.setdefault(name, []).extend(seconds(action) for _ in range(times_))

    with contextlib.ExitStack() as stack:
        walls = {rung: stack.enter_context(Sandbox(rung=rung, forks=10_000)) for rung in list(Rung)[:3]}
        walls = {rung: sandbox for rung, sandbox in walls.items() if sandbox.rung is rung}
        torch = stack.enter_context(Sandbox(Profile.TORCH, forks=10_000))
        for sandbox in (*walls.values(), torch, bare):
            seconds(lambda sandbox=sandbox: sandbox.child(100, {"RLIMIT_DATA": 1 << 30}).kill())
        for _ in range(ROUNDS):
            measure("import torch", lambda: python("-c", "import torch"))
            measure("pytest of one test", lambda: python("-m", "pytest", "-q", "-p", "no:gradmark", str(tmp_path)))
            for _ in range(MANY):
                measure("no wall", lambda: submission(bare))  # type: ignore[arg-type]
                for rung, sandbox in walls.items():
                    measure(rung, lambda sandbox=sandbox: submission(sandbox))
    medians = {name: statistics.median(values) for name, values in times.items()}
    best = {name: min(values) for name, values in times.items()}
    highest = next(iter(walls))
    print(f"\n{'':<20} {'median ms':>10} {'least ms':>10} {'in units of a warm submission':>31}")
    for name in times:
        ratios = f"{medians[name] / medians[highest]:.2f} ({best[name] / best[highest]:.2f})"
        print(f"{name:<20} {1e3 * medians[name]:>10.2f} {1e3 * best[name]:>10.2f} {ratios:>31}")


def test_a_process_for_each_exercise() -> None:
    """Grading the worked solution with a new process for each exercise, beside one for all of them."""
    assignment = load_assignment(find_manifest("mlp"))
    assert assignment.solution is not None
    source = Source(entry="mlp.py", files={"mlp.py": assignment.solution.read_bytes()})
    oracle, started = Oracle(assignment), {}
    times: dict[str, list[float]] = {"one for each": [], "one for all": []}
    with Sandbox() as sandbox:

        def graded(name: str) -> None:
            child = ChildProcess(source, sandbox=sandbox)
            if name == "one for all":
                child.fresh = lambda: None  # type: ignore[method-assign]
            report = grade(
                assignment,
                Submission(name="s", path="mlp.py", source=source, notes=()),
                evaluator=child,
                oracle=oracle,
            )
            assert report.score.earned == report.score.possible
            started[name] = child.started

        graded("one for all")
        for _ in range(ROUNDS):
            for name in times:
                times[name].append(seconds(lambda name=name: graded(name)))
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"\n{'processes':<14} {'started':>8} {'seconds':>8}")
    for name, median in medians.items():
        print(f"{name:<14} {started[name]:>8} {median:>8.3f}")
    print(f"ratio {medians['one for each'] / medians['one for all']:.3f}")
    assert started == {"one for all": 1, "one for each": len(assignment.exercises)}
