# loss
import torch


def loss(scores, y):
    shifted = scores - scores.amax(1, keepdim=True)
    log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
    right = torch.zeros_like(scores).scatter_(1, y[:, None], 1.0)
    n = scores.shape[0]
    return -(log_p * right).sum() / n, (log_p.exp() - right.to(scores.dtype)) / n
