"""What several test files need: pytest's own tool for testing plugins, golden files, a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from grader.calls import Rung
from grader.sandbox.pool import Sandbox

pytest_plugins = ["pytester"]

# No test asserts a time: a machine that is busy with something else fails nothing.
settings.register_profile("gradmark", deadline=None)
settings.load_profile("gradmark")

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --update-golden: write what is found instead of comparing; read the diff before you commit it."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Hold a text against tests/golden/NAME."""

    def hold(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"there is no golden file {name}: run with --update-golden and read it"
        assert text == path.read_text(encoding="utf-8")

    return hold


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The best that this machine has, shared by all tests that only want a submission to run somewhere."""
    with Sandbox(require=Rung.NONE) as shared:
        yield shared


@pytest.fixture(scope="session")
def unwalled() -> Iterator[Sandbox]:
    """Processes with limits and no wall."""
    with Sandbox(rung=Rung.NONE, require=Rung.NONE) as shared:
        yield shared
