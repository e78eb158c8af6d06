# loss: WRONG_DEVICE, line 11: loss is a tensor on cpu, expected a tensor on cuda:0
import torch


def loss(scores, y):
    shifted = scores - scores.amax(1, keepdim=True)
    log_p = shifted - shifted.exp().sum(1, keepdim=True).log()
    right = torch.arange(scores.shape[1], device=scores.device) == y[:, None]
    n = scores.shape[0]
    value = float(-(log_p * right).sum() / n)
    return torch.tensor(value, dtype=scores.dtype), (log_p.exp() - right.to(scores.dtype)) / n
