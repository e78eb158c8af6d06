"""Who handed in what: the submissions of a class, as a folder or a zip archive, as a list of hand-ins.

The names side by side say whose each is (grader.batch.downloads); a folder that is but a wrapper is looked through.
What counts is settled by RULE, and nothing goes missing: all but the litter of systems becomes a hand-in or is left out
with its reason. A PDF is a hand-in, and so is an empty folder: there the report says that it can't be graded. One that
is hostile (a link, a bomb, a name that leads out, a password) is its own student's report, and nobody else's.

Opened, a hand-in is a path for grader.submission.load_submission. What lies on the disk is read in place. What doesn't,
or is several files there, is unpacked into a temporary folder: its Python files, or the one zip archive it holds
instead of any. Nothing else is unpacked, since nothing else would be read.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from grader.archive import member_name, printable, some
from grader.batch.contents import Entry, Thing, contents, in_archive, in_folder, list_entries, only_zip, unpack
from grader.batch.downloads import METADATA, Export, Label, Layout, labels, layout_of, read_metadata, unnumbered
from grader.errors import MachineError, SubmissionError

__all__ = ["RULE", "Class", "Handin", "LeftOut", "read_class"]

RULE: Final = """\
SUBMISSIONS is a folder or a zip archive of files and folders, each called by a student's id, or what Canvas, Moodle or
Gradescope let you download, as it is. All that a student handed in is one hand-in. Of a file handed in again the last
copy counts, and of several Gradescope submissions of a student the last one; late ones count too and are marked as
late. Earlier copies are listed as left out. A group's hand-in counts for every member that the download names. Two
students are never taken for one: of ids that differ in capitals only, one gets a number."""

_MAX_ID_BYTES = 120
_NOT_IN_FILE_NAMES = re.compile(r'[<>:"/\\|?*]|^\.')
_PAGE = re.compile(r"index\.html?|.*\.(?:csv|tsv|xlsx)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handin:
    """What one student handed in, not yet read. It can be sent to another process and be opened there."""

    student: str
    """Id by which results are kept. No other of the class has it, in any capitals, and a file can be called by it."""
    name: str
    """To show; empty where the download doesn't tell."""
    where: str
    """What the download calls it, in characters that can be printed, for messages and the gradebook."""
    late: bool
    notes: tuple[str, ...]
    """How it was settled whose and which this is, where that needs telling, a line each."""
    _parts: tuple[tuple[str, Thing], ...] = field(repr=False, compare=False)
    """What it is made of, each with what it is called in the hand-in."""

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """A path to load the submission from, good inside the `with`.

        Raises:
            SubmissionError: it can't be opened. One raised inside the `with` about the path goes on as one about
                `where`, as nobody knows the path of a temporary folder.
            MachineError: this machine can't unpack it.
        """
        with ExitStack() as held:
            base = self._lying_on_the_disk(held)
            try:
                yield only_zip(base) or base
            except SubmissionError as error:
                if not error.path.startswith(here := printable(str(base))):
                    raise
                raise self._error(error.path.removeprefix(here).lstrip("/\\"), error.problem) from None

    def _lying_on_the_disk(self, held: ExitStack) -> Path:
        """Where it is on the disk, if need be unpacked until `held` is closed."""
        for _, thing in self._parts:
            if thing.problem:
                raise self._error("", thing.problem)
        alone, thing = len(self._parts) == 1, self._parts[0][1]
        if alone and thing.members is None:
            return thing.path
        try:
            root = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="gradmark-")), self.student)
            root.mkdir()
        except OSError as error:
            raise MachineError(f"no temporary folder can be made: {error}") from None
        file = root / thing.name if alone and not thing.is_folder else None
        parts = [(thing.name if file else "", thing)] if alone else self._parts
        try:
            unpack([content for name, part in parts for content in contents(part, name)], root)
        except SubmissionError as error:
            raise self._error("" if file else error.path, error.problem) from None
        except OSError as error:
            raise self._error("", f"can't be read: {error.strerror or error}") from None
        return file or root

    def _error(self, below: str, problem: str) -> SubmissionError:
        """An error about a path in the hand-in."""
        if not below:
            return SubmissionError(self.where, problem)
        return SubmissionError(f"{self.where}/{below}" if len(self._parts) == 1 else below, problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something in the download that does not count."""

    where: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """All hand-ins of an assignment."""

    handins: tuple[Handin, ...]
    """In order of the students' ids."""
    left_out: tuple[LeftOut, ...]
    layout: str
    """What it was taken for, as messages call it: "a Canvas download"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """A file or folder of a student, which another one may take the place of."""

    label: Label
    thing: Thing

    @property
    def age(self) -> tuple[tuple[int | str, ...], str, bool]:
        return self.label.when, self.thing.name, self.thing.is_folder


def read_class(path: Path) -> Class:
    """List the hand-ins of a class.

    Raises:
        SubmissionError: the path is missing, is neither a folder nor a whole zip archive, or holds no hand-in.
    """
    where = printable(str(path))
    try:
        things, left_out = _side_by_side(path, where)
        layout = _layout(things)
        exports = _read_exports(things) if layout is Layout.GRADESCOPE else {}
    except OSError as error:
        raise SubmissionError(where, f"can't be read: {error.strerror or error}") from None
    students: dict[str, list[_Copy]] = {}
    for thing in things:
        found = labels(layout, thing.name, thing.is_folder, exports)
        if layout is Layout.GRADESCOPE and thing.name == METADATA:
            continue
        if not thing.is_folder and _PAGE.fullmatch(thing.name) and (layout is Layout.PLAIN or not found):
            left_out.append(LeftOut(where=some([thing.name]), why="is a table or page, not a hand-in"))
            continue
        for label in found or _by_its_own_name(thing, layout):
            student = unicodedata.normalize("NFC", printable(label.student))
            students.setdefault(student, []).append(_Copy(label=label, thing=thing))
    handins: list[Handin] = []
    for student, ident in _ids(students).items():
        copies = _unnumbered(students[student]) if layout is Layout.CANVAS else students[student]
        counting, earlier = _counting(copies)
        handins.append(_handin(student, ident, counting, earlier))
        left_out += [LeftOut(where=some([copy.thing.name]), why=f"{ident} handed in again later") for copy in earlier]
    if not handins:
        reasons = some([f"{left.where} {left.why}" for left in left_out])
        raise SubmissionError(where, "holds no hand-in" + (f"; left out: {reasons}" if reasons else ""))
    return Class(
        handins=tuple(sorted(handins, key=lambda handin: handin.student)),
        left_out=tuple(sorted(left_out, key=lambda left: (left.where, left.why))),
        layout=layout.value,
    )


def _side_by_side(path: Path, where: str) -> tuple[list[Thing], list[LeftOut]]:
    """The files and folders that are the hand-ins, and what is nobody's.

    The only folder in an archive is a wrapper, as archives are made of a folder. Any other only folder is one just if a
    platform named what is in it: it may be the only student's.
    """
    if not path.exists():
        raise SubmissionError(where, "does not exist")
    zipped = path.is_file() and path.suffix.lower() == ".zip"
    if not zipped and not path.is_dir():
        raise SubmissionError(where, "is neither a folder nor a zip archive of hand-ins")
    entries = list_entries(path) if zipped else []
    wrappers: tuple[str, ...] = ()
    things = in_archive(path, entries, wrappers) if zipped else in_folder(path)
    while len(things) == 1 and things[0].is_folder and _layout(things) is Layout.PLAIN:
        below = (*wrappers, things[0].name)
        inner = in_archive(path, entries, below) if zipped else in_folder(things[0].path)
        if _layout(inner) is Layout.PLAIN and (wrappers or not zipped):
            break
        things, wrappers = inner, below
    return things, [
        _nobodys(entry) for entry in entries if entry.parts[-1:] == ("",) and len(entry.parts) <= len(wrappers) + 1
    ]


def _nobodys(entry: Entry) -> LeftOut:
    return LeftOut(where=some([printable(member_name(entry.member))]), why=entry.problem)


def _layout(things: Collection[Thing]) -> Layout:
    return layout_of([(thing.name, thing.is_folder) for thing in things])


def _by_its_own_name(thing: Thing, layout: Layout) -> tuple[Label, ...]:
    """Of something not named as the platform names things: put there by hand, or by a version that we don't know."""
    note = f"{some([thing.name])} is not named as in {layout.value}: its own name is taken for the student's id"
    return tuple(replace(label, notes=(note,)) for label in labels(Layout.PLAIN, thing.name, thing.is_folder, {}))


def _read_exports(things: Iterable[Thing]) -> Mapping[str, Export]:
    """What a Gradescope export tells; nothing where that is missing or can't be read, which each hand-in then says."""
    for thing in things:
        if thing.name == METADATA and not thing.is_folder and not thing.problem:
            try:
                return read_metadata(line for content in contents(thing, METADATA) for line in _lines(content.pieces()))
            except SubmissionError:
                return {}
    return {}


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)
    yield rest.decode(errors="replace")


def _ids(students: Iterable[str]) -> dict[str, str]:
    """Ids by student: each can name a file, and no two are the same file where capitals don't count."""
    ids: dict[str, str] = {}
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    for student in sorted(students):
        base = _NOT_IN_FILE_NAMES.sub("_", student.strip()).rstrip(". ") or "_"
        if len(base.encode()) > _MAX_ID_BYTES:
            digest = hashlib.sha256(student.encode()).hexdigest()[:12]
            base = f"{base.encode()[: _MAX_ID_BYTES - 13].decode(errors='ignore')}~{digest}"
        ident = base
        while ident.casefold() in taken:
            numbers[base] = number = numbers.get(base, 1) + 1
            ident = f"{base} ({number})"
        taken.add(ident.casefold())
        ids[student] = ident
    return ids


def _unnumbered(copies: Iterable[_Copy]) -> list[_Copy]:
    """Copies under the names that a Canvas user gave, where Canvas numbered one handed in again.

    q-1.py and q-2.py without a q.py may be what the user called them, and stay apart.
    """
    groups: dict[str, list[_Copy]] = {}
    for copy in copies:
        groups.setdefault(unnumbered(copy.label.file), []).append(copy)
    restored: list[_Copy] = []
    for file, group in groups.items():
        last = max(group, key=lambda copy: copy.age)
        numbered_by_canvas = any(copy.label.file == file for copy in group)
        for copy in group:
            own = file if numbered_by_canvas or copy is last else copy.label.file
            restored.append(replace(copy, label=replace(copy.label, file=own)))
    return restored


def _counting(copies: Iterable[_Copy]) -> tuple[list[_Copy], list[_Copy]]:
    """The last copy of each file, and those before it."""
    last: dict[tuple[str, bool], _Copy] = {}
    earlier: list[_Copy] = []
    for copy in sorted(copies, key=lambda copy: copy.age):
        key = copy.label.file, bool(copy.label.file) and copy.thing.is_folder
        earlier += [last[key]] if key in last else []
        last[key] = copy
    return [last[key] for key in sorted(last)], earlier


def _handin(student: str, ident: str, counting: Collection[_Copy], earlier: Collection[_Copy]) -> Handin:
    notes = [note for copy in counting for note in copy.label.notes]
    if ident != student:
        notes.append(f"kept as {ident}, not {some([student])}: no file could be called so, or another student is")
    if earlier:
        notes.append(f"left out, as handed in before: {some([copy.thing.name for copy in earlier])}")
    return Handin(
        student=ident,
        name=next((printable(copy.label.name) for copy in counting if copy.label.name), ""),
        where=some([copy.thing.name for copy in counting]),
        late=any(copy.label.late for copy in counting),
        notes=tuple(dict.fromkeys(notes)),
        _parts=tuple((copy.label.file or copy.thing.name, copy.thing) for copy in counting),
    )
