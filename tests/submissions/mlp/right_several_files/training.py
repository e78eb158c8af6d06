from array_api_compat import array_namespace, device

from losses import *
from network import *


def sgd_step(params, grads, lr):
    return {name: value - lr * grads[name] for name, value in params.items()}


def train(params, x, y, lr, batch, steps):
    xp = array_namespace(x)
    losses = []
    for step in range(steps):
        rows = (xp.arange(batch, device=device(x)) + step * batch) % x.shape[0]
        scores, cache = mlp_forward(params, xp.take(x, rows, axis=0))
        loss, dscores = softmax_loss(scores, xp.take(y, rows, axis=0))
        params = sgd_step(params, mlp_backward(dscores, cache), lr)
        losses.append(float(loss))
    return params, losses
