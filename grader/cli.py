"""The `grader` command: argv -> exit code.

Each command parses its options, calls the path that every door uses, and prints. Commands load what they need when
they run, so that `--help`, `--version` and `schema` answer at once, without NumPy or torch.

    stdout    the result, and nothing else: text, or one JSON document
    stderr    progress (on a terminal only), notes, what could not be done and whose fault it was
    exit      0 everything passed, 1 something failed, 2 could not grade, 130 interrupted, 143 ended

The exit code says what was found about the submission. A crash of ours is therefore 2, never Python's own 1.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

import click

from grader import __version__
from grader.calls import Rung
from grader.errors import CourseError, GradmarkError, MachineError, SubmissionError
from grader.topics import assignment_names, find_manifest

if TYPE_CHECKING:
    from grader.report.model import Report

__all__ = [
    "FAILED",
    "INTERRUPTED",
    "PASSED",
    "UNDECIDED",
    "cli",
    "demo_command",
    "doctor_command",
    "grade_command",
    "main",
    "schema_command",
]

PASSED: Final = 0
FAILED: Final = 1
UNDECIDED: Final = 2
INTERRUPTED: Final = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: arguments after the program's name; those of this process if not given.

    Returns:
        The exit code.
    """
    try:
        with _ended_in_order():
            return int(cli.main(argv, prog_name="grader", standalone_mode=False) or PASSED)
    except click.ClickException as error:
        error.show()
    except click.Abort:
        _tell("interrupted")
        return INTERRUPTED
    except GradmarkError as error:
        _tell(f"{_whose(error)}: {error}")
    except Exception:
        # 1 would say that the submission failed. It did not: we did.
        traceback.print_exc()
        _tell("this is a mistake in gradmark, not in the submission")
    return UNDECIDED


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM, by which CI cancels a job, ends what was begun: the submission's process goes, and so do its files."""

    def end(number: int, _: object) -> None:
        sys.exit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  grader grade assignments/mlp          your own work, in a process of its own
  grader grade handin.zip --report r.json
  grader demo                           see what the messages look like
  grader doctor                         does everything work here?

\b
Exit codes: 0 everything passed, 1 something failed, 2 could not grade.
""",
)
@click.version_option(__version__, prog_name="gradmark", message="%(prog)s %(version)s")
def cli() -> None:
    """Grade hand-written deep learning: forward, backward and training code.

    While you write, `pytest` in the assignment's folder is quicker; both say the same.
    """


@cli.command(
    "grade",
    epilog="""\b
Examples:
  grader grade assignments/mlp
  grader grade handin.zip --assignment mlp --report report.json
  grader grade mlp.ipynb --assignment mlp --seed 8671 --format json
  grader grade handin.zip --assignment mlp --require full

\b
Exit codes: 0 everything passed, 1 something failed, 2 could not grade
(the message says whose fault that is).
""",
)
@click.argument("submission", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--assignment",
    metavar="NAME|PATH",
    help="Topic, folder of an assignment.toml, or that file. Default: the topic that the folder of SUBMISSION is named "
    "after, else the only one there is; never a manifest that was handed in.",
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
    "--report", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the JSON report here too."
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
    seed: int | None,
    require: str,
    unsafe: bool,
    report: Path | None,
    summary: Path | None,
    form: str,
) -> int:
    """Grade one SUBMISSION: a folder, a .py file, a notebook or a .zip.

    The code runs in a process of its own, behind a wall: no files, no network, no other process, and limits on time
    and memory. `grader doctor` says what this machine has.
    """
    manifest = _manifest(assignment, submission)
    from grader.manifest import load_assignment

    loaded = load_assignment(manifest)  # before anything heavy: a mistake in the manifest is told at once
    from grader.sandbox.pool import Sandbox

    with (
        _Progress(len(loaded.parts)) as progress,
        Sandbox(
            loaded.profile,
            rung=Rung.NONE if unsafe else Rung.FULL,
            require=Rung.NONE if unsafe else Rung(require),
        ) as sandbox,
    ):
        sandbox.start()
        from grader.grading import grade_path

        sandbox.check()
        if sandbox.rung is Rung.NONE:
            progress.erase()
            _tell(_UNSAFE.format(why="--unsafe was given" if unsafe else "this machine can't build one"))
        graded = grade_path(
            loaded,
            submission,
            sandbox=sandbox,
            hidden_seed=seed,
            progress=lambda part: progress(f"{part.exercise} / {part.name}"),
        )
    _print_report(graded, form)
    code = _exit_code(graded)
    if report is not None:
        from grader.report.model import write_report

        write_report(graded, report)
    if summary is not None:
        from grader.report.markdown import append_markdown

        append_markdown(graded, summary)
    return code


@cli.command(
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

    with _Progress() as progress:

        def say(text: str) -> None:
            progress.erase()
            _say(_painted(text))

        as_expected = (check_corpus if everything else show)(out, say, progress)
    return PASSED if as_expected else FAILED


@cli.command(
    "schema",
    epilog="""\b
Example:
  grader schema > report.schema.json
""",
)
def schema_command() -> int:
    """Print the JSON Schema of the report."""
    _say((Path(__file__).parent / "report" / "schema.json").read_bytes())
    return PASSED


@cli.command(
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

    with _Progress() as progress:
        lines = diagnose(progress)
    _say(as_json(lines) if form == "json" else _painted(render(lines)))
    return PASSED if works(lines) else UNDECIDED


_UNSAFE: Final = """WARNING: there is no wall around this submission: {why}.
grader: WARNING: its code can read and write your files and use the network, with your rights. The report says so."""

# ------------------------------------------------------------------------------------------------- what is graded


def _manifest(assignment: str | None, submission: Path) -> Path:
    """The manifest that was asked for, or the topic that goes without saying.

    Never one that lies with the submission: whoever writes the manifest sets the points, and its reference runs here.
    """
    if assignment is not None:
        try:
            return find_manifest(assignment)
        except CourseError as error:
            raise click.BadParameter(str(error), param_hint="'--assignment'") from error
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
    if len(names) == 1:
        return find_manifest(names[0])
    there = f"there are {', '.join(names)}" if names else "none came with gradmark: give a path"
    raise click.UsageError(f"which assignment? Give --assignment; {there}.")


def _exit_code(report: Report) -> int:
    """0, 1 or 2 by the verdict; where nothing failed and something is undecided, whose fault that is."""
    if report.score.verdict == "undecided":
        _tell(f"could not grade {_undecided(report)}")
    return {"passed": PASSED, "failed": FAILED, "undecided": UNDECIDED}[report.score.verdict]


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


def _whose(error: GradmarkError) -> str:
    match error:
        case CourseError():
            return "the course is at fault"
        case SubmissionError():
            return "the submission is at fault"
        case MachineError():
            return "this machine is at fault"
        case _:
            return "gradmark is at fault"


# ------------------------------------------------------------------------------------------------- output


def _print_report(report: Report, form: str) -> None:
    if form == "json":
        from grader.report.model import report_json

        _say(report_json(report))
    else:
        from grader.report.console import render

        _say(_painted(render(report)))


_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_POINTS: Final = re.compile(
    r"(?m)\b(\d[\d.]*) of (\d[\d.]*)(?: points)?(?P<open>(?:, [\d.]+ |  )undecided)?(?=  | *$| \()"
)
_LEVEL: Final = re.compile(r"(?m)^ *(?P<word>ok|warning|problem)\b")
_LEVEL_COLOURS: Final = {"ok": "green", "warning": "yellow", "problem": "red"}


def _painted(text: str) -> str:
    """Text for a terminal: control characters, which are a student's, made visible; then points in colour.

    click.echo takes the colours out again where stdout is no terminal. They add nothing that the words don't say.
    """
    text = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
    text = _POINTS.sub(lambda match: click.style(match[0], fg=_points_colour(match)), text)
    return _LEVEL.sub(lambda match: click.style(match[0], fg=_LEVEL_COLOURS[match["word"]]), text)


def _points_colour(match: re.Match[str]) -> str:
    return "yellow" if match["open"] else "green" if match[1] == match[2] else "red"


def _say(text: str | bytes) -> None:
    """Print to stdout, without colours where NO_COLOR (no-color.org) is set or there is no terminal.

    A reader that went away (`grader grade x | head`) does not change the exit code.

    Raises:
        MachineError: there is no room.
    """
    encoding = sys.stdout.encoding or "utf-8"
    if isinstance(text, str):
        text = text.encode(encoding, "backslashreplace").decode(encoding) + "\n"
    try:
        click.echo(text, nl=False, color=False if os.environ.get("NO_COLOR") else None)
    except OSError as error:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # the flush at exit may fail too; see signal's docs
        if not isinstance(error, BrokenPipeError):
            raise MachineError(f"the result can't be written to stdout: {error.strerror or error}") from error


def _tell(text: str) -> None:
    click.echo(f"grader: {text}", err=True)


@final
class _Progress:
    """One line on stderr, written over again and again and erased at the end; nothing unless stderr is a terminal."""

    def __init__(self, total: int = 0) -> None:
        self.total, self.done = total, 0
        self.shown = sys.stderr.isatty()
        self.room = shutil.get_terminal_size().columns - 1

    def __call__(self, text: str) -> None:
        self.done += 1
        if self.shown:
            line = f"{self.done}/{self.total} {text}" if self.total else text
            click.echo(f"\r{line[: self.room]:<{self.room}}", nl=False, err=True)

    def erase(self) -> None:
        if self.shown:
            click.echo(f"\r{'':<{self.room}}\r", nl=False, err=True)

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.erase()
