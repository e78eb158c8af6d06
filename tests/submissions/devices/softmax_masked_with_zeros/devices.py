import torch


def masked_softmax_forward(scores, last):
    counts = torch.arange(scores.shape[1], device=scores.device) <= last[:, None]
    scores = scores * counts
    powers = torch.exp(scores - scores.amax(1, keepdim=True))
    p = powers / powers.sum(1, keepdim=True)
    return p, p
