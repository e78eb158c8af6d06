"""The report as text: what a student reads first. Pure; rendered from the Report alone, so no door can say more."""

from __future__ import annotations

from collections.abc import Iterator

from grader.calls import Rung
from grader.report.model import CheckReport, FindingReport, PartReport, Report, ScoreReport

__all__ = [
    "has_words",
    "part_lines",
    "points",
    "render",
    "render_part",
    "render_summary",
    "score_text",
    "state",
    "told_everywhere",
    "wall_note",
]

WIDTH = 100
MOST_CASES = 3
_NOT_WRITTEN = "NOT_WRITTEN"
_OF_THE_WHOLE = ("DOES_NOT_LOAD", "SUBMISSION_UNREADABLE", "ORACLE_FAILED", "MACHINE_FAILED")
_OF_A_RESULT = ("WRONG_VALUE", "WRONG_SHAPE", "WRONG_DTYPE", "WRONG_STRUCTURE", "NOT_FINITE")
_OF_A_CALL = ("RAISED", "TIMED_OUT", "KILLED", "MALFORMED")


def render(report: Report) -> str:
    """Every part that did not pass, in full; then the table of points."""
    everything = told_everywhere(report)
    if everything is not None:
        name = report.assignment.name
        lines = [_head(name, report.score), f"  {everything.headline}", *_indented(everything.detail)]
        return "\n\n".join(["\n".join(lines), render_summary(report)])
    blocks = [
        render_part(report.assignment.name, report.assignment.manifest, exercise.name, part, report.seeds.private)
        for exercise in report.exercises
        for part in exercise.parts
        if has_words(part)
    ]
    return "\n\n".join([*filter(None, blocks), render_summary(report)])


def has_words(part: PartReport) -> bool:
    """Whether more is to be said of a part than its points."""
    return part.verdict != "passed" or _warnings(part)


def told_everywhere(report: Report) -> FindingReport | None:
    """The finding that is all there is to say: the submission does not load, or can't be read."""
    checks = [check for exercise in report.exercises for part in exercise.parts for check in part.checks]
    first = checks[0].findings[:1] if checks else []
    alike = all(check.findings == first for check in checks)
    return first[0] if first and alike and first[0].code in _OF_THE_WHOLE else None


def render_part(assignment: str, manifest: str, exercise: str, part: PartReport, private: bool = False) -> str:
    """One part's message: the first failure of each kind in full, the later ones counted."""
    head = _head(f"{assignment} / {exercise} / {part.name}", part)
    return "\n".join([head, *part_lines(manifest, exercise, part, private)])


def part_lines(manifest: str, exercise: str, part: PartReport, private: bool = False) -> list[str]:
    """One part's message without its head."""
    unwritten = _only_unwritten(part)
    if unwritten:
        return [f"  {unwritten}"]
    lines: list[str] = []
    for finding, check, others in _causes(part):
        lines += _finding(finding, check, others, private)
    if part.verdict != "passed":
        lines.append(_row("rerun", f'pytest "{manifest}::{exercise}::{part.name}"'))
    return lines


def render_summary(report: Report) -> str:
    """Points by part, then the total."""
    rows = [
        (f"{exercise.name} / {part.name}", f"{points(part.earned)} of {points(part.possible)}", state(part))
        for exercise in report.exercises
        for part in exercise.parts
    ]
    wide = max(len(name) for name, _, _ in rows)
    title = f"{report.assignment.name}: {report.submission.name}"
    lines = [title, *(f"  {name:<{wide}}  {earned:>10}  {ended}" for name, earned, ended in rows)]
    lines += [f"note: {note}" for note in (*report.submission.notes, wall_note(report)) if note]
    return "\n".join([*lines, score_text(report.score)])


def wall_note(report: Report) -> str:
    """What a reader must know of a report that was made without a wall, else nothing."""
    if report.environment.isolation and report.environment.wall is Rung.NONE:
        return "graded without a wall: what the code did besides, nobody saw"
    return ""


def points(value: float) -> str:
    """Points without needless zeros, and never rounded: 6, 2.5, 0.125."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _head(title: str, score: PartReport | ScoreReport) -> str:
    """A title with its points at the right edge."""
    return f"{title}{score_text(score):>{max(1, WIDTH - len(title))}}"


def score_text(score: PartReport | ScoreReport) -> str:
    """`28 of 40 points, 4 undecided`."""
    text = f"{points(score.earned)} of {points(score.possible)} points"
    return f"{text}, {points(score.undecided)} undecided" if score.undecided else text


def state(part: PartReport) -> str:
    """How a part ended, in words: nothing is said by a colour or a sign alone."""
    if part.verdict == "passed":
        return "passed, with a warning" if _warnings(part) else "passed"
    unwritten = _only_unwritten(part)
    if unwritten:
        return "not written yet"
    if part.verdict == "undecided":
        faults = sorted({check.fault for check in part.checks if check.fault and check.verdict == "undecided"})
        return f"undecided ({' and '.join(f'the {fault}' for fault in faults)} at fault)" if faults else "not run"
    failed = [check for check in part.checks if check.verdict == "failed"]
    if all(check.status == "not run" for check in part.checks):
        return "not run"
    return f"{len(failed)} of {len(part.checks)} checks failed"


def _warnings(part: PartReport) -> bool:
    return any(finding.warning for check in part.checks for finding in check.findings)


def _only_unwritten(part: PartReport) -> str:
    codes = {(finding.code, finding.headline) for check in part.checks for finding in check.findings}
    return next(iter(codes))[1] if len(codes) == 1 and {code for code, _ in codes} == {_NOT_WRITTEN} else ""


def _causes(part: PartReport) -> list[tuple[FindingReport, CheckReport, list[str]]]:
    """First finding of each cause with its check, and the names of the later cases with the same cause."""
    first: dict[tuple[str, str], tuple[FindingReport, CheckReport]] = {}
    later: dict[tuple[str, str], list[str]] = {}
    for check in part.checks:
        for finding in check.findings:
            key = (finding.code, _cause(finding, check))
            if key not in first:
                first[key], later[key] = (finding, check), []
            elif check.case not in (first[key][1].case, *later[key]):
                later[key].append(check.case)
    return [(*first[key], later[key]) for key in first]


def _cause(finding: FindingReport, check: CheckReport) -> str:
    """What tells two findings of one code apart: the aspect, the function, the argument."""
    if finding.code in _OF_A_RESULT:
        return check.aspect
    if finding.code in _OF_A_CALL:
        return finding.headline.partition(" ")[0]
    return finding.headline if finding.code == "MUTATES_ARGUMENT" else ""


def _finding(finding: FindingReport, check: CheckReport, others: list[str], private: bool) -> Iterator[str]:
    mark = "warning: " if finding.warning else ""
    yield f"  {mark}{finding.headline}"
    yield from _indented(finding.detail)
    rows = {
        "graph": finding.graph.replace("\n", "\n" + " " * 13),
        "worst": finding.worst,
        "pattern": finding.pattern,
        "likely": finding.likely,
        "case": _case(check, private),
        "also": finding.also,
        "more": _more(others, MOST_CASES if check.inputs else len(others)),
    }
    yield from (_row(label, text) for label, text in rows.items() if text)


def _row(label: str, text: str) -> str:
    return f"    {label:<8} {text}"


def _indented(detail: str) -> list[str]:
    return [f"    | {line}" for line in detail.splitlines()]


def _case(check: CheckReport, private: bool) -> str:
    if not check.inputs:  # nothing was drawn, or the student is told no more
        return check.case
    name = f"{check.case}: " if check.case else ""
    seed = "hidden seed" if private and check.hidden else f"seed {check.seed}"
    return f"{name}{check.inputs}  float64  {seed}"


def _more(others: list[str], most: int) -> str:
    if not others:
        return ""
    comma = "; " if any("," in name for name in others) else ", "
    shown = comma.join([*others[:most], *(["..."] if len(others) > most else [])])
    return f"the same in {len(others)} more {'case' if len(others) == 1 else 'cases'}: {shown}"
