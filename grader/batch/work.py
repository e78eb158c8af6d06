"""What whoever grades is given, and what comes back."""

from __future__ import annotations

import gc
import hashlib
from dataclasses import dataclass
from pathlib import Path

import grader
from grader.calls import Rung
from grader.checks.asking import finding
from grader.findings import Fault, FindingCode
from grader.gradebook import Sealed, seal
from grader.grading import grade, prepare, ungraded
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.sandbox.pool import Sandbox
from grader.settings import Device
from grader.submission import Submission

__all__ = ["Desk", "Graded", "Order", "Task", "grader_digest", "lost", "seed_digest"]


_FORKS = 5000
"""Of a zygote, before it is replaced: a new one costs as much as some tens of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a whole class is graded with."""

    manifest: Path
    seed: int | None = None
    """Private seed of the hidden cases."""
    rung: Rung = Rung.FULL
    require: Rung = Rung.SECCOMP
    device: Device = Device.AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One submission to be graded, by a number of its own."""

    number: int
    submission: Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A task's report."""

    number: int
    sealed: Sealed


class Desk:
    """Where submissions of one class are graded one after the other: the assignment, its oracle and a sandbox."""

    def __init__(self, order: Order) -> None:
        """Nothing is started yet.

        Raises:
            CourseError: the manifest is at fault.
        """
        self.order = order
        self.assignment = load_assignment(order.manifest)
        self.oracle = Oracle(self.assignment)
        self._sandbox: Sandbox | None = None

    def prepare(self) -> None:
        """Have the reference evaluate every case. What it can't evaluate, the reports will say."""
        prepare(self.oracle, self.order.seed)
        gc.collect()
        gc.freeze()  # a collection would touch, and so copy, what is shared with the process this was forked from

    def open(self) -> None:
        """Start the sandbox.

        Raises:
            MachineError: it has no wall as high as required.
        """
        self._sandbox = Sandbox(self.assignment.profile, rung=self.order.rung, require=self.order.require, forks=_FORKS)
        self._sandbox.start()
        self._sandbox.check()

    def grade(self, submission: Submission) -> Sealed:
        """Grade a submission. Never raises for anything about it, nor for a mistake of ours."""
        assert self._sandbox is not None, "open it first"
        try:
            report = grade(
                self.assignment,
                submission,
                sandbox=self._sandbox,
                oracle=self.oracle,
                hidden_seed=self.order.seed,
                device=self.order.device,
            )
        except Exception as error:
            told = finding(FindingCode.MACHINE_FAILED, fault=Fault.MACHINE, problem=f"{type(error).__name__}: {error}")
            report = ungraded(
                self.assignment,
                told,
                name=submission.name,
                digest=submission.digest,
                notes=submission.notes,
                hidden_seed=self.order.seed,
            )
        return seal(report)

    def close(self) -> None:
        """End the sandbox."""
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None


def lost(order: Order, task: Task, why: str) -> Graded:
    """The report on a submission that could not be graded: every check undecided, by the machine's fault."""
    told = finding(FindingCode.MACHINE_FAILED, fault=Fault.MACHINE, problem=why)
    submission = task.submission
    report = ungraded(
        load_assignment(order.manifest),
        told,
        name=submission.name,
        digest=submission.digest,
        notes=submission.notes,
        hidden_seed=order.seed,
    )
    return Graded(number=task.number, sealed=seal(report))


def grader_digest() -> str:
    """SHA-256 of gradmark's own code: another version, or a change in a checkout, may judge otherwise."""
    root = Path(grader.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        if "_topics" not in path.parts:
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return f"{grader.__version__}+{digest.hexdigest()[:16]}"


def seed_digest(seed: int | None) -> str:
    """How a key names the seed: "public", or its digest, which does not show it but to who can try all."""
    return "public" if seed is None else hashlib.sha256(f"gradmark hidden seed {seed}".encode()).hexdigest()
