"""Engines: graphs as data, drawn, evaluated, shown as code, made smaller, run beside the student's code and judged."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from courses import HEAD, checks, codes, grade_text, make_course, parts
from hypothesis import given, settings
from hypothesis import strategies as st
from topics import topic

from grader import reference
from grader.assignment import Exercise
from grader.authoring.corpus import compose, read_slip
from grader.calls import Call, Isolation, Loaded, Outcome, Returned, Source
from grader.cases import draw_case
from grader.checks.shrinking import MAX_CALLS, alone, apart, shrink, simpler, uses_of
from grader.errors import ManifestError
from grader.grading import Session, grade
from grader.graphs import Backward, Graph, Step, as_code, evaluate, pruned
from grader.operations import Form, GraphSpec, Operation
from grader.random_graphs import draw_graph, is_sound
from grader.reference import Oracle, Traced
from grader.sandbox.engine import run
from grader.sandbox.inprocess import InProcess
from grader.submission import Submission, read_submission
from grader.topics import submissions_folder

SIZES = {"B": 2, "N": 3, "D": 4}
SHAPES = ("N D", "D", "N 1", "B N D", "")
EVERYTHING = tuple(Operation)


def load_solution() -> ModuleType:
    assignment, _ = topic("autodiff")
    assert assignment.solution is not None
    spec = importlib.util.spec_from_file_location("worked_engine", assignment.solution)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WORKED = load_solution()


def by_torch(graph: Graph) -> Traced:
    """What the oracle makes of a graph."""
    assignment, oracle = topic("autodiff")
    return oracle.graph(assignment.exercises[0], graph)


def graph_of(*steps: Step, leaves: Sequence[Any] = (2.0,), at: int | None = None, gradient: Any = None) -> Graph:
    """A small graph; backward() is called on its last node."""
    arrays = tuple(np.asarray(leaf, dtype=np.float64) for leaf in leaves)
    last = len(arrays) + len(steps) - 1 if at is None else at
    given = None if gradient is None else np.asarray(gradient, dtype=np.float64)
    return Graph(leaves=arrays, steps=steps, backwards=(Backward(last, given),))


specs = st.builds(
    GraphSpec,
    nodes=st.integers(1, 9),
    operations=st.lists(st.sampled_from(EVERYTHING), min_size=1, max_size=6, unique=True).map(tuple),
    shapes=st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3, unique=True).map(tuple),
    form=st.sampled_from([Form.TREE, Form.GRAPH, Form.CHAIN]),
    backwards=st.integers(1, 3),
    upstream=st.booleans(),
)
seeds = st.integers(0, 2**32 - 1)


# -------------------------------------------------------------------------------------------------------------- laws


@settings(max_examples=60)
@given(specs, seeds)
def test_what_is_drawn_is_sound_and_all_of_it_is_needed(spec: GraphSpec, seed: int) -> None:
    graph = draw_graph(spec, SIZES, np.random.default_rng(seed))
    if graph is None:  # these shapes allow none of it
        return
    assert is_sound(graph)
    assert len(graph.backwards) == spec.backwards
    assert {step.operation for step in graph.steps} <= set(spec.operations)
    again = pruned(graph)
    assert (len(again.leaves), len(again.steps)) == (len(graph.leaves), len(graph.steps))
    assert all(np.array_equal(np.round(leaf, 2), leaf) for leaf in graph.leaves)
    if spec.form is Form.TREE and spec.backwards == 1:
        assert max(uses_of(graph, node) for node in range(len(graph.leaves) + len(graph.steps))) == 1
    same = draw_graph(spec, SIZES, np.random.default_rng(seed))
    assert same is not None
    assert as_code(same, "T") == as_code(graph, "T")


@settings(max_examples=60)
@given(specs, seeds)
def test_the_code_that_is_shown_does_what_torch_says(spec: GraphSpec, seed: int) -> None:
    graph = draw_graph(spec, {"B": 2, "N": 3, "D": 2}, np.random.default_rng(seed))
    if graph is None or "of shape" in as_code(graph, "Tensor"):
        return
    names: dict[str, Any] = {"np": np, "Tensor": WORKED.Tensor}
    exec(as_code(graph, "Tensor"), names)
    for name, expected in zip("abcdefghijklmnopqrstuvwxyz", by_torch(graph).gradients, strict=False):
        if name < "abcdefghijklmnopqrstuvwxyz"[len(graph.leaves)]:
            np.testing.assert_allclose(names[name].grad, expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=40)
@given(specs, seeds, st.sampled_from(EVERYTHING))
def test_shrinking_ends_in_a_sound_graph_that_still_fails(spec: GraphSpec, seed: int, culprit: Operation) -> None:
    graph = draw_graph(spec, SIZES, np.random.default_rng(seed))
    if graph is None or culprit not in {step.operation for step in graph.steps}:
        return
    asked = 0

    def fails(candidate: Graph) -> bool:
        nonlocal asked
        asked += 1
        return culprit in {step.operation for step in candidate.steps}

    smallest = shrink(graph, fails)
    assert [step.operation for step in smallest.steps] == [culprit]
    assert is_sound(smallest)
    assert asked <= MAX_CALLS
    assert not any(map(fails, simpler(smallest)))


@settings(max_examples=40)
@given(specs, seeds)
def test_the_uses_of_a_leaf_bring_it_its_gradient(spec: GraphSpec, seed: int) -> None:
    graph = draw_graph(spec, SIZES, np.random.default_rng(seed))
    if graph is None:
        return
    whole = by_torch(graph).gradients
    for leaf in range(len(graph.leaves)):
        split, uses = apart(graph, leaf), uses_of(graph, leaf)
        brought = by_torch(split).gradients[len(graph.leaves) : len(graph.leaves) + uses]
        np.testing.assert_allclose(sum(brought), whole[leaf], rtol=1e-9, atol=1e-9)


# ------------------------------------------------------------------------------------------------ what operations mean


@pytest.mark.parametrize("operation", Operation)
def test_torch_and_differences_agree_on_every_operation(operation: Operation) -> None:
    assignment, oracle = topic("autodiff")
    shapes = ("N D", "D N") if operation is Operation.MATMUL else ("N D",)
    for seed in range(3):
        graph = draw_graph(
            GraphSpec(nodes=1, operations=(operation,), shapes=shapes), SIZES, np.random.default_rng(seed)
        )
        assert graph is not None
        assert oracle.doubt_of_graph(assignment.exercises[0], graph, seed) is None
        values, _, strange = run(WORKED.Tensor, replace(graph, backwards=()).program, *graph.leaves)
        assert strange == ()
        np.testing.assert_allclose(values[-1], evaluate(graph)[-1], rtol=1e-12)


def test_a_wrong_reference_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    assignment, oracle = topic("autodiff")
    right = reference._traced
    graph = graph_of(Step(Operation.EXP, (0,)))
    monkeypatch.setattr(
        reference, "_traced", lambda graph: replace(right(graph), gradients=[2 * g for g in right(graph).gradients])
    )
    assert "is not the gradient" in str(oracle.doubt_of_graph(assignment.exercises[0], graph, 0))


def test_a_graph_as_code() -> None:
    graph = graph_of(
        Step(Operation.ADD, (0, 1)),
        Step(Operation.NUMBER_SUB, (2,), 1.5),
        Step(Operation.POW, (3,), -1),
        Step(Operation.SUM, (4,), (0, True)),
        Step(Operation.TRANSPOSE, (5,), (1, 0)),
        Step(Operation.INDEX, (6,), (0, (0, 1))),
        Step(Operation.TAKE, (7,), (0, 0)),
        leaves=([[0.5, -1.25]], [2.0, 3.0]),
        gradient=[1.0, 2.0],
    )
    assert as_code(graph, "Tensor") == "\n".join(
        [
            "a = Tensor(np.array([[0.5, -1.25]]))  # shape (1, 2)",
            "b = Tensor(np.array([2.0, 3.0]))",
            "c = a + b",
            "d = 1.5 - c",
            "e = d ** (-1)",
            "f = e.sum(axis=0, keepdims=True)",
            "g = f.transpose((1, 0))",
            "h = g[0, 0:1]",
            "i = h[[0, 0]]",
            "i.backward(np.array([1.0, 2.0]))",
        ]
    )
    hidden = as_code(graph, "Tensor", hide_values=True)
    assert "a = Tensor(... of shape (1, 2))" in hidden
    assert not re.search(r"1\.25|2\.0|3\.0", hidden)


def test_a_long_graph_shows_its_ends() -> None:
    graph = draw_graph(GraphSpec(nodes=81, form=Form.LADDER), {}, np.random.default_rng(0))
    assert graph is not None
    lines = as_code(graph, "V").splitlines()
    assert lines[1:3] == ["b = a + a", "c = b * -0.5"]
    assert "...  # 67 more steps" in lines
    assert lines[-2] == "t81 = t80 + t80"


def test_one_step_alone_keeps_an_operand_that_is_used_twice() -> None:
    graph = graph_of(Step(Operation.EXP, (0,)), Step(Operation.MUL, (1, 1)))
    assert as_code(alone(graph, 2), "T").splitlines()[1] == "b = a * a"


# ----------------------------------------------------------------------------------------- beside the student's code


def test_what_is_not_of_the_students_class_ends_the_steps() -> None:
    class Odd(WORKED.Tensor):  # type: ignore[name-defined, misc]
        def tanh(self) -> Any:
            return self.data

    graph = graph_of(Step(Operation.EXP, (0,)), Step(Operation.TANH, (1,)), Step(Operation.EXP, (2,)))
    Odd.exp = lambda self: Odd(np.exp(self.data))
    values, gradients, strange = run(Odd, graph.program, *graph.leaves)
    assert (len(values), gradients, len(strange)) == (1, [], 1)


def test_a_function_may_make_the_leaves() -> None:
    graph = graph_of(Step(Operation.EXP, (0,)))
    values, (gradient,), strange = run(lambda data: WORKED.Tensor(data), graph.program, *graph.leaves)
    assert (float(values[0]), strange) == (float(gradient), ())


# ----------------------------------------------------------------------------------------------------------- the judge

ENGINE = (
    'name = "e"\nkind = "engine"\nengine = "T"\npoints = { value = 1, gradient = 2 }\n[[exercise.case]]\nname = "c"\n'
)
SCALARS = ENGINE + 'sizes = {}\ngraph = { nodes = 5, operations = ["add", "mul"], form = "graph" }\n'
RIGHT = """
class T:
    def __init__(self, data, parents=()):
        self.data, self.parents, self.grad = data, parents, None
    def __add__(self, other):
        return T(self.data + other.data, ((self, 1.0), (other, 1.0)))
    def __mul__(self, other):
        return T(self.data * other.data, ((self, other.data), (other, self.data)))
    def backward(self, g=1.0):
        self.grad = np.asarray(g if self.grad is None else self.grad + g)
        for parent, slope in self.parents:
            parent.backward(g * slope)
"""

WRONG = {
    "a slope": ("((self, 1.0), (other, 1.0))", "((self, 1.0), (other, 2.0))", "gradient", "WRONG_GRADIENT", " = a + "),
    "assigned": ("g if self.grad is None else self.grad + g", "g", "gradient", "WRONG_GRADIENT", "more than once"),
    "a value": ("self.data * other.data, (", "self.data * other.data * 1.01, (", "value", "WRONG_VALUE", " * "),
    "no grad": ("self.grad = np.asarray(g if self.grad is None else self.grad + g)", "pass", "gradient",
                "WRONG_STRUCTURE", "a.grad must be a number, it is None"),
    "raises": ("def backward(self, g=1.0):", "def backward(self):", "gradient", "RAISED", "backward("),
    "an array": ("return T(self.data + other.data, ((self, 1.0), (other, 1.0)))", "return self.data + other.data",
                 "value", "WRONG_STRUCTURE", "must be of the class T, it is a number"),
    "text as data": ("self.data, self.parents, self.grad = data, parents, None",
                     "self.data, self.parents, self.grad = 'x' if parents else data, parents, None",
                     "value", "RAISED", "T raised"),
    "no class": ("class T:", "class U:", "value", "MISSING_FUNCTION", "no function T"),
}  # fmt: skip


def test_a_right_engine_earns_every_point(tmp_path: Path) -> None:
    report = grade_text(make_course(tmp_path, SCALARS, ""), RIGHT)
    assert report.score.verdict == "passed", codes(parts(report)["gradient"])
    assert (report.score.earned, report.exercises[0].kind) == (3.0, "engine")
    assert checks(report)[0].inputs.startswith("a graph of 5 steps over a ()")


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_engine_is_told_what_is_wrong(tmp_path: Path, name: str) -> None:
    old, new, part, code, words = WRONG[name]
    assert old in RIGHT
    report = grade_text(make_course(tmp_path, SCALARS, ""), RIGHT.replace(old, new))
    assert parts(report)[part].verdict == "failed"
    told = [f for check in parts(report)[part].checks for f in check.findings if f.code == code]
    assert words in "\n".join([told[0].headline, told[0].likely, told[0].graph]), told


@pytest.mark.parametrize(
    ("old", "new", "part", "words"),
    [
        ("(self, other.data), (other, self.data)", "(self, self.data), (other, other.data)", "gradient",
         "a.grad becomes grad * a (grad is the gradient of the result): not the derivative of c = a * b"),
        ("self.data + other.data", "self.data - other.data", "value", "c = a + b gives a - b"),
    ],
)  # fmt: skip
def test_what_the_wrong_rule_computes_is_told(tmp_path: Path, old: str, new: str, part: str, words: str) -> None:
    exercise = ENGINE + 'sizes = {}\ngraph = { nodes = 4, operations = ["add", "mul"] }\n'
    report = grade_text(make_course(tmp_path, exercise, ""), RIGHT.replace(old, new))
    assert any(words in f.likely for check in parts(report)[part].checks for f in check.findings)


def test_no_cause_is_named_where_none_was_found(tmp_path: Path) -> None:
    report = grade_text(
        make_course(tmp_path, SCALARS, ""), RIGHT.replace("self.grad = np.asarray(", "self.g = np.array(")
    )
    told = [f for check in parts(report)["gradient"].checks for f in check.findings]
    assert [(f.code, f.likely) for f in told] == [("WRONG_STRUCTURE", "")]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("broadcast_mean", "broadcasting / gradient, matmul / gradient and everything / gradient fail, so mend these"),
        ("network_forgets_n", ""),  # on a right engine
    ],
)
def test_what_is_built_on_a_wrong_engine_is_told_so(tmp_path: Path, name: str, words: str) -> None:
    assignment, oracle = topic("autodiff")
    path = compose(read_slip(submissions_folder() / "autodiff" / name), assignment, tmp_path)
    session = Session(assignment, InProcess(read_submission(path, assignment).source), oracle)
    exercise = assignment.exercise("network")
    part = next(part for part in exercise.parts if part.name == "gradient")
    told = [check.findings[0].likely for check in session.part(exercise, part).checks if check.findings]
    assert told
    assert all(words in likely if words else "engine" not in likely for likely in told), told


def test_a_hidden_failure_shows_the_graph_without_its_numbers(tmp_path: Path) -> None:
    course = make_course(tmp_path, SCALARS + "hidden = true\n", "")
    report = grade_text(course, RIGHT.replace("(other, 1.0))", "(other, 2.0))"), hidden_seed=5)
    (told,) = (f for f in parts(report)["gradient"].checks[0].findings if f.code == "WRONG_GRADIENT")
    assert "b = a + a" in told.graph
    assert not re.search(r"\d\.\d", told.graph + told.worst)


def test_the_derivative_of_wrong_values_earns_its_share(tmp_path: Path) -> None:
    wrong = RIGHT.replace(
        "self.data + other.data, ((self, 1.0), (other, 1.0))", "self.data - other.data, ((self, 1.0), (other, -1.0))"
    )
    report = grade_text(make_course(tmp_path, SCALARS, ""), wrong)
    assert [(part.name, part.earned) for part in parts(report).values()] == [("value", 0.0), ("gradient", 1.0)]
    assert codes(parts(report)["gradient"]) == {"GRADIENT_FOLLOWS_FORWARD"}


def test_not_written_is_said_in_one_line(tmp_path: Path) -> None:
    text = RIGHT.replace(
        "def backward(self, g=1.0):", "def backward(self, g=1.0):\n        raise NotImplementedError('no')"
    )
    report = grade_text(make_course(tmp_path, SCALARS, ""), text)
    assert codes(parts(report)["gradient"]) == {"NOT_WRITTEN"}
    assert parts(report)["value"].verdict == "passed"


class Forged:
    """A process that answers what it likes."""

    def __init__(self, value: Any) -> None:
        self.value = value

    isolation = Isolation()
    overflowed = False

    def load(self) -> Loaded:
        return Loaded(functions=("T",))

    def call(self, call: Call) -> Outcome:
        return Returned(value=self.value)

    def calls(self, calls: Sequence[Call]) -> list[Outcome]:
        return [self.call(call) for call in calls]

    def fresh(self) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize(
    "value",
    [None, (), ([], [], ()), ([np.zeros(())] * 99, [], ()), ([], [np.zeros(())], ([],)), np.zeros(3), ([], {}, ()),
     ([None] * 5, [None] * 9, (None,))],
    ids=str,
)  # fmt: skip
def test_a_forged_answer_is_the_submissions_fault(tmp_path: Path, value: Any) -> None:
    course = make_course(tmp_path, SCALARS, "")
    source = Source(entry="t.py", files={"t.py": b""})
    report = grade(course, Submission(name="t", path="t.py", source=source, notes=()), evaluator=Forged(value))
    assert (report.score.earned, report.score.undecided) == (0, 0)
    assert {check.fault for check in checks(report)} == {"student"}


def test_gradients_that_equal_what_went_in_are_the_courses_fault(tmp_path: Path) -> None:
    graph = 'sizes = {}\ngraph = { nodes = 4, operations = ["add_number"], form = "chain" }\n'
    report = grade_text(make_course(tmp_path, ENGINE + graph, ""), RIGHT)
    assert codes(parts(report)["gradient"]) == {"VACUOUS"}


BAD = {
    "inputs": (ENGINE.replace("points", 'inputs.x = "N"\npoints') + "sizes = {}\n", "inputs", "an engine is given"),
    "a reference": (ENGINE.replace("points", 'reference = "f"\npoints') + "sizes = {}\n", "reference", "against torch"),
    "no graph": (ENGINE + "sizes = {}\n", "graph", "an engine needs it"),
    "no steps": (ENGINE + "sizes = {}\ngraph = { nodes = 0 }\n", "graph", "1 to"),
    "no operations": (ENGINE + "sizes = {}\ngraph = { nodes = 1, operations = [] }\n", "graph", "no operations"),
    "unknown operation": (ENGINE + 'sizes = {}\ngraph = { nodes = 1, operations = ["conv"] }\n', "graph", "conv"),
    "an axis without a size": (ENGINE + 'sizes = {}\ngraph = { nodes = 1, shapes = ["N 1"] }\n', "sizes", "N"),
    "a graph elsewhere": (
        'name = "e"\nkind = "function"\nfunction = "f"\nreference = "f"\ninputs = { x = "N" }\npoints = { value = 1 }\n'
        '[[exercise.case]]\nname = "c"\nsizes = { N = 2 }\ngraph = { nodes = 1 }\n', "graph", "nothing else has it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_manifest_that_can_t_be_names_the_field(tmp_path: Path, name: str) -> None:
    exercise, field, problem = BAD[name]
    with pytest.raises(ManifestError, match=problem) as told:
        make_course(tmp_path, exercise, "def f(x):\n    return x\n", HEAD)
    assert field in str(told.value)


def test_shapes_that_allow_no_such_graph_are_the_courses_fault(tmp_path: Path) -> None:
    graph = 'sizes = {}\ngraph = { nodes = 1, operations = ["transpose"] }\n'
    report = grade_text(make_course(tmp_path, ENGINE + graph, ""), RIGHT)
    assert codes(parts(report)["value"]) == {"ORACLE_FAILED"}
    assert "do the shapes allow it" in checks(report)[0].findings[0].headline


@pytest.mark.parametrize(
    "exercise", [e for e in topic("autodiff")[0].exercises if e.kind == "engine"], ids=lambda e: e.name
)
def test_the_cases_of_the_topic_hold_every_operation_that_they_name(exercise: Exercise) -> None:
    assignment, _ = topic("autodiff")
    named: set[Operation] = set()
    drawn: set[Operation] = set()
    for case in exercise.cases:
        assert case.graph is not None
        graph = draw_case(assignment, exercise, case).graph
        assert graph is not None
        named |= set(case.graph.operations)
        drawn |= {step.operation for step in graph.steps}
    assert drawn == named


def test_torch_is_asked_about_a_case_once_for_all_submissions(monkeypatch: pytest.MonkeyPatch) -> None:
    assignment, _ = topic("autodiff")
    oracle = Oracle(assignment)
    assert assignment.solution is not None
    asked: list[Graph] = []
    monkeypatch.setattr(
        Oracle,
        "graph",
        lambda self, exercise, graph, ask=Oracle.graph: asked.append(graph) or ask(self, exercise, graph),
    )
    source = Source(entry="autodiff.py", files={"autodiff.py": assignment.solution.read_bytes()})
    submission = Submission(name="s", path="autodiff.py", source=source, notes=())
    for _ in range(2):
        assert grade(assignment, submission, evaluator=InProcess(source), oracle=oracle).score.verdict == "passed"
    assert len(asked) <= 2 * len(set(map(id, asked)))  # for what is expected, and for all nodes
