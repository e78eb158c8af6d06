"""Variants: a right source in other words. What the judge says of them must be what it says of the source.

    for variant in variants(source):
        variant.source       the whole file, with one function written in another way

Each is right by mathematics; its rounding may differ. Python does not tell types, so some are right only for arrays
and numbers, or for matrices (a sum of tuples does not commute, the transpose of a stack is not a stack of transposes):
whoever uses them first compares what they return with what the source returns
(grader.authoring.trying.right_versions).

The order is that of the source, and the same every time.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Final

from grader.authoring.rewriting import Edit, Function, Text

__all__ = ["Variant", "VariantKind", "variants"]


class VariantKind(StrEnum):
    """What is written in another way. The value is a name for tables."""

    RENAMED = "local variables renamed"
    COMMUTED = "operands exchanged"
    SQUARE = "square as a product"
    NEGATED = "difference as a sum"
    RECIPROCAL = "quotient as a product"
    SPLIT = "steps with names of their own"
    TRANSPOSED = "product of transposes"
    ROWS = "a row at a time"
    EINSUM = "sum by einsum"
    LOOP = "sum in a loop"
    MEAN = "mean as a sum"
    IN_PLACE = "added to not in place"
    REORDERED = "independent statements exchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The same function in other words."""

    function: str
    line: int
    kind: VariantKind
    source: str = field(repr=False)
    """The whole file."""

    def __str__(self) -> str:
        return f"{self.function}, line {self.line}: {self.kind.value}"


def variants(source: str) -> tuple[Variant, ...]:
    """All variants of a file, each with one change in one function.

    Raises:
        CourseError: the source does not parse.
    """
    text = Text(source)
    seen, found = {source}, []
    for function in text.functions():
        for kind, line, edits in _changes(text, function):
            other = text.edited(edits)
            if other not in seen:
                seen.add(other)
                found.append(Variant(function=function.name, line=line, kind=kind, source=other))
    return tuple(found)


def _changes(text: Text, function: Function) -> Iterator[tuple[VariantKind, int, list[Edit]]]:
    renamed = _renamed(function)
    if renamed:
        yield VariantKind.RENAMED, function.node.lineno, renamed
    for first, second in pairwise(function.statements):
        if _independent(first, second):
            swapped = [(first, text.of(second)), (second, text.of(first))]
            yield VariantKind.REORDERED, first.lineno, list(swapped)
    for statement in function.statements:
        for node in _nodes(statement):
            for kind, new in _of_node(text, node):
                yield kind, node.lineno, [(node, new)]  # type: ignore[attr-defined]
        split = _split(text, statement)
        if split:
            yield VariantKind.SPLIT, statement.lineno, [(statement, split)]


def _nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """Expressions and statements, but for what stands in formatted strings."""
    ahead: list[ast.AST] = [statement]
    while ahead:
        node = ahead.pop()
        if not isinstance(node, (ast.JoinedStr, ast.Raise, ast.Assert)):
            if isinstance(node, (ast.expr, ast.stmt)):
                yield node
            ahead += reversed(list(ast.iter_child_nodes(node)))


def _of_node(text: Text, node: ast.AST) -> Iterator[tuple[VariantKind, str]]:
    of = text.of
    match node:
        case ast.BinOp(op=ast.Add() | ast.Mult() as op, left=left, right=right) if _may_commute(left, right):
            sign = "+" if isinstance(op, ast.Add) else "*"
            yield VariantKind.COMMUTED, f"(({of(right)}) {sign} ({of(left)}))"
            if isinstance(op, ast.Mult) and of(left) == of(right):
                yield VariantKind.SQUARE, f"(({of(left)}) ** 2)"
        case ast.BinOp(op=ast.Pow(), left=left, right=ast.Constant(value=2)):
            yield VariantKind.SQUARE, f"(({of(left)}) * ({of(left)}))"
        case ast.BinOp(op=ast.Sub(), left=left, right=right):
            yield VariantKind.NEGATED, f"(({of(left)}) + (-({of(right)})))"
        case ast.BinOp(op=ast.Div(), left=left, right=right):
            yield VariantKind.RECIPROCAL, f"(({of(left)}) * (1.0 / ({of(right)})))"
        case ast.BinOp(op=ast.MatMult(), left=left, right=right):
            yield VariantKind.TRANSPOSED, f"((({of(right)}).T @ ({of(left)}).T).T)"
            library = _library(text)
            if library:
                yield VariantKind.ROWS, f"{library}.stack([row @ ({of(right)}) for row in ({of(left)})])"
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=library), attr=("sum" | "mean") as name),
            args=[summed],
            keywords=[ast.keyword(arg="axis", value=axis)],
        ):
            yield from _of_sum(library, name, of(summed), of(axis))
        case ast.AugAssign(target=target, op=ast.Add(), value=value):
            yield VariantKind.IN_PLACE, f"{of(target)} = {of(target)} + ({of(value)})"


def _of_sum(library: str, name: str, summed: str, axis: str) -> Iterator[tuple[VariantKind, str]]:
    subscripts = {"0": "i...->...", "-1": "...i->...", "1": "ij...->i..."}
    if name == "mean":
        if axis in subscripts:
            yield VariantKind.MEAN, f"({library}.sum({summed}, axis={axis}) / ({summed}).shape[{axis}])"
        return
    if axis in subscripts:
        yield VariantKind.EINSUM, f'{library}.einsum("{subscripts[axis]}", {summed})'
    if axis == "0":
        yield VariantKind.LOOP, f"sum(row for row in ({summed}))"


_LIBRARIES: Final = ("xp", "np", "torch")


def _library(text: Text) -> str:
    """Name that a file has for its arrays' library; empty where functions ask for it."""
    names = {
        alias.asname or alias.name for node in text.tree.body if isinstance(node, ast.Import) for alias in node.names
    }
    return next((name for name in _LIBRARIES if name in names), "")


def _may_commute(left: ast.expr, right: ast.expr) -> bool:
    """Whether neither is plainly a sequence, of which a sum has an order."""
    sequences = (ast.Tuple, ast.List, ast.ListComp, ast.JoinedStr, ast.Starred, ast.Dict)
    return not any(
        isinstance(side, sequences) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (left, right)
    )


def _renamed(function: Function) -> list[Edit]:
    """All local variables by other names; of a function that has functions of its own, none."""
    inner = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.Global, ast.Nonlocal, ast.JoinedStr)
    if any(isinstance(node, inner) for node in ast.walk(function.node) if node is not function.node):
        return []
    names = [node for node in ast.walk(function.node) if isinstance(node, ast.Name)]
    arguments = function.node.args
    given = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    given |= {a.arg for a in (arguments.vararg, arguments.kwarg) if a}
    local = {name.id for name in names if isinstance(name.ctx, ast.Store)} - given
    return [(name, f"my_{name.id}_") for name in names if name.id in local]


def _split(text: Text, statement: ast.stmt) -> str:
    """An assignment or a return whose operands get names first; empty where that can't be."""
    indent = text.indent(statement)
    if indent is None:
        return ""
    match statement:
        case (
            ast.Assign(value=ast.BinOp(left=left, right=right) as value)
            | ast.Return(value=ast.BinOp(left=left, right=right) as value)
        ):
            named = [("first_", left), ("second_", right)]
        case ast.Return(value=ast.Tuple(elts=elements) as value) if not any(
            isinstance(element, ast.Starred) for element in elements
        ):
            named = [(f"result_{number}_", element) for number, element in enumerate(elements)]
        case _:
            return ""
    lines = [f"{name} = ({text.of(part)})" for name, part in named]
    last = text.edited_node(statement, [(part, name) for name, part in named])
    return f"\n{indent}".join([*lines, last]) if value else ""


def _independent(first: ast.stmt, second: ast.stmt) -> bool:
    """Whether two statements are plain assignments that know nothing of each other."""
    if not isinstance(first, ast.Assign) or not isinstance(second, ast.Assign):
        return False
    if any(not isinstance(target, (ast.Name, ast.Tuple)) for each in (first, second) for target in each.targets):
        return False
    (stored, loaded), (stored_then, loaded_then) = _names(first), _names(second)
    plain = all(_is_plain(node) for each in (first, second) for node in ast.walk(each.value))
    return plain and not (stored & (stored_then | loaded_then) or loaded & stored_then)


def _names(statement: ast.Assign) -> tuple[set[str], set[str]]:
    """Names that a statement binds, and names that it uses."""
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    stored = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    return stored, {name.id for name in names if isinstance(name.ctx, ast.Load)}


def _is_plain(node: ast.AST) -> bool:
    """Whether it neither changes anything nor depends on what is called before it: no call but the library's."""
    if isinstance(node, ast.Call):
        function = node.func
        return (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Name)
            and function.value.id in _LIBRARIES
        )
    return not isinstance(node, (ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom))
