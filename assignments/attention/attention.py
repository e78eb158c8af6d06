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
    raise NotImplementedError("softmax_forward is not written yet")


def softmax_backward(dp, cache):
    """Gradient of the softmax. A score moves all p of its row: its own up, the others down.

    Args:
        dp: (..., S), the upstream gradient ∂L/∂p.
        cache: what softmax_forward returned beside p.

    Returns:
        dscores: (..., S).
    """
    raise NotImplementedError("softmax_backward is not written yet")


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
    raise NotImplementedError("attention_forward is not written yet")


def attention_backward(dout, cache):
    """Gradients of the attention: two matrix products with a softmax between them. The mask has none.

    Args:
        dout: (..., T, M), the upstream gradient.
        cache: what attention_forward returned beside out.

    Returns:
        dq: (..., T, K), dk: (..., S, K), dv: (..., S, M).
    """
    raise NotImplementedError("attention_backward is not written yet")


def causal_mask(x):
    """The mask with which no step sees a later one.

    Args:
        x: (N, T, D), only for T, dtype and device.

    Returns:
        mask: (T, T), 1.0 at [t, s] where s <= t, else 0.0.
    """
    raise NotImplementedError("causal_mask is not written yet")


def split_heads(x, heads):
    """Cut the entries of each step into pieces, a head each.

    out[n, h, t, i] = x[n, t, h K + i]          with K = E / heads

    Args:
        x: (N, T, E).
        heads: number of heads, an int that divides E.

    Returns:
        out: (N, heads, T, K).
    """
    raise NotImplementedError("split_heads is not written yet")


def merge_heads(x):
    """Put the heads' pieces side by side again: the other way round, and so also the gradient, of split_heads.

    out[n, t, h K + i] = x[n, h, t, i]

    Args:
        x: (N, heads, T, K).

    Returns:
        out: (N, T, heads K).
    """
    raise NotImplementedError("merge_heads is not written yet")


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
    raise NotImplementedError("multi_head_forward is not written yet")


def multi_head_backward(dout, cache):
    """Gradients of the self-attention. x is used three times.

    Args:
        dout: (N, T, D), the upstream gradient.
        cache: what multi_head_forward returned beside out.

    Returns:
        grads: dict with the same keys, of arrays of the same shapes, as params.
        dx: (N, T, D).
    """
    raise NotImplementedError("multi_head_backward is not written yet")


def positions(x):
    """What is added at each step so that steps can be told apart: waves, each pair slower than the one before.

    out[t, 2i] = sin(t / 10000^(2i/D))          out[t, 2i + 1] = cos(t / 10000^(2i/D))          t = 0, 1, ..., T - 1

    Args:
        x: (N, T, D) with D even, only for T, D, dtype and device.

    Returns:
        out: (T, D).
    """
    raise NotImplementedError("positions is not written yet")


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
    raise NotImplementedError("layer_norm_forward is not written yet")


def layer_norm_backward(dout, cache):
    """Gradients of the layer norm. Each x of a step also moves the mean and the variance of all.

    Args:
        dout: (N, T, D), the upstream gradient.
        cache: what layer_norm_forward returned beside out.

    Returns:
        dx: (N, T, D), dgamma: (D,), dbeta: (D,).
    """
    raise NotImplementedError("layer_norm_backward is not written yet")


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
    raise NotImplementedError("affine_forward is not written yet")


def affine_backward(dout, cache):
    """Gradients of the affine layer.

    Args:
        dout: (N, T, M), the upstream gradient.
        cache: what affine_forward returned beside out.

    Returns:
        dx: (N, T, D), dw: (D, M), db: (M,).
    """
    raise NotImplementedError("affine_backward is not written yet")


def gelu_forward(x):
    """A smooth relative of the ReLU, the usual one in transformers, in the form with tanh.

    out = x/2 (1 + tanh(a))          with a = √(2/π) (x + 0.044715 x³), entry by entry

    Args:
        x: (N, T, F).

    Returns:
        out: (N, T, F).
        cache: whatever gelu_backward will need.
    """
    raise NotImplementedError("gelu_forward is not written yet")


def gelu_backward(dout, cache):
    """Gradient of the GELU: a product in which both factors depend on x.

    Args:
        dout: (N, T, F), the upstream gradient.
        cache: what gelu_forward returned beside out.

    Returns:
        dx: (N, T, F).
    """
    raise NotImplementedError("gelu_backward is not written yet")


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
    raise NotImplementedError("block_forward is not written yet")


def block_backward(dout, cache):
    """Gradients of the block. At each sum the gradient goes both ways: through the detour and past it.

    Args:
        dout: (N, T, D), the upstream gradient.
        cache: what block_forward returned beside out.

    Returns:
        grads: dict of dicts with the same keys, of arrays of the same shapes, as params.
        dx: (N, T, D).
    """
    raise NotImplementedError("block_backward is not written yet")


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
    raise NotImplementedError("sequence_loss is not written yet")


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
    raise NotImplementedError("reverser_forward is not written yet")


def reverser_backward(dscores, cache):
    """Gradients of the network's parameters.

    A symbol that stands in many places gets the sum of the gradients of all of them in its row of embed.

    Args:
        dscores: (N, T, V), the upstream gradient.
        cache: what reverser_forward returned beside the scores.

    Returns:
        grads: dict with the same keys, of arrays of the same shapes, as params.
    """
    raise NotImplementedError("reverser_backward is not written yet")


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
    raise NotImplementedError("train is not written yet")
