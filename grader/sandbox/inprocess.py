"""The student's code in this process: for the pytest door, where the debugger, breakpoints and print must work.

No deadline and no isolation: students run their own code on their own machine here. Ctrl-C and a debugger's quit
pass through; everything else that the code raises is an outcome.
"""

from __future__ import annotations

from bdb import BdbQuit

# What a submission changes in these can only be put back if they are there before it is loaded.
import numpy.linalg
import numpy.random
import numpy.testing  # noqa: F401

from grader.calls import Call, Killed, Loaded, LoadOutcome, Outcome, Source
from grader.sandbox.executor import Executor
from grader.sandbox.loading import Program
from grader.sandbox.wording import type_name

__all__ = ["InProcess"]


class InProcess:
    """Evaluator in the calling process."""

    def __init__(self, source: Source) -> None:
        self._executor = Executor(Program(source), (Exception, SystemExit, GeneratorExit))
        self._outcome: LoadOutcome | None = None

    @property
    def isolation(self) -> tuple[str, ...]:
        """None at all."""
        return ()

    def load(self) -> LoadOutcome:
        """Load the submission, the first time. One that exits is not tried again."""
        if self._outcome is None or isinstance(self._outcome, Loaded):
            try:
                self._outcome = self._executor.load()
            except (SystemExit, GeneratorExit) as error:
                self._outcome = Killed(reason=f"it raised {type_name(type(error))} while it was loaded")
        return self._outcome

    def call(self, call: Call) -> Outcome:
        """Evaluate one call; its deadline does not apply here."""
        loaded = self._outcome or self.load()
        if not isinstance(loaded, Loaded):
            return loaded
        outcome = self._executor.call(call)
        exception = getattr(outcome, "exception", None)
        if isinstance(exception, BdbQuit):
            raise exception
        return outcome

    def close(self) -> None:
        """Nothing to end."""
