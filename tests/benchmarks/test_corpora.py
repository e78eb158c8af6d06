"""Every submission of every topic's corpus, judged as its expected.toml says.

    python -m pytest tests/benchmarks/test_corpora.py -m benchmark -s

The suite judges those of mlp, those that real students handed in, all that are right, and some of the others
(tests/test_topics.py). All take about ten minutes on 2 cores.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from topics import TOPICS, judged_otherwise

from grader.authoring.corpus import read_slips


@pytest.mark.benchmark
@pytest.mark.parametrize("name", TOPICS)
def test_all_are_judged_as_expected(name: str, tmp_path: Path) -> None:
    slips = read_slips(name)
    assert judged_otherwise(name, slips, tmp_path) == {}
    print(
        f"\n{name:12} {sum(1 for slip in slips if slip.fails):4} wrong, {sum(1 for s in slips if not s.fails):3} right"
    )
