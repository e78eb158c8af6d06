"""The reference of the recurrent networks: torch, float64, forward only; autograd gives the gradients.

Sizes: N sequences in a batch, T steps of time, D inputs, H hidden units, G gates times H, M outputs, V symbols. Every
function is the definition itself, so that it can be read against the lesson line by line. The cells are those of
torch.nn.RNN, LSTM and GRU, with one bias (tests/test_topic_recurrent.py holds them equal).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

__all__ = [
    "clip_gradients",
    "embedding",
    "generate",
    "gru",
    "gru_step",
    "loss_of_text",
    "lstm",
    "lstm_step",
    "rnn",
    "rnn_step",
    "temporal_affine",
    "temporal_softmax_loss",
    "text_model",
    "train",
]

Params = dict[str, Tensor]
"""embed (V, D), wx (D, H), wh (H, H), b (H,), w (H, V), c (V,)."""


def rnn_step(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    """(N, D), (N, H), (D, H), (H, H), (H,) -> next h (N, H)."""
    return torch.tanh(x @ wx + h @ wh + b)


def rnn(x: Tensor, h0: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    """(N, T, D), (N, H), weights -> every h after h0 (N, T, H)."""

    def states() -> Iterator[Tensor]:
        h = h0
        for now in x.unbind(1):
            h = rnn_step(now, h, wx, wh, b)
            yield h

    return torch.stack(list(states()), dim=1)


def lstm_step(x: Tensor, h: Tensor, c: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """(N, D), (N, H), (N, H), (D, 4H), (H, 4H), (4H,) -> next h and c (N, H). Gates in the order i, f, g, o."""
    i, f, g, o = (x @ wx + h @ wh + b).chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def lstm(x: Tensor, h0: Tensor, c0: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    """(N, T, D), (N, H), (N, H), weights -> every h after h0 (N, T, H)."""

    def states() -> Iterator[Tensor]:
        h, c = h0, c0
        for now in x.unbind(1):
            h, c = lstm_step(now, h, c, wx, wh, b)
            yield h

    return torch.stack(list(states()), dim=1)


def gru_step(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    """(N, D), (N, H), (D, 3H), (H, 3H), (3H,) -> next h (N, H). Gates in the order r, z, n."""
    from_x, from_h = (x @ wx + b).chunk(3, dim=1), (h @ wh).chunk(3, dim=1)
    r, z = torch.sigmoid(from_x[0] + from_h[0]), torch.sigmoid(from_x[1] + from_h[1])
    return (1 - z) * torch.tanh(from_x[2] + r * from_h[2]) + z * h


def gru(x: Tensor, h0: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    """(N, T, D), (N, H), weights -> every h after h0 (N, T, H)."""

    def states() -> Iterator[Tensor]:
        h = h0
        for now in x.unbind(1):
            h = gru_step(now, h, wx, wh, b)
            yield h

    return torch.stack(list(states()), dim=1)


def embedding(codes: Tensor, w: Tensor) -> Tensor:
    """Rows of w: (N, T) of codes, (V, D) -> (N, T, D)."""
    return w[codes]


def temporal_affine(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """(N, T, D), (D, M), (M,) -> (N, T, M)."""
    return x @ w + b


def temporal_softmax_loss(scores: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    """Mean of -log softmax(scores)[n, t, y[n, t]] where mask is 1: (N, T, V), (N, T), (N, T) -> scalar."""
    counted = mask > 0
    return torch.nn.functional.cross_entropy(scores[counted], y[counted])


def text_model(params: Params, codes: Tensor) -> Tensor:
    """Embedding, RNN from a state of zeros, affine: parameters and (N, T) of codes -> scores (N, T, V)."""
    x = embedding(codes, params["embed"])
    h = rnn(x, x.new_zeros(len(x), len(params["b"])), params["wx"], params["wh"], params["b"])
    return temporal_affine(h, params["w"], params["c"])


def generate(params: Params, first: Tensor, length: int) -> Tensor:
    """The likeliest symbol after all those before it, again and again: (N,) of codes -> (N, length) after them."""
    codes = first[:, None]
    for _ in range(length):
        following = text_model(params, codes)[:, -1].argmax(dim=1, keepdim=True)
        codes = torch.cat([codes, following], dim=1)
    return codes[:, 1:]


def clip_gradients(grads: Params, limit: float) -> Params:
    """All gradients times one number, so that their common norm is at most `limit`."""
    norm = torch.cat([grad.flatten() for grad in grads.values()]).norm()
    return grads if norm <= limit else {name: grad * (limit / norm) for name, grad in grads.items()}


def train(
    params: Params, x: Tensor, y: Tensor, lr: float, limit: float, batch: int, steps: int
) -> tuple[Params, list[float]]:
    """SGD on clipped gradients of the mean loss: step k takes rows (k * batch + i) mod N, 0 <= i < batch.

    Returns:
        The trained parameters, and the loss of each step's batch before its update. `params` is left as it was.
    """
    trained = {name: value.detach().clone().requires_grad_() for name, value in params.items()}
    losses = []
    for step in range(steps):
        rows = (step * batch + torch.arange(batch, device=x.device)) % len(x)
        loss = temporal_softmax_loss(text_model(trained, x[rows]), y[rows], torch.ones_like(y[rows]))
        grads = torch.autograd.grad(loss, list(trained.values()))
        clipped = clip_gradients(dict(zip(trained, grads, strict=True)), limit)
        with torch.no_grad():
            for name, value in trained.items():
                value -= lr * clipped[name]
        losses.append(loss.item())
    return {name: value.detach() for name, value in trained.items()}, losses


def loss_of_text(params: Params, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Mean loss of the model on these windows, and the share of the symbols (0 to 1) that get the largest score."""
    with torch.no_grad():
        scores = text_model(params, x)
        accuracy = (scores.argmax(dim=2) == y).double().mean()
        return temporal_softmax_loss(scores, y, torch.ones_like(y)).item(), accuracy.item()
