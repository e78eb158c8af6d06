"""Mutants and variants of a source: what they change, that they parse, that variants keep the value."""

from __future__ import annotations

import ast
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.assignment import ArraySpec, CaseSpec
from grader.authoring.configurations import as_toml, configurations
from grader.authoring.trying import mutated_versions
from grader.authoring.variants import Variant, VariantKind, variants
from grader.calls import Source
from grader.errors import CourseError
from grader.manifest import load_assignment
from grader.mutants import Mutant, MutantKind, mutants
from grader.topics import find_manifest

LAYER = '''
import numpy as np


def f(x, w, eps):
    """A docstring stays as it is: x + 1."""
    out = np.sqrt(np.sum(x * x, axis=0) + eps) @ w
    return out, (x, w)


def f_backward(dout, cache):
    x, w = cache
    dx = np.zeros(x.shape)
    for i in range(len(x)):
        if x[i, 0] > 0:
            dx[i] += dout[i] - w[1:]
    return dx.copy(), dout.T / 3.0
'''
EXPECTED = {
    "a product where a matrix product stood": "* (w)",
    "mean where sum stood": "np.mean(x * x",
    "over axis 1, not 0": "axis=1",
    "over all axes": "axis=None",
    "what is added in a root, outside of it": "(np.sqrt(np.sum(x * x, axis=0)) + eps)",
    "the second half of a plus dropped": "np.sqrt((np.sum(x * x, axis=0)))",
    "results 1 and 2 in each other's place": "return dout.T / 3.0, dx.copy()",
    "an assignment where a plus onto it stood": "dx[i] = dout[i] - w[1:]",
    "a plus where a minus stood": "((dout[i]) + (w[1:]))",
    "ones where dout stood": "(dout * 0 + 1)[i]",
    "compared by >=": "((x[i, 0]) >= (0))",
    "begins one too late": "range(1, len(x))",
    "a slice from the start": "w[:]",
    "copy left out": "return (dx), ",
    "a transpose left out": "(dout) / 3.0",
    "6.0 where 3.0 stood": "dout.T / 6.0",
    "w where x stood": "range(len(w))",
    "always taken": "if True:",
    "the other sign of result 1": "return (-(dx.copy())), ",
    "a matrix product the other way round": "((w) @ (np.sqrt",
}


@pytest.mark.parametrize(("words", "code"), EXPECTED.items(), ids=EXPECTED)
def test_what_is_changed(words: str, code: str) -> None:
    found = [mutant for mutant in mutants(LAYER) if mutant.words.split(", in ")[0] == words]
    assert found
    assert any(code in mutant.source for mutant in found)


def test_every_mutant_parses_and_differs_in_one_line() -> None:
    lines = LAYER.splitlines()
    for mutant in mutants(LAYER):
        ast.parse(mutant.source)
        new = mutant.source.splitlines()
        changed = [n for n, (one, two) in enumerate(zip(lines, new, strict=True), start=1) if one != two]
        assert changed == [mutant.line], mutant


def test_no_two_mutants_are_the_same_and_the_docstring_stays() -> None:
    every = [mutant.source for mutant in mutants(LAYER)]
    assert len(set(every)) == len(every) > 80
    assert all("A docstring stays as it is: x + 1." in source for source in every)


def test_a_mutant_says_where_it_is_without_its_code() -> None:
    told = {str(mutant) for mutant in mutants(LAYER, ["f_backward"])}
    assert "f_backward, line 16: a plus where a minus stood, in what is added to a part of dx" in told
    assert all(text.startswith("f_backward") for text in told)
    assert not any(sign in text for text in told for sign in "[(*@")


@settings(max_examples=20)
@given(st.integers(0, 200), st.integers(0, 5))
def test_a_sample_is_of_the_size_asked_for_in_order_and_the_same_every_time(most: int, seed: int) -> None:
    every = mutants(LAYER)
    some = mutants(LAYER, most=most, seed=seed)
    assert some == mutants(LAYER, most=most, seed=seed)
    assert len(some) == min(most, len(every))
    places = [every.index(mutant) for mutant in some]
    assert places == sorted(places)


MARKED = """
def given(x):
    return x + 1


def f(x):
    y = x + 1
    # solution
    return y * 2
    # end solution


# solution
def own(x):
    return x - 1
# end solution


class C:
    def g(self, x):
        # solution
        return x / 2
        # end solution
"""


def test_only_what_students_write_is_changed() -> None:
    assert {mutant.line for mutant in mutants(MARKED)} == {9, 15, 22}
    assert {mutant.function for mutant in mutants(MARKED)} == {"f", "own", "C.g"}
    assert {mutant.function for mutant in mutants(MARKED, ["C"])} == {"C.g"}


def test_letters_of_several_bytes_are_no_obstacle() -> None:
    source = "def f(x):\n    θ = x['é'] + x  # Σ\n    return θ - 1\n"
    every = mutants(source)
    assert any("θ = ((x['é']) - (x))  # Σ" in mutant.source for mutant in every)
    for mutant in every:
        ast.parse(mutant.source)


def test_what_does_not_parse_is_told() -> None:
    with pytest.raises(CourseError, match="line 1"):
        mutants("def f(:\n")
    with pytest.raises(CourseError, match="line 1"):
        variants("def f(:\n")


@pytest.mark.parametrize("topic", ["mlp", "conv", "autodiff", "eecs498"])
def test_whole_solutions(topic: str) -> None:
    source = solution(topic)
    for mutant in mutants(source, most=25):
        ast.parse(mutant.source)
    for variant in variants(source)[::20]:
        ast.parse(variant.source)


def test_every_kind_of_mutant_occurs() -> None:
    found = {mutant.kind for topic in ("mlp", "conv", "norm", "recurrent") for mutant in mutants(solution(topic))}
    assert found == set(MutantKind)


def solution(topic: str) -> str:
    path = load_assignment(find_manifest(topic)).solution
    assert path is not None
    return path.read_text(encoding="utf-8")


# ----------------------------------------------------------------------------------------------------------- variants

RIGHT = """
import numpy as np


def f(x, w):
    hidden = x @ w
    other = np.sum(x, axis=0)
    size = hidden ** 2 - 0.5 * hidden
    size += np.mean(w * w, axis=1)[:3]
    scaled = size / (2.0 + other[:3] * other[:3])
    return scaled, other
"""


def run(source: str) -> tuple[Any, ...]:
    names: dict[str, Any] = {}
    exec(compile(source, "f.py", "exec"), names)
    rng = np.random.default_rng(5)
    return tuple(names["f"](rng.standard_normal((3, 4)), rng.standard_normal((4, 3))))


def test_variants_keep_the_value() -> None:
    right, every = run(RIGHT), variants(RIGHT)
    for variant in every:
        assert variant.source != RIGHT
        for one, other in zip(run(variant.source), right, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13, err_msg=str(variant))
    assert {variant.kind for variant in every} == set(VariantKind)


def test_a_sum_of_sequences_is_not_turned_round() -> None:
    source = "def f(x, y):\n    return (x,) + y, [*y] + x, 'a' + x\n"
    assert not [variant for variant in variants(source) if variant.kind is VariantKind.COMMUTED]


def test_statements_that_know_of_each_other_keep_their_order() -> None:
    source = "def f(x):\n    a = x + 1\n    b = a * 2\n    c = draw(x)\n    d = draw(x)\n    return b, c, d\n"
    assert not [variant for variant in variants(source) if variant.kind is VariantKind.REORDERED]


@given(st.sampled_from([Mutant, Variant]))
def test_values_are_frozen(kind: type) -> None:
    first = (mutants if kind is Mutant else variants)(RIGHT)[0]
    with pytest.raises(AttributeError):
        first.line = 3  # type: ignore[misc]


# ----------------------------------------------------------------------------------------------------- configurations


@pytest.mark.parametrize("topic", ["conv", "norm", "optimizers", "autodiff"])
def test_other_configurations_can_be_pasted_into_the_manifest(topic: str, tmp_path: Any) -> None:
    """What is written is what was tried: the manifest reads it back as the same case."""
    assignment = load_assignment(find_manifest(topic))
    exercise = assignment.exercises[0]
    every = configurations(exercise, most=25)
    text = assignment.manifest.read_text(encoding="utf-8")
    head, mark, rest = text.partition("[[exercise.case]]")
    pasted = "\n\n".join(as_toml(exercise, each.spec) for each in every)
    again = load_course(tmp_path, f"{head}{pasted}\n\n{mark}{rest}", assignment.manifest)
    read = {case.name: case for case in again.exercises[0].cases}
    for each in every:
        assert read[each.spec.name] == each.spec, json.dumps(as_toml(exercise, each.spec))


def load_course(folder: Any, text: str, manifest: Any) -> Any:
    """A manifest of this text beside the references of another one."""
    (folder / "assignments" / "t").mkdir(parents=True)
    (folder / "reference").symlink_to(manifest.parent.parent.parent / "reference")
    (folder / "assignments" / "t" / "assignment.toml").write_text(text, encoding="utf-8")
    return load_assignment(folder / "assignments" / "t" / "assignment.toml")


def test_configurations_differ_from_the_cases_and_from_each_other() -> None:
    exercise = load_assignment(find_manifest("conv")).exercise("conv")
    names = [each.spec.name for each in configurations(exercise)]
    assert len(names) == len(set(names)) > 100
    assert not set(names) & {case.name for case in exercise.cases}
    specs: list[CaseSpec] = [each.spec for each in configurations(exercise)]
    assert any(spec.arguments.get("pad") == 0 for spec in specs)
    assert any(isinstance(spec.draw.get("x"), ArraySpec) for spec in specs)
    assert any(spec.sizes["N"] == 1 for spec in specs)


def test_a_file_in_an_encoding_of_its_own_keeps_it() -> None:
    """What students hand in need not be UTF-8, and its mutants are that file but for one thing."""
    assignment = load_assignment(find_manifest("mlp"))
    raw = "# -*- coding: latin-1 -*-\n# Lösung\ndef relu_forward(x):\n    return x * (x > 0), x\n".encode("latin-1")
    versions = mutated_versions(assignment, Source(entry="mlp.py", files={"mlp.py": raw}))
    assert versions
    assert all(version.mutant is not None and "Lösung" in version.mutant.source for version in versions)
    loaded = [version.evaluator().load() for version in versions]
    assert all(not each.problems for each in loaded)
