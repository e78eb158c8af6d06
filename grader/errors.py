"""Our own faults and the course's, as exceptions.

A student's mistake is never one of these: it is data (a Finding). An exception here means that grading itself
could not be done, and each says whose fault that is.

    GradmarkError
    ├── CourseError            the assignment is at fault
    │   ├── ManifestError      assignment.toml: file, field, problem
    │   └── OracleError        the torch reference failed or disagrees with itself
    ├── SubmissionError        the submission can't be read at all: path, problem
    ├── GradebookError         what is asked does not fit what the gradebook holds
    └── MachineError           this machine failed (no child process, no space left, ...)
"""

from __future__ import annotations

__all__ = [
    "CourseError",
    "GradebookError",
    "GradmarkError",
    "MachineError",
    "ManifestError",
    "OracleError",
    "SubmissionError",
]


class GradmarkError(Exception):
    """Grading could not be done; the message says what, where and whose fault."""


class CourseError(GradmarkError):
    """The assignment (manifest or reference) is at fault, not the student."""


class ManifestError(CourseError):
    """A field of an assignment.toml is missing, unknown or out of range."""

    def __init__(self, file: str, field: str, problem: str) -> None:
        text = f"{file}: {field}: {problem}" if field else f"{file}: {problem}"
        # A key may hold any character, those included that move a cursor.
        super().__init__("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text))
        self.file = file
        self.field = field
        self.problem = problem


class OracleError(CourseError):
    """The torch reference of an exercise could not produce an expected value."""

    def __init__(self, exercise: str, problem: str) -> None:
        super().__init__(f"reference of {exercise}: {problem}")
        self.exercise = exercise
        self.problem = problem


class SubmissionError(GradmarkError):
    """A submission that can't be read: a broken archive, no Python file, a path that leaves the archive."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class GradebookError(GradmarkError):
    """What is asked does not fit what the gradebook holds: none there, another seed, another assignment."""


class MachineError(GradmarkError):
    """The machine failed: not the student, not the course."""
