"""Hidden cases under a private seed: a student is told what is wrong, never with which numbers."""

from __future__ import annotations

import json
from pathlib import Path

from courses import grade_text, make_course, parts
from test_kinds import CASE, LAYER, TANH, TANH_BACK

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
