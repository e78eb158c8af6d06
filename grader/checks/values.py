"""Trees of results against the reference's: structure, then shapes, then values, then what the error looks like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

import numpy as np

from grader.calls import Elsewhere, Found, Opaque, Profile
from grader.checks.asking import finding
from grader.findings import Finding, FindingCode
from grader.numerics.comparison import Comparison, Reason, compare
from grader.numerics.diagnosis import Context, Diagnosis, DiagnosisCode, diagnose
from grader.numerics.tolerance import Slack, Tolerance, tolerance_for, tolerance_of
from grader.numerics.trees import leaves, map_leaves, named_leaves, same_structure

__all__ = [
    "Cause",
    "Leaf",
    "compare_leaves",
    "describe_value",
    "expected_leaves",
    "numbers",
    "structure_problem",
    "tell",
]


_WANTED = {
    Profile.NUMPY: "a NumPy array",
    Profile.TORCH: "a torch tensor",
    Profile.PRETEND_CUDA: "a tensor on cuda:0",
    Profile.CUDA: "a tensor on cuda:0",
    Profile.JAX: "a JAX array",
}
VAGUE = frozenset({DiagnosisCode.SHIFTED, DiagnosisCode.MISSING_TERM, DiagnosisCode.REGULARISATION})
"""Patterns whose cause is where to look, in general words: a slip that explains the same says what was done."""
_ON_A_GPU = (Profile.PRETEND_CUDA, Profile.CUDA)
MOST_NAMES = 8
"""Of several arrays, told of one by one; a path of twenty points is not."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leaf:
    """One expected array, how far a right one may lie from it, and what the diagnosis of a wrong one may use."""

    name: str
    expected: np.ndarray[Any, Any]
    tolerance: Tolerance
    axes: tuple[str, ...] = ()
    context: Context | None = field(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What is said of a mistake that explains all arrays of a check at once."""

    pattern: str
    likely: str
    name: str
    """For the report, as a diagnosis is."""
    alone: bool = True
    """No other mistake gives these arrays; else what is known of the first array is said, if anything is."""


def expected_leaves(
    name: str, tree: Any, scale: float = 0.0, noise: float = 0.0, *, slack: Any = None, deep: bool = False
) -> list[Leaf]:
    """Leaves of an expected tree. `slack` is a tree of Slack like it where less is asked than float64 (Expected.slack).

    `scale` is the size of what goes into it: where an expected array is zero throughout, it alone says how large a
    rounding error may be. So does `noise`, where an array is nothing but what rounding leaves of zero beside it.
    `deep` are gradients that came through several layers.
    """
    named = named_leaves(tree, name)
    slacks = leaves(slack) if slack is not None else [None] * len(named)
    return [
        _leaf(label, np.asarray(value), scale, noise, own, deep)
        for (label, value), own in zip(named, slacks, strict=True)
    ]


def _leaf(
    name: str, expected: np.ndarray[Any, Any], scale: float, noise: float, slack: Slack | None, deep: bool
) -> Leaf:
    below = 0.0 if np.any(expected) else scale
    if np.all(np.abs(expected) <= tolerance_for(0.0, np.float64, scale=noise).atol):
        below = max(below, noise)
    if slack is not None:
        return Leaf(name=name, expected=expected, tolerance=tolerance_of(expected, slack, scale=below))
    return Leaf(name=name, expected=expected, tolerance=tolerance_for(expected, np.float64, scale=below, deep=deep))


def structure_problem(actual: Any, expected: Any) -> str | None:
    """How a result's nesting differs from the expected one, in words, or None. A list may stand for a tuple."""
    if same_structure(actual, expected):
        return None
    if isinstance(expected, dict) and isinstance(actual, dict):
        return _wrong_keys(actual, expected) or _inner_problem(actual, expected, expected)
    if isinstance(expected, (tuple, list)) and isinstance(actual, (tuple, list)):
        if len(actual) != len(expected):
            return f"must be {len(expected)} values, it is {len(actual)}"
        return _inner_problem(actual, expected, range(len(expected)))
    return f"must be {describe_value(expected)}, it is {describe_value(actual)}"


def _wrong_keys(actual: dict[str, Any], expected: dict[str, Any]) -> str:
    missing = ", ".join(repr(key) for key in expected if key not in actual)
    extra = ", ".join(repr(key) for key in actual if key not in expected)
    lacks = f"lacks the key {missing}" if missing else ""
    return " and ".join(filter(None, (lacks, f"has the unknown key {extra}" if extra else "")))


def _inner_problem(actual: Any, expected: Any, keys: Iterable[Any]) -> str | None:
    for key in keys:
        problem = structure_problem(actual[key], expected[key])
        if problem is not None:
            return f"at [{key!r}] {problem}"
    return None


def numbers(value: Any) -> Any:
    """A tree with the numbers of what lies elsewhere: where these count, and not where they are."""
    return map_leaves(lambda leaf: leaf.value if isinstance(leaf, Elsewhere) else leaf, value)


def describe_value(value: Any) -> str:
    """A value's form in a few words: ``an array of shape (3, 4)``, ``a dict with keys 'W1', 'b1'``, ``None``."""
    match value:
        case None:
            return "None"
        case Opaque(type_name=name):
            return name if name.startswith(("a ", "an ")) else f"of type {name}"
        case Elsewhere(found=found):
            return f"{found}"
        case dict():
            return f"a dict with keys {', '.join(map(repr, value))}" if value else "an empty dict"
        case tuple() | list():
            return f"a {type(value).__name__} of {len(value)}"
        case _ if np.ndim(value) == 0:
            return "a number"
        case _:
            return f"an array of shape {np.shape(value)}"


def compare_leaves(actual: Any, wanted: Sequence[Leaf]) -> list[tuple[Leaf, Any, Comparison]]:
    """Compare one result of the right structure, leaf by leaf in the order of `wanted`."""
    found = dict(named_leaves(actual, ""))
    results = []
    for leaf in wanted:
        _, bracket, rest = leaf.name.partition("[")
        value = found[bracket + rest]
        results.append((leaf, value, compare(value, leaf.expected, leaf.tolerance)))
    return results


def tell(
    code: FindingCode,
    results: Sequence[tuple[Leaf, Any, Comparison]],
    *,
    hide_values: bool,
    cause: Cause | None = None,
    **fields: Any,
) -> Finding | None:
    """Finding about the first leaf that differs, the others in one line; None if all passed.

    `code` is the finding for wrong values; a wrong shape or dtype, and NaN, have codes of their own. `cause` is what
    was found to explain all of them, if anything was: it is told unless one pattern with a cause says the same of all.
    A VAGUE pattern does not.
    """
    wrong = [(leaf, actual, result) for leaf, actual, result in results if not result.passed]
    wrong.sort(key=lambda told: told[2].reason not in (Reason.NOT_AN_ARRAY, Reason.SHAPE))  # the plainest first
    if not wrong:
        return None
    leaf, actual, result = wrong[0]
    if isinstance(actual, Elsewhere):
        return _strayed(leaf, actual, wrong[1:], _right(results))
    base = _headline(code, leaf, actual, result, fields)
    if result.reason is Reason.WIDER:
        return base
    told = [_diagnoses(leaf, actual) for leaf, actual, _ in wrong]
    first = told[0][0] if told[0] else None
    known = first is not None and first.code is not DiagnosisCode.UNKNOWN
    base = replace(base, worst="" if hide_values else _worst(leaf.name, result))
    if cause is not None and not (
        known
        and first is not None
        and first.cause
        and (not cause.alone or (_is_one(wrong, told) and first.code not in VAGUE))
    ):
        also = _in_words([other.name for other, _, _ in wrong[1:]], [], _right(results))
        return replace(base, pattern=cause.pattern, likely=cause.likely, diagnosis=cause.name, also=also)
    return replace(
        base,
        pattern=_exchanged(leaf, actual, hide_values)
        or ("" if first is None or not known else first.code.title if hide_values else _said_once(first, result)),
        likely="" if first is None or _is_verdict(leaf) else first.cause or "",
        diagnosis="" if first is None else first.code.name,
        also=_also(results, wrong, told, hide_values),
    )


def _said_once(first: Diagnosis, result: Comparison) -> str:
    """A pattern without the shapes that the headline has told."""
    if result.reason is not Reason.SHAPE:
        return first.pattern
    told = f"yours has shape {result.actual_shape}, expected {result.expected_shape}"
    return first.pattern.removeprefix(told).removeprefix(": ")


def _strayed(
    leaf: Leaf, actual: Elsewhere, others: Sequence[tuple[Leaf, Any, Comparison]], right: Sequence[str]
) -> Finding:
    """About an array of another device or library; its numbers are looked at all the same."""
    same = [other.name for other, found, _ in others if isinstance(found, Elsewhere) and found.found is actual.found]
    rest = [other.name for other, _, _ in others if other.name not in same]
    return finding(
        FindingCode.WRONG_DEVICE if actual.wanted in _ON_A_GPU else FindingCode.WRONG_LIBRARY,
        what=leaf.name,
        found=actual.found,
        expected=_WANTED[actual.wanted],
        pattern="its numbers are right" if compare(actual.value, leaf.expected, leaf.tolerance).passed else "",
        likely=_mend(actual),
        also=_in_words(same, rest, right),
    )


def _mend(actual: Elsewhere) -> str:
    """Where a strayed array was made, as far as that is known, and what to write instead."""
    match actual.found:
        case Found.ON_CPU:
            return actual.made or "make it with device=x.device, or with zeros_like(x)"
        case Found.NUMPY:
            whose = "tensor" if actual.wanted.has_torch else "array"
            mend = f"compute it with the {whose}'s own library, xp = array_namespace(x)"
            return f"{actual.made}: {mend}" if actual.made else mend
        case Found.TENSOR | Found.JAX:
            return "compute with the library of what went in, xp = array_namespace(x)"
        case _:
            assert_never(actual.found)


def _diagnoses(leaf: Leaf, actual: Any) -> tuple[Diagnosis, ...]:
    """What the error looks like; not that digits are lost where less than float64 was asked."""
    found = diagnose(actual, leaf.expected, leaf.context or _plain(leaf))
    if leaf.tolerance.dtype:
        return tuple(each for each in found if each.code is not DiagnosisCode.FLOAT32)
    return found


def _is_verdict(leaf: Leaf) -> bool:
    """Whether yes or no was asked: causes are known of numbers only."""
    return bool(leaf.expected.dtype.kind == "b")


def _exchanged(leaf: Leaf, actual: Any, hide_values: bool) -> str:
    """Which answers are wrong where yes or no was asked; empty of all else, and where something else was answered."""
    given = np.asarray(actual)
    if not _is_verdict(leaf) or given.shape != leaf.expected.shape or not np.all((given == 0) | (given == 1)):
        return ""
    told = []
    for said, wrong, asked in (("yes", "no", ~leaf.expected), ("no", "yes", leaf.expected)):
        count = int(np.sum(asked & ((given == 1) == (said == "yes"))))
        number = "" if hide_values else f": {count} of {int(asked.sum())}"
        told += [f"{said} where the answer is {wrong}{number}"] if count else []
    return "; ".join(told)


def _plain(leaf: Leaf) -> Context:
    return Context(
        name=leaf.name, axes=leaf.axes, sizes=dict(zip(leaf.axes, leaf.expected.shape, strict=False)), forward=True
    )


def _headline(code: FindingCode, leaf: Leaf, actual: Any, result: Comparison, fields: Mapping[str, Any]) -> Finding:
    match result.reason:
        case Reason.NOT_AN_ARRAY:
            problem = f"must be {describe_value(leaf.expected)}, it is {describe_value(actual)}"
            return finding(FindingCode.WRONG_STRUCTURE, what=leaf.name, problem=problem)
        case Reason.SHAPE:
            return finding(
                FindingCode.WRONG_SHAPE, what=leaf.name, shape=result.actual_shape, expected=result.expected_shape
            )
        case Reason.WIDER:
            dtype = leaf.tolerance.dtype
            likely = f"{dtype} in, {dtype} out: make arrays with dtype=x.dtype, and numbers plain Python's"
            return finding(
                FindingCode.WRONG_DTYPE, what=leaf.name, dtype=result.actual_dtype, expected=dtype, likely=likely
            )
        case Reason.DTYPE | Reason.PRECISION:
            return finding(
                FindingCode.WRONG_DTYPE, what=leaf.name, dtype=result.actual_dtype, expected=result.expected_dtype
            )
        case Reason.NOT_FINITE:
            when = f" after step {fields['step']}" if "step" in fields else ""
            return finding(FindingCode.NOT_FINITE, what=leaf.name + when, wrong=result.wrong, size=result.size)
        case _:
            return finding(code, what=leaf.name, wrong=result.wrong, size=result.size, **fields)


def _worst(name: str, result: Comparison) -> str:
    if result.worst is None or result.actual is None or result.expected is None:
        return ""
    index = f"[{', '.join(map(str, result.worst))}]" if result.worst else ""
    yours, expected = _told_apart(result.actual + 0.0, result.expected + 0.0)  # -0 is 0
    return f"{name}{index}  yours {yours}  expected {expected}  error {result.error:.1e}, allowed {result.allowed:.1e}"


def _told_apart(first: float, second: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ, and at least 6."""
    for digits in (6, 9, 12):
        if f"{first:.{digits}g}" != f"{second:.{digits}g}":
            break
    else:
        digits = 17
    return f"{first:.{digits}g}", f"{second:.{digits}g}"


def _also(
    results: Sequence[tuple[Leaf, Any, Comparison]],
    wrong: Sequence[tuple[Leaf, Any, Comparison]],
    told: Sequence[tuple[Diagnosis, ...]],
    hide_values: bool,
) -> str:
    """`db fails the same way; dx is right`."""
    same, other = [], []
    first = _claim(wrong[0][0], told[0])
    for (leaf, _, _), diagnoses in zip(wrong[1:], told[1:], strict=True):
        claim = _claim(leaf, diagnoses)
        if claim == first:
            same.append(leaf.name)
        else:
            shown = "" if claim is None else diagnoses[0].code.title if hide_values else diagnoses[0].pattern
            other.append(f"{leaf.name} ({shown})" if shown else leaf.name)
    return _in_words(same, other, _right(results))


def _is_one(wrong: Sequence[tuple[Leaf, Any, Comparison]], told: Sequence[tuple[Diagnosis, ...]]) -> bool:
    """Whether the same is claimed of all leaves that differ."""
    return len({_claim(leaf, diagnoses) for (leaf, _, _), diagnoses in zip(wrong, told, strict=True)}) == 1


def _right(results: Sequence[tuple[Leaf, Any, Comparison]]) -> list[str]:
    return [leaf.name for leaf, _, result in results if result.passed]


def _in_words(same: Sequence[str], other: Sequence[str], right: Sequence[str]) -> str:
    texts = (
        f"{_list(same, 'fails', 'fail')} the same way" if same else "",
        f"{_list(other, 'fails', 'fail')} too" if other else "",
        f"{_list(right, 'is', 'are')} right" if right else "",
    )
    return "; ".join(filter(None, texts))


def _claim(leaf: Leaf, diagnoses: tuple[Diagnosis, ...]) -> tuple[str, str] | None:
    """What is claimed of a leaf, but for its own name; None if nothing is."""
    if not diagnoses or diagnoses[0].code is DiagnosisCode.UNKNOWN:
        return None
    _, bracket, path = leaf.name.partition("[")
    return diagnoses[0].code.name, diagnoses[0].pattern.replace(bracket + path, "") if bracket else diagnoses[0].pattern


def _list(names: Sequence[str], one: str, several: str) -> str:
    """`db is`, `dx and db are`, `out[1], out[2] and 18 more are`: names with the verb in its number."""
    if len(names) == 1:
        return f"{names[0]} {one}"
    shown = names[:-1] if len(names) <= MOST_NAMES else names[:2]
    last = names[-1] if len(names) <= MOST_NAMES else f"{len(names) - 2} more"
    return f"{', '.join(shown)} and {last} {several}"
