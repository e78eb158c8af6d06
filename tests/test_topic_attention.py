"""What is special about the topic attention: its functions are torch's own, and its data are what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

REFERENCE = Path(__file__).parent.parent / "reference"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"loaded_{Path(name).stem}", REFERENCE / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    return load("attention.py")


@pytest.fixture(scope="module")
def student() -> ModuleType:
    return load("solutions/attention.py")


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))


def test_attention_is_that_of_torch(reference: ModuleType) -> None:
    q, k, v = drawn(2, 3, 4, 5), drawn(2, 3, 6, 5), drawn(2, 3, 6, 7)
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 0], [0, 1, 1, 1, 0, 1.0]])
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask.bool())
    torch.testing.assert_close(reference.attention(q, k, v, mask), expected)


def test_the_block_is_the_pre_norm_layer_of_torch(reference: ModuleType) -> None:
    torch.manual_seed(2)
    theirs = torch.nn.TransformerEncoderLayer(
        d_model=6,
        nhead=3,
        dim_feedforward=5,
        dropout=0.0,
        activation=reference.gelu,
        norm_first=True,
        batch_first=True,
        dtype=torch.float64,
    )
    attention, norm1, norm2 = theirs.self_attn, theirs.norm1, theirs.norm2
    with torch.no_grad():
        for parameter in (*norm1.parameters(), *norm2.parameters()):
            parameter.normal_()
        attention.in_proj_bias.zero_()
        attention.out_proj.bias.zero_()
    wq, wk, wv = (part.T for part in attention.in_proj_weight.chunk(3))
    params = {
        "norm1": {"gamma": norm1.weight, "beta": norm1.bias},
        "attention": {"wq": wq, "wk": wk, "wv": wv, "wo": attention.out_proj.weight.T},
        "norm2": {"gamma": norm2.weight, "beta": norm2.bias},
        "mlp": {"w1": theirs.linear1.weight.T, "b1": theirs.linear1.bias}
        | {"w2": theirs.linear2.weight.T, "b2": theirs.linear2.bias},
    }
    x = drawn(2, 4, 6)
    mask = reference.causal_mask(x)
    expected = theirs(x, src_mask=mask == 0)
    torch.testing.assert_close(reference.block(params, x, mask, heads=3, eps=norm1.eps), expected)


def test_without_positions_attention_sees_a_set(student: ModuleType) -> None:
    params = {name: drawn(6, 4).numpy() + k for k, name in enumerate(("wq", "wk", "wv"))} | {"wo": drawn(4, 6).numpy()}
    x, order = drawn(2, 5, 6).numpy(), [3, 0, 4, 1, 2]
    out, _ = student.multi_head_forward(params, x, np.ones((5, 5)), 2)
    other, _ = student.multi_head_forward(params, x[:, order], np.ones((5, 5)), 2)
    np.testing.assert_allclose(other, out[:, order], rtol=1e-12)


def test_what_was_learnt_from_60_sequences_turns_the_others_round(student: ModuleType) -> None:
    with np.load(REFERENCE / "data" / "reversed.npz", allow_pickle=False) as data:
        x, y = data["x"].astype(int), data["y"].astype(int)
    rng = np.random.default_rng(0)
    norm = {"gamma": np.ones(12), "beta": np.zeros(12)}
    heads = {name: 0.3 * rng.normal(size=(12, 8)) for name in ("wq", "wk", "wv")} | {
        "wo": 0.3 * rng.normal(size=(8, 12))
    }
    mlp = {"w1": 0.3 * rng.normal(size=(12, 10)), "b1": np.zeros(10)}
    mlp |= {"w2": 0.3 * rng.normal(size=(10, 12)), "b2": np.zeros(12)}
    block = {"norm1": norm, "attention": heads, "norm2": norm, "mlp": mlp}
    params = {"embed": rng.normal(size=(6, 12)), "block": block, "w": 0.3 * rng.normal(size=(12, 6)), "c": np.zeros(6)}
    params, _ = student.train(params, x[:60], y[:60], 2, 1e-3, 0.4, 20, 150)
    scores, _ = student.reverser_forward(params, x[60:], 2, 1e-3)
    assert (scores.argmax(axis=2) == y[60:]).mean() > 0.98  # as the lesson says: 99 % and more


def test_the_data_are_what_the_script_makes() -> None:
    made = load("data/make_reversed.py")
    with np.load(REFERENCE / "data" / "reversed.npz", allow_pickle=False) as data:
        assert set(data.files) == {"x", "y"}
        assert data["x"].dtype == data["y"].dtype == np.int8  # signed: codes, not pixels
        np.testing.assert_array_equal(data["x"], made.sequences(600))
        np.testing.assert_array_equal(data["y"], data["x"][:, ::-1])
        assert len(np.unique(data["x"], axis=0)) == 600
        assert np.bincount(data["x"].ravel()).shape == (6,)
