"""The signatures of cs231n for the judge: arguments go into the course's dictionaries, what comes out of them back.

Runs beside the student's code. `student` is that code. What is called here as it is there stands for it in messages.
"""

import numpy as np

# ------------------------------------------------------------------------------------------------------------ layers


def batchnorm_forward(x, gamma, beta, eps):
    return student.batchnorm_forward(x, gamma, beta, {"mode": "train", "eps": eps})


def batchnorm_test(x, gamma, beta, mean, var, eps):
    bn_param = {"mode": "test", "eps": eps, "running_mean": mean, "running_var": var}
    out, _ = student.batchnorm_forward(x, gamma, beta, bn_param)
    return out, bn_param["running_mean"], bn_param["running_var"]


def batchnorm_running(batches, x, gamma, beta, momentum, eps):
    return _running(student.batchnorm_forward, batches, x, gamma, beta, momentum, eps)


def spatial_batchnorm_forward(x, gamma, beta, eps):
    return student.spatial_batchnorm_forward(x, gamma, beta, {"mode": "train", "eps": eps})


def spatial_running(batches, x, gamma, beta, momentum, eps):
    return _running(student.spatial_batchnorm_forward, batches, x, gamma, beta, momentum, eps)


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
    return average.reshape(-1).copy() if isinstance(average, np.ndarray) else average


def layernorm_forward(x, gamma, beta, eps):
    return student.layernorm_forward(x, gamma, beta, {"eps": eps})


def spatial_groupnorm_forward(x, gamma, beta, G, eps):
    return student.spatial_groupnorm_forward(x, gamma, beta, G, {"eps": eps})


def dropout_forward(x, p, train):
    """The course's p is the probability to keep."""
    return student.dropout_forward(x, {"p": 1 - p, "mode": "train" if train else "test"})


def conv_forward_naive(x, w, b, stride, pad):
    return student.conv_forward_naive(x, w, b, {"stride": stride, "pad": pad})


def max_pool_forward_naive(x, pool_height, pool_width, stride):
    pool_param = {"pool_height": pool_height, "pool_width": pool_width, "stride": stride}
    return student.max_pool_forward_naive(x, pool_param)


# -------------------------------------------------------------------------------------------------------- optimizers
# At the first step config holds the settings alone, so that the student's own start counts. Updates may happen in w.


def sgd_momentum(w, dw, state, learning_rate, momentum):
    config = {"learning_rate": learning_rate, "momentum": momentum}
    return _step(student.sgd_momentum, w, dw, config, state, ("velocity",), first=not np.any(state["velocity"]))


def rmsprop(w, dw, state, learning_rate, decay_rate, epsilon):
    config = {"learning_rate": learning_rate, "decay_rate": decay_rate, "epsilon": epsilon}
    return _step(student.rmsprop, w, dw, config, state, ("cache",), first=not np.any(state["cache"]))


def adam(w, dw, state, learning_rate, beta1, beta2, epsilon):
    config = {"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon}
    state = {**state, "t": int(state["t"])}
    return _step(student.adam, w, dw, config, state, ("m", "v", "t"), first=state["t"] == 0)


def _step(rule, w, dw, config, state, names, first):
    if not first:
        config.update({name: state[name] for name in names})
    w, config = rule(w.copy(), dw, config)
    return w, {name: config.get(name) for name in names}


# ---------------------------------------------------------------------------------------------------------- networks


class TwoLayerNet:
    def loss(params, X, y, reg):
        return _two_layers(params, X, reg).loss(X, y)

    def scores(params, X):
        return _two_layers(params, X, 0.0).loss(X)

    def new(X, hidden, classes):
        return _shapes(student.TwoLayerNet(input_dim=X.shape[1], hidden_dim=hidden, num_classes=classes))


class FullyConnectedNet:
    def loss(params, X, y, reg):
        return _deep(params, reg=reg).loss(X, y)

    def scores(params, X):
        return _deep(params).loss(X)

    def new(X, hidden, then, classes):
        return _shapes(student.FullyConnectedNet([hidden, then], X.shape[1], classes, normalization="batchnorm"))

    def with_batchnorm(params, X, y, reg):
        """Without the hidden layers' biases: batch norm takes each away again, and its gradient is rounding alone."""
        loss, grads = _deep(params, reg=reg, normalization="batchnorm").loss(X, y)
        return loss, {name: grads[name] for name in params if name in grads} if isinstance(grads, dict) else grads

    def after_training(params, batch, X):
        net = _deep(params, normalization="batchnorm")
        net.loss(batch, np.zeros(len(batch), dtype=int))
        return net.loss(X)

    def with_layernorm(params, X, y, reg):
        return _deep(params, reg=reg, normalization="layernorm").loss(X, y)

    def without_dropout(params, X):
        """A network that drops, at test time. By its place: the argument has had several names over the years."""
        return _deep(params, 0.3).loss(X)


class ThreeLayerConvNet:
    def loss(params, X, y, reg):
        return _convnet(params, X, reg).loss(X, y)

    def scores(params, X):
        return _convnet(params, X, 0.0).loss(X)

    def new(X, filters, size, hidden, classes):
        return _shapes(
            student.ThreeLayerConvNet(
                input_dim=X.shape[1:], num_filters=filters, filter_size=size, hidden_dim=hidden, num_classes=classes
            )
        )


def _two_layers(params, X, reg):
    (D, H), C = params["W1"].shape, params["b2"].size
    return _with(params, student.TwoLayerNet(input_dim=D, hidden_dim=H, num_classes=C, reg=reg))


def _deep(params, *keep, **options):
    layers = sum(name.startswith("W") for name in params)
    *hidden, classes = [params[f"W{number}"].shape[1] for number in range(1, layers + 1)]
    net = student.FullyConnectedNet(hidden, params["W1"].shape[0], classes, *keep, dtype=np.float64, **options)
    return _with(params, net)


def _convnet(params, X, reg):
    filters, _, size, _ = params["W1"].shape
    return _with(
        params,
        student.ThreeLayerConvNet(
            input_dim=X.shape[1:],
            num_filters=filters,
            filter_size=size,
            hidden_dim=params["b2"].size,
            num_classes=params["b3"].size,
            reg=reg,
            dtype=np.float64,
        ),
    )


def _with(params, net):
    net.params.update(params)
    return net


def _shapes(net):
    return {name: np.array(value.shape) for name, value in net.params.items()}


# ------------------------------------------------------------------------------------------------------------ in time


def temporal_softmax_loss(x, y, mask):
    return student.temporal_softmax_loss(x, y, mask.astype(bool))
