"""The report: its schema, its laws, and that it can't hold what must not be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from courses import grade_text, make_course
from hypothesis import given
from hypothesis import strategies as st
from test_kinds import LAYER, TANH, TANH_BACK

from grader.errors import MachineError
from grader.report import model
from grader.report.model import Report, json_schema, number, read_report, report_json, validate, write_report


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A report with a failure in it: dw is a third of what it must be."""
    assignment = make_course(tmp_path_factory.mktemp("course"), *LAYER)
    return grade_text(assignment, TANH + TANH_BACK.replace(".sum(0)", ".mean(0)"))


def document(report: Report) -> Any:
    return json.loads(report_json(report))


def test_the_published_schema_is_that_of_the_types() -> None:
    published = json.loads((Path(model.__file__).parent / "schema.json").read_text())
    assert published == json_schema(), "run: python -m grader.report.model > grader/report/schema.json"


def test_a_report_keeps_the_promises_of_its_format(report: Report) -> None:
    found = document(report)
    assert found["score"] == {"earned": 1.0, "possible": 3.0, "undecided": 0.0, "verdict": "failed"}
    part = found["exercises"][0]["parts"][1]
    (check,) = part["checks"]
    assert (check["status"], check["verdict"], check["fault"], check["seed"]) == ("failed", "failed", "student", 3)
    assert [(c["what"], c["passed"], c["reason"]) for c in check["comparisons"]] == [
        ("dx", True, "equal within the tolerance"),
        ("dw", False, "other values"),
    ]
    assert check["findings"][0]["pattern"] == "every element is 1/3 of the expected one, and N = 3"
    passed = found["exercises"][0]["parts"][0]["checks"][0]
    assert passed["comparisons"][0]["passed"] is True


def test_a_passed_backward_says_how_sure_it_is(tmp_path: Path) -> None:
    found = document(grade_text(make_course(tmp_path, *LAYER), TANH + TANH_BACK))
    gradient = found["exercises"][0]["parts"][1]["checks"][0]["gradient"]
    assert gradient["outcome"] == "passed"
    assert 0 < gradient["odds_of_missing_one_percent"] < 1e-9
    assert gradient["forward_calls"] <= 16
    assert gradient["backward_calls"] <= 4
    assert len(gradient["probes"]) == 2


def test_a_report_reads_back_as_it_was_written(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path / "r.json")
    assert read_report(tmp_path / "r.json") == report
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


BROKEN = {
    "NaN for points": (("score", "earned"), "nan"),
    "a verdict of its own": (("score", "verdict"), "excellent"),
    "a score of text": (("score", "possible"), "40"),
    "another version": (("version",), 2),
    "no exercises": (("exercises",), None),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_schema_refuses(report: Report, name: str) -> None:
    path, value = BROKEN[name]
    found = document(report)
    here = found
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    with pytest.raises(ValueError, match=path[-1]):
        validate(found)


def test_the_schema_refuses_what_it_does_not_know(report: Report) -> None:
    with pytest.raises(ValueError, match="bonus"):
        validate({**document(report), "bonus": 100})


@pytest.mark.parametrize(
    "change", [{"earned": 41.0}, {"earned": -1.0}, {"undecided": 39.5}, {"earned": 0.5}, {"earned": float("nan")}]
)
def test_an_over_full_or_unfounded_score_can_not_be_built(report: Report, change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="points"):
        msgspec.structs.replace(report, score=msgspec.structs.replace(report.score, **change))


@given(st.floats())
def test_every_number_of_evidence_is_json(value: float) -> None:
    assert json.loads(json.dumps(number(value), allow_nan=False)) == number(value)


def test_a_report_that_can_not_be_written_leaves_the_earlier_one(report: Report, tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="can't be written"):
        write_report(report, tmp_path / "nowhere" / "r.json")
    target = tmp_path / "r.json"
    target.mkdir()
    (target / "keep").touch()
    with pytest.raises(MachineError, match=r"r\.json"):
        write_report(report, target)
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_something_else_is_no_report(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text('{"format": "gradmark-report"}')
    with pytest.raises(ValueError, match="not a report of version 1"):
        read_report(tmp_path / "r.json")
