"""Attention and a transformer, by hand.

Fill in the functions below, from the top down: each uses those above it. The lesson in README.md derives every
formula and has small examples with numbers; `pytest` in this folder says how far you are.

N is the number of sequences in a batch, T of steps that ask, S of steps that are asked, K of entries of a query and of
a key, M of a value, D of entries at each step in the model, F of hidden units, V of symbols. `...` stands for any
number of axes in front, also none; a matrix product `a @ b` is over the last two axes. Arrays are NumPy's, of float64;
codes of symbols are integers. So that your code would run on torch tensors, on a GPU, as it is: with
`xp = array_namespace(x)`, write `xp.exp(x)` where you would write `np.exp(x)`, and `xp.matrix_transpose(k)` where you
would write `k.T`. What has no prefix (`a @ b`, `x[:, t]`, `a + b`) works on both. Write the gradients yourself:
autograd is not there to be asked.
"""

from array_api_compat import array_namespace, device


def one_hot(codes, classes, like):
    """Given. Zeros with a one where the code is: (...) of integers -> (..., classes), of dtype and device of `like`."""
    xp = array_namespace(like)
    columns = xp.arange(classes, device=device(like))
    return xp.astype(codes[..., None] == columns, like.dtype)


def softmax_forward(scores):
    """Softmax over the last axis: positive numbers that add up to 1.

    p[..., s] = exp(scores[..., s]) / Σ_j exp(scores[..., j])

    It must come out right for scores of ±10,000 and of -inf (p is 0 there), as long as one in the row is finite.

    Args:
        scores: (..., S).

    Returns:
        p: (..., S).
        cache: whatever softmax_backward will need. Its form is yours; nobody else looks inside.
    """
    # solution
    xp = array_namespace(scores)
    e = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    p = e / xp.sum(e, axis=-1, keepdims=True)
    return p, p
    # end solution


def softmax_backward(dp, cache):
    """Gradient of the softmax. A score moves all p of its row: its own up, the others down.

    Args:
        dp: (..., S), the upstream gradient ∂L/∂p.
        cache: what softmax_forward returned beside p.

    Returns:
        dscores: (..., S).
    """
    # solution
    p = cache
    xp = array_namespace(dp)
    return p * (dp - xp.sum(dp * p, axis=-1, keepdims=True))
    # end solution


def attention_forward(q, k, v, mask):
    """Scaled dot-product attention: each step takes a mean of the values, weighted by how well query and key agree.

    scores[..., t, s] = Σ_i q[..., t, i] k[..., s, i] / √K, but -inf where mask[t, s] is 0
    out[..., t, :] = Σ_s p[..., t, s] v[..., s, :]          with p the softmax of the scores over s

    Args:
        q: (..., T, K), queries: what each step asks for.
        k: (..., S, K), keys: what each step has to offer.
        v: (..., S, M), values: what is taken.
        mask: (T, S), 1.0 where step t may look at step s, else 0.0. No row is zero throughout.

    Returns:
        out: (..., T, M).
        cache: whatever attention_backward will need.
    """
    # solution
    xp = array_namespace(q)
    scale = q.shape[-1] ** -0.5
    scores = xp.where(mask > 0, q @ xp.matrix_transpose(k) * scale, -xp.inf)
    p, weighed = softmax_forward(scores)
    return p @ v, (q, k, v, scale, p, weighed)
    # end solution


def attention_backward(dout, cache):
    """Gradients of the attention: two matrix products with a softmax between them. The mask has none.

    Args:
        dout: (..., T, M), the upstream gradient.
        cache: what attention_forward returned beside out.

    Returns:
        dq: (..., T, K), dk: (..., S, K), dv: (..., S, M).
    """
    # solution
    q, k, v, scale, p, weighed = cache
    xp = array_namespace(dout)
    dscores = softmax_backward(dout @ xp.matrix_transpose(v), weighed) * scale
    return dscores @ k, xp.matrix_transpose(dscores) @ q, xp.matrix_transpose(p) @ dout
    # end solution


def causal_mask(x):
    """The mask with which no step sees a later one.

    Args:
        x: (N, T, D), only for T, dtype and device.

    Returns:
        mask: (T, T), 1.0 at [t, s] where s <= t, else 0.0.
    """
    # solution
    xp = array_namespace(x)
    steps = xp.arange(x.shape[1], device=device(x))
    return xp.astype(steps[None, :] <= steps[:, None], x.dtype)
    # end solution


def split_heads(x, heads):
    """Cut the entries of each step into pieces, a head each.

    out[n, h, t, i] = x[n, t, h K + i]          with K = E / heads

    Args:
        x: (N, T, E).
        heads: number of heads, an int that divides E.

    Returns:
        out: (N, heads, T, K).
    """
    # solution
    xp = array_namespace(x)
    return xp.permute_dims(xp.reshape(x, (x.shape[0], x.shape[1], heads, -1)), (0, 2, 1, 3))
    # end solution


def merge_heads(x):
    """Put the heads' pieces side by side again: the other way round, and so also the gradient, of split_heads.

    out[n, t, h K + i] = x[n, h, t, i]

    Args:
        x: (N, heads, T, K).

    Returns:
        out: (N, T, heads K).
    """
    # solution
    xp = array_namespace(x)
    return xp.reshape(xp.permute_dims(x, (0, 2, 1, 3)), (x.shape[0], x.shape[2], -1))
    # end solution


def multi_head_forward(params, x, mask, heads):
    """Self-attention with several heads, each of which looks at the sequence with queries, keys and values of its own.

    Queries x wq, keys x wk and values x wv are split into heads; what the heads return is merged, and goes through wo.

    Args:
        params: dict of wq, wk, wv (D, E) and wo (E, D).
        x: (N, T, D).
        mask: (T, T), as for attention_forward; the same for all sequences and heads.
        heads: number of heads, an int that divides E.

    Returns:
        out: (N, T, D).
        cache: whatever multi_head_backward will need.
    """
    # solution
    q, k, v = (split_heads(x @ params[name], heads) for name in ("wq", "wk", "wv"))
    attended, cache = attention_forward(q, k, v, mask)
    merged = merge_heads(attended)
    return merged @ params["wo"], (params, x, heads, merged, cache)
    # end solution


def multi_head_backward(dout, cache):
    """Gradients of the self-attention. x is used three times.

    Args:
        dout: (N, T, D), the upstream gradient.
        cache: what multi_head_forward returned beside out.

    Returns:
        grads: dict with the same keys, of arrays of the same shapes, as params.
        dx: (N, T, D).
    """
    # solution
    params, x, heads, merged, attended = cache
    grads = {"wo": _outer(merged, dout)}
    dmerged = split_heads(dout @ params["wo"].T, heads)
    dx = 0
    for name, dpart in zip(("wq", "wk", "wv"), attention_backward(dmerged, attended), strict=True):
        dprojected = merge_heads(dpart)
        grads[name] = _outer(x, dprojected)
        dx = dx + dprojected @ params[name].T
    return grads, dx
    # end solution


# solution
def _outer(x, dout):
    """Gradient of w in x @ w: (N, T, D), (N, T, M) -> (D, M)."""
    xp = array_namespace(x)
    return xp.reshape(x, (-1, x.shape[-1])).T @ xp.reshape(dout, (-1, dout.shape[-1]))


# end solution
def positions(x):
    """What is added at each step so that steps can be told apart: waves, each pair slower than the one before.

    out[t, 2i] = sin(t / 10000^(2i/D))          out[t, 2i + 1] = cos(t / 10000^(2i/D))          t = 0, 1, ..., T - 1

    Args:
        x: (N, T, D) with D even, only for T, D, dtype and device.

    Returns:
        out: (T, D).
    """
    # solution
    xp = array_namespace(x)
    steps, size = x.shape[1:]
    pairs = xp.arange(size // 2, dtype=x.dtype, device=device(x))
    angles = xp.arange(steps, dtype=x.dtype, device=device(x))[:, None] / 10000 ** (2 * pairs / size)
    return xp.reshape(xp.stack([xp.sin(angles), xp.cos(angles)], axis=2), (steps, size))
    # end solution


def layer_norm_forward(x, gamma, beta, eps):
    """Layer norm: the entries of each step get mean 0 and variance 1, then a scale and a shift that are learnt.

    xhat = (x - mean) / √(variance + eps), with mean and variance (divided by D) over the last axis
    out = gamma xhat + beta

    Args:
        x: (N, T, D).
        gamma: (D,).
        beta: (D,).
        eps: a float above 0; it belongs inside the root.

    Returns:
        out: (N, T, D).
        cache: whatever layer_norm_backward will need.
    """
    # solution
    xp = array_namespace(x)
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    std = xp.sqrt(xp.mean(centred**2, axis=-1, keepdims=True) + eps)
    xhat = centred / std
    return gamma * xhat + beta, (xhat, gamma, std)
    # end solution


def layer_norm_backward(dout, cache):
    """Gradients of the layer norm. Each x of a step also moves the mean and the variance of all.

    Args:
        dout: (N, T, D), the upstream gradient.
        cache: what layer_norm_forward returned beside out.

    Returns:
        dx: (N, T, D), dgamma: (D,), dbeta: (D,).
    """
    # solution
    xhat, gamma, std = cache
    xp = array_namespace(dout)
    dxhat = dout * gamma
    mean, along = (xp.mean(part, axis=-1, keepdims=True) for part in (dxhat, dxhat * xhat))
    return (dxhat - mean - xhat * along) / std, xp.sum(dout * xhat, axis=(0, 1)), xp.sum(dout, axis=(0, 1))
    # end solution


def affine_forward(x, w, b):
    """The same affine layer at every step: out = x w + b.

    Args:
        x: (N, T, D).
        w: (D, M).
        b: (M,).

    Returns:
        out: (N, T, M).
        cache: whatever affine_backward will need.
    """
    # solution
    return x @ w + b, (x, w)
    # end solution


def affine_backward(dout, cache):
    """Gradients of the affine layer.

    Args:
        dout: (N, T, M), the upstream gradient.
        cache: what affine_forward returned beside out.

    Returns:
        dx: (N, T, D), dw: (D, M), db: (M,).
    """
    # solution
    x, w = cache
    xp = array_namespace(dout)
    return dout @ w.T, _outer(x, dout), xp.sum(dout, axis=(0, 1))
    # end solution


def gelu_forward(x):
    """A smooth relative of the ReLU, the usual one in transformers, in the form with tanh.

    out = x/2 (1 + tanh(a))          with a = √(2/π) (x + 0.044715 x³), entry by entry

    Args:
        x: (N, T, F).

    Returns:
        out: (N, T, F).
        cache: whatever gelu_backward will need.
    """
    # solution
    xp = array_namespace(x)
    t = xp.tanh((2 / xp.pi) ** 0.5 * (x + 0.044715 * x**3))
    return x / 2 * (1 + t), (x, t)
    # end solution


def gelu_backward(dout, cache):
    """Gradient of the GELU: a product in which both factors depend on x.

    Args:
        dout: (N, T, F), the upstream gradient.
        cache: what gelu_forward returned beside out.

    Returns:
        dx: (N, T, F).
    """
    # solution
    x, t = cache
    xp = array_namespace(dout)
    da = (2 / xp.pi) ** 0.5 * (1 + 3 * 0.044715 * x**2)
    return dout * ((1 + t) / 2 + x / 2 * (1 - t**2) * da)
    # end solution


def block_forward(params, x, mask, heads, eps):
    """A transformer block, normed before each part: two detours, each of which is added to what went past it.

    y = x + multi_head(layer_norm(x))
    out = y + affine(gelu(affine(layer_norm(y))))

    Args:
        params: dict of dicts: norm1 and norm2 of gamma (D,), beta (D,); attention as for multi_head_forward; mlp of
            w1 (D, F), b1 (F,), w2 (F, D), b2 (D,).
        x: (N, T, D).
        mask: (T, T).
        heads: number of heads, an int.
        eps: of both norms, a float.

    Returns:
        out: (N, T, D).
        cache: whatever block_backward will need.
    """
    # solution
    normed, norm1 = layer_norm_forward(x, params["norm1"]["gamma"], params["norm1"]["beta"], eps)
    attended, attention = multi_head_forward(params["attention"], normed, mask, heads)
    y = x + attended
    normed, norm2 = layer_norm_forward(y, params["norm2"]["gamma"], params["norm2"]["beta"], eps)
    hidden, first = affine_forward(normed, params["mlp"]["w1"], params["mlp"]["b1"])
    active, gelu = gelu_forward(hidden)
    out, second = affine_forward(active, params["mlp"]["w2"], params["mlp"]["b2"])
    return y + out, (norm1, attention, norm2, first, gelu, second)
    # end solution


def block_backward(dout, cache):
    """Gradients of the block. At each sum the gradient goes both ways: through the detour and past it.

    Args:
        dout: (N, T, D), the upstream gradient.
        cache: what block_forward returned beside out.

    Returns:
        grads: dict of dicts with the same keys, of arrays of the same shapes, as params.
        dx: (N, T, D).
    """
    # solution
    norm1, attention, norm2, first, gelu, second = cache
    dactive, dw2, db2 = affine_backward(dout, second)
    dnormed, dw1, db1 = affine_backward(gelu_backward(dactive, gelu), first)
    dy, dgamma2, dbeta2 = layer_norm_backward(dnormed, norm2)
    dy = dy + dout
    dattention, dnormed = multi_head_backward(dy, attention)
    dx, dgamma1, dbeta1 = layer_norm_backward(dnormed, norm1)
    grads = {
        "norm1": {"gamma": dgamma1, "beta": dbeta1},
        "attention": dattention,
        "norm2": {"gamma": dgamma2, "beta": dbeta2},
        "mlp": {"w1": dw1, "b1": db1, "w2": dw2, "b2": db2},
    }
    return grads, dx + dy
    # end solution


def sequence_loss(scores, y):
    """Softmax and cross-entropy, the mean over all steps of all sequences, and the gradient.

    L = -(1/(N T)) Σ_n Σ_t log p[n, t, y[n, t]]          with p the softmax of the scores over the symbols

    It must come out right for scores of ±10,000 too, where some p are exactly 0.

    Args:
        scores: (N, T, V).
        y: (N, T), integers from 0 to V - 1.

    Returns:
        loss: L, a single number.
        dscores: (N, T, V), ∂L/∂scores.
    """
    # solution
    xp = array_namespace(scores)
    sequences, steps, symbols = scores.shape
    shifted = scores - xp.max(scores, axis=2, keepdims=True)
    log_p = shifted - xp.log(xp.sum(xp.exp(shifted), axis=2, keepdims=True))
    right = one_hot(y, symbols, like=scores)
    return -xp.sum(right * log_p) / (sequences * steps), (xp.exp(log_p) - right) / (sequences * steps)
    # end solution


def reverser_forward(params, codes, heads, eps):
    """A network that reads a sequence and scores symbols for each step of another one.

    Each code gets its row of embed, and each step its position is added; then come a block in which every step may
    look at all, and an affine layer.

    Args:
        params: dict of embed (V, D), block (as for block_forward), w (D, V), c (V,).
        codes: (N, T), integers from 0 to V - 1.
        heads: number of heads, an int.
        eps: of the norms, a float.

    Returns:
        scores: (N, T, V).
        cache: whatever reverser_backward will need.
    """
    # solution
    xp = array_namespace(params["embed"])
    chosen = one_hot(codes, params["embed"].shape[0], like=params["embed"])
    x = chosen @ params["embed"]
    everything = xp.ones((x.shape[1], x.shape[1]), dtype=x.dtype, device=device(x))
    y, block = block_forward(params["block"], x + positions(x), everything, heads, eps)
    scores, affine = affine_forward(y, params["w"], params["c"])
    return scores, (chosen, block, affine)
    # end solution


def reverser_backward(dscores, cache):
    """Gradients of the network's parameters.

    A symbol that stands in many places gets the sum of the gradients of all of them in its row of embed.

    Args:
        dscores: (N, T, V), the upstream gradient.
        cache: what reverser_forward returned beside the scores.

    Returns:
        grads: dict with the same keys, of arrays of the same shapes, as params.
    """
    # solution
    chosen, block, affine = cache
    dy, dw, dc = affine_backward(dscores, affine)
    dblock, dx = block_backward(dy, block)
    return {"embed": _outer(chosen, dx), "block": dblock, "w": dw, "c": dc}
    # end solution


# solution
def _descend(params, grads, lr):
    """The tree of the parameters after a step."""
    if isinstance(params, dict):
        return {name: _descend(value, grads[name], lr) for name, value in params.items()}
    return params - lr * grads


# end solution
def train(params, x, y, heads, eps, lr, batch, steps):
    """Train the network with plain gradient descent on the mean loss.

    Step k = 0, 1, ..., steps - 1 takes the sequences (k batch + i) mod N for i = 0, ..., batch - 1: in order, without
    shuffling, and from the start again when they run out. Each step is forward, loss, backward, and every parameter θ,
    also those in the dicts inside, becomes θ - lr times its gradient.

    Args:
        params: as reverser_forward takes them: where to start. It stays as it was.
        x: (N, T), sequences of codes.
        y: (N, T), what is to come out.
        heads: number of heads, an int.
        eps: of the norms, a float.
        lr: learning rate, a float.
        batch: number of sequences in a step, an int, at most N.
        steps: number of steps, an int.

    Returns:
        params: the trained parameters, dicts with the same keys.
        losses: list of `steps` floats, the loss of each step's batch before that step's update.
    """
    # solution
    xp = array_namespace(params["embed"])
    losses = []
    for step in range(steps):
        rows = (xp.arange(batch, device=device(x)) + step * batch) % x.shape[0]
        scores, cache = reverser_forward(params, xp.take(x, rows, axis=0), heads, eps)
        loss, dscores = sequence_loss(scores, xp.take(y, rows, axis=0))
        params = _descend(params, reverser_backward(dscores, cache), lr)
        losses.append(float(loss))
    return params, losses
    # end solution
