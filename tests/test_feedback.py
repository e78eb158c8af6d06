"""How much a student is told: no door says more than the manifest allows, and nothing is said by colour alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from courses import HEAD, grade_text, make_course
from test_kinds import ADAM, ADAM_STEP, LAYER, TANH, TANH_BACK

from grader import cli
from grader.assignment import Assignment, Feedback
from grader.cli.terminal import painted
from grader.errors import ManifestError
from grader.findings import FindingCode
from grader.report import feedback
from grader.report.console import render
from grader.report.feedback import for_student
from grader.report.markdown import render_markdown
from grader.report.model import Report, read_report, report_json

WRONG = TANH + TANH_BACK.replace("(d * t).sum(0)", "(d * t).mean(0)")
HIDDEN = '[[exercise.case]]\nname = "hidden"\nhidden = true\nsizes = { N = 2, D = 6 }\n'
VALUE = re.compile(r"\d\.\d{4,}|\de[-+]\d+")
"""What a value, an error or a tolerance looks like; the arguments of a case (eps = 0.001) are shorter."""
CASES = {
    "a wrong gradient": (LAYER, WRONG),
    "a wrong forward": (LAYER, TANH.replace("t * w,", "t * w + 0.123,") + TANH_BACK),
    "a wrong derivative": (LAYER, TANH.replace("t * w,", "t * w * w,") + TANH_BACK.replace("d * t", "3.7 * d * t")),
    "finite differences": (
        LAYER,
        TANH.replace("(t, w)", "(x, w)")
        + "def b(d, c):\n    x, w = c\n    moved = f(x + 1e-5, w)[0] - f(x - 1e-5, w)[0]\n"
        + "    return d * moved / 2e-5, (d * f(x, w)[0] / w).sum(0)\n",
    ),
    "NaN": (LAYER, TANH.replace("t * w,", "t * w / 0,") + TANH_BACK),
    "a trajectory": (ADAM, ADAM_STEP.replace("(1 - beta1**t)", "1")),
}


def texts(report: Report) -> Iterator[str]:
    """A report in every form that a student may be given, but for its own clock and versions."""
    plain = msgspec.structs.replace(report, grader="0", started="", seconds=0.0)
    parts = [msgspec.json.encode(exercise.parts).decode() for exercise in plain.exercises]
    yield from (re.sub(r'"(seconds|coverage|odds_of\w+|rtol|credit)":[^,}]*', "", part) for part in parts)
    yield render(plain)
    yield re.sub(r"graded by gradmark.*", "", render_markdown(plain))


def graded(folder: Path, name: str) -> Report:
    course, text = CASES[name]
    return grade_text(make_course(folder, *course), text)


@pytest.mark.parametrize("name", CASES)
def test_a_hint_has_no_value_and_a_verdict_no_cause(name: str, tmp_path: Path) -> None:
    whole = graded(tmp_path, name)
    assert all(VALUE.search(text) for text in texts(whole)), "else this test could not fail"
    hint = for_student(whole, Feedback.HINT)
    assert [VALUE.findall(text) for text in texts(hint)] == [[], [], []]
    assert not any(re.search(r"\d+ of \d+ elements", text) for text in texts(hint))
    verdict = for_student(whole, Feedback.VERDICT)
    found = [
        finding for each in verdict.exercises for part in each.parts for c in part.checks for finding in c.findings
    ]
    assert {finding.code for finding in found} == {"FAILED"}
    assert not any("likely" in text or "pattern" in text or "N=3" in text for text in texts(verdict))
    for told in (hint, verdict):
        assert (told.score, told.audience) == (whole.score, "student")
        assert for_student(told) == told


def test_the_three_levels_read_like_this(tmp_path: Path) -> None:
    whole = graded(tmp_path, "a wrong gradient")

    def told(level: Feedback) -> str:
        text = render(for_student(whole, level))
        return re.sub(r'pytest ".*/assignment', 'pytest "assignment', text)

    head = f"t / e / backward{'0 of 2 points':>84}\n"
    rerun = '    rerun    pytest "assignment.toml::e::backward"\n'
    assert render(for_student(whole)) == render(whole)
    assert told(Feedback.HINT).startswith(
        head + "  dw is not the gradient\n"
        "    pattern  wrong by one factor\n"
        "    likely   backward averages over the batch; the 1/N belongs to the loss and is already inside dout\n"
        "    case     small: x (N=3, D=4)  w (D=4)  float64  seed 3\n"
        "    also     dx is right\n" + rerun
    )
    assert told(Feedback.VERDICT).startswith(head + "  failed\n    case     small\n" + rerun)


BROKEN = {
    "raised an exception": "def f(x, w):\n    raise ValueError(x)\n",
    "MISSING_FUNCTION": "",
    "DOES_NOT_LOAD": "def f(\n",
}


@pytest.mark.parametrize("said", BROKEN)
def test_how_it_ended_is_told_and_what_stands_before_any_check(said: str, tmp_path: Path) -> None:
    report = for_student(grade_text(make_course(tmp_path, *LAYER), BROKEN[said]), Feedback.VERDICT)
    first = report.exercises[0].parts[0].checks[0].findings[0]
    assert said in (first.headline, first.code)
    assert "ValueError" not in report_json(report).decode()


def test_every_headline_that_ends_in_numbers_is_cut() -> None:
    fields = ("{wrong}", "{size}", "{dropped}", "{reached}", "{step}")
    numbered = {code.name for code in FindingCode if any(field in code.value for field in fields)}
    assert numbered <= set(feedback._KEPT)
    for name, count in feedback._KEPT.items():
        kept = ": ".join(FindingCode[name].value.split(": ")[:count])
        assert not any(field in kept for field in fields if field != "{step}"), name


# ------------------------------------------------------------------------------------------------------ the manifest


def course_at(folder: Path, head: str, exercise: str = "") -> Assignment:
    body = LAYER[0].replace('kind = "layer"\n', f'kind = "layer"\n{exercise}')
    return make_course(folder, body + HIDDEN, LAYER[1], head=HEAD + head)


def test_an_exercise_overrides_the_assignment(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    assert course_at(tmp_path / "a", "").exercises[0].feedback is Feedback.FULL
    assert course_at(tmp_path / "b", 'feedback = "verdict"\n').exercises[0].feedback is Feedback.VERDICT
    both = course_at(tmp_path / "c", 'feedback = "verdict"\n', 'feedback = "hint"\n')
    assert both.exercises[0].feedback is Feedback.HINT


def test_an_unknown_level_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="feedback") as raised:
        course_at(tmp_path, 'feedback = "hints"\n')
    assert "hints" in str(raised.value)


def test_a_hidden_case_shows_no_value_whatever_the_level(tmp_path: Path) -> None:
    report = grade_text(course_at(tmp_path, 'feedback = "full"\n'), WRONG, hidden_seed=77)
    hidden = [c for exercise in report.exercises for part in exercise.parts for c in part.checks if c.hidden]
    assert any(check.findings for check in hidden)
    for check in hidden:
        quiet = replace_clock(msgspec.json.encode([check.findings, check.comparisons]).decode())
        assert not VALUE.search(quiet)


def replace_clock(text: str) -> str:
    return re.sub(r'"rtol":[^,}]*', "", text)


# ---------------------------------------------------------------------------------------------------------- the doors


@pytest.fixture
def handed_in(tmp_path: Path) -> Path:
    """A wrong submission, beside a course that gives hints."""
    course_at(tmp_path, 'feedback = "hint"\n')
    path = tmp_path / "handins" / "ada" / "t.py"
    path.parent.mkdir(parents=True)
    path.write_text("import numpy as np\n" + WRONG)
    return path


def manifest_of(handed_in: Path) -> str:
    return str(handed_in.parents[2] / "assignments" / "t" / "assignment.toml")


@pytest.mark.parametrize(
    ("asked", "level"), [([], "hint"), (["--feedback", "full"], "hint"), (["--feedback", "verdict"], "verdict")]
)
def test_grade_tells_the_lesser_of_the_manifests_level_and_the_options(
    asked: list[str], level: str, handed_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = handed_in.parent.parent
    arguments = ["grade", handed_in, "--assignment", manifest_of(handed_in), "--unsafe", *asked]
    code = cli.main([*map(str, [*arguments, "--report", out / "r.json", "--summary", out / "s.md"])])
    assert code == cli.FAILED
    report = read_report(out / "r.json")
    assert (report.exercises[0].feedback, report.audience) == (level, "student")
    assert for_student(report, Feedback(level)) == report
    for text in (capsys.readouterr().out, re.sub("graded by gradmark.*", "", (out / "s.md").read_text())):
        assert not VALUE.search(text)
        assert ("likely" in text) == (level == "hint")


def test_pytest_keeps_to_the_level(handed_in: Path, pytester: pytest.Pytester) -> None:
    folder = Path(manifest_of(handed_in)).parent
    (folder / "t.py").write_text(handed_in.read_text())
    result = pytester.runpytest_inprocess(str(folder), "--grade-report", "report.json")
    report = read_report(pytester.path / "report.json")
    assert for_student(report, Feedback.HINT) == report
    assert report.audience == "student"
    text = result.stdout.str()
    assert "dw is not the gradient" in text
    assert "elements differ" not in text


def test_a_gradebook_has_everything_and_shows_a_student_less(
    handed_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    batch = ["batch", tmp_path / "handins", "--assignment", manifest_of(handed_in), "--out", run, "--unsafe"]
    assert cli.main([*map(str, batch), "--workers", "1"]) == cli.PASSED
    shown = {}
    for options in ((), ("--for-student",)):
        capsys.readouterr()
        assert cli.main(["show", str(run), "ada", "--format", "json", *options]) == cli.PASSED
        shown[options] = msgspec.json.decode(capsys.readouterr().out, type=Report)
    assert shown[()].audience == "course"
    assert "worst" in report_json(shown[()]).decode()
    assert shown["--for-student",] == for_student(shown[()])
    assert cli.main(["export", str(run), "--format", "gradescope", "--out", str(tmp_path / "scores")]) == cli.PASSED
    assert cli.main(["publish", str(run), "--out", str(tmp_path / "site")]) == cli.PASSED
    (page,) = (path for path in (tmp_path / "site" / "students").iterdir() if "ada" in path.read_text())
    for text in [page.read_text(), *(path.read_text() for path in (tmp_path / "scores").iterdir())]:
        assert "dw is not the gradient" in text
        assert "elements differ" not in text
        assert not re.search("yours +-?[0-9]", text)
    assert cli.main(["show", str(run), "--for-student"]) == cli.UNDECIDED
    assert "which" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------- for the eye and the ear

STATES = {
    "passed": TANH + TANH_BACK,
    "passed, with a warning": TANH.replace("return", "x[0, 0] = 1.0\n    return") + TANH_BACK,
    "not written yet": "def f(x, w):\n    raise NotImplementedError\ndef b(d, c):\n    raise NotImplementedError\n",
    "1 of 1 checks failed": WRONG,
}


def heard(text: str) -> str:
    """What is left of a text without colours and without any sign beyond ASCII."""
    return re.sub(r"\x1b\[[\d;]*m", "", text).encode("ascii", "ignore").decode()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("form", [lambda report: painted(render(report)), render_markdown], ids=["console", "markdown"])
def test_every_state_is_a_word(state: str, form: Callable[[Report], str], tmp_path: Path) -> None:
    text = heard(form(grade_text(make_course(tmp_path, *LAYER), STATES[state])))
    assert re.search(rf"{state}( *\|)?$", text, re.MULTILINE)


def test_an_undecided_state_is_a_word_and_whose_fault_it_is(tmp_path: Path) -> None:
    report = grade_text(make_course(tmp_path, LAYER[0], "def f(x, w):\n    return x.nope\n"), TANH + TANH_BACK)
    for text in (render(report), render_markdown(report), render(for_student(report, Feedback.VERDICT))):
        assert "undecided (the course at fault)" in heard(text)


@pytest.mark.parametrize("no_color", [False, True])
def test_no_color_is_respected(no_color: bool, handed_in: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    import click

    real = click.echo
    monkeypatch.setattr(
        click,
        "echo",
        lambda *args, **options: real(*args, **{"color": True, **{k: v for k, v in options.items() if v is not None}}),
    )
    monkeypatch.setenv("NO_COLOR", "1") if no_color else monkeypatch.delenv("NO_COLOR", raising=False)
    cli.main(["grade", str(handed_in), "--assignment", manifest_of(handed_in), "--unsafe"])
    assert ("\x1b[" in capsys.readouterr().out) is not no_color
