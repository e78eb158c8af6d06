"""What a gradient check found: outcome, problems with their wording, the probes and how sure they are."""

from __future__ import annotations

import enum
import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.numerics.diagnosis import Context, DiagnosisCode, diagnose

__all__ = [
    "FailurePoint",
    "GradientCheck",
    "GradientFault",
    "Outcome",
    "GradientProblem",
    "Probe",
    "TensorResidual",
    "Where",
]


class Outcome(enum.Enum):
    """The three verdicts; the value is the wording."""

    PASSED = "the gradient is right"
    FAILED = "the gradient is wrong"
    INCONCLUSIVE = "undecided"


class GradientFault(enum.Enum):
    """What can be said about a forward/backward pair; the value is the wording, after the name of a tensor."""

    WRONG = "is not the gradient"
    COUNT = "backward returns another number of gradients, or another structure"
    MISSING = "has no gradient: backward returns None for it"
    NOT_AN_ARRAY = "has a gradient that is not an array of real numbers"
    SHAPE = "has a gradient of another shape"
    NOT_FINITE = "has NaN or infinity in its gradient"
    FORWARD_RESULT = "forward returns something other than arrays of real numbers and what backward needs"
    FORWARD_NOT_FINITE = "forward returns NaN or infinity"
    FLOAT32 = "is computed in less than float64 somewhere inside"
    NONDETERMINISTIC = "the same call gives another result the second time"
    ACCUMULATES = "backward adds to the gradients of the call before"
    CACHE_SHARED = "backward uses what the latest forward left behind, not the cache that it is given"
    NOT_LINEAR_IN_UPSTREAM = "backward is not linear in the upstream gradient"
    NOT_SUBGRADIENT = "at a kink, backward lies outside of the slopes on both sides"
    MUTATES_INPUT = "is written into"
    MUTATES_UPSTREAM = "backward writes into the upstream gradient"
    KINK = "the function has a kink here"
    NOISY = "the forward rounds so coarsely that differences decide nothing"
    VACUOUS = "has a gradient of zero, as far as can be told: returning zeros would pass"
    WEAK = "counts for so little in the output that its gradient is hardly checked"
    NOTHING_TO_CHECK = "there are no numbers to differentiate"


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientProblem:
    """One thing found, about one tensor or, with tensor None, about the pair as a whole."""

    code: GradientFault
    tensor: str | None = None
    detail: str = ""

    def __str__(self) -> str:
        what = f"{self.tensor} {self.code.value}" if self.tensor else self.code.value
        return f"{what}: {self.detail}" if self.detail else what


class Where(enum.Enum):
    """Where a probe was made; the value is the wording."""

    AT_INPUTS = "at the inputs"
    NEAR_KINK = "close to the kinks"
    AT_KINK = "on both sides of the kink"
    JITTERED = "beside the inputs"
    ONE_TENSOR = "of one tensor alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One random direction through all tensors at once. Sizes are in units of the upstream-weighted output."""

    where: Where
    residual: float
    """What the gradient leaves unexplained; 0 for a right one in exact arithmetic."""
    truncation: float
    roundoff: float
    step: float
    gradient_norm: float
    """Length of the gradient, each tensor in units of its own rms: an error of 1 % has 1 % of this length."""

    @property
    def tolerance(self) -> float:
        """Largest residual that a right gradient could leave."""
        return self.truncation + self.roundoff

    @property
    def passed(self) -> bool:
        """Whether a right gradient could leave this residual."""
        return abs(self.residual) <= self.tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorResidual:
    """One tensor's own share in a failure."""

    name: str
    residual: float
    tolerance: float
    """NaN where it was settled by comparing with the true gradient."""
    wrong: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FailurePoint:
    """Where the gradient failed, for whoever explains it. The mappings are by tensor; arrays have its shape."""

    inputs: Mapping[str, Any]
    """The differentiated tensors."""
    upstream: Any
    """In the form of the forward's output."""
    actual: Mapping[str, Any]
    """What backward returned; of any shape, or None, where that is the problem."""
    expected: Mapping[str, Any]
    """The true gradient of the student's own forward, for those tensors where it was found."""
    source: str
    """How it was found: "reference" or "full differences"; empty if it was not."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GradientCheck:
    """The verdict on a forward/backward pair, with its evidence."""

    outcome: Outcome
    problems: tuple[GradientProblem, ...]
    warnings: tuple[GradientProblem, ...]
    """True, and worth telling, but no reason to fail: writing into an argument, kinks left out."""
    probes: tuple[Probe, ...]
    coverage: float
    """Share of the outputs that were checked at the inputs themselves, away from kinks."""
    forward_calls: int
    backward_calls: int
    seed: int
    """Give it to check_gradients to repeat this run."""
    tensors: tuple[TensorResidual, ...] = ()
    """On a failure: which tensors it is in."""
    failure: FailurePoint | None = None

    @property
    def passed(self) -> bool:
        """Whether the gradient was found right."""
        return self.outcome is Outcome.PASSED

    def odds_of_missing(self, relative_error: float) -> float:
        """Bound on the probability that this many probes all accept a gradient with an error of this relative size.

        One probe sees the error through a random Gaussian direction, as N(0, (rho tol)^2), and accepts within tol:
        P(|z| <= 1/rho) <= sqrt(2/pi) / rho. Probes are independent. The size is that of the whole gradient, each
        tensor in units of its rms; with kinks, it is about the outputs that were checked.
        """
        odds = 1.0
        for probe in self.probes:
            if probe.where is Where.AT_INPUTS:
                error = relative_error * probe.gradient_norm
                odds *= min(1.0, math.sqrt(2 / math.pi) * probe.tolerance / error) if error > 0.0 else 1.0
        return odds

    @property
    def hints(self) -> dict[str, str]:
        """What the error of each wrong tensor looks like, where the true gradient is known and a pattern was found."""
        point = self.failure
        if point is None:
            return {}
        wrong = {problem.tensor for problem in self.problems}
        return {name: hint for name in point.expected if name in wrong and (hint := _hint(name, point))}

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        if self.outcome is Outcome.FAILED:
            first = self.problems[0]
            more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
            return f"gradient check failed: {first}{more}"
        if self.outcome is Outcome.INCONCLUSIVE:
            return f"gradient check undecided: {self.warnings[0]}" if self.warnings else "gradient check undecided"
        odds = self.odds_of_missing(1e-3)
        sure = f"odds of missing an error of 0.1 %: {odds:.0e}" if odds < 1.0 else "no odds can be given"
        return f"gradient check passed: {sure}"

    def __str__(self) -> str:
        lines = [self.headline]
        lines += [f"  {problem}" for problem in self.problems[:8]]
        lines += [f"  hint: {name}: {hint}" for name, hint in list(self.hints.items())[:4]]
        lines += [f"  warning: {warning}" for warning in self.warnings[:4]]
        lines += [f"  {_sentence(tensor)}" for tensor in self.tensors[:8]]
        lines += [
            f"  probe {probe.where.value}: residual {abs(probe.residual):.1e}, allowed {probe.tolerance:.1e}, "
            f"gradient {probe.gradient_norm:.1e}"
            for probe in self.probes[:8]
        ]
        return "\n".join([*lines, f"  {_footer(self)}"])

    def _repr_html_(self) -> str:
        """The same as a small table, for notebooks."""
        rows = [("problem", str(problem)) for problem in self.problems[:8]]
        rows += [("hint", f"{name}: {hint}") for name, hint in list(self.hints.items())[:4]]
        rows += [("warning", str(warning)) for warning in self.warnings[:4]]
        rows += [("tensor", _sentence(tensor)) for tensor in self.tensors[:8]]
        rows += [
            (
                f"probe {probe.where.value}",
                f"residual {abs(probe.residual):.1e}, allowed {probe.tolerance:.1e}",
            )
            for probe in self.probes[:8]
        ]
        body = "".join(
            f"<tr><th style='text-align:left'>{html.escape(head)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for head, text in rows
        )
        caption = f"<caption style='text-align:left'><b>{html.escape(self.headline)}</b></caption>"
        return f"<table>{caption}{body}</table><small>{html.escape(_footer(self))}</small>"


def _hint(name: str, point: FailurePoint) -> str:
    arrays = {label: value for label, value in point.inputs.items() if isinstance(value, np.ndarray)}
    lengths = {length for value in arrays.values() for length in value.shape}
    context = Context(
        name=name,
        # There are no axis names here: a length goes by the first array that has it.
        sizes={
            next(_axis(label, value, length) for label, value in arrays.items() if length in value.shape): length
            for length in sorted(lengths)
        },
        inputs=point.inputs,
        upstream=point.upstream if isinstance(point.upstream, np.ndarray) else None,
        others={other: value for other, value in point.expected.items() if other != name},
    )
    found = diagnose(point.actual.get(name), np.asarray(point.expected[name]), context)
    if not found or found[0].code is DiagnosisCode.UNKNOWN:
        return ""
    return f"{found[0].pattern}; {found[0].cause}" if found[0].cause else found[0].pattern


def _axis(label: str, value: np.ndarray, length: int) -> str:
    return f"{label}.shape[{value.shape.index(length)}]"


def _sentence(tensor: TensorResidual) -> str:
    if not tensor.wrong:
        return f"{tensor.name} is right"
    if math.isnan(tensor.tolerance):
        return f"{tensor.name} is wrong"
    return f"{tensor.name} is wrong: residual {abs(tensor.residual):.1e}, allowed {tensor.tolerance:.1e}"


def _footer(check: GradientCheck) -> str:
    return (
        f"{check.forward_calls} forward and {check.backward_calls} backward calls, "
        f"{check.coverage:.0%} of the outputs checked, seed {check.seed}"
    )
