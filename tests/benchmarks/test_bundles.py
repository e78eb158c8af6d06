"""What a worked solution takes in Gradescope's container: half a CPU and 768 MB, by control groups, as root.

    pytest tests/benchmarks/test_bundles.py -m benchmark -s

The table says which topics have room in the smallest container. What is asserted: no point is lost, nothing is
undecided, and the kernel had to kill nothing.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from test_packaging import Container, Course, as_root

from grader.manifest import load_assignment
from grader.topics import assignment_names, find_manifest

pytestmark = [pytest.mark.benchmark, as_root]
ROOT = Path("/sys/fs/cgroup")
CPUS, MB = 0.5, 768


@dataclass(frozen=True)
class Groups:
    """Control groups of version 1, one a resource, that hold a process and all that it starts."""

    memory: Path
    cpu: Path

    def enter(self) -> None:
        """Of a process that is about to exec."""
        for group in (self.memory, self.cpu):
            (group / "cgroup.procs").write_text(str(os.getpid()))


class Peak:
    """The most that a group's processes hold at once, looked at every 20 ms: what the kernel counts holds files too."""

    def __init__(self, group: Path) -> None:
        self.group, self.bytes, self.over = group, 0, threading.Event()
        self.thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self.over.wait(0.02):
            stat = dict(line.split() for line in (self.group / "memory.stat").read_text().splitlines())
            self.bytes = max(self.bytes, int(stat["total_rss"]))

    def __enter__(self) -> Peak:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()


@pytest.fixture
def groups() -> Iterator[Groups]:
    made = Groups(ROOT / "memory" / f"gradmark-{os.getpid()}", ROOT / "cpu" / f"gradmark-{os.getpid()}")
    try:
        for group in (made.memory, made.cpu):
            group.mkdir()
    except OSError:
        pytest.skip("there are no control groups of version 1 to be had")
    (made.memory / "memory.limit_in_bytes").write_text(str(MB << 20))
    (made.cpu / "cpu.cfs_quota_us").write_text(str(int(CPUS * 100_000)))
    yield made
    for group in (made.memory, made.cpu):
        for _ in range(50):
            try:
                group.rmdir()
            except OSError:
                time.sleep(0.1)
            else:
                break


@pytest.mark.parametrize("name", assignment_names())
def test_a_worked_solution_in_the_smallest_container(tmp_path: Path, groups: Groups, name: str) -> None:
    assignment = load_assignment(find_manifest(name))
    assert assignment.solution is not None
    container = Container(tmp_path / "root", enter=groups.enter)
    container.build(Course(assignment.manifest).package("gradescope", tmp_path / "autograder.zip"))
    shutil.copy(assignment.solution, container.home / "submission" / assignment.file)
    with Peak(groups.memory) as peak:
        begun = time.monotonic()
        recorded, done = container.grade({})
        seconds = time.monotonic() - begun
    print(f"\n{name:<12} {seconds:6.0f} s by the clock, at most {peak.bytes >> 20} MB of {MB} at once, files apart")
    assert (recorded.score, "undecided" in recorded.text) == (float(assignment.points), False), done.stdout[-2000:]
    assert "oom_kill 0" in (groups.memory / "memory.oom_control").read_text()
