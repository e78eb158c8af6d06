"""What the judge found: codes with their wording, verdicts, whose fault, and the evidence.

A Check is one case of one aspect of an exercise ("backward" on the case "batch of 1"). It passes with evidence, or
it carries Findings that say what is wrong and why. Only a student's fault costs points: an undecided check, the
course's or the machine's fault, takes its points out of the student's hands in both directions.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from grader.numerics.comparison import Comparison
from grader.numerics.gradcheck import GradientCheck
from grader.settings import Setting

__all__ = ["Check", "Curve", "Fault", "Finding", "FindingCode", "Status", "Verdict"]


class Verdict(StrEnum):
    """Three answers, of which the third is not a polite form of the second; and that there is none yet."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    PENDING = "pending"
    """Nothing is wrong so far, and the rest needs what this machine has not: another one can settle it."""


class Fault(StrEnum):
    """Whose fault it is that something did not pass."""

    STUDENT = "student"
    COURSE = "course"
    MACHINE = "machine"


class Status(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    NOT_RUN = "not run"
    TIMED_OUT = "timed out"
    KILLED = "killed"
    PENDING = "pending"


class FindingCode(enum.Enum):
    """Every finding there is. The value is its headline; the name is what reports and manifests call it."""

    # The result
    WRONG_VALUE = "{what} is not right: {wrong} of {size} elements differ"
    WRONG_SHAPE = "{what} has shape {shape}, expected {expected}"
    WRONG_DTYPE = "{what} is of dtype {dtype}, expected {expected}"
    WRONG_STRUCTURE = "{what} {problem}"
    WRONG_DEVICE = "{what} is {found}, expected a tensor on cuda:0"
    WRONG_LIBRARY = "{what} is {found}, expected {expected}, like what went in"
    NOT_FINITE = "{what} has NaN or infinite elements: {wrong} of {size} elements differ"
    # The gradient
    WRONG_GRADIENT = "{what} is not the gradient: {wrong} of {size} elements differ"
    WRONG_DERIVATIVE = "{function} is not the derivative of {forward}: {problem}"
    GRADIENT_FOLLOWS_FORWARD = "{function} is the right derivative of your {forward}, but {forward} itself is wrong"
    ACCUMULATES = "{function} adds to what an earlier call left behind"
    CACHE_SHARED = "{function} uses the values of the latest forward call, not those of its own cache"
    NONDETERMINISTIC = "{function} gives another result for the same arguments"
    NOT_LINEAR_IN_UPSTREAM = "{function} does not follow the upstream gradient: {problem}"
    NUMERICAL_DERIVATIVE = "{function} differentiates numerically: {evidence}"
    CHECKS_ITSELF = "{function} takes numerical differences as it runs: {evidence}"
    # Dropout
    WRONG_RATE = (
        "{function} drops another share than p: {dropped} of {size} elements; p, the probability to drop one, is {p:g}"
    )
    SHARED_MASK = "{function} does not draw each element by itself: {problem}"
    SAME_MASK = "{function} drops the same elements in every call"
    # Trajectories
    WRONG_TRAJECTORY = (
        "{what}: off the reference's trajectory at step {step} of {steps}: {wrong} of {size} elements differ"
    )
    NOT_LEARNED = "the trained network has not learned enough: it reaches {reached}; {asked} is asked"
    # How the code behaves
    NOT_WRITTEN = "{problem}"
    MISSING_FUNCTION = "{unread}there is no function {function} in {file}"
    DOES_NOT_LOAD = "{file} does not load: {problem}"
    RAISED = "{function} raised {problem}"
    TIMED_OUT = "{function} did not return within {seconds:g} s"
    KILLED = "{function} ended its process: {problem}"
    TIME_USED_UP = "{function} was not waited for: {problem}"
    OUT_OF_MEMORY = "{function} ran out of memory: one submission may use {megabytes} MB"
    OUTPUT_CUT = "{function} prints too much: what goes beyond {limit} bytes is dropped"
    MALFORMED = "{function} returned something that can't be graded: {problem}"
    MUTATES_ARGUMENT = "{function} writes into {what}"
    SYNCHRONISES = "{function} waits for the GPU: {where}"
    NOT_RUN = "not run: {problem}"
    FAILS_ALREADY = "not judged with {arrays}: it fails with {main} already"
    # One slip costs once
    ANSWERED = "judged with {functions} answered by the reference, since {where} {fails}: {problem}"
    NOT_APART = "not judged apart from {where}: {problem}"
    # Not the student's fault
    SUBMISSION_UNREADABLE = "the submission can't be read: {problem}"
    ORACLE_FAILED = "the course's reference failed: {problem}"
    ORACLES_DISAGREE = "undecided: on the reference itself finite differences and torch.autograd disagree: {problem}"
    INCONCLUSIVE = "undecided: {what} is not the reference's, and differences can't tell: {problem}"
    VACUOUS = "the course's cases can't tell: {problem}"
    MACHINE_FAILED = "this machine failed while grading: {problem}"
    PENDING = "not judged with {arrays} yet: {problem}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or (a warning) worth saying, told on one screen."""

    code: FindingCode
    fault: Fault
    headline: str
    warning: bool = False
    """Costs nothing."""
    worst: str = ""
    """The worst element with the student's and the expected value. Values: left out for hidden cases."""
    pattern: str = ""
    """What the error looks like, checked on every element."""
    likely: str = ""
    """Likely cause; empty rather than guessed."""
    also: str = ""
    """The other tensors of this check, in a line."""
    detail: str = ""
    """Text from the student's process: a traceback, what was returned."""
    graph: str = ""
    """Engine: the smallest graph found that fails in this way, as code."""
    diagnosis: str = ""
    """Code of the diagnosis behind pattern and likely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The losses of a training beside the reference's, at some of its steps."""

    steps: tuple[int, ...]
    """Counted from 1."""
    actual: tuple[float, ...]
    expected: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Check:
    """One aspect of one exercise on one case, judged."""

    exercise: str
    part: str
    aspect: str
    case: str
    hidden: bool
    status: Status
    setting: Setting | None = None
    """In which further setting; None in the main one."""
    fault: Fault | None = None
    """Whose fault, unless it passed or is pending."""
    credit: Fraction = field(default=Fraction(0))
    """Share of the part's points that this check leaves standing: 1 if it passed."""
    findings: tuple[Finding, ...] = ()
    comparisons: tuple[tuple[str, Comparison], ...] = ()
    """Evidence against the reference, by the name of the compared tensor."""
    gradient: GradientCheck | None = None
    """Evidence against finite differences of the student's own forward."""
    curve: Curve | None = None
    """Of a training; left out for hidden cases."""
    inputs: str = ""
    """Shapes of the case, for the message."""
    seed: int | None = None
    """What its arrays are drawn from; None if none were drawn."""
    calls: int = 0
    seconds: float = 0.0
    answered: tuple[str, ...] = ()
    """Functions whose calls the reference answered, since the student's own are wrong (grader.answering)."""
    verdicts: tuple[bool, ...] = ()
    """What was answered where yes or no was asked, right or wrong (grader.checks.verdicts)."""

    @property
    def verdict(self) -> Verdict:
        """Whether it passed, and if not, whether the student answers for it."""
        if self.status is Status.PASSED:
            return Verdict.PASSED
        if self.status is Status.PENDING:
            return Verdict.PENDING
        return Verdict.FAILED if self.fault is Fault.STUDENT else Verdict.UNDECIDED
