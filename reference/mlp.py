"""The reference of the two-layer network: torch, float64, forward only; autograd gives the gradients.

Sizes: N examples, D inputs, H hidden units, M outputs of a layer, C classes. Every function is the definition
itself, in the fewest words torch has for it, so that it can be read against the lesson line by line.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["affine", "mlp", "relu", "sgd", "softmax_loss", "softmax_loss_of", "train"]

Params = dict[str, Tensor]
"""W1 (D, H), b1 (H,), W2 (H, C), b2 (C,)."""


def affine(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """(N, D), (D, M), (M,) -> (N, M)."""
    return x @ w + b


def relu(x: Tensor) -> Tensor:
    """max(x, 0), any shape. autograd takes the derivative at 0 to be 0."""
    return torch.relu(x)


def softmax_loss(scores: Tensor, y: Tensor) -> Tensor:
    """Mean over the batch of -log softmax(scores)[n, y[n]]: (N, C), (N,) of classes -> scalar."""
    return torch.nn.functional.cross_entropy(scores, y.long(), reduction="mean")


def mlp(params: Params, x: Tensor) -> Tensor:
    """affine, ReLU, affine: parameters and (N, D) -> scores (N, C)."""
    hidden = relu(affine(x, params["W1"], params["b1"]))
    return affine(hidden, params["W2"], params["b2"])


def sgd(params: list[Tensor], lr: float) -> torch.optim.Optimizer:
    """Plain gradient descent over these leaves: no momentum, no decay."""
    return torch.optim.SGD(params, lr=lr)


def train(params: Params, x: Tensor, y: Tensor, lr: float, batch: int, steps: int) -> tuple[Params, list[float]]:
    """SGD on the mean loss, batches in order: step k takes rows (k * batch + i) mod N, 0 <= i < batch.

    Returns:
        The trained parameters, and the loss of each step's batch before its update. `params` is left as it was.
    """
    trained = {name: value.detach().clone().requires_grad_() for name, value in params.items()}
    optimizer = sgd(list(trained.values()), lr)
    losses = []
    for step in range(steps):
        rows = (step * batch + torch.arange(batch, device=x.device)) % len(x)
        loss = softmax_loss(mlp(trained, x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {name: value.detach() for name, value in trained.items()}, losses


def softmax_loss_of(params: Params, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Mean loss of the network on these examples, and the share of them (0 to 1) whose largest score is at y."""
    with torch.no_grad():
        scores = mlp(params, x)
        accuracy = (scores.argmax(dim=1) == y).double().mean()
        return softmax_loss(scores, y).item(), accuracy.item()
