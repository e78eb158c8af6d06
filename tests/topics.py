"""The topics that came with gradmark, graded in this process: worked solutions and stubs, on both kinds of arrays."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from grader.assignment import Assignment
from grader.calls import Profile, Source
from grader.grading import grade
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.report.model import Report
from grader.sandbox.inprocess import InProcess
from grader.submission import Submission
from grader.topics import assignment_names, find_manifest

__all__ = ["COURSES", "PROFILES", "TOPICS", "grade_solution", "grade_source", "topic"]

TOPICS = assignment_names()
COURSES = ("cs231n", "eecs498")
"""Topics whose stubs and lessons are other people's: manifests and references only, each for one array library."""
PROFILES = tuple(
    (name, profile)
    for name in TOPICS
    for profile in ((load_assignment(find_manifest(name)).profile,) if name in COURSES else Profile)
)
"""Topics with what their worked solutions run on."""


@cache
def topic(name: str) -> tuple[Assignment, Oracle]:
    """A topic and its oracle, which all tests of a process share."""
    assignment = load_assignment(find_manifest(name))
    return assignment, Oracle(assignment)


def grade_source(
    name: str, files: dict[str, bytes], *, entry: str, profile: Profile | None = None, seed: int | None = None
) -> Report:
    """Grade files for a topic; `profile` is what their arrays are, the topic's own if not given."""
    assignment, oracle = topic(name)
    assignment = replace(assignment, profile=profile or assignment.profile)
    source = assignment.with_course_code(Source(entry=entry, files=files))
    submission = Submission(name=name, path=entry, source=source, notes=())
    evaluator = InProcess(source, assignment.profile)
    return grade(assignment, submission, evaluator=evaluator, oracle=oracle, hidden_seed=seed)


def grade_solution(name: str, *, profile: Profile | None = None, seed: int | None = None) -> Report:
    """Grade a topic's worked solution."""
    assignment, _ = topic(name)
    assert assignment.solution is not None
    files = {assignment.file: assignment.solution.read_bytes()}
    return grade_source(name, files, entry=assignment.file, profile=profile, seed=seed)
