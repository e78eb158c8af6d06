"""Hidden cases under a private seed: a student is told what is wrong, never with which numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from courses import codes, grade_text, make_course, parts
from test_kinds import CASE, LAYER, MODEL, NET, NET_BACK, TANH, TANH_BACK

from grader.cases import draw_case
from grader.report.console import render
from grader.report.model import report_json

HIDDEN = (LAYER[0].replace(CASE, CASE + "hidden = true\n"), LAYER[1])
WRONG = TANH + TANH_BACK.replace("d * t", "1.25 * d * t")


def test_a_private_seed_hides_values_and_itself(tmp_path: Path) -> None:
    report = grade_text(make_course(tmp_path, *HIDDEN), WRONG, hidden_seed=987654321)
    check = parts(report)["backward"].checks[0]
    assert check.seed is None
    assert (report.seeds.hidden, report.seeds.private) == (None, True)
    assert all((c.worst, c.actual, c.expected, c.error) == (None, None, None, None) for c in check.comparisons)
    (finding,) = check.findings
    assert (finding.worst, finding.pattern) == ("", "wrong by one factor")
    text = report_json(report).decode() + render(report)
    assert "987654321" not in text
    assert "1.25" not in text
    assert "hidden seed" in render(report)
    assert "x (N=3, D=4)" in render(report)


def test_an_exception_in_a_hidden_case_keeps_its_text(tmp_path: Path) -> None:
    text = TANH.replace("    t =", "    if x.shape == (3, 4):\n        raise ValueError(f'saw {x[0, 0]}')\n    t =")
    assignment = make_course(tmp_path, *HIDDEN)
    hidden = render(grade_text(assignment, text + TANH_BACK, hidden_seed=5))
    assert "f raised ValueError\n" in hidden
    assert "saw" not in hidden.replace("raise ValueError(f'saw {x[0, 0]}')", "")
    assert "f raised ValueError: saw " in render(grade_text(assignment, text + TANH_BACK))


def test_without_a_private_seed_hidden_cases_are_as_open_as_the_manifest(tmp_path: Path) -> None:
    report = grade_text(make_course(tmp_path, *HIDDEN), WRONG)
    check = parts(report)["backward"].checks[0]
    assert check.seed == 3
    assert check.findings[0].worst
    assert json.loads(report_json(report))["seeds"] == {"visible": 3, "hidden": 3, "private": False}


def test_another_private_seed_draws_other_numbers_and_the_same_one_the_same(tmp_path: Path) -> None:
    assignment = make_course(tmp_path, *HIDDEN)
    spy = "SEEN = []\n" + TANH.replace("    t =", "    print(repr(x[0, 0]))\n    t =") + TANH_BACK
    import contextlib
    import io

    def first(seed: int) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            grade_text(assignment, spy, hidden_seed=seed)
        return out.getvalue().splitlines()[0]

    assert first(1) == first(1)
    assert first(1) != first(2)


LEAKS = {
    "the name of an exception": ("raise type(f'E{x[0, 0]}', (Exception,), {})()", "raised an exception"),
    "keys": ("return {f'{x[0, 0]}': x}, 0", "a dict with keys 'key 1'"),
    "the name of a type": ("return type(f'T{x[0, 0]}', (), {})(), 0", "of type its own"),
    "the name of a type in place of a pair": ("return type(f'T{x[0, 0]}', (), {})()", "(out, cache)"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_no_name_that_the_student_s_code_chose_is_repeated(tmp_path: Path, name: str) -> None:
    body, words = LEAKS[name]
    assignment = make_course(tmp_path, *HIDDEN)
    case = draw_case(assignment, assignment.exercises[0], assignment.exercises[0].cases[0], hidden_seed=5)
    secret = f"{case.inputs['x'][0, 0]}"
    text = f"def f(x, w):\n    {body}\n" + TANH_BACK
    for hidden_seed, shown in ((5, False), (None, True)):
        report = grade_text(assignment, text, hidden_seed=hidden_seed)
        told = report_json(report).decode() + render(report)
        if shown:
            secret = str(draw_case(assignment, assignment.exercises[0], case.spec).inputs["x"][0, 0])
        assert (secret in told) is shown
        assert shown or words in told


def test_keys_of_the_exercise_are_repeated(tmp_path: Path) -> None:
    exercise = MODEL[0].replace(CASE, CASE + "hidden = true\n")
    text = NET + NET_BACK.replace(", 'b': g.sum(0)", "")
    assert "lacks the key 'b'" in render(grade_text(make_course(tmp_path, exercise, MODEL[1]), text, hidden_seed=5))


def test_the_evidence_of_a_hidden_case_has_no_sizes_of_its_arrays(tmp_path: Path) -> None:
    """Atol is a share of the largest expected element: of a loss, the loss itself."""
    report = grade_text(make_course(tmp_path, *HIDDEN), TANH + TANH_BACK, hidden_seed=5)
    for part in parts(report).values():
        assert all(comparison.atol is None for comparison in part.checks[0].comparisons)
    gradient = parts(report)["backward"].checks[0].gradient
    assert gradient is not None
    assert (gradient.probes, gradient.outcome) == ([], "passed")
    assert gradient.odds_of_missing_one_percent < 1e-9


def test_numbers_in_the_course_s_doubts_are_kept_too(tmp_path: Path) -> None:
    reference = "def f(x, w):\n    return torch.tanh(x) * w + 0.5 * x.detach() ** 2\n"
    forward = "def f(x, w):\n    t = np.tanh(x)\n    return t * w + 0.5 * x * x, (t, w, x)\n"
    back = "def b(d, c):\n    t, w, x = c\n    return d * (w * (1 - t * t) + x), (d * t).sum(0)\n"
    assignment = make_course(tmp_path, HIDDEN[0], reference)
    hidden, shown = (parts(grade_text(assignment, forward + back, hidden_seed=s))["backward"] for s in (5, None))
    assert codes(hidden) == codes(shown) == {"ORACLES_DISAGREE"}
    assert "unexplained" in shown.checks[0].findings[0].headline
    assert "unexplained" not in hidden.checks[0].findings[0].headline
    assert hidden.checks[0].gradient is not None
    assert not any(map(str.isdigit, "".join(hidden.checks[0].gradient.problems + hidden.checks[0].gradient.warnings)))
