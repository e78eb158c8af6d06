"""What a class costs, beside what graders pay who start a process for it, and beside the students' own calls.

    python -m pytest tests/benchmarks/test_class_in_a_minute.py -m benchmark -s

The class is synthesised from the corpus: each of its submissions is whole, as it would be handed in, and every hand-in
is another one by a comment, so that none is known already. Those that only wait for a time limit are left out of it:
what they cost is the limit. What one submission of the class costs is told in seconds of a core, which is the time by
the clock on WORKERS cores: on a machine that does nothing else.

Its peers, in CPU seconds: one cold `pytest` of the assignment on one submission, which is what a grader with a process
a submission pays, and the bare cost: the very calls that the judge makes, in order, in one warm process without any
judge.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from grader.assignment import Assignment
from grader.authoring.corpus import compose, read_slips
from grader.batch.handins import read_class
from grader.batch.judges import grade_here
from grader.batch.running import Pass, begin, patience
from grader.batch.work import Order
from grader.calls import Call, Kept, Outcome
from grader.gradebook import Gradebook
from grader.grading import grade_path
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess
from grader.topics import find_manifest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="zygotes are for Linux")

CLASS = 1000
WORKERS = 2
SMALL, LARGE = 100, 5000
"""Classes between which the peak of memory is compared."""
COLD = 5
"""Cold pytests."""
REPLAYS = 5


@pytest.fixture(scope="module")
def mlp() -> Assignment:
    return load_assignment(find_manifest("mlp"))


@pytest.fixture(scope="module")
def corpus(mlp: Assignment, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One file a submission of the corpus that is one file and does not wait for a limit."""
    folder = tmp_path_factory.mktemp("corpus")
    slips = [slip for slip in read_slips("mlp") if not any(expected.code == "TIMED_OUT" for expected in slip.expects)]
    folders = [path for path in (compose(slip, mlp, folder) for slip in slips) if path.is_dir()]
    return [path / mlp.file for path in folders if [file.name for file in path.iterdir()] == [mlp.file]]


def synthesised(corpus: list[Path], size: int, folder: Path) -> Path:
    """A class of this size."""
    folder.mkdir()
    for number in range(size):
        text = corpus[number % len(corpus)].read_bytes()
        (folder / f"s{number:05}.py").write_bytes(text + f"\n# {number}\n".encode())
    return folder


class Watched:
    """Seconds that a class takes, and the peak of the memory that its processes have together."""

    def __init__(self, mlp: Assignment, folder: Path, run: Path) -> None:
        self.peak = 0
        order = Order(manifest=mlp.manifest)
        over = threading.Event()
        watching = threading.Thread(target=self._watch, args=(over,))
        watching.start()
        started = time.perf_counter()
        try:
            with Gradebook(run, write=True) as book:
                begin(book, mlp, order, folder)
                whole = Pass(book, mlp, order)
                self.tally = whole.grade(
                    read_class(folder).handins,
                    lambda tasks: grade_here(
                        order, tasks, workers=WORKERS, patience=patience(mlp), waiting=lambda busy: None
                    ),
                )
        finally:
            over.set()
            watching.join()
        self.seconds = time.perf_counter() - started

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(0.5):
            self.peak = max(self.peak, sum(map(proportional, descendants(os.getpid()))))


def cpu() -> float:
    """CPU seconds of this process and of all that it started and reaped."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def descendants(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from descendants(int(child))


def proportional(pid: int) -> int:
    """Bytes of memory of a process, each shared page divided among those who share it (proc(5), smaps_rollup)."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) << 10 for line in rollup if line.startswith("Pss:"))
    return 0


def bare(
    path: Path, mlp: Assignment, oracle: Oracle, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> float | None:
    """CPU seconds of the calls that the judge makes of a submission, in one warm process; the least of some rounds.

    None for one that ends the process it is in.
    """
    calls: list[Call] = []
    ask = ChildProcess.call

    def recorded(self: ChildProcess, call: Call) -> Outcome:
        calls.append(call)
        return ask(self, call)

    with monkeypatch.context() as patched:
        patched.setattr(ChildProcess, "call", recorded)
        grade_path(mlp, path, oracle=oracle, sandbox=sandbox)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.suppress(BaseException):
            module = ModuleType("bare")
            exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
            os.write(writing, repr(min(replayed(calls, module) for _ in range(REPLAYS))).encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as told:
        seconds = told.read()
    os.waitpid(pid, 0)
    return float(seconds) if seconds else None


def replayed(calls: list[Call], module: ModuleType) -> float:
    kept: dict[int, Any] = {}
    begun = time.process_time()
    for call in calls:
        args = [kept.get(arg.slot) if isinstance(arg, Kept) else arg for arg in call.args]
        with contextlib.suppress(Exception):
            result = getattr(module, call.function)(*args)
            if call.keep is not None:
                kept[call.keep] = result[1]
    return time.process_time() - begun


def cold_pytest(path: Path, mlp: Assignment, folder: Path) -> float:
    """CPU seconds of one pytest of the assignment in a new process."""
    shutil.copytree(mlp.manifest.parent, folder / "assignments" / "mlp", dirs_exist_ok=True)
    shutil.copytree(mlp.reference.parent, folder / "reference", dirs_exist_ok=True)
    shutil.copy(path, folder / "assignments" / "mlp" / mlp.file)
    before = cpu()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(folder / "assignments")], stdout=subprocess.DEVNULL, check=False
    )
    return cpu() - before


@pytest.mark.benchmark
def test_a_class_in_a_minute(
    mlp: Assignment, corpus: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle = Oracle(mlp)
    with Sandbox(mlp.profile) as sandbox:
        found = [bare(path, mlp, oracle, sandbox, monkeypatch) for path in corpus]
    alone = statistics.fmean(seconds for seconds in found if seconds is not None)
    cold = statistics.fmean(cold_pytest(path, mlp, tmp_path / "cold") for path in corpus[:: len(corpus) // COLD][:COLD])
    ran = Watched(mlp, synthesised(corpus, CLASS, tmp_path / "class"), tmp_path / "run")
    assert ran.tally.graded == CLASS
    each = WORKERS * ran.seconds / CLASS
    print(f"\n{CLASS} submissions, from {len(corpus)} of the corpus, {WORKERS} cores: {ran.seconds:.0f} s")
    print(f"  {CLASS / ran.seconds:.1f} a second, {1 / each:.1f} a second and core: {1e3 * each:.0f} ms of a core each")
    print(f"  cold pytest    {1e3 * cold:6.0f} ms   {cold / each:6.1f} times as much")
    print(f"  bare calls     {1e3 * alone:6.1f} ms   {each / alone:6.2f} times as much is spent in all")
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(ran.tally.verdicts.items()))
    print(f"  verdicts       {verdicts}")


@pytest.mark.benchmark
def test_memory_does_not_grow_with_the_class(mlp: Assignment, corpus: list[Path], tmp_path: Path) -> None:
    peaks = {}
    for size in (SMALL, LARGE):
        ran = Watched(mlp, synthesised(corpus, size, tmp_path / f"class{size}"), tmp_path / f"run{size}")
        assert ran.tally.graded == size
        peaks[size] = ran.peak
        print(f"\n{size} submissions in {ran.seconds:.0f} s: at most {ran.peak / 1e6:.0f} MB, all processes together")
    assert peaks[LARGE] < 1.1 * peaks[SMALL]
