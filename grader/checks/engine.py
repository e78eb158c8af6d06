"""Engines: a student's own automatic differentiation on random expression graphs, against torch.

Two aspects. *value*: the result of every step; backward() is not called. *gradient*: `grad` of every leaf after
backward() was called, once or several times, on one node or on several; what torch.autograd gives for the same calls.
A gradient that is the derivative of the student's own, wrong values earns the declared share, as for a layer.

A graph that fails is made smaller while it fails in the same way (shrinking), and the smallest is told as code. Then
what can be tested about it is tested: whether each of its steps is right alone, whether one use of a leaf replaced the
others, whether each call of backward() alone is right. A likely cause is one that was tested.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from grader.checks.asking import Unanswered, finding, size_of
from grader.checks.outputs import largest
from grader.checks.pairs import by_hand
from grader.checks.question import Question, Ruling
from grader.checks.rules import fresh, gradient_rule, value_rule
from grader.checks.shrinking import alone, apart, shrink, uses_of
from grader.checks.values import Leaf, compare_leaves, describe_value, structure_problem, tell
from grader.findings import Fault, Finding, FindingCode, Status
from grader.graphs import Backward, Graph, Step, as_code, evaluate, expression, name_of, total
from grader.numerics.comparison import Comparison
from grader.numerics.diagnosis import Context
from grader.numerics.gradcheck import Outcome as CheckOutcome
from grader.numerics.gradcheck import check_gradients
from grader.numerics.tolerance import tolerance_for
from grader.operations import Operation
from grader.random_graphs import draw_gradient
from grader.reference import Traced

__all__ = ["gradient", "value"]

_MOST_STEPS = 100
"""Of a graph on which torch is held against differences; of a longer one the smallest is as long only by bad luck."""

_NOISE = 1e-6

_SUMS = {
    Operation.ADD,
    Operation.SUB,
    Operation.ADD_NUMBER,
    Operation.NUMBER_ADD,
    Operation.SUB_NUMBER,
    Operation.NUMBER_SUB,
}
"""Where a graph itself shifts a leaf, a leaf that is shifted is no evidence of a numerical derivative."""

Compared: TypeAlias = list[tuple[Leaf, Any, Comparison]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Answer:
    """What the student's engine gave for a graph."""

    values: Sequence[Any]
    """Of each step."""
    gradients: Sequence[Any]
    """Of each leaf; none where backward() was not called."""
    strange: tuple[Any, ...] = ()
    """What the step after these values gave, where it is not of the student's class."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Look:
    """A graph that was run and compared."""

    graph: Graph
    failure: Finding | None
    compared: Compared
    own_values: str = ""
    """The step that gives numbers, and not the right ones: the gradients may be the derivative of those."""
    exception: BaseException | None = None


def value(question: Question) -> Ruling:
    """Results of all steps; the first wrong one is told."""
    return _ruling(question, _values)


def gradient(question: Question) -> Ruling:
    """Gradients of all leaves, and by hand as far as can be seen."""
    return by_hand(question, _ruling(question, _gradients))


def _ruling(question: Question, look: Callable[[Question, Graph], _Look]) -> Ruling:
    graph = _graph(question)
    first = _tried(question, graph, look)
    comparisons = [(leaf.name, result) for leaf, _, result in first.compared]
    if first.failure is None:
        return Ruling(comparisons=comparisons)
    if first.own_values and first.failure.code is FindingCode.WRONG_GRADIENT and _follows(question, graph):
        told = finding(FindingCode.GRADIENT_FOLLOWS_FORWARD, function="backward()", forward=first.own_values)
        return Ruling(failure=told, credit=question.exercise.follow_through, comparisons=comparisons)
    # Once a part and code: a message tells the first case of a cause, and counts the others.
    cause = (question.exercise.name, question.part, first.failure.code)
    known = cause in question.student.explained
    question.student.explained.add(cause)
    smallest = first if known else _smallest(question, first, look)
    if look is _gradients and smallest.compared and len(smallest.graph.steps) <= _MOST_STEPS:
        doubt = question.oracle.doubt_of_graph(question.exercise, smallest.graph, question.case.seed)
        if doubt is not None:
            shown = "the course sees the numbers" if question.hide_values else doubt
            return Ruling(failure=finding(FindingCode.ORACLES_DISAGREE, fault=Fault.COURSE, problem=shown))
    failure = _told(question, smallest, look)
    if first.exception is not None:
        raise Unanswered(Status.FAILED, failure, first.exception)
    return Ruling(failure=failure, comparisons=comparisons)


def _graph(question: Question) -> Graph:
    graph = question.case.graph
    assert graph is not None  # grader.manifest
    return graph


def _name(question: Question) -> str:
    return question.exercise.functions["engine"]


# ------------------------------------------------------------------------------------------------- one look at a graph


def _ask(question: Question, graph: Graph) -> _Answer:
    """Run the graph with the student's class.

    Raises:
        Unanswered: it did not return, or its process forged the answer.
    """
    room = size_of(*graph.leaves, *graph.gradients) + 64 * len(graph.steps)
    (operation, *more) = {step.operation for step in graph.steps} or {Operation.ADD}
    watch = graph is question.case.graph and not more and operation not in _SUMS
    answer = question.student.graph(_name(question), graph, like=room, watch=watch)
    match answer:
        case (list(values), list(gradients), tuple(strange)) if (
            len(values) <= len(graph.steps)
            and len(gradients) == (len(graph.leaves) if graph.backwards and not strange else 0)
            and bool(strange) == (len(values) < len(graph.steps))
        ):
            return _Answer(values=values, gradients=gradients, strange=strange)
        case _:
            problem = "its process did not answer as agreed"
            raise Unanswered(Status.FAILED, finding(FindingCode.MALFORMED, function=_name(question), problem=problem))


def _expected(question: Question, graph: Graph) -> Traced:
    """What torch gives; for the case's own graph once for all submissions."""
    oracle, case = question.oracle, question.case
    if graph is not case.graph:
        return oracle.graph(question.exercise, graph)
    return oracle.once(("graph", case.key), lambda: oracle.graph(question.exercise, graph))


def _values(question: Question, graph: Graph) -> _Look:
    """The results of the steps, up to the first that differs."""
    answer = _ask(question, replace(graph, backwards=()))
    compared, failure = _compare_values(question, graph, answer)
    return _Look(graph=graph, failure=failure, compared=compared)


def _compare_values(question: Question, graph: Graph, answer: _Answer) -> tuple[Compared, Finding | None]:
    """The last comparison that was made: of the last step, or of the first that is wrong."""
    expected, count = _expected(question, graph).values, len(graph.leaves)
    compared: Compared = []
    for node, actual in enumerate(answer.values, start=count):
        name, wanted = name_of(node), expected[node]
        if node < len(expected) - 1 and _identical(actual, wanted):
            continue
        problem = structure_problem(actual, wanted)
        if problem:
            return [], finding(FindingCode.WRONG_STRUCTURE, what=f"{name}.data", problem=problem)
        inputs = {name_of(operand): expected[operand] for operand in graph.steps[node - count].operands}
        leaf = Leaf(
            name=name,
            expected=wanted,
            tolerance=tolerance_for(wanted, np.float64, scale=largest(inputs.values())),
            context=Context(name=name, inputs=inputs, forward=True),
        )
        compared = compare_leaves(actual, [leaf])
        failure = tell(FindingCode.WRONG_VALUE, compared, hide_values=question.hide_values)
        if failure is not None:
            return compared, failure
    for strange in answer.strange:
        name = name_of(count + len(answer.values))
        problem = f"must be of the class {_name(question)}, it is {describe_value(strange)}"
        return [], finding(FindingCode.WRONG_STRUCTURE, what=name, problem=problem)
    return compared, None


def _identical(actual: Any, expected: Any) -> bool:
    """Whether they are the same array to the bit: most are, and then there is nothing to compare."""
    return isinstance(actual, np.ndarray) and actual.dtype == expected.dtype and np.array_equal(actual, expected)


def _gradients(question: Question, graph: Graph) -> _Look:
    """The gradients of the leaves; and whether the values were right, where they are not."""
    answer = _ask(question, graph)
    compared: Compared = []
    failure = None
    for leaf, actual in zip(_gradient_leaves(graph, _expected(question, graph)), answer.gradients, strict=False):
        if actual is None and not np.any(leaf.expected):
            actual = leaf.expected  # nothing reaches it
        problem = None if actual is None else structure_problem(actual, leaf.expected)
        if problem:
            failure = finding(FindingCode.WRONG_STRUCTURE, what=leaf.name, problem=problem)
            break
        compared += compare_leaves(actual, [leaf])
    failure = failure or tell(FindingCode.WRONG_GRADIENT, compared, hide_values=question.hide_values)
    if failure is None and not answer.strange:
        return _Look(graph=graph, failure=None, compared=compared)
    told, wrong = _compare_values(question, graph, answer)
    if answer.strange:
        return _Look(graph=graph, failure=wrong, compared=[])
    own = ""
    if wrong is not None and wrong.code is FindingCode.WRONG_VALUE:
        own = next(expression(step) for name, step in _named(graph) if name == told[0][0].name)
    return _Look(graph=graph, failure=failure, compared=compared, own_values=own)


def _gradient_leaves(graph: Graph, expected: Traced) -> list[Leaf]:
    inputs = {name_of(node): leaf for node, leaf in enumerate(graph.leaves)}
    # The largest gradient of any node times the largest number in it: what may have cancelled on the way to a leaf.
    scale = largest(expected.gradients) * max(1.0, largest(expected.values))
    upstream = graph.gradients[-1] if len(graph.gradients) == 1 else None

    def leaf(node: int, wanted: Any) -> Leaf:
        name = f"{name_of(node)}.grad"
        return Leaf(
            name=name,
            expected=wanted,
            tolerance=tolerance_for(wanted, np.float64, scale=scale),
            context=Context(name=name, inputs=inputs, upstream=upstream),
        )

    return [leaf(node, expected.gradients[node]) for node in range(len(graph.leaves))]


def _named(graph: Graph) -> list[tuple[str, Step]]:
    """Steps with the names of their results."""
    return [(name_of(node), step) for node, step in enumerate(graph.steps, start=len(graph.leaves))]


def _follows(question: Question, graph: Graph) -> bool:
    """Whether the gradients are the derivative of the student's own values, which are wrong."""

    def forward(*leaves: Any) -> tuple[Any, Any]:
        here = replace(graph, leaves=tuple(leaves))
        answer = _ask(question, here)
        gradients = [np.zeros(leaf.shape) if g is None else g for g, leaf in zip(answer.gradients, leaves, strict=True)]
        return np.asarray(total(here, [*leaves, *answer.values])), gradients

    names = [name_of(node) for node in range(len(graph.leaves))]
    try:
        check = check_gradients(
            forward, None, list(graph.leaves), names=names, seed=question.case.seed, localise=False, elsewhere=True
        )
    except (Unanswered, ValueError, TypeError):  # values of other shapes, or none
        return False
    return check.outcome is CheckOutcome.PASSED


# ------------------------------------------------------------------------------------------------ the smallest, and why


def _tried(question: Question, graph: Graph, look: Callable[[Question, Graph], _Look]) -> _Look:
    """The look, also where the student's code raised.

    Raises:
        Unanswered: it did not return for another reason, or is not written yet; told with the graph.
    """
    try:
        return look(question, graph)
    except Unanswered as unanswered:
        told = unanswered.finding
        if told.code is FindingCode.RAISED:
            return _Look(graph=graph, failure=told, compared=[], exception=unanswered.exception)
        if told.code not in (FindingCode.NOT_WRITTEN, FindingCode.MISSING_FUNCTION, FindingCode.DOES_NOT_LOAD):
            told = replace(told, graph=_code(question, graph, look))
        raise Unanswered(unanswered.status, told, unanswered.exception) from unanswered


def _smallest(question: Question, first: _Look, look: Callable[[Question, Graph], _Look]) -> _Look:
    """The smallest graph that fails as this one does."""
    best = first

    def fails(graph: Graph) -> bool:
        nonlocal best
        try:
            found = _tried(question, graph, look)
        except Unanswered as unanswered:
            if unanswered.status is not Status.FAILED:  # its process ended: enough was asked
                raise
            return False
        if not _same(found.failure, first.failure):
            return False
        best = found
        return True

    with suppress(Unanswered):
        shrink(first.graph, fails)
    return best


def _same(found: Finding | None, first: Finding | None) -> bool:
    """Whether it is the same failure: by its code, and by the kind of an exception."""
    if found is None or first is None or found.code is not first.code:
        return False
    return found.code is not FindingCode.RAISED or found.headline.split(":")[0] == first.headline.split(":")[0]


def _told(question: Question, smallest: _Look, look: Callable[[Question, Graph], _Look]) -> Finding:
    failure = smallest.failure
    assert failure is not None
    likely = ""
    if look is _gradients and failure.code in (FindingCode.WRONG_GRADIENT, FindingCode.WRONG_STRUCTURE):
        likely = _likely(question, smallest)
    if not (likely or failure.likely) and failure.code in (FindingCode.WRONG_GRADIENT, FindingCode.WRONG_VALUE):
        likely = _rule(question, smallest, look)
        if likely:  # which says it of more than the few numbers of the smallest graph
            failure = replace(failure, pattern="", diagnosis="RULE")
    return replace(
        failure, graph=_code(question, smallest.graph, look), likely=likely or failure.likely or _of_depth(failure)
    )


def _rule(question: Question, smallest: _Look, look: Callable[[Question, Graph], _Look]) -> str:
    """What the student's rule of a step computes, of the first that is wrong alone; empty if it is nothing known."""
    for graph in filter(None, map(fresh, smallest.graph.steps)):
        try:
            found = look(question, graph)
        except Unanswered:
            return ""
        wrong = [
            (node, actual, leaf.expected)
            for node, (leaf, actual, result) in enumerate(found.compared)
            if not result.passed
        ]
        if look is _values and wrong:
            return value_rule(graph, wrong[0][1])
        if wrong:
            return "; ".join(filter(None, (gradient_rule(graph, *each) for each in wrong)))
    return ""


def _code(question: Question, graph: Graph, look: Callable[[Question, Graph], _Look]) -> str:
    shown = replace(graph, backwards=()) if look is _values else graph
    return as_code(shown, _name(question), hide_values=question.hide_values)


def _of_depth(failure: Finding) -> str:
    if "RecursionError" in failure.headline:
        return "something calls itself once a node, and Python allows about 1,000 such calls: use a loop and a list"
    return ""


def _likely(question: Question, smallest: _Look) -> str:
    """A cause of wrong gradients that was tested on this graph; empty if none held."""
    graph = smallest.graph
    if smallest.compared and all(_is_noise(leaf, result) for leaf, _, result in smallest.compared):
        return ""
    if len(graph.backwards) > 1:
        calls = [replace(graph, backwards=(call,)) for call in graph.backwards]
        if all(_right(question, alone) for alone in calls):
            return (
                "each call of backward() is right by itself: gradients of leaves add up over calls, and those of the "
                "nodes between begin from nothing at each call"
            )
        return ""
    seeded = _seed(question, smallest)
    if seeded:
        return seeded
    replaced = _replaced(question, smallest)
    if replaced:
        return replaced
    if len(graph.steps) > 1 and all(_right(question, alone) for alone in _steps_alone(graph)):
        return (
            "each step is right by itself: a node may pass its gradient on only when all that used it have passed on "
            "theirs, and once"
        )
    return ""


def _is_noise(leaf: Leaf, result: Comparison) -> bool:
    """Right, or wrong by so little that no term can be missing: rounded numbers, or differences."""
    return result.passed or (result.error is not None and result.error <= _NOISE * max(largest([leaf.expected]), 1.0))


def _seed(question: Question, smallest: _Look) -> str:
    """Whether backward() begins with ones although it is given a gradient, or with nothing where it is given none."""
    graph, (call,) = smallest.graph, smallest.graph.backwards
    if call.gradient is not None:
        ones = question.oracle.graph(question.exercise, replace(graph, backwards=(Backward(call.node),))).gradients
        pairs = list(zip(smallest.compared, ones, strict=False))
        if pairs and all(_equal(actual, one, leaf) for (leaf, actual, _), one in pairs):
            return "these are the gradients for ones: backward() must begin with the gradient that it is given"
        return ""
    given = draw_gradient(np.shape(evaluate(graph)[call.node]), np.random.default_rng(0))
    nothing = all(actual is None or not np.any(actual) for _, actual, _ in smallest.compared)
    if nothing and _right(question, replace(graph, backwards=(Backward(call.node, given),))):
        return "backward() is right when it is given a gradient: without one it must begin with ones"
    return ""


def _right(question: Question, graph: Graph) -> bool:
    try:
        return _gradients(question, graph).failure is None
    except Unanswered:
        return False


def _steps_alone(graph: Graph) -> list[Graph]:
    return [alone(graph, node) for node in range(len(graph.leaves), len(graph.leaves) + len(graph.steps))]


def _replaced(question: Question, smallest: _Look) -> str:
    """Whether each wrong leaf has just what one of its uses brings, and the others are lost."""
    graph, names = smallest.graph, []
    for node, (leaf, actual, result) in enumerate(smallest.compared):
        if result.passed:
            continue
        traced = question.oracle.graph(question.exercise, apart(graph, node))
        brought = traced.gradients[len(graph.leaves) : len(graph.leaves) + uses_of(graph, node)]
        if len(brought) < 2 or not any(_equal(actual, part, leaf) for part in brought):
            return ""
        names.append(name_of(node))
    if not names:
        return ""
    return f"{names[0]} is used more than once, and has the gradient of one use only: they add up (+=, from zero)"


def _equal(actual: Any, expected: Any, leaf: Leaf) -> bool:
    return compare_leaves(actual, [replace(leaf, expected=np.asarray(expected))])[0][2].passed
