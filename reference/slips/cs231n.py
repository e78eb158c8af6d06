"""Known slips of cs231n: see grader/slips.py for what this file is and how it is read.

In the order of reference/cs231n.py. What is wrong in a layer is looked for in every network that calls it, so of the
networks there is only what goes wrong between the layers. Of a wrong forward the usual backward is that of the right
one, fed with what the forward kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import Optimizer

from grader.slips import on_the_way_back, slip, straight_through, with_backward

Params = dict[str, Tensor]

_SVM = ("svm, naive", "svm, vectorized")
_SOFTMAX = ("softmax, naive", "softmax, vectorized")
_BATCHNORM = ("batchnorm", "batchnorm, simplified")
_LOOPS = ("rnn", "lstm")


def _right(scores: Tensor, y: Tensor) -> Tensor:
    """1 at the right class of each row: (N, C)."""
    return functional.one_hot(y.long(), scores.shape[-1]).to(scores)


def _divided(x: Tensor, by: float) -> Tensor:
    return on_the_way_back(x, lambda g: g / by)


# ------------------------------------------------------------------------------------------------ linear classifiers

Linear = tuple[Tensor, Tensor, Tensor, float]
"""W, X, y, reg."""

_WHOLE = "no half in front of the penalty of the linear classifiers: reg times the sum of squares"
_BRINGS_DOWN = (
    "the loss has reg times the sum of squares, and the gradient that of half of it: a square brings a 2 down"
)


def _penalised(loss: Callable[..., Tensor], args: Linear, value: float, slope: float) -> Tensor:
    """So much of the right penalty in the loss, and in the gradient."""
    (W, _, _, reg), right = args, loss(*args)
    penalty = reg * (W * W).sum()
    return straight_through(right + (value - 1) * penalty, right + (slope - 1) * penalty)


@slip(*_SVM, pattern="the penalty is 1/2 of the right one", likely=_WHOLE)
def svm_penalty_half(*args: Any) -> Tensor:
    return _penalised(reference.linear_svm, args, 0.5, 0.5)


@slip(*_SVM, pattern="the penalty's part of dW is 1/2 of the right one", likely=_BRINGS_DOWN)
def svm_penalty_gradient_of_half(*args: Any) -> Tensor:
    return _penalised(reference.linear_svm, args, 1.0, 0.5)


def _pushed(args: Linear, slopes: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The right loss with these slopes of the scores, made of which margins are positive and of the right classes."""
    W, X, y, reg = args
    scores = X @ W
    right = _right(scores, y)
    positive = (scores - scores.gather(1, y[:, None]) + 1 > 0) * (1 - right)
    slope = (slopes(positive, right).detach() * scores).sum() / len(X) + reg * (W * W).sum()
    return straight_through(reference.linear_svm(*args), slope)


@slip(
    *_SVM,
    pattern="the loss is too large by 1",
    likely="the right class is in the sum, with a margin of 1 for each example: leave it out",
)
def svm_right_class_not_zeroed(*args: Any) -> Tensor:
    return reference.linear_svm(*args) + 1


@slip(
    *_SVM,
    pattern="the right class gets the share of one margin",
    likely="the right score is in every margin: count the wrong classes whose margin is positive",
)
def svm_right_class_once(*args: Any) -> Tensor:
    return _pushed(args, lambda positive, right: positive - right)


@slip(*_SOFTMAX, pattern="the penalty is 1/2 of the right one", likely=_WHOLE)
def linear_softmax_penalty_half(*args: Any) -> Tensor:
    return _penalised(reference.linear_softmax, args, 0.5, 0.5)


@slip(*_SOFTMAX, pattern="the penalty's part of dW is 1/2 of the right one", likely=_BRINGS_DOWN)
def linear_softmax_penalty_gradient_of_half(*args: Any) -> Tensor:
    return _penalised(reference.linear_softmax, args, 1.0, 0.5)


# ------------------------------------------------------------------------------------------- affine, relu, softmax


@slip("affine", pattern="dw is divided by the number of rows", likely="dw is a sum over the batch, not a mean")
def affine_dw_mean(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return reference.affine(x, _divided(w, len(x)), b)


@slip(
    "affine",
    pattern="every gradient is divided by the number of rows",
    likely="nothing is averaged in a backward: the 1/N belongs to the loss and is already inside dout",
)
def affine_all_mean(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return _divided(reference.affine(x, w, b), len(x))


_NO_RELU = "negative numbers pass: the ReLU is missing, or its result is not what is returned"


@slip("relu", pattern="the result is x as it is", likely=_NO_RELU)
def relu_missing(x: Tensor) -> Tensor:
    return x


@slip("relu", pattern="the upstream gradient is passed on as it is", likely="the mask is missing: multiply by x > 0")
def relu_mask_missing(x: Tensor) -> Tensor:
    return straight_through(reference.relu(x), x)


_EPSILON_IN_LOG = "log(p + epsilon) is another loss: written without p, the logarithm of the softmax needs no epsilon"


def _log_of_more(x: Tensor, y: Tensor, epsilon: float) -> Tensor:
    p = (x.softmax(dim=1) * _right(x, y)).sum(dim=1)
    return straight_through(-(p + epsilon).log().mean(), reference.softmax_loss(x, y))


@slip("softmax", pattern="the loss is the mean of -log(p + 1e-8)", likely=_EPSILON_IN_LOG)
def softmax_epsilon_1e8(x: Tensor, y: Tensor) -> Tensor:
    return _log_of_more(x, y, 1e-8)


@slip("softmax", pattern="the loss is the mean of -log(p + 1e-12)", likely=_EPSILON_IN_LOG)
def softmax_epsilon_1e12(x: Tensor, y: Tensor) -> Tensor:
    return _log_of_more(x, y, 1e-12)


# ----------------------------------------------------------------------------------------------------------- norms
# What is said in the same words of several layers.

_OUTSIDE = "epsilon belongs under the root, to the variance: sqrt(var + eps)"
_NO_EPSILON = "epsilon is missing: sqrt(var + eps)"
_FIXED = "use the epsilon that is handed over, not one of your own"
_UNBIASED = "the variance is divided by the number of what it is a mean of, not by one less (ddof = 0)"
_CONSTANTS = "mean and variance depend on x too: two terms of dx are missing, which go back through them"
_THROUGH_MEAN = "the mean depends on x too: the term that goes back through it is missing, the mean of dout * gamma"
_THROUGH_VARIANCE = (
    "the variance depends on x too: the term that goes back through it is missing, "
    "with the mean of dout * gamma * xhat; without dout it vanishes"
)
_MEANS = "dx holds means of dxhat and of dxhat * xhat, over what the statistics are of: divide the sums by their number"
_EACH_FEATURE = "each feature has a mean and a variance of its own, over the batch: axis 0"
_EACH_EXAMPLE = (
    "each example has a mean and a variance of its own, over its features: axis 1; that over the batch is batch norm"
)
_OWN_STATISTICS = "in training x is normalised by the batch's own mean and variance; the running ones are for test time"

Norm = tuple[Tensor, Tensor, Tensor, float]
"""x, gamma, beta, eps."""
Mean = Callable[[Tensor], Tensor]
Pull = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(gradient of the normalised x, normalised x, deviation) -> dx."""


def _over(*dim: int) -> Mean:
    return lambda x: x.mean(dim=dim, keepdim=True)


def _sum(*dim: int) -> Mean:
    return lambda x: x.sum(dim=dim, keepdim=True)


def _dx(mean: Mean, cross: Mean) -> Pull:
    """The usual dx in one expression, with something for each of its means."""
    return lambda g, xhat, deviation: (g - mean(g) - xhat * cross(g * xhat)) / deviation


def _step_by_step(g: Tensor, xhat: Tensor, deviation: Tensor) -> Tensor:
    """The usual dx of batch norm, the variance first and then the mean: the same where xhat has the mean 0."""
    dcentred = (g - xhat * (g * xhat).mean(dim=0)) / deviation
    return dcentred - dcentred.mean(dim=0)


def _normed(args: Norm, mean: Tensor, deviation: Tensor, dx: Pull) -> Tensor:
    """Normalised by these, with such a dx and the usual dgamma and dbeta."""
    x, gamma, beta, _ = args
    xhat, deviation = ((x - mean) / deviation).detach(), deviation.detach()

    def back(g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return dx(g * gamma, xhat, deviation), (g * xhat).sum(dim=0), g.sum(dim=0)

    return with_backward(gamma * xhat + beta, back, x, gamma, beta)


def _root(var: Tensor, eps: float) -> Tensor:
    return (var + eps).sqrt()


def _norm(
    args: Norm, dim: int, deviation: Callable[[Tensor, float], Tensor] = _root, dx: Pull | None = None, ddof: int = 0
) -> Tensor:
    """Batch norm (dim 0) or layer norm (dim 1) of which some things are given; the others are right."""
    x, *_, eps = args
    var = x.var(dim=dim, keepdim=True, correction=ddof)
    return _normed(args, _over(dim)(x), deviation(var, eps), dx or _dx(_over(dim), _over(dim)))


@slip(*_BATCHNORM, pattern="epsilon stands outside the root", likely=_OUTSIDE)
def batchnorm_epsilon_outside(*args: Any) -> Tensor:
    return _norm(args, 0, lambda var, eps: var.sqrt() + eps)


@slip(*_BATCHNORM, pattern="epsilon is left out", likely=_NO_EPSILON)
def batchnorm_no_epsilon(*args: Any) -> Tensor:
    return _norm(args, 0, lambda var, eps: var.sqrt())


@slip(*_BATCHNORM, pattern="epsilon is 1e-5", likely=_FIXED)
def batchnorm_epsilon_1e5(*args: Any) -> Tensor:
    return _norm(args, 0, lambda var, eps: _root(var, 1e-5))


@slip(*_BATCHNORM, pattern="the variance is divided by N - 1", likely=_UNBIASED)
def batchnorm_unbiased(*args: Any) -> Tensor:
    return _norm(args, 0, ddof=1)


@slip(*_BATCHNORM, pattern="mean and variance are those of each example", likely=_EACH_FEATURE)
def batchnorm_over_features(*args: Any) -> Tensor:
    return reference.layernorm(*args)


MOMENTUM = 0.9
"""The course's own, where none is handed over."""


def _by_running(args: Norm, weight: float, dx: Pull) -> Tensor:
    """Batch norm in training by averages that started at 0, of which the batch has this weight."""
    x, *_, eps = args
    return _normed(args, weight * x.mean(dim=0), _root(weight * x.var(dim=0, correction=0), eps), dx)


@slip(
    *_BATCHNORM,
    pattern="in training the batch is normalised by the running averages that it has just moved",
    likely=_OWN_STATISTICS,
)
def batchnorm_new_running_in_training(*args: Any) -> Tensor:
    return _by_running(args, 1 - MOMENTUM, _step_by_step)


@slip(
    *_BATCHNORM,
    pattern="in training the batch is normalised by the running averages, which are still 0",
    likely=_OWN_STATISTICS,
)
def batchnorm_running_in_training(*args: Any) -> Tensor:
    return _by_running(args, 0.0, _step_by_step)


@slip(*_BATCHNORM, pattern="dx is that of a constant mean and variance", likely=_CONSTANTS)
def batchnorm_constants(*args: Any) -> Tensor:
    return _norm(args, 0, dx=_dx(torch.zeros_like, torch.zeros_like))


@slip(*_BATCHNORM, pattern="dx is that of a constant variance", likely=_THROUGH_VARIANCE)
def batchnorm_variance_constant(*args: Any) -> Tensor:
    return _norm(args, 0, dx=_dx(_over(0), torch.zeros_like))


@slip(*_BATCHNORM, pattern="dx is that of a constant mean", likely=_THROUGH_MEAN)
def batchnorm_mean_constant(*args: Any) -> Tensor:
    return _norm(args, 0, dx=_dx(torch.zeros_like, _over(0)))


@slip(*_BATCHNORM, pattern="dx has sums where two means belong", likely=_MEANS)
def batchnorm_sums(*args: Any) -> Tensor:
    return _norm(args, 0, dx=_dx(_sum(0), _sum(0)))


@slip(
    *_BATCHNORM,
    pattern="epsilon is missing in the term of the variance",
    likely="the forward adds epsilon to the variance, so it belongs to every power of it in the backward, too",
)
def batchnorm_epsilon_in_one_term(*args: Any) -> Tensor:
    power = args[0].var(dim=0, correction=0).detach() ** 1.5

    def dx(g: Tensor, xhat: Tensor, deviation: Tensor) -> Tensor:
        dcentred = g / deviation - (g * xhat).mean(dim=0) * xhat * deviation**2 / power
        return dcentred - dcentred.mean(dim=0)

    return _norm(args, 0, dx=dx)


Test = tuple[Tensor, Tensor, Tensor]
"""The result, and the running averages afterwards."""


def _tested(args: tuple[Any, ...], deviation: Callable[[Tensor, float], Tensor]) -> Test:
    """Batch norm at test time that divides by another function of variance and epsilon."""
    x, gamma, beta, mean, var, eps = args
    return gamma * (x - mean) / deviation(var, eps) + beta, mean, var


@slip("batchnorm, at test time", pattern="epsilon stands outside the root", likely=_OUTSIDE)
def at_test_time_epsilon_outside(*args: Any) -> Test:
    return _tested(args, lambda var, eps: var.sqrt() + eps)


@slip("batchnorm, at test time", pattern="epsilon is left out", likely=_NO_EPSILON)
def at_test_time_no_epsilon(*args: Any) -> Test:
    return _tested(args, lambda var, eps: var.sqrt())


@slip("batchnorm, at test time", pattern="epsilon is 1e-5", likely=_FIXED)
def at_test_time_epsilon_1e5(*args: Any) -> Test:
    return _tested(args, lambda var, eps: _root(var, 1e-5))


_AT_TEST_TIME = "at test time x is normalised by the running averages, so that no example depends on another"


@slip("batchnorm, at test time", pattern="the batch is normalised by its own mean and variance", likely=_AT_TEST_TIME)
def at_test_time_by_batch(x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, var: Tensor, eps: float) -> Test:
    return reference.batchnorm(x, gamma, beta, eps), mean, var


def _moved(x: Tensor, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
    own = x.mean(dim=0), x.var(dim=0, correction=0)
    return MOMENTUM * mean + (1 - MOMENTUM) * own[0], MOMENTUM * var + (1 - MOMENTUM) * own[1]


@slip("batchnorm, at test time", pattern="the batch is treated as one in training", likely=_AT_TEST_TIME)
def at_test_time_as_in_training(x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, var: Tensor, eps: float) -> Test:
    return reference.batchnorm(x, gamma, beta, eps), *_moved(x, mean, var)


@slip(
    "batchnorm, at test time",
    pattern="the running averages are moved",
    likely="at test time the running averages stay as they are: update them in training alone",
)
def at_test_time_moves_the_averages(
    x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, var: Tensor, eps: float
) -> Test:
    return reference.batchnorm_test(x, gamma, beta, mean, var, eps)[0], *_moved(x, mean, var)


def _var(x: Tensor) -> Tensor:
    return x.var(dim=0, correction=0)


Averages = tuple[Any, Tensor, Tensor, Tensor, float, float]
"""batches, x, gamma, beta, momentum, eps."""


def _running(
    args: Averages,
    *,
    kept: float | None = None,
    start: float = 0.0,
    var: Callable[[Tensor], Tensor] = _var,
    carried: bool = True,
) -> dict[str, Tensor]:
    """Running averages of which some things are given; the others are right."""
    batches, x, gamma, beta, momentum, eps = args
    kept = momentum if kept is None else kept
    m, v = first = torch.zeros_like(gamma), torch.full_like(gamma, start)
    for batch in batches:
        m, v = (m, v) if carried else first
        m, v = kept * m + (1 - kept) * batch.mean(dim=0), kept * v + (1 - kept) * var(batch)
    return {"running_mean": m, "running_var": v, "out": reference.batchnorm_test(x, gamma, beta, m, v, eps)[0]}


@slip(
    "batchnorm, running averages",
    pattern="the old averages weigh 1 - momentum",
    likely="the weights are swapped: momentum is the weight of the old averages",
)
def running_weights_swapped(*args: Any) -> dict[str, Tensor]:
    return _running(args, kept=1 - args[4])


@slip(
    "batchnorm, running averages",
    pattern="the running variance starts at 1",
    likely="both running averages start from zeros",
)
def running_var_from_one(*args: Any) -> dict[str, Tensor]:
    return _running(args, start=1.0)


@slip(
    "batchnorm, running averages",
    pattern="the running variance is that of variances divided by N - 1",
    likely=_UNBIASED,
)
def running_unbiased(*args: Any) -> dict[str, Tensor]:
    return _running(args, var=lambda x: x.var(dim=0))


_NO_ROOT = "keep the variance, not its root: the root is taken when x is divided"


@slip(
    "batchnorm, running averages",
    pattern="the running variance is that of standard deviations",
    likely=_NO_ROOT,
)
def running_deviation(*args: Any) -> dict[str, Tensor]:
    return _running(args, var=lambda x: _var(x).sqrt())


@slip(
    "batchnorm, running averages",
    pattern="the running variance is that of standard deviations, epsilon under the root",
    likely=_NO_ROOT,
)
def running_deviation_with_epsilon(*args: Any) -> dict[str, Tensor]:
    return _running(args, var=lambda x: _root(_var(x), args[5]))


@slip(
    "batchnorm, running averages",
    pattern="the running averages stay at 0",
    likely="what training has averaged is not there at test time: is it updated, and kept in bn_param?",
)
def running_not_kept(*args: Any) -> dict[str, Tensor]:
    return _running(args, kept=1.0)


@slip(
    "batchnorm, running averages",
    pattern="the averages are made of the last batch and of zeros",
    likely="go on from the running averages that are in bn_param, not from zeros",
)
def running_not_carried(*args: Any) -> dict[str, Tensor]:
    return _running(args, carried=False)


@slip(
    "batchnorm, running averages",
    pattern="momentum is 0.9",
    likely="use the momentum that is handed over, not one of your own",
)
def running_momentum_fixed(*args: Any) -> dict[str, Tensor]:
    return _running(args, kept=0.9)


@slip(
    "batchnorm, running averages",
    pattern="at test time x is normalised by mean and variance of the last training batch",
    likely="at test time x is normalised by the running averages, not by what the last batch has left behind",
)
def running_stale_batch(*args: Any) -> dict[str, Tensor]:
    batches, x, gamma, beta, _, eps = args
    last = batches[-1]
    out, _, _ = reference.batchnorm_test(x, gamma, beta, last.mean(dim=0), _var(last), eps)
    return {**reference.batchnorm_running(*args), "out": out}


@slip("layernorm", pattern="epsilon stands outside the root", likely=_OUTSIDE)
def layernorm_epsilon_outside(*args: Any) -> Tensor:
    return _norm(args, 1, lambda var, eps: var.sqrt() + eps)


@slip("layernorm", pattern="epsilon is left out", likely=_NO_EPSILON)
def layernorm_no_epsilon(*args: Any) -> Tensor:
    return _norm(args, 1, lambda var, eps: var.sqrt())


@slip("layernorm", pattern="epsilon is 1e-5", likely=_FIXED)
def layernorm_epsilon_1e5(*args: Any) -> Tensor:
    return _norm(args, 1, lambda var, eps: _root(var, 1e-5))


@slip("layernorm", pattern="mean and variance are those of each feature, over the batch", likely=_EACH_EXAMPLE)
def layernorm_over_batch(*args: Any) -> Tensor:
    return reference.batchnorm(*args)


@slip("layernorm", pattern="dx is that of a constant mean and variance", likely=_CONSTANTS)
def layernorm_constants(*args: Any) -> Tensor:
    return _norm(args, 1, dx=_dx(torch.zeros_like, torch.zeros_like))


@slip("layernorm", pattern="dx is that of a constant variance", likely=_THROUGH_VARIANCE)
def layernorm_variance_constant(*args: Any) -> Tensor:
    return _norm(args, 1, dx=_dx(_over(1), torch.zeros_like))


@slip("layernorm", pattern="dx is that of a constant mean", likely=_THROUGH_MEAN)
def layernorm_mean_constant(*args: Any) -> Tensor:
    return _norm(args, 1, dx=_dx(torch.zeros_like, _over(1)))


@slip("layernorm", pattern="dx has sums where two means belong", likely=_MEANS)
def layernorm_sums(*args: Any) -> Tensor:
    return _norm(args, 1, dx=_dx(_sum(1), _sum(1)))


@slip(
    "layernorm",
    pattern="the two means in dx are over the batch",
    likely="that is the backward of batch norm: here the statistics, and so the two means of dx, are over axis 1",
)
def layernorm_batch_backward(*args: Any) -> Tensor:
    return _norm(args, 1, dx=_dx(_over(0), _over(0)))


# ------------------------------------------------------------------------------------------------- conv, max pool

Keep = Callable[[Tensor, Tensor], Tensor]
"""(what the windows before have left, what this one brings) -> what is kept."""


def _add(old: Tensor, new: Tensor) -> Tensor:
    return old + new


def _assign(old: Tensor, new: Tensor) -> Tensor:
    return new


def _with_loops(
    args: tuple[Any, ...],
    down: int | None = None,
    right: int | None = None,
    keep_x: Keep = _add,
    keep_w: Keep = _add,
) -> Tensor:
    """The convolution with the usual backward, a loop over the windows: how far they move, and what is kept."""
    x, w, b, stride, pad = args
    padded = functional.pad(x, (pad,) * 4).detach()

    def back(g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        dpadded, dw = torch.zeros_like(padded), torch.zeros_like(w)
        for p in range(g.shape[2]):
            for q in range(g.shape[3]):
                top, left = p * (down or stride), q * (right or stride)
                rows, columns = slice(top, top + w.shape[2]), slice(left, left + w.shape[3])
                dw = keep_w(dw, torch.einsum("nf,nchw->fchw", g[:, :, p, q], padded[:, :, rows, columns]))
                brought = torch.einsum("nf,fchw->nchw", g[:, :, p, q], w)
                dpadded[:, :, rows, columns] = keep_x(dpadded[:, :, rows, columns], brought)
        H, W = x.shape[2:]
        return dpadded[:, :, pad : pad + H, pad : pad + W], dw, g.sum(dim=(0, 2, 3))

    return with_backward(reference.conv(*args), back, x, w, b)


_ADD = "add what each window brings (+=), do not assign it"


@slip("conv", pattern="dx is what is left where the windows overwrite each other", likely=_ADD)
def conv_dx_assigned(*args: Any) -> Tensor:
    return _with_loops(args, keep_x=_assign)


@slip("conv", pattern="dw is that of the last window alone", likely=_ADD)
def conv_dw_assigned(*args: Any) -> Tensor:
    return _with_loops(args, keep_w=_assign)


@slip(
    "conv",
    pattern="the gradients are those of windows that move by 1",
    likely="the backward ignores the stride: the window of out[:, :, p, q] starts at p * stride, q * stride",
)
def conv_stride_ignored_back(*args: Any) -> Tensor:
    return _with_loops(args, down=1, right=1)


@slip(
    "conv",
    pattern="the gradients are those of windows that move by 1 along the columns",
    likely="the backward ignores the stride along the columns",
)
def conv_stride_on_rows_back(*args: Any) -> Tensor:
    return _with_loops(args, right=1)


@slip(
    "conv",
    pattern="the gradients are those of windows that move by 1 along the rows",
    likely="the backward ignores the stride along the rows",
)
def conv_stride_on_columns_back(*args: Any) -> Tensor:
    return _with_loops(args, down=1)


def _strides(args: tuple[Any, ...], down: int, right: int, pad: int | None = None) -> Tensor:
    """The convolution of other strides or another padding, as many windows as fit into the right result."""
    x, w, b, _, own = args
    good = reference.conv(*args)
    made = functional.conv2d(x, w, b, stride=(down, right), padding=own if pad is None else pad)
    return straight_through(made[:, :, : good.shape[2], : good.shape[3]], good)


@slip("conv", pattern="the result is that of an image padded by 1", likely="the padding is 1 whatever pad says")
def conv_pads_by_one(*args: Any) -> Tensor:
    return _strides(args, args[3], args[3], 1)


@slip(
    "conv",
    pattern="the windows move by 1",
    likely="the stride is ignored: window (p, q) starts at p * stride, q * stride",
)
def conv_stride_ignored(*args: Any) -> Tensor:
    return _strides(args, 1, 1)


@slip(
    "conv",
    pattern="the windows move by 1 along the columns",
    likely="the stride is missing along the columns: window q starts at q * stride",
)
def conv_stride_on_rows(*args: Any) -> Tensor:
    return _strides(args, args[3], 1)


@slip(
    "conv",
    pattern="the windows move by 1 along the rows",
    likely="the stride is missing along the rows: window p starts at p * stride",
)
def conv_stride_on_columns(*args: Any) -> Tensor:
    return _strides(args, 1, args[3])


def _max_with_loops(
    args: tuple[Any, ...],
    down: int | None = None,
    right: int | None = None,
    keep: Keep = _add,
    mask: Callable[[Tensor, Tensor], Tensor] = lambda window, largest: (window == largest).to(window),
) -> Tensor:
    """Max pooling with the usual backward, a mask for each window: how far they move, and what is kept."""
    x, height, width, stride = args
    out = reference.max_pool(*args)

    def back(g: Tensor) -> tuple[Tensor]:
        dx = torch.zeros_like(x)
        for p in range(g.shape[2]):
            for q in range(g.shape[3]):
                top, left = p * (down or stride), q * (right or stride)
                rows, columns = slice(top, top + height), slice(left, left + width)
                here = mask(x[:, :, rows, columns], out[:, :, p : p + 1, q : q + 1])
                dx[:, :, rows, columns] = keep(dx[:, :, rows, columns], here * g[:, :, p : p + 1, q : q + 1])
        return (dx,)

    return with_backward(out, back, x)


@slip(
    "max pool",
    pattern="dx is what is left where the windows overwrite each other",
    likely="the windows overlap: add what each one brings to dx (+=), do not assign it",
)
def max_pool_assigned(*args: Any) -> Tensor:
    return _max_with_loops(args, keep=_assign)


@slip(
    "max pool",
    pattern="dx is what is left where the largest elements of the windows overwrite each other",
    likely="the windows overlap: add what each one brings to dx (+=), do not assign it",
)
def max_pool_largest_assigned(*args: Any) -> Tensor:
    return _max_with_loops(args, keep=lambda old, new: torch.where(new != 0, new, old))


@slip(
    "max pool",
    pattern="the gradients are those of windows that move by 1",
    likely="the backward ignores the stride: the window of out[:, :, p, q] starts at p * stride, q * stride",
)
def max_pool_stride_ignored_back(*args: Any) -> Tensor:
    return _max_with_loops(args, down=1, right=1)


@slip(
    "max pool",
    pattern="the gradients are those of windows that move by 1 along the columns",
    likely="the backward ignores the stride along the columns",
)
def max_pool_stride_on_rows_back(*args: Any) -> Tensor:
    return _max_with_loops(args, right=1)


@slip(
    "max pool",
    pattern="dx has the gradients where an index taken apart by the height points to",
    likely="argmax counts along the rows of the window: its index is taken apart by the length of such a row",
)
def max_pool_flat_index_by_height(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    def back(g: Tensor) -> tuple[Tensor]:
        dx = torch.zeros_like(x)
        largest = x.unfold(2, height, stride).unfold(3, width, stride).flatten(start_dim=4).argmax(dim=-1)
        for n, c, p, q in torch.ones_like(largest).nonzero().tolist():
            i, j = divmod(int(largest[n, c, p, q]), height)
            if p * stride + i < x.shape[2] and q * stride + j < x.shape[3]:  # else the student's raises
                dx[n, c, p * stride + i, q * stride + j] += g[n, c, p, q]
        return (dx,)

    return with_backward(reference.max_pool(x, height, width, stride), back, x)


@slip(
    "max pool",
    pattern="no element of the result is negative",
    likely="the maximum starts from 0: start from -inf, or from the window's first element",
)
def max_pool_from_zero(*args: Any) -> Tensor:
    return reference.max_pool(*args).clamp(min=0)


@slip("max pool", pattern="the windows are as wide as high", likely="the window's height is taken for its width")
def max_pool_height_for_width(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    right = reference.max_pool(x, height, width, stride)
    rest = functional.pad(x, (0, max(height - width, 0), 0, 0), value=-torch.inf)  # a slice ends at the edge
    return reference.max_pool(rest, height, height, stride)[..., : right.shape[3]]


# ------------------------------------------------------------------------------------------- norms of images


@slip(
    "spatial batchnorm",
    pattern="the rows that are normalised mix the channels",
    likely="a reshape to (N H W, C) moves no axis: bring the channels last first, and back afterwards",
)
def spatial_by_reshape(x: Tensor, *rest: Any) -> Tensor:
    return reference.batchnorm(x.reshape(-1, x.shape[1]), *rest).reshape(x.shape)


Groups = tuple[Tensor, Tensor, Tensor, int, float]
"""x, gamma, beta, G, eps."""


def _grouped(
    args: Groups,
    parts: tuple[int, ...],
    over: tuple[int, ...],
    deviation: Callable[[Tensor, float], Tensor] = _root,
    ddof: int = 0,
) -> Tensor:
    """Normalised over some axes of x in another shape."""
    x, gamma, beta, _, eps = args
    own = x.reshape(parts)
    made = (own - _over(*over)(own)) / deviation(own.var(dim=over, keepdim=True, correction=ddof), eps)
    return gamma * made.reshape(x.shape) + beta


def _in_groups(x: Tensor, G: int) -> tuple[int, ...]:
    return (len(x), G, x.shape[1] // G, *x.shape[2:])


_EACH_GROUP = "mean and variance are those of a group of channels of one image, over its C / G * H * W elements"


@slip(
    "group norm",
    pattern="the channels of a group are each G-th one",
    likely="the channels of a group lie side by side: reshape to (N, G, C / G, H, W)",
)
def groupnorm_interleaved(*args: Any) -> Tensor:
    x, G = args[0], args[3]
    return _grouped(args, (len(x), x.shape[1] // G, G, *x.shape[2:]), (1, 3, 4))


@slip("group norm", pattern="each channel is normalised by itself", likely=_EACH_GROUP)
def groupnorm_each_channel(*args: Any) -> Tensor:
    return _grouped(args, tuple(args[0].shape), (2, 3))


@slip("group norm", pattern="the statistics of a group are those of the whole batch", likely=_EACH_GROUP)
def groupnorm_over_batch(*args: Any) -> Tensor:
    return _grouped(args, _in_groups(args[0], args[3]), (0, 2, 3, 4))


@slip("group norm", pattern="a group has G channels", likely="there are G groups, of C / G channels each")
def groupnorm_size_for_number(*args: Any) -> Tensor:
    x, G = args[0], args[3]
    return _grouped(args, _in_groups(x, x.shape[1] // G), (2, 3, 4))


@slip("group norm", pattern="epsilon is 1e-5", likely=_FIXED)
def groupnorm_epsilon_1e5(*args: Any) -> Tensor:
    return _grouped(args, _in_groups(args[0], args[3]), (2, 3, 4), lambda var, eps: _root(var, 1e-5))


def _group_pulled(args: Groups, dx: Pull) -> Tensor:
    """Group norm with another dx, made of rows: (N G, C / G * H * W)."""
    x, gamma, beta, G, eps = args
    rows = x.reshape(len(x) * G, -1)
    deviation = _root(rows.var(dim=1, keepdim=True, correction=0), eps).detach()
    xhat = ((rows - _over(1)(rows)) / deviation).detach()

    def back(g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        total = _sum(0, 2, 3)
        own = dx((g * gamma).reshape(rows.shape), xhat, deviation)
        return own.reshape(x.shape), total(g * xhat.reshape(x.shape)), total(g)

    return with_backward(reference.groupnorm(*args), back, x, gamma, beta)


@slip("group norm", pattern="dx is that of a constant mean and variance", likely=_CONSTANTS)
def groupnorm_constants(*args: Any) -> Tensor:
    return _group_pulled(args, _dx(torch.zeros_like, torch.zeros_like))


@slip("group norm", pattern="dx is that of a constant variance", likely=_THROUGH_VARIANCE)
def groupnorm_variance_constant(*args: Any) -> Tensor:
    return _group_pulled(args, _dx(_over(1), torch.zeros_like))


@slip("group norm", pattern="dx is that of a constant mean", likely=_THROUGH_MEAN)
def groupnorm_mean_constant(*args: Any) -> Tensor:
    return _group_pulled(args, _dx(torch.zeros_like, _over(1)))


@slip("group norm", pattern="dx has sums where two means belong", likely=_MEANS)
def groupnorm_sums(*args: Any) -> Tensor:
    return _group_pulled(args, _dx(_sum(1), _sum(1)))


_GROUP_SIZE = "the two means of dx are over a group, of C / G * H * W elements: divide by that"


def _group_divided(args: Groups, size: int) -> Tensor:
    mean: Mean = lambda x: x.sum(dim=1, keepdim=True) / size  # noqa: E731
    return _group_pulled(args, _dx(mean, mean))


@slip("group norm", pattern="the sums in dx are divided by H * W", likely=_GROUP_SIZE)
def groupnorm_divided_by_channel(*args: Any) -> Tensor:
    return _group_divided(args, args[0][0, 0].numel())


# -------------------------------------------------------------------------------------------------------- optimizers

Kept = dict[str, Any]
Rule = Callable[[Tensor, Tensor, Kept], Tensor]


class _Stepper(Optimizer):
    """A rule for each array: (parameter, gradient, what is kept of it) -> new parameter. What is kept starts with 0."""

    def __init__(self, params: list[Tensor], rule: Rule, *fields: str) -> None:
        super().__init__(params, {})
        self.rule = rule
        for w in self.param_groups[0]["params"]:
            self.state[w] = {"step": 0, **{field: torch.zeros_like(w, requires_grad=False) for field in fields}}

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for w in self.param_groups[0]["params"]:
            w.copy_(self.rule(w.clone(), w.grad, self.state[w]))


def _velocity(
    params: list[Tensor], new: Callable[[Tensor, Tensor], Tensor], moved: Callable[[Tensor, Tensor, Tensor], Tensor]
) -> Optimizer:
    """`new` makes the velocity of the old one and dw; `moved` is what is added to w, of old velocity, new one, dw."""

    def rule(w: Tensor, dw: Tensor, kept: Kept) -> Tensor:
        old, kept["velocity"] = kept["velocity"], new(kept["velocity"], dw)
        return w + moved(old, kept["velocity"], dw)

    return _Stepper(params, rule, "velocity")


@slip(
    "momentum",
    pattern="the momentum is 0.9",
    likely="use the momentum that is handed over in config: 0.9 is for where there is none",
)
def momentum_fixed(params: list[Tensor], rate: float, mu: float) -> Optimizer:
    return reference.momentum(params, rate, 0.9)


@slip(
    "momentum",
    pattern="the velocity is a weighted mean of the old one and the step",
    likely="the step is added to momentum times the old velocity, and not weighed by 1 - momentum",
)
def momentum_averages(params: list[Tensor], rate: float, mu: float) -> Optimizer:
    return _velocity(params, lambda v, dw: mu * v - (1 - mu) * rate * dw, lambda old, v, dw: v)


@slip(
    "momentum",
    pattern="the velocity holds gradients, and the learning rate is in the step",
    likely="another convention: here the learning rate is in the velocity, and the velocity is added",
)
def momentum_of_gradients(params: list[Tensor], rate: float, mu: float) -> Optimizer:
    return _velocity(params, lambda v, dw: mu * v + dw, lambda old, v, dw: -rate * v)


@slip(
    "momentum",
    pattern="the velocity points uphill, and is subtracted",
    likely="another convention: here the velocity holds minus the gradient, and is added",
)
def momentum_subtracted(params: list[Tensor], rate: float, mu: float) -> Optimizer:
    return _velocity(params, lambda v, dw: mu * v + rate * dw, lambda old, v, dw: -v)


@slip(
    "momentum",
    pattern="the steps are those of Nesterov's momentum",
    likely="the velocity is added as it is, without looking ahead",
)
def momentum_is_nesterov(params: list[Tensor], rate: float, mu: float) -> Optimizer:
    return _velocity(params, lambda v, dw: mu * v - rate * dw, lambda old, v, dw: mu * v - rate * dw)


def _rmsprop(
    params: list[Tensor], average: Callable[[Tensor, Tensor], Tensor], step: Callable[[Tensor, Tensor], Tensor]
) -> Optimizer:
    """`average` makes the cache of the old one and dw; `step` is what is subtracted, of dw and the cache."""

    def rule(w: Tensor, dw: Tensor, kept: Kept) -> Tensor:
        kept["square_avg"] = average(kept["square_avg"], dw)
        return w - step(dw, kept["square_avg"])

    return _Stepper(params, rule, "square_avg")


def _by_root(params: list[Tensor], decay: float, step: Callable[[Tensor, Tensor], Tensor]) -> Optimizer:
    """RMSprop with the right cache."""
    return _rmsprop(params, lambda cache, dw: decay * cache + (1 - decay) * dw**2, step)


_EPSILON_GIVEN = "use the epsilon that is handed over in config"
_EPSILON_INSIDE = "epsilon is inside of the root: add it to the root itself"
_EPSILON_TIMES = "epsilon is added to the root, not multiplied"


@slip("rmsprop", pattern="the step is that of an epsilon of 1e-8", likely=_EPSILON_GIVEN)
def rmsprop_epsilon_fixed(params: list[Tensor], rate: float, decay: float, eps: float) -> Optimizer:
    return reference.rmsprop(params, rate, decay, 1e-8)


@slip("rmsprop", pattern="epsilon stands under the root", likely=_EPSILON_INSIDE)
def rmsprop_epsilon_inside(params: list[Tensor], rate: float, decay: float, eps: float) -> Optimizer:
    return _by_root(params, decay, lambda dw, cache: rate * dw / (cache + eps).sqrt())


@slip("rmsprop", pattern="the step is divided by the root times epsilon", likely=_EPSILON_TIMES)
def rmsprop_times_epsilon(params: list[Tensor], rate: float, decay: float, eps: float) -> Optimizer:
    return _by_root(params, decay, lambda dw, cache: rate * dw / (cache.sqrt() * eps))


@slip(
    "rmsprop",
    pattern="the decay is 0.99",
    likely="use the decay that is handed over in config: 0.99 is for where there is none",
)
def rmsprop_decay_fixed(params: list[Tensor], rate: float, decay: float, eps: float) -> Optimizer:
    return reference.rmsprop(params, rate, 0.99, eps)


@slip(
    "rmsprop",
    pattern="the old cache weighs 1 - decay_rate",
    likely="the weights are exchanged: decay_rate is that of the old cache",
)
def rmsprop_weights_exchanged(params: list[Tensor], rate: float, decay: float, eps: float) -> Optimizer:
    return reference.rmsprop(params, rate, 1 - decay, eps)


Betas = tuple[float, float]


def _adam(
    params: list[Tensor],
    betas: Betas,
    step: Callable[[Tensor, Tensor, Betas], Tensor],
    t: Callable[[int], int] = lambda t: t,
    kept_t: Callable[[int], int] = lambda t: t,
) -> Optimizer:
    """What is subtracted, of m, v and the two corrections; t of the corrections, and of the state, by step from 1."""

    def rule(w: Tensor, dw: Tensor, kept: Kept) -> Tensor:
        kept["count"] = kept.get("count", 0) + 1
        kept["step"] = kept_t(kept["count"])
        kept["exp_avg"] = m = betas[0] * kept["exp_avg"] + (1 - betas[0]) * dw
        kept["exp_avg_sq"] = v = betas[1] * kept["exp_avg_sq"] + (1 - betas[1]) * dw**2
        now = torch.tensor(t(kept["count"]), dtype=w.dtype)  # of t = 0 the corrections are 0, and the step NaN
        return w - step(m, v, (1 - betas[0] ** now, 1 - betas[1] ** now))

    return _Stepper(params, rule, "exp_avg", "exp_avg_sq")


def _usual(rate: float, eps: float) -> Callable[[Tensor, Tensor, Betas], Tensor]:
    return lambda m, v, by: rate * (m / by[0]) / ((v / by[1]).sqrt() + eps)


@slip("adam", pattern="the steps are those of an epsilon of 1e-8", likely=_EPSILON_GIVEN)
def adam_epsilon_fixed(params: list[Tensor], rate: float, b1: float, b2: float, eps: float) -> Optimizer:
    return reference.adam(params, rate, b1, b2, 1e-8)


@slip("adam", pattern="epsilon stands under the root", likely=_EPSILON_INSIDE)
def adam_epsilon_inside(params: list[Tensor], rate: float, b1: float, b2: float, eps: float) -> Optimizer:
    return _adam(params, (b1, b2), lambda m, v, by: rate * (m / by[0]) / (v / by[1] + eps).sqrt())


@slip(
    "adam",
    pattern="the averages are used as they are, without the correction",
    likely="the bias correction is missing: both averages start at zero, and are too small at first",
)
def adam_no_bias_correction(params: list[Tensor], rate: float, b1: float, b2: float, eps: float) -> Optimizer:
    return _adam(params, (b1, b2), lambda m, v, by: rate * m / (v.sqrt() + eps))


@slip(
    "adam",
    pattern="the steps are those of betas of 0.9 and 0.999",
    likely="use the betas that are handed over in config, beta1 and beta2",
)
def adam_betas_fixed(params: list[Tensor], rate: float, b1: float, b2: float, eps: float) -> Optimizer:
    return reference.adam(params, rate, 0.9, 0.999, eps)


@slip(
    "adam",
    pattern="t stays what it was: every step is corrected as the first",
    likely="count t on, and put it back into config",
)
def adam_t_frozen(params: list[Tensor], rate: float, b1: float, b2: float, eps: float) -> Optimizer:
    return _adam(params, (b1, b2), _usual(rate, eps), lambda t: 1, lambda t: 0)


@slip(
    "adam",
    pattern="every step is corrected as the first, with t = 1",
    likely="the exponent of the corrections is t, the number of the step",
)
def adam_t_is_one(params: list[Tensor], rate: float, b1: float, b2: float, eps: float) -> Optimizer:
    return _adam(params, (b1, b2), _usual(rate, eps), lambda t: 1)


@slip(
    "adam",
    pattern="the parameters are NaN: 0 / 0, as 1 - beta^0 is 0",
    likely="count t on first: it is 1 in the first step",
)
def adam_t_from_zero(params: list[Tensor], rate: float, b1: float, b2: float, eps: float) -> Optimizer:
    return _adam(params, (b1, b2), _usual(rate, eps), lambda t: t - 1)


# ---------------------------------------------------------------------------------------------------------- networks

_LOSSES = ("two-layer net", "deep net", "deep net with batchnorm", "deep net with layernorm", "convolutional net")
_SCORES = (
    "two-layer net, scores",
    "deep net, scores",
    "deep net with dropout, at test time",
    "convolutional net, scores",
)


def _scores(params: Params, X: Tensor) -> Tensor:
    """In training, of the network that has such parameters: batch norm leaves no bias, layer norm does."""
    if params["W1"].ndim == 4:
        return reference.convnet_scores(params, X)
    norm = reference.layernorm if "b1" in params else reference.batchnorm
    return reference._scores(params, X, norm if "gamma1" in params else None)


def _loss(params: Params, X: Tensor, y: Tensor, penalty: Tensor, change: Mean = lambda scores: scores) -> Tensor:
    return reference.softmax_loss(change(_scores(params, X)), y) + penalty


def _squares(params: Params, *names: str) -> Tensor:
    """Sum of squares of the arrays whose names begin so."""
    return torch.stack([(w * w).sum() for name, w in params.items() if name.startswith(names)]).sum()


_PENALTY = "the penalty is left out: it belongs to the loss, and to its gradient"
_HALF = "the networks have half of reg times the sum of squares: the gradient of a square has a 2"
_OF_WEIGHTS = "the penalty is of the weights alone: biases, scales and shifts are free"
_EVERY_LAYER = "the penalty is of all weights, once each: those of every layer"


@slip(*_LOSSES, pattern="the penalty is twice the right one", likely=_HALF)
def net_whole_penalty(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    return _loss(params, X, y, reg * _squares(params, "W"))


def _penalty_slope(args: tuple[Any, ...], factor: float) -> Tensor:
    """The right loss, and so much of the penalty in the gradient."""
    params, X, y, reg = args
    right, penalty = reference._penalty(params, reg), _squares(params, "W")
    return _loss(params, X, y, straight_through(right, factor * 0.5 * reg * penalty))


@slip(*_LOSSES, pattern="the penalty's part of the gradients is twice the right one", likely=_HALF)
def net_penalty_gradient_twice(*args: Any) -> Tensor:
    return _penalty_slope(args, 2.0)


@slip(*_LOSSES, pattern="the gradients are without the penalty", likely=_PENALTY)
def net_no_penalty_in_the_gradient(*args: Any) -> Tensor:
    return _penalty_slope(args, 0.0)


@slip(*_LOSSES, pattern="the loss is without the penalty", likely=_PENALTY)
def net_no_penalty(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    return _loss(params, X, y, torch.zeros(()))


@slip(*_LOSSES, pattern="the penalty is of the biases, too", likely=_OF_WEIGHTS)
def net_biases_penalised(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    return _loss(params, X, y, 0.5 * reg * _squares(params, "W", "b1", "b2", "b3"))


@slip(*_LOSSES, pattern="the penalty is of every parameter", likely=_OF_WEIGHTS)
def net_everything_penalised(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    return _loss(params, X, y, 0.5 * reg * _squares(params, ""))


@slip(*_LOSSES, pattern="the weights of the last layer are not in the penalty", likely=_EVERY_LAYER)
def net_last_layer_free(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    last = "W3" if "W3" in params else "W2"
    return _loss(params, X, y, 0.5 * reg * (_squares(params, "W") - _squares(params, last)))


@slip(*_LOSSES, pattern="the weights of the last layer are in the penalty twice", likely=_EVERY_LAYER)
def net_last_layer_twice(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    last = "W3" if "W3" in params else "W2"
    return _loss(params, X, y, 0.5 * reg * (_squares(params, "W") + _squares(params, last)))


@slip(*_LOSSES, pattern="the penalty counts W2 twice, and W1 not at all", likely=_EVERY_LAYER)
def net_w2_for_w1(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    return _loss(params, X, y, 0.5 * reg * (_squares(params, "W") + _squares(params, "W2") - _squares(params, "W1")))


_AS_THEY_ARE = "the scores come from the last affine layer as they are; the ReLU is between the layers"


@slip(*_LOSSES, pattern="the loss is that of scores none of which is negative", likely=_AS_THEY_ARE)
def net_relu_on_scores_in_the_loss(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    return _loss(params, X, y, reference._penalty(params, reg), torch.relu)


@slip(*_SCORES, pattern="no score is negative: there is a ReLU on the scores", likely=_AS_THEY_ARE)
def net_relu_on_scores(params: Params, X: Tensor) -> Tensor:
    return torch.relu(_scores(params, X))


@slip(
    *_SCORES, pattern="the result is the softmax of the scores", likely="return the scores: the softmax is in the loss"
)
def net_softmax_scores(params: Params, X: Tensor) -> Tensor:
    return _scores(params, X).softmax(dim=1)


_DTYPE = "X is cast to float32, and half of its digits are lost: cast it to the dtype that the network was made with"


@slip(*_LOSSES, pattern="the loss is that of an X of float32", likely=_DTYPE)
def net_float32_in_the_loss(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    return _loss(params, X.float().to(X), y, reference._penalty(params, reg))


@slip(*_SCORES, pattern="the scores are those of an X of float32", likely=_DTYPE)
def net_float32(params: Params, X: Tensor) -> Tensor:
    return _scores(params, X.float().to(X))


@slip("deep net with batchnorm, at test time", pattern="the scores are those of an X of float32", likely=_DTYPE)
def net_float32_at_test_time(params: Params, batch: Tensor, X: Tensor) -> Tensor:
    return reference.fc_net_batchnorm_scores(params, batch.float().to(X), X.float().to(X))


@slip(
    "deep net with batchnorm",
    "deep net with layernorm",
    pattern="the norm stands after the ReLU",
    likely="the order is affine, norm, ReLU",
)
def net_norm_after_relu(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    norm, out = reference.layernorm if "b1" in params else reference.batchnorm, X
    for k in "12":
        out = reference.relu(reference.affine(out, params[f"W{k}"], params.get(f"b{k}", 0.0)))
        out = norm(out, params[f"gamma{k}"], params[f"beta{k}"], 1e-5)
    scores = reference.affine(out, params["W3"], params["b3"])
    return reference.softmax_loss(scores, y) + reference._penalty(params, reg)


@slip(
    "deep net with batchnorm, at test time",
    pattern="all variances are divided by N - 1, those of the batch and the running ones",
    likely=_UNBIASED,
)
def net_unbiased_at_test_time(params: Params, batch: Tensor, X: Tensor) -> Tensor:
    hidden, out = batch, X
    for k in "12":
        hidden, out = (reference.affine(x, params[f"W{k}"], params[f"b{k}"]) for x in (hidden, out))
        mean, var, scales = hidden.mean(dim=0), hidden.var(dim=0), (params[f"gamma{k}"], params[f"beta{k}"])
        out = reference.batchnorm_test(out, *scales, (1 - MOMENTUM) * mean, (1 - MOMENTUM) * var, 1e-5)[0]
        hidden = reference.batchnorm_test(hidden, *scales, mean, var, 1e-5)[0]
        hidden, out = reference.relu(hidden), reference.relu(out)
    return reference.affine(out, params["W3"], params["b3"])


# ------------------------------------------------------------------------------------------------------------ in time


def _slope(args: tuple[Tensor, ...], slope: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """A step whose tanh has another slope, made of the sum that goes into it and of the new state."""
    x, h, Wx, Wh, b = args
    a = x @ Wx + h @ Wh + b
    return straight_through(a.tanh(), a * slope(a, a.tanh()).detach())


_SLOPE = "the slope of tanh is one minus the square of its result, the new state"


@slip(
    "rnn step",
    pattern="the gradients are those of a step without a tanh",
    likely="the slope of tanh is missing: the upstream gradient goes through it first",
)
def rnn_step_slope_missing(*args: Any) -> Tensor:
    return _slope(args, lambda a, value: torch.ones_like(a))


@slip("rnn step", pattern="the slope is one minus the square of the sum that goes into tanh", likely=_SLOPE)
def rnn_step_square_of_the_sum(*args: Any) -> Tensor:
    return _slope(args, lambda a, value: 1 - a**2)


@slip("rnn step", pattern="the slope is that of tanh at the new state", likely=_SLOPE)
def rnn_step_tanh_twice(*args: Any) -> Tensor:
    return _slope(args, lambda a, value: 1 - value.tanh() ** 2)


def _unrolled(
    args: tuple[Tensor, ...],
    *,
    weights_at: Callable[[int, Tensor], Tensor] = lambda t, w: w,
    before: Callable[[int, int, Tensor], Tensor] = lambda t, which, state: state,
) -> Tensor:
    """Every state after the first: `before` is what each step makes of the states that it is given (0: h, 1: c)."""
    x, h0, *weights = args
    lstm = weights[1].shape[1] == 4 * len(weights[1])
    states, made = [h0, torch.zeros_like(h0)] if lstm else [h0], []
    step = reference.lstm_step if lstm else reference.rnn_step
    for t, now in enumerate(x.unbind(1)):
        given = [before(t, which, state) for which, state in enumerate(states)]
        result = step(now, *given, *(weights_at(t, w) for w in weights))
        states = list(result) if lstm else [result]
        made.append(states[0])
    return torch.stack(made, dim=1)


@slip(
    *_LOOPS,
    pattern="the gradients of the weights are those of the first step",
    likely="the weights are used in every step: add their gradients up over time (+=), do not assign them",
)
def loop_weights_of_the_first_step(*args: Tensor) -> Tensor:
    return _unrolled(args, weights_at=lambda t, w: w.detach() if t else w)


@slip(
    *_LOOPS,
    pattern="the gradients of the weights are those of the last step",
    likely="the weights are used in every step: add their gradients up over time (+=), go on after the first of them",
)
def loop_weights_of_the_last_step(*args: Tensor) -> Tensor:
    last = args[0].shape[1] - 1
    return _unrolled(args, weights_at=lambda t, w: w if t == last else w.detach())


@slip(
    *_LOOPS,
    pattern="each step goes back by itself: no gradient comes from the steps after it",
    likely="a state is also used in the step after: add the gradient that comes from there to dh[:, t]",
)
def loop_no_recurrence(*args: Tensor) -> Tensor:
    return _unrolled(args, before=lambda t, which, state: state.detach() if t else state)


@slip(
    *_LOOPS,
    pattern="only the upstream gradient of the last step counts",
    likely="every state is an output: each step adds its own dh[:, t] to what comes from the step after",
)
def loop_last_upstream(*args: Tensor) -> Tensor:
    made = _unrolled(args)
    return torch.cat([made[:, :-1].detach(), made[:, -1:]], dim=1)


@slip(*_LOOPS, pattern="dh0 is 0", likely="dh0 is what is carried back from the first step: assign it")
def loop_dh0_zero(x: Tensor, h0: Tensor, *weights: Tensor) -> Tensor:
    return _unrolled((x, h0.detach() + 0 * h0, *weights))


@slip(
    *_LOOPS,
    pattern="every step starts from the first state",
    likely="hand each step the state that came out of the step before, not the first one",
)
def loop_state_not_carried(*args: Tensor) -> Tensor:
    first = args[1].detach()
    # The usual backward carries on all the same.
    return _unrolled(args, before=lambda t, which, state: (first, 0 * first)[which] + (state - state.detach()))


@slip(
    *_LOOPS,
    pattern="the states start from zeros",
    likely="the state before the first step is the one that is handed over",
)
def loop_from_zeros(x: Tensor, h0: Tensor, *weights: Tensor) -> Tensor:
    return _unrolled((x, h0 * 0, *weights))


Pair = tuple[Tensor, Tensor]


def _sums(args: tuple[Tensor, ...]) -> list[Tensor]:
    """What goes into the gates: i, f, o and g."""
    x, h, _, Wx, Wh, b = args
    return list((x @ Wx + h @ Wh + b).chunk(4, dim=1))


def _gated(i: Tensor, f: Tensor, o: Tensor, g: Tensor, c: Tensor) -> Pair:
    c_next = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c_next.tanh(), c_next


@slip(
    "lstm step",
    pattern="the upstream gradient of the memory does not count",
    likely="next_c has two uses: add dnext_c, which comes from the step after, to what comes through next_h",
)
def lstm_step_dc_forgotten(*args: Tensor) -> Pair:
    h, c = reference.lstm_step(*args)
    return h, c.detach()


def _shown(args: tuple[Tensor, ...], slope: Callable[[Tensor], Tensor]) -> Pair:
    """A step whose tanh(next_c) has another slope, made of the new memory."""
    _, c = reference.lstm_step(*args)
    return _sums(args)[2].sigmoid() * straight_through(c.tanh(), c * slope(c).detach()), c


_TANH_C = "the slope of tanh(next_c) is one minus the square of tanh(next_c)"


@slip("lstm step", pattern="the slope of tanh is one minus the square of the memory", likely=_TANH_C)
def lstm_step_slope_of_the_memory(*args: Tensor) -> Pair:
    return _shown(args, lambda c: 1 - c**2)


@slip("lstm step", pattern="the slope of tanh is taken at tanh of the memory", likely=_TANH_C)
def lstm_step_slope_twice(*args: Tensor) -> Pair:
    return _shown(args, lambda c: 1 - c.tanh().tanh() ** 2)


_ORDER = "the columns are those of i first, then f, o and g: forward and backward"


def _ordered(args: tuple[Tensor, ...], order: str) -> Pair:
    """The gates cut in another order."""
    parts = dict(zip(order, _sums(args), strict=True))
    return _gated(*(parts[name] for name in "ifog"), args[2])


@slip("lstm step", pattern="the gates are cut in the order i, f, g, o", likely=_ORDER)
def lstm_step_ifgo(*args: Tensor) -> Pair:
    return _ordered(args, "ifgo")


@slip(
    "lstm step",
    pattern="the gates' gradients are put together as i, f, g, o",
    likely="put the gates' gradients together in the order in which the gates were cut: i, f, o, g",
)
def lstm_step_back_ifgo(*args: Tensor) -> Pair:
    i, f, o, g = on_the_way_back(torch.cat(_sums(args), dim=1), _last_two_exchanged).chunk(4, dim=1)
    return _gated(i, f, o, g, args[2])


def _last_two_exchanged(da: Tensor) -> Tensor:
    i, f, o, g = da.chunk(4, dim=1)
    return torch.cat([i, f, g, o], dim=1)


@slip(
    "lstm step",
    pattern="the gates are cut out of the numbers in the order of reading, along the batch first",
    likely="cut columns: a reshape to (4, N, H), or a cut along axis 0, goes along the batch",
)
def lstm_step_gates_by_reshape(*args: Tensor) -> Pair:
    i, f, o, g = torch.cat(_sums(args), dim=1).reshape(4, len(args[0]), -1)
    return _gated(i, f, o, g, args[2])


@slip(
    "word embedding",
    pattern="a row of dW is that of the last place where its word stands",
    likely="a word that comes again brings a gradient each time: add them up; dW[x] += dout does not",
)
def embedding_repeats_lost(x: Tensor, W: Tensor) -> Tensor:
    def back(g: Tensor) -> tuple[Tensor]:
        dW = torch.zeros_like(W)
        for word, row in zip(x.flatten().tolist(), g.flatten(0, 1), strict=True):
            dW[word] = row
        return (dW,)

    return with_backward(W[x], back, W)


_OVER_TIME = "the gradients of w and b are sums over sequences and steps, not means"


@slip("temporal affine", pattern="dw and db are divided by N T", likely=_OVER_TIME)
def temporal_affine_mean_over_places(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    places = x[:, :, 0].numel()
    return reference.temporal_affine(x, _divided(w, places), _divided(b, places))


def _losses(x: Tensor, y: Tensor) -> Tensor:
    """-log p of the right word at each place: (N, T)."""
    return -(x.log_softmax(dim=2) * _right(x, y)).sum(dim=2)


_BY_SEQUENCES = "the sum over the words that the mask keeps is divided by N, the number of sequences"
_MASK = "what the mask excludes adds nothing to the loss: multiply -log p by the mask"


@slip("temporal softmax", pattern="the sum is divided by the number of words that the mask keeps", likely=_BY_SEQUENCES)
def temporal_softmax_over_words(x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    return (_losses(x, y) * mask).sum() / mask.sum()


@slip("temporal softmax", pattern="the sum is divided by N T", likely=_BY_SEQUENCES)
def temporal_softmax_over_places(x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    return (_losses(x, y) * mask).mean()


@slip(
    "temporal softmax",
    pattern="the gradient is a sum over the words",
    likely="the 1/N of the loss belongs in its gradient too",
)
def temporal_softmax_gradient_without_mean(x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    return reference.temporal_softmax_loss(_divided(x, 1 / len(x)), y, mask)


@slip("temporal softmax", pattern="every place counts in the loss", likely=_MASK)
def temporal_softmax_without_mask(x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    return _losses(x, y).sum() / len(x)


@slip(
    "temporal softmax",
    pattern="the gradient does not vanish where the mask is 0",
    likely="multiply the gradient by the mask, too",
)
def temporal_softmax_gradient_without_mask(x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    return straight_through(reference.temporal_softmax_loss(x, y, mask), _losses(x, y).sum() / len(x))
