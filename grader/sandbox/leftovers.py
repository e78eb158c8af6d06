"""Whether a submission left anything behind in its process that a later call could find.

A process that is as it was when the submission was loaded need not be thrown away before the next exercise: a fork, a
wall and a load cost as much as a hundred calls. So a picture is taken of all that code of the plainest kind can change
(its own modules as deep as they go, NumPy's and Python's names and random numbers, what is imported, what is printed),
and compared later.

What can't be seen through is not looked at: `picture` gives None for a submission that holds classes or objects of its
own, has an adapter of the course beside it, or names a part of Python through which it could change more than is
looked at (os, sys, threading, exec). Such a one has a new process for every exercise. This keeps exercises independent
of each other where the code means no harm; code that does can say what it likes, and deceives nobody but itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from random import getstate
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

# By name: what numpy holds when this runs may be the student's.
from numpy import dtype, generic, ndarray, ufunc
from numpy import sum as total
from numpy.random import get_state

from grader.sandbox.loading import Program
from grader.sandbox.patches import changes

__all__ = ["Picture", "picture"]

MOST = 2000
"""Values that are looked at."""
MOST_BYTES = 1 << 20
"""Of their arrays."""
_HARMLESS = """
__future__ abc array array_api_compat bisect builtins calendar cmath code collections contextlib copy dataclasses
datetime enum fractions functools heapq itertools math numbers numpy operator random re select stat statistics string
test textwrap time token trace types typing
"""
HARMLESS = frozenset(_HARMLESS.split())
"""Modules that keep nothing of what is done with them but random numbers, or whose names are those of NumPy's functions
too (array, select, trace)."""
_FAR_REACHING = """
__builtins__ __dict__ __globals__ __import__ breakpoint compile delattr eval exec globals input open set_printoptions
setattr setbufsize vars
"""
FAR_REACHING = (sys.stdlib_module_names - HARMLESS) | frozenset(_FAR_REACHING.split())
"""Names of what reaches further than is looked at."""
_LOADERS = frozenset(("__builtins__", "__loader__", "__spec__"))
_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...))
_UNCHANGING = (FunctionType, BuiltinFunctionType, ufunc, type(total), type)


class _Doubt(Exception):  # noqa: N818  (never leaves this module)
    """There is something that can't be seen through."""


class Picture:
    """How a submission and its process were."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.modules = {**sys.modules}
        self.guarded = {name: {**sys.modules[name].__dict__} for name in program.kit.guarded if name in sys.modules}
        self.own = _Look(program)
        self.random = getstate(), _numbers()

    def still_holds(self) -> bool:
        """Whether everything is as it was, for certain."""
        try:
            return self._holds()
        except Exception:
            return False

    def _holds(self) -> bool:
        return bool(
            _Look(self.program).seen == self.own.seen
            and sys.modules == self.modules
            and not any(changes(name, sys.modules[name].__dict__, space) for name, space in self.guarded.items())
            and (getstate(), _numbers()) == self.random
            and len(sys._current_frames()) == 1
            and sys.gettrace() is sys.getprofile() is None
        )


def picture(program: Program) -> Picture | None:
    """How a submission that was loaded, and its process, are now; None if that can't be told for certain."""
    if program.kit.guard is not None or program.problems:  # torch keeps more than can be looked at
        return None
    if program.source.adapter is not None:  # what it may keep is not looked at
        return None
    try:
        return Picture(program)
    except Exception:  # also of what is nested too deep, and of names that are bound later
        return None


def _numbers() -> tuple[Any, ...]:
    """The state of NumPy's own random numbers."""
    state = get_state(legacy=False)
    return state["state"]["key"].tobytes(), state["state"]["pos"], state["has_gauss"], state["gauss"]


class _Look:
    """What a submission's modules hold, as a list that equals another one only if nothing was changed between."""

    def __init__(self, program: Program) -> None:
        self.spaces = [module.__dict__ for module in program.loaded()]
        self.seen: list[Any] = []
        self.kept: list[Any] = []
        """What was looked at: as long as it is held, nothing else has its number."""
        self.known: set[int] = set()
        self.bytes = 0
        for space in self.spaces:
            for name, value in space.items():
                self.seen.append(name)
                if name in _LOADERS:
                    self.same(value)
                else:
                    self.look(value)

    def same(self, value: Any) -> None:
        """Only which one it is."""
        self.seen.append(id(value))
        self.kept.append(value)

    def look(self, value: Any) -> None:
        kind = type(value)
        if kind in _PLAIN:
            self.seen.append((kind, repr(value) if kind is float or kind is complex else value))
            return
        self.same(value)
        if id(value) in self.known:
            return
        self.known.add(id(value))
        if len(self.known) > MOST:
            raise _Doubt
        for part in self.parts(value, kind):
            self.look(part)

    def parts(self, value: Any, kind: type) -> Iterator[Any]:
        """What it holds that may change.

        Raises:
            _Doubt: that can't be told.
        """
        if kind in (tuple, list, set, frozenset):
            self.seen.append(len(value))
            yield from value
        elif kind is dict:
            for item in value.items():
                yield from item
            self.seen.append(len(value))
        elif kind is ndarray:
            self.bytes += value.nbytes
            if value.dtype.hasobject or self.bytes > MOST_BYTES:
                raise _Doubt
            self.seen.append((value.dtype.str, value.shape, value.tobytes()))
        elif kind is FunctionType and any(value.__globals__ is space for space in self.spaces):
            if not _names(value.__code__).isdisjoint(FAR_REACHING):
                raise _Doubt
            yield from (value.__defaults__, value.__kwdefaults__, value.__dict__)
            self.same(value.__code__)
            for cell in value.__closure__ or ():
                yield cell.cell_contents
        elif kind is ModuleType and any(value.__dict__ is space for space in self.spaces):
            pass  # looked at by itself
        elif kind is ModuleType or kind in _UNCHANGING:
            home = value.__name__ if kind is ModuleType else "numpy" if kind is ufunc else value.__module__
            if home.partition(".")[0] not in HARMLESS:
                raise _Doubt
        elif not (issubclass(kind, (generic, dtype)) and kind.__module__.partition(".")[0] == "numpy"):
            raise _Doubt


def _names(code: CodeType) -> set[str]:
    """Names that a function and those inside of it use, of modules only the first part."""
    names = {name.partition(".")[0] for name in code.co_names}
    for constant in code.co_consts:
        if type(constant) is CodeType:
            names |= _names(constant)
    return names
