"""What is told of the wrong rule of one operation: what the student's code computes, and nothing that is not known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.rules import fresh, gradient_rule, value_rule
from grader.graphs import Graph, Step, evaluate
from grader.manifest import load_assignment
from grader.operations import Operation
from grader.reference import Oracle
from grader.topics import find_manifest

ORACLE = Oracle(load_assignment(find_manifest("autodiff")))
ENGINE = ORACLE.assignment.exercises[0]

ELEMENTWISE = {
    Operation.ADD: 2, Operation.SUB: 2, Operation.MUL: 2, Operation.DIV: 2, Operation.POW: 1, Operation.NEG: 1,
    Operation.EXP: 1, Operation.LOG: 1, Operation.TANH: 1, Operation.RELU: 1, Operation.MUL_NUMBER: 1,
    Operation.NUMBER_DIV: 1,
}  # fmt: skip


def asked(operation: Operation) -> Graph:
    """What the student's class would be asked."""
    setting = 3.0 if operation is Operation.POW or "number" in operation else None
    graph = fresh(Step(operation, (0,) * operation.operands, setting))
    assert graph is not None
    return graph


def given_to(graph: Graph) -> tuple[Any, ...]:
    """(upstream gradient, *leaves, result)."""
    return (graph.gradients[0], *graph.leaves, evaluate(graph)[-1])


def rule(graph: Graph, leaf: int, actual: Any) -> str:
    """Beside what is right by torch."""
    traced = ORACLE.graph(ENGINE, graph)
    return gradient_rule(graph, leaf, actual, traced.gradients[leaf])


def test_of_a_gradient_what_the_student_computes_is_said() -> None:
    graph = asked(Operation.MUL)
    grad, a, b, _ = given_to(graph)
    said = " (grad is the gradient of the result): not the derivative of c = a * b"
    assert rule(graph, 0, grad * a) == f"a.grad becomes grad * a{said}"
    assert rule(graph, 1, -grad / b) == f"b.grad becomes -grad / b{said}"
    assert rule(graph, 0, b) == f"a.grad becomes b{said}"
    assert rule(graph, 0, grad * b**2) == f"a.grad becomes grad * b**2{said}"


@pytest.mark.parametrize(
    ("operation", "wrong", "words"),
    [
        (Operation.LOG, lambda g, a, b: g * a, "grad * a "),
        (Operation.EXP, lambda g, a, b: g * a, "grad * a "),
        (Operation.EXP, lambda g, a, b: g * np.exp(b), "grad * exp(b) "),
        (Operation.TANH, lambda g, a, b: g * (1 - a**2), "grad * (1 - a**2) "),
        (Operation.TANH, lambda g, a, b: g * (1 - b), "grad * (1 - b) "),
        (Operation.TANH, lambda g, a, b: 1 - b**2, "(1 - b**2) "),
        (Operation.RELU, lambda g, a, b: g, "grad "),
        (Operation.RELU, lambda g, a, b: g * (a < 0), "grad * (a < 0) "),
        (Operation.POW, lambda g, a, b: g * 3 * b, "grad * b * the number "),
        (Operation.NUMBER_DIV, lambda g, a, b: g / 3, "grad / the number "),
    ],
)
def test_of_each_operation_there_are_the_things_it_is_made_of(operation: Operation, wrong: Any, words: str) -> None:
    graph = asked(operation)
    assert rule(graph, 0, wrong(*given_to(graph))).startswith(f"a.grad becomes {words}")


@pytest.mark.parametrize("nothing", [None, np.zeros(5)])
def test_no_gradient_at_all(nothing: Any) -> None:
    assert rule(asked(Operation.DIV), 1, nothing) == "b gets no gradient from a / b"


def test_of_a_result_which_other_operation_it_is() -> None:
    graph = asked(Operation.SUB)
    _, a, b, _ = given_to(graph)
    for value, words in ((a + b, "a + b"), (b - a, "b - a"), (a, "a"), (a * b, "a * b"), (np.zeros(5), "zeros")):
        assert value_rule(graph, value) == f"c = a - b gives {words}"


@pytest.mark.parametrize("noise", [1e-8, 1e-3])
def test_what_is_nearly_so_is_not_said(noise: float) -> None:
    graph = asked(Operation.MUL)
    grad, a, b, _ = given_to(graph)
    off = 1 + noise * np.arange(5)
    assert rule(graph, 0, grad * a * off) == ""
    assert value_rule(graph, (a - b) * off) == ""


@given(st.sampled_from(sorted(ELEMENTWISE)), st.lists(st.floats(-3, 3).filter(bool), min_size=5, max_size=5))
def test_of_noise_nothing_is_said(operation: Operation, noise: Sequence[float]) -> None:
    """Five numbers that have nothing to do with the graph: of irrational sizes, so that none is a product by chance."""
    graph = asked(operation)
    drawn = np.asarray(noise) * np.sqrt([2, 3, 5, 7, 11])
    assert rule(graph, 0, drawn) == ""
    assert value_rule(graph, drawn) == ""


@pytest.mark.parametrize("actual", [np.ones(4), np.array(["a"] * 5), np.full(5, np.nan), 3.0])
def test_what_is_no_array_of_its_numbers_has_no_rule(actual: Any) -> None:
    assert rule(asked(Operation.MUL), 0, actual) == ""
    assert value_rule(asked(Operation.MUL), actual) == ""


def test_no_claim_is_made_of_what_does_not_go_by_elements() -> None:
    assert fresh(Step(Operation.SUM, (0,), (None, False))) is None
    assert fresh(Step(Operation.MATMUL, (0, 1))) is None


def test_what_is_added_inside_of_a_logarithm() -> None:
    graph = asked(Operation.LOG)
    assert value_rule(graph, np.log(graph.leaves[0] + 1e-8)) == "b = a.log() gives log(a + 1e-08)"
    assert value_rule(graph, np.log(graph.leaves[0] * 1.5)) == ""


def test_single_precision_is_seen() -> None:
    graph = asked(Operation.MUL)
    grad, _, b, out = given_to(graph)
    said = "right to seven digits only: something in it is float32"
    assert rule(graph, 0, grad * np.float32(b)) == f"a.grad is {said}, in c = a * b"
    assert value_rule(graph, np.float64(np.float32(out))) == f"c = a * b is {said}"
    assert rule(graph, 0, grad * b * (1 + 1e-5)) == ""


def test_a_logarithm_is_asked_of_what_has_one() -> None:
    assert all((leaf > 0).all() for leaf in asked(Operation.LOG).leaves)
    assert any((leaf < 0).any() for leaf in asked(Operation.MUL).leaves)
