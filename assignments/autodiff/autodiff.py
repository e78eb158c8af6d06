"""An engine of automatic differentiation, by hand.

A Tensor is an array that remembers what it was computed from. Calculate with Tensors, call backward() on the result,
and every Tensor that went into it knows its gradient. Fill in the functions and methods below, from the top down; the
lesson in README.md derives each of them and has small examples with numbers.

The design is a proposal. What is graded is the outside: Tensor(data) makes a leaf of an array; the operators and
methods below give new Tensors; `data` is the value, an array; after backward(), `grad` of a leaf is its gradient, an
array of the shape of `data`. The inside is yours: keep what you like, under any name, and change __init__.

Arrays are NumPy's, of float64. So that your code would run on torch tensors as it is: with
`xp = array_namespace(x)`, write `xp.exp(x)` where you would write `np.exp(x)`.
"""

from array_api_compat import array_namespace, device


def one_hot(y, classes, like):
    """Given. Array (N, classes) of zeros with a one at [n, y[n]], of the dtype and on the device of `like`."""
    xp = array_namespace(like)
    columns = xp.arange(classes, device=device(like))
    return xp.astype(y[:, None] == columns[None, :], like.dtype)


def put_back(gradient, key, like):
    """Given. Zeros of the shape of `like`, and `gradient` added where like[key] takes its entries from.

    An entry that was taken several times, as row 0 in like[[0, 2, 0]], gets the sum.
    """
    xp = array_namespace(like)
    count = 1
    for length in like.shape:
        count *= length
    places = xp.arange(count, device=device(like))
    taken = xp.reshape(xp.reshape(places, like.shape)[key], (1, -1))
    hits = xp.astype(places[:, None] == taken, like.dtype)
    return xp.reshape(hits @ xp.reshape(gradient, (-1,)), like.shape)


def as_tensor(value, like):
    """Given. The value itself if it is a Tensor; a number as a Tensor of shape (), beside the Tensor `like`."""
    if isinstance(value, Tensor):
        return value
    xp = array_namespace(like.data)
    return Tensor(xp.asarray(value, dtype=like.data.dtype, device=device(like.data)))


def sum_to(gradient, shape):
    """The gradient of an array that was broadcast: summed over the axes along which it was copied.

    Broadcasting puts axes of length 1 in front until there are as many as in the result, then repeats along every
    axis of length 1 where the result is longer. Each copy has a gradient; the original gets their sum.

    Args:
        gradient: array of the shape of the result.
        shape: of the original, a tuple that broadcasts to the shape of the gradient.

    Returns:
        An array of this shape.
    """
    raise NotImplementedError("sum_to is not written yet")


def topological(last):
    """All Tensors that `last` was computed from, itself at the end: each after those that it was computed from.

    Each comes once, however often it was used, and there may be thousands in a row: Python lets functions call each
    other only about 1,000 deep.

    Args:
        last: a Tensor.

    Returns:
        A list of Tensors.
    """
    raise NotImplementedError("topological is not written yet")


class Tensor:
    """An array that remembers what it was computed from."""

    def __init__(self, data, parents=(), pull=None):
        """Given, as a proposal.

        Args:
            data: an array.
            parents: the Tensors that this one was computed from; none for a leaf.
            pull: from the gradient of this Tensor to the gradients of its parents, a tuple in the same order, each of
                its parent's shape.
        """
        self.data = data
        self.parents = parents
        self.pull = pull
        self.grad = None

    def backward(self, gradient=None):
        """Find the gradients of all leaves that this Tensor was computed from.

        L is a number computed from this Tensor, and gradient = ∂L/∂self. Every leaf's `grad` gets ∂L/∂leaf added to
        what is there (None counts as zeros): calls add up. What you keep for the Tensors in between is yours, but it
        must begin from nothing at each call.

        Args:
            gradient: array of the shape of data; ones if None. It is not written to.
        """
        raise NotImplementedError("Tensor.backward is not written yet")

    def __add__(self, other):
        """The sum, self + other; other is a Tensor, or a number."""
        raise NotImplementedError("Tensor.__add__ is not written yet")

    def __radd__(self, other):
        """The sum, other + self. Here, and in the other operators whose names begin with r, other is a number."""
        raise NotImplementedError("Tensor.__radd__ is not written yet")

    def __neg__(self):
        """The negative, -self."""
        raise NotImplementedError("Tensor.__neg__ is not written yet")

    def __sub__(self, other):
        """The difference, self - other."""
        raise NotImplementedError("Tensor.__sub__ is not written yet")

    def __rsub__(self, other):
        """The difference, other - self."""
        raise NotImplementedError("Tensor.__rsub__ is not written yet")

    def __mul__(self, other):
        """The product entry by entry, self * other."""
        raise NotImplementedError("Tensor.__mul__ is not written yet")

    def __rmul__(self, other):
        """The product, other * self."""
        raise NotImplementedError("Tensor.__rmul__ is not written yet")

    def __truediv__(self, other):
        """The quotient entry by entry, self / other."""
        raise NotImplementedError("Tensor.__truediv__ is not written yet")

    def __rtruediv__(self, other):
        """The quotient, other / self."""
        raise NotImplementedError("Tensor.__rtruediv__ is not written yet")

    def __pow__(self, exponent):
        """The power of each entry, self ** exponent; the exponent is a number, not a Tensor."""
        raise NotImplementedError("Tensor.__pow__ is not written yet")

    def __matmul__(self, other):
        """The matrix product over the last two axes, self @ other: (..., N, K) @ (..., K, M) -> (..., N, M).

        Both have at least two axes. Axes before these are broadcast as in an addition.
        """
        raise NotImplementedError("Tensor.__matmul__ is not written yet")

    def exp(self):
        """The exponential of each entry."""
        raise NotImplementedError("Tensor.exp is not written yet")

    def log(self):
        """The natural logarithm of each entry."""
        raise NotImplementedError("Tensor.log is not written yet")

    def tanh(self):
        """The hyperbolic tangent of each entry."""
        raise NotImplementedError("Tensor.tanh is not written yet")

    def relu(self):
        """The larger of each entry and 0. At exactly 0 any slope from 0 to 1 will do."""
        raise NotImplementedError("Tensor.relu is not written yet")

    def sum(self, axis=None, keepdims=False):
        """The sum over axes.

        Args:
            axis: an int (negative ones count from the end), a tuple of ints, or None for all axes.
            keepdims: whether these axes stay, with length 1.
        """
        raise NotImplementedError("Tensor.sum is not written yet")

    def mean(self, axis=None, keepdims=False):
        """The mean over axes; axis and keepdims as in sum."""
        raise NotImplementedError("Tensor.mean is not written yet")

    def reshape(self, shape):
        """The same entries in the same order, in another shape, a tuple."""
        raise NotImplementedError("Tensor.reshape is not written yet")

    def transpose(self, axes):
        """The axes in another order: axis i of the result is axis axes[i] of self. axes is a tuple of all of them."""
        raise NotImplementedError("Tensor.transpose is not written yet")

    def __getitem__(self, key):
        """The entries self[key].

        The key is an int, a slice, a tuple of ints and slices, or a list of rows, in which rows may repeat.
        """
        raise NotImplementedError("Tensor.__getitem__ is not written yet")


def loss_and_gradients(params, x, y):
    """The network of the first topic, with tanh, and no backward pass of its own: the engine has it all.

    hidden = tanh(x W1 + b1), scores = hidden W2 + b2
    L = -(1/N) Σ_n log p[n, y[n]] with p[n, c] = exp(scores[n, c]) / Σ_k exp(scores[n, k])

    Args:
        params: dict of arrays W1 (D, H), b1 (H,), W2 (H, C), b2 (C,).
        x: (N, D).
        y: (N,), integers from 0 to C - 1: the right class of each example.

    Returns:
        loss: L, a single number.
        grads: dict of ∂L/∂W1, ∂L/∂b1, ∂L/∂W2 and ∂L/∂b2 under the same keys, arrays.
    """
    raise NotImplementedError("loss_and_gradients is not written yet")
