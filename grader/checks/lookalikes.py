"""What the worked solution gives with one small mistake in it: a catalogue of known slips that nobody has to write.

A student's wrong function is often the right one with one small change. So the mutants of the worked solution
(grader.mutants) are asked what the student was asked, here: it is the course's own code, and it never goes near a
student's process. The first that is asked is the solution as it is; where that does not give the reference's values,
nothing is learned from its mutants.

A mutant may never end. So each loop counts its rounds, and so many are allowed: the same mutant ends in the same way on
every machine, and there is no clock. What all of a case's mutants may take together is bounded too, by a clock that
only a very large case comes to see; such a case has no catalogue at all rather than a part of one.

Of NumPy's arrays and torch's on the CPU, and of all kinds but two: a mask of dropout is a draw, and an engine is many
small functions with one name. A training has a catalogue where it is a few steps long.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import reduce
from types import CodeType
from typing import Any, Final

import numpy as np

from grader.assignment import Assignment, Exercise, Kind
from grader.calls import Profile
from grader.cases import Case
from grader.errors import CourseError
from grader.mutants import Mutant, mutants
from grader.numerics.comparison import compare
from grader.numerics.tolerance import tolerance_for
from grader.numerics.trees import map_leaves, named_leaves
from grader.reference import Expected, Oracle
from grader.sandbox.adapting import adapted
from grader.sandbox.profiles import kit_of

__all__ = ["Lookalike", "first_state", "lookalikes"]

MOST: Final = 500
"""Mutants that are asked in a case; those of the exercise's own functions first."""
ROUNDS: Final = 20_000
"""Of all loops, that an answer may take."""
SECONDS: Final = 10.0
"""Of CPU time for all mutants in a case."""
BYTES: Final = 64 << 20
"""Of what they give in a case."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lookalike:
    """A mutant that gives something else than the right solution, and what it gives."""

    mutant: Mutant
    made: Expected


class _EndlessError(Exception):
    """A loop that goes on and on."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Solution:
    """A worked solution that can be run with another definition in it."""

    code: CodeType
    adapter: bytes | None
    calls: dict[str, frozenset[str]]
    """Functions and classes of the file that each of them uses."""
    profile: Profile

    def reached(self, names: Sequence[str], *, but: Set[str]) -> list[str]:
        """These and all that they use, nearest first; not through `but`."""
        found = [name for name in dict.fromkeys(name.partition(".")[0] for name in names) if name in self.calls]
        for name in found:
            found += [other for other in sorted(self.calls[name] - but) if other not in found]
        return found

    def functions(self, other: CodeType | None = None) -> dict[str, Any]:
        """Its functions and the adapter's, by name, with another definition in the place of its own."""
        names: dict[str, Any] = {"__name__": "solution", "_round": _counter()}
        exec(self.code, names)
        if other is not None:
            exec(other, names)
        return names if self.adapter is None else names | adapted(self.adapter, names)

    def lent(self, tree: Any) -> Any:
        """A copy of it in arrays of the solution's library."""
        give = kit_of(self.profile).give
        return map_leaves(lambda leaf: give(leaf) if isinstance(leaf, np.ndarray) else leaf, tree)


def lookalikes(oracle: Oracle, exercise: Exercise, case: Case) -> Sequence[Lookalike]:
    """What the mutants of the worked solution make of a case; empty where nothing can be learned from them."""
    return oracle.once(("lookalikes", exercise.reference, case.key), lambda: _made(oracle, exercise, case))


def _made(oracle: Oracle, exercise: Exercise, case: Case) -> Sequence[Lookalike]:
    if exercise.kind in (Kind.DROPOUT, Kind.ENGINE):
        return ()
    solution = oracle.once("solution", lambda: _solution(oracle.assignment))
    if solution is None:
        return ()
    expected = oracle.expected(exercise, case)
    start = time.process_time()
    right = _asked(solution, None, exercise, case, expected)
    spent = time.process_time() - start
    if right is None or not _same(right, expected):
        return ()
    codes = oracle.once(("mutants", exercise.name), lambda: list(_codes(oracle.assignment, solution, exercise)))
    if exercise.kind is Kind.TRAINING and len(codes) * spent > SECONDS:  # it would not come to an end in time
        return ()
    found, size, start = list[Lookalike](), 0, time.process_time()
    for mutant, code in codes:
        made = _asked(solution, code, exercise, case, expected)
        if made is not None and not _same(made, expected):
            found.append(Lookalike(mutant=mutant, made=made))
            size += sum(np.asarray(leaf).nbytes for leaf in _arrays(made).values())
        if size > BYTES or time.process_time() - start > SECONDS:
            return ()
    return found


def _solution(assignment: Assignment) -> _Solution | None:
    """None where there is none, or none that can be run here."""
    if assignment.solution is None or assignment.profile not in (Profile.NUMPY, Profile.TORCH):
        return None
    tree = ast.parse(assignment.solution.read_bytes())
    top = {node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    calls = {
        name: frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in top and n.id != name)
        for name, node in top.items()
    }
    return _Solution(code=_counting(tree), adapter=assignment.adapter, calls=calls, profile=assignment.profile)


def _codes(assignment: Assignment, solution: _Solution, exercise: Exercise) -> Iterator[tuple[Mutant, CodeType]]:
    """The mutants of an exercise, compiled. Those of an engine that it uses are told of in the engine's exercises."""
    assert assignment.solution is not None
    engines = {other.functions["engine"] for other in assignment.exercises if other.kind is Kind.ENGINE}
    reached = solution.reached(exercise.writes, but=engines)
    try:
        every = mutants(assignment.solution.read_text(encoding="utf-8"), reached)
    except CourseError:
        return
    # Stable: of one function in the order of the file.
    nearest = sorted(every, key=lambda mutant: reached.index(mutant.function.partition(".")[0]))
    for mutant in nearest[:MOST]:
        try:
            yield mutant, _counting(ast.parse(mutant.definition))
        except SyntaxError:  # a change that is none of this language
            continue


def _counting(tree: ast.Module) -> CodeType:
    """The code of a file whose loops count their rounds."""
    tick = ast.parse("_round()").body
    for node in list(ast.walk(tree)):
        if isinstance(node, (ast.For, ast.While)):
            node.body = [*tick, *node.body]
    return compile(ast.fix_missing_locations(tree), "solution", "exec", dont_inherit=True)


def _counter() -> Any:
    rounds = iter(range(ROUNDS))

    def count() -> None:
        if next(rounds, None) is None:
            raise _EndlessError

    return count


def _asked(
    solution: _Solution, other: CodeType | None, exercise: Exercise, case: Case, expected: Expected
) -> Expected | None:
    """What the solution gives with another definition in it; None where it raises, or gives no arrays."""
    try:
        made = _answer(solution, solution.functions(other), exercise, case, expected)
        numbers = [np.asarray(leaf) for leaf in _arrays(made).values()]
    except Exception:  # whatever a mutant raises is no fault of anybody's
        return None
    return made if all(array.dtype.kind in "biuf" for array in numbers) else None


def _answer(
    solution: _Solution, functions: dict[str, Any], exercise: Exercise, case: Case, expected: Expected
) -> Expected:
    args = solution.lent(case.args)

    def asked(role: str) -> Any:
        first, *rest = exercise.functions[role].split(".")
        return reduce(getattr, rest, functions[first])

    match exercise.kind:
        case Kind.FUNCTION:
            return Expected(value=_copied(asked("function")(*args)), gradients={})
        case Kind.LOSS:
            value, gradients = asked("loss")(*args)
            return Expected(value=_copied(value), gradients=_by_input(exercise, gradients))
        case Kind.STEP:
            return _steps(solution, asked("step"), exercise, case, expected)
        case Kind.TRAINING:
            params, losses = asked("train")(*args)
            return Expected(value=np.asarray(losses), gradients={}, trajectory=(_copied(params),))
        case _:
            several = len(exercise.outputs)
            *results, cache = asked("forward")(*args)
            value = results[0] if several == 1 else tuple(results[:several])
            kept = _copied(value)  # the backward may write into it
            upstream = solution.lent(case.upstream if several > 1 else (case.upstream,))
            gradients = asked("backward")(*upstream, cache)
            return Expected(value=kept, gradients=_by_input(exercise, gradients))


def _by_input(exercise: Exercise, gradients: Any) -> dict[str, Any]:
    names = exercise.gradients
    one = len(names) == 1 and not (isinstance(gradients, tuple) and len(gradients) == 1)
    return dict(zip(names, _copied([gradients] if one else gradients), strict=True))


def _steps(solution: _Solution, function: Any, exercise: Exercise, case: Case, expected: Expected) -> Expected:
    params, *rest = solution.lent(list(case.args))
    state = solution.lent(first_state(expected.states[0])) if exercise.state else {}
    trajectory, states = [], []
    for update in case.updates:
        made = function(params, solution.lent(update), *([state] if exercise.state else []), *rest)
        params, state = made if exercise.state else (made, {})
        trajectory.append(_copied(params))
        states.append(_copied(state))
    return Expected(value=expected.value, gradients={}, trajectory=tuple(trajectory), states=tuple(states))


def first_state(after: Mapping[str, Any]) -> dict[str, Any]:
    """An optimizer's state before the first step: zeros, or 0 for a count, an int as a student would write it."""

    def zero(value: Any) -> Any:
        return 0 if isinstance(value, np.ndarray) and value.ndim == 0 else map_leaves(np.zeros_like, value)

    return {field: zero(value) for field, value in after.items()}


def _copied(tree: Any) -> Any:
    """A copy in NumPy's arrays."""

    def copied(leaf: Any) -> Any:
        if hasattr(leaf, "detach"):
            return leaf.detach().numpy().copy()
        return leaf.copy() if isinstance(leaf, np.ndarray) else leaf

    return map_leaves(copied, tree)


def _arrays(made: Expected) -> dict[str, Any]:
    """All that there is, by name: a student's dict may have its keys in another order than the reference's."""
    trees = [made.value, dict(made.gradients), list(made.trajectory), list(map(dict, made.states))]
    return dict(named_leaves(trees))


def _same(made: Expected, expected: Expected) -> bool:
    """Whether a mutant, or the solution, gives what is right."""
    ours, theirs = _arrays(made), _arrays(expected)
    return ours.keys() == theirs.keys() and all(
        _alike(np.asarray(ours[name], dtype=np.float64), np.asarray(theirs[name], dtype=np.float64)) for name in theirs
    )


def _alike(one: Any, right: Any) -> bool:
    if one.shape != right.shape:
        return False
    return not right.size or compare(one, right, tolerance_for(right, np.float64, scale=1.0)).passed
