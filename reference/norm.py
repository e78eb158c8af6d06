"""The reference of the normalisations: torch, float64, forward only; autograd gives the gradients.

Sizes: N examples, D features, T steps in time or places of a sequence, C channels, H x W pixels. A variance is the
mean of the squared distances from the mean (divided by their number, not by one less), the running one too.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["batchnorm", "dropout", "groupnorm", "layernorm", "rmsnorm", "running"]

Running = dict[str, Tensor]
"""mean (D,), var (D,)."""


def batchnorm(
    x: Tensor, gamma: Tensor, beta: Tensor, running: Running, momentum: float, eps: float, train: bool
) -> Tensor:
    """(N, D), (D,), (D,), running statistics -> (N, D), by the batch's own statistics if `train`, else by these."""
    if train:
        return functional.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)
    return functional.batch_norm(x, running["mean"], running["var"], gamma, beta, training=False, eps=eps)


def running(batches: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float) -> list[Running]:
    """Running statistics after each of the batches (T, N, D), from zeros; the old ones weigh `momentum`."""
    mean, var = torch.zeros_like(gamma), torch.zeros_like(gamma)
    states = []
    for x in batches:
        mean = momentum * mean + (1 - momentum) * x.mean(dim=0)
        var = momentum * var + (1 - momentum) * x.var(dim=0, unbiased=False)
        states.append({"mean": mean, "var": var})
    return states


def layernorm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    """(N, D), (D,), (D,) -> (N, D): each example by its own statistics."""
    return functional.layer_norm(x, x.shape[-1:], gamma, beta, eps)


def groupnorm(x: Tensor, gamma: Tensor, beta: Tensor, groups: int, eps: float) -> Tensor:
    """(N, C, H, W), (C,), (C,) -> (N, C, H, W): each group of channels of each image by its own statistics."""
    return functional.group_norm(x, groups, gamma, beta, eps)


def rmsnorm(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    """(N, T, D), (D,) -> (N, T, D): each place divided by the root of the mean of its squares."""
    return gamma * x / torch.sqrt((x * x).mean(dim=-1, keepdim=True) + eps)


def dropout(x: Tensor, mask: Tensor, p: float) -> Tensor:
    """Any shape: what the mask keeps (1) and drops (0), if each number is dropped with probability p."""
    return x * mask / (1 - p)
