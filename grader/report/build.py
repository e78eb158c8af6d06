"""From what was judged to the Report. The only place that knows both sides."""

from __future__ import annotations

import functools
import platform
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import Literal

import msgspec

from grader import __version__
from grader.assignment import Assignment, Exercise, Part
from grader.calls import Isolation, Profile
from grader.devices import named
from grader.findings import Check, Curve, Fault, Finding, Status
from grader.numerics.comparison import Comparison
from grader.numerics.gradcheck import GradientCheck, GradientProblem, Outcome
from grader.report.model import (
    AssignmentInfo,
    CheckReport,
    ComparisonReport,
    CurveReport,
    Environment,
    ErrorMapReport,
    ExerciseReport,
    FindingReport,
    GradientReport,
    PartReport,
    ProbeReport,
    Report,
    ScoreReport,
    Seeds,
    SubmissionInfo,
    number,
)
from grader.scoring import PartScore, Score, score, score_part, worst
from grader.settings import Setting

__all__ = ["assemble", "build_report", "completed", "environment", "part_report", "total_of"]


def build_report(
    assignment: Assignment,
    checks: Sequence[Check],
    *,
    submission: SubmissionInfo,
    hidden_seed: int | None,
    isolation: Isolation,
    started: str,
    seconds: float,
) -> Report:
    """Report on one submission. Parts without checks stay in it, undecided."""
    total = score(assignment, checks)
    parts = {(part.part.exercise, part.part.name): part for part in total.parts}
    return assemble(
        assignment,
        [
            (
                exercise,
                [_part(parts[exercise.name, part.name], checks, hidden_seed is not None) for part in exercise.parts],
            )
            for exercise in assignment.exercises
        ],
        total=_score(total),
        submission=submission,
        hidden_seed=hidden_seed,
        isolation=isolation,
        started=started,
        seconds=seconds,
    )


def assemble(
    assignment: Assignment,
    exercises: Sequence[tuple[Exercise, list[PartReport]]],
    *,
    total: ScoreReport,
    submission: SubmissionInfo,
    hidden_seed: int | None,
    isolation: Isolation,
    started: str,
    seconds: float,
) -> Report:
    """Report from parts that are reports already (pytest workers send those)."""
    private = hidden_seed is not None
    return Report(
        format="gradmark-report",
        version=1,
        grader=__version__,
        assignment=AssignmentInfo(
            name=assignment.name,
            title=assignment.title,
            manifest=_shown(assignment.manifest),
            digest=assignment.digest,
        ),
        submission=submission,
        seeds=Seeds(visible=assignment.seed, hidden=None if private else assignment.seed, private=private),
        environment=environment(isolation, named(_profiles(assignment, exercises))),
        score=total,
        exercises=[
            ExerciseReport(
                name=exercise.name,
                kind=exercise.kind.value,
                functions=dict(exercise.functions),
                parts=parts,
                feedback=exercise.feedback,
            )
            for exercise, parts in exercises
        ],
        started=started,
        seconds=round(seconds, 3),
    )


def _profiles(assignment: Assignment, exercises: Sequence[tuple[Exercise, list[PartReport]]]) -> set[Profile]:
    """In which the submission was run: in the main one, and in those in which something was asked of it."""
    checks = [check for _, parts in exercises for part in parts for check in part.checks]
    asked = {check.setting for check in checks if check.calls and check.setting}
    return {assignment.profile, *(Setting.parse(setting).profile for setting in asked)}


def part_report(part_checks: Sequence[Check], exercise: Exercise, part: str, *, private: bool) -> PartReport:
    """Report on one part alone."""
    return _part(score_part(exercise.part(part), part_checks), part_checks, private)


def completed(assignment: Assignment, earlier: Report, checks: Sequence[Check], note: str) -> Report:
    """An earlier report with these checks in place of those that were pending, and the points that follow."""
    private = earlier.seeds.private
    new = {(check.exercise, check.part, str(check.setting), check.case, check.aspect): check for check in checks}

    def part_of(exercise: str, before: PartReport, part: Part) -> PartReport:
        keys = [(exercise, part.name, check.setting, check.case, check.aspect) for check in before.checks]
        told = list(zip(before.checks, keys, strict=True))
        scored = score_part(part, [new.get(key) or _as_judged(part, check) for check, key in told])
        kept = [_check(new[key], private) if key in new else check for check, key in told]
        return msgspec.structs.replace(_part(scored, (), private), checks=kept)

    exercises = [
        msgspec.structs.replace(
            told,
            parts=[
                part_of(exercise.name, before, part) for before, part in zip(told.parts, exercise.parts, strict=True)
            ],
        )
        for told, exercise in zip(earlier.exercises, assignment.exercises, strict=True)
    ]
    notes = [*earlier.submission.notes, note]
    where = named({check.setting.profile for check in checks if check.setting and check.calls})
    devices = {*earlier.environment.device.split(", "), *where.split(", ")} - {""}
    return msgspec.structs.replace(
        earlier,
        exercises=exercises,
        score=total_of([part for exercise in exercises for part in exercise.parts]),
        submission=msgspec.structs.replace(earlier.submission, notes=notes),
        environment=msgspec.structs.replace(earlier.environment, device=", ".join(sorted(devices))),
    )


def total_of(parts: Sequence[PartReport]) -> ScoreReport:
    """Sum of parts that are reports already."""
    return ScoreReport(
        earned=_sum(part.earned for part in parts),
        possible=_sum(part.possible for part in parts),
        undecided=_sum(part.undecided for part in parts),
        pending=_sum(part.pending for part in parts),
        verdict=worst(part.verdict for part in parts).value,
    )


def _sum(points: Iterable[float]) -> float:
    """Points are decimals of few places, and so is their sum: added as such, not as binary fractions."""
    return float(sum((Decimal(str(value)) for value in points), Decimal(0)))


def _as_judged(part: Part, check: CheckReport) -> Check:
    """A check of an earlier report, as far as points are made of it."""
    return Check(
        exercise=part.exercise,
        part=part.name,
        aspect=check.aspect,
        case=check.case,
        hidden=check.hidden,
        status=Status(check.status),
        setting=Setting.parse(check.setting) if check.setting else None,
        fault=None if check.fault is None else Fault(check.fault),
        credit=Fraction(str(check.credit)),
    )


def environment(isolation: Isolation, device: str) -> Environment:
    """Versions and layers, without importing anything heavy."""
    return Environment(
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        versions=dict(_versions()),
        device=device,
        wall=isolation.wall,
        isolation=list(isolation.layers),
    )


@functools.cache
def _versions() -> dict[str, str]:
    """Of what a result may depend on; they stand in files, which are read once."""
    versions = {}
    for name in ("numpy", "torch"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def _shown(manifest: Path) -> str:
    """The manifest as one would type it: relative to here if it lies below, else as in a checkout.

    As in a checkout also where it came with a wheel, which may well lie below: in the folder's virtual environment.
    """
    path = manifest.resolve()
    here = Path.cwd()
    if path.is_relative_to(here) and "_topics" not in path.parts:
        return path.relative_to(here).as_posix()
    return f"assignments/{path.parent.name}/{path.name}"


def _points(value: Fraction) -> float:
    """Exact: points and shares are declared in hundredths, so this is a decimal of at most six places."""
    return float(value)


def _score(total: Score) -> ScoreReport:
    return ScoreReport(
        earned=_points(total.earned),
        possible=_points(total.possible),
        undecided=_points(total.undecided),
        pending=_points(total.pending),
        verdict=total.verdict.value,
    )


def _part(scored: PartScore, checks: Sequence[Check], private: bool) -> PartReport:
    own = [check for check in checks if (check.exercise, check.part) == (scored.part.exercise, scored.part.name)]
    by_key = {(check.setting, check.case, check.aspect): check for check in own}
    return PartReport(
        name=scored.part.name,
        verdict=scored.verdict.value,
        earned=_points(scored.earned),
        possible=_points(scored.part.points),
        undecided=_points(scored.undecided),
        pending=_points(scored.pending),
        checks=[
            _check(by_key[setting, case.name, aspect], private)
            if (setting, case.name, aspect) in by_key
            else CheckReport(
                aspect=aspect,
                case=case.name,
                hidden=case.hidden,
                status="not run",
                verdict="undecided",
                setting="" if setting is None else str(setting),
                credit=0.0,
            )
            for setting, case, aspect in scored.part.planned
        ],
    )


def _check(check: Check, private: bool) -> CheckReport:
    secret = private and check.hidden
    return CheckReport(
        aspect=check.aspect,
        case=check.case,
        hidden=check.hidden,
        status=check.status.value,
        verdict=check.verdict.value,
        setting="" if check.setting is None else str(check.setting),
        fault=None if check.fault is None else check.fault.value,
        credit=_points(check.credit),
        inputs=check.inputs,
        seed=None if secret else check.seed,
        calls=check.calls,
        seconds=round(check.seconds, 6),
        answered=list(check.answered),
        findings=[_finding(finding) for finding in check.findings],
        comparisons=[_comparison(what, comparison, secret) for what, comparison in check.comparisons],
        gradient=None if check.gradient is None else _gradient(check.gradient, secret),
        curve=None if secret or check.curve is None else _curve(check.curve),
    )


def _finding(finding: Finding) -> FindingReport:
    return FindingReport(
        code=finding.code.name,
        headline=finding.headline,
        fault=finding.fault.value,
        warning=finding.warning,
        worst=finding.worst,
        pattern=finding.pattern,
        likely=finding.likely,
        also=finding.also,
        detail=finding.detail,
        graph=finding.graph,
        diagnosis=finding.diagnosis,
    )


def _comparison(what: str, comparison: Comparison, secret: bool) -> ComparisonReport:
    values = not secret and comparison.worst is not None
    return ComparisonReport(
        what=what,
        passed=comparison.passed,
        reason=comparison.reason.value,
        size=comparison.size,
        wrong=comparison.wrong,
        rtol=comparison.tolerance.rtol,
        atol=None if secret else comparison.tolerance.atol,
        worst=list(comparison.worst) if values and comparison.worst is not None else None,
        actual=number(comparison.actual) if values else None,
        expected=number(comparison.expected) if values else None,
        error=number(comparison.error) if values else None,
        allowed=number(comparison.allowed) if values else None,
        errors=None
        if secret or comparison.errors is None
        else ErrorMapReport(shape=list(comparison.errors.shape), rows=list(comparison.errors.rows)),
    )


def _curve(curve: Curve) -> CurveReport:
    return CurveReport(
        steps=list(curve.steps),
        actual=[number(float(f"{loss:.6g}")) for loss in curve.actual],
        expected=[number(float(f"{loss:.6g}")) for loss in curve.expected],
    )


_OUTCOMES: dict[Outcome, Literal["passed", "failed", "inconclusive"]] = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.INCONCLUSIVE: "inconclusive",
}


def _gradient(check: GradientCheck, secret: bool) -> GradientReport:
    return GradientReport(
        outcome=_OUTCOMES[check.outcome],
        coverage=check.coverage,
        forward_calls=check.forward_calls,
        backward_calls=check.backward_calls,
        seed=None if secret else check.seed,
        odds_of_missing_one_percent=check.odds_of_missing(0.01),
        probes=[
            ProbeReport(
                where=probe.where.value,
                residual=number(probe.residual),
                tolerance=number(probe.tolerance),
                truncation=number(probe.truncation),
                roundoff=number(probe.roundoff),
                step=number(probe.step),
                gradient_norm=number(probe.gradient_norm),
            )
            for probe in (() if secret else check.probes)
        ],
        problems=_texts(check.problems, secret),
        warnings=_texts(check.warnings, secret),
    )


def _texts(problems: Sequence[GradientProblem], secret: bool) -> list[str]:
    return [str(replace(problem, detail="") if secret else problem) for problem in problems]
