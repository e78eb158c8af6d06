import numpy as np


def reverser_backward(dscores, cache):
    chosen, block, affine = cache
    dy, dw, dc = affine_backward(dscores, affine)
    dblock, dx = block_backward(dy, block)
    dembed = np.zeros((chosen.shape[2], dx.shape[2]))
    dembed[chosen.argmax(axis=2)] += dx
    return {"embed": dembed, "block": dblock, "w": dw, "c": dc}
