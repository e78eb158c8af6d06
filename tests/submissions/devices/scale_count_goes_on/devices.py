import torch


def update_scale(scale, good, finite, interval):
    grows = finite & (good + 1 == interval)
    scale = torch.where(finite, torch.where(grows, 2 * scale, scale), scale / 2)
    return scale, torch.where(finite, good + 1, torch.zeros_like(good))
