"""The topic mlp: its solution against torch, its stub, its lesson, and the corpus of submissions to be graded.

What the judge says about the corpus is tested with the judge; here the submissions are only well-formed.
"""

from __future__ import annotations

import ast
import doctest
import importlib.util
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from grader.authoring.stubs import cut_stub, overlay

ROOT = Path(__file__).parent.parent
SOLUTION = ROOT / "reference" / "solutions" / "mlp.py"
CORPUS = ROOT / "tests" / "submissions" / "mlp"
SLIPS = sorted(folder for folder in CORPUS.iterdir() if folder.is_dir())
MANIFEST = tomllib.loads((ROOT / "assignments" / "mlp" / "assignment.toml").read_text(encoding="utf-8"))

NUMPY = pytest.param(np.asarray, id="numpy")
TORCH = pytest.param(torch.as_tensor, id="torch")


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"loaded_{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def student() -> ModuleType:
    return load(SOLUTION)


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    return load(ROOT / "reference" / "mlp.py")


def close(actual: Any, expected: torch.Tensor) -> None:
    assert tuple(actual.shape) == tuple(expected.shape)
    assert str(actual.dtype).endswith("float64")
    np.testing.assert_allclose(np.asarray(actual), expected.detach().numpy(), rtol=1e-10, atol=1e-10)


def drawn(seed: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


def parameters(seed: int, inputs: int, hidden: int, classes: int) -> dict[str, np.ndarray]:
    shapes = [(inputs, hidden), (hidden,), (hidden, classes), (classes,)]
    return dict(zip(["W1", "b1", "W2", "b2"], drawn(seed, *shapes), strict=True))


def leaf_tensors(arrays: list[np.ndarray]) -> list[torch.Tensor]:
    return [torch.tensor(array, requires_grad=True) for array in arrays]


# ------------------------------------------------------------------------------------ the solution against autograd


@pytest.mark.parametrize("array", [NUMPY, TORCH])
@pytest.mark.parametrize("sizes", [(3, 4, 5), (1, 5, 3), (4, 3, 1)])
def test_affine_is_the_references_and_its_gradient_is_autograds(student, reference, array, sizes):
    n, d, m = sizes
    x, w, b, dout = drawn(1, (n, d), (d, m), (m,), (n, m))
    leaves = leaf_tensors([x, w, b])
    expected = reference.affine(*leaves)
    out, cache = student.affine_forward(array(x), array(w), array(b))
    close(out, expected)
    gradients = torch.autograd.grad(expected, leaves, torch.tensor(dout))
    for actual, gradient in zip(student.affine_backward(array(dout), cache), gradients, strict=True):
        close(actual, gradient)


@pytest.mark.parametrize("array", [NUMPY, TORCH])
def test_relu_is_the_references_and_so_is_its_slope_at_zero(student, reference, array):
    x, dout = drawn(2, (5, 6), (5, 6))
    x[::2] = 0.0
    (leaf,) = leaf_tensors([x])
    expected = reference.relu(leaf)
    out, cache = student.relu_forward(array(x))
    close(out, expected)
    close(student.relu_backward(array(dout), cache), torch.autograd.grad(expected, leaf, torch.tensor(dout))[0])


@pytest.mark.parametrize("array", [NUMPY, TORCH])
@pytest.mark.parametrize("scale", [1.0, 1e-8, 1e4])
def test_softmax_loss_is_the_references_at_any_scale(student, reference, array, scale):
    (scores,) = drawn(3, (7, 4))
    scores *= scale
    y = np.random.default_rng(3).integers(0, 4, 7)
    (leaf,) = leaf_tensors([scores])
    expected = reference.softmax_loss(leaf, torch.tensor(y))
    loss, dscores = student.softmax_loss(array(scores), array(y))
    close(loss, expected)
    close(dscores, torch.autograd.grad(expected, leaf)[0])


@pytest.mark.parametrize("array", [NUMPY, TORCH])
def test_the_network_is_the_references_and_its_gradients_are_autograds(student, reference, array):
    params = parameters(4, 4, 6, 5)
    x, dscores = drawn(5, (3, 4), (3, 5))
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    expected = reference.mlp(leaves, torch.tensor(x))
    scores, cache = student.mlp_forward({name: array(value) for name, value in params.items()}, array(x))
    close(scores, expected)
    gradients = torch.autograd.grad(expected, list(leaves.values()), torch.tensor(dscores))
    actual = student.mlp_backward(array(dscores), cache)
    assert set(actual) == set(params)
    for name, gradient in zip(leaves, gradients, strict=True):
        close(actual[name], gradient)


@pytest.mark.parametrize("array", [NUMPY, TORCH])
def test_four_steps_are_the_optimizers_and_touch_nothing(student, reference, array):
    start = parameters(6, 3, 4, 2)
    leaves = [torch.tensor(value, requires_grad=True) for value in start.values()]
    optimizer = reference.sgd(leaves, 0.1)
    params = {name: array(value.copy()) for name, value in start.items()}
    first = params
    for seed in range(4):
        grads = parameters(seed, 3, 4, 2)
        for leaf, gradient in zip(leaves, grads.values(), strict=True):
            leaf.grad = torch.tensor(gradient)
        optimizer.step()
        params = student.sgd_step(params, {name: array(value) for name, value in grads.items()}, 0.1)
        for name, leaf in zip(start, leaves, strict=True):
            close(params[name], leaf)
    for name, value in start.items():
        close(first[name], torch.tensor(value))


@pytest.mark.parametrize("array", [NUMPY, TORCH])
def test_training_wraps_around_as_the_reference_does(student, reference, array):
    params = parameters(7, 3, 4, 2)
    (x,) = drawn(8, (5, 3))
    y = np.array([0, 1, 1, 0, 1])
    tensors = {name: torch.tensor(value) for name, value in params.items()}
    expected, expected_losses = reference.train(tensors, torch.tensor(x), torch.tensor(y), 0.1, 3, 6)
    given = {name: array(value) for name, value in params.items()}
    trained, losses = student.train(given, array(x), array(y), 0.1, 3, 6)
    assert [type(loss) for loss in losses] == [float] * 6
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-10)
    for name in params:
        close(trained[name], expected[name])
        close(tensors[name], torch.tensor(params[name]))


def test_the_reference_takes_the_rows_that_the_statement_names(reference):
    x = torch.eye(5, dtype=torch.float64)
    y = torch.tensor([0, 1, 2, 3, 4])
    scores = torch.arange(25, dtype=torch.float64).reshape(5, 5) % 7
    params = {"W1": torch.eye(5, dtype=torch.float64), "b1": torch.zeros(5, dtype=torch.float64)}
    params |= {"W2": scores, "b2": torch.zeros(5, dtype=torch.float64)}
    _, losses = reference.train(params, x, y, 0.0, 3, 3)  # at rate 0 a loss says which rows it is of
    of_row = -torch.log_softmax(scores, dim=1).diagonal()
    expected = [of_row[rows].mean().item() for rows in ([0, 1, 2], [3, 4, 0], [1, 2, 3])]
    assert losses == pytest.approx(expected, rel=1e-12)


def test_the_evaluation_counts_the_right_answers(reference):
    zeros = torch.zeros(2, dtype=torch.float64)
    eye = torch.eye(2, dtype=torch.float64)
    params = {"W1": eye, "b1": zeros, "W2": eye, "b2": zeros}
    loss, accuracy = reference.softmax_loss_of(
        params, torch.tensor([[1.0, 0.0], [0.0, 1.0]]).double(), torch.tensor([0, 0])
    )
    assert accuracy == 0.5
    assert loss == pytest.approx((np.log(1 + np.exp(-1)) + np.log(1 + np.exp(1))) / 2)


# --------------------------------------------------------------------------------------------- stub, lesson and data


def test_the_stub_is_what_would_be_cut_from_the_solution():
    stub = (ROOT / "assignments" / "mlp" / "mlp.py").read_text(encoding="utf-8")
    assert stub == cut_stub(SOLUTION.read_text(encoding="utf-8"))


def test_every_function_of_the_manifest_waits_to_be_written():
    stub = load(ROOT / "assignments" / "mlp" / "mlp.py")
    roles = ["forward", "backward", "step", "train"]
    names = [exercise[role] for exercise in MANIFEST["exercise"] for role in roles if role in exercise]
    names += [exercise["loss"] for exercise in MANIFEST["exercise"] if exercise["kind"] == "loss"]
    assert len(names) == 9
    for name in names:
        function = getattr(stub, name)
        with pytest.raises(NotImplementedError, match=f"^{name} is not written yet$"):
            function(*[None] * function.__code__.co_argcount)


def test_the_numbers_of_the_lesson_are_right(student, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "mlp", student)
    lesson = ROOT / "assignments" / "mlp" / "README.md"
    results = doctest.testfile(str(lesson), module_relative=False, encoding="utf-8")
    assert results.attempted >= 30
    assert results.failed == 0


def test_the_digits_are_what_their_licence_file_says():
    with np.load(ROOT / "reference" / "data" / "mnist_10k.npz", allow_pickle=False) as data:
        images, labels = data["images"], data["labels"]
    assert (images.shape, images.dtype) == ((10000, 28, 28), np.uint8)
    assert (labels.shape, labels.dtype) == ((10000,), np.uint8)
    assert images.max() == 255
    train, held_out = np.bincount(labels[:8000]), np.bincount(labels[8000:])
    assert (train.min(), train.max(), held_out.min(), held_out.max()) == (690, 902, 173, 225)


# -------------------------------------------------------------------------------------------------------- the corpus

FIELDS = {"title", "whole", "fails", "expect"}
PARTS = {f"{exercise['name']}/{part}" for exercise in MANIFEST["exercise"] for part in exercise["points"]}
DOES_NOT_PARSE = {
    ("load_syntax_error", "mlp.py"),
    ("load_helper_does_not_parse", "layers.py"),
    ("load_python_2", "mlp.py"),
}


def test_the_corpus_is_large_enough():
    odd = [folder for folder in SLIPS if folder.name.startswith("right_")]
    assert len(odd) >= 10
    assert len(SLIPS) - len(odd) >= 45


@pytest.mark.parametrize("folder", SLIPS, ids=lambda folder: folder.name)
def test_a_submission_says_what_must_be_found(folder: Path):
    expected = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))
    assert FIELDS - {"expect"} <= expected.keys() <= FIELDS
    assert expected["title"]
    assert expected["title"][-1] != "."
    fails, rows = expected["fails"], expected.get("expect", [])
    assert set(fails) <= PARTS
    assert len(fails) == len(set(fails))
    for row in rows:
        assert {"part", "code"} <= row.keys() <= {"part", "code", "hint"}
        assert row["part"] in PARTS
        assert row["part"] in fails or row["code"] in ("MUTATES_ARGUMENT", "CHECKS_ITSELF", "ANSWERED")
    if folder.name.startswith("right_"):
        assert not fails
    else:
        assert any(row["part"] in fails for row in rows)


@pytest.mark.parametrize("folder", SLIPS, ids=lambda folder: folder.name)
def test_a_submission_composes_and_parses_unless_it_is_meant_not_to(folder: Path):
    expected = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))
    sources = {path.name: path.read_bytes() for path in folder.rglob("*.py")}
    if not expected["whole"]:
        assert list(sources) == ["mlp.py"]
        solution = SOLUTION.read_text(encoding="utf-8")
        composed = overlay(solution, sources["mlp.py"].decode("utf-8"))
        assert composed != overlay(solution, solution)
        sources = {"mlp.py": composed.encode("utf-8")}
    for archive in folder.glob("*.zip"):
        with zipfile.ZipFile(archive) as files:
            sources |= {
                name: files.read(name)
                for name in files.namelist()
                if Path(name).suffix == ".py" and not Path(name).name.startswith("._")
            }
    assert sources or list(folder.glob("*.ipynb"))
    for name, source in sources.items():
        if (folder.name, Path(name).name) in DOES_NOT_PARSE:
            with pytest.raises(SyntaxError):
                ast.parse(source)
        else:
            ast.parse(source)
