import copy

import numpy as np


def update(params, x, y, rate):
    new = copy.deepcopy(params)
    for (w, b), (dw, db) in zip(new, loss_gradient(params, x, y)):
        w -= rate * dw
        b -= rate * db
    return new
