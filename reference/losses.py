"""The reference of the losses and the measures: torch, float64, forward only; autograd gives the gradients.

Sizes: N examples, C classes, K labels of an example that are each 0 or 1, M outputs, D inputs, H hidden units. Where a
mean, an empty class or an ignored example leaves a choice, the choice is the one that the stub states.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "accuracy",
    "bce",
    "confusion",
    "cross_entropy",
    "f1",
    "hinge",
    "huber",
    "l2",
    "log_softmax",
    "macro_f1",
    "mse",
    "precision",
    "recall",
    "svm",
]


def mse(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean of all squared differences: (N, M), (N, M) -> scalar."""
    return functional.mse_loss(prediction, target)


def huber(prediction: Tensor, target: Tensor, delta: float) -> Tensor:
    """Mean of r^2 / 2 up to |r| = delta, and of the tangent there beyond it: (N, M), (N, M) -> scalar."""
    return functional.huber_loss(prediction, target, delta=delta)


def bce(logits: Tensor, y: Tensor) -> Tensor:
    """Mean of -y log p - (1 - y) log(1 - p), p = sigmoid(logits): (N, K), (N, K) -> scalar."""
    return functional.binary_cross_entropy_with_logits(logits, y)


def log_softmax(x: Tensor) -> Tensor:
    """(N, C) -> (N, C), row by row."""
    return torch.log_softmax(x, dim=1)


def cross_entropy(scores: Tensor, y: Tensor, smoothing: float, ignore: int) -> Tensor:
    """Mean over the examples with y != ignore; 0 where there are none: (N, C), (N,) -> scalar."""
    total = functional.cross_entropy(scores, y.long(), label_smoothing=smoothing, ignore_index=ignore, reduction="sum")
    return total / max(int((y != ignore).sum()), 1)


def hinge(scores: Tensor, y: Tensor) -> Tensor:
    """Mean over the examples of the sum over the wrong classes of max(0, s[c] - s[y] + 1): (N, C), (N,) -> scalar."""
    column = y.long()[:, None]
    margins = torch.relu(scores - scores.gather(1, column) + 1)
    return margins.scatter(1, column, 0.0).sum() / len(y)


def l2(weights: list[Tensor], reg: float) -> Tensor:
    """The sum of the squares of all entries, times reg: list of arrays -> scalar."""
    return reg * torch.stack([(w**2).sum() for w in weights]).sum()


def svm(params: dict[str, Tensor], x: Tensor, y: Tensor, reg: float) -> Tensor:
    """Hinge loss of a linear classifier plus the penalty on W, not on b."""
    return hinge(x @ params["W"] + params["b"], y) + l2([params["W"]], reg)


def accuracy(predicted: Tensor, y: Tensor) -> Tensor:
    """Share of the examples that are predicted right: (N,), (N,) -> scalar."""
    return (predicted == y).double().mean()


def confusion(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    """Number of examples of class i (row) that are predicted as j (column): (N,), (N,) -> (classes, classes)."""
    return torch.bincount(y * classes + predicted, minlength=classes**2).reshape(classes, classes)


def precision(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    """Right ones among those predicted as c; 0 where nothing is: (N,), (N,) -> (classes,)."""
    matrix = confusion(predicted, y, classes).double()
    return matrix.diagonal() / matrix.sum(dim=0).clamp(min=1)


def recall(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    """Right ones among those of class c; 0 where there are none: (N,), (N,) -> (classes,)."""
    matrix = confusion(predicted, y, classes).double()
    return matrix.diagonal() / matrix.sum(dim=1).clamp(min=1)


def f1(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    """Harmonic mean of precision and recall; 0 where both are: (N,), (N,) -> (classes,)."""
    p, r = precision(predicted, y, classes), recall(predicted, y, classes)
    return torch.where(p + r == 0, 0.0, 2 * p * r / (p + r))


def macro_f1(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    """Mean of F1 over the classes that occur in y or are predicted: (N,), (N,) -> scalar."""
    seen = torch.cat([predicted, y]).unique()
    return f1(predicted, y, classes)[seen].mean()
