"""The reference of the automatic differentiation topic. An engine is held against torch.autograd itself; here is the
network that is written with it.

Sizes: N examples, D inputs, H hidden units, C classes.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["network_loss"]


def network_loss(params: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy of affine, tanh, affine: parameters W1 (D, H), b1, W2 (H, C), b2; (N, D), (N,) -> scalar."""
    hidden = torch.tanh(x @ params["W1"] + params["b1"])
    return torch.nn.functional.cross_entropy(hidden @ params["W2"] + params["b2"], y)
