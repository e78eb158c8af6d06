"""The Python files of a folder or of a zip archive: listed first, read one by one, nothing ever written.

A submission holds far more than its code: data, pictures, a virtual environment, what the system leaves behind. Only
files that end in .py or .ipynb are listed, by POSIX path relative to the submission, and only what is then asked for
is read. Folders that hold no work of the student's are passed over: hidden ones, __pycache__, __MACOSX, node_modules,
site-packages, and every folder below the top with a pyvenv.cfg. Links are followed only to a file inside the folder.

A zip archive comes from a stranger. Its table of contents is read up to a cap; a member's declared size and ratio are
judged before it is opened, and it is read up to that size; members that aren't Python are never opened, archives
among them. A name that is absolute, has a drive, climbs with .. or is absurdly deep refuses the whole archive, though
nothing is unpacked to a disk: no honest tool writes one. So does a Python member that is encrypted, a link, there
twice, or named with backslashes.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from grader.errors import SubmissionError

__all__ = [
    "Listing",
    "MAX_CONTENTS_BYTES",
    "MAX_FILES",
    "MAX_FILE_BYTES",
    "MAX_FOLDERS",
    "MAX_RATIO",
    "MAX_TOTAL_BYTES",
    "check_member",
    "check_name",
    "is_archive",
    "is_python",
    "kept_members",
    "list_file",
    "list_folder",
    "member_name",
    "member_pieces",
    "open_zip",
    "passed_over",
    "printable",
    "some",
    "too_many",
    "walk",
    "zip_contents",
]

MAX_FILES = 500
MAX_FILE_BYTES = 2_000_000
MAX_TOTAL_BYTES = 20_000_000
"""Of all Python files together, and of one notebook: those carry their plots."""
MAX_CONTENTS_BYTES = 8_000_000
"""Of the table of contents of a zip archive: about 80,000 members."""
MAX_FOLDERS = 100
"""Above a member: no work is kept so deep, and every folder of a name costs time."""
MAX_RATIO = 200
"""Of a member's size to its compressed size. Source text compresses 3 to 10 times, a long log about 50 times."""
_RATIO_MATTERS_FROM = 100_000

_PASSED_OVER = frozenset({"__pycache__", "__MACOSX", "node_modules", "site-packages"})
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".7z", ".rar")
_BROKEN = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError, LookupError),
)
"""What zipfile raises for an archive that is broken or of an unknown kind, found by feeding it broken ones."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listing:
    """The Python files and notebooks of a submission, not yet read."""

    where: str
    """The submission's own path, for messages."""
    sizes: Mapping[str, int]
    """Bytes of each, as the folder or the archive declares, by POSIX path."""
    read: Callable[[str], bytes]
    """Content of one of them. Raises SubmissionError."""
    root: str | None = None
    """Folder on this machine that the paths start from, where there is one."""
    single: bool = False
    """The submission is this one file."""
    notes: tuple[str, ...] = ()
    """What was passed over though a student may have meant it, a line each."""

    def label(self, file: str) -> str:
        """Name of one of the files for messages."""
        return self.where if self.single else f"{self.where}/{file}"


def is_python(name: str) -> bool:
    """Whether this is the name of a Python file or notebook; a leading dot hides a file."""
    return name.lower().endswith((".py", ".ipynb")) and not name.startswith(".")


def some(names: Iterable[str], most: int = 5) -> str:
    """Names for a message: the first few, none longer than a line."""
    names = list(names)
    shown = [name if len(name) <= 80 else f"...{name[-77:]}" for name in names[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def printable(name: str) -> str:
    """Name that can be printed and sent anywhere: control characters and bytes of no encoding as escapes."""
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def list_file(path: Path) -> Listing:
    """A single Python file or notebook; its neighbours stay unknown."""
    where = printable(str(path))
    return Listing(
        where=where,
        sizes={printable(path.name): path.stat().st_size},
        read=lambda _: _read_file(path, where),
        root=str(path.absolute().parent),
        single=True,
    )


def list_folder(root: Path) -> Listing:
    """Python files below a folder.

    Raises:
        SubmissionError: more than MAX_FILES of them.
        OSError: a folder can't be read.
    """
    where = printable(str(root))
    files: dict[str, Path] = {}
    links: list[str] = []
    archives: list[str] = []
    for entry in walk(root):
        path = printable(Path(entry.path).relative_to(root).as_posix())
        if not is_python(entry.name) and not os.path.isdir(entry.path):
            archives += [path] if is_archive(entry.name) else []
        elif entry.is_symlink() and not _stays_inside(root, entry):
            links.append(path)
        elif entry.is_file():
            files[path] = Path(entry.path)
        if len(files) > MAX_FILES:
            raise too_many(where)
    return Listing(
        where=where,
        sizes={path: file.stat().st_size for path, file in files.items()},
        read=lambda path: _read_file(files[path], f"{where}/{path}"),
        root=str(root.resolve()),
        notes=(*_note("links are not followed", links), *_note("archives inside are not opened", archives)),
    )


@contextmanager
def open_zip(path: Path) -> Iterator[Listing]:
    """Python files of a zip archive, which stays open inside the `with`. A single top folder is stripped.

    Raises:
        SubmissionError: not a whole archive, or one of the tricks told at the top of this module.
        OSError: the file can't be read.
    """
    with _open_archive(path, MAX_CONTENTS_BYTES) as archive:
        yield _list_zip(archive, printable(str(path)))


def zip_contents(path: Path, most: int) -> list[zipfile.ZipInfo]:
    """Every entry of a zip archive whose table of contents has at most so many bytes; none is judged.

    Raises:
        SubmissionError: not a whole archive, or too long a table of contents.
        OSError: the file can't be read.
    """
    with _open_archive(path, most) as archive:
        return archive.infolist()


def member_pieces(path: Path, member: zipfile.ZipInfo, where: str) -> Iterator[bytes]:
    """Content of a member, a piece at a time and no more than declared, by where the table of contents says it is.

    The table itself, a long one where the archive is a whole class, is not read again.

    Raises:
        SubmissionError: the member is not whole.
        OSError: the archive can't be opened.
    """
    with path.open("rb") as file:
        yield from _pieces(lambda: _content(file, member), member, where)


@contextmanager
def _open_archive(path: Path, most: int) -> Iterator[zipfile.ZipFile]:
    with _CappedReader(io.FileIO(path), most) as file:
        try:
            archive = zipfile.ZipFile(file)
        except _BROKEN as error:
            raise _broken(printable(str(path)), error) from None
        with archive:
            yield archive


def walk(root: Path) -> Iterator[os.DirEntry[str]]:
    """Files and links below a folder, in a fixed order, but for what is passed over."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        if folder != root and any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            if passed_over(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
            else:
                yield entry


def passed_over(name: str) -> bool:
    """Whether a file or folder of this name holds no work of the student's."""
    return name.startswith(".") or name in _PASSED_OVER


def is_archive(name: str) -> bool:
    """Whether this is the name of an archive of any kind."""
    return name.lower().endswith(_ARCHIVES)


def _stays_inside(root: Path, link: os.DirEntry[str]) -> bool:
    """Whether a link is a file of this folder under another name. A link to a folder never: it may lead in a circle."""
    try:
        target = Path(link.path).resolve(strict=True)
    except (OSError, RuntimeError):  # leads nowhere, or in a circle
        return False
    return target.is_file() and target.is_relative_to(root.resolve())


def _read_file(path: Path, where: str) -> bytes:
    with path.open("rb") as file:
        data = file.read(_most_bytes(path.name) + 1)
    _check_size(where, path.name, len(data))
    return data


def _list_zip(archive: zipfile.ZipFile, where: str) -> Listing:
    named = [(PurePosixPath(check_name(member_name(member), where)), member) for member in archive.infolist()]
    members = kept_members(named, where)
    top = _single_top(members)
    python = {str(path.relative_to(top)): member for path, member in members.items() if is_python(path.name)}
    if len(python) > MAX_FILES:
        raise too_many(where)
    for path, member in python.items():
        check_member(f"{where}/{path}", member)
    nested = [str(path) for path in members if is_archive(path.name)]
    return Listing(
        where=where,
        sizes={path: member.file_size for path, member in python.items()},
        read=lambda path: _read_member(archive, python[path], f"{where}/{path}"),
        notes=_note("archives inside are not opened", nested),
    )


def kept_members(
    named: Collection[tuple[PurePosixPath, zipfile.ZipInfo]], where: str
) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Files of an archive by their path, those in folders passed over left out.

    Raises:
        SubmissionError: a Python file is there twice.
    """
    environments = {path.parts[:-1] for path, _ in named if path.name == "pyvenv.cfg"} - {()}
    depths = {len(folders) for folders in environments}
    members: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for path, member in named:
        left = any(map(passed_over, path.parts)) or any(path.parts[:-1][:n] in environments for n in depths)
        if member.filename.endswith("/") or left:
            continue
        if path in members and is_python(path.name):
            raise SubmissionError(where, f"holds {path} twice; which one is meant?")
        members[path] = member
    return members


def member_name(member: zipfile.ZipInfo) -> str:
    """Name of a member as it stands in the archive, which may lead anywhere."""
    name = member.orig_filename
    if not member.flag_bits & 0x800:  # no encoding declared: often UTF-8 all the same, else code page 437
        with suppress(ValueError):
            name = name.encode("cp437").decode()
    return name


def check_name(name: str, where: str) -> str:
    """Name of a member, printable.

    Raises:
        SubmissionError: it leaves the archive, or is none that an honest tool writes.
    """
    shown = some([printable(name)])
    if name.startswith(("/", "\\")) or re.match("[A-Za-z]:", name) or ".." in re.split(r"[/\\]", name):
        raise SubmissionError(where, f"holds a name that leads out of the archive: {shown}")
    if name.count("/") > MAX_FOLDERS:
        raise SubmissionError(where, f"holds a name below more than {MAX_FOLDERS} folders: {shown}")
    if "\0" in name or (is_python(name) and "\\" in name):
        raise SubmissionError(where, f"holds a name with a backslash or a zero byte: {shown}; zip the folder again")
    return printable(name)


def _single_top(paths: Collection[PurePosixPath]) -> PurePosixPath:
    """The folder that all files are in; one that is itself a package is kept, as its imports need its name."""
    tops = {path.parts[0] if len(path.parts) > 1 else "" for path in paths}
    top = PurePosixPath(tops.pop() if len(tops) == 1 else "")
    return PurePosixPath() if top / "__init__.py" in paths else top


def check_member(where: str, member: zipfile.ZipInfo, most: int | None = None) -> None:
    """Refuse a member that is not to be opened, by what the archive declares.

    Args:
        where: it, for the message.
        member: of the table of contents.
        most: bytes it may have; what a Python file or notebook may if not given.

    Raises:
        SubmissionError: it is too large, a bomb, encrypted, a link, or packed in an unusual way.
    """
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise SubmissionError(where, "is a link or a device, not a file")
    if member.flag_bits & 0x1:
        raise SubmissionError(where, "is encrypted; zip it without a password")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # The others can't be read a little at a time: a few bytes may unpack to gigabytes at once.
        raise SubmissionError(where, "is compressed in an unusual way; zip it with the system's own zip")
    _check_size(where, member.filename, member.file_size, most)
    if member.file_size > max(_RATIO_MATTERS_FROM, MAX_RATIO * member.compress_size):
        raise SubmissionError(where, f"would unpack to more than {MAX_RATIO} times its size: refused as a zip bomb")


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> bytes:
    return b"".join(_pieces(lambda: archive.open(member), member, where))


def _pieces(
    opened: Callable[[], IO[bytes] | zipfile.ZipExtFile], member: zipfile.ZipInfo, where: str
) -> Iterator[bytes]:
    """Content of a member, a piece at a time and no more than declared; its checksum is checked at the end."""
    size = 0
    try:
        with opened() as content:
            while size <= member.file_size and (piece := content.read(1 << 20)):
                size += len(piece)
                yield piece
    except _BROKEN as error:
        raise _broken(where, error) from None
    if size != member.file_size:
        raise SubmissionError(where, f"has {size} bytes where the archive declares {member.file_size}")


def _content(file: IO[bytes], member: zipfile.ZipInfo) -> zipfile.ZipExtFile:
    """A member's content, unpacked as it is read: what ZipFile.open does, for an archive that is not open."""
    file.seek(member.header_offset)
    signature, name, extra = struct.unpack("<4s22xHH", file.read(30))
    if signature != b"PK\x03\x04":
        raise zipfile.BadZipFile("Bad magic number for file header")
    file.seek(name + extra, os.SEEK_CUR)
    return zipfile.ZipExtFile(file, "r", member)


class _CappedReader(io.BufferedReader):
    """File whose every read is capped: zipfile reads the table of contents, as long as declared, in one."""

    def __init__(self, raw: io.FileIO, most: int) -> None:
        super().__init__(raw)
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0 or size > self._most:
            data = super().read(self._most + 1)
            if len(data) > self._most:
                raise zipfile.BadZipFile("too long a table of contents")
            return data
        return super().read(size)


def _most_bytes(name: str) -> int:
    return MAX_TOTAL_BYTES if name.lower().endswith(".ipynb") else MAX_FILE_BYTES


def _check_size(where: str, name: str, size: int, most: int | None = None) -> None:
    most = most or _most_bytes(name)
    if size > most:
        raise SubmissionError(where, f"is larger than {most // 1_000_000} MB, the most for such a file")


def too_many(where: str) -> SubmissionError:
    """What is said of more than MAX_FILES Python files."""
    return SubmissionError(where, f"holds more than {MAX_FILES} Python files; hand in only your own")


def _broken(where: str, error: BaseException) -> SubmissionError:
    return SubmissionError(where, f"is not a whole zip archive ({printable(str(error)) or type(error).__name__})")


def _note(text: str, paths: list[str]) -> tuple[str, ...]:
    return (f"{text}: {some(paths)}",) if paths else ()
