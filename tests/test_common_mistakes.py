"""The 30 most common mistakes of real students, as they are told: golden files, read as a student and as a teacher.

How often each was made is counted in tests/submissions/mistakes.toml; of equal counts the order there decides. Each
is graded in the first of its submissions, and in the exercise alone in which it must be found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
import torch

from grader.authoring.corpus import Mistake, compose, read_mistakes, read_slip
from grader.calls import Profile, Rung
from grader.grading import grade_path
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.report.console import render
from grader.sandbox.pool import Sandbox
from grader.topics import find_manifest, submissions_folder

MOST = 30
COMMON = sorted((mistake for mistake in read_mistakes().mistake if mistake.count), key=lambda each: -(each.count or 0))
COMMON = COMMON[:MOST]


def file_of(mistake: Mistake) -> str:
    """`norms: wrong axes` -> `norms_wrong_axes`."""
    return re.sub(r"\W+", "_", mistake.what).strip("_").lower()


def exercise_of(mistake: Mistake) -> str:
    """The exercise in which it must be found."""
    return read_slip(submissions_folder() / mistake.slips[0]).expects[0].part.partition("/")[0]


@cache
def oracle_of(topic: str, exercise: str) -> Oracle:
    return Oracle(load_assignment(find_manifest(topic)).only([exercise]))


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Callable[[Profile], Sandbox]]:
    """One for each profile, opened when it is first asked for."""
    with ExitStack() as held:
        yield cache(lambda profile: held.enter_context(Sandbox(profile, require=Rung.NONE)))


def told(mistake: Mistake, sandboxes: Callable[[Profile], Sandbox], folder: Path) -> str:
    """What a student reads who has made this mistake."""
    topic, _, _ = mistake.slips[0].partition("/")
    oracle = oracle_of(topic, exercise_of(mistake))
    slip = read_slip(submissions_folder() / mistake.slips[0])
    path = compose(slip, load_assignment(find_manifest(topic)), folder)
    return render(grade_path(oracle.assignment, path, sandbox=sandboxes(oracle.assignment.profile), oracle=oracle))


def test_there_are_thirty() -> None:
    assert len(COMMON) == MOST == len({file_of(mistake) for mistake in COMMON})


@pytest.mark.parametrize("mistake", COMMON, ids=file_of)
def test_a_common_mistake_reads_as_its_golden_file(
    mistake: Mistake,
    golden: Callable[[str, str], None],
    sandboxes: Callable[[Profile], Sandbox],
    tmp_path: Path,
) -> None:
    if "cuda" in mistake.what and torch.version.cuda is not None:
        pytest.skip("torch says something else where it was built with CUDA")
    golden(f"messages/common/{file_of(mistake)}.txt", told(mistake, sandboxes, tmp_path) + "\n")
