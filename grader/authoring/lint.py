"""What an author should know of a topic before students get it, in seconds: `grader lint`.

Everything is tried: the reference is evaluated in every case and held against finite differences, the worked solution
and the stub are graded, each slip is run. A *problem* would cost somebody a point, or give one away. A *warning* is
advice: what real students got away with elsewhere because every case was friendly (one batch size, one padding). How
much the cases really catch is measured by `grader calibrate`, which takes longer.

The worked solution and the stub run in this process: they are the course's own.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from grader.assignment import Assignment, CaseSpec, Exercise, Kind
from grader.authoring.stubs import cut_stub
from grader.calls import Source
from grader.cases import Case, draw_case
from grader.checks.vacuity import vacuous
from grader.doctor import Level
from grader.errors import CourseError
from grader.grading import grade
from grader.manifest import load_assignment
from grader.numerics.trees import leaves
from grader.reference import Expected, Oracle
from grader.report.model import Report
from grader.sandbox.inprocess import InProcess
from grader.submission import Submission

__all__ = ["Remark", "as_json", "as_text", "lint", "sound"]

SMALL = 1e-6
"""An epsilon below it hides where it stands: sqrt(v) + eps and sqrt(v + eps) agree to more digits than are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing to say of a topic."""

    level: Level
    where: str
    """`mlp / affine / backward`, or a file."""
    text: str


def sound(remarks: list[Remark]) -> bool:
    """Whether there is no problem."""
    return all(remark.level is not Level.PROBLEM for remark in remarks)


def lint(manifest: Path, progress: Callable[[str], None] = lambda text: None) -> list[Remark]:
    """What is to be said of the topic of this manifest; nothing if all is well."""
    try:
        assignment = load_assignment(manifest)
    except CourseError as error:
        return [Remark(level=Level.PROBLEM, where=str(manifest), text=str(error))]
    return list(_Linting(assignment, progress).remarks())


def as_text(checked: int, remarks: list[Remark]) -> str:
    """A line each, then what came of it."""
    problems = sum(remark.level is Level.PROBLEM for remark in remarks)
    counts = f"{_count(problems, 'problem')}, {_count(len(remarks) - problems, 'warning')}"
    lines = [f"{remark.level.value:<8} {remark.where}: {remark.text}" for remark in remarks]
    return "\n".join([*lines, *([""] if lines else []), f"{_count(checked, 'topic')}: {counts}"])


def as_json(remarks: list[Remark]) -> bytes:
    """The remarks as a JSON document: [{level, where, text}]."""
    return msgspec.json.format(msgspec.json.encode(remarks), indent=2) + b"\n"


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'s' if number != 1 else ''}"


class _Linting:
    def __init__(self, assignment: Assignment, progress: Callable[[str], None]) -> None:
        self.assignment, self.progress = assignment, progress
        self.oracle = Oracle(assignment)

    def remarks(self) -> Iterator[Remark]:
        for exercise in self.assignment.exercises:
            self.progress(f"{self.assignment.name} / {exercise.name}")
            yield from self.reference(exercise)
            yield from self.vacuity(exercise)
            yield from self.slips(exercise)
            yield from self.cases(exercise)
        yield from self.solution()
        yield from self.stub()
        yield from self.lesson()

    def problem(self, where: str, text: str) -> Remark:
        return Remark(level=Level.PROBLEM, where=f"{self.assignment.name} / {where}", text=text)

    def warning(self, where: str, text: str) -> Remark:
        return Remark(level=Level.WARNING, where=f"{self.assignment.name} / {where}", text=text)

    # ------------------------------------------------------------------------------------------------- the judging side

    def drawn(self, exercise: Exercise, spec: CaseSpec) -> Case:
        return self.oracle.once((exercise.name, spec.name), lambda: draw_case(self.assignment, exercise, spec, None))

    def reference(self, exercise: Exercise) -> Iterator[Remark]:
        for spec in exercise.cases:
            try:
                case = self.drawn(exercise, spec)
                self.oracle.expected(exercise, case)
                # A dropout's reference takes a mask, which is no input of the case.
                doubt = None if exercise.kind is Kind.DROPOUT else self.oracle.doubt(exercise, case)
            except CourseError as error:
                yield self.problem(f"{exercise.name}, case {spec.name}", str(error))
                continue
            if doubt is not None:
                text = f"finite differences and torch.autograd disagree on the reference: {doubt}"
                yield self.problem(f"{exercise.name}, case {spec.name}", text)

    def vacuity(self, exercise: Exercise) -> Iterator[Remark]:
        for part in exercise.parts:
            try:
                cases = [(self.drawn(exercise, spec), aspect) for spec, aspect in part.checks]
                text = vacuous(exercise, cases, self.oracle)
            except CourseError:  # told where the reference is tried
                continue
            if text is not None:
                yield self.problem(f"{exercise.name} / {part.name}", f"the cases can't tell: {text}")

    def slips(self, exercise: Exercise) -> Iterator[Remark]:
        """Each must give something, and something else than the reference, in a case that students see."""
        try:
            known = [variant for variant in self.variants(exercise) if not variant.layer]
        except CourseError as error:
            yield self.problem(exercise.name, str(error))
            return
        visible = [spec for spec in exercise.cases if not spec.hidden]
        for variant in known:
            made = [
                (self.oracle.expected(exercise, case), self.oracle.slipped(exercise, case, variant))
                for case in (self.drawn(exercise, spec) for spec in visible)
            ]
            if all(slipped is None for _, slipped in made):
                yield self.problem(exercise.name, f"the slip {variant.slip.name} can't be run in any case")
            elif not any(slipped is not None and _differ(right, slipped) for right, slipped in made):
                text = f"the slip {variant.slip.name} gives what the reference gives in every visible case"
                yield self.problem(exercise.name, text)

    def variants(self, exercise: Exercise) -> list[Any]:
        return list(self.oracle.variants(exercise, self.drawn(exercise, exercise.cases[0])))

    # ------------------------------------------------------------------------------------------------------- the cases

    def cases(self, exercise: Exercise) -> Iterator[Remark]:
        if not any(spec.hidden for spec in exercise.cases):
            yield self.warning(exercise.name, "has no hidden case: code that returns what it was shown passes")
        if exercise.kind is Kind.ENGINE:
            return
        drawn = [self.drawn(exercise, spec) for spec in exercise.cases]
        yield from self.same_sizes(exercise, drawn)
        yield from self.same_arguments(exercise)

    def same_sizes(self, exercise: Exercise, cases: list[Case]) -> Iterator[Remark]:
        """Axes of one length everywhere: a transpose, or the wrong one of the two, goes unseen."""
        axes = sorted({axis for case in cases for axis in case.sizes})
        for number, axis in enumerate(axes):
            for other in axes[number + 1 :]:
                both = [(case.sizes[axis], case.sizes[other]) for case in cases if {axis, other} <= case.sizes.keys()]
                if both and all(one == two for one, two in both):
                    yield self.warning(exercise.name, f"{axis} and {other} are equal in every case")

    def same_arguments(self, exercise: Exercise) -> Iterator[Remark]:
        values: dict[str, set[Any]] = defaultdict(set)
        for spec in exercise.cases:
            for name, value in {**exercise.arguments, **spec.arguments}.items():
                values[name].add(value)
        for name, seen in values.items():
            (value, *others) = seen
            if not others and exercise.kind not in (Kind.TRAINING, Kind.DROPOUT):
                text = f"{name} is {value} in every case: code that has it written in passes"
                yield self.warning(exercise.name, text)
            if "eps" in name and all(isinstance(value, float) and 0 < value < SMALL for value in seen):
                text = f"{name} is below {SMALL:g} in every case, and so does not show where it stands"
                yield self.warning(exercise.name, text)

    # -------------------------------------------------------------------------------------------- what the course wrote

    def graded(self, files: dict[str, bytes]) -> Report:
        """Grade course code in this process."""
        source = Source(entry=self.assignment.file, files=files)
        submission = Submission(name=self.assignment.file, path=self.assignment.file, source=source, notes=())
        evaluator = InProcess(self.assignment.with_course_code(source), self.assignment.profile)
        return grade(self.assignment, submission, evaluator=evaluator, oracle=self.oracle)

    def solution(self) -> Iterator[Remark]:
        path = self.assignment.solution
        if path is None:
            yield self.warning("solution", "there is none: nobody has shown that the exercises can be solved")
            return
        self.progress(f"{self.assignment.name}: the worked solution")
        report = self.graded({self.assignment.file: path.read_bytes()})
        for name, check in _lost(report):
            told = check.findings[0].headline if check.findings else check.status
            yield self.problem(name, f"the worked solution does not pass the case {check.case}: {told}")

    def stub(self) -> Iterator[Remark]:
        path, solution = self.assignment.manifest.parent / self.assignment.file, self.assignment.solution
        if self.assignment.more_files:
            return
        if not path.is_file():
            yield self.problem(self.assignment.file, "there is no such file for students to edit")
            return
        text = path.read_text(encoding="utf-8")
        if solution is not None:
            try:
                cut = cut_stub(solution.read_text(encoding="utf-8"))
            except CourseError as error:
                yield self.problem(solution.name, str(error))
                return
            if cut != text:
                how = f"python -m grader.authoring.stubs {solution} {path}"
                yield self.problem(self.assignment.file, f"is not what is cut from the solution ({how})")
        self.progress(f"{self.assignment.name}: the stub")
        for exercise in self.graded({self.assignment.file: text.encode()}).exercises:
            for part in exercise.parts:
                if part.earned:
                    yield self.problem(f"{exercise.name} / {part.name}", f"the stub earns {part.earned:g} points")
        described = _described(text)
        for name in self.assignment.functions:
            if name not in described:
                yield self.warning(self.assignment.file, f"{name} has no docstring: what is asked for stands there")

    def lesson(self) -> Iterator[Remark]:
        path = self.assignment.manifest.parent / "README.md"
        if not path.is_file():
            yield self.warning("README.md", "there is no lesson")


def _differ(right: Expected, slipped: Expected) -> bool:
    pairs = [(right.value, slipped.value), (right.gradients, slipped.gradients), (right.trajectory, slipped.trajectory)]
    return not all(
        np.shape(one) == np.shape(two) and np.allclose(one, two, rtol=1e-9, atol=0.0, equal_nan=True)
        for a, b in pairs
        for one, two in zip(leaves(a), leaves(b), strict=True)
    )


def _lost(report: Report) -> Iterator[tuple[str, Any]]:
    """The first check that did not pass of each part that has not all its points."""
    for exercise in report.exercises:
        for part in exercise.parts:
            if part.earned < part.possible:
                yield f"{exercise.name} / {part.name}", next(check for check in part.checks if check.status != "passed")


def _described(text: str) -> set[str]:
    """Functions and classes of a file that have a docstring."""
    return {
        node.name
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node)
    }
