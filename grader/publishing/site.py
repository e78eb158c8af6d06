"""The files of a site: made whole in a folder beside it, then put in its place.

What was there before goes only if it is a site of ours with nothing else in it; each site lists its own files in
MARKER for that. Whatever ends this on the way leaves the old site, and a folder beside it that the next one removes.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grader.errors import GradebookError, MachineError
from grader.gradebook import Gradebook
from grader.publishing.addresses import ADDRESSES, address, addresses_csv, site_key
from grader.publishing.lesson import Lesson
from grader.publishing.pages import FEWEST, About, lesson_page, mistake_page, overview_page, part_page
from grader.publishing.tally import ClassTally, Seen, look, tally
from grader.report.feedback import for_student
from grader.report.html import render_html

__all__ = ["MARKER", "Published", "publish"]

MARKER: Final = ".gradmark-site.json"
_NOTHING_HERE: Final = """<!doctype html>
<html lang="en"><title>Nothing here</title><p>Your page has an address of its own.</p></html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What was made."""

    students: int
    index: Path
    index_bytes: int
    addresses: Path | None
    """None where there are no names."""


def publish(
    book: Gradebook,
    site: Path,
    *,
    lesson: Lesson | None = None,
    anonymous: bool = False,
    base: str = "",
    told: Callable[[int], None] = lambda done: None,
) -> Published:
    """Make the site of a class, in place of the one that is there.

    Args:
        book: the gradebook; it is only read.
        site: folder of the site; made if it is not there.
        lesson: what the pages link to.
        anonymous: an overview without names, and no pages of students.
        base: what stands before an address in addresses.csv; empty for a path from the site.
        told: is told how many students are done.

    Raises:
        GradebookError: the folder holds something that is not a site of ours, or the other kind of site; nobody is
            graded yet; the class is too small to be shown without names.
        MachineError: it can't be written.
    """
    site = site.resolve()
    _hold(site, book.folder.resolve(), anonymous)
    with _folder_beside(site) as scratch:
        about, counted = _students(book, scratch, lesson, anonymous, told)
        size = len(counted.students)
        if anonymous and size < 2 * FEWEST:
            raise GradebookError(f"a class of {size} is too small to be shown without names: {2 * FEWEST} are needed")
        index = _pages(about, counted, scratch)
        _mark(scratch, anonymous)
        _swap(scratch, site)
    listed = None if anonymous else _list_addresses(book, counted, base)
    return Published(students=size, index=site / "index.html", index_bytes=index, addresses=listed)


# ------------------------------------------------------------------------------------------------------------- pages


def _students(
    book: Gradebook, folder: Path, lesson: Lesson | None, anonymous: bool, told: Callable[[int], None]
) -> tuple[About, ClassTally]:
    """A page a student, one after the other, and what is to be said of the class."""
    key = b"" if anonymous else site_key(book.folder)
    seen: list[Seen] = []
    title, recorded_last = "", ""
    for recorded in book.current():
        attempt = recorded.attempt
        report = book.report(recorded.row, attempt.student)
        place = "" if anonymous else address(key, attempt.student)
        seen.append(look(attempt, recorded.sealed.points, report, place))
        if place:
            who = f"{attempt.name} ({attempt.student})" if attempt.name else attempt.student
            page = render_html(for_student(report), student=who, lesson="lesson.html" if lesson else "")
            _write(folder / "students" / place, page)
        title, recorded_last = report.assignment.title, max(recorded_last, recorded.recorded)
        told(len(seen))
    if not seen:
        raise GradebookError(f"{book.folder}: nobody is graded yet")
    about = About(
        assignment=book.about("name") or "", title=title, recorded=recorded_last, lesson=lesson, anonymous=anonymous
    )
    return about, tally(seen)


def _pages(about: About, counted: ClassTally, folder: Path) -> int:
    """All pages but the students'. Gives the size of the overview."""
    if about.lesson:
        where = folder if about.anonymous else folder / "students"
        _write(where / "lesson.html", lesson_page(about, about.lesson))
    if not about.anonymous:
        _write(folder / "students" / "index.html", _NOTHING_HERE)
        for number in range(len(counted.parts)):
            _write(folder / "parts" / f"{number + 1}.html", part_page(about, counted, number))
        for number in range(len(counted.mistakes)):
            _write(folder / "mistakes" / f"{number + 1}.html", mistake_page(about, counted, number))
    return _write(folder / "index.html", overview_page(about, counted))


def _list_addresses(book: Gradebook, counted: ClassTally, base: str) -> Path:
    before = f"{base.rstrip('/')}/" if base else "students/"
    lines = sorted((one.student, one.name, one.address) for one in counted.students)
    path = book.folder / ADDRESSES
    scratch = path.with_name(f".{ADDRESSES}.part")
    try:
        with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(addresses_csv(lines, before))
        scratch.replace(path)
    except OSError as error:
        raise MachineError(f"{path} can't be written: {error.strerror or error}") from error
    return path


def _write(path: Path, text: str) -> int:
    data = text.encode("utf-8", "backslashreplace")
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise MachineError(f"the site can't be written: {path}: {error.strerror or error}") from error
    return len(data)


# ----------------------------------------------------------------------------------------------------- a folder's place


def _hold(site: Path, run: Path, anonymous: bool) -> None:
    """Refuse a folder that is not ours to replace."""
    if run.is_relative_to(site) or site.is_relative_to(run):
        raise GradebookError(f"{site} and the gradebook's folder {run} must not lie in each other")
    if site.is_symlink() or (site.exists() and not site.is_dir()):
        raise GradebookError(f"{site} is no folder")
    if not site.is_dir() or not any(site.iterdir()):
        return
    try:
        marker = json.loads((site / MARKER).read_text(encoding="utf-8"))
        files, kind = set(marker["files"]), marker["anonymous"]
    except (OSError, ValueError, KeyError, TypeError):
        raise GradebookError(f"{site} is not empty, and no site of gradmark's: give another folder") from None
    strange = sorted(_files(site) - files - {MARKER})
    if strange:
        raise GradebookError(f"{site} holds {strange[0]}, which is not gradmark's: move it away or take another folder")
    if kind is not anonymous:
        raise GradebookError(
            f"{site} is a site with the pages of students, which would go: give another folder for that without names"
            if anonymous
            else f"{site} is a site without names, for anyone to see: give another folder for that with names"
        )


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}


def _mark(folder: Path, anonymous: bool) -> None:
    marker = {"format": "gradmark-site", "version": 1, "anonymous": anonymous, "files": sorted(_files(folder))}
    _write(folder / MARKER, json.dumps(marker, indent=0) + "\n")


@contextmanager
def _folder_beside(site: Path) -> Iterator[Path]:
    """A new folder on the same disk; it is gone in the end, and so is what earlier ones left."""
    try:
        site.parent.mkdir(parents=True, exist_ok=True)
        for left in site.parent.glob(f".{site.name}.*.gradmark"):
            shutil.rmtree(left, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{site.name}.", suffix=".gradmark", dir=site.parent))
        mask = os.umask(0)
        os.umask(mask)
        scratch.chmod(0o777 & ~mask)
    except OSError as error:
        raise MachineError(f"the site can't be written to {site}: {error.strerror or error}") from error
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _swap(scratch: Path, site: Path) -> None:
    """Put the new site in the old one's place; where that fails, the old one stays."""
    old = scratch.with_name(scratch.name.replace(".gradmark", ".old.gradmark"))
    try:
        if site.exists():
            site.rename(old)
        try:
            scratch.rename(site)
        except OSError:
            if old.exists():
                old.rename(site)
            raise
    except OSError as error:
        raise MachineError(f"the site can't be put in its place, {site}: {error.strerror or error}") from error
    shutil.rmtree(old, ignore_errors=True)
