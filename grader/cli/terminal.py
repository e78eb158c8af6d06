"""What is printed where, and the exit codes.

    stdout    the result, and nothing else: text, or one JSON document
    stderr    progress (on a terminal only), notes, what could not be done and whose fault it was
    exit      0 everything passed, 1 something failed, 2 could not grade, 130 interrupted, 143 ended

The exit code says what was found about the submission. A crash of ours is therefore 2, never Python's own 1.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import Final, final

import click

from grader.errors import MachineError

__all__ = ["FAILED", "INTERRUPTED", "PASSED", "UNDECIDED", "Progress", "painted", "say", "tell", "warn_of_no_wall"]

PASSED: Final = 0
FAILED: Final = 1
UNDECIDED: Final = 2
INTERRUPTED: Final = 130

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_POINTS: Final = re.compile(
    r"(?m)\b(\d[\d.]*) of (\d[\d.]*)(?: points)?(?P<open>(?:(?:, [\d.]+ |  )(?:undecided|pending))+)?(?=  | *$| \()"
)
_LEVEL: Final = re.compile(r"(?m)^ *(?P<word>ok|warning|problem)\b")
_LEVEL_COLOURS: Final = {"ok": "green", "warning": "yellow", "problem": "red"}


def painted(text: str) -> str:
    """Text for a terminal: control characters, which are a student's, made visible; then points in colour.

    click.echo takes the colours out again where stdout is no terminal. They add nothing that the words don't say.
    """
    text = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
    text = _POINTS.sub(lambda match: click.style(match[0], fg=_points_colour(match)), text)
    return _LEVEL.sub(lambda match: click.style(match[0], fg=_LEVEL_COLOURS[match["word"]]), text)


def _points_colour(match: re.Match[str]) -> str:
    return "yellow" if match["open"] else "green" if match[1] == match[2] else "red"


def say(text: str | bytes) -> None:
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


def tell(text: str) -> None:
    click.echo(f"grader: {text}", err=True)


def warn_of_no_wall(why: str) -> None:
    """Say loudly that there is none."""
    tell(f"WARNING: there is no wall around what is graded: {why}.")
    tell("WARNING: its code can read and write your files and use the network, with your rights. The report says so.")


@final
class Progress:
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

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.erase()
