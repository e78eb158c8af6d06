"""Known slips of the normalisations: see grader/slips.py for what this file is and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from grader.slips import on_the_way_back, slip, straight_through, with_backward

Running = dict[str, Tensor]

# What is said in the same words of several layers.
_OUTSIDE = "epsilon belongs under the root, to the variance: sqrt(var + eps)"
_NO_EPSILON = "epsilon is missing: sqrt(var + eps)"
_FIXED = "use the epsilon that is handed over, not one of your own"
_ROOT = "divide by the standard deviation, the root of var + eps, not by the variance"
_TWICE = "the root is taken twice: std is a root already, and the variance belongs under the root"
_CENTRE = "subtract the mean before you divide"
_UNBIASED = "the variance is divided by the number of what it is a mean of, not by one less (ddof = 0)"
_SCALE = "multiply the normalised x by gamma"
_SHIFT = "add beta at the end"
_CONSTANTS = "mean and variance depend on x too: two terms of dx are missing, which go back through them"
_THROUGH_MEAN = "the mean depends on x too: the term that goes back through it is missing, the mean of dout * gamma"
_THROUGH_VARIANCE = (
    "the variance depends on x too: the term that goes back through it is missing, "
    "with the mean of dout * gamma * xhat; without dout it vanishes"
)
_GAMMA_FIRST = "dx goes through gamma first: put dxhat = dout * gamma wherever dx needs dout"
_XHAT = "dgamma is the sum of dout times the normalised x, not x or x - mean"
_UPSTREAM = "dgamma is the sum of dout times the normalised x: dout is missing"
_MEANS = "dx holds means of dxhat and of dxhat * xhat, over what the statistics are of: divide the sums by their number"
_SIGN = "both terms that go back through mean and variance are subtracted"
_EXPONENT = "the derivative of var ** -0.5 is -0.5 * var ** -1.5: look at the exponent in the term of the variance"


# --------------------------------------------------------------------------------------------------------- batchnorm


def _scaled(x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    return gamma * (x - mean) / deviation + beta


def _statistics(x: Tensor, running: Running, train: bool) -> tuple[Tensor, Tensor]:
    return (x.mean(dim=0), x.var(dim=0, unbiased=False)) if train else (running["mean"], running["var"])


Batch = tuple[Tensor, Tensor, Tensor, Running, float, float, bool]


def _by_deviation(args: Batch, deviation: Callable[[Tensor, float], Tensor]) -> Tensor:
    """Batch norm that divides by another function of variance and epsilon."""
    x, gamma, beta, running, _, eps, train = args
    mean, var = _statistics(x, running, train)
    return _scaled(x, gamma, beta, mean, deviation(var, eps))


def _by_statistics(args: Batch, mean: Tensor, var: Tensor) -> Tensor:
    x, gamma, beta, _, _, eps, _ = args
    return _scaled(x, gamma, beta, mean, (var + eps).sqrt())


@slip("batchnorm", "simplified", pattern="epsilon stands outside the root", likely=_OUTSIDE)
def batchnorm_epsilon_outside(*args: Any) -> Tensor:
    return _by_deviation(args, lambda var, eps: var.sqrt() + eps)


@slip("batchnorm", "simplified", pattern="epsilon is left out", likely=_NO_EPSILON)
def batchnorm_no_epsilon(*args: Any) -> Tensor:
    return _by_deviation(args, lambda var, eps: var.sqrt())


@slip("batchnorm", "simplified", pattern="epsilon is 1e-5", likely=_FIXED)
def batchnorm_epsilon_1e5(*args: Any) -> Tensor:
    return _by_deviation(args, lambda var, eps: (var + 1e-5).sqrt())


@slip("batchnorm", "simplified", pattern="epsilon is 1e-8", likely=_FIXED)
def batchnorm_epsilon_1e8(*args: Any) -> Tensor:
    return _by_deviation(args, lambda var, eps: (var + 1e-8).sqrt())


@slip("batchnorm", "simplified", pattern="x is divided by the variance", likely=_ROOT)
def batchnorm_by_variance(*args: Any) -> Tensor:
    return _by_deviation(args, lambda var, eps: var + eps)


@slip("batchnorm", "simplified", pattern="the standard deviation stands under the root", likely=_TWICE)
def batchnorm_root_twice(*args: Any) -> Tensor:
    x, gamma, beta, running, _, eps, train = args
    mean, var = _statistics(x, running, train)
    return _scaled(x, gamma, beta, mean, ((var.sqrt() if train else var) + eps).sqrt())


@slip("batchnorm", "simplified", pattern="the mean is not subtracted", likely=_CENTRE)
def batchnorm_mean_kept(*args: Any) -> Tensor:
    x, _, _, running, _, _, train = args
    mean, var = _statistics(x, running, train)
    return _by_statistics(args, torch.zeros_like(mean), var)


@slip("batchnorm", "simplified", pattern="the variance is divided by N - 1", likely=_UNBIASED)
def batchnorm_unbiased(*args: Any) -> Tensor:
    x, _, _, running, _, _, train = args
    mean, var = _statistics(x, running, train)
    return _by_statistics(args, mean, x.var(dim=0) if train else var)


_EACH_FEATURE = "each feature has a mean and a variance of its own, over the batch: axis 0"


@slip("batchnorm", "simplified", pattern="mean and variance are those of the whole array", likely=_EACH_FEATURE)
def batchnorm_over_everything(*args: Any) -> Tensor:
    x, _, _, running, _, _, train = args
    mean, var = _statistics(x, running, train)
    whole = (x.mean(), x.var(unbiased=False)) if train else (mean, var)
    return _by_statistics(args, *whole)


@slip("batchnorm", "simplified", pattern="mean and variance are those of each example", likely=_EACH_FEATURE)
def batchnorm_over_features(*args: Any) -> Tensor:
    x, _, _, running, _, _, train = args
    mean, var = _statistics(x, running, train)
    if train:
        mean, var = x.mean(dim=1, keepdim=True), x.var(dim=1, unbiased=False, keepdim=True)
    return _by_statistics(args, mean, var)


@slip("batchnorm", "simplified", pattern="the result is without gamma", likely=_SCALE)
def batchnorm_no_gamma(x: Tensor, gamma: Tensor, *rest: Any) -> Tensor:
    right = reference.batchnorm(x, gamma, *rest)
    return straight_through(reference.batchnorm(x, torch.ones_like(gamma), *rest), right)


@slip("batchnorm", "simplified", pattern="the result is without beta", likely=_SHIFT)
def batchnorm_no_beta(x: Tensor, gamma: Tensor, beta: Tensor, *rest: Any) -> Tensor:
    right = reference.batchnorm(x, gamma, beta, *rest)
    return straight_through(right - beta, right)


@slip("batchnorm", "simplified", pattern="beta is added before gamma multiplies", likely=_SHIFT)
def batchnorm_beta_inside(x: Tensor, gamma: Tensor, beta: Tensor, *rest: Any) -> Tensor:
    return gamma * reference.batchnorm(x, torch.ones_like(gamma), beta, *rest)


@slip(
    "batchnorm",
    pattern="at test time the batch is normalised by its own statistics",
    likely="at test time x is normalised by the running statistics: one example must not depend on another",
)
def batchnorm_batch_at_test_time(*args: Any) -> Tensor:
    x = args[0]
    return _by_statistics(args, x.mean(dim=0), x.var(dim=0, unbiased=False))


@slip(
    "batchnorm",
    "simplified",
    pattern="in training the batch is normalised by the running statistics",
    likely="in training x is normalised by the batch's own mean and variance; the running ones are for test time",
)
def batchnorm_running_in_training(*args: Any) -> Tensor:
    running = args[3]
    return _by_statistics(args, running["mean"], running["var"])


@slip(
    "batchnorm",
    "simplified",
    pattern="in training the batch is normalised by the running statistics that it has just moved",
    likely="in training x is normalised by the batch's own mean and variance; the running ones are for test time",
)
def batchnorm_new_running_in_training(*args: Any) -> Tensor:
    x, _, _, running, momentum, _, train = args
    own = _statistics(x, running, True)
    old = running["mean"], running["var"]
    moved = [momentum * one + (1 - momentum) * new for one, new in zip(old, own, strict=True)]
    return _by_statistics(args, *(moved if train else old))


def _normed(args: Batch) -> tuple[Tensor, Tensor]:
    """The normalised x and the deviation."""
    x, _, _, running, _, eps, train = args
    mean, var = _statistics(x, running, train)
    deviation = (var + eps).sqrt()
    return ((x - mean) / deviation).detach(), deviation.detach()


Pull = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(gradient of the normalised x, normalised x, deviation) -> dx."""


def _pulled(args: Batch, dx: Pull) -> Tensor:
    """Batch norm with another dx, in training."""
    x, gamma, beta, *_, train = args
    right = reference.batchnorm(*args)
    if not train:
        return right
    xhat, deviation = _normed(args)

    def back(g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return dx(g * gamma, xhat, deviation), (g * xhat).sum(dim=0), g.sum(dim=0)

    return with_backward(right, back, x, gamma, beta)


@slip("batchnorm", "simplified", pattern="dx is that of a constant mean and variance", likely=_CONSTANTS)
def batchnorm_constants(*args: Any) -> Tensor:
    return _pulled(args, lambda g, xhat, deviation: g / deviation)


@slip("batchnorm", "simplified", pattern="dx is that of a constant variance", likely=_THROUGH_VARIANCE)
def batchnorm_variance_constant(*args: Any) -> Tensor:
    return _pulled(args, lambda g, xhat, deviation: (g - g.mean(dim=0)) / deviation)


@slip("batchnorm", "simplified", pattern="dx is that of a constant mean", likely=_THROUGH_MEAN)
def batchnorm_mean_constant(*args: Any) -> Tensor:
    return _pulled(args, lambda g, xhat, deviation: (g - xhat * (g * xhat).mean(dim=0)) / deviation)


@slip("batchnorm", "simplified", pattern="dx has sums where two means belong", likely=_MEANS)
def batchnorm_sums(*args: Any) -> Tensor:
    return _pulled(
        args,
        lambda g, xhat, deviation: (g - g.sum(dim=0) - xhat * (g * xhat).sum(dim=0)) / deviation,
    )


@slip("batchnorm", "simplified", pattern="the term of the mean has the other sign in dx", likely=_SIGN)
def batchnorm_mean_sign(*args: Any) -> Tensor:
    return _pulled(
        args,
        lambda g, xhat, deviation: (g + g.mean(dim=0) - xhat * (g * xhat).mean(dim=0)) / deviation,
    )


@slip("batchnorm", "simplified", pattern="the term of the variance has the other sign in dx", likely=_SIGN)
def batchnorm_variance_sign(*args: Any) -> Tensor:
    return _pulled(
        args,
        lambda g, xhat, deviation: (g - g.mean(dim=0) + xhat * (g * xhat).mean(dim=0)) / deviation,
    )


def _through_variance(g: Tensor, centred: Tensor, slope: Tensor) -> Tensor:
    """The way through the variance, step by step: slope is the derivative of 1 / deviation by the variance."""
    return (g * centred).sum(dim=0) * slope * 2 * centred / len(g)


@slip("batchnorm", "simplified", pattern="the power in the term of the variance is -1/2", likely=_EXPONENT)
def batchnorm_exponent(*args: Any) -> Tensor:
    def dx(g: Tensor, xhat: Tensor, deviation: Tensor) -> Tensor:
        made = g / deviation + _through_variance(g, xhat * deviation, -0.5 / deviation)
        return made - made.mean(dim=0)

    return _pulled(args, dx)


@slip("batchnorm", "simplified", pattern="the power in the term of the variance is -1", likely=_EXPONENT)
def batchnorm_exponent_one(*args: Any) -> Tensor:
    def dx(g: Tensor, xhat: Tensor, deviation: Tensor) -> Tensor:
        made = g / deviation + _through_variance(g, xhat * deviation, -0.5 / deviation**2)
        return made - made.mean(dim=0)

    return _pulled(args, dx)


@slip(
    "batchnorm",
    "simplified",
    pattern="the term of the variance is without its factor 1/2",
    likely="the root's derivative has a factor of 1/2, which meets the 2 of the square: one of them is missing",
)
def batchnorm_half_missing(*args: Any) -> Tensor:
    return _pulled(
        args,
        lambda g, xhat, deviation: (g - g.mean(dim=0) - 2 * xhat * (g * xhat).mean(dim=0)) / deviation,
    )


@slip(
    "batchnorm",
    "simplified",
    pattern="the term of the variance is without the 2 of the square",
    likely="the square's derivative has a factor of 2, which meets the 1/2 of the root: one of them is missing",
)
def batchnorm_two_missing(*args: Any) -> Tensor:
    return _pulled(
        args,
        lambda g, xhat, deviation: (g - g.mean(dim=0) - xhat * (g * xhat).mean(dim=0) / 2) / deviation,
    )


@slip(
    "batchnorm",
    "simplified",
    pattern="epsilon is missing in the term of the variance",
    likely="the forward adds epsilon to the variance, so it belongs to every power of it in the backward, too",
)
def batchnorm_epsilon_in_one_term(*args: Any) -> Tensor:
    var = args[0].var(dim=0, unbiased=False).detach()

    def dx(g: Tensor, xhat: Tensor, deviation: Tensor) -> Tensor:
        made = g / deviation + _through_variance(g, xhat * deviation, -0.5 * var**-1.5)
        return made - made.mean(dim=0)

    return _pulled(args, dx)


@slip(
    "batchnorm",
    "simplified",
    pattern="dout is not multiplied by N in dx",
    likely="with 1/N in front of the whole, the first term is N * dout: the N is missing",
)
def batchnorm_n_missing(*args: Any) -> Tensor:
    return _pulled(
        args,
        lambda g, xhat, deviation: (g / len(g) - g.mean(dim=0) - xhat * (g * xhat).mean(dim=0)) / deviation,
    )


@slip(
    "batchnorm",
    pattern="at test time dx is that of training",
    likely="at test time mean and variance are constants: dx is dout * gamma / sqrt(var + eps) alone",
)
def batchnorm_training_backward_at_test_time(*args: Any) -> Tensor:
    x, gamma, beta, *_ = args
    xhat, deviation = _normed(args)

    def back(g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        own = g * gamma
        dx = (own - own.mean(dim=0) - xhat * (own * xhat).mean(dim=0)) / deviation
        return dx, (g * xhat).sum(dim=0), g.sum(dim=0)

    right = reference.batchnorm(*args)
    return right if args[-1] else with_backward(right, back, x, gamma, beta)


@slip("batchnorm", "simplified", pattern="dgamma is that of x - mean", likely=_XHAT)
def batchnorm_dgamma_of_centred(*args: Any) -> Tensor:
    x, gamma, *rest = args
    _, deviation = _normed(args)
    return reference.batchnorm(x, on_the_way_back(gamma, lambda g: g * deviation), *rest)


@slip("batchnorm", "simplified", pattern="dgamma is that of x", likely=_XHAT)
def batchnorm_dgamma_of_x(*args: Any) -> Tensor:
    x, gamma, *rest = args
    right = reference.batchnorm(x, gamma.detach(), *rest)
    return straight_through(right, right + gamma * x.detach())


@slip("batchnorm", "simplified", pattern="dgamma is the sum of the normalised x", likely=_UPSTREAM)
def batchnorm_dgamma_without_dout(*args: Any) -> Tensor:
    x, gamma, *rest = args
    xhat, _ = _normed(args)
    return reference.batchnorm(x, on_the_way_back(gamma, lambda g: xhat.sum(dim=0)), *rest)


@slip(
    "batchnorm",
    "simplified",
    pattern="dgamma and dbeta are divided by N",
    likely="dgamma and dbeta are sums over the batch, not means",
)
def batchnorm_parameters_mean(*args: Any) -> Tensor:
    x, gamma, beta, *rest = args
    mean = [on_the_way_back(one, lambda g: g / len(x)) for one in (gamma, beta)]
    return reference.batchnorm(x, *mean, *rest)


# ----------------------------------------------------------------------------------------------------------- running


def _running(
    batches: Tensor,
    gamma: Tensor,
    momentum: float,
    *,
    kept: float | None = None,
    start: float = 0.0,
    var: Callable[[Tensor], Tensor] = lambda x: x.var(dim=0, unbiased=False),
    mean: Callable[[Tensor], Tensor] = lambda x: x.mean(dim=0),
    carried: bool = True,
    again: int = 1,
) -> list[Running]:
    """Running statistics of which some things are given; the others are right."""
    kept = momentum if kept is None else kept
    first = torch.zeros_like(gamma), torch.full_like(gamma, start)
    (m, v), states = first, []
    for x in batches:
        m, v = (m, v) if carried else first
        m, v = kept * m + (1 - kept) * mean(x), kept * v + (1 - kept) * var(x)
        states.append({"mean": m, "var": v})
        for _ in range(1, again):
            # The test-time call that follows sees x + 1.
            m, v = kept * m + (1 - kept) * mean(x + 1), kept * v + (1 - kept) * var(x + 1)
            states[-1] = {"mean": m, "var": v}
    return states


@slip(
    "running",
    pattern="the old statistics weigh 1 - momentum",
    likely="the weights are swapped: momentum is the weight of the old statistics",
)
def running_weights_swapped(batches: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float) -> list[Running]:
    return _running(batches, gamma, momentum, kept=1 - momentum)


@slip("running", pattern="the running variance starts at 1", likely="both running statistics start from zeros")
def running_var_from_one(batches: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float) -> list[Running]:
    return _running(batches, gamma, momentum, start=1.0)


@slip("running", pattern="the running variance is that of variances divided by N - 1", likely=_UNBIASED)
def running_unbiased(batches: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float) -> list[Running]:
    return _running(batches, gamma, momentum, var=lambda x: x.var(dim=0))


@slip(
    "running",
    pattern="the running variance is that of standard deviations",
    likely="keep the variance, not its root: the root is taken when x is divided",
)
def running_deviation(batches: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float) -> list[Running]:
    return _running(batches, gamma, momentum, var=lambda x: x.std(dim=0, unbiased=False))


@slip("running", pattern="the running variance is that of variances plus epsilon", likely="keep the variance alone")
def running_with_epsilon(batches: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float) -> list[Running]:
    return _running(batches, gamma, momentum, var=lambda x: x.var(dim=0, unbiased=False) + eps)


@slip(
    "running",
    pattern="the running variance stays at 0",
    likely="the running variance is not updated: it needs the same line as the running mean",
)
def running_mean_only(batches: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float) -> list[Running]:
    return _running(batches, gamma, momentum, var=lambda x: torch.zeros_like(gamma))


@slip(
    "running",
    pattern="the running mean stays at 0",
    likely="the running mean is not updated: it needs the same line as the running variance",
)
def running_var_only(batches: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float) -> list[Running]:
    return _running(batches, gamma, momentum, mean=lambda x: torch.zeros_like(gamma))


@slip(
    "running",
    pattern="after each batch the statistics are those of this batch alone",
    likely="go on from the running statistics that are handed over, not from zeros",
)
def running_not_carried(batches: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float) -> list[Running]:
    return _running(batches, gamma, momentum, carried=False)


@slip(
    "running",
    pattern="a call at test time moves the statistics",
    likely="at test time the running statistics stay as they are: update them in training alone",
)
def running_moves_at_test_time(
    batches: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float
) -> list[Running]:
    return _running(batches, gamma, momentum, again=2)


@slip(
    "running",
    pattern="the statistics are those of the last batch, with no memory",
    likely="mix the old with the new: momentum * old + (1 - momentum) * new",
)
def running_no_memory(batches: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float) -> list[Running]:
    return _running(batches, gamma, momentum, kept=0.0)


@slip("running", pattern="momentum is 0.9", likely="use the momentum that is handed over, not one of your own")
def running_momentum_fixed(batches: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float) -> list[Running]:
    return _running(batches, gamma, momentum, kept=0.9)


@slip(
    "running",
    pattern="the statistics are those of the whole array",
    likely="each feature has a mean and a variance of its own, over the batch: axis 0",
)
def running_over_everything(batches: Tensor, gamma: Tensor, beta: Tensor, momentum: float, eps: float) -> list[Running]:
    return _running(
        batches,
        gamma,
        momentum,
        mean=lambda x: x.mean().expand(gamma.shape),
        var=lambda x: x.var(unbiased=False).expand(gamma.shape),
    )


# --------------------------------------------------------------------------------------------------------- layernorm


def _layer(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    eps: float,
    deviation: Callable[[Tensor, float], Tensor] = lambda var, eps: (var + eps).sqrt(),
    *,
    dim: tuple[int, ...] = (1,),
    ddof: int = 0,
    centred: bool = True,
) -> Tensor:
    """Layer norm of which some things are given; the others are right."""
    mean, var = x.mean(dim=dim, keepdim=True), x.var(dim=dim, keepdim=True, correction=ddof)
    return gamma * (x - mean if centred else x) / deviation(var, eps) + beta


@slip("layernorm", pattern="epsilon stands outside the root", likely=_OUTSIDE)
def layernorm_epsilon_outside(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer(x, gamma, beta, eps, lambda var, eps: var.sqrt() + eps)


@slip(
    "layernorm",
    pattern="the deviation is divided by D - 1, and epsilon stands beside it",
    likely="std() of torch divides by D - 1, and epsilon belongs under the root: sqrt(var + eps), with a plain mean",
)
def layernorm_std_and_epsilon(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer(x, gamma, beta, eps, lambda var, eps: var.sqrt() + eps, ddof=1)


@slip("layernorm", pattern="epsilon is left out", likely=_NO_EPSILON)
def layernorm_no_epsilon(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer(x, gamma, beta, eps, lambda var, eps: var.sqrt())


@slip("layernorm", pattern="epsilon is 1e-5", likely=_FIXED)
def layernorm_epsilon_1e5(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer(x, gamma, beta, 1e-5)


@slip("layernorm", pattern="x is divided by the variance", likely=_ROOT)
def layernorm_by_variance(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer(x, gamma, beta, eps, lambda var, eps: var + eps)


@slip("layernorm", pattern="the standard deviation stands under the root", likely=_TWICE)
def layernorm_root_twice(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer(x, gamma, beta, eps, lambda var, eps: (var.sqrt() + eps).sqrt())


@slip("layernorm", pattern="the mean is not subtracted", likely=_CENTRE)
def layernorm_mean_kept(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer(x, gamma, beta, eps, centred=False)


@slip("layernorm", pattern="the variance is divided by D - 1", likely=_UNBIASED)
def layernorm_unbiased(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer(x, gamma, beta, eps, ddof=1)


_EACH_EXAMPLE = (
    "each example has a mean and a variance of its own, over its features: axis 1; that over the batch is batch norm"
)


@slip("layernorm", pattern="mean and variance are those of each feature, over the batch", likely=_EACH_EXAMPLE)
def layernorm_over_batch(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer(x, gamma, beta, eps, dim=(0,))


@slip("layernorm", pattern="mean and variance are those of the whole array", likely=_EACH_EXAMPLE)
def layernorm_over_everything(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer(x, gamma, beta, eps, dim=(0, 1))


@slip("layernorm", pattern="the result is without gamma", likely=_SCALE)
def layernorm_no_gamma(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    right = reference.layernorm(x, gamma, beta, eps)
    return straight_through(reference.layernorm(x, torch.ones_like(gamma), beta, eps), right)


@slip("layernorm", pattern="the result is without beta", likely=_SHIFT)
def layernorm_no_beta(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    right = reference.layernorm(x, gamma, beta, eps)
    return straight_through(right - beta, right)


def _layer_pulled(x: Tensor, gamma: Tensor, beta: Tensor, eps: float, dx: Pull) -> Tensor:
    """Layer norm with another dx, made of dout: gamma is in `dx`'s hands."""
    deviation = (x.var(dim=1, keepdim=True, unbiased=False) + eps).sqrt().detach()
    xhat = ((x - x.mean(dim=1, keepdim=True)) / deviation).detach()

    def back(g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return dx(g, xhat, deviation), (g * xhat).sum(dim=0), g.sum(dim=0)

    return with_backward(reference.layernorm(x, gamma, beta, eps), back, x, gamma, beta)


def _mean(x: Tensor) -> Tensor:
    return x.mean(dim=1, keepdim=True)


@slip("layernorm", pattern="dx is that of a constant mean and variance", likely=_CONSTANTS)
def layernorm_constants(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer_pulled(x, gamma, beta, eps, lambda g, xhat, deviation: g * gamma / deviation)


@slip("layernorm", pattern="dx is that of a constant variance", likely=_THROUGH_VARIANCE)
def layernorm_variance_constant(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer_pulled(x, gamma, beta, eps, lambda g, xhat, deviation: (g * gamma - _mean(g * gamma)) / deviation)


@slip("layernorm", pattern="dx is that of a constant mean", likely=_THROUGH_MEAN)
def layernorm_mean_constant(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer_pulled(
        x, gamma, beta, eps, lambda g, xhat, deviation: (g * gamma - xhat * _mean(g * gamma * xhat)) / deviation
    )


@slip("layernorm", pattern="dx is without gamma", likely=_GAMMA_FIRST)
def layernorm_gamma_missing_back(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer_pulled(
        x, gamma, beta, eps, lambda g, xhat, deviation: (g - _mean(g) - xhat * _mean(g * xhat)) / deviation
    )


@slip("layernorm", pattern="dx is multiplied by gamma at the end", likely=_GAMMA_FIRST)
def layernorm_gamma_last(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _layer_pulled(
        x, gamma, beta, eps, lambda g, xhat, deviation: gamma * (g - _mean(g) - xhat * _mean(g * xhat)) / deviation
    )


def _layer_means(
    args: tuple[Tensor, Tensor, Tensor, float], mean: Callable[[Tensor], Tensor], cross: Callable[[Tensor], Tensor]
) -> Tensor:
    """Layer norm whose dx has others for the two means."""
    x, gamma, beta, eps = args
    return _layer_pulled(
        x,
        gamma,
        beta,
        eps,
        lambda g, xhat, deviation: (g * gamma - mean(g * gamma) - xhat * cross(g * gamma * xhat)) / deviation,
    )


@slip("layernorm", pattern="dx has sums where two means belong", likely=_MEANS)
def layernorm_sums(*args: Any) -> Tensor:
    return _layer_means(args, *[lambda x: x.sum(dim=1, keepdim=True)] * 2)


@slip(
    "layernorm",
    pattern="the sums in dx are divided by N, the number of examples",
    likely="the statistics are over the features: divide by D",
)
def layernorm_divided_by_n(*args: Any) -> Tensor:
    return _layer_means(args, *[lambda x: x.sum(dim=1, keepdim=True) / len(x)] * 2)


@slip(
    "layernorm",
    pattern="the two means in dx are over the batch",
    likely="that is the backward of batch norm: here the statistics, and so the two means of dx, are over axis 1",
)
def layernorm_batch_backward(*args: Any) -> Tensor:
    return _layer_means(args, *[lambda x: x.mean(dim=0)] * 2)


@slip("layernorm", pattern="the term of the mean has the other sign in dx", likely=_SIGN)
def layernorm_mean_sign(*args: Any) -> Tensor:
    return _layer_means(args, lambda x: -_mean(x), _mean)


@slip("layernorm", pattern="the term of the variance has the other sign in dx", likely=_SIGN)
def layernorm_variance_sign(*args: Any) -> Tensor:
    return _layer_means(args, _mean, lambda x: -_mean(x))


@slip("layernorm", pattern="dgamma is the sum of the normalised x", likely=_UPSTREAM)
def layernorm_dgamma_without_dout(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    xhat = reference.layernorm(x, torch.ones_like(gamma), torch.zeros_like(beta), eps).detach()
    return reference.layernorm(x, on_the_way_back(gamma, lambda g: xhat.sum(dim=0)), beta, eps)


@slip("layernorm", pattern="dgamma is that of x", likely=_XHAT)
def layernorm_dgamma_of_x(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    right = reference.layernorm(x, gamma.detach(), beta, eps)
    return straight_through(right, right + gamma * x.detach())


@slip("layernorm", pattern="dgamma is that of x - mean", likely=_XHAT)
def layernorm_dgamma_of_centred(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    right = reference.layernorm(x, gamma.detach(), beta, eps)
    return straight_through(right, right + gamma * (x - _mean(x)).detach())


# --------------------------------------------------------------------------------------------------------- groupnorm


def _group(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    eps: float,
    parts: tuple[int, ...],
    over: tuple[int, ...],
    deviation: Callable[[Tensor, float], Tensor] = lambda var, eps: (var + eps).sqrt(),
    ddof: int = 0,
) -> Tensor:
    """Normalised over some axes of x in another shape."""
    own = x.reshape(parts)
    mean, var = own.mean(dim=over, keepdim=True), own.var(dim=over, keepdim=True, correction=ddof)
    normed = ((own - mean) / deviation(var, eps)).reshape(x.shape)
    return gamma[:, None, None] * normed + beta[:, None, None]


def _in_groups(x: Tensor, groups: int) -> tuple[int, ...]:
    return (len(x), groups, x.shape[1] // groups, *x.shape[2:])


_SIDE_BY_SIDE = "the channels of a group lie side by side: reshape to (N, groups, C / groups, H, W)"
_EACH_GROUP = "mean and variance are those of a group of channels of one image, over its C / groups * H * W elements"


@slip("groupnorm", pattern="the channels of a group are each groups-th one", likely=_SIDE_BY_SIDE)
def groupnorm_interleaved(x: Tensor, gamma: Tensor, beta: Tensor, groups: int, eps: float) -> Tensor:
    N, C, H, W = x.shape
    return _group(x, gamma, beta, eps, (N, C // groups, groups, H, W), (1, 3, 4))


@slip("groupnorm", pattern="each channel is normalised by itself", likely=_EACH_GROUP)
def groupnorm_each_channel(x: Tensor, gamma: Tensor, beta: Tensor, groups: int, eps: float) -> Tensor:
    return _group(x, gamma, beta, eps, tuple(x.shape), (2, 3))


@slip("groupnorm", pattern="all channels of an image are normalised together", likely=_EACH_GROUP)
def groupnorm_whole_image(x: Tensor, gamma: Tensor, beta: Tensor, groups: int, eps: float) -> Tensor:
    return _group(x, gamma, beta, eps, tuple(x.shape), (1, 2, 3))


@slip("groupnorm", pattern="the statistics of a group are those of the whole batch", likely=_EACH_GROUP)
def groupnorm_over_batch(x: Tensor, gamma: Tensor, beta: Tensor, groups: int, eps: float) -> Tensor:
    return _group(x, gamma, beta, eps, _in_groups(x, groups), (0, 2, 3, 4))


@slip("groupnorm", pattern="the statistics are those of a group's channels, each pixel by itself", likely=_EACH_GROUP)
def groupnorm_each_pixel(x: Tensor, gamma: Tensor, beta: Tensor, groups: int, eps: float) -> Tensor:
    return _group(x, gamma, beta, eps, _in_groups(x, groups), (2,))


@slip(
    "groupnorm",
    pattern="a group has `groups` channels",
    likely="there are `groups` groups, of C / groups channels each",
)
def groupnorm_size_for_number(x: Tensor, gamma: Tensor, beta: Tensor, groups: int, eps: float) -> Tensor:
    return _group(x, gamma, beta, eps, _in_groups(x, x.shape[1] // groups), (2, 3, 4))


def _group_by(args: tuple[Tensor, Tensor, Tensor, int, float], deviation: Callable[[Tensor, float], Tensor]) -> Tensor:
    x, gamma, beta, groups, eps = args
    return _group(x, gamma, beta, eps, _in_groups(x, groups), (2, 3, 4), deviation)


@slip("groupnorm", pattern="epsilon stands outside the root", likely=_OUTSIDE)
def groupnorm_epsilon_outside(*args: Any) -> Tensor:
    return _group_by(args, lambda var, eps: var.sqrt() + eps)


@slip("groupnorm", pattern="epsilon is left out", likely=_NO_EPSILON)
def groupnorm_no_epsilon(*args: Any) -> Tensor:
    return _group_by(args, lambda var, eps: var.sqrt())


@slip("groupnorm", pattern="epsilon is 1e-5", likely=_FIXED)
def groupnorm_epsilon_1e5(*args: Any) -> Tensor:
    return _group_by(args, lambda var, eps: (var + 1e-5).sqrt())


@slip("groupnorm", pattern="x is divided by the variance", likely=_ROOT)
def groupnorm_by_variance(*args: Any) -> Tensor:
    return _group_by(args, lambda var, eps: var + eps)


@slip("groupnorm", pattern="the variance is divided by one less than the size of a group", likely=_UNBIASED)
def groupnorm_unbiased(x: Tensor, gamma: Tensor, beta: Tensor, groups: int, eps: float) -> Tensor:
    return _group(x, gamma, beta, eps, _in_groups(x, groups), (2, 3, 4), ddof=1)


@slip("groupnorm", pattern="the result is without gamma", likely=_SCALE)
def groupnorm_no_gamma(x: Tensor, gamma: Tensor, beta: Tensor, groups: int, eps: float) -> Tensor:
    right = reference.groupnorm(x, gamma, beta, groups, eps)
    return straight_through(reference.groupnorm(x, torch.ones_like(gamma), beta, groups, eps), right)


def _group_pulled(
    args: tuple[Tensor, Tensor, Tensor, int, float],
    mean: Callable[[Tensor], Tensor],
    cross: Callable[[Tensor], Tensor],
    before: bool = True,
    after: bool = False,
) -> Tensor:
    """Group norm whose dx has others for the two means, and gamma before them or after; rows (N groups, size)."""
    x, gamma, beta, groups, eps = args
    rows = x.reshape(len(x) * groups, -1)
    deviation = (rows.var(dim=1, keepdim=True, unbiased=False) + eps).sqrt().detach()
    xhat = ((rows - _mean(rows)) / deviation).detach()
    scale = gamma[:, None, None]

    def back(g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        own = (g * scale if before else g).reshape(rows.shape)
        dx = ((own - mean(own) - xhat * cross(own * xhat)) / deviation).reshape(x.shape)
        return dx * scale if after else dx, (g * xhat.reshape(x.shape)).sum(dim=(0, 2, 3)), g.sum(dim=(0, 2, 3))

    return with_backward(reference.groupnorm(*args), back, x, gamma, beta)


def _none(x: Tensor) -> Tensor:
    return torch.zeros_like(x[:, :1])


@slip("groupnorm", pattern="dx is that of a constant mean and variance", likely=_CONSTANTS)
def groupnorm_constants(*args: Any) -> Tensor:
    return _group_pulled(args, _none, _none)


@slip("groupnorm", pattern="dx is that of a constant variance", likely=_THROUGH_VARIANCE)
def groupnorm_variance_constant(*args: Any) -> Tensor:
    return _group_pulled(args, _mean, _none)


@slip("groupnorm", pattern="dx is that of a constant mean", likely=_THROUGH_MEAN)
def groupnorm_mean_constant(*args: Any) -> Tensor:
    return _group_pulled(args, _none, _mean)


@slip("groupnorm", pattern="dx has sums where two means belong", likely=_MEANS)
def groupnorm_sums(*args: Any) -> Tensor:
    return _group_pulled(args, *[lambda x: x.sum(dim=1, keepdim=True)] * 2)


_GROUP_SIZE = "the two means of dx are over a group, of C / groups * H * W elements: divide by that"


def _group_divided(args: tuple[Tensor, Tensor, Tensor, int, float], size: float) -> Tensor:
    return _group_pulled(args, *[lambda x: x.sum(dim=1, keepdim=True) / size] * 2)


@slip("groupnorm", pattern="the sums in dx are divided by C * H * W", likely=_GROUP_SIZE)
def groupnorm_divided_by_image(*args: Any) -> Tensor:
    return _group_divided(args, args[0][0].numel())


@slip("groupnorm", pattern="the sums in dx are divided by H * W", likely=_GROUP_SIZE)
def groupnorm_divided_by_channel(*args: Any) -> Tensor:
    return _group_divided(args, args[0][0, 0].numel())


@slip("groupnorm", pattern="the sums in dx are divided by N", likely=_GROUP_SIZE)
def groupnorm_divided_by_n(*args: Any) -> Tensor:
    return _group_divided(args, len(args[0]))


@slip("groupnorm", pattern="dx is without gamma", likely=_GAMMA_FIRST)
def groupnorm_gamma_missing_back(*args: Any) -> Tensor:
    return _group_pulled(args, _mean, _mean, before=False)


@slip("groupnorm", pattern="dx is multiplied by gamma at the end", likely=_GAMMA_FIRST)
def groupnorm_gamma_last(*args: Any) -> Tensor:
    return _group_pulled(args, _mean, _mean, before=False, after=True)


# ----------------------------------------------------------------------------------------------------------- rmsnorm


def _squares(x: Tensor) -> Tensor:
    return (x * x).mean(dim=-1, keepdim=True)


@slip(
    "rmsnorm",
    pattern="epsilon stands outside the root",
    likely="epsilon belongs under the root, to the mean of the squares",
)
def rmsnorm_epsilon_outside(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return gamma * x / (_squares(x).sqrt() + eps)


@slip("rmsnorm", pattern="epsilon is left out", likely="epsilon is missing under the root")
def rmsnorm_no_epsilon(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return gamma * x / _squares(x).sqrt()


@slip("rmsnorm", pattern="epsilon is 1e-5", likely=_FIXED)
def rmsnorm_epsilon_1e5(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return reference.rmsnorm(x, gamma, 1e-5)


@slip("rmsnorm", pattern="epsilon is 1e-8", likely=_FIXED)
def rmsnorm_epsilon_1e8(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return reference.rmsnorm(x, gamma, 1e-8)


@slip(
    "rmsnorm",
    pattern="the mean is subtracted from x",
    likely="nothing is subtracted here: what takes the mean off is layer norm",
)
def rmsnorm_mean_subtracted(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return reference.rmsnorm(x - x.mean(dim=-1, keepdim=True), gamma, eps)


@slip(
    "rmsnorm",
    pattern="the mean is subtracted in the size, and not in x",
    likely="the size is the root of the mean of the squares of x, which is not the standard deviation",
)
def rmsnorm_by_deviation(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return gamma * x / (x.var(dim=-1, keepdim=True, unbiased=False) + eps).sqrt()


_EACH_PLACE = "each place has a size of its own: the mean of the squares is over the features, the last axis, alone"


@slip("rmsnorm", pattern="the size is that of all places of an example", likely=_EACH_PLACE)
def rmsnorm_over_places(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return gamma * x / ((x * x).mean(dim=(1, 2), keepdim=True) + eps).sqrt()


@slip("rmsnorm", pattern="the size is that of the whole array", likely=_EACH_PLACE)
def rmsnorm_over_everything(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return gamma * x / ((x * x).mean() + eps).sqrt()


@slip("rmsnorm", pattern="the size is that of each feature, over the places", likely=_EACH_PLACE)
def rmsnorm_over_time(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return gamma * x / ((x * x).mean(dim=1, keepdim=True) + eps).sqrt()


@slip(
    "rmsnorm",
    pattern="x is divided by the root of the sum of the squares",
    likely="the size is the root of the mean of the squares: divide their sum by D",
)
def rmsnorm_sum_of_squares(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return gamma * x / ((x * x).sum(dim=-1, keepdim=True) + eps).sqrt()


@slip(
    "rmsnorm", pattern="x is divided by the mean of the squares", likely="divide by the root of the mean of the squares"
)
def rmsnorm_root_missing(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return gamma * x / (_squares(x) + eps)


@slip("rmsnorm", pattern="the result is without gamma", likely=_SCALE)
def rmsnorm_no_gamma(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return straight_through(x / (_squares(x) + eps).sqrt(), reference.rmsnorm(x, gamma, eps))


def _rms_pulled(x: Tensor, gamma: Tensor, eps: float, dx: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """RMS norm with another dx, made of the gradient of x / size and the size."""
    size = (_squares(x) + eps).sqrt().detach()

    def back(g: Tensor) -> tuple[Tensor, Tensor]:
        return dx(g * gamma, size), (g * x / size).sum(dim=(0, 1))

    return with_backward(reference.rmsnorm(x, gamma, eps), back, x, gamma)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(dim=-1, keepdim=True)


@slip(
    "rmsnorm",
    pattern="dx is that of a constant size",
    likely="the size depends on x too: the term of dx that goes back through it is missing",
)
def rmsnorm_size_constant(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return _rms_pulled(x, gamma, eps, lambda g, size: g / size)


_POWER = (
    "the size stands to the power of 3 in the term that goes back through it: one of the quotient, two of the square"
)


@slip("rmsnorm", pattern="the size stands to the power of 2 in the second term of dx", likely=_POWER)
def rmsnorm_power_of_two(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return _rms_pulled(x, gamma, eps, lambda g, size: g / size - x * _dot(g, x) / (x.shape[-1] * size**2))


@slip("rmsnorm", pattern="the size stands to the power of 1 in the second term of dx", likely=_POWER)
def rmsnorm_power_of_one(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return _rms_pulled(x, gamma, eps, lambda g, size: g / size - x * _dot(g, x) / (x.shape[-1] * size))


@slip(
    "rmsnorm",
    pattern="the second term of dx is not divided by D",
    likely="the size is made of a mean of squares: the term that goes back through it is divided by D",
)
def rmsnorm_d_missing(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return _rms_pulled(x, gamma, eps, lambda g, size: g / size - x * _dot(g, x) / size**3)


@slip(
    "rmsnorm",
    pattern="the second term of dx has the other sign",
    likely="a larger size makes the result smaller: the term that goes back through it is subtracted",
)
def rmsnorm_sign(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return _rms_pulled(x, gamma, eps, lambda g, size: g / size + x * _dot(g, x) / (x.shape[-1] * size**3))


@slip(
    "rmsnorm",
    pattern="the second term of dx is twice the right one",
    likely="the 2 of the square meets the 1/2 of the root: one of them is missing",
)
def rmsnorm_half_missing(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return _rms_pulled(x, gamma, eps, lambda g, size: g / size - 2 * x * _dot(g, x) / (x.shape[-1] * size**3))


@slip("rmsnorm", pattern="dx is multiplied by gamma at the end", likely=_GAMMA_FIRST)
def rmsnorm_gamma_last(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return _rms_pulled(
        x,
        gamma,
        eps,
        lambda g, size: g / size - gamma * x * _dot(g / gamma, x) / (x.shape[-1] * size**3),
    )


@slip("rmsnorm", pattern="dx is without gamma", likely=_GAMMA_FIRST)
def rmsnorm_gamma_missing_back(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    return _rms_pulled(
        x, gamma, eps, lambda g, size: g / gamma / size - x * _dot(g / gamma, x) / (x.shape[-1] * size**3)
    )


@slip("rmsnorm", pattern="dgamma is that of x", likely="dgamma is the sum of dout times x / size: the size is missing")
def rmsnorm_dgamma_of_x(x: Tensor, gamma: Tensor, eps: float) -> Tensor:
    right = reference.rmsnorm(x, gamma.detach(), eps)
    return straight_through(right, right + gamma * x.detach())
