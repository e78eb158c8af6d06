"""Submissions that mean harm: under a wall each costs its author one point, and nobody anything else.

Every file in `submissions/` is one attack, a complete student file that starts with a docstring saying what it tries.
To add one, write the file: `double` right, `square` an attack that says `GOT: ...` when it got something and returns
something wrong. It finds its targets in `target`, system calls in `raw`. If it differs from the usual, say how and why
in catalogue.py. Nothing may do lasting harm where nothing stops it: it is let loose without a wall too.
"""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Iterator

import pytest
from catalogue import CATALOGUE, expected
from harness import ATTACKS, RUNGS, Attempt, Harness, NoSuchRung

from grader.report.model import PartReport

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the wall is made of what Linux has")


@pytest.fixture(scope="module")
def harness(request: pytest.FixtureRequest) -> Iterator[Harness]:
    """The harness of a rung, or a visible skip where the machine does not allow it."""
    with contextlib.ExitStack() as stack:
        try:
            yield Harness(request.param, stack)
        except NoSuchRung as less:
            pytest.skip(f"{request.param}: {less}")


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("harness", RUNGS, indirect=True, scope="module")
def test_the_wall_holds(harness: Harness, attack: str) -> None:
    attempt = harness.attack(attack)
    assert attempt.leaked == ()
    assert attempt.traces == ()
    if not expected(attack).harmless:
        assert attempt.got == (), attempt.printed
    assert_scored(attempt, attack)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("harness", ["none"], indirect=True, scope="module")
def test_it_bites_without_a_wall(harness: Harness, attack: str) -> None:
    """No attack is stopped by its own mistakes. The score holds even here: the judge doesn't rely on the wall."""
    wanted = expected(attack)
    attempt = harness.attack(attack)
    assert_scored(attempt, attack)
    bitten = attempt.got or attempt.leaked or attempt.traces
    match wanted.bites:
        case True:
            assert bitten, attempt.printed
        case False:
            assert not bitten, attempt.printed
        case None if not bitten:
            pytest.skip(f"gets nothing here: {wanted.why}")


def assert_scored(attempt: Attempt, name: str) -> None:
    """Just the point for the function that is right; the other fails by the student's fault; nothing is undecided."""
    wanted = expected(name)
    for report in attempt.reports:
        parts = {exercise.name: exercise.parts[0] for exercise in report.exercises}
        score = (report.score.earned, report.score.possible, report.score.undecided)
        assert score == (wanted.earned, 2, 0), told(parts)
        assert parts["square"].verdict == "failed"
        assert {check.fault for part in parts.values() for check in part.checks} <= {None, "student"}, told(parts)
        if wanted.findings:
            found = {finding.code for check in parts["square"].checks for finding in check.findings}
            assert found & wanted.findings, told(parts)


def told(parts: dict[str, PartReport]) -> list[str]:
    return [f"{name}: {f.headline}" for name, part in parts.items() for check in part.checks for f in check.findings]


def test_there_are_many_and_each_says_what_it_tries() -> None:
    assert len(ATTACKS) >= 95
    for name, path in ATTACKS.items():
        tree = ast.parse(path.read_text())
        assert (ast.get_docstring(tree) or "").strip(), name
        assert {"double", "square"} <= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name


def test_each_exception_is_an_attack_and_has_its_reason() -> None:
    assert set(CATALOGUE) <= set(ATTACKS)
    assert [name for name, wanted in CATALOGUE.items() if not wanted.why] == []
