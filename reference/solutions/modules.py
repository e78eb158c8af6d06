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
        # solution
        return [self.weight, self.bias]
        # end solution

    def forward(self, x):
        """From x (N, D) to out (N, M)."""
        # solution
        self.inputs.append(x)
        return x @ self.weight.value + self.bias.value
        # end solution

    def backward(self, dout):
        """From dout (N, M) to dx (N, D). ∂L/∂w is added to weight.grad, ∂L/∂b to bias.grad."""
        # solution
        x = self.inputs.pop()
        self.weight.grad = self.weight.grad + x.T @ dout
        self.bias.grad = self.bias.grad + array_namespace(dout).sum(dout, axis=0)
        return dout @ self.weight.value.T
        # end solution


class ReLU:
    """out = max(x, 0), entry by entry."""

    def __init__(self):
        """Given."""
        self.inputs = []

    def parameters(self):
        """A list of none."""
        # solution
        return []
        # end solution

    def forward(self, x):
        """From x, of any shape, to out, of the same."""
        # solution
        self.inputs.append(x)
        xp = array_namespace(x)
        return xp.maximum(x, xp.zeros_like(x))
        # end solution

    def backward(self, dout):
        """From dout to dx. At x = 0 anything from 0 to 1 is accepted for the slope."""
        # solution
        xp = array_namespace(dout)
        return xp.where(self.inputs.pop() > 0, dout, xp.zeros_like(dout))
        # end solution


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
        # solution
        every = [parameter for module in self.modules for parameter in module.parameters()]
        return list({id(parameter): parameter for parameter in every}.values())
        # end solution

    def forward(self, x):
        """From the input of the first module to the result of the last."""
        # solution
        for module in self.modules:
            x = module.forward(x)
        return x
        # end solution

    def backward(self, dout):
        """From the gradient of the result to that of the input."""
        # solution
        for module in reversed(self.modules):
            dout = module.backward(dout)
        return dout
        # end solution


class MLP:
    """A multi-layer perceptron: linear layers with a ReLU between each two, and none at the end."""

    def __init__(self, weights, biases):
        """Make it of the modules above.

        Args:
            weights: list of arrays, the first (D, H), the next (H, J), and so on; at least one.
            biases: list of arrays, as many, (H,), (J,), and so on.
        """
        # solution
        layers = [Linear(weight, bias) for weight, bias in zip(weights, biases, strict=True)]
        modules = [module for layer in layers for module in (layer, ReLU())]
        self.network = Sequential(modules[:-1])
        # end solution

    def parameters(self):
        """A list: weight, bias, weight, bias, ..., from the first layer to the last."""
        # solution
        return self.network.parameters()
        # end solution

    def forward(self, x):
        """From x (N, D) to the result of the last layer."""
        # solution
        return self.network.forward(x)
        # end solution

    def backward(self, dout):
        """From the gradient of the result to that of x."""
        # solution
        return self.network.backward(dout)
        # end solution


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
        # solution
        xp = array_namespace(scores)
        shifted = scores - xp.max(scores, axis=1, keepdims=True)
        log_p = shifted - xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True))
        right = one_hot(y, scores.shape[1], like=scores)
        self.gradient = (xp.exp(log_p) - right) / scores.shape[0]
        return -xp.sum(right * log_p) / scores.shape[0]
        # end solution

    def backward(self):
        """∂L/∂scores of the latest forward, (N, C)."""
        # solution
        return self.gradient
        # end solution


class SGD:
    """Gradient descent with momentum: v becomes momentum v + ∂L/∂θ, then θ becomes θ - lr v; v begins with zeros."""

    def __init__(self, parameters, lr, momentum=0.0):
        """Remember what is needed; each parameter has a v of its own.

        Args:
            parameters: list of Parameters.
            lr: learning rate, a float.
            momentum: a float from 0 to 1.
        """
        # solution
        self.parameters, self.lr, self.momentum = parameters, lr, momentum
        self.velocities = [0.0 for _ in parameters]
        # end solution

    def zero_grad(self):
        """Set the gradient of every parameter to zeros."""
        # solution
        for parameter in self.parameters:
            parameter.grad = array_namespace(parameter.value).zeros_like(parameter.value)
        # end solution

    def step(self):
        """Move every parameter's value, with the gradient that is there."""
        # solution
        for index, parameter in enumerate(self.parameters):
            self.velocities[index] = self.momentum * self.velocities[index] + parameter.grad
            parameter.value = parameter.value - self.lr * self.velocities[index]
        # end solution


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
    # solution
    xp = array_namespace(x)
    criterion, losses = SoftmaxLoss(), []
    for step in range(steps):
        rows = (xp.arange(batch, device=device(x)) + step * batch) % x.shape[0]
        scores = model.forward(xp.take(x, rows, axis=0))
        losses.append(float(criterion.forward(scores, xp.take(y, rows, axis=0))))
        optimizer.zero_grad()
        model.backward(criterion.backward())
        optimizer.step()
    return losses
    # end solution
