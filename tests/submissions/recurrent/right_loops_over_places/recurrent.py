import math
import numpy as np


def temporal_softmax_loss(scores, y, mask):
    N, T, V = scores.shape
    count, loss, dscores = sum(sum(row) for row in mask.tolist()), 0.0, np.zeros(scores.shape)
    for n in range(N):
        for t in range(T):
            if mask[n, t]:
                row = scores[n, t]
                top = max(row)
                log_sum = top + math.log(sum(math.exp(s - top) for s in row))
                loss += (log_sum - row[y[n, t]]) / count
                for v in range(V):
                    dscores[n, t, v] = (math.exp(row[v] - log_sum) - (v == y[n, t])) / count
    return float(loss), dscores


def embedding_backward(dout, cache):
    codes, w = cache
    dw = np.zeros(w.shape)
    for n in range(codes.shape[0]):
        for t in range(codes.shape[1]):
            dw[codes[n, t]] += dout[n, t]
    return dw


def gru_forward(x, h0, wx, wh, b):
    h, states, caches = h0, [], []
    for now in np.moveaxis(x, 1, 0):
        h, cache = gru_step_forward(now, h, wx, wh, b)
        states.append(h)
        caches.append(cache)
    return np.moveaxis(np.array(states), 0, 1), tuple(caches)
