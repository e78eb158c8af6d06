"""The topics that came with gradmark, graded: worked solutions and stubs, on both kinds of arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

from grader.assignment import Assignment
from grader.authoring.corpus import Slip, compose, differences
from grader.batch.handins import read_class
from grader.batch.judges import grade_here
from grader.batch.running import Pass, begin, patience
from grader.batch.work import Order
from grader.calls import Profile, Rung, Source
from grader.gradebook import Gradebook
from grader.grading import grade
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.report.model import CheckReport, Report
from grader.sandbox.pool import Sandbox
from grader.submission import Submission
from grader.topics import assignment_names, find_manifest

__all__ = [
    "COURSES",
    "PRETEND",
    "PROFILES",
    "TOPICS",
    "Sandboxes",
    "checks",
    "grade_file",
    "grade_solution",
    "sandboxes",
    "topic",
]

TOPICS = assignment_names()
COURSES = ("cs231n", "eecs498")
"""Topics whose stubs and lessons are other people's: manifests and references only, each for one array library."""
BOTH = (Profile.NUMPY, Profile.TORCH)
ANY = (*BOTH, Profile.PRETEND_CUDA)
OF_TORCH = tuple(name for name in TOPICS if load_assignment(find_manifest(name)).profile is Profile.TORCH)
"""Topics that are about torch's own: its devices, its dtypes."""
PROFILES = tuple(
    (name, profile)
    for name in TOPICS
    for profile in ((load_assignment(find_manifest(name)).profile,) if name in (*COURSES, *OF_TORCH) else BOTH)
)
"""Topics with what their worked solutions run on."""
PRETEND = tuple((name, Profile.PRETEND_CUDA) for name in TOPICS if name not in COURSES)
"""And on a pretend GPU."""
Sandboxes = Mapping[Profile, Sandbox]


@contextmanager
def sandboxes() -> Iterator[Sandboxes]:
    """Where submissions run, by what their arrays are."""
    with ExitStack() as held:
        yield {profile: held.enter_context(Sandbox(profile, require=Rung.NONE)) for profile in ANY}


@cache
def topic(name: str) -> tuple[Assignment, Oracle]:
    """A topic and its oracle, which all tests of a process share."""
    assignment = load_assignment(find_manifest(name))
    return assignment, Oracle(assignment)


def grade_file(
    name: str, text: bytes, where: Sandboxes, *, profile: Profile | None = None, seed: int | None = None
) -> Report:
    """Grade a file for a topic; `profile` is what its arrays are, the topic's own if not given."""
    assignment, oracle = topic(name)
    assignment = replace(assignment, profile=profile or assignment.profile)
    source = Source(entry=assignment.file, files={assignment.file: text})
    submission = Submission(name=name, path=assignment.file, source=source, notes=())
    return grade(assignment, submission, sandbox=where[assignment.profile], oracle=oracle, hidden_seed=seed)


def grade_solution(name: str, where: Sandboxes, *, profile: Profile | None = None, seed: int | None = None) -> Report:
    """Grade a topic's worked solution."""
    assignment, _ = topic(name)
    assert assignment.solution is not None
    return grade_file(name, assignment.solution.read_bytes(), where, profile=profile, seed=seed)


def judged_otherwise(name: str, slips: Sequence[Slip], folder: Path) -> dict[str, tuple[str, ...]]:
    """Grade submissions of a topic's corpus as a class; what is not as expected of them, by name."""
    assignment, _ = topic(name)
    (handed := folder / "class").mkdir()
    for slip in slips:
        path = compose(slip, assignment, handed)
        if path.suffix == ".zip":
            path.rename(handed / f"{slip.name}.zip")
            path.parent.rmdir()
    order = Order(manifest=find_manifest(name), require=Rung.NONE)
    with Gradebook(folder / "run", write=True) as book:
        begin(book, assignment, order, handed)
        Pass(book, assignment, order).grade(
            read_class(handed).handins,
            lambda tasks: grade_here(order, tasks, workers=2, patience=patience(assignment), waiting=lambda busy: None),
        )
        reports = {row.attempt.student: book.report(row.row, row.attempt.student) for row in book.current()}
    assert reports.keys() == {slip.name for slip in slips}
    told = {slip.name: differences(reports[slip.name], slip) for slip in slips}
    for student, report in reports.items():
        faults = {check.fault for check in checks(report)} - {None, "student"}
        told[student] += tuple(f"the {fault} is at fault" for fault in faults)
    return {student: lines for student, lines in told.items() if lines}


def checks(report: Report) -> Iterator[CheckReport]:
    """All checks of a report."""
    for exercise in report.exercises:
        for part in exercise.parts:
            yield from part.checks
