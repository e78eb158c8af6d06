"""One file, every device: layers that run on a CPU and on a GPU as they are, and numbers with few digits.

Fill in the functions below. The lesson in README.md says what a device is, what a copy and a wait cost, and derives
what there is to derive; `pytest` in this folder says how far you are.

N is the number of examples in a batch, C of classes, T of places in a sequence, S of scores in a row, V of symbols, D
of features. Arrays are torch tensors. Where they lie and how many digits they have is not yours to know: whatever you
make, make it on the device and in the dtype of what you were given (`device=x.device, dtype=x.dtype`, or
`torch.zeros_like(x)`). Nothing here needs `.item()`, `.cpu()`, `.numpy()`, or an `if` about a tensor's numbers. Write
the gradients yourself: autograd is not there to be asked.
"""

import torch

# ------------------------------------------------------------------------------------------- on the device of the input


def one_hot(y, like):
    """One-hot rows: out[n, c] is 1 where c = y[n], and 0 elsewhere.

    A label of -1 stands for "ignore this example": its row is zeros.

    Args:
        y: (N,), integers from -1 to C - 1.
        like: (N, C), scores. Only its shape, dtype and device matter.

    Returns:
        out: (N, C), of the dtype of `like` and on its device.
    """
    raise NotImplementedError("one_hot is not written yet")


def positions_forward(x, gain):
    """Adds to each place of a sequence a constant that says which place it is.

    out[n, t, d] = x[n, t, d] + gain[d] table[t, d]
    table[t, d] = cos(t 100^(-d/D))

    Args:
        x: (N, T, D), N sequences of T places, D features each.
        gain: (D,), how much each feature gets of its column of the table.

    Returns:
        out: (N, T, D).
        cache: whatever positions_backward will need. Its form is yours; nobody else looks inside.
    """
    raise NotImplementedError("positions_forward is not written yet")


def positions_backward(dout, cache):
    """Gradients of positions_forward. The table is a constant and has none.

    dx[n, t, d] = dout[n, t, d]
    dgain[d] = Σ_n Σ_t dout[n, t, d] ∂out[n, t, d]/∂gain[d]

    Args:
        dout: (N, T, D), the upstream gradient ∂L/∂out.
        cache: what positions_forward returned beside out.

    Returns:
        dx: (N, T, D), dgain: (D,).
    """
    raise NotImplementedError("positions_backward is not written yet")


def masked_softmax_forward(scores, last):
    """Softmax of the first scores of each row; how many count differs from row to row.

    Scores 0, 1, ..., last[n] of row n count:
    p[n, s] = exp(scores[n, s]) / Σ_{k <= last[n]} exp(scores[n, k])    for s <= last[n]
    p[n, s] = 0    for s > last[n]

    It must come out right for scores of ±10,000 too, in what counts and in what does not.

    Args:
        scores: (N, S).
        last: (N,), integers from 0 to S - 1.

    Returns:
        p: (N, S).
        cache: whatever masked_softmax_backward will need.
    """
    raise NotImplementedError("masked_softmax_forward is not written yet")


def masked_softmax_backward(dp, cache):
    """Gradient of the masked softmax.

    dscores[n, s] = Σ_k dp[n, k] ∂p[n, k]/∂scores[n, s]

    Args:
        dp: (N, S), the upstream gradient ∂L/∂p.
        cache: what masked_softmax_forward returned beside p.

    Returns:
        dscores: (N, S).
    """
    raise NotImplementedError("masked_softmax_backward is not written yet")


def embedding_forward(codes, w):
    """Looks up rows: out[n, t] = w[codes[n, t]].

    Args:
        codes: (N, T), integers from 0 to V - 1. The same code may come several times.
        w: (V, D), a row for each symbol.

    Returns:
        out: (N, T, D).
        cache: whatever embedding_backward will need.
    """
    raise NotImplementedError("embedding_forward is not written yet")


def embedding_backward(dout, cache):
    """Gradient of the looked up rows: whoever was looked up twice gets both gradients.

    dw[v, d] = Σ dout[n, t, d] over all places (n, t) with codes[n, t] = v

    Args:
        dout: (N, T, D), the upstream gradient ∂L/∂out.
        cache: what embedding_forward returned beside out.

    Returns:
        dw: (V, D).
    """
    raise NotImplementedError("embedding_backward is not written yet")


def standardise_forward(x, eps):
    """Takes off each column its mean and divides by its deviation.

    m[d] = 1/N Σ_n x[n, d]
    v[d] = 1/N Σ_n (x[n, d] - m[d])²
    out[n, d] = (x[n, d] - m[d]) / sqrt(v[d] + eps)

    It must come out right in float32 too, for columns whose mean is a thousand times their deviation.

    Args:
        x: (N, D).
        eps: a float.

    Returns:
        out: (N, D).
        cache: whatever standardise_backward will need.
    """
    raise NotImplementedError("standardise_forward is not written yet")


def standardise_backward(dout, cache):
    """Gradient of standardise_forward. Each row reaches the others through the mean and the variance.

    dx[n, d] = Σ_k dout[k, d] ∂out[k, d]/∂x[n, d]

    Args:
        dout: (N, D), the upstream gradient ∂L/∂out.
        cache: what standardise_forward returned beside out.

    Returns:
        dx: (N, D).
    """
    raise NotImplementedError("standardise_backward is not written yet")


def clip(grads, limit):
    """Shortens gradients that are together longer than `limit`; others stay as they are.

    norm = sqrt(Σ of the squares of all entries of all arrays)
    out = g min(1, limit / norm)    for each array g

    The host must not have to know the norm: no `if`.

    Args:
        grads: dict of arrays, with any keys.
        limit: a float.

    Returns:
        A new dict of new arrays, with the same keys.
    """
    raise NotImplementedError("clip is not written yet")


# ------------------------------------------------------------------------------------------------- seven digits or four


def sum_in_order(x):
    """Adds up the rows in float32, one after the other: the plain loop, with its error.

    x is rounded to float32 first. total starts with zeros; then for n = 0, 1, ..., N - 1:
    total = total + x[n], rounded to float32

    Args:
        x: (N, D), of any dtype.

    Returns:
        total: (D,), float32.
    """
    raise NotImplementedError("sum_in_order is not written yet")


def compensated_sum(x):
    """Adds up the rows in float32, and hands what each addition rounded away on to the next (Kahan's sum).

    x is rounded to float32 first. total and lost start with zeros; then for n = 0, 1, ..., N - 1, everything in
    float32:
    term = x[n] + lost
    raised = total + term
    lost = what of term did not arrive in raised
    total = raised

    Args:
        x: (N, D), of any dtype.

    Returns:
        total: (D,), float32.
        lost: (D,), float32: what is missing in total; total + lost is closer to the sum, in exact arithmetic.
    """
    raise NotImplementedError("compensated_sum is not written yet")


# ------------------------------------------------------------------------------------------------------ mixed precision


def unscale(grads, scale):
    """Gradients of a loss that was multiplied by `scale`, without that factor; and whether they can be used.

    They come in float16. One that was too large for it is infinite (or no number), and then none can be used.

    Args:
        grads: dict of float16 arrays, with any keys.
        scale: array without axes, float32 or float64, positive.

    Returns:
        grads: dict with the same keys, of the dtype of `scale`: each gradient in that dtype, divided by scale. If not
            all are finite: zeros, for all keys.
        finite: array without axes, of truth values: whether every entry of every gradient is finite.
    """
    raise NotImplementedError("unscale is not written yet")


def update_scale(scale, good, finite, interval):
    """The scale for the next step: half of it after an overflow, twice of it after `interval` good steps in a row.

    not finite:  scale / 2, and the count starts again at 0
    finite:      the count goes up by 1; where that makes it `interval`: 2 scale, and it starts again at 0

    The host must not have to know which it was: no `if`.

    Args:
        scale: array without axes, float32 or float64.
        good: array without axes, integer from 0 to interval - 1: good steps since the scale last changed.
        finite: array without axes, of truth values: whether this step's gradients were finite.
        interval: an int, at least 1.

    Returns:
        scale: array without axes, of the same dtype.
        good: array without axes, integer.
    """
    raise NotImplementedError("update_scale is not written yet")


def mixed_step(params, grads, scale, lr):
    """One step of gradient descent with mixed precision.

    The parameters that are kept from step to step, the master weights, have many digits; the next forward pass
    gets copies of them in float16. With g the unscaled gradient of a parameter p:

    finite:      p - lr g, in the dtype of p
    not finite:  p as it was

    Args:
        params: dict of master weights, float32 or float64, with any keys.
        grads: dict of float16 gradients of the scaled loss, with the same keys.
        scale: array without axes, of the dtype of the master weights.
        lr: learning rate, a float.

    Returns:
        params: dict of the new master weights, new arrays.
        halves: dict of the new master weights in float16.
        finite: array without axes, of truth values.
    """
    raise NotImplementedError("mixed_step is not written yet")
