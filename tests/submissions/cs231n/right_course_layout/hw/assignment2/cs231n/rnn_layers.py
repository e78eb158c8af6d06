from __future__ import print_function, division
from builtins import range
import numpy as np

from cs231n.layers import affine_forward, affine_backward, softmax_loss


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
    dx, dWx, dWh, db = zip(*steps)
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
    dx, dWx, dWh, db = zip(*steps)
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
