"""A network as functions of a list.

Fill in the functions below, from the top down: each uses those above it. The lesson in README.md says why one would
write it this way, and has small examples with numbers; `pytest` in this folder says how far you are.

N is the number of examples in a batch, D of inputs, C of classes. The parameters are a list of pairs (w, b), one pair
for each layer, in order; a layer with I inputs and O outputs has w of shape (I, O) and b of shape (O,). The list may
have any length of at least 1, and a pair may be a tuple or a list of two.

Every function is pure: what it returns depends on its arguments alone, and it changes nothing, neither its arguments
nor anything outside of it. Arrays are NumPy's, of float64; class numbers are integers. So that your code would run on
torch tensors, on a GPU, as it is: with `xp = array_namespace(x)`, write `xp.exp(x)` where you would write `np.exp(x)`.
Write the gradients yourself: there is no `grad` here to transform the loss.
"""

from array_api_compat import array_namespace, device


def one_hot(y, classes, like):
    """Given. Array (N, classes) of zeros with a one at [n, y[n]], of the dtype and on the device of `like`."""
    xp = array_namespace(like)
    columns = xp.arange(classes, device=device(like))
    return xp.astype(y[:, None] == columns[None, :], like.dtype)


def predict(params, x):
    """The scores of the network: affine layers with a ReLU between each two, and none behind the last.

    a[0] = x
    a[l + 1] = max(a[l] w[l] + b[l], 0)        but for the last layer, where it is a[l] w[l] + b[l]

    Args:
        params: list of pairs (w, b).
        x: (N, D), one example a row.

    Returns:
        scores: (N, C).
    """
    # solution
    xp = array_namespace(x)
    *hidden, (w, b) = params
    for weights, bias in hidden:
        x = x @ weights + bias
        x = xp.maximum(x, xp.zeros_like(x))
    return x @ w + b
    # end solution


def loss(params, x, y):
    """Softmax and cross-entropy of the scores, as the mean over the batch.

    p[n, c] = exp(scores[n, c]) / Σ_k exp(scores[n, k])
    loss = -(1/N) Σ_n log p[n, y[n]]

    It must come out right for scores of ±10,000 too, where exp overflows: p stays the same when one number is taken
    off all the scores of a row.

    Args:
        params: list of pairs (w, b).
        x: (N, D).
        y: (N,), integers from 0 to C - 1: the right class of each example.

    Returns:
        The loss, a single number.
    """
    # solution
    xp = array_namespace(x)
    scores = predict(params, x)
    shifted = scores - xp.max(scores, axis=1, keepdims=True)
    log_p = shifted - xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True))
    return -xp.sum(one_hot(y, scores.shape[1], like=scores) * log_p) / x.shape[0]
    # end solution


def loss_gradient(params, x, y):
    """The gradient of the loss with respect to the whole list.

    It needs what the layers computed on the way, and works that out itself: no other call can have left it behind.

    Args:
        params: list of pairs (w, b).
        x: (N, D).
        y: (N,), integers.

    Returns:
        list of pairs (∂loss/∂w, ∂loss/∂b), in the order and in the shapes of params.
    """
    # solution
    xp = array_namespace(x)
    inputs = [x]
    for w, b in params[:-1]:
        hidden = inputs[-1] @ w + b
        inputs.append(xp.maximum(hidden, xp.zeros_like(hidden)))
    w, b = params[-1]
    scores = inputs[-1] @ w + b
    p = xp.exp(scores - xp.max(scores, axis=1, keepdims=True))
    p = p / xp.sum(p, axis=1, keepdims=True)
    upstream = (p - one_hot(y, scores.shape[1], like=scores)) / x.shape[0]
    grads = []
    for (w, _), came_in in zip(reversed(params), reversed(inputs), strict=True):
        grads.append((came_in.T @ upstream, xp.sum(upstream, axis=0)))
        upstream = xp.where(came_in > 0, upstream @ w.T, xp.zeros_like(came_in))
    return grads[::-1]
    # end solution


def update(params, x, y, rate):
    """One step of gradient descent on the loss of this batch: every parameter θ becomes θ - rate ∂loss/∂θ.

    Args:
        params: list of pairs (w, b). It stays as it was, and so do its arrays.
        x: (N, D).
        y: (N,), integers.
        rate: learning rate, a float.

    Returns:
        A new list of new pairs, in the same order.
    """
    # solution
    grads = loss_gradient(params, x, y)
    return [(w - rate * dw, b - rate * db) for (w, b), (dw, db) in zip(params, grads, strict=True)]
    # end solution


def train(params, x, y, rate, batch, steps):
    """Update after update, each on the result of the one before.

    Step k = 0, 1, ..., steps - 1 takes the rows (k batch + i) mod N for i = 0, ..., batch - 1: in order, without
    shuffling, and from the start again when the data run out.

    Args:
        params: list of pairs (w, b): where to start. It stays as it was.
        x: (N, D) examples.
        y: (N,) their classes, integers.
        rate: learning rate, a float.
        batch: number of rows in a step, an int, at most N.
        steps: number of steps, an int.

    Returns:
        params: the trained parameters, a list of pairs.
        losses: list of `steps` floats, the loss of each step's batch before that step's update.
    """
    # solution
    xp = array_namespace(x)
    losses = []
    for step in range(steps):
        rows = (xp.arange(batch, device=device(x)) + step * batch) % x.shape[0]
        some, right = xp.take(x, rows, axis=0), xp.take(y, rows, axis=0)
        losses.append(float(loss(params, some, right)))
        params = update(params, some, right, rate)
    return params, losses
    # end solution
