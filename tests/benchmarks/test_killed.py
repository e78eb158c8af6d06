"""A class that is killed fifty times comes to the scores of one that is left in peace, byte for byte.

    python -m pytest tests/benchmarks/test_killed.py -m benchmark -s

It measures nothing, but takes minutes; tests/test_batch.py does the same a few times.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from courses import make_course
from test_batch import EXERCISE, REFERENCE, kill_at_random_moments

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds and kills processes by /proc")

MOMENTS = 50


@pytest.mark.benchmark
def test_killed_fifty_times(tmp_path: Path) -> None:
    (tmp_path / "course").mkdir()
    killed = kill_at_random_moments(MOMENTS, make_course(tmp_path / "course", EXERCISE, REFERENCE), tmp_path)
    assert killed.total() == MOMENTS
    assert set(killed) == {"batch", "bench", "judge", "zygote"}
