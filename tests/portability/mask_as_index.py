# loss: SYNCHRONISES, line 10: a mask as index
import torch


def loss(scores, y):
    shifted = scores - scores.amax(1, keepdim=True)
    log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
    right = torch.arange(scores.shape[1], device=scores.device) == y[:, None]
    n = scores.shape[0]
    return -log_p[right].sum() / n, (log_p.exp() - right.to(scores.dtype)) / n
