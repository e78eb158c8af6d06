"""What lets attacks loose without a wall is skipped, visibly, unless it is asked for with -m unwalled."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what bears the marker unless the -m expression names it: such code runs with the rights of whoever tests."""
    if "unwalled" in config.getoption("markexpr"):
        return
    for item in items:
        if item.get_closest_marker("unwalled"):
            item.add_marker(pytest.mark.skip(reason="hostile code without a wall; run with -m unwalled"))
