# loss: RAISED, line 6: write xp.max(x, axis=...)
import torch


def loss(scores, y):
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
    right = torch.arange(scores.shape[1], device=scores.device) == y[:, None]
    n = scores.shape[0]
    return -(log_p * right).sum() / n, (log_p.exp() - right.to(scores.dtype)) / n
