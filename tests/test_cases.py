"""Drawn cases: reproducible, independent of each other, and what their names promise."""

from __future__ import annotations

import numpy as np
import pytest

from grader.assignment import Assignment, Draw, named_specs
from grader.cases import draw_case
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
