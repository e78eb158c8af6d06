import numpy as np


def softmax_loss(x, y):
    N = x.shape[0]
    z = x - np.max(x, axis=1, keepdims=True)
    total = np.sum(np.exp(z), axis=1)
    loss = float(np.sum(np.log(total)) - np.sum(z[range(N), y])) / N
    dx = np.exp(z) / (total[:, None] + 1e-300)
    dx[range(N), y] -= 1
    return [loss, dx / N]
