"""The judge's side of a conversation with a student's code: calls out, values or findings back."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, assert_never

import numpy as np

from grader.assignment import Limits
from grader.calls import (
    Call,
    Elsewhere,
    Evaluator,
    Kept,
    Killed,
    Loaded,
    Malformed,
    Missing,
    NotAnswered,
    Noticed,
    Opaque,
    Outcome,
    Raised,
    Returned,
    Rung,
    TimedOut,
)
from grader.cases import rounded
from grader.checks.traps import mend
from grader.findings import Fault, Finding, FindingCode, Status
from grader.graphs import Graph
from grader.numerics.trees import leaves, map_leaves
from grader.settings import Precision

__all__ = ["Student", "Unanswered", "finding", "size_of"]

ROOM = 1 << 20
"""Bytes that a reply may always have. A wrong shape (an unreduced sum, say) is to be named, not cut off."""


_NO_MEMORY = ("MemoryError", "_ArrayMemoryError", "OutOfMemoryError")
_OF_THE_WALL = ("FileNotFoundError", "PermissionError")
_WALL = "where this is graded there are no files, no network and no other programs: work with the arguments alone"
_IDLE = "it did not compute meanwhile: it sleeps, or waits for input, a lock or a thread"
_PLAIN = frozenset(name for name, value in vars(builtins).items() if isinstance(value, type)) | {
    "AutogradRefused",
    "LinAlgError",
}
"""Names of types that tell nothing."""


class Unanswered(Exception):  # noqa: N818  (not an error: a student's mistake on its way to becoming a finding)
    """A call did not return a value; carries what the student is told."""

    def __init__(self, status: Status, finding: Finding, exception: BaseException | None = None) -> None:
        super().__init__(finding.headline)
        self.status = status
        self.finding = finding
        self.exception = exception


def finding(code: FindingCode, /, *, fault: Fault = Fault.STUDENT, **fields: Any) -> Finding:
    """Finding with its headline filled in; fields of Finding itself (worst, likely, ...) are taken as they are."""
    own = {name: fields.pop(name) for name in tuple(fields) if name in Finding.__dataclass_fields__}
    return Finding(code=code, fault=fault, headline=code.value.format(**fields), **own)


def size_of(*trees: Any) -> int:
    """Bytes of the arrays in these trees."""
    sizes = [np.asarray(leaf).nbytes for tree in trees for leaf in leaves(tree)]
    return sum(sizes)


@dataclass(slots=True, eq=False)
class Student:
    """A student's functions, as the checks see them."""

    evaluator: Evaluator
    limits: Limits
    file: str
    """Name of the file that students edit, for messages."""
    precision: Precision = Precision.FLOAT64
    """What floating-point arrays are handed over in. They hold such numbers already (Case.rounded)."""
    hide_values: bool = False
    """A hidden case: the student's own words (an exception's text, a key) could tell what the arrays hold."""
    known: frozenset[str] = frozenset()
    """Keys that may be repeated to the student all the same: those of the exercise."""
    calls: int = 0
    changed: dict[tuple[str, str, int], None] = field(default_factory=dict)
    """(function that wrote, function whose argument it is, position) of what was written into, in order."""
    seconds: float = 0.0
    overflowed: str = ""
    """Function that printed more than is kept, in this check for the first time."""
    explained: set[tuple[str, str, FindingCode]] = field(default_factory=set)
    """(exercise, part, code) of the failures for which a small example was looked for."""
    _told: bool = False
    noticed: Noticed | None = None
    """Of the calls that were watched, the first evidence of a numerical derivative."""
    not_answered: bool = False
    """A call ended because one of its own could not be answered in a function's stead."""
    waits: dict[tuple[str, str], None] = field(default_factory=dict)
    """(function, where it waits for the GPU), of this check and not of an earlier one."""
    _waited: set[str] = field(default_factory=set)
    _slots: int = 0
    _kept_by: dict[int, str] = field(default_factory=dict)

    def start(self, *, hide_values: bool, known: frozenset[str] = frozenset()) -> None:
        """Begin a check: forget the counts of the one before."""
        self.hide_values, self.known = hide_values, known
        self.calls, self.seconds, self.changed, self.overflowed, self.noticed = 0, 0.0, {}, "", None
        self.not_answered = False
        self.waits = {}
        self._slots, self._kept_by = 0, {}  # a check asks the same whatever was asked before it

    def value(self, function: str, *args: Any, like: int = 0, watch: bool = False) -> Any:
        """What the function returns; `like` is the size in bytes of what is expected. `watch` as in Call.

        Raises:
            Unanswered: it did not return.
        """
        call = self._call(function, args, like, watch=watch)
        return self._answer(call, self.evaluator.call(call))

    def graph(self, kind: str, graph: Graph, *, like: int = 0, watch: bool = False) -> Any:
        """What the student's class gives for a graph, as grader.sandbox.engine returns it.

        Raises:
            Unanswered: it did not return.
        """
        call = self._call(kind, (*graph.leaves, *graph.gradients), like, watch=watch)
        call = replace(call, program=graph.program)
        return self._answer(call, self.evaluator.call(call))

    def pair(self, function: str, *args: Any, like: int = 0, results: int = 1) -> tuple[Any, Kept]:
        """What the function returns before its cache, several results as a tuple; the cache stays on their side."""
        (answer,) = self.pairs(function, [args], like=like, results=results)
        return answer()

    def values(self, function: str, every: Sequence[Sequence[Any]], *, like: int = 0) -> Iterator[Callable[[], Any]]:
        """For each of these arguments in order what gives the value, or raises Unanswered as `value` does."""
        yield from self._answers([self._call(function, args, like) for args in every])

    def pairs(
        self, function: str, every: Sequence[Sequence[Any]], *, like: int = 0, results: int = 1
    ) -> Iterator[Callable[[], tuple[Any, Kept]]]:
        """For each of these arguments in order what gives the pair, or raises Unanswered as `pair` does."""
        first = self._slots + 1
        self._slots += len(every)
        calls = [
            replace(self._call(function, args, like, keep=slot), results=results)
            for slot, args in enumerate(every, start=first)
        ]
        for slot, answer in enumerate(self._answers(calls), start=first):
            yield lambda answer=answer, slot=slot: (answer(), Kept(slot))  # type: ignore[misc]

    def _call(
        self, function: str, args: Sequence[Any], like: int, *, keep: int | None = None, watch: bool = False
    ) -> Call:
        return Call(
            function=function,
            args=tuple(args if self.precision is Precision.FLOAT64 else map(self._given, args)),
            keep=keep,
            precision=self.precision if self.precision in (Precision.BFLOAT16, Precision.TF32) else "",
            seconds=self.limits.call_seconds,
            max_bytes=ROOM + 16 * max(like, size_of(*(arg for arg in args if not isinstance(arg, Kept)))),
            watch=watch and self.precision is Precision.FLOAT64,  # with fewer digits differences give no gradient
        )

    def _given(self, arg: Any) -> Any:
        """An argument with its float64 arrays in the precision; bfloat16 crosses over as float32."""

        def leaf(value: Any) -> Any:
            coarse = isinstance(value, np.ndarray) and value.dtype == np.float64
            return rounded(value, self.precision).astype(np.float32) if coarse else value

        return map_leaves(leaf, arg)

    def _answers(self, calls: Sequence[Call]) -> Iterator[Callable[[], Any]]:
        for call, outcome in zip(calls, self.evaluator.calls(calls), strict=False):  # an end ends them all
            yield partial(self._answer, call, outcome)

    def _answer(self, call: Call, outcome: Outcome) -> Any:
        self.calls += 1
        if not self._told and self.evaluator.overflowed:
            self._told, self.overflowed = True, call.function
        if not isinstance(outcome, Returned):
            self.not_answered = isinstance(outcome, Raised) and outcome.kind == NotAnswered.__name__
            raise self._unanswered(call.function, outcome)
        self.seconds += outcome.seconds
        self.noticed = self.noticed or outcome.noticed
        self._note_waits(call.function, outcome)
        self._note_changes(call.function, call.args, call.keep, outcome)
        return _hushed_value(outcome.value, self.known) if self.hide_values else outcome.value

    def _note_changes(self, function: str, args: tuple[Any, ...], keep: int | None, outcome: Returned) -> None:
        for position in outcome.changed:
            self.changed[function, function, position] = None
        earlier = next((self._kept_by.pop(arg.slot, "") for arg in args if isinstance(arg, Kept)), "")
        for position in outcome.changed_earlier:
            self.changed[function, earlier, position] = None
        if keep is not None:
            self._kept_by[keep] = function

    def _note_waits(self, function: str, outcome: Returned) -> None:
        for where in outcome.waits:
            if where not in self._waited:
                self._waited.add(where)
                self.waits[function, where] = None

    def _problems(self) -> Loaded | None:
        outcome = self.evaluator.load()
        return outcome if isinstance(outcome, Loaded) else None

    def _unanswered(self, function: str, outcome: Outcome) -> Unanswered:
        known = (outcome.cause or mend(outcome.kind, outcome.message)) if isinstance(outcome, Raised) else ""
        match _hushed(outcome) if self.hide_values else outcome:
            case Raised(kind="NotImplementedError") as raised:
                text = raised.message or f"{function} is not written yet"
                return Unanswered(Status.FAILED, finding(FindingCode.NOT_WRITTEN, problem=text), raised.exception)
            case Raised() as raised:
                return Unanswered(Status.FAILED, self._raised(function, raised, known), raised.exception)
            case TimedOut(seconds=seconds, idle=idle):
                told = finding(FindingCode.TIMED_OUT, function=function, seconds=seconds, likely=_IDLE if idle else "")
                return Unanswered(Status.TIMED_OUT, told)
            case Killed(reason=reason, used_up=True):
                told = finding(FindingCode.TIME_USED_UP, function=function, problem=reason)
                return Unanswered(Status.TIMED_OUT, told)
            case Killed(reason=reason):
                return Unanswered(Status.KILLED, finding(FindingCode.KILLED, function=function, problem=reason))
            case Malformed(problem=problem):
                return Unanswered(Status.FAILED, finding(FindingCode.MALFORMED, function=function, problem=problem))
            case Missing(function=name):  # an adapter's word for which one, where it may be repeated
                named = function if self.hide_values and name not in self.known else name
                return Unanswered(Status.FAILED, _missing(named, self.file, self._problems()))
            case Returned():
                raise AssertionError("a call that returned was answered")
            case _:
                assert_never(outcome)

    def _raised(self, function: str, raised: Raised, likely: str) -> Finding:
        if raised.kind in _NO_MEMORY:
            megabytes = self.limits.memory_mb
            return finding(FindingCode.OUT_OF_MEMORY, function=function, megabytes=megabytes, detail=raised.traceback)
        first, *more = raised.message.splitlines() or [""]
        walled = raised.kind in _OF_THE_WALL and self.evaluator.isolation.wall is not Rung.NONE
        return finding(
            FindingCode.RAISED,
            function=function,
            problem=f"{raised.kind}: {first}" if first else raised.kind,
            detail="\n".join(filter(None, [*more, raised.traceback])),
            likely=_WALL if walled else likely,
        )


def _hushed(outcome: Outcome) -> Outcome:
    """The outcome without what the student's code chose to say."""
    if isinstance(outcome, Raised):
        return replace(outcome, message="", kind=outcome.kind if outcome.kind in _PLAIN else "an exception")
    if isinstance(outcome, Malformed):
        return replace(outcome, problem=outcome.problem.partition(", it returned ")[0])
    return outcome


def _hushed_value(value: Any, known: frozenset[str]) -> Any:
    """The value without names that the student's code chose: types of its own, keys that are not the exercise's."""
    if isinstance(value, dict):
        names = (key if key in known else f"key {number}" for number, key in enumerate(value, start=1))
        return {name: _hushed_value(item, known) for name, item in zip(names, value.values(), strict=True)}
    if isinstance(value, (tuple, list)):
        return type(value)(_hushed_value(item, known) for item in value)
    if isinstance(value, Elsewhere):
        return replace(value, value=_hushed_value(value.value, known), made="")
    if isinstance(value, Opaque) and value.type_name not in _PLAIN:
        return Opaque("its own")
    return value


_UNREAD = re.compile(r"^[^:]*: (Syntax|Indentation|Tab)Error: ")
"""Of a file that doesn't parse, none of whose functions is there."""


def _missing(function: str, file: str, loaded: Loaded | None) -> Finding:
    problems = loaded.problems if loaded else ()
    if loaded and not loaded.functions and problems:
        rest = "\n".join(problems[1:])
        return finding(FindingCode.DOES_NOT_LOAD, file=file, problem=problems[0], detail=rest)
    unread = next(filter(_UNREAD.search, problems), "")
    rest = "\n".join(problem for problem in problems if problem != unread)
    unread = f"{unread}: without it " if unread else ""
    return finding(FindingCode.MISSING_FUNCTION, function=function, file=file, unread=unread, detail=rest)
