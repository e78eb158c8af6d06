"""Is this backward the derivative of this forward? With evidence, at a constant number of calls.

Not compared with any reference: the pair is held against itself. In order, with the calls a right layer pays for:

1. Contract (contract.py; 4 forward, 3 backward): structure, shapes, NaN, writing into arguments, history, linearity
   in the upstream gradient, float32 inside.
2. Rounding noise of the outputs (differences.py; 3 forward).
3. Two probes (kinks.py; 4 forward each, and 1 forward and 1 backward for the second upstream gradient): a random
   direction through all tensors at once, a random upstream gradient, and a tolerance derived from the forward alone.
   An upstream gradient of ones would make softmax and the normalisations vacuous; float32 differences are useless.
4. A tensor that counts for little beside the others (a bias of 1e-9) is probed alone, with larger steps; 4 forward.
5. Where kinks were found: the outputs at them by other means, then a probe beside the inputs, where they are passed.
6. On a failure (localise.py): which tensor, and where.

So 16 forward and 4 backward calls, whatever the sizes, at most 39 forward at ordinary kinks, 160 more for a single loss
that lies on one, and 4 to 12 more for a probe where the function is strongly curved. "Inconclusive" is never "wrong".

Known limits. Branches that these inputs don't take are not seen. A strongly curved or ill-conditioned function can be
taken for a kinked one: coverage says so. A forward that loses half its digits (it adds 1e8 and takes it off again)
is mostly passed or undecided, but with one or two outputs it can be called wrong (18 of 1000 such runs).
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from grader.errors import GradmarkError
from grader.numerics.contract import Repeats, precision_problems, promise_problems
from grader.numerics.differences import Vector, norm
from grader.numerics.evidence import (
    FailurePoint,
    GradientCheck,
    GradientFault,
    GradientProblem,
    Outcome,
    Probe,
    TensorResidual,
    Where,
)
from grader.numerics.kinks import Failing, Point, Probed, point_at, probe
from grader.numerics.localise import Reference, failure_point, locate
from grader.numerics.pair import Broken, Evaluation, Pair, Tensor
from grader.numerics.trees import leaves

__all__ = [
    "FailurePoint",
    "GradientCheck",
    "GradientFault",
    "GradientProblem",
    "Outcome",
    "Probe",
    "TensorResidual",
    "Where",
    "check_gradients",
]

_JITTER = 0.05
"""Distance of the probe beside the inputs, in units of their rms."""
_WELL_SEEN = 1e4
"""A gradient this many times the tolerance shows an error of 0.1 % as 10 tolerances."""
_HISTORY_FAULTS = {GradientFault.ACCUMULATES, GradientFault.NONDETERMINISTIC}
"""With these, two calls can't be compared, so there is nothing to probe."""


def check_gradients(
    forward: Callable[..., Any],
    backward: Callable[[Any, Any], Any] | None,
    inputs: Sequence[Any],
    *,
    names: Sequence[str] | None = None,
    reference: Reference | None = None,
    probes: int = 2,
    seed: int | None = None,
    differentiate: Sequence[str | int] | None = None,
    contract: bool = True,
    localise: bool = True,
    differences: bool = True,
    forwards: Callable[[Sequence[tuple[Any, ...]]], Iterable[Any]] | None = None,
    elsewhere: bool = False,
    repeats: Repeats | None = None,
) -> GradientCheck:
    """Check that backward is the derivative of forward at these inputs, in float64.

    Args:
        forward: forward(*inputs) -> (out, cache). out is a number, an array or a tree of arrays, of any shape.
        backward: backward(upstream, cache) -> gradients of the floating-point inputs in order, as a tuple or list, or
            the gradient itself if there is one. upstream has the form of out. None: forward returns
            (loss, gradients) at once.
        inputs: arrays or trees of arrays (dicts, lists, tuples); a gradient has the structure of its input. Floating
            arrays are converted to float64. Integers, truth values and plain Python numbers are passed along.
        names: of the inputs, for messages. By default those of forward's parameters.
        reference: reference(inputs, upstream) -> true gradients in backward's form. Called on a failure only, and
            believed only where it explains the differences of this forward.
        probes: number of random directions; each lowers the odds of missing an error.
        seed: of every random draw. None draws one; the result records it.
        differentiate: names or positions of the inputs that backward returns gradients of. By default all those
            that hold floating-point arrays.
        contract: test history, linearity and precision too.
        localise: on a failure also find the true gradient or the wrong elements; it may take thousands of calls.
        differences: take them. Without, only the contract is tested, but for the digits inside: a check of functions
            that work in fewer, and inconclusive at best.
        forwards: gives forward's results at several inputs, in order, where that is quicker than to call it for each.
        elsewhere: both functions run on copies of what they are given (in another process, say), so that they can't
            write into it. They are handed views that can't be written to, and writing is not looked for.
        repeats: how far apart results of the same call may lie, on a device that adds up in no order of its own.

    Raises:
        ValueError: the arguments don't fit together, or an input to differentiate is not finite.
        Exception: whatever forward or backward raises, unchanged.
    """
    if probes < 1:
        raise ValueError(f"at least one probe is needed, got {probes}")
    named = _names(forward, inputs, names)
    pair = Pair(
        forward=forward,
        backward=backward,
        inputs=tuple(inputs),
        names=named,
        differentiated=_differentiated(inputs, named, differentiate),
        forwards=forwards,
        elsewhere=elsewhere,
    )
    seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    check = _Check(
        pair=pair,
        rng=np.random.default_rng(seed),
        reference=reference,
        probes=probes,
        contract=contract,
        thorough=localise,
        differences=differences,
        repeats=repeats,
    )
    check.run()
    return check.result(seed)


@dataclass(slots=True, kw_only=True, eq=False)
class _Check:
    """A check under way: what it was asked, and what it has found so far."""

    pair: Pair
    rng: np.random.Generator
    reference: Reference | None
    probes: int
    contract: bool
    thorough: bool
    differences: bool
    repeats: Repeats | None
    problems: list[GradientProblem] = field(default_factory=list)
    warnings: list[GradientProblem] = field(default_factory=list)
    probed: list[Probe] = field(default_factory=list)
    coverage: float = 0.0
    tensors: tuple[TensorResidual, ...] = ()
    failure: FailurePoint | None = None

    def run(self) -> None:
        upstream: Vector | None = None
        try:
            first = self.pair.evaluate(self.pair.x)
            if not self._worth_checking(first):
                return
            upstream = self._upstream(first)
            self._examine(first, upstream)
        except Broken as broken:
            self.problems += broken.problems
            if broken.actual is not None and upstream is not None:
                self.failure = failure_point(self.pair, self.pair.x, upstream, broken.actual, self.reference)

    def result(self, seed: int) -> GradientCheck:
        pair = self.pair
        writes = [GradientProblem(code=code, tensor=tensor, detail=by) for (code, tensor), by in pair.mutations.items()]
        return GradientCheck(
            outcome=self._outcome(),
            problems=tuple(self.problems),
            warnings=tuple(dict.fromkeys([*writes, *self.warnings])),
            probes=tuple(self.probed),
            coverage=self.coverage,
            forward_calls=pair.forward_calls,
            backward_calls=pair.backward_calls,
            seed=seed,
            tensors=self.tensors,
            failure=self.failure,
        )

    def _outcome(self) -> Outcome:
        if self.problems:
            return Outcome.FAILED
        where = {probe.where for probe in self.probed}
        conclusive = Where.AT_INPUTS in where or {Where.AT_KINK, Where.JITTERED} <= where
        return Outcome.PASSED if conclusive else Outcome.INCONCLUSIVE

    def _worth_checking(self, first: Evaluation) -> bool:
        if first.value.size == 0 or self.pair.x.size == 0:
            what = "the output is empty" if self.pair.x.size else "the inputs are empty"
            self.warnings.append(GradientProblem(code=GradientFault.NOTHING_TO_CHECK, detail=what))
            return False
        bad = int(np.count_nonzero(~np.isfinite(first.value)))
        if bad:
            detail = f"{bad} of {first.value.size} outputs"
            raise Broken(GradientProblem(code=GradientFault.FORWARD_NOT_FINITE, detail=detail))
        return True

    def _upstream(self, first: Evaluation) -> Vector:
        size = first.value.size
        return np.ones(size) if self.pair.backward is None else self.rng.standard_normal(size)

    def _examine(self, first: Evaluation, upstream: Vector) -> None:
        gradient = self.pair.differentiate(first, upstream)
        if self.contract:
            if self.differences:
                self.problems += precision_problems(self.pair, first.value, gradient, upstream)
            self.problems += promise_problems(self.pair, first, upstream, gradient, self.rng, self.repeats)
            if any(problem.code in _HISTORY_FAULTS for problem in self.problems):
                return
        if not self.differences:
            return
        failing = self._probe_all(first, upstream, gradient)
        if failing is not None:
            located = locate(self.pair, failing, self.reference, self.rng, thorough=self.thorough)
            self.problems += located.problems
            self.tensors = located.tensors
            self.failure = located.failure

    def _probe_all(self, first: Evaluation, upstream: Vector, gradient: Vector) -> Failing | None:
        point = point_at(self.pair, first, Where.AT_INPUTS, self.rng)
        coverage = 1.0
        for number in range(self.probes):
            if number > 0 and self.pair.backward is not None:
                upstream = self._upstream(first)
                gradient = self.pair.gradient(point.x, upstream)
            found = probe(self.pair, point, upstream, gradient, self.rng, number=number)
            self._take(found)
            self.coverage = coverage = min(coverage, found.coverage)
            if found.failing is not None or found.problems:
                return found.failing
        failing = self._probe_weak(point, upstream, gradient)
        noisy = any(warning.code is GradientFault.NOISY for warning in self.warnings)
        if failing is None and coverage < 1.0 and not noisy:
            failing = self._probe_beside(upstream)
        return failing

    def _probe_weak(self, point: Point, upstream: Vector, gradient: Vector) -> Failing | None:
        """Probe alone, with larger steps, each tensor that counted for too little beside the others."""
        pair, allowed = self.pair, max((each.tolerance for each in self.probed), default=math.inf)
        for tensor in pair.tensors:
            where = tensor.where
            seen = norm((gradient * pair.scale)[where])
            if not 0 < allowed < math.inf or seen >= _WELL_SEEN * allowed or where.start == where.stop:
                continue
            alone = replace(point, where=Where.ONE_TENSOR, scale=pair.alone(tensor))
            found = probe(pair, alone, upstream, gradient, self.rng)
            self._take(found)
            if found.failing is not None:
                return found.failing
            self._note_if_weak(tensor, found)
        return None

    def _note_if_weak(self, tensor: Tensor, found: Probed) -> None:
        if not found.probes:
            self.warnings.append(GradientProblem(code=GradientFault.WEAK, tensor=tensor.name))
            return
        size, allowed = found.probes[0].gradient_norm, found.probes[0].tolerance
        if size <= allowed:
            detail = f"its size is below {allowed:.1e}"
            self.warnings.append(GradientProblem(code=GradientFault.VACUOUS, tensor=tensor.name, detail=detail))
        elif size < _WELL_SEEN * allowed:
            detail = f"an error below {allowed / size:.0e} of it does not show"
            self.warnings.append(GradientProblem(code=GradientFault.WEAK, tensor=tensor.name, detail=detail))

    def _probe_beside(self, upstream: Vector) -> Failing | None:
        """Probe at a point nearby, where the kinks of the inputs are passed; nothing, if the domain ends before it."""
        pair = self.pair
        nearby = pair.x + _JITTER * pair.scale * self.rng.standard_normal(pair.x.size)
        try:
            with np.errstate(all="ignore"):
                evaluation = pair.evaluate(nearby)
        except (Broken, GradmarkError):  # what is our own fault says nothing of the domain
            raise
        except Exception:
            return None
        if not np.all(np.isfinite(evaluation.value)):
            return None
        gradient = pair.differentiate(evaluation, upstream)
        found = probe(pair, point_at(pair, evaluation, Where.JITTERED, self.rng), upstream, gradient, self.rng)
        self._take(found)
        return found.failing

    def _take(self, found: Probed) -> None:
        self.probed += found.probes
        self.problems += found.problems
        self.warnings += found.warnings


def _names(forward: Callable[..., Any], inputs: Sequence[Any], names: Sequence[str] | None) -> tuple[str, ...]:
    if names is not None:
        if len(names) != len(inputs) or len(set(names)) != len(names):
            raise ValueError(f"{len(inputs)} inputs need as many different names, got {list(names)}")
        return tuple(names)
    try:
        parameters = inspect.signature(forward).parameters.values()
    except (TypeError, ValueError):
        parameters = {}.values()  # a builtin has no signature
    positional = [each.name for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    if len(positional) >= len(inputs):
        return tuple(positional[: len(inputs)])
    return tuple(f"input {position}" for position in range(len(inputs)))


def _differentiated(
    inputs: Sequence[Any], names: tuple[str, ...], chosen: Sequence[str | int] | None
) -> tuple[int, ...]:
    floating = [
        position
        for position, tree in enumerate(inputs)
        if any(isinstance(leaf, (np.ndarray, np.generic)) and leaf.dtype.kind == "f" for leaf in leaves(tree))
    ]
    if chosen is None:
        return tuple(floating)
    unknown = [each for each in chosen if each not in names and each not in range(len(inputs))]
    if unknown:
        raise ValueError(f"no such inputs: {unknown}; there are {list(names)}")
    positions = tuple(names.index(each) if isinstance(each, str) else int(each) for each in chosen)
    not_floating = [names[position] for position in positions if position not in floating]
    if not_floating:
        raise ValueError(f"not floating-point arrays, so there is no gradient of them: {not_floating}")
    return positions
