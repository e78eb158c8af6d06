"""Small courses made on the spot: a manifest, a torch reference, a submission. For tests of one kind or rule each."""

from __future__ import annotations

from pathlib import Path

from grader.assignment import Assignment
from grader.calls import Source
from grader.grading import grade
from grader.manifest import load_assignment
from grader.report.model import CheckReport, PartReport, Report
from grader.sandbox.inprocess import InProcess
from grader.submission import Submission

HEAD = 'format = 1\nname = "t"\ntitle = "T"\nfile = "t.py"\nreference = "t.py"\nseed = 3\n'


def make_course(
    folder: Path, exercise: str, reference: str, head: str = HEAD, adapter: str = "", slips: str = ""
) -> Assignment:
    """An assignment of one exercise; `reference` and `slips` are the texts of torch modules."""
    (folder / "reference").mkdir()
    if slips:
        known = "import torch\nfrom grader.slips import on_the_way_back, slip, straight_through\n"
        (folder / "reference" / "slips.py").write_text(known + slips)
        head += 'slips = "slips.py"\n'
    if adapter:
        (folder / "reference" / "adapter.py").write_text(adapter)
        head += 'adapter = "adapter.py"\n'
    (folder / "reference" / "t.py").write_text("import torch\n" + reference)
    (folder / "assignments" / "t").mkdir(parents=True)
    manifest = folder / "assignments" / "t" / "assignment.toml"
    manifest.write_text(head + "[[exercise]]\n" + exercise)
    return load_assignment(manifest)


def grade_text(assignment: Assignment, text: str, **options: object) -> Report:
    """Grade one file of student code in this process."""
    source = Source(entry="t.py", files={"t.py": ("import numpy as np\n" + text).encode()}, adapter=assignment.adapter)
    submission = Submission(name="t", path="t.py", source=source, notes=())
    return grade(assignment, submission, evaluator=InProcess(source, assignment.profile), **options)  # type: ignore[arg-type]


def parts(report: Report) -> dict[str, PartReport]:
    """Parts by name."""
    return {part.name: part for exercise in report.exercises for part in exercise.parts}


def codes(part: PartReport) -> set[str]:
    """Codes of all findings of a part."""
    return {finding.code for check in part.checks for finding in check.findings}


def checks(report: Report) -> list[CheckReport]:
    """All checks."""
    return [check for part in parts(report).values() for check in part.checks]
