"""Right answers to what is graded of eecs498, all in one file and in words of our own.

They are here to test the judge with, and the small mistakes in tests/submissions/eecs498 are laid over them. Who takes
the course will learn more from its own pages.
"""

import itertools
import math

import torch
from torch import nn

# ------------------------------------------------------------------------------------------------ linear classifiers


def svm_loss_naive(W, X, y, reg):
    """Hinge loss, an example and a class at a time."""
    loss, dW = torch.zeros((), dtype=W.dtype, device=W.device), torch.zeros_like(W)
    for row, right in zip(X, y.tolist(), strict=True):
        scores = row @ W
        for other in range(W.shape[1]):
            margin = scores[other] - scores[right] + 1.0
            if other != right and margin > 0:
                loss = loss + margin
                dW[:, other] += row
                dW[:, right] -= row
    return loss / len(X) + reg * (W * W).sum(), dW / len(X) + 2 * reg * W


def svm_loss_vectorized(W, X, y, reg):
    """The same without loops."""
    N = len(X)
    scores = X @ W
    margins = (scores - scores[torch.arange(N, device=y.device), y][:, None] + 1.0).clamp(min=0.0)
    margins[torch.arange(N, device=y.device), y] = 0.0
    dscores = (margins > 0).to(W.dtype)
    dscores[torch.arange(N, device=y.device), y] = -dscores.sum(1)
    return margins.sum() / N + reg * (W * W).sum(), X.t() @ dscores / N + 2 * reg * W


def softmax_loss_naive(W, X, y, reg):
    """Cross-entropy, an example at a time."""
    loss, dW = torch.zeros((), dtype=W.dtype, device=W.device), torch.zeros_like(W)
    for row, right in zip(X, y.tolist(), strict=True):
        scores = row @ W
        scores = scores - scores.max()
        total = scores.exp().sum()
        loss = loss + total.log() - scores[right]
        for c in range(W.shape[1]):
            dW[:, c] += (scores[c].exp() / total - float(c == right)) * row
    return loss / len(X) + reg * (W * W).sum(), dW / len(X) + 2 * reg * W


def softmax_loss_vectorized(W, X, y, reg):
    """The same without loops."""
    loss, dscores = softmax_loss(X @ W, y)
    return loss + reg * (W * W).sum(), X.t() @ dscores + 2 * reg * W


def softmax_loss(x, y):
    """Given by the course: cross-entropy of scores, and its gradient."""
    N = len(x)
    shifted = x - x.max(dim=1, keepdim=True).values
    log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
    dx = log_p.exp()
    dx[torch.arange(N, device=y.device), y] -= 1.0
    return -log_p[torch.arange(N, device=y.device), y].mean(), dx / N


def predict_linear_classifier(W, X):
    """The class of the largest score."""
    return (X @ W).argmax(dim=1)


# ------------------------------------------------------------------------------------------------------- two layers


def nn_forward_pass(params, X):
    """Scores, and what the hidden layer gives."""
    hidden = (X @ params["W1"] + params["b1"]).clamp(min=0.0)
    return hidden @ params["W2"] + params["b2"], hidden


def nn_forward_backward(params, X, y=None, reg=0.0):
    """Scores, or loss and gradients where y is given."""
    scores, hidden = nn_forward_pass(params, X)
    if y is None:
        return scores
    W1, W2 = params["W1"], params["W2"]
    loss, dscores = softmax_loss(scores, y)
    loss = loss + reg * ((W1 * W1).sum() + (W2 * W2).sum())
    dhidden = (dscores @ W2.t()) * (hidden > 0)
    return loss, {
        "W1": X.t() @ dhidden + 2 * reg * W1,
        "b1": dhidden.sum(0),
        "W2": hidden.t() @ dscores + 2 * reg * W2,
        "b2": dscores.sum(0),
    }


def nn_predict(params, loss_func, X):
    """The class of the largest score."""
    return loss_func(params, X).argmax(dim=1)


# ------------------------------------------------------------------------------------------------------------ layers


class Linear:
    """x w + b."""

    @staticmethod
    def forward(x, w, b):
        return x.reshape(len(x), -1) @ w + b, (x, w, b)

    @staticmethod
    def backward(dout, cache):
        x, w, _ = cache
        return (dout @ w.t()).reshape(x.shape), x.reshape(len(x), -1).t() @ dout, dout.sum(0)


class ReLU:
    """max(x, 0)."""

    @staticmethod
    def forward(x):
        return x.clamp(min=0.0), x

    @staticmethod
    def backward(dout, cache):
        return dout * (cache > 0)


class Linear_ReLU:
    """One after the other."""

    @staticmethod
    def forward(x, w, b):
        a, first = Linear.forward(x, w, b)
        out, second = ReLU.forward(a)
        return out, (first, second)

    @staticmethod
    def backward(dout, cache):
        first, second = cache
        return Linear.backward(ReLU.backward(dout, second), first)


class Dropout:
    """p is the probability to drop."""

    @staticmethod
    def forward(x, dropout_param):
        p, mask = dropout_param["p"], None
        if "seed" in dropout_param:
            torch.manual_seed(dropout_param["seed"])
        if dropout_param["mode"] == "train":
            mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
            x = x * mask
        return x, (dropout_param, mask)

    @staticmethod
    def backward(dout, cache):
        dropout_param, mask = cache
        return dout * mask if dropout_param["mode"] == "train" else dout


class Conv:
    """Every filter over every window of the padded images."""

    @staticmethod
    def forward(x, w, b, conv_param):
        seen = Conv.windows(x, w, conv_param)
        return torch.einsum("nchwij,fcij->nfhw", seen, w) + b[:, None, None], (x, w, b, conv_param)

    @staticmethod
    def backward(dout, cache):
        x, w, _, conv_param = cache
        pad, stride = conv_param["pad"], conv_param["stride"]
        (_, _, HH, WW), (N, C, H, W) = w.shape, x.shape
        dw = torch.einsum("nfhw,nchwij->fcij", dout, Conv.windows(x, w, conv_param))
        dpadded = torch.zeros(N, C, H + 2 * pad, W + 2 * pad, dtype=x.dtype, device=x.device)
        for h in range(dout.shape[2]):
            for v in range(dout.shape[3]):
                share = torch.einsum("nf,fcij->ncij", dout[:, :, h, v], w)
                dpadded[:, :, h * stride : h * stride + HH, v * stride : v * stride + WW] += share
        return dpadded[:, :, pad : pad + H, pad : pad + W], dw, dout.sum((0, 2, 3))

    @staticmethod
    def windows(x, w, conv_param):
        """(N, C, OH, OW, HH, WW)."""
        pad, stride = conv_param["pad"], conv_param["stride"]
        padded = nn.functional.pad(x, (pad, pad, pad, pad))
        return padded.unfold(2, w.shape[2], stride).unfold(3, w.shape[3], stride)


class MaxPool:
    """The largest of each window."""

    @staticmethod
    def forward(x, pool_param):
        stride = pool_param["stride"]
        seen = x.unfold(2, pool_param["pool_height"], stride).unfold(3, pool_param["pool_width"], stride)
        return seen.amax((4, 5)), (x, pool_param)

    @staticmethod
    def backward(dout, cache):
        x, pool_param = cache
        height, width, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
        dx = torch.zeros_like(x)
        n, c = torch.arange(x.shape[0], device=x.device)[:, None], torch.arange(x.shape[1], device=x.device)
        for h in range(dout.shape[2]):
            for v in range(dout.shape[3]):
                window = x[:, :, h * stride : h * stride + height, v * stride : v * stride + width]
                first = window.reshape(*x.shape[:2], -1).argmax(2)
                dx[n, c, h * stride + first // width, v * stride + first % width] += dout[:, :, h, v]
        return dx


class BatchNorm:
    """By the batch in training, by the running averages at test time."""

    @staticmethod
    def forward(x, gamma, beta, bn_param):
        eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
        running_mean = bn_param.get("running_mean", torch.zeros(x.shape[1], dtype=x.dtype, device=x.device))
        running_var = bn_param.get("running_var", torch.zeros(x.shape[1], dtype=x.dtype, device=x.device))
        if bn_param["mode"] == "train":
            mean, var = x.mean(0), x.var(0, correction=0)
            running_mean = momentum * running_mean + (1 - momentum) * mean
            running_var = momentum * running_var + (1 - momentum) * var
        elif bn_param["mode"] == "test":
            mean, var = running_mean, running_var
        else:
            raise ValueError(f"no mode {bn_param['mode']!r}")
        std = torch.sqrt(var + eps)
        x_hat = (x - mean) / std
        bn_param["running_mean"], bn_param["running_var"] = running_mean, running_var
        return gamma * x_hat + beta, (x_hat, std, gamma)

    @staticmethod
    def backward(dout, cache):
        x_hat, std, gamma = cache
        N = len(dout)
        centred = x_hat * std
        dx_hat = dout * gamma
        dvar = (dx_hat * centred).sum(0) * -0.5 / std**3
        dcentred = dx_hat / std + 2.0 * centred * dvar / N
        return dcentred - dcentred.mean(0), (dout * x_hat).sum(0), dout.sum(0)

    @staticmethod
    def backward_alt(dout, cache):
        x_hat, std, gamma = cache
        dbeta, dgamma = dout.sum(0), (dout * x_hat).sum(0)
        return gamma / std * (dout - (dbeta + x_hat * dgamma) / len(dout)), dgamma, dbeta


class SpatialBatchNorm:
    """Batch norm of the pixels, a channel a column."""

    @staticmethod
    def forward(x, gamma, beta, bn_param):
        pixels = x.permute(0, 2, 3, 1)
        out, cache = BatchNorm.forward(pixels.reshape(-1, x.shape[1]), gamma, beta, bn_param)
        return out.reshape(pixels.shape).permute(0, 3, 1, 2), cache

    @staticmethod
    def backward(dout, cache):
        pixels = dout.permute(0, 2, 3, 1)
        dx, dgamma, dbeta = BatchNorm.backward_alt(pixels.reshape(-1, dout.shape[1]), cache)
        return dx.reshape(pixels.shape).permute(0, 3, 1, 2), dgamma, dbeta


# -------------------------------------------------------------------------------------------------------- optimizers


def sgd_momentum(w, dw, config=None):
    """The velocity remembers."""
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    config["velocity"] = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    return w + config["velocity"], config


def rmsprop(w, dw, config=None):
    """A rate for every weight."""
    defaults = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8}
    config = {**defaults, "cache": torch.zeros_like(w), **(config or {})}
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    return w - config["learning_rate"] * dw / (config["cache"].sqrt() + config["epsilon"]), config


def adam(w, dw, config=None):
    """Both averages start at zero, and are corrected for it."""
    defaults = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "t": 0}
    config = {**defaults, "m": torch.zeros_like(w), "v": torch.zeros_like(w), **(config or {})}
    beta1, beta2 = config["beta1"], config["beta2"]
    config["t"] += 1
    config["m"] = beta1 * config["m"] + (1 - beta1) * dw
    config["v"] = beta2 * config["v"] + (1 - beta2) * dw**2
    m, v = config["m"] / (1 - beta1 ** config["t"]), config["v"] / (1 - beta2 ** config["t"])
    return w - config["learning_rate"] * m / (v.sqrt() + config["epsilon"]), config


# ---------------------------------------------------------------------------------------------------------- networks


class FullyConnectedNet:
    """{linear, ReLU, [dropout]} for every hidden layer, then linear and softmax."""

    def __init__(
        self,
        hidden_dims,
        input_dim=3072,
        num_classes=10,
        dropout=0.0,
        reg=0.0,
        weight_scale=1e-2,
        seed=None,
        dtype=torch.float,
        device="cpu",
    ):
        self.reg, self.dtype, self.num_layers = reg, dtype, 1 + len(hidden_dims)
        sizes = [input_dim, *hidden_dims, num_classes]
        self.params = {}
        for number, (inputs, outputs) in enumerate(itertools.pairwise(sizes), start=1):
            self.params[f"W{number}"] = weight_scale * torch.randn(inputs, outputs, dtype=dtype, device=device)
            self.params[f"b{number}"] = torch.zeros(outputs, dtype=dtype, device=device)
        self.dropout_param = {"p": dropout} if dropout != 0 else None
        if self.dropout_param and seed is not None:
            self.dropout_param["seed"] = seed

    def loss(self, X, y=None):
        """Scores, or loss and gradients where y is given."""
        out, caches, last = X.to(self.dtype), [], self.num_layers
        for number in range(1, last):
            out, cache = Linear_ReLU.forward(out, self.params[f"W{number}"], self.params[f"b{number}"])
            dropped = None
            if self.dropout_param:
                self.dropout_param["mode"] = "test" if y is None else "train"
                out, dropped = Dropout.forward(out, self.dropout_param)
            caches.append((cache, dropped))
        scores, cache = Linear.forward(out, self.params[f"W{last}"], self.params[f"b{last}"])
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        grads = {}
        dout, grads[f"W{last}"], grads[f"b{last}"] = Linear.backward(dscores, cache)
        for number in range(last - 1, 0, -1):
            cache, dropped = caches.pop()
            if self.dropout_param:
                dout = Dropout.backward(dout, dropped)
            dout, grads[f"W{number}"], grads[f"b{number}"] = Linear_ReLU.backward(dout, cache)
        for number in range(1, last + 1):
            W = self.params[f"W{number}"]
            loss = loss + self.reg * (W * W).sum()
            grads[f"W{number}"] = grads[f"W{number}"] + 2 * self.reg * W
        return loss, grads


class TwoLayerNet(FullyConnectedNet):
    """linear, ReLU, linear, softmax."""

    def __init__(
        self,
        input_dim=3072,
        hidden_dim=100,
        num_classes=10,
        weight_scale=1e-3,
        reg=0.0,
        dtype=torch.float32,
        device="cpu",
    ):
        super().__init__(
            [hidden_dim], input_dim, num_classes, reg=reg, weight_scale=weight_scale, dtype=dtype, device=device
        )


class ThreeLayerConvNet:
    """conv, ReLU, 2 x 2 max pool, linear, ReLU, linear, softmax."""

    def __init__(
        self,
        input_dims=(3, 32, 32),
        num_filters=32,
        filter_size=7,
        hidden_dim=100,
        num_classes=10,
        weight_scale=1e-3,
        reg=0.0,
        dtype=torch.float,
        device="cpu",
    ):
        self.reg, self.dtype = reg, dtype
        C, H, W = input_dims
        shapes = {
            "W1": (num_filters, C, filter_size, filter_size),
            "W2": (num_filters * (H // 2) * (W // 2), hidden_dim),
            "W3": (hidden_dim, num_classes),
        }
        kind = {"dtype": dtype, "device": device}
        self.params = {name: weight_scale * torch.randn(*shape, **kind) for name, shape in shapes.items()}
        for name, size in (("b1", num_filters), ("b2", hidden_dim), ("b3", num_classes)):
            self.params[name] = torch.zeros(size, **kind)

    def loss(self, X, y=None):
        """Scores, or loss and gradients where y is given."""
        params = self.params
        conv_param = {"stride": 1, "pad": (params["W1"].shape[2] - 1) // 2}
        out, conv = Conv.forward(X.to(self.dtype), params["W1"], params["b1"], conv_param)
        out, relu = ReLU.forward(out)
        out, pool = MaxPool.forward(out, {"pool_height": 2, "pool_width": 2, "stride": 2})
        out, hidden = Linear_ReLU.forward(out, params["W2"], params["b2"])
        scores, last = Linear.forward(out, params["W3"], params["b3"])
        if y is None:
            return scores
        loss, dout = softmax_loss(scores, y)
        grads = {}
        dout, grads["W3"], grads["b3"] = Linear.backward(dout, last)
        dout, grads["W2"], grads["b2"] = Linear_ReLU.backward(dout, hidden)
        dout = ReLU.backward(MaxPool.backward(dout, pool), relu)
        _, grads["W1"], grads["b1"] = Conv.backward(dout, conv)
        for name in ("W1", "W2", "W3"):
            loss = loss + self.reg * (params[name] ** 2).sum()
            grads[name] = grads[name] + 2 * self.reg * params[name]
        return loss, grads


# ------------------------------------------------------------------------------------------------------------ in time


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    """One step."""
    next_h = torch.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h, cache):
    """Its gradients."""
    x, prev_h, Wx, Wh, next_h = cache
    da = dnext_h * (1 - next_h**2)
    return da @ Wx.t(), da @ Wh.t(), x.t() @ da, prev_h.t() @ da, da.sum(0)


def rnn_forward(x, h0, Wx, Wh, b):
    """All steps."""
    h, states, caches = h0, [], []
    for t in range(x.shape[1]):
        h, cache = rnn_step_forward(x[:, t], h, Wx, Wh, b)
        states.append(h)
        caches.append(cache)
    return torch.stack(states, 1), caches


def rnn_backward(dh, cache):
    """Back through time: a state is seen by its own output and by the next step."""
    steps, carried = [], torch.zeros_like(dh[:, 0])
    for t in range(dh.shape[1] - 1, -1, -1):
        dx, carried, *weights = rnn_step_backward(dh[:, t] + carried, cache[t])
        steps.insert(0, (dx, *weights))
    dx, dWx, dWh, db = zip(*steps, strict=True)
    return torch.stack(dx, 1), carried, sum(dWx), sum(dWh), sum(db)


class LSTM(nn.Module):
    """Gates in the order input, forget, output, and the block's input."""

    def __init__(self, input_dim, hidden_dim):
        super().__init__()
        self.Wx = nn.Parameter(torch.randn(input_dim, 4 * hidden_dim) / math.sqrt(input_dim))
        self.Wh = nn.Parameter(torch.randn(hidden_dim, 4 * hidden_dim) / math.sqrt(hidden_dim))
        self.b = nn.Parameter(torch.zeros(4 * hidden_dim))

    def step_forward(self, x, prev_h, prev_c):
        i, f, o, g = (x @ self.Wx + prev_h @ self.Wh + self.b).chunk(4, dim=1)
        next_c = torch.sigmoid(f) * prev_c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(next_c), next_c

    def forward(self, x, h0):
        h, c, states = h0, torch.zeros_like(h0), []
        for t in range(x.shape[1]):
            h, c = self.step_forward(x[:, t], h, c)
            states.append(h)
        return torch.stack(states, 1)


class WordEmbedding(nn.Module):
    """Rows of a table."""

    def __init__(self, vocab_size, embed_size):
        super().__init__()
        self.W_embed = nn.Parameter(torch.randn(vocab_size, embed_size) / math.sqrt(vocab_size))

    def forward(self, x):
        return self.W_embed[x]


def temporal_softmax_loss(x, y, ignore_index=None):
    """Summed over the steps that count, averaged over the sequences."""
    N = x.shape[0]
    kept = torch.ones_like(y, dtype=torch.bool) if ignore_index is None else y != ignore_index
    loss, _ = softmax_loss(x[kept], y[kept])
    return loss * kept.sum() / N


def dot_product_attention(prev_h, A):
    """What a state sees of a grid: the weighted mean, and the weights."""
    N, H, P, Q = A.shape
    places = A.reshape(N, H, P * Q)
    weights = torch.softmax((prev_h[:, None] @ places / math.sqrt(H))[:, 0], dim=1)
    return (places @ weights[:, :, None])[:, :, 0], weights.reshape(N, P, Q)


# --------------------------------------------------------------------------------------------------------- attention


def scaled_dot_product_two_loop_single(query, key, value):
    """A query and a key at a time."""
    K, M = query.shape
    out = torch.zeros_like(value)
    for q in range(K):
        scores = torch.stack([query[q] @ key[k] / math.sqrt(M) for k in range(K)])
        out[q] = torch.softmax(scores, dim=0) @ value
    return out


def scaled_dot_product_two_loop_batch(query, key, value):
    """A sequence and a query at a time."""
    out = torch.zeros_like(value)
    for n in range(len(query)):
        for q in range(query.shape[1]):
            scores = key[n] @ query[n, q] / math.sqrt(query.shape[2])
            out[n, q] = torch.softmax(scores, dim=0) @ value[n]
    return out


def scaled_dot_product_no_loop_batch(query, key, value, mask=None):
    """All at once."""
    scores = query @ key.transpose(1, 2) / math.sqrt(query.shape[2])
    if mask is not None:
        scores = scores.masked_fill(mask, -1e9)
    weights = torch.softmax(scores, dim=2)
    return weights @ value, weights


class SelfAttention(nn.Module):
    """Query, key and value by linear layers."""

    def __init__(self, dim_in, dim_q, dim_v):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(dim_in, dim_q), nn.Linear(dim_in, dim_q), nn.Linear(dim_in, dim_v)
        self.weights_softmax = None

    def forward(self, query, key, value, mask=None):
        y, self.weights_softmax = scaled_dot_product_no_loop_batch(self.q(query), self.k(key), self.v(value), mask)
        return y


class MultiHeadAttention(nn.Module):
    """Heads side by side, and a linear layer over them."""

    def __init__(self, num_heads, dim_in, dim_out):
        super().__init__()
        self.heads = nn.ModuleList([SelfAttention(dim_in, dim_out, dim_out) for _ in range(num_heads)])
        self.last = nn.Linear(num_heads * dim_out, dim_in)

    def forward(self, query, key, value, mask=None):
        return self.last(torch.cat([head(query, key, value, mask) for head in self.heads], dim=2))


class LayerNormalization(nn.Module):
    """Place by place."""

    def __init__(self, emb_dim, epsilon=1e-10):
        super().__init__()
        self.epsilon = epsilon
        self.scale, self.shift = nn.Parameter(torch.ones(emb_dim)), nn.Parameter(torch.zeros(emb_dim))

    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        std = torch.sqrt((centred**2).mean(-1, keepdim=True) + self.epsilon)
        return self.scale * centred / std + self.shift


class FeedForwardBlock(nn.Module):
    """linear, ReLU, linear."""

    def __init__(self, inp_dim, hidden_dim_feedforward):
        super().__init__()
        self.first = nn.Linear(inp_dim, hidden_dim_feedforward)
        self.second = nn.Linear(hidden_dim_feedforward, inp_dim)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


def get_subsequent_mask(seq):
    """True for the places after each."""
    N, K = seq.shape
    places = torch.arange(K, device=seq.device)
    return (places[None, :] > places[:, None]).expand(N, K, K)
