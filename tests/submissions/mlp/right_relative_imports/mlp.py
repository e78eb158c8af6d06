from array_api_compat import array_namespace, device

from .layers import affine_backward, affine_forward, relu_backward, relu_forward
from .losses import softmax_loss


def mlp_forward(params, x):
    hidden, first = affine_forward(x, params["W1"], params["b1"])
    active, rectified = relu_forward(hidden)
    scores, second = affine_forward(active, params["W2"], params["b2"])
    return scores, (first, rectified, second)


def mlp_backward(dscores, cache):
    first, rectified, second = cache
    dactive, dw2, db2 = affine_backward(dscores, second)
    dhidden = relu_backward(dactive, rectified)
    _, dw1, db1 = affine_backward(dhidden, first)
    return {"W1": dw1, "b1": db1, "W2": dw2, "b2": db2}


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
