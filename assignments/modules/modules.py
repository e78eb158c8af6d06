"""The two-layer network once more, as objects.

In the first topic a layer was a pair of functions, and its parameters and cache went in and out. Here a layer is an
object, a *module*, that keeps them. The mathematics is the same; what is new is who keeps what, and for how long.

A module has three methods, and no more is asked of it:

    forward(x)         the result. Keeps whatever backward will need.
    backward(dout)     from the upstream gradient to the gradient of x, of the latest forward that has not been answered
                       yet; *adds* the gradients of its parameters to their `grad`.
    parameters()       the Parameters that it learns, its own and those of the modules in it, each once.

The lesson in README.md explains why it is these three, with small examples; `pytest` in this folder says how far you
are. N is the number of examples in a batch, D of inputs, M of outputs, C of classes.

Arrays are NumPy's, of float64. So that your code would run on torch tensors as it is: with `xp = array_namespace(x)`,
write `xp.exp(x)` where you would write `np.exp(x)`.
"""

from array_api_compat import array_namespace, device


def one_hot(y, classes, like):
    """Given. Array (N, classes) of zeros with a one at [n, y[n]], of the dtype and on the device of `like`."""
    xp = array_namespace(like)
    columns = xp.arange(classes, device=device(like))
    return xp.astype(y[:, None] == columns[None, :], like.dtype)


class Parameter:
    """Given. An array that is learned, and its gradient."""

    def __init__(self, value):
        """Its gradient begins with zeros."""
        self.value = value
        self.grad = array_namespace(value).zeros_like(value)


class Linear:
    """out = x w + b."""

    def __init__(self, weight, bias):
        """Given.

        Args:
            weight: array (D, M).
            bias: array (M,).
        """
        self.weight = Parameter(weight)
        self.bias = Parameter(bias)
        self.inputs = []  # of the forward calls that backward has not answered yet

    def parameters(self):
        """A list of weight and bias, in this order."""
        raise NotImplementedError("Linear.parameters is not written yet")

    def forward(self, x):
        """From x (N, D) to out (N, M)."""
        raise NotImplementedError("Linear.forward is not written yet")

    def backward(self, dout):
        """From dout (N, M) to dx (N, D). ∂L/∂w is added to weight.grad, ∂L/∂b to bias.grad."""
        raise NotImplementedError("Linear.backward is not written yet")


class ReLU:
    """out = max(x, 0), entry by entry."""

    def __init__(self):
        """Given."""
        self.inputs = []

    def parameters(self):
        """A list of none."""
        raise NotImplementedError("ReLU.parameters is not written yet")

    def forward(self, x):
        """From x, of any shape, to out, of the same."""
        raise NotImplementedError("ReLU.forward is not written yet")

    def backward(self, dout):
        """From dout to dx. At x = 0 anything from 0 to 1 is accepted for the slope."""
        raise NotImplementedError("ReLU.backward is not written yet")


class Sequential:
    """Modules one after the other; itself a module, which may stand in another."""

    def __init__(self, modules):
        """Given.

        Args:
            modules: list of modules. The same one may stand in it more than once: it is then used more than once, with
                the same parameters.
        """
        self.modules = modules

    def parameters(self):
        """A list of the parameters of all modules, in order, each once, however often its module is used."""
        raise NotImplementedError("Sequential.parameters is not written yet")

    def forward(self, x):
        """From the input of the first module to the result of the last."""
        raise NotImplementedError("Sequential.forward is not written yet")

    def backward(self, dout):
        """From the gradient of the result to that of the input."""
        raise NotImplementedError("Sequential.backward is not written yet")


class MLP:
    """A multi-layer perceptron: linear layers with a ReLU between each two, and none at the end."""

    def __init__(self, weights, biases):
        """Make it of the modules above.

        Args:
            weights: list of arrays, the first (D, H), the next (H, J), and so on; at least one.
            biases: list of arrays, as many, (H,), (J,), and so on.
        """
        raise NotImplementedError("MLP.__init__ is not written yet")

    def parameters(self):
        """A list: weight, bias, weight, bias, ..., from the first layer to the last."""
        raise NotImplementedError("MLP.parameters is not written yet")

    def forward(self, x):
        """From x (N, D) to the result of the last layer."""
        raise NotImplementedError("MLP.forward is not written yet")

    def backward(self, dout):
        """From the gradient of the result to that of x."""
        raise NotImplementedError("MLP.backward is not written yet")


class SoftmaxLoss:
    """Softmax and cross-entropy, the mean over the batch. A module without parameters, at whose end nothing comes."""

    def __init__(self):
        """Given."""
        self.gradient = None

    def forward(self, scores, y):
        """The loss, a single number: L = -(1/N) Σ_n log p[n, y[n]], where p is the softmax of each row.

        It must be right for scores of ±10,000 too.

        Args:
            scores: (N, C).
            y: (N,), integers from 0 to C - 1.
        """
        raise NotImplementedError("SoftmaxLoss.forward is not written yet")

    def backward(self):
        """∂L/∂scores of the latest forward, (N, C)."""
        raise NotImplementedError("SoftmaxLoss.backward is not written yet")


class SGD:
    """Gradient descent with momentum: v becomes momentum v + ∂L/∂θ, then θ becomes θ - lr v; v begins with zeros."""

    def __init__(self, parameters, lr, momentum=0.0):
        """Remember what is needed; each parameter has a v of its own.

        Args:
            parameters: list of Parameters.
            lr: learning rate, a float.
            momentum: a float from 0 to 1.
        """
        raise NotImplementedError("SGD.__init__ is not written yet")

    def zero_grad(self):
        """Set the gradient of every parameter to zeros."""
        raise NotImplementedError("SGD.zero_grad is not written yet")

    def step(self):
        """Move every parameter's value, with the gradient that is there."""
        raise NotImplementedError("SGD.step is not written yet")


def train(model, optimizer, x, y, batch, steps):
    """Train a model on the softmax loss.

    Step k = 0, 1, ..., steps - 1 takes the rows (k batch + i) mod N for i = 0, ..., batch - 1: in order, and from the
    start again when the data run out. Each step is forward, loss, backward, update; no step sees gradients of another.

    Args:
        model: a module with scores (N, C) as its result; its parameters change.
        optimizer: of the model's parameters.
        x: (N, D) examples.
        y: (N,) their classes, integers.
        batch: number of rows in a step, an int, at most N.
        steps: number of steps, an int.

    Returns:
        List of `steps` floats, the loss of each step's batch before that step's update.
    """
    raise NotImplementedError("train is not written yet")
