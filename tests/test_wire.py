"""The protocol: what goes in comes out, and nothing that a child sends is anything but a reply or a Violation."""

from __future__ import annotations

import contextlib
import itertools
import math
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.calls import Elsewhere, Found, Kept, Opaque, Profile
from grader.sandbox import wire
from grader.sandbox.freeze import DTYPES, MAX_DEPTH, MAX_KEY, MAX_NODES
from grader.sandbox.wire import (
    MAX_ARRAYS,
    MAX_TEXT,
    Incoming,
    Reply,
    Status,
    Violation,
    pack_reply,
    pack_request,
    read_reply,
    read_request,
)

NONCE = 0x0123456789ABCDEF
ROOM = 1 << 20


class Stream:
    """Bytes to read from, and how many were asked for."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.largest = data, 0, 0

    def __call__(self, size: int) -> bytearray:
        self.largest = max(self.largest, size)
        piece = self.data[self.at : self.at + size]
        self.at += len(piece)
        if len(piece) < size:
            raise EOFError
        return bytearray(piece)


def sent(pieces: list[bytes | memoryview]) -> Stream:
    return Stream(b"".join(bytes(piece) for piece in pieces))


def replied(reply: Reply, max_bytes: int = ROOM) -> Reply:
    stream = sent(pack_reply(NONCE, reply))
    found = read_reply(stream, NONCE, max_bytes, max_bytes)
    assert stream.at == len(stream.data)
    return found


def requested(value: Any) -> Any:
    stream = sent(pack_request({"op": "call"}, value))
    header, found = read_request(stream)
    assert (header, stream.at) == ({"op": "call"}, len(stream.data))
    return found


def same(actual: Any, expected: Any) -> bool:
    """Equal, of the same types, bit for bit."""
    if type(actual) is not type(expected):
        return False
    match expected:
        case np.ndarray():
            return (actual.dtype, actual.shape, actual.tobytes()) == (
                expected.dtype,
                expected.shape,
                expected.tobytes(),
            )
        case dict():
            return list(actual) == list(expected) and all(same(actual[key], expected[key]) for key in expected)
        case tuple() | list():
            return len(actual) == len(expected) and all(map(same, actual, expected))
        case Elsewhere():
            kept = (actual.found, actual.wanted, actual.made) == (expected.found, expected.wanted, expected.made)
            return kept and same(actual.value, expected.value)
        case float():
            return repr(actual) == repr(expected)  # NaN as NaN, the sign of zero too
        case _:
            return bool(actual == expected)


def array(dtype: str, shape: list[int], data: bytes) -> np.ndarray[Any, Any]:
    raw = np.resize(np.frombuffer(data or b"\0", np.uint8), math.prod(shape) * np.dtype(dtype).itemsize)
    return (raw % 2 if dtype == "?" else raw).view(dtype).reshape(shape)


ARRAYS = st.builds(array, st.sampled_from(DTYPES), st.lists(st.integers(0, 3), max_size=8), st.binary(max_size=20))
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=MAX_KEY // 4)
NAMES = st.text("abcW12_ ", max_size=20).map(Opaque)


def trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(KEYS, inner, max_size=3)
        ),
        max_leaves=8,
    )


STRAYED = st.builds(
    Elsewhere,
    found=st.sampled_from(Found),
    wanted=st.sampled_from(Profile),
    value=ARRAYS | NAMES,
    made=st.text("abc 12", max_size=20),
)
REPLIES = trees(ARRAYS | NAMES | STRAYED | st.none())
SCALARS = st.booleans() | st.integers() | st.floats() | st.none() | st.text(max_size=5)
REQUESTS = trees(ARRAYS | SCALARS | st.integers(0, 1 << 40).map(Kept))

# --------------------------------------------------------------------------------------------- what goes in comes out


@given(REPLIES)
def test_law_a_reply_comes_out_as_it_went_in(value: Any) -> None:
    assert same(replied(Reply(status=Status.RETURNED, value=value), 1 << 30).value, value)


@given(REQUESTS)
def test_law_a_request_comes_out_as_it_went_in(value: Any) -> None:
    assert same(requested(value), value)


@given(
    st.sampled_from(Status),
    st.lists(st.text(st.characters(exclude_categories=["C", "Z"])), min_size=1, max_size=3),
    st.sets(st.integers(0, 63)),
    st.sets(st.integers(0, 63)),
    st.floats(0, 1e9),
)
def test_law_the_rest_of_a_reply_comes_out_too(
    status: Status, texts: list[str], changed: set[int], earlier: set[int], seconds: float
) -> None:
    positions = tuple(sorted(changed)), tuple(sorted(earlier))
    reply = Reply(
        status=status, texts=tuple(texts), changed=positions[0], changed_earlier=positions[1], seconds=seconds
    )
    found = replied(reply)
    assert (found.status, found.texts, found.seconds) == (status, tuple(texts), seconds)
    assert (found.changed, found.changed_earlier) == positions


def test_a_question_is_a_violation_where_nobody_would_answer_and_has_bounds_of_its_own() -> None:
    asked = Reply(status=Status.ASKED, value=(np.zeros(4),), texts=("0",))
    for max_bytes, asked_bytes in ((ROOM, None), (ROOM, 31)):
        with pytest.raises(Violation):
            read_reply(sent(pack_reply(NONCE, asked)), NONCE, max_bytes, asked_bytes)
    assert read_reply(sent(pack_reply(NONCE, asked)), NONCE, 0, 32).status is Status.ASKED


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (2, 3), (1,) * 8])
def test_every_dtype_both_ways(dtype: str, shape: tuple[int, ...]) -> None:
    value = np.arange(math.prod(shape)).astype(dtype).reshape(shape)
    assert same(requested(value), value)
    assert same(replied(Reply(status=Status.RETURNED, value=value)).value, value)


def test_requests_of_other_layouts() -> None:
    value = np.arange(12.0).reshape(3, 4)
    for view in (value.T, value[::2, ::-1], np.asfortranarray(value), np.broadcast_to(value[0], (5, 4))):
        assert np.array_equal(requested(view), view)
    assert requested((np.float32(0.5), np.int64(3), np.bool_(True))) == (0.5, 3, True)
    assert requested(value.astype(">f8")).dtype == np.dtype(">f8")


def test_what_is_read_can_be_written_into() -> None:
    requested(np.zeros(3))[0] = 1
    replied(Reply(status=Status.RETURNED, value=np.zeros(3))).value[0] = 1
    replied(Reply(status=Status.RETURNED, value=np.zeros(3, bool))).value[0] = True


def test_a_reply_of_as_many_nodes_as_freeze_lets_through() -> None:
    value = {f"{number:0{MAX_KEY}}": Opaque("x" * MAX_KEY) for number in range(MAX_NODES - 1)}
    assert replied(Reply(status=Status.RETURNED, value=value)).value == value
    numbers = [np.array(1.0)] * (MAX_NODES - 1)
    assert same(replied(Reply(status=Status.RETURNED, value=numbers)).value, numbers)


def test_long_texts_are_cut() -> None:
    found = replied(Reply(status=Status.RAISED, texts=("é" * MAX_TEXT,)))
    assert found.texts[0].rstrip("\N{REPLACEMENT CHARACTER}") == "é" * (MAX_TEXT // 2)


def test_texts_hold_nothing_that_moves_a_cursor() -> None:
    found = replied(Reply(status=Status.RETURNED, value=Opaque("\x1b[2J"), texts=("a\x1b[31m\r\b\x9b\n\tb", "\u202e")))
    assert found.texts == ("a\ufffd[31m\ufffd\ufffd\ufffd\n\tb", "\ufffd")
    assert found.value == Opaque("\ufffd[2J")


def test_positions_beyond_the_mask_are_dropped() -> None:
    assert replied(Reply(status=Status.RETURNED, changed=(0, 63, 64, 1000))).changed == (0, 63)


@given(st.lists(st.integers(0, 3 * wire._BUFFER), max_size=6), st.lists(st.integers(1, 2 * wire._BUFFER), min_size=1))
def test_law_bytes_come_in_order_however_they_arrive(sizes: list[int], arrivals: list[int]) -> None:
    data = np.random.default_rng(0).bytes(sum(sizes))
    at, turns = 0, itertools.cycle(arrivals)

    def receive(room: memoryview) -> int:
        nonlocal at
        count = min(len(room), next(turns), len(data) - at)
        if not count:
            raise EOFError
        room[:count] = data[at : at + count]
        at += count
        return count

    incoming = Incoming(receive)
    assert b"".join(incoming.read(size) for size in sizes) == data
    with pytest.raises(EOFError):
        incoming.read(1)


def test_a_small_frame_is_one_piece_and_a_large_one_is_not_copied() -> None:
    small, large = np.ones(3), np.ones(wire._BUFFER)
    for pack in (partial(pack_request, {}), lambda value: pack_reply(1, Reply(status=Status.RETURNED, value=value))):
        assert len(pack(small)) == 1
        assert np.shares_memory(np.frombuffer(pack(large)[1]), large)


# ---------------------------------------------------------------------------------------------- what a child may forge

NONE = b"N"


def forged(
    *,
    magic: bytes = wire.MAGIC,
    nonce: int = NONCE,
    status: int = 0,
    seconds: float = 0.0,
    arrays: list[bytes] | None = None,
    count: int | None = None,
    tree: bytes = NONE,
    tree_size: int | None = None,
    text_size: int = 0,
    data: bytes = b"",
) -> Stream:
    arrays = arrays or []
    header = wire.HEADER.pack(
        magic,
        nonce,
        status,
        0,
        0,
        seconds,
        len(arrays) if count is None else count,
        len(tree) if tree_size is None else tree_size,
        text_size,
    )
    return Stream(header + b"".join(arrays) + tree + data)


def described(code: int = 11, ndim: int = 1, *shape: int) -> bytes:
    return wire.ARRAY.pack(code, ndim, *shape, *([0] * (8 - len(shape))))


def leaf(index: int) -> bytes:
    return b"A" + wire.COUNT.pack(index)


def nested(depth: int) -> bytes:
    return (b"T" + wire.COUNT.pack(1)) * depth + NONE


ONE = described(11, 1, 1)
EIGHT = bytes(8)
FORGED: dict[str, tuple[Callable[[], Stream], str]] = {
    "magic": (lambda: forged(magic=b"GMK2"), "does not start as a reply does"),
    "nonce": (lambda: forged(nonce=NONCE + 1), "belongs to no call"),
    "status": (lambda: forged(status=len(Status)), f"out of bounds: status {len(Status)}"),
    "number of arrays": (lambda: forged(count=MAX_ARRAYS + 1), f"out of bounds: status 0, {MAX_ARRAYS + 1} arrays"),
    "length of the tree": (lambda: forged(tree_size=wire.MAX_TREE + 1), f"{wire.MAX_TREE + 1} \\+ 0 bytes"),
    "length of the text": (lambda: forged(text_size=MAX_TEXT + 1), f"1 \\+ {MAX_TEXT + 1} bytes"),
    "dtype": (lambda: forged(arrays=[described(len(DTYPES), 1, 1)]), "unknown kind: dtype code 14"),
    "ndim": (lambda: forged(arrays=[described(11, 9)]), "unknown kind: dtype code 11, 9 dimensions"),
    "negative dimension": (lambda: forged(arrays=[described(11, 2, -1, -1)]), r"of shape \(-1, -1\)"),
    "dimension beyond the cap": (lambda: forged(arrays=[described(1, 2, ROOM + 1, 0)]), r"\(1048577, 0\); at most"),
    "zeros that overflow": (lambda: forged(arrays=[described(11, 5, 0, *[ROOM] * 4)], tree=leaf(0)), "of shape"),
    "size": (lambda: forged(arrays=[described(11, 1, ROOM // 8 + 1)]), "too large: an array of shape"),
    "size in all": (lambda: forged(arrays=[described(11, 1, ROOM // 16 + 1)] * 2), "too large: an array of shape"),
    "largest product": (lambda: forged(arrays=[described(13, 8, *[ROOM] * 8)]), "too large: an array of shape"),
    "array that is not there": (lambda: forged(tree=leaf(0)), "names an array that is not there"),
    "arrays out of order": (
        lambda: forged(arrays=[ONE, ONE], tree=b"T\2\0" + leaf(1) + leaf(0), data=EIGHT * 2),
        "names an array that is not there",
    ),
    "array used twice": (
        lambda: forged(arrays=[ONE], tree=b"T\2\0" + leaf(0) + leaf(0), data=EIGHT),
        "names an array that is not there",
    ),
    "array not used": (lambda: forged(arrays=[ONE], data=EIGHT), "something left over"),
    "bytes after the tree": (lambda: forged(tree=b"NN"), "something left over"),
    "no tree": (lambda: forged(tree=b""), "ends too early"),
    "tree that ends early": (lambda: forged(tree=b"T\2\0N"), "ends too early"),
    "key that ends early": (lambda: forged(tree=b"D\1\0\5abc"), "ends too early"),
    "unknown node": (lambda: forged(tree=b"X"), "unknown node b'X'"),
    "found, of no kind": (lambda: forged(tree=b"E\xff\0\0N"), "something found that is not known: 255"),
    "wanted, of no kind": (lambda: forged(tree=b"E\0\xff\0N"), "something found that is not known: 0"),
    "found, and nothing": (lambda: forged(tree=b"E\0\0\0N"), "something found that is not known: 0"),
    "found in what was found": (lambda: forged(tree=b"E\0\0\0" * 5000 + NONE), "something found that is not known"),
    "too deep": (lambda: forged(tree=nested(MAX_DEPTH + 1)), "too deep or too large"),
    "too many nodes": (lambda: forged(tree=b"L\xff\xff" + NONE * MAX_NODES), "too deep or too large"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_reply_is_a_violation(name: str) -> None:
    make, text = FORGED[name]
    with pytest.raises(Violation, match=text):
        read_reply(make(), NONCE, ROOM)


def test_what_is_just_within_bounds_is_read() -> None:
    assert read_reply(forged(tree=nested(MAX_DEPTH)), NONCE, ROOM).status is Status.RETURNED
    tree = b"L" + wire.COUNT.pack(MAX_NODES - 1) + NONE * (MAX_NODES - 1)
    assert len(read_reply(forged(tree=tree), NONCE, ROOM).value) == MAX_NODES - 1
    stream = forged(arrays=[described(11, 1, ROOM // 8)], tree=leaf(0), data=bytes(ROOM))
    assert read_reply(stream, NONCE, ROOM).value.shape == (ROOM // 8,)


@pytest.mark.parametrize(
    "name", ["size", "size in all", "largest product", "dimension beyond the cap", "length of the tree"]
)
def test_nothing_large_is_allocated_before_the_bounds_are_checked(name: str) -> None:
    stream = FORGED[name][0]()
    tracemalloc.start()
    try:
        with pytest.raises(Violation):
            read_reply(stream, NONCE, ROOM)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert stream.largest <= wire.ARRAY.size


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, -1.0])
def test_seconds_that_are_no_time_are_none(seconds: float) -> None:
    assert read_reply(forged(seconds=seconds), NONCE, ROOM).seconds == 0.0


def test_truth_values_are_0_or_1_whatever_the_bytes_are() -> None:
    stream = forged(arrays=[described(0, 1, 4)], tree=leaf(0), data=b"\0\1\2\xff")
    value = read_reply(stream, NONCE, ROOM).value
    assert (value.dtype, value.tobytes()) == (np.dtype(bool), b"\0\1\1\1")


def test_text_that_is_not_text_is_read_all_the_same() -> None:
    found = read_reply(forged(tree=b"D\1\0\2\xff\xfeO\2\xed\xa0", text_size=2, data=b"\xc3\x28"), NONCE, ROOM)
    assert found.texts == ("\ufffd(",)
    assert found.value == {"\ufffd\ufffd": Opaque("\ufffd\ufffd")}


def read_anything(data: bytes, max_bytes: int) -> None:
    """Read it, and see that only a Violation or the end of the stream stops it, and how much it asks for at once."""
    stream = Stream(data)
    with contextlib.suppress(Violation, EOFError):
        read_reply(stream, NONCE, max_bytes)
    assert stream.largest <= max(wire.HEADER.size, wire.ARRAY.size, wire.MAX_TREE, MAX_TEXT, max_bytes)


@given(st.binary(max_size=300))
def test_law_any_bytes_are_a_reply_or_a_violation(data: bytes) -> None:
    read_anything(data, 100)
    read_anything(wire.MAGIC + NONCE.to_bytes(8, "little") + data, 100)
    read_anything(forged(tree=data).data, 100)


@given(REPLIES, st.data())
def test_law_a_damaged_reply_is_a_reply_or_a_violation(value: Any, data: st.DataObject) -> None:
    whole = bytearray(sent(pack_reply(NONCE, Reply(status=Status.RETURNED, value=value, texts=("a", "b")))).data)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    read_anything(bytes(whole), 1000)
    read_anything(bytes(whole[:cut]), 1000)


@given(
    st.lists(
        st.tuples(st.integers(0, 14), st.integers(0, 9), st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=8)),
        max_size=3,
    )
)
def test_law_any_descriptors_are_arrays_or_a_violation(descriptors: list[tuple[int, int, list[int]]]) -> None:
    arrays = [described(code, ndim, *shape) for code, ndim, shape in descriptors]
    tree = b"T" + wire.COUNT.pack(len(arrays)) + b"".join(leaf(index) for index in range(len(arrays)))
    read_anything(forged(arrays=arrays, tree=tree, data=bytes(2000)).data, 1000)
