"""The report's format: what schema.json publishes, what every door writes, what every rendering reads.

Version 1: the first. Since added: environment.wall ("none" where it is missing); graph of a finding; pending points (0
where they are missing), with the verdict and the status "pending"; setting of a check (the main one where missing);
errors of a comparison and curve of a check, for the pictures of a page; answered of a check (nothing where it is
missing); feedback of an exercise ("full" where it is missing) and the audience ("course").

Points are exact decimals (parts are declared in steps of 0.01 and shares of them too), never rounded up to full marks
or down to none. Numbers that JSON can't hold (NaN, infinities) are the strings "nan", "inf" and "-inf", and only
evidence may hold them. The score of a report is checked when it is built: earned + undecided + pending <= possible,
and the parts sum to the total.
"""

from __future__ import annotations

import functools
import inspect
import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from grader.assignment import Feedback
from grader.calls import Rung
from grader.report.writing import write_whole

__all__ = [
    "VERSION",
    "AssignmentInfo",
    "CheckReport",
    "ComparisonReport",
    "CurveReport",
    "Environment",
    "ErrorMapReport",
    "ExerciseReport",
    "FindingReport",
    "GradientReport",
    "PartReport",
    "ProbeReport",
    "Report",
    "ScoreReport",
    "Seeds",
    "SubmissionInfo",
    "json_schema",
    "number",
    "read_report",
    "report_json",
    "validate",
    "write_report",
]

VERSION = 1

Number = float | Literal["nan", "inf", "-inf"]
VerdictName = Literal["passed", "failed", "undecided", "pending"]
StatusName = Literal["passed", "failed", "undecided", "not run", "timed out", "killed", "pending"]
FaultName = Literal["student", "course", "machine"]


class FindingReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that is wrong, or a warning."""

    code: str
    headline: str
    fault: FaultName
    warning: bool = False
    worst: str = ""
    pattern: str = ""
    likely: str = ""
    also: str = ""
    detail: str = ""
    graph: str = ""
    """Python that fails in this way, if the exercise is an engine."""
    diagnosis: str = ""


class ErrorMapReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an array is wrong, in letters: grader/numerics/errormap.py says what they stand for."""

    shape: list[int]
    """Of the array; its first axis goes down, if there are several."""
    rows: list[Annotated[str, msgspec.Meta(pattern="^[.1-9a-z!]{1,32}$")]]


class ComparisonReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One array against the reference's; values are left out for hidden cases."""

    what: str
    passed: bool
    reason: str
    size: int
    wrong: int | None = None
    rtol: float
    atol: float | None
    """Left out (null) for hidden cases: it is a share of the largest expected element."""
    worst: list[int] | None = None
    actual: Number | None = None
    expected: Number | None = None
    error: Number | None = None
    allowed: Number | None = None
    errors: ErrorMapReport | None = None
    """Of one that failed; left out for hidden cases."""


class ProbeReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One random direction in which the gradient was held against finite differences."""

    where: str
    residual: Number
    tolerance: Number
    truncation: Number
    roundoff: Number
    step: Number
    gradient_norm: Number


class GradientReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The backward against finite differences of the student's own forward."""

    outcome: Literal["passed", "failed", "inconclusive"]
    coverage: float
    forward_calls: int
    backward_calls: int
    seed: int | None
    odds_of_missing_one_percent: float
    """Upper bound of the probability that a gradient wrong by 1 % of its norm passes."""
    probes: list[ProbeReport]
    """Left out for hidden cases, as are the numbers in problems and warnings."""
    problems: list[str]
    warnings: list[str]


class CurveReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Losses of a training and of the reference's, at no more than 200 of its steps, counted from 1."""

    steps: list[int]
    actual: list[Number]
    expected: list[Number]


class CheckReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One aspect of one exercise on one case."""

    aspect: str
    case: str
    hidden: bool
    status: StatusName
    verdict: VerdictName
    setting: str = ""
    """In which further setting, by its name in the manifest; empty in the main one."""
    fault: FaultName | None = None
    credit: float
    inputs: str = ""
    seed: int | None = None
    calls: int = 0
    seconds: float = 0.0
    answered: list[str] = []
    """Functions whose calls the reference answered in this check, since the student's own are wrong."""
    findings: list[FindingReport] = []
    comparisons: list[ComparisonReport] = []
    gradient: GradientReport | None = None
    curve: CurveReport | None = None
    """Left out for hidden cases."""


class PartReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What earns points."""

    name: str
    verdict: VerdictName
    earned: float
    possible: float
    undecided: float
    pending: float = 0.0
    """Points that a machine with what is missing here can settle: a GPU."""
    checks: list[CheckReport]


class ExerciseReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One exercise of the assignment."""

    name: str
    kind: str
    functions: dict[str, str]
    parts: list[PartReport]
    feedback: Feedback = Feedback.FULL
    """How much of it a student is told; in a report for students, how much is in it."""


class AssignmentInfo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was graded."""

    name: str
    title: str
    manifest: str
    digest: str


class SubmissionInfo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose work: digest of its files (null if it could not be read), notes on reading and loading, what it printed.

    `printed` is left empty under a private seed.
    """

    name: str
    digest: str | None
    notes: list[str]
    printed: str


class Seeds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seeds of the drawn cases. A private hidden seed is not written: whoever chose it knows it."""

    visible: int
    hidden: int | None
    private: bool


class Environment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it was graded: what a result may depend on."""

    python: str
    platform: str
    versions: dict[str, str]
    device: str
    isolation: list[str]
    wall: Rung = Rung.NONE
    """How high the wall around the submission was; "none" is also what the pytest door has."""


class ScoreReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Points."""

    earned: float
    possible: float
    undecided: float
    pending: float = 0.0
    verdict: VerdictName


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One graded submission."""

    format: Literal["gradmark-report"]
    version: Literal[1]
    grader: str
    assignment: AssignmentInfo
    submission: SubmissionInfo
    seeds: Seeds
    environment: Environment
    score: ScoreReport
    exercises: list[ExerciseReport]
    started: str
    seconds: float
    audience: Literal["course", "student"] = "course"
    """Whom it is for: a student's says no more than the feedback of each exercise allows."""

    def __post_init__(self) -> None:
        parts = [part for exercise in self.exercises for part in exercise.parts]
        points = [(part.earned, part.undecided, part.pending, part.possible) for part in parts]
        total = (self.score.earned, self.score.undecided, self.score.pending, self.score.possible)
        for *told, possible in (*points, total):
            if not all(0 <= value < math.inf for value in (*told, possible)) or (
                sum(map(_decimal, told)) > _decimal(possible)
            ):
                earned, undecided, pending = told
                raise ValueError(f"{earned} earned, {undecided} undecided and {pending} pending of {possible} points")
        if any(
            sum(map(_decimal, column)) != _decimal(whole)
            for column, whole in zip(zip(*points, strict=True), total, strict=True)
        ):
            raise ValueError("the parts' points do not sum to the score's")


@functools.lru_cache(maxsize=1024)
def _decimal(points: float) -> Fraction:
    """Points as they are written: 0.1 + 0.2 is 0.3."""
    return Fraction(str(points))


def number(value: float | None) -> Any:
    """A float as the format writes it: NaN and infinities by name."""
    if value is None or math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the format, generated from the types above; schema.json is this, published."""
    (schema,), components = msgspec.json.schema_components([Report], ref_template="#/$defs/{name}")
    for definition in components.values():
        definition["description"] = inspect.cleandoc(definition["description"])  # as Python 3.13 has it already
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gradmark report",
        "description": f"One graded submission, version {VERSION} of the format.",
        **schema,
        "$defs": components,
    }


def validate(document: Any) -> None:
    """Hold a report, as JSON gives it, against the published schema.

    Raises:
        ValueError: names the first place that does not fit.
    """
    error = next(iter(_validator().iter_errors(document)), None)
    if error is not None:
        where = "/".join(map(str, error.absolute_path)) or "the report"
        raise ValueError(f"{where}: {error.message}")


@functools.cache
def _validator() -> Any:
    import jsonschema

    schema = json.loads((Path(__file__).parent / "schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def report_json(report: Report) -> bytes:
    """The report as indented JSON, read back first: the types refuse what the schema refuses, which is made of them.

    Holding it against the schema itself takes a hundred times as long, as long as judging a submission does.

    Raises:
        ValueError: it holds what a report can't; names the place.
    """
    text = msgspec.json.encode(report)
    msgspec.json.decode(text, type=Report)
    return msgspec.json.format(text, indent=2) + b"\n"


def write_report(report: Report, path: Path) -> None:
    """Write the report whole or not at all: to a file beside it, then renamed.

    Raises:
        MachineError: it can't be written (names the path); an earlier report there is left as it was.
    """
    write_whole(report_json(report), path, "the report")


def read_report(path: Path) -> Report:
    """Read a report.

    Raises:
        ValueError: it is not one; names the field.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except msgspec.DecodeError as error:
        raise ValueError(f"{path}: not a report of version {VERSION}: {error}") from error


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2))
