"""The assignment: what is graded, for how many points, on which inputs.

An Assignment holds Exercises; an Exercise has a kind, which fixes its functions and its *aspects* (what is checked
about them), and a set of cases. A Part is what earns points: each aspect is a part of its own, unless a case says
`part = "stable"`, which moves all checks of that case to that part. The points possible are known here, before any
student code is looked at, and nothing that happens later changes them.

What the manifest may say is explained, key by key, in grader.manifest.
"""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import msgspec

from grader.calls import Profile, Source
from grader.operations import GraphSpec
from grader.settings import Setting
from grader.sizes import Formula

__all__ = [
    "ArraySpec",
    "Assignment",
    "CaseSpec",
    "Draw",
    "Exercise",
    "Feedback",
    "Kind",
    "Limits",
    "Part",
    "Scalar",
    "named_specs",
]

Scalar = bool | int | float
JUDGE_MB = 512
"""Memory that grading takes beside the submission's own: torch for the reference, NumPy or torch for the zygote.
tests/benchmarks/test_bundles.py measures it."""
ZYGOTE_MB = 256
LEAST_MB = 64


class Kind(StrEnum):
    """What an exercise asks for; fixes the student's functions and the aspects that are checked."""

    FUNCTION = "function"
    LAYER = "layer"
    LOSS = "loss"
    STEP = "step"
    MODEL = "model"
    TRAINING = "training"
    DROPOUT = "dropout"
    ENGINE = "engine"

    @property
    def roles(self) -> tuple[str, ...]:
        """Keys of the manifest that name the student's functions."""
        return _ROLES[self]

    @property
    def aspects(self) -> tuple[str, ...]:
        """What is checked, one check a case and aspect; also the names of the parts."""
        return _ASPECTS[self]


_ROLES = {
    Kind.FUNCTION: ("function",),
    Kind.LAYER: ("forward", "backward"),
    Kind.LOSS: ("loss",),
    Kind.STEP: ("step",),
    Kind.MODEL: ("forward", "backward"),
    Kind.TRAINING: ("train",),
    Kind.DROPOUT: ("forward", "backward"),
    Kind.ENGINE: ("engine",),
}
_ASPECTS = {
    Kind.FUNCTION: ("value",),
    Kind.LAYER: ("forward", "backward"),
    Kind.LOSS: ("value", "gradient"),
    Kind.STEP: ("step",),
    Kind.MODEL: ("forward", "backward"),
    Kind.TRAINING: ("trajectory", "result"),
    Kind.DROPOUT: ("forward", "backward", "test"),
    Kind.ENGINE: ("value", "gradient"),
}


class Feedback(StrEnum):
    """How much of what was found a student is told, from all to least (grader.report.feedback says exactly what)."""

    FULL = "full"
    """Everything: the worst element with both values, the pattern, the likely cause."""
    HINT = "hint"
    """What is wrong and the likely cause; no value and no number of elements."""
    VERDICT = "verdict"
    """Which checks did not pass, and how they ended."""

    def at_most(self, other: Feedback) -> Feedback:
        """The lesser of two."""
        levels = list(Feedback)
        return max(self, other, key=levels.index)


class Draw(StrEnum):
    """How an input is drawn (grader.cases says exactly what each gives)."""

    NORMAL = "normal"
    UNIFORM = "uniform"
    PROBABILITY = "probability"
    DISTINCT = "distinct"
    MASK = "mask"
    CLASSES = "classes"
    SPARSE = "sparse"
    TIES = "ties"
    NEAR_KINK = "near_kink"
    TINY = "tiny"
    HUGE = "huge"
    EXTREME = "extreme"
    ZEROS = "zeros"
    ONES = "ones"
    POSITIVE = "positive"
    IGNORED = "ignored"
    DATA = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArraySpec:
    """One input array: its axes by name and how it is drawn."""

    axes: tuple[str, ...]
    draw: Draw = Draw.NORMAL
    scale: float = 1.0
    shift: float = 0.0
    """Added to what is drawn and scaled."""
    of: str | None = None
    """For classes and ignored: the axis whose size is the number of classes."""
    field: str | None = None
    """For data: the field of the .npz."""

    @property
    def differentiable(self) -> bool:
        """Whether a gradient with respect to it makes sense."""
        return self.draw not in (Draw.CLASSES, Draw.IGNORED, Draw.MASK, Draw.DATA)


MAX_LIMIT = 10_000_000
"""Of any limit: 115 days, 10 TB of memory. What is larger, or infinite, the system's own calls don't take."""


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one submission may use.

    Seconds are CPU time where the code computes and the clock where it waits; time in which the machine was busy with
    something else does not count.
    """

    call_seconds: float = 10.0
    """Of one call."""
    load_seconds: float = 20.0
    """Of loading the file, each time a process does so."""
    total_seconds: float = 300.0
    """Of everything."""
    output_bytes: int = 65536
    """Of what is printed, that are kept; printing more costs nothing."""
    memory_mb: int = 2048
    """Private memory of its process, on top of what every process has."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if not 0 < getattr(self, name) <= MAX_LIMIT:
                raise ValueError(f"{name} must be larger than 0, and at most {MAX_LIMIT}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSpec:
    """A case as the manifest declares it, before anything is drawn."""

    name: str
    sizes: Mapping[str, int | tuple[int, int]]
    draw: Mapping[str, ArraySpec]
    """Inputs, by dotted name, that this case draws in another way."""
    arguments: Mapping[str, Scalar]
    part: str | None = None
    hidden: bool = False
    accuracy: float | None = None
    loss: float | None = None
    graph: GraphSpec | None = None
    """Engine: what is drawn instead of inputs."""
    also_on: bool = True
    """Whether it is asked in the further settings too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What earns points: some checks of one exercise, as (case, aspect) pairs in order."""

    exercise: str
    name: str
    points: Fraction
    checks: tuple[tuple[CaseSpec, str], ...]
    """In the main setting."""
    also_on: tuple[tuple[Setting, Fraction], ...] = ()
    """Further settings, each with its share of the points; the main one has the rest."""

    @property
    def also_asked(self) -> tuple[tuple[CaseSpec, str], ...]:
        """The checks that are made in each further setting."""
        return tuple((case, aspect) for case, aspect in self.checks if case.also_on) if self.also_on else ()

    @property
    def planned(self) -> Iterator[tuple[Setting | None, CaseSpec, str]]:
        """Every check in order, first those of the main setting (None)."""
        yield from ((None, *check) for check in self.checks)
        yield from ((setting, *check) for setting, _ in self.also_on for check in self.also_asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """One thing to implement: a function, a layer, a loss, a step, a model, a training loop or an engine."""

    name: str
    kind: Kind
    functions: Mapping[str, str]
    """What is called for each role of the kind: the student's function, or the adapter's."""
    writes: tuple[str, ...]
    """The student's functions and classes that are asked for."""
    reference: str
    """Of an engine empty: it is torch.autograd itself."""
    also_right: tuple[str, ...] = ()
    """References beside the first that are right too."""
    evaluate: str | None
    inputs: Mapping[str, Any]
    """Trees of ArraySpec by name, in the order of the arguments."""
    outputs: tuple[tuple[str, ...], ...]
    """Axes of each result of a forward; one of several is a list of them in the manifest."""
    derived: Mapping[str, Formula]
    """Sizes of axes that follow from others and from whole-numbered arguments."""
    gradients: tuple[str, ...]
    arguments: Mapping[str, Scalar]
    steps: int
    state: Mapping[str, str]
    mutation: Literal["warn", "fail"]
    follow_through: Fraction
    feedback: Feedback
    cases: tuple[CaseSpec, ...]
    parts: tuple[Part, ...]
    outside: Mapping[str, tuple[Draw, ...]] = field(default_factory=dict)
    """Draws of inputs, by dotted name, that the statement leaves out; cases have none of them."""

    @property
    def output(self) -> tuple[str, ...]:
        """Axes of the result where there is one; where there are several, what is said of one does not apply."""
        return self.outputs[0] if len(self.outputs) == 1 else ()

    def part(self, name: str) -> Part:
        """The part of this name.

        Raises:
            KeyError: there is none.
        """
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A topic's exercises, with the points fixed."""

    name: str
    title: str
    file: str
    seed: int
    limits: Limits
    profile: Profile
    exercises: tuple[Exercise, ...]
    manifest: Path = field(compare=False)
    reference: Path = field(compare=False)
    solution: Path | None = field(compare=False)
    data: Path | None = field(compare=False)
    adapter: bytes | None = field(default=None, compare=False)
    """Course code that runs beside the student's and turns their signatures into those of the kinds."""
    more_files: tuple[str, ...] = ()
    """Further files that students edit, by their paths in the folder of `file`."""
    one_slip_costs_once: bool = True
    """Whether what calls a wrong function is judged once more, with the calls answered (grader.answering)."""
    package: str = ""
    """What imports between them call that folder; empty if it has no name."""
    given: Mapping[str, bytes] = field(default_factory=dict, compare=False)
    """Modules of the course, by name, for where a submission hasn't got them."""
    slips: Path | None = field(default=None, compare=False)
    """Known wrong references (grader.slips)."""
    digest: str = ""
    """SHA-256 of manifest, reference, slips, course code, data: what a result depends on, but for submission, seed."""

    def only(self, patterns: Sequence[str]) -> Assignment:
        """The same with those of its exercises alone whose names match one of these patterns (conv*); the points too.

        Raises:
            ValueError: a pattern matches none.
        """
        names = [exercise.name for exercise in self.exercises]
        for pattern in patterns:
            if not fnmatch.filter(names, pattern):
                raise ValueError(f"no exercise is named {pattern!r}; there are {', '.join(map(repr, names))}")
        kept = {name for pattern in patterns for name in fnmatch.filter(names, pattern)}
        digest = hashlib.sha256("\0".join([self.digest, *sorted(kept)]).encode()).hexdigest()
        exercises = tuple(exercise for exercise in self.exercises if exercise.name in kept)
        return replace(self, exercises=exercises, digest=digest)

    def fitted(self, *, seconds: float | None = None, memory_mb: int | None = None) -> Assignment:
        """The same with limits that fit a machine: never more than the assignment's own, and the judge has room.

        A third of the time is the submission's own: on half a CPU that is two thirds by the clock. Whoever uses it up
        is told so as of any limit, before the machine's time is over, for which nobody is to blame.

        Args:
            seconds: until everything must be done, by the clock.
            memory_mb: that the machine has in all.

        Raises:
            ValueError: there is no room for a submission.
        """
        limits = self.limits
        if seconds is not None:
            limits = msgspec.structs.replace(limits, total_seconds=min(limits.total_seconds, seconds / 3))
        if memory_mb is not None:
            further = {setting.profile for setting in self.settings} - {self.profile}  # each has a zygote
            taken = JUDGE_MB + ZYGOTE_MB * len(further)
            left = memory_mb - taken
            if left < LEAST_MB:
                raise ValueError(f"{memory_mb} MB are too few: gradmark takes {taken}, a submission {LEAST_MB}")
            limits = msgspec.structs.replace(limits, memory_mb=min(limits.memory_mb, left))
        return replace(self, limits=limits)

    def with_course_code(self, handed_in: Source) -> Source:
        """A submission with what runs beside it."""
        return replace(handed_in, adapter=self.adapter, given=self.given)

    @property
    def setting(self) -> Setting:
        """The main one."""
        return Setting(self.profile)

    @property
    def settings(self) -> tuple[Setting, ...]:
        """All in which something is asked, the main one first."""
        return tuple(dict.fromkeys([self.setting, *(setting for part in self.parts for setting, _ in part.also_on)]))

    @property
    def files(self) -> str:
        """The files that students edit, for a message."""
        return f"{self.file} or another file that is graded" if self.more_files else self.file

    @property
    def points(self) -> Fraction:
        """Points possible."""
        return sum((part.points for part in self.parts), Fraction(0))

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts in order."""
        return tuple(part for exercise in self.exercises for part in exercise.parts)

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of all functions and classes that students write."""
        return tuple(dict.fromkeys(name for exercise in self.exercises for name in exercise.writes))

    def exercise(self, name: str) -> Exercise:
        """The exercise of this name.

        Raises:
            KeyError: there is none.
        """
        for exercise in self.exercises:
            if exercise.name == name:
                return exercise
        raise KeyError(name)


def named_specs(name: str, tree: Any) -> Iterator[tuple[str, ArraySpec]]:
    """Leaves of a tree of ArraySpec with dotted names, as `draw` names them: x, params.W1, layers.0."""
    if isinstance(tree, ArraySpec):
        yield name, tree
    else:
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from named_specs(f"{name}.{key}", value)
