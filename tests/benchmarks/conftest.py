"""Benchmarks measure; they are skipped, visibly, unless they are asked for with -m benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark everything in this folder as a benchmark and skip it unless the -m expression names the marker."""
    asked = "benchmark" in config.getoption("markexpr")
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.benchmark)
            if not asked:
                item.add_marker(pytest.mark.skip(reason="a benchmark; run with -m benchmark -s"))
