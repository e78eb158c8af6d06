"""The reference of the convolutional network: torch, float64, forward only; autograd gives the gradients.

Sizes: N images, C channels, H x W pixels, F filters of HH x WW, OH x OW windows; D features, M outputs of the affine
layer, that is classes. Every function is the definition itself, in the fewest words torch has for it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "accuracy",
    "affine",
    "avg_pool",
    "cnn",
    "conv",
    "evaluate",
    "flatten",
    "grouped_conv",
    "max_pool",
    "max_pool_to_every_maximum",
    "prepare",
    "relu",
    "sgd",
    "softmax_loss",
    "train",
]

Params = dict[str, dict[str, Tensor]]
"""conv: w (F, C, HH, WW), b (F,); affine: w (D, M), b (M,)."""

MEAN, STD = 0.25, 0.35
"""Of the pixels of the 8,000 training images, cropped and halved, to two digits."""


def conv(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    """(N, C, H, W), (F, C, HH, WW), (F,) -> (N, F, OH, OW)."""
    return functional.conv2d(x, w, b, stride=stride, padding=pad)


def grouped_conv(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int, groups: int) -> Tensor:
    """(N, C, H, W), (F, C / groups, HH, WW), (F,) -> (N, F, OH, OW): each group of filters sees its own channels."""
    parts = zip(x.chunk(groups, dim=1), w.chunk(groups), b.chunk(groups), strict=True)
    return torch.cat([conv(*part, stride, pad) for part in parts], dim=1)


def max_pool(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    """(N, C, H, W) -> (N, C, OH, OW). autograd hands the gradient of a tie to one position."""
    return functional.max_pool2d(x, (height, width), stride)


def max_pool_to_every_maximum(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    """The same numbers; the gradient of a tie goes to each of its positions, whole."""
    windows = x.unfold(2, height, stride).unfold(3, width, stride)  # (N, C, OH, OW, height, width)
    largest = windows.detach().amax(dim=(-2, -1), keepdim=True)
    return largest[..., 0, 0] + torch.where(windows == largest, windows - largest, 0.0).sum(dim=(-2, -1))


def avg_pool(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    """(N, C, H, W) -> (N, C, OH, OW)."""
    return functional.avg_pool2d(x, (height, width), stride)


def flatten(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C * H * W)."""
    return x.flatten(start_dim=1)


def affine(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """(N, D), (D, M), (M,) -> (N, M)."""
    return x @ w + b


def relu(x: Tensor) -> Tensor:
    """max(x, 0), any shape. autograd takes the derivative at 0 to be 0."""
    return torch.relu(x)


def softmax_loss(scores: Tensor, y: Tensor) -> Tensor:
    """Mean over the batch of -log softmax(scores)[n, y[n]]: (N, M), (N,) of classes -> scalar."""
    return functional.cross_entropy(scores, y.long(), reduction="mean")


def sgd(params: list[Tensor], lr: float) -> torch.optim.Optimizer:
    """Plain gradient descent over these leaves."""
    return torch.optim.SGD(params, lr=lr)


def cnn(params: Params, x: Tensor, pad: int) -> Tensor:
    """Convolution of stride 1, ReLU, average pooling of 2 x 2, flatten, affine: (N, C, H, W) -> scores (N, M).

    Paper is one colour, so maxima would tie in training, where it matters who gets their gradient. Means don't.
    """
    hidden = relu(conv(x, params["conv"]["w"], params["conv"]["b"], stride=1, pad=pad))
    return affine(flatten(avg_pool(hidden, 2, 2, 2)), params["affine"]["w"], params["affine"]["b"])


def prepare(images: Tensor) -> Tensor:
    """(N, 28, 28) of 0 to 1 -> (N, 1, 10, 10): the middle 20 x 20, means of 2 x 2, standardised."""
    halved = avg_pool(images[:, None, 4:24, 4:24], 2, 2, 2)
    return (halved - MEAN) / STD


def accuracy(scores: Tensor, y: Tensor) -> Tensor:
    """Share (0 to 1) of the examples whose largest score is that of their class."""
    return (scores.argmax(dim=1) == y).double().mean()


def train(
    params: Params, images: Tensor, labels: Tensor, lr: float, batch: int, steps: int
) -> tuple[dict[str, Any], list[float]]:
    """SGD on the mean loss with pad 1, batches in order: step k takes rows (k * batch + i) mod N, 0 <= i < batch.

    Returns:
        The trained parameters, and the loss of each step's batch before its update. `params` is left as it was.
    """
    trained = {
        layer: {name: value.detach().clone().requires_grad_() for name, value in tree.items()}
        for layer, tree in params.items()
    }
    optimizer = sgd([value for tree in trained.values() for value in tree.values()], lr)
    x = prepare(images)
    losses = []
    for step in range(steps):
        rows = (step * batch + torch.arange(batch, device=x.device)) % len(x)
        loss = softmax_loss(cnn(trained, x[rows], 1), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {layer: {name: value.detach() for name, value in tree.items()} for layer, tree in trained.items()}, losses


def evaluate(params: Params, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Mean loss and accuracy of the network on these images."""
    with torch.no_grad():
        scores = cnn(params, prepare(images), 1)
        return softmax_loss(scores, labels).item(), accuracy(scores, labels).item()
