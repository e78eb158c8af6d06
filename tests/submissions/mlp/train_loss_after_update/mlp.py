import numpy as np


def train(params, x, y, lr, batch, steps):
    N = x.shape[0]
    losses = []
    for k in range(steps):
        rows = (k * batch + np.arange(batch)) % N
        scores, cache = mlp_forward(params, x[rows])
        loss, dscores = softmax_loss(scores, y[rows])
        grads = mlp_backward(dscores, cache)
        params = sgd_step(params, grads, lr)
        losses.append(float(softmax_loss(mlp_forward(params, x[rows])[0], y[rows])[0]))
    return params, losses
