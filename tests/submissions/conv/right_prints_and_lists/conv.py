import numpy as np


def accuracy(scores, y):
    return np.mean(np.argmax(scores, axis=1) == y)


def train(params, images, labels, lr, batch, steps):
    losses = np.zeros(steps)
    for step in range(steps):
        rows = [(step * batch + i) % len(images) for i in range(batch)]
        scores, cache = cnn_forward(params, prepare(images[rows]), 1)
        losses[step], dscores = softmax_loss(scores, labels[rows])
        print(step, losses[step], accuracy(scores, labels[rows]))
        grads = cnn_backward(dscores, cache)
        params = {
            layer: {name: params[layer][name] - lr * grads[layer][name] for name in params[layer]} for layer in params
        }
    return [params, losses]
