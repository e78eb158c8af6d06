import numpy as np


def bce_loss(logits, y):
    loss = np.mean(np.logaddexp(0, logits) - y * logits)
    return loss.item(), (0.5 * (1 + np.tanh(logits / 2)) - y) / y.size


def log_softmax_forward(x):
    out = x - np.logaddexp.reduce(x, axis=1)[:, None]
    return out, {"p": np.exp(out)}


def log_softmax_backward(dout, cache):
    return dout - np.einsum("nc,nk->nc", cache["p"], dout)
