import math

import numpy as np


def hinge_loss(scores, y):
    N, C = scores.shape
    loss, d = 0.0, np.zeros((N, C))
    for n in range(N):
        for c in range(C):
            margin = scores[n, c] - scores[n, y[n]] + 1
            if c != y[n] and margin > 0:
                loss += margin
                d[n, c] += 1
                d[n, y[n]] -= 1
    return loss / N, d / N


def bce_loss(logits, y):
    N, K = logits.shape
    loss, d = 0.0, np.zeros((N, K))
    for n in range(N):
        for k in range(K):
            s = float(logits[n, k])
            e = math.exp(-abs(s))
            loss += max(s, 0.0) - y[n, k] * s + math.log(1 + e)
            d[n, k] = (1 / (1 + e) if s > 0 else e / (1 + e)) - y[n, k]
    return loss / (N * K), d / (N * K)


def cross_entropy_loss(scores, y, smoothing, ignore):
    N, C = scores.shape
    loss, d, V = 0.0, np.zeros((N, C)), 0
    for n in range(N):
        if y[n] == ignore:
            continue
        V += 1
        top = max(scores[n])
        total = math.log(sum(math.exp(s - top) for s in scores[n]))
        for c in range(C):
            q = smoothing / C + (1 - smoothing if c == y[n] else 0)
            logp = scores[n, c] - top - total
            loss -= q * logp
            d[n, c] = math.exp(logp) - q
    return (loss / V, d / V) if V else (0.0, d)


def confusion_matrix(predicted, y, classes):
    matrix = np.zeros((classes, classes))
    for i, j in zip(y, predicted):
        matrix[i][j] += 1
    return matrix
