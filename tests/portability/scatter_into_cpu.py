# loss: RAISED, line 9: zeros was made on the CPU at t.py, line 8 (torch.zeros without device=)
import torch


def loss(scores, y):
    shifted = scores - scores.amax(1, keepdim=True)
    log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
    zeros = torch.zeros(scores.shape, dtype=scores.dtype)
    right = zeros.scatter(1, y[:, None], 1.0)
    n = scores.shape[0]
    return -(log_p * right).sum() / n, (log_p.exp() - right.to(scores.dtype)) / n
