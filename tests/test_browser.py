"""The pages in a real browser: no violation of axe-core's rules, in light and dark, on a desk and on a phone.

Skipped, visibly, where there is no Chromium or `npm ci` has not been run in tests/browser. What can be told without a
browser is in tests/test_html.py and tests/test_publish.py.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from test_html import in_two_settings, trained
from test_publish import addresses, reports, run, site  # noqa: F401  (fixtures)

from grader.gradebook import Gradebook
from grader.publishing.site import publish
from grader.report.html import render_html
from grader.report.model import Report

HERE = Path(__file__).parent / "browser"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here"),
    pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js here"),
    pytest.mark.skipif(not (HERE / "node_modules").is_dir(), reason="run npm ci in tests/browser first"),
]


@pytest.fixture(scope="module")
def looked_at(
    run: Path,  # noqa: F811
    site: Path,  # noqa: F811
    reports: Mapping[str, Report],  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> list[dict[str, Any]]:
    """What a browser finds: one of each kind of page."""
    folder = tmp_path_factory.mktemp("pages")
    with Gradebook(run) as book:
        publish(book, folder / "shown", anonymous=True)
    (folder / "training.html").write_text(render_html(trained(folder, TRAIN)), encoding="utf-8")
    (folder / "settings.html").write_text(render_html(in_two_settings(reports["averages"])), encoding="utf-8")
    where = addresses(run)
    students = [where[name] for name in ("zz01", "zz15", "zz23", "zz29", "zz30")]
    pages = ["index.html", "parts/2.html", "mistakes/1.html", "students/lesson.html", *students]
    paths = [*(site / page for page in pages), folder / "shown" / "index.html", *folder.glob("*.html")]
    command = ["node", str(HERE / "check.mjs"), str(CHROMIUM), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(found) == 5 * len(paths)
    return found


TRAIN = "def train(w, x, y, lr, batch, steps):\n    return w, [1.0 / (1 + step) for step in range(steps)]\n"


def test_no_rule_of_accessibility_is_violated(looked_at: list[dict[str, Any]]) -> None:
    assert [page for page in looked_at if page.get("violations")] == []


def test_no_page_is_wider_than_its_window(looked_at: list[dict[str, Any]]) -> None:
    assert [page for page in looked_at if page.get("wider", 0) > 0] == []


def test_no_page_asks_for_anything_or_complains(looked_at: list[dict[str, Any]]) -> None:
    assert [page for page in looked_at if page.get("said") or page.get("asked")] == []


def test_the_table_is_found_in_filtered_and_sorted(looked_at: list[dict[str, Any]]) -> None:
    (use,) = [page["use"] for page in looked_at if page.get("use")]
    assert use["shown"]
    assert use["one"] == [use["all"][3]]
    assert use["said"] == "1 of 30"
    assert len(use["failed"]) == 15
    assert all("failed" in words.split() for words in use["failed"])
    assert use["sorted"] != use["all"]
    assert use["sorted"] == sorted(use["all"], key=str.lower)
    assert set(use["column"]) == {use["wanted"]}
