"""The commands about a course: a new topic, what is wrong with one, whether it is fair, what is handed out of it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from grader.cli.terminal import FAILED, PASSED, UNDECIDED, Progress, painted, say, tell
from grader.errors import CourseError
from grader.topics import assignment_names, find_manifest

__all__ = ["calibrate_command", "lint_command", "new_command", "release_command"]


@click.command(
    "new",
    epilog="""\b
Examples:
  grader new graphs --course mycourse
  grader new graphs --course mycourse --title "Networks on graphs"

\b
Then:
  grader lint mycourse/assignments/graphs
  pytest mycourse/assignments/graphs
""",
)
@click.argument("topic")
@click.option(
    "--course",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("."),
    metavar="FOLDER",
    help="Folder of the course: it holds assignments/ and reference/. Default: this one.",
)
@click.option("--title", help="A line about it. Default: the topic's name.")
def new_command(topic: str, course: Path, title: str | None) -> int:
    """Begin a new TOPIC: manifest, reference, worked solution, stub, lesson and a slip.

    One exercise is in it, whole and small: change one thing at a time. Nothing is ever written over.
    """
    from grader.authoring.scaffold import write_scaffold

    try:
        files = write_scaffold(topic, title or topic.replace("_", " ").capitalize(), course)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'TOPIC'") from error
    except FileExistsError as error:
        raise click.UsageError(str(error)) from error
    for path in files:
        say(str(path))
    return PASSED


@click.command(
    "lint",
    epilog="""\b
Examples:
  grader lint mycourse/assignments/graphs
  grader lint                           every topic that came with gradmark
  grader lint mlp --format json

\b
Exit codes: 0 no problem (there may be warnings), 1 a problem, 2 could not look.
""",
)
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the output.",
)
def lint_command(topics: tuple[str, ...], form: str) -> int:
    """Say what is wrong with a TOPIC, or could be better.

    A topic's name, the folder of an assignment.toml, or that file. The reference is held against finite differences,
    worked solution and stub are graded, slips are run, and the cases are looked at for what is the same in all. The
    worked solution runs without a wall: lint what you trust.
    """
    manifests = _manifests(topics or assignment_names())
    from grader.authoring.lint import Remark, as_json, as_text, lint, sound

    remarks: list[Remark] = []
    with Progress() as progress:
        for manifest in manifests:
            remarks += lint(manifest, progress)
    say(as_json(remarks) if form == "json" else painted(as_text(len(manifests), remarks)))
    return PASSED if sound(remarks) else FAILED


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
    from grader.sandbox.nvml import keep_off

    keep_off()

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


@click.command(
    "release",
    epilog="""\b
Examples:
  grader release mlp --out handout
  grader release mycourse/assignments/* --out handout.zip

\b
Students then: cd handout && pytest. You: grader batch handins.zip --assignment mlp --seed N --out run
""",
)
@click.argument("topics", nargs=-1, required=True, metavar="TOPIC...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FOLDER|FILE.zip",
    help="Where to write it; nothing may be there.",
)
def release_command(topics: tuple[str, ...], out: Path) -> int:
    """Write what students get of each TOPIC: stub, lesson, public cases, and what it takes to run them.

    No worked solution, no slip, no hidden case. Grade with a private seed (--seed): it stands in no file.
    """
    from grader.authoring.release import write_handout

    try:
        files = write_handout(_manifests(topics), out)
    except FileExistsError as error:
        raise click.BadParameter(str(error), param_hint="'--out'") from error
    for path in files:
        say(path)
    return PASSED


def _manifests(topics: tuple[str, ...]) -> list[Path]:
    try:
        return [find_manifest(topic) for topic in topics]
    except CourseError as error:
        raise click.BadParameter(str(error), param_hint="'TOPIC'") from error
