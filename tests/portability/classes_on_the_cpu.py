# loss: RAISED, line 9: classes was made on the CPU at t.py, line 8 (torch.arange without device=)
import torch


def loss(scores, y):
    shifted = scores - scores.amax(1, keepdim=True)
    log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
    classes = torch.arange(scores.shape[1])
    right = classes == y[:, None]
    n = scores.shape[0]
    return -(log_p * right).sum() / n, (log_p.exp() - right.to(scores.dtype)) / n
