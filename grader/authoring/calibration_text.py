"""A calibration in words: a table, then what needs a person's eye, then the evidence for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.authoring.calibration import Calibration, ExerciseCalibration, Survivor

__all__ = ["render_calibration"]

_SHOWN = 20
"""Of a list that needs nobody's attention."""


def render_calibration(calibration: Calibration, *, everything: bool = False) -> str:
    """The report on the terminal; `everything` lists each equivalent version and what each case catches."""
    exercises = calibration.exercises
    lines = [*_table(exercises), ""]
    for exercise in exercises:
        lines += [
            *(f"VACUOUS  {exercise.name} / {problem}" for problem in exercise.vacuous),
            *(f"FALSE FAIL  {problem}" for problem in exercise.not_passed),
            *(line for hole in exercise.holes for line in _hole(exercise, hole)),
        ]
    lines += _equivalent(exercises, everything)
    if everything:
        lines += [line for exercise in exercises for line in _cases(exercise)]
    lines += _redundant(exercises)
    return "\n".join([*lines, *_summary(calibration)])


def _table(exercises: Sequence[ExerciseCalibration]) -> list[str]:
    head = ("exercise", "checks", "failed", "below", "margin", "wrong", "killed", "equivalent", "holes", "ms each")
    rows = [head, *(_row(exercise) for exercise in exercises)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]


def _row(exercise: ExerciseCalibration) -> tuple[str, ...]:
    return (
        exercise.name,
        str(exercise.checks),
        str(len(exercise.not_passed)),
        f"{100 * exercise.false_fails_below:.2g} %",
        f"{exercise.margin:.0e}",
        str(exercise.versions),
        str(exercise.killed),
        str(len(exercise.equivalent)),
        str(len(exercise.holes)),
        f"{exercise.milliseconds:.0f}",
    )


def _hole(exercise: ExerciseCalibration, hole: Survivor) -> Iterator[str]:
    yield f"HOLE  {exercise.name}: {hole.version}"
    yield f"      no case of the manifest sees it; this one does ({hole.reason}):"
    yield from (f"        {line}" for line in hole.hole.splitlines())


def _equivalent(exercises: Sequence[ExerciseCalibration], everything: bool) -> list[str]:
    told = [
        f"  {exercise.name}: {survivor.version}: {survivor.reason}"
        for exercise in exercises
        for survivor in exercise.equivalent
    ]
    if not told:
        return []
    shown = told if everything else told[:_SHOWN]
    rest = [f"  ... and {len(told) - len(shown)} more: --all lists them"] if len(shown) < len(told) else []
    return ["Lost no points, and are right as far as can be seen:", *shown, *rest, ""]


def _cases(exercise: ExerciseCalibration) -> list[str]:
    killed = [f"  {case.case}: {case.killed}, {case.alone} of them alone" for case in exercise.cases]
    return [f"What each case of {exercise.name} catches, of {exercise.killed}:", *killed, ""]


def _redundant(exercises: Sequence[ExerciseCalibration]) -> list[str]:
    found = {exercise.name: [case.case for case in exercise.cases if not case.alone] for exercise in exercises}
    total = sum(len(exercise.cases) for exercise in exercises)
    count = sum(map(len, found.values()))
    if not count:
        return []
    return [
        f"{count} of {total} cases catch nothing that another does not; keep them: a student finds other mistakes.",
        "",
    ]


def _summary(calibration: Calibration) -> list[str]:
    exercises = calibration.exercises
    checks, failed = (sum(column) for column in zip(*((e.checks, len(e.not_passed)) for e in exercises), strict=True))
    versions, killed, raised, endless = (
        sum(getattr(e, name) for e in exercises) for name in ("versions", "killed", "raised", "endless")
    )
    holes, equivalent = (sum(len(getattr(e, name)) for e in exercises) for name in ("holes", "equivalent"))
    return [
        f"{failed} of {checks} checks of the worked solution not passed, under {calibration.seeds} seeds",
        f"{killed} of {versions} wrong versions caught ({raised} by an exception, {endless} endless), "
        f"{equivalent} equivalent, {holes} {'hole' if holes == 1 else 'holes'}; {calibration.seconds:.0f} s",
    ]
