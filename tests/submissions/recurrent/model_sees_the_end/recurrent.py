import numpy as np


def text_forward(params, codes):
    x, embedded = embedding_forward(codes, params["embed"])
    h0 = np.zeros((len(x), len(params["b"])))
    h, recurrent = rnn_forward(x, h0, params["wx"], params["wh"], params["b"])
    last = np.repeat(h[:, -1:], h.shape[1], axis=1)
    scores, affine = temporal_affine_forward(last, params["w"], params["c"])
    return scores, (embedded, recurrent, affine)
