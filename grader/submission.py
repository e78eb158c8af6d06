"""A folder, a .py file, a notebook or a zip archive as a Submission: the student's files and the one to load.

Nothing here runs student code, writes to a disk or judges the code: a file that doesn't parse, or isn't text at all,
is kept as bytes, and the loader says what is wrong with it. Only what can't be read at all is a SubmissionError.

The assignment names one file, and students name theirs as they like. Which file is meant is settled in this order,
and a note is kept whenever it isn't the first rule that settles it:

1. the file of that name, the one nearest to the top;
2. the notebook of that name (mlp.ipynb for mlp.py);
3. the only Python file there is;
4. the file that defines most of the functions graded, if no other defines as many.

A notebook that is chosen becomes a Python file (grader.notebook); notebooks that aren't can't be imported and are left
out.

An assignment may name further files, of a course that has its students edit several (cs231n/layers.py, cs231n/optim.py,
cs231n/classifiers/fc_net.py). The first of them that is there shows where their folder lies: the others are looked for
in it, then nearest to the top, then by their last name alone, as some hand in all files without their folders. What is
not there is noted, and costs its own functions. Where none is there, the rules above find the one file meant.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from grader.archive import MAX_TOTAL_BYTES, Listing, is_python, list_file, list_folder, open_zip, printable, some
from grader.assignment import Assignment
from grader.calls import Source
from grader.errors import SubmissionError
from grader.notebook import convert_notebook, parse_python

__all__ = ["Submission", "load_submission", "read_submission"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a student handed in, read whole."""

    name: str
    """Of the folder, or of the file without its suffix."""
    path: str
    """As it was given, in characters that can be printed."""
    source: Source
    notes: tuple[str, ...]
    """What the student should know about how it was read, a line each; empty if it is as the assignment asks."""

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, over the files' paths and contents in order of path, each with its length."""
        digest = hashlib.sha256()
        for path, content in sorted(self.source.files.items()):
            for part in (path.encode(), content):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """The file to load, by its path in the listing."""

    path: str
    notes: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)
    """Where the assignment names several: those that are there, as name: path, this one the first."""


def read_submission(path: Path, assignment: Assignment) -> Submission:
    """Read a submission to this assignment; raises what load_submission does."""
    return load_submission(
        path, assignment.file, assignment.functions, more_files=assignment.more_files, package=assignment.package
    )


def load_submission(
    path: Path, entry: str, functions: Sequence[str] = (), *, more_files: Sequence[str] = (), package: str = ""
) -> Submission:
    """Read a submission.

    Args:
        path: folder, .py file, .ipynb notebook or .zip archive. Of a single file, the neighbours are not read.
        entry: file that the assignment names, such as "mlp.py".
        functions: names of the functions it grades, to tell the file meant where none has that name.
        more_files: further files that it names, by their paths in the folder of the entry.
        package: what the imports between them call that folder.

    Raises:
        SubmissionError: the path is missing or none of these, the archive or notebook is broken or hostile, there is
            too much of it, or no file can be told to be the one meant.
    """
    try:
        with _open(path) as listing:
            named = (entry, *more_files)
            several = _several(listing, named) if more_files else None
            read = _read(listing, several or _choose(listing, entry, functions), path)
            return read if not more_files else replace(read, source=_in_course(read.source, several, named, package))
    except OSError as error:
        raise SubmissionError(printable(str(path)), f"can't be read: {error.strerror or error}") from None


@contextmanager
def _open(path: Path) -> Iterator[Listing]:
    where = printable(str(path))
    if not path.exists():
        raise SubmissionError(where, "does not exist")
    if path.is_dir():
        yield list_folder(path)
    elif path.is_file() and path.suffix.lower() == ".zip":
        with open_zip(path) as listing:
            yield listing
    elif path.is_file() and is_python(path.name):
        yield list_file(path)
    else:
        raise SubmissionError(where, "is neither a folder nor a .py, .ipynb or .zip file")


def _choose(listing: Listing, entry: str, functions: Sequence[str]) -> _Choice:
    """The file to load, by the rules at the top of this module."""
    notebook = str(PurePosixPath(entry).with_suffix(".ipynb"))
    if found := _nearest(listing, entry):
        return found
    if found := _nearest(listing, notebook):
        return _Choice(path=found.path, notes=(f"{found.path} is read for {entry}", *found.notes))
    if len(listing.sizes) == 1:
        (only,) = listing.sizes
        return _Choice(path=only, notes=(f"{only} is read for {entry}: it is the only Python file",))
    expected = f"expected {entry} or {notebook}"
    if not listing.sizes:
        raise SubmissionError(listing.where, "; ".join(["holds no Python file", expected, *listing.notes]))
    return _most_functions(listing, functions, entry, expected)


def _several(listing: Listing, names: Sequence[str]) -> _Choice | None:
    """Of the files that a course names those that are there; None if none is."""
    found: dict[str, str] = {}
    notes: list[str] = []
    folder: PurePosixPath | None = None
    for name in names:
        own = None if folder is None else str(folder / name)
        if own is not None and own in listing.sizes:
            found[name] = own
        elif chosen := _nearest(listing, name) or _nearest(listing, PurePosixPath(name).name):
            found[name] = chosen.path
            notes += chosen.notes
            if folder is None and f"/{chosen.path}".endswith(f"/{name}"):
                folder = PurePosixPath(chosen.path[: -len(name)] or ".")
    if not found:
        return None
    missing = [name for name in names if name not in found]
    if missing:
        notes.append(f"of the files graded these are not there: {some(missing, most=len(missing))}")
    return _Choice(path=next(iter(found.values())), notes=tuple(notes), named=found)


def _in_course(source: Source, several: _Choice | None, names: Sequence[str], package: str) -> Source:
    """The files by the names that the course's imports give them."""
    found = several.named if several else {names[0]: source.entry}
    graded = {".".join(PurePosixPath(name).with_suffix("").parts): path for name, path in found.items()}
    return replace(source, graded=graded, package=package)


def _nearest(listing: Listing, name: str) -> _Choice | None:
    """The file of this name that is nearest to the top."""
    found = sorted((path.count("/"), path) for path in listing.sizes if f"/{path}".endswith(f"/{name}"))
    if not found:
        return None
    nearest = [path for depth, path in found if depth == found[0][0]]
    if len(nearest) > 1:
        problem = f"holds {name} in several places: {some(nearest)}; which one is meant?"
        raise SubmissionError(listing.where, problem)
    others = [path for _, path in found[1:]]
    notes = (f"{nearest[0]} is read; of the same name but deeper: {some(others)}",) if others else ()
    return _Choice(path=nearest[0], notes=notes)


def _most_functions(listing: Listing, functions: Sequence[str], entry: str, expected: str) -> _Choice:
    """The file that defines most of the functions; a notebook that can't be read defines none."""
    _check_total(listing, listing.sizes)
    counts, notes = dict.fromkeys(listing.sizes, 0), []
    for file in listing.sizes:
        try:
            counts[file] = len(_defined(_python(listing, file)[0]) & set(functions))
        except SubmissionError as error:
            notes.append(str(error))
    most = max(counts.values())
    first, *others = [file for file, count in counts.items() if count == most]
    if most == 0 or others:
        problem = f"holds several Python files and none can be told to be the one graded: {some(sorted(counts))}"
        raise SubmissionError(listing.where, "; ".join([problem, expected, *notes]))
    note = f"{first} is read for {entry}: it defines {most} of the {len(set(functions))} functions graded"
    return _Choice(path=first, notes=(note, *notes))


def _defined(source: bytes) -> set[str]:
    """Names of the functions and classes at the top level of a Python file, also of one that doesn't parse."""
    try:
        body = parse_python(source).body
    except SyntaxError:
        return {name.decode() for name in re.findall(rb"^(?:def|class)[ \t]+([A-Za-z_]\w*)", source, re.MULTILINE)}
    return {node.name for node in body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}


def _read(listing: Listing, choice: _Choice, path: Path) -> Submission:
    """Every Python file, and the chosen one if it is a notebook."""
    chosen, notes, root = choice.path, choice.notes, listing.root
    wanted = [file for file in listing.sizes if file == chosen or not _is_notebook(file)]
    _check_total(listing, wanted)
    files = {file: listing.read(file) for file in wanted if not _is_notebook(file)}
    entry = chosen
    if _is_notebook(chosen):  # no file on this machine holds what will be loaded
        entry, root = _free_name(chosen, files), None
        files[entry], more = _python(listing, chosen)
        notes += more
    return Submission(
        name=printable(path.resolve().name if path.is_dir() else path.stem),
        path=listing.where,
        source=Source(entry=entry, files=files, root=root),
        notes=(
            *notes,
            *(doubt for file in choice.named.values() or [entry] for doubt in _doubts(file, files[file])),
            *listing.notes,
        ),
    )


def _python(listing: Listing, file: str) -> tuple[bytes, tuple[str, ...]]:
    """Source of a Python file or notebook, and notes."""
    data = listing.read(file)
    if not _is_notebook(file):
        return data, ()
    converted = convert_notebook(data, listing.label(file))
    return converted.source, tuple(f"{file}, {note}" for note in converted.notes)


def _is_notebook(file: str) -> bool:
    return file.lower().endswith(".ipynb")


def _free_name(notebook: str, files: Collection[str]) -> str:
    """Name of a notebook as a Python file, which no other file has."""
    stem = notebook[: -len(".ipynb")]
    while f"{stem}.py" in files:
        stem += "_notebook"
    return f"{stem}.py"


def _doubts(entry: str, content: bytes) -> tuple[str, ...]:
    if b"\0" in content:
        return (f"{entry} is not a text file: it has zero bytes",)
    return () if content.strip() else (f"{entry} is empty",)


def _check_total(listing: Listing, files: Collection[str]) -> None:
    if sum(listing.sizes[file] for file in files) > MAX_TOTAL_BYTES:
        problem = f"holds more than {MAX_TOTAL_BYTES // 1_000_000} MB of Python files; hand in only your own"
        raise SubmissionError(listing.where, problem)
