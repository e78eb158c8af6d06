"""Whose points another grading changes, and why: told before anything is replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from grader.gradebook import Attempt, Gradebook, Key, Points, Sealed
from grader.report.model import CheckReport, PartReport, Report, ScoreReport

__all__ = ["Change", "PartChange", "causes", "changes", "render_changes"]

MAX_REASONS = 3
"""Checks told of one part; the rest are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartChange:
    """One part whose points are others now."""

    name: str
    before: str
    """Points as they are written: `6`, `0`, `0 undecided`."""
    after: str
    reasons: tuple[str, ...]
    """The checks that turned out otherwise, a line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One student whose points are others now."""

    student: str
    before: str
    after: str
    another_submission: bool
    parts: tuple[PartChange, ...]


def causes(before: Key, after: Key) -> list[str]:
    """What is not as it was between two gradings, apart from what was handed in."""
    named = {
        "the assignment (manifest, reference or data)": (before.assignment, after.assignment),
        "gradmark": (before.grader, after.grader),
        "the seed of the hidden cases": (before.seed, after.seed),
    }
    return [name for name, (old, new) in named.items() if old != new]


def changes(book: Gradebook, found: Mapping[str, tuple[int, Attempt]]) -> Iterator[Change]:
    """Students whose points a pass changes, by student; those who had none are not changed but new."""
    for recorded in book.current():
        student = recorded.attempt.student
        if student in found and found[student][0] != recorded.row:
            row, _ = found[student]
            if _points(recorded.sealed) != _points(book.sealed(row)):
                yield _change(student, book.report(recorded.row), book.report(row))


def _points(sealed: Sealed) -> tuple[Points, Mapping[str, Points]]:
    return sealed.points, sealed.parts


def _change(student: str, before: Report, after: Report) -> Change:
    old, new = _parts(before), _parts(after)
    return Change(
        student=student,
        before=_written(before.score),
        after=_written(after.score),
        another_submission=before.submission.digest != after.submission.digest,
        parts=tuple(
            _part_change(name, old.get(name), new.get(name))
            for name in dict.fromkeys([*old, *new])
            if _written(old.get(name)) != _written(new.get(name))
        ),
    )


def _parts(report: Report) -> dict[str, PartReport]:
    return {f"{exercise.name} / {part.name}": part for exercise in report.exercises for part in exercise.parts}


def _written(score: ScoreReport | PartReport | None) -> str:
    if score is None:
        return "not there"
    return str(Points(earned=score.earned, undecided=score.undecided, possible=score.possible, pending=score.pending))


def _part_change(name: str, before: PartReport | None, after: PartReport | None) -> PartChange:
    old = {_key(check): check for check in before.checks} if before else {}
    new = {_key(check): check for check in after.checks} if after else {}
    reasons = [
        f"{check.case}{check.setting and f' ({check.setting})'}: {_told(old.get(key))} -> {_told(new.get(key))}"
        for key, check in {**old, **new}.items()
        if _told(old.get(key)) != _told(new.get(key))
    ]
    if not reasons:
        reasons = ["the same checks, other points"]
    if len(reasons) > MAX_REASONS:
        reasons[MAX_REASONS:] = [f"and {len(reasons) - MAX_REASONS} checks more"]
    return PartChange(
        name=name,
        before=_written(before),
        after=_written(after),
        reasons=tuple(reasons),
    )


def _key(check: CheckReport) -> tuple[str, str, str]:
    return check.aspect, check.case, check.setting


def _told(check: CheckReport | None) -> str:
    if check is None:
        return "not there"
    headline = next((finding.headline for finding in check.findings if not finding.warning), "")
    return f"{check.status} ({headline})" if headline else check.status


def render_changes(found: list[Change], why: list[str], compared: int) -> str:
    """The changes as text: a paragraph a student."""
    head = f"{len(found)} of {compared} students would have other points"
    lines = [head + (f", because of {' and '.join(why)}" if why else "") + (":" if found else "")]
    for change in found:
        lines += ["", f"{change.student}: {change.before} -> {change.after}"]
        if change.another_submission:
            lines.append("  what was handed in is not the same")
        for part in change.parts:
            lines.append(f"  {part.name}: {part.before} -> {part.after}")
            lines += [f"    {reason}" for reason in part.reasons]
    return "\n".join(lines)
