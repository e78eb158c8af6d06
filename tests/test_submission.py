"""Submissions: which file is meant, what the student is told, and that nothing but SubmissionError is ever raised."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.calls import Source
from grader.errors import SubmissionError
from grader.submission import Submission, load_submission

FUNCTIONS = ("affine_forward", "affine_backward", "relu_forward")


def defining(*names: str) -> bytes:
    return "".join(f"def {name}(x):\n    return x\n" for name in names).encode()


def notebook(*cells: str) -> bytes:
    return json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}).encode()


def converted(text: str) -> bytes:
    return f"# -*- coding: utf-8 -*-\n# cell 1\n{text}\n".encode()


def build(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    root.mkdir(exist_ok=True)
    return root


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def load(path: Path) -> Submission:
    return load_submission(path, "mlp.py", FUNCTIONS)


def problem(path: Path) -> str:
    with pytest.raises(SubmissionError) as error:
        load(path)
    assert "\n" not in str(error.value)
    return str(error.value).replace(str(path), "HERE")


F, A, R = FUNCTIONS
CHOSEN = {
    "by name": ({"mlp.py": b"", "other.py": defining(*FUNCTIONS)}, "mlp.py", ["mlp.py is empty"]),
    "by name, below": ({"src/mlp.py": b"x", "a.py": b"y"}, "src/mlp.py", []),
    "nearest to the top": ({"hw/mlp.py": b"x", "hw/old/mlp.py": b"y", "z.py": b""}, "hw/mlp.py",
                           ["hw/mlp.py is read; of the same name but deeper: hw/old/mlp.py"]),
    "not by the end of a name": ({"my_mlp.py": b"x"}, "my_mlp.py",
                                 ["my_mlp.py is read for mlp.py: it is the only Python file"]),
    "before a notebook": ({"a/mlp.py": b"x", "mlp.ipynb": notebook("y")}, "a/mlp.py", []),
    "notebook by name": ({"mlp.ipynb": notebook("x"), "a.py": defining(F)}, "mlp.py", ["mlp.ipynb is read for mlp.py"]),
    "notebook with a broken cell": ({"mlp.ipynb": notebook("x", "x =")}, "mlp.py",
                                    ["mlp.ipynb is read for mlp.py",
                                     "mlp.ipynb, cell 2, line 1: invalid syntax; the cell is left out"]),
    "the only file": ({"hw.py": b"x", "data.npz": b""}, "hw.py",
                      ["hw.py is read for mlp.py: it is the only Python file"]),
    "the only notebook": ({"a/hw.ipynb": notebook("x")}, "a/hw.py",
                          ["a/hw.ipynb is read for mlp.py: it is the only Python file"]),
    "by functions": ({"a.py": defining(F), "b.py": defining(F, A), "c.py": b""}, "b.py",
                     ["b.py is read for mlp.py: it defines 2 of the 3 functions graded"]),
    "by functions, one repeated": ({"a.py": defining(F, F, F), "b.py": defining(F, A)}, "b.py",
                                   ["b.py is read for mlp.py: it defines 2 of the 3 functions graded"]),
    "by functions, a notebook": ({"a.py": defining(F), "b.ipynb": notebook(defining(F, A).decode())}, "b.py",
                                 ["b.ipynb is read for mlp.py: it defines 2 of the 3 functions graded"]),
    "by functions, a name that is taken": ({"a.py": b"", "a.ipynb": notebook(defining(F).decode())}, "a_notebook.py",
                                           ["a.ipynb is read for mlp.py: it defines 1 of the 3 functions graded"]),
    "by functions, of a file in Python 2": ({"a.py": b"print 1\n" + defining(F), "b.py": b""}, "a.py",
                                            ["a.py is read for mlp.py: it defines 1 of the 3 functions graded"]),
    "by functions, a broken notebook beside it": ({"a.py": defining(F), "b.ipynb": b"{}"}, "a.py",
                                                  ["a.py is read for mlp.py: it defines 1 of the 3 functions graded",
                                                   "HERE/b.ipynb: is not a notebook: cells: missing, or not a list"]),
    "not text": ({"mlp.py": b"\0\1"}, "mlp.py", ["mlp.py is not a text file: it has zero bytes"]),
}  # fmt: skip


@pytest.mark.parametrize(("files", "entry", "notes"), CHOSEN.values(), ids=CHOSEN)
def test_which_file_is_meant(files: dict[str, bytes], entry: str, notes: list[str], tmp_path: Path) -> None:
    loaded = load(build(tmp_path / "ann", files))
    assert loaded.source.entry == entry
    assert entry in loaded.source.files
    assert [note.replace(str(tmp_path / "ann"), "HERE") for note in loaded.notes] == notes
    archived = load(zipped(tmp_path / "a.zip", {**files, "data.npz": b"", "a/data.npz": b""}))
    assert archived.source.entry == entry
    assert archived.digest == loaded.digest


EXPECTED = "expected mlp.py or mlp.ipynb"
SEVERAL = "HERE: holds several Python files and none can be told to be the one graded"
UNDECIDED = {
    "nothing": ({}, f"HERE: holds no Python file; {EXPECTED}"),
    "no Python": (
        {"mlp.txt": b"", "old.zip": b""},
        f"HERE: holds no Python file; {EXPECTED}; archives inside are not opened: old.zip",
    ),
    "two of the name": (
        {"a/mlp.py": b"x", "b/mlp.py": b"y"},
        "HERE: holds mlp.py in several places: a/mlp.py, b/mlp.py; which one is meant?",
    ),
    "two notebooks of the name": (
        {"a/mlp.ipynb": b"x", "b/mlp.ipynb": b"y"},
        "HERE: holds mlp.ipynb in several places: a/mlp.ipynb, b/mlp.ipynb; which one is meant?",
    ),
    "as many functions": ({"a.py": defining(F), "b.py": defining(A)}, f"{SEVERAL}: a.py, b.py; {EXPECTED}"),
    "no functions": (
        {"a.py": b"", "b.ipynb": b"{}"},
        f"{SEVERAL}: a.py, b.ipynb; {EXPECTED}; HERE/b.ipynb: is not a notebook: cells: missing, or not a list",
    ),
    "the notebook is broken": ({"mlp.ipynb": b"", "a.py": b"x"}, "HERE/mlp.ipynb: is empty"),
}


@pytest.mark.parametrize(("files", "expected"), UNDECIDED.values(), ids=UNDECIDED)
def test_no_file_can_be_told(files: dict[str, bytes], expected: str, tmp_path: Path) -> None:
    assert problem(build(tmp_path / "ann", files)) == expected
    assert problem(zipped(tmp_path / "a.zip", files)) == expected


def test_folder(tmp_path: Path) -> None:
    files = {"mlp.py": b"import net.layers\n", "net/layers.py": b"print 1\n", "old.ipynb": b"{}", "a.txt": b""}
    root = build(tmp_path / "ann", files)
    assert load(root) == Submission(
        name="ann",
        path=str(root),
        source=Source(
            entry="mlp.py",
            files={"mlp.py": b"import net.layers\n", "net/layers.py": b"print 1\n"},
            root=str(root),
        ),
        notes=(),
    )


def test_folder_with_a_notebook_has_no_root(tmp_path: Path) -> None:
    source = load(build(tmp_path, {"mlp.ipynb": notebook("x = 1"), "a.py": b"y"})).source
    assert source == Source(entry="mlp.py", files={"a.py": b"y", "mlp.py": converted("x = 1")}, root=None)


def test_folder_as_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(build(tmp_path / "ann", {"mlp.py": b"x"}))
    loaded = load(Path())
    assert (loaded.name, loaded.path, loaded.source.root) == ("ann", ".", str(tmp_path / "ann"))


def test_python_file_is_read_without_its_neighbours(tmp_path: Path) -> None:
    build(tmp_path, {"hw 1.py": b"x", "mlp.py": b"y"})
    assert load(tmp_path / "hw 1.py") == Submission(
        name="hw 1",
        path=str(tmp_path / "hw 1.py"),
        source=Source(entry="hw 1.py", files={"hw 1.py": b"x"}, root=str(tmp_path)),
        notes=("hw 1.py is read for mlp.py: it is the only Python file",),
    )


def test_notebook(tmp_path: Path) -> None:
    build(tmp_path, {"mlp.ipynb": notebook("x = 1")})
    assert load(tmp_path / "mlp.ipynb") == Submission(
        name="mlp",
        path=str(tmp_path / "mlp.ipynb"),
        source=Source(entry="mlp.py", files={"mlp.py": converted("x = 1")}, root=None),
        notes=("mlp.ipynb is read for mlp.py",),
    )


def test_zip(tmp_path: Path) -> None:
    path = zipped(tmp_path / "ann.zip", {"hw/mlp.py": b"x", "hw/net/a.py": b"y"})
    assert load(path) == Submission(
        name="ann",
        path=str(path),
        source=Source(entry="mlp.py", files={"mlp.py": b"x", "net/a.py": b"y"}, root=None),
        notes=(),
    )


def test_digest_is_of_paths_and_contents_only(tmp_path: Path) -> None:
    one = load(build(tmp_path / "one", {"mlp.py": b"x", "a.py": b"y"}))
    two = load(zipped(tmp_path / "two.zip", {"a.py": b"y", "mlp.py": b"x"}))
    parts = (b"a.py", b"y", b"mlp.py", b"x")
    expected = hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).hexdigest()
    assert one.digest == two.digest == expected
    others = [{"mlp.py": b"x", "a.py": b"z"}, {"mlp.py": b"x", "b.py": b"y"}, {"mlp.py": b"x"}, {"mlp.py": b"xa.pyy"}]
    digests = {load(zipped(tmp_path / "other.zip", files)).digest for files in others}
    assert len(digests | {expected}) == 5


PATHS = {
    "missing": ("gone.py", "HERE: does not exist"),
    "zero byte": ("a\0b", "HERE: does not exist"),
    "another kind": ("mlp.txt", "HERE: is neither a folder nor a .py, .ipynb or .zip file"),
    "another archive": ("mlp.tar.gz", "HERE: is neither a folder nor a .py, .ipynb or .zip file"),
    "no suffix": ("mlp", "HERE: is neither a folder nor a .py, .ipynb or .zip file"),
    "pipe": ("pipe.zip", "HERE: is neither a folder nor a .py, .ipynb or .zip file"),
    "name too long": ("x" * 300 + ".py", "HERE: can't be read: File name too long"),
    "below a file": ("mlp.txt/mlp.py", "HERE: does not exist"),
    "empty notebook": ("empty.ipynb", "HERE: is empty"),
    "broken notebook": ("broken.ipynb", "HERE: is not a notebook: cells: missing, or not a list"),
    "empty archive": ("empty.zip", "HERE: is not a whole zip archive (File is not a zip file)"),
    "archive of nothing": ("nothing.zip", "HERE: holds no Python file; expected mlp.py or mlp.ipynb"),
}


@pytest.mark.parametrize(("name", "expected"), PATHS.values(), ids=PATHS)
def test_paths_that_hold_no_submission(name: str, expected: str, tmp_path: Path) -> None:
    names = ("mlp.txt", "mlp.tar.gz", "mlp", "empty.ipynb", "empty.zip")
    build(tmp_path, {**dict.fromkeys(names, b""), "broken.ipynb": b"{}"})
    os.mkfifo(tmp_path / "pipe.zip")
    zipped(tmp_path / "nothing.zip", {})
    assert problem(tmp_path / name).replace(str(tmp_path / name).replace("\0", "\\x00"), "HERE") == expected


def test_empty_python_file_is_kept(tmp_path: Path) -> None:
    loaded = load(build(tmp_path, {"mlp.py": b"\n"}) / "mlp.py")
    assert (loaded.source.files, loaded.notes) == ({"mlp.py": b"\n"}, ("mlp.py is empty",))


def test_too_much_in_all(tmp_path: Path) -> None:
    files = {f"{i}.py": b"#" * 1_900_000 for i in range(10)}
    assert len(load(build(tmp_path / "ann", {"mlp.py": b"", **files})).source.files) == 11
    expected = "HERE: holds more than 20 MB of Python files; hand in only your own"
    assert problem(build(tmp_path / "ann", {"last.py": b"#" * 1_900_000})) == expected


def test_too_much_to_look_through(tmp_path: Path) -> None:
    for name in ("a.ipynb", "b.ipynb"):
        (tmp_path / name).touch()
        os.truncate(tmp_path / name, 15_000_000)
    assert problem(tmp_path) == "HERE: holds more than 20 MB of Python files; hand in only your own"


def test_notebooks_that_are_not_meant_may_be_large(tmp_path: Path) -> None:
    root = build(tmp_path, {"mlp.py": b"x", "big.ipynb": b""})
    os.truncate(root / "big.ipynb", 50_000_000)
    assert load(root).source.files == {"mlp.py": b"x"}


def test_names_that_cannot_be_printed(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[2J\n.py"
    path.write_bytes(b"x")
    loaded = load(path)
    assert (loaded.name, loaded.source.entry) == ("a\\x1b[2J\\n", "a\\x1b[2J\\n.py")
    assert loaded.path == f"{tmp_path}/a\\x1b[2J\\n.py"
    assert len(loaded.digest) == 64


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@given(data=st.binary(max_size=200), suffix=st.sampled_from(["zip", "ipynb"]))
def test_law_arbitrary_bytes_are_refused(data: bytes, suffix: str, scratch: Path) -> None:
    path = scratch / f"a.{suffix}"
    path.write_bytes(data)
    assert problem(path).startswith("HERE: is ")


@given(data=st.binary(max_size=200))
def test_law_any_bytes_are_a_python_file(data: bytes, scratch: Path) -> None:
    path = scratch / "mlp.py"
    path.write_bytes(data)
    assert load(path).source.files == {"mlp.py": data}


@given(files=st.dictionaries(st.sampled_from(["a.py", "b.py", "c.ipynb", "d/mlp.py"]), st.binary(max_size=50)))
def test_law_any_files_are_read_or_refused(files: dict[str, bytes], scratch: Path) -> None:
    with contextlib.suppress(SubmissionError):
        assert load(zipped(scratch / "b.zip", files)).source.entry
