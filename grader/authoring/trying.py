"""Right and wrong versions of a worked solution before the judge: in process, quickly, and many of them.

A version is a source, or the right one with damaged results. The judge is the one that students have: the same
session, the same cases, the same exact points. Only the place where the code runs is another one: it is the course's
own, so nothing is walled in, and nothing is kept apart from it but time and memory (grader.authoring.forks).
"""

from __future__ import annotations

import ast
import io
import time
import tokenize
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import numpy as np

from grader.assignment import Assignment, Exercise, Kind
from grader.authoring.damages import DAMAGES, Damaged
from grader.authoring.forks import Ended, in_forks
from grader.authoring.variants import variants
from grader.calls import Evaluator, Loaded, Profile, Source
from grader.errors import CourseError
from grader.findings import Check, Verdict
from grader.grading import Session
from grader.mutants import Mutant, mutants
from grader.reference import Oracle
from grader.rewriting import Text
from grader.sandbox.executor import Executor
from grader.sandbox.inprocess import InProcess
from grader.sandbox.loading import Program

__all__ = [
    "OwnCode",
    "Rightness",
    "Tried",
    "Version",
    "damaged_versions",
    "judged",
    "mutated_versions",
    "quietly",
    "right_versions",
    "rightness",
    "seconds_for",
    "try_right",
    "try_version",
    "try_versions",
    "worked_solution",
]

LEAST_SECONDS: Final = 5.0
"""Of CPU time that a version may always take."""
SLOWER: Final = 20
"""Times as long as the worked solution a version may take."""


class _Plain(Program):
    """Files that nothing is kept apart from once they are loaded: it is the course's own code that runs."""

    ready = False

    def running(self) -> Any:
        """Nothing has to hold any more."""
        return nullcontext() if self.ready else super().running()

    def paused(self) -> Any:
        """Nor anything be taken out while the judge answers a call."""
        return nullcontext() if self.ready else super().paused()


class OwnCode(InProcess):
    """The course's own code in this process, ten times quicker than a student's: nothing is put back between calls."""

    def __init__(self, source: Source, profile: Profile = Profile.NUMPY) -> None:
        super().__init__(source, profile)
        self._program = _Plain(source, profile)
        self._executor = Executor(self._program, (Exception, SystemExit, GeneratorExit))
        self._stand_ins = None

    def load(self) -> Loaded:
        """Load the files, the first time."""
        loaded = self._executor.load()
        self._program.ready = True
        return loaded


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Version:
    """A version of a right solution: one thing in it is another."""

    words: str
    """What is changed, for a message."""
    kind: str
    exercises: tuple[str, ...]
    """Those to judge it by, in order."""
    evaluator: Callable[[], Evaluator]
    """Where it runs; a new one each time. What is wrong in another way than by its source (a known wrong reference,
    say) gives answers of its own here."""
    mutant: Mutant | None = None
    """Of a mutant, what it is."""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge made of a version."""

    killed: bool = False
    """It lost points."""
    undecided: bool = False
    """It did not lose points, nor did it earn all of them."""
    endless: bool = False
    raised: bool = False
    """It fell by an exception and not by its numbers."""
    cases: list[str] = []
    """Those that it fails, as exercise: case."""
    codes: list[str] = []
    checks: int = 0
    seconds: float = 0.0


def worked_solution(assignment: Assignment) -> Source:
    """The worked solution, as it would be handed in.

    Raises:
        CourseError: there is none.
    """
    if assignment.solution is None:
        raise CourseError(f"{assignment.manifest}: solution: there is none, and without one nothing can be calibrated")
    source = Source(entry=assignment.file, files={assignment.file: assignment.solution.read_bytes()})
    return assignment.with_course_code(source)


def mutated_versions(
    assignment: Assignment, source: Source, *, most: int | None = None, seed: int = 0
) -> tuple[Version, ...]:
    """Mutants of a right solution, each with the exercises that it is of; of what no exercise asks for there is none.

    Raises:
        CourseError: a file does not parse.
    """
    found = []
    for path, raw in source.files.items():
        if not path.endswith(".py"):
            continue
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)  # a student's file may say latin-1
        text = raw.decode(encoding)
        owners = _Owners(assignment, text)
        for mutant in mutants(text):
            exercises = owners.of(mutant.function)
            if exercises:
                other = replace(source, files={**source.files, path: mutant.source.encode(encoding)})
                found.append(
                    Version(
                        words=str(mutant),
                        kind=mutant.kind.value,
                        exercises=exercises,
                        evaluator=_code(other, assignment.profile),
                        mutant=mutant,
                    )
                )
    if most is not None and len(found) > most:
        kept = np.sort(np.random.default_rng(seed).choice(len(found), most, replace=False))
        found = [found[number] for number in kept]
    return tuple(found)


def right_versions(assignment: Assignment, source: Source) -> tuple[Version, ...]:
    """A right solution in other words (grader.authoring.variants), each with the exercises that it is of.

    Raises:
        CourseError: a file does not parse.
    """
    found = []
    for path, text in source.files.items():
        if path.endswith(".py"):
            owners = _Owners(assignment, text.decode())
            for variant in variants(text.decode()):
                other = replace(source, files={**source.files, path: variant.source.encode()})
                exercises = owners.of(variant.function)
                if exercises:
                    evaluator = _code(other, assignment.profile)
                    found.append(
                        Version(words=str(variant), kind=variant.kind.value, exercises=exercises, evaluator=evaluator)
                    )
    return tuple(found)


def damaged_versions(assignment: Assignment, source: Source) -> tuple[Version, ...]:
    """A right solution whose results are spoilt, function by function (grader.authoring.damages)."""
    return tuple(
        Version(
            words=f"{exercise.functions[role]}: {name}, in what it returns",
            kind="damage",
            exercises=(exercise.name,),
            evaluator=_damaged(source, assignment.profile, exercise.functions[role], name),
        )
        for exercise in assignment.exercises
        if exercise.kind in (Kind.LAYER, Kind.MODEL, Kind.LOSS)
        for role in (exercise.kind.roles[-1],)
        for name in DAMAGES
    )


def _code(source: Source, profile: Profile) -> Callable[[], Evaluator]:
    return lambda: OwnCode(source, profile)


def _damaged(source: Source, profile: Profile, function: str, name: str) -> Callable[[], Evaluator]:
    return lambda: Damaged(OwnCode(source, profile), function, DAMAGES[name])


class _Owners:
    """Which exercises a function of a file belongs to."""

    def __init__(self, assignment: Assignment, text: str) -> None:
        self.exercises = assignment.exercises
        tree = Text(text).tree
        defined = {node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        self.asked_for = set(assignment.functions)
        self.calls = {
            name: {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in defined and n.id != name}
            for name, node in defined.items()
        }

    def of(self, function: str) -> tuple[str, ...]:
        """Those that ask for it; of what none asks for, those whose functions call it, over others of that sort."""
        name = function.partition(".")[0]
        direct = tuple(exercise.name for exercise in self.exercises if name in exercise.writes)
        if direct:
            return direct
        return tuple(exercise.name for exercise in self.exercises if name in self._helpers(exercise))

    def _helpers(self, exercise: Exercise) -> set[str]:
        reached: set[str] = set()
        ahead = [name for written in exercise.writes for name in self.calls.get(written, ())]
        while ahead:
            name = ahead.pop()
            if name not in reached and name not in self.asked_for:
                reached.add(name)
                ahead += self.calls[name]
        return reached


def judged(session: Session, exercise: Exercise) -> Iterator[Check]:
    """All checks of an exercise, in the main setting: the others ask the same, of arrays of another kind.

    Those of a training come one by one, the longest last: whoever has seen enough of a network that learns wrongly
    need not wait until it has learned.
    """
    parts = [replace(part, also_on=()) for part in exercise.parts]
    if exercise.kind is not Kind.TRAINING:
        for part in parts:
            yield from session.part(exercise, part).checks
        return
    checks = [(part, check) for part in parts for check in part.checks]
    for part, check in sorted(checks, key=lambda each: each[1][1] == "result"):
        yield from session.part(exercise, replace(part, checks=(check,))).checks


def _as_handed_in(assignment: Assignment) -> Assignment:
    """Nothing is judged once more with answers of the reference: what is asked is which checks see a mistake."""
    return replace(assignment, one_slip_costs_once=False)


def quietly() -> AbstractContextManager[Any]:
    """Neither warnings nor errors of arithmetic: wrong code divides by zero."""
    caught = warnings.catch_warnings()
    np.seterr(all="ignore")
    return caught


def try_version(assignment: Assignment, oracle: Oracle, version: Version) -> Tried:
    """Judge one version, here: by its exercises in order, until one fails it."""
    start, evaluator = time.process_time(), version.evaluator()
    session, undecided, made = Session(_as_handed_in(assignment), evaluator, oracle), False, 0
    np.random.seed(0)
    with quietly():
        warnings.simplefilter("ignore")
        for name in version.exercises:
            exercise = assignment.exercise(name)
            checks: list[Check] = []
            for check in judged(session, exercise):
                checks.append(check)
                if exercise.kind is Kind.TRAINING and check.verdict is Verdict.FAILED:
                    break
            made += len(checks)
            failed = [check for check in checks if check.verdict is Verdict.FAILED]
            undecided = undecided or any(check.verdict is Verdict.UNDECIDED for check in checks)
            if failed:
                codes = list(dict.fromkeys(check.findings[0].code.name for check in failed))
                return Tried(
                    killed=True,
                    raised=codes[0] in _BY_EXCEPTION,
                    cases=list(dict.fromkeys(f"{name}: {check.case}" for check in failed)),
                    codes=codes,
                    checks=made,
                    seconds=time.process_time() - start,
                )
    if isinstance(evaluator, Damaged) and not evaluator.changed:
        return Tried(codes=["UNCHANGED"], seconds=time.process_time() - start)
    return Tried(undecided=undecided, checks=made, seconds=time.process_time() - start)


_BY_EXCEPTION: Final = frozenset({"RAISED", "DOES_NOT_LOAD", "MISSING_FUNCTION", "OUT_OF_MEMORY"})


def try_versions(
    assignment: Assignment,
    oracle: Oracle,
    versions: Sequence[Version],
    *,
    seconds: float = LEAST_SECONDS,
    workers: int = 1,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Tried]:
    """Judge many versions, each in a fork that shares what the oracle holds by now.

    Args:
        assignment: what is judged.
        oracle: with the expected values of all cases, or each fork makes them again (grader.grading.prepare).
        versions: what to judge.
        seconds: of CPU time that one may take; what takes longer is endless, and killed.
        workers: forks at once.
        progress: called with the number of those done.

    Raises:
        MachineError: no fork can be made.
    """

    def work(number: int) -> bytes:
        return msgspec.json.encode(try_version(assignment, oracle, versions[number]))

    found: dict[int, Tried] = {}
    for number, answer in in_forks(work, len(versions), seconds=seconds, workers=workers):
        if isinstance(answer, Ended):
            cases = [f"{version}: any" for version in versions[number].exercises[:1]]
            found[number] = Tried(killed=True, endless=answer.endless, raised=not answer.endless, cases=cases)
        else:
            found[number] = msgspec.json.decode(answer, type=Tried)
        progress(len(found))
    return [found[number] for number in range(len(versions))]


class Rightness(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge made of something right, of one exercise."""

    who: str
    exercise: str
    checks: int
    not_passed: list[str]
    """Checks that did not pass, with what was found."""
    margin: float
    """Largest error / allowed among those that were compared with the reference."""
    nearest: str
    """What that was."""
    seconds: float = 0.0


def try_right(
    assignment: Assignment,
    rights: Mapping[str, Callable[[], Evaluator]],
    seeds: Sequence[int],
    *,
    seconds: float = 300.0,
    workers: int = 1,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Rightness]:
    """Judge what is right under many seeds, from which *all* cases are drawn; an entry an exercise, seed and solution.

    Args:
        assignment: what is judged.
        rights: solutions by name, which share a seed's expected values.
        seeds: each in place of the assignment's own.
        seconds: of CPU time for all of them under one seed.
        workers: forks at once.
        progress: called with the number of seeds done.

    Raises:
        MachineError: no fork can be made.
    """

    def work(number: int) -> bytes:
        seeded = replace(assignment, seed=seeds[number])
        oracle = Oracle(seeded)
        found = [each for name, right in rights.items() for each in rightness(seeded, oracle, right(), name)]
        return msgspec.json.encode(found)

    found: list[Rightness] = []
    answers = in_forks(work, len(seeds), seconds=seconds, workers=workers)
    for done, (number, answer) in enumerate(answers, start=1):
        if isinstance(answer, Ended):
            told = f"seed {seeds[number]}: {'it does not end' if answer.endless else 'it ended its process'}"
            found.append(
                Rightness(who=", ".join(rights), exercise="", checks=1, not_passed=[told], margin=0.0, nearest="")
            )
        else:
            found += msgspec.json.decode(answer, type=list[Rightness])
        progress(done)
    return found


def rightness(assignment: Assignment, oracle: Oracle, evaluator: Evaluator, who: str = "") -> list[Rightness]:
    """Judge something right, here, exercise by exercise."""
    session, found = Session(_as_handed_in(assignment), evaluator, oracle), []
    np.random.seed(assignment.seed % (1 << 32))
    with quietly():
        warnings.simplefilter("ignore")
        for exercise in assignment.exercises:
            start = time.process_time()
            checks = list(judged(session, exercise))
            margin, nearest = _margin(checks)
            found.append(
                Rightness(
                    who=who,
                    exercise=exercise.name,
                    checks=len(checks),
                    not_passed=[_told(assignment, check) for check in checks if check.verdict is not Verdict.PASSED],
                    margin=margin,
                    nearest=nearest,
                    seconds=time.process_time() - start,
                )
            )
    return found


def _margin(checks: Sequence[Check]) -> tuple[float, str]:
    shares = [
        (result.error / result.allowed, f"{name} in {check.case}")
        for check in checks
        for name, result in check.comparisons
        if result.passed and result.error and result.allowed
    ]
    return max(shares, default=(0.0, ""))


def _told(assignment: Assignment, check: Check) -> str:
    headline = check.findings[0].headline if check.findings else check.status.value
    whose = "" if check.verdict is Verdict.FAILED else f" ({check.verdict.value}: the {check.fault})"
    return f"{check.exercise} / {check.aspect}, case {check.case}, seed {assignment.seed}: {headline}{whose}"


def seconds_for(found: Mapping[str, float]) -> float:
    """CPU time that a version may take, from what the right one takes an exercise."""
    return max(LEAST_SECONDS, SLOWER * max(found.values(), default=0.0))
