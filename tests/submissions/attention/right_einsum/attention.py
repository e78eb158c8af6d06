import numpy as np


def softmax_forward(scores):
    scores = scores - np.max(scores, axis=-1)[..., None]
    p = np.exp(scores)
    p /= p.sum(-1)[..., None]
    return p, {"p": p}


def softmax_backward(dp, cache):
    p = cache["p"]
    return p * dp - p * np.einsum("...s,...s->...", p, dp)[..., None]


def attention_forward(q, k, v, mask):
    scores = np.einsum("...ti,...si->...ts", q, k) / np.sqrt(k.shape[-1]) + (1 - mask) * -1e30
    p, cache = softmax_forward(scores)
    return np.einsum("...ts,...sm->...tm", p, v), [q, k, v, cache]


def attention_backward(dout, cache):
    q, k, v, inner = cache
    dv = np.einsum("...ts,...tm->...sm", inner["p"], dout)
    da = softmax_backward(np.einsum("...tm,...sm->...ts", dout, v), inner) / np.sqrt(k.shape[-1])
    return np.einsum("...ts,...si->...ti", da, k), np.einsum("...ts,...ti->...si", da, q), dv
