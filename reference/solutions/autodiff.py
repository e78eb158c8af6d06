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
    # solution
    xp = array_namespace(gradient)
    missing = len(gradient.shape) - len(shape)
    if missing:
        gradient = xp.sum(gradient, axis=tuple(range(missing)))
    axes = tuple(axis for axis, length in enumerate(shape) if length == 1 and gradient.shape[axis] != 1)
    return xp.sum(gradient, axis=axes, keepdims=True) if axes else gradient
    # end solution


def topological(last):
    """All Tensors that `last` was computed from, itself at the end: each after those that it was computed from.

    Each comes once, however often it was used, and there may be thousands in a row: Python lets functions call each
    other only about 1,000 deep.

    Args:
        last: a Tensor.

    Returns:
        A list of Tensors.
    """
    # solution
    order, seen, waiting = [], set(), [(last, False)]
    while waiting:
        tensor, is_ready = waiting.pop()
        if is_ready:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            waiting.append((tensor, True))
            waiting += [(parent, False) for parent in tensor.parents]
    return order
    # end solution


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
        # solution
        xp = array_namespace(self.data)
        gradients = {id(self): xp.ones_like(self.data) if gradient is None else gradient}
        for tensor in reversed(topological(self)):
            arrived = gradients.pop(id(tensor))
            if not tensor.parents:
                tensor.grad = arrived if tensor.grad is None else tensor.grad + arrived
                continue
            for parent, part in zip(tensor.parents, tensor.pull(arrived), strict=True):
                before = gradients.get(id(parent))
                gradients[id(parent)] = part if before is None else before + part
        # end solution

    def __add__(self, other):
        """The sum, self + other; other is a Tensor, or a number."""
        # solution
        other = as_tensor(other, like=self)
        shapes = self.data.shape, other.data.shape
        return Tensor(self.data + other.data, (self, other), lambda g: tuple(sum_to(g, shape) for shape in shapes))
        # end solution

    def __radd__(self, other):
        """The sum, other + self. Here, and in the other operators whose names begin with r, other is a number."""
        # solution
        return self + other
        # end solution

    def __neg__(self):
        """The negative, -self."""
        # solution
        return Tensor(-self.data, (self,), lambda g: (-g,))
        # end solution

    def __sub__(self, other):
        """The difference, self - other."""
        # solution
        return self + -as_tensor(other, like=self)
        # end solution

    def __rsub__(self, other):
        """The difference, other - self."""
        # solution
        return -self + other
        # end solution

    def __mul__(self, other):
        """The product entry by entry, self * other."""
        # solution
        other = as_tensor(other, like=self)
        x, y = self.data, other.data
        return Tensor(x * y, (self, other), lambda g: (sum_to(g * y, x.shape), sum_to(g * x, y.shape)))
        # end solution

    def __rmul__(self, other):
        """The product, other * self."""
        # solution
        return self * other
        # end solution

    def __truediv__(self, other):
        """The quotient entry by entry, self / other."""
        # solution
        return self * as_tensor(other, like=self) ** -1
        # end solution

    def __rtruediv__(self, other):
        """The quotient, other / self."""
        # solution
        return self**-1 * other
        # end solution

    def __pow__(self, exponent):
        """The power of each entry, self ** exponent; the exponent is a number, not a Tensor."""
        # solution
        x = self.data
        return Tensor(x**exponent, (self,), lambda g: (g * exponent * x ** (exponent - 1),))
        # end solution

    def __matmul__(self, other):
        """The matrix product over the last two axes, self @ other: (..., N, K) @ (..., K, M) -> (..., N, M).

        Both have at least two axes. Axes before these are broadcast as in an addition.
        """
        # solution
        x, y = self.data, other.data
        xp = array_namespace(x)

        def pull(g):
            dx, dy = g @ xp.matrix_transpose(y), xp.matrix_transpose(x) @ g
            return sum_to(dx, x.shape), sum_to(dy, y.shape)

        return Tensor(x @ y, (self, other), pull)
        # end solution

    def exp(self):
        """The exponential of each entry."""
        # solution
        out = array_namespace(self.data).exp(self.data)
        return Tensor(out, (self,), lambda g: (g * out,))
        # end solution

    def log(self):
        """The natural logarithm of each entry."""
        # solution
        x = self.data
        return Tensor(array_namespace(x).log(x), (self,), lambda g: (g / x,))
        # end solution

    def tanh(self):
        """The hyperbolic tangent of each entry."""
        # solution
        out = array_namespace(self.data).tanh(self.data)
        return Tensor(out, (self,), lambda g: (g * (1 - out * out),))
        # end solution

    def relu(self):
        """The larger of each entry and 0. At exactly 0 any slope from 0 to 1 will do."""
        # solution
        x = self.data
        xp = array_namespace(x)
        zeros = xp.zeros_like(x)
        return Tensor(xp.maximum(x, zeros), (self,), lambda g: (xp.where(x > 0, g, zeros),))
        # end solution

    def sum(self, axis=None, keepdims=False):
        """The sum over axes.

        Args:
            axis: an int (negative ones count from the end), a tuple of ints, or None for all axes.
            keepdims: whether these axes stay, with length 1.
        """
        # solution
        x = self.data
        xp = array_namespace(x)
        dims = len(x.shape)
        axes = tuple(range(dims)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        axes = [one % dims for one in axes]
        kept = tuple(1 if one in axes else length for one, length in enumerate(x.shape))

        def pull(g):
            return (xp.broadcast_to(xp.reshape(g, kept), x.shape),)

        return Tensor(xp.sum(x, axis=axis, keepdims=keepdims), (self,), pull)
        # end solution

    def mean(self, axis=None, keepdims=False):
        """The mean over axes; axis and keepdims as in sum."""
        # solution
        total = self.sum(axis=axis, keepdims=keepdims)
        count = 1
        for length in self.data.shape:
            count *= length
        kept = 1
        for length in total.data.shape:
            kept *= length
        return total * (kept / count)
        # end solution

    def reshape(self, shape):
        """The same entries in the same order, in another shape, a tuple."""
        # solution
        x = self.data
        xp = array_namespace(x)
        return Tensor(xp.reshape(x, shape), (self,), lambda g: (xp.reshape(g, x.shape),))
        # end solution

    def transpose(self, axes):
        """The axes in another order: axis i of the result is axis axes[i] of self. axes is a tuple of all of them."""
        # solution
        xp = array_namespace(self.data)
        back = tuple(axes.index(axis) for axis in range(len(axes)))
        return Tensor(xp.permute_dims(self.data, axes), (self,), lambda g: (xp.permute_dims(g, back),))
        # end solution

    def __getitem__(self, key):
        """The entries self[key].

        The key is an int, a slice, a tuple of ints and slices, or a list of rows, in which rows may repeat.
        """
        # solution
        x = self.data
        return Tensor(x[key], (self,), lambda g: (put_back(g, key, like=x),))
        # end solution


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
    # solution
    leaves = {name: Tensor(value) for name, value in params.items()}
    hidden = (Tensor(x) @ leaves["W1"] + leaves["b1"]).tanh()
    scores = hidden @ leaves["W2"] + leaves["b2"]
    log_p = scores - scores.exp().sum(axis=1, keepdims=True).log()
    right = Tensor(one_hot(y, scores.data.shape[1], like=x))
    loss = (right * log_p).sum() / -x.shape[0]
    loss.backward()
    return loss.data, {name: leaf.grad for name, leaf in leaves.items()}
    # end solution
