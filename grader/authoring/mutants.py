"""Mutants: a source with one small mistake in it, of the kinds that people make.

    for mutant in mutants(source, ["affine_backward"]):
        mutant.source        the whole file, with one thing changed in one function
        str(mutant)          affine_backward, line 42: a minus where a plus stood, in what is returned

Any Python source will do: a worked solution (then only what students write is changed, between its `# solution`
markers) or a submission. Nothing is run here, so a mutant may be right: `x >= 0` for `x > 0` in a ReLU, the order of
two factors. Whether one is wrong is for others to find out (grader.authoring.calibration).

The order is that of the source, and the same every time.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Final, TypeAlias

from grader.authoring.rewriting import Function, Text

__all__ = ["Mutant", "MutantKind", "mutants"]


class MutantKind(StrEnum):
    """What is changed. The value is a name for tables."""

    SIGN = "sign"
    OPERATOR = "operator"
    DROPPED = "term or factor dropped"
    ORDER = "order of operands"
    COMPARISON = "comparison"
    CONDITION = "condition"
    CONSTANT = "constant"
    AXIS = "axis"
    FUNCTION = "another function"
    UNWRAPPED = "function left out"
    TRANSPOSE = "transpose"
    INDEX = "index"
    RANGE = "loop's range"
    ACCUMULATION = "accumulation"
    STATEMENT = "statement left out"
    RESULTS = "results swapped"
    UPSTREAM = "upstream gradient left out"
    VARIABLE = "another variable"
    EPSILON = "place of epsilon"
    COUNT = "number of examples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One wrong version of a file (or one that is right by chance)."""

    function: str
    """The function or method that was changed: `affine_backward`, `Linear.forward`."""
    line: int
    """Where, counted from 1."""
    kind: MutantKind
    words: str
    """What was changed, without a word of the code but its names."""
    source: str = field(repr=False)
    """The whole file."""

    def __str__(self) -> str:
        return f"{self.function}, line {self.line}: {self.words}"


def mutants(
    source: str, functions: Collection[str] | None = None, *, most: int | None = None, seed: int = 0
) -> tuple[Mutant, ...]:
    """The mutants of a file.

    Args:
        source: Python.
        functions: those to change, `Linear` for all methods of a class; all that students write if not given.
        most: how many at most, drawn evenly from all and then in their order.
        seed: of that draw.

    Raises:
        CourseError: the source does not parse.
    """
    text = Text(source)
    seen, found = {source}, []
    for function in text.functions():
        if functions is not None and not {function.name, function.name.partition(".")[0]} & set(functions):
            continue
        for change in _Changes(text, function).all():
            mutated = text.edited([(change.node, change.text)])
            if mutated not in seen:
                seen.add(mutated)
                line = change.node.lineno  # type: ignore[attr-defined]
                words = f"{change.words}{f', {change.place}' if change.place else ''}"
                found.append(Mutant(function=function.name, line=line, kind=change.kind, words=words, source=mutated))
    if most is not None and len(found) > most:
        found = [found[number] for number in sorted(random.Random(seed).sample(range(len(found)), most))]
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    node: ast.AST
    text: str
    kind: MutantKind
    words: str
    place: str = ""


_Made: TypeAlias = Iterator[tuple[ast.AST, str, MutantKind, str]]

_SIGNS: Final[Mapping[type[ast.AST], tuple[str, str]]] = {
    ast.Add: ("+", "a plus"),
    ast.Sub: ("-", "a minus"),
    ast.Mult: ("*", "a product"),
    ast.Div: ("/", "a quotient"),
    ast.MatMult: ("@", "a matrix product"),
    ast.FloorDiv: ("//", "a whole quotient"),
    ast.Mod: ("%", "a remainder"),
    ast.Pow: ("**", "a power"),
}
_SWAPPED_SIGNS: Final[Mapping[type[ast.AST], tuple[type[ast.AST], ...]]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.FloorDiv: (ast.Mod, ast.Mult),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
}
_ONE_SIDED: Final = (ast.Sub, ast.Div, ast.MatMult, ast.Pow, ast.FloorDiv, ast.Mod)
"""Operators whose operands can't be exchanged."""
_COMPARISONS: Final[Mapping[type[ast.AST], tuple[str, ...]]] = {
    ast.Lt: ("<=", ">"),
    ast.LtE: ("<", ">="),
    ast.Gt: (">=", "<"),
    ast.GtE: (">", "<="),
    ast.Eq: ("!=", ">=", "<="),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
_OTHER_FUNCTIONS: Final = {
    name: other
    for one, two in (
        ("sum", "mean"), ("max", "min"), ("amax", "amin"), ("maximum", "minimum"), ("argmax", "argmin"),
        ("zeros_like", "ones_like"), ("zeros", "ones"), ("var", "std"), ("any", "all"), ("exp", "expm1"),
        ("log", "log1p"), ("sin", "cos"), ("tril", "triu"), ("floor", "ceil"), ("cumsum", "cumprod"),
        ("logical_and", "logical_or"), ("append", "remove"),
    )
    for name, other in ((one, two), (two, one))
}  # fmt: skip
_CAN_BE_LEFT_OUT: Final = frozenset(
    (
        "sqrt", "exp", "log", "abs", "tanh", "sigmoid", "copy", "clone", "square", "clip", "tril", "triu", "flip",
        "reversed", "matrix_transpose", "transpose", "swapaxes", "moveaxis", "permute_dims", "where", "maximum",
        "minimum", "sum", "mean", "max", "softmax", "relu", "sorted",
    )
)  # fmt: skip
"""Functions whose first argument may be put in place of their result."""
_LIBRARIES: Final = frozenset({"np", "numpy", "xp", "torch", "math", "nn", "F"})
_PLUMBING: Final = frozenset({"array_namespace", "device", "isinstance", "len", "type", "tuple", "list", "dict", "zip"})
"""Functions whose results are no numbers."""


class _Changes:
    """All changes of one function."""

    def __init__(self, text: Text, function: Function) -> None:
        self.text, self.function = text, function
        arguments = function.node.args
        self.parameters = [a.arg for a in (*arguments.posonlyargs, *arguments.args) if a.arg not in ("self", "cls")]
        self.bound = _bound(function.node)
        self.alike = _alike(self.parameters, function)
        self.keys = _keys(function)
        self.upstream = self.parameters[0] if self.parameters and _goes_back(function.name, self.parameters[0]) else ""

    def all(self) -> Iterator[_Change]:
        for statement in self.function.statements:
            yield from self._statement(statement)

    def _statement(self, statement: ast.stmt) -> Iterator[_Change]:
        if isinstance(statement, (ast.Raise, ast.Assert, ast.Import, ast.ImportFrom, ast.Pass)):
            return  # a message that nobody asks for, or no step of the calculation
        place = _place_of(statement)
        for node, text, kind, words in self._of_statement(statement):
            yield _Change(node=node, text=text, kind=kind, words=words, place=place)
        for expression in _expressions(statement):
            for node in _parts(expression):
                for changed, text, kind, words in self._of_expression(node):
                    yield _Change(node=changed, text=text, kind=kind, words=words, place=place)
        for inner in _inner(statement):
            yield from self._statement(inner)

    # ------------------------------------------------------------------------------------------------- statements

    def _of_statement(self, statement: ast.stmt) -> _Made:
        of = self.text.of
        match statement:
            case ast.AugAssign(target=target, op=op, value=value):
                _, name = _SIGNS.get(type(op), ("", "an operation"))
                words = f"an assignment where {name} onto it stood"
                yield statement, f"{of(target)} = {of(value)}", MutantKind.ACCUMULATION, words
                for other in _SWAPPED_SIGNS.get(type(op), ()):
                    sign, new = _SIGNS[other]
                    words = f"{new} where {name} stood"
                    yield statement, f"{of(target)} {sign}= {of(value)}", MutantKind.OPERATOR, words
                yield statement, "pass", MutantKind.STATEMENT, "left out"
            case ast.Assign(targets=[target], value=value):
                if not isinstance(target, ast.Name) or self._known(target.id, target.lineno):
                    yield statement, "pass", MutantKind.STATEMENT, "left out"
                if isinstance(target, (ast.Name, ast.Subscript, ast.Attribute)) and self._is_number(value):
                    yield value, f"(-({of(value)}))", MutantKind.SIGN, "the other sign"
            case ast.Return(value=ast.Tuple(elts=results)):
                for number, (first, second) in enumerate(pairwise(results), start=1):
                    swapped = self.text.edited_node(statement, [(first, of(second)), (second, of(first))])
                    words = f"results {number} and {number + 1} in each other's place"
                    yield statement, swapped, MutantKind.RESULTS, words
                for number, result in enumerate(results, start=1):
                    if self._is_number(result):
                        yield result, f"(-({of(result)}))", MutantKind.SIGN, f"the other sign of result {number}"
            case ast.Return(value=ast.expr() as value) if self._is_number(value):
                yield value, f"(-({of(value)}))", MutantKind.SIGN, "the other sign"
            case ast.Expr(value=ast.Call()):
                yield statement, "pass", MutantKind.STATEMENT, "a call left out"
            case ast.If(test=test) | ast.While(test=test):
                yield test, f"(not ({of(test)}))", MutantKind.CONDITION, "the opposite"
                if isinstance(statement, ast.If):
                    yield test, "True", MutantKind.CONDITION, "always taken"
                    yield test, "False", MutantKind.CONDITION, "never taken"
            case ast.For(iter=iterated) if self._is_range(iterated):
                yield iterated, f"list({of(iterated)})[::-1]", MutantKind.RANGE, "in the opposite order"
            case ast.Break() | ast.Continue():
                yield statement, "pass", MutantKind.STATEMENT, "left out"

    def _known(self, name: str, line: int) -> bool:
        """Whether a name is bound before this line too, so that the code runs without it being bound here."""
        return name in self.parameters or any(other < line for other in self.bound.get(name, ()))

    def _is_number(self, value: ast.expr) -> bool:
        """Whether a value may have a sign."""
        match value:
            case ast.Name(id=name):
                return name != "cache"
            case ast.Call(func=function):
                return _name_of(function) not in _PLUMBING
            case ast.BinOp() | ast.Subscript():
                return True
        return False

    def _is_range(self, iterated: ast.expr) -> bool:
        return isinstance(iterated, ast.Call) and _name_of(iterated.func) in ("range", "reversed")

    # ------------------------------------------------------------------------------------------------ expressions

    def _of_expression(self, node: ast.AST) -> _Made:
        match node:
            case ast.BinOp():
                yield from self._of_binary(node)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                yield node, f"({self.text.of(operand)})", MutantKind.SIGN, "a minus left out"
            case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
                yield node, f"({self.text.of(operand)})", MutantKind.CONDITION, "a not left out"
            case ast.Compare(ops=[op], left=left, comparators=[right]):
                for sign in _COMPARISONS.get(type(op), ()):
                    compared = f"(({self.text.of(left)}) {sign} ({self.text.of(right)}))"
                    yield node, compared, MutantKind.COMPARISON, f"compared by {sign}"
            case ast.BoolOp(op=op, values=values):
                word = "or" if isinstance(op, ast.And) else "and"
                joined = f" {word} ".join(f"({self.text.of(value)})" for value in values)
                yield node, f"({joined})", MutantKind.CONDITION, f"{word} for its opposite"
                for value in values:
                    yield node, f"({self.text.of(value)})", MutantKind.CONDITION, "one condition alone"
            case ast.IfExp(body=body, orelse=orelse):
                yield node, f"({self.text.of(body)})", MutantKind.CONDITION, "always the first"
                yield node, f"({self.text.of(orelse)})", MutantKind.CONDITION, "always the second"
            case ast.Call():
                yield from self._of_call(node)
            case ast.Attribute(attr="T" | "mT", value=value, ctx=ast.Load()):
                yield node, f"({self.text.of(value)})", MutantKind.TRANSPOSE, "a transpose left out"
            case ast.Subscript():
                yield from self._of_subscript(node)
            case ast.Slice():
                yield from self._of_slice(node)
            case ast.Constant(value=value) if isinstance(value, (int, float)):
                yield from _of_constant(node, value)
            case ast.Name(id=name, ctx=ast.Load()):
                yield from self._of_name(node, name)

    def _of_binary(self, node: ast.BinOp) -> _Made:
        left, right = self.text.of(node.left), self.text.of(node.right)
        operator = type(node.op)
        sign, name = _SIGNS.get(operator, ("", ""))
        if not sign:
            return
        for other in _SWAPPED_SIGNS[operator]:
            new, words = _SIGNS[other]
            yield node, f"(({left}) {new} ({right}))", MutantKind.OPERATOR, f"{words} where {name} stood"
        yield node, f"({left})", MutantKind.DROPPED, f"the second half of {name} dropped"
        alone = f"(-({right}))" if operator is ast.Sub else f"({right})"
        yield node, alone, MutantKind.DROPPED, f"the first half of {name} dropped"
        if operator in _ONE_SIDED:
            yield node, f"(({right}) {sign} ({left}))", MutantKind.ORDER, f"{name} the other way round"
        if operator is ast.MatMult:
            for side in (node.left, node.right):
                if not (isinstance(side, ast.Attribute) and side.attr in ("T", "mT")):
                    yield side, f"({self.text.of(side)}).T", MutantKind.TRANSPOSE, "a transpose too many"
        if operator is ast.Div and isinstance(node.right, (ast.Name, ast.Attribute, ast.Subscript, ast.Call)):
            yield node, f"(({left}) / ({right} - 1))", MutantKind.COUNT, "divided by one less"
            yield node, f"(({left}) / {right} / {right})", MutantKind.COUNT, "divided twice"
        match node:
            case ast.BinOp(op=ast.Add(), left=ast.Call(func=root, args=[inside]) as call) if _name_of(root) == "sqrt":
                moved = self.text.edited_node(call, [(inside, f"{self.text.of(inside)} + {right}")])
                yield node, f"({moved})", MutantKind.EPSILON, "what is added to a root, inside of it"

    def _of_call(self, node: ast.Call) -> _Made:
        name, of = _name_of(node.func), self.text.of
        if name in _PLUMBING - {"len"}:
            return
        if name in _OTHER_FUNCTIONS and not (isinstance(node.func, ast.Name) and name in ("sum", "all", "any")):
            end = len(of(node.func)) - len(name)
            other = _OTHER_FUNCTIONS[name]
            yield node.func, of(node.func)[:end] + other, MutantKind.FUNCTION, f"{other} where {name} stood"
        first = self._first_operand(node)
        if first is not None and name in _CAN_BE_LEFT_OUT:
            yield node, f"({of(first)})", MutantKind.UNWRAPPED, f"{name} left out"
        if name == "where" and len(node.args) == 3:
            for number, argument in enumerate(node.args[1:], start=1):
                words = f"{'first' if number == 1 else 'second'} choice of where everywhere"
                yield node, f"({of(argument)})", MutantKind.DROPPED, f"the {words}"
        for one, two in pairwise(node.args):
            if not isinstance(one, ast.Starred) and not isinstance(two, ast.Starred) and name != "range":
                text = self.text.edited_node(node, [(one, of(two)), (two, of(one))])
                yield node, text, MutantKind.ORDER, f"two arguments of {name} in each other's place"
        if name == "range":
            yield from self._of_range(node)
        match first:
            case ast.BinOp(op=ast.Add(), left=left, right=right) if name == "sqrt":
                outside = self.text.edited_node(node, [(first, of(left))])
                yield node, f"({outside} + {of(right)})", MutantKind.EPSILON, "what is added in a root, outside of it"
        for keyword in node.keywords:
            yield from self._of_keyword(node, keyword)

    def _first_operand(self, node: ast.Call) -> ast.expr | None:
        """What a call works on: the receiver of a method, the first argument of a function."""
        if isinstance(node.func, ast.Attribute) and _name_of(node.func.value) not in _LIBRARIES:
            return node.func.value
        plain = node.args and not isinstance(node.args[0], (ast.Starred, ast.GeneratorExp))
        return node.args[0] if plain else None

    def _of_range(self, node: ast.Call) -> _Made:
        of = self.text.of
        last = node.args[0] if len(node.args) == 1 else node.args[1]
        yield last, f"(({of(last)}) - 1)", MutantKind.RANGE, "ends one too early"
        yield last, f"(({of(last)}) + 1)", MutantKind.RANGE, "ends one too late"
        if len(node.args) == 1:
            yield node, f"range(1, {of(last)})", MutantKind.RANGE, "begins one too late"
        else:
            yield node.args[0], f"(({of(node.args[0])}) + 1)", MutantKind.RANGE, "begins one too late"
        if len(node.args) == 3:
            text = self.text.edited_node(node, [(node.args[2], "1")])
            yield node, text, MutantKind.RANGE, "goes in steps of one"

    def _of_keyword(self, node: ast.Call, keyword: ast.keyword) -> _Made:
        if keyword.arg in ("axis", "dim", "axes"):
            match keyword.value:
                case ast.Constant(value=int(axis)):
                    for other in {0: (1,), 1: (0,), 2: (1,), -1: (-2, 0), -2: (-1,)}.get(axis, (0,)):
                        yield keyword.value, str(other), MutantKind.AXIS, f"over axis {other}, not {axis}"
                case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(axis))):
                    for other in (-axis - 1, 0):
                        yield keyword.value, str(other), MutantKind.AXIS, f"over axis {other}, not {-axis}"
                case ast.Tuple(elts=[_, *rest]) if rest:
                    kept = ", ".join(self.text.of(axis) for axis in rest)
                    yield keyword.value, f"({kept},)", MutantKind.AXIS, "over one axis too few"
            yield keyword, f"{keyword.arg}=None", MutantKind.AXIS, "over all axes"
        elif keyword.arg in ("keepdims", "keepdim") and isinstance(keyword.value, ast.Constant):
            yield keyword.value, str(not keyword.value.value), MutantKind.AXIS, "keepdims left out"

    def _of_subscript(self, node: ast.Subscript) -> _Made:
        of, index = self.text.of, node.slice
        if isinstance(node.ctx, ast.Load):
            yield node, f"({of(node.value)})", MutantKind.INDEX, "an index left out"
        match index:
            case ast.Constant(value=str(key)):
                for other in [known for known in self.keys if known != key][:2]:
                    yield index, repr(other), MutantKind.VARIABLE, f"{other} where {key} stood"
        for part in index.elts if isinstance(index, ast.Tuple) else [index]:
            if isinstance(part, (ast.Name, ast.BinOp)) and not self._is_row(part):
                yield part, f"{of(part)} - 1", MutantKind.INDEX, "an index one too small"
                yield part, f"{of(part)} + 1", MutantKind.INDEX, "an index one too large"

    def _is_row(self, part: ast.expr) -> bool:
        return isinstance(part, ast.Name) and part.id not in self.bound and part.id not in self.parameters

    def _of_slice(self, node: ast.Slice) -> _Made:
        lower, upper, step = (self.text.of(part) if part else "" for part in (node.lower, node.upper, node.step))
        end = f":{step}" if step else ""
        if lower:
            yield node, f":{upper}{end}", MutantKind.INDEX, "a slice from the start"
            yield node, f"({lower}) + 1:{upper}{end}", MutantKind.INDEX, "a slice that begins one too late"
        if upper:
            yield node, f"{lower}:{end}", MutantKind.INDEX, "a slice to the end"
            yield node, f"{lower}:({upper}) - 1{end}", MutantKind.INDEX, "a slice that ends one too early"
        if step:
            yield node, f"{lower}:{upper}", MutantKind.INDEX, "a slice in steps of one"

    def _of_name(self, node: ast.Name, name: str) -> _Made:
        if name == self.upstream:
            yield node, f"({name} * 0 + 1)", MutantKind.UPSTREAM, f"ones where {name} stood"
        others = [other for other in self.alike.get(name, ()) if self._known(other, node.lineno)]
        for other in others[:2]:
            yield node, other, MutantKind.VARIABLE, f"{other} where {name} stood"


def _of_constant(node: ast.Constant, value: int | float) -> _Made:
    others: tuple[int | float | bool, ...]
    if isinstance(value, bool):
        others = (not value,)
    elif isinstance(value, int):
        others = {0: (1,), 1: (0, 2), 2: (1, 3)}.get(value, (value - 1, value + 1))
    elif value == 0.0:
        others = (1.0,)
    else:
        others = (0.0, 10 * value) if abs(value) < 0.01 else (2 * value, 0.5 * value)
    for other in others:
        yield node, repr(other), MutantKind.CONSTANT, f"{other} where {value} stood"


# ------------------------------------------------------------------------------------------------- what is where


def _bound(function: ast.FunctionDef) -> dict[str, list[int]]:
    """Lines where each local name is bound."""
    found: dict[str, list[int]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.setdefault(node.id, []).append(node.lineno)
    return found


def _alike(parameters: Sequence[str], function: Function) -> dict[str, list[str]]:
    """For each name those of the same role: unpacked beside it, given beside it, or named alike (dw1 and dw2)."""
    groups = [list(parameters)]
    names = set(parameters)
    for node in ast.walk(function.node):
        if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Store):
            groups.append([element.id for element in node.elts if isinstance(element, ast.Name) and element.id != "_"])
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    stems: dict[str, list[str]] = {}
    for name in sorted(names):
        stems.setdefault(re.sub(r"\d+|_", "", name), []).append(name)
    found: dict[str, list[str]] = {}
    for group in (*groups, *stems.values()):
        for name in group:
            found.setdefault(name, []).extend(other for other in group if other not in (name, *found.get(name, ())))
    return found


def _keys(function: Function) -> list[str]:
    """Keys that are asked for in a function, in order."""
    keys = [
        node.slice.value
        for node in ast.walk(function.node)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
    ]
    return [key for key in dict.fromkeys(keys) if isinstance(key, str)]


def _goes_back(function: str, first: str) -> bool:
    return "backward" in function or bool(re.match(r"d(out|scores|[a-z]_?|upstream)", first))


def _name_of(function: ast.expr) -> str:
    """Last name of what is called: sum of xp.sum."""
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _place_of(statement: ast.stmt) -> str:
    """Where a statement's expressions stand, in words."""
    match statement:
        case ast.Assign(targets=[target, *_]) | ast.AnnAssign(target=target):
            return f"in what is assigned to {_target(target)}"
        case ast.AugAssign(target=target):
            return f"in what is added to {_target(target)}"
        case ast.Return():
            return "in what is returned"
        case ast.If() | ast.While():
            return "in a condition"
        case ast.For():
            return "in a loop's range"
    return ""


def _target(target: ast.expr) -> str:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return f"a part of {_target(value)}"
        case ast.Tuple(elts=elements):
            return " and ".join(_target(element) for element in elements[:3])
    return "something"


_BLOCKS: Final = ("body", "orelse", "finalbody", "handlers")


def _inner(statement: ast.stmt) -> Iterator[ast.stmt]:
    """Statements inside of a statement."""
    for block in _BLOCKS:
        for item in getattr(statement, block, None) or ():
            yield from item.body if isinstance(item, ast.ExceptHandler) else [item]


def _expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """Expressions of a statement itself, in order; no annotations, and of a nested function nothing but its body."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return
    for name, value in ast.iter_fields(statement):
        if name not in _BLOCKS and name != "annotation":
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, ast.expr):
                    yield item
                elif isinstance(item, ast.withitem):
                    yield item.context_expr


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """An expression and all in it, in order.

    Not what stands in a formatted string, whose places Python 3.11 gets wrong; nor in what only asks for a library.
    """
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and _name_of(node.func) == "array_namespace"):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.expr_context, ast.operator)):
            yield from _parts(child)
