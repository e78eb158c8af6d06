"""The commands about one submission, and about gradmark itself."""

from __future__ import annotations

import math
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.calls import Rung
from grader.cli.terminal import FAILED, PASSED, UNDECIDED, Progress, painted, say, tell, warn_of_no_wall
from grader.errors import CourseError
from grader.settings import Device
from grader.topics import assignment_names, find_manifest

if TYPE_CHECKING:
    from grader.report.model import Report

__all__ = ["demo_command", "doctor_command", "grade_command", "schema_command", "topics_command"]


@click.command(
    "grade",
    epilog="""\b
Examples:
  grader grade assignments/mlp
  grader grade handin.zip --assignment mlp --report report.json
  grader grade mlp.ipynb --assignment mlp --html result.html
  grader grade mlp.ipynb --assignment mlp --seed 8671 --format json
  grader grade handin.zip --assignment mlp --require full
  grader grade handin.zip --assignment mlp --complete report.json

\b
Exit codes: 0 everything passed, 1 something failed, 2 could not grade
(the message says whose fault that is). What is pending fails nothing.
""",
)
@click.argument("submission", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--assignment",
    metavar="NAME|PATH",
    help="Topic (see `grader topics`), folder of an assignment.toml, or that file. Default: the topic whose file "
    "SUBMISSION is or holds, by its name; never a manifest that was handed in.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="EXERCISE",
    help="Grade only the exercises of this name, for their points alone: conv, 'conv*'. May be given several times.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    envvar="GRADMARK_SEED",  # a secret: arguments are shown to whoever lists processes
    show_envvar=True,
    help="Private seed of the hidden cases; the report doesn't show it, nor the hidden values. "
    "Default: the assignment's public one.",
)
@click.option(
    "--require",
    type=click.Choice([rung.value for rung in (Rung.FULL, Rung.SECCOMP, Rung.NONE)]),
    default=Rung.SECCOMP.value,
    show_default=True,
    help="Least wall to run the code behind: full (namespaces, Landlock and seccomp), seccomp, or none (whatever this "
    "machine has). Where it can't be built nothing is graded.",
)
@click.option(
    "--unsafe",
    is_flag=True,
    help="Take the wall down: the code can do whatever you can. The report says so. For code that you trust.",
)
@click.option(
    "--device",
    type=click.Choice([device.value for device in Device]),
    default=Device.AUTO.value,
    show_default=True,
    help="cpu: leave a GPU alone, so that its points stay pending; cuda: require one; auto: use it if it is there.",
)
@click.option(
    "--complete",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="REPORT",
    help="Judge only what is pending in this report of the same submission, and write it anew (or to --report).",
)
@click.option(
    "--feedback",
    type=click.Choice(["full", "hint", "verdict"]),
    default="full",
    help="Tell no more than this, in whatever form: full (values too), hint (the likely cause, no values), or verdict "
    "(which checks did not pass). The manifest may allow less, never more.",
)
@click.option(
    "--within",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="Be done after so many seconds by the clock, where a platform allows no more: a third of them at most is the "
    "submission's own, and what could not be asked in time is undecided, the machine's fault.",
)
@click.option(
    "--memory",
    type=click.IntRange(min=1),
    metavar="MB",
    help="Memory that this machine or container has: the submission gets at most what gradmark leaves of it.",
)
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the JSON report here too."
)
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the result here as a page too: one file, for any browser, which needs nothing else.",
)
@click.option(
    "--summary",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Append the result here as Markdown: on GitHub, to $GITHUB_STEP_SUMMARY, the page of a job.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the output.",
)
def grade_command(
    submission: Path,
    assignment: str | None,
    only: tuple[str, ...],
    seed: int | None,
    require: str,
    unsafe: bool,
    device: str,
    complete: Path | None,
    feedback: str,
    within: float | None,
    memory: int | None,
    report: Path | None,
    page: Path | None,
    summary: Path | None,
    form: str,
) -> int:
    """Grade one SUBMISSION: a folder, a .py file, a notebook or a .zip.

    The code runs in a process of its own, behind a wall: no files, no network, no other process, and limits on time
    and memory. `grader doctor` says what this machine has.
    """
    until = math.inf if within is None else time.monotonic() + within
    if complete is not None and within is not None:
        raise click.BadParameter("a report is completed on a machine that has the time", param_hint="'--within'")
    manifest = _manifest(assignment, submission)
    from grader.manifest import load_assignment

    loaded = load_assignment(manifest)  # before anything heavy: a mistake in the manifest is told at once
    if only:
        try:
            loaded = loaded.only(only)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="'--only'") from error
    try:
        loaded = loaded.fitted(seconds=within, memory_mb=memory)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--memory'") from error
    from grader.devices import require as require_device
    from grader.sandbox.pool import Sandbox

    require_device(Device(device))
    earlier = None if complete is None else _earlier(complete)
    if earlier is not None:
        from grader.grading import matching

        matching(loaded, submission, earlier, seed)  # before anything is started: it may have been another file
    with (
        Progress(len(loaded.parts)) as progress,
        Sandbox(
            loaded.profile,
            rung=Rung.NONE if unsafe else Rung.FULL,
            require=Rung.NONE if unsafe else Rung(require),
        ) as sandbox,
    ):
        sandbox.start()
        from grader.grading import complete_path, grade_path

        sandbox.check()
        if sandbox.rung is Rung.NONE:
            progress.erase()
            warn_of_no_wall("--unsafe was given" if unsafe else "this machine can't build one")
        ask = partial(grade_path, until=until)
        if earlier is not None:
            ask, report = partial(complete_path, earlier=earlier), report or complete
        graded = ask(
            loaded,
            submission,
            sandbox=sandbox,
            hidden_seed=seed,
            device=Device(device),
            progress=lambda part: progress(f"{part.exercise} / {part.name}"),
        )
    from grader.assignment import Feedback
    from grader.report.feedback import for_student

    graded = for_student(graded, Feedback(feedback))  # who reads the report file may be the student
    _print_report(graded, form)
    code = _exit_code(graded)
    if report is not None:
        from grader.report.model import write_report

        write_report(graded, report)
    if page is not None:
        from grader.report.html import write_html

        write_html(graded, page)
    if summary is not None:
        from grader.report.markdown import append_markdown

        append_markdown(graded, summary)
    return code


@click.command(
    "demo",
    epilog="""\b
Examples:
  grader demo
  grader demo --out shown
  grader grade shown/submissions/mlp/relu_mask_missing --assignment mlp
  grader demo --all

\b
Exit codes: 0 each submission was graded as expected, 1 one was not.
""",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write submissions and JSON reports here. Default: a new temporary folder.",
)
@click.option("--all", "everything", is_flag=True, help="Grade every submission that gradmark is tested with.")
def demo_command(out: Path | None, everything: bool) -> int:
    """Grade submissions with known mistakes.

    Shows what a student is told. At the end a network is trained with a right and with a wrong gradient, and shows why
    accuracy can't grade one.
    """
    from grader.demo import check_corpus, show

    with Progress() as progress:

        def tell_it(text: str) -> None:
            progress.erase()
            say(painted(text))

        as_expected = (check_corpus if everything else show)(out, tell_it, progress)
    return PASSED if as_expected else FAILED


@click.command(
    "topics",
    epilog="""\b
Examples:
  grader topics
  grader topics optimizers
  grader topics --format json
""",
)
@click.argument("name", required=False, metavar="[TOPIC]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the output.",
)
def topics_command(name: str | None, form: str) -> int:
    """List the topics that came with gradmark, or the exercises of one TOPIC.

    TOPIC may also be the folder of an assignment.toml, or that file.
    """
    from grader.authoring import listing

    listed = listing.topics() if name is None else listing.exercises(_asked_for(name, "TOPIC"))
    say(listing.as_json(listed) if form == "json" else listing.as_text(listed))
    return PASSED


@click.command(
    "schema",
    epilog="""\b
Example:
  grader schema > report.schema.json
""",
)
def schema_command() -> int:
    """Print the JSON Schema of the report."""
    say((Path(__file__).parent.parent / "report" / "schema.json").read_bytes())
    return PASSED


@click.command(
    "doctor",
    epilog="""\b
Examples:
  grader doctor
  grader doctor --format json

\b
Exit codes: 0 grading works here, 2 it does not (and what to do about it).
""",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the output.",
)
def doctor_command(form: str) -> int:
    """Say whether grading works on this machine.

    And how well a submission is walled in.
    """
    from grader.doctor import as_json, diagnose, render, works

    with Progress() as progress:
        lines = diagnose(progress)
    say(as_json(lines) if form == "json" else painted(render(lines)))
    return PASSED if works(lines) else UNDECIDED


def _earlier(path: Path) -> Report:
    from grader.report.model import read_report

    try:
        return read_report(path)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--complete'") from error


# ------------------------------------------------------------------------------------------------- what is graded


def _manifest(assignment: str | None, submission: Path) -> Path:
    """The manifest that was asked for, or the topic that goes without saying.

    Never one that lies with the submission: whoever writes the manifest sets the points, and its reference runs here.
    """
    if assignment is not None:
        return _asked_for(assignment, "'--assignment'")
    names = assignment_names()
    beside = (submission if submission.is_dir() else submission.parent) / "assignment.toml"
    if beside.is_file():
        name = beside.resolve().parent.name
        if name in names:
            return find_manifest(name)
        raise click.UsageError(
            f"{beside} lies with the submission, and a submission does not choose how it is graded. "
            f"If it is the course's, say so: --assignment {beside.parent}"
        )
    named = _named_after(submission, names)
    if len(named) == 1:
        return find_manifest(named[0])
    there = f"there are {', '.join(names)}" if names else "none came with gradmark: give a path"
    raise click.UsageError(f"which assignment? Give --assignment; {there}.")


def _asked_for(assignment: str, where: str) -> Path:
    try:
        return find_manifest(assignment)
    except CourseError as error:
        raise click.BadParameter(str(error), param_hint=where) from error


def _named_after(submission: Path, names: tuple[str, ...]) -> list[str]:
    """Topics whose file this is or holds at its top (mlp.py, mlp.ipynb), else the one that it is named after."""
    files = list(submission.iterdir()) if submission.is_dir() else []
    stems = {path.stem for path in (submission, *files) if path.suffix in (".py", ".ipynb")}
    inside = [name for name in names if name in stems]
    return inside or [name for name in names if name == submission.resolve().stem]


def _exit_code(report: Report) -> int:
    """0, 1 or 2 by the verdict; where nothing failed and something is undecided, whose fault that is.

    What is pending is nobody's failure: a job on a machine without a GPU is green, and its report says what is left.
    """
    if report.score.verdict == "undecided":
        tell(f"could not grade {_undecided(report)}")
    return {"passed": PASSED, "pending": PASSED, "failed": FAILED, "undecided": UNDECIDED}[report.score.verdict]


def _undecided(report: Report) -> str:
    """`affine / forward, affine / backward: the course is at fault, not the student`."""
    open_ = [
        (f"{exercise.name} / {part.name}", check.fault)
        for exercise in report.exercises
        for part in exercise.parts
        for check in part.checks
        if check.verdict == "undecided"
    ]
    parts = ", ".join(dict.fromkeys(name for name, _ in open_))
    faults = sorted({f"the {fault}" for _, fault in open_ if fault})
    if not faults:
        return f"{parts}: not run"
    return f"{parts}: {' and '.join(faults)} {'is' if len(faults) == 1 else 'are'} at fault, not the student"


def _print_report(report: Report, form: str) -> None:
    if form == "json":
        from grader.report.model import report_json

        say(report_json(report))
    else:
        from grader.report.console import render

        say(painted(render(report)))
