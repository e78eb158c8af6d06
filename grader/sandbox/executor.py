"""Runs calls on a loaded submission: copies in, frozen trees out, caches kept in slots. Shared by both evaluators."""

from __future__ import annotations

import time
import traceback
import warnings
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from grader.calls import Call, Kept, Loaded, Malformed, Missing, Outcome, Raised, Returned, Value
from grader.numerics.trees import leaves, map_leaves, same_structure
from grader.sandbox.freeze import Unfit, freeze
from grader.sandbox.loading import Program, own_frames

__all__ = ["Executor"]

MAX_FRAMES = 4


@dataclass(slots=True, eq=False)
class _Slot:
    """A cache, with the arguments of the call that made it and how they looked then."""

    cache: Any
    args: tuple[Any, ...]
    before: tuple[Any, ...]


class Executor:
    """One submission's functions."""

    def __init__(self, program: Program, trap: type[BaseException] | tuple[type[BaseException], ...]) -> None:
        self.program = program
        self.trap = trap
        """What of a student's exceptions is an outcome; the rest (a debugger's quit, Ctrl-C) passes through."""
        self._module: ModuleType | None = None
        self._slots: dict[int, _Slot] = {}

    def load(self) -> Loaded:
        """Load the submission, the first time."""
        if self._module is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._module = self.program.load()
        names = [name for name, value in self._module.__dict__.items() if callable(value) and not name.startswith("__")]
        return Loaded(functions=tuple(names), problems=tuple(self.program.problems))

    def call(self, call: Call) -> Outcome:
        """Evaluate one call."""
        self.load()
        function = getattr(self._module, call.function, None)
        if not callable(function):
            return Missing(function=call.function)
        earlier = next((self._slots.pop(arg.slot, None) for arg in call.args if isinstance(arg, Kept)), None)
        if earlier is None and any(isinstance(arg, Kept) for arg in call.args):
            return Malformed(problem="the cache of its forward call is gone")
        args = tuple(earlier.cache if isinstance(arg, Kept) and earlier else _copy(arg) for arg in call.args)
        before = tuple(None if isinstance(arg, Kept) else _copy(arg) for arg in call.args)
        try:
            with self.program.running(), warnings.catch_warnings(), np.errstate():
                warnings.simplefilter("ignore")
                start = time.perf_counter()
                result = function(*args)
                seconds = time.perf_counter() - start
                return self._returned(call, result, args, before, earlier, seconds)
        except Unfit as unfit:
            return Malformed(problem=str(unfit))
        except self.trap as error:
            return self._raised(error)

    def _returned(
        self,
        call: Call,
        result: Any,
        args: tuple[Any, ...],
        before: tuple[Any, ...],
        earlier: _Slot | None,
        seconds: float,
    ) -> Outcome:
        value = result
        if call.keep is not None:
            if not issubclass(type(result), (tuple, list)) or len(result) != 2:
                shown = freeze(result, call.max_bytes)
                return Malformed(problem=f"it must return a pair (out, cache), it returned {_form(shown)}")
            value, cache = result
            self._slots[call.keep] = _Slot(cache, args, before)
        return Returned(
            value=freeze(value, call.max_bytes),
            changed=tuple(i for i, arg in enumerate(call.args) if not isinstance(arg, Kept) and not _same(args[i], before[i])),
            changed_earlier=() if earlier is None else _changed(earlier.args, earlier.before),
            seconds=seconds,
        )

    def _raised(self, error: BaseException) -> Raised:
        frames = own_frames(error.__traceback__, self.program)[-MAX_FRAMES:]
        lines = [f"{path}, line {line}, in {name}{self._line(path, line)}" for path, line, name in frames]
        return Raised(
            kind=_class_name(error),
            message=_message(error)[:500],
            traceback="\n".join(lines)[:3000],
            exception=error,
        )

    def _line(self, path: str, line: int) -> str:
        import linecache

        text = linecache.getline(self.program.filename(path), line).strip()
        return f": {text[:160]}" if text else ""


def _copy(value: Value) -> Any:
    return map_leaves(lambda leaf: np.array(leaf) if isinstance(leaf, np.ndarray) else leaf, value)


def _changed(args: tuple[Any, ...], before: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(i for i, (now, then) in enumerate(zip(args, before, strict=True)) if then is not None and not _same(now, then))


def _same(now: Any, then: Any) -> bool:
    """Whether an argument is bit for bit what it was."""
    if not same_structure(now, then):
        return False
    for a, b in zip(leaves(now), leaves(then), strict=True):
        if isinstance(b, np.ndarray):
            if not isinstance(a, np.ndarray) or a.dtype != b.dtype or a.shape != b.shape or a.tobytes() != b.tobytes():
                return False
        elif a is not b and a != b:
            return False
    return True


def _form(value: Value) -> str:
    match value:
        case np.ndarray():
            return f"an array of shape {value.shape}" if value.ndim else "a number"
        case tuple() | list():
            return f"{len(value)} values"
        case None:
            return "None"
        case dict():
            return "a dict"
        case _:
            return f"a value of type {value.type_name}"


def _class_name(error: BaseException) -> str:
    try:
        return str.__str__(type.__getattribute__(type(error), "__name__"))[:100]
    except Exception:
        return "Exception"


def _message(error: BaseException) -> str:
    """The exception's last line as Python would print it, without the class; whatever its __str__ does."""
    try:
        text = "".join(traceback.format_exception_only(error)).strip()
        _, colon, message = text.partition(": ")
        return message if colon else ""
    except BaseException:
        return "(its text can't be shown)"
