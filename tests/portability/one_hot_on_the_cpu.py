# loss: RAISED, line 9: indices should be either on cpu or on the same device as the indexed tensor (cpu)
import torch


def loss(scores, y):
    shifted = scores - scores.amax(1, keepdim=True)
    log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
    right = torch.zeros(scores.shape, dtype=scores.dtype)
    right[torch.arange(len(y)), y] = 1
    n = scores.shape[0]
    return -(log_p * right).sum() / n, (log_p.exp() - right) / n
