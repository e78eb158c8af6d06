import numpy as np


def train(params, x, y, lr, limit, batch, steps):
    losses = []
    for k in range(steps):
        scores, cache = text_forward(params, x[:batch])
        loss, dscores = temporal_softmax_loss(scores, y[:batch], np.ones(y[:batch].shape))
        grads = clip_gradients(text_backward(dscores, cache), limit)
        params = {name: params[name] - lr * grads[name] for name in params}
        losses.append(float(loss))
    return params, losses
