import numpy as np


def attention_forward(q, k, v, mask):
    K = q.shape[-1]
    kt = np.swapaxes(k, -1, -2)
    scores = np.where(mask > 0, q @ kt / np.sqrt(K), -1e9)
    p, weighed = softmax_forward(np.swapaxes(scores, -1, -2))
    p = np.swapaxes(p, -1, -2)
    return p @ v, (q, k, v, K ** -0.5, p, weighed)
