"""The student's door: `pytest assignments/` grades what is written so far, in this process.

Collection. An `assignment.toml` becomes a file with its exercises and their parts below it, so that a part is a test
with a name of its own, `assignments/mlp/assignment.toml::affine::backward`: -k, --lf, -x, -n, --junitxml and the run
buttons of editors work as for any test. The submission is the folder that the manifest lies in.

Running. The code runs in this process, so print, breakpoint() and --pdb do what they always do; with --pdb a part
whose code raised opens in the student's own frame. A part that did not pass is a failed test, and its message is the
one of every other door. That goes for an undecided one too, whose message says that it is not the student's fault:
silence would look like success. One of which nothing is wrong and the rest needs a GPU (pending) passes; the table of
points says what is pending.

A part that failed is judged apart from what it calls (one slip costs once). For that the exercises that it may call
must be judged: in a run that has not come to them, or does not (-k), they are judged on the way, and nothing is told of
them there.

A topic without a stub, whose files are those of a course elsewhere (`more_files` in its manifest), is one skipped line
until some Python file lies beside its manifest.

Points. A part travels as plain data on its test's report, which is how it comes from the workers of pytest-xdist.
Whoever is not a worker puts the parts together, fills in those that were not run (they stay in the denominator),
prints the points and, with --grade-report, writes them. The exit code stays pytest's own, unless a report that was
asked for could not be written: that is pytest's 3, with a message.

    desk       runs parts: the submission, loaded once, beside its oracle
    results    a judged part as plain data on a test's report
    points     the parts of all workers as one report an assignment

These modules are loaded in every pytest run of whoever has gradmark installed. They therefore import nothing heavy
before the first part runs, and do nothing at all where there is no assignment.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.errors import CourseError
from grader.pytest_plugin.desk import (
    DebuggerQuit,
    close_desks,
    desk_of,
    end_at_own_frame,
    nothing_here,
    plain_python,
)
from grader.pytest_plugin.points import Points
from grader.pytest_plugin.results import Graded, attach, graded_part, retell

if TYPE_CHECKING:
    from grader.assignment import Assignment, Exercise, Part

__all__ = [
    "AssignmentFile",
    "ExerciseNode",
    "PartFailed",
    "PartItem",
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_configure",
    "pytest_report_from_serializable",
    "pytest_runtest_makereport",
    "pytest_sessionfinish",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; everything else is pytest's."""
    group = parser.getgroup("gradmark", "gradmark: hand-written deep learning")
    group.addoption(
        "--grade-report",
        metavar="FILE",
        help="write the JSON report here; of several assignments each gets its own file, "
        "FILE with the assignment's name inserted (report.json: report-mlp.json)",
    )
    group.addoption(
        "--grade-seed",
        type=_seed,
        metavar="N",
        help="private seed of the hidden cases, which the report doesn't show, nor their values "
        "(default: the assignment's public one)",
    )
    group.addoption(
        "--grade-device",
        choices=["cpu", "cuda", "auto"],
        default="auto",
        help="leave a GPU alone, so that its points stay pending (cpu); require one (cuda); "
        "or use it if it is there (auto, the default)",
    )


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer of at least 0")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """A worker sends its results; whoever is not one gathers them."""
    if config.getoption("--grade-device") == "cuda":
        from grader.devices import require
        from grader.errors import MachineError
        from grader.settings import Device

        try:
            require(Device.CUDA)
        except MachineError as error:
            raise pytest.UsageError(str(error)) from None
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Points(config), "gradmark-points")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Close what was opened for the parts that ran."""
    close_desks(session.config)


# ------------------------------------------------------------------------------------------------------- collection


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> AssignmentFile | None:
    """An assignment.toml of ours; whatever else has that name is none of our business."""
    if file_path.name == "assignment.toml" and _is_ours(file_path):
        return AssignmentFile.from_parent(parent, path=file_path)
    return None


def _is_ours(path: Path) -> bool:
    """Told from the text, so that a manifest that is no TOML any more is a collection error, not silence."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return re.search(r"^\s*format\s*=.*^\s*\[\[\s*exercise\s*\]\]", text, re.MULTILINE | re.DOTALL) is not None


class AssignmentFile(pytest.File):
    """An assignment.toml."""

    def collect(self) -> Iterator[ExerciseNode]:
        """Its exercises, in order."""
        from grader.manifest import load_assignment

        try:
            assignment = load_assignment(self.path)
            lines = _exercise_lines(self.path.read_text(encoding="utf-8"))
        except (CourseError, OSError) as error:
            raise self.CollectError(str(error)) from None
        if nothing_here(assignment):
            pytest.skip(
                f"{assignment.name}: nothing is handed in here. Put your files beside the manifest, or "
                f"grade them where they are: grader grade YOUR_FOLDER --assignment {assignment.name}",
                allow_module_level=True,
            )
        for index, exercise in enumerate(assignment.exercises):
            line = lines[index] if len(lines) == len(assignment.exercises) else 0
            yield ExerciseNode.from_parent(
                self, name=exercise.name, assignment=assignment, exercise=exercise, line=line
            )


def _exercise_lines(text: str) -> list[int]:
    """Lines of the [[exercise]] headers, counted from 0 as pytest does."""
    return [number for number, line in enumerate(text.splitlines()) if re.match(r"\s*\[\[\s*exercise\s*\]\]", line)]


class ExerciseNode(pytest.Collector):
    """One exercise."""

    def __init__(self, *, assignment: Assignment, exercise: Exercise, line: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.assignment = assignment
        self.exercise = exercise
        self.line = line

    def collect(self) -> Iterator[PartItem]:
        """Its parts, in order."""
        for part in self.exercise.parts:
            yield PartItem.from_parent(self, name=part.name, node=self, part=part)


class PartItem(pytest.Item):
    """One part: the test."""

    def __init__(self, *, node: ExerciseNode, part: Part, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.node = node
        self.part = part
        self.graded: Graded | None = None

    def reportinfo(self) -> tuple[os.PathLike[str], int | None, str]:
        """Where an editor finds it: the exercise in the manifest."""
        return self.path, self.node.line, f"{self.node.exercise.name}::{self.part.name}"

    def runtest(self) -> None:
        """Grade the part.

        Raises:
            PartFailed: it did not pass.
        """
        self.graded = None
        with plain_python():
            desk = desk_of(self.config, self.node.assignment)
            try:
                outcome = desk.part(self.node.exercise, self.part)
            except DebuggerQuit:
                pytest.exit("the debugger was quit")
            self.graded = graded_part(
                self.node.assignment,
                self.node.exercise,
                self.part,
                outcome.checks,
                submission=desk.submission(),
                private=desk.private,
                start=self.config.invocation_params.dir,
                selected=dict.fromkeys(str(item.path) for item in self.session.items if isinstance(item, PartItem)),
            )
        if self.graded["part"]["verdict"] not in ("passed", "pending"):
            failed = PartFailed(self.graded["text"])
            raise failed.with_traceback(end_at_own_frame(outcome.exception, desk.folder)) from outcome.exception

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any) -> Any:
        """The part's message, in place of a traceback through the grader."""
        if isinstance(excinfo.value, PartFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *args, **kwargs)


class PartFailed(Exception):  # noqa: N818  (a verdict on its way to pytest, not an error)
    """A part that did not pass. Its text is the message; its traceback ends in the student's frame, if any raised."""


# ---------------------------------------------------------------------------------------------------------- reports


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the graded part on the report of its test."""
    report = yield
    if isinstance(item, PartItem) and call.when == "call" and item.graded is not None:
        attach(report, item.graded)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_report_from_serializable() -> Generator[None, Any, Any]:
    """A worker's message is plain text when it arrives here."""
    report = yield
    if isinstance(report, pytest.TestReport):
        retell(report)
    return report
