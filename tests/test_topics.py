"""Every topic: its stub, its lesson, its worked solution on every kind of array, its corpus.

20 seeds on both kinds of arrays take minutes: tests/benchmarks/test_worked_solutions.py.
"""

from __future__ import annotations

import ast
import doctest
import importlib.util
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from topics import (
    COURSES,
    PRETEND,
    PROFILES,
    TOPICS,
    Sandboxes,
    checks,
    grade_file,
    grade_solution,
    judged_otherwise,
    sandboxes,
    topic,
)

from grader.authoring.corpus import Slip, parts_of, read_mistakes, read_slips, table
from grader.authoring.stubs import cut_stub
from grader.calls import Profile
from grader.report.model import Report
from grader.topics import submissions_folder

OWN = tuple(name for name in TOPICS if name not in COURSES)
QUICK = ("functional", "norm")
"""On a pretend GPU too; the others in tests/benchmarks/test_worked_solutions.py."""
IN_CLASS = "mlp"
"""Its corpus goes through the batch in test_class."""
ENOUGH = 12, 3
"""Wrong submissions and odd but right ones that each topic has, at least."""


@pytest.fixture(scope="module")
def where() -> Iterator[Sandboxes]:
    with sandboxes() as every:
        yield every


def told(report: Report) -> str:
    """What did not pass, a line each."""
    return "\n".join(
        f"{exercise.name}/{part.name} {check.case}: {[finding.headline for finding in check.findings]}"
        for exercise, part in parts_of(report)
        for check in part.checks
        if check.status != "passed"
    )


# ------------------------------------------------------------------------------------------------- solution and stub


@pytest.mark.parametrize(("name", "profile"), [*PROFILES, *(one for one in PRETEND if one[0] in QUICK)])
def test_the_worked_solution_earns_every_point(name: str, profile: Profile, where: Sandboxes) -> None:
    report = grade_solution(name, where, profile=profile, seed=7)
    assert (report.score.verdict, report.score.undecided) == ("passed", 0), told(report)
    assert report.score.earned == report.score.possible
    warnings = {finding.code for check in checks(report) for finding in check.findings}
    # A loss that is a number, or a norm that decides whether to clip, is waited for.
    assert warnings <= {"MUTATES_ARGUMENT"} if name in COURSES else warnings <= {"SYNCHRONISES"}
    assert not warnings or name in COURSES or profile is Profile.PRETEND_CUDA


@pytest.mark.parametrize("name", OWN)
def test_the_stub_is_what_would_be_cut_from_the_solution(name: str) -> None:
    assignment, _ = topic(name)
    assert assignment.solution is not None
    stub = (assignment.manifest.parent / assignment.file).read_text(encoding="utf-8")
    assert stub == cut_stub(assignment.solution.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", OWN)
def test_the_stub_earns_nothing_and_says_so_in_one_line_a_function(name: str, where: Sandboxes) -> None:
    assignment, _ = topic(name)
    stub = assignment.manifest.parent / assignment.file
    report = grade_file(name, stub.read_bytes(), where)
    assert (report.score.earned, report.score.undecided, report.score.verdict) == (0, 0, "failed")
    for check in checks(report):
        (finding,) = check.findings
        if check.setting:
            assert finding.code == "FAILS_ALREADY", check
            continue
        assert finding.code == "NOT_WRITTEN", check
        assert finding.headline.endswith("is not written yet"), finding
        assert "\n" not in finding.headline


@pytest.mark.parametrize("name", OWN)
def test_whatever_is_to_be_written_says_what_it_takes_and_gives(name: str) -> None:
    assignment, _ = topic(name)
    tree = ast.parse((assignment.manifest.parent / assignment.file).read_text(encoding="utf-8"))
    written = {node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    assert set(assignment.functions) <= written.keys()
    for function in assignment.functions:
        assert ast.get_docstring(written[function]), f"{function} has no docstring"
    assert ast.get_docstring(tree)


# ------------------------------------------------------------------------------------------------------------ lesson


@pytest.mark.parametrize("name", OWN)
def test_the_numbers_of_the_lesson_are_right(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assignment, _ = topic(name)
    assert assignment.solution is not None
    spec = importlib.util.spec_from_file_location(name, assignment.solution)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, Path(assignment.file).stem, module)
    lesson = assignment.manifest.parent / "README.md"
    monkeypatch.chdir(lesson.parent)
    results = doctest.testfile(str(lesson), module_relative=False, encoding="utf-8")
    assert results.attempted >= 8
    assert results.failed == 0


@pytest.mark.parametrize("name", OWN)
def test_the_lesson_has_a_word_on_every_function(name: str) -> None:
    assignment, _ = topic(name)
    lesson = (assignment.manifest.parent / "README.md").read_text(encoding="utf-8")
    assert f"pytest assignments/{name}" in lesson
    missing = [function for function in assignment.functions if function not in lesson]
    assert not missing


# ------------------------------------------------------------------------------------------------------------ corpus


@pytest.mark.parametrize("name", TOPICS)
def test_the_corpus_is_as_large_as_promised(name: str) -> None:
    slips = read_slips(name)
    odd = [slip for slip in slips if slip.name.startswith("right_")]
    assert (len(slips) - len(odd) >= ENOUGH[0], len(odd) >= ENOUGH[1]) == (True, True), (len(slips), len(odd))
    for slip in slips:
        assert bool(slip.fails) != slip.name.startswith("right_"), slip.name
        assert slip.expects or not slip.fails, f"{slip.name} says of no part what must be found"


@pytest.mark.parametrize("name", [name for name in TOPICS if name != IN_CLASS])
def test_submissions_are_judged_as_expected(name: str, tmp_path: Path) -> None:
    """Of each topic what real students handed in, what is right, and some of the others.

    All of them take minutes: tests/benchmarks/test_corpora.py.
    """
    assert judged_otherwise(name, everyday(name), tmp_path) == {}


def everyday(name: str) -> list[Slip]:
    known = {slip for mistake in read_mistakes().mistake for slip in mistake.slips}
    slips = sorted(read_slips(name), key=lambda slip: sha256(slip.name.encode()).digest())
    right = [slip for slip in slips if not slip.fails]
    real = [slip for slip in slips if f"{name}/{slip.name}" in known]
    others = [slip for slip in slips if slip.fails and slip not in real]
    if name in COURSES:  # whose submissions are the largest, with hundreds of checks each
        return [*right[: ENOUGH[1]], *(real + others)[: ENOUGH[0] // 2]]
    return [*right, *real, *others[: max(0, ENOUGH[0] - len(real))]]


def test_every_mistake_of_real_students_is_in_the_corpus() -> None:
    slips = {f"{name}/{slip.name}": slip for name in TOPICS for slip in read_slips(name)}
    known = read_mistakes()
    for mistakes, wrong in ((known.mistake, True), (known.right, False)):
        for mistake in mistakes:
            assert mistake.slips, mistake.what
            missing = [name for name in mistake.slips if name not in slips or bool(slips[name].fails) is not wrong]
            assert not missing, mistake.what


def test_the_table_of_the_corpus_is_up_to_date() -> None:
    readme = (submissions_folder() / "README.md").read_text(encoding="utf-8")
    assert table(TOPICS) in readme, "run python -m grader.authoring.corpus"
