"""What a wrong answer is like, where neither pattern nor slip names its cause: the worked solution, but for one thing.

Asked last, for it says least: "as if a minus stood where a plus belongs, in what gives dx". A mutant of the solution
(grader.checks.lookalikes) is claimed by the rule of the known slips: it gives every array that the check compares, the
right ones too. Several mutants often give the same arrays. Where they are one thing in two words, that is said once;
two or three things are told with "or"; more are not told.

The solution stays where it is. What is said comes from the closed table below and holds no name and no number of it,
but the names of functions and arrays that the student is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, assert_never

from grader.checks.lookalikes import Lookalike, lookalikes
from grader.checks.question import Question
from grader.checks.slips import Named, Results, gives, same_value
from grader.errors import OracleError
from grader.findings import Fault, Finding, FindingCode
from grader.mutants import Mutant, MutantKind

__all__ = ["as_if", "described", "likened"]

MOST: Final = 3
"""Things that are told with "or"."""
_NUMBERS: Final = (
    FindingCode.WRONG_VALUE, FindingCode.WRONG_GRADIENT, FindingCode.WRONG_TRAJECTORY, FindingCode.NOT_FINITE,
    FindingCode.NOT_LINEAR_IN_UPSTREAM,
)  # fmt: skip
"""Findings that say that numbers are wrong, and no more."""


def likened(
    question: Question, failure: Finding | None, results: Results, named: Named, out: Any = None
) -> Finding | None:
    """The finding with what the answer is like, if it has no cause yet and is like anything.

    Args:
        question: what is asked.
        failure: what was found.
        results: all arrays that the check compares, the right ones too.
        named: picks these from what a mutant gives.
        out: of a gradient, the student's forward result.
    """
    if failure is None or failure.likely or failure.fault is not Fault.STUDENT or failure.code not in _NUMBERS:
        return failure
    try:
        found = [
            each
            for each in lookalikes(question.oracle, question.exercise, question.case)
            if gives(named(each.made), results) and _fits(question, each, out)
        ]
    except OracleError:  # which the reference's own check tells
        return failure
    wrong = [leaf.name for leaf, _, comparison in results if not comparison.passed]
    return _told(question, failure, [each.mutant for each in found], wrong)


def _fits(question: Question, each: Lookalike, out: Any) -> bool:
    """Whether a mutant of a gradient has the student's forward result."""
    return out is None or same_value(each.made.value, out)


def _told(question: Question, failure: Finding, found: Iterable[Mutant], wrong: list[str]) -> Finding:
    asked = {name.partition(".")[0] for name in question.oracle.assignment.functions}
    own = {name.partition(".")[0] for name in question.exercise.writes}
    things: dict[str, MutantKind] = {}
    for mutant in found:
        name = mutant.function.partition(".")[0]
        where = f"in {name}: " if name in asked - own else ""
        things.setdefault(where + as_if(mutant), mutant.kind)
    if not 1 <= len(things) <= MOST:
        return failure
    likely = f"{'; or '.join(things)}; in what gives {_list(wrong)}"
    kinds = " or ".join(dict.fromkeys(kind.name for kind in things.values()))
    return replace(failure, likely=likely, diagnosis=f"AS_IF {kinds}")


def _list(names: list[str]) -> str:
    if len(names) > 3:
        return f"{names[0]} and {len(names) - 1} more"
    return " and ".join(names)


def described(kind: MutantKind, words: str) -> str:
    """What a mutation is, in words that hold nothing of the code that was mutated."""
    where = re.fullmatch(r"(.+) where (.+) stood", words)
    match kind:
        case MutantKind.SIGN:
            return "a sign were the other one"
        case MutantKind.OPERATOR | MutantKind.FUNCTION if where:
            if {where[1], where[2]} == {"a plus", "a minus"}:
                return "a sign were the other one"
            return f"{where[1]} stood where {where[2]} belongs"
        case MutantKind.ORDER if words.startswith("a minus"):
            return "a sign were the other one"
        case MutantKind.ORDER:
            name = words.partition(" the other way")[0]
            return "two arguments stood in each other's place" if "arguments" in words else f"{name} were turned round"
        case MutantKind.DROPPED:
            return _dropped(words)
        case MutantKind.UNWRAPPED:
            return f"the call of {words.removesuffix(' left out')} were left out"
        case MutantKind.STATEMENT:
            return "a step were left out"
        case MutantKind.COMPARISON:
            return f"a comparison were made {words.removeprefix('compared ')}"
        case MutantKind.CONDITION:
            return "a condition were another one"
        case MutantKind.CONSTANT:
            return "a number in the formula were another one"
        case MutantKind.AXIS if words.startswith("over axis"):
            wrong, _, right = words.removeprefix("over axis ").partition(", not ")
            return f"it went over axis {wrong} where axis {right} belongs"
        case MutantKind.AXIS:
            return f"it went {words}" if words.startswith("over") else "keepdims were the other way"
        case MutantKind.TRANSPOSE:
            return words.replace("a transpose left out", "a transpose were left out").replace(
                "a transpose too many", "there were a transpose too many"
            )
        case MutantKind.INDEX | MutantKind.RANGE:
            return _where_it_goes(words)
        case MutantKind.ACCUMULATION:
            return "what is to be added up were overwritten each time"
        case MutantKind.RESULTS:
            return "two results stood in each other's place"
        case MutantKind.UPSTREAM:
            return "ones stood where the upstream gradient belongs"
        case MutantKind.VARIABLE:
            return "another array or key stood where one belongs"
        case MutantKind.EPSILON:
            return f"epsilon were added {words.rpartition(', ')[2].replace('it', 'the root')}"
        case MutantKind.COUNT:
            return f"it were {words}"
        case MutantKind.OPERATOR | MutantKind.FUNCTION:
            return "another operation stood where one belongs"
        case _:
            assert_never(kind)


def as_if(mutant: Mutant) -> str:
    """`as if a minus stood where a plus belongs`."""
    return f"as if {described(mutant.kind, mutant.words)}"


_PARTS: Final[Mapping[str, str]] = {
    "a plus": "a term",
    "a minus": "a term",
    "a product": "a factor",
    "a matrix product": "a factor",
    "a power": "a power",
}


def _dropped(words: str) -> str:
    half = re.fullmatch(r"the (first|second) half of (.+) dropped", words)
    if half is None:
        return "one choice of where held everywhere"
    if half[2].endswith(("quotient", "remainder")):
        return "a division were left out" if half[1] == "second" else "only the divisor were left"
    part = _PARTS.get(half[2], "a part")
    return f"{part} were left out" if part != "a power" or half[1] == "second" else "only the exponent were left"


def _where_it_goes(words: str) -> str:
    """Of indices, slices and loops: their words hold no names."""
    subject, verb, rest = re.fullmatch(r"(an index|a slice)?(?: that)? ?(begins|ends|goes)?(.*)", words).groups()  # type: ignore[union-attr]
    past = {"begins": "began", "ends": "ended", "goes": "went", None: "were"}[verb]
    return f"{subject or 'a loop'} {past} {rest.strip()}"
