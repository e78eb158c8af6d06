"""Known slips of the two-layer network: see grader/slips.py for what this file is and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from grader.slips import on_the_way_back, slip, straight_through

Params = dict[str, Tensor]


# ------------------------------------------------------------------------------------------------------- affine


@slip("affine", pattern="dw is divided by the number of rows", likely="dw is a sum over the batch, not a mean")
def affine_dw_mean(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return reference.affine(x, on_the_way_back(w, lambda g: g / len(x)), b)


@slip("affine", pattern="db is divided by the number of rows", likely="db is a sum over the batch, not a mean")
def affine_db_mean(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return reference.affine(x, w, on_the_way_back(b, lambda g: g / len(x)))


@slip(
    "affine",
    pattern="every element of db is the mean of the whole upstream gradient",
    likely="db is summed over the batch alone: one number for each output, dout.sum(axis=0)",
)
def affine_db_one_mean(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return reference.affine(x, w, on_the_way_back(b, lambda g: (g.sum() / (len(x) * g.numel())).expand(g.shape)))


@slip(
    "affine",
    pattern="every element of db is the sum of the whole upstream gradient",
    likely="db is summed over the batch alone: one number for each output, dout.sum(axis=0)",
)
def affine_db_one_sum(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return reference.affine(x, w, on_the_way_back(b, lambda g: g.sum().expand(g.shape)))


@slip(
    "affine",
    pattern="every gradient is divided by the number of rows",
    likely="nothing is averaged in a backward: the 1/N belongs to the loss and is already inside dout",
)
def affine_all_mean(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return on_the_way_back(reference.affine(x, w, b), lambda g: g / len(x))


@slip("affine", pattern="dw has the other sign", likely="a minus in dw that is not in its formula, x.T @ dout")
def affine_dw_sign(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return reference.affine(x, on_the_way_back(w, lambda g: -g), b)


@slip(
    "affine",
    pattern="dw is that of the first row alone",
    likely="written for one example: dw is the sum over the batch, x.T @ dout",
)
def affine_first_row_only(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    rest = reference.affine(x[1:], w.detach(), b)
    return torch.cat([reference.affine(x[:1], w, b), rest])


@slip(
    "affine",
    pattern="the gradients are those of an upstream gradient of ones",
    likely="dout is not used, or replaced by ones: every gradient is a product with it",
)
def affine_ignores_upstream(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return on_the_way_back(reference.affine(x, w, b), torch.ones_like)


@slip(
    "affine",
    pattern="the gradients are those of an upstream gradient cut off at -1 and 1",
    likely="the upstream gradient is clipped: a backward passes on what it is given",
)
def affine_clips_upstream(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return on_the_way_back(reference.affine(x, w, b), lambda g: g.clamp(-1, 1))


@slip("affine", pattern="every gradient is zero", likely="the arrays made for the gradients are never filled")
def affine_zero_gradients(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return on_the_way_back(reference.affine(x, w, b), torch.zeros_like)


@slip("affine", pattern="the result is x @ w, without b", likely="the bias is left out of the forward pass")
def affine_no_bias(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return straight_through(x @ w, reference.affine(x, w, b))


@slip(
    "affine",
    pattern="dx is dout @ w.reshape(M, D)",
    likely="reshape keeps the order of the elements and is no transpose: w.T",
)
def affine_reshape_for_transpose(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    right, (D, M) = reference.affine(x.detach(), w, b), w.shape
    return straight_through(right, right + x @ w.detach().reshape(M, D).T)


@slip(
    "affine",
    pattern="x @ w is divided by the root of D",
    likely="the root belongs to the drawing of w, or to another layer: out = x @ w + b",
)
def affine_scaled_both_ways(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return x @ w / x.shape[1] ** 0.5 + b


# --------------------------------------------------------------------------------------------------------- relu


@slip("relu", pattern="nothing is larger than 6", likely="this is ReLU6: max(x, 0) has no upper end")
def relu_capped(x: Tensor) -> Tensor:
    return torch.nn.functional.relu6(x)


@slip(
    "relu",
    pattern="the gradient is 1 where x is positive and 0 elsewhere",
    likely="this is the derivative alone: multiply it by the upstream gradient",
)
def relu_derivative_only(x: Tensor) -> Tensor:
    return reference.relu(on_the_way_back(x, lambda g: (x > 0).to(g)))


@slip("relu", pattern="the result is the absolute value", likely="negative elements become 0, not positive")
def relu_abs(x: Tensor) -> Tensor:
    return straight_through(x.abs(), reference.relu(x))


@slip("relu", pattern="the gradient is that of the absolute value", likely="negative elements become 0, not positive")
def relu_abs_both_ways(x: Tensor) -> Tensor:
    return x.abs()


@slip(
    "relu",
    pattern="the gradient is the upstream gradient where that is positive, and 0 elsewhere",
    likely="the mask is taken from dout: it is where the input x was positive",
)
def relu_mask_from_dout(x: Tensor) -> Tensor:
    return straight_through(reference.relu(x), on_the_way_back(x, lambda g: g.clamp(min=0)))


@slip(
    "relu",
    pattern="where x is negative the gradient is 1/100 of the upstream one",
    likely="this is the backward of a leaky ReLU: no gradient passes where x is negative",
)
def relu_leaky_backward(x: Tensor) -> Tensor:
    return straight_through(reference.relu(x), torch.nn.functional.leaky_relu(x, 0.01))


@slip("relu", pattern="negative elements are 1/100 of x", likely="this is a leaky ReLU: negative elements become 0")
def relu_leaky_both_ways(x: Tensor) -> Tensor:
    return torch.nn.functional.leaky_relu(x, 0.01)


@slip("relu", pattern="the gradient passes where x > 1 alone", likely="the threshold of the mask is 0: x > 0")
def relu_mask_above_one(x: Tensor) -> Tensor:
    return straight_through(reference.relu(x), torch.relu(x - 1))


@slip(
    "relu",
    pattern="the gradient passes where x is not positive",
    likely="the mask is inverted: the gradient passes where x > 0",
)
def relu_mask_inverted(x: Tensor) -> Tensor:
    return straight_through(reference.relu(x), torch.where(x <= 0, x, 0))


@slip(
    "relu",
    pattern="the upstream gradient is passed on as it is",
    likely="the mask is missing: multiply by x > 0",
)
def relu_mask_missing(x: Tensor) -> Tensor:
    return straight_through(reference.relu(x), x)


# ------------------------------------------------------------------------------------------------------ softmax


def _right(scores: Tensor, y: Tensor) -> Tensor:
    """1 at the right class of each row: (N, C)."""
    return one_hot(y.long(), scores.shape[1]).to(scores)


@slip("softmax", pattern="the loss is the accuracy", likely="the accuracy is returned for the loss")
def softmax_accuracy(scores: Tensor, y: Tensor) -> Tensor:
    accuracy = (scores.argmax(dim=1) == y).double().mean()
    return straight_through(accuracy, reference.softmax_loss(scores, y))


def _with_epsilon(size: float) -> Callable[[Tensor, Tensor], Tensor]:
    def loss(scores: Tensor, y: Tensor) -> Tensor:
        p = (scores.softmax(dim=1) * _right(scores, y)).sum(dim=1)
        return straight_through(-(p + size).log().mean(), reference.softmax_loss(scores, y))

    return loss


_EPSILON = "log(p + epsilon) is another loss: written without p, the logarithm of the softmax needs no epsilon"


@slip("softmax", pattern="the loss is the mean of -log(p + 1e-8)", likely=_EPSILON)
def softmax_epsilon_1e8(scores: Tensor, y: Tensor) -> Tensor:
    return _with_epsilon(1e-8)(scores, y)


@slip("softmax", pattern="the loss is the mean of -log(p + 1e-12)", likely=_EPSILON)
def softmax_epsilon_1e12(scores: Tensor, y: Tensor) -> Tensor:
    return _with_epsilon(1e-12)(scores, y)


@slip("softmax", pattern="the gradient is twice the right one", likely="there is no 2 in it: nothing is squared here")
def softmax_factor_two(scores: Tensor, y: Tensor) -> Tensor:
    return reference.softmax_loss(on_the_way_back(scores, lambda g: 2 * g), y)


@slip(
    "softmax", pattern="the gradient has the other sign", likely="the gradient is p - 1 at the right class, not 1 - p"
)
def softmax_gradient_sign(scores: Tensor, y: Tensor) -> Tensor:
    return reference.softmax_loss(on_the_way_back(scores, lambda g: -g), y)


@slip(
    "softmax",
    pattern="the gradient is -1/(N p) at the right class and 0 elsewhere",
    likely="this is the gradient of the probabilities: go on through the softmax to the scores, (p - onehot)/N",
)
def softmax_gradient_of_probabilities(scores: Tensor, y: Tensor) -> Tensor:
    right = _right(scores, y)
    p = scores.softmax(dim=1).detach().clamp(min=1e-300)
    return straight_through(reference.softmax_loss(scores, y), -(right * scores / p).sum() / len(y))


@slip("softmax", pattern="the loss is that of a logarithm to the base 2", likely="take the natural logarithm, np.log")
def softmax_log_base_two(scores: Tensor, y: Tensor) -> Tensor:
    right = reference.softmax_loss(scores, y)
    return straight_through(right / torch.log(torch.tensor(2.0, dtype=right.dtype)), right)


@slip(
    "softmax",
    pattern="the loss is divided by N C, the number of entries",
    likely="the mean is over the N examples: of each, one entry counts",
)
def softmax_mean_over_entries(scores: Tensor, y: Tensor) -> Tensor:
    return reference.softmax_loss(scores, y) / scores.shape[1]


@slip("softmax", pattern="the gradient is p/N", likely="the 1 at the right class is not taken off")
def softmax_no_minus_one(scores: Tensor, y: Tensor) -> Tensor:
    return straight_through(reference.softmax_loss(scores, y), scores.logsumexp(dim=1).mean())


@slip(
    "softmax",
    pattern="the gradient is right at the right class and 0 elsewhere",
    likely="the scores of the wrong classes are in the denominator: their gradient is p/N",
)
def softmax_right_class_only(scores: Tensor, y: Tensor) -> Tensor:
    return reference.softmax_loss(on_the_way_back(scores, lambda g: g * _right(scores, y)), y)


@slip(
    "softmax",
    pattern="the loss is a sum over the batch",
    likely="the loss is the mean over the batch: divide by N, the gradient too",
)
def softmax_sum(scores: Tensor, y: Tensor) -> Tensor:
    return reference.softmax_loss(scores, y) * len(y)


@slip(
    "softmax", pattern="the gradient is a sum over the batch", likely="the 1/N of the mean is missing in the gradient"
)
def softmax_gradient_without_mean(scores: Tensor, y: Tensor) -> Tensor:
    return reference.softmax_loss(on_the_way_back(scores, lambda g: g * len(y)), y)


@slip("softmax", pattern="the gradient is divided by N twice", likely="the 1/N of the mean is there twice")
def softmax_gradient_mean_twice(scores: Tensor, y: Tensor) -> Tensor:
    return reference.softmax_loss(on_the_way_back(scores, lambda g: g / len(y)), y)


@slip(
    "softmax",
    pattern="the probabilities of a column add up to 1, those of a row do not",
    likely="the softmax is over the classes, axis 1",
)
def softmax_wrong_axis(scores: Tensor, y: Tensor) -> Tensor:
    right = _right(scores, y)
    loss = -(right * scores.log_softmax(dim=0)).sum() / len(y)
    # The usual p - onehot of these probabilities: it is not the derivative of this loss.
    return straight_through(loss, ((scores.softmax(dim=0).detach() - right) * scores).sum() / len(y))


# ------------------------------------------------------------------------------------------------------ network


@slip(
    "network", pattern="the result is that of two affine layers alone", likely="the ReLU between the layers is missing"
)
def network_no_relu(params: Params, x: Tensor) -> Tensor:
    hidden = reference.affine(x, params["W1"], params["b1"])
    return reference.affine(hidden, params["W2"], params["b2"])


@slip(
    "network",
    pattern="no score is negative: there is a ReLU on the scores",
    likely="the scores come from the last affine layer as they are; the ReLU is between the layers",
)
def network_relu_on_scores(params: Params, x: Tensor) -> Tensor:
    return torch.relu(reference.mlp(params, x))


_SCORES = "return the scores: the softmax is in the loss"


@slip("network", pattern="the result is the softmax of the scores", likely=_SCORES)
def network_softmax_scores(params: Params, x: Tensor) -> Tensor:
    scores = reference.mlp(params, x)
    return straight_through(scores.softmax(dim=1), scores)


@slip("network", pattern="the gradients are those of the softmax of the scores", likely=_SCORES)
def network_softmax_both_ways(params: Params, x: Tensor) -> Tensor:
    return reference.mlp(params, x).softmax(dim=1)


@slip("network", pattern="the scores are without b2", likely="the bias of the second layer is left out")
def network_no_b2(params: Params, x: Tensor) -> Tensor:
    scores = reference.mlp(params, x)
    return straight_through(scores - params["b2"], scores)


@slip("network", pattern="the scores are those of b1 = 0", likely="the bias of the first layer is left out")
def network_no_b1(params: Params, x: Tensor) -> Tensor:
    return straight_through(
        reference.mlp({**params, "b1": torch.zeros_like(params["b1"])}, x), reference.mlp(params, x)
    )


@slip(
    "network",
    pattern="the gradient of W1 is that of hidden units which all feed into every score with weight 1",
    likely="the gradient of the scores goes back through W2 first: dscores @ W2.T, then the mask, then x.T",
)
def network_w1_from_scores(params: Params, x: Tensor) -> Tensor:
    scores = reference.mlp({**params, "W1": params["W1"].detach()}, x)
    hidden = reference.relu(reference.affine(x, params["W1"], params["b1"].detach()))
    return straight_through(scores, scores + hidden.sum(dim=1, keepdim=True))


@slip(
    "network",
    pattern="the gradients are divided by the number of rows",
    likely="the 1/N of the mean is in the loss, and so in dscores already",
)
def network_mean_again(params: Params, x: Tensor) -> Tensor:
    return on_the_way_back(reference.mlp(params, x), lambda g: g / len(x))


# ---------------------------------------------------------------------------------------------------------- sgd


class _Step(torch.optim.Optimizer):
    """Each array by a rule: (parameter, gradient, number of the array, what is kept of it) -> new parameter."""

    def __init__(self, params: list[Tensor], rule: Callable[[Tensor, Tensor, int, dict[str, Any]], Tensor]) -> None:
        super().__init__(params, {})
        self.rule = rule

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for number, p in enumerate(self.param_groups[0]["params"]):
            p.copy_(self.rule(p.clone(), p.grad, number, self.state[p]))


@slip("sgd", pattern="the parameters move along the gradient", likely="subtract the step: the gradient points uphill")
def sgd_ascends(params: list[Tensor], lr: float) -> _Step:
    return _Step(params, lambda p, g, number, kept: p + lr * g)


@slip(
    "sgd",
    pattern="the first parameter moves, the others stay as they were",
    likely="the function returns inside of its loop: return after it",
)
def sgd_first_key_only(params: list[Tensor], lr: float) -> _Step:
    return _Step(params, lambda p, g, number, kept: p if number else p - lr * g)


@slip(
    "sgd",
    pattern="the step of each array is divided by the number of its rows",
    likely="no mean is taken here: the gradient is that of the mean loss already",
)
def sgd_mean_over_rows(params: list[Tensor], lr: float) -> _Step:
    return _Step(params, lambda p, g, number, kept: p - lr * g / len(p))


@slip(
    "sgd",
    pattern="the steps are those of a momentum of 0.9",
    likely="plain gradient descent remembers nothing of the steps before",
)
def sgd_momentum(params: list[Tensor], lr: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(params, lr=lr, momentum=0.9)


@slip("sgd", pattern="the step is that of a learning rate of 0.1", likely="use the learning rate that is given, lr")
def sgd_rate_fixed(params: list[Tensor], lr: float) -> torch.optim.Optimizer:
    return reference.sgd(params, 0.1)


@slip("sgd", pattern="the step is the gradient", likely="multiply the gradient by the learning rate")
def sgd_rate_missing(params: list[Tensor], lr: float) -> torch.optim.Optimizer:
    return reference.sgd(params, 1.0)


@slip("sgd", pattern="the gradients are returned", likely="return the new parameters")
def sgd_returns_gradients(params: list[Tensor], lr: float) -> _Step:
    return _Step(params, lambda p, g, number, kept: g)


@slip(
    "sgd", pattern="the weights move and the biases stay as they were", likely="update every parameter, b1 and b2 too"
)
def sgd_skips_biases(params: list[Tensor], lr: float) -> _Step:
    return _Step(params, lambda p, g, number, kept: p if p.ndim == 1 else p - lr * g)


# ----------------------------------------------------------------------------------------------------- training

Rate = Callable[[int], float]
Rows = Callable[[int, int], Tensor]


def _in_order(batch: int) -> Rows:
    return lambda step, N: (step * batch + torch.arange(batch)) % N


def _trained(
    params: Params, x: Tensor, y: Tensor, steps: int, rate: Rate, rows: Rows, *, once: bool = False
) -> tuple[Params, list[float]]:
    """A loop of which rate and rows of a step are given; with `once` the gradients are those of the first step."""
    trained = {name: value.clone().requires_grad_() for name, value in params.items()}
    losses, grads = [], None
    for step in range(steps):
        here = rows(step, len(x))
        loss = reference.softmax_loss(reference.mlp(trained, x[here]), y[here])
        if grads is None or not once:
            grads = torch.autograd.grad(loss, list(trained.values()))
        with torch.no_grad():
            for value, grad in zip(trained.values(), grads, strict=True):
                value -= rate(step) * grad
        losses.append(loss.item())
    return {name: value.detach() for name, value in trained.items()}, losses


@slip(
    "training",
    pattern="the learning rate is halved after every step",
    likely="the learning rate stays as it is given",
)
def train_halves_the_rate(
    params: Params, x: Tensor, y: Tensor, lr: float, batch: int, steps: int
) -> tuple[Params, list[float]]:
    return _trained(
        params, x, y, steps, lambda step: lr * 0.5**step, lambda k, N: (k * batch + torch.arange(batch)) % N
    )


@slip(
    "training",
    pattern="every step takes the gradients of the first",
    likely="compute the gradients anew in each step, at the parameters that the step before gave",
)
def train_gradients_once(
    params: Params, x: Tensor, y: Tensor, lr: float, batch: int, steps: int
) -> tuple[Params, list[float]]:
    return _trained(params, x, y, steps, lambda step: lr, _in_order(batch), once=True)


@slip(
    "training",
    pattern="the last batch of the data is shorter, and the next one starts at row 0",
    likely="a batch that runs over the end goes on with the first rows: take the rows modulo N",
)
def train_short_last_batch(
    params: Params, x: Tensor, y: Tensor, lr: float, batch: int, steps: int
) -> tuple[Params, list[float]]:
    def rows(step: int, N: int) -> Tensor:
        start = step % -(-N // batch) * batch
        return torch.arange(start, min(start + batch, N))

    return _trained(params, x, y, steps, lambda step: lr, rows)


@slip(
    "training",
    pattern="the parameters are right; the losses are those of the batches after their updates",
    likely="measure the loss before the update, with the scores that gave it",
)
def train_loss_after_update(
    params: Params, x: Tensor, y: Tensor, lr: float, batch: int, steps: int
) -> tuple[Params, list[float]]:
    losses = []
    for step in range(1, steps + 1):
        trained, _ = reference.train(params, x, y, lr, batch, step)
        rows = ((step - 1) * batch + torch.arange(batch)) % len(x)
        losses.append(reference.softmax_loss(reference.mlp(trained, x[rows]), y[rows]).item())
    return trained, losses
