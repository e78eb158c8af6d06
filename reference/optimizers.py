"""The reference of the optimizers: torch.optim itself, in float64; the rest by its definition.

A step's reference makes the torch.optim optimizer over the leaves of the parameter tree; the judge hands it the same
gradients as the student, step after step, and holds parameters and state against each other. The network that is
trained has its parameters in {"layers": [{"w": (D, H), "b": (H,)}, {"w": (H, C), "b": (C,)}]}.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

__all__ = [
    "adam",
    "adam_epsilon_hat",
    "adamw",
    "adamw_epsilon_hat",
    "clip_by_norm",
    "cosine_decay",
    "loss_and_accuracy",
    "momentum",
    "nesterov",
    "rmsprop",
    "sgd",
    "step_decay",
    "train",
    "train_epsilon_hat",
    "warm_up",
    "weight_decay",
]

BETAS = (0.9, 0.999)
"""Of Adam, where a training is asked for."""


def sgd(params: list[Tensor], lr: float) -> Optimizer:
    """Plain gradient descent."""
    return SGD(params, lr=lr)


def weight_decay(params: list[Tensor], lr: float, decay: float) -> Optimizer:
    """The gradient plus decay times the parameter."""
    return SGD(params, lr=lr, weight_decay=decay)


def momentum(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    """State momentum_buffer, the velocity v <- mu v + g; no dampening."""
    return SGD(params, lr=lr, momentum=mu)


def nesterov(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    """As momentum, but the step is g + mu v."""
    return SGD(params, lr=lr, momentum=mu, nesterov=True)


def rmsprop(params: list[Tensor], lr: float, beta: float, eps: float) -> Optimizer:
    """State square_avg; epsilon is outside of the root."""
    return RMSprop(params, lr=lr, alpha=beta, eps=eps)


def adam(params: list[Tensor], lr: float, beta1: float, beta2: float, eps: float) -> Optimizer:
    """State exp_avg, exp_avg_sq, step."""
    return Adam(params, lr=lr, betas=(beta1, beta2), eps=eps)


def adamw(params: list[Tensor], lr: float, beta1: float, beta2: float, eps: float, decay: float) -> Optimizer:
    """As Adam, with the decay apart from the gradient."""
    return AdamW(params, lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=decay)


def adam_epsilon_hat(params: list[Tensor], lr: float, beta1: float, beta2: float, eps: float) -> Optimizer:
    """Adam in its authors' shorter form: lr sqrt(1 - beta2^t)/(1 - beta1^t) m/(sqrt(v) + eps)."""
    return _epsilon_hat(adam(params, lr, beta1, beta2, eps))


def adamw_epsilon_hat(
    params: list[Tensor], lr: float, beta1: float, beta2: float, eps: float, decay: float
) -> Optimizer:
    """AdamW in the same form."""
    return _epsilon_hat(adamw(params, lr, beta1, beta2, eps, decay))


def _epsilon_hat(optimizer: Optimizer) -> Optimizer:
    """The same optimizer with eps in front of the correction of v: eps/sqrt(1 - beta2^t) where torch has eps."""
    group = optimizer.param_groups[0]
    eps, beta2, steps = group["eps"], group["betas"][1], 0

    def before(*_: Any) -> None:
        nonlocal steps
        steps += 1
        group["eps"] = eps / math.sqrt(1 - beta2**steps)

    optimizer.register_step_pre_hook(before)
    return optimizer


def clip_by_norm(grads: Any, max_norm: float) -> tuple[Any, Tensor]:
    """All gradients times min(1, max_norm/norm), and the norm over all of them: a tree -> such a tree, scalar."""
    norm = torch.sqrt(torch.stack([(leaf**2).sum() for leaf in _leaves(grads)]).sum())
    factor = max_norm / norm if norm > max_norm else torch.ones_like(norm)
    return _scaled(grads, factor), norm


def step_decay(lr: Tensor, t: int, every: int, factor: float) -> Tensor:
    """Times factor after every `every` steps."""
    return lr * factor ** (t // every)


def cosine_decay(lr: Tensor, t: int, total: int, lowest: float) -> Tensor:
    """Half a cosine from lr at t = 0 to lowest at t = total, and lowest from there on."""
    return lowest + (lr - lowest) * (1 + math.cos(math.pi * min(t, total) / total)) / 2


def warm_up(lr: Tensor, t: int, steps: int) -> Tensor:
    """lr/steps in the first step, t = 0, as much more in each of the next, and lr from the last of `steps` on."""
    return lr * min((t + 1) / steps, 1.0)


def train(params: Any, x: Tensor, y: Tensor, lr: float, eps: float, batch: int, steps: int) -> tuple[Any, list[float]]:
    """Adam on the mean cross-entropy, batches in order: step k takes rows (k * batch + i) mod N, 0 <= i < batch."""
    trained = _copied(params)
    return _trained(trained, adam(_leaves(trained), lr, *BETAS, eps), x, y, batch, steps)


def train_epsilon_hat(
    params: Any, x: Tensor, y: Tensor, lr: float, eps: float, batch: int, steps: int
) -> tuple[Any, list[float]]:
    """The same with the other epsilon."""
    trained = _copied(params)
    optimizer = adam_epsilon_hat(_leaves(trained), lr, *BETAS, eps)
    return _trained(trained, optimizer, x, y, batch, steps)


def _trained(
    trained: Any, optimizer: Optimizer, x: Tensor, y: Tensor, batch: int, steps: int
) -> tuple[Any, list[float]]:
    losses = []
    for step in range(steps):
        rows = (step * batch + torch.arange(batch, device=x.device)) % len(x)
        loss = _loss(trained, x[rows], y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return _scaled(trained, 1.0), losses


def loss_and_accuracy(params: Any, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Mean loss of the network on these examples, and the share of them (0 to 1) whose largest score is at y."""
    with torch.no_grad():
        accuracy = (_scores(params, x).argmax(dim=1) == y).double().mean()
        return _loss(params, x, y).item(), accuracy.item()


def _scores(params: Any, x: Tensor) -> Tensor:
    first, second = params["layers"]
    return torch.relu(x @ first["w"] + first["b"]) @ second["w"] + second["b"]


def _loss(params: Any, x: Tensor, y: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(_scores(params, x), y.long())


def _leaves(tree: Any) -> list[Tensor]:
    if isinstance(tree, Tensor):
        return [tree]
    return [leaf for item in (tree.values() if isinstance(tree, dict) else tree) for leaf in _leaves(item)]


def _scaled(tree: Any, factor: Tensor | float) -> Any:
    """A new tree of new tensors, cut off from what they were computed from."""
    if isinstance(tree, Tensor):
        return tree.detach() * factor
    if isinstance(tree, dict):
        return {key: _scaled(item, factor) for key, item in tree.items()}
    return [_scaled(item, factor) for item in tree]


def _copied(params: Any) -> Any:
    copy = _scaled(params, 1.0)
    for leaf in _leaves(copy):
        leaf.requires_grad_()
    return copy
