"""Known slips of eecs498: see grader/slips.py for what this file is and how it is read.

A network gets the slips of its layers for free; here it has those between them, and those of its loss and penalty.
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

# Exercises that have their slips in common.
_SVM = ("svm, naive", "svm, vectorized")
_SOFTMAX = ("softmax, naive", "softmax, vectorized", "forward and backward")
_NETS = ("forward and backward", "two-layer net", "deep net", "convolutional net")
_PENALISED = (
    "softmax, naive",
    "softmax, vectorized",
    "forward and backward",
    "two-layer net",
    "deep net",
    "convolutional net",
)
_SCORES = (
    "two-layer net, scores",
    "deep net, scores",
    "deep net with dropout, at test time",
    "convolutional net, scores",
)
_NORM = ("batchnorm", "batchnorm, simplified")
# What the networks with attention call stands first: in them a slip is told by this name.
_ATTEND = ("attention, no loop", "attention, one sequence", "attention, two loops")
_ATTENTION = ("attention, no loop", "attention, one sequence", "attention, two loops", "attention, masked")

# What is said in the same words of several functions.
_ADD = "add what each window brings (+=), do not assign it"
_SUM_OVER_BATCH = "it is a sum over the batch, not a mean"
_OUTSIDE = "epsilon belongs under the root, to the variance: sqrt(var + eps)"
_NO_EPSILON = "epsilon is missing: sqrt(var + eps)"
_FIXED = "use the epsilon that is handed over, not one of your own"
_ROOT = "divide by the standard deviation, the root of var + eps, not by the variance"
_CENTRE = "subtract the mean before you divide"
_UNBIASED = "the variance is divided by the number of what it is a mean of, not by one less (torch: unbiased=False)"
_AS_THEY_ARE = "the scores come from the last linear layer as they are; the ReLU is between the layers"


# ------------------------------------------------------------------------------------------------ linear classifiers


def _margins(scores: Tensor, y: Tensor, margin: float = 1.0, right: float = 0.0) -> Tensor:
    """Of the wrong classes, none below 0; another number for the right one."""
    column = y[:, None]
    return torch.relu(scores - scores.gather(1, column) + margin).scatter(1, column, right)


def _svm(W: Tensor, X: Tensor, y: Tensor, reg: float, losses: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Another loss of each example than the sum of its margins."""
    return losses(X @ W, y).mean() + reg * (W * W).sum()


def _pushed(W: Tensor, X: Tensor, y: Tensor, reg: float, push: Callable[[Tensor], tuple[Tensor, Tensor]]) -> Tensor:
    """The right loss and another gradient of the scores, made of 1 where a margin is positive: wrong classes, right."""
    scores = X @ W
    wrong, right = push((_margins(scores, y) > 0).to(W))
    gradient = wrong.detach().scatter(1, y[:, None], right.detach()[:, None])
    slope = (scores * gradient).sum() / len(X) + reg * (W * W).sum()
    return straight_through(reference.linear_svm(W, X, y, reg), slope)


_RIGHT_CLASS = "the right class is no margin: leave it out of the sum, or set it to 0"


@slip(*_SVM, pattern="the margin of the right class, which is 1, counts too", likely=_RIGHT_CLASS)
def svm_right_class_counts(*args: Any) -> Tensor:
    return _svm(*args, lambda scores, y: _margins(scores, y, right=1.0).sum(1))


@slip(*_SVM, pattern="the margins are without the 1", likely="the margin is s[c] - s[y] + 1")
def svm_without_margin(*args: Any) -> Tensor:
    return _svm(*args, lambda scores, y: _margins(scores, y, 0.0).sum(1))


@slip(
    *_SVM,
    pattern="the loss of the examples is a sum over the batch",
    likely="the loss is the mean over the batch: divide by N, the gradient too",
)
def svm_sum(*args: Any) -> Tensor:
    return _svm(*args, lambda scores, y: _margins(scores, y).sum(1) * len(y))


_MEAN_BACK = "the 1/N of the mean is in the loss, and belongs in its gradient too"


@slip(*_SVM, pattern="the gradient of the margins is not divided by N", likely=_MEAN_BACK)
def svm_gradient_sum(*args: Any) -> Tensor:
    return _pushed(*args, lambda above: (above * len(above), -above.sum(1) * len(above)))


_PULL = "each positive margin moves two columns of dW: that of its class, and the right class's the other way"


@slip(*_SVM, pattern="each example moves the right class's column of dW once", likely=_PULL + ", once for each of them")
def svm_right_class_pulled_once(*args: Any) -> Tensor:
    return _pushed(*args, lambda above: (above, -torch.ones_like(above[:, 0])))


# ------------------------------------------------------------------------------------------- softmax, two layers' too


def _scores(weights: Tensor | Params, X: Tensor) -> Tensor:
    """Of a linear classifier, or of whichever network has these parameters."""
    if isinstance(weights, Tensor):
        return X @ weights
    return (reference.convnet_scores if weights["W1"].ndim == 4 else reference.net_scores)(weights, X)


def _on_scores(
    weights: Tensor | Params, X: Tensor, y: Tensor, reg: float, loss: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """Another loss of the scores, and the right penalty."""
    squares = (weights * weights).sum() if isinstance(weights, Tensor) else reference._squares(weights)
    return loss(_scores(weights, X), y) + reg * squares


def _right_loss(*args: Any) -> Tensor:
    """Of a linear classifier or a network."""
    return _on_scores(*args, functional.cross_entropy)


def _with_dscores(*args: Any, change: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The right loss whose gradient is another one of the scores, made of the right one and y."""
    return _on_scores(
        *args, lambda scores, y: functional.cross_entropy(on_the_way_back(scores, lambda g: change(g, y)), y)
    )


@slip(
    *_SOFTMAX,
    pattern="the loss of the examples is a sum over the batch",
    likely="the loss is the mean over the batch: divide by N, the gradient too",
)
def softmax_sum(*args: Any) -> Tensor:
    return _on_scores(*args, lambda scores, y: functional.cross_entropy(scores, y, reduction="sum"))


@slip(
    *_SOFTMAX,
    pattern="the gradient of the examples' losses is a sum over the batch",
    likely="the 1/N of the mean is missing in the gradient",
)
def softmax_gradient_sum(*args: Any) -> Tensor:
    return _with_dscores(*args, change=lambda g, y: g * len(y))


def _at_right(y: Tensor, like: Tensor) -> Tensor:
    return functional.one_hot(y, like.shape[1]).to(like)


@slip(
    *_SOFTMAX, pattern="the gradient is that of p/N for the scores", likely="the 1 at the right class is not taken off"
)
def softmax_no_minus_one(*args: Any) -> Tensor:
    return _with_dscores(*args, change=lambda g, y: g + _at_right(y, g) / len(y))


@slip(
    *_SOFTMAX,
    pattern="the probabilities of a column add up to 1, those of a row do not",
    likely="the softmax is over the classes, axis 1",
)
def softmax_wrong_axis(*args: Any) -> Tensor:
    def loss(scores: Tensor, y: Tensor) -> Tensor:
        right = _at_right(y, scores)
        # The usual p - onehot of these probabilities: it is not the derivative of this loss.
        slope = ((scores.softmax(0).detach() - right) * scores).sum() / len(y)
        return straight_through(-(right * scores.log_softmax(0)).sum() / len(y), slope)

    return _on_scores(*args, loss)


def _of_p(p: Callable[[Tensor], Tensor], epsilon: float = 0.0) -> Callable[[Tensor, Tensor], Tensor]:
    """Minus the logarithm of a probability, with the usual p - onehot behind it."""

    def loss(scores: Tensor, y: Tensor) -> Tensor:
        made = p(scores.detach())
        value = -(made.gather(1, y[:, None]) + epsilon).log().mean()
        return straight_through(value, ((made - _at_right(y, scores)) * scores).sum() / len(y))

    return loss


def _softmax(scores: Tensor) -> Tensor:
    return scores.softmax(1)


_EPSILON = "log(p + epsilon) is another loss: written without p, the logarithm of the softmax needs no epsilon"


@slip(*_SOFTMAX, pattern="the loss is that of log(p + 1e-6)", likely=_EPSILON)
def softmax_epsilon_1e6(*args: Any) -> Tensor:
    return _on_scores(*args, _of_p(_softmax, 1e-6))


@slip(*_SOFTMAX, pattern="the loss is that of log(p + 1e-8)", likely=_EPSILON)
def softmax_epsilon_1e8(*args: Any) -> Tensor:
    return _on_scores(*args, _of_p(_softmax, 1e-8))


@slip(
    *_SOFTMAX,
    pattern="the loss is infinite where p is so small that it is 0",
    likely="don't take the logarithm of p: that of the softmax is finite, written with the scores",
)
def softmax_log_of_zero(*args: Any) -> Tensor:
    return _on_scores(*args, _of_p(_softmax))


@slip(
    *_SOFTMAX,
    pattern="exp of a score above 710 is infinite, and infinite by infinite is NaN",
    likely="subtract the largest score of a row before exp: it changes no probability",
)
def softmax_not_shifted(*args: Any) -> Tensor:
    return _on_scores(*args, _of_p(lambda scores: scores.exp() / scores.exp().sum(1, keepdim=True)))


@slip(
    *_SOFTMAX,
    pattern="exp of a score above 710 is infinite, and so is the logarithm of the sum",
    likely="subtract the largest score of a row before exp: it changes no probability",
)
def softmax_log_of_infinity(*args: Any) -> Tensor:
    def loss(scores: Tensor, y: Tensor) -> Tensor:
        return (scores.exp().sum(1).log() - scores.gather(1, y[:, None])[:, 0]).mean()

    return _on_scores(*args, loss)


# ------------------------------------------------------------------------------------------------------------ penalties


def _penalised(*args: Any, value: float = 1.0, slope: float = 1.0) -> Tensor:
    """These shares of the penalty, in the loss and in the gradient."""
    *rest, reg = args
    return straight_through(_right_loss(*rest, reg * value), _right_loss(*rest, reg * slope))


def _svm_penalised(*args: Any, value: float = 1.0, slope: float = 1.0) -> Tensor:
    *rest, reg = args
    return straight_through(reference.linear_svm(*rest, reg * value), reference.linear_svm(*rest, reg * slope))


_WHOLE = "no half in front: the penalty is reg times the sum of squares"
_TWO = "the loss has the whole sum of squares, and the gradient that of half of it: a square brings a 2 down"
_IN_LOSS = "the penalty on the weights is missing in the loss"
_IN_GRADIENT = "the penalty on the weights is missing in their gradient"


@slip(*_SVM, pattern="the penalty is 1/2 of the right one", likely=_WHOLE)
def svm_half_penalty(*args: Any) -> Tensor:
    return _svm_penalised(*args, value=0.5, slope=0.5)


@slip(*_SVM, pattern="the penalty's part of dW is 1/2 of the right one", likely=_TWO)
def svm_penalty_gradient_of_half(*args: Any) -> Tensor:
    return _svm_penalised(*args, slope=0.5)


@slip(*_SOFTMAX, pattern="the penalty is 1/2 of the right one", likely=_WHOLE)
def half_penalty(*args: Any) -> Tensor:
    return _penalised(*args, value=0.5, slope=0.5)


@slip(
    "two-layer net",
    "deep net",
    "convolutional net",
    pattern="the penalty's part of the gradients is twice that of the loss's",
    likely="half of the penalty is in the loss and the gradient of the whole in the gradients: take one in both",
)
def penalty_half_in_the_loss(*args: Any) -> Tensor:
    return _penalised(*args, value=0.5)


@slip(*_PENALISED, pattern="the penalty's part of the gradients is 1/2 of the right one", likely=_TWO)
def penalty_gradient_of_half(*args: Any) -> Tensor:
    return _penalised(*args, slope=0.5)


@slip(*_PENALISED, pattern="the loss is that without a penalty", likely=_IN_LOSS)
def no_penalty(*args: Any) -> Tensor:
    return _penalised(*args, value=0.0)


@slip(*_PENALISED, pattern="the gradients are those without a penalty", likely=_IN_GRADIENT)
def no_penalty_gradient(*args: Any) -> Tensor:
    return _penalised(*args, slope=0.0)


@slip(*_NETS, pattern="the biases are penalised too", likely="the penalty is on the weights alone: biases are free")
def penalty_of_biases(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    biases = [value for name, value in params.items() if name.startswith("b")]
    return _right_loss(params, X, y, reg) + reg * (torch.cat(biases) ** 2).sum()


def _last(params: Params) -> str:
    return max(name for name in params if name.startswith("W"))


_EVERY_LAYER = "the penalty is of the weights of every layer, each once"


@slip(*_NETS, pattern="the penalty is without the last layer's weights", likely=_EVERY_LAYER)
def penalty_without_last(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    return _right_loss(params, X, y, reg) - reg * (params[_last(params)] ** 2).sum()


@slip(
    *_NETS, pattern="the penalty is without the last layer's weights, and the gradients are right", likely=_EVERY_LAYER
)
def penalty_without_last_in_the_loss(params: Params, X: Tensor, y: Tensor, reg: float) -> Tensor:
    return penalty_without_last(params, X, y, reg) + straight_through(
        torch.zeros(()), reg * (params[_last(params)] ** 2).sum()
    )


# --------------------------------------------------------------------------------------------------------- predictions


@slip(
    "prediction", "network's prediction", pattern="the class of the smallest score", likely="take the largest: argmax"
)
def predict_smallest(weights: Any, X: Tensor) -> Tensor:
    return _scores(weights, X).argmin(1)


# ----------------------------------------------------------------------------------------------- networks, their layers


def _net(params: Params, X: Tensor, between: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """Scores of a fully connected network with another function for the ReLU, and its last hidden layer."""
    layers, out = len(params) // 2, X
    for number in range(1, layers):
        out = between(reference.linear(out, params[f"W{number}"], params[f"b{number}"]))
    return reference.linear(out, params[f"W{layers}"], params[f"b{layers}"]), out


def _same(x: Tensor) -> Tensor:
    return x


@slip(
    "forward pass",
    pattern="the scores are right, and the hidden layer is without its ReLU",
    likely="return the hidden layer as the last one sees it, after the ReLU",
)
def forward_hidden_before_relu(params: Params, X: Tensor) -> tuple[Tensor, Tensor]:
    return reference.net_scores(params, X), _net(params, X, _same)[1]


@slip("forward pass", pattern="no score is negative: there is a ReLU on the scores", likely=_AS_THEY_ARE)
def forward_relu_on_scores(params: Params, X: Tensor) -> tuple[Tensor, Tensor]:
    scores, hidden = reference.net_with_hidden(params, X)
    return torch.relu(scores), hidden


@slip(*_SCORES, pattern="no score is negative: there is a ReLU on the scores", likely=_AS_THEY_ARE)
def scores_relu(params: Params, X: Tensor) -> Tensor:
    return torch.relu(_scores(params, X))


@slip(*_NETS, pattern="the loss is that of a ReLU on the scores", likely=_AS_THEY_ARE)
def net_relu_on_scores(*args: Any) -> Tensor:
    # The usual backward knows nothing of it.
    return _on_scores(
        *args, lambda scores, y: functional.cross_entropy(straight_through(torch.relu(scores), scores), y)
    )


@slip(*_NETS, pattern="loss and gradients are those of a ReLU on the scores", likely=_AS_THEY_ARE)
def net_relu_on_scores_both_ways(*args: Any) -> Tensor:
    return _on_scores(*args, lambda scores, y: functional.cross_entropy(torch.relu(scores), y))


# ----------------------------------------------------------------------------------------------------- linear and relu


@slip("linear", pattern="dw is divided by the number of rows", likely="dw: " + _SUM_OVER_BATCH)
def linear_dw_mean(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return reference.linear(x, on_the_way_back(w, lambda g: g / len(x)), b)


@slip("linear", pattern="db is divided by the number of rows", likely="db: " + _SUM_OVER_BATCH)
def linear_db_mean(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return reference.linear(x, w, on_the_way_back(b, lambda g: g / len(x)))


@slip(
    "linear",
    pattern="every gradient is divided by the number of rows",
    likely="nothing is averaged in a backward: the 1/N belongs to the loss and is already inside dout",
)
def linear_all_mean(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return on_the_way_back(reference.linear(x, w, b), lambda g: g / len(x))


@slip(
    "linear",
    pattern="every element of db is the sum of the whole upstream gradient",
    likely="db is summed over the batch alone: one number for each output",
)
def linear_db_one_sum(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return reference.linear(x, w, on_the_way_back(b, lambda g: g.sum().expand(g.shape)))


@slip("linear", pattern="the result is without b", likely="the bias is left out of the forward pass")
def linear_no_bias(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    right = reference.linear(x, w, b)
    return straight_through(right - b, right)


@slip("relu", pattern="negative elements are as they were", likely="the ReLU is missing")
def relu_missing(x: Tensor) -> Tensor:
    return x * 1


@slip("relu", pattern="the upstream gradient is passed on as it is", likely="the mask is missing: multiply by x > 0")
def relu_mask_missing(x: Tensor) -> Tensor:
    return straight_through(reference.relu(x), x)


@slip(
    "relu",
    pattern="the gradient passes where x is not positive",
    likely="the mask is inverted: the gradient passes where x > 0",
)
def relu_mask_inverted(x: Tensor) -> Tensor:
    return straight_through(reference.relu(x), torch.where(x <= 0, x, 0))


@slip(
    "relu",
    pattern="the gradient is the upstream gradient where that is positive, and 0 elsewhere",
    likely="the mask is taken from dout: it is where the input x was positive",
)
def relu_mask_from_dout(x: Tensor) -> Tensor:
    return straight_through(reference.relu(x), on_the_way_back(x, lambda g: g.clamp(min=0)))


# ---------------------------------------------------------------------------------------------------------------- conv

Keep = Callable[[Tensor, Tensor], Tensor]
"""(what the windows before have left, what this one brings) -> what is kept."""


def _add(old: Tensor, new: Tensor) -> Tensor:
    return old + new


def _assign(old: Tensor, new: Tensor) -> Tensor:
    return new


def _padded(x: Tensor, pad: int) -> Tensor:
    return functional.pad(x, (pad, pad, pad, pad))


def _conv_back(
    x: Tensor,
    w: Tensor,
    b: Tensor,
    stride: int,
    pad: int,
    *,
    down: int | None = None,
    right: int | None = None,
    seen: Tensor | None = None,
    keep_x: Keep = _add,
    keep_w: Keep = _add,
) -> Tensor:
    """The convolution with the usual backward, a loop over the windows: how far, on what, what is kept."""
    padded = (_padded(x, pad) if seen is None else seen).detach()
    H, W = x.shape[2:]

    def back(g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        dpadded, dw = torch.zeros_like(_padded(x, pad)), torch.zeros_like(w)
        for p in range(g.shape[2]):
            for q in range(g.shape[3]):
                top, left = p * (down or stride), q * (right or stride)
                rows, columns = slice(top, top + w.shape[2]), slice(left, left + w.shape[3])
                here = g[:, :, p, q]
                dw = keep_w(dw, torch.einsum("nf,nchw->fchw", here, padded[:, :, rows, columns]))
                brought = torch.einsum("nf,fchw->nchw", here, w)
                dpadded[:, :, rows, columns] = keep_x(dpadded[:, :, rows, columns], brought)
        return dpadded[:, :, pad : pad + H, pad : pad + W], dw, g.sum(dim=(0, 2, 3))

    return with_backward(reference.conv(x, w, b, stride, pad), back, x, w, b)


def _conv_forward(
    x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int, value: Callable[..., Tensor], *other: Any
) -> Tensor:
    """Another result with the usual backward, as far as it has the right one's windows."""
    good = reference.conv(x, w, b, stride, pad)
    return straight_through(value(*other)[:, :, : good.shape[2], : good.shape[3]], good)


@slip("conv", pattern="dx is what is left where the windows overwrite each other", likely=_ADD)
def conv_dx_assigned(*args: Any) -> Tensor:
    return _conv_back(*args, keep_x=_assign)


@slip("conv", pattern="dw is that of the last window alone", likely=_ADD)
def conv_dw_assigned(*args: Any) -> Tensor:
    return _conv_back(*args, keep_w=_assign)


@slip(
    "conv",
    pattern="the gradients are those of windows that move by 1",
    likely="the backward ignores the stride: the window of out[:, :, p, q] starts at p * stride, q * stride",
)
def conv_stride_ignored_back(*args: Any) -> Tensor:
    return _conv_back(*args, down=1, right=1)


@slip(
    "conv",
    pattern="the gradients are those of windows that move by 1 along the columns",
    likely="the backward ignores the stride along the columns",
)
def conv_stride_on_rows_back(*args: Any) -> Tensor:
    return _conv_back(*args, right=1)


@slip(
    "conv",
    pattern="dw is that of an image that is padded twice",
    likely="the backward pads an image that is padded already: keep x in the cache, or do not pad again",
)
def conv_padded_twice_back(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _conv_back(x, w, b, stride, pad, seen=_padded(x, 2 * pad))


@slip("conv", pattern="db is a mean over images and windows", likely="db is a sum over images and windows, not a mean")
def conv_db_mean(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    count = reference.conv(x, w, b, stride, pad)[:, 0].numel()
    return reference.conv(x, w, on_the_way_back(b, lambda g: g / count), stride, pad)


@slip("conv", pattern="the result is without b", likely="b is not added: b[f] belongs to every window of filter f")
def conv_no_bias(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int) -> Tensor:
    return _conv_forward(x, w, b, stride, pad, reference.conv, x, w, torch.zeros_like(b), stride, pad)


def _strides(x: Tensor, w: Tensor, b: Tensor, stride: int, pad: int, strides: tuple[int, int]) -> Tensor:
    def value() -> Tensor:
        return functional.conv2d(x, w, b, stride=strides, padding=pad)

    return _conv_forward(x, w, b, stride, pad, value)


@slip(
    "conv",
    pattern="the windows move by 1 along the columns",
    likely="the stride is missing along the columns: window q starts at q * stride",
)
def conv_stride_on_rows(*args: Any) -> Tensor:
    return _strides(*args, (args[3], 1))


@slip(
    "conv",
    pattern="the windows move by 1",
    likely="the stride is ignored: window (p, q) starts at p * stride, q * stride",
)
def conv_stride_ignored(*args: Any) -> Tensor:
    return _strides(*args, (1, 1))


# ------------------------------------------------------------------------------------------------------------ max pool


def _windows(x: Tensor, height: int, width: int, stride: int) -> Tensor:
    """(N, C, OH, OW, height, width)."""
    return x.unfold(2, height, stride).unfold(3, width, stride)


def _max_back(x: Tensor, height: int, width: int, stride: int, move: int | None = None, keep: Keep = _add) -> Tensor:
    """Max pooling with the usual backward, a mask for each window: how far they move, and what is kept."""
    out = reference.max_pool(x, height, width, stride)

    def back(g: Tensor) -> tuple[Tensor]:
        dx = torch.zeros_like(x)
        for p in range(g.shape[2]):
            for q in range(g.shape[3]):
                top, left = p * (move or stride), q * (move or stride)
                rows, columns = slice(top, top + height), slice(left, left + width)
                mask = (x[:, :, rows, columns] == out[:, :, p : p + 1, q : q + 1]).to(x)
                brought = mask * g[:, :, p : p + 1, q : q + 1]
                dx[:, :, rows, columns] = keep(dx[:, :, rows, columns], brought)
        return (dx,)

    return with_backward(out, back, x)


_OVERLAP = "the windows overlap: add what each one brings to dx (+=), do not assign it"


@slip("max pool", pattern="dx is what is left where the windows overwrite each other", likely=_OVERLAP)
def max_pool_assigned(*args: Any) -> Tensor:
    return _max_back(*args, keep=_assign)


def _assign_largest(old: Tensor, new: Tensor) -> Tensor:
    return torch.where(new != 0, new, old)


@slip("max pool", pattern="dx has, of each element, the gradient of its last window alone", likely=_OVERLAP)
def max_pool_largest_assigned(*args: Any) -> Tensor:
    return _max_back(*args, keep=_assign_largest)


@slip(
    "max pool",
    pattern="the gradients are those of windows that move by 1",
    likely="the backward ignores the stride: the window of out[:, :, p, q] starts at p * stride, q * stride",
)
def max_pool_stride_ignored_back(*args: Any) -> Tensor:
    return _max_back(*args, move=1)


@slip(
    "max pool",
    pattern="each element of a window receives the whole gradient",
    likely="the gradient goes to the element that is the largest of its window",
)
def max_pool_to_all(*args: Any) -> Tensor:
    return straight_through(reference.max_pool(*args), _windows(*args).sum(dim=(-2, -1)))


@slip(
    "max pool",
    pattern="no element of the result is negative",
    likely="the maximum starts from 0: start from -inf, or from the window's first element",
)
def max_pool_from_zero(*args: Any) -> Tensor:
    return reference.max_pool(*args).clamp(min=0)


def _max_cut(x: Tensor, height: int, width: int, stride: int, tall: int, wide: int) -> Tensor:
    """Maxima of windows of another size, which end with the image; as many as are right."""
    OH, OW = reference.max_pool(x, height, width, stride).shape[2:]
    starts = [(p * stride, q * stride) for p in range(OH) for q in range(OW)]
    found = [x[:, :, top : top + tall, left : left + wide].amax(dim=(2, 3)) for top, left in starts]
    return torch.stack(found, 2).unflatten(2, (OH, OW))


@slip("max pool", pattern="the windows are as wide as high", likely="the window's height is taken for its width")
def max_pool_height_for_width(*args: Any) -> Tensor:
    return _max_cut(*args, args[1], args[1])


# ----------------------------------------------------------------------------------------------------------- batchnorm

_EACH_FEATURE = "each feature has a mean and a variance of its own, over the batch: dimension 0"


def _normed(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    eps: float,
    deviation: Callable[[Tensor], Tensor] | None = None,
    *,
    mean: Tensor | None = None,
    var: Tensor | None = None,
) -> Tensor:
    """Batch norm of which some things are given: the deviation as a function of the variance. The others are right."""
    mean = x.mean(0) if mean is None else mean
    var = x.var(0, correction=0) if var is None else var
    return gamma * (x - mean) / ((var + eps).sqrt() if deviation is None else deviation(var)) + beta


@slip(*_NORM, pattern="epsilon stands outside the root", likely=_OUTSIDE)
def batchnorm_epsilon_outside(*args: Any) -> Tensor:
    return _normed(*args, lambda var: var.sqrt() + args[3])


@slip(*_NORM, pattern="epsilon is left out", likely=_NO_EPSILON)
def batchnorm_no_epsilon(*args: Any) -> Tensor:
    return _normed(*args, torch.sqrt)


@slip(*_NORM, pattern="epsilon is 1e-5", likely=_FIXED)
def batchnorm_epsilon_1e5(*args: Any) -> Tensor:
    return _normed(*args, lambda var: (var + 1e-5).sqrt())


@slip(*_NORM, pattern="x is divided by the variance", likely=_ROOT)
def batchnorm_by_variance(*args: Any) -> Tensor:
    return _normed(*args, lambda var: var + args[3])


@slip(*_NORM, pattern="the mean is not subtracted", likely=_CENTRE)
def batchnorm_mean_kept(*args: Any) -> Tensor:
    return _normed(*args, mean=torch.zeros_like(args[1]))


@slip(*_NORM, pattern="the variance is divided by N - 1", likely=_UNBIASED)
def batchnorm_unbiased(*args: Any) -> Tensor:
    return _normed(*args, var=args[0].var(0))


@slip(
    *_NORM,
    pattern="the variance is divided by N - 1, and epsilon stands beside its root",
    likely="std() of torch divides by N - 1, and epsilon belongs under the root: sqrt(var + eps), with a plain mean",
)
def batchnorm_std_and_epsilon(*args: Any) -> Tensor:
    return _normed(*args, lambda var: var.sqrt() + args[3], var=args[0].var(0))


@slip(*_NORM, pattern="mean and variance are those of each example", likely=_EACH_FEATURE)
def batchnorm_over_features(*args: Any) -> Tensor:
    x = args[0]
    return _normed(*args, mean=x.mean(1, keepdim=True), var=x.var(1, correction=0, keepdim=True))


_OWN_IN_TRAINING = (
    "in training x is normalised by the batch's own mean and variance; the running ones are for test time"
)


@slip(
    *_NORM,
    pattern="in training the batch is normalised by the running averages that it has just moved",
    likely=_OWN_IN_TRAINING,
)
def batchnorm_running_in_training(*args: Any) -> Tensor:
    # From zeros, with the momentum of 0.9 that holds where none is given.
    return _normed(*args, mean=0.1 * args[0].mean(0), var=0.1 * args[0].var(0, correction=0))


Pull = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(gradient of the normalised x, normalised x, deviation) -> dx."""


def _pulled(x: Tensor, gamma: Tensor, beta: Tensor, eps: float, dx: Pull) -> Tensor:
    """Batch norm with another dx."""
    deviation = (x.var(0, correction=0) + eps).sqrt().detach()
    xhat = ((x - x.mean(0)) / deviation).detach()

    def back(g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return dx(g * gamma, xhat, deviation), (g * xhat).sum(0), g.sum(0)

    return with_backward(reference.batchnorm(x, gamma, beta, eps), back, x, gamma, beta)


@slip(
    *_NORM,
    pattern="dx is that of a constant mean and variance",
    likely="mean and variance depend on x too: two terms of dx are missing, which go back through them",
)
def batchnorm_constants(*args: Any) -> Tensor:
    return _pulled(*args, lambda g, xhat, deviation: g / deviation)


@slip(
    *_NORM,
    pattern="dx is that of a constant variance",
    likely="the variance depends on x too: the term of dx that goes back through it is missing",
)
def batchnorm_variance_constant(*args: Any) -> Tensor:
    return _pulled(*args, lambda g, xhat, deviation: (g - g.mean(0)) / deviation)


@slip(
    *_NORM,
    pattern="dx is that of a constant mean",
    likely="the mean depends on x too: the term of dx that goes back through it is missing",
)
def batchnorm_mean_constant(*args: Any) -> Tensor:
    return _pulled(*args, lambda g, xhat, deviation: (g - xhat * (g * xhat).mean(0)) / deviation)


@slip(
    *_NORM,
    pattern="dx has sums where two means belong",
    likely="dx holds means of dxhat and of dxhat * xhat, over the batch: divide the sums by N",
)
def batchnorm_sums(*args: Any) -> Tensor:
    return _pulled(*args, lambda g, xhat, deviation: (g - g.sum(0) - xhat * (g * xhat).sum(0)) / deviation)


def _through_variance(power: float, args: Any) -> Tensor:
    """The way through the variance step by step, with this power of var + eps."""

    def dx(g: Tensor, xhat: Tensor, deviation: Tensor) -> Tensor:
        centred = xhat * deviation
        dvar = (g * centred).sum(0) * -0.5 * deviation ** (2 * power)
        made = g / deviation + 2 * centred * dvar / len(g)
        return made - made.mean(0)

    return _pulled(*args, dx)


_EXPONENT = "the derivative of var ** -0.5 is -0.5 * var ** -1.5: look at the exponent in the term of the variance"


@slip(*_NORM, pattern="the power in the term of the variance is -1/2", likely=_EXPONENT)
def batchnorm_exponent_half(*args: Any) -> Tensor:
    return _through_variance(-0.5, args)


@slip(
    *_NORM,
    pattern="the term of the variance is without its factor 1/2",
    likely="the root's derivative has a factor of 1/2, which meets the 2 of the square: one of them is missing",
)
def batchnorm_half_missing(*args: Any) -> Tensor:
    return _pulled(*args, lambda g, xhat, deviation: (g - g.mean(0) - 2 * xhat * (g * xhat).mean(0)) / deviation)


@slip(
    *_NORM,
    pattern="dx is without gamma",
    likely="dx goes through gamma first: put dxhat = dout * gamma wherever dx needs dout",
)
def batchnorm_gamma_missing_back(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _pulled(
        x,
        gamma,
        beta,
        eps,
        lambda g, xhat, deviation: (g - g.mean(0) - xhat * (g * xhat).mean(0)) / gamma.detach() / deviation,
    )


_XHAT = "dgamma is the sum of dout times the normalised x, not x or x - mean"


@slip(*_NORM, pattern="dgamma is that of x", likely=_XHAT)
def batchnorm_dgamma_of_x(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    right = reference.batchnorm(x, gamma.detach(), beta, eps)
    return straight_through(right, right + gamma * x.detach())


# ---------------------------------------------------------------------------------------- batchnorm: test time, running

Tested = tuple[Tensor, Tensor, Tensor]
"""Result, and the mean and the variance that were handed over."""


def _tested(args: Any, deviation: Callable[[Tensor, float], Tensor]) -> Tested:
    x, gamma, beta, mean, var, eps = args
    return gamma * (x - mean) / deviation(var, eps) + beta, mean, var


@slip("batchnorm, at test time", pattern="epsilon stands outside the root", likely=_OUTSIDE)
def at_test_epsilon_outside(*args: Any) -> Tested:
    return _tested(args, lambda var, eps: var.sqrt() + eps)


@slip("batchnorm, at test time", pattern="epsilon is left out", likely=_NO_EPSILON)
def at_test_no_epsilon(*args: Any) -> Tested:
    return _tested(args, lambda var, eps: var.sqrt())


@slip("batchnorm, at test time", pattern="epsilon is 1e-5", likely=_FIXED)
def at_test_epsilon_1e5(*args: Any) -> Tested:
    return _tested(args, lambda var, eps: (var + 1e-5).sqrt())


_RUNNING_AT_TEST_TIME = "at test time x is normalised by the running averages: one example must not depend on another"


@slip(
    "batchnorm, at test time",
    pattern="at test time the batch is normalised by its own statistics",
    likely=_RUNNING_AT_TEST_TIME,
)
def at_test_by_the_batch(x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, var: Tensor, eps: float) -> Tested:
    return reference.batchnorm(x, gamma, beta, eps), mean, var


@slip(
    "batchnorm, at test time",
    pattern="the result is right, and the running averages have moved",
    likely="at test time the running averages stay as they are: update them in training alone",
)
def at_test_moves_the_averages(x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, var: Tensor, eps: float) -> Tested:
    # With the momentum of 0.9 that holds where none is given.
    moved = 0.9 * mean + 0.1 * x.mean(0), 0.9 * var + 0.1 * x.var(0, correction=0)
    return reference.batchnorm_test(x, gamma, beta, mean, var, eps)[0], *moved


Statistic = Callable[[Tensor], Tensor]


def _variance(x: Tensor) -> Tensor:
    return x.var(0, correction=0)


def _averaged(
    args: Any,
    *,
    kept: float | None = None,
    start: float = 0.0,
    mean: Statistic = lambda x: x.mean(0),
    var: Statistic = _variance,
    carried: bool = True,
    out: Callable[..., Tensor] | None = None,
) -> dict[str, Tensor]:
    """Running averages of which some things are given, the others are right; and x at test time."""
    batches, x, gamma, beta, momentum, eps = args
    kept = momentum if kept is None else kept
    first = torch.zeros_like(gamma), torch.full_like(gamma, start)
    m, v = first
    for batch in batches:
        m, v = (m, v) if carried else first
        m, v = kept * m + (1 - kept) * mean(batch), kept * v + (1 - kept) * var(batch)
    made = reference.batchnorm_test(x, gamma, beta, m, v, eps)[0] if out is None else out(batches, x, gamma, beta, eps)
    return {"running_mean": m, "running_var": v, "out": made}


@slip(
    "batchnorm, running averages",
    pattern="the old averages weigh 1 - momentum",
    likely="the weights are swapped: momentum is the weight of the old averages",
)
def running_weights_swapped(*args: Any) -> dict[str, Tensor]:
    return _averaged(args, kept=1 - args[4])


@slip(
    "batchnorm, running averages",
    pattern="the running variance starts at 1",
    likely="both running averages start from zeros",
)
def running_var_from_one(*args: Any) -> dict[str, Tensor]:
    return _averaged(args, start=1.0)


@slip(
    "batchnorm, running averages",
    pattern="the running variance is that of variances divided by N - 1",
    likely=_UNBIASED,
)
def running_unbiased(*args: Any) -> dict[str, Tensor]:
    return _averaged(args, var=lambda x: x.var(0))


_NOT_THE_ROOT = "keep the variance, not its root: the root is taken when x is divided"


@slip(
    "batchnorm, running averages", pattern="the running variance is that of standard deviations", likely=_NOT_THE_ROOT
)
def running_deviation(*args: Any) -> dict[str, Tensor]:
    return _averaged(args, var=lambda x: _variance(x).sqrt())


@slip(
    "batchnorm, running averages",
    pattern="the averages are those of the last batch's share alone",
    likely="go on from the averages that are in bn_param, not from zeros in every call",
)
def running_not_carried(*args: Any) -> dict[str, Tensor]:
    return _averaged(args, carried=False)


@slip(
    "batchnorm, running averages",
    pattern="momentum is 0.9",
    likely="use the momentum that is handed over, not one of your own",
)
def running_momentum_fixed(*args: Any) -> dict[str, Tensor]:
    return _averaged(args, kept=0.9)


@slip(
    "batchnorm, running averages",
    pattern="the averages are right, and at test time x is normalised by its own statistics",
    likely=_RUNNING_AT_TEST_TIME,
)
def running_not_used(*args: Any) -> dict[str, Tensor]:
    return _averaged(args, out=lambda batches, x, *rest: reference.batchnorm(x, *rest))


@slip(
    "batchnorm, running averages",
    pattern="the averages are right, and at test time x is normalised by the last batch's statistics",
    likely="at test time x is normalised by the running averages, not by what the last batch has left",
)
def running_stale(*args: Any) -> dict[str, Tensor]:
    def out(batches: Any, x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
        last = batches[-1]
        return reference.batchnorm_test(x, gamma, beta, last.mean(0), _variance(last), eps)[0]

    return _averaged(args, out=out)


# --------------------------------------------------------------------------------------------------- spatial batchnorm

_CHANNELS_LAST = (
    "move the channels last before you reshape to (N H W, C), and back again after: a reshape moves no axis"
)
_EACH_CHANNEL = "a channel has one mean and one variance, over all images and pixels: N, H and W"


@slip("spatial batchnorm", pattern="the columns are those of a reshape that moves no axis", likely=_CHANNELS_LAST)
def spatial_reshaped(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return reference.batchnorm(x.reshape(-1, x.shape[1]), gamma, beta, eps).reshape(x.shape)


@slip("spatial batchnorm", pattern="the result is reshaped back with the channels last", likely=_CHANNELS_LAST)
def spatial_not_moved_back(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    right = reference.spatial_batchnorm(x, gamma, beta, eps)
    return straight_through(right.movedim(1, -1).reshape(x.shape), right)


def _over(x: Tensor, gamma: Tensor, beta: Tensor, eps: float, dim: tuple[int, ...]) -> Tensor:
    """By mean and variance over these axes of (N, C, H, W)."""
    mean, var = x.mean(dim, keepdim=True), x.var(dim, correction=0, keepdim=True)
    return gamma[:, None, None] * (x - mean) / (var + eps).sqrt() + beta[:, None, None]


@slip("spatial batchnorm", pattern="mean and variance are those of each image by itself", likely=_EACH_CHANNEL)
def spatial_each_image(*args: Any) -> Tensor:
    return _over(*args, (2, 3))


def _spatial_running(args: Any, columns: Callable[[Tensor], Tensor], images: Callable[..., Tensor]) -> Any:
    batches, x, *rest = args
    found = reference.batchnorm_running([columns(batch) for batch in batches], columns(x), *rest)
    return {**found, "out": images(found["out"], x)}


@slip(
    "spatial batchnorm, running averages",
    pattern="the columns are those of a reshape that moves no axis",
    likely=_CHANNELS_LAST,
)
def spatial_running_reshaped(*args: Any) -> dict[str, Tensor]:
    return _spatial_running(args, lambda x: x.reshape(-1, x.shape[1]), lambda out, x: out.reshape(x.shape))


# ---------------------------------------------------------------------------------------------------------- optimizers

Kept = dict[str, Any]
Rule = Callable[[Tensor, Tensor, Kept], Tensor]


class _Stepper(Optimizer):
    """A rule for each array: (parameter, gradient, what is kept of it) -> new parameter."""

    def __init__(self, params: list[Tensor], rule: Rule) -> None:
        super().__init__(params, {})
        self.rule = rule

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for p in self.param_groups[0]["params"]:
            p.copy_(self.rule(p.clone(), p.grad, self.state[p]))


def _old(kept: Kept, name: str, like: Tensor) -> Tensor:
    """What was kept, zeros at first."""
    found: Tensor = kept.get(name, torch.zeros_like(like))
    return found


def _momentum(
    params: list[Tensor],
    velocity: Callable[[Tensor, Tensor], Tensor],
    step: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda v, old, g: v,
    keep: bool = True,
) -> Optimizer:
    """`velocity` is made of the old one and the gradient; the step, which is added, of both velocities and it."""

    def rule(p: Tensor, g: Tensor, kept: Kept) -> Tensor:
        old = _old(kept, "velocity", p)
        v = velocity(old, g)
        kept["velocity"] = v if keep else old
        return p + step(v, old, g)

    return _Stepper(params, rule)


@slip("momentum", pattern="the velocity is right, and is subtracted", likely="its minus is in the velocity: add v to w")
def momentum_subtracts(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return _momentum(params, lambda v, g: mu * v - lr * g, lambda v, old, g: -v)


@slip(
    "momentum", pattern="the parameters move along the gradient", likely="subtract the step: the gradient points uphill"
)
def momentum_ascends(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return _momentum(params, lambda v, g: mu * v + lr * g)


_CONVENTION = "another convention: here the velocity is mu v - lr dw, and is added to w"


@slip("momentum", pattern="w is right, and the velocity has the other sign", likely=_CONVENTION)
def momentum_positive_velocity(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return _momentum(params, lambda v, g: mu * v + lr * g, lambda v, old, g: -v)


@slip("momentum", pattern="the velocity is mu v + dw", likely=_CONVENTION)
def momentum_rate_in_the_step(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return _momentum(params, lambda v, g: mu * v + g, lambda v, old, g: -lr * v)


@slip(
    "momentum",
    pattern="the velocity that is returned is the one that was given",
    likely="return the new velocity in config: every step starts from rest",
)
def momentum_not_carried(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return _momentum(params, lambda v, g: mu * v - lr * g, keep=False)


@slip("momentum", pattern="momentum is 0.9", likely="use the momentum in config, not one of your own")
def momentum_fixed(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return reference.momentum(params, lr, 0.9)


_INSIDE = "epsilon is inside of the root: divide by sqrt(v) + epsilon"
_NO_ROOT = "the root is missing: divide by sqrt(v) + epsilon"
_LEFT_OUT = "epsilon is left out: divide by sqrt(v) + epsilon"
_CONFIG_EPSILON = "use the epsilon in config, not one of your own"


def _rmsprop(params: list[Tensor], decay: float, step: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Optimizer:
    """`step` is what is subtracted, of the gradient, the average and the one of before."""

    def rule(p: Tensor, g: Tensor, kept: Kept) -> Tensor:
        old = _old(kept, "square_avg", p)
        kept["square_avg"] = v = decay * old + (1 - decay) * g**2
        return p - step(g, v, old)

    return _Stepper(params, rule)


@slip("rmsprop", pattern="epsilon stands under the root", likely=_INSIDE)
def rmsprop_epsilon_inside_the_root(params: list[Tensor], lr: float, decay: float, eps: float) -> Optimizer:
    return _rmsprop(params, decay, lambda g, v, old: lr * g / (v + eps).sqrt())


@slip("rmsprop", pattern="epsilon is 1e-8", likely=_CONFIG_EPSILON)
def rmsprop_epsilon_hard_coded(params: list[Tensor], lr: float, decay: float, eps: float) -> Optimizer:
    return reference.rmsprop(params, lr, decay, 1e-8)


@slip("rmsprop", pattern="the step is that without epsilon", likely=_LEFT_OUT)
def rmsprop_without_epsilon(params: list[Tensor], lr: float, decay: float, eps: float) -> Optimizer:
    return reference.rmsprop(params, lr, decay, 0.0)


@slip("rmsprop", pattern="the step is divided by v + epsilon", likely=_NO_ROOT)
def rmsprop_without_root(params: list[Tensor], lr: float, decay: float, eps: float) -> Optimizer:
    return _rmsprop(params, decay, lambda g, v, old: lr * g / (v + eps))


@slip(
    "rmsprop",
    pattern="the weights of the average are exchanged",
    likely="the weights are exchanged: decay_rate is that of the old average",
)
def rmsprop_weights_exchanged(params: list[Tensor], lr: float, decay: float, eps: float) -> Optimizer:
    return reference.rmsprop(params, lr, 1 - decay, eps)


@slip("rmsprop", pattern="decay_rate is 0.99", likely="use the decay_rate in config, not one of your own")
def rmsprop_decay_hard_coded(params: list[Tensor], lr: float, decay: float, eps: float) -> Optimizer:
    return reference.rmsprop(params, lr, 0.99, eps)


def _adam(
    params: list[Tensor],
    betas: tuple[float, float],
    step: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor],
    t: Callable[[int], int] = lambda t: t,
) -> Optimizer:
    """Adam with what is subtracted made of (m, v, both corrected, g); `t` of the corrections."""
    b1, b2 = betas

    def rule(p: Tensor, g: Tensor, kept: Kept) -> Tensor:
        count = int(kept.get("count", 0)) + 1
        kept["count"], kept["step"] = count, torch.tensor(float(count), dtype=torch.float64)
        kept["exp_avg"] = m = b1 * _old(kept, "exp_avg", p) + (1 - b1) * g
        kept["exp_avg_sq"] = v = b2 * _old(kept, "exp_avg_sq", p) + (1 - b2) * g**2
        now = torch.tensor(float(t(count)), dtype=torch.float64)
        return p - step(m, v, m / (1 - b1**now), v / (1 - b2**now), g)

    return _Stepper(params, rule)


@slip(
    "adam",
    pattern="the averages are used as they are, without the correction",
    likely="the bias correction is missing: m and v start at zero, and are divided by 1 - beta^t for it",
)
def adam_no_bias_correction(params: list[Tensor], lr: float, b1: float, b2: float, eps: float) -> Optimizer:
    return _adam(params, (b1, b2), lambda m, v, m_hat, v_hat, g: lr * m / (v.sqrt() + eps))


@slip("adam", pattern="m is corrected, v is not", likely="correct both averages: v too is divided by 1 - beta2^t")
def adam_corrects_m_only(params: list[Tensor], lr: float, b1: float, b2: float, eps: float) -> Optimizer:
    return _adam(params, (b1, b2), lambda m, v, m_hat, v_hat, g: lr * m_hat / (v.sqrt() + eps))


@slip("adam", pattern="epsilon is 1e-8", likely=_CONFIG_EPSILON)
def adam_epsilon_hard_coded(params: list[Tensor], lr: float, b1: float, b2: float, eps: float) -> Optimizer:
    return reference.adam(params, lr, b1, b2, 1e-8)


@slip("adam", pattern="epsilon is 1e-8, and stands beside the uncorrected root", likely=_CONFIG_EPSILON)
def adam_hat_epsilon_hard_coded(params: list[Tensor], lr: float, b1: float, b2: float, eps: float) -> Optimizer:
    return reference.adam_hat(params, lr, b1, b2, 1e-8)


@slip("adam", pattern="the steps are those without epsilon", likely=_LEFT_OUT)
def adam_without_epsilon(params: list[Tensor], lr: float, b1: float, b2: float, eps: float) -> Optimizer:
    return reference.adam(params, lr, b1, b2, 0.0)


@slip("adam", pattern="epsilon stands under the root", likely=_INSIDE)
def adam_epsilon_inside_the_root(params: list[Tensor], lr: float, b1: float, b2: float, eps: float) -> Optimizer:
    return _adam(params, (b1, b2), lambda m, v, m_hat, v_hat, g: lr * m_hat / (v_hat + eps).sqrt())


@slip("adam", pattern="the step is divided by v + epsilon", likely=_NO_ROOT)
def adam_without_root(params: list[Tensor], lr: float, b1: float, b2: float, eps: float) -> Optimizer:
    return _adam(params, (b1, b2), lambda m, v, m_hat, v_hat, g: lr * m_hat / (v_hat + eps))


@slip("adam", pattern="the betas are 0.9 and 0.999", likely="use beta1 and beta2 of config, not your own")
def adam_betas_hard_coded(params: list[Tensor], lr: float, b1: float, b2: float, eps: float) -> Optimizer:
    return reference.adam(params, lr, 0.9, 0.999, eps)


def _counted(args: Any, t: Callable[[int], int]) -> Optimizer:
    """Adam with another t in the corrections."""
    params, lr, b1, b2, eps = args
    return _adam(params, (b1, b2), lambda m, v, m_hat, v_hat, g: lr * m_hat / (v_hat.sqrt() + eps), t)


@slip(
    "adam",
    pattern="t stays 0 in config: every step is the first",
    likely="count t on in config: the next step reads it there",
)
def adam_t_frozen(params: list[Tensor], lr: float, b1: float, b2: float, eps: float) -> Optimizer:
    def first(p: Tensor, g: Tensor, kept: Kept) -> Tensor:
        kept["step"] = torch.tensor(0.0, dtype=torch.float64)
        # Where t is 0 the judge hands over settings alone, so that the averages start again as well.
        kept["exp_avg"], kept["exp_avg_sq"] = (1 - b1) * g, (1 - b2) * g**2
        return p - lr * g / (g.abs() + eps)

    return _Stepper(params, first)


@slip(
    "adam",
    pattern="every step is corrected as the first, with t = 1",
    likely="the exponent of the corrections is t, the number of the step",
)
def adam_t_is_one(*args: Any) -> Optimizer:
    return _counted(args, lambda t: 1)


@slip(
    "adam",
    pattern="the corrections are those of t - 1, which divide by 0 in the first step",
    likely="count t on first: it is 1 in the first step",
)
def adam_t_from_zero(*args: Any) -> Optimizer:
    return _counted(args, lambda t: t - 1)


# ------------------------------------------------------------------------------------------------------------- in time


def _slope(args: Any, slope: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """A step whose tanh has another slope, made of the sum that goes into it and of the new state."""
    x, prev_h, Wx, Wh, b = args
    a = x @ Wx + prev_h @ Wh + b
    value = torch.tanh(a)
    return straight_through(value, a * slope(a, value).detach())


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
    return _slope(args, lambda a, value: 1 - torch.tanh(value) ** 2)


def _rnn_back(args: Any, made: Callable[[Tensor, Tensor], dict[str, Tensor]]) -> Tensor:
    """A step with some other gradients, by name, of the gradient of the sum that goes into tanh and the new state."""
    x, prev_h, Wx, Wh, b = args
    value = torch.tanh(x @ Wx + prev_h @ Wh + b)

    def back(g: Tensor) -> tuple[Tensor, ...]:
        da = g * (1 - value.detach() ** 2)
        right = {"x": da @ Wx.T, "prev_h": da @ Wh.T, "Wx": x.T @ da, "Wh": prev_h.T @ da, "b": da.sum(0)}
        return tuple({**right, **made(da, value.detach())}.values())

    return with_backward(value, back, *args)


@slip(
    "rnn step",
    pattern="dprev_h is the product with Wh, not with its transpose",
    likely="Wh is square, so both products fit: the way back goes through its transpose",
)
def rnn_step_wh_not_transposed(*args: Any) -> Tensor:
    return _rnn_back(args, lambda da, value: {"prev_h": da @ args[3]})


@slip(
    "rnn step",
    pattern="dWh is made of the new state",
    likely="dWh is made of the state that went in, not of the one that came out",
)
def rnn_step_dwh_of_the_new_state(*args: Any) -> Tensor:
    return _rnn_back(args, lambda da, value: {"Wh": value.T @ da})


def _usual_step(value: Tensor, x: Tensor, prev_h: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> Tensor:
    """A wrong new state with the usual backward, whose tanh has the slope at that state."""
    return straight_through(value, (x @ Wx + prev_h @ Wh + b) * (1 - value**2).detach())


@slip("rnn step", pattern="the new state is that of b = 0", likely="b is not added")
def rnn_step_no_bias(*args: Any) -> Tensor:
    x, prev_h, Wx, Wh, _ = args
    return _usual_step(torch.tanh(x @ Wx + prev_h @ Wh), *args)


def _unrolled(
    x: Tensor,
    h0: Tensor,
    *weights: Tensor,
    weights_at: Callable[[int, Tensor], Tensor] = lambda t, w: w,
    before: Callable[[int, Tensor], Tensor] = lambda t, h: h,
) -> list[Tensor]:
    """Every state after the first; `before` is what each step makes of the state that it is given."""
    h, states = h0, []
    for t, now in enumerate(x.unbind(1)):
        h = reference.rnn_step(now, before(t, h), *(weights_at(t, w) for w in weights))
        states.append(h)
    return states


@slip(
    "rnn",
    pattern="the gradients of the weights are those of the first step",
    likely="the weights are used in every step: add their gradients up over time (+=), do not assign them",
)
def rnn_weights_of_the_first_step(*args: Any) -> Tensor:
    return torch.stack(_unrolled(*args, weights_at=lambda t, w: w.detach() if t else w), 1)


@slip(
    "rnn",
    pattern="each step goes back by itself: no gradient comes from the steps after it",
    likely="a state is also used in the step after: add the gradient that comes from there to dh[:, t]",
)
def rnn_no_recurrence(*args: Any) -> Tensor:
    return torch.stack(_unrolled(*args, before=lambda t, h: h.detach() if t else h), 1)


@slip(
    "rnn",
    pattern="only the upstream gradient of the last step counts",
    likely="every state is an output: each step adds its own dh[:, t] to what comes from the step after",
)
def rnn_last_upstream(*args: Any) -> Tensor:
    *earlier, last = _unrolled(*args)
    return torch.stack([*(h.detach() for h in earlier), last], 1)


@slip("rnn", pattern="dh0 is 0", likely="dh0 is what is carried back from the first step: assign it")
def rnn_dh0_zero(x: Tensor, h0: Tensor, *weights: Tensor) -> Tensor:
    return reference.rnn(x, h0.detach(), *weights)


@slip(
    "rnn",
    pattern="dx runs from the last step to the first",
    likely="the loop back makes the last step's dx first: put each at its own t, or turn the list round at the end",
)
def rnn_dx_reversed(x: Tensor, *rest: Tensor) -> Tensor:
    return reference.rnn(on_the_way_back(x, lambda g: g.flip(1)), *rest)


_CARRY = "hand each step the state that came out of the step before, not the first one"


@slip("rnn", pattern="every step starts from the first state", likely=_CARRY)
def rnn_state_not_carried(x: Tensor, h0: Tensor, *weights: Tensor) -> Tensor:
    # The usual backward carries on all the same.
    return torch.stack(_unrolled(x, h0, *weights, before=lambda t, h: h0.detach() + (h - h.detach())), 1)


Pair = tuple[Tensor, Tensor]


def _gates(args: Any, order: str = "ifog") -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What goes into i, f, o and g, cut in this order."""
    x, prev_h, _, Wx, Wh, b = args
    parts = dict(zip(order, (x @ Wx + prev_h @ Wh + b).chunk(4, 1), strict=True))
    return parts["i"], parts["f"], parts["o"], parts["g"]


def _cell(args: Any, order: str = "ifog", block: Callable[[Tensor], Tensor] = torch.tanh) -> Pair:
    i, f, o, g = _gates(args, order)
    c = f.sigmoid() * args[2] + i.sigmoid() * block(g)
    return o.sigmoid() * c.tanh(), c


_ORDER = "the columns are those of i first, then f, o and g"


@slip("lstm step", pattern="the gates are cut in the order i, f, g, o", likely=_ORDER)
def lstm_step_ifgo(*args: Any) -> Pair:
    return _cell(args, "ifgo")


@slip("lstm step", pattern="the gates are cut in the order f, i, o, g", likely=_ORDER)
def lstm_step_fiog(*args: Any) -> Pair:
    return _cell(args, "fiog")


@slip("lstm step", pattern="the gates are cut in the order i, o, f, g", likely=_ORDER)
def lstm_step_iofg(*args: Any) -> Pair:
    return _cell(args, "iofg")


@slip("lstm step", pattern="the gates are cut in the order f, i, g, o", likely=_ORDER)
def lstm_step_figo(*args: Any) -> Pair:
    return _cell(args, "figo")


@slip("lstm step", pattern="the block's input g is a sigmoid", likely="g is a tanh, the three gates are sigmoids")
def lstm_step_block_sigmoid(*args: Any) -> Pair:
    return _cell(args, block=torch.sigmoid)


@slip(
    "lstm step",
    pattern="the new state is the cell through its gate, without a tanh",
    likely="the tanh of the new cell is missing",
)
def lstm_step_no_tanh(*args: Any) -> Pair:
    _, c = _cell(args)
    return _gates(args)[2].sigmoid() * c, c


@slip("lstm step", pattern="the old cell is kept whole", likely="the forget gate is missing")
def lstm_step_no_forget_gate(*args: Any) -> Pair:
    i, _, o, g = _gates(args)
    c = args[2] + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def _lstm(args: Any, given: Callable[[Pair, Pair], Pair] = lambda first, now: now, start: str = "zeros") -> list[Pair]:
    """All states and cells; `given` is what a step is given, of the first pair and of what came out before it."""
    x, h0, *weights = args
    pair = first = h0, h0 if start == "h0" else torch.zeros_like(h0)
    made = []
    for now in x.unbind(1):
        pair = reference.lstm_step(now, *given(first, pair), *weights)
        made.append(pair)
    return made


def _states(pairs: list[Pair]) -> Tensor:
    return torch.stack([h for h, _ in pairs], 1)


@slip("lstm", pattern="the first cell is h0", likely="the cell starts from zeros, and the state from h0")
def lstm_cell_from_h0(*args: Any) -> Tensor:
    return _states(_lstm(args, start="h0"))


@slip("lstm", pattern="every step starts from the first state", likely=_CARRY)
def lstm_state_not_carried(*args: Any) -> Tensor:
    return _states(_lstm(args, lambda first, now: (first[0], now[1])))


@slip(
    "lstm", pattern="every step starts from a cell of zeros", likely="hand each step the cell that came out before, too"
)
def lstm_cell_not_carried(*args: Any) -> Tensor:
    return _states(_lstm(args, lambda first, now: (now[0], first[1])))


def _losses(x: Tensor, y: Tensor, axis: int = 2) -> Tensor:
    """-log p of the right word of each step that counts, 0 elsewhere: (N, T)."""
    kept = y != -1
    return -x.log_softmax(axis).gather(2, (y * kept)[:, :, None])[:, :, 0] * kept


_SEQUENCES = "the sum over the steps that count is divided by N, the number of sequences, alone"


@slip("temporal softmax", pattern="the sum is divided by the number of steps that count", likely=_SEQUENCES)
def temporal_mean(x: Tensor, y: Tensor) -> Tensor:
    return _losses(x, y).sum() / (y != -1).sum()


@slip("temporal softmax", pattern="the sum is divided by N T", likely=_SEQUENCES)
def temporal_mean_of_all(x: Tensor, y: Tensor) -> Tensor:
    return _losses(x, y).mean()


@slip("temporal softmax", pattern="the loss is the sum over all sequences", likely=_SEQUENCES)
def temporal_sum(x: Tensor, y: Tensor) -> Tensor:
    return _losses(x, y).sum()


def _seen(
    prev_h: Tensor, A: Tensor, scale: float = 1.0, dim: tuple[int, ...] = (1, 2), shared: bool = True
) -> tuple[Tensor, Tensor]:
    """What a state sees of a grid, with scores multiplied by a number and a softmax over these axes of (N, P, Q)."""
    scores = torch.einsum("nh,nhpq->npq", prev_h, A) * scale
    e = scores.exp()
    weights = e / e.sum(dim, keepdim=True) if shared else scores
    return torch.einsum("nhpq,npq->nh", A, weights), weights


_ROOT_OF_H = "the scores are divided by the root of H, the size of the state"
_PLACES = "the weights of a state add up to 1 over all places of its grid"


@slip("attention to a grid", pattern="the scores are not divided", likely=_ROOT_OF_H)
def grid_not_scaled(*args: Any) -> tuple[Tensor, Tensor]:
    return _seen(*args)


@slip("attention to a grid", pattern="the scores are divided by H", likely=_ROOT_OF_H)
def grid_scaled_without_root(*args: Any) -> tuple[Tensor, Tensor]:
    return _seen(*args, scale=1 / args[0].shape[1])


@slip("attention to a grid", pattern="the weights add up to 1 in each column of the grid", likely=_PLACES)
def grid_softmax_over_rows(*args: Any) -> tuple[Tensor, Tensor]:
    return _seen(*args, scale=args[0].shape[1] ** -0.5, dim=(1,))


@slip("attention to a grid", pattern="the weights add up to 1 in each row of the grid", likely=_PLACES)
def grid_softmax_over_columns(*args: Any) -> tuple[Tensor, Tensor]:
    return _seen(*args, scale=args[0].shape[1] ** -0.5, dim=(2,))


# ----------------------------------------------------------------------------------------------------------- attention


def _attended(
    args: Any,
    scale: float | None = None,
    dim: int = -1,
    hide: Callable[[Tensor, Tensor], Tensor] = lambda scores, mask: scores.masked_fill(mask, -1e9),
    share: Callable[[Tensor, Tensor | None], Tensor] = lambda weights, mask: weights,
) -> Any:
    """Attention, with weights where there is a mask: what scores are divided by, the softmax's axis, what masks."""
    query, key, value, *masks = args
    mask = masks[0].bool() if masks else None
    scores = query @ key.mT / (query.shape[-1] ** 0.5 if scale is None else scale)
    weights = share((scores if mask is None else hide(scores, mask)).softmax(dim), mask)
    return weights @ value if mask is None else (weights @ value, weights)


_ROOT_OF_M = "the scores are divided by the root of M, the number of entries of a query"


@slip(*_ATTENTION, pattern="the scores are not divided", likely=_ROOT_OF_M)
def attention_no_scale(*args: Any) -> Any:
    return _attended(args, scale=1.0)


@slip(*_ATTENTION, pattern="the scores are divided by M", likely=_ROOT_OF_M)
def attention_scale_without_root(*args: Any) -> Any:
    return _attended(args, scale=args[0].shape[-1])


@slip(*_ATTENTION, pattern="the scores are divided by the root of the number of places", likely=_ROOT_OF_M)
def attention_scale_of_the_places(*args: Any) -> Any:
    return _attended(args, scale=args[0].shape[-2] ** 0.5)


@slip(
    *_ATTENTION,
    pattern="the weights add up to 1 over the places that ask",
    likely="each query shares its attention among the keys: softmax along the last axis",
)
def attention_softmax_over_queries(*args: Any) -> Any:
    return _attended(args, dim=-2)


@slip(
    *_ATTEND,
    pattern="queries and keys are exchanged",
    likely="the queries ask and the keys are asked: row q of the scores is query q with every key",
)
def attention_exchanged(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return reference.attend(key, query, value)


_MASK = (
    "what is masked has a weight of 0: put a very negative number, -1e9, in the place of its score before the softmax"
)


@slip("attention, masked", pattern="nothing is hidden", likely=_MASK)
def masked_not_at_all(*args: Any) -> Any:
    return _attended(args, hide=lambda scores, mask: scores)


@slip("attention, masked", pattern="the masked scores are 0", likely=_MASK)
def masked_scores_zero(*args: Any) -> Any:
    return _attended(args, hide=lambda scores, mask: scores.masked_fill(mask, 0.0))


@slip("attention, masked", pattern="the masked scores are -1e-9, which is next to 0", likely=_MASK)
def masked_scores_next_to_zero(*args: Any) -> Any:
    return _attended(args, hide=lambda scores, mask: scores.masked_fill(mask, -1e-9))


@slip("attention, masked", pattern="the masked weights are 0, and the others don't add up to 1", likely=_MASK)
def masked_after_softmax(*args: Any) -> Any:
    return _attended(args, hide=lambda scores, mask: scores, share=lambda weights, mask: weights.masked_fill(mask, 0.0))


@slip(
    "attention, masked",
    pattern="what the mask says is to be hidden is all that is seen",
    likely="the mask is inverted: True is what must not be seen",
)
def masked_inverted(*args: Any) -> Any:
    return _attended(args, hide=lambda scores, mask: scores.masked_fill(~mask, -1e9))


def _of_parts(params: Params, x: Tensor) -> list[Tensor]:
    return [functional.linear(x, params[f"{name}_w"], params[f"{name}_b"]) for name in "qkv"]


@slip(
    "self-attention",
    pattern="the scores are divided by the root of the size of x",
    likely="the scores are divided by the root of the size of a query, which need not be that of x",
)
def self_attention_scale_of_x(params: Params, x: Tensor) -> Tensor:
    query, key, value = _of_parts(params, x)
    return _attended((query, key, value), scale=x.shape[-1] ** 0.5)


@slip(
    "multi-head attention",
    pattern="every head is the last one",
    likely="[head] * n is one head n times: make each anew",
)
def multi_head_one_for_all(params: dict[str, Any], x: Tensor) -> Tensor:
    heads = params["heads"]
    return reference.multi_head({**params, "heads": [heads[-1]] * len(heads)}, x)


_EACH_PLACE = "each place has a mean and a variance of its own, over its M entries: the last axis alone"


def _layer(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    eps: float,
    deviation: Callable[[Tensor], Tensor] | None = None,
    *,
    dim: tuple[int, ...] = (-1,),
    correction: int = 0,
    centred: bool = True,
) -> Tensor:
    """Layer norm of which some things are given; the others are right."""
    mean, var = x.mean(dim, keepdim=True), x.var(dim, correction=correction, keepdim=True)
    divided = (x - mean if centred else x) / ((var + eps).sqrt() if deviation is None else deviation(var))
    return gamma * divided + beta


@slip("layer normalization", pattern="epsilon stands outside the root", likely=_OUTSIDE)
def layernorm_epsilon_outside(*args: Any) -> Tensor:
    return _layer(*args, lambda var: var.sqrt() + args[3])


@slip(
    "layer normalization",
    pattern="the deviation is divided by M - 1, and epsilon stands beside it",
    likely="std() of torch divides by M - 1, and epsilon belongs under the root: sqrt(var + eps), with a plain mean",
)
def layernorm_std_and_epsilon(*args: Any) -> Tensor:
    return _layer(*args, lambda var: var.sqrt() + args[3], correction=1)


@slip("layer normalization", pattern="the variance is divided by M - 1", likely=_UNBIASED)
def layernorm_unbiased(*args: Any) -> Tensor:
    return _layer(*args, correction=1)


@slip(
    "layer normalization",
    pattern="epsilon is left out, or so small that it makes no difference",
    likely="add the epsilon that is handed over to the variance",
)
def layernorm_no_epsilon(*args: Any) -> Tensor:
    return _layer(*args, torch.sqrt)


@slip("layer normalization", pattern="x is divided by the variance", likely=_ROOT)
def layernorm_by_variance(*args: Any) -> Tensor:
    return _layer(*args, lambda var: var + args[3])


@slip("layer normalization", pattern="mean and variance are those of a whole sequence", likely=_EACH_PLACE)
def layernorm_over_the_sequence(*args: Any) -> Tensor:
    return _layer(*args, dim=(1, 2))


@slip("layer normalization", pattern="mean and variance are those of the whole array", likely=_EACH_PLACE)
def layernorm_over_everything(*args: Any) -> Tensor:
    return _layer(*args, dim=(0, 1, 2))


def _fed(params: Params, x: Tensor, between: Callable[[Tensor], Tensor]) -> Tensor:
    hidden = between(functional.linear(x, params["w1"], params["b1"]))
    return functional.linear(hidden, params["w2"], params["b2"])


@slip(
    "feed-forward block",
    pattern="the result is that of two linear layers alone",
    likely="the ReLU between the layers is missing",
)
def feed_forward_no_relu(params: Params, x: Tensor) -> Tensor:
    return _fed(params, x, _same)


@slip(
    "mask of what follows",
    pattern="no place sees itself",
    likely="a place sees itself, too: what is after it is hidden",
)
def mask_hides_the_present(seq: Tensor) -> Tensor:
    return torch.ones_like(reference.see_only_before(seq)).triu(0)


@slip("mask of what follows", pattern="what is before a place is hidden", likely="what is after a place is hidden")
def mask_hides_the_past(seq: Tensor) -> Tensor:
    return reference.see_only_before(seq).mT


@slip("mask of what follows", pattern="False is where a place must not look", likely="True is what must not be seen")
def mask_inverted(seq: Tensor) -> Tensor:
    return ~reference.see_only_before(seq)
