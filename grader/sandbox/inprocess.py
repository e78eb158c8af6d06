"""The student's code in this process: for the pytest door, where the debugger, breakpoints and print must work.

No deadline and no isolation: students run their own code on their own machine here. Ctrl-C and a debugger's quit
pass through; everything else that the code raises is an outcome.
"""

from __future__ import annotations

from bdb import BdbQuit
from collections.abc import Iterator, Sequence

# What a submission changes in these can only be put back if they are there before it is loaded.
import numpy.linalg
import numpy.random
import numpy.testing  # noqa: F401

from grader.calls import Answering, Call, Isolation, Loaded, Outcome, Profile, Source, Value
from grader.sandbox.executor import Executor
from grader.sandbox.loading import Program
from grader.sandbox.stand_ins import StandIns

__all__ = ["InProcess"]


class InProcess:
    """Evaluator in the calling process."""

    _stand_ins: StandIns | None = None
    """What stands in the place of some functions while others are called through this one."""

    def __init__(self, source: Source, profile: Profile = Profile.NUMPY) -> None:
        self._executor = Executor(Program(source, profile), (Exception, SystemExit, GeneratorExit))

    @property
    def isolation(self) -> Isolation:
        """None at all."""
        return Isolation()

    @property
    def overflowed(self) -> bool:
        """Never: it prints where it likes."""
        return False

    def load(self) -> Loaded:
        """Load the submission, the first time."""
        return self._executor.load()

    def call(self, call: Call) -> Outcome:
        """Evaluate one call; its deadline does not apply here."""
        self._executor.stand_ins = self._stand_ins
        outcome = self._executor.call(call)
        exception = getattr(outcome, "exception", None)
        if isinstance(exception, BdbQuit):
            raise exception
        return outcome

    def calls(self, calls: Sequence[Call]) -> Iterator[Outcome]:
        """Evaluate calls, each when its outcome is asked for: a debugger stops at the first that raises."""
        return map(self.call, calls)

    def fresh(self) -> None:
        """Nothing: a student's prints and breakpoints at the top of the file come once."""

    def answering(self, answers: Answering) -> InProcess:
        """The same code, loaded once: while it is called through this one, the functions are answered."""
        program = self._executor.program

        def ask(number: int, args: Value) -> Value:
            with program.paused():
                return answers.answer(number, args)

        other = InProcess.__new__(InProcess)
        other._executor = self._executor
        other._stand_ins = StandIns(answers.stand_ins, ask, program.kit)
        return other

    def close(self) -> None:
        """Nothing to end."""
