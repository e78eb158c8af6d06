from builtins import range
import numpy as np


def affine_forward(x, w, b):
    """Each example as a row."""
    return x.reshape(len(x), -1) @ w + b, (x, w, b)


def affine_backward(dout, cache):
    """dx in the shape of x, dw, db."""
    x, w, _ = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def relu_forward(x):
    """max(x, 0)."""
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    """dout where x was positive."""
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
    """p is the probability to keep."""
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
    """dout goes to where the largest was: the first of them."""
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
