"""Known slips of the network as functions of a list: see grader/slips.py for what this file is and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from grader.slips import on_the_way_back, slip, straight_through, with_backward

Layers = Sequence[Sequence[Tensor]]
Trained = tuple[Layers, list[float]]

_NETWORKS = ("predict", "one layer", "four layers")
_LOSSES = ("loss", "deep loss")


# ------------------------------------------------------------------------------------------------------------ predict


def _network(params: Layers, x: Tensor, between: Callable[[Tensor], Tensor]) -> Tensor:
    """Affine layers with this between each two."""
    for w, b in params[:-1]:
        x = between(x @ w + b)
    w, b = params[-1]
    return x @ w + b


@slip(
    "predict",
    "four layers",
    pattern="the result is that of affine layers alone",
    likely="the ReLU between the layers is missing",
)
def predict_no_relu(params: Layers, x: Tensor) -> Tensor:
    return _network(params, x, lambda hidden: hidden)


@slip(
    *_NETWORKS,
    pattern="no score is negative: there is a ReLU on the scores",
    likely="the scores come from the last layer as they are; the ReLU is between the layers",
)
def predict_relu_on_scores(params: Layers, x: Tensor) -> Tensor:
    return torch.relu(reference.predict(params, x))


_SCORES = "return the scores: the softmax is in the loss"


@slip(*_NETWORKS, pattern="the result is the softmax of the scores", likely=_SCORES)
def predict_softmax(params: Layers, x: Tensor) -> Tensor:
    return reference.predict(params, x).softmax(dim=1)


@slip("predict", "four layers", pattern="negative numbers become positive", likely="this is |x|: a ReLU gives 0 there")
def predict_abs(params: Layers, x: Tensor) -> Tensor:
    return _network(params, x, torch.abs)


@slip(
    "predict", "four layers", pattern="a tanh stands between the layers", likely="the layers have a ReLU between them"
)
def predict_tanh(params: Layers, x: Tensor) -> Tensor:
    return _network(params, x, torch.tanh)


@slip(
    *_NETWORKS, pattern="the scores are those of biases of zero", likely="the biases are left out: add b in each layer"
)
def predict_no_biases(params: Layers, x: Tensor) -> Tensor:
    return reference.predict([(w, torch.zeros_like(b)) for w, b in params], x)


@slip(*_NETWORKS, pattern="the last layer adds no b", likely="the bias of the last layer is left out")
def predict_no_last_bias(params: Layers, x: Tensor) -> Tensor:
    return reference.predict(params, x) - params[-1][1]


@slip(
    "four layers",
    pattern="the result is that of the first and the last layer",
    likely="two layers are written out: go through the list, however long it is",
)
def predict_first_and_last(params: Layers, x: Tensor) -> Tensor:
    w, b = params[0]
    hidden = torch.relu(x @ w + b)
    w, b = params[-1]
    return hidden[:, : len(w)] @ w + b


# --------------------------------------------------------------------------------------------------------------- loss


def _right(params: Layers, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Scores (N, C), and 1 at the right class of each row."""
    scores = reference.predict(params, x)
    return scores, one_hot(y.long(), scores.shape[1]).to(scores)


def _of_scores(params: Layers, x: Tensor, y: Tensor, change: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The right loss, with another gradient of the scores: change(gradient, 1 at the right class)."""
    scores, right = _right(params, x, y)
    passed = on_the_way_back(scores, lambda gradient: change(gradient, right))
    return torch.nn.functional.cross_entropy(passed, y.long())


@slip(*_LOSSES, pattern="the loss is a sum over the batch", likely="the loss is the mean over the batch: divide by N")
def loss_sum(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return reference.loss(params, x, y) * len(y)


@slip(
    *_LOSSES,
    pattern="the loss is divided by N C, the number of entries",
    likely="the mean is over the N examples: of each, one entry counts",
)
def loss_mean_over_entries(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return reference.loss(params, x, y) / len(params[-1][1])


_EPSILON = "log(p + epsilon) is another loss: written without p, the logarithm of the softmax needs no epsilon"


def _with_epsilon(size: float, params: Layers, x: Tensor, y: Tensor) -> Tensor:
    scores, right = _right(params, x, y)
    p = (scores.softmax(dim=1) * right).sum(dim=1)
    return straight_through(-(p + size).log().mean(), reference.loss(params, x, y))


@slip(*_LOSSES, pattern="the loss is the mean of -log(p + 1e-8)", likely=_EPSILON)
def loss_epsilon_1e8(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return _with_epsilon(1e-8, params, x, y)


@slip(*_LOSSES, pattern="the loss is the mean of -log(p + 1e-12)", likely=_EPSILON)
def loss_epsilon_1e12(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return _with_epsilon(1e-12, params, x, y)


@slip(*_LOSSES, pattern="the loss is that of a logarithm to the base 2", likely="take the natural logarithm, log")
def loss_log_base_two(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    right = reference.loss(params, x, y)
    return straight_through(right / torch.log(torch.tensor(2.0, dtype=right.dtype)), right)


_PENALTY = "a penalty on the weights is added: it would keep them small, and this loss has none"


def _with_penalty(strength: float, params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return reference.loss(params, x, y) + 0.5 * strength * torch.stack([(w * w).sum() for w, _ in params]).sum()


@slip(*_LOSSES, pattern="the loss is right plus 0.05 times the sum of the squared weights", likely=_PENALTY)
def loss_penalty_1e1(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return _with_penalty(1e-1, params, x, y)


@slip(*_LOSSES, pattern="the loss is right plus 0.005 times the sum of the squared weights", likely=_PENALTY)
def loss_penalty_1e2(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return _with_penalty(1e-2, params, x, y)


@slip(*_LOSSES, pattern="the loss is right plus 0.0005 times the sum of the squared weights", likely=_PENALTY)
def loss_penalty_1e3(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return _with_penalty(1e-3, params, x, y)


@slip(*_LOSSES, pattern="the loss is right plus 0.01 times the sum of the squared weights", likely=_PENALTY)
def loss_penalty_2e2(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return _with_penalty(2e-2, params, x, y)


@slip(
    *_LOSSES, pattern="the gradients are those of p/N, from all classes", likely="the 1 at the right class is missing"
)
def gradient_no_minus_one(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return _of_scores(params, x, y, lambda gradient, right: gradient + right / len(y))


@slip(
    *_LOSSES,
    pattern="the gradients are those of the right classes alone",
    likely="the scores of the wrong classes are in the denominator: their gradient is not 0",
)
def gradient_right_class_only(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return _of_scores(params, x, y, lambda gradient, right: gradient * right)


@slip(
    *_LOSSES, pattern="the gradients are sums over the batch", likely="the 1/N of the mean is missing in the gradient"
)
def gradient_without_mean(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return _of_scores(params, x, y, lambda gradient, right: gradient * len(y))


@slip(*_LOSSES, pattern="the gradients are divided by N twice", likely="the 1/N of the mean is there twice")
def gradient_mean_again(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return _of_scores(params, x, y, lambda gradient, right: gradient / len(y))


@slip(
    *_LOSSES,
    pattern="the gradients that came through a ReLU are those of no mask",
    likely="no mask: a gradient passes a ReLU only where the unit was positive",
)
def gradient_no_mask(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return _through(params, x, y, lambda hidden: straight_through(torch.relu(hidden), hidden))


@slip(
    *_LOSSES,
    pattern="the gradients that came through a ReLU are positive there, or 0",
    likely="the mask is made of the gradient: it is where the unit, not its gradient, was positive",
)
def gradient_mask_of_the_gradient(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    def unit(hidden: Tensor) -> Tensor:
        return with_backward(torch.relu(hidden), lambda gradient: [gradient.clamp(min=0)], hidden)

    return _through(params, x, y, unit)


@slip(
    *_LOSSES,
    pattern="the gradients that came through a ReLU are those of the units that were 0",
    likely="the mask is inverted: the gradient passes where the unit was positive",
)
def gradient_mask_inverted(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    return _through(
        params, x, y, lambda hidden: straight_through(torch.relu(hidden), torch.where(hidden <= 0, hidden, 0))
    )


def _through(params: Layers, x: Tensor, y: Tensor, unit: Callable[[Tensor], Tensor]) -> Tensor:
    """The right loss, with other units between the layers."""
    return torch.nn.functional.cross_entropy(_network(params, x, unit), y.long())


@slip(
    *_LOSSES,
    pattern="the gradients of the layers before are those of weights that are moved already",
    likely="the layer is updated before the gradient flows back through it: that needs the weights of the forward",
)
def gradient_through_moved_weights(params: Layers, x: Tensor, y: Tensor) -> Tensor:
    wrong = _walked_back(params, x, y, rate=0.1)
    leaves = [leaf for pair in params for leaf in pair]
    return with_backward(reference.loss(params, x, y), lambda gradient: [gradient * each for each in wrong], *leaves)


@torch.no_grad()
def _walked_back(params: Layers, x: Tensor, y: Tensor, rate: float) -> list[Tensor]:
    """The gradients of all leaves, where each w is moved by the rate before the gradient goes back through it."""
    scores, right = _right(params, x, y)
    upstream = (scores.softmax(dim=1) - right) / len(y)
    came, found = [x], list[Tensor]()
    for w, b in params[:-1]:
        came.append(torch.relu(came[-1] @ w + b))
    for (w, _), unit in zip(reversed(params), reversed(came), strict=True):
        dw = unit.T @ upstream
        found = [dw, upstream.sum(dim=0), *found]
        upstream = upstream @ (w - rate * dw).T * (unit > 0)
    return found


# ------------------------------------------------------------------------------------------------------------- update


def _gradients(params: Layers, x: Tensor, y: Tensor) -> list[tuple[Tensor, Tensor]]:
    leaves = [[leaf.detach().requires_grad_() for leaf in pair] for pair in params]
    loss = reference.loss(leaves, x, y)
    return [torch.autograd.grad(loss, pair, retain_graph=True) for pair in leaves]


def _updated(
    params: Layers, x: Tensor, y: Tensor, rule: Callable[[Tensor, Tensor], Tensor]
) -> list[tuple[Tensor, Tensor]]:
    """Every parameter by a rule: (parameter, gradient) -> new parameter."""
    every = zip(params, _gradients(params, x, y), strict=True)
    return [(rule(w, dw).detach(), rule(b, db).detach()) for (w, b), (dw, db) in every]


@slip(
    "update", pattern="the parameters move along the gradient", likely="subtract the step: the gradient points uphill"
)
def update_uphill(params: Layers, x: Tensor, y: Tensor, rate: float) -> list[tuple[Tensor, Tensor]]:
    return _updated(params, x, y, lambda leaf, gradient: leaf + rate * gradient)


@slip("update", pattern="the gradients are returned", likely="return the new parameters, not what they are made with")
def update_returns_gradients(params: Layers, x: Tensor, y: Tensor, rate: float) -> list[tuple[Tensor, Tensor]]:
    return _updated(params, x, y, lambda leaf, gradient: gradient)


@slip("update", pattern="the steps are returned", likely="return the new parameters: the step is to be taken off them")
def update_returns_steps(params: Layers, x: Tensor, y: Tensor, rate: float) -> list[tuple[Tensor, Tensor]]:
    return _updated(params, x, y, lambda leaf, gradient: rate * gradient)


@slip("update", pattern="the step is the gradient", likely="multiply the gradient by the learning rate")
def update_rate_missing(params: Layers, x: Tensor, y: Tensor, rate: float) -> list[tuple[Tensor, Tensor]]:
    return _updated(params, x, y, lambda leaf, gradient: leaf - gradient)


@slip("update", pattern="the weights move and the biases stay as they were", likely="update every parameter, b as well")
def update_weights_only(params: Layers, x: Tensor, y: Tensor, rate: float) -> list[tuple[Tensor, Tensor]]:
    return _updated(params, x, y, lambda leaf, gradient: leaf if leaf.ndim == 1 else leaf - rate * gradient)


@slip(
    "update",
    pattern="the step is divided by the number of examples",
    likely="the loss is a mean already: its gradient needs no second 1/N",
)
def update_mean_again(params: Layers, x: Tensor, y: Tensor, rate: float) -> list[tuple[Tensor, Tensor]]:
    return _updated(params, x, y, lambda leaf, gradient: leaf - rate * gradient / len(x))


# ----------------------------------------------------------------------------------------------------------- training


def _rows(step: int, batch: int, N: int) -> Tensor:
    return (step * batch + torch.arange(batch)) % N


@slip(
    "training",
    pattern="the parameters are right; the losses are those of the batches after their updates",
    likely="measure the loss before the update, with the parameters that the step starts from",
)
def train_loss_after_update(params: Layers, x: Tensor, y: Tensor, rate: float, batch: int, steps: int) -> Trained:
    losses = []
    for step in range(steps):
        rows = _rows(step, batch, len(x))
        params = reference.update(params, x[rows], y[rows], rate)
        losses.append(reference.loss(params, x[rows], y[rows]).item())
    return params, losses


@slip(
    "training",
    pattern="the parameters are one step away from where they started, after any number of steps",
    likely="every step starts from the first parameters: the next update is of what the last one returned",
)
def train_from_the_start_each_time(
    params: Layers, x: Tensor, y: Tensor, rate: float, batch: int, steps: int
) -> Trained:
    losses, trained = [], params
    for step in range(steps):
        rows = _rows(step, batch, len(x))
        losses.append(reference.loss(params, x[rows], y[rows]).item())
        trained = reference.update(params, x[rows], y[rows], rate)
    return trained, losses


@slip(
    "training",
    pattern="every step takes the first rows",
    likely="the batch does not move on: step k starts at row k batch",
)
def train_same_batch(params: Layers, x: Tensor, y: Tensor, rate: float, batch: int, steps: int) -> Trained:
    return reference.train(params, x[:batch], y[:batch], rate, batch, steps)


@slip(
    "training",
    pattern="the last batch of the data is shorter, and the next one starts at row 0",
    likely="a batch that runs over the end goes on with the first rows: take the rows modulo N",
)
def train_short_last_batch(params: Layers, x: Tensor, y: Tensor, rate: float, batch: int, steps: int) -> Trained:
    losses, starts = [], range(0, len(x), batch)
    for step in range(steps):
        start = starts[step % len(starts)]
        some, right = x[start : start + batch], y[start : start + batch]
        losses.append(reference.loss(params, some, right).item())
        params = reference.update(params, some, right, rate)
    return params, losses
