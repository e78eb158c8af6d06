"""What stands side by side in a class's folder or zip archive, and unpacking what is in one of them.

Listing reads names only: of an archive its table of contents, at most MAX_CONTENTS_BYTES, of which each file and folder
keeps what may be read of it, Python files and archives. So one of them can be sent to another process and be opened
there, alone, without the table. What is wrong with one of them (a link, a name that leads out, a name there twice) is
kept with it and tells nothing about the others; what is wrong with a single member shows when that is unpacked.
"""

from __future__ import annotations

import errno
import os
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from grader.archive import (
    MAX_FILES,
    check_member,
    check_name,
    is_archive,
    is_python,
    kept_members,
    member_name,
    member_pieces,
    passed_over,
    printable,
    too_many,
    walk,
    zip_contents,
)
from grader.errors import MachineError, SubmissionError

__all__ = [
    "MAX_CONTENTS_BYTES",
    "MAX_HANDIN_BYTES",
    "Content",
    "Entry",
    "Thing",
    "contents",
    "in_archive",
    "in_folder",
    "list_entries",
    "only_zip",
    "unpack",
]

MAX_CONTENTS_BYTES = 64_000_000
"""Of the table of contents of a class's zip archive: about half a million members."""
MAX_HANDIN_BYTES = 200_000_000
"""Of what is unpacked of one hand-in: its Python files, or its one zip archive."""

_LITTER = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\\r"})
_NAME_IS_AT_FAULT = frozenset(
    {errno.EEXIST, errno.EINVAL, errno.EILSEQ, errno.EISDIR, errno.ENAMETOOLONG, errno.ENOTDIR}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A file or folder that stands beside the others, on the disk or in the class's zip archive."""

    name: str
    is_folder: bool
    path: Path
    """Its own, or the archive's."""
    members: tuple[tuple[str, zipfile.ZipInfo], ...] | None = None
    """In an archive: what may be read of it, by the path below it, which is empty for a file."""
    problem: str = ""
    """Why it can't be opened at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A member of the class's zip archive."""

    parts: tuple[str, ...]
    """Of its name. One that leads elsewhere ends in "" where it does."""
    member: zipfile.ZipInfo
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Content:
    """A file of a hand-in that may be read."""

    path: str
    """In the hand-in."""
    size: int
    pieces: Callable[[], Iterator[bytes]]
    """Raises SubmissionError, and OSError where the class's archive can't be opened."""


def in_folder(folder: Path) -> list[Thing]:
    """Files and folders in a folder, but for what systems leave there. Raises OSError."""
    return [
        Thing(
            name=printable(entry.name),
            is_folder=entry.is_dir(follow_symlinks=False),
            path=Path(entry.path),
            problem=_problem(entry),
        )
        for entry in os.scandir(folder)
        if not _is_litter(printable(entry.name))
    ]


def list_entries(path: Path) -> list[Entry]:
    """Every member of a class's zip archive.

    Raises:
        SubmissionError: it is not a whole archive, or has too long a table of contents.
        OSError: it can't be read.
    """
    return [_entry(member) for member in zip_contents(path, MAX_CONTENTS_BYTES)]


def in_archive(path: Path, entries: Iterable[Entry], below: tuple[str, ...]) -> list[Thing]:
    """Files and folders in a folder of an archive, but for what systems leave there and what leads out of that."""
    depth = len(below)
    found: dict[tuple[str, bool], list[Entry]] = {}
    for entry in entries:
        name, *inner = entry.parts[depth:] or ("",)
        if entry.parts[:depth] == below and name and not _is_litter(name):
            is_folder = bool(inner) or entry.member.filename.endswith("/")
            found.setdefault((name, is_folder), []).append(entry)
    return [_thing(path, name, is_folder, group, depth + 1) for (name, is_folder), group in found.items()]


def only_zip(folder: Path) -> Path | None:
    """The zip archive that is all there is to read in a folder: a student's archive, as Moodle hands it on."""
    if folder.is_symlink() or not folder.is_dir():
        return None
    try:
        files = [Path(entry.path) for entry in walk(folder) if entry.is_file(follow_symlinks=False)]
    except OSError:  # whoever loads the folder is told
        return None
    zips = [file for file in files if file.suffix.lower() == ".zip"]
    return zips[0] if len(zips) == 1 and not any(is_python(file.name) for file in files) else None


def contents(thing: Thing, name: str) -> Iterator[Content]:
    """What may be read of a file or folder, by its path in a hand-in where it is called by this name.

    Raises:
        OSError: a folder can't be read.
    """
    if thing.members is not None:
        for below, member in thing.members:
            path = str(PurePosixPath(name, below))
            yield Content(path=path, size=member.file_size, pieces=partial(_unpacked, thing.path, member, path))
    elif not thing.is_folder:
        yield _on_disk(thing.path, name)
    else:
        for entry in walk(thing.path):
            if entry.is_file(follow_symlinks=False) and _is_read(entry.name):
                below = printable(Path(entry.path).relative_to(thing.path).as_posix())
                yield _on_disk(Path(entry.path), str(PurePosixPath(name, below)))


def unpack(found: Sequence[Content], folder: Path) -> None:
    """Write the Python files into a folder, or the one zip archive if there are none; of other archives just the names.

    Raises:
        SubmissionError: there is too much of it, or one of the files is refused as those of a zip archive are. It is
            about nothing or a path in the hand-in: the caller knows whose that is.
        MachineError: this machine can't write or read it.
    """
    python = [content for content in found if is_python(PurePosixPath(content.path).name)]
    zips = [content for content in found if content.path.lower().endswith(".zip")]
    wanted = set(python or (zips if len(zips) == 1 else ()))
    if len(python) > MAX_FILES:
        raise too_many("")
    if sum(content.size for content in wanted) > MAX_HANDIN_BYTES:
        raise SubmissionError("", f"holds more than {MAX_HANDIN_BYTES // 1_000_000} MB to read; hand in only your own")
    for content in found:
        target = folder / content.path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                for piece in content.pieces() if content in wanted else ():
                    file.write(piece)
        except OSError as error:
            if error.errno == errno.EEXIST and target.exists():
                raise SubmissionError("", f"holds {content.path} twice; which one is meant?") from None
            if error.errno in _NAME_IS_AT_FAULT:
                raise SubmissionError("", f"holds {content.path}, which can't be unpacked: {error.strerror}") from None
            raise MachineError(f"a hand-in can't be unpacked on this machine: {error}") from None


def _is_litter(name: str) -> bool:
    return passed_over(name) or name.lower() in _LITTER


def _problem(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "is a link, and links are not followed"
    return "" if entry.is_dir() or entry.is_file() else "is neither a file nor a folder"


def _is_read(name: str) -> bool:
    return is_python(name) or is_archive(name)


def _entry(member: zipfile.ZipInfo) -> Entry:
    name = member_name(member)
    try:
        return Entry(parts=PurePosixPath(check_name(name, "")).parts, member=member)
    except SubmissionError as error:
        parts: list[str] = []
        for part in name.split("/"):
            if part in ("", "..") or "\\" in part or re.match("[A-Za-z]:", part):
                return Entry(parts=(*parts, ""), member=member, problem=error.problem)
            parts += [printable(part)] if part != "." else []
        return Entry(parts=tuple(parts), member=member, problem=error.problem)


def _thing(path: Path, name: str, is_folder: bool, entries: Sequence[Entry], depth: int) -> Thing:
    members: list[tuple[str, zipfile.ZipInfo]] = []
    problem = next((entry.problem for entry in entries if entry.problem), "")
    if not is_folder:
        members = [("", entry.member) for entry in entries]
        problem = problem or ("is there twice; which one is meant?" if len(entries) > 1 else "")
    elif not problem:
        named = [(PurePosixPath(*entry.parts[depth:]), entry.member) for entry in entries]
        try:
            kept = kept_members(named, name)
            members = [(str(at), member) for at, member in kept.items() if _is_read(at.name)]
        except SubmissionError as error:
            problem = error.problem
    return Thing(name=name, is_folder=is_folder, path=path, members=tuple(members), problem=problem)


def _on_disk(file: Path, path: str) -> Content:
    return Content(path=path, size=file.stat().st_size, pieces=partial(_read, file, path))


def _read(file: Path, path: str) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            while piece := opened.read(1 << 20):
                yield piece
    except OSError as error:
        raise SubmissionError(path, f"can't be read: {error.strerror or error}") from None


def _unpacked(archive: Path, member: zipfile.ZipInfo, path: str) -> Iterator[bytes]:
    check_member(path, member, None if is_python(PurePosixPath(path).name) else MAX_HANDIN_BYTES)
    yield from member_pieces(archive, member, path)
