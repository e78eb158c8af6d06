"""The points at the end: parts from this process or from workers, put together as one report an assignment."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from grader.errors import GradmarkError
from grader.pytest_plugin.results import Graded, attached

if TYPE_CHECKING:
    from grader.assignment import Exercise, Part
    from grader.report.model import PartReport, Report, SubmissionInfo

__all__ = ["Points", "file_names"]


class Points:
    """A plugin that gathers the parts, prints the points and writes the reports."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.asked: str | None = config.getoption("--grade-report")
        self.private = config.getoption("--grade-seed") is not None
        self.graded: dict[tuple[str, str, str], Graded] = {}
        self.reports: list[Report] = []
        self.written: list[Path] = []
        self.problem = ""
        self.started, self.clock = datetime.now(UTC), time.perf_counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember a part; of one that was run again, the last result."""
        graded = attached(report)
        if graded is not None:
            self.graded[graded["manifest"], graded["exercise"], graded["part"]["name"]] = graded

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Put the reports together, and write them if asked to."""
        selected = dict.fromkeys(path for graded in self.graded.values() for path in graded["selected"])
        try:
            self.reports = [self._report(manifest) for manifest in selected]
            if self.asked is not None:
                self._write(self.config.invocation_params.dir / self.asked)
        except (GradmarkError, ValueError) as error:
            self.problem = str(error)
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What parts that passed have to say, then the points of each assignment."""
        if not self.graded and (self.asked is None or self.config.option.collectonly):
            return
        terminalreporter.section("gradmark")
        for block in [*self._warnings(), *self._tables()]:
            terminalreporter.write(f"{block}\n\n")
        for path in self.written:
            terminalreporter.write_line(f"report: {path}")
        if not self.graded:
            terminalreporter.write_line(f"no part of an assignment was run: no report is written to {self.asked}")
        if self.problem:
            terminalreporter.write_line(f"ERROR: {self.problem}", red=True, bold=True)

    def _report(self, manifest: str) -> Report:
        from grader.calls import Isolation
        from grader.manifest import load_assignment
        from grader.report.build import assemble, total_of
        from grader.report.feedback import for_student

        assignment = load_assignment(Path(manifest))
        exercises = [
            (exercise, [self._part(manifest, exercise, part) for part in exercise.parts])
            for exercise in assignment.exercises
        ]
        report = assemble(
            assignment,
            exercises,
            total=total_of([part for _, parts in exercises for part in parts]),
            submission=self._submission(manifest),
            hidden_seed=self.config.getoption("--grade-seed"),
            isolation=Isolation(),
            started=self.started.isoformat(timespec="seconds"),
            seconds=time.perf_counter() - self.clock,
        )
        return for_student(report)

    def _part(self, manifest: str, exercise: Exercise, part: Part) -> PartReport:
        """The part as it was judged, or as one that was not run."""
        import msgspec

        from grader.report.build import part_report
        from grader.report.model import PartReport

        graded = self.graded.get((manifest, exercise.name, part.name))
        if graded is None:
            return part_report((), exercise, part.name, private=self.private)
        return msgspec.convert(graded["part"], PartReport)

    def _submission(self, manifest: str) -> SubmissionInfo:
        import msgspec

        from grader.report.model import SubmissionInfo

        for (path, _, _), graded in self.graded.items():
            if path == manifest:
                return msgspec.convert(graded["submission"], SubmissionInfo)
        return SubmissionInfo(name=Path(manifest).parent.name, digest=None, notes=[], printed="")

    def _write(self, path: Path) -> None:
        from grader.report.model import write_report

        names = file_names(path, [report.assignment.name for report in self.reports])
        for report, name in zip(self.reports, names, strict=True):
            write_report(report, path.with_name(name))
            self.written.append(path.with_name(name))

    def _warnings(self) -> Iterator[str]:
        """Those of the other parts are told with their failures."""
        for graded in self.graded.values():
            if graded["part"]["verdict"] in ("passed", "pending") and graded["text"]:
                yield graded["text"]

    def _tables(self) -> Iterator[str]:
        from grader.report.console import render_summary

        return map(render_summary, self.reports)


def file_names(path: Path, assignments: Sequence[str]) -> list[str]:
    """Names of the reports: as asked for if there is one; else with the assignment's, numbered where two are the same.

    Characters that a file's name can't hold everywhere become "_".
    """
    if len(assignments) == 1:
        return [path.name]
    names: list[str] = []
    for assignment in assignments:
        stem = path.stem + "-" + re.sub(r"[^\w.-]+", "_", assignment)
        numbers = ("", *(f"-{number}" for number in range(2, len(assignments) + 1)))
        names.append(next(name for number in numbers if (name := f"{stem}{number}{path.suffix}") not in names))
    return names
