"""Adapters: course code that runs beside a submission and turns its signatures into those that the judge asks for.

An adapter is trusted with nothing. It runs where the student's code could replace it, so it holds no expected value
and its word counts for nothing: it hands arguments on in another form, and results back. In it, `student` stands for
the submission.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from types import ModuleType
from typing import Any

__all__ = ["NotThere", "Names", "adapted"]

_FILE = "adapter of the course"
"""In tracebacks, which leave it out: a student is shown their own lines."""


class NotThere(AttributeError):  # noqa: N818  (not an error: it becomes the outcome Missing)
    """The submission has no function or class of this name."""

    def __init__(self, function: str) -> None:
        super().__init__(function)
        self.function = function


class Names:
    """What a submission defines, as attributes.

    Raises:
        NotThere: on asking for what it does not.
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.__dict__["_names"] = names

    def __getattr__(self, name: str) -> Any:
        try:
            return self._names[name]
        except KeyError:
            raise NotThere(name) from None


def adapted(adapter: bytes, names: Mapping[str, Any]) -> dict[str, Any]:
    """The functions of an adapter, by name, for a submission that defines these names."""
    module = ModuleType("adapter")
    namespace = module.__dict__
    namespace |= {"__builtins__": vars(builtins), "student": Names(names)}
    exec(compile(adapter, _FILE, "exec", dont_inherit=True), namespace)
    return {
        name: value
        for name, value in namespace.items()
        if callable(value) and not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }
