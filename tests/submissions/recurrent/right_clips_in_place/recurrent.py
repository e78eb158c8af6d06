import copy
import math


def clip_gradients(grads, limit):
    grads = copy.deepcopy(grads)
    norm = math.sqrt(math.fsum(float(v) ** 2 for g in grads.values() for v in g.ravel()))
    if norm > limit:
        for name in grads:
            grads[name] *= limit / norm
    return grads
