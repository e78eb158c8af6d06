"""The signatures of eecs498 for the judge: arguments go into the course's dictionaries and modules, results come back.

Runs beside the student's code. `student` is that code. What is called here as it is there stands for it in messages.
"""

import torch
from torch import nn


def nn_predict(params, X):
    return student.nn_predict(params, student.nn_forward_backward, X)


# ------------------------------------------------------------------------------------------------------------ layers


class Dropout:
    """The course's p is the probability to drop."""

    def forward(x, p, train):
        return student.Dropout.forward(x, {"p": p, "mode": "train" if train else "test"})

    def backward(dout, cache):
        return student.Dropout.backward(dout, cache)


class Conv:
    def forward(x, w, b, stride, pad):
        return student.Conv.forward(x, w, b, {"stride": stride, "pad": pad})

    def backward(dout, cache):
        return student.Conv.backward(dout, cache)


class MaxPool:
    def forward(x, pool_height, pool_width, stride):
        pool_param = {"pool_height": pool_height, "pool_width": pool_width, "stride": stride}
        return student.MaxPool.forward(x, pool_param)

    def backward(dout, cache):
        return student.MaxPool.backward(dout, cache)


class BatchNorm:
    def forward(x, gamma, beta, eps):
        return student.BatchNorm.forward(x, gamma, beta, {"mode": "train", "eps": eps})

    def backward(dout, cache):
        return student.BatchNorm.backward(dout, cache)

    def backward_alt(dout, cache):
        return student.BatchNorm.backward_alt(dout, cache)

    def test(x, gamma, beta, mean, var, eps):
        bn_param = {"mode": "test", "eps": eps, "running_mean": mean, "running_var": var}
        out, _ = student.BatchNorm.forward(x, gamma, beta, bn_param)
        return out, bn_param["running_mean"], bn_param["running_var"]

    def running(batches, x, gamma, beta, momentum, eps):
        return _running(student.BatchNorm.forward, batches, x, gamma, beta, momentum, eps)


class SpatialBatchNorm:
    def forward(x, gamma, beta, eps):
        return student.SpatialBatchNorm.forward(x, gamma, beta, {"mode": "train", "eps": eps})

    def backward(dout, cache):
        return student.SpatialBatchNorm.backward(dout, cache)

    def running(batches, x, gamma, beta, momentum, eps):
        return _running(student.SpatialBatchNorm.forward, batches, x, gamma, beta, momentum, eps)


def _running(forward, batches, x, gamma, beta, momentum, eps):
    bn_param = {"mode": "train", "momentum": momentum, "eps": eps}
    for batch in batches:
        forward(batch, gamma, beta, bn_param)
    averages = {name: _column(bn_param.get(name)) for name in ("running_mean", "running_var")}
    bn_param["mode"] = "test"
    out, _ = forward(x, gamma, beta, bn_param)
    return {**averages, "out": out}


def _column(average):
    """Averages of shape (1, D), or (1, C, 1, 1), are as good: only the student's own code uses them."""
    return average.reshape(-1).clone() if isinstance(average, torch.Tensor) else average


# -------------------------------------------------------------------------------------------------------- optimizers
# At the first step config holds the settings alone, so that the student's own start counts. Updates may happen in w.


def sgd_momentum(w, dw, state, learning_rate, momentum):
    config = {"learning_rate": learning_rate, "momentum": momentum}
    return _step(student.sgd_momentum, w, dw, config, state, ("velocity",), first=not state["velocity"].any())


def rmsprop(w, dw, state, learning_rate, decay_rate, epsilon):
    config = {"learning_rate": learning_rate, "decay_rate": decay_rate, "epsilon": epsilon}
    return _step(student.rmsprop, w, dw, config, state, ("cache",), first=not state["cache"].any())


def adam(w, dw, state, learning_rate, beta1, beta2, epsilon):
    config = {"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon}
    state = {**state, "t": int(state["t"])}
    return _step(student.adam, w, dw, config, state, ("m", "v", "t"), first=state["t"] == 0)


def _step(rule, w, dw, config, state, names, first):
    if not first:
        config.update({name: state[name] for name in names})
    w, config = rule(w.clone(), dw, config)
    return w, {name: config.get(name) for name in names}


# ---------------------------------------------------------------------------------------------------------- networks


class TwoLayerNet:
    def loss(params, X, y, reg):
        return _two_layers(params, reg).loss(X, y)

    def scores(params, X):
        return _two_layers(params, 0.0).loss(X)


class FullyConnectedNet:
    def loss(params, X, y, reg):
        return _deep(params, reg=reg).loss(X, y)

    def scores(params, X):
        return _deep(params).loss(X)

    def without_dropout(params, X):
        """A network that drops, at test time."""
        return _deep(params, dropout=0.7).loss(X)


class ThreeLayerConvNet:
    def loss(params, X, y, reg):
        return _convnet(params, X, reg).loss(X, y)

    def scores(params, X):
        return _convnet(params, X, 0.0).loss(X)


def _two_layers(params, reg):
    (D, H), C = params["W1"].shape, len(params["b2"])
    net = student.TwoLayerNet(input_dim=D, hidden_dim=H, num_classes=C, reg=reg, dtype=torch.float64, device="cpu")
    return _with(params, net)


def _deep(params, **options):
    layers = sum(name.startswith("W") for name in params)
    *hidden, classes = [params[f"W{number}"].shape[1] for number in range(1, layers + 1)]
    net = student.FullyConnectedNet(hidden, len(params["W1"]), classes, dtype=torch.float64, device="cpu", **options)
    return _with(params, net)


def _convnet(params, X, reg):
    filters, _, size, _ = params["W1"].shape
    net = student.ThreeLayerConvNet(
        input_dims=tuple(X.shape[1:]),
        num_filters=filters,
        filter_size=size,
        hidden_dim=len(params["b2"]),
        num_classes=len(params["b3"]),
        reg=reg,
        dtype=torch.float64,
        device="cpu",
    )
    return _with(params, net)


def _with(params, net):
    net.params.update(params)
    return net


# ------------------------------------------------------------------------------------------------------------ in time


class LSTM:
    """LSTM(input_dim, hidden_dim), by their places: they have had several names over the years."""

    def step_forward(x, prev_h, prev_c, Wx, Wh, b):
        return _lstm(Wx, Wh, b).step_forward(x, prev_h, prev_c)

    def forward(x, h0, Wx, Wh, b):
        return _lstm(Wx, Wh, b).forward(x, h0)


def _lstm(Wx, Wh, b):
    return _filled(student.LSTM(len(Wx), len(Wh)), {"Wx": Wx, "Wh": Wh, "b": b})


class WordEmbedding:
    def forward(x, W):
        return _filled(student.WordEmbedding(*W.shape), {"W_embed": W}).forward(x)


def temporal_softmax_loss(x, y):
    return student.temporal_softmax_loss(x, y, ignore_index=-1)


# --------------------------------------------------------------------------------------------------------- attention


def scaled_dot_product_no_loop_batch(query, key, value):
    return student.scaled_dot_product_no_loop_batch(query, key, value)[0]


def masked_attention(query, key, value, mask):
    return student.scaled_dot_product_no_loop_batch(query, key, value, mask.bool())


class SelfAttention:
    def forward(params, x):
        (dim_q, dim_in), dim_v = params["q_w"].shape, len(params["v_w"])
        return _self_attention(student.SelfAttention(dim_in, dim_q, dim_v), params).forward(x, x, x)


def _self_attention(module, params):
    for name in "qkv":
        _filled(getattr(module, name), {"weight": params[f"{name}_w"], "bias": params[f"{name}_b"]})
    return module


class MultiHeadAttention:
    """Its heads are whichever attribute is a ModuleList, its last layer the one that is a Linear."""

    def forward(params, x):
        dim_out = len(params["heads"][0]["q_w"])
        module = student.MultiHeadAttention(len(params["heads"]), x.shape[-1], dim_out)
        heads = next(child for child in module.children() if isinstance(child, nn.ModuleList))
        for head, own in zip(heads, params["heads"], strict=True):
            _self_attention(head, own)
        last = next(child for child in module.children() if isinstance(child, nn.Linear))
        _filled(last, {"weight": params["w"], "bias": params["b"]})
        return module.forward(x, x, x)


class LayerNormalization:
    """Its scale and its shift are the parameters of ones and of zeros, whatever their names."""

    def forward(x, gamma, beta, epsilon):
        module = student.LayerNormalization(len(gamma), epsilon)
        for name, parameter in list(module.named_parameters()):
            _filled(module, {name: gamma if bool((parameter == 1).all()) else beta})
        return module.forward(x)


class FeedForwardBlock:
    """Its two layers are told by their shapes: the wide one has more outputs than inputs."""

    def forward(params, x):
        hidden, dim = params["w1"].shape
        module = student.FeedForwardBlock(dim, hidden)
        for layer in module.modules():
            if isinstance(layer, nn.Linear):
                number = 1 if layer.out_features == hidden else 2
                _filled(layer, {"weight": params[f"w{number}"], "bias": params[f"b{number}"]})
        return module.forward(x)


def _filled(module, values):
    """The module with these parameters, in the precision of the values."""
    for name, value in values.items():
        setattr(module, name, nn.Parameter(value.clone(), requires_grad=False))
    return module
