"""Results as trees of plain arrays, whatever a student's function returns."""

from __future__ import annotations

import collections
import enum
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.calls import Opaque
from grader.sandbox.freeze import MAX_DEPTH, MAX_KEY, MAX_NODES, Unfit, freeze

ROOM = 1 << 20


def frozen(value: Any) -> Any:
    return freeze(value, ROOM)


def refuses(value: Any, max_bytes: int = ROOM) -> str:
    with pytest.raises(Unfit) as unfit:
        freeze(value, max_bytes)
    return str(unfit.value)


def check(actual: Any, expected: Any) -> None:
    assert type(actual) is np.ndarray
    assert (actual.dtype, actual.shape) == (np.asarray(expected).dtype, np.shape(expected))
    assert np.array_equal(actual, expected, equal_nan=True)


# ------------------------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    "value",
    [True, 0, -(2**63), 2**63 - 1, 2**64 - 1, 0.5, float("nan"), 1j, np.float32(2), np.int8(-1), np.bool_(False),
     np.complex64(1j), np.float16(0.1)],
)  # fmt: skip
def test_numbers_are_arrays_without_axes(value: Any) -> None:
    check(frozen(value), value)


class LyingFloat(float):
    def __float__(self) -> float:
        raise RuntimeError

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError

    __len__ = __iter__ = __index__ = __int__ = __float__  # type: ignore[assignment]


class LyingInt(int):
    __array__ = __int__ = __index__ = LyingFloat.__array__  # type: ignore[assignment]


class LyingComplex(complex):
    __array__ = __complex__ = LyingFloat.__array__  # type: ignore[assignment]


class LyingScalar(np.float64):
    __array__ = __float__ = item = LyingFloat.__array__  # type: ignore[assignment]
    dtype = np.dtype(object)


class Level(enum.IntEnum):
    HIGH = 3


def test_subclasses_of_numbers_are_not_asked() -> None:
    check(frozen(LyingFloat(2)), 2.0)
    check(frozen(LyingInt(2)), 2)
    check(frozen(LyingComplex(2)), 2 + 0j)
    check(frozen(LyingScalar(2)), 2.0)
    check(frozen(Level.HIGH), 3)


def test_integers_of_more_than_64_bits() -> None:
    for value in (2**64, -(2**63) - 1, 10**5000):
        assert frozen(value) == Opaque("int of more than 64 bits")


# -------------------------------------------------------------------------------------------------------------- arrays


class LyingArray(np.ndarray):
    shape = property(lambda self: (10**9,))  # type: ignore[assignment]
    nbytes = property(lambda self: 0)  # type: ignore[assignment]
    dtype = property(lambda self: 1 / 0)  # type: ignore[assignment]
    __class__ = property(lambda self: 1 / 0)  # type: ignore[assignment]

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError

    def view(self, *args: Any) -> Any:
        raise RuntimeError

    def __array_finalize__(self, other: Any) -> None:
        pass


@pytest.mark.parametrize("kind", [np.matrix, np.recarray, LyingArray])
def test_subclasses_of_arrays_are_arrays(kind: type) -> None:
    check(frozen(np.arange(6.0).reshape(2, 3).view(kind)), np.arange(6.0).reshape(2, 3))


def test_arrays_are_copied_in_order() -> None:
    for value in (np.arange(6.0).reshape(2, 3).T, np.arange(9)[::-2], np.zeros((0, 3)), np.array(2.0)):
        found = frozen(value)
        check(found, value)
        assert found.flags.c_contiguous
        assert found.flags.owndata
        assert found.flags.writeable


def test_big_endian_arrays_are_turned() -> None:
    found = frozen(np.arange(3.0).astype(">f8"))
    assert (found.dtype.str, found.tolist()) == ("<f8", [0.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (np.array([None, 1]), "array of dtype object"),
        (np.array(["a", "bc"]), "array of dtype <U2"),
        (np.array([b"a"]), "array of dtype |S1"),
        (np.array(["a"], dtype=np.dtypes.StringDType()), "array of dtype StringDType()"),
        (np.array(["2020-01-01"], "M8[D]"), "array of dtype datetime64[D]"),
        (np.zeros(2, "m8[s]"), "array of dtype timedelta64[s]"),
        (np.zeros(2, "f8,i4"), "array of dtype [('f0', '<f8'), ('f1', '<i4')]"),
        (np.zeros(2, "V8"), "array of dtype |V8"),
        (np.zeros(2, np.clongdouble), f"array of dtype {np.dtype(np.clongdouble)}"),
        (np.longdouble(1), f"array of dtype {np.dtype(np.longdouble)}"),
        (np.str_("a"), "array of dtype <U1"),
        (np.datetime64("2020-01-01"), "array of dtype datetime64[D]"),
        (np.ma.masked_array([1.0, 2.0], [True, False]), "masked array"),
        (np.ma.masked, "masked array"),
    ],
)
def test_what_is_no_array_of_numbers(value: Any, name: str) -> None:
    assert frozen(value) == Opaque(name)


def test_types_with_many_fields_have_short_names() -> None:
    found = frozen(np.zeros(1, ",".join(["f8"] * 200)))
    assert len(found.type_name) == MAX_KEY


def test_dtypes_with_metadata() -> None:
    check(frozen(np.zeros(2, np.dtype("f8", metadata={"a": 1}))), np.zeros(2))


def test_sizes_are_refused_before_anything_is_copied() -> None:
    huge = np.broadcast_to(np.float64(1), (10**6, 10**6))
    assert refuses(huge) == (
        "it is too large: an array of shape (1000000, 1000000); at most 1048576 bytes are accepted"
    )
    assert refuses(np.lib.stride_tricks.as_strided(np.zeros(1), (2**40,), (0,))).startswith("it is too large")
    assert refuses([np.zeros(4)] * 3, 64).startswith("it is too large: an array of shape (4,)")
    check(freeze(np.zeros(8), 64), np.zeros(8))


def test_arrays_of_many_axes() -> None:
    check(frozen(np.zeros((1,) * 8)), np.zeros((1,) * 8))
    assert refuses(np.zeros((1,) * 9)) == "it has 9 dimensions; at most 8 are accepted"


# ---------------------------------------------------------------------------------------------------------- containers


class Pair(NamedTuple):
    x: Any
    y: Any


class LyingList(list[Any]):
    def __iter__(self) -> Iterator[Any]:
        raise RuntimeError

    __len__ = __getitem__ = __iter__  # type: ignore[assignment]
    __class__ = property(lambda self: 1 / 0)  # type: ignore[assignment]


class LyingTuple(tuple[Any, ...]):
    __iter__ = __len__ = __getitem__ = LyingList.__iter__  # type: ignore[assignment]


class LyingDict(dict[str, Any]):
    items = keys = __iter__ = __len__ = __getitem__ = LyingList.__iter__  # type: ignore[assignment]


def test_subclasses_of_sequences_are_not_asked() -> None:
    for value, kind in ((Pair(1, 2), tuple), (LyingTuple((1, 2)), tuple), (LyingList([1, 2]), list)):
        found = frozen(value)
        assert type(found) is kind
        assert [int(item) for item in found] == [1, 2]


def test_dicts_of_any_class() -> None:
    for value in (
        {"W": 1, "b": 2},
        LyingDict(W=1, b=2),
        collections.OrderedDict(W=1, b=2),
        collections.defaultdict(int, W=1, b=2),
        {np.str_("W"): 1, np.str_("b"): 2},
    ):
        found = frozen(value)
        assert type(found) is dict
        assert [(type(key), key, int(item)) for key, item in found.items()] == [(str, "W", 1), (str, "b", 2)]


class OddKey(str):
    __slots__ = ()

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


def test_keys() -> None:
    assert frozen({1: 2}) == Opaque("dict with keys of type int")
    assert frozen({"a": 1, None: 2}) == Opaque("dict with keys of type NoneType")
    assert list(frozen({"é" * 100: None})) == ["é" * 100]
    assert refuses({"é" * 101: None}) == "it has a key of more than 200 bytes"
    assert refuses({"\ud800": None}) == "it has a key that is no text"
    assert refuses({OddKey("a"): None, OddKey("a"): None}) == "it has two keys of the same text"


def test_what_refers_to_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert refuses(loop) == "it is nested more than 16 deep"
    table: dict[str, Any] = {}
    table["self"] = (table,)
    assert refuses(table) == "it is nested more than 16 deep"
    twice: Any = [1]
    for _ in range(MAX_DEPTH - 1):
        twice = [twice, twice]
    assert refuses(twice) == f"it holds more than {MAX_NODES} values"


def test_depth_and_number_of_values() -> None:
    deep: Any = None
    for _ in range(MAX_DEPTH):
        deep = [deep]
    frozen(deep)
    assert refuses([deep]) == "it is nested more than 16 deep"
    assert len(frozen([0.5] * (MAX_NODES - 1))) == MAX_NODES - 1
    assert refuses([0.5] * MAX_NODES) == f"it holds more than {MAX_NODES} values"
    assert refuses(dict.fromkeys(map(str, range(MAX_NODES)))) == f"it holds more than {MAX_NODES} values"


# -------------------------------------------------------------------------------------------------------- all the rest


class Names(type):
    __name__ = property(lambda cls: 1 / 0)  # type: ignore[assignment]

    def __subclasscheck__(cls, other: type) -> bool:
        raise RuntimeError

    __instancecheck__ = __getattribute__ = __subclasscheck__  # type: ignore[assignment]


class Lazy(metaclass=Names):
    __class__ = property(lambda self: np.ndarray)  # type: ignore[assignment]

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError


def test_all_else_is_opaque() -> None:
    for value, name in (
        ((x for x in "ab"), "generator"),
        (range(3), "range"),
        ("text", "str"),
        (b"bytes", "bytes"),
        ({1, 2}, "set"),
        (np, "module"),
        (len, "builtin_function_or_method"),
        (NotImplemented, "NotImplementedType"),
        (Lazy(), "Lazy"),
        (Lazy, "Names"),
        (type("N" * 1000, (), {})(), "N" * 100),
    ):
        assert frozen(value) == Opaque(name)


def test_none_is_none() -> None:
    assert frozen(None) is None


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=3)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=10,
)


def is_plain(value: Any) -> bool:
    match value:
        case None | Opaque():
            return True
        case np.ndarray():
            return type(value) is np.ndarray
        case dict():
            return all(type(key) is str and is_plain(item) for key, item in value.items())
        case _:
            return type(value) in (tuple, list) and all(map(is_plain, value))


@given(ANYTHING)
def test_law_results_are_plain_trees_or_refused(value: Any) -> None:
    try:
        found = frozen(value)
    except Unfit:
        return
    assert is_plain(found)
    assert repr(frozen(found)) == repr(found) or "Opaque" in repr(found)
