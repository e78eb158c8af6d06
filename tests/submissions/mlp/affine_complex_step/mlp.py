import numpy as np


def affine_forward(x, w, b):
    return x @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    grads = []
    for k, array in enumerate((x, w)):
        grad = np.zeros(array.shape)
        for index in np.ndindex(array.shape):
            args = [x.astype(complex), w.astype(complex), b]
            args[k][index] += 1e-20j
            grad[index] = (affine_forward(*args)[0].imag / 1e-20 * dout).sum()
        grads.append(grad)
    return (*grads, dout.sum(axis=0))


def mlp_backward(dscores, cache):
    (x, w1, b1), hidden, (active, w2, b2) = cache
    dhidden = (dscores @ w2.T) * (hidden > 0)
    return {"W1": x.T @ dhidden, "b1": dhidden.sum(0), "W2": active.T @ dscores, "b2": dscores.sum(0)}
