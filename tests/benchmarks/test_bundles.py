"""What a worked solution takes in Gradescope's container: half a CPU and 768 MB, by control groups, as root.

    pytest tests/benchmarks/test_bundles.py -m benchmark -s

The table says which topics have room in the smallest container. What is asserted: no point is lost, nothing is
undecided, and the kernel had to kill nothing.
"""

from __future__ import annotations

import os
import shutil
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
    (groups.memory / "memory.max_usage_in_bytes").write_text("0")
    begun = time.monotonic()
    recorded, done = container.grade({})
    seconds = time.monotonic() - begun
    peak = int((groups.memory / "memory.max_usage_in_bytes").read_text()) >> 20
    used = {key: int(value) >> 20 for key, value in map(str.split, (groups.memory / "memory.stat").open())}
    print(f"\n{name:<12} {seconds:6.0f} s by the clock, peak {peak:4d} MB with cached files ({used['cache']} left)")
    assert (recorded.score, "undecided" in recorded.text) == (float(assignment.points), False), done.stdout[-2000:]
    assert "oom_kill 0" in (groups.memory / "memory.oom_control").read_text()
