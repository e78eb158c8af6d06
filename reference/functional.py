"""The reference of the network as functions of a list: torch, float64; autograd gives the gradients.

Sizes: N examples, D inputs, H, K, M hidden units, C classes. Parameters are a list of pairs (w, b), a pair a layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["loss", "loss_and_accuracy", "predict", "train", "update"]

Layers = Sequence[Sequence[Tensor]]
"""Pairs of w (inputs, outputs) and b (outputs,)."""


def predict(params: Layers, x: Tensor) -> Tensor:
    """Affine layers with a ReLU between each two: (N, D) -> scores (N, C)."""
    for w, b in params[:-1]:
        x = torch.relu(x @ w + b)
    w, b = params[-1]
    return x @ w + b


def loss(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    """Mean over the batch of -log softmax(predict(params, x))[n, y[n]]."""
    return torch.nn.functional.cross_entropy(predict(params, x), y.long())


def update(params: Layers, x: Tensor, y: Tensor, rate: float) -> list[tuple[Tensor, ...]]:
    """New parameters, one step of gradient descent on the loss of this batch away."""
    leaves = [[leaf.detach().requires_grad_() for leaf in pair] for pair in params]
    loss(leaves, x, y).backward()
    return [tuple(_moved(leaf, rate) for leaf in pair) for pair in leaves]


def train(
    params: Layers, x: Tensor, y: Tensor, rate: float, batch: int, steps: int
) -> tuple[list[list[Tensor]], list[float]]:
    """One update a step, batches in order: step k takes rows (k * batch + i) mod N, 0 <= i < batch.

    Returns:
        The trained parameters, and the loss of each step's batch before its update.
    """
    losses = []
    for step in range(steps):
        rows = (step * batch + torch.arange(batch)) % len(x)
        losses.append(loss(params, x[rows], y[rows]).item())
        params = update(params, x[rows], y[rows], rate)
    return [list(pair) for pair in params], losses


def loss_and_accuracy(params: Layers, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Mean loss on these examples, and the share of them (0 to 1) whose largest score is at y."""
    right = predict(params, x).argmax(dim=1) == y
    return loss(params, x, y).item(), right.double().mean().item()


def _moved(leaf: Tensor, rate: float) -> Tensor:
    assert leaf.grad is not None
    return leaf.detach() - rate * leaf.grad
