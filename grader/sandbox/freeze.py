"""Whatever a student's function returned, as a tree of plain arrays. Runs beside the student's code.

Types are looked at with type(), never by asking the object: its __class__, __array__ or shape may lie or never return.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

# By name: what numpy holds when this runs may be the student's.
from numpy import array as array_of
from numpy import dtype, generic, ndarray

from grader.calls import Elsewhere, Found, Opaque, Profile, Value
from grader.sandbox.wording import type_name

__all__ = ["DTYPES", "MAX_DEPTH", "MAX_KEY", "MAX_NODES", "Unfit", "freeze"]

DTYPES = ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16")
"""What may cross over, little-endian; the position is the code on the wire."""
MAX_DEPTH = 16
MAX_NODES = 16384
MAX_KEY = 200
"""Bytes of a dict's key or an opaque value's type name, in UTF-8."""

_KNOWN = {dtype(name) for name in DTYPES}


Where: TypeAlias = Callable[[Any], tuple[Found, Profile, str] | None]


class Unfit(Exception):  # noqa: N818  (a result's property, not an error of ours)
    """The result can't be handed over; the text says why."""


class _Budget:
    """What is left of a reply's nodes and bytes."""

    def __init__(self, max_bytes: int, read: Callable[[Any], Any], elsewhere: Where | None) -> None:
        self.read = read
        self.elsewhere = elsewhere
        self.nodes = MAX_NODES
        self.bytes = max_bytes
        self.max_bytes = max_bytes

    def node(self) -> None:
        self.nodes -= 1
        if self.nodes < 0:
            raise Unfit(f"it holds more than {MAX_NODES} values")

    def array(self, shape: tuple[int, ...], itemsize: int) -> None:
        size = itemsize
        for length in shape:
            size *= length
        self.bytes -= size
        if self.bytes < 0:
            raise Unfit(f"it is too large: an array of shape {shape}; at most {self.max_bytes} bytes are accepted")


def freeze(
    value: Any, max_bytes: int, read: Callable[[Any], Any] = lambda value: None, elsewhere: Where | None = None
) -> Value:
    """Tree of copies: arrays and numbers as arrays, None, and Opaque for all else.

    Args:
        value: whatever was returned.
        max_bytes: the most that its arrays may hold together.
        read: the arrays of another library as NumPy arrays of the same memory, or as Opaque; None for all else.
        elsewhere: what an array is, which was wanted and where it was made, if it is not one that is due; None for all
            else.

    Raises:
        Unfit: it is too large, too deep, or refers to itself.
    """
    return _freeze(value, _Budget(max_bytes, read, elsewhere), 0)


def _freeze(value: Any, budget: _Budget, depth: int) -> Value:
    budget.node()
    if depth > MAX_DEPTH:
        raise Unfit(f"it is nested more than {MAX_DEPTH} deep")
    if value is None:
        return None
    strayed = None if budget.elsewhere is None else budget.elsewhere(value)
    if strayed is None:
        return _frozen(value, budget, depth)
    found, wanted, made = strayed
    return Elsewhere(found=found, wanted=wanted, value=_frozen(value, budget, depth), made=made)


def _frozen(value: Any, budget: _Budget, depth: int) -> Value:
    kind = type(value)
    if kind is ndarray:
        return _array(value, budget)
    if issubclass(kind, generic):  # before Python's: a NumPy float is one of them too
        return _array(generic.__array__(value), budget)
    if issubclass(kind, (int, float, complex)):
        return _number(value, budget)
    if issubclass(kind, ndarray):
        return Opaque("masked array") if _is_masked(kind) else _array(ndarray.view(value, ndarray), budget)
    if issubclass(kind, (tuple, list)):
        base = tuple if issubclass(kind, tuple) else list
        return base([_freeze(item, budget, depth + 1) for item in base.__iter__(value)])
    if issubclass(kind, dict):
        return _dict(value, budget, depth)
    found = budget.read(value)
    if found is None:
        return Opaque(type_name(kind))
    return found if type(found) is Opaque else _array(found, budget)


def _number(value: Any, budget: _Budget) -> Value:
    """A Python number, by the conversions of the built-in types: those of a subclass may do anything."""
    kind = type(value)
    if kind is bool:
        return _array(array_of(value), budget)
    if issubclass(kind, int):
        number = int.__int__(value)
        if not -(2**63) <= number < 2**64:
            return Opaque("int of more than 64 bits")
        return _array(array_of(number), budget)
    return _array(array_of(float.__float__(value) if issubclass(kind, float) else complex.__complex__(value)), budget)


def _array(array: ndarray[Any, Any], budget: _Budget) -> Value:
    kind = array.dtype
    if kind not in _KNOWN and kind.kind in "biufc":
        kind = kind.newbyteorder("<")
    if kind not in _KNOWN:
        return Opaque(f"array of dtype {array.dtype}"[:MAX_KEY])
    if array.ndim > 8:
        raise Unfit(f"it has {array.ndim} dimensions; at most 8 are accepted")
    budget.array(array.shape, kind.itemsize)
    return array_of(array, dtype=kind, order="C", copy=True)


def _is_masked(kind: type) -> bool:
    from numpy.ma import MaskedArray  # which takes some milliseconds, in a judge that never needs it

    return issubclass(kind, MaskedArray)


def _dict(value: dict[Any, Any], budget: _Budget, depth: int) -> Value:
    if dict.__len__(value) > budget.nodes:
        raise Unfit(f"it holds more than {MAX_NODES} values")
    items: dict[str, Any] = {}
    for key, item in list(dict.items(value)):
        if not issubclass(type(key), str):
            return Opaque(f"dict with keys of type {type_name(type(key))}"[:MAX_KEY])
        items[_text(key)] = item
    if len(items) < dict.__len__(value):
        raise Unfit("it has two keys of the same text")
    return {key: _freeze(item, budget, depth + 1) for key, item in items.items()}


def _text(key: str) -> str:
    """A key as a plain string: NumPy's strings are strings too."""
    text = str.__str__(key)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Unfit("it has a key that is no text") from None
    if size > MAX_KEY:
        raise Unfit(f"it has a key of more than {MAX_KEY} bytes")
    return text
