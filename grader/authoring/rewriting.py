"""A Python file as text whose nodes can be replaced one by one: what mutants and variants are made with.

A node is replaced where it stands, so comments, markers and the lines of everything else stay as they are, and making
a thousand versions of a file parses it once. What is put in for an expression has to bring its own brackets.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from grader.authoring.stubs import BEGIN, END
from grader.errors import CourseError

__all__ = ["Edit", "Function", "Text"]

Edit: TypeAlias = tuple[ast.AST, str]
"""A node, and what is put in its place."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Function:
    """A function at the top of a file, or a method: `affine_forward`, `Linear.forward`."""

    name: str
    node: ast.FunctionDef
    statements: tuple[ast.stmt, ...]
    """What students write: those between the markers where the file has some, else all but the docstring. Those inside
    of others (of a loop's body) are not listed apart."""


class Text:
    """One file.

    Raises:
        CourseError: it does not parse.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        try:
            self.tree = ast.parse(source)
        except SyntaxError as error:
            raise CourseError(f"it does not parse: line {error.lineno}: {error.msg}") from error
        self._lines = io.StringIO(source).readlines()  # not splitlines: the parser ends no line at a form feed
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def of(self, node: ast.AST) -> str:
        """The text of a node."""
        start, end = self._span(node)
        return self.source[start:end]

    def edited(self, edits: Sequence[Edit]) -> str:
        """The file with these nodes replaced; they must not lie in each other."""
        spans = sorted(((*self._span(node), text) for node, text in edits), reverse=True)
        source = self.source
        for start, end, text in spans:
            source = source[:start] + text + source[end:]
        return source

    def edited_node(self, node: ast.AST, edits: Sequence[Edit]) -> str:
        """The text of one node with these of its parts replaced."""
        start, end = self._span(node)
        after = len(self.source) - end
        edited = self.edited(edits)
        return edited[start : len(edited) - after]

    def indent(self, statement: ast.stmt) -> str | None:
        """The space in front of a statement; None where it shares its line with something before it."""
        before = self._lines[statement.lineno - 1].encode()[: statement.col_offset].decode()
        return before if not before.strip() else None

    def functions(self) -> Iterator[Function]:
        """The functions of the top level and the methods, in order, with what students write in them."""
        regions = self._regions()
        for name, node in _definitions(self.tree):
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            inside = tuple(s for s in body if regions is None or any(s.lineno in region for region in regions))
            if inside:
                yield Function(name=name, node=node, statements=inside)

    def _regions(self) -> list[range] | None:
        """Lines between the markers; None where there are no markers."""
        marks = [(n, line.strip()) for n, line in enumerate(self._lines, start=1) if line.strip() in (BEGIN, END)]
        begins, ends = ([n for n, mark in marks if mark == which] for which in (BEGIN, END))
        return [range(*pair) for pair in zip(begins, ends, strict=False)] or None

    def _span(self, node: ast.AST) -> tuple[int, int]:
        line, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
        last, end = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
        return self._place(line, column), self._place(last, end)

    def _place(self, line: int, column: int) -> int:
        """Where a line and a column of the parser, which counts bytes, stand in the text."""
        text = self._lines[line - 1]
        return self._starts[line - 1] + (column if text.isascii() else len(text.encode()[:column].decode()))


def _definitions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            methods = (inner for inner in node.body if isinstance(inner, ast.FunctionDef))
            yield from ((f"{node.name}.{method.name}", method) for method in methods)
