from builtins import range
from builtins import object
import numpy as np
import matplotlib.pyplot as plt

from ..layers import *
from ..layer_utils import *


class TwoLayerNet:
    """affine, ReLU, affine, softmax."""

    def __init__(self, input_dim=3072, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0):
        self.reg = reg
        self.params = {
            "W1": weight_scale * np.random.randn(input_dim, hidden_dim),
            "b1": np.zeros(hidden_dim),
            "W2": weight_scale * np.random.randn(hidden_dim, num_classes),
            "b2": np.zeros(num_classes),
        }

    def loss(self, X, y=None):
        """Scores, or loss and gradients where y is given."""
        W1, b1, W2, b2 = (self.params[name] for name in ("W1", "b1", "W2", "b2"))
        active, first = affine_relu_forward(X, W1, b1)
        scores, second = affine_forward(active, W2, b2)
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        loss += 0.5 * self.reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
        dactive, dW2, db2 = affine_backward(dscores, second)
        _, dW1, db1 = affine_relu_backward(dactive, first)
        return loss, {"W1": dW1 + self.reg * W1, "b1": db1, "W2": dW2 + self.reg * W2, "b2": db2}


class FullyConnectedNet:
    """{affine, [norm,] ReLU, [dropout]} for every hidden layer, then affine and softmax."""

    def __init__(
        self,
        hidden_dims,
        input_dim=3072,
        num_classes=10,
        dropout_keep_ratio=1,
        normalization=None,
        reg=0.0,
        weight_scale=1e-2,
        dtype=np.float32,
        seed=None,
    ):
        self.normalization, self.reg, self.dtype = normalization, reg, dtype
        self.num_layers = 1 + len(hidden_dims)
        sizes = [input_dim, *hidden_dims, num_classes]
        self.params = {}
        for number in range(1, self.num_layers + 1):
            self.params[f"W{number}"] = weight_scale * np.random.randn(sizes[number - 1], sizes[number])
            self.params[f"b{number}"] = np.zeros(sizes[number])
            if normalization and number < self.num_layers:
                self.params[f"gamma{number}"] = np.ones(sizes[number])
                self.params[f"beta{number}"] = np.zeros(sizes[number])
        self.params = {name: value.astype(dtype) for name, value in self.params.items()}
        self.dropout_param = {"p": dropout_keep_ratio} if dropout_keep_ratio != 1 else None
        if self.dropout_param and seed is not None:
            self.dropout_param["seed"] = seed
        self.bn_params = [{} for _ in hidden_dims]

    def loss(self, X, y=None):
        """Scores, or loss and gradients where y is given."""
        mode = "test" if y is None else "train"
        out, caches = X.astype(self.dtype), []
        for number in range(1, self.num_layers):
            out, cache = self.hidden_forward(out, number, mode)
            caches.append(cache)
        last = self.num_layers
        scores, cache = affine_forward(out, self.params[f"W{last}"], self.params[f"b{last}"])
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        grads = {}
        dout, grads[f"W{last}"], grads[f"b{last}"] = affine_backward(dscores, cache)
        for number in range(last - 1, 0, -1):
            dout, own = self.hidden_backward(dout, caches.pop(), number)
            grads.update(own)
        for number in range(1, last + 1):
            W = self.params[f"W{number}"]
            loss += 0.5 * self.reg * np.sum(W * W)
            grads[f"W{number}"] += self.reg * W
        return loss, grads

    def hidden_forward(self, out, number, mode):
        """One hidden layer."""
        out, affine = affine_forward(out, self.params[f"W{number}"], self.params[f"b{number}"])
        norm = dropped = None
        if self.normalization:
            forward = batchnorm_forward if self.normalization == "batchnorm" else layernorm_forward
            bn_param = self.bn_params[number - 1]
            bn_param["mode"] = mode
            out, norm = forward(out, self.params[f"gamma{number}"], self.params[f"beta{number}"], bn_param)
        out, relu = relu_forward(out)
        if self.dropout_param:
            self.dropout_param["mode"] = mode
            out, dropped = dropout_forward(out, self.dropout_param)
        return out, (affine, norm, relu, dropped)

    def hidden_backward(self, dout, cache, number):
        """Its gradients, last step first."""
        affine, norm, relu, dropped = cache
        grads = {}
        if self.dropout_param:
            dout = dropout_backward(dout, dropped)
        dout = relu_backward(dout, relu)
        if self.normalization:
            backward = batchnorm_backward_alt if self.normalization == "batchnorm" else layernorm_backward
            dout, grads[f"gamma{number}"], grads[f"beta{number}"] = backward(dout, norm)
        dout, grads[f"W{number}"], grads[f"b{number}"] = affine_backward(dout, affine)
        return dout, grads
