"""The references of eecs498: torch, float64, forward only. The functions are the textbooks' definitions.

Sizes: N examples, D inputs, M outputs, C channels or classes, F filters, H and W height and width (in recurrent layers
H is the size of the hidden state), T steps in time, V words, K places of a sequence. `reg` weighs the sum of the
squared weights, once; in the networks of the third assignment half of it is right as well, since the course's pages
have both. Biases are free.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "adam",
    "adam_hat",
    "attend",
    "batchnorm",
    "batchnorm_running",
    "batchnorm_test",
    "conv",
    "convnet",
    "convnet_half",
    "convnet_scores",
    "dropout",
    "embedding",
    "feed_forward",
    "layernorm",
    "linear",
    "linear_relu",
    "linear_softmax",
    "linear_svm",
    "lstm",
    "lstm_step",
    "masked_attention",
    "max_pool",
    "momentum",
    "multi_head",
    "net",
    "net_half",
    "net_scores",
    "net_with_hidden",
    "predict",
    "predict_net",
    "relu",
    "rmsprop",
    "rnn",
    "rnn_step",
    "see_only_before",
    "self_attention",
    "spatial_batchnorm",
    "spatial_running",
    "temporal_softmax_loss",
    "visual_attention",
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
    return functional.cross_entropy(X @ W, y) + reg * (W * W).sum()


def predict(W: Tensor, X: Tensor) -> Tensor:
    """The class of the largest score."""
    return (X @ W).argmax(1)


# ---------------------------------------------------------------------------------------------------------- networks


def net_scores(params: Params, X: Tensor) -> Tensor:
    """{linear, ReLU} for all layers but the last, which is linear only."""
    layers = sum(name.startswith("W") for name in params)
    out = X
    for number in range(1, layers):
        out = linear_relu(out, params[f"W{number}"], params[f"b{number}"])
    return linear(out, params[f"W{layers}"], params[f"b{layers}"])


def net_with_hidden(params: Params, X: Tensor) -> tuple[Tensor, Tensor]:
    """Scores of two layers, and what the hidden one gives."""
    hidden = linear_relu(X, params["W1"], params["b1"])
    return linear(hidden, params["W2"], params["b2"]), hidden


def predict_net(params: Params, X: Tensor) -> Tensor:
    """The class of the largest score."""
    return net_scores(params, X).argmax(1)


def net(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    """Its loss: softmax, and reg times the sum of squares of every weight."""
    return functional.cross_entropy(net_scores(params, X), y) + reg * _squares(params)


def net_half(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    """With half of that."""
    return net(params, X, y, 0.5 * reg)


def convnet_scores(params: Params, X: Tensor) -> Tensor:
    """Convolution that keeps the size, ReLU, 2 x 2 max pool, linear, ReLU, linear."""
    pad = (params["W1"].shape[2] - 1) // 2
    hidden = max_pool(relu(conv(X, params["W1"], params["b1"], 1, pad)), 2, 2, 2)
    return linear(linear_relu(hidden, params["W2"], params["b2"]), params["W3"], params["b3"])


def convnet(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    """Its loss."""
    return functional.cross_entropy(convnet_scores(params, X), y) + reg * _squares(params)


def convnet_half(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    """With half of the penalty."""
    return convnet(params, X, y, 0.5 * reg)


def _squares(params: Params) -> Tensor:
    return torch.stack([(w * w).sum() for name, w in params.items() if name.startswith("W")]).sum()


# ------------------------------------------------------------------------------------------------------------ layers


def linear(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Each example as one row of D numbers, times w, plus b."""
    return x.flatten(1) @ w + b


def relu(x: Tensor) -> Tensor:
    """max(x, 0), any shape."""
    return torch.relu(x)


def linear_relu(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """One after the other."""
    return relu(linear(x, w, b))


def dropout(x: Tensor, mask: Tensor, p: float) -> Tensor:
    """Inverted: what the mask (of ones and zeros) keeps, over the share that is kept. p is the share that is not."""
    return x * mask / (1 - p)


def conv(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    """Cross-correlation with zeros around: (N, C, H, W), (F, C, HH, WW), (F,) -> (N, F, OH, OW)."""
    return functional.conv2d(x, w, b, stride=stride, padding=pad)


def max_pool(x: Tensor, pool_height: int, pool_width: int, stride: int) -> Tensor:
    """The largest of each window."""
    return functional.max_pool2d(x, (pool_height, pool_width), stride=stride)


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


def spatial_batchnorm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    """Batch norm in which a pixel is an example and a channel a column."""
    return _images(batchnorm(_pixels(x), gamma, beta, eps), x)


def spatial_running(
    batches: Sequence[Tensor], x: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float
) -> dict[str, Tensor]:
    """Running averages by channel, and images at test time."""
    found = batchnorm_running([_pixels(batch) for batch in batches], _pixels(x), gamma, beta, momentum, eps)
    return {**found, "out": _images(found["out"], x)}


def _pixels(x: Tensor) -> Tensor:
    return x.movedim(1, -1).flatten(0, -2)


def _images(pixels: Tensor, like: Tensor) -> Tensor:
    return pixels.unflatten(0, (like.shape[0], *like.shape[2:])).movedim(-1, 1)


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


def embedding(x: Tensor, W: Tensor) -> Tensor:
    """Row x[n, t] of W for each word: (N, T), (V, D) -> (N, T, D)."""
    return W[x]


def temporal_softmax_loss(x: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy summed over the steps whose word is not -1, and averaged over the N sequences."""
    return functional.cross_entropy(x.flatten(0, 1), y.flatten(), ignore_index=-1, reduction="sum") / len(x)


def visual_attention(prev_h: Tensor, A: Tensor) -> tuple[Tensor, Tensor]:
    """What a state (N, H) sees of a grid (N, H, P, Q): the weighted mean (N, H), and the weights (N, P, Q)."""
    weights = torch.einsum("nh,nhpq->npq", prev_h, A).flatten(1).div(prev_h.shape[1] ** 0.5).softmax(1)
    weights = weights.unflatten(1, A.shape[2:])
    return torch.einsum("nhpq,npq->nh", A, weights), weights


# --------------------------------------------------------------------------------------------------------- attention


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(query key^T / √M) value, over the last two axes."""
    return torch.softmax(query @ key.mT / query.shape[-1] ** 0.5, -1) @ value


def masked_attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """What is masked (1) is not seen. Values and weights."""
    scores = (query @ key.mT / query.shape[-1] ** 0.5).masked_fill(mask.bool(), -1e9)
    weights = torch.softmax(scores, -1)
    return weights @ value, weights


def self_attention(params: Params, x: Tensor) -> Tensor:
    """Query, key and value by linear layers of one sequence; weights (out, in), as torch.nn.Linear has them."""
    query, key, value = (functional.linear(x, params[f"{name}_w"], params[f"{name}_b"]) for name in "qkv")
    return attend(query, key, value)


def multi_head(params: dict[str, Any], x: Tensor) -> Tensor:
    """Heads side by side, and a linear layer over them."""
    seen = torch.cat([self_attention(head, x) for head in params["heads"]], -1)
    return functional.linear(seen, params["w"], params["b"])


def layernorm(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> Tensor:
    """Each place less its mean, over the root of its variance plus epsilon; then scaled and shifted."""
    return functional.layer_norm(x, x.shape[-1:], gamma, beta, epsilon)


def feed_forward(params: Params, x: Tensor) -> Tensor:
    """linear, ReLU, linear; weights (out, in)."""
    hidden = torch.relu(functional.linear(x, params["w1"], params["b1"]))
    return functional.linear(hidden, params["w2"], params["b2"])


def see_only_before(seq: Tensor) -> Tensor:
    """True where a place must not see another: (N, K) -> (N, K, K), the places after it."""
    size = seq.shape[1]
    return torch.ones(size, size, dtype=torch.bool).triu(1).expand(len(seq), size, size)
