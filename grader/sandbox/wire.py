"""The protocol between judge and child: bounded binary frames.

Judge to child (trusted direction): two lengths, a header in Python's own marshal format (both ends are one Python,
and it takes a fifth of the time of JSON), raw array bytes.

Child to judge (untrusted): a fixed header, fixed array descriptors, a small preorder encoding of the tree, text of
at most a few kilobytes, raw array bytes. `read_reply` checks in this order and before it allocates anything: magic,
the nonce of just this call, status, counts, the tree's and text's lengths, each dtype code and dimension, the sum of
bytes against the call's own cap. Nothing is unpickled, evaluated or parsed as JSON. A reply that breaks a rule is a
Violation, never an exception of another kind. A child that may ask something in the middle of a call (stand_ins) does
so in the same form, and is answered by a frame like a request.

    header    magic 4s | nonce Q | status B (128 more: the last one) | changed Q | changed_earlier Q | seconds d |
              arrays H | tree I | text I
    array     dtype code B | ndim B | eight dimensions q
    tree      preorder: N none | A array (H index) | T tuple (H n) | L list (H n) | D dict (H n, each key B length and
              bytes before its value) | O opaque (B length and type name) | E elsewhere (B what was found, B what was
              wanted, B length and bytes of where it was made, then an A or an O)
"""

from __future__ import annotations

import marshal
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

# By name: what packs and freezes a reply runs after the student's code, which may have put others into numpy.
from numpy import asarray, dtype, generic, ndarray, uint8

from grader.calls import Elsewhere, Found, Kept, Opaque, Profile, Value
from grader.sandbox.freeze import DTYPES, MAX_DEPTH, MAX_KEY, MAX_NODES
from grader.sandbox.wording import printable

__all__ = [
    "TOGETHER",
    "MAX_ARRAYS",
    "ADAPTER",
    "GIVEN",
    "MAX_TEXT",
    "Incoming",
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
ADAPTER = ""
"""Key of the course's adapter among the student's files, none of which can have this path."""
GIVEN = "/"
"""With the name of a module, the key of one that the course gives."""
MAX_TEXT = 1 << 16

_DTYPES = tuple(map(dtype, DTYPES))
_CODES = {kind: code for code, kind in enumerate(_DTYPES)}
_ZEROS = (0,) * 8
Read = Callable[[int], bytearray]
"""Reads just so many bytes or raises (the end of the stream, the deadline)."""


class Status(IntEnum):
    """What a reply is about."""

    RETURNED = 0
    RAISED = 1
    MALFORMED = 2
    MISSING = 3
    LOADED = 4
    ASKED = 5
    """No reply, but a question of the child's own: the number of a function as text, its arguments as the value."""


_STATUS = tuple(Status)
_FOUND = tuple(Found)
_PROFILES = tuple(Profile)
_LAST = 0x80
"""Added to the status."""


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
    last: bool = False
    """Of calls that were foreseen, it makes none behind this one; of a submission that was loaded, none at all."""


# ------------------------------------------------------------------------------------------------- frames on their way

_BUFFER = 1 << 16
"""Bytes that are sent, or read, together."""
TOGETHER = 0.01
"""Seconds for which an answer may be kept back while more calls wait to be answered."""


class Incoming:
    """Bytes as they arrive: read ahead into one buffer, so that a frame of usual size takes one call of the system."""

    def __init__(self, receive: Callable[[memoryview], int]) -> None:
        """Nothing is read yet.

        Args:
            receive: waits for some bytes, puts as many as fit into the memory given and says how many, at least one;
                raises at the end of the stream or at the deadline.
        """
        self._receive = receive
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._at = self._end = 0

    @property
    def ahead(self) -> bool:
        """Whether more was read than was asked for: another frame has arrived."""
        return self._at < self._end

    def read(self, size: int) -> bytearray:
        """Just so many bytes."""
        at, self._at = self._at, self._at + size
        if self._at <= self._end:
            return self._buffer[at : self._at]
        data, got = bytearray(size), self._end - at
        data[:got] = self._view[at : self._end]
        self._at = self._end = 0
        while got < size:
            if size - got >= _BUFFER:  # straight to its place
                got += self._receive(memoryview(data)[got:])
            else:
                self._end = self._receive(self._view)
                self._at = min(self._end, size - got)
                data[got : got + self._at] = self._view[: self._at]
                got += self._at
        return data


def _gathered(head: bytes, bodies: list[memoryview], size: int) -> list[bytes | memoryview]:
    """A frame to be sent: in one piece, if its bodies are small, and without copying them, if they are not."""
    return [b"".join([head, *bodies])] if size <= _BUFFER else [head, *bodies]


# --------------------------------------------------------------------------------------------------- judge to child


def pack_request(header: dict[str, Any], value: Value) -> list[bytes | memoryview]:
    """Frame of a header and a value, as buffers to be sent one after the other."""
    bodies: list[memoryview] = []
    text = marshal.dumps((header, _describe(value, bodies)))
    size = sum([body.nbytes for body in bodies])
    return _gathered(REQUEST.pack(len(text), size) + text, bodies, size)


def _describe(value: Value, bodies: list[memoryview]) -> Any:
    """A value in what marshal knows: numbers, texts and None as they are, all else as a tuple, its kind first.

    The bytes of its arrays go to `bodies`, in the order in which they are described.
    """
    if isinstance(value, ndarray):
        array = asarray(value, order="C")
        if array.size:
            bodies.append(array.data.cast("B"))
        return "a", array.dtype.str, array.shape
    if isinstance(value, tuple):
        return "t", [_describe(item, bodies) for item in value]
    if isinstance(value, list):
        return "l", [_describe(item, bodies) for item in value]
    if isinstance(value, dict):
        return "d", {key: _describe(item, bodies) for key, item in value.items()}
    if isinstance(value, Kept):
        return "k", value.slot
    return value.item() if isinstance(value, generic) else value


def read_request(read: Read) -> tuple[dict[str, Any], Value]:
    """Header and value of a frame from the judge."""
    length, size = REQUEST.unpack(read(REQUEST.size))
    header, described = marshal.loads(read(length))
    return header, _Builder(read(size)).build(described)


class _Builder:
    """Values from their descriptions, the arrays in the memory that they came in."""

    def __init__(self, data: bytearray) -> None:
        self.data, self.at = data, 0

    def build(self, described: Any) -> Value:
        if type(described) is not tuple:
            return described
        match described:
            case "a", dtype, shape:
                array: ndarray[Any, Any] = ndarray(shape, dtype, self.data, self.at)
                self.at += array.nbytes
                return array
            case "t", items:
                return tuple([self.build(item) for item in items])
            case "l", items:
                return [self.build(item) for item in items]
            case "d", items:
                return {key: self.build(item) for key, item in items.items()}
            case _:
                return Kept(described[1])


# --------------------------------------------------------------------------------------------------- child to judge


def pack_reply(nonce: int, reply: Reply, *, last: bool = False) -> list[bytes | memoryview]:
    """Frame of a reply, as buffers to be sent one after the other. The value is frozen (see freeze)."""
    arrays: list[ndarray[Any, Any]] = []
    tree = _encode(reply.value, arrays)
    text = "\0".join(reply.texts).encode("utf-8", "replace")[:MAX_TEXT]
    header = HEADER.pack(
        MAGIC,
        nonce,
        reply.status | _LAST if last else reply.status,
        _mask(reply.changed),
        _mask(reply.changed_earlier),
        reply.seconds,
        len(arrays),
        len(tree),
        len(text),
    )
    descriptors = [ARRAY.pack(_CODES[array.dtype], array.ndim, *array.shape, *_ZEROS[array.ndim :]) for array in arrays]
    bodies = [array.data.cast("B") for array in arrays if array.size]
    return _gathered(b"".join([header, *descriptors, tree, text]), bodies, sum([body.nbytes for body in bodies]))


def _mask(positions: Sequence[int]) -> int:
    return sum([1 << position for position in set(positions) if position < 64]) if positions else 0


def _encode(value: Value, arrays: list[ndarray[Any, Any]]) -> bytes:
    if isinstance(value, ndarray):
        arrays.append(value)
        return b"A" + COUNT.pack(len(arrays) - 1)
    if isinstance(value, (tuple, list)):
        parts = [_encode(item, arrays) for item in value]
        return (b"T" if isinstance(value, tuple) else b"L") + COUNT.pack(len(parts)) + b"".join(parts)
    if isinstance(value, dict):
        parts = [_short(key) + _encode(item, arrays) for key, item in value.items()]
        return b"D" + COUNT.pack(len(parts)) + b"".join(parts)
    if isinstance(value, Elsewhere):
        told = bytes([_FOUND.index(value.found), _PROFILES.index(value.wanted)])
        return b"E" + told + _short(value.made) + _encode(value.value, arrays)
    return b"N" if value is None else b"O" + _short(value.type_name)


def _short(text: str) -> bytes:
    encoded = text.encode("utf-8", "replace")[:MAX_KEY]
    return bytes([len(encoded)]) + encoded


def read_reply(read: Read, nonce: int, max_bytes: int, asked_bytes: int | None = None) -> Reply:
    """Read and check one reply.

    Args:
        read: reads just so many bytes; what it raises passes through.
        nonce: that of the request.
        max_bytes: most bytes of array data.
        asked_bytes: the same for a question of the child's own; None if it has none to ask.

    Raises:
        Violation: the bytes are not a reply to this request within these bounds.
    """
    magic, found, code, changed, earlier, seconds, count, tree_size, text_size = HEADER.unpack(read(HEADER.size))
    if magic != MAGIC:
        raise Violation("its reply does not start as a reply does")
    if found != nonce:
        raise Violation("its reply belongs to no call that was made")
    last, code = bool(code & _LAST), code & ~_LAST
    if code >= len(_STATUS) or count > MAX_ARRAYS or tree_size > MAX_TREE or text_size > MAX_TEXT:
        raise Violation(f"its reply is out of bounds: status {code}, {count} arrays, {tree_size} + {text_size} bytes")
    if code == Status.ASKED:
        if asked_bytes is None:
            raise Violation("it asked something, and was asked itself")
        max_bytes = asked_bytes
    descriptors = _descriptors(read, count, max_bytes)
    tree, text = bytes(read(tree_size)), bytes(read(text_size))
    arrays = [_array(read, kind, shape) for kind, shape in descriptors]
    return Reply(
        status=_STATUS[code],
        value=_Decoder(tree, arrays).whole(),
        texts=tuple([printable(part) for part in text.decode("utf-8", "replace").split("\0")]),
        changed=_positions(changed),
        changed_earlier=_positions(earlier),
        seconds=seconds if math.isfinite(seconds) and seconds >= 0 else 0.0,
        last=last,
    )


Descriptor = tuple["dtype[Any]", tuple[int, ...]]


def _descriptors(read: Read, count: int, max_bytes: int) -> list[Descriptor]:
    descriptors: list[Descriptor] = []
    left = max_bytes
    for _ in range(count):
        code, ndim, *dimensions = ARRAY.unpack(read(ARRAY.size))
        if code >= len(_DTYPES) or ndim > 8:
            raise Violation(f"its reply has an array of unknown kind: dtype code {code}, {ndim} dimensions")
        shape, kind = tuple(dimensions[:ndim]), _DTYPES[code]
        # A zero-sized array may claim dimensions whose product overflows; no dimension may be larger than the cap.
        if shape and not 0 <= min(shape) <= max(shape) <= max_bytes:
            raise Violation(f"its reply has an array of shape {shape}; at most {max_bytes} bytes are accepted")
        left -= math.prod(shape) * kind.itemsize
        if left < 0:
            raise Violation(
                f"its reply is too large: an array of shape {shape}; at most {max_bytes} bytes are accepted"
            )
        descriptors.append((kind, shape))
    return descriptors


def _array(read: Read, kind: dtype[Any], shape: tuple[int, ...]) -> ndarray[Any, Any]:
    size = math.prod(shape) * kind.itemsize
    try:
        if kind.kind == "b":  # a byte that is neither 0 nor 1 would be a truth value that equals neither
            return asarray(ndarray(shape, uint8, read(size)) != 0)
        return ndarray(shape, kind, read(size))
    except ValueError as error:  # zero-sized, with dimensions that NumPy can't hold
        raise Violation(f"its reply has an array of shape {shape}: {error}") from error


def _positions(mask: int) -> tuple[int, ...]:
    return tuple([position for position in range(64) if mask >> position & 1]) if mask else ()


class _Decoder:
    """The tree's bytes into a value, each array used just once and in order."""

    def __init__(self, data: bytes, arrays: Sequence[ndarray[Any, Any]]) -> None:
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

    def elsewhere(self, depth: int) -> Elsewhere:
        code, wanted = self.take(2)
        made = printable(self.text())
        if code >= len(_FOUND) or wanted >= len(_PROFILES) or self.data[self.at : self.at + 1] not in (b"A", b"O"):
            raise Violation(f"its reply's tree has something found that is not known: {code}")
        self.nodes -= 1  # it is one node, with its value
        return Elsewhere(found=_FOUND[code], wanted=_PROFILES[wanted], value=self.node(depth), made=made)

    def node(self, depth: int) -> Value:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise Violation("its reply's tree is too deep or too large")
        match self.take(1):
            case b"A":
                if self.count() != self.used or self.used >= len(self.arrays):
                    raise Violation("its reply's tree names an array that is not there")
                self.used += 1
                return self.arrays[self.used - 1]
            case b"T":
                return tuple([self.node(depth + 1) for _ in range(self.count())])
            case b"L":
                return [self.node(depth + 1) for _ in range(self.count())]
            case b"D":
                return {self.text(): self.node(depth + 1) for _ in range(self.count())}
            case b"N":
                return None
            case b"O":
                return Opaque(printable(self.text()))
            case b"E":
                return self.elsewhere(depth)
            case other:
                raise Violation(f"its reply's tree has an unknown node {other!r}")
