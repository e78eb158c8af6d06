"""Watches a backward pass at work: does it differentiate by evaluating the forward pass at perturbed inputs?

A gradient from finite differences or the complex step has the right numbers; that it was not derived shows only in
how it came about. So during a watched call the student's own frames are traced (sys.settrace), and the arrays in
their local variables, and in sums such as x + h in the lines about to run, are held against the inputs of the forward
pass. perturbed says which sights are evidence.

It costs little: a line is looked at 32 times at most, tracing ends after 20,000 events, or once the evidence is there.
An honest loop, however slow, pays some tens of milliseconds, a vectorised backward less than one, and an import under
way some twenty. A debugger or a coverage tool that traces already goes first, and then nothing is watched.

Why not by the time it takes: for an affine layer (N = 17, D = 64, M = 33), in units of the vectorised forward, an
honest backward in three loops took 750 to 1,000, one by central differences 2,000 to 4,000, and at N = 3, D = 4, M = 5
no more than 60. A limit between would accuse the honest code of a larger case, and of a slower machine. Nor does it
tell how the time grows: three loops over N, D and M grow as n forward passes do.

What it can't see: arrays in globals, in C code, in threads, in code that the submission compiles itself; temporaries
other than sums of names; numbers in lists; and code that looks for sys.gettrace() and behaves. It runs beside the
student's code, so it is a deterrent with definite evidence, not a wall. The wall is in the cases: inputs of very
different sizes and near kinks, where differences lose their digits whoever takes them; the complex step loses none.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from textwrap import dedent
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, MethodType, ModuleType
from typing import Any

from numpy import asarray, complex128, errstate, float64, ndarray

from grader.calls import Noticed
from grader.sandbox.loading import Program, decode
from grader.sandbox.perturbed import Evidence, Place

__all__ = ["Watch"]

LOOKS = 32
"""Looks at one line."""
EVENTS = 20_000
"""Events in the student's code, after which tracing ends; calls of others (imports among them) count a tenth."""
DEPTH = 3
ITEMS = 32
"""Containers are looked into so deep, and so many items of each."""
SMALL = 1 << 16
"""Bytes of an array that is remembered, not to be looked at again while it stays as it is."""
FUNCTION = 2
"""CO_NEWLOCALS: the frame's locals are its own, not a module's globals."""

_PLAIN = (bool, int, str, bytes, type(None), type, range, slice, ModuleType, FunctionType, BuiltinFunctionType,
          MethodType)  # fmt: skip
_NUMBERS = (float, complex, float64, complex128)
_SAFE = {ndarray, int, *_NUMBERS}
_ERRORS = Exception  # kept, as is eval: while the student's code runs, the builtins may be the student's
_eval = eval
_SUM = (ast.BinOp, ast.UnaryOp, ast.Name, ast.Constant, ast.Load, ast.operator, ast.unaryop)

Trace = Callable[[FrameType, str, Any], Any]


class Watch:
    """Context in which one call of a student's function runs."""

    def __init__(self, program: Program, forward: Any, inputs: Sequence[Any]) -> None:
        """Nothing runs yet.

        Args:
            program: the student's files.
            forward: the function whose derivative is asked for.
            inputs: what it was given, as it was then.
        """
        self.program = program
        self.forward = forward.__code__ if type(forward) is FunctionType else None
        names = self.forward.co_varnames[: self.forward.co_argcount] if self.forward else ()
        labels = [names[i] if i < len(names) else f"argument {i + 1}" for i in range(len(inputs))]
        try:
            with errstate(all="ignore"):
                self.evidence = Evidence(list(zip(labels, inputs, strict=True)), inputs)
        except _ERRORS:  # of NumPy's own code, where the submission has put something else into it
            self.evidence = Evidence([], ())
        self.sizes = frozenset(known.flat.size for known in self.evidence.inputs)
        self.left = 10 * EVENTS
        self.looks: dict[tuple[CodeType, int], int] = {}
        self.seen: dict[tuple[int, CodeType], bytes] = {}
        self.shifted: dict[FrameType, tuple[Any, Place]] = {}
        self.outermost: FrameType | None = None
        self.trace: Trace = self._trace

    def __enter__(self) -> Watch:
        if self.evidence.inputs and sys.gettrace() is None:
            sys.settrace(self.trace)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop()

    def noticed(self, result: Any, upstream: Any, out: Any) -> Noticed | None:
        """What was noticed, once the call is over.

        Args:
            result: what it returned.
            upstream: its upstream gradient, if it had one.
            out: the result of the forward pass.
        """
        self.shifted.clear()
        self.outermost = None
        try:
            with errstate(all="ignore"):
                return self.evidence.conclude(result, upstream, out)
        except _ERRORS:
            return self.evidence.found

    def _stop(self) -> None:
        if sys.gettrace() is self.trace:
            sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, arg: Any) -> Trace | None:
        """What Python calls. Whatever goes wrong here is no affair of the student's."""
        try:
            return self._event(frame, event, arg)
        except _ERRORS:
            self._stop()
            return None

    def _event(self, frame: FrameType, event: str, arg: Any) -> Trace | None:
        self.left -= 1
        if self.left < 0 or self.evidence.left < 0 or self.evidence.found is not None:
            self._stop()
            return None
        code = frame.f_code
        if event == "call":
            if not code.co_flags & FUNCTION or self.program.path(code.co_filename) is None:
                return None
            self.outermost = self.outermost or frame
        self.left -= 9
        if event == "return" and frame in self.shifted:
            shift, place = self.shifted.pop(frame)
            self.evidence.output(shift, arg, place)
        key = code, (-frame.f_lineno if event == "call" else frame.f_lineno)
        looks = self.looks.get(key, 0)
        if looks < LOOKS and event != "exception":
            self.looks[key] = looks + 1
            with errstate(all="ignore"):
                self._look(frame, event)
        return self.trace

    def _look(self, frame: FrameType, event: str) -> None:
        code, called = frame.f_code, event == "call"
        own = code is self.forward and frame is not self.outermost
        place = Place(code.co_name, frame.f_lineno, called, code, own)
        names = frame.f_locals
        for value in list(names.values()):
            self._visit(value, place, frame, 0)
        if event == "line":
            for value in self._sums(frame, names):
                self._visit(value, place, frame, 0)

    def _visit(self, value: Any, place: Place, frame: FrameType, depth: int) -> None:
        kind = type(value)
        if kind in _PLAIN or self.evidence.found is not None:
            return
        if kind in _NUMBERS:
            if place.called and depth == 0 and frame is not self.outermost:
                self.evidence.hear(value, place)
        elif issubclass(type(array := self.program.kit.read(value)), ndarray):
            array = asarray(array)
            if place.called or self._is_new(array, frame.f_code):
                shift = self.evidence.see(array, place)
                if shift and place.called:
                    self.shifted[frame] = shift, place
        elif depth < DEPTH:
            for item in _items(value, kind):
                self._visit(item, place, frame, depth + 1)

    def _is_new(self, array: ndarray[Any, Any], code: CodeType) -> bool:
        """Whether an array of this function's was not looked at yet as it is now."""
        if array.nbytes > SMALL or array.dtype.kind not in "fc":
            return array.dtype.kind in "fc"
        data, key = array.tobytes(), (id(array), code)
        if self.seen.get(key) == data:
            return False
        self.seen[key] = data
        return True

    def _sums(self, frame: FrameType, names: Any) -> Iterator[Any]:
        """Values of the sums of names and numbers in the line about to run; never of anything with code of its own."""
        path = self.program.path(frame.f_code.co_filename)
        if path is None:
            return
        lines = _lines_of(frame.f_code)
        for code in _sums_of(self.program.source.files[path], *lines).get(frame.f_lineno, ()):
            found = {name: names[name] if name in names else frame.f_globals.get(name) for name in code.co_names}
            if _may_be_perturbed(found.values(), self.sizes):
                try:
                    value = _eval(code, {"__builtins__": {}}, found)
                except _ERRORS:  # the line will say so itself
                    continue
                yield value


def _items(value: Any, kind: type) -> list[Any]:
    """What a container or an object of the student's holds."""
    if kind is tuple or kind is list:
        return list(value[:ITEMS])
    try:
        held = value if kind is dict else object.__getattribute__(value, "__dict__")
    except _ERRORS:
        return []
    return list(held.values())[:ITEMS] if type(held) is dict else []


def _may_be_perturbed(values: Iterable[Any], sizes: frozenset[int]) -> bool:
    """Whether a sum of these is an array of an input's size, and runs no code of the student's."""
    return {type(value) for value in values} <= _SAFE and any(
        type(value) is ndarray and value.size in sizes and value.dtype.kind in "fc" for value in values
    )


@lru_cache(maxsize=64)
def _lines_of(code: CodeType) -> tuple[int, int]:
    """First and last line of a function."""
    return code.co_firstlineno, max([line or 0 for _, _, line in code.co_lines()])


@lru_cache(maxsize=64)
def _sums_of(data: bytes, first: int, last: int) -> dict[int, list[CodeType]]:
    """Sums and differences of names and numbers in a file, compiled, by line: x + h, w - eps * e, z + 1e-20j.

    Of the lines from `first` to `last`, where they parse by themselves: a file is large beside one of its functions.
    """
    text = decode(data)
    try:
        tree, before = ast.parse(dedent("".join(text.splitlines(keepends=True)[first - 1 : last]))), first - 1
    except SyntaxError:  # a lambda, say
        tree, before = ast.parse(text), 0
    found: dict[int, list[CodeType]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            parts = list(ast.walk(node))
            if all(isinstance(part, _SUM) and not isinstance(part, (ast.MatMult, ast.Pow)) for part in parts):
                found.setdefault(before + node.lineno, []).append(compile(ast.Expression(node), "sum", "eval"))
    return found
