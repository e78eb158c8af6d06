"""The protocol between judge and child: bounded binary frames.

Judge to child (trusted direction): two lengths, a JSON header, raw array bytes.

Child to judge (untrusted): a fixed header, fixed array descriptors, a small preorder encoding of the tree, text of
at most a few kilobytes, raw array bytes. `read_reply` checks in this order and before it allocates anything: magic,
the nonce of just this call, status, counts, the tree's and text's lengths, each dtype code and dimension, the sum of
bytes against the call's own cap. Nothing is unpickled, evaluated or parsed as JSON. A reply that breaks a rule is a
Violation, never an exception of another kind.

    header    magic 4s | nonce Q | status B | changed Q | changed_earlier Q | seconds d | arrays H | tree I | text I
    array     dtype code B | ndim B | eight dimensions q
    tree      preorder: N none | A array (H index) | T tuple (H n) | L list (H n) | D dict (H n, each key B length and
              bytes before its value) | O opaque (B length and type name)
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from grader.calls import Kept, Opaque, Value
from grader.sandbox.freeze import DTYPES, MAX_DEPTH, MAX_KEY, MAX_NODES
from grader.sandbox.wording import printable

__all__ = [
    "MAX_ARRAYS",
    "MAX_TEXT",
    "Reply",
    "Status",
    "Violation",
    "pack_reply",
    "pack_request",
    "read_reply",
    "read_request",
]

MAGIC = b"GMK1"
HEADER = struct.Struct("<4sQBQQdHII")
ARRAY = struct.Struct("<BB8q")
COUNT = struct.Struct("<H")
REQUEST = struct.Struct("<IQ")
MAX_ARRAYS = MAX_NODES
MAX_TREE = MAX_NODES * (3 + 2 * (1 + MAX_KEY))
"""Bytes of any tree that freeze lets through: each node with a count, a key and a type name."""
MAX_TEXT = 1 << 16

_CODES = {np.dtype(name): code for code, name in enumerate(DTYPES)}
Read = Callable[[int], bytearray]
"""Reads just so many bytes or raises (the end of the stream, the deadline)."""


class Status(IntEnum):
    """What a reply is about."""

    RETURNED = 0
    RAISED = 1
    MALFORMED = 2
    MISSING = 3
    LOADED = 4


class Violation(Exception):  # noqa: N818  (the child's, not an error of ours)
    """The child broke the protocol; the text says how."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reply:
    """What a child answered, checked."""

    status: Status
    value: Value = None
    texts: tuple[str, ...] = ()
    changed: tuple[int, ...] = ()
    changed_earlier: tuple[int, ...] = ()
    seconds: float = 0.0


# --------------------------------------------------------------------------------------------------- judge to child


def pack_request(header: dict[str, Any], value: Value) -> list[bytes | memoryview]:
    """Frame of a JSON header and a value, as buffers to be sent one after the other."""
    arrays: list[np.ndarray[Any, Any]] = []
    described = {**header, "value": _describe(value, arrays)}
    described["arrays"] = [[array.dtype.str, list(array.shape)] for array in arrays]
    text = json.dumps(described).encode()
    bodies = [array.data.cast("B") for array in arrays if array.size]
    return [REQUEST.pack(len(text), sum(body.nbytes for body in bodies)), text, *bodies]


def _describe(value: Value, arrays: list[np.ndarray[Any, Any]]) -> Any:
    match value:
        case np.ndarray():
            arrays.append(np.asarray(value, order="C"))
            return ["a", len(arrays) - 1]
        case Kept(slot=slot):
            return ["k", slot]
        case dict():
            return ["d", [[key, _describe(item, arrays)] for key, item in value.items()]]
        case tuple() | list():
            return ["t" if isinstance(value, tuple) else "l", [_describe(item, arrays) for item in value]]
        case _:
            return ["s", value.item() if isinstance(value, np.generic) else value]


def read_request(read: Read) -> tuple[dict[str, Any], Value]:
    """Header and value of a frame from the judge."""
    length, size = REQUEST.unpack(read(REQUEST.size))
    header = json.loads(bytes(read(length)))
    data, start, arrays = read(size), 0, []
    for dtype, shape in header.pop("arrays"):
        count = math.prod(shape)
        arrays.append(
            np.frombuffer(data, dtype=dtype, count=count, offset=start).reshape(shape)
            if count
            else np.empty(shape, dtype)
        )
        start += count * np.dtype(dtype).itemsize
    return header, _build(header.pop("value"), arrays)


def _build(described: Any, arrays: Sequence[np.ndarray[Any, Any]]) -> Value:
    kind, content = described
    match kind:
        case "a":
            return arrays[content]
        case "k":
            return Kept(content)
        case "d":
            return {key: _build(item, arrays) for key, item in content}
        case "t":
            return tuple(_build(item, arrays) for item in content)
        case "l":
            return [_build(item, arrays) for item in content]
        case _:
            return content


# --------------------------------------------------------------------------------------------------- child to judge


def pack_reply(nonce: int, reply: Reply) -> list[bytes | memoryview]:
    """Frame of a reply, as buffers to be sent one after the other. The value is frozen (see freeze)."""
    arrays: list[np.ndarray[Any, Any]] = []
    tree = _encode(reply.value, arrays)
    text = "\0".join(reply.texts).encode("utf-8", "replace")[:MAX_TEXT]
    header = HEADER.pack(
        MAGIC,
        nonce,
        reply.status,
        _mask(reply.changed),
        _mask(reply.changed_earlier),
        reply.seconds,
        len(arrays),
        len(tree),
        len(text),
    )
    descriptors = [
        ARRAY.pack(_CODES[array.dtype], array.ndim, *array.shape, *([0] * (8 - array.ndim))) for array in arrays
    ]
    return [
        b"".join([header, *descriptors, tree, text]),
        *(array.data.cast("B") for array in arrays if array.size),
    ]


def _mask(positions: Sequence[int]) -> int:
    return sum(1 << position for position in set(positions) if position < 64)


def _encode(value: Value, arrays: list[np.ndarray[Any, Any]]) -> bytes:
    match value:
        case None:
            return b"N"
        case np.ndarray():
            arrays.append(value)
            return b"A" + COUNT.pack(len(arrays) - 1)
        case Opaque(type_name=name):
            return b"O" + _short(name)
        case dict():
            parts = [_short(key) + _encode(item, arrays) for key, item in value.items()]
            return b"D" + COUNT.pack(len(parts)) + b"".join(parts)
        case _:
            parts = [_encode(item, arrays) for item in value]
            return (b"T" if isinstance(value, tuple) else b"L") + COUNT.pack(len(parts)) + b"".join(parts)


def _short(text: str) -> bytes:
    encoded = text.encode("utf-8", "replace")[:MAX_KEY]
    return bytes([len(encoded)]) + encoded


def read_reply(read: Read, nonce: int, max_bytes: int) -> Reply:
    """Read and check one reply.

    Args:
        read: reads just so many bytes; what it raises passes through.
        nonce: that of the request.
        max_bytes: most bytes of array data.

    Raises:
        Violation: the bytes are not a reply to this request within these bounds.
    """
    magic, found, code, changed, earlier, seconds, count, tree_size, text_size = HEADER.unpack(read(HEADER.size))
    if magic != MAGIC:
        raise Violation("its reply does not start as a reply does")
    if found != nonce:
        raise Violation("its reply belongs to no call that was made")
    if code >= len(Status) or count > MAX_ARRAYS or tree_size > MAX_TREE or text_size > MAX_TEXT:
        raise Violation(f"its reply is out of bounds: status {code}, {count} arrays, {tree_size} + {text_size} bytes")
    descriptors = _descriptors(read, count, max_bytes)
    tree, text = bytes(read(tree_size)), bytes(read(text_size))
    arrays = [_array(read, dtype, shape) for dtype, shape in descriptors]
    return Reply(
        status=Status(code),
        value=_Decoder(tree, arrays).whole(),
        texts=tuple(printable(part) for part in text.decode("utf-8", "replace").split("\0")),
        changed=_positions(changed),
        changed_earlier=_positions(earlier),
        seconds=seconds if math.isfinite(seconds) and seconds >= 0 else 0.0,
    )


Descriptor = tuple["np.dtype[Any]", tuple[int, ...]]


def _descriptors(read: Read, count: int, max_bytes: int) -> list[Descriptor]:
    descriptors: list[Descriptor] = []
    left = max_bytes
    for _ in range(count):
        code, ndim, *dimensions = ARRAY.unpack(read(ARRAY.size))
        if code >= len(DTYPES) or ndim > 8:
            raise Violation(f"its reply has an array of unknown kind: dtype code {code}, {ndim} dimensions")
        shape, dtype = tuple(dimensions[:ndim]), np.dtype(DTYPES[code])
        # A zero-sized array may claim dimensions whose product overflows; no dimension may be larger than the cap.
        if any(not 0 <= length <= max_bytes for length in shape):
            raise Violation(f"its reply has an array of shape {shape}; at most {max_bytes} bytes are accepted")
        left -= math.prod(shape) * dtype.itemsize
        if left < 0:
            raise Violation(
                f"its reply is too large: an array of shape {shape}; at most {max_bytes} bytes are accepted"
            )
        descriptors.append((dtype, shape))
    return descriptors


def _array(read: Read, dtype: np.dtype[Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    count = math.prod(shape)
    try:
        if not count:
            return np.empty(shape, dtype)
        items = np.frombuffer(read(count * dtype.itemsize), dtype=dtype)
        if dtype.kind == "b":  # a byte that is neither 0 nor 1 would be a truth value that equals neither
            items = items.view(np.uint8) != 0
        return items.reshape(shape)
    except ValueError as error:  # zero-sized, with dimensions that NumPy can't hold
        raise Violation(f"its reply has an array of shape {shape}: {error}") from error


def _positions(mask: int) -> tuple[int, ...]:
    return tuple(position for position in range(64) if mask >> position & 1)


class _Decoder:
    """The tree's bytes into a value, each array used just once and in order."""

    def __init__(self, data: bytes, arrays: Sequence[np.ndarray[Any, Any]]) -> None:
        self.data, self.arrays = data, arrays
        self.at = self.used = self.nodes = 0

    def whole(self) -> Value:
        value = self.node(0)
        if self.at != len(self.data) or self.used != len(self.arrays):
            raise Violation("its reply's tree has something left over")
        return value

    def take(self, size: int) -> bytes:
        piece = self.data[self.at : self.at + size]
        if len(piece) != size:
            raise Violation("its reply's tree ends too early")
        self.at += size
        return piece

    def count(self) -> int:
        return int(COUNT.unpack(self.take(COUNT.size))[0])

    def text(self) -> str:
        return self.take(self.take(1)[0]).decode("utf-8", "replace")

    def node(self, depth: int) -> Value:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise Violation("its reply's tree is too deep or too large")
        match self.take(1):
            case b"N":
                return None
            case b"A":
                if self.count() != self.used or self.used >= len(self.arrays):
                    raise Violation("its reply's tree names an array that is not there")
                self.used += 1
                return self.arrays[self.used - 1]
            case b"O":
                return Opaque(printable(self.text()))
            case b"D":
                return {self.text(): self.node(depth + 1) for _ in range(self.count())}
            case b"T":
                return tuple(self.node(depth + 1) for _ in range(self.count()))
            case b"L":
                return [self.node(depth + 1) for _ in range(self.count())]
            case other:
                raise Violation(f"its reply's tree has an unknown node {other!r}")
