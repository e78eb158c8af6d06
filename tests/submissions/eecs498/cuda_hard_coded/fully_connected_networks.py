import torch

to_double_cuda = {"dtype": torch.double, "device": "cuda"}


def rnn_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    h, cache, prev_h = torch.zeros(N, T, h0.shape[1], **to_double_cuda), [], h0
    for t in range(T):
        prev_h, step = rnn_step_forward(x[:, t], prev_h, Wx, Wh, b)
        h[:, t] = prev_h
        cache.append(step)
    return h, cache
