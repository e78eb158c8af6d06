"""The reference of the devices: torch, forward only; autograd gives the gradients.

Sizes: N examples, C classes, T places of a sequence, S scores of a row, V symbols, D features, M outputs. float64
throughout, but where a function is about fewer digits: the sums are of float32, and gradients come in float16. Such
numbers are returned in the dtype that went in, which holds them exactly.
"""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor

__all__ = [
    "clip",
    "compensated_sum",
    "embedding",
    "masked_softmax",
    "mixed_step",
    "one_hot",
    "positions",
    "standardise",
    "sum_in_order",
    "unscale",
    "update_scale",
]

Tree = dict[str, Tensor]


def one_hot(y: Tensor, like: Tensor) -> Tensor:
    """(N, C): a one at [n, y[n]]; a row of zeros where y[n] is -1."""
    return (y[:, None] == torch.arange(like.shape[1])).to(like.dtype)


def positions(x: Tensor, gain: Tensor) -> Tensor:
    """Add gain times the cosine of the place, slower from feature to feature."""
    places, features = torch.arange(x.shape[1]).to(x.dtype), torch.arange(x.shape[2]).to(x.dtype)
    return x + gain * torch.cos(places[:, None] * 100 ** (-features / x.shape[2]))


def masked_softmax(scores: Tensor, last: Tensor) -> Tensor:
    """(N, S): the softmax of the scores 0 .. last[n] of each row, and zeros behind."""
    counts = torch.arange(scores.shape[1]) <= last[:, None]
    return torch.softmax(scores.masked_fill(~counts, -torch.inf), dim=1)


def embedding(codes: Tensor, w: Tensor) -> Tensor:
    """(N, T, D): the row of w of each code."""
    return w[codes]


def standardise(x: Tensor, eps: float) -> Tensor:
    """Each column less its mean, over the root of its variance plus eps."""
    return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False) + eps)


def clip(grads: Tree, limit: float) -> Tree:
    """All of them times min(1, limit / norm), with the norm of all of them together."""
    norm = torch.sqrt(sum((g * g).sum() for g in grads.values()))
    return {name: g * torch.clamp(limit / norm, max=1.0) for name, g in grads.items()}


def sum_in_order(x: Tensor) -> Tensor:
    """(D,): row after row, in float32."""
    return reduce(torch.add, x.to(torch.float32).unbind()).to(x.dtype)


def compensated_sum(x: Tensor) -> Tensor:
    """(2, D): the sum in float32, with what each addition lost added to the next row; and what the last one lost."""

    def add(so_far: tuple[Tensor, Tensor], row: Tensor) -> tuple[Tensor, Tensor]:
        before, lost = so_far
        after = before + (row + lost)
        return after, (row + lost) - (after - before)

    zeros = torch.zeros(x.shape[1], dtype=torch.float32)
    return torch.stack(reduce(add, x.to(torch.float32).unbind(), (zeros, zeros))).to(x.dtype)


def unscale(grads: Tree, scale: Tensor) -> tuple[Tree, Tensor]:
    """Gradients as float16 holds them, over the scale in its dtype, and whether all are finite; zeros if not."""
    wide = {name: g.to(torch.float16).to(scale.dtype) for name, g in grads.items()}
    finite = torch.stack([torch.isfinite(g).all() for g in wide.values()]).all()
    return {name: torch.where(finite, g / scale, torch.zeros_like(g)) for name, g in wide.items()}, finite


def update_scale(scale: Tensor, good: Tensor, finite: Tensor, interval: int) -> tuple[Tensor, Tensor]:
    """Half of it after an overflow, twice of it after `interval` good steps in a row; and how many these are."""
    if good >= interval:
        raise ValueError("the count starts again at the interval, so it is never that high")
    if not finite > 0:
        return scale / 2, torch.zeros_like(good)
    if good + 1 == interval:
        return scale * 2, torch.zeros_like(good)
    return scale, good + 1


def mixed_step(params: Tree, grads: Tree, scale: Tensor, lr: float) -> tuple[Tree, Tree, Tensor]:
    """A step of gradient descent on the master weights, none where not finite; their copies in float16."""
    wide, finite = unscale(grads, scale)
    stepped = {name: p - lr * wide[name] for name, p in params.items()}
    return stepped, {name: p.to(torch.float16).to(p.dtype) for name, p in stepped.items()}, finite
