import numpy as np


def split_heads(x, heads):
    return np.stack(np.split(x, heads, axis=-1), axis=1)


def merge_heads(x):
    return np.concatenate([x[:, h] for h in range(x.shape[1])], axis=-1)


def multi_head_forward(params, x, mask, heads):
    out, caches = np.zeros_like(x), {}
    K = params["wq"].shape[1] // heads
    for n in range(len(x)):
        for h in range(heads):
            cut = slice(h * K, (h + 1) * K)
            q, k, v = (x[n] @ params[name][:, cut] for name in ("wq", "wk", "wv"))
            head, cache = attention_forward(q, k, v, mask)
            out[n] += head @ params["wo"][cut]
            caches[n, h] = cut, head, cache
    return out, (params, x, caches)


def multi_head_backward(dout, cache):
    params, x, caches = cache
    grads, dx = {name: np.zeros_like(w) for name, w in params.items()}, np.zeros_like(x)
    for (n, h), (cut, head, inner) in caches.items():
        grads["wo"][cut] += head.T @ dout[n]
        for name, d in zip(("wq", "wk", "wv"), attention_backward(dout[n] @ params["wo"][cut].T, inner)):
            grads[name][:, cut] += x[n].T @ d
            dx[n] += d @ params[name][:, cut].T
    return grads, dx
