"""The references of cs231n: torch, float64, forward only. The functions are the textbooks' definitions.

Sizes: N examples, D inputs, M outputs, C channels or classes, F filters, H and W height and width (in recurrent layers
H is the size of the hidden state), T steps in time, V words, G groups. `reg` weighs the sum of the squared weights:
once in the linear classifiers, half of it in the networks, as the course has it. Biases, scales and shifts are free.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "Momentum",
    "adam",
    "adam_hat",
    "affine",
    "batchnorm",
    "batchnorm_running",
    "batchnorm_test",
    "conv",
    "convnet",
    "convnet_scores",
    "dropout",
    "fc_net",
    "fc_net_batchnorm",
    "fc_net_batchnorm_scores",
    "fc_net_layernorm",
    "fc_net_scores",
    "groupnorm",
    "layernorm",
    "linear_softmax",
    "linear_svm",
    "lstm",
    "lstm_step",
    "max_pool",
    "momentum",
    "new_convnet",
    "new_deep_net",
    "new_net",
    "relu",
    "rmsprop",
    "rnn",
    "rnn_step",
    "softmax_loss",
    "spatial_batchnorm",
    "spatial_running",
    "temporal_affine",
    "temporal_softmax_loss",
    "word_embedding",
]

Params = dict[str, Tensor]


# ------------------------------------------------------------------------------------------------ linear classifiers


def linear_svm(W: Tensor, X: Tensor, y: Tensor, reg: float) -> Tensor:
    """Mean over the examples of the sum over wrong classes of max(0, score - right score + 1), plus reg ΣW²."""
    scores = X @ W
    margins = torch.relu(scores - scores.gather(1, y[:, None]) + 1).scatter(1, y[:, None], 0.0)
    return margins.sum() / len(X) + reg * (W * W).sum()


def linear_softmax(W: Tensor, X: Tensor, y: Tensor, reg: float) -> Tensor:
    """Mean cross-entropy of the scores X W, plus reg ΣW²."""
    return softmax_loss(X @ W, y) + reg * (W * W).sum()


# ------------------------------------------------------------------------------------------------------------ layers


def affine(x: Tensor, w: Tensor, b: Tensor | float) -> Tensor:
    """Each example as one row of D numbers, times w, plus b: (N, P, Q), (P Q, M), (M,) -> (N, M)."""
    return x.flatten(1) @ w + b


def relu(x: Tensor) -> Tensor:
    """max(x, 0), any shape."""
    return torch.relu(x)


def softmax_loss(x: Tensor, y: Tensor) -> Tensor:
    """Mean over the examples of -log softmax(x)[n, y[n]]."""
    return functional.cross_entropy(x, y)


def batchnorm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    """Each column less its mean, over the root of its variance (of all N) plus eps; then scaled and shifted."""
    mean, var = x.mean(0), x.var(0, correction=0)
    return gamma * (x - mean) / torch.sqrt(var + eps) + beta


def batchnorm_test(
    x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, var: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The same with a mean and a variance from elsewhere, which stay what they are."""
    return gamma * (x - mean) / torch.sqrt(var + eps) + beta, mean, var


def batchnorm_running(
    batches: Sequence[Tensor], x: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float
) -> dict[str, Tensor]:
    """Running averages, from zero, after these batches; and what becomes of x at test time then."""
    mean = var = torch.zeros_like(gamma)
    for batch in batches:
        mean = momentum * mean + (1 - momentum) * batch.mean(0)
        var = momentum * var + (1 - momentum) * batch.var(0, correction=0)
    out, _, _ = batchnorm_test(x, gamma, beta, mean, var, eps)
    return {"running_mean": mean, "running_var": var, "out": out}


def layernorm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    """Each row less its mean, over the root of its variance plus eps; then scaled and shifted by column."""
    return functional.layer_norm(x, x.shape[1:], gamma, beta, eps)


def dropout(x: Tensor, mask: Tensor, p: float) -> Tensor:
    """Inverted: what the mask (of ones and zeros) keeps, over the share that is kept. p is the share that is not."""
    return x * mask / (1 - p)


def conv(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    """Cross-correlation with zeros around: (N, C, H, W), (F, C, HH, WW), (F,) -> (N, F, OH, OW)."""
    return functional.conv2d(x, w, b, stride=stride, padding=pad)


def max_pool(x: Tensor, pool_height: int, pool_width: int, stride: int) -> Tensor:
    """The largest of each window."""
    return functional.max_pool2d(x, (pool_height, pool_width), stride=stride)


def spatial_batchnorm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    """Batch norm in which a pixel is an example and a channel a column."""
    return _by_channel(batchnorm, x, gamma, beta, eps)


def spatial_running(
    batches: Sequence[Tensor], x: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float
) -> dict[str, Tensor]:
    """Running averages by channel, and images at test time."""
    found = batchnorm_running([_pixels(batch) for batch in batches], _pixels(x), gamma, beta, momentum, eps)
    return {**found, "out": _images(found["out"], x)}


def groupnorm(x: Tensor, gamma: Tensor, beta: Tensor, G: int, eps: float) -> Tensor:
    """Of each example the channels in G groups, each normalized as a whole; scale and shift (1, C, 1, 1)."""
    return gamma * functional.group_norm(x, G, eps=eps) + beta


def _pixels(x: Tensor) -> Tensor:
    return x.movedim(1, -1).flatten(0, -2)


def _images(pixels: Tensor, like: Tensor) -> Tensor:
    return pixels.unflatten(0, (like.shape[0], *like.shape[2:])).movedim(-1, 1)


def _by_channel(layer: Any, x: Tensor, *rest: Any) -> Tensor:
    return _images(layer(_pixels(x), *rest), x)


# -------------------------------------------------------------------------------------------------------- optimizers


class Momentum(torch.optim.Optimizer):
    """v = momentum v - learning_rate dw; w += v. torch's own keeps -v / learning_rate."""

    def __init__(self, params: list[Tensor], learning_rate: float, momentum: float) -> None:
        super().__init__(params, {"learning_rate": learning_rate, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """One step for every tensor."""
        for group in self.param_groups:
            for w in group["params"]:
                v = self.state[w].get("velocity", torch.zeros_like(w))
                self.state[w]["velocity"] = v = group["momentum"] * v - group["learning_rate"] * w.grad
                w += v


class AdamHat(torch.optim.Optimizer):
    """Adam with the corrections drawn together into the rate, so that epsilon stands beside the uncorrected root."""

    def __init__(self, params: list[Tensor], learning_rate: float, beta1: float, beta2: float, epsilon: float) -> None:
        super().__init__(params, {"rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """One step for every tensor."""
        for group in self.param_groups:
            beta1, beta2 = group["beta1"], group["beta2"]
            for w in group["params"]:
                state = self.state[w]
                t = state["step"] = state.get("step", 0) + 1
                m = state["exp_avg"] = beta1 * state.get("exp_avg", 0.0) + (1 - beta1) * w.grad
                v = state["exp_avg_sq"] = beta2 * state.get("exp_avg_sq", 0.0) + (1 - beta2) * w.grad**2
                rate = group["rate"] * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
                w -= rate * m / (v.sqrt() + group["epsilon"])


def momentum(params: list[Tensor], learning_rate: float, momentum: float) -> torch.optim.Optimizer:
    """SGD with momentum."""
    return Momentum(params, learning_rate, momentum)


def rmsprop(params: list[Tensor], learning_rate: float, decay_rate: float, epsilon: float) -> torch.optim.Optimizer:
    """RMSprop: w -= learning_rate dw / (√cache + epsilon), with cache the decaying average of dw²."""
    return torch.optim.RMSprop(params, lr=learning_rate, alpha=decay_rate, eps=epsilon)


def adam(
    params: list[Tensor], learning_rate: float, beta1: float, beta2: float, epsilon: float
) -> torch.optim.Optimizer:
    """Adam, both averages corrected for their start at zero."""
    return torch.optim.Adam(params, lr=learning_rate, betas=(beta1, beta2), eps=epsilon)


def adam_hat(
    params: list[Tensor], learning_rate: float, beta1: float, beta2: float, epsilon: float
) -> torch.optim.Optimizer:
    """Adam as its paper's section 2 has it at the end: another place for epsilon, right as well."""
    return AdamHat(params, learning_rate, beta1, beta2, epsilon)


# ---------------------------------------------------------------------------------------------------------- networks


def _penalty(params: Params, reg: float) -> Tensor:
    return 0.5 * reg * torch.stack([(w * w).sum() for name, w in params.items() if name.startswith("W")]).sum()


def _scores(params: Params, X: Tensor, norm: Any = None) -> Tensor:
    """{affine, [norm,] ReLU} for all layers but the last, which is affine only."""
    layers = sum(name.startswith("W") for name in params)
    out = X
    for number in range(1, layers):
        out = affine(out, params[f"W{number}"], params.get(f"b{number}", 0.0))
        out = out if norm is None else norm(out, params[f"gamma{number}"], params[f"beta{number}"], 1e-5)
        out = relu(out)
    return affine(out, params[f"W{layers}"], params[f"b{layers}"])


def fc_net_scores(params: Params, X: Tensor) -> Tensor:
    """Scores of a fully connected network, of two layers or more."""
    return _scores(params, X)


def fc_net(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    """Its loss: softmax, and half of reg times the sum of squares of every weight."""
    return softmax_loss(_scores(params, X), y) + _penalty(params, reg)


def fc_net_batchnorm(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    """With batch norm before each ReLU, in training. It takes every bias away again, so there is none."""
    return softmax_loss(_scores(params, X, batchnorm), y) + _penalty(params, reg)


def fc_net_layernorm(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    """With layer norm before each ReLU."""
    return softmax_loss(_scores(params, X, layernorm), y) + _penalty(params, reg)


def fc_net_batchnorm_scores(params: Params, batch: Tensor, X: Tensor) -> Tensor:
    """At test time, after one training pass over `batch`: its averages are the running ones by a tenth."""
    hidden, out = batch, X
    layers = sum(name.startswith("W") for name in params)
    for number in range(1, layers):
        w, b = params[f"W{number}"], params.get(f"b{number}", 0.0)
        gamma, beta = params[f"gamma{number}"], params[f"beta{number}"]
        hidden, out = affine(hidden, w, b), affine(out, w, b)
        out = relu(batchnorm_running([hidden], out, gamma, beta, 0.9, 1e-5)["out"])
        hidden = relu(batchnorm(hidden, gamma, beta, 1e-5))
    return affine(out, params[f"W{layers}"], params[f"b{layers}"])


def new_net(X: Tensor, hidden: int, classes: int) -> dict[str, Tensor]:
    """Shapes of a new two-layer network's parameters."""
    return _shapes({"W1": (X.shape[1], hidden), "b1": (hidden,), "W2": (hidden, classes), "b2": (classes,)})


def new_deep_net(X: Tensor, hidden: int, then: int, classes: int) -> dict[str, Tensor]:
    """Shapes of a new network of three layers with batch norm: the last one has none."""
    norms = {"gamma1": (hidden,), "beta1": (hidden,), "gamma2": (then,), "beta2": (then,)}
    weights = {"W1": (X.shape[1], hidden), "W2": (hidden, then), "W3": (then, classes)}
    return _shapes({**weights, "b1": (hidden,), "b2": (then,), "b3": (classes,), **norms})


def new_convnet(X: Tensor, filters: int, size: int, hidden: int, classes: int) -> dict[str, Tensor]:
    """Shapes of a new convolutional network's parameters."""
    flat = filters * (X.shape[2] // 2) * (X.shape[3] // 2)
    weights = {"W1": (filters, X.shape[1], size, size), "W2": (flat, hidden), "W3": (hidden, classes)}
    return _shapes({**weights, "b1": (filters,), "b2": (hidden,), "b3": (classes,)})


def _shapes(params: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    return {name: torch.tensor(shape) for name, shape in params.items()}


def convnet_scores(params: Params, X: Tensor) -> Tensor:
    """Convolution that keeps the size, ReLU, 2 x 2 max pool, affine, ReLU, affine."""
    size = params["W1"].shape[2]
    if size % 2 == 0:
        raise ValueError(f"a filter of {size} x {size} can't keep the size: it must be odd")
    pad = (size - 1) // 2
    hidden = max_pool(relu(conv(X, params["W1"], params["b1"], 1, pad)), 2, 2, 2)
    return affine(relu(affine(hidden, params["W2"], params["b2"])), params["W3"], params["b3"])


def convnet(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    """Its loss."""
    return softmax_loss(convnet_scores(params, X), y) + _penalty(params, reg)


# ------------------------------------------------------------------------------------------------------------ in time


def rnn_step(x: Tensor, prev_h: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    """tanh(x Wx + prev_h Wh + b): (N, D), (N, H) -> (N, H)."""
    return torch.tanh(x @ Wx + prev_h @ Wh + b)


def rnn(x: Tensor, h0: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    """All steps: (N, T, D), (N, H) -> (N, T, H)."""
    states, h = [], h0
    for now in x.unbind(1):
        h = rnn_step(now, h, Wx, Wh, b)
        states.append(h)
    return torch.stack(states, 1)


def lstm_step(x: Tensor, prev_h: Tensor, prev_c: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Gates in the order input, forget, output, and the block's input: (N, D), (N, H), (N, H) -> h, c."""
    i, f, o, g = (x @ Wx + prev_h @ Wh + b).chunk(4, 1)
    c = torch.sigmoid(f) * prev_c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def lstm(x: Tensor, h0: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    """All steps, from a cell of zeros."""
    states, h, c = [], h0, torch.zeros_like(h0)
    for now in x.unbind(1):
        h, c = lstm_step(now, h, c, Wx, Wh, b)
        states.append(h)
    return torch.stack(states, 1)


def word_embedding(x: Tensor, W: Tensor) -> Tensor:
    """Row x[n, t] of W for each word: (N, T), (V, D) -> (N, T, D)."""
    return W[x]


def temporal_affine(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """The same affine layer at every step: (N, T, D), (D, M), (M,) -> (N, T, M)."""
    return x @ w + b


def temporal_softmax_loss(x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    """Cross-entropy summed over the steps that the mask keeps, and averaged over the N sequences."""
    losses = functional.cross_entropy(x.flatten(0, 1), y.flatten(), reduction="none")
    return (losses * mask.flatten()).sum() / len(x)
