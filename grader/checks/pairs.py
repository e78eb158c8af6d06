"""Gradients: pairs of forward and backward (layers, models) and losses that return both.

Three answers are kept apart: the forward result equals the reference's; the backward is the derivative of the
student's *own* forward (finite differences); the backward equals the reference's (autograd). What they say together:

    forward   backward = reference's   derivative of own   ruling on the backward
    right     yes                      yes or unknown      right
    right     yes                      no                  wrong if its contract is broken or another point shows it
    right     no                       yes, at a kink      right: another choice of the subgradient
    right     no                       yes, smooth         wrong: less exact than a right gradient can be
    right     no                       no                  wrong
    right     no                       unknown             undecided: differences can't tell
    wrong     yes                      any                 right, if its contract holds: it is the formula asked for
    wrong     no                       yes                 follows a wrong forward: the declared share
    wrong     no                       no or unknown       wrong

"Unknown" is where every direction crosses a kink, the forward rounds too coarsely, or it refuses all inputs beside
those of the case. A forward that returns no array of the right shape, or nothing, is a wrong one; the contract of its
backward can't be tested, and it is right if it gives the reference's gradient.

On a GPU results of the same call may differ: atomics add up in another order each time. There, and only there, the
contract lets them lie as far apart as the tolerance of their array allows; elsewhere not at all.

In a coarser precision than float64 no differences are taken, for they would be noise: there the reference and the
contract alone decide. (The same file was judged in float64 before: grader.grading.) Where the reference disagrees, the
student's own gradients in float64 are asked for: a choice at a kink that is right there is right here.

Before wrong numbers cost a point the reference itself is held against finite differences (Oracle.doubt).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.assignment import ArraySpec, Kind, named_specs
from grader.calls import Kept, Profile
from grader.checks.asking import Unanswered, finding, size_of
from grader.checks.likeness import likened
from grader.checks.outputs import (
    expected_value,
    float_inputs,
    largest,
    loss_and_gradient,
    losses_and_gradients,
    value_ruling,
)
from grader.checks.question import Question, Ruling
from grader.checks.slips import recognised
from grader.checks.values import (
    Leaf,
    compare_leaves,
    describe_value,
    expected_leaves,
    structure_problem,
    tell,
)
from grader.findings import Fault, Finding, FindingCode, Status
from grader.numerics.comparison import Comparison, compare
from grader.numerics.contract import Repeats
from grader.numerics.diagnosis import Context, DiagnosisCode
from grader.numerics.gradcheck import FailurePoint, GradientCheck, GradientFault, GradientProblem, check_gradients
from grader.numerics.gradcheck import Outcome as CheckOutcome
from grader.numerics.tolerance import tolerance_for
from grader.numerics.trees import joined, leaves, named_leaves, rebuild, split
from grader.reference import Expected
from grader.settings import Precision

__all__ = ["backward", "by_hand", "loss_gradient"]

Compared = list[tuple[Leaf, Any, Comparison]]
Answers: TypeAlias = Iterator[Callable[[], tuple[Any, Any]]]
NOTHING = 0.01
"""Share of the expected noise that no numerical gradient of several elements stays below."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Evidence:
    """The three answers about one backward."""

    out: Any
    """The student's forward result."""
    forward_right: bool
    results: Compared
    own: GradientCheck

    @property
    def equals_reference(self) -> bool:
        return all(result.passed for _, _, result in self.results)


def backward(question: Question) -> Ruling:
    """The backward of a layer or a model: see the table at the top."""
    roles, student, case = question.exercise.functions, question.student, question.case
    expected = question.oracle.expected(question.exercise, case)
    room = size_of(expected.value)

    results = len(question.exercise.outputs)

    def runs(every: Sequence[Sequence[Any]]) -> Answers:
        args = [(*inputs, *case.arguments.values()) for inputs in every]
        return student.pairs(roles["forward"], args, like=room, results=results)

    def pull(upstream: Any, cache: Kept, watch: bool = False) -> Any:
        size, several = size_of(*expected.gradients.values()), results > 1
        return student.value(roles["backward"], *(upstream if several else [upstream]), cache, like=size, watch=watch)

    out, cache = next(runs([list(case.inputs.values())]))()
    if not _bad_output(out, expected.value) and _shapes(out) != _shapes(expected.value):
        return by_hand(question, _of_another_shape(question, out, cache, runs, pull))
    return by_hand(question, _gradient_ruling(question, pull(case.upstream, cache, watch=True), out, runs, pull))


def loss_gradient(question: Question) -> Ruling:
    """The gradient that a loss function returns beside its value."""
    case = question.case

    def runs(every: Sequence[Sequence[Any]]) -> Answers:
        return losses_and_gradients(question, [(*inputs, *case.arguments.values()) for inputs in every])

    out, gradients = loss_and_gradient(question, case.args, watch=True)
    return by_hand(question, _gradient_ruling(question, gradients, out, runs, None))


def by_hand(question: Question, ruling: Ruling) -> Ruling:
    """A gradient with the right numbers fails if it was seen to come from a numerical derivative.

    Real differences leave noise in it. Where that is missing, the gradient may come from a formula that the backward
    checks as it runs: a warning. So is a gradient beside the reference's, right at a kink: no noise can be told there.
    """
    noticed, failure = question.student.noticed, ruling.failure
    if noticed is None:
        return ruling
    evidence = noticed.method.value if question.hide_values else noticed.words
    roles = question.exercise.functions
    function = roles.get("backward") or roles.get("loss") or "backward()"
    if failure is None and _may_be_a_check(ruling.comparisons, noticed.noise):
        told = finding(FindingCode.CHECKS_ITSELF, function=function, evidence=evidence)
        likely = "the gradient is too exact to come from them; if they check your formula, take them out"
        return replace(ruling, warnings=[replace(told, warning=True, likely=likely)])
    if failure is None or failure.code is FindingCode.GRADIENT_FOLLOWS_FORWARD:
        told = finding(FindingCode.NUMERICAL_DERIVATIVE, function=function, evidence=evidence)
        likely = "derive the formula: by the chain rule a gradient is an expression in what the forward pass computes"
        return replace(ruling, failure=replace(told, likely=likely), credit=None)
    if failure.fault is Fault.STUDENT and (not failure.likely or failure.diagnosis.startswith(("AS_IF", "RULE"))):
        return replace(ruling, failure=replace(failure, likely=f"it differentiates numerically: {evidence}"))
    return ruling


def _may_be_a_check(comparisons: Iterable[tuple[str, Comparison]], noise: float) -> bool:
    """Whether every gradient is exact to far less than the noise, a share of its largest element."""
    if not all(result.passed for _, result in comparisons):
        return noise > 0
    shares = [
        2 * result.tolerance.rtol * result.error / result.allowed if result.error and result.allowed else 0.0
        for _, result in comparisons
    ]
    return noise > 0 and max(shares) <= NOTHING * noise


def _gradient_ruling(question: Question, gradients: Any, out: Any, runs: Any, pull: Any) -> Ruling:
    expected = question.oracle.expected(question.exercise, question.case)
    results = _against_reference(question, gradients)
    if isinstance(results, Finding):
        return Ruling(failure=results)
    comparisons = [(leaf.name, result) for leaf, _, result in results]
    if any(result.actual_shape != result.expected_shape for _, _, result in results):
        # No doubt about the reference's numbers can excuse a shape.
        told = tell(FindingCode.WRONG_GRADIENT, results, hide_values=question.hide_values)
        return Ruling(failure=told, comparisons=comparisons)
    bad = _bad_output(out, expected.value)
    if bad:
        told = finding(FindingCode.WRONG_STRUCTURE, what="loss" if pull is None else "out", problem=bad)
        right = all(result.passed for _, _, result in results)
        return Ruling(failure=None if right else told, comparisons=comparisons)
    forward_right = _equal(question, out)
    own = _own(question, out, runs, pull, forward_right)
    evidence = _Evidence(out=out, forward_right=forward_right, results=results, own=own)
    ruling = _weigh(question, evidence)
    return replace(ruling, comparisons=comparisons, gradient=own)


def _against_reference(question: Question, gradients: Any) -> Compared | Finding:
    """The returned gradients beside the reference's; or what is wrong with their structure."""
    trees = _by_input(question, gradients)
    if isinstance(trees, Finding):
        return trees
    wanted = _wanted_gradients(question)
    return [result for name, tree in trees.items() for result in compare_leaves(tree, wanted[name])]


def _wanted_gradients(question: Question) -> dict[str, list[Leaf]]:
    return question.oracle.once(("gradients", question.case.key), lambda: _gradient_leaves(question))


def _own(question: Question, out: Any, runs: Any, pull: Any, forward_right: bool) -> GradientCheck:
    """Check the backward against finite differences of the student's own forward."""
    case, exercise = question.case, question.exercise

    several = isinstance(case.upstream, tuple)  # then they are one row of numbers here

    def near(inputs: Sequence[Any], answer: Callable[[], tuple[Any, Any]]) -> tuple[Any, Any]:
        """A forward that refuses inputs beside the case's (rows that sum to 1 no longer do) is not defined there."""
        try:
            value, cache = answer()
            return (_row(value, out) if several else value), cache
        except Unanswered as unanswered:
            if unanswered.finding.code is not FindingCode.RAISED or _same_leaves(inputs, case.inputs.values()):
                raise
            return np.full(np.shape(joined(out) if several else out), np.nan), None

    def forwards(every: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, Any]]:
        return map(near, every, runs(every))

    def truth(inputs: Sequence[Any], upstream: Any) -> list[Any]:
        return question.oracle.gradients(exercise, case, inputs, None if pull is None else _apart(question, upstream))

    def pulled(row: Any, cache: Kept) -> Any:
        return pull(split(np.asarray(row), out), cache)

    return check_gradients(
        lambda *inputs: next(forwards([inputs])),
        pulled if several else pull,
        list(case.inputs.values()),
        names=list(case.inputs),
        differentiate=list(exercise.gradients),
        reference=truth if forward_right else None,
        seed=case.seed,
        localise=forward_right,
        differences=case.precision is Precision.FLOAT64,
        forwards=forwards,
        elsewhere=True,  # what an evaluator's call writes into, the student's side notes: Returned.changed
        repeats=_repeats(question, out),
    )


def _repeats(question: Question, out: Any) -> Repeats | None:
    """How far apart results of the same call may lie: on a GPU as far as each array's tolerance says, else nowhere.

    There atomics add up in another order each time; on a CPU, and on a pretended GPU, the order is the code's own.
    """
    if not _adds_in_any_order(question):
        return None
    outputs, gradients = expected_value(question), _wanted_gradients(question)
    value, size = _room(outputs), sum(np.size(leaf) for leaf in leaves(out))
    return Repeats(
        value=value if value.size == size else np.zeros(size),  # of another shape it is wrong whatever it does
        gradient=_room([leaf for name in question.exercise.gradients for leaf in gradients[name]]),
    )


def _adds_in_any_order(question: Question) -> bool:
    return (question.setting or question.oracle.assignment.setting).profile is Profile.CUDA


def _room(wanted: Sequence[Leaf]) -> NDArray[np.float64]:
    """What each element may err by, of these arrays one behind the other."""
    room = [leaf.tolerance.atol + leaf.tolerance.rtol * np.abs(leaf.expected.ravel()) for leaf in wanted]
    return np.concatenate(room, dtype=np.float64)


def _weigh(question: Question, evidence: _Evidence) -> Ruling:
    """The table at the top of this module."""
    broken = _broken_contract(question, evidence)
    if broken is not None:
        return Ruling(failure=broken)
    if question.case.precision is not Precision.FLOAT64:
        right = evidence.equals_reference or _chosen_in_float64(question, evidence)
        return Ruling() if right else Ruling(failure=_wrong(question, evidence))
    own, exercise = evidence.own.outcome, question.exercise
    if evidence.equals_reference:
        if evidence.forward_right and own is CheckOutcome.FAILED:
            return _elsewhere(question, evidence)
        return Ruling()
    if not evidence.forward_right and own is CheckOutcome.PASSED:
        told = finding(FindingCode.GRADIENT_FOLLOWS_FORWARD, function=_names(question)[1], forward=_names(question)[0])
        return Ruling(failure=told, credit=exercise.follow_through)
    if evidence.forward_right and own is CheckOutcome.PASSED and evidence.own.coverage < 1:
        return Ruling()
    if evidence.forward_right and own is CheckOutcome.INCONCLUSIVE:
        what = next(leaf.name for leaf, _, result in evidence.results if not result.passed)
        why = evidence.own.warnings[-1].code.value if evidence.own.warnings else "no direction could be checked"
        return Ruling(failure=finding(FindingCode.INCONCLUSIVE, fault=Fault.COURSE, what=what, problem=why))
    return Ruling(failure=_wrong(question, evidence))


def _chosen_in_float64(question: Question, evidence: _Evidence) -> bool:
    """Whether these are, to their digits, the student's own gradients in float64, and those are right beside the
    reference's: another choice of the subgradient at a kink, of which differences tell nothing in fewer digits.
    """
    name = f"{question.case.name}, in float64"
    case = replace(question.case, precision=Precision.FLOAT64, spec=replace(question.case.spec, name=name))
    exact = replace(question, case=case, student=replace(question.student, precision=Precision.FLOAT64))
    try:
        ruling = loss_gradient(exact) if question.exercise.kind is Kind.LOSS else backward(exact)
        if ruling.failure is not None or all(result.passed for _, result in ruling.comparisons):
            return False
        own = _against_reference(exact, _gradients(exact))
    except Unanswered:
        return False
    if isinstance(own, Finding):
        return False
    pairs = zip(evidence.results, own, strict=True)
    return all(compare(actual, wanted, leaf.tolerance).passed for (leaf, actual, _), (_, wanted, _) in pairs)


def _gradients(question: Question) -> Any:
    """What the student's code gives for the case, asked once more."""
    roles, student, case = question.exercise.functions, question.student, question.case
    if question.exercise.kind is Kind.LOSS:
        return loss_and_gradient(question, case.args)[1]
    expected, results = question.oracle.expected(question.exercise, case), len(question.exercise.outputs)
    _, cache = student.pair(roles["forward"], *case.args, like=size_of(expected.value), results=results)
    upstream = case.upstream if results > 1 else [case.upstream]
    return student.value(roles["backward"], *upstream, cache, like=size_of(*expected.gradients.values()))


def _wrong(question: Question, evidence: _Evidence) -> Finding | None:
    """The gradient is wrong, unless the reference is in doubt."""
    doubt = question.oracle.doubt(question.exercise, question.case)
    if doubt is not None:
        shown = "the course sees the numbers" if question.hide_values else doubt
        return finding(FindingCode.ORACLES_DISAGREE, fault=Fault.COURSE, problem=shown)
    return _told(question, evidence)


def _told(question: Question, evidence: _Evidence) -> Finding | None:
    """What is said of wrong numbers."""

    def named(made: Expected) -> dict[str, Any]:
        trees = made.gradients.items()
        return {label: leaf for name, tree in trees for label, leaf in named_leaves(tree, _label(question, name))}

    cause = recognised(question, evidence.results, named, evidence.out)
    told = tell(FindingCode.WRONG_GRADIENT, evidence.results, hide_values=question.hide_values, cause=cause)
    if cause is None and not evidence.forward_right:
        told = _of_the_forward(question, told, evidence.out)
    return likened(question, told, evidence.results, named, evidence.out)


def _of_the_forward(question: Question, told: Finding | None, out: Any) -> Finding | None:
    """The finding with the cause of the wrong forward result, where that is known and the gradient's own is not.

    A formula of the gradient is written for the right numbers, and has no chance with others. What is seen of the terms
    of a normalisation presumes them, too.
    """
    if told is None or (told.likely and told.diagnosis != DiagnosisCode.MISSING_TERM.name):
        return told
    before = value_ruling(question, expected_value(question), out).failure
    if before is None or not before.likely:
        return replace(told, likely="") if before is not None else told
    pattern = f"{_names(question)[0]} is wrong already: {before.pattern}" if before.pattern else ""
    return replace(told, pattern=pattern, likely=before.likely, diagnosis=before.diagnosis)


def _elsewhere(question: Question, evidence: _Evidence) -> Ruling:
    """Right for the drawn upstream gradient, yet not the derivative of a right forward: is it wrong at another point?

    Unless the oracle says so too, it is not: differences of an ill-conditioned forward can be wrong where both the
    student and torch are right. Nor is it where the reference itself does not pass this check.
    """
    problems = [problem for problem in evidence.own.problems if problem.code is not GradientFault.FLOAT32]
    failure = evidence.own.failure
    if not problems:  # what equals the reference has lost no digits, whatever grid it lies on
        return Ruling()
    agrees = failure is not None and _agrees_with_oracle(question, failure)
    if agrees or question.oracle.doubt(question.exercise, question.case) is not None:
        return Ruling()
    forward, function = _names(question)
    problem = _problem(question, problems[0])
    return Ruling(failure=finding(FindingCode.WRONG_DERIVATIVE, function=function, forward=forward, problem=problem))


def _agrees_with_oracle(question: Question, failure: FailurePoint) -> bool:
    case, exercise = question.case, question.exercise
    inputs = {
        name: rebuild(tree, [failure.inputs.get(label, leaf) for label, leaf in named_leaves(tree, name)])
        for name, tree in case.inputs.items()
    }
    upstream = None if case.upstream is None else _apart(question, failure.upstream)
    truth = question.oracle.gradients(exercise, case, list(inputs.values()), upstream)
    expected = [
        (label, leaf)
        for name, tree in zip(exercise.gradients, truth, strict=True)
        for label, leaf in named_leaves(tree, name)
    ]
    return all(
        compare(failure.actual.get(label), leaf, tolerance_for(leaf, np.float64)).passed for label, leaf in expected
    )


_CONTRACT = {
    GradientFault.ACCUMULATES: FindingCode.ACCUMULATES,
    GradientFault.CACHE_SHARED: FindingCode.CACHE_SHARED,
    GradientFault.NONDETERMINISTIC: FindingCode.NONDETERMINISTIC,
    GradientFault.NOT_LINEAR_IN_UPSTREAM: FindingCode.NOT_LINEAR_IN_UPSTREAM,
}

_REMEDIES = {
    FindingCode.ACCUMULATES: "every call starts from zero: nothing outside of the function may be added to",
    FindingCode.CACHE_SHARED: "return what backward needs as the cache: the next forward call overwrites a global",
}

_OF_THE_UPSTREAM = {
    "the sign and size of dout have no effect": "dout is left out: each term of a gradient has it as a factor, once",
    "the sign of dout has no effect": "its absolute value is taken: each term of a gradient has dout as a factor",
    "with the square of dout": "dout is multiplied in twice: each term of a gradient has it as a factor, once",
}
"""By what the check found of a backward that does not follow the upstream gradient."""
_MORE_THAN_ORDER = "a GPU may add up in another order each time, which changes no more than the tolerance: this is more"


def _broken_contract(question: Question, evidence: _Evidence) -> Finding | None:
    """State, chance or a forgotten upstream gradient; with what the error looks like where that is known."""
    for problem in evidence.own.problems:
        code = _CONTRACT.get(problem.code)
        if code is not None:
            remedy = _remedy(question, code, problem.detail)
            told = finding(code, function=_names(question)[1], problem=problem.detail, likely=remedy)
            wrong = _told(question, evidence)
            if wrong is None or wrong.diagnosis == DiagnosisCode.UNKNOWN.name:
                return told
            # That dout is left out says more than which mutants of the solution do that.
            like = wrong.diagnosis.startswith("AS_IF") and remedy
            likely = remedy if like else wrong.likely or remedy
            return replace(told, pattern=wrong.pattern, likely=likely, diagnosis=wrong.diagnosis)
    return None


def _remedy(question: Question, code: FindingCode, detail: str) -> str:
    """What mends a broken contract, as far as its kind tells."""
    match code:
        case FindingCode.NONDETERMINISTIC:
            return _MORE_THAN_ORDER if _adds_in_any_order(question) else ""
        case FindingCode.NOT_LINEAR_IN_UPSTREAM:
            return next((cause for words, cause in _OF_THE_UPSTREAM.items() if words in detail), "")
        case _:
            return _REMEDIES[code]


def _problem(question: Question, problem: GradientProblem) -> str:
    """What the gradient check found; its details are numbers, which a hidden case keeps."""
    return str(replace(problem, detail="") if question.hide_values else problem)


def _of_another_shape(question: Question, out: Any, cache: Kept, runs: Any, pull: Any) -> Ruling:
    """The output has another shape than the reference's, and so has the upstream gradient that goes with it.

    A backward that takes the one asked for, and gives the reference's gradients, is right all the same.
    """
    try:
        results = _against_reference(question, pull(question.case.upstream, cache, watch=True))
    except Unanswered as unanswered:
        if unanswered.status is not Status.FAILED:
            raise
        results = unanswered.finding
    if not isinstance(results, Finding) and all(result.passed for _, _, result in results):
        return Ruling(comparisons=[(leaf.name, result) for leaf, _, result in results])
    return _only_own(question, out, runs, pull)


def _only_own(question: Question, out: Any, runs: Any, pull: Any) -> Ruling:
    """Only the derivative of the own forward can be judged."""
    own = _own(question, out, runs, pull, forward_right=False)
    forward, function = _names(question)
    if own.outcome is CheckOutcome.PASSED:
        told = finding(FindingCode.GRADIENT_FOLLOWS_FORWARD, function=function, forward=forward)
        return Ruling(failure=told, credit=question.exercise.follow_through, gradient=own)
    if not own.problems:  # nothing can be said of the backward, but that it is of no use behind this forward
        wanted = _shapes(question.oracle.expected(question.exercise, question.case).value)
        given = _shapes(out)
        at = next(index for index, pair in enumerate(zip(given, wanted, strict=True)) if pair[0] != pair[1])
        what = "out" if len(wanted) == 1 else f"out[{at}]"
        told = finding(FindingCode.WRONG_SHAPE, what=what, shape=given[at], expected=wanted[at])
        return Ruling(failure=told, gradient=own)
    problem = _problem(question, own.problems[0])
    told = finding(FindingCode.WRONG_DERIVATIVE, function=function, forward=forward, problem=problem)
    return Ruling(failure=told, gradient=own)


# ------------------------------------------------------------------------------------------------------------ plumbing


def _names(question: Question) -> tuple[str, str]:
    """Names of the student's forward and backward functions; a loss is both."""
    roles = question.exercise.functions
    return (
        (roles["loss"], f"the gradient of {roles['loss']}")
        if "loss" in roles
        else (roles["forward"], roles["backward"])
    )


def _label(question: Question, name: str) -> str:
    alone = question.exercise.kind is Kind.MODEL and len(question.exercise.gradients) == 1
    return "grads" if alone else f"d{name}"


def _by_input(question: Question, gradients: Any) -> dict[str, Any] | Finding:
    """The returned gradients by input, each of the structure of its input; or what is wrong with the structure."""
    wanted = question.oracle.expected(question.exercise, question.case).gradients
    items = [gradients] if len(wanted) == 1 else gradients
    if len(wanted) == 1 and isinstance(gradients, (tuple, list)) and len(gradients) == 1:
        tree = next(iter(wanted.values()))
        if structure_problem(gradients, tree) and not structure_problem(gradients[0], tree):
            items = gradients  # a tuple of one: (dx,)
    if not isinstance(items, (tuple, list)) or len(items) != len(wanted):
        names = ", ".join(f"d{name}" for name in wanted)
        what = question.exercise.functions.get("backward", "the gradient")
        problem = f"must return ({names}), it returned {describe_value(gradients)}"
        return finding(FindingCode.WRONG_STRUCTURE, what=what, problem=problem)
    for (name, tree), item in zip(wanted.items(), items, strict=True):
        problem_of_item = structure_problem(item, tree)
        if problem_of_item:
            return finding(FindingCode.WRONG_STRUCTURE, what=_label(question, name), problem=problem_of_item)
    return dict(zip(wanted, items, strict=True))


def _gradient_leaves(question: Question) -> dict[str, list[Leaf]]:
    """The expected gradients by input. The same for every submission."""
    case, exercise = question.case, question.exercise
    gradients = question.oracle.expected(exercise, case).gradients
    inputs, scale = float_inputs(case.inputs), largest(leaves(dict(gradients)))
    # The gradient of a bias in front of a batch norm is zero, and what rounding leaves of the upstream gradient.
    noise = largest(leaves(1.0 if case.upstream is None else case.upstream))
    slack = question.oracle.expected(exercise, case).slack
    wanted = {
        name: expected_leaves(
            _label(question, name),
            tree,
            scale,
            noise,
            slack=None if slack is None else slack.gradients[name],
            deep=exercise.kind is Kind.MODEL,
        )
        for name, tree in gradients.items()
    }
    every = {leaf.name: leaf.expected for each in wanted.values() for leaf in each}

    def told(leaf: Leaf, spec: ArraySpec) -> Leaf:
        context = Context(
            name=leaf.name,
            axes=spec.axes,
            sizes=case.sizes,
            inputs=inputs,
            upstream=None if isinstance(case.upstream, tuple) else case.upstream,
            upstream_axes=exercise.output,
            others={name: array for name, array in every.items() if name != leaf.name},
        )
        return replace(leaf, axes=spec.axes, context=context)

    return {
        name: [told(leaf, spec) for leaf, (_, spec) in zip(each, named_specs(name, exercise.inputs[name]), strict=True)]
        for name, each in wanted.items()
    }


def _shapes(out: Any) -> list[tuple[int, ...]]:
    return [np.shape(leaf) for leaf in leaves(out)]


def _row(value: Any, out: Any) -> Any:
    """Several results in one row; as they are where they have another form than those of the case itself."""
    if structure_problem(value, out) or _bad_output(value, out):
        return value
    return joined(value)


def _apart(question: Question, upstream: Any) -> Any:
    """An upstream gradient of numerics as the reference takes it: a row of several is a tuple."""
    like = question.case.upstream
    return split(np.asarray(upstream), like) if isinstance(like, tuple) else np.asarray(upstream)


def _bad_output(out: Any, expected: Any) -> str | None:
    """Why a forward result can't be differentiated at all, in words."""
    problem = structure_problem(out, expected)
    if problem:
        return problem
    for leaf in leaves(out):
        array = np.asarray(leaf)
        if array.dtype.kind not in "biuf":
            return f"must be {describe_value(expected)}, it is {describe_value(leaf)}"
    return None


def _same_leaves(left: Iterable[Any], right: Iterable[Any]) -> bool:
    return all(map(np.array_equal, leaves(list(left)), leaves(list(right))))


def _equal(question: Question, out: Any) -> bool:
    return all(result.passed for _, _, result in compare_leaves(out, expected_value(question)))
