"""What it costs to make a class of 500 into pages, and how large they are.

    python -m pytest tests/benchmarks/test_publishing.py -m benchmark -s

The class is the corpus of mlp, each submission graded once and recorded for many students, who all have pages of their
own. Seconds are the processor's, of one core.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from grader.authoring.corpus import compose, read_slips
from grader.calls import Rung
from grader.gradebook import Attempt, Gradebook, Key, seal
from grader.grading import grade_path
from grader.manifest import load_assignment
from grader.publishing.lesson import read_lesson
from grader.publishing.site import publish
from grader.report.html import MOST_BYTES
from grader.sandbox.pool import Sandbox
from grader.topics import find_manifest

CLASS = 500
KINDS = 60
"""Submissions of the corpus that it is made of."""


@pytest.mark.benchmark
def test_a_class_of_500_as_pages(tmp_path: Path) -> None:
    """Prints the table; asserts the sizes that are promised."""
    mlp = load_assignment(find_manifest("mlp"))
    slips = [slip for slip in read_slips("mlp") if not any(expected.code == "TIMED_OUT" for expected in slip.expects)]
    with Sandbox(require=Rung.NONE) as sandbox:
        kept = [seal(grade_path(mlp, compose(slip, mlp, tmp_path), sandbox=sandbox)) for slip in slips[:KINDS]]
    with Gradebook(tmp_path / "run", write=True) as book:
        book.note({"name": "mlp", "manifest": "mlp"})
        for number in range(CLASS):
            key = Key(submission=str(number), assignment="", grader="", seed="")
            book.record(key, kept[number % len(kept)], [Attempt(student=f"s{number:04}", name=f"Student {number}")])
        lesson = read_lesson((mlp.manifest.parent / "README.md").read_text("utf-8"))
        started = time.process_time()
        made = publish(book, tmp_path / "site", lesson=lesson)
        seconds = time.process_time() - started
    sizes = [path.stat().st_size for path in (tmp_path / "site" / "students").iterdir()]
    every = [path.stat().st_size for path in (tmp_path / "site").rglob("*.html")]
    print(f"\n{made.students} students, {len(every)} pages, {sum(every) / 1e6:.1f} MB: {seconds:.1f} s of a core")
    print(f"overview {made.index_bytes / 1e3:.0f} kB; a student's page at most {max(sizes) / 1e3:.0f} kB")
    assert made.students == CLASS
    assert made.index_bytes < 1_000_000
    assert max(sizes) <= MOST_BYTES
