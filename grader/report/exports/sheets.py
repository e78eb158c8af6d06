"""Tables as text: cells that no spreadsheet runs, and somebody else's file in which single cells are filled.

A file that is filled keeps every other byte: its byte order mark, line ends, quotes, delimiter, and what a cell holds
that looks odd to us. So it is not parsed into values and written again, but cut into cells whose places are known.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grader.report.console import points as written
from grader.report.visible import visible_lines

__all__ = ["Sheet", "cell", "filled", "read_sheet", "table"]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings that a spreadsheet may take for a formula (OWASP, "CSV Injection"), the wide forms included."""
_DELIMITERS: Final = ",;\t"
_BOM: Final = "\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A file, cut into cells."""

    text: str
    rows: tuple[tuple[tuple[int, int], ...], ...]
    """Where the cells of each row lie in the text, quotes included."""

    def value(self, row: int, column: int) -> str:
        """What a cell holds; nothing where the row ends before it."""
        if column >= len(self.rows[row]):
            return ""
        start, end = self.rows[row][column]
        raw = self.text[start:end]
        return raw[1:-1].replace('""', '"') if raw.startswith('"') else raw

    def values(self, row: int) -> list[str]:
        """What the cells of a row hold."""
        return [self.value(row, column) for column in range(len(self.rows[row]))]

    def line(self, row: int) -> int:
        """In which line of the file a row begins, counted from 1."""
        return self.text.count("\n", 0, self.rows[row][0][0]) + 1


def cell(text: str) -> str:
    """Text that a spreadsheet does not take for a formula, without letters that can't be seen.

    Only for texts: a number of our own stays one, also if it is negative.
    """
    shown = visible_lines(text)
    return f"'{shown}" if text.startswith(_FORMULA) else shown


def table(rows: Iterable[Sequence[str | float]]) -> str:
    """CSV of rows: texts made harmless, numbers as they are."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([cell(item) if isinstance(item, str) else written(item) for item in row])
    return text.getvalue()


def read_sheet(data: bytes) -> Sheet:
    """Cut a CSV file into cells. The delimiter is the one that divides its first row most.

    Raises:
        ValueError: it is not UTF-8, or a quote is not closed (names the line).
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8: save it as CSV in UTF-8") from None
    start = len(_BOM) if text.startswith(_BOM) else 0
    if not text[start:].strip():
        raise ValueError("it is empty")
    delimiter = max(_DELIMITERS, key=lambda mark: _cells_in_first_row(text, start, mark))
    return Sheet(text=text, rows=tuple(_rows(text, start, delimiter)))


def _cells_in_first_row(text: str, start: int, delimiter: str) -> int:
    try:
        return len(next(_rows(text, start, delimiter)))
    except ValueError:  # what looks odd if this is the delimiter: quotes that another one follows
        return 0


def _rows(text: str, at: int, delimiter: str) -> Iterator[tuple[tuple[int, int], ...]]:
    """Places of the cells, row by row; lines without anything are no rows."""
    cell_at = re.compile(rf'"[^"]*(?:""[^"]*)*"(?=[{delimiter}\r\n]|\Z)|(?!")[^{delimiter}\r\n]*')
    end_at = re.compile(r"\r\n|\n|\r|\Z")
    row: list[tuple[int, int]] = []
    while at < len(text):
        found = cell_at.match(text, at)
        if found is None:
            raise ValueError(f"line {text.count(chr(10), 0, at) + 1}: a quote is not closed, or something follows it")
        row.append(found.span())
        at = found.end()
        if text.startswith(delimiter, at):
            at += len(delimiter)
            if at == len(text):  # nothing follows the last delimiter: one more empty cell
                row.append((at, at))
            else:
                continue
        if row != [(found.start(), found.start())]:
            yield tuple(row)
        row = []
        ended = end_at.match(text, at)
        assert ended is not None
        at = max(ended.end(), at)
    if row:
        yield tuple(row)


def filled(sheet: Sheet, cells: Mapping[tuple[int, int], str]) -> bytes:
    """The file with some cells replaced, by row and column; a quoted one stays quoted, and all else as it is."""
    pieces, done = [], 0
    for (row, column), value in sorted(cells.items()):
        start, end = sheet.rows[row][column]
        quoted = sheet.text.startswith('"', start) or any(mark in value for mark in f'{_DELIMITERS}"\r\n')
        pieces += [sheet.text[done:start], '"' + value.replace('"', '""') + '"' if quoted else value]
        done = end
    return "".join([*pieces, sheet.text[done:]]).encode("utf-8")
