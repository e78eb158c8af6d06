"""The course's and the machine's faults: told as theirs, and no student loses a point by them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from courses import checks, codes, grade_text, make_course, parts
from test_kinds import ADAM, ADAM_STEP, CASE, FUNCTION, LAYER, LOSS, MSE, TANH, TANH_BACK

from grader.calls import Call, Isolation, Loaded, Outcome
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

    isolation = Isolation()
    overflowed = False

    def load(self) -> Loaded:
        return Loaded(functions=("f", "b"))

    def call(self, call: Call) -> Outcome:
        raise MachineError("no process could be started")

    def calls(self, calls: Sequence[Call]) -> Iterable[Outcome]:
        raise MachineError("no process could be started")

    def fresh(self) -> None:
        pass

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
    for module in ("outputs", "pairs"):
        monkeypatch.setattr(f"grader.checks.{module}.compare_leaves", lambda *_: 1 / 0)
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


FUNCTIONS = {
    "no tensor": ("    return 3.0\n", "must return a tensor, it returned float"),
    "float32": ("    return x.float().mean(1)\n", "it must work in float64"),
    "NaN": ("    return torch.log(x.abs().mean(1) * torch.nan)\n", "has NaN"),
    "complex": ("    return x.mean(1) + 0j\n", "dtype complex128"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_reference_that_no_right_code_can_equal_is_the_course_s_fault(tmp_path: Path, name: str) -> None:
    body, words = FUNCTIONS[name]
    report = grade_text(
        make_course(tmp_path, FUNCTION[0], "def f(x):\n" + body), "def f(x):\n    return np.mean(x, 1)\n"
    )
    assert blamed(report) == {("undecided", "course", True)}
    assert words in checks(report)[0].findings[0].headline


def test_truth_values_and_whole_numbers_are_results_like_others(tmp_path: Path) -> None:
    for dtype in ("bool", "int", "float"):
        folder = tmp_path / dtype
        folder.mkdir()
        course = make_course(folder, FUNCTION[0], f"def f(x):\n    return (x > 0).{dtype}()\n")
        assert grade_text(course, "def f(x):\n    return x > 0\n").score.verdict == "passed"
        assert grade_text(course, "def f(x):\n    return x <= 0\n").score.verdict == "failed"


def test_a_loss_of_shape_1_is_the_course_s_fault(tmp_path: Path) -> None:
    report = grade_text(make_course(tmp_path, LOSS[0], LOSS[1].replace(".mean()", ".mean()[None]")), MSE)
    assert blamed(report) == {("undecided", "course", True)}
    assert "a loss has shape ()" in checks(report)[0].findings[0].headline


@pytest.mark.parametrize(("old", "new"), [("exp_avg_sq", "exp_avg_sqr"), ("torch.optim.Adam(", "list(")])
def test_an_optimizer_without_the_declared_state_is_the_course_s_fault(tmp_path: Path, old: str, new: str) -> None:
    exercise, reference = ADAM
    report = grade_text(make_course(tmp_path, exercise.replace(old, new), reference.replace(old, new)), ADAM_STEP)
    assert blamed(report) == {("undecided", "course", True)}


def test_a_reference_that_fails_in_one_case_leaves_the_others_judged(tmp_path: Path) -> None:
    exercise = LAYER[0] + CASE.replace("small", "other") + "sizes = { N = 2, D = 5 }\n"
    reference = "def f(x, w):\n    assert len(x) != 2, 'two'\n    return torch.tanh(x) * w\n"
    for number, (text, verdict) in enumerate([(TANH_BACK, "undecided"), (TANH_BACK.replace("d * w", "w"), "failed")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        part = parts(grade_text(make_course(folder, exercise, reference), TANH + text))["backward"]
        assert part.verdict == verdict
        assert part.checks[1].findings[0].code == "ORACLE_FAILED"


def test_a_scale_that_overflows_is_the_course_s_fault(tmp_path: Path) -> None:
    exercise = LAYER[0].replace('x = "N D"', 'x = { axes = "N D", scale = 1e305, draw = "huge" }')
    report = grade_text(make_course(tmp_path, exercise, LAYER[1]), TANH + TANH_BACK)
    assert blamed(report) == {("undecided", "course", True)}
    assert "not finite" in checks(report)[0].findings[0].headline


def test_a_crash_of_ours_before_the_first_check_is_told_as_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.grading.vacuous", lambda *_: 1 / 0)
    report = grade_text(make_course(tmp_path, *LAYER), TANH + TANH_BACK)
    assert blamed(report) == {("undecided", "machine", True)}
    assert codes(parts(report)["forward"]) == {"MACHINE_FAILED"}


def test_a_wrong_shape_is_wrong_whatever_the_reference_s_numbers(tmp_path: Path) -> None:
    reference = "def f(x, w):\n    return torch.tanh(x) * w + 0.5 * x.detach() ** 2\n"
    report = grade_text(make_course(tmp_path, LAYER[0], reference), TANH + TANH_BACK.replace(".sum(0)", ""))
    assert codes(parts(report)["backward"]) == {"WRONG_SHAPE"}


def test_parameters_drawn_as_zeros_still_have_gradients(tmp_path: Path) -> None:
    exercise = ADAM[0].replace('{ w = "M" }', '{ w = { axes = "M", draw = "zeros" } }')
    assert grade_text(make_course(tmp_path, exercise, ADAM[1]), ADAM_STEP).score.verdict == "passed"


def test_a_parameter_that_no_case_moves_is_refused(tmp_path: Path) -> None:
    reference = ADAM[1].replace("Adam(params", "Adam(params[:1]").replace("betas", "weight_decay=0.1, betas")
    exercise = ADAM[0].replace('state = { m = "exp_avg", v = "exp_avg_sq", t = "step" }\n', "")
    report = grade_text(make_course(tmp_path, exercise, reference), ADAM_STEP)
    assert codes(parts(report)["step"]) == {"VACUOUS"}


@pytest.mark.parametrize("name", ["relu", "max", "dropout"])
def test_legal_exercises_are_not_refused(tmp_path: Path, name: str) -> None:
    body = {
        "relu": "torch.relu(x)",
        "max": "x - x.max(dim=0, keepdim=True).values",
        "dropout": "x * (x.detach() > 0) / 0.5 if len(x) == 3 else 1 * x",
    }[name]
    exercise = LAYER[0].replace('{ x = "N D", w = "D" }', '{ x = "N D" }')
    exercise += CASE.replace("small", "tested") + "sizes = { N = 4, D = 2 }\n"
    assignment = make_course(tmp_path, exercise, f"def f(x):\n    return {body}\n")
    report = grade_text(assignment, "def f(x):\n    return 1 * x, None\ndef b(d, c):\n    return 1 * d\n")
    assert "VACUOUS" not in {code for part in parts(report).values() for code in codes(part)}
    assert report.score.verdict == "failed"
