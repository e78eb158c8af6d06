"""The commands of whoever makes a course: is an assignment fair, and does it see what is wrong?"""

from __future__ import annotations

import os
from pathlib import Path

import click

from grader.cli.terminal import FAILED, PASSED, UNDECIDED, Progress, painted, say, tell
from grader.errors import CourseError
from grader.topics import find_manifest

__all__ = ["calibrate_command"]


@click.command(
    "calibrate",
    epilog="""\b
Examples:
  grader calibrate mlp
  grader calibrate path/to/assignment.toml --only 'conv*' --seeds 200
  grader calibrate norm --mutants 100 --json norm.json

\b
Exit codes: 0 nothing right failed and nothing wrong passed, 1 something did,
2 could not calibrate, or the cases of some part can't tell right from wrong.
""",
)
@click.argument("assignment", metavar="NAME|PATH")
@click.option(
    "--only",
    multiple=True,
    metavar="EXERCISE",
    help="Calibrate only the exercises of this name: conv, 'conv*'. May be given several times.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    metavar="N",
    help="Judge the worked solution under so many seeds, from which all cases are drawn.",
)
@click.option(
    "--mutants",
    type=click.IntRange(min=1),
    metavar="N",
    help="Try at most so many mutants, drawn evenly. Default: all.",
)
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes at once. Default: one a core.")
@click.option("--all", "everything", is_flag=True, help="List every equivalent mutant, and what each case catches.")
@click.option(
    "--json", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it as JSON here too."
)
def calibrate_command(
    assignment: str,
    only: tuple[str, ...],
    seeds: int,
    mutants: int | None,
    workers: int | None,
    everything: bool,
    file: Path | None,
) -> int:
    """Measure an assignment on its own worked solution.

    Is the worked solution ever failed? Are there mutants of it (a sign, an axis, a term, ...) that lose no points? Each
    of those is tried on other configurations: where one tells it from the right solution, it is printed as a case to
    paste into the manifest. The code runs without a wall: it is the course's own.
    """
    try:
        manifest = find_manifest(assignment)
    except CourseError as error:
        raise click.BadParameter(str(error), param_hint="'NAME|PATH'") from error
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # what forks must not have threads in its libraries, which look when loaded
    from grader.manifest import load_assignment

    loaded = load_assignment(manifest)
    if only:
        try:
            loaded = loaded.only(only)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="'--only'") from error
    from grader.authoring.calibration import calibrate, write
    from grader.authoring.calibration_text import render_calibration

    with Progress() as progress:
        found = calibrate(loaded, seeds=seeds, most=mutants, workers=workers or os.cpu_count() or 1, progress=progress)
    say(painted(render_calibration(found, everything=everything)))
    if file is not None:
        write(found, file)
    if found.vacuous:
        names = [f"{exercise.name} / {problem}" for exercise in found.exercises for problem in exercise.vacuous]
        tell(f"the course is at fault: its cases can't tell: {'; '.join(names)}")
        return UNDECIDED
    return PASSED if found.clean else FAILED
