"""The report as text: what a student reads first. Pure; rendered from the Report alone, so no door can say more."""

from __future__ import annotations

from collections.abc import Iterator

from grader.calls import Profile, Rung
from grader.report.model import CheckReport, FindingReport, PartReport, Report, ScoreReport
from grader.settings import Setting

__all__ = [
    "case_line",
    "causes",
    "has_words",
    "more_line",
    "only_unwritten",
    "part_lines",
    "pending_note",
    "points",
    "render",
    "render_part",
    "render_summary",
    "rerun_line",
    "score_text",
    "state",
    "told_everywhere",
    "wall_note",
]

WIDTH = 100
MOST_CASES = 3
_NOT_WRITTEN = "NOT_WRITTEN"
_OF_THE_WHOLE = ("DOES_NOT_LOAD", "SUBMISSION_UNREADABLE", "ORACLE_FAILED", "MACHINE_FAILED")
_OF_A_RESULT = (
    "WRONG_VALUE",
    "WRONG_SHAPE",
    "WRONG_DTYPE",
    "WRONG_STRUCTURE",
    "WRONG_DEVICE",
    "WRONG_LIBRARY",
    "NOT_FINITE",
)
_OF_A_CALL = ("RAISED", "TIMED_OUT", "KILLED", "MALFORMED")
_OF_A_SETTING = ("FAILS_ALREADY", "PENDING")
"""Why nothing was asked in a further setting: said by the part's points, and once for all parts."""


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
    return part.verdict not in ("passed", "pending") or _warnings(part)


def told_everywhere(report: Report) -> FindingReport | None:
    """The finding that is all there is to say: the submission does not load, or can't be read."""
    every = [check for exercise in report.exercises for part in exercise.parts for check in part.checks]
    checks = [check for check in every if not _of_a_setting(check)]
    first = checks[0].findings[:1] if checks else []
    alike = all(check.findings == first for check in checks)
    return first[0] if first and alike and first[0].code in _OF_THE_WHOLE else None


def render_part(assignment: str, manifest: str, exercise: str, part: PartReport, private: bool = False) -> str:
    """One part's message: the first failure of each kind in full, the later ones counted."""
    head = _head(f"{assignment} / {exercise} / {part.name}", part)
    return "\n".join([head, *part_lines(manifest, exercise, part, private)])


def part_lines(manifest: str, exercise: str, part: PartReport, private: bool = False) -> list[str]:
    """One part's message without its head."""
    unwritten = only_unwritten(part)
    if unwritten:
        return [f"  {unwritten}"]
    lines: list[str] = []
    for finding, check, others in causes(part):
        lines += _finding(finding, check, others, private)
    if part.verdict not in ("passed", "pending"):
        lines.append(_row("rerun", rerun_line(manifest, exercise, part.name)))
    return lines


def rerun_line(manifest: str, exercise: str, part: str) -> str:
    """The command that judges one part again."""
    return f'pytest "{manifest}::{exercise}::{part}"'


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
    notes = (*report.submission.notes, pending_note(report), wall_note(report))
    lines += [f"note: {note}" for note in notes if note]
    return "\n".join([*lines, score_text(report.score)])


def wall_note(report: Report) -> str:
    """What a reader must know of a report that was made without a wall, else nothing."""
    if report.environment.isolation and report.environment.wall is Rung.NONE:
        return "graded without a wall: what the code did besides, nobody saw"
    return ""


def pending_note(report: Report) -> str:
    """What is pending, and how it is settled, else nothing."""
    told = [
        finding.headline
        for exercise in report.exercises
        for part in exercise.parts
        for check in part.checks
        for finding in check.findings
        if finding.code == "PENDING"
    ]
    if not told:
        return ""
    return f"pending: {'; '.join(dict.fromkeys(told))}. Where there is one: grader grade SUBMISSION --complete REPORT"


def points(value: float) -> str:
    """Points without needless zeros, and never rounded: 6, 2.5, 0.125."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _head(title: str, score: PartReport | ScoreReport) -> str:
    """A title with its points at the right edge."""
    return f"{title}{score_text(score):>{max(1, WIDTH - len(title))}}"


def score_text(score: PartReport | ScoreReport) -> str:
    """`28 of 40 points, 4 undecided, 2 pending`."""
    text = f"{points(score.earned)} of {points(score.possible)} points"
    text += f", {points(score.undecided)} undecided" if score.undecided else ""
    return text + (f", {points(score.pending)} pending" if score.pending else "")


def state(part: PartReport) -> str:
    """How a part ended, in words: nothing is said by a colour or a sign alone."""
    if part.verdict == "passed":
        return "passed, with a warning" if _warnings(part) else "passed"
    if part.verdict == "pending":
        return f"{points(part.pending)} pending"
    unwritten = only_unwritten(part)
    if unwritten:
        return "not written yet"
    if part.verdict == "undecided":
        faults = sorted({check.fault for check in part.checks if check.fault and check.verdict == "undecided"})
        return f"undecided ({' and '.join(f'the {fault}' for fault in faults)} at fault)" if faults else "not run"
    asked = [check for check in part.checks if not _of_a_setting(check)]
    failed = [check for check in asked if check.verdict == "failed"]
    if all(check.status == "not run" for check in asked):
        return "not run"
    return f"{len(failed)} of {len(asked)} checks failed{_only_in(failed)}"


def _of_a_setting(check: CheckReport) -> bool:
    """Whether it was not made because of what its setting is."""
    return any(finding.code in _OF_A_SETTING for finding in check.findings)


def _only_in(failed: list[CheckReport]) -> str:
    """` (torch float32 only)` where nothing failed in the main setting."""
    settings = dict.fromkeys(check.setting for check in failed)
    return "" if "" in settings else f" ({' and '.join(settings)} only)"


def _warnings(part: PartReport) -> bool:
    return any(finding.warning for check in part.checks for finding in check.findings)


def only_unwritten(part: PartReport) -> str:
    """What is said of a part that nothing was written for yet; empty if something was."""
    asked = [check for check in part.checks if not _of_a_setting(check)]
    codes = {(finding.code, finding.headline) for check in asked for finding in check.findings}
    return next(iter(codes))[1] if len(codes) == 1 and {code for code, _ in codes} == {_NOT_WRITTEN} else ""


def causes(part: PartReport) -> list[tuple[FindingReport, CheckReport, list[str]]]:
    """First finding of each cause with its check, and the names of the later cases with the same cause."""
    first: dict[tuple[str, str], tuple[FindingReport, CheckReport]] = {}
    later: dict[tuple[str, str], list[str]] = {}
    for check in part.checks:
        for finding in check.findings if not _of_a_setting(check) else ():
            key = (finding.code, _cause(finding, check))
            if key not in first:
                first[key], later[key] = (finding, check), []
            elif _named(check) not in (_named(first[key][1]), *later[key]):
                later[key].append(_named(check))
    return [(*first[key], later[key]) for key in first]


def _named(check: CheckReport) -> str:
    return f"{check.case} ({check.setting})" if check.setting else check.case


def _cause(finding: FindingReport, check: CheckReport) -> str:
    """What tells two findings of one code apart: the aspect, the function, the argument."""
    if finding.code in _OF_A_RESULT:
        return check.aspect
    if finding.code in _OF_A_CALL:
        return finding.headline.partition(" ")[0]
    return finding.headline if finding.code in ("MUTATES_ARGUMENT", "SYNCHRONISES") else ""


def _finding(finding: FindingReport, check: CheckReport, others: list[str], private: bool) -> Iterator[str]:
    mark = "warning: " if finding.warning else ""
    where = f"with {Setting.parse(check.setting).words}: " if check.setting else ""
    yield f"  {mark}{where}{finding.headline}"
    yield from _indented(finding.detail)
    rows = {
        "graph": finding.graph.replace("\n", "\n" + " " * 13),
        "worst": finding.worst,
        "pattern": finding.pattern,
        "likely": finding.likely,
        "case": case_line(check, private),
        "also": finding.also,
        "more": more_line(others, check),
    }
    yield from (_row(label, text) for label, text in rows.items() if text)


def _row(label: str, text: str) -> str:
    return f"    {label:<8} {text}"


def _indented(detail: str) -> list[str]:
    return [f"    | {line}" for line in detail.splitlines()]


def case_line(check: CheckReport, private: bool) -> str:
    """What a check was made with: the name of the case, its arrays, its seed; its name where no more is told."""
    if not check.inputs:
        return check.case
    name = f"{check.case}: " if check.case else ""
    seed = "hidden seed" if private and check.hidden else f"seed {check.seed}"
    setting = Setting.parse(check.setting) if check.setting else Setting(Profile.NUMPY)
    arrays = f"{setting.precision}, {setting.profile}" if check.setting else setting.precision
    return f"{name}{check.inputs}  {arrays}  {seed}"


def more_line(others: list[str], check: CheckReport) -> str:
    """In which other cases the same was found: the first ones, or all where nothing else is told of them."""
    most = MOST_CASES if check.inputs else len(others)
    if not others:
        return ""
    comma = "; " if any("," in name for name in others) else ", "
    shown = comma.join([*others[:most], *(["..."] if len(others) > most else [])])
    return f"the same in {len(others)} more {'case' if len(others) == 1 else 'cases'}: {shown}"
