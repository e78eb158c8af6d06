import torch
import random
from a3_helper import svm_loss, softmax_loss
from eecs598 import Solver


class Linear:
    """x w + b."""

    @staticmethod
    def forward(x, w, b):
        return x.reshape(len(x), -1) @ w + b, (x, w, b)

    @staticmethod
    def backward(dout, cache):
        x, w, _ = cache
        return (dout @ w.t()).reshape(x.shape), x.reshape(len(x), -1).t() @ dout, dout.sum(0)


class ReLU:
    """max(x, 0)."""

    @staticmethod
    def forward(x):
        return x.clamp(min=0.0), x

    @staticmethod
    def backward(dout, cache):
        return dout * (cache > 0)


class Linear_ReLU:
    """One after the other."""

    @staticmethod
    def forward(x, w, b):
        a, first = Linear.forward(x, w, b)
        out, second = ReLU.forward(a)
        return out, (first, second)

    @staticmethod
    def backward(dout, cache):
        first, second = cache
        return Linear.backward(ReLU.backward(dout, second), first)


class FullyConnectedNet:
    """{linear, ReLU, [dropout]} for every hidden layer, then linear and softmax."""

    def __init__(
        self,
        hidden_dims,
        input_dim=3072,
        num_classes=10,
        dropout=0.0,
        reg=0.0,
        weight_scale=1e-2,
        seed=None,
        dtype=torch.float,
        device="cpu",
    ):
        self.reg, self.dtype, self.num_layers = reg, dtype, 1 + len(hidden_dims)
        sizes = [input_dim, *hidden_dims, num_classes]
        self.params = {}
        for number, (inputs, outputs) in enumerate(zip(sizes[:-1], sizes[1:]), start=1):
            self.params[f"W{number}"] = weight_scale * torch.randn(inputs, outputs, dtype=dtype, device=device)
            self.params[f"b{number}"] = torch.zeros(outputs, dtype=dtype, device=device)
        self.dropout_param = {"p": dropout} if dropout != 0 else None
        if self.dropout_param and seed is not None:
            self.dropout_param["seed"] = seed

    def loss(self, X, y=None):
        """Scores, or loss and gradients where y is given."""
        out, caches, last = X.to(self.dtype), [], self.num_layers
        for number in range(1, last):
            out, cache = Linear_ReLU.forward(out, self.params[f"W{number}"], self.params[f"b{number}"])
            dropped = None
            if self.dropout_param:
                self.dropout_param["mode"] = "test" if y is None else "train"
                out, dropped = Dropout.forward(out, self.dropout_param)
            caches.append((cache, dropped))
        scores, cache = Linear.forward(out, self.params[f"W{last}"], self.params[f"b{last}"])
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        grads = {}
        dout, grads[f"W{last}"], grads[f"b{last}"] = Linear.backward(dscores, cache)
        for number in range(last - 1, 0, -1):
            cache, dropped = caches.pop()
            if self.dropout_param:
                dout = Dropout.backward(dout, dropped)
            dout, grads[f"W{number}"], grads[f"b{number}"] = Linear_ReLU.backward(dout, cache)
        for number in range(1, last + 1):
            W = self.params[f"W{number}"]
            loss = loss + self.reg * (W * W).sum()
            grads[f"W{number}"] = grads[f"W{number}"] + 2 * self.reg * W
        return loss, grads


class TwoLayerNet(FullyConnectedNet):
    """linear, ReLU, linear, softmax."""

    def __init__(
        self,
        input_dim=3072,
        hidden_dim=100,
        num_classes=10,
        weight_scale=1e-3,
        reg=0.0,
        dtype=torch.float32,
        device="cpu",
    ):
        super().__init__(
            [hidden_dim], input_dim, num_classes, reg=reg, weight_scale=weight_scale, dtype=dtype, device=device
        )


def sgd_momentum(w, dw, config=None):
    """The velocity remembers."""
    config = {"learning_rate": 1e-2, "momentum": 0.9, "velocity": torch.zeros_like(w), **(config or {})}
    config["velocity"] = config["momentum"] * config["velocity"] - config["learning_rate"] * dw
    return w + config["velocity"], config


def rmsprop(w, dw, config=None):
    """A rate for every weight."""
    defaults = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8}
    config = {**defaults, "cache": torch.zeros_like(w), **(config or {})}
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw**2
    return w - config["learning_rate"] * dw / (config["cache"].sqrt() + config["epsilon"]), config


def adam(w, dw, config=None):
    """Both averages start at zero, and are corrected for it."""
    defaults = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "t": 0}
    config = {**defaults, "m": torch.zeros_like(w), "v": torch.zeros_like(w), **(config or {})}
    beta1, beta2 = config["beta1"], config["beta2"]
    config["t"] += 1
    config["m"] = beta1 * config["m"] + (1 - beta1) * dw
    config["v"] = beta2 * config["v"] + (1 - beta2) * dw**2
    m, v = config["m"] / (1 - beta1 ** config["t"]), config["v"] / (1 - beta2 ** config["t"])
    return w - config["learning_rate"] * m / (v.sqrt() + config["epsilon"]), config


class Dropout:
    """p is the probability to drop."""

    @staticmethod
    def forward(x, dropout_param):
        p, mask = dropout_param["p"], None
        if "seed" in dropout_param:
            torch.manual_seed(dropout_param["seed"])
        if dropout_param["mode"] == "train":
            mask = (torch.rand_like(x) >= p).to(x.dtype) / (1 - p)
            x = x * mask
        return x, (dropout_param, mask)

    @staticmethod
    def backward(dout, cache):
        dropout_param, mask = cache
        return dout * mask if dropout_param["mode"] == "train" else dout
