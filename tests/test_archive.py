"""Folders and zip archives: what is listed, what is passed over, and that hostile archives are refused in words."""

from __future__ import annotations

import contextlib
import io
import os
import random
import stat
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import grader.archive
from grader.archive import MAX_FILES, MAX_FOLDERS, MAX_TOTAL_BYTES, list_file, list_folder, open_zip, printable, some
from grader.errors import SubmissionError

Tree = dict[str, bytes]


def build_folder(root: Path, files: Tree) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def build_zip(path: Path, files: Tree) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def read_zip(path: Path) -> Tree:
    with open_zip(path) as listing:
        return {name: listing.read(name) for name in listing.sizes}


def zip_problem(path: Path) -> str:
    with pytest.raises(SubmissionError) as error:
        read_zip(path)
    assert error.value.path.startswith(str(path))
    return str(error.value).removeprefix(str(path))


LISTED = {
    "flat": (["mlp.py", "a.ipynb", "data.npz", "notes.txt"], ["a.ipynb", "mlp.py"]),
    "nested": (["a/b/mlp.py", "x.py"], ["a/b/mlp.py", "x.py"]),
    "capitals": (["MLP.PY", "A.IPynb"], ["A.IPynb", "MLP.PY"]),
    "hidden": ([".git/hooks/a.py", ".ipynb_checkpoints/a-checkpoint.ipynb", ".a.py", "._mlp.py", "mlp.py"], ["mlp.py"]),
    "left by the system": (["__MACOSX/._mlp.py", "__MACOSX/a.py", "a/__pycache__/x.py", "mlp.py"], ["mlp.py"]),
    "environments": (["env/pyvenv.cfg", "env/a.py", "env/lib/b.py", "node_modules/c.py", "mlp.py"], ["mlp.py"]),
    "environment at the top": (["pyvenv.cfg", "lib/site-packages/a.py", "mlp.py"], ["mlp.py"]),
    "not quite Python": (["a.pyc", "b.py.txt", "py", "c.pyw"], []),
    "none": ([], []),
}


@pytest.mark.parametrize(("names", "listed"), LISTED.values(), ids=LISTED)
def test_a_folder_and_its_archive_list_the_same(names: list[str], listed: list[str], tmp_path: Path) -> None:
    files = {name: name.encode() for name in names}
    folder = list_folder(build_folder(tmp_path, files))
    assert sorted(folder.sizes) == listed
    assert {name: folder.read(name) for name in listed} == {name: name.encode() for name in listed}
    assert folder.sizes == {name: len(name) for name in listed}
    assert read_zip(build_zip(tmp_path / "a.zip", files)) == {name: name.encode() for name in listed}


TOPS = {
    "stripped": (["hw/mlp.py", "hw/a/b.py", "hw/data.npz"], ["a/b.py", "mlp.py"]),
    "only once": (["hw/src/mlp.py"], ["src/mlp.py"]),
    "the system's own don't count": (["hw/mlp.py", "__MACOSX/hw/._mlp.py", ".DS_Store"], ["mlp.py"]),
    "something beside it": (["hw/mlp.py", "README.md"], ["hw/mlp.py"]),
    "two folders": (["a/mlp.py", "b/x.py"], ["a/mlp.py", "b/x.py"]),
    "a package": (["net/__init__.py", "net/mlp.py"], ["net/__init__.py", "net/mlp.py"]),
    "written with a dot": (["./hw/mlp.py", "./hw//a.py"], ["a.py", "mlp.py"]),
}


@pytest.mark.parametrize(("names", "listed"), TOPS.values(), ids=TOPS)
def test_single_top_folder_of_a_zip(names: list[str], listed: list[str], tmp_path: Path) -> None:
    assert sorted(read_zip(build_zip(tmp_path / "a.zip", dict.fromkeys(names, b"x")))) == listed


def test_links_are_followed_only_to_files_inside(tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_bytes(b"secret")
    root = build_folder(tmp_path / "hw", {"mlp.py": b"x", "a/b.py": b"y"})
    links = {"same.py": "mlp.py", "out.py": "../secret.py", "gone.py": "nowhere", "round.py": "round.py", "folder": "a"}
    for name, target in links.items():
        (root / name).symlink_to(target)
    (root / "data").symlink_to("/")
    (root / "data.npz").symlink_to("/etc/passwd")
    listing = list_folder(root)
    assert sorted(listing.sizes) == ["a/b.py", "mlp.py", "same.py"]
    assert listing.read("same.py") == b"x"
    assert listing.notes == ("links are not followed: data, folder, gone.py, out.py, round.py",)


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mlp.py")
    assert not list_folder(tmp_path).sizes


def test_archives_inside_are_noted(tmp_path: Path) -> None:
    files = {"b.tar.gz": b"", "mlp.py": b"", "a/old.zip": b""}
    expected = ("archives inside are not opened: b.tar.gz, a/old.zip",)
    assert list_folder(build_folder(tmp_path, files)).notes == expected
    with open_zip(build_zip(tmp_path / "a.zip", files)) as listing:
        assert listing.notes == expected


def test_undecodable_name_of_a_file(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.py"))
    try:
        path.write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    listing = list_folder(tmp_path)
    assert list(listing.sizes) == [r"caf\udce9.py"]
    assert listing.read(r"caf\udce9.py") == b"x"


def test_too_many_files(tmp_path: Path) -> None:
    files = {f"{i}.py": b"" for i in range(MAX_FILES)}
    build_folder(tmp_path, files)
    assert len(list_folder(tmp_path).sizes) == MAX_FILES
    assert len(read_zip(build_zip(tmp_path / "a.zip", files))) == MAX_FILES
    (tmp_path / "more.py").touch()
    with pytest.raises(SubmissionError, match="holds more than 500 Python files; hand in only your own"):
        list_folder(tmp_path)
    path = build_zip(tmp_path / "b.zip", {**files, "more.py": b""})
    assert zip_problem(path) == ": holds more than 500 Python files; hand in only your own"


@pytest.mark.parametrize(("name", "most"), [("a.py", 2_000_000), ("a.ipynb", 20_000_000)])
def test_too_large_a_file(name: str, most: int, tmp_path: Path) -> None:
    problem = f"is larger than {most // 1_000_000} MB, the most for such a file"
    path = tmp_path / name
    path.touch()
    os.truncate(path, most)
    assert len(list_file(path).read(name)) == most
    os.truncate(path, most + 1)
    for listing, where in ((list_file(path), str(path)), (list_folder(tmp_path), f"{tmp_path}/{name}")):
        with pytest.raises(SubmissionError) as error:
            listing.read(name)
        assert str(error.value) == f"{where}: {problem}"
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(path, name)
    assert zip_problem(tmp_path / "a.zip") == f"/{name}: {problem}"


def test_large_stored_notebook_is_read_whole(tmp_path: Path) -> None:
    content = b" " * MAX_TOTAL_BYTES
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.ipynb", content)
    assert read_zip(tmp_path / "a.zip") == {"a.ipynb": content}


REFUSED_NAMES = {
    "absolute": ("/etc/mlp.py", "leads out of the archive: /etc/mlp.py"),
    "absolute, not Python": ("/etc/passwd", "leads out of the archive: /etc/passwd"),
    "climbs": ("../mlp.py", "leads out of the archive: ../mlp.py"),
    "climbs later": ("a/../../mlp.txt", "leads out of the archive: a/../../mlp.txt"),
    "climbs with backslashes": ("a\\..\\b.txt", "leads out of the archive: a\\..\\b.txt"),
    "drive": ("C:/mlp.py", "leads out of the archive: C:/mlp.py"),
    "share": ("\\\\host\\mlp.py", "leads out of the archive: \\\\host\\mlp.py"),
    "backslash": ("hw\\mlp.py", "a backslash or a zero byte: hw\\mlp.py; zip the folder again"),
    "zero byte": ("mlp.pyX.txt", "a backslash or a zero byte: mlp.py\\x00.txt; zip the folder again"),
}


@pytest.mark.parametrize(("name", "problem"), REFUSED_NAMES.values(), ids=REFUSED_NAMES)
def test_names_that_refuse_the_archive(name: str, problem: str, tmp_path: Path) -> None:
    path = build_zip(tmp_path / "a.zip", {"ok.py": b"", name: b""})
    path.write_bytes(path.read_bytes().replace(b"mlp.pyX", b"mlp.py\0"))
    assert problem in zip_problem(path)


def test_names_that_are_absurdly_deep(tmp_path: Path) -> None:
    """Two hundred such names, 12 MB, would take ten minutes if each of their folders were looked at."""
    deep = "a/" * MAX_FOLDERS + "mlp.py"
    assert len(read_zip(build_zip(tmp_path / "a.zip", {deep: b"x", "b.py": b"y"}))) == 2
    for name in (f"a/{deep}", "a/" * 32_000 + "notes.txt"):
        path = build_zip(tmp_path / "a.zip", {**{f"{i}/{name}": b"" for i in range(100)}, "mlp.py": b"x"})
        assert zip_problem(path).startswith(": holds a name below more than 100 folders: ...")


def patched(path: Path, name: str, **fields: int) -> Path:
    """Zip archive with a few fields of one member's entries, central and local, overwritten."""
    places = {"flag": (8, 6, "<H"), "method": (10, 8, "<H"), "crc": (16, 14, "<I"), "size": (24, 22, "<I")}
    data = bytearray(path.read_bytes())
    for field, value in fields.items():
        central, local, form = places[field]
        start = data.rindex(b"PK\x01\x02", 0, data.rindex(name.encode()))
        struct.pack_into(form, data, start + central, value)
        start = data.rindex(b"PK\x03\x04", 0, data.index(name.encode()))
        struct.pack_into(form, data, start + local, value)
    path.write_bytes(data)
    return path


REFUSED_MEMBERS = {
    "encrypted": ({"flag": 1}, "/mlp.py: is encrypted; zip it without a password"),
    "bad checksum": ({"crc": 1}, "/mlp.py: is not a whole zip archive (Bad CRC-32 for file 'mlp.py')"),
    "bzip2": ({"method": 12}, "/mlp.py: is compressed in an unusual way; zip it with the system's own zip"),
    "LZMA": ({"method": 14}, "/mlp.py: is compressed in an unusual way; zip it with the system's own zip"),
    "unknown method": ({"method": 99}, "/mlp.py: is compressed in an unusual way; zip it with the system's own zip"),
    "declares more": ({"size": 20}, "/mlp.py: has 7 bytes where the archive declares 20"),
    "declares less": ({"size": 2}, "/mlp.py: is not a whole zip archive (Bad CRC-32 for file 'mlp.py')"),
    "declares far too much": ({"size": 1 << 31}, "/mlp.py: is larger than 2 MB, the most for such a file"),
    "bomb by its own word": ({"size": 1_900_000}, "/mlp.py: would unpack to more than 200 times its size: refused as a "
                             "zip bomb"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "problem"), REFUSED_MEMBERS.values(), ids=REFUSED_MEMBERS)
def test_members_that_are_refused(fields: dict[str, int], problem: str, tmp_path: Path) -> None:
    path = build_zip(tmp_path / "a.zip", {"a.txt": b"text", "mlp.py": b"x = 1\n#"})
    assert zip_problem(patched(path, "mlp.py", **fields)) == problem


def test_members_that_are_not_python_are_never_opened(tmp_path: Path) -> None:
    path = build_zip(tmp_path / "a.zip", {"mlp.py": b"x", "bomb.txt": b"\0" * 10_000_000})
    assert read_zip(patched(path, "bomb.txt", flag=1, size=1 << 31)) == {"mlp.py": b"x"}


@pytest.mark.parametrize("name", ["bomb.py", "bomb.ipynb"])
def test_bomb(name: str, tmp_path: Path) -> None:
    path = build_zip(tmp_path / "a.zip", {name: b"#" * 1_500_000})
    assert path.stat().st_size < 3_000
    assert zip_problem(path) == f"/{name}: would unpack to more than 200 times its size: refused as a zip bomb"


def test_bomb_that_lies_about_its_size_unpacks_no_more_than_declared(tmp_path: Path) -> None:
    path = build_zip(tmp_path / "a.zip", {"mlp.py": b"#" * 50_000_000})
    with open_zip(patched(path, "mlp.py", size=1_000)) as listing, pytest.raises(SubmissionError, match="Bad CRC-32"):
        listing.read("mlp.py")


def test_lines_that_repeat_are_no_bomb(tmp_path: Path) -> None:
    source = b"".join(b"x%d = affine_forward(x, w%d, b%d)\n" % (i, i, i) for i in range(40_000))
    assert read_zip(build_zip(tmp_path / "a.zip", {"mlp.py": source})) == {"mlp.py": source}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_in_a_zip(kind: int, tmp_path: Path) -> None:
    member = zipfile.ZipInfo("mlp.py")
    member.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(member, "/etc/passwd")
    assert zip_problem(tmp_path / "a.zip") == "/mlp.py: is a link or a device, not a file"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["hw/mlp.py", "./hw/mlp.py", "hw//mlp.py"])
def test_the_same_name_twice(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for member, content in (("hw/mlp.py", "right"), (name, "wrong"), ("a.txt", ""), ("a.txt", "")):
            archive.writestr(member, content)
    assert zip_problem(tmp_path / "a.zip") == ": holds hw/mlp.py twice; which one is meant?"


ENCODED = {
    "UTF-8, not declared": ("größe.py".encode(), 0, "größe.py"),
    "code page 437": ("größe.py".encode("cp437"), 0, "größe.py"),
    "UTF-8": ("größe.py".encode(), 0x800, "größe.py"),
    "another code page": ("表.py".encode("gbk"), 0, "▒φ.py"),
    "control characters": (b"a\x1b[31m.py", 0, "a\\x1b[31m.py"),
}


@pytest.mark.parametrize(("raw", "flag", "name"), ENCODED.values(), ids=ENCODED)
def test_names_in_any_encoding(raw: bytes, flag: int, name: str, tmp_path: Path) -> None:
    stand_in = "n" * (len(raw) - 3) + ".py"
    path = patched(build_zip(tmp_path / "a.zip", {stand_in: b"x"}), stand_in, flag=flag)
    path.write_bytes(path.read_bytes().replace(stand_in.encode(), raw))
    assert read_zip(path) == {name: b"x"}


@pytest.mark.parametrize("name", ["", ".", "a/", "./"])
def test_names_of_nothing(name: str, tmp_path: Path) -> None:
    member = zipfile.ZipInfo("a")
    member.filename = name
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(member, b"")
        archive.writestr("mlp.py", b"x")
    assert read_zip(tmp_path / "a.zip") == {"mlp.py": b"x"}


BROKEN = {
    "empty": b"",
    "text": b"print('hello')\n",
    "RAR": b"Rar!\x1a\x07\x01\x00" + b"\0" * 100,
    "signature only": b"PK\x05\x06",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_not_an_archive(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    assert zip_problem(tmp_path / "a.zip") == ": is not a whole zip archive (File is not a zip file)"


def test_name_that_is_not_the_utf8_it_claims(tmp_path: Path) -> None:
    path = patched(build_zip(tmp_path / "a.zip", {"nnn.py": b"x"}), "nnn.py", flag=0x800)
    path.write_bytes(path.read_bytes().replace(b"nnn", b"\xff\xfe\xfd"))
    assert zip_problem(path).startswith(": is not a whole zip archive (")


def test_table_of_contents_is_capped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = build_zip(tmp_path / "a.zip", {f"{i}.txt": b"" for i in range(2000)})
    assert read_zip(path) == {}
    monkeypatch.setattr(grader.archive, "MAX_CONTENTS_BYTES", 100_000)
    assert zip_problem(path) == ": is not a whole zip archive (too long a table of contents)"


def test_names_for_messages() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some(["a", "b", "c"], most=2) == "a, b and 1 more"
    assert some(["x" * 100]) == "..." + "x" * 77
    assert printable("a\n\x1b\udcff é") == r"a\n\x1b\udcff é"


SMALL = {"hw/mlp.py": b"def f():\n    return 1\n" * 9, "hw/b.ipynb": b"{}", "hw/a/data.zip": b"PK", "x.txt": b"\0\1\2"}


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "a.zip"


def read_or_refuse(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with contextlib.suppress(SubmissionError):
        read_zip(path)


@given(data=st.binary(max_size=200))
def test_law_arbitrary_bytes_are_refused(data: bytes, scratch: Path) -> None:
    scratch.write_bytes(data)
    assert zip_problem(scratch).startswith(": is not a whole zip archive (")


@given(cut=st.integers(0, 400), changes=st.lists(st.tuples(st.integers(0, 800), st.integers(0, 255)), max_size=4))
def test_law_damaged_archives_are_read_or_refused(cut: int, changes: list[tuple[int, int]], scratch: Path) -> None:
    data = bytearray(build_zip(scratch, SMALL).read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    read_or_refuse(scratch, bytes(data[: len(data) - cut]) if cut % 3 == 0 else bytes(data))


def test_every_single_byte_of_an_archive_can_be_damaged(scratch: Path) -> None:
    whole = build_zip(scratch, SMALL).read_bytes()
    draw = random.Random(20261121)
    for at in range(len(whole)):
        for value in {0, 255, whole[at] ^ 1, draw.randrange(256)}:
            read_or_refuse(scratch, whole[:at] + bytes([value]) + whole[at + 1 :])


def test_every_truncation_of_an_archive_is_refused(scratch: Path) -> None:
    whole = build_zip(scratch, SMALL).read_bytes()
    for length in range(len(whole)):
        scratch.write_bytes(whole[:length])
        assert zip_problem(scratch)


@given(names=st.lists(st.text(max_size=8).map(lambda name: f"{name}.py"), max_size=4, unique=True))
def test_law_names_never_leave_the_archive(names: list[str], scratch: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name.encode("utf-8", "replace").decode() or "x"), b"x")
    scratch.write_bytes(buffer.getvalue())
    try:
        listed = read_zip(scratch)
    except SubmissionError:
        return
    for name in listed:
        assert not name.startswith("/")
        assert ".." not in name.split("/")
        assert name == printable(name)
