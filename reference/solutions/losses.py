"""Losses and measures, by hand.

Fill in the functions below, from the top down: later ones use some of those above them. The lesson in README.md
derives every formula and has small examples with numbers; `pytest` in this folder says how far you are.

A loss returns two things: its value L, a single number, and the gradient ∂L/∂(first argument), of the shape of that
argument. N is the number of examples in a batch, C of classes, M of outputs of an example, K of yes-or-no labels of
an example, D of inputs. Arrays are NumPy's, of float64; class numbers are integers. So that your code would run on
torch tensors as it is: with `xp = array_namespace(x)`, write `xp.exp(x)` where you would write `np.exp(x)`. Write
the gradients yourself: autograd is not there to be asked.
"""

from array_api_compat import array_namespace, device


def one_hot(y, classes, like):
    """Given. Array (N, classes) of zeros with a one at [n, y[n]], of the dtype and on the device of `like`.

    A y[n] that is no class (-1, say) gives a row of zeros.
    """
    xp = array_namespace(like)
    columns = xp.arange(classes, device=device(like))
    return xp.astype(y[:, None] == columns[None, :], like.dtype)


# ---------------------------------------------------------------------------------------------- losses of numbers


def mse_loss(prediction, target):
    """Mean squared error.

    r[n, m] = prediction[n, m] - target[n, m]
    L = 1/(N M) Σ_n Σ_m r[n, m]²

    The mean is over all N·M entries, and there is no ½ in front.

    Args:
        prediction: (N, M).
        target: (N, M).

    Returns:
        loss: L, a single number.
        dprediction: (N, M), ∂L/∂prediction.
    """
    # solution
    xp = array_namespace(prediction)
    r = prediction - target
    return xp.mean(r * r), 2 * r / (r.shape[0] * r.shape[1])
    # end solution


def huber_loss(prediction, target, delta):
    """Huber's loss: squares for small errors, absolute values for large ones.

    r[n, m] = prediction[n, m] - target[n, m]
    h(r) = r²/2                       where |r| <= delta
    h(r) = delta (|r| - delta/2)      where |r| > delta
    L = 1/(N M) Σ_n Σ_m h(r[n, m])

    Args:
        prediction: (N, M).
        target: (N, M).
        delta: a float above 0.

    Returns:
        loss: L, a single number.
        dprediction: (N, M), ∂L/∂prediction.
    """
    # solution
    xp = array_namespace(prediction)
    r = prediction - target
    near = xp.abs(r) <= delta
    h = xp.where(near, r * r / 2, delta * (xp.abs(r) - delta / 2))
    return xp.mean(h), xp.where(near, r, delta * xp.sign(r)) / (r.shape[0] * r.shape[1])
    # end solution


# --------------------------------------------------------------------------------------------- losses of classes


def bce_loss(logits, y):
    """Binary cross-entropy from logits: N examples with K labels each, every label a yes-or-no question.

    p[n, k] = 1 / (1 + exp(-logits[n, k]))
    L = -1/(N K) Σ_n Σ_k (y[n, k] log p[n, k] + (1 - y[n, k]) log(1 - p[n, k]))

    The mean is over all N·K labels. It must come out right for logits of ±10,000 too, where p is 0 or 1 to the last
    digit: never take the logarithm of p.

    Args:
        logits: (N, K).
        y: (N, K), floats: 0 or 1, or anything between (a soft label: "yes, to 90 %").

    Returns:
        loss: L, a single number.
        dlogits: (N, K), ∂L/∂logits.
    """
    # solution
    xp = array_namespace(logits)
    small = xp.exp(-xp.abs(logits))  # at most 1
    p = xp.where(logits >= 0, 1 / (1 + small), small / (1 + small))
    each = xp.where(logits >= 0, (1 - y) * logits, -y * logits) + xp.log1p(small)
    return xp.mean(each), (p - y) / (y.shape[0] * y.shape[1])
    # end solution


def log_softmax_forward(x):
    """Logarithm of the softmax, row by row.

    out[n, c] = log(exp(x[n, c]) / Σ_k exp(x[n, k]))

    It must come out right for x of ±10,000 too: take the row's maximum off first, and then the logarithm of the sum,
    not of the quotient.

    Args:
        x: (N, C).

    Returns:
        out: (N, C).
        cache: whatever log_softmax_backward will need. Its form is yours; nobody else looks inside.
    """
    # solution
    xp = array_namespace(x)
    shifted = x - xp.max(x, axis=1, keepdims=True)
    out = shifted - xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True))
    return out, out
    # end solution


def log_softmax_backward(dout, cache):
    """Gradient of the logarithm of the softmax.

    dx[n, c] = Σ_k dout[n, k] ∂out[n, k]/∂x[n, c]

    Args:
        dout: (N, C), the upstream gradient ∂L/∂out: any numbers, not only those of a cross-entropy.
        cache: what log_softmax_forward returned beside out.

    Returns:
        dx: (N, C).
    """
    # solution
    xp = array_namespace(dout)
    return dout - xp.exp(cache) * xp.sum(dout, axis=1, keepdims=True)
    # end solution


def cross_entropy_loss(scores, y, smoothing, ignore):
    """Softmax and cross-entropy, with smoothed labels and examples that don't count.

    logp[n, c] = log(exp(scores[n, c]) / Σ_k exp(scores[n, k]))
    q[n, c] = (1 - smoothing) (1 if c = y[n] else 0) + smoothing / C
    L = -1/V Σ_n Σ_c q[n, c] logp[n, c]         n over the examples with y[n] ≠ ignore; V is their number

    Examples with y[n] = ignore count neither in the sum nor in V, and their row of the gradient is zero. If all are
    ignored, L = 0. It must come out right for scores of ±10,000 too.

    Args:
        scores: (N, C).
        y: (N,), integers: the right class of each example, 0 to C - 1, or `ignore`.
        smoothing: a float from 0 (no smoothing) to 1, the share of q that is spread over all C classes.
        ignore: an integer. It may be -1, or one of the classes.

    Returns:
        loss: L, a single number.
        dscores: (N, C), ∂L/∂scores.
    """
    # solution
    xp = array_namespace(scores)
    classes = scores.shape[1]
    logp, _ = log_softmax_forward(scores)
    counts = xp.astype(y != ignore, scores.dtype)[:, None]
    valid = max(float(xp.sum(counts)), 1.0)
    q = (1 - smoothing) * one_hot(y, classes, like=scores) + smoothing / classes
    loss = -xp.sum(counts * q * logp) / valid
    return loss, counts * (xp.exp(logp) - q) / valid
    # end solution


def hinge_loss(scores, y):
    """Hinge loss of several classes: every wrong class must stay below the right one by at least 1.

    margin[n, c] = scores[n, c] - scores[n, y[n]] + 1
    L = 1/N Σ_n Σ_{c ≠ y[n]} max(0, margin[n, c])

    The right class itself is left out of the sum. At a margin of exactly 0 there is a kink; anything from 0 to 1 is
    accepted for the slope of max(0, margin) there.

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
    right = one_hot(y, classes, like=scores)
    margins = (scores - xp.sum(right * scores, axis=1, keepdims=True) + 1) * (1 - right)
    violated = xp.astype(margins > 0, scores.dtype)
    dscores = violated - right * xp.sum(violated, axis=1, keepdims=True)
    return xp.sum(violated * margins) / examples, dscores / examples
    # end solution


# ------------------------------------------------------------------------------------------------ regularisation


def l2_penalty(weights, reg):
    """Penalty on large weights.

    L = reg Σ_i Σ w_i²         over all entries of all arrays; no ½, no mean

    Args:
        weights: list of arrays, of any shapes.
        reg: a float.

    Returns:
        penalty: L, a single number.
        dweights: list of arrays, ∂L/∂w_i, each of the shape of its w_i.
    """
    # solution
    xp = array_namespace(weights[0])
    return reg * sum(xp.sum(w * w) for w in weights), [2 * reg * w for w in weights]
    # end solution


def svm_loss(params, x, y, reg):
    """A linear classifier under the hinge loss, with its weights kept small: a support vector machine.

    scores[n, c] = Σ_d x[n, d] W[d, c] + b[c]
    L = hinge_loss(scores, y) + reg Σ_d Σ_c W[d, c]²         the penalty is on W, not on b

    Args:
        params: dict of W (D, C) and b (C,).
        x: (N, D).
        y: (N,), integers from 0 to C - 1.
        reg: a float.

    Returns:
        loss: L, a single number.
        grads: dict of ∂L/∂W and ∂L/∂b under the same keys, in the same shapes, as params.
    """
    # solution
    xp = array_namespace(x)
    data, dscores = hinge_loss(x @ params["W"] + params["b"], y)
    penalty, (dw,) = l2_penalty([params["W"]], reg)
    return data + penalty, {"W": x.T @ dscores + dw, "b": xp.sum(dscores, axis=0)}
    # end solution


# ------------------------------------------------------------------------------------------------------ measures


def accuracy(predicted, y):
    """Share of the examples that are predicted right, from 0 to 1.

    Args:
        predicted: (N,), integers: the class that is predicted for each example.
        y: (N,), integers: its right class.

    Returns:
        A single number.
    """
    # solution
    xp = array_namespace(y)
    return xp.mean(xp.astype(predicted == y, xp.float64))
    # end solution


def confusion_matrix(predicted, y, classes):
    """How often each class is taken for each other.

    matrix[i, j] = number of examples of class i (y[n] = i) that are predicted as j (predicted[n] = j)

    Rows are the truth, columns the prediction. A class that does not occur has a row of zeros, one that is never
    predicted a column of zeros: the matrix has a row and a column for every class all the same.

    Args:
        predicted: (N,), integers from 0 to classes - 1.
        y: (N,), integers from 0 to classes - 1.
        classes: number of classes, an int.

    Returns:
        matrix: (classes, classes), integers.
    """
    # solution
    xp = array_namespace(y)
    cells = xp.arange(classes * classes, device=device(y))
    hits = (y * classes + predicted)[:, None] == cells[None, :]
    return xp.reshape(xp.sum(xp.astype(hits, xp.int64), axis=0), (classes, classes))
    # end solution


def precision(predicted, y, classes):
    """Of those that are predicted as class c, the share that are of class c.

    Where nothing is predicted as c, the precision of c is 0.

    Args:
        predicted: (N,), integers from 0 to classes - 1.
        y: (N,), integers from 0 to classes - 1.
        classes: number of classes, an int.

    Returns:
        (classes,), floats.
    """
    # solution
    xp = array_namespace(y)
    matrix = xp.astype(confusion_matrix(predicted, y, classes), xp.float64)
    named = xp.sum(matrix, axis=0)
    return xp.linalg.diagonal(matrix) / xp.where(named > 0, named, xp.ones_like(named))
    # end solution


def recall(predicted, y, classes):
    """Of those that are of class c, the share that are predicted as class c.

    Where none is of class c, the recall of c is 0.

    Args:
        predicted: (N,), integers from 0 to classes - 1.
        y: (N,), integers from 0 to classes - 1.
        classes: number of classes, an int.

    Returns:
        (classes,), floats.
    """
    # solution
    xp = array_namespace(y)
    matrix = xp.astype(confusion_matrix(predicted, y, classes), xp.float64)
    there = xp.sum(matrix, axis=1)
    return xp.linalg.diagonal(matrix) / xp.where(there > 0, there, xp.ones_like(there))
    # end solution


def f1_score(predicted, y, classes):
    """Harmonic mean of precision P and recall R of each class.

    F1[c] = 2 P[c] R[c] / (P[c] + R[c])

    Where P[c] and R[c] are both 0, F1[c] is 0.

    Args:
        predicted: (N,), integers from 0 to classes - 1.
        y: (N,), integers from 0 to classes - 1.
        classes: number of classes, an int.

    Returns:
        (classes,), floats.
    """
    # solution
    xp = array_namespace(y)
    p, r = precision(predicted, y, classes), recall(predicted, y, classes)
    total = p + r
    return 2 * p * r / xp.where(total > 0, total, xp.ones_like(total))
    # end solution


def macro_f1(predicted, y, classes):
    """Mean of F1 over the classes that play a part: those that occur in y, or are predicted, or both.

    A class that occurs in neither is left out of the mean. One that occurs and is never predicted has an F1 of 0,
    and counts; so does one that is predicted and never occurs.

    Args:
        predicted: (N,), integers from 0 to classes - 1.
        y: (N,), integers from 0 to classes - 1.
        classes: number of classes, an int.

    Returns:
        A single number.
    """
    # solution
    xp = array_namespace(y)
    matrix = confusion_matrix(predicted, y, classes)
    seen = xp.astype((xp.sum(matrix, axis=0) + xp.sum(matrix, axis=1)) > 0, xp.float64)
    return xp.sum(f1_score(predicted, y, classes) * seen) / xp.sum(seen)
    # end solution
