"""A two-layer network, by hand.

Fill in the functions below, from the top down: each uses those above it. The lesson in README.md derives every
formula and has small examples with numbers; `pytest` in this folder says how far you are.

N is the number of examples in a batch, D the number of inputs, H of hidden units, M of outputs of a layer, C of
classes. Arrays are NumPy's, of float64; class numbers are integers. So that your code would run on torch tensors, on
a GPU, as it is: with `xp = array_namespace(x)`, write `xp.exp(x)` where you would write `np.exp(x)`. What has no
prefix (`x @ w`, `x.T`, `x > 0`, `a + b`) works on both. Write the gradients yourself: autograd is not there to be
asked.
"""

from array_api_compat import array_namespace, device


def one_hot(y, classes, like):
    """Given. Array (N, classes) of zeros with a one at [n, y[n]], of the dtype and on the device of `like`."""
    xp = array_namespace(like)
    columns = xp.arange(classes, device=device(like))
    return xp.astype(y[:, None] == columns[None, :], like.dtype)


def affine_forward(x, w, b):
    """Affine layer: each example times the weights, plus the bias.

    out[n, m] = Σ_d x[n, d] w[d, m] + b[m]

    Args:
        x: (N, D), one example a row.
        w: (D, M).
        b: (M,).

    Returns:
        out: (N, M).
        cache: whatever affine_backward will need. Its form is yours; nobody else looks inside.
    """
    # solution
    return x @ w + b, (x, w)
    # end solution


def affine_backward(dout, cache):
    """Gradients of the affine layer.

    L is the loss at the far end of the network, a single number, and dout[n, m] = ∂L/∂out[n, m]. By the chain
    rule, for each entry of x (and so for w and b):

    dx[n, d] = Σ_k Σ_m dout[k, m] ∂out[k, m]/∂x[n, d]

    Most of these terms are zero: find out which are not.

    Args:
        dout: (N, M), the upstream gradient.
        cache: what affine_forward returned beside out.

    Returns:
        dx: (N, D), dw: (D, M), db: (M,); a gradient has the shape of what it is the gradient of.
    """
    # solution
    x, w = cache
    xp = array_namespace(dout)
    return dout @ w.T, x.T @ dout, xp.sum(dout, axis=0)
    # end solution


def relu_forward(x):
    """Rectified linear unit: out = max(x, 0), entry by entry.

    Args:
        x: (N, D).

    Returns:
        out: (N, D).
        cache: whatever relu_backward will need.
    """
    # solution
    xp = array_namespace(x)
    return xp.maximum(x, xp.zeros_like(x)), x
    # end solution


def relu_backward(dout, cache):
    """Gradient of the ReLU.

    dx[n, d] = dout[n, d] ∂out[n, d]/∂x[n, d], since an entry of out depends on one entry of x only.
    At x = 0 the ReLU has a kink; anything from 0 to 1 is accepted for its slope there.

    Args:
        dout: (N, D), the upstream gradient ∂L/∂out.
        cache: what relu_forward returned beside out.

    Returns:
        dx: (N, D).
    """
    # solution
    xp = array_namespace(dout)
    return xp.where(cache > 0, dout, xp.zeros_like(dout))
    # end solution


def softmax_loss(scores, y):
    """Softmax and cross-entropy: the loss of a batch and its gradient.

    p[n, c] = exp(scores[n, c]) / Σ_k exp(scores[n, k])
    L = -(1/N) Σ_n log p[n, y[n]]

    The loss is the mean over the batch. It must come out right for scores of ±10,000 too, where exp overflows: p
    stays the same when one number is taken off all the scores of a row.

    Args:
        scores: (N, C).
        y: (N,), integers from 0 to C - 1: the right class of each example.

    Returns:
        loss: L, a single number.
        dscores: (N, C), ∂L/∂scores.
    """
    # solution
    xp = array_namespace(scores)
    examples, classes = scores.shape
    shifted = scores - xp.max(scores, axis=1, keepdims=True)
    log_p = shifted - xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True))
    right = one_hot(y, classes, like=scores)
    loss = -xp.sum(right * log_p) / examples
    return loss, (xp.exp(log_p) - right) / examples
    # end solution


def mlp_forward(params, x):
    """The network: affine, ReLU, affine. No ReLU on the scores.

    Args:
        params: dict of W1 (D, H), b1 (H,), W2 (H, C), b2 (C,).
        x: (N, D).

    Returns:
        scores: (N, C).
        cache: whatever mlp_backward will need.
    """
    # solution
    hidden, first = affine_forward(x, params["W1"], params["b1"])
    active, rectified = relu_forward(hidden)
    scores, second = affine_forward(active, params["W2"], params["b2"])
    return scores, (first, rectified, second)
    # end solution


def mlp_backward(dscores, cache):
    """Gradients of the network's parameters: the layers' backward passes, last layer first.

    Args:
        dscores: (N, C), the upstream gradient ∂L/∂scores.
        cache: what mlp_forward returned beside the scores.

    Returns:
        grads: dict of ∂L/∂W1, ∂L/∂b1, ∂L/∂W2 and ∂L/∂b2 under the same keys, in the same shapes, as params.
    """
    # solution
    first, rectified, second = cache
    dactive, dw2, db2 = affine_backward(dscores, second)
    dhidden = relu_backward(dactive, rectified)
    _, dw1, db1 = affine_backward(dhidden, first)
    return {"W1": dw1, "b1": db1, "W2": dw2, "b2": db2}
    # end solution


def sgd_step(params, grads, lr):
    """One step of gradient descent: every parameter θ becomes θ - lr ∂L/∂θ.

    Args:
        params: dict of arrays, with any keys.
        grads: dict of their gradients, with the same keys.
        lr: learning rate, a float.

    Returns:
        A new dict of new arrays. `params` and `grads` stay as they were.
    """
    # solution
    return {name: value - lr * grads[name] for name, value in params.items()}
    # end solution


def train(params, x, y, lr, batch, steps):
    """Train the network with SGD on the softmax loss.

    Step k = 0, 1, ..., steps - 1 takes the rows (k batch + i) mod N for i = 0, ..., batch - 1: in order, without
    shuffling, and from the start again when the data run out. Each step is forward, loss, backward, update.

    Args:
        params: dict of W1 (D, H), b1 (H,), W2 (H, C), b2 (C,): where to start. It stays as it was.
        x: (N, D) examples.
        y: (N,) their classes, integers.
        lr: learning rate, a float.
        batch: number of rows in a step, an int, at most N.
        steps: number of steps, an int.

    Returns:
        params: the trained parameters, a dict with the same keys.
        losses: list of `steps` floats, the loss of each step's batch before that step's update.
    """
    # solution
    xp = array_namespace(x)
    losses = []
    for step in range(steps):
        rows = (xp.arange(batch, device=device(x)) + step * batch) % x.shape[0]
        scores, cache = mlp_forward(params, xp.take(x, rows, axis=0))
        loss, dscores = softmax_loss(scores, xp.take(y, rows, axis=0))
        params = sgd_step(params, mlp_backward(dscores, cache), lr)
        losses.append(float(loss))
    return params, losses
    # end solution
