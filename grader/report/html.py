"""The report as one HTML file, for the student it is about; and what every page of ours has in common.

A page asks for nothing from anywhere: styles and pictures are in it, and its policy (CSP) forbids everything else,
scripts that are not ours by their hash included. What a student chose (names, exceptions, what was printed) is
escaped by Jinja2, and before that every letter that hides, moves or turns text around is written as its escape, as in
grader/report/markdown.py. So no text makes an element, and none looks like another.

A page has at most MOST_BYTES: where pictures and evidence would go beyond, it is made with less of them (_ROOMS).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from grader.report.console import (
    case_line,
    causes,
    more_line,
    only_unwritten,
    pending_note,
    points,
    rerun_line,
    score_text,
    state,
    told_everywhere,
    wall_note,
)
from grader.report.model import (
    CheckReport,
    ComparisonReport,
    FindingReport,
    PartReport,
    Report,
)
from grader.report.pictures import HeatMap, LossCurve, bars, heat_map, loss_curve, power_of_ten
from grader.report.writing import write_whole

__all__ = ["MOST_BYTES", "part_anchor", "render_html", "render_page", "visible", "write_html"]

MOST_BYTES: Final = 195_000
"""Of a student's page, in UTF-8."""
_NAME: Final = 200
"""Letters of a name."""
_TEMPLATES: Final = Path(__file__).parent / "templates"
MAIN: Final = "main setting"


# -------------------------------------------------------------------------------------------------- what pages share


def render_page(template: str, **values: Any) -> str:
    """A page from one of our templates. Every text in `values` is taken for a student's, and made harmless."""
    return _environment().get_template(template).render(values)


def visible(value: Any) -> Any:
    """Letters that hide, move or turn text around, as escapes; a tab as blanks. What is no text stays as it is."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "".join(letter if letter.isprintable() or letter == "\n" else _escape(letter) for letter in value)


def _escape(letter: str) -> str:
    return "    " if letter == "\t" else letter.encode("unicode_escape").decode()


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=visible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        style=_inline("style.css"), script=_inline("overview.js"), points=points, score_text=score_text, bars=bars
    )
    return environment


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inline:
    """A text that is part of a page, and the hash by which the page's policy lets it in."""

    text: Markup
    hash: str


def _inline(name: str) -> _Inline:
    text = (_TEMPLATES / name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return _Inline(text=Markup(text), hash=f"sha256-{digest}")


# ------------------------------------------------------------------------------------------------- a student's page


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """How much of what takes room a page shows."""

    maps: int
    """Of a part."""
    cells: int
    """Rows and columns of a map."""
    letters: int
    """Of a text of the student's."""
    evidence: bool
    """Every check of every part, and not only those that failed."""


_ROOMS: Final = (
    _Room(maps=3, cells=32, letters=8_000, evidence=True),
    _Room(maps=2, cells=16, letters=2_000, evidence=True),
    _Room(maps=1, cells=12, letters=600, evidence=False),
    _Room(maps=0, cells=1, letters=120, evidence=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    """One thing that is wrong with a part, in full."""

    headline: str
    warning: bool
    rows: tuple[tuple[str, str], ...]
    detail: str
    maps: tuple[HeatMap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sure:
    """How sure it is that a part is right: in a word, and why."""

    word: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    """The evidence of one check, in a line."""

    case: str
    aspect: str
    setting: str
    mark: str
    ended: str
    inputs: str
    numbers: str
    odds: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One part as the page shows it."""

    anchor: str
    exercise: str
    name: str
    report: PartReport
    mark: str
    ended: str
    settings: tuple[tuple[str, str], ...]
    """(mark, words) for each setting of the report."""
    unwritten: str
    causes: tuple[_Cause, ...]
    curve: LossCurve | None
    rerun: str
    sure: _Sure | None
    checks: tuple[_Check, ...]
    left_out: int


def part_anchor(index: int) -> str:
    """Where a part is on a student's page, for a link to it: by its place in the assignment, from 0."""
    return f"part-{index + 1}"


def render_html(report: Report, *, student: str = "", lesson: str = "") -> str:
    """The page of one report, of at most MOST_BYTES.

    Args:
        report: what is told.
        student: whose it is, if that is not the name of the submission.
        lesson: where the lesson is, from this page; empty if nowhere.
    """
    page = ""
    for room in _ROOMS:
        page = _student_page(report, student, lesson, room)
        if len(page.encode("utf-8", "replace")) <= MOST_BYTES:
            break
    return page


def write_html(report: Report, path: Path) -> None:
    """Write the page whole or not at all.

    Raises:
        MachineError: it can't be written (names the path); an earlier page there is left as it was.
    """
    write_whole(render_html(report).encode(), path, "the page")


def _student_page(report: Report, student: str, lesson: str, room: _Room) -> str:
    settings = _settings(report)
    parts = list(_parts(report, settings, room))
    everything = told_everywhere(report)
    notes = (pending_note(report), wall_note(report), *report.submission.notes)
    return render_page(
        "student.html",
        report=report,
        student=_clipped(student or report.submission.name or "unnamed", _NAME),
        submission=_clipped(report.submission.name, _NAME),
        lesson=lesson,
        everything=None
        if everything is None
        else _cause(everything, _first_check(report), [], private=True, room=room),
        fault="" if everything is None else everything.fault,
        parts=parts,
        wrong=[part for part in parts if part.report.verdict == "failed"],
        undecided=[part for part in parts if part.report.verdict == "undecided"],
        right=[part for part in parts if part.report.verdict == "passed"],
        settings=settings,
        notes=[_clipped(note, room.letters) for note in notes if note][:20],
        printed=_clipped(report.submission.printed, room.letters),
        pending=[part for part in parts if part.report.verdict == "pending"],
        frugal=room is not _ROOMS[0],
    )


def _first_check(report: Report) -> CheckReport:
    return report.exercises[0].parts[0].checks[0]


def _parts(report: Report, settings: Sequence[str], room: _Room) -> Iterator[_Part]:
    manifest, private = report.assignment.manifest, report.seeds.private
    index = 0
    for exercise in report.exercises:
        for part in exercise.parts:
            unwritten = only_unwritten(part)
            yield _Part(
                anchor=part_anchor(index),
                exercise=exercise.name,
                name=part.name,
                report=part,
                mark=_MARKS[part.verdict],
                ended=state(part),
                settings=tuple(_in_setting(part, setting) for setting in settings),
                unwritten=unwritten,
                causes=() if unwritten else tuple(_cause(*cause, private, room) for cause in causes(part)),
                curve=_curve(part) if room.maps else None,
                rerun=rerun_line(manifest, exercise.name, part.name),
                sure=_sure(part) if part.verdict == "passed" else None,
                checks=tuple(map(_check, part.checks)) if room.evidence else (),
                left_out=0 if room.evidence else len(part.checks),
            )
            index += 1


_MARKS: Final = {"passed": "✓", "failed": "✗", "undecided": "?", "pending": "…"}


def _settings(report: Report) -> list[str]:
    """Array libraries, digits and devices of the grading, the main setting first; none if it is all there is."""
    every = (check for exercise in report.exercises for part in exercise.parts for check in part.checks)
    further = dict.fromkeys(check.setting for check in every if check.setting)
    return [MAIN, *further] if further else []


def _setting(check: CheckReport) -> str:
    return check.setting or MAIN


def _in_setting(part: PartReport, setting: str) -> tuple[str, str]:
    checks = [check for check in part.checks if _setting(check) == setting]
    passed = sum(check.verdict == "passed" for check in checks)
    if not checks:
        return "–", "not asked here"
    if passed == len(checks):
        return _MARKS["passed"], f"all {passed} right"
    failed = [check for check in checks if check.verdict == "failed"]
    if failed:
        return _MARKS["failed"], f"{len(failed)} of {len(checks)} failed"
    check = next(check for check in checks if check.verdict != "passed")
    return _MARKS[check.verdict], check.status


def _cause(finding: FindingReport, check: CheckReport, others: list[str], private: bool, room: _Room) -> _Cause:
    rows = {
        "worst": finding.worst,
        "pattern": finding.pattern,
        "likely": finding.likely,
        "case": case_line(check, private),
        "also": finding.also,
        "more": more_line(others, check),
    }
    wrong = [(comparison.what, comparison.errors) for comparison in check.comparisons if comparison.errors]
    return _Cause(
        headline=_clipped(finding.headline, room.letters),
        warning=finding.warning,
        rows=tuple((label, _clipped(text, room.letters)) for label, text in rows.items() if text),
        detail=_clipped("\n\n".join(filter(None, (finding.graph, finding.detail))), room.letters),
        maps=() if finding.warning else tuple(heat_map(what, map_, room.cells) for what, map_ in wrong[: room.maps]),
    )


def _curve(part: PartReport) -> LossCurve | None:
    """Of the training that failed; of the longest one if none did."""
    drawn = [check for check in part.checks if check.curve is not None]
    drawn.sort(key=lambda check: (check.verdict != "failed", -len(check.curve.steps) if check.curve else 0))
    return loss_curve(drawn[0].curve) if drawn and drawn[0].curve else None


def _check(check: CheckReport) -> _Check:
    gradient = check.gradient
    return _Check(
        case=check.case,
        aspect=check.aspect,
        setting=_setting(check),
        ended="passed" if check.status == "passed" else f"{check.status}{_whose(check)}",
        mark=_MARKS[check.verdict],
        inputs=check.inputs,
        numbers=_numbers(check.comparisons),
        odds="" if gradient is None or check.status != "passed" else _odds(gradient.odds_of_missing_one_percent),
    )


def _whose(check: CheckReport) -> str:
    return f", the {check.fault} at fault" if check.fault in ("course", "machine") else ""


def _numbers(comparisons: Sequence[ComparisonReport]) -> str:
    """`47 numbers agree`, `20 of 37 numbers differ`."""
    size = sum(comparison.size for comparison in comparisons)
    if not size:
        return ""
    wrong = sum(
        comparison.wrong if comparison.wrong is not None else comparison.size * (not comparison.passed)
        for comparison in comparisons
    )
    return f"{wrong:,} of {size:,} differ" if wrong else f"{size:,} agree"


def _sure(part: PartReport) -> _Sure:
    """What a pass rests on, in words; of several checks the one that is least sure."""
    odds = [check.gradient.odds_of_missing_one_percent for check in part.checks if check.gradient is not None]
    compared = [comparison for check in part.checks for comparison in check.comparisons]
    size = sum(comparison.size for comparison in compared)
    digits = max((comparison.rtol for comparison in compared), default=0.0)
    agree = f"{size:,} numbers are the reference's, to 1 part in {_power(digits)}" if size and digits else ""
    if not odds:
        return _Sure(word="compared" if agree else "judged by its result", why=agree)
    worst = max(odds)
    if worst >= 1.0:
        return _Sure(word="compared", why=agree or "no odds: at kinks differences decide nothing")
    why = f"were the gradient off by 1 %, {_odds(worst)} would miss it; {agree}".removesuffix("; ")
    return _Sure(word=next(word for most, word in _WORDS if worst <= most), why=why)


_WORDS: Final = ((1e-12, "as good as certain"), (1e-6, "very sure"), (1e-3, "sure"), (1.0, "likely"))


def _odds(odds: float) -> str:
    if odds >= 1.0:
        return "no odds"
    if odds < 1e-30:
        return f"less than 1 check in {power_of_ten(30)}"
    return f"1 check in {_power(odds)}" if odds < 1e-3 else f"{odds:.1%} of checks"


def _power(share: float) -> str:
    """1e-9 as `10⁹`, rounded to the careful side."""
    return power_of_ten(math.floor(-math.log10(share) + 1e-9))


def _clipped(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[:letters]} ... ({len(text) - letters} more letters)"
