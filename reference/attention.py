"""The reference of the transformer: torch, float64, forward only; autograd gives the gradients.

Sizes: N sequences in a batch, T steps that ask, S steps that are asked, H heads, K entries of a query and of a key,
M of a value, D of the model, E heads times K, F hidden units, V symbols. Every function is the definition itself, so
that it can be read against the lesson line by line. tests/test_topic_attention.py holds them equal to torch's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

__all__ = [
    "affine",
    "attention",
    "block",
    "causal_mask",
    "gelu",
    "layer_norm",
    "loss_of_reverser",
    "merge_heads",
    "multi_head",
    "positions",
    "reverser",
    "sequence_loss",
    "softmax",
    "split_heads",
    "train",
]

Params = Mapping[str, Any]
"""A tree of tensors in dicts."""


def softmax(scores: Tensor) -> Tensor:
    """The exp of the scores, divided by their sum over the last axis: any shape."""
    return torch.softmax(scores, dim=-1)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """(..., T, K), (..., S, K), (..., S, M), (T, S) of 1 where a step may look -> (..., T, M)."""
    scores = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(mask == 0, -torch.inf)
    return softmax(scores) @ v


def causal_mask(x: Tensor) -> Tensor:
    """(N, T, D) -> (T, T): 1 where the column is not later than the row."""
    return torch.ones(x.shape[1], x.shape[1], dtype=x.dtype).tril()


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(N, T, heads * K) -> (N, heads, T, K)."""
    return torch.stack(x.chunk(heads, dim=2), dim=1)


def merge_heads(x: Tensor) -> Tensor:
    """(N, H, T, K) -> (N, T, H * K)."""
    return torch.cat(x.unbind(1), dim=2)


def multi_head(params: Params, x: Tensor, mask: Tensor, heads: int) -> Tensor:
    """wq, wk, wv (D, E) and wo (E, D), (N, T, D), (T, T) -> (N, T, D)."""
    q, k, v = (split_heads(x @ params[name], heads) for name in ("wq", "wk", "wv"))
    return merge_heads(attention(q, k, v, mask)) @ params["wo"]


def positions(x: Tensor) -> Tensor:
    """(N, T, D) -> (T, D): sines in the even columns and cosines in the odd ones, slower from pair to pair."""
    steps, pairs = torch.arange(x.shape[1], dtype=x.dtype), torch.arange(0, x.shape[2], 2, dtype=x.dtype)
    angles = steps[:, None] / 10000 ** (pairs / x.shape[2])
    encoding = torch.empty(x.shape[1:], dtype=x.dtype)
    encoding[:, 0::2], encoding[:, 1::2] = angles.sin(), angles.cos()
    return encoding


def layer_norm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    """(N, T, D), (D,), (D,) -> (N, T, D), each step on its own."""
    return torch.nn.functional.layer_norm(x, gamma.shape, gamma, beta, eps)


def affine(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """(N, T, D), (D, M), (M,) -> (N, T, M)."""
    return x @ w + b


def gelu(x: Tensor) -> Tensor:
    """x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))), any shape."""
    return torch.nn.functional.gelu(x, approximate="tanh")


def block(params: Params, x: Tensor, mask: Tensor, heads: int, eps: float) -> Tensor:
    """norm1, attention, norm2, mlp, each a dict; (N, T, D), (T, T) -> (N, T, D)."""
    norm1, norm2, mlp = params["norm1"], params["norm2"], params["mlp"]
    x = x + multi_head(params["attention"], layer_norm(x, norm1["gamma"], norm1["beta"], eps), mask, heads)
    hidden = affine(layer_norm(x, norm2["gamma"], norm2["beta"], eps), mlp["w1"], mlp["b1"])
    return x + affine(gelu(hidden), mlp["w2"], mlp["b2"])


def sequence_loss(scores: Tensor, y: Tensor) -> Tensor:
    """Mean of -log softmax(scores)[n, t, y[n, t]]: (N, T, V), (N, T) of symbols -> scalar."""
    return torch.nn.functional.cross_entropy(scores.flatten(0, 1), y.flatten())


def reverser(params: Params, codes: Tensor, heads: int, eps: float) -> Tensor:
    """Embedding and positions, a block in which every step sees all, affine: (N, T) of codes -> scores (N, T, V)."""
    x = params["embed"][codes]
    x = x + positions(x)
    everything = torch.ones(x.shape[1], x.shape[1], dtype=x.dtype)
    return affine(block(params["block"], x, everything, heads, eps), params["w"], params["c"])


def train(
    params: Params, x: Tensor, y: Tensor, heads: int, eps: float, lr: float, batch: int, steps: int
) -> tuple[Params, list[float]]:
    """SGD on the mean loss, batches in order: step k takes rows (k * batch + i) mod N, 0 <= i < batch.

    Returns:
        The trained parameters, and the loss of each step's batch before its update. `params` is left as it was.
    """
    trained = _map(lambda value: value.detach().clone().requires_grad_(), params)
    optimizer = torch.optim.SGD(_leaves(trained), lr=lr)
    losses = []
    for step in range(steps):
        rows = (step * batch + torch.arange(batch, device=x.device)) % len(x)
        loss = sequence_loss(reverser(trained, x[rows], heads, eps), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return _map(Tensor.detach, trained), losses


def loss_of_reverser(params: Params, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Mean loss on these sequences, and the share of the symbols (0 to 1) that get the largest score.

    The heads and the epsilon are those of the manifest's case.
    """
    with torch.no_grad():
        scores = reverser(params, x, heads=2, eps=1e-3)
        accuracy = (scores.argmax(dim=2) == y).double().mean()
        return sequence_loss(scores, y).item(), accuracy.item()


def _map(function: Any, tree: Any) -> Any:
    return {name: _map(function, item) for name, item in tree.items()} if isinstance(tree, dict) else function(tree)


def _leaves(tree: Any) -> list[Tensor]:
    return [leaf for item in tree.values() for leaf in _leaves(item)] if isinstance(tree, dict) else [tree]
