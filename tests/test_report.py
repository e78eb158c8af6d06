"""The report: its schema, its laws, and that it can't hold what must not be written."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest
from courses import checks, grade_text, make_course, parts
from hypothesis import given
from hypothesis import strategies as st
from test_kinds import CASE, FUNCTION, LAYER, TANH, TANH_BACK

from grader.assignment import Part
from grader.calls import Call, Isolation, Killed, Outcome, Source
from grader.errors import MachineError
from grader.findings import Verdict
from grader.grading import grade
from grader.report import model
from grader.report.build import _part, _score
from grader.report.console import render, render_part
from grader.report.model import Report, json_schema, number, read_report, report_json, validate, write_report
from grader.scoring import PartScore, Score
from grader.submission import Submission


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
    assert found["score"] == {"earned": 1.0, "possible": 3.0, "undecided": 0.0, "pending": 0.0, "verdict": "failed"}
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
    with pytest.raises(ValueError, match=path[-1]):
        msgspec.convert(found, Report)


def test_the_schema_refuses_what_it_does_not_know(report: Report) -> None:
    found = {**document(report), "bonus": 100}
    with pytest.raises(ValueError, match="bonus"):
        validate(found)
    with pytest.raises(ValueError, match="bonus"):
        msgspec.convert(found, Report)


def test_what_is_written_fits_the_published_schema(report: Report) -> None:
    validate(document(report))


@pytest.mark.parametrize("change", [{"started": None}, {"seconds": float("nan")}, {"version": 2}, {"exercises": [1]}])
def test_a_report_of_other_types_is_not_written(report: Report, change: dict[str, Any]) -> None:
    broken = msgspec.json.decode(msgspec.json.encode(report), type=Report)
    for name, value in change.items():
        msgspec.structs.force_setattr(broken, name, value)
    with pytest.raises(ValueError, match=next(iter(change))):
        report_json(broken)


@pytest.mark.parametrize(
    "change", [{"earned": 41.0}, {"earned": -1.0}, {"undecided": 39.5}, {"earned": 0.5}, {"earned": float("nan")}]
)
def test_an_over_full_or_unfounded_score_can_not_be_built(report: Report, change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="points"):
        msgspec.structs.replace(report, score=msgspec.structs.replace(report.score, **change))


POINTS = st.integers(1, 10**5).map(lambda hundredths: Fraction(hundredths, 100))


@given(
    st.lists(st.tuples(POINTS, st.integers(0, 100), st.sampled_from(["passed", "failed", "open", "later"])), min_size=1)
)
def test_any_points_in_hundredths_make_a_report(report: Report, drawn: list[tuple[Fraction, int, str]]) -> None:
    """0.1 earned and 0.2 undecided are not more than 0.3 possible, whatever binary fractions say."""
    scored = []
    for index, (points, share, end) in enumerate(drawn):
        part = Part(exercise="e", name=str(index), points=points, checks=())
        left = points * Fraction(share, 100) if end == "failed" else points
        earned, undecided = (Fraction(0), left) if end == "open" else (left, Fraction(0))
        pending = Fraction(0)
        if end == "later":  # a share in a further setting
            pending = earned * Fraction(share, 100)
            earned -= pending
        scored.append(PartScore(part=part, verdict=Verdict.PASSED, earned=earned, undecided=undecided, pending=pending))
    total = _score(Score(parts=tuple(scored)))
    exercise = msgspec.structs.replace(report.exercises[0], parts=[_part(part, (), False) for part in scored])
    built = msgspec.structs.replace(report, score=total, exercises=[exercise])
    assert Fraction(str(built.score.earned)) == sum(part.earned for part in scored)


def test_a_tenth_and_two_tenths_are_three_tenths(tmp_path: Path) -> None:
    exercise = LAYER[0].replace("forward = 1, backward = 2", "forward = 0.1, backward = 0.2")
    reference = "def f(x, w):\n    return torch.tanh(x) * w + 0.5 * x.detach() ** 2\n"
    forward = "def f(x, w):\n    t = np.tanh(x)\n    return t * w + 0.5 * x * x, (t, w, x)\n"
    back = "def b(d, c):\n    t, w, x = c\n    return d * (w * (1 - t * t) + x), (d * t).sum(0)\n"
    found = grade_text(make_course(tmp_path, exercise, reference), forward + back)
    assert (found.score.earned, found.score.undecided, found.score.possible) == (0.1, 0.2, 0.3)
    assert "0.1 of 0.3 points, 0.2 undecided" in render(found)


def test_a_check_that_was_not_run_has_no_seed(tmp_path: Path) -> None:
    submission = Submission(name="t", path="t.py", source=Source(entry="t.py", files={"t.py": b""}), notes=())
    found = grade(make_course(tmp_path, *LAYER), submission, evaluator=Dead())
    assert {(check.status, check.seed) for check in checks(found)} == {("not run", None)}
    assert render(found).startswith("t                     ")


class Dead:
    """An evaluator whose process ended while it loaded the submission."""

    isolation = Isolation()
    overflowed = False

    def load(self) -> Killed:
        return Killed(reason="it exited with code 3")

    def call(self, call: Call) -> Outcome:
        raise AssertionError("nothing was loaded")

    def fresh(self) -> None:
        pass

    def close(self) -> None:
        pass


# -------------------------------------------------------------------------------------------------------- the console


def test_the_only_check_of_an_assignment_is_told_in_full(tmp_path: Path) -> None:
    found = render(grade_text(make_course(tmp_path, *FUNCTION), "def f(x):\n    return 2 * x.mean(1)\n"))
    for label in ("worst", "pattern", "case", "rerun"):
        assert f"\n    {label} " in found


def test_two_aspects_of_one_case_are_two_findings(tmp_path: Path) -> None:
    exercise = LAYER[0].replace("forward = 1, backward = 2", "all = 3") + 'part = "all"\n'
    text = (TANH + TANH_BACK).replace("t * w,", "t * w * np.nan,").replace("return d", "return np.nan * d")
    found = render(grade_text(make_course(tmp_path, exercise, LAYER[1]), text))
    assert "  out has NaN" in found
    assert "  dx has NaN" in found
    assert "the same in" not in found


def test_two_arguments_written_into_are_two_findings_about_the_function_that_wrote(tmp_path: Path) -> None:
    text = "def f(x, w):\n    x += 0.0 * w\n    return np.tanh(x) * w, (x, w)\n"
    back = "def b(d, c):\n    x, w = c\n    t = np.tanh(x)\n    r = d * w * (1 - t * t), (d * t).sum(0)\n"
    back += "    x *= 2\n    w *= 2\n    d *= 2\n    return r\n"
    found = parts(grade_text(make_course(tmp_path, *LAYER), text + back))["backward"]
    assert found.verdict == "passed"
    assert [finding.headline for finding in found.checks[0].findings] == [
        "b writes into its argument the upstream gradient",
        "b writes into x, which f was given",
        "b writes into w, which f was given",
    ]
    shown = render_part("t", "t.toml", "e", found)
    assert all(finding.headline in shown for finding in found.checks[0].findings)
    assert "the same in" not in shown


def test_two_functions_that_raise_are_two_findings(tmp_path: Path) -> None:
    exercise = LAYER[0] + CASE.replace("small", "other") + "sizes = { N = 2, D = 5 }\n"
    text = TANH.replace("    t =", "    assert len(x) == 3\n    t =") + "def b(d, c):\n    return d.avg()\n"
    shown = render(grade_text(make_course(tmp_path, exercise, LAYER[1]), text))
    assert "b raised AttributeError" in shown
    assert shown.count("f raised AssertionError") == 2  # forward, and backward that needs it


WORDS = {
    "surrogates in a message": "    raise ValueError('\\ud800 \\x1b[31m')\n",
    "a class's name with an escape": "    return type('A\\x1b[31m', (), {})(), 1\n",
    "an exception's name with an escape": "    raise type('A\\x1b[31m', (Exception,), {})\n",
    "keys with an escape": "    return {'a\\x1b[31m': x}, 1\n",
    "a source line with an escape": "    raise ValueError  # \x1b[31m\n",
    "braces": "    raise ValueError('{x} {0} {')\n",
}


@pytest.mark.parametrize("name", WORDS)
def test_whatever_a_student_s_code_says_can_be_written_and_shown(tmp_path: Path, name: str) -> None:
    found = grade_text(make_course(tmp_path, *LAYER), "def f(x, w):\n" + WORDS[name] + TANH_BACK)
    assert b"\\u001b" not in report_json(found)
    assert "\x1b" not in render(found)


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
