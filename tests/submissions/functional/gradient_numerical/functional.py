import numpy as np


def loss_gradient(params, x, y):
    h, grads = 1e-5, []
    for layer, pair in enumerate(params):
        grads.append([])
        for which, array in enumerate(pair):
            gradient = np.zeros_like(array)
            for index in np.ndindex(array.shape):
                sides = []
                for sign in (1, -1):
                    moved = array.copy()
                    moved[index] += sign * h
                    other = [list(p) for p in params]
                    other[layer][which] = moved
                    sides.append(loss(other, x, y))
                gradient[index] = (sides[0] - sides[1]) / (2 * h)
            grads[-1].append(gradient)
    return grads
