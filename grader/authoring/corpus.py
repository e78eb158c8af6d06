"""The corpus of submissions with known answers (tests/submissions/README.md), and what a report makes of them."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from grader.assignment import Assignment
from grader.authoring.stubs import overlay
from grader.errors import CourseError, MachineError
from grader.report.model import ExerciseReport, FindingReport, PartReport, Report
from grader.topics import assignment_names, submissions_folder

__all__ = [
    "Expected",
    "Mistake",
    "Mistakes",
    "Slip",
    "compose",
    "differences",
    "main",
    "parts_of",
    "read_mistakes",
    "read_slip",
    "read_slips",
    "table",
]


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finding that must be made."""

    part: str
    """As exercise/part."""
    code: str
    hint: str = ""
    """Text that the finding's message must contain."""


class Mistake(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something found in published solutions, wrong or right but odd, and the submissions that do it."""

    what: str
    slips: list[str]
    """As topic/slip."""
    count: int | None = msgspec.field(default=None, name="in")
    """Number of repositories, where that was counted."""


class Mistakes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file mistakes.toml of the corpus."""

    mistake: list[Mistake]
    right: list[Mistake]


class _Raw(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str
    whole: bool
    fails: list[str]
    expect: list[Expected] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """One submission of the corpus, and what the judge must say of it."""

    name: str
    title: str
    folder: Path
    whole: bool
    """The folder is what was handed in; else it holds only the functions that differ from the worked solution."""
    fails: tuple[str, ...]
    """Every part that must not earn its full points, as exercise/part."""
    expects: tuple[Expected, ...]


def read_slips(topic: str) -> tuple[Slip, ...]:
    """All submissions of a topic's corpus, by name.

    Raises:
        CourseError: an expected.toml can't be read; names file and field.
    """
    return tuple(read_slip(path.parent) for path in sorted((submissions_folder() / topic).glob("*/expected.toml")))


def read_mistakes() -> Mistakes:
    """What is known of real students' mistakes.

    Raises:
        CourseError: the file can't be read; names file and field.
    """
    path = submissions_folder() / "mistakes.toml"
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Mistakes)
    except (OSError, ValueError) as error:
        raise CourseError(f"{path}: {error}") from error


def read_slip(folder: Path) -> Slip:
    """One submission of the corpus.

    Raises:
        CourseError: its expected.toml can't be read; names file and field.
    """
    path = folder / "expected.toml"
    try:
        raw = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Raw)
    except (OSError, ValueError) as error:
        raise CourseError(f"{path}: {error}") from error
    return Slip(
        name=folder.name,
        title=raw.title,
        folder=folder,
        whole=raw.whole,
        fails=tuple(raw.fails),
        expects=tuple(raw.expect),
    )


def compose(slip: Slip, assignment: Assignment, into: Path) -> Path:
    """Write the submission as it was handed in, into a folder of its own; an earlier one there is replaced.

    Returns:
        What to grade: the folder, or the archive if it holds one.

    Raises:
        CourseError: the topic has no worked solution, or the slip does not fit it.
        MachineError: the folder can't be written.
    """
    folder = into / slip.name
    try:
        shutil.rmtree(folder, ignore_errors=True)
        if slip.whole:
            shutil.copytree(slip.folder, folder, ignore=shutil.ignore_patterns("expected.toml", "__pycache__"))
        else:
            folder.mkdir(parents=True)
            (folder / assignment.file).write_text(_composed(slip, assignment), encoding="utf-8")
    except OSError as error:
        raise MachineError(f"{folder} can't be written: {error.strerror or error}") from error
    return next(iter(sorted(folder.glob("*.zip"))), folder)


def _composed(slip: Slip, assignment: Assignment) -> str:
    if assignment.solution is None:
        raise CourseError(f"{assignment.manifest}: solution: {slip.name} needs the worked solution, and there is none")
    solution = assignment.solution.read_text(encoding="utf-8")
    try:
        return overlay(solution, (slip.folder / assignment.file).read_text(encoding="utf-8"))
    except CourseError as error:
        raise CourseError(f"{slip.folder}: {error}") from error


def differences(report: Report, slip: Slip) -> tuple[str, ...]:
    """Where the report is not what the slip expects, a line each; empty if it is."""
    parts = {f"{exercise.name}/{part.name}": part for exercise, part in parts_of(report)}
    short = [name for name, part in parts.items() if part.earned < part.possible]
    kinds = {
        "does not earn its points, and should": [name for name in short if name not in slip.fails],
        "earns its points, and should not": [name for name in slip.fails if name not in short],
        "undecided": [f"{name} ({_faults(part)})" for name, part in parts.items() if part.verdict == "undecided"],
    }
    told = [f"{kind}: {', '.join(names)}" for kind, names in kinds.items() if names]
    return (*told, *(problem for expected in slip.expects if (problem := _missed(parts, expected))))


def _faults(part: PartReport) -> str:
    """Codes of what was not the student's fault."""
    codes = {finding.code for check in part.checks for finding in check.findings if finding.fault != "student"}
    return ", ".join(sorted(codes)) or "not run"


def _missed(parts: Mapping[str, PartReport], expected: Expected) -> str:
    """Why an expected finding was not made; empty if it was."""
    if expected.part not in parts:
        return f"there is no part {expected.part}"
    findings = [finding for check in parts[expected.part].checks for finding in check.findings]
    same = [finding for finding in findings if finding.code == expected.code]
    if not same:
        codes = ", ".join(dict.fromkeys(finding.code for finding in findings)) or "nothing"
        return f"{expected.part}: expected {expected.code}, found {codes}"
    if not any(expected.hint in _message(finding) for finding in same):
        return f"{expected.part}: {expected.code} does not say {expected.hint!r}: {_message(same[0])!r}"
    return ""


def _message(finding: FindingReport) -> str:
    """All that a student reads of a finding."""
    texts = (finding.headline, finding.worst, finding.pattern, finding.likely, finding.also, finding.detail)
    return "\n".join(filter(None, (*texts, finding.graph)))


def parts_of(report: Report) -> Iterator[tuple[ExerciseReport, PartReport]]:
    for exercise in report.exercises:
        for part in exercise.parts:
            yield exercise, part


BEGIN = "<!-- table: written by python -m grader.authoring.corpus -->"
END = "<!-- end of table -->"


def table(topics: Sequence[str]) -> str:
    """The corpus as Markdown: a line a topic, real students' mistakes, then a table a topic with what each is."""
    every = {topic: read_slips(topic) for topic in topics}
    lines = ["| topic | wrong | right, but odd |", "|---|---|---|"]
    for topic, slips in every.items():
        wrong = sum(1 for slip in slips if slip.fails)
        lines.append(f"| [{topic}](#{topic}) | {wrong} | {len(slips) - wrong} |")
    known = read_mistakes()
    for title, found in (
        ("Mistakes of real students", known.mistake),
        ("Right, but odd, of real students", known.right),
    ):
        lines += ["", f"### {title}", "", "| what | repositories | submissions |", "|---|---|---|"]
        lines += [
            f"| {_cell(item.what)} | {item.count or ''} | {', '.join(f'`{name}`' for name in item.slips)} |"
            for item in found
        ]
    for topic, slips in every.items():
        lines += ["", f"### {topic}", "", "| submission | what it does | what must be found |", "|---|---|---|"]
        lines += [f"| `{slip.name}` | {_cell(slip.title)} | {_found(slip)} |" for slip in slips]
    return "\n".join(lines) + "\n"


def _found(slip: Slip) -> str:
    found = dict.fromkeys(f"{expected.part} `{expected.code}`" for expected in slip.expects)
    return "; ".join(found if slip.fails else ["full points", *found])


def _cell(text: str) -> str:
    """Text in a cell of a Markdown table."""
    for sign in ("\\", "|", "*", "_", "`"):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("<", "&lt;")


def main() -> None:
    """Write the table into the corpus's README.md, between its marks."""
    path = submissions_folder() / "README.md"
    head, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    path.write_text(f"{head}{BEGIN}\n\n{table(assignment_names())}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
