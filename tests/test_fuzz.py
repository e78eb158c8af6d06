"""Whatever bytes a reader is given, it reads them or refuses them in words: the laws of tests/fuzz_targets.py.

Each test draws the same inputs every time. Those that follow coverage instead are in tests/benchmarks.
"""

from __future__ import annotations

import copy
import datetime
import functools
import itertools
import json
import math
import re
import socket
import struct
import tomllib
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import fuzz_targets
import pytest
from fuzz_targets import NONCE, ROOM, TARGETS, TINY, notebook, zipped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.archive import MAX_CONTENTS_BYTES, MAX_FILE_BYTES
from grader.notebook import MAX_PARSED
from grader.sandbox import wire
from grader.sandbox.freeze import DTYPES, MAX_DEPTH

fuzzed = settings(
    derandomize=True,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

EXTREMES = [0, 1, -1, 255, 4300, 2**31 - 1, 2**31, 2**32 - 1, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 10**30]
WORDS = [
    *(b"\0", b"\xff" * 4, b"\xff" * 8, b"\n", b'"', b"'''", b"\\", b"[" * 200, b"{", b"(", b"\xef\xbb\xbf"),
    *(b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6", b"../", b"/" * 120, b".py", b".ipynb", b"%%time\n", b"!", b"#"),
    *(b"nan", b"-1", b"1e999", b"0x" + b"f" * 300, b" - at `$.exercise[99]", b"# coding: utf-7\n", b"\r", b"\xed\xa0"),
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A valid input of which a few stretches are overwritten, left out, or put in elsewhere; perhaps cut short."""
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(data)))
        stop = start + draw(st.sampled_from([0, 1, 2, 4, 8, 30]))
        other = draw(st.integers(0, len(data)))
        data[start:stop] = draw(
            st.binary(min_size=stop - start, max_size=stop - start)
            | st.sampled_from(WORDS)
            | st.just(bytes(data[other : other + 40]))
        )
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.integers(0, 3)) == 0 else bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_valid_inputs_are_read(name: str) -> None:
    """Else the tests below would begin at what is refused at once."""
    for seed in TARGETS[name].seeds:
        assert TARGETS[name].read(seed) is not None


@pytest.mark.parametrize("name", TARGETS)
@fuzzed
@given(data=st.data())
def test_law_damaged_inputs_are_read_or_refused(name: str, data: st.DataObject) -> None:
    TARGETS[name].read(data.draw(damaged(TARGETS[name].seeds)))


@pytest.mark.parametrize("name", TARGETS)
@fuzzed
@given(data=st.binary(max_size=200) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_law_arbitrary_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    TARGETS[name].read(data)


# ------------------------------------------------------------------------------------------------- a child's reply


def short(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def node(letter: bytes, count: int, *items: list[bytes]) -> list[bytes]:
    return [letter + wire.COUNT.pack(count), *itertools.chain(*items)]


@st.composite
def branch(draw: st.DrawFn, inner: st.SearchStrategy[list[bytes]]) -> list[bytes]:
    """A container in a reply's tree; what it says of its length is mostly true."""
    letter, items = draw(st.sampled_from([b"T", b"L", b"D"])), draw(st.lists(inner, max_size=4))
    count = draw(st.sampled_from([len(items)] * 15 + [len(items) + 1]))
    keys = st.binary(max_size=9) if letter == b"D" else st.nothing()
    return node(letter, count, *([*([short(draw(keys))] if letter == b"D" else []), *item] for item in items))


AN_ARRAY = b"A"
TREES = st.recursive(
    st.sampled_from([[AN_ARRAY]] * 3 + [[b"N"], [b"X"]])
    | st.binary(max_size=60).map(lambda name: [b"O" + short(name)]),
    branch,
    max_leaves=12,
) | st.sampled_from([1, MAX_DEPTH, MAX_DEPTH + 1, 3000]).map(lambda depth: node(b"T", 1) * depth + [AN_ARRAY])
"""Pieces of a tree, in which each array has yet to be numbered."""
SHAPES = st.lists(st.integers(0, 3), max_size=3) | st.sampled_from(
    [
        [ROOM],
        [ROOM // 8],
        [ROOM + 1],
        [ROOM + 1, 0],
        [0, *[ROOM] * 7],
        [ROOM] * 8,
        [-1],
        [-1, -1],
        [2**63 - 1, 2],
        [1] * 8,
    ]
)


@settings(fuzzed, max_examples=400)
@given(
    status=st.integers(0, len(wire.Status)),
    masks=st.tuples(*[st.integers(0, 2**64 - 1)] * 2),
    seconds=st.floats(),
    tree=TREES,
    text=st.binary(max_size=80),
    data=st.data(),
)
def test_law_forged_replies_are_outcomes_or_violations(
    status: int, masks: tuple[int, int], seconds: float, tree: list[bytes], text: bytes, data: st.DataObject
) -> None:
    numbers = itertools.count()
    nodes = b"".join(b"A" + wire.COUNT.pack(next(numbers)) if piece == AN_ARRAY else piece for piece in tree)
    nodes = nodes[: len(nodes) - data.draw(st.sampled_from([0, 0, 0, 0, 0, 1, 2]))]
    shapes = [data.draw(SHAPES) for _ in range(tree.count(AN_ARRAY))]
    described = [
        wire.ARRAY.pack(data.draw(st.integers(0, len(DTYPES))), len(shape), *shape, *[0] * (8 - len(shape)))
        for shape in shapes
    ]
    header = wire.HEADER.pack(wire.MAGIC, NONCE, status, *masks, seconds, len(shapes), len(nodes), len(text))
    fuzz_targets.read_reply(header + b"".join(described) + nodes + text + bytes(range(256)) * 64)


# ------------------------------------------------------------------------------------------- manifests and notebooks

ODD_TEXTS = (
    ["", ".", "..", "/", "a" * 300, "N D", "N " * 99, "x.y", "x[0]", "\0", "\x1b[2J", "tiny.py", "../reference/tiny.py",
     "layer", "training", "step", "classes", "data", "class", "\u2028", "\u00b2", "%%time\n!ls", "x = 1 \\", "'''"]
)  # fmt: skip
UNPRINTABLE = ...
"""Stands for a whole number of more digits than Python prints, be it in a message of Hypothesis."""
ODD_NUMBERS = [True, *EXTREMES, UNPRINTABLE, 0.001, -0.0, 5e-324, 1e300, math.inf, -math.inf, math.nan]
TEXTS = st.text(max_size=12) | st.sampled_from(ODD_TEXTS)
NUMBERS = st.booleans() | st.integers(-3, 9) | st.sampled_from(ODD_NUMBERS) | st.floats()
SCALARS = NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS | st.just(datetime.date(2026, 11, 21)) | st.integers(1, 200).map(lambda depth: nested(depth)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def nested(depth: int) -> Any:
    """A list in a list, and so on."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


ODD = [*ODD_TEXTS, *ODD_NUMBERS, datetime.date(2026, 11, 21), [], {}, [1], [[], {}], {"a": 1}, nested(99), nested(300)]


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every (container, key or index) of a document."""
    if not isinstance(document, (dict, list)):
        return []
    items = list(document.items() if isinstance(document, dict) else enumerate(document))
    return [(document, key) for key, _ in items] + [place for _, item in items for place in places(item)]


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """The document with one to three of its values exchanged, renamed, doubled or left out."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        within = places(document)
        if not within:
            break
        container, key = draw(st.sampled_from(within))
        match draw(st.sampled_from(["exchange", "of its kind", "of its kind", "move", "rename", "leave out"])):
            case "exchange":
                container[key] = draw(VALUES)
            case "of its kind" if not isinstance(container[key], (list, dict)):
                container[key] = draw(TEXTS if isinstance(container[key], str) else NUMBERS)
            case "move":
                other, there = draw(st.sampled_from(within))
                container[key] = copy.deepcopy(other[there])
            case "rename" if isinstance(container, dict):
                container[draw(TEXTS | st.sampled_from([key for _, key in within if isinstance(key, str)]))] = (
                    container.pop(key)
                )
            case _:
                del container[key]
    return document


def toml(value: Any) -> str:
    """A value as TOML, all of it in one line."""
    if value is UNPRINTABLE:
        return "0x" + "f" * 3750
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case dict():
            return "{" + ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case str():
            return json.dumps(value.encode("utf-8", "replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return str(value)


def test_a_document_as_toml_is_that_document() -> None:
    document = {"a": [1, -(2**63), 10**30, 0.5, True, {"b c": "\0\x7f\n'\"\\é"}], "d": datetime.date(2026, 11, 21)}
    assert tomllib.loads(as_toml(document).decode()) == document


def swept(document: Any) -> Iterator[Any]:
    """The document with each of its values left out, and exchanged for each of some odd ones, one at a time."""
    for number, (_, key) in enumerate(places(document)):
        for value in [None, *ODD]:
            other = copy.deepcopy(document)
            container, _ = places(other)[number]
            if value is None:
                del container[key]
            else:
                container[key] = value
            yield other


def as_toml(document: dict[str, Any]) -> bytes:
    return "\n".join(f"{toml(key)} = {toml(item)}" for key, item in document.items()).encode()


def test_every_value_of_a_manifest_may_be_odd() -> None:
    for document in swept(tomllib.loads(TINY)):
        fuzz_targets.read_manifest(as_toml(document))


def test_every_value_of_a_notebook_may_be_odd() -> None:
    for document in swept(json.loads(notebook(["x = 1\n", "!ls"]))):
        fuzz_targets.read_notebook(json.dumps(document, default=str).encode())


@fuzzed
@given(document=changed(tomllib.loads(TINY)) | changed(tomllib.loads(TARGETS["manifest"].seeds[1].decode())))
def test_law_changed_manifests_are_assignments_or_refused(document: Any) -> None:
    fuzz_targets.read_manifest(as_toml(document))


LINES = st.sampled_from(
    ["%%time", "%%capture x", "%%bash", "%%", "%%\x1b[2J", "%x", "!ls \\", "x = !ls", "x?", "x = 1", "x = (", ")",
     "'''", '"', "'\\",
     "def f():", "    return 1", "\tpass", "# coding: utf-16", "\f", "\0", "\ud800", "f'{x!r:{y}}'", "é = 1", "\\", "",
     "class A: x: int", "match x:", "    case _: pass", "lambda: (yield)", "x" * 99, "(" * 150, "-" * 3000, "\u2028"]
)  # fmt: skip
CELLS = st.lists(LINES, max_size=12).map("\n".join) | st.tuples(LINES, st.integers(1, 60)).map(lambda c: c[0] * c[1])


@fuzzed
@given(cells=st.lists(CELLS | st.lists(CELLS, max_size=3), max_size=5))
def test_law_any_cells_make_a_file_that_parses(cells: list[Any]) -> None:
    assert fuzz_targets.read_notebook(notebook(*cells)) is not None


@fuzzed
@given(document=changed(json.loads(TARGETS["notebook"].seeds[0])), encoding=st.sampled_from(["utf-8", "utf-16"]))
def test_law_changed_notebooks_are_read_or_refused(document: Any, encoding: str) -> None:
    fuzz_targets.read_notebook(json.dumps(document, default=str).encode(encoding))


# ----------------------------------------------------------------------------------------------------------- archives

PARTS = st.sampled_from(["..", ".", "", "a", "C:", "\\", "é", "\x1b", "__MACOSX", "env"]) | st.text(max_size=4)
FILES = st.sampled_from(["mlp.py", "mlp.py", "a.py", "a.ipynb", "pyvenv.cfg", "a.zip"]) | PARTS
NAMES = st.tuples(st.lists(PARTS, max_size=3), FILES).map(
    lambda name: "/".join([*name[0], name[1]]).encode("utf-8", "replace").decode() or "x"
)
FIELDS = {
    b"PK\1\2": {"<H": (4, 6, 8, 10, 28, 30, 32, 34, 36), "<I": (16, 20, 24, 38, 42)},
    b"PK\3\4": {"<H": (4, 6, 8, 26, 28), "<I": (14, 18, 22)},
    b"PK\5\6": {"<H": (4, 6, 8, 10, 20), "<I": (12, 16)},
}
"""Where the numbers stand in a line of the table of contents, in the head of a member, and at the archive's end."""


@settings(fuzzed, max_examples=300)
@given(names=st.lists(NAMES, min_size=1, max_size=4, unique=True), data=st.data())
def test_law_archives_with_absurd_contents_are_read_or_refused(names: list[str], data: st.DataObject) -> None:
    whole = bytearray(zipped({name: name.encode() * 20 for name in names}))
    for _ in range(data.draw(st.integers(0, 3))):
        signature = data.draw(st.sampled_from([*FIELDS]))
        form = data.draw(st.sampled_from(["<H", "<I"]))
        at = data.draw(st.sampled_from([found.start() for found in re.finditer(signature, whole)]))
        number = data.draw(st.sampled_from(EXTREMES) | st.integers(0, 31).map(lambda n: 1 << n) | st.integers(0, 99))
        field = at + data.draw(st.sampled_from(FIELDS[signature][form]))
        struct.pack_into(form, whole, field, number % 256 ** struct.calcsize(form))
    fuzz_targets.read_archive(bytes(whole))


@functools.cache
def bomb(size: int) -> bytes:
    return zipped({"mlp.py": b"#" * size})


@settings(fuzzed, max_examples=60)
@given(
    size=st.sampled_from([0, 1000, MAX_FILE_BYTES, MAX_FILE_BYTES + 1, 20 * MAX_FILE_BYTES]),
    declared=st.sampled_from(EXTREMES) | st.integers(0, MAX_FILE_BYTES),
    compressed=st.none() | st.sampled_from(EXTREMES),
)
def test_law_a_member_takes_no_more_memory_than_its_cap(size: int, declared: int, compressed: int | None) -> None:
    """Whatever it unpacks to and whatever it says, beside the buffer for the table of contents."""
    whole = bytearray(bomb(size))
    entry = whole.rindex(b"PK\1\2")
    struct.pack_into("<I", whole, entry + 24, declared % 2**32)
    if compressed is not None:
        struct.pack_into("<I", whole, entry + 20, compressed % 2**32)
    tracemalloc.start()
    try:
        fuzz_targets.read_archive(bytes(whole))
        assert tracemalloc.get_traced_memory()[1] < MAX_CONTENTS_BYTES + 3 * MAX_FILE_BYTES
    finally:
        tracemalloc.stop()


# ------------------------------------------------------------------------------------------------ sources, and the laws


@fuzzed
@given(
    codec=st.sampled_from(["utf-7", "utf-16", "punycode", "idna", "zlib", "bz2", "rot13", "hex", "undefined", "mbcs",
                           "unicode_escape", "raw_unicode_escape", "cp437", "shift_jis", "../x", "\u00e9", "os"]),
    data=st.binary(max_size=60),
)  # fmt: skip
def test_law_a_source_may_claim_any_encoding(codec: str, data: bytes) -> None:
    fuzz_targets.read_source(b"# coding: " + codec.encode() + b"\n" + data)


@pytest.mark.parametrize(
    "token", ["(", "[", "{", "f(", "lambda:", "{a:", "f'{", "a if ", "not ", "-", "@", "with (", "a["]
)
def test_sources_are_parsed_in_no_more_than_they_may_take(token: str) -> None:
    for count in (30, 1000, MAX_PARSED // len(token)):
        fuzz_targets.read_source((token * count).encode())


def leaks(*_: Any, **__: Any) -> Any:
    raise KeyError("of no kind that a reader may raise")


def writes(*_: Any, **__: Any) -> Any:
    (fuzz_targets.COURSE / "written").write_bytes(b"")


def connects(*_: Any, **__: Any) -> Any:
    socket.create_connection(("127.0.0.1", 9))


READERS = {
    "reply": (fuzz_targets.wire, "read_reply"),
    "manifest": (fuzz_targets, "load_assignment"),
    "archive": (fuzz_targets, "load_submission"),
    "notebook": (fuzz_targets, "convert_notebook"),
    "source": (fuzz_targets, "parse_python"),
}


@pytest.mark.parametrize("broken", [leaks, writes, connects])
@pytest.mark.parametrize("name", TARGETS)
def test_a_broken_law_is_seen(name: str, broken: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*READERS[name], broken)
    with pytest.raises((KeyError, AssertionError), match=r"no kind|opened for writing|socket"):
        TARGETS[name].read(TARGETS[name].seeds[0])
    assert not (fuzz_targets.COURSE / "written").exists()
