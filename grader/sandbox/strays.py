"""Arrays of another library than the one that a submission was given: what they are, and what made them.

Everything is asked of types and code objects, never of the student's own objects: those may lie.
"""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import Any, Final

import numpy
from numpy import ndarray

from grader.calls import Found
from grader.sandbox.loading import Program

__all__ = ["found_in", "numpy_in"]

_ORDER: Final = type.__dict__["__mro__"]
_NAME: Final = type.__dict__["__name__"]
_MODULE: Final = type.__dict__["__module__"]
_DIMENSIONS: Final = ndarray.__dict__["ndim"]
_NUMPY: Final = numpy
_KNOWN: Final = {("torch", "Tensor"): Found.TENSOR, ("jaxlib._jax", "ArrayImpl"): Found.JAX}
"""By module and name, since where these are not at hand the library may not be imported for their sake."""
_MOST_LINES: Final = 3


def found_in(value: Any, own: type) -> Found | None:
    """What a value is, if it is an array of another library than `own`, the type of those that went in.

    A number of NumPy's, also as an array without axes, is a number.
    """
    kind = type(value)
    if issubclass(kind, own):
        return None
    if issubclass(kind, ndarray):
        return Found.NUMPY if _DIMENSIONS.__get__(value) else None
    return next(filter(None, map(_known, _ORDER.__get__(kind))), None)


def _known(kind: type) -> Found | None:
    module, name = _MODULE.__get__(kind), _NAME.__get__(kind)
    return _KNOWN.get((module, name)) if type(module) is str else None


def numpy_in(function: Any, program: Program) -> str:
    """`NumPy is used at t.py, line 3 and line 5`: the lines of the function itself that name it; perhaps nothing."""
    if type(function) is not FunctionType:
        return ""
    code = function.__code__
    path = program.path(code.co_filename)
    names = [name for name, held in function.__globals__.items() if type(held) is ModuleType and held is _NUMPY]
    if path is None or not names:
        return ""
    lines = []
    for line, last, start, end in code.co_positions():
        if line is None or line != last or line in lines or start is None or end is None:
            continue
        if program.text(path, line).encode()[start:end].decode(errors="replace") in names:
            lines.append(line)
    if not lines:
        return ""
    told = " and ".join([f"line {line}" for line in sorted(lines)[:_MOST_LINES]])
    more = " and further on" if len(lines) > _MOST_LINES else ""
    return f"NumPy is used at {path}, {told}{more}"
