"""Normalisation and dropout, by hand.

Fill in the functions below, from the top down. The lesson in README.md derives every formula and has small examples
with numbers; `pytest` in this folder says how far you are.

N is the number of examples in a batch, D of features, T of places in a sequence, C of channels, H and W of rows and
columns of pixels. Arrays are NumPy's, of float64. A variance is the mean of the squared distances from the mean:
divided by their number, not by one less. So that your code would run on torch tensors, on a GPU, as it is: with
`xp = array_namespace(x)`, write `xp.sqrt(x)` where you would write `np.sqrt(x)`. Write the gradients yourself:
autograd is not there to be asked.
"""

import numpy as np
from array_api_compat import array_namespace, device


def uniform(like):
    """Given. Array of random numbers from 0 to 1, all equally likely, independent, of the shape of `like`."""
    xp = array_namespace(like)
    return xp.asarray(np.random.random_sample(tuple(like.shape)), dtype=like.dtype, device=device(like))


def batchnorm_forward(x, gamma, beta, running, momentum, eps, train):
    """Batch normalisation: every feature gets mean beta and standard deviation gamma, over the batch.

    In training, with the mean and the variance of this batch:

    mean[d] = (1/N) Σ_n x[n, d]
    var[d] = (1/N) Σ_n (x[n, d] - mean[d])^2
    out[n, d] = gamma[d] (x[n, d] - mean[d]) / sqrt(var[d] + eps) + beta[d]

    and the running statistics follow those of the batches, the mean and the variance alike:

    new running = momentum (old running) + (1 - momentum) (that of this batch)

    At test time the running statistics stand for those of the batch, and stay as they are.

    Args:
        x: (N, D).
        gamma: (D,).
        beta: (D,).
        running: dict of mean (D,) and var (D,), as an earlier call returned it; it stays as it was. None before the
            first batch: then both start at zero.
        momentum: weight of the old running statistics, a float from 0 to 1.
        eps: a float, inside the root.
        train: True in training, False at test time.

    Returns:
        out: (N, D).
        running: dict of the new running statistics.
        cache: whatever batchnorm_backward will need. Its form is yours; nobody else looks inside.
    """
    raise NotImplementedError("batchnorm_forward is not written yet")


def batchnorm_backward(dout, cache):
    """Gradients of batch normalisation, in training and at test time.

    L is the loss at the far end of the network and dout[n, d] = ∂L/∂out[n, d]. In training an x[n, d] reaches every
    output of its feature: its own, and all of them through the mean and through the variance. At test time it reaches
    its own only. The running statistics get no gradient.

    Args:
        dout: (N, D), the upstream gradient.
        cache: what batchnorm_forward returned last.

    Returns:
        dx: (N, D), dgamma: (D,), dbeta: (D,); a gradient has the shape of what it is the gradient of.
    """
    raise NotImplementedError("batchnorm_backward is not written yet")


def batchnorm_backward_simplified(dout, cache):
    """The same gradients in training, from one formula: on paper everything between x and out becomes one step.

    Args:
        dout: (N, D), the upstream gradient.
        cache: what batchnorm_forward returned last, of a call in training.

    Returns:
        dx: (N, D), dgamma: (D,), dbeta: (D,).
    """
    raise NotImplementedError("batchnorm_backward_simplified is not written yet")


def layernorm_forward(x, gamma, beta, eps):
    """Layer normalisation: every example gets mean 0 and variance 1 over its own features, then gamma and beta.

    mean[n] = (1/D) Σ_d x[n, d]
    var[n] = (1/D) Σ_d (x[n, d] - mean[n])^2
    out[n, d] = gamma[d] (x[n, d] - mean[n]) / sqrt(var[n] + eps) + beta[d]

    No example knows of another, so training and test time are the same.

    Args:
        x: (N, D).
        gamma: (D,).
        beta: (D,).
        eps: a float, inside the root.

    Returns:
        out: (N, D).
        cache: whatever layernorm_backward will need.
    """
    raise NotImplementedError("layernorm_forward is not written yet")


def layernorm_backward(dout, cache):
    """Gradients of layer normalisation.

    Args:
        dout: (N, D), the upstream gradient.
        cache: what layernorm_forward returned beside out.

    Returns:
        dx: (N, D), dgamma: (D,), dbeta: (D,).
    """
    raise NotImplementedError("layernorm_backward is not written yet")


def groupnorm_forward(x, gamma, beta, groups, eps):
    """Group normalisation: the channels are cut into groups, and each group of each image has its own statistics.

    The C channels make `groups` groups of C / groups that follow each other. Mean and variance are those of all
    numbers of a group: its channels, rows and columns. Then, with g the group of channel c,

    out[n, c, h, v] = gamma[c] (x[n, c, h, v] - mean[n, g]) / sqrt(var[n, g] + eps) + beta[c]

    Args:
        x: (N, C, H, W).
        gamma: (C,).
        beta: (C,).
        groups: an int that divides C.
        eps: a float, inside the root.

    Returns:
        out: (N, C, H, W).
        cache: whatever groupnorm_backward will need.
    """
    raise NotImplementedError("groupnorm_forward is not written yet")


def groupnorm_backward(dout, cache):
    """Gradients of group normalisation.

    Args:
        dout: (N, C, H, W), the upstream gradient.
        cache: what groupnorm_forward returned beside out.

    Returns:
        dx: (N, C, H, W), dgamma: (C,), dbeta: (C,).
    """
    raise NotImplementedError("groupnorm_backward is not written yet")


def rmsnorm_forward(x, gamma, eps):
    """Root mean square normalisation: every place is divided by the size of its own features. No mean, no beta.

    out[n, t, d] = gamma[d] x[n, t, d] / sqrt((1/D) Σ_k x[n, t, k]^2 + eps)

    Args:
        x: (N, T, D).
        gamma: (D,).
        eps: a float, inside the root.

    Returns:
        out: (N, T, D).
        cache: whatever rmsnorm_backward will need.
    """
    raise NotImplementedError("rmsnorm_forward is not written yet")


def rmsnorm_backward(dout, cache):
    """Gradients of root mean square normalisation.

    Args:
        dout: (N, T, D), the upstream gradient.
        cache: what rmsnorm_forward returned beside out.

    Returns:
        dx: (N, T, D), dgamma: (D,).
    """
    raise NotImplementedError("rmsnorm_backward is not written yet")


def dropout_forward(x, p, train):
    """Inverted dropout: in training every number is dropped with probability p, and what is left grows for it.

    In training out[n, d] is 0 with probability p and x[n, d] / (1 - p) otherwise, for each number on its own and anew
    in each call. At test time out = x.

    Args:
        x: (N, D), or any other shape.
        p: probability to be *dropped*, a float from 0 to below 1.
        train: True in training, False at test time.

    Returns:
        out: of the shape of x.
        cache: whatever dropout_backward will need.
    """
    raise NotImplementedError("dropout_forward is not written yet")


def dropout_backward(dout, cache):
    """Gradient of dropout, for the numbers that this forward pass dropped.

    Args:
        dout: of the shape of x, the upstream gradient.
        cache: what dropout_forward returned beside out.

    Returns:
        dx: of the shape of x.
    """
    raise NotImplementedError("dropout_backward is not written yet")
