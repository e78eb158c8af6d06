"""Notebooks as Python source: read as data with json and ast, never executed as notebooks.

An .ipynb file is JSON: a list of cells, of which only the code cells matter. Each becomes a stretch of one Python
file, headed by a comment such as ``# cell 7`` (text cells are counted too, as editors do), line by line, so that
line k of a cell is the k-th line below its heading. What happens to a cell:

- it parses: kept as it is;
- it starts with a cell magic around Python (%%time, %%capture): the magic goes, the body stays;
- it starts with another cell magic (%%bash, %%writefile): commented out, with a note;
- some of its lines are IPython's (%matplotlib inline, !pip install, x = !ls, array?): each becomes ``pass`` and a
  comment, at the same indentation, so that the block around it stays whole;
- it still doesn't parse: commented out, with a note that names cell, line and error. The other cells survive.

The file that comes out always parses.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grader.archive import printable
from grader.errors import SubmissionError

__all__ = ["MAX_PARSED", "Converted", "convert_notebook", "parse_python"]

MAX_PARSED = 300_000
"""Longest text given to the parser, in bytes or characters: its tree takes up to 600 bytes of memory for each."""

# Cell magics that run their body as Python here in the notebook.
_AROUND_PYTHON = frozenset({"capture", "memit", "prun", "time", "timeit"})
_CELL_MAGIC = re.compile(r"%%(\S+)")
_LINE_MAGIC = re.compile(
    r"""[%!?]                           # %matplotlib inline   !ls   ?array
    |   [\w.*%\[\]]+ \?{1,2} \s* $      # array?   np.sum??
    |   [^=\#'"()]+ = \s* [%!]          # files = !ls
    |   (?:pip3?|conda) \s+ install \s  # magic even without its %
    """,
    re.VERBOSE,
)
_OPENING = re.compile(r"""\#|'{3}|"{3}|['"()\[\]{}]""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A notebook as one Python file."""

    source: bytes
    """UTF-8; always parses."""
    notes: tuple[str, ...]
    """What was left out, a line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """What the lines read so far leave open, so that the next line doesn't begin a statement."""

    brackets: int = 0
    quote: str = ""
    backslash: bool = False

    def __bool__(self) -> bool:
        return bool(self.brackets or self.quote or self.backslash)


def convert_notebook(data: bytes, path: str) -> Converted:
    """Code cells of a notebook (format 3 or 4) as one Python file.

    Raises:
        SubmissionError: not a notebook; says under the name `path` which field is wrong.
    """
    # A declaration of the encoding in the first cell would otherwise apply to the whole file.
    lines, notes = ["# -*- coding: utf-8 -*-"], []
    for number, text in _code_cells(data, path):
        kept, problem = _convert_cell(_plain(text).split("\n"))
        lines += [f"# cell {number}", *kept]
        if problem:
            notes.append(printable(f"cell {number}{problem}; the cell is left out"))
    return Converted(source="\n".join([*lines, ""]).encode(), notes=tuple(notes))


def parse_python(source: str | bytes) -> ast.Module:
    """Tree of a student's text, which is never run.

    Raises:
        SyntaxError: it doesn't parse, or is too long or too deeply nested to try.
    """
    if len(source) > MAX_PARSED:
        raise SyntaxError(f"longer than {MAX_PARSED} characters")
    try:
        with warnings.catch_warnings():  # such as "\d" in a string: the student's business
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (RecursionError, MemoryError):
        raise SyntaxError("too deeply nested") from None
    except ValueError as error:  # a zero byte, or text that can't be encoded
        raise SyntaxError(str(error)) from None


def _convert_cell(lines: list[str]) -> tuple[list[str], str]:
    """Lines of a cell as Python, as many as before, and what was wrong if the cell is left out."""
    if not _syntax_problem(lines):
        return lines, ""
    magics = dict(_cell_magics(lines))
    for name in magics.values():
        if name not in _AROUND_PYTHON:
            return _commented(lines), f" (%%{name[:80]}) is not Python"
    kept = _without_line_magics([f"# {line}" if at in magics else line for at, line in enumerate(lines)])
    problem = _syntax_problem(kept)
    return (_commented(lines), problem) if problem else (kept, "")


def _syntax_problem(lines: list[str]) -> str:
    try:
        parse_python("\n".join([*lines, ""]))
    except SyntaxError as error:
        return f", line {error.lineno}: {error.msg}" if error.lineno else f": {error.msg}"
    return ""


def _cell_magics(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Positions and names of the cell magics, which only blank lines, comments and each other may precede."""
    for at, line in enumerate(lines):
        if line.strip() and not line.lstrip().startswith("#"):
            magic = _CELL_MAGIC.match(line)
            if magic is None:
                return
            yield at, magic[1]


def _commented(lines: list[str]) -> list[str]:
    return [f"# {line}".rstrip() for line in lines]


def _without_line_magics(lines: list[str]) -> list[str]:
    """Lines that are IPython's, as ``pass``; only where a statement begins, so not inside a string or brackets."""
    kept: list[str] = []
    state, shell_goes_on = _Open(), False
    for line in lines:
        bare = line.lstrip()
        if shell_goes_on:
            kept.append(f"# {line}")
            shell_goes_on = line.endswith("\\")
        elif not state and _LINE_MAGIC.match(bare):
            kept.append(f"{line[: len(line) - len(bare)]}pass  # {bare}")
            shell_goes_on = line.endswith("\\")
        else:
            kept.append(line)
            state = _scan(line, state)
    return kept


def _scan(line: str, state: _Open) -> _Open:
    """State after this line. Every step moves forward, so the time is linear whatever the text."""
    brackets, quote, at = state.brackets, state.quote, 0
    while True:
        if quote:
            end = _end_of_string(line, at, quote)
            if end is None:  # a string in single quotes goes on only after a backslash
                goes_on = len(quote) == 3 or line.endswith("\\")
                return _Open(brackets=brackets, quote=quote if goes_on else "")
            quote, at = "", end
        found = _OPENING.search(line, at)
        if found is None or found[0] == "#":
            return _Open(brackets=brackets, backslash=found is None and line.endswith("\\"))
        at = found.end()
        if found[0] in "([{":
            brackets += 1
        elif found[0] in ")]}":
            brackets = max(0, brackets - 1)
        else:
            quote = found[0]


def _end_of_string(line: str, start: int, quote: str) -> int | None:
    for found in re.compile(rf"\\.|{quote}").finditer(line, start):
        if found[0] == quote:
            return found.end()
    return None


def _plain(text: str) -> str:
    """Text with Python's line ends and nothing that would spoil the whole file: zero bytes, lone surrogates."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    return text.encode("utf-8", "replace").decode()


def _code_cells(data: bytes, path: str) -> Iterator[tuple[int, str]]:
    for number, (field, cell) in enumerate(_cells(_load(data, path), path), start=1):
        if not isinstance(cell, dict):
            raise SubmissionError(path, f"{field}: not an object")
        kind = cell.get("cell_type")
        if not isinstance(kind, str):
            raise SubmissionError(path, f"{field}.cell_type: missing, or not a text")
        if kind == "code":
            yield number, _cell_text(cell, field, path)


def _load(data: bytes, path: str) -> dict[str, Any]:
    if not data.strip():
        raise SubmissionError(path, "is empty")
    try:
        # No number in it matters, and outputs may hold whole ones too long for int.
        notebook = json.loads(data, parse_int=float)
    except json.JSONDecodeError as error:
        problem = f"is not a whole notebook: line {error.lineno}, column {error.colno}: {error.msg}"
        raise SubmissionError(path, problem) from None
    except ValueError:
        raise SubmissionError(path, "is not a notebook: not text in UTF-8") from None
    except RecursionError:
        raise SubmissionError(path, "is not a notebook: nested too deeply") from None
    if not isinstance(notebook, dict):
        raise SubmissionError(path, "is not a notebook: the top level is not an object")
    return notebook


def _cells(notebook: dict[str, Any], path: str) -> list[tuple[str, Any]]:
    """Every cell with the name of its field; format 3 keeps them in worksheets."""
    if "cells" not in notebook and "worksheets" in notebook:
        sheets = [(f"worksheets[{i}].", sheet) for i, sheet in enumerate(_list(notebook, "worksheets", "", path))]
    else:
        sheets = [("", notebook)]
    return [
        (f"{prefix}cells[{i}]", cell)
        for prefix, sheet in sheets
        for i, cell in enumerate(_list(sheet, "cells", prefix, path))
    ]


def _list(parent: Any, key: str, prefix: str, path: str) -> list[Any]:
    found = parent.get(key) if isinstance(parent, dict) else None
    if not isinstance(found, list):
        raise SubmissionError(path, f"is not a notebook: {prefix}{key}: missing, or not a list")
    return found


def _cell_text(cell: dict[str, Any], field: str, path: str) -> str:
    """Text of a code cell: one text, or a list of lines. Format 3 calls it input."""
    key = "input" if "input" in cell and "source" not in cell else "source"
    text = cell.get(key)
    if isinstance(text, str):
        return text
    if not isinstance(text, list) or not all(isinstance(line, str) for line in text):
        raise SubmissionError(path, f"{field}.{key}: missing, or neither a text nor a list of lines")
    # Lines end with their newline; some tools leave it out.
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in text[:-1]) + "".join(text[-1:])
