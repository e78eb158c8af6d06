"""Known slips of the losses and the measures: see grader/slips.py for what this file is and how it is read."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from grader.slips import on_the_way_back, slip, straight_through


def _with_gradient(value: Tensor, x: Tensor, gradient: Tensor) -> Tensor:
    """A loss of this value and of this gradient for x, whatever it is the derivative of."""
    return straight_through(value, (x * gradient.detach()).sum())


# ---------------------------------------------------------------------------------------------------------- mse


@slip("mse", pattern="the gradient is 1/2 of the right one", likely="the square brings a 2 down: 2 r / size")
def mse_factor_two(prediction: Tensor, target: Tensor) -> Tensor:
    return reference.mse(on_the_way_back(prediction, lambda g: g / 2), target)


@slip(
    "mse",
    pattern="the gradient is not divided by the number of entries",
    likely="the 1/size of the mean is in the loss, and belongs in its gradient too",
)
def mse_gradient_without_mean(prediction: Tensor, target: Tensor) -> Tensor:
    return reference.mse(on_the_way_back(prediction, lambda g: g * g.numel()), target)


@slip("mse", pattern="the loss is 1/2 of the right one", likely="no half in front of this mean of squares")
def mse_half_squared(prediction: Tensor, target: Tensor) -> Tensor:
    return reference.mse(prediction, target) / 2


@slip(
    "mse",
    pattern="the squares are divided by the number of rows",
    likely="the mean is over all N M entries, not over the N examples",
)
def mse_mean_over_rows(prediction: Tensor, target: Tensor) -> Tensor:
    return reference.mse(prediction, target) * prediction.shape[1]


@slip("mse", pattern="the loss is the sum of the squares", likely="the loss is their mean: divide by the size")
def mse_sum(prediction: Tensor, target: Tensor) -> Tensor:
    return reference.mse(prediction, target) * prediction.numel()


@slip("mse", pattern="the loss is the root of the right one", likely="this is the RMSE: the MSE has no root")
def mse_root(prediction: Tensor, target: Tensor) -> Tensor:
    right = reference.mse(prediction, target)
    return straight_through(right.sqrt(), right)


# -------------------------------------------------------------------------------------------------------- huber


def _pieces(r: Tensor, near: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    return torch.where(near, inner, outer).mean()


@slip("huber", pattern="the corner is at 1", likely="the corner is at delta, which is given")
def huber_delta_is_one(prediction: Tensor, target: Tensor, delta: float) -> Tensor:
    return reference.huber(prediction, target, 1.0)


@slip(
    "huber",
    pattern="the straight part is delta |r|",
    likely="the straight part lacks its offset: delta (|r| - delta / 2), else the loss jumps at the corner",
)
def huber_jumps(prediction: Tensor, target: Tensor, delta: float) -> Tensor:
    r = prediction - target
    return _pieces(r, r.abs() <= delta, r**2 / 2, delta * r.abs())


@slip(
    "huber",
    pattern="the gradient is cut off above delta and not below -delta",
    likely="clip on both sides: large negative errors have the slope -delta",
)
def huber_not_clipped_below(prediction: Tensor, target: Tensor, delta: float) -> Tensor:
    r = prediction - target
    return _with_gradient(reference.huber(prediction, target, delta), prediction, r.clamp(max=delta) / r.numel())


@slip(
    "huber",
    pattern="the gradient of the straight part is 1 or -1",
    likely="the slope of the straight part is delta sign(r)",
)
def huber_sign_without_delta(prediction: Tensor, target: Tensor, delta: float) -> Tensor:
    r = prediction - target
    gradient = torch.where(r.abs() <= delta, r, r.sign()) / r.numel()
    return _with_gradient(reference.huber(prediction, target, delta), prediction, gradient)


@slip("huber", pattern="the loss is divided by delta", likely="this is the smooth L1 loss: Huber's is delta times it")
def huber_smooth_l1(prediction: Tensor, target: Tensor, delta: float) -> Tensor:
    return reference.huber(prediction, target, delta) / delta


@slip(
    "huber",
    pattern="large negative errors are squared",
    likely="compare the absolute value: |r| <= delta",
)
def huber_squares_below(prediction: Tensor, target: Tensor, delta: float) -> Tensor:
    r = prediction - target
    return _pieces(r, r <= delta, r**2 / 2, delta * (r.abs() - delta / 2))


# ---------------------------------------------------------------------------------------------------------- bce


def _bce(p: Tensor, y: Tensor, epsilon: float) -> Tensor:
    return -(y * (p + epsilon).log() + (1 - y) * (1 - p + epsilon).log()).mean()


_STABLE = "write the loss of the logits without p: log(1 + exp(-|s|)) + max(s, 0) - y s"


@slip("bce", pattern="the logits are cut off at -30 and 30", likely=f"clipping changes the loss: {_STABLE}")
def bce_clips_logits(logits: Tensor, y: Tensor) -> Tensor:
    clipped = logits.detach().clamp(-30, 30)
    gradient = (clipped.sigmoid() - y) / y.numel()
    return _with_gradient(reference.bce(clipped, y), logits, gradient)


@slip("bce", pattern="p is cut off at 1e-12 and 1 - 1e-12", likely=f"clipping changes the loss: {_STABLE}")
def bce_clips_p(logits: Tensor, y: Tensor) -> Tensor:
    return straight_through(_bce(logits.sigmoid().clamp(1e-12, 1 - 1e-12), y, 0.0), reference.bce(logits, y))


_EPSILON = "an epsilon makes another loss: find log p and log(1 - p) as functions of the logits, which need none"


@slip("bce", pattern="the logarithms are log(p + 1e-8) and log(1 - p + 1e-8)", likely=_EPSILON)
def bce_epsilon_in_log(logits: Tensor, y: Tensor) -> Tensor:
    return straight_through(_bce(logits.sigmoid(), y, 1e-8), reference.bce(logits, y))


@slip(
    "bce",
    pattern="the gradient is (p - y) / (p (1 - p)) / size",
    likely="this is the gradient of p: go on through the sigmoid, whose slope is p (1 - p)",
)
def bce_gradient_of_p(logits: Tensor, y: Tensor) -> Tensor:
    p = logits.sigmoid()
    return _with_gradient(reference.bce(logits, y), logits, (p - y) / (p * (1 - p)) / y.numel())


@slip(
    "bce",
    pattern="the gradient is (p - y) p (1 - p) / size",
    likely="the slope of the sigmoid is there once too often: for the logits it has cancelled already",
)
def bce_sigmoid_again(logits: Tensor, y: Tensor) -> Tensor:
    p = logits.sigmoid()
    return _with_gradient(reference.bce(logits, y), logits, (p - y) * p * (1 - p) / y.numel())


@slip(
    "bce",
    pattern="the loss is divided by the number of rows",
    likely="the mean is over all N K labels, not over the N examples",
)
def bce_mean_over_examples(logits: Tensor, y: Tensor) -> Tensor:
    return reference.bce(logits, y) * logits.shape[1]


@slip(
    "bce",
    pattern="the loss is the mean of -y log p",
    likely="the other half is missing: labels of 0 count too, -(1 - y) log(1 - p)",
)
def bce_positives_only(logits: Tensor, y: Tensor) -> Tensor:
    return -(y * torch.nn.functional.logsigmoid(logits)).mean()


# -------------------------------------------------------------------------------------------------- log_softmax


@slip(
    "log_softmax",
    pattern="the gradient is p (dout - sum(dout p))",
    likely="this is the backward of the softmax: that of its logarithm is dout - p sum(dout)",
)
def log_softmax_backward_of_softmax(x: Tensor) -> Tensor:
    return straight_through(reference.log_softmax(x), x.softmax(dim=1))


@slip(
    "log_softmax",
    pattern="the gradient is dout - p",
    likely="p is multiplied by the sum of dout over the row, which is 1 for one-hot labels only",
)
def log_softmax_backward_for_one_hot(x: Tensor) -> Tensor:
    return reference.log_softmax(x.detach()) + on_the_way_back(x - x.detach(), lambda g: g - x.softmax(dim=1).detach())


@slip(
    "log_softmax",
    pattern="the result is log(p + 1e-8)",
    likely="no epsilon: written without p, the logarithm of the softmax needs none",
)
def log_softmax_epsilon(x: Tensor) -> Tensor:
    right = reference.log_softmax(x)
    return straight_through((right.exp() + 1e-8).log(), right)


@slip(
    "log_softmax",
    pattern="elements whose p is 0 are minus infinity",
    likely="don't take the logarithm of p: s - max - log(sum(exp(s - max))) is finite",
)
def log_softmax_of_quotient(x: Tensor) -> Tensor:
    return straight_through(x.softmax(dim=1).log(), reference.log_softmax(x))


@slip(
    "log_softmax",
    pattern="rows far below the largest element are infinite",
    likely="take the maximum of each row off, not that of the matrix: max(axis=1, keepdims=True)",
)
def log_softmax_global_max(x: Tensor) -> Tensor:
    shifted = x - x.max()
    return straight_through(shifted - shifted.exp().sum(dim=1, keepdim=True).log(), reference.log_softmax(x))


@slip(
    "log_softmax",
    pattern="the probabilities of a column add up to 1, those of a row do not",
    likely="normalise over the classes, axis 1",
)
def log_softmax_over_the_batch(x: Tensor) -> Tensor:
    return x.log_softmax(dim=0)


@slip(
    "log_softmax",
    pattern="the gradient is dout - p times the sum of all of dout",
    likely="the sum is over a row: dout.sum(axis=1, keepdims=True)",
)
def log_softmax_sum_over_everything(x: Tensor) -> Tensor:
    p = x.softmax(dim=1).detach()
    return reference.log_softmax(x.detach()) + on_the_way_back(x - x.detach(), lambda g: g - p * g.sum())


# ------------------------------------------------------------------------------------------------ cross_entropy


def _labels(scores: Tensor, y: Tensor, smoothing: float) -> Tensor:
    """Smoothed one-hot rows; those of labels that are no class are without a 1."""
    classes = scores.shape[1]
    right = one_hot(y.long().clamp(0, classes - 1), classes).to(scores)
    right = right * ((y >= 0) & (y < classes))[:, None]
    return (1 - smoothing) * right + smoothing / classes


def _cross_entropy(scores: Tensor, logp: Tensor, q: Tensor, keep: Tensor, count: float) -> Tensor:
    """Loss of these log-probabilities and labels, with the gradient that is usually written for it."""
    keep, by = keep[:, None].to(scores), torch.tensor(count, dtype=scores.dtype)
    gradient = (keep * (logp.exp() - q) / by).detach()
    return -(keep * q * logp).sum().detach() / by + on_the_way_back(scores - scores.detach(), lambda g: gradient).sum()


@slip(
    "cross_entropy",
    pattern="the loss is divided by the number of all examples, the ignored ones too",
    likely="the mean is over the examples that are not ignored: divide by their number",
)
def ce_counts_the_ignored(scores: Tensor, y: Tensor, smoothing: float, ignore: int) -> Tensor:
    return reference.cross_entropy(scores, y, smoothing, ignore) * int((y != ignore).sum()) / len(y)


@slip(
    "cross_entropy",
    pattern="NaN where every example is ignored",
    likely="0 / 0: the loss of no example is 0, and so is its gradient; divide by max(count, 1)",
)
def ce_all_ignored_is_nan(scores: Tensor, y: Tensor, smoothing: float, ignore: int) -> Tensor:
    keep = y != ignore
    return _cross_entropy(scores, scores.log_softmax(dim=1), _labels(scores, y, smoothing), keep, float(keep.sum()))


@slip(
    "cross_entropy",
    pattern="the gradient is divided by the number of all examples, the ignored ones too",
    likely="divide the gradient as the loss: by the number of examples that are not ignored",
)
def ce_gradient_counts_the_ignored(scores: Tensor, y: Tensor, smoothing: float, ignore: int) -> Tensor:
    share = int((y != ignore).sum()) / len(y)
    return reference.cross_entropy(on_the_way_back(scores, lambda g: g * share), y, smoothing, ignore)


@slip(
    "cross_entropy",
    pattern="the logarithm is log(p + 1e-12)",
    likely="no epsilon: the logarithm of the softmax, s - max - log(sum(exp(s - max))), needs none",
)
def ce_epsilon_in_the_log(scores: Tensor, y: Tensor, smoothing: float, ignore: int) -> Tensor:
    keep, logp = y != ignore, (scores.softmax(dim=1) + 1e-12).log()
    loss = _cross_entropy(scores, logp, _labels(scores, y, smoothing), keep, max(int(keep.sum()), 1))
    return straight_through(loss, reference.cross_entropy(scores, y, smoothing, ignore))


@slip(
    "cross_entropy",
    pattern="the log-probabilities are log(p + 1e-8)",
    likely="log_softmax_forward adds an epsilon: it needs none",
)
def ce_epsilon_in_log_softmax(scores: Tensor, y: Tensor, smoothing: float, ignore: int) -> Tensor:
    keep, logp = y != ignore, (scores.log_softmax(dim=1).exp() + 1e-8).log()
    return _cross_entropy(scores, logp, _labels(scores, y, smoothing), keep, max(int(keep.sum()), 1))


@slip(
    "cross_entropy",
    pattern="the log-probabilities are normalised over the examples",
    likely="log_softmax_forward normalises over axis 0: over the classes, axis 1",
)
def ce_over_the_batch(scores: Tensor, y: Tensor, smoothing: float, ignore: int) -> Tensor:
    keep = y != ignore
    q = _labels(scores, y, smoothing)
    return _cross_entropy(scores, scores.log_softmax(dim=0), q, keep, max(int(keep.sum()), 1))


@slip(
    "cross_entropy",
    pattern="labels of -1 are ignored, and those of ignore are not",
    likely="use the number that is given, ignore: it need not be -1",
)
def ce_ignore_is_minus_one(scores: Tensor, y: Tensor, smoothing: float, ignore: int) -> Tensor:
    return reference.cross_entropy(scores, y, smoothing, -1)


@slip(
    "cross_entropy",
    pattern="rows of ignored examples have a gradient",
    likely="what is ignored in the loss has no gradient: multiply by y != ignore",
)
def ce_ignored_rows_pushed(scores: Tensor, y: Tensor, smoothing: float, ignore: int) -> Tensor:
    count, q = max(int((y != ignore).sum()), 1), _labels(scores, y, smoothing)
    right = reference.cross_entropy(scores, y, smoothing, ignore)
    return _with_gradient(right, scores, (scores.softmax(dim=1) - q) / count)


@slip(
    "cross_entropy",
    pattern="a label of -1 counts as the last class, and nothing is ignored",
    likely="leave out the examples whose label is ignore: scores[n, -1] is the last column",
)
def ce_minus_one_is_the_last_class(scores: Tensor, y: Tensor, smoothing: float, ignore: int) -> Tensor:
    return reference.cross_entropy(scores, y % scores.shape[1], smoothing, -100)


@slip("cross_entropy", pattern="the labels are not smoothed", likely="smoothing is not used: it moves the labels")
def ce_smoothing_ignored(scores: Tensor, y: Tensor, smoothing: float, ignore: int) -> Tensor:
    return reference.cross_entropy(scores, y, 0.0, ignore)


@slip(
    "cross_entropy",
    pattern="the gradient is that of labels that are not smoothed",
    likely="smooth the labels in the gradient too: p - q with the same q",
)
def ce_smoothing_in_the_loss_only(scores: Tensor, y: Tensor, smoothing: float, ignore: int) -> Tensor:
    smooth, sharp = (reference.cross_entropy(scores, y, share, ignore) for share in (smoothing, 0.0))
    return straight_through(smooth, sharp)


@slip(
    "cross_entropy",
    pattern="the smoothing is spread over the C - 1 wrong classes",
    likely="it is spread over all C classes, the right one too: smoothing / C each",
)
def ce_smoothing_on_the_wrong_classes(scores: Tensor, y: Tensor, smoothing: float, ignore: int) -> Tensor:
    keep, right = y != ignore, _labels(scores, y, 0.0)
    q = (1 - smoothing) * right + (1 - right) * smoothing / max(scores.shape[1] - 1, 1)
    return _cross_entropy(scores, scores.log_softmax(dim=1), q, keep, max(int(keep.sum()), 1))


# -------------------------------------------------------------------------------------------------------- hinge


def _margins(scores: Tensor, y: Tensor, margin: float = 1.0) -> Tensor:
    """Of the wrong classes, none below 0; 0 for the right one."""
    column = y.long()[:, None]
    return torch.relu(scores - scores.gather(1, column) + margin).scatter(1, column, 0.0)


def _pushed(scores: Tensor, y: Tensor, wrong: Tensor, right: Tensor) -> Tensor:
    """The hinge loss with this gradient for the wrong classes, and this for the right one of each row."""
    gradient = wrong.detach().scatter(1, y.long()[:, None], right.detach()[:, None])
    return _with_gradient(reference.hinge(scores, y), scores, gradient / len(y))


@slip(
    "hinge",
    pattern="the gradient is not divided by the number of examples",
    likely="the 1/N of the mean is in the loss, and belongs in its gradient too",
)
def hinge_gradient_not_averaged(scores: Tensor, y: Tensor) -> Tensor:
    return reference.hinge(on_the_way_back(scores, lambda g: g * len(y)), y)


@slip(
    "hinge",
    pattern="only the largest margin of each example counts",
    likely="every wrong class whose margin is positive counts: the sum, not the maximum",
)
def hinge_largest_only(scores: Tensor, y: Tensor) -> Tensor:
    return _margins(scores, y).amax(dim=1).sum() / len(y)


@slip(
    "hinge",
    pattern="the loss is too large by 1",
    likely="the right class is in the sum, with a margin of 1 for each example: leave it out",
)
def hinge_right_class_not_zeroed(scores: Tensor, y: Tensor) -> Tensor:
    return reference.hinge(scores, y) + 1


@slip(
    "hinge",
    pattern="the gradient of the right class is -1/N in every row",
    likely="the right class gets -1/N for each wrong class whose margin is positive",
)
def hinge_right_class_once(scores: Tensor, y: Tensor) -> Tensor:
    violated = (_margins(scores, y) > 0).double()
    return _pushed(scores, y, violated, -torch.ones(len(y), dtype=torch.float64))


@slip(
    "hinge",
    pattern="the gradient of the right class is 0",
    likely="s[y] is in every margin: the right class gets -1/N for each wrong class whose margin is positive",
)
def hinge_right_class_without_gradient(scores: Tensor, y: Tensor) -> Tensor:
    violated = (_margins(scores, y) > 0).double()
    return _pushed(scores, y, violated, torch.zeros(len(y), dtype=torch.float64))


@slip(
    "hinge",
    pattern="the slope of a positive margin is the margin",
    likely="the slope of max(0, margin) is 1 where the margin is positive",
)
def hinge_slope_is_the_margin(scores: Tensor, y: Tensor) -> Tensor:
    margins = _margins(scores, y)
    return _pushed(scores, y, margins, -margins.sum(dim=1))


@slip(
    "hinge",
    pattern="a margin of exactly 0 has the slope 2",
    likely="at 0 any slope from 0 to 1 will do: it is counted twice there, by >= and by ==",
)
def hinge_slope_two_at_the_kink(scores: Tensor, y: Tensor) -> Tensor:
    column = y.long()[:, None]
    margins = (scores - scores.gather(1, column) + 1).scatter(1, column, -1.0)
    slopes = (margins >= 0).double() + (margins == 0).double()
    return _pushed(scores, y, slopes, -slopes.sum(dim=1))


@slip("hinge", pattern="the margins are squared", likely="this is the squared hinge loss: here the margins are summed")
def hinge_squared(scores: Tensor, y: Tensor) -> Tensor:
    return (_margins(scores, y) ** 2).sum() / len(y)


@slip("hinge", pattern="the margins are without the 1", likely="the margin is s[c] - s[y] + 1")
def hinge_without_margin(scores: Tensor, y: Tensor) -> Tensor:
    return _margins(scores, y, 0.0).sum() / len(y)


# ------------------------------------------------------------------------------------------------------ l2, svm


@slip("l2", pattern="the gradient is 1/2 of the right one", likely="the square brings a 2 down: 2 reg W")
def l2_gradient_of_half(weights: list[Tensor], reg: float) -> Tensor:
    return reference.l2([on_the_way_back(w, lambda g: g / 2) for w in weights], reg)


@slip("l2", pattern="the penalty is 1/2 of the right one", likely="no half in front: reg times the sum of squares")
def l2_half(weights: list[Tensor], reg: float) -> Tensor:
    return reference.l2(weights, reg) / 2


@slip(
    "l2",
    pattern="the last array does not count",
    likely="the penalty is of all weights, those of the last layer too",
)
def l2_last_layer_left_out(weights: list[Tensor], reg: float) -> Tensor:
    nothing = weights[-1].sum() * 0
    return reference.l2(weights[:-1], reg) + nothing if weights[1:] else nothing


@slip("l2", pattern="the last array counts twice", likely="it is in the loop already, and is added again after it")
def l2_last_layer_twice(weights: list[Tensor], reg: float) -> Tensor:
    return straight_through(reference.l2([*weights, weights[-1]], reg), reference.l2(weights, reg))


@slip("l2", pattern="the penalty is reg times the norm", likely="the square of the norm: no root")
def l2_norm(weights: list[Tensor], reg: float) -> Tensor:
    return reg * (reference.l2(weights, reg) / reg).sqrt()


@slip(
    "svm",
    pattern="the penalty's part of dW is 1/2 of the right one",
    likely="the loss has reg times the sum of squares, and the gradient that of half of it: a square brings a 2 down",
)
def svm_penalty_gradient_of_half(params: dict[str, Tensor], x: Tensor, y: Tensor, reg: float) -> Tensor:
    right = reference.svm(params, x, y, reg)
    return straight_through(right, right - reference.l2([params["W"]], reg / 2))


@slip("svm", pattern="the penalty is divided by the number of rows", likely="only the hinge loss is a mean")
def svm_penalty_averaged(params: dict[str, Tensor], x: Tensor, y: Tensor, reg: float) -> Tensor:
    return reference.svm(params, x, y, reg / len(x))


@slip("svm", pattern="the penalty is of b too", likely="W is penalised, and b is not")
def svm_regularised_bias(params: dict[str, Tensor], x: Tensor, y: Tensor, reg: float) -> Tensor:
    return reference.svm(params, x, y, reg) + reference.l2([params["b"]], reg)


@slip("svm", pattern="negative scores count as 0", likely="the scores go into the hinge loss as they are: no ReLU")
def svm_relu_on_scores(params: dict[str, Tensor], x: Tensor, y: Tensor, reg: float) -> Tensor:
    scores = torch.relu(x @ params["W"] + params["b"])
    return reference.hinge(scores, y) + reference.l2([params["W"]], reg)


# ----------------------------------------------------------------------------------------------------- measures


@slip("accuracy", pattern="the number of right predictions", likely="a share is asked for: divide by N")
def accuracy_counts(predicted: Tensor, y: Tensor) -> Tensor:
    return (predicted == y).sum()


@slip("accuracy", pattern="100 times the accuracy", likely="a share between 0 and 1 is asked for, not a percentage")
def accuracy_in_percent(predicted: Tensor, y: Tensor) -> Tensor:
    return 100 * reference.accuracy(predicted, y)


@slip(
    "confusion",
    pattern="every pair that occurs is counted once",
    likely="matrix[y, predicted] += 1 adds once where a pair repeats: use np.add.at, or a loop",
)
def confusion_counts_once(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    return reference.confusion(predicted, y, classes).clamp(max=1)


@slip("confusion", pattern="rows and columns are exchanged", likely="rows are the true classes: matrix[y, predicted]")
def confusion_transposed(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    return reference.confusion(predicted, y, classes).T


def _share(matrix: Tensor, dim: int, empty: float, epsilon: float = 0.0) -> Tensor:
    """The diagonal by the sums over an axis, and `empty` where they are 0."""
    matrix = matrix.double()
    total = matrix.sum(dim=dim)
    return torch.where(total > 0, matrix.diagonal() / (total.clamp(min=1) + epsilon), empty)


@slip(
    "precision",
    pattern="this is the recall",
    likely="the sum is over the wrong axis: divide by what is predicted as c, the column",
)
def precision_is_recall(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    return _share(reference.confusion(predicted, y, classes), 1, 0.0)


@slip("precision", pattern="NaN where a class is never predicted", likely="0 / 0: the precision is 0 there")
def precision_of_nothing_is_nan(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    return _share(reference.confusion(predicted, y, classes), 0, float("nan"))


@slip("precision", pattern="1 where a class is never predicted", likely="the precision of nothing is 0 here")
def precision_of_nothing_is_one(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    return _share(reference.confusion(predicted, y, classes), 0, 1.0)


@slip(
    "recall",
    pattern="this is the precision",
    likely="the sum is over the wrong axis: divide by the examples of class c, the row",
)
def recall_is_precision(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    return _share(reference.confusion(predicted, y, classes), 0, 0.0)


@slip(
    "recall",
    pattern="1e-6 is added to the number of examples",
    likely="no epsilon: no recall is right then; set it to 0 where there are no examples",
)
def recall_epsilon(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    return _share(reference.confusion(predicted, y, classes), 1, 0.0, 1e-6)


@slip("recall", pattern="1 where a class does not occur", likely="the recall of nothing is 0 here")
def recall_of_nothing_is_one(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    return _share(reference.confusion(predicted, y, classes), 1, 1.0)


@slip("recall", pattern="NaN where a class does not occur", likely="0 / 0: the recall is 0 there")
def recall_of_nothing_is_nan(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    return _share(reference.confusion(predicted, y, classes), 1, float("nan"))


@slip(
    "f1",
    pattern="the arithmetic mean of precision and recall",
    likely="F1 is their harmonic mean: 2 P R / (P + R)",
)
def f1_arithmetic_mean(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    return (reference.precision(predicted, y, classes) + reference.recall(predicted, y, classes)) / 2


@slip("f1", pattern="every element is 1/2 of F1", likely="the 2 is missing: 2 P R / (P + R)")
def f1_factor_two(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    return reference.f1(predicted, y, classes) / 2


@slip(
    "macro_f1", pattern="this is the accuracy", likely="F1 over all examples is the accuracy: average F1 over classes"
)
def macro_is_micro(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    return reference.accuracy(predicted, y)


@slip(
    "macro_f1",
    pattern="F1 of the mean precision and the mean recall",
    likely="the mean is of the F1 of the classes",
)
def macro_of_the_means(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    seen = torch.cat([predicted, y]).unique()
    p, r = (measure(predicted, y, classes)[seen].mean() for measure in (reference.precision, reference.recall))
    return 2 * p * r / (p + r)


@slip("macro_f1", pattern="the mean over all classes", likely="classes that occur nowhere don't count in the mean")
def macro_over_all_classes(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    return reference.f1(predicted, y, classes).mean()


@slip(
    "macro_f1",
    pattern="the mean over the classes that occur in y",
    likely="classes that are predicted and never occur count too, with an F1 of 0",
)
def macro_over_classes_of_y(predicted: Tensor, y: Tensor, classes: int) -> Tensor:
    return reference.f1(predicted, y, classes)[y.unique()].mean()
