"""A convolutional network, by hand.

Fill in the functions below, from the top down: those further down use those above. The lesson in README.md derives
every formula and has small examples with numbers; `pytest` in this folder says how far you are.

N is the number of images in a batch, C of channels, H and W of rows and columns of pixels, F of filters, HH and WW of
rows and columns of a filter or a window, OH and OW of windows below and beside each other, D of features, M of
classes. Arrays are NumPy's, of float64; class numbers are integers. So that your code would run on torch tensors, on
a GPU, as it is: with `xp = array_namespace(x)`, write `xp.exp(x)` where you would write `np.exp(x)`. Slices
(`x[:, :, 2:8:3]`), also where they are assigned or added to, and what has no prefix work on both. Write the gradients
yourself: autograd is not there to be asked.
"""

from array_api_compat import array_namespace, device

MEAN, STD = 0.25, 0.35
"""Given. Of the pixels of 8,000 training images after cropping and halving (see prepare), to two digits."""


def zeros(shape, like):
    """Given. Array of zeros of this shape, of the dtype and on the device of `like`."""
    xp = array_namespace(like)
    return xp.zeros(shape, dtype=like.dtype, device=device(like))


def one_hot(y, classes, like):
    """Given. Array (N, classes) of zeros with a one at [n, y[n]], of the dtype and on the device of `like`."""
    xp = array_namespace(like)
    columns = xp.arange(classes, device=device(like))
    return xp.astype(y[:, None] == columns[None, :], like.dtype)


def conv_forward(x, w, b, stride, pad):
    """Convolution: every filter is laid on every window of the image; the products are summed.

    Let xp be x with `pad` rows or columns of zeros on each of its four sides. Then

    OH = floor((H + 2 pad - HH) / stride) + 1
    OW = floor((W + 2 pad - WW) / stride) + 1
    out[n, f, p, q] = b[f] + Σ_c Σ_i Σ_j xp[n, c, p stride + i, q stride + j] w[f, c, i, j]

    with i = 0, ..., HH - 1 and j = 0, ..., WW - 1. Rows and columns that no window reaches (where the stride does not
    divide) are left over. The filter is not flipped: what deep learning calls a convolution is a correlation.

    Args:
        x: (N, C, H, W).
        w: (F, C, HH, WW).
        b: (F,).
        stride: an int of at least 1, the same for rows and columns.
        pad: an int of at least 0.

    Returns:
        out: (N, F, OH, OW).
        cache: whatever conv_backward will need. Its form is yours; nobody else looks inside.
    """
    raise NotImplementedError("conv_forward is not written yet")


def conv_backward(dout, cache):
    """Gradients of the convolution.

    L is the loss at the far end of the network and dout[n, f, p, q] = ∂L/∂out[n, f, p, q]. By the chain rule, for
    each entry of x (and so for w and b):

    dx[n, c, h, v] = Σ_k Σ_f Σ_p Σ_q dout[k, f, p, q] ∂out[k, f, p, q]/∂x[n, c, h, v]

    A pixel lies in several windows where these overlap, and in none where they leave it out.

    Args:
        dout: (N, F, OH, OW), the upstream gradient.
        cache: what conv_forward returned beside out.

    Returns:
        dx: (N, C, H, W), dw: (F, C, HH, WW), db: (F,); a gradient has the shape of what it is the gradient of.
    """
    raise NotImplementedError("conv_backward is not written yet")


def max_pool_forward(x, height, width, stride):
    """Max pooling: the largest number of every window, channel by channel.

    OH = floor((H - height) / stride) + 1
    OW = floor((W - width) / stride) + 1
    out[n, c, p, q] = max over i < height, j < width of x[n, c, p stride + i, q stride + j]

    Windows overlap where the stride is less than their size.

    Args:
        x: (N, C, H, W).
        height: of a window, an int.
        width: of a window, an int.
        stride: an int of at least 1, the same for rows and columns.

    Returns:
        out: (N, C, OH, OW).
        cache: whatever max_pool_backward will need.
    """
    raise NotImplementedError("max_pool_forward is not written yet")


def max_pool_backward(dout, cache):
    """Gradient of max pooling: each window passes its upstream gradient to where its maximum is.

    If a window holds its maximum several times, the first position in reading order may get it all, or each of them;
    both are accepted.

    Args:
        dout: (N, C, OH, OW), the upstream gradient.
        cache: what max_pool_forward returned beside out.

    Returns:
        dx: (N, C, H, W).
    """
    raise NotImplementedError("max_pool_backward is not written yet")


def avg_pool_forward(x, height, width, stride):
    """Average pooling: the mean of every window, channel by channel.

    out[n, c, p, q] = Σ_i Σ_j x[n, c, p stride + i, q stride + j] / (height width)

    with i < height, j < width, and OH and OW as in max pooling.

    Args:
        x: (N, C, H, W).
        height: of a window, an int.
        width: of a window, an int.
        stride: an int of at least 1, the same for rows and columns.

    Returns:
        out: (N, C, OH, OW).
        cache: whatever avg_pool_backward will need.
    """
    raise NotImplementedError("avg_pool_forward is not written yet")


def avg_pool_backward(dout, cache):
    """Gradient of average pooling.

    Args:
        dout: (N, C, OH, OW), the upstream gradient.
        cache: what avg_pool_forward returned beside out.

    Returns:
        dx: (N, C, H, W).
    """
    raise NotImplementedError("avg_pool_backward is not written yet")


def flatten_forward(x):
    """Flatten: each image as one row of numbers, in reading order: channel by channel, row by row.

    out[n, (c H + h) W + v] = x[n, c, h, v]

    Args:
        x: (N, C, H, W).

    Returns:
        out: (N, C H W).
        cache: whatever flatten_backward will need.
    """
    raise NotImplementedError("flatten_forward is not written yet")


def flatten_backward(dout, cache):
    """Gradient of flatten: the same numbers, back in their places.

    Args:
        dout: (N, C H W), the upstream gradient.
        cache: what flatten_forward returned beside out.

    Returns:
        dx: (N, C, H, W).
    """
    raise NotImplementedError("flatten_backward is not written yet")


def relu_forward(x):
    """Rectified linear unit: out = max(x, 0), entry by entry, for arrays of any shape. As in the topic mlp.

    Args:
        x: (N, F, OH, OW), or any other shape.

    Returns:
        out: of the shape of x.
        cache: whatever relu_backward will need.
    """
    raise NotImplementedError("relu_forward is not written yet")


def relu_backward(dout, cache):
    """Gradient of the ReLU; anything from 0 to 1 is accepted for its slope at x = 0.

    Args:
        dout: of the shape of x, the upstream gradient.
        cache: what relu_forward returned beside out.

    Returns:
        dx: of the shape of x.
    """
    raise NotImplementedError("relu_backward is not written yet")


def affine_forward(x, w, b):
    """Affine layer, out = x w + b. As in the topic mlp.

    Args:
        x: (N, D), one example a row.
        w: (D, M).
        b: (M,).

    Returns:
        out: (N, M).
        cache: whatever affine_backward will need.
    """
    raise NotImplementedError("affine_forward is not written yet")


def affine_backward(dout, cache):
    """Gradients of the affine layer.

    Args:
        dout: (N, M), the upstream gradient.
        cache: what affine_forward returned beside out.

    Returns:
        dx: (N, D), dw: (D, M), db: (M,).
    """
    raise NotImplementedError("affine_backward is not written yet")


def softmax_loss(scores, y):
    """Softmax and cross-entropy, the mean over the batch. As in the topic mlp; large scores are not tried here.

    p[n, m] = exp(scores[n, m]) / Σ_k exp(scores[n, k])
    L = -(1/N) Σ_n log p[n, y[n]]

    Args:
        scores: (N, M).
        y: (N,), integers from 0 to M - 1: the right class of each example.

    Returns:
        loss: L, a single number.
        dscores: (N, M), ∂L/∂scores.
    """
    raise NotImplementedError("softmax_loss is not written yet")


def sgd_step(params, grads, lr):
    """One step of gradient descent on a tree: every parameter θ becomes θ - lr ∂L/∂θ.

    Args:
        params: dict whose values are arrays or again such dicts, to any depth.
        grads: the gradients, in a tree of the same keys.
        lr: learning rate, a float.

    Returns:
        A new tree of new arrays. `params` and `grads` stay as they were.
    """
    raise NotImplementedError("sgd_step is not written yet")


def cnn_forward(params, x, pad):
    """The network: convolution of stride 1, ReLU, average pooling of 2 x 2 with stride 2, flatten, affine.

    Args:
        params: {"conv": {"w": (F, C, HH, WW), "b": (F,)}, "affine": {"w": (D, M), "b": (M,)}}, where D is the number
            of features that flatten makes.
        x: (N, C, H, W).
        pad: of the convolution, an int.

    Returns:
        scores: (N, M).
        cache: whatever cnn_backward will need.
    """
    raise NotImplementedError("cnn_forward is not written yet")


def cnn_backward(dscores, cache):
    """Gradients of the network's parameters: the layers' backward passes, last layer first.

    Args:
        dscores: (N, M), the upstream gradient ∂L/∂scores.
        cache: what cnn_forward returned beside the scores.

    Returns:
        grads: the gradients, in a tree of the same keys and shapes as params.
    """
    raise NotImplementedError("cnn_backward is not written yet")


def prepare(images):
    """Images as the network wants them: smaller, standardised, with an axis for the channel.

    Each image loses the 4 outer rows and columns on each side (a digit lies in the middle 20 x 20), is halved by the
    mean of each block of 2 x 2 pixels, and standardised: less MEAN, divided by STD. Both are given above, and are the
    same for every batch and for images that are not trained on.

    Args:
        images: (N, 28, 28), from 0 (paper) to 1 (ink).

    Returns:
        x: (N, 1, 10, 10).
    """
    raise NotImplementedError("prepare is not written yet")


def accuracy(scores, y):
    """Share of the examples, from 0 to 1, whose largest score is that of the right class.

    Args:
        scores: (N, M), no two of a row alike.
        y: (N,), integers from 0 to M - 1.

    Returns:
        A single number.
    """
    raise NotImplementedError("accuracy is not written yet")


def train(params, images, labels, lr, batch, steps):
    """Train the network, with pad = 1, by gradient descent on the softmax loss of the prepared images.

    Step k = 0, 1, ..., steps - 1 takes the rows (k batch + i) mod N for i = 0, ..., batch - 1: in order, without
    shuffling, and from the start again when the data run out. Each step is forward, loss, backward, update.

    Args:
        params: as in cnn_forward: where to start. It stays as it was.
        images: (N, 28, 28), from 0 to 1, not prepared yet.
        labels: (N,) their classes, integers.
        lr: learning rate, a float.
        batch: number of rows in a step, an int, at most N.
        steps: number of steps, an int.

    Returns:
        params: the trained parameters, a tree of the same keys.
        losses: list of `steps` floats, the loss of each step's batch before that step's update.
    """
    raise NotImplementedError("train is not written yet")


def grouped_conv_forward(x, w, b, stride, pad, groups):
    """Extra: a convolution in which each group of filters sees a group of channels only.

    The C channels and the F filters are cut into `groups` equal parts, in order. The first part of the filters is laid
    on the first part of the channels, the second on the second, and so on; else it is as in conv_forward.

    Args:
        x: (N, C, H, W).
        w: (F, C / groups, HH, WW).
        b: (F,).
        stride: as in conv_forward.
        pad: as in conv_forward.
        groups: an int that divides C and F.

    Returns:
        out: (N, F, OH, OW).
        cache: whatever grouped_conv_backward will need.
    """
    raise NotImplementedError("grouped_conv_forward is not written yet")


def grouped_conv_backward(dout, cache):
    """Extra: gradients of the convolution in groups.

    Args:
        dout: (N, F, OH, OW), the upstream gradient.
        cache: what grouped_conv_forward returned beside out.

    Returns:
        dx: (N, C, H, W), dw: (F, C / groups, HH, WW), db: (F,).
    """
    raise NotImplementedError("grouped_conv_backward is not written yet")
