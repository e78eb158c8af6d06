"""What a right submission is asked in a check, learned from one that was: all of it can be asked of others in one go.

A check asks one question after the other, and what it asks next depends on the answers. But of right submissions it
asks the same, bit by bit. So a script of a check is kept, and sent whole as it begins; the child answers in order, and
the judge takes an answer where it comes to ask that very question. Where it asks another one, or a check is over before
the script is, the child has made calls that were not asked for. They count for nothing: either it is as it was when it
had loaded the submission (leftovers), or another child takes its place and makes the calls that were asked for, in
order. What a submission is told and what it is given therefore does not depend on any script; only the time does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from grader.calls import Call, Value
from grader.sandbox.wire import pack_request

__all__ = ["Script", "header_of", "is_same"]

MOST_BYTES: Final = 1 << 20
"""Of a script: what takes long to send is not worth to be sent in vain."""


class Script:
    """Calls that will be asked one after the other if everything is right."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls = tuple(calls)
        headers = [header_of(call) for call in self.calls]
        self.frame = b"".join(pack_request({"calls": headers}, [call.args for call in self.calls]))

    @property
    def useful(self) -> bool:
        """Whether it saves anything."""
        return len(self.calls) > 1 and len(self.frame) <= MOST_BYTES

    def foresaw(self, calls: Sequence[Call]) -> bool:
        """Whether these are its calls."""
        return len(calls) == len(self.calls) and all(map(is_same, self.calls, calls))


def header_of(call: Call) -> dict[str, Any]:
    """What is sent of a call beside its arguments."""
    return {
        "function": call.function,
        "keep": call.keep,
        "results": call.results,
        "precision": call.precision,
        "max_bytes": call.max_bytes,
        "watch": call.watch,
        "program": call.program,
    }


def is_same(one: Call, other: Call) -> bool:
    """Whether two calls ask the same, bit by bit."""
    return one is other or bool(header_of(one) == header_of(other) and _same(one.args, other.args))


def _same(one: Value, other: Value) -> bool:
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, (np.ndarray, np.generic)):
        return bool(one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes())
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(_same, one.values(), other.values()))
    return repr(one) == repr(other)
