"""The course's and the machine's faults: told as theirs, and no student loses a point by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from courses import checks, codes, grade_text, make_course, parts
from test_kinds import LAYER, TANH, TANH_BACK

from grader.calls import Call, Loaded, Outcome
from grader.errors import MachineError
from grader.grading import Session, grade
from grader.reference import Oracle


def blamed(report: Any) -> set[tuple[str, str | None, bool]]:
    """(status, fault, anything undecided) over all checks."""
    return {(check.status, check.fault, report.score.undecided > 0) for check in checks(report)}


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("def f(x, w):\n    raise ValueError('no')\n", "ValueError: no"),
        ("def g(x, w):\n    return x\n", "no function 'f'"),
        ("def f(x, w):\n    return 3\n", "must return a tensor"),
        ("def f(x, w):\n    return x.T\n", "declared (3, 4)"),
        ("def f(x, w)\n", "SyntaxError"),
    ],
)
def test_a_broken_reference_costs_no_student_a_point(tmp_path: Path, reference: str, words: str) -> None:
    report = grade_text(make_course(tmp_path, LAYER[0], reference), TANH + TANH_BACK)
    assert blamed(report) == {("undecided", "course", True)}
    assert report.score.undecided == report.score.possible
    assert all(words in check.findings[0].headline for check in checks(report))


def test_a_gradient_of_zero_in_every_case_is_refused_as_vacuous(tmp_path: Path) -> None:
    reference = "def f(x, w):\n    return x.detach() * 0 + torch.round(w) + 0 * x\n"
    report = grade_text(make_course(tmp_path, LAYER[0], reference), TANH + TANH_BACK)
    assert codes(parts(report)["backward"]) == {"VACUOUS"}
    assert parts(report)["backward"].undecided == 2


def test_identity_in_every_case_is_refused_as_vacuous(tmp_path: Path) -> None:
    report = grade_text(make_course(tmp_path, LAYER[0], "def f(x, w):\n    return x + 0 * w\n"), TANH + TANH_BACK)
    assert codes(parts(report)["forward"]) == {"VACUOUS"}
    assert "the first input would pass" in checks(report)[0].findings[0].headline


def test_oracles_that_disagree_on_the_reference_leave_a_wrong_gradient_undecided(tmp_path: Path) -> None:
    """A reference whose autograd is not its derivative: it detaches a factor."""
    reference = "def f(x, w):\n    return torch.tanh(x) * w + 0.5 * x.detach() ** 2\n"
    forward = "def f(x, w):\n    t = np.tanh(x)\n    return t * w + 0.5 * x * x, (t, w, x)\n"
    back = "def b(d, c):\n    t, w, x = c\n    return d * (w * (1 - t * t) + x), (d * t).sum(0)\n"
    report = grade_text(make_course(tmp_path, LAYER[0], reference), forward + back)
    assert parts(report)["forward"].verdict == "passed"
    assert codes(parts(report)["backward"]) == {"ORACLES_DISAGREE"}
    assert parts(report)["backward"].undecided == 2


class Broken:
    """An evaluator on a machine that fails."""

    isolation = ()

    def load(self) -> Loaded:
        return Loaded(functions=("f", "b"))

    def call(self, call: Call) -> Outcome:
        raise MachineError("no process could be started")

    def close(self) -> None:
        pass


def test_a_machine_that_fails_costs_no_student_a_point(tmp_path: Path) -> None:
    from grader.calls import Source
    from grader.submission import Submission

    assignment = make_course(tmp_path, *LAYER)
    source = Source(entry="t.py", files={"t.py": b""})
    report = grade(assignment, Submission(name="t", path="t.py", source=source, notes=()), evaluator=Broken())
    assert blamed(report) == {("undecided", "machine", True)}
    assert all("no process could be started" in check.findings[0].headline for check in checks(report))


def test_a_crash_of_ours_is_told_as_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.checks.pairs.compare_leaves", lambda *_: 1 / 0)
    report = grade_text(make_course(tmp_path, *LAYER), TANH + TANH_BACK)
    assert blamed(report) == {("undecided", "machine", True)}
    assert "ZeroDivisionError" in checks(report)[0].findings[0].headline


def test_the_oracle_evaluates_a_case_once(tmp_path: Path) -> None:
    reference = "calls = []\ndef f(x, w):\n    calls.append(1)\n    return torch.tanh(x) * w\n"
    assignment = make_course(tmp_path, LAYER[0], reference)
    oracle = Oracle(assignment)
    grade_text(assignment, TANH + TANH_BACK, oracle=oracle)
    grade_text(assignment, TANH + TANH_BACK, oracle=oracle)
    assert oracle._module is not None
    assert len(oracle._module.calls) == 1


def test_a_session_judges_a_part_alone(tmp_path: Path) -> None:
    from grader.calls import Source
    from grader.sandbox.inprocess import InProcess

    assignment = make_course(tmp_path, *LAYER)
    source = Source(entry="t.py", files={"t.py": ("import numpy as np\n" + TANH + TANH_BACK).encode()})
    session = Session(assignment, InProcess(source), Oracle(assignment))
    exercise = assignment.exercises[0]
    outcome = session.part(exercise, exercise.part("backward"))
    assert [(check.part, check.status.value) for check in outcome.checks] == [("backward", "passed")]
