"""Right answers to what is graded of cs231n, all in one file and in words of our own.

They are here to test the judge with, and the small mistakes in tests/submissions/cs231n are laid over them. Who takes
the course will learn more from its own pages.
"""

import numpy as np

# ------------------------------------------------------------------------------------------------ linear classifiers


def svm_loss_naive(W, X, y, reg):
    """Hinge loss, an example and a class at a time."""
    loss, dW = 0.0, np.zeros_like(W)
    for row, right in zip(X, y, strict=True):
        scores = row @ W
        for other in range(W.shape[1]):
            margin = scores[other] - scores[right] + 1.0
            if other != right and margin > 0:
                loss += margin
                dW[:, other] += row
                dW[:, right] -= row
    return loss / len(X) + reg * np.sum(W * W), dW / len(X) + 2 * reg * W


def svm_loss_vectorized(W, X, y, reg):
    """The same without loops."""
    N = len(X)
    scores = X @ W
    margins = np.maximum(0.0, scores - scores[np.arange(N), y][:, None] + 1.0)
    margins[np.arange(N), y] = 0.0
    dscores = (margins > 0).astype(W.dtype)
    dscores[np.arange(N), y] = -dscores.sum(axis=1)
    return margins.sum() / N + reg * np.sum(W * W), X.T @ dscores / N + 2 * reg * W


def softmax_loss_naive(W, X, y, reg):
    """Cross-entropy, an example at a time."""
    loss, dW = 0.0, np.zeros_like(W)
    for row, right in zip(X, y, strict=True):
        scores = row @ W
        scores = scores - scores.max()
        total = np.exp(scores).sum()
        loss += np.log(total) - scores[right]
        for c in range(W.shape[1]):
            dW[:, c] += (np.exp(scores[c]) / total - (c == right)) * row
    return loss / len(X) + reg * np.sum(W * W), dW / len(X) + 2 * reg * W


def softmax_loss_vectorized(W, X, y, reg):
    """The same without loops."""
    loss, dscores = softmax_loss(X @ W, y)
    return loss + reg * np.sum(W * W), X.T @ dscores + 2 * reg * W


# ------------------------------------------------------------------------------------------------------------ layers


def affine_forward(x, w, b):
    """Each example as a row."""
    return x.reshape(len(x), -1) @ w + b, (x, w, b)


def affine_backward(dout, cache):
    """Gradients: dx in the shape of x, dw, db."""
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def relu_forward(x):
    """max(x, 0)."""
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    """The upstream gradient where x was positive."""
    return np.where(cache > 0, dout, 0.0)


def softmax_loss(x, y):
    """Cross-entropy of scores, and its gradient."""
    N = len(x)
    shifted = x - x.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    dx = np.exp(log_p)
    dx[np.arange(N), y] -= 1.0
    return -log_p[np.arange(N), y].mean(), dx / N


def batchnorm_forward(x, gamma, beta, bn_param):
    """By the batch in training, by the running averages at test time."""
    eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    running_mean = bn_param.get("running_mean", np.zeros(x.shape[1]))
    running_var = bn_param.get("running_var", np.zeros(x.shape[1]))
    cache = None
    if bn_param["mode"] == "train":
        mean, var = x.mean(axis=0), x.var(axis=0)
        std = np.sqrt(var + eps)
        x_hat = (x - mean) / std
        out, cache = gamma * x_hat + beta, (x_hat, std, gamma)
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_var = momentum * running_var + (1 - momentum) * var
    elif bn_param["mode"] == "test":
        out = gamma * (x - running_mean) / np.sqrt(running_var + eps) + beta
    else:
        raise ValueError(f"no mode {bn_param['mode']!r}")
    bn_param["running_mean"], bn_param["running_var"] = running_mean, running_var
    return out, cache


def batchnorm_backward(dout, cache):
    """Step by step: what the mean and the variance hand on comes back to every example."""
    x_hat, std, gamma = cache
    N = len(dout)
    centred = x_hat * std
    dx_hat = dout * gamma
    dvar = np.sum(dx_hat * centred, axis=0) * -0.5 / std**3
    dcentred = dx_hat / std + 2.0 * centred * dvar / N
    dx = dcentred - dcentred.sum(axis=0) / N
    return dx, np.sum(dout * x_hat, axis=0), dout.sum(axis=0)


def batchnorm_backward_alt(dout, cache):
    """Drawn together into one expression."""
    x_hat, std, gamma = cache
    dbeta, dgamma = dout.sum(axis=0), np.sum(dout * x_hat, axis=0)
    return gamma / std * (dout - (dbeta + x_hat * dgamma) / len(dout)), dgamma, dbeta


def layernorm_forward(x, gamma, beta, ln_param):
    """Row by row; train and test are the same."""
    std = np.sqrt(x.var(axis=1, keepdims=True) + ln_param.get("eps", 1e-5))
    x_hat = (x - x.mean(axis=1, keepdims=True)) / std
    return gamma * x_hat + beta, (x_hat, std, gamma)


def layernorm_backward(dout, cache):
    """As in batch norm, along the other axis."""
    x_hat, std, gamma = cache
    g = dout * gamma
    dx = (g - g.mean(axis=1, keepdims=True) - x_hat * np.mean(g * x_hat, axis=1, keepdims=True)) / std
    return dx, np.sum(dout * x_hat, axis=0), dout.sum(axis=0)


def dropout_forward(x, dropout_param):
    """Here p is the probability to keep."""
    p, mask = dropout_param["p"], None
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])
    out = x
    if dropout_param["mode"] == "train":
        mask = (np.random.rand(*x.shape) < p) / p
        out = x * mask
    return out.astype(x.dtype, copy=False), (dropout_param, mask)


def dropout_backward(dout, cache):
    """Through the same mask."""
    dropout_param, mask = cache
    return dout * mask if dropout_param["mode"] == "train" else dout


def windows(x, height, width, stride):
    """Given x (N, C, H, W): its windows, a view of shape (N, C, OH, OW, height, width)."""
    view = np.lib.stride_tricks.sliding_window_view(x, (height, width), axis=(2, 3))
    return view[:, :, ::stride, ::stride]


def conv_forward_naive(x, w, b, conv_param):
    """Every filter over every window of the padded images."""
    pad = conv_param["pad"]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    seen = windows(padded, *w.shape[2:], conv_param["stride"])
    return np.einsum("nchwij,fcij->nfhw", seen, w) + b[:, None, None], (x, w, b, conv_param)


def conv_backward_naive(dout, cache):
    """Each window gets its share of dx; where windows overlap, the shares add up."""
    x, w, _, conv_param = cache
    pad, stride = conv_param["pad"], conv_param["stride"]
    (_, _, HH, WW), (_, _, H, W) = w.shape, x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dw = np.einsum("nfhw,nchwij->fcij", dout, windows(padded, HH, WW, stride))
    dpadded = np.zeros_like(padded)
    for h in range(dout.shape[2]):
        for v in range(dout.shape[3]):
            share = np.einsum("nf,fcij->ncij", dout[:, :, h, v], w)
            dpadded[:, :, h * stride : h * stride + HH, v * stride : v * stride + WW] += share
    return dpadded[:, :, pad : pad + H, pad : pad + W], dw, dout.sum(axis=(0, 2, 3))


def max_pool_forward_naive(x, pool_param):
    """The largest of each window."""
    seen = windows(x, pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"])
    return seen.max(axis=(4, 5)), (x, pool_param)


def max_pool_backward_naive(dout, cache):
    """The upstream gradient goes to where the largest was: the first of them."""
    x, pool_param = cache
    height, width, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    dx = np.zeros_like(x)
    n, c = np.indices(x.shape[:2])
    for h in range(dout.shape[2]):
        for v in range(dout.shape[3]):
            window = x[:, :, h * stride : h * stride + height, v * stride : v * stride + width]
            first = window.reshape(*x.shape[:2], -1).argmax(axis=2)
            dx[n, c, h * stride + first // width, v * stride + first % width] += dout[:, :, h, v]
    return dx


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    """Batch norm of the pixels, a channel a column."""
    pixels = np.moveaxis(x, 1, -1)
    out, cache = batchnorm_forward(pixels.reshape(-1, x.shape[1]), gamma, beta, bn_param)
    return np.moveaxis(out.reshape(pixels.shape), -1, 1), cache


def spatial_batchnorm_backward(dout, cache):
    """Its gradients."""
    pixels = np.moveaxis(dout, 1, -1)
    dx, dgamma, dbeta = batchnorm_backward_alt(pixels.reshape(-1, dout.shape[1]), cache)
    return np.moveaxis(dx.reshape(pixels.shape), -1, 1), dgamma, dbeta


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    """G groups of channels, each normalized as a whole."""
    groups = x.reshape(len(x), G, -1)
    std = np.sqrt(groups.var(axis=2, keepdims=True) + gn_param.get("eps", 1e-5))
    x_hat = ((groups - groups.mean(axis=2, keepdims=True)) / std).reshape(x.shape)
    return gamma * x_hat + beta, (x_hat, std, gamma, G)


def spatial_groupnorm_backward(dout, cache):
    """As in layer norm, within each group."""
    x_hat, std, gamma, G = cache
    g, hat = ((dout * gamma).reshape(len(dout), G, -1), x_hat.reshape(len(dout), G, -1))
    dx = (g - g.mean(axis=2, keepdims=True) - hat * np.mean(g * hat, axis=2, keepdims=True)) / std
    sums = {"axis": (0, 2, 3), "keepdims": True}
    return dx.reshape(dout.shape), np.sum(dout * x_hat, **sums), np.sum(dout, **sums)


# -------------------------------------------------------------------------------------------------------- optimizers


def sgd_momentum(w, dw, config=None):
    """The velocity remembers."""
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": np.zeros_like(w), **(config or {})}
    config["velocity"] = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    return w + config["velocity"], config


def rmsprop(w, dw, config=None):
    """A rate for every weight."""
    config = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8, "cache": np.zeros_like(w), **(config or {})}
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    return w - config["learning_rate"] * dw / (np.sqrt(config["cache"]) + config["epsilon"]), config


def adam(w, dw, config=None):
    """Both averages start at zero, and are corrected for it."""
    defaults = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "t": 0}
    config = {**defaults, "m": np.zeros_like(w), "v": np.zeros_like(w), **(config or {})}
    beta1, beta2 = config["beta1"], config["beta2"]
    config["t"] += 1
    config["m"] = beta1 * config["m"] + (1 - beta1) * dw
    config["v"] = beta2 * config["v"] + (1 - beta2) * dw**2
    m, v = config["m"] / (1 - beta1 ** config["t"]), config["v"] / (1 - beta2 ** config["t"])
    return w - config["learning_rate"] * m / (np.sqrt(v) + config["epsilon"]), config


# ---------------------------------------------------------------------------------------------------------- networks


class TwoLayerNet:
    """affine, ReLU, affine, softmax."""

    def __init__(self, input_dim=3072, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0):
        self.reg = reg
        self.params = {
            "W1": weight_scale * np.random.randn(input_dim, hidden_dim),
            "b1": np.zeros(hidden_dim),
            "W2": weight_scale * np.random.randn(hidden_dim, num_classes),
            "b2": np.zeros(num_classes),
        }

    def loss(self, X, y=None):
        """Scores, or loss and gradients where y is given."""
        W1, b1, W2, b2 = (self.params[name] for name in ("W1", "b1", "W2", "b2"))
        hidden, first = affine_forward(X, W1, b1)
        active, rectified = relu_forward(hidden)
        scores, second = affine_forward(active, W2, b2)
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        loss += 0.5 * self.reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        dactive, dW2, db2 = affine_backward(dscores, second)
        _, dW1, db1 = affine_backward(relu_backward(dactive, rectified), first)
        return loss, {"W1": dW1 + self.reg * W1, "b1": db1, "W2": dW2 + self.reg * W2, "b2": db2}


class FullyConnectedNet:
    """{affine, [norm,] ReLU, [dropout]} for every hidden layer, then affine and softmax."""

    def __init__(
        self,
        hidden_dims,
        input_dim=3072,
        num_classes=10,
        dropout_keep_ratio=1,
        normalization=None,
        reg=0.0,
        weight_scale=1e-2,
        dtype=np.float32,
        seed=None,
    ):
        self.normalization, self.reg, self.dtype = normalization, reg, dtype
        self.num_layers = 1 + len(hidden_dims)
        sizes = [input_dim, *hidden_dims, num_classes]
        self.params = {}
        for number in range(1, self.num_layers + 1):
            self.params[f"W{number}"] = weight_scale * np.random.randn(sizes[number - 1], sizes[number])
            self.params[f"b{number}"] = np.zeros(sizes[number])
            if normalization and number < self.num_layers:
                self.params[f"gamma{number}"] = np.ones(sizes[number])
                self.params[f"beta{number}"] = np.zeros(sizes[number])
        self.params = {name: value.astype(dtype) for name, value in self.params.items()}
        self.dropout_param = {"p": dropout_keep_ratio} if dropout_keep_ratio != 1 else None
        if self.dropout_param and seed is not None:
            self.dropout_param["seed"] = seed
        self.bn_params = [{} for _ in hidden_dims]

    def loss(self, X, y=None):
        """Scores, or loss and gradients where y is given."""
        mode = "test" if y is None else "train"
        out, caches = X.astype(self.dtype), []
        for number in range(1, self.num_layers):
            out, cache = self.hidden_forward(out, number, mode)
            caches.append(cache)
        last = self.num_layers
        scores, cache = affine_forward(out, self.params[f"W{last}"], self.params[f"b{last}"])
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        grads = {}
        dout, grads[f"W{last}"], grads[f"b{last}"] = affine_backward(dscores, cache)
        for number in range(last - 1, 0, -1):
            dout, own = self.hidden_backward(dout, caches.pop(), number)
            grads.update(own)
        for number in range(1, last + 1):
            W = self.params[f"W{number}"]
            loss += 0.5 * self.reg * np.sum(W * W)
            grads[f"W{number}"] += self.reg * W
        return loss, grads

    def hidden_forward(self, out, number, mode):
        """One hidden layer."""
        out, affine = affine_forward(out, self.params[f"W{number}"], self.params[f"b{number}"])
        norm = dropped = None
        if self.normalization:
            forward = batchnorm_forward if self.normalization == "batchnorm" else layernorm_forward
            bn_param = self.bn_params[number - 1]
            bn_param["mode"] = mode
            out, norm = forward(out, self.params[f"gamma{number}"], self.params[f"beta{number}"], bn_param)
        out, relu = relu_forward(out)
        if self.dropout_param:
            self.dropout_param["mode"] = mode
            out, dropped = dropout_forward(out, self.dropout_param)
        return out, (affine, norm, relu, dropped)

    def hidden_backward(self, dout, cache, number):
        """Its gradients, last step first."""
        affine, norm, relu, dropped = cache
        grads = {}
        if self.dropout_param:
            dout = dropout_backward(dout, dropped)
        dout = relu_backward(dout, relu)
        if self.normalization:
            backward = batchnorm_backward_alt if self.normalization == "batchnorm" else layernorm_backward
            dout, grads[f"gamma{number}"], grads[f"beta{number}"] = backward(dout, norm)
        dout, grads[f"W{number}"], grads[f"b{number}"] = affine_backward(dout, affine)
        return dout, grads


class ThreeLayerConvNet:
    """conv, ReLU, 2 x 2 max pool, affine, ReLU, affine, softmax."""

    def __init__(
        self,
        input_dim=(3, 32, 32),
        num_filters=32,
        filter_size=7,
        hidden_dim=100,
        num_classes=10,
        weight_scale=1e-3,
        reg=0.0,
        dtype=np.float32,
    ):
        self.reg, self.dtype = reg, dtype
        C, H, W = input_dim
        shapes = {
            "W1": (num_filters, C, filter_size, filter_size),
            "W2": (num_filters * (H // 2) * (W // 2), hidden_dim),
            "W3": (hidden_dim, num_classes),
        }
        self.params = {name: weight_scale * np.random.randn(*shape) for name, shape in shapes.items()}
        self.params |= {"b1": np.zeros(num_filters), "b2": np.zeros(hidden_dim), "b3": np.zeros(num_classes)}
        self.params = {name: value.astype(dtype) for name, value in self.params.items()}

    def loss(self, X, y=None):
        """Scores, or loss and gradients where y is given."""
        params = self.params
        conv_param = {"stride": 1, "pad": (params["W1"].shape[2] - 1) // 2}
        out, conv = conv_forward_naive(X, params["W1"], params["b1"], conv_param)
        out, first = relu_forward(out)
        out, pool = max_pool_forward_naive(out, {"pool_height": 2, "pool_width": 2, "stride": 2})
        out, hidden = affine_forward(out, params["W2"], params["b2"])
        out, second = relu_forward(out)
        scores, last = affine_forward(out, params["W3"], params["b3"])
        if y is None:
            return scores
        loss, dout = softmax_loss(scores, y)
        grads = {}
        dout, grads["W3"], grads["b3"] = affine_backward(dout, last)
        dout, grads["W2"], grads["b2"] = affine_backward(relu_backward(dout, second), hidden)
        dout = relu_backward(max_pool_backward_naive(dout, pool), first)
        _, grads["W1"], grads["b1"] = conv_backward_naive(dout, conv)
        for name in ("W1", "W2", "W3"):
            loss += 0.5 * self.reg * np.sum(params[name] ** 2)
            grads[name] += self.reg * params[name]
        return loss, grads


# ------------------------------------------------------------------------------------------------------------ in time


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    """One step."""
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h, cache):
    """Its gradients."""
    x, prev_h, Wx, Wh, next_h = cache
    da = dnext_h * (1 - next_h**2)
    return da @ Wx.T, da @ Wh.T, x.T @ da, prev_h.T @ da, da.sum(axis=0)


def rnn_forward(x, h0, Wx, Wh, b):
    """All steps."""
    h, caches = h0, []
    states = np.empty((x.shape[0], x.shape[1], h0.shape[1]))
    for t in range(x.shape[1]):
        h, cache = rnn_step_forward(x[:, t], h, Wx, Wh, b)
        states[:, t] = h
        caches.append(cache)
    return states, caches


def rnn_backward(dh, cache):
    """Back through time: a state is seen by its own output and by the next step."""
    steps, carried = [], 0.0
    for t in range(dh.shape[1] - 1, -1, -1):
        dx, carried, *weights = rnn_step_backward(dh[:, t] + carried, cache[t])
        steps.insert(0, (dx, *weights))
    dx, dWx, dWh, db = zip(*steps, strict=True)
    return np.stack(dx, axis=1), carried, sum(dWx), sum(dWh), sum(db)


def sigmoid(a):
    """1 / (1 + exp(-a)), for any a."""
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1.0, e) / (1.0 + e)


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    """One step: input, forget and output gate, and the block's input."""
    i, f, o, g = np.split(x @ Wx + prev_h @ Wh + b, 4, axis=1)
    i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)


def lstm_step_backward(dnext_h, dnext_c, cache):
    """Its gradients."""
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    seen = np.tanh(next_c)
    dc = dnext_c + dnext_h * o * (1 - seen**2)
    gates = [dc * g * i * (1 - i), dc * prev_c * f * (1 - f), dnext_h * seen * o * (1 - o), dc * i * (1 - g**2)]
    da = np.concatenate(gates, axis=1)
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, da.sum(axis=0)


def lstm_forward(x, h0, Wx, Wh, b):
    """All steps, from a cell of zeros."""
    h, c, caches = h0, np.zeros_like(h0), []
    states = np.empty((x.shape[0], x.shape[1], h0.shape[1]))
    for t in range(x.shape[1]):
        h, c, cache = lstm_step_forward(x[:, t], h, c, Wx, Wh, b)
        states[:, t] = h
        caches.append(cache)
    return states, caches


def lstm_backward(dh, cache):
    """Back through time, through states and cells."""
    steps, carried, dc = [], np.zeros_like(dh[:, 0]), np.zeros_like(dh[:, 0])
    for t in range(dh.shape[1] - 1, -1, -1):
        dx, carried, dc, *weights = lstm_step_backward(dh[:, t] + carried, dc, cache[t])
        steps.insert(0, (dx, *weights))
    dx, dWx, dWh, db = zip(*steps, strict=True)
    return np.stack(dx, axis=1), carried, sum(dWx), sum(dWh), sum(db)


def word_embedding_forward(x, W):
    """Rows of W."""
    return W[x], (x, W.shape)


def word_embedding_backward(dout, cache):
    """A word that comes twice gets both."""
    x, shape = cache
    dW = np.zeros(shape)
    np.add.at(dW, x, dout)
    return dW


def temporal_affine_forward(x, w, b):
    """Every step by the same weights."""
    out, cache = affine_forward(x.reshape(-1, x.shape[2]), w, b)
    return out.reshape(*x.shape[:2], -1), (cache, x.shape)


def temporal_affine_backward(dout, cache):
    """Its gradients."""
    inner, shape = cache
    dx, dw, db = affine_backward(dout.reshape(-1, dout.shape[2]), inner)
    return dx.reshape(shape), dw, db


def temporal_softmax_loss(x, y, mask, verbose=False):
    """Summed over the steps that count, averaged over the sequences."""
    N, T, V = x.shape
    loss, kept = 0.0, mask.reshape(-1)
    dx = np.zeros((N * T, V))
    if kept.any():
        loss, dx[kept] = softmax_loss(x.reshape(-1, V)[kept], y.reshape(-1)[kept])
    scale = kept.sum() / N
    return loss * scale, (dx * scale).reshape(x.shape)
