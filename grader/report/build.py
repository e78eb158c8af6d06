"""From what was judged to the Report. The only place that knows both sides."""

from __future__ import annotations

import functools
import platform
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from importlib import metadata
from pathlib import Path
from typing import Literal

from grader import __version__
from grader.assignment import Assignment, Exercise
from grader.calls import Isolation
from grader.findings import Check, Curve, Finding
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
from grader.scoring import PartScore, Score, score, score_part

__all__ = ["assemble", "build_report", "environment", "part_report"]


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
        environment=environment(isolation),
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


def part_report(part_checks: Sequence[Check], exercise: Exercise, part: str, *, private: bool) -> PartReport:
    """Report on one part alone."""
    return _part(score_part(exercise.part(part), part_checks), part_checks, private)


def environment(isolation: Isolation, device: str = "cpu") -> Environment:
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
