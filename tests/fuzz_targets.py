"""The readers of bytes that somebody else wrote, each as a function from bytes to nothing that raises only where a law
is broken; with valid inputs to start from.

tests/test_fuzz.py feeds them from Hypothesis, tests/benchmarks/test_fuzz_coverage.py from a fuzzer that follows
coverage. What a reader refuses it refuses in words of its own kind (Violation, ManifestError, SubmissionError, ...);
any other exception passes through and is the defect. Reading writes no file, starts no process and opens no
connection, whatever the bytes say; time and memory are for the callers to watch.

No targets are the requests of the judge to a child and to a zygote, and the zygote's answers: those sockets end in
processes of ours, and a child that runs a student's code holds neither end of a zygote's.
"""

from __future__ import annotations

import ast
import atexit
import contextlib
import io
import json
import math
import os
import shutil
import struct
import sys
import tempfile
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from grader.archive import MAX_FILES, MAX_TOTAL_BYTES
from grader.assignment import Assignment
from grader.calls import Call, Opaque, Outcome
from grader.errors import ManifestError, SubmissionError
from grader.manifest import load_assignment
from grader.notebook import convert_notebook, parse_python
from grader.numerics.trees import leaves
from grader.sandbox import process, wire
from grader.sandbox.freeze import MAX_DEPTH
from grader.sandbox.loading import decode
from grader.submission import Submission, load_submission
from grader.topics import find_manifest

__all__ = ["NONCE", "TARGETS", "TINY", "Target"]

NONCE = 0x0123456789ABCDEF
ROOM = 4096
"""Most bytes of arrays in a reply."""
FUNCTIONS = ("affine_forward", "affine_backward")
TINY = """
format = 1
name = "tiny"
title = "Double it"
file = "tiny.py"
reference = "tiny.py"
seed = 7
limits = { call_seconds = 5 }
[[exercise]]
name = "double"
kind = "layer"
forward = "f"
backward = "b"
reference = "double"
inputs = { x = "N D", w = [{ axes = "D", draw = "mask" }] }
gradients = ["x"]
output = "N D"
points = { forward = 1.5, backward = 2 }
[[exercise.case]]
name = "small"
sizes = { N = [2, 5], D = 3 }
hidden = true
repeat = 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One reader."""

    read: Callable[[bytes], Any]
    """Reads and checks: what was read, or None where the bytes were refused. Raises where a law is broken."""
    seeds: tuple[bytes, ...]
    """Inputs that are not refused."""


# ------------------------------------------------------------------------------------------- nothing but reading

_FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "subprocess.", "socket.", "shutil.", "ctypes.")
_CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod")
_watching = False


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event == "open":
        path, mode, flags = args
        written = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) if isinstance(flags, int) else False
        assert not written, f"{path} was opened for writing ({mode})"
    assert not event.startswith((*_FORBIDDEN, *_CHANGES)), f"{event} of {args}"


sys.addaudithook(_watch)


@contextlib.contextmanager
def harmless() -> Iterator[None]:
    """Whatever is opened for writing, started or connected to inside breaks the law."""
    global _watching
    with mock.patch.object(sys, "dont_write_bytecode", True):  # a coding cookie may import a codec
        _watching = True
        try:
            yield
        finally:
            _watching = False


COURSE = Path(tempfile.mkdtemp(prefix="gradmark-fuzz-"))
"""A course with one reference. Every input lies below it."""
atexit.register(shutil.rmtree, COURSE, ignore_errors=True)
(COURSE / "reference").mkdir()
(COURSE / "reference" / "tiny.py").write_text("def double(x):\n    return 2 * x\n")
(COURSE / "assignments" / "tiny").mkdir(parents=True)


def _file(name: str, data: bytes) -> Path:
    path = COURSE / name
    path.write_bytes(data)
    return path


def _refused(refused: Exception, start: str) -> None:
    """Words that can be shown, and that name the file first."""
    assert str(refused).startswith(start)
    assert _can_be_shown(str(refused))


# ----------------------------------------------------------------------------------------------- a child's reply


def read_reply(data: bytes) -> Outcome | None:
    """A reply of the child, up to the outcome that the judge goes on with."""
    rest = io.BytesIO(data)

    def read(size: int) -> bytearray:
        assert size <= max(wire.MAX_TREE, wire.MAX_TEXT, ROOM), f"{size} bytes are asked for at once"
        piece = bytearray(rest.read(size))
        if len(piece) < size:
            raise EOFError
        return piece

    try:
        with harmless():
            reply = wire.read_reply(read, NONCE, ROOM, ROOM)
    except (wire.Violation, EOFError) as refused:
        return _refused(refused, "")
    arrays = [leaf for leaf in leaves(reply.value) if isinstance(leaf, np.ndarray)]
    names = [leaf.type_name for leaf in leaves(reply.value) if isinstance(leaf, Opaque)]
    assert sum(array.nbytes for array in arrays) <= ROOM
    assert all(type(array) is np.ndarray and array.flags.writeable for array in arrays)
    assert all(array.dtype.kind != "b" or array.view(np.uint8).max(initial=0) <= 1 for array in arrays)
    assert all(map(_can_be_shown, (*reply.texts, *names)))
    assert reply.seconds >= 0
    assert math.isfinite(reply.seconds)
    assert _depth(reply.value) <= MAX_DEPTH
    again = b"".join(map(bytes, wire.pack_reply(NONCE, reply)))  # what was read can be sent and read
    rest = io.BytesIO(again)
    assert wire.read_reply(read, NONCE, ROOM, ROOM).status is reply.status
    call = Call(function="f", args=(np.zeros(2), 1.0), max_bytes=ROOM)
    process._outcome(replace(call, watch=True), reply)
    return process._outcome(call, reply)


def _depth(tree: Any) -> int:
    """Containers around the deepest leaf."""
    items = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, (list, tuple)) else ()
    return max((1 + _depth(item) for item in items), default=0)


def _can_be_shown(text: str) -> bool:
    return all(c.isprintable() or c in "\n\t" or unicodedata.category(c) == "Zs" for c in text)


def _replies() -> Iterator[bytes]:
    value = {"W": np.arange(6.0).reshape(2, 3), "b": [np.array(True), None, Opaque("a.B")], "é": ((), {})}
    for status in wire.Status:
        texts = (
            ("finite differences", "1e-10", "words") if status is wire.Status.RETURNED else ("ValueError", "bad", "")
        )
        reply = wire.Reply(status=status, value=value, texts=texts, changed=(0, 63), seconds=0.5)
        yield b"".join(map(bytes, wire.pack_reply(NONCE, reply)))


# -------------------------------------------------------------------------------------------------- a manifest


def read_manifest(data: bytes) -> Assignment | None:
    """An assignment.toml."""
    path = _file("assignments/tiny/assignment.toml", data)
    try:
        with harmless():
            assignment = load_assignment(path)
    except ManifestError as refused:
        return _refused(refused, refused.problem and f"{path}: ")
    limits = assignment.limits
    assert all(0 < getattr(limits, name) < 2**31 for name in limits.__struct_fields__)
    assert assignment.points == sum(part.points for part in assignment.parts) > 0
    assert all(part.checks and (part.points * 100).denominator == 1 for part in assignment.parts)
    assert 0 <= assignment.seed < 2**63
    assert assignment.functions
    names = [part.name for part in assignment.parts] + [exercise.name for exercise in assignment.exercises]
    assert all(map(_can_be_shown, (assignment.name, assignment.title, *names)))
    return assignment


def _manifests() -> Iterator[bytes]:
    yield TINY.encode()
    # The shipped one, but for the files that stand only in its own course.
    text = find_manifest("mlp").read_text(encoding="utf-8").replace('"mlp.py"', '"tiny.py"')
    for elsewhere in ('"solutions/mlp.py"', '"slips/mlp.py"', '"data/mnist_10k.npz"'):
        text = text.replace(elsewhere, '"tiny.py"')
    yield text.encode()


# ------------------------------------------------------------------------------------------------- submissions


def read_archive(data: bytes) -> Submission | None:
    """A zip archive."""
    return _submitted(_file("a.zip", data))


def read_notebook(data: bytes) -> Submission | None:
    """A notebook; what comes out always parses."""
    with contextlib.suppress(SubmissionError), harmless():
        converted = convert_notebook(data, "a.ipynb")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as "\d" in a string
            ast.parse(converted.source)
        assert all("\n" not in note for note in converted.notes)
    return _submitted(_file("mlp.ipynb", data))


def read_source(data: bytes) -> str:
    """A Python file: parsed by the judge, decoded by the child."""
    with harmless():
        with contextlib.suppress(SyntaxError):
            parse_python(data)
        text = decode(data)
        with contextlib.suppress(SyntaxError):
            parse_python(text)
    loaded = _submitted(_file("mlp.py", data))
    assert loaded is not None
    assert loaded.source.files == {"mlp.py": data}
    return text


def _submitted(path: Path) -> Submission | None:
    try:
        with harmless():
            loaded = load_submission(path, "mlp.py", FUNCTIONS)
    except SubmissionError as refused:
        return _refused(refused, str(path))
    files = loaded.source.files
    assert all(map(_can_be_shown, (loaded.name, *files, *loaded.notes)))
    assert loaded.source.entry in files
    assert len(files) <= MAX_FILES
    assert sum(map(len, files.values())) <= 2 * MAX_TOTAL_BYTES
    for name in files:
        assert not name.startswith("/")
        assert ".." not in name.split("/")
    assert len(loaded.digest) == 64
    assert not any("\n" in note for note in loaded.notes)
    return loaded


def zipped(files: dict[str, bytes], comment: bytes = b"") -> bytes:
    """A zip archive of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
        archive.comment = comment
    return buffer.getvalue()


def _zip64() -> bytes:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w") as archive,
        archive.open(zipfile.ZipInfo("mlp.py"), "w", force_zip64=True) as member,
    ):
        member.write(CODE)
    whole = buffer.getvalue()
    # Its end once more, in the long form: record, locator, and a short end that points to them.
    size, start = struct.unpack_from("<II", whole, len(whole) - 10)
    record = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, size, start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(whole) - 22, 1)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return whole[:-22] + record + locator + end


CODE = b"# coding: latin-1\ndef affine_forward(x, w, b):\n    return x @ w + b, (x, w)\n"
CELLS = (
    "import numpy as np\n%matplotlib inline\nx = !ls \\\n -l\n",
    "%%time\n%%capture\ndef relu_forward(x, w, b):\n    '''doc'''\n    return x @ w + b  # (\n",
    "%%bash\nls",
    "def f(:",
    "x?",
)


def notebook(*cells: Any) -> bytes:
    """A notebook of format 4 with these code cells."""
    made = [{"cell_type": "code", "source": cell, "outputs": [1.5e3], "metadata": {}} for cell in cells]
    return json.dumps({"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "T"}, *made]}).encode()


def _archives() -> Iterator[bytes]:
    yield zipped({"hw/mlp.py": CODE, "hw/net/__init__.py": b"", "hw/data.npz": b"\0" * 50}, b"comment")
    yield zipped({"a.py": CODE, "b.ipynb": notebook(*CELLS), "old.zip": b"PK", "env/pyvenv.cfg": b"", "env/x.py": b""})
    yield _zip64()


def _notebooks() -> Iterator[bytes]:
    yield notebook(*CELLS)
    yield notebook(["x = 1\n", "y = 2"], [])
    cells = [{"cell_type": "code", "input": ["x = 1\n"]}, {"cell_type": "heading", "source": "T"}]
    yield json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}).encode("utf-16")


def _sources() -> Iterator[bytes]:
    yield CODE
    yield b"\xef\xbb\xbfx = '\\d'\r\n"
    yield b"# -*- coding: utf-7 -*-\nx = '+AGE-'\n"


TARGETS = {
    "reply": Target(read=read_reply, seeds=tuple(_replies())),
    "manifest": Target(read=read_manifest, seeds=tuple(_manifests())),
    "archive": Target(read=read_archive, seeds=tuple(_archives())),
    "notebook": Target(read=read_notebook, seeds=tuple(_notebooks())),
    "source": Target(read=read_source, seeds=tuple(_sources())),
}
