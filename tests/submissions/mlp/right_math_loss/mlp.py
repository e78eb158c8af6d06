import math

import numpy as np


def softmax_loss(scores, y):
    losses = []
    dscores = np.empty_like(scores)
    for n, row in enumerate(scores):
        e = [math.exp(s - max(row)) for s in row]
        losses.append(math.log(math.fsum(e)) + max(row) - row[y[n]])
        for c in range(len(row)):
            dscores[n, c] = (e[c] / math.fsum(e) - (c == y[n])) / len(scores)
    return math.fsum(losses) / len(losses), dscores
