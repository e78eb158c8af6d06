"""The report as Markdown, for the page of a job on GitHub. Pure; rendered from the Report alone.

What a student chose (the name of a file, the message of an exception, what was printed) stands in code and nowhere
else: in fenced blocks and one code span, each enclosed by more backticks than it holds in a row. There GitHub shows
every letter and obeys none, so no text makes a heading, a link, a picture, HTML or an @mention. Should the summary be
printed to a job's log, no line of it is a workflow command either. Names from the manifest are the course's: they are
escaped only so that they look as they are written.

GitHub throws the summary of a step away, all of it, when it is larger than 1 MiB. So it is made of blocks, each of
bounded size; those that no longer fit are left out whole, and a line says so.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from grader.errors import MachineError
from grader.report.console import (
    has_words,
    part_lines,
    pending_note,
    points,
    score_text,
    state,
    told_everywhere,
    wall_note,
)
from grader.report.model import ExerciseReport, PartReport, Report
from grader.report.visible import visible

__all__ = ["ROOM", "append_markdown", "render_markdown"]

ROOM: Final = 1_000_000
"""Bytes that the summary of one step may have; GitHub says 1024 * 1024."""
TEXT: Final = 65_536
"""Bytes of one block of code, before the line that says how much was cut."""
LINE: Final = 2_000
NAME: Final = 200

_LEFT_OUT: Final = "More is left out here, because the page of a job holds 1 MiB. The JSON report has all of it."
_PUNCTUATION: Final = re.compile(r"([!-/:-@\[-`{-~])")


def render_markdown(report: Report, room: int = ROOM) -> str:
    """Score, table of points, every part that did not pass in full, notes, what was printed.

    Args:
        report: what is told.
        room: bytes (UTF-8) that it may have. Nothing is said where not even the line fits that says so.
    """
    left = room - len(_LEFT_OUT) - 1
    if left < 0:
        return ""
    kept = []
    for block in _blocks(report):
        left -= len(block.encode()) + 2
        if left < 0:
            kept.append(_LEFT_OUT)
            break
        kept.append(block)
    return "\n\n".join(kept) + "\n"


def append_markdown(report: Report, path: Path) -> None:
    """Append the report to a file, as steps of a job append to $GITHUB_STEP_SUMMARY, in the room that is left there.

    Raises:
        MachineError: it can't be written (names the path).
    """
    try:
        with path.open("ab") as file:
            earlier = file.tell()
            file.write(b"\n" * (earlier > 0) + render_markdown(report, ROOM - earlier - 1).encode())
    except OSError as error:
        raise MachineError(f"the summary can't be written to {path}: {error.strerror or error}") from error


def _blocks(report: Report) -> Iterator[str]:
    """What the page says, the most important first; each block is whole in itself."""
    manifest, private = report.assignment.manifest, report.seeds.private
    parts = [(exercise, part) for exercise in report.exercises for part in exercise.parts]
    everything = told_everywhere(report)
    yield _head(report)
    if everything is not None:
        yield _fenced(f"{everything.headline}\n{everything.detail}")
    yield _table(report)
    for exercise, part in parts if everything is None else ():
        if has_words(part):
            text = textwrap.dedent("\n".join(part_lines(manifest, exercise.name, part, private)))
            earned = f"{points(part.earned)} of {points(part.possible)} points"
            yield f"### {_name(exercise, part)}: {earned}, {state(part)}\n\n{_fenced(text)}"
    told = "" if everything is None else everything.headline
    notes = [note for note in (*report.submission.notes, pending_note(report), wall_note(report)) if note not in told]
    if notes:
        yield "### Notes\n\n" + _fenced("\n".join(notes))
    if report.submission.printed:
        printed = _fenced(report.submission.printed)
        yield f"<details><summary>What the submission printed</summary>\n\n{printed}\n\n</details>"


def _head(report: Report) -> str:
    where = report.environment
    versions = ", ".join([f"Python {where.python}", *(f"{name} {version}" for name, version in where.versions.items())])
    seed = "a private seed" if report.seeds.private else f"seed {report.seeds.hidden}"
    return (
        f"## {_escaped(report.assignment.name)}: {score_text(report.score)}\n\n"
        f"Submission {_code(report.submission.name)}, graded by gradmark {report.grader} ({versions}). "
        f"Wall: {where.wall}. Hidden cases: {seed}."
    )


def _table(report: Report) -> str:
    rows = [
        (_name(exercise, part), part.earned, part.possible, state(part))
        for exercise in report.exercises
        for part in exercise.parts
    ]
    rows.append(("**total**", report.score.earned, report.score.possible, report.score.verdict))
    lines = [f"| {name} | {points(earned)} of {points(possible)} | {ended} |" for name, earned, possible, ended in rows]
    return "\n".join(["| part | points | result |", "| --- | ---: | --- |", *lines])


def _name(exercise: ExerciseReport, part: PartReport) -> str:
    return f"{_escaped(exercise.name)} / {_escaped(part.name)}"


# ------------------------------------------------------------------------------------------------- text in Markdown


def _escaped(text: str) -> str:
    """A name of the manifest as it is written, also in a cell of a table."""
    return _PUNCTUATION.sub(r"\\\1", text)


def _code(text: str) -> str:
    """A code span in one line."""
    text = visible(text[:NAME])
    ticks = _ticks(text, 1)
    pad = "" if text and text == text.strip("` ") else " "  # keeps a backtick at an end apart, and is not shown
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _fenced(text: str) -> str:
    """A block of code. The closing fence is longer than any run of backticks inside, so nothing inside can close it."""
    text = "\n".join(_lines(text.strip("\n").split("\n")))
    ticks = _ticks(text, 3)
    return f"{ticks}text\n{text}\n{ticks}"


def _ticks(text: str, least: int) -> str:
    return "`" * max(least, 1 + max(map(len, re.findall("`+", text)), default=0))


def _lines(lines: list[str]) -> Iterator[str]:
    """Lines as they are shown, none of them endless, as long as there is room for them."""
    left = TEXT
    for number, line in enumerate(lines):
        shown = visible(line[:LINE])
        if len(line) > LINE:
            shown += f" ... ({len(line) - LINE} more letters in this line)"
        left -= len(shown.encode()) + 1
        if left < 0:
            yield f"... ({len(lines) - number} more lines; the JSON report has them)"
            return
        yield shown
