"""The reference of the topic on modules: the functions that the classes stand for; torch, float64, forward only.

Sizes: N and K examples, D inputs, H and J hidden units, M outputs of a layer, C classes.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = [
    "accumulated",
    "interleaved",
    "linear",
    "mlp",
    "parameter_values",
    "rectified",
    "relu",
    "sequential",
    "sgd_steps",
    "shared",
    "softmax_loss",
    "softmax_loss_of",
    "train",
]

Params = dict[str, Tensor]


def linear(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """(N, D), (D, M), (M,) -> (N, M)."""
    return x @ w + b


def relu(x: Tensor) -> Tensor:
    """The larger of x and 0, any shape."""
    return torch.relu(x)


def rectified(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Linear, ReLU: (N, D), (D, M), (M,) -> (N, M)."""
    return relu(linear(x, w, b))


def sequential(params: Params, x: Tensor) -> Tensor:
    """Linear, ReLU, linear: W1 (D, H), b1, W2 (H, M), b2; (N, D) -> (N, M)."""
    return linear(relu(linear(x, params["W1"], params["b1"])), params["W2"], params["b2"])


def shared(params: Params, x: Tensor) -> Tensor:
    """One linear layer, w (D, D) and b (D,), and one ReLU, three times each: (N, D) -> (N, D)."""
    for _ in range(3):
        x = relu(linear(x, params["w"], params["b"]))
    return x


def mlp(params: dict[str, list[Tensor]], x: Tensor) -> Tensor:
    """Linear layers with a ReLU between each two: weights and biases, lists; (N, D) -> (N, M)."""
    *first, last = zip(params["weights"], params["biases"], strict=True)
    for w, b in first:
        x = relu(linear(x, w, b))
    return linear(x, *last)


def softmax_loss(scores: Tensor, y: Tensor) -> Tensor:
    """Mean over the batch of -log softmax(scores)[n, y[n]]: (N, C), (N,) of classes -> scalar."""
    return torch.nn.functional.cross_entropy(scores, y)


def parameter_values(first: Params, second: Params) -> list[Tensor]:
    """Those of a network that has the first layer twice, and the second within another network."""
    return [first["w"], first["b"], second["w"], second["b"]]


def _of_linear(x: Tensor, dout: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of w and b."""
    return x.T @ dout, dout.sum(dim=0)


def accumulated(
    w: Tensor, b: Tensor, x: Tensor, dout: Tensor, z: Tensor, dz: Tensor
) -> dict[str, tuple[Tensor, Tensor]]:
    """Gradients of a linear layer after one backward pass, after another, and after a third behind zero_grad."""
    first, second = _of_linear(x, dout), _of_linear(z, dz)
    both = (first[0] + second[0], first[1] + second[1])
    return {"one": first, "both": both, "again": second}


def interleaved(
    w: Tensor, b: Tensor, x: Tensor, dout: Tensor, z: Tensor, dz: Tensor
) -> dict[str, tuple[Tensor, Tensor] | Tensor]:
    """Two forward passes, of x and of z, then the backward passes of z and of x."""
    (dw, db), (more_w, more_b) = _of_linear(x, dout), _of_linear(z, dz)
    return {"dx": dout @ w.T, "dz": dz @ w.T, "parameters": (dw + more_w, db + more_b)}


def sgd_steps(params: Params, grads: list[Params], lr: float, momentum: float) -> list[Params]:
    """Parameters after each of these steps."""
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    optimizer = torch.optim.SGD(leaves.values(), lr=lr, momentum=momentum)
    after = []
    for step in grads:
        for name, leaf in leaves.items():
            leaf.grad = step[name].clone()
        optimizer.step()
        after.append({name: leaf.detach().clone() for name, leaf in leaves.items()})
    return after


def train(params: Params, x: Tensor, y: Tensor, lr: float, momentum: float, batch: int, steps: int) -> object:
    """SGD on the mean loss, batches in order: step k takes rows (k * batch + i) mod N, 0 <= i < batch.

    Returns:
        The trained parameters, and the loss of each step's batch before its update.
    """
    trained = {name: value.detach().clone().requires_grad_() for name, value in params.items()}
    optimizer = torch.optim.SGD(trained.values(), lr=lr, momentum=momentum)
    losses = []
    for step in range(steps):
        rows = (step * batch + torch.arange(batch, device=x.device)) % len(x)
        loss = softmax_loss(sequential(trained, x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {name: value.detach() for name, value in trained.items()}, losses


def softmax_loss_of(params: Params, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Mean loss of the network on these examples, and the share of them whose largest score is at y."""
    with torch.no_grad():
        scores = sequential(params, x)
        return softmax_loss(scores, y).item(), (scores.argmax(dim=1) == y).double().mean().item()
