"""The words of expression graphs: operations, forms, and how the manifest asks for a graph. Loads nothing heavy."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Form", "GraphSpec", "Operation"]


class Operation(StrEnum):
    """What a step does with its operands: the operators and methods that the student's class must have."""

    ADD = "add"
    SUB = "sub"
    MUL = "mul"
    DIV = "div"
    MATMUL = "matmul"
    ADD_NUMBER = "add_number"
    NUMBER_ADD = "number_add"
    SUB_NUMBER = "sub_number"
    NUMBER_SUB = "number_sub"
    MUL_NUMBER = "mul_number"
    NUMBER_MUL = "number_mul"
    DIV_NUMBER = "div_number"
    NUMBER_DIV = "number_div"
    POW = "pow"
    NEG = "neg"
    EXP = "exp"
    LOG = "log"
    TANH = "tanh"
    RELU = "relu"
    SUM = "sum"
    MEAN = "mean"
    RESHAPE = "reshape"
    TRANSPOSE = "transpose"
    INDEX = "index"
    TAKE = "take"

    @property
    def operands(self) -> int:
        """How many nodes it takes."""
        return 2 if self in (Operation.ADD, Operation.SUB, Operation.MUL, Operation.DIV, Operation.MATMUL) else 1


class Form(StrEnum):
    """How the steps of a graph hang together."""

    TREE = "tree"
    """Every node is used once."""
    GRAPH = "graph"
    """Nodes are used several times, over paths of different lengths."""
    CHAIN = "chain"
    """Each step takes the one before: as deep as it has steps."""
    LADDER = "ladder"
    """Each second step adds the one before to itself: 2^(steps / 2) paths lead to the leaf."""


class GraphSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The graph of a case as the manifest declares it."""

    nodes: int
    """Steps; those that no output needs are left out again."""
    operations: tuple[Operation, ...] = (Operation.ADD, Operation.MUL_NUMBER)
    """Each occurs, where there are as many nodes."""
    shapes: tuple[str, ...] = ("",)
    """Of leaves: axis names, or 1."""
    form: Form = Form.TREE
    backwards: int = 1
    """How often backward() is called in turn, on the last node and on earlier ones."""
    upstream: bool = True
    """Whether backward() is given a gradient; else it is called without one."""
