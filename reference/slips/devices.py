"""Known slips of the devices: see grader/slips.py for what this file is and how it is read.

What is on the wrong device needs none: it raises, and the line is told.
"""

from __future__ import annotations

import torch
from torch import Tensor

from grader.slips import on_the_way_back, slip

Tree = dict[str, Tensor]
HALF, SINGLE = torch.float16, torch.float32


# -------------------------------------------------------------------------------------------- one hot and positions


@slip(
    "one hot",
    pattern="the rows to ignore have a one in the last class",
    likely="as an index -1 is the last class; compare y with the numbers of the classes",
)
def ignored_is_the_last_class(y: Tensor, like: Tensor) -> Tensor:
    return reference.one_hot(y % like.shape[1], like)


@slip(
    "positions",
    pattern="the places are numbered from 1",
    likely="the first place has the number 0",
)
def positions_from_one(x: Tensor, gain: Tensor) -> Tensor:
    places, features = torch.arange(x.shape[1]).to(x.dtype) + 1, torch.arange(x.shape[2]).to(x.dtype)
    return x + gain * torch.cos(places[:, None] * 100 ** (-features / x.shape[2]))


@slip(
    "positions",
    pattern="the table has the digits of float32",
    likely="integers divided by integers are float32 on torch: make the table with dtype=x.dtype",
)
def table_of_float32(x: Tensor, gain: Tensor) -> Tensor:
    places, features = torch.arange(x.shape[1]), torch.arange(x.shape[2])
    return x + gain * torch.cos(places[:, None] * 100 ** (-features / x.shape[2]))


# --------------------------------------------------------------------------------------------------- masked softmax


def _counts(scores: Tensor, last: Tensor) -> Tensor:
    return torch.arange(scores.shape[1]) <= last[:, None]


@slip(
    "masked softmax",
    pattern="what does not count takes part as if its score were 0",
    likely="a score of zero counts like any other: mask with -inf",
)
def masked_with_zeros(scores: Tensor, last: Tensor) -> Tensor:
    return torch.softmax(scores * _counts(scores, last), dim=1)


@slip(
    "masked softmax",
    pattern="what does not count is zero, and the rest does not sum to 1: the sum went over all scores",
    likely="mask before the softmax, not after it: the sum is over what counts",
)
def masked_afterwards(scores: Tensor, last: Tensor) -> Tensor:
    return torch.softmax(scores, dim=1) * _counts(scores, last)


@slip("masked softmax", pattern="the mask has no effect", likely="use the mask: scores behind last[n] do not count")
def not_masked(scores: Tensor, last: Tensor) -> Tensor:
    return torch.softmax(scores, dim=1)


@slip(
    "masked softmax",
    pattern="only the product p dp is there, not the sum over the row that is taken off it",
    likely="each p depends on every score of its row: p (dp - the sum of dp p over the row)",
)
def softmax_diagonal(scores: Tensor, last: Tensor) -> Tensor:
    p = reference.masked_softmax(scores, last).detach()
    return p + p * (scores - scores.detach())


# -------------------------------------------------------------------------------------------------------- embedding


@slip(
    "embedding",
    pattern="of a code that comes several times only the last place has sent its gradient",
    likely="dw[codes] += dout assigns: of several places with one code the last wins; add with index_add_",
)
def last_place_wins(codes: Tensor, w: Tensor) -> Tensor:
    flat = codes.reshape(-1)
    behind = torch.arange(len(flat))
    again = (flat[:, None] == flat) & (behind[:, None] < behind)
    rows = w[flat]
    return torch.where(again.any(1)[:, None], rows.detach(), rows).reshape(*codes.shape, -1)


# ------------------------------------------------------------------------------------------------------ standardise


@slip(
    "standardise",
    pattern="eps was added to the deviation, behind the root",
    likely="eps is added to the variance, inside the root",
)
def eps_behind_the_root(x: Tensor, eps: float) -> Tensor:
    return (x - x.mean(0)) / (x.std(0, unbiased=False) + eps)


@slip(
    "standardise",
    pattern="the gradient takes the variance for a constant",
    likely="the variance depends on every row too: that is the term with the mean of dout out",
)
def variance_a_constant(x: Tensor, eps: float) -> Tensor:
    return (x - x.mean(0)) / torch.sqrt(x.var(0, unbiased=False).detach() + eps)


@slip(
    "standardise",
    pattern="the gradient takes the mean for a constant",
    likely="the mean depends on every row too: that is the term with the mean of dout",
)
def mean_a_constant(x: Tensor, eps: float) -> Tensor:
    return (x - x.mean(0).detach()) / torch.sqrt(x.var(0, unbiased=False) + eps)


@slip(
    "standardise",
    pattern="the gradient takes mean and variance for constants",
    likely="both depend on every row: the gradient has three terms",
)
def statistics_are_constants(x: Tensor, eps: float) -> Tensor:
    return (x - x.mean(0).detach()) / torch.sqrt(x.var(0, unbiased=False).detach() + eps)


@slip(
    "standardise",
    pattern="the gradient lacks the factor one over the deviation",
    likely="dx is multiplied by 1/sqrt(v + eps), all three terms of it",
)
def deviation_missing(x: Tensor, eps: float) -> Tensor:
    root = torch.sqrt(x.var(0, unbiased=False) + eps).detach()
    return reference.standardise(on_the_way_back(x, lambda g: g * root), eps)


# ------------------------------------------------------------------------------------------------------------- clip


@slip(
    "clip",
    pattern="each array was clipped by its own norm",
    likely="there is one norm, of all arrays together: else the direction of the step changes",
)
def clipped_one_by_one(grads: Tree, limit: float) -> Tree:
    return {name: g * torch.clamp(limit / g.norm(), max=1.0) for name, g in grads.items()}


@slip(
    "clip",
    pattern="gradients that were short enough were made longer",
    likely="the factor is at most 1: clamp it",
)
def clipped_always(grads: Tree, limit: float) -> Tree:
    norm = torch.sqrt(sum((g * g).sum() for g in grads.values()))
    return {name: g * limit / norm for name, g in grads.items()}


@slip("clip", pattern="each entry was cut off at the limit", likely="shorten all by one factor; do not clamp entries")
def clipped_by_value(grads: Tree, limit: float) -> Tree:
    return {name: g.clamp(-limit, limit) for name, g in grads.items()}


@slip(
    "clip",
    pattern="the factor is limit over the square of the norm",
    likely="take the root of the sum of the squares",
)
def clipped_by_the_square(grads: Tree, limit: float) -> Tree:
    square = sum((g * g).sum() for g in grads.values())
    return {name: g * torch.clamp(limit / square, max=1.0) for name, g in grads.items()}


# -------------------------------------------------------------------------------------------------------------- sums


@slip(
    "sum in order",
    pattern="the total has the digits of float64",
    likely="round x to float32 first, and keep the total in float32",
)
def sum_in_float64(x: Tensor) -> Tensor:
    return x.sum(0)


@slip(
    "sum in order",
    pattern="the total is a float32, but was added up in float64",
    likely="round every addition to float32: the total is float32 from the start (cumsum adds up in float64)",
)
def sum_rounded_at_the_end(x: Tensor) -> Tensor:
    return x.sum(0).to(SINGLE).to(x.dtype)


@slip(
    "sum in order",
    pattern="the rows were added up from the last to the first",
    likely="begin with the first row: in float32 the order makes a difference",
)
def sum_backwards(x: Tensor) -> Tensor:
    return reference.sum_in_order(x.flip(0))


@slip(
    "compensated sum",
    pattern="what was lost was handed on with the other sign",
    likely="lost is term - (raised - total): what of the term did not arrive, to be added to the next",
)
def lost_with_the_other_sign(x: Tensor) -> Tensor:
    total = lost = torch.zeros(x.shape[1], dtype=SINGLE)
    for row in x.to(SINGLE):
        term = row + lost
        raised = total + term
        total, lost = raised, (raised - total) - term
    return torch.stack((total, lost)).to(x.dtype)


@slip(
    "compensated sum",
    pattern="the total is that of the plain loop: what was lost never came back",
    likely="add what was lost to the next row, before it is added to the total",
)
def lost_never_handed_on(x: Tensor) -> Tensor:
    total = lost = torch.zeros(x.shape[1], dtype=SINGLE)
    for row in x.to(SINGLE):
        raised = total + row
        total, lost = raised, lost + (row - (raised - total))
    return torch.stack((total, lost)).to(x.dtype)


@slip(
    "compensated sum",
    pattern="what was lost at a row is measured against the row, without what was handed on to it",
    likely="lost is term - (raised - total), of the term that was added and not of the row",
)
def lost_of_the_row(x: Tensor) -> Tensor:
    total = lost = torch.zeros(x.shape[1], dtype=SINGLE)
    for row in x.to(SINGLE):
        raised = total + (row + lost)
        total, lost = raised, row - (raised - total)
    return torch.stack((total, lost)).to(x.dtype)


# -------------------------------------------------------------------------------------------------- mixed precision


def _wide(grads: Tree, scale: Tensor) -> Tree:
    return {name: g.to(HALF).to(scale.dtype) for name, g in grads.items()}


@slip(
    "unscale",
    pattern="the gradients were divided in float16",
    likely="change to the dtype of scale first, then divide: float16 loses the small ones again",
)
def unscaled_in_half(grads: Tree, scale: Tensor) -> tuple[Tree, Tensor]:
    wide, finite = reference.unscale(grads, torch.ones_like(scale))
    return {name: (g.to(HALF) / scale.to(HALF)).to(scale.dtype) for name, g in wide.items()}, finite


@slip(
    "unscale",
    pattern="the scale is still in the gradients",
    likely="divide the gradients by scale",
)
def not_unscaled(grads: Tree, scale: Tensor) -> tuple[Tree, Tensor]:
    return reference.unscale(grads, torch.ones_like(scale))


@slip(
    "unscale",
    pattern="only what had the overflow was set to zero",
    likely="one overflow makes all gradients useless, those of the other arrays too: finite is one truth value",
)
def zeros_array_by_array(grads: Tree, scale: Tensor) -> tuple[Tree, Tensor]:
    every = {name: reference.unscale({name: g}, scale) for name, g in grads.items()}
    return {name: g[name] for name, (g, _) in every.items()}, reference.unscale(grads, scale)[1]


@slip(
    "unscale",
    pattern="only the entries that overflowed were set to zero",
    likely="one overflow makes all gradients useless, those of the other entries too: finite is one truth value",
)
def zeros_entry_by_entry(grads: Tree, scale: Tensor) -> tuple[Tree, Tensor]:
    wide = {name: torch.where(g.isfinite(), g / scale, 0.0) for name, g in _wide(grads, scale).items()}
    return wide, reference.unscale(grads, scale)[1]


@slip(
    "update scale",
    pattern="the scale grows one good step too late",
    likely="this step counts too: compare good + 1 with the interval",
)
def grows_late(scale: Tensor, good: Tensor, finite: Tensor, interval: int) -> tuple[Tensor, Tensor]:
    return reference.update_scale(scale, good, finite, interval + 1)


@slip(
    "update scale",
    pattern="the count goes on where the scale grew",
    likely="set the count back to 0 when the scale grows",
)
def count_goes_on(scale: Tensor, good: Tensor, finite: Tensor, interval: int) -> tuple[Tensor, Tensor]:
    return reference.update_scale(scale, good, finite, interval)[0], torch.where(finite > 0, good + 1, 0)


@slip(
    "update scale",
    pattern="the count survives an overflow",
    likely="after an overflow the count starts again at 0: good steps in a row are asked for",
)
def count_survives(scale: Tensor, good: Tensor, finite: Tensor, interval: int) -> tuple[Tensor, Tensor]:
    new, count = reference.update_scale(scale, good, finite, interval)
    return new, torch.where(finite > 0, count, good)


@slip(
    "update scale",
    pattern="an overflow left the scale as it was",
    likely="halve the scale after an overflow: the next step would overflow again",
)
def kept_at_an_overflow(scale: Tensor, good: Tensor, finite: Tensor, interval: int) -> tuple[Tensor, Tensor]:
    new, count = reference.update_scale(scale, good, finite, interval)
    return torch.where(finite > 0, new, scale), count


@slip(
    "mixed step",
    pattern="the step was made in float16, where small steps are lost",
    likely="the step is for the master weights; their copies in float16 are made of them anew",
)
def step_of_the_halves(params: Tree, grads: Tree, scale: Tensor, lr: float) -> tuple[Tree, Tree, Tensor]:
    wide, finite = reference.unscale(grads, scale)
    halves = {name: (p.to(HALF) - (lr * wide[name]).to(HALF)).to(p.dtype) for name, p in params.items()}
    return halves, halves, finite


@slip(
    "mixed step",
    pattern="the scale is still in the gradients of the step",
    likely="use the gradients that unscale returns",
)
def step_with_the_scale(params: Tree, grads: Tree, scale: Tensor, lr: float) -> tuple[Tree, Tree, Tensor]:
    stepped, halves, _ = reference.mixed_step(params, grads, torch.ones_like(scale), lr)
    return stepped, halves, reference.unscale(grads, scale)[1]


@slip(
    "mixed step",
    pattern="the copies in float16 are of the weights before the step",
    likely="make the copies of the new master weights: the next forward pass uses them",
)
def halves_before_the_step(params: Tree, grads: Tree, scale: Tensor, lr: float) -> tuple[Tree, Tree, Tensor]:
    stepped, _, finite = reference.mixed_step(params, grads, scale, lr)
    return stepped, {name: p.to(HALF).to(p.dtype) for name, p in params.items()}, finite


@slip(
    "mixed step",
    pattern="the copies have the digits of the master weights",
    likely="return the copies in float16",
)
def halves_are_not(params: Tree, grads: Tree, scale: Tensor, lr: float) -> tuple[Tree, Tree, Tensor]:
    stepped, _, finite = reference.mixed_step(params, grads, scale, lr)
    return stepped, stepped, finite
