"""Sizes of axes that follow from others: ``OH = "(H + 2 * pad - HH) // stride + 1"`` in a manifest.

A formula has names, whole numbers, + - * // and parentheses, and nothing else: a manifest must not run code.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["Formula"]

MAX_LENGTH = 200
"""Characters; what Python's parser makes of so many is small."""

_OPERATIONS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}
_PARTS = (ast.Name, ast.Load, ast.UnaryOp, ast.USub, ast.BinOp, *_OPERATIONS)


@dataclass(frozen=True, slots=True)
class Formula:
    """A size as a formula over the names of other sizes and of whole-numbered arguments.

    Raises:
        ValueError: the text is not such a formula.
    """

    text: str

    def __post_init__(self) -> None:
        for node in ast.walk(self._tree()):
            number = isinstance(node, ast.Constant) and type(node.value) is int
            if not number and not isinstance(node, _PARTS):
                raise ValueError(f"{self.text!r} is no formula of names, whole numbers, + - * // and parentheses")

    @property
    def names(self) -> frozenset[str]:
        """What it is computed from."""
        return frozenset(node.id for node in ast.walk(self._tree()) if isinstance(node, ast.Name))

    def __call__(self, values: Mapping[str, int]) -> int:
        """Its value.

        Raises:
            ValueError: it divides by zero.
        """
        try:
            return _value(self._tree(), values)
        except ZeroDivisionError:
            raise ValueError("it divides by zero") from None

    def _tree(self) -> ast.expr:
        if len(self.text) > MAX_LENGTH:
            raise ValueError(f"is longer than {MAX_LENGTH} characters")
        try:
            return ast.parse(self.text, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ValueError(f"{self.text!r} is not a formula") from error


def _value(node: ast.expr, values: Mapping[str, int]) -> int:
    match node:
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=int(number)):
            return number
        case ast.UnaryOp(operand=operand):
            return -_value(operand, values)
        case ast.BinOp(left=left, op=sign, right=right):
            return _OPERATIONS[type(sign)](_value(left, values), _value(right, values))
        case _:
            raise AssertionError(node)
