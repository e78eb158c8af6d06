"""The page of a job: golden files, and that no student's text is anything but text on it, whatever its size."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from courses import grade_text, make_course
from hypothesis import example, given
from hypothesis import strategies as st
from test_kinds import CASE, LAYER, TANH, TANH_BACK

from grader import cli
from grader.assignment import Assignment
from grader.calls import Rung
from grader.grading import grade_path
from grader.report.markdown import LINE, ROOM, TEXT, append_markdown, render_markdown
from grader.report.model import Environment, PartReport, Report

WRONG = TANH + TANH_BACK.replace(".sum(0)", ".mean(0)")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    """A layer, and a function whose reference fails when RIGHT is graded by it."""
    other = (
        '[[exercise]]\nname = "other"\nkind = "function"\nfunction = "g"\nreference = "g"\ninputs = { x = "N" }\n'
        "points = { value = 2.5 }\n" + CASE + "sizes = { N = 3 }\n"
    )
    reference = LAYER[1] + "def g(x):\n    return x.nope\n"
    return make_course(tmp_path_factory.mktemp("course"), LAYER[0] + other, reference)


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return grade_text(make_course(tmp_path_factory.mktemp("layer"), *LAYER), WRONG)


def anywhere(report: Report) -> Report:
    """A report as if it came from one machine and one version of everything."""
    where = Environment(
        python="3.12.1", platform="Linux", versions={"numpy": "2.4.0"}, device="cpu", isolation=[], wall=Rung.SECCOMP
    )
    manifest = msgspec.structs.replace(report.assignment, manifest="assignments/t/assignment.toml")
    return msgspec.structs.replace(report, environment=where, grader="0.1.0", assignment=manifest)


# ------------------------------------------------------------------------------------------------- how it reads


def right_one(course: Assignment, folder: Path) -> Report:
    return grade_text(make_course(folder, *LAYER), TANH + TANH_BACK)


def wrong_one(course: Assignment, folder: Path) -> Report:
    report = grade_text(make_course(folder, *LAYER), WRONG)
    printed = "@teacher ![](http://a.b/c.png)\n```\n# 3 of 3 points\n::error::\x1b[1mowned\n"
    return msgspec.structs.replace(report, submission=msgspec.structs.replace(report.submission, printed=printed))


def undecided_one(course: Assignment, folder: Path) -> Report:
    return grade_text(course, TANH + TANH_BACK + "def g(x):\n    return x\n")


def unreadable_one(course: Assignment, folder: Path) -> Report:
    Path("hand`in <img>.zip").write_bytes(b"PK\x03\x04 and then nothing")
    return grade_path(course, Path("hand`in <img>.zip"))


REPORTS = {
    "right": right_one,
    "wrong": wrong_one,
    "undecided": undecided_one,
    "unreadable": unreadable_one,
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_reads_as_its_golden_file(
    name: str,
    course: Assignment,
    tmp_path: Path,
    golden: Callable[[str, str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    golden(f"markdown/{name}.md", render_markdown(anywhere(REPORTS[name](course, tmp_path))))


def test_whose_fault_it_is_stands_beside_what_is_undecided(course: Assignment, tmp_path: Path) -> None:
    page = render_markdown(undecided_one(course, tmp_path))
    assert "| other / value | 0 of 2.5 | undecided (the course at fault) |" in page
    assert "### other / value: 0 of 2.5 points, undecided (the course at fault)" in page


def test_without_a_wall_the_page_says_so(wrong: Report) -> None:
    where = msgspec.structs.replace(anywhere(wrong).environment, isolation=["limits"], wall=Rung.NONE)
    assert "graded without a wall" in render_markdown(msgspec.structs.replace(wrong, environment=where))


# ------------------------------------------------------------------------------------------------- text is text


def read(page: str) -> Iterator[tuple[bool, str]]:
    """Lines of Markdown, and whether each is inside a fenced block. The rule of CommonMark 4.5, for backticks."""
    fence = 0
    for line in page.split("\n"):
        opened = re.fullmatch(r" {0,3}(`{3,})[^`]*", line)
        closed = re.fullmatch(r" {0,3}(`{3,}) *", line)
        if fence:
            fence = 0 if closed and len(closed[1]) >= fence else fence
            yield fence > 0, line if fence else "(end of code)"
        else:
            fence = len(opened[1]) if opened else 0
            yield False, "(code)" if opened else line
    assert not fence, "a fence is left open"


def skeleton(page: str) -> list[str]:
    """What is not in code."""
    return [line for inside, line in read(page) if not inside]


def inside(page: str) -> str:
    return "\n".join(line for is_inside, line in read(page) if is_inside)


def saying(report: Report, text: str) -> Report:
    """The report, with a student's text in every place where there can be one."""

    def reworded(part: PartReport) -> PartReport:
        checks = [
            msgspec.structs.replace(
                check,
                findings=[
                    msgspec.structs.replace(
                        found,
                        headline=f"f raised {text}",
                        detail=text,
                        also=text,
                        pattern=text,
                        likely=text,
                        worst=text,
                    )
                    for found in check.findings
                ],
            )
            for check in part.checks
        ]
        return msgspec.structs.replace(part, checks=checks)

    exercises = [
        msgspec.structs.replace(exercise, parts=[reworded(part) for part in exercise.parts])
        for exercise in report.exercises
    ]
    told = msgspec.structs.replace(report.submission, notes=[f"note {text}"], printed=f"printed {text}")
    return msgspec.structs.replace(report, exercises=exercises, submission=told)


BITS = [
    "\n```\n",
    "`",
    "~~~",
    "\n",
    "\n\n",
    "    ",
    "\t",
    "# h",
    "- a",
    "> q",
    "| a | b |\n| - | - |\n",
    "<img src=x>",
    "</details>",
]
BITS += [
    "<!--",
    "-->",
    "![a](b.png)",
    "@teacher",
    "http://a.b",
    "\\",
    "::",
    "##[",
    "\r",
    "\x0b",
    "\x85",
    "\u2028",
    "\u202e",
    "\ud800",
]
HOSTILE = st.lists(st.sampled_from(BITS), max_size=12).map("".join)
COMMANDS = (
    "::error::owned",
    "  ::stop-commands::x",
    "##[add-mask]1",
    "\r::set-output name=score::40",
    "a\n\t::debug::x",
)


@given(HOSTILE)
@example("a\n```\n# 40 of 40 points\n<img src=x onerror=alert(1)>")
@example("a\n````````\n</details>\n\n| total | 40 of 40 |\n~~~")
@example("<!-- \n\n --> @teacher [a](javascript:b) ![c](d)")
@example("\n\n    \n```text\n")
def test_no_text_of_a_student_leaves_its_block(wrong: Report, text: str) -> None:
    assert skeleton(render_markdown(saying(wrong, text))) == skeleton(render_markdown(saying(wrong, "x")))


@given(HOSTILE)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_line_is_a_command_to_who_reads_a_log_and_every_letter_is_seen(
    wrong: Report, command: str, text: str
) -> None:
    page = render_markdown(saying(wrong, text + command))
    assert not re.search(r"(?m)^\s*::|##\[", page)
    assert all(letter.isprintable() or letter == "\n" for letter in page)


@given(st.text(st.sampled_from("`` <>|*_@\n#a"), max_size=20))
@example("`")
@example("")
@example(" ` ")
def test_the_name_of_a_submission_is_one_span_of_code(wrong: Report, name: str) -> None:
    named = msgspec.structs.replace(wrong, submission=msgspec.structs.replace(wrong.submission, name=name))
    line = skeleton(render_markdown(named))[2]
    ticks = re.match("Submission (`+)", line)
    assert ticks is not None
    span, rest = re.match(f"Submission {ticks[0][11:]}(?!`)(.*?)(?<!`){ticks[1]}(?!`)(.*)", line).groups()  # type: ignore[union-attr]
    assert name.replace("\n", r"\n").strip("` ") in span
    assert rest.startswith(", graded by gradmark")


def test_names_of_the_manifest_look_as_they_are_written(wrong: Report) -> None:
    exercises = [msgspec.structs.replace(wrong.exercises[0], name="a|b <i> _c_ `d`")]
    page = render_markdown(msgspec.structs.replace(wrong, exercises=exercises))
    assert r"| a\|b \<i\> \_c\_ \`d\` / forward |" in page


def test_what_is_told_can_be_read_back(wrong: Report) -> None:
    page = inside(render_markdown(saying(wrong, "``` <b>bold</b> | é")))
    assert page.count("``` <b>bold</b> | é") >= 7


# ------------------------------------------------------------------------------------------------- there is an end


@given(st.integers(0, 4000))
def test_a_page_has_no_more_bytes_than_there_is_room(wrong: Report, room: int) -> None:
    told = saying(wrong, "é\n" * 300)
    page = render_markdown(told, room)
    assert len(page.encode()) <= room
    whole = render_markdown(told)
    lines = skeleton(page)
    if page and page != whole:
        assert lines[-2].startswith("More is left out here")
        assert lines[:-2] == skeleton(whole)[: len(lines) - 2]


def test_the_limit_is_githubs_and_a_huge_report_keeps_it(wrong: Report) -> None:
    told = saying(wrong, "é\n" * 10_000 + "é" * 10_000)
    exercises = [msgspec.structs.replace(told.exercises[0], name=f"e{i}") for i in range(300)]
    score = msgspec.structs.replace(wrong.score, earned=300.0, possible=900.0)
    page = render_markdown(msgspec.structs.replace(told, exercises=exercises, score=score))
    assert ROOM - 300 * TEXT < len(page.encode()) <= ROOM < 1024 * 1024
    assert page.endswith("The JSON report has all of it.\n")
    skeleton(page)


def test_a_long_line_is_cut_and_counted(wrong: Report) -> None:
    page = render_markdown(saying(wrong, "\x1b" * 1_000_000))
    assert max(map(len, page.split("\n"))) < 4 * LINE + 100
    assert re.search(r"(\\x1b){1900} \.\.\. \(998\d{3} more letters in this line\)", page)


def test_many_lines_are_cut_and_counted(wrong: Report) -> None:
    told = msgspec.structs.replace(
        wrong, submission=msgspec.structs.replace(wrong.submission, printed="12345\n" * 20_000)
    )
    page = render_markdown(told)
    kept = inside(page).count("12345")
    assert kept == TEXT // 6
    assert f"... ({20_000 - kept} more lines; the JSON report has them)\n```\n\n</details>" in page


def test_several_reports_share_the_page_of_one_step(wrong: Report, tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    page.write_text("# Grades\n")
    append_markdown(wrong, page)
    append_markdown(wrong, page)
    once = render_markdown(wrong)
    assert page.read_text(encoding="utf-8") == f"# Grades\n\n{once}\n{once}"
    long = saying(wrong, "x\n" * 30_000)
    for _ in range(10):
        append_markdown(long, page)
    assert ROOM - 1000 < page.stat().st_size <= ROOM
    skeleton(page.read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------------- the option


def test_the_command_appends_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_course(tmp_path, *LAYER)
    (tmp_path / "t.py").write_text("import numpy as np\n" + WRONG)
    summary = tmp_path / "summary.md"
    argv = ["grade", str(tmp_path / "t.py"), "--assignment", str(tmp_path / "assignments" / "t")]
    assert cli.main([*argv, "--summary", str(summary)]) == cli.FAILED
    assert summary.read_text(encoding="utf-8").startswith("## t: 1 of 3 points\n")
    assert capsys.readouterr().out.endswith("1 of 3 points\n")
    assert cli.main([*argv, "--summary", str(tmp_path / "no folder" / "s.md")]) == cli.UNDECIDED
    assert "this machine is at fault: the summary can't be written to" in capsys.readouterr().err


def test_a_seed_from_the_environment_is_as_private_as_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_course(tmp_path, *LAYER)
    (tmp_path / "t.py").write_text("import numpy as np\n" + WRONG)
    monkeypatch.setenv("GRADMARK_SEED", "867194613")
    report, summary = tmp_path / "r.json", tmp_path / "s.md"
    argv = ["grade", str(tmp_path / "t.py"), "--assignment", str(tmp_path / "assignments" / "t")]
    assert cli.main([*argv, "--report", str(report), "--summary", str(summary)]) == cli.FAILED
    assert "Hidden cases: a private seed." in summary.read_text()
    assert "867194613" not in report.read_text() + summary.read_text() + "".join(capsys.readouterr())
