"""The `grader` command: arguments in, exit code out. What it prints where: terminal.

Commands load what they need when they run, so that `--help`, `--version` and `schema` answer at once, without NumPy or
torch.
"""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from grader import __version__
from grader.cli.classes import batch_command, merge_command, regrade_command, show_command
from grader.cli.courses import calibrate_command, lint_command, new_command, release_command
from grader.cli.exporting import export_command
from grader.cli.packages import package_command
from grader.cli.single import demo_command, doctor_command, grade_command, schema_command, topics_command
from grader.cli.sites import publish_command
from grader.cli.terminal import FAILED, INTERRUPTED, PASSED, UNDECIDED, tell
from grader.errors import CourseError, GradebookError, GradmarkError, MachineError, SubmissionError

__all__ = ["FAILED", "INTERRUPTED", "PASSED", "UNDECIDED", "cli", "main"]


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
        tell("interrupted")
        return INTERRUPTED
    except GradmarkError as error:
        tell(f"{_whose(error)}: {error}")
    except Exception:
        # 1 would say that the submission failed. It did not: we did.
        traceback.print_exc()
        tell("this is a mistake in gradmark, not in the submission")
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
  grader grade handin.zip --assignment mlp --report r.json
  grader topics                         what can be graded
  grader batch submissions.zip --assignment mlp --out run
  grader calibrate mlp                  is the assignment fair, does it see what is wrong?
  grader export run --format csv        grades for a gradebook or another grader
  grader publish run --out site         the class as pages, a student each
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


for _command in (
    grade_command,
    batch_command,
    regrade_command,
    merge_command,
    show_command,
    export_command,
    publish_command,
    topics_command,
    new_command,
    lint_command,
    calibrate_command,
    release_command,
    package_command,
    demo_command,
    schema_command,
    doctor_command,
):
    cli.add_command(_command)


def _whose(error: GradmarkError) -> str:
    match error:
        case CourseError():
            return "the course is at fault"
        case SubmissionError():
            return "the submission is at fault"
        case GradebookError():
            return "that can't be done"
        case MachineError():
            return "this machine is at fault"
        case _:
            return "gradmark is at fault"
