"""What a submission puts into NumPy's and Python's own modules, kept apart from the judge.

Where the judge shares the process (the pytest door), `np.isfinite = ...` in a student's file would change what the
judge computes. So these modules are put back whenever student code stops running, and its changes are put in again
when it goes on: its functions see them (`np.float = float` in an old program must still help), the judge never does.

Nothing below uses a builtin by name while the changes are in: `next` or `isinstance` may be the student's by then.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

__all__ = ["Patches", "changes"]

GUARDED = ("builtins", "math", "numpy", "numpy.linalg", "numpy.random", "numpy.testing")
_ABSENT = object()

Setting: TypeAlias = tuple[Callable[[], Any], Callable[[Any], Any]]
"""How to read a setting of a library, and how to set it."""


class Patches:
    """A submission's changes to the guarded modules, and to settings that are not a module's names."""

    def __init__(self, guarded: Sequence[str] = GUARDED, settings: Sequence[Setting] = ()) -> None:
        self._guarded, self._settings = guarded, settings
        self._saved_settings: list[tuple[Callable[[Any], Any], Any]] = []
        self._their_settings: list[tuple[Callable[[Any], Any], Any]] = []
        self._saved: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        self._theirs: dict[str, dict[str, Any]] = {}

    def put_in(self) -> None:
        """Note how the modules are, and put the student's changes in."""
        spaces = {name: sys.modules[name].__dict__ for name in self._guarded if name in sys.modules}
        self._saved = {name: (space, {**space}) for name, space in spaces.items()}
        for name, changes in self._theirs.items():
            _put(spaces[name], changes)
        self._saved_settings = [(put, get()) for get, put in self._settings]
        for put, value in self._their_settings:
            put(value)

    def take_out(self) -> None:
        """Put the modules back, and keep what was changed in them."""
        for name, (space, saved) in self._saved.items():
            self._theirs[name] = theirs = changes(name, space, saved)
            _put(space, {key: saved.get(key, _ABSENT) for key in theirs})
        self._their_settings = [(put, get()) for get, put in self._settings]
        for put, value in self._saved_settings:
            put(value)


def changes(module: str, space: dict[str, Any], saved: dict[str, Any]) -> dict[str, Any]:
    """What was replaced, deleted or added; an added submodule is an import, not a change."""
    found = {key: space.get(key, _ABSENT) for key, value in saved.items() if space.get(key, _ABSENT) is not value}
    for key in space.keys() - saved.keys():
        if f"{module}.{key}" not in sys.modules:
            found[key] = space[key]
    return found


def _put(space: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if value is _ABSENT:
            space.pop(key, None)
        else:
            space[key] = value
