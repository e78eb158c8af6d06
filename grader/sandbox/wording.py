"""A student's objects in words, without asking them: a class may lie about itself, raise, or never answer."""

from __future__ import annotations

import traceback
from types import TracebackType

__all__ = ["message", "printable", "trace_of", "type_name"]

MAX_NAME = 100
_NAME = type.__dict__["__name__"]
_TRACE = BaseException.__dict__["__traceback__"]


def type_name(kind: type) -> str:
    """Name of a class, whatever its metaclass says."""
    return printable(str.__str__(_NAME.__get__(kind))[:MAX_NAME])


def message(error: BaseException) -> str:
    """The exception's last line as Python would print it, without the class; whatever its __str__ does."""
    try:
        if issubclass(type(error), SyntaxError):  # of code that the student's code compiled; its last line has no text
            return printable(str.__str__(str(error)))
        text = "".join(traceback.format_exception_only(error)).strip()
        _, colon, rest = text.partition(": ")
        return printable(rest) if colon else ""
    except BaseException:
        return "(its text can't be shown)"


def printable(text: str) -> str:
    """Text without control characters and lone surrogates: it is shown in terminals and written as UTF-8."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def trace_of(error: BaseException) -> TracebackType | None:
    """The exception's traceback, not what its class offers under that name."""
    found: TracebackType | None = _TRACE.__get__(error)
    return found
