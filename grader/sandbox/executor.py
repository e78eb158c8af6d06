"""Runs calls on a loaded submission: copies in, frozen trees out, caches kept in slots. Shared by both evaluators.

In a process of its own a submission's patches stay in force between its calls (Program.alone), so nothing here looks
into numpy or the builtins for a name once student code has run: boot gives these modules builtins of their own.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from numpy import array, generic, ndarray

from grader.calls import Call, Found, Kept, Loaded, Malformed, Missing, Outcome, Profile, Raised, Returned, Value
from grader.sandbox.adapting import NotThere
from grader.sandbox.engine import run
from grader.sandbox.freeze import Unfit, freeze
from grader.sandbox.loading import Placeholder, Program, own_frames
from grader.sandbox.profiles import Kit, Site
from grader.sandbox.stand_ins import StandIns
from grader.sandbox.strays import found_in, numpy_in
from grader.sandbox.watch import Watch
from grader.sandbox.wording import message, printable, trace_of, type_name

__all__ = ["Executor"]

MAX_FRAMES = 4
MAX_MESSAGE = 500
MAX_TRACEBACK = 3000
MAX_WAITS = 32
"""Lines where one call waited for the device, at most."""
MAX_SLOTS = 8
"""Caches held at once, the latest; a judge that only asks for outputs leaves a cache behind at every call."""


@dataclass(slots=True, eq=False)
class _Slot:
    """A cache, with the arguments of the call that made it and how they looked then."""

    cache: Any
    args: tuple[Any, ...]
    before: tuple[Any, ...]
    """None for an argument that was changed already."""
    function: Any
    given: tuple[Any, ...]
    """The arguments as the call was given them."""
    out: Any = None


class Executor:
    """One submission's functions."""

    def __init__(self, program: Program, trap: type[BaseException] | tuple[type[BaseException], ...]) -> None:
        self.program = program
        self.trap = trap
        """What of a student's exceptions is an outcome; the rest (a debugger's quit, Ctrl-C) passes through."""
        self.stand_ins: StandIns | None = None
        """What stands in the place of some of the functions while others are called."""
        self._names: dict[str, Any] | None = None
        self._adapted: dict[str, Any] = {}
        self._slots: dict[int, _Slot] = {}

    def load(self) -> Loaded:
        """Load the submission, the first time."""
        names = self._load()
        return Loaded(
            functions=tuple(name for name, value in names.items() if _is_function(name, value)),
            problems=tuple(self.program.problems),
        )

    def _load(self) -> dict[str, Any]:
        if self._names is None:
            self._names = self.program.load()
            self._adapted = self.program.adapt(self._names)
        return self._names

    def forget(self) -> None:
        """Drop all caches."""
        self._slots.clear()

    def _find(self, name: str) -> Any:
        """What is called by this name, perhaps a static method; None if there is nothing.

        Raises:
            AttributeError: the class has no such method.
        """
        names = self._load()
        first, *rest = name.split(".")
        found = (self._adapted if first in self._adapted else names).get(first)
        for attribute in rest if found is not None else ():
            found = getattr(found, attribute)
        return found if callable(found) else None

    def call(self, call: Call) -> Outcome:
        """Evaluate one call."""
        try:
            function = self._find(call.function)
        except self.trap:  # of a class that makes up its attributes
            function = None
        if function is None:
            return Missing(function=call.function)
        if call.program is not None:
            function = partial(run, function, call.program)
        kept = [arg for arg in call.args if isinstance(arg, Kept)]
        earlier = self._slots.pop(kept[0].slot, None) if kept else None
        if earlier is None and kept:
            return Malformed(problem="the cache of its forward call is gone")
        kit = self.program.kit.in_precision(call.precision)
        give = kit.give
        args = tuple([earlier.cache if isinstance(arg, Kept) and earlier else _copy(arg, give) for arg in call.args])
        before = tuple([None if isinstance(arg, Kept) else self._as_it_is(arg) for arg in call.args])
        watch = None
        if call.watch:
            watch = Watch(self.program, *((earlier.function, earlier.given) if earlier else (function, call.args)))
        self._waits()  # of whatever ran before
        try:
            with self._standing_in(), self.program.running(), watch or contextlib.nullcontext():
                start = time.perf_counter()
                result = function(*args)
                if kit.finish is not None:
                    kit.finish()  # else it would be the next call's time, and the next call's error
                seconds = time.perf_counter() - start
            return self._returned(call, function, result, args, before, earlier, seconds, watch)
        except Unfit as unfit:
            return Malformed(problem=str(unfit))
        except NotThere as missing:
            return Missing(function=str(missing.function))
        except self.trap as error:
            return self._raised(error)

    def _standing_in(self) -> AbstractContextManager[None]:
        if self.stand_ins is None:
            return contextlib.nullcontext()
        return self.stand_ins.put_in(self._load(), [module.__dict__ for module in self.program.loaded()])

    def _returned(
        self,
        call: Call,
        function: Any,
        result: Any,
        args: tuple[Any, ...],
        before: tuple[Any, ...],
        earlier: _Slot | None,
        seconds: float,
        watch: Watch | None,
    ) -> Outcome:
        kit = self.program.kit.in_precision(call.precision)
        changed = _changed(args, before, kit)
        slot = None
        if call.keep is not None:
            items = _with_cache(result, call.results)
            if items is None:
                shown = freeze(result, call.max_bytes, kit.read)
                wanted = "a pair (out, cache)" if call.results == 1 else f"{call.results} results and a cache"
                return Malformed(problem=f"it must return {wanted}, it returned {_form(shown)}")
            result, cache = items
            still = tuple([None if i in changed else then for i, then in enumerate(before)])
            self._slots.pop(call.keep, None)  # the latest are the last
            self._slots[call.keep] = slot = _Slot(cache, args, still, function, call.args)
            for number in list(self._slots)[:-MAX_SLOTS]:
                del self._slots[number]
        value = freeze(result, call.max_bytes, kit.read, partial(self._elsewhere, function, call.args))
        if slot is not None:
            slot.out = value
        upstream, out = (call.args[0], earlier.out) if earlier and len(call.args) == 2 else (None, None)
        return Returned(
            value=value,
            changed=changed,
            changed_earlier=() if earlier is None else _changed(earlier.args, earlier.before, kit),
            seconds=seconds,
            noticed=None if watch is None else watch.noticed(value, upstream, out),
            waits=self._waits(),
        )

    def _waits(self) -> tuple[str, ...]:
        """Where the student's code waited for the device since the last time."""
        rules = self.program.kit.rules
        found = [] if rules is None else [(self._place(site), site.what) for site in rules.take_waits()]
        return tuple([printable(f"{place}, {what}"[:MAX_MESSAGE]) for place, what in found[:MAX_WAITS] if place])

    def _elsewhere(self, function: Any, args: tuple[Value, ...], value: Any) -> tuple[Found, Profile, str] | None:
        """What an array is that is not on the device of those that went in, or not of their library."""
        kit, profile, site = self.program.kit, self.program.profile, None
        if kit.rules is None:
            found = found_in(value, kit.array)
            if found is None or not any(map(_has_arrays, args)):
                return None
        else:
            strayed = kit.rules.elsewhere(value)
            if strayed is None:
                return None
            found, site = strayed
        made = "" if site is None else self._made("it", site)
        if found is Found.NUMPY:
            made = printable(numpy_in(function, self.program)[:MAX_MESSAGE])
        return found, profile, made

    def _cause(self, error: BaseException) -> str:
        found = None if self.program.kit.rules is None else self.program.kit.rules.cause(error)
        if found is None:
            return ""
        name, site = found
        return self._made(name or "one of them", site)

    def _made(self, name: str, site: Site) -> str:
        """`bias was made on the CPU at t.py, line 12 (torch.zeros without device=): give it device=x.device`."""
        place = self._place(site)
        if not place:
            return ""
        text = f"{name} was made on the CPU at {place} ({site.what}){': ' if site.mend else ''}{site.mend}"
        return printable(text[:MAX_MESSAGE])

    def _place(self, site: Site) -> str:
        """`t.py, line 12`; empty if it is no line of the student's."""
        path = self.program.path(site.file)
        return "" if path is None else f"{path}, line {site.line}"

    def _as_it_is(self, value: Value) -> Value:
        """An argument, to be compared with later: what came over a wire is nobody else's."""
        return value if self.program.alone else _copy(value, _same_array)

    def _raised(self, error: BaseException) -> Raised:
        frames = own_frames(trace_of(error), self.program)[-MAX_FRAMES:]
        lines = [f"{path}, line {line}, in {name}{self._line(path, line)}" for path, line, name in frames]
        return Raised(
            kind=type_name(type(error)),
            message=message(error)[:MAX_MESSAGE],
            traceback=printable("\n".join(lines)[:MAX_TRACEBACK]),
            cause=self._cause(error),
            exception=error,
        )

    def _line(self, path: str, line: int) -> str:
        text = self.program.line(path, line)
        return f": {text[:160]}" if text else ""


def _is_function(name: Any, value: Any) -> bool:
    """Whether an entry of a module's dict is a function that may be asked for by name."""
    if type(name) is not str or not name.isidentifier() or name.startswith("__"):
        return False
    return callable(value) and type(value) is not Placeholder


def _items(value: Any) -> list[Any] | None:
    """What a tuple or a list holds, of whatever subclass; None for all else."""
    for base in (tuple, list):
        if issubclass(type(value), base):
            return list(base.__iter__(value))
    return None


def _with_cache(value: Any, results: int) -> tuple[Any, Any] | None:
    """(results, cache) of what a forward pass returned; several results may come in a tuple of their own."""
    items = _items(value)
    if items is None or len(items) not in (2, results + 1):
        return None
    if results == 1:
        return items[0], items[1]
    every = items[:-1] if len(items) == results + 1 else _items(items[0])
    return (tuple(every), items[-1]) if every is not None and len(every) == results else None


def _copy(value: Value, give: Callable[[ndarray[Any, Any]], Any]) -> Any:
    """What the student's code is given: arrays of its own, laid out as they come out of the wire."""
    if isinstance(value, ndarray):
        return give(value)
    if isinstance(value, (tuple, list)):
        items = [_copy(item, give) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, dict):
        return {key: _copy(item, give) for key, item in value.items()}
    return value.item() if isinstance(value, generic) else value


def _has_arrays(arg: Value) -> bool:
    """Whether an argument holds arrays; a cache does, of a call that was given some."""
    if isinstance(arg, (tuple, list, dict)):
        return any(map(_has_arrays, arg.values() if isinstance(arg, dict) else arg))
    return isinstance(arg, (ndarray, Kept))


def _same_array(value: ndarray[Any, Any]) -> ndarray[Any, Any]:
    return array(value, order="C")


def _changed(args: tuple[Any, ...], before: tuple[Any, ...], kit: Kit) -> tuple[int, ...]:
    pairs = enumerate(zip(args, before, strict=True))
    return tuple([i for i, (now, then) in pairs if then is not None and not _same(now, then, kit)])


def _same(now: Any, then: Value, kit: Kit) -> bool:
    """Whether an argument is bit for bit what it was. Types first: what was put in its place compares as it likes."""
    kind = type(now)
    if isinstance(then, ndarray):
        if kind is not kit.array:
            return False
        new = kit.read(now)
        return type(new) is ndarray and bool(
            new.dtype == then.dtype and new.shape == then.shape and new.tobytes() == then.tobytes()
        )
    if kind is not type(then):
        return False
    if isinstance(then, dict):
        return now.keys() == then.keys() and all(_same(now[key], then[key], kit) for key in then)
    if isinstance(then, (tuple, list)):
        return len(now) == len(then) and all(_same(*pair, kit) for pair in zip(now, then, strict=True))
    return bool(now is then or now == then)


def _form(value: Value) -> str:
    match value:
        case ndarray():
            return f"an array of shape {value.shape}" if value.ndim else "a number"
        case tuple() | list():
            return "1 value" if len(value) == 1 else f"{len(value)} values"
        case None:
            return "None"
        case dict():
            return "a dict"
        case _:
            return f"a value of type {value.type_name}"
