import torch


def update_scale(scale, good, finite, interval):
    grows = finite & (good + 1 == interval)
    scale = torch.where(grows, 2 * scale, scale)
    return scale, torch.where(finite & ~grows, good + 1, torch.zeros_like(good))
