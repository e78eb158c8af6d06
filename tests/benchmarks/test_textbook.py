"""The figures of the mlp lesson: its two scripts, as they stand there, run with the worked solution.

    python -m pytest tests/benchmarks/test_textbook.py -m benchmark -s

A textbook's network (784-200-10, no biases, weights from N(0, 1), mean loss, 2,000 steps) gets about 70 % of the images
right that it is trained on; the same with a sum for the mean gets 98 %, by mistake.
"""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import Any

import pytest

from grader.manifest import load_assignment
from grader.topics import find_manifest

SEEDS = (0, 1, 2)
ROWS = "no biases, the mean", "biases, the mean", "biases, the sum"
"""What the lines are that the two scripts print."""


def worked_solution() -> ModuleType:
    """A new one: the second script changes it."""
    solution = load_assignment(find_manifest("mlp")).solution
    assert solution is not None
    module = ModuleType("mlp")
    exec(compile(solution.read_bytes(), str(solution), "exec"), vars(module))
    return module


def scripts(lesson: str) -> list[str]:
    """The code blocks of a lesson that are run as files."""
    return re.findall(r"```python\n(import numpy.*?)```", lesson, flags=re.DOTALL)


def run(script: str, seed: int, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[list[float]]:
    """What a script prints with this seed: shares of images, trained on and held out, a pair a line."""
    assert "default_rng(0)" in script
    patch.setitem(sys.modules, "mlp", worked_solution())
    names: dict[str, Any] = {}
    exec(script.replace("default_rng(0)", f"default_rng({seed})"), names)
    names["data"].close()
    return [list(map(float, line.split())) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.benchmark
def test_the_textbook_is_right_about_its_network(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = find_manifest("mlp").parent
    monkeypatch.chdir(folder)
    lesson = (folder / "README.md").read_text(encoding="utf-8")
    quoted = [float(number) / 100 for number in re.findall(r"([\d.]+) %", lesson)]
    textbook, others = scripts(lesson)
    for seed in SEEDS:
        rows = run(textbook, seed, monkeypatch, capsys) + run(others, seed, monkeypatch, capsys)
        with capsys.disabled():
            for name, (trained_on, held_out) in zip(ROWS, rows, strict=True):
                print(f"seed {seed}  {name:20} {trained_on:.1%} of the images trained on, {held_out:.1%} held out")
        (plain, _), (mean, _), (total, _) = rows
        assert 0.66 < plain < 0.72
        assert 0.66 < mean < 0.72
        assert total > 0.97
        for share in (share for row in rows for share in row):
            assert min(abs(share - number) for number in quoted) < 0.003  # another BLAS rounds otherwise
