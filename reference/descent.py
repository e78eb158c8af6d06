"""The reference of going downhill: torch, float64; autograd gives every derivative.

Sizes: N numbers on a line or points in the valley, which have K = 2 coordinates; P points of D components.

A checker of derivatives is asked about functions. Those that it is given are numbered; the adapter has the same ones,
with gradients by hand, for the side of the student.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["central_difference", "check_gradient", "descend", "f", "line", "valley", "valley_path"]


def f(x: Tensor) -> Tensor:
    """log(x^4 + x^3 + 2), entry by entry."""
    return torch.log(x**4 + x**3 + 2)


def valley(p: Tensor) -> Tensor:
    """(2, ...) -> (...): x and y of each point."""
    x, y = p
    return (1 - x) ** 2 + 10 * (y - x**2) ** 2


def slope(x: Tensor) -> Tensor:
    """Sum over d of c x[d] + sin x[d], where c is 2, -3, 2, -3, ...: no slope is flat, and neighbours differ."""
    return (_alternating(x) * x + x.sin()).sum()


def humps(x: Tensor) -> Tensor:
    """Sum over d of x[d] exp(-x[d]): flat where a component is 1."""
    return (x * torch.exp(-x)).sum()


def bowl(x: Tensor) -> Tensor:
    """Half the square of the sum, and (d + 1) x[d]^4 / 4: the components act on each other, and unequally."""
    return x.sum() ** 2 / 2 + ((1 + torch.arange(len(x))) * x**4 / 4).sum()


FUNCTIONS = (slope, humps, bowl)


def descend(start: Tensor, function: int | Callable[[Tensor], Tensor], rate: float, steps: int) -> list[Tensor]:
    """The path from start, its points in order; down one of FUNCTIONS, or any other."""
    of, path = FUNCTIONS[function] if isinstance(function, int) else function, [start]
    for _ in range(steps):
        path.append(path[-1] - rate * _gradient(of, path[-1]))
    return path


def line(start: Tensor, rate: float, steps: int) -> list[Tensor]:
    """Paths on the curve f, from each entry of start at once."""
    return descend(start, lambda x: f(x).sum(), rate, steps)


def valley_path(start: Tensor, rate: float, steps: int) -> list[Tensor]:
    """The path down the valley."""
    return descend(start, valley, rate, steps)


def central_difference(x: Tensor, function: int, h: float) -> Tensor:
    """(f(x + h e_d) - f(x - h e_d)) / (2h) for each component d."""
    of, sides = FUNCTIONS[function], h * torch.eye(len(x), dtype=x.dtype)
    return torch.stack([(of(x + side) - of(x - side)) / (2 * h) for side in sides])


def check_gradient(
    x: Tensor,
    wrong: Tensor,
    component: Tensor,
    function: int,
    scale: float,
    factor: float,
    shift: float,
    turn: bool,
) -> Tensor:
    """Whether what is claimed at each point is the gradient: (P, D), (P,) of 0 and 1, (P,) of components -> (P,).

    Claimed is the gradient itself; where wrong is 1, it is multiplied by the factor, its components are turned by one
    place, and the shift (in units of the scale) is added to one component.
    """
    truth = torch.stack([_gradient(lambda row: scale * FUNCTIONS[function](row), row) for row in x])
    claimed = factor * (truth.roll(1, dims=1) if turn else truth)
    claimed[torch.arange(len(x)), component] += shift * scale
    return ((wrong == 0)[:, None] | (claimed == truth)).all(dim=1)


def _gradient(of: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    leaf = x.detach().requires_grad_()
    return torch.autograd.grad(of(leaf), leaf)[0]


def _alternating(x: Tensor) -> Tensor:
    return torch.where(torch.arange(len(x)) % 2 == 0, 2.0, -3.0).to(x.dtype)
