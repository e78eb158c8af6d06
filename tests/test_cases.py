"""Drawn cases: reproducible, independent of each other, and what their names promise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from courses import make_course
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.assignment import Assignment, Draw, named_specs
from grader.cases import Case, draw_case
from grader.errors import ManifestError
from grader.manifest import load_assignment
from grader.numerics.trees import leaves, named_leaves
from grader.topics import find_manifest


@pytest.fixture(scope="module")
def mlp() -> Assignment:
    return load_assignment(find_manifest("mlp"))


def test_a_case_is_the_same_whatever_else_was_drawn(mlp: Assignment) -> None:
    for exercise in mlp.exercises:
        for spec in reversed(exercise.cases):
            first, second = draw_case(mlp, exercise, spec), draw_case(mlp, exercise, spec)
            assert [a.tolist() for a in leaves(first.inputs)] == [a.tolist() for a in leaves(second.inputs)]


def test_a_private_seed_moves_the_hidden_cases_and_no_other(mlp: Assignment) -> None:
    for exercise in mlp.exercises:
        for spec in exercise.cases:
            public, private = draw_case(mlp, exercise, spec), draw_case(mlp, exercise, spec, hidden_seed=5)
            same = public.sizes == private.sizes and all(
                map(np.array_equal, leaves(public.inputs), leaves(private.inputs))
            )
            assert same is not spec.hidden


def test_the_arrays_of_a_case_can_not_be_written_to(mlp: Assignment) -> None:
    for exercise in mlp.exercises:
        for spec in exercise.cases:
            case = draw_case(mlp, exercise, spec)
            every = [*leaves(case.inputs), *leaves(list(case.updates)), case.upstream]
            assert not any(array.flags.writeable for array in every if array is not None)


@pytest.mark.parametrize("seed", range(20))
def test_drawn_sizes_all_differ(mlp: Assignment, seed: int) -> None:
    for exercise in mlp.exercises:
        for spec in exercise.cases:
            if spec.hidden and all(isinstance(size, tuple) for size in spec.sizes.values()):
                sizes = draw_case(mlp, exercise, spec, hidden_seed=seed).sizes
                assert len(set(sizes.values())) == len(sizes)


def test_arrays_have_the_declared_axes_and_kinds(mlp: Assignment) -> None:
    for exercise in mlp.exercises:
        for spec in exercise.cases:
            case = draw_case(mlp, exercise, spec)
            for name, specs in exercise.inputs.items():
                for (label, leaf), (_, array) in zip(
                    named_specs(name, specs), named_leaves(case.inputs[name]), strict=True
                ):
                    assert array.shape == tuple(case.sizes[axis] for axis in leaf.axes)
                    _check_draw(spec.draw.get(label, leaf.draw), array, case.sizes)


def _check_draw(draw: Draw, array: np.ndarray, sizes: dict[str, int]) -> None:
    match draw:
        case Draw.CLASSES:
            assert array.dtype == np.int64
            assert array.min() >= 0
            assert array.max() < sizes["C"]
        case Draw.SPARSE:
            assert (array == 0).any()
            assert (array != 0).any()
        case Draw.NEAR_KINK:
            assert (np.abs(array) <= 1e-6).any()
            assert (array != 0).all()
        case Draw.TIES:
            assert len(np.unique(array)) < array.size
        case Draw.TINY:
            assert np.abs(array).max() < 1e-6
        case Draw.HUGE:
            assert np.abs(array).max() > 1e7
        case Draw.EXTREME:
            assert 1e4 <= np.abs(array).max() < 1e6
        case _:
            assert np.isfinite(array).all()


def test_images_and_labels_are_rows_of_the_same_digits(mlp: Assignment) -> None:
    exercise = mlp.exercise("training")
    case = draw_case(mlp, exercise, exercise.cases[0])
    with np.load(str(mlp.data)) as data:
        rows = {image.tobytes(): label for image, label in zip(data["images"], data["labels"], strict=True)}
    images = np.round(case.inputs["x"] * 255).astype(np.uint8)
    assert [rows[image.tobytes()] for image in images] == case.inputs["y"].tolist()
    assert case.inputs["x"].min() >= 0
    assert case.inputs["x"].max() == 1.0


# ---------------------------------------------------------------------------- draws that the shipped topic does not use


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Case]:
    """A case of odd draws, by seed."""
    exercise = (
        'name = "e"\nkind = "layer"\nforward = "f"\nbackward = "b"\nreference = "f"\noutput = ["N K", "D"]\n'
        'derived = { K = "(N + 2 * pad - D) // stride + 1" }\narguments = { pad = 1, stride = 2 }\n'
        "points = { forward = 1, backward = 1 }\n"
        'inputs.x = { axes = "N D", shift = 100, scale = 0.5 }\ninputs.p = { axes = "N D", draw = "positive" }\n'
        'inputs.o = { axes = "D", draw = "ones" }\ninputs.y = { axes = "N", draw = "ignored", of = "D" }\n'
        'inputs.m = { axes = "N D", draw = "mask" }\n'
        '[[exercise.case]]\nname = "c"\nsizes = { N = [4, 9], D = [2, 3] }\nhidden = true\n'
        'draw = { p = { draw = "positive", scale = 1e-3 } }\narguments = { stride = 1 }\n'
    )
    assignment = make_course(tmp_path_factory.mktemp("course"), exercise, "")
    return lambda seed: draw_case(assignment, assignment.exercises[0], assignment.exercises[0].cases[0], seed)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(seed=st.integers(0, 2**32))
def test_odd_draws_are_what_they_say(drawn: Callable[[int], Case], seed: int) -> None:
    case = drawn(seed)
    n, d, x, p, y, m = case.sizes["N"], case.sizes["D"], *(case.inputs[name] for name in "xpym")
    assert case.sizes["K"] == n + 2 - d + 1
    assert [array.shape for array in case.upstream] == [(n, n + 3 - d), (d,)]
    assert np.all(np.abs(x - 100) < 5)
    assert np.all(p > 0)
    assert np.max(p) < 1
    assert np.all(case.inputs["o"] == 1)
    assert -1 in y
    assert np.any(y >= 0)
    assert np.max(y) < d
    assert set(np.unique(m)) <= {0.0, 1.0}
    assert np.all(m.sum(axis=-1) >= 1)


@pytest.mark.parametrize(("formula", "problem"), [("D - N - 5", "is no size"), ("N // (D - D)", "divides by zero")])
def test_a_derived_size_that_is_none_names_the_case(tmp_path: Path, formula: str, problem: str) -> None:
    exercise = (
        'name = "e"\nkind = "layer"\nforward = "f"\nbackward = "b"\nreference = "f"\noutput = "K"\n'
        f'derived = {{ K = "{formula}" }}\ninputs = {{ x = "N D" }}\npoints = {{ forward = 1, backward = 1 }}\n'
        '[[exercise.case]]\nname = "small"\nsizes = { N = 3, D = 2 }\n'
    )
    assignment = make_course(tmp_path, exercise, "")
    with pytest.raises(ManifestError, match=f"derived.K.*small.*{problem}"):
        draw_case(assignment, assignment.exercises[0], assignment.exercises[0].cases[0])
