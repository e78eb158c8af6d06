"""One file in several settings: other arrays, fewer digits, and what this machine has not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from courses import HEAD, checks, codes, grade_text, make_course, parts

from grader.assignment import Assignment
from grader.batch.summary import scores_csv
from grader.calls import Evaluator, Profile, Source
from grader.cases import draw_case
from grader.cli import main
from grader.errors import GradebookError, MachineError, ManifestError
from grader.gradebook import Attempt, Gradebook, Key, seal
from grader.grading import complete, grade
from grader.numerics.comparison import Reason, compare
from grader.numerics.tolerance import slack_of, tolerance_of
from grader.report.console import render
from grader.report.model import Report, read_report, report_json, validate, write_report
from grader.sandbox.inprocess import InProcess
from grader.sandbox.pool import Sandbox
from grader.settings import Device, Precision, Setting
from grader.submission import Submission

ALSO = '[also_on]\n"torch" = 0.1\n"torch float32" = 0.05\n"cuda float32" = 0.05\n'
LAYER = (
    'name = "layer"\nkind = "layer"\nforward = "f"\nbackward = "b"\nreference = "f"\noutput = "N M"\n'
    'inputs = { x = "N D", w = "D M" }\npoints = { forward = 1, backward = 2 }\n'
    '[[exercise.case]]\nname = "small"\nsizes = { N = 3, D = 4, M = 5 }\n'
    '[[exercise.case]]\nname = "other"\nsizes = { N = 2, D = 5, M = 3 }\nhidden = true\n',
    "def f(x, w):\n    return torch.tanh(x @ w)\n",
)
RIGHT = """
from array_api_compat import array_namespace
def f(x, w):
    out = array_namespace(x).tanh(x @ w)
    return out, (x, w, out)
def b(dout, cache):
    x, w, out = cache
    xp = array_namespace(x)
    d = dout * (1 - out * out)
    return d @ w.T, x.T @ d
"""
NUMPY_ONLY = RIGHT.replace("d = dout *", "d = dout.copy() *")
WIDE = RIGHT.replace("x.T @ d", "(x.T @ d) * xp.ones(w.shape, dtype=xp.float64)")
NARROW = RIGHT.replace("return d @ w.T", "dx = xp.zeros(x.shape)\n    dx[...] = d @ w.T\n    return dx")
WRONG = RIGHT.replace("(1 - out * out)", "(1 - out)")


@pytest.fixture
def course(tmp_path: Path) -> Assignment:
    return make_course(tmp_path, *LAYER, head=HEAD + ALSO)


def submission_of(text: str) -> Submission:
    source = Source(entry="t.py", files={"t.py": ("import numpy as np\n" + text).encode()})
    return Submission(name="t", path="t.py", source=source, notes=())


def of(report: Report, setting: str) -> list[str]:
    return [check.status for check in checks(report) if check.setting == setting]


def score(report: Report) -> tuple[float, float, float]:
    return report.score.earned, report.score.undecided, report.score.pending


# --------------------------------------------------------------------------------------------------------- the points


def test_a_portable_file_has_all_points_but_those_that_need_a_gpu(
    course: Assignment, golden: Callable[[str, str], None]
) -> None:
    report = grade_text(course, RIGHT)
    assert (score(report), report.score.verdict) == ((2.85, 0.0, 0.15), "pending")
    assert of(report, "torch") == of(report, "torch float32") == ["passed"] * 4
    assert of(report, "cuda float32") == ["pending"] * 4
    assert {check.fault for check in checks(report)} == {None}
    golden("messages/settings_pending.txt", render(report) + "\n")
    validate(json.loads(report_json(report)))


def test_numpy_code_loses_the_share_of_portability_alone(
    course: Assignment, golden: Callable[[str, str], None]
) -> None:
    report = grade_text(course, NUMPY_ONLY)
    assert of(report, "") == ["passed"] * 4
    assert set(of(report, "torch")) == {"passed", "failed"}
    assert score(report) == (0.95 + 2 * 0.8, 0.0, 0.15)
    golden("messages/settings_numpy_only.txt", render(report) + "\n")


def test_what_fails_with_numpy_is_not_asked_again(course: Assignment, golden: Callable[[str, str], None]) -> None:
    report = grade_text(course, WRONG)
    backward = parts(report)["backward"]
    assert (backward.earned, backward.pending, backward.verdict) == (0.0, 0.0, "failed")
    assert {check.status for check in backward.checks if check.setting} == {"not run"}
    assert {check.calls for check in backward.checks if check.setting} == {0}
    golden("messages/settings_fails_already.txt", render(report) + "\n")


def test_float64_where_float32_went_in_is_a_failure_of_that_setting(
    course: Assignment, golden: Callable[[str, str], None]
) -> None:
    report = grade_text(course, WIDE)
    assert set(of(report, "torch")) == {"passed"}
    assert codes(parts(report)["backward"]) == {"WRONG_DTYPE", "PENDING"}
    golden("messages/settings_wide.txt", render(report) + "\n")


def test_float32_where_float64_went_in_is_one_too(course: Assignment) -> None:
    report = grade_text(course, NARROW)
    assert set(of(report, "torch float32")) == {"passed"}
    assert set(of(report, "torch")) == {"passed", "failed"}
    assert codes(parts(report)["backward"]) == {"WRONG_DTYPE", "PENDING"}


BFLOAT16 = '[also_on]\n"torch bfloat16" = 0.1\n"pretend-cuda bfloat16" = 0.1\n"cuda tf32" = 0.05\n'


@pytest.mark.parametrize("profile", ["torch", "pretend-cuda"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RIGHT + "    assert str(dout.dtype) == str(x.dtype)\n", {"passed"}),
        (RIGHT.replace("return out,", "assert x.dtype not in (xp.float32,)\n    return out,"), {"passed"}),
        (WIDE.replace("xp.float64", "xp.float32"), {"passed", "failed"}),
        (RIGHT.replace("d = dout *", "d = (1.5 if 'bfloat16' in str(x.dtype) else 1) * dout *"), {"passed", "failed"}),
    ],
)
def test_bfloat16_reaches_the_code_and_is_held_to_its_digits(
    tmp_path: Path, profile: str, text: str, expected: set[str]
) -> None:
    text = text.replace("xp = array_namespace(x)\n    out", "out").replace(
        "    out = array_namespace(x).tanh(x @ w)", "    xp = array_namespace(x)\n    out = xp.tanh(x @ w)"
    )
    report = grade_text(make_course(tmp_path, *LAYER, head=HEAD + BFLOAT16), text)
    assert set(of(report, f"{profile} bfloat16")) == expected, render(report)
    assert "MUTATES_ARGUMENT" not in codes(parts(report)["backward"])
    assert set(of(report, "")) == {"passed"}


def test_a_float32_array_where_bfloat16_went_in_is_wider(tmp_path: Path) -> None:
    wide = WIDE.replace("xp.float64", "xp.float32")
    report = grade_text(make_course(tmp_path, *LAYER, head=HEAD + '[also_on]\n"torch bfloat16" = 0.1\n'), wide)
    assert codes(parts(report)["backward"]) == {"WRONG_DTYPE"}


def test_a_submission_that_does_not_load_says_so_once(course: Assignment) -> None:
    report = grade_text(course, "raise ValueError\n")
    assert render(report).count("does not load") == 1
    assert score(report) == (0.0, 0.0, 0.0)


def test_a_class_and_a_student_are_told_the_same(course: Assignment) -> None:
    """In processes of their own, one a profile, as in this one."""
    with Sandbox(require="none") as sandbox:  # type: ignore[arg-type]
        walled = grade(course, submission_of(NUMPY_ONLY), sandbox=sandbox)
        assert list(sandbox._beside) == [Profile.TORCH]
    here = grade_text(course, NUMPY_ONLY)
    told = [(check.setting, check.case, check.status, [f.headline for f in check.findings]) for check in checks(here)]
    assert told == [
        (check.setting, check.case, check.status, [f.headline for f in check.findings]) for check in checks(walled)
    ]
    assert walled.score == here.score


def test_a_mask_that_torch_makes_float32_is_named(tmp_path: Path) -> None:
    """It stays wrong where float64 is asked: half of the digits are lost, and nobody sees it."""
    exercise = (
        'name = "mask"\nkind = "function"\nfunction = "f"\nreference = "f"\ninputs = { x = "N D" }\n'
        'points = { value = 1 }\n[[exercise.case]]\nname = "small"\nsizes = { N = 3, D = 4 }\n'
    )
    reference = "def f(x):\n    return x * (x > 0) / 0.7\n"
    course = make_course(tmp_path, exercise, reference, head=HEAD + '[also_on]\n"torch" = 0.1\n')
    report = grade_text(course, "def f(x):\n    return x * ((x > 0) / 0.7)\n")
    (told,) = [check.findings[0] for check in checks(report) if check.verdict == "failed"]
    assert (report.score.earned, told.diagnosis) == (0.9, "FLOAT32")
    assert "a mask divided by a number" in told.likely
    assert score(grade_text(course, "def f(x):\n    return x * (x > 0) / 0.7\n")) == (1.0, 0.0, 0.0)


# ------------------------------------------------------------------------------------------------------- the manifest


@pytest.mark.parametrize(
    ("lines", "field", "problem"),
    [
        ('"torhc" = 0.1', "also_on.torhc", "no kind of array"),
        ('"torch float31" = 0.1', "also_on.torch float31", "no precision"),
        ('"numpy" = 0.1', "also_on.numpy", "is the main setting"),
        ('"torch" = 0.105', "also_on.torch", "in steps of 0.01"),
        ('"torch" = 0', "also_on.torch", "between 0 and 1"),
        ('"torch" = 0.5\n"torch float32" = 0.5', "also_on", "leaves nothing for the main setting"),
        ('"torch" = 0.1\n"torch float64" = 0.1', "also_on.torch float64", "named twice"),
        ('"torch tf32" = 0.1', "also_on.torch tf32", "there is cuda tf32 alone"),
        ('"jax bfloat16" = 0.1', "also_on.jax bfloat16", "graded with torch tensors, not jax"),
    ],
)
def test_a_wrong_share_is_the_manifest_s_fault(tmp_path: Path, lines: str, field: str, problem: str) -> None:
    with pytest.raises(ManifestError, match=problem) as caught:
        make_course(tmp_path, *LAYER, head=f"{HEAD}[also_on]\n{lines}\n")
    assert caught.value.field == field


def test_an_exercise_or_a_case_may_stay_where_it_is(tmp_path: Path) -> None:
    exercise = LAYER[0].replace('name = "other"', 'name = "other"\nalso_on = false')
    (tmp_path / "a").mkdir()
    course = make_course(tmp_path / "a", exercise, LAYER[1], head=HEAD + ALSO)
    assert [case.name for case, _ in course.parts[0].also_asked] == ["small"]
    (tmp_path / "b").mkdir()
    course = make_course(tmp_path / "b", LAYER[0].replace("points", "also_on = false\npoints"), LAYER[1], HEAD + ALSO)
    assert course.settings == (Setting(Profile.NUMPY),)
    assert score(grade_text(course, RIGHT)) == (3.0, 0.0, 0.0)


def test_a_case_that_float32_can_not_hold_is_the_course_s_fault(tmp_path: Path) -> None:
    big = LAYER[0].replace("sizes = { N = 3", 'draw = { x = { draw = "normal", scale = 1e30 } }\nsizes = { N = 3')
    course = make_course(tmp_path, big, "def f(x, w):\n    return (x @ w) ** 2\n", head=HEAD + ALSO)
    square = RIGHT.replace("array_namespace(x).tanh(x @ w)", "(x @ w) ** 2").replace("(1 - out * out)", "2 * (x @ w)")
    report = grade_text(course, square)
    told = [check for check in checks(report) if check.setting == "torch float32"]
    assert {check.fault for check in told if check.verdict != "passed"} == {"course"}
    assert "float32" in told[0].findings[0].headline
    assert report.score.verdict == "undecided"


# ---------------------------------------------------------------------------------------------------------- completing


def elsewhere(text: str) -> Callable[[Profile], Evaluator]:
    """A machine that has everything: what a GPU would compute, torch computes here."""
    return lambda profile: InProcess(submission_of(text).source, Profile.TORCH)


def completed(course: Assignment, text: str, report: Report) -> Report:
    submission = submission_of(text)
    return complete(course, submission, report, evaluator=InProcess(submission.source), elsewhere=elsewhere(text))


@pytest.mark.parametrize(
    ("text", "points", "verdict"), [(RIGHT, 3.0, "passed"), (WIDE, 2.8, "failed"), (NUMPY_ONLY, 2.6, "failed")]
)
def test_what_was_pending_is_settled(course: Assignment, text: str, points: float, verdict: str) -> None:
    before = grade_text(course, text)
    after = completed(course, text, before)
    assert (score(after), after.score.verdict) == ((points, 0.0, 0.0), verdict)
    for old, new in zip(checks(before), checks(after), strict=True):
        assert old.status == "pending" or old == new
    validate(json.loads(report_json(after)))


def test_nothing_pending_is_nothing_to_complete(course: Assignment) -> None:
    with pytest.raises(GradebookError, match="nothing is pending"):
        completed(course, RIGHT, completed(course, RIGHT, grade_text(course, RIGHT)))


def test_the_command_completes_only_the_report_of_the_same(
    tmp_path: Path, course: Assignment, capsys: pytest.CaptureFixture[str]
) -> None:
    file, report, manifest = tmp_path / "t.py", tmp_path / "report.json", str(course.manifest)
    file.write_text(RIGHT)
    assert main(["grade", str(file), "--assignment", manifest, "--report", str(report), "--device", "cpu"]) == 0
    assert "2.85 of 3 points, 0.15 pending" in capsys.readouterr().out

    def told(path: Path, *more: str) -> str:
        assert main(["grade", str(path), "--assignment", manifest, "--complete", str(report), *more]) == 2
        return capsys.readouterr().err

    assert "--device cpu uses no GPU" in told(file, "--device", "cpu")
    assert "leave --seed out" in told(file, "--seed", "7")
    other = tmp_path / "other" / "t.py"
    other.parent.mkdir()
    other.write_text(WRONG)
    assert "is about other files" in told(other)
    kept = read_report(report)
    seeds = msgspec.structs.replace(kept.seeds, private=True, hidden=None)
    write_report(msgspec.structs.replace(kept, seeds=seeds), report)
    assert "give the same with --seed" in told(file)
    write_report(msgspec.structs.replace(kept, grader="0.0.1"), report)
    assert "is by gradmark 0.0.1" in told(file)
    course.manifest.write_text(course.manifest.read_text() + "\n# another\n")
    assert "another assignment" in told(file)
    report.write_text("{}")
    assert "not a report" in told(file)


def test_a_gpu_that_is_required_and_not_there_is_one_message(
    tmp_path: Path, course: Assignment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.devices.gpus", tuple)
    (tmp_path / "t.py").write_text(RIGHT)
    assert main(["grade", str(tmp_path / "t.py"), "--assignment", str(course.manifest), "--device", "cuda"]) == 2
    assert "there is no GPU" in capsys.readouterr().err


def test_pending_points_are_in_the_gradebook(course: Assignment) -> None:
    sealed = seal(grade_text(course, RIGHT))
    assert (sealed.points.pending, sealed.faults) == (0.15, ())
    assert str(sealed.points) == "2.85 of 3, 0.15 pending"
    assert [part.pending for part in sealed.parts.values()] == [0.05, 0.1]


def test_what_is_pending_is_known_until_it_can_be_settled(tmp_path: Path, course: Assignment) -> None:
    key = Key(submission="s", assignment="a", grader="g", seed="public")
    with Gradebook(tmp_path / "run", write=True) as book:
        row = book.record(key, seal(grade_text(course, RIGHT)), [Attempt(student="ada")])
        assert (book.known(key), book.known(key, pending=False)) == (row, None)
        assert "ada,,2.85,3,0,0.15,pending" in scores_csv(book)
        settled = book.record(key, seal(completed(course, RIGHT, grade_text(course, RIGHT))), [Attempt(student="ada")])
        assert book.known(key, pending=False) == settled
        assert "ada,,3,3,0,0,passed" in scores_csv(book)


# -------------------------------------------------------------------------------------------------------- fewer digits


def test_a_case_is_rounded_and_not_drawn_anew(course: Assignment) -> None:
    case = draw_case(course, course.exercises[0], course.exercises[0].cases[0])
    for precision in (Precision.FLOAT32, Precision.BFLOAT16):
        rounded = case.rounded(precision)
        error = np.abs(rounded.inputs["x"] / case.inputs["x"] - 1)
        assert 0 < error.max() <= precision.unit
        assert rounded.rounded(precision) is rounded
    assert np.array_equal(case.rounded(Precision.FLOAT32).inputs["w"], np.float32(case.inputs["w"]))


def test_ties_stay_ties_when_they_are_nudged(course: Assignment) -> None:
    case = draw_case(course, course.exercises[0], course.exercises[0].cases[0])
    tied = case._with(lambda array: np.where(array > 0, 1.5, -2.0))
    nudged = tied.nudged(2.0**-24, np.random.default_rng(0)).inputs["x"]
    assert len(np.unique(nudged)) == 2
    assert not np.array_equal(nudged, tied.inputs["x"])


@pytest.mark.parametrize(
    ("actual", "reason"),
    [
        (np.float32([1, 2, 3]), Reason.EQUAL),
        (np.float64([1, 2, 3]), Reason.WIDER),
        (np.float32([1.0001, 2.0002, 3.0003]), Reason.VALUES),
        (np.float32([1, 2, 3.000004]), Reason.VALUES),
        (np.float32([1.0000024, 2.0000024, 3.0000024]), Reason.VALUES),  # none is far off, and all together are
    ],
)
def test_fewer_digits_are_allowed_by_element_and_together(actual: np.ndarray, reason: Reason) -> None:
    expected = np.array([1.0, 2.0, 3.0])
    slack = slack_of(expected, [expected], unit=2.0**-24, dtype="float32")
    assert slack is not None
    result = compare(actual, expected, tolerance_of(expected, slack))
    assert result.reason is reason
    if reason is Reason.VALUES:
        assert result.wrong
        assert (result.error or 0) > (result.allowed or np.inf)


KINK = (
    'name = "layer"\nkind = "layer"\nforward = "f"\nbackward = "b"\nreference = "f"\noutput = "N D"\n'
    'inputs = { x = "N D" }\npoints = { forward = 1, backward = 2 }\n'
    '[[exercise.case]]\nname = "zeros"\ndraw = { x = "sparse" }\nsizes = { N = 6, D = 8 }\n',
    "def f(x):\n    return torch.relu(x)\n",
)
RELU = """
def f(x):
    return x * (x > 0), x
def b(dout, x):
    return dout * (x MARK 0)
"""


@pytest.mark.parametrize(("mark", "verdict"), [(">", "passed"), (">=", "passed"), ("<", "failed")])
def test_a_choice_at_a_kink_that_is_right_in_float64_is_right_in_float32(
    tmp_path: Path, mark: str, verdict: str
) -> None:
    course = make_course(tmp_path, *KINK, head=HEAD + '[also_on]\n"torch float32" = 0.1\n')
    report = grade_text(course, RELU.replace("MARK", mark))
    assert report.score.verdict == verdict
    assert set(of(report, "torch float32")) == ({"passed"} if verdict == "passed" else {"passed", "not run"})


def test_in_float32_a_wrong_sign_at_a_kink_is_still_wrong(tmp_path: Path) -> None:
    """Right in float64, and another function in float32."""
    course = make_course(tmp_path, *KINK, head=HEAD + '[also_on]\n"torch float32" = 0.1\n')
    text = RELU.replace("x MARK 0)", "x >= 0) * (1.0001 if str(x.dtype) == 'torch.float32' else 1)")
    report = grade_text(course, text)
    assert set(of(report, "")) == {"passed"}
    assert "failed" in of(report, "torch float32")
    assert codes(parts(report)["backward"]) == {"WRONG_GRADIENT"}


def test_a_number_may_be_of_any_dtype() -> None:
    slack = slack_of(2.0, [2.0], unit=2.0**-24, dtype="float32")
    assert slack is not None
    assert compare(2.0, 2.0, tolerance_of(2.0, slack)).passed


def test_what_overflows_in_fewer_digits_has_no_tolerance() -> None:
    assert slack_of([1e40], [[np.inf]], unit=2.0**-24, dtype="float32") is None
    assert slack_of([np.inf], [[np.inf]], unit=2.0**-24, dtype="float32") is not None


@pytest.mark.parametrize("name", ["torch", "torch float32", "cuda bfloat16", "cuda tf32"])
def test_a_setting_is_its_name(name: str) -> None:
    assert str(Setting.parse(name)) == name


def test_a_machine_that_has_nothing_says_so(course: Assignment) -> None:
    with pytest.raises(MachineError, match="no GPU"):
        complete(
            course,
            submission_of(RIGHT),
            grade_text(course, RIGHT),
            evaluator=InProcess(submission_of(RIGHT).source),
            device=Device.CPU,
        )
