import torch
from torch import nn
from eecs598 import Solver
from a3_helper import svm_loss, softmax_loss
from fully_connected_networks import *


class Conv:
    """Every filter over every window of the padded images."""

    @staticmethod
    def forward(x, w, b, conv_param):
        seen = Conv.windows(x, w, conv_param)
        return torch.einsum("nchwij,fcij->nfhw", seen, w) + b[:, None, None], (x, w, b, conv_param)

    @staticmethod
    def backward(dout, cache):
        x, w, _, conv_param = cache
        pad, stride = conv_param["pad"], conv_param["stride"]
        (_, _, HH, WW), (N, C, H, W) = w.shape, x.shape
        dw = torch.einsum("nfhw,nchwij->fcij", dout, Conv.windows(x, w, conv_param))
        dpadded = torch.zeros(N, C, H + 2 * pad, W + 2 * pad, dtype=x.dtype)
        for h in range(dout.shape[2]):
            for v in range(dout.shape[3]):
                share = torch.einsum("nf,fcij->ncij", dout[:, :, h, v], w)
                dpadded[:, :, h * stride : h * stride + HH, v * stride : v * stride + WW] += share
        return dpadded[:, :, pad : pad + H, pad : pad + W], dw, dout.sum((0, 2, 3))

    @staticmethod
    def windows(x, w, conv_param):
        """(N, C, OH, OW, HH, WW)."""
        pad, stride = conv_param["pad"], conv_param["stride"]
        padded = nn.functional.pad(x, (pad, pad, pad, pad))
        return padded.unfold(2, w.shape[2], stride).unfold(3, w.shape[3], stride)


class MaxPool:
    """The largest of each window."""

    @staticmethod
    def forward(x, pool_param):
        stride = pool_param["stride"]
        seen = x.unfold(2, pool_param["pool_height"], stride).unfold(3, pool_param["pool_width"], stride)
        return seen.amax((4, 5)), (x, pool_param)

    @staticmethod
    def backward(dout, cache):
        x, pool_param = cache
        height, width, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
        dx = torch.zeros_like(x)
        n, c = torch.arange(x.shape[0])[:, None], torch.arange(x.shape[1])
        for h in range(dout.shape[2]):
            for v in range(dout.shape[3]):
                window = x[:, :, h * stride : h * stride + height, v * stride : v * stride + width]
                first = window.reshape(*x.shape[:2], -1).argmax(2)
                dx[n, c, h * stride + first // width, v * stride + first % width] += dout[:, :, h, v]
        return dx


class BatchNorm:
    """By the batch in training, by the running averages at test time."""

    @staticmethod
    def forward(x, gamma, beta, bn_param):
        eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
        running_mean = bn_param.get("running_mean", torch.zeros(x.shape[1], dtype=x.dtype))
        running_var = bn_param.get("running_var", torch.zeros(x.shape[1], dtype=x.dtype))
        if bn_param["mode"] == "train":
            mean, var = x.mean(0), x.var(0, correction=0)
            running_mean = momentum * running_mean + (1 - momentum) * mean
            running_var = momentum * running_var + (1 - momentum) * var
        elif bn_param["mode"] == "test":
            mean, var = running_mean, running_var
        else:
            raise ValueError(f"no mode {bn_param['mode']!r}")
        std = torch.sqrt(var + eps)
        x_hat = (x - mean) / std
        bn_param["running_mean"], bn_param["running_var"] = running_mean, running_var
        return gamma * x_hat + beta, (x_hat, std, gamma)

    @staticmethod
    def backward(dout, cache):
        x_hat, std, gamma = cache
        N = len(dout)
        centred = x_hat * std
        dx_hat = dout * gamma
        dvar = (dx_hat * centred).sum(0) * -0.5 / std**3
        dcentred = dx_hat / std + 2.0 * centred * dvar / N
        return dcentred - dcentred.mean(0), (dout * x_hat).sum(0), dout.sum(0)

    @staticmethod
    def backward_alt(dout, cache):
        x_hat, std, gamma = cache
        dbeta, dgamma = dout.sum(0), (dout * x_hat).sum(0)
        return gamma / std * (dout - (dbeta + x_hat * dgamma) / len(dout)), dgamma, dbeta


class SpatialBatchNorm:
    """Batch norm of the pixels, a channel a column."""

    @staticmethod
    def forward(x, gamma, beta, bn_param):
        pixels = x.permute(0, 2, 3, 1)
        out, cache = BatchNorm.forward(pixels.reshape(-1, x.shape[1]), gamma, beta, bn_param)
        return out.reshape(pixels.shape).permute(0, 3, 1, 2), cache

    @staticmethod
    def backward(dout, cache):
        pixels = dout.permute(0, 2, 3, 1)
        dx, dgamma, dbeta = BatchNorm.backward_alt(pixels.reshape(-1, dout.shape[1]), cache)
        return dx.reshape(pixels.shape).permute(0, 3, 1, 2), dgamma, dbeta


class ThreeLayerConvNet:
    """conv, ReLU, 2 x 2 max pool, linear, ReLU, linear, softmax."""

    def __init__(
        self,
        input_dims=(3, 32, 32),
        num_filters=32,
        filter_size=7,
        hidden_dim=100,
        num_classes=10,
        weight_scale=1e-3,
        reg=0.0,
        dtype=torch.float,
        device="cpu",
    ):
        self.reg, self.dtype = reg, dtype
        C, H, W = input_dims
        shapes = {
            "W1": (num_filters, C, filter_size, filter_size),
            "W2": (num_filters * (H // 2) * (W // 2), hidden_dim),
            "W3": (hidden_dim, num_classes),
        }
        kind = {"dtype": dtype, "device": device}
        self.params = {name: weight_scale * torch.randn(*shape, **kind) for name, shape in shapes.items()}
        for name, size in (("b1", num_filters), ("b2", hidden_dim), ("b3", num_classes)):
            self.params[name] = torch.zeros(size, **kind)

    def loss(self, X, y=None):
        """Scores, or loss and gradients where y is given."""
        params = self.params
        conv_param = {"stride": 1, "pad": (params["W1"].shape[2] - 1) // 2}
        out, conv = Conv.forward(X.to(self.dtype), params["W1"], params["b1"], conv_param)
        out, relu = ReLU.forward(out)
        out, pool = MaxPool.forward(out, {"pool_height": 2, "pool_width": 2, "stride": 2})
        out, hidden = Linear_ReLU.forward(out, params["W2"], params["b2"])
        scores, last = Linear.forward(out, params["W3"], params["b3"])
        if y is None:
            return scores
        loss, dout = softmax_loss(scores, y)
        grads = {}
        dout, grads["W3"], grads["b3"] = Linear.backward(dout, last)
        dout, grads["W2"], grads["b2"] = Linear_ReLU.backward(dout, hidden)
        dout = ReLU.backward(MaxPool.backward(dout, pool), relu)
        _, grads["W1"], grads["b1"] = Conv.backward(dout, conv)
        for name in ("W1", "W2", "W3"):
            loss = loss + self.reg * (params[name] ** 2).sum()
            grads[name] = grads[name] + 2 * self.reg * params[name]
        return loss, grads
