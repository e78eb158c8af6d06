"""The readers of foreign bytes under a fuzzer that follows coverage: atheris, with libFuzzer beneath.

    python -m pytest tests/benchmarks/test_fuzz_coverage.py -m benchmark -s

Each target of tests/fuzz_targets.py runs in a process of its own, from its valid inputs on, and one table is printed:
how many inputs it took, and how many edges of the readers' own code, and of what they use of the standard library in
Python, were covered by the valid inputs alone and at the end. A law broken, an input that takes SLOW seconds and one
that takes MEMORY megabytes are crashes: there must be none, and the input is shown.
"""

from __future__ import annotations

import base64
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from fuzz_targets import TARGETS

TESTS = Path(__file__).parents[1]
SECONDS = 60
"""For each target."""
SLOW = 10
MEMORY = 2048
SEED = 20261121

CHILD = """
import sys
import atheris
sys.path.insert(0, sys.argv.pop(1))
name = sys.argv.pop(1)
with atheris.instrument_imports(include=["grader", "json", "tomllib", "zipfile"]):
    import fuzz_targets
target = fuzz_targets.TARGETS[name]
def read(data):
    target.read(data)
atheris.Setup(sys.argv, read)
atheris.Fuzz()
"""


def fuzz(name: str, folder: Path) -> tuple[str, list[Path]]:
    """What the fuzzer says about one target, and the inputs that crashed it."""
    for part in ("corpus", "crashes", "scratch"):
        (folder / part).mkdir(parents=True)
    for number, seed in enumerate(TARGETS[name].seeds):
        (folder / "corpus" / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={SECONDS}", f"-timeout={SLOW}", f"-rss_limit_mb={MEMORY}", f"-seed={SEED}"]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(TESTS), name, *options, f"-artifact_prefix={folder}/crashes/", "corpus"],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "scratch")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.stdout, sorted((folder / "crashes").iterdir())


def numbers(told: str, event: str) -> tuple[int, int]:
    """Executions and edges at an event of the fuzzer's log; it starts with `INITED` and ends with `DONE`."""
    found = re.search(rf"^#(\d+)\s+{event}\s+cov: (\d+)", told, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else (0, 0)


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_no_input_crashes_a_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        f"{'target':12} {'executions':>12} {'a second':>10} {'edges, valid':>13} {'at the end':>11} {'crashes':>8}"
    ]
    problems = []
    for name in TARGETS:
        told, crashes = fuzz(name, tmp_path / name)
        (_, at_start), (executions, at_end) = numbers(told, "INITED"), numbers(told, "DONE")
        rate = executions / SECONDS
        lines.append(f"{name:12} {executions:12,} {rate:10,.0f} {at_start:13,} {at_end:11,} {len(crashes):8}")
        problems += [f"{name}: {path.name}: {base64.b64encode(path.read_bytes()).decode()}" for path in crashes]
        if crashes or not executions:
            problems.append(told[-4000:])
        problems += [] if 0 < at_start < at_end else [f"{name}: no edge was found that valid inputs do not cover"]
    with capsys.disabled():
        print("\n" + "\n".join(lines))
    assert not problems, "\n\n".join(problems)
