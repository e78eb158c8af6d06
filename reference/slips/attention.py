"""Known slips of the transformer: see grader/slips.py for what this file is and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from grader.slips import on_the_way_back, slip, straight_through, with_backward

Params = Mapping[str, Any]


def _moved(x: Tensor, to: Tensor) -> Tensor:
    """The value of another tensor, and x's way back: what a backward makes of a cache that holds something else."""
    return straight_through(to, x)


# ----------------------------------------------------------------------------------------------------------- softmax


def _with_shares(scores: Tensor, p: Tensor) -> Tensor:
    """Other shares with the usual backward."""
    p = p.detach()
    return with_backward(p, lambda g: (p * (g - (g * p).sum(dim=-1, keepdim=True)),), scores)


def _pulled(scores: Tensor, back: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The softmax with another backward, made of the upstream gradient and the shares."""
    p = reference.softmax(scores)
    return with_backward(p, lambda g: (back(g, p.detach()),), scores)


_SHARED = "a score changes the shares of all others too: take off the mean of the upstream gradient, weighted by p"


@slip("softmax", pattern="the plain mean of the upstream gradient is taken off", likely=_SHARED)
def softmax_plain_mean(scores: Tensor) -> Tensor:
    return _pulled(scores, lambda g, p: p * (g - g.mean(dim=-1, keepdim=True)))


@slip("softmax", pattern="the plain sum of the upstream gradient is taken off", likely=_SHARED)
def softmax_plain_sum(scores: Tensor) -> Tensor:
    return _pulled(scores, lambda g, p: p * (g - g.sum(dim=-1, keepdim=True)))


@slip("softmax", pattern="the gradient is p (1 - p) times the upstream one", likely=_SHARED)
def softmax_slope_of_the_sigmoid(scores: Tensor) -> Tensor:
    return _pulled(scores, lambda g, p: g * p * (1 - p))


@slip("softmax", pattern="the gradient is p times the upstream one, with nothing taken off", likely=_SHARED)
def softmax_sum_missing(scores: Tensor) -> Tensor:
    return _pulled(scores, lambda g, p: g * p)


@slip(
    "softmax",
    pattern="the weighted mean is taken off, and the rest is not multiplied by p",
    likely="multiply by p at the end",
)
def softmax_p_missing(scores: Tensor) -> Tensor:
    return _pulled(scores, lambda g, p: g - (g * p).sum(dim=-1, keepdim=True))


@slip(
    "softmax",
    pattern="the weighted mean is added",
    likely="the mean of the upstream gradient, weighted by p, is taken off, not added",
)
def softmax_sign(scores: Tensor) -> Tensor:
    return _pulled(scores, lambda g, p: p * (g + (g * p).sum(dim=-1, keepdim=True)))


@slip(
    "softmax",
    pattern="the weighted sum goes over the whole array",
    likely="each row has a weighted mean of its own: sum over the last axis alone, keepdims=True",
)
def softmax_sum_over_all_back(scores: Tensor) -> Tensor:
    return _pulled(scores, lambda g, p: p * (g - (g * p).sum()))


@slip(
    "softmax",
    pattern="the weighted sum goes along the steps that ask",
    likely="the rows are along the last axis: sum over axis -1, not -2",
)
def softmax_sum_over_queries_back(scores: Tensor) -> Tensor:
    return _pulled(scores, lambda g, p: p * (g - (g * p).sum(dim=-2, keepdim=True)))


@slip("softmax", pattern="the upstream gradient is passed on as it is", likely="the backward of the softmax is missing")
def softmax_passed_on(scores: Tensor) -> Tensor:
    return _pulled(scores, lambda g, p: g)


_ROWS = "each row of scores is shared out by itself: the sum is over the last axis"


@slip("softmax", pattern="the shares add up to 1 over the whole array, not in each row", likely=_ROWS)
def softmax_over_all(scores: Tensor) -> Tensor:
    e = (scores - scores.amax(dim=-1, keepdim=True)).exp()
    return _with_shares(scores, e / e.sum())


@slip("softmax", pattern="the shares add up to 1 along the steps that ask", likely=_ROWS)
def softmax_over_queries(scores: Tensor) -> Tensor:
    return scores.softmax(dim=-2)


@slip("softmax", pattern="the numbers are divided by their sum along the steps that ask", likely=_ROWS)
def softmax_divided_over_queries(scores: Tensor) -> Tensor:
    e = (scores - scores.amax(dim=-1, keepdim=True)).exp().detach()
    p = e / e.sum(dim=-2, keepdim=True)
    return with_backward(p, lambda g: (p * (g - (g * p).sum(dim=-2, keepdim=True)),), scores)


@slip(
    "softmax",
    pattern="the shares add up to 1 along the steps that ask, and the gradient sums along the others",
    likely=_ROWS,
)
def softmax_over_queries_forward(scores: Tensor) -> Tensor:
    return _with_shares(scores, scores.softmax(dim=-2))


@slip(
    "softmax",
    pattern="exp of a score above 710 is infinite, and infinite by infinite is NaN",
    likely="subtract the largest score of a row before exp: it changes no share",
)
def softmax_not_stable(scores: Tensor) -> Tensor:
    e = scores.exp()
    return _with_shares(scores, e / e.sum(dim=-1, keepdim=True))


# --------------------------------------------------------------------------------------------------------- attention


def _attended(
    args: tuple[Tensor, Tensor, Tensor, Tensor],
    scores: Callable[[Tensor, Tensor], Tensor],
    shares: Callable[[Tensor, Tensor], Tensor] = lambda p, mask: p,
) -> Tensor:
    """Attention with others for the masked scores, made of q k^T and the mask, and for the shares."""
    q, k, v, mask = args
    return shares(reference.softmax(scores(q @ k.mT, mask)), mask) @ v


def _hidden(scores: Tensor, mask: Tensor) -> Tensor:
    return scores.masked_fill(mask == 0, -torch.inf)


_SCALE = "the scores are divided by the root of K, the number of entries of a query"


@slip("attention", pattern="the scores are not divided", likely=_SCALE)
def attention_no_scale(*args: Tensor) -> Tensor:
    return _attended(args, _hidden)


@slip("attention", pattern="the scores are divided by K", likely=_SCALE)
def attention_scale_without_root(*args: Tensor) -> Tensor:
    return _attended(args, lambda scores, mask: _hidden(scores / args[0].shape[-1], mask))


@slip("attention", pattern="the scores are divided by the root of the number of steps", likely=_SCALE)
def attention_scale_of_the_steps(*args: Tensor) -> Tensor:
    return _attended(args, lambda scores, mask: _hidden(scores / args[1].shape[-2] ** 0.5, mask))


@slip("attention", pattern="the scores are multiplied by the root of K", likely=_SCALE)
def attention_scale_inverted(*args: Tensor) -> Tensor:
    return _attended(args, lambda scores, mask: _hidden(scores * args[0].shape[-1] ** 0.5, mask))


@slip("attention", pattern="the scores are divided by the root of the entries of a value", likely=_SCALE)
def attention_scale_of_the_values(*args: Tensor) -> Tensor:
    return _attended(args, lambda scores, mask: _hidden(scores / args[2].shape[-1] ** 0.5, mask))


@slip(
    "attention",
    pattern="dq and dk are √K times the right ones",
    likely="the scores were divided by √K on the way forward: divide their gradient by it, too",
)
def attention_scale_missing_back(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    root = q.shape[-1] ** 0.5
    q, k = on_the_way_back(q, lambda g: g * root), on_the_way_back(k, lambda g: g * root)
    return reference.attention(q, k, v, mask)


@slip(
    "attention",
    pattern="dq and dk are divided by √K twice",
    likely="the scores were divided by √K once: divide their gradient by it once",
)
def attention_scale_twice_back(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    root = q.shape[-1] ** 0.5
    q, k = on_the_way_back(q, lambda g: g / root), on_the_way_back(k, lambda g: g / root)
    return reference.attention(q, k, v, mask)


def _scaled(args: tuple[Tensor, ...], scores: Tensor) -> Tensor:
    return scores / args[0].shape[-1] ** 0.5


_MASK = "what may not be seen has a share of 0: put -inf in the place of its score before the softmax"


@slip("attention", pattern="every step sees all", likely=_MASK)
def attention_no_mask(*args: Tensor) -> Tensor:
    return _attended(args, lambda scores, mask: _scaled(args, scores))


@slip("attention", pattern="the mask is added to the scores as it is", likely=_MASK)
def attention_mask_added(*args: Tensor) -> Tensor:
    return _attended(args, lambda scores, mask: _scaled(args, scores) + mask)


@slip("attention", pattern="the scores are multiplied by the mask", likely=_MASK)
def attention_masked_scores_zero(*args: Tensor) -> Tensor:
    return _attended(args, lambda scores, mask: _scaled(args, scores) * mask)


@slip("attention", pattern="the gradient of a score that the mask sets to 0 is not 0", likely=_MASK)
def attention_masked_scores_zero_forward(*args: Tensor) -> Tensor:
    return _attended(args, lambda scores, mask: _moved(_scaled(args, scores), _scaled(args, scores) * mask))


@slip("attention", pattern="the shares are multiplied by the mask, and no longer add up to 1", likely=_MASK)
def attention_mask_after_softmax(*args: Tensor) -> Tensor:
    return _attended(args, lambda scores, mask: _scaled(args, scores), lambda p, mask: p * mask)


@slip("attention", pattern="10 is taken off the scores of what may not be seen", likely=_MASK)
def attention_mask_too_weak(*args: Tensor) -> Tensor:
    return _attended(args, lambda scores, mask: _scaled(args, scores) - 10 * (1 - mask))


@slip("attention", pattern="100 is taken off the scores of what may not be seen", likely=_MASK)
def attention_mask_weak(*args: Tensor) -> Tensor:
    return _attended(args, lambda scores, mask: _scaled(args, scores) - 100 * (1 - mask))


@slip(
    "attention",
    pattern="the shares of what may be seen are 0",
    likely="the mask is inverted: 1 is where a step may look",
)
def attention_mask_inverted(*args: Tensor) -> Tensor:
    def hidden(scores: Tensor, mask: Tensor) -> Tensor:
        scaled = _scaled(args, scores)
        # The usual backward goes on to all scores: those without a share have none of the gradient.
        return _moved(scaled, scaled.masked_fill(mask > 0, -1e9))

    return _attended(args, hidden)


def _without(args: tuple[Tensor, ...], p: Callable[[Tensor], Tensor]) -> Tensor:
    """Attention whose shares have another way back from the scores."""
    q, k, v, mask = args
    return p(_hidden(_scaled(args, q @ k.mT), mask)) @ v


@slip(
    "attention",
    pattern="the gradients of q and k are those of scores that are shares as they are",
    likely="the gradient of the shares goes back through the softmax before it comes to the scores",
)
def attention_no_softmax_back(*args: Tensor) -> Tensor:
    q, k, v, mask = args
    scores = _scaled(args, q @ k.mT)
    return _moved(scores, reference.softmax(_hidden(scores, mask))) @ v


@slip(
    "attention",
    pattern="dv is made of the scores' upstream gradient as if every share were 1",
    likely="dv is the transpose of the shares times dout",
)
def attention_dv_without_shares(*args: Tensor) -> Tensor:
    q, k, v, mask = args
    out = reference.attention(q, k, v.detach(), mask)
    return straight_through(out, out + v.sum(dim=-2, keepdim=True))


@slip(
    "attention",
    pattern="the shares add up to 1 along the steps that ask",
    likely="each query shares its attention among the steps that are asked: softmax along the last axis",
)
def attention_softmax_over_queries(*args: Tensor) -> Tensor:
    return _without(args, lambda scores: scores.softmax(dim=-2))


# ------------------------------------------------------------------------------------------- masks, heads, positions


@slip("causal mask", pattern="no step sees itself", likely="a step sees itself, too: the diagonal is 1")
def causal_mask_shifted(x: Tensor) -> Tensor:
    return reference.causal_mask(x).tril(-1)


@slip(
    "causal mask",
    pattern="each step sees the next one",
    likely="a step sees itself and what is before it, nothing later",
)
def causal_mask_one_later(x: Tensor) -> Tensor:
    return torch.ones_like(reference.causal_mask(x)).tril(1)


@slip(
    "causal mask",
    pattern="each step sees itself and what comes later",
    likely="rows ask and columns are asked: a row's ones are at and before its own column",
)
def causal_mask_upper(x: Tensor) -> Tensor:
    return reference.causal_mask(x).T


@slip("causal mask", pattern="1 is where a step may not look", likely="1 is where a step may look, 0 where it may not")
def causal_mask_inverted(x: Tensor) -> Tensor:
    return 1 - reference.causal_mask(x)


_SPLIT = (
    "head h has the entries h K to (h + 1) K of every step: cut the last axis into (heads, K), then exchange the axes "
    "of steps and heads"
)


def _split_by_reshape(x: Tensor, heads: int) -> Tensor:
    N, T, E = x.shape
    return x.reshape(N, heads, T, E // heads)


def _split_interleaved(x: Tensor, heads: int) -> Tensor:
    N, T, E = x.shape
    return x.reshape(N, T, E // heads, heads).permute(0, 3, 1, 2)


def _merge_by_reshape(x: Tensor) -> Tensor:
    N, heads, T, K = x.shape
    return x.reshape(N, T, heads * K)


def _merge_interleaved(x: Tensor) -> Tensor:
    N, heads, T, K = x.shape
    return x.permute(0, 2, 3, 1).reshape(N, T, heads * K)


@slip("split heads", pattern="the numbers of a head are cut out in the order of reading", likely=_SPLIT)
def split_by_reshape(x: Tensor, heads: int) -> Tensor:
    return _split_by_reshape(x, heads)


@slip("split heads", pattern="head h has the entries h, h + heads, h + 2 heads, ...", likely=_SPLIT)
def split_interleaved(x: Tensor, heads: int) -> Tensor:
    return _split_interleaved(x, heads)


_MERGE = (
    "put the heads' entries of a step side by side, head by head: exchange the axes of steps and heads, then reshape"
)


@slip("merge heads", pattern="the numbers are put together in the order of reading", likely=_MERGE)
def merge_by_reshape(x: Tensor) -> Tensor:
    return _merge_by_reshape(x)


@slip("merge heads", pattern="the entries of the heads take turns", likely=_MERGE)
def merge_interleaved(x: Tensor) -> Tensor:
    return _merge_interleaved(x)


@slip("merge heads", pattern="the heads stand in the other order", likely="the first head comes first")
def merge_reversed(x: Tensor) -> Tensor:
    return reference.merge_heads(x.flip(1))


def _encoded(x: Tensor, angles: Tensor, *, cosine_first: bool = False) -> Tensor:
    """Sines of angles (T, pairs) in the even columns, cosines in the odd ones."""
    encoding = torch.empty(x.shape[1:], dtype=x.dtype)
    sines, cosines = (1, 0) if cosine_first else (0, 1)
    encoding[:, sines::2], encoding[:, cosines::2] = angles.sin(), angles.cos()
    return encoding


def _angles(x: Tensor, *, first: int = 0, base: float = 10000.0, power: float = 2.0) -> Tensor:
    """(T, pairs)."""
    steps = torch.arange(first, first + x.shape[1], dtype=x.dtype)
    return steps[:, None] / base ** (power * torch.arange(x.shape[2] // 2, dtype=x.dtype) / x.shape[2])


@slip(
    "positions",
    pattern="the cosines stand in the even columns",
    likely="sines in the even columns, cosines in the odd ones",
)
def positions_cosine_first(x: Tensor) -> Tensor:
    return _encoded(x, _angles(x), cosine_first=True)


@slip("positions", pattern="the first row is that of step 1", likely="the first step is step 0")
def positions_from_one(x: Tensor) -> Tensor:
    return _encoded(x, _angles(x, first=1))


_FREQUENCY = "the exponent of pair i is 2i/D: sine and cosine of a pair have one frequency"


@slip("positions", pattern="the exponent of pair i is i/D", likely=_FREQUENCY)
def positions_half_the_exponent(x: Tensor) -> Tensor:
    return _encoded(x, _angles(x, power=1.0))


@slip("positions", pattern="the exponent of pair i is 4i/D", likely=_FREQUENCY)
def positions_twice_the_exponent(x: Tensor) -> Tensor:
    return _encoded(x, _angles(x, power=4.0))


def _own_angles(x: Tensor, power: float) -> Tensor:
    D = x.shape[2]
    angles = torch.arange(x.shape[1], dtype=x.dtype)[:, None] / 10000 ** (power * torch.arange(D, dtype=x.dtype) / D)
    encoding = angles.sin()
    encoding[:, 1::2] = angles[:, 1::2].cos()
    return encoding


@slip("positions", pattern="every column has a frequency of its own, of exponent i/D", likely=_FREQUENCY)
def positions_own_angle_each(x: Tensor) -> Tensor:
    return _own_angles(x, 1.0)


@slip("positions", pattern="every column has a frequency of its own, of exponent 2i/D", likely=_FREQUENCY)
def positions_own_angle_each_twice(x: Tensor) -> Tensor:
    return _own_angles(x, 2.0)


@slip(
    "positions",
    pattern="all sines come first and then all cosines",
    likely="sine and cosine of a pair stand side by side: sines in the even columns, cosines in the odd ones",
)
def positions_in_two_halves(x: Tensor) -> Tensor:
    return torch.cat([_angles(x).sin(), _angles(x).cos()], dim=1)


@slip(
    "positions",
    pattern="the angles are multiplied where they must be divided",
    likely="the angle of pair i is t / 10000 ** (2i/D)",
)
def positions_multiplied(x: Tensor) -> Tensor:
    return _encoded(x, _angles(x, power=-2.0))


@slip("positions", pattern="the base is 1000", likely="the base is 10000")
def positions_base(x: Tensor) -> Tensor:
    return _encoded(x, _angles(x, base=1000.0))


# -------------------------------------------------------------------------------------------------------- multi-head


def _heads(
    params: Params,
    x: Tensor,
    mask: Tensor,
    heads: int,
    split: Callable[[Tensor, int], Tensor] | None = None,
    merge: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Multi-head attention of another split and merge, which the usual backward calls too: each undoes the other."""
    split, merge = split or reference.split_heads, merge or reference.merge_heads
    projected = [x @ params[name] for name in ("wq", "wk", "wv")]
    q, k, v = (with_backward(split(one, heads), lambda g: (merge(g),), one) for one in projected)
    attended = reference.attention(q, k, v, mask)
    return with_backward(merge(attended), lambda g: (split(g, heads),), attended) @ params["wo"]


@slip("multi-head", pattern="split_heads cuts in the order of reading", likely="in split heads: " + _SPLIT)
def multi_head_split_by_reshape(params: Params, x: Tensor, mask: Tensor, heads: int) -> Tensor:
    return _heads(params, x, mask, heads, _split_by_reshape)


@slip("multi-head", pattern="split_heads deals the entries out in turn", likely="in split heads: " + _SPLIT)
def multi_head_split_interleaved(params: Params, x: Tensor, mask: Tensor, heads: int) -> Tensor:
    return _heads(params, x, mask, heads, _split_interleaved)


@slip("multi-head", pattern="merge_heads puts together in the order of reading", likely="in merge heads: " + _MERGE)
def multi_head_merge_by_reshape(params: Params, x: Tensor, mask: Tensor, heads: int) -> Tensor:
    return _heads(params, x, mask, heads, merge=_merge_by_reshape)


@slip(
    "multi-head",
    pattern="split_heads and merge_heads go by the order of reading",
    likely="in split heads: " + _SPLIT + "; merge_heads the other way round",
)
def multi_head_by_reshape(params: Params, x: Tensor, mask: Tensor, heads: int) -> Tensor:
    return _heads(params, x, mask, heads, _split_by_reshape, _merge_by_reshape)


@slip(
    "multi-head",
    pattern="split_heads and merge_heads deal the entries out in turn",
    likely="in split heads: " + _SPLIT + "; merge_heads the other way round",
)
def multi_head_interleaved(params: Params, x: Tensor, mask: Tensor, heads: int) -> Tensor:
    return _heads(params, x, mask, heads, _split_interleaved, _merge_interleaved)


@slip(
    "multi-head",
    pattern="the result is that of one head",
    likely="split queries, keys and values into `heads` heads before they attend",
)
def multi_head_one_head(params: Params, x: Tensor, mask: Tensor, heads: int) -> Tensor:
    return reference.multi_head(params, x, mask, 1)


def _dx_of(params: Params, x: Tensor, mask: Tensor, heads: int, names: str) -> Tensor:
    """The way back to x from some of the three products alone."""
    seen = {"w" + name: x if name in names else x.detach() for name in "qkv"}
    q, k, v = (reference.split_heads(seen[name] @ params[name], heads) for name in ("wq", "wk", "wv"))
    return reference.merge_heads(reference.attention(q, k, v, mask)) @ params["wo"]


_THREE = "x went into queries, keys and values: dx is the sum of what comes back from all three (+=)"


@slip("multi-head", pattern="dx comes from the values alone", likely=_THREE)
def multi_head_dx_of_values(params: Params, x: Tensor, mask: Tensor, heads: int) -> Tensor:
    return _dx_of(params, x, mask, heads, "v")


@slip("multi-head", pattern="dx comes from the queries alone", likely=_THREE)
def multi_head_dx_of_queries(params: Params, x: Tensor, mask: Tensor, heads: int) -> Tensor:
    return _dx_of(params, x, mask, heads, "q")


@slip("multi-head", pattern="dx comes from queries and keys, not from the values", likely=_THREE)
def multi_head_dx_without_values(params: Params, x: Tensor, mask: Tensor, heads: int) -> Tensor:
    return _dx_of(params, x, mask, heads, "qk")


@slip(
    "multi-head",
    pattern="the gradient of the values is the shares times dout",
    likely="in attention: dv is the transpose of the shares times dout; without it, it fits where T is S",
)
def multi_head_dv_without_transpose(params: Params, x: Tensor, mask: Tensor, heads: int) -> Tensor:
    q, k, v = (reference.split_heads(x @ params[name], heads) for name in ("wq", "wk", "wv"))
    shares = reference.softmax(_hidden(q @ k.mT / q.shape[-1] ** 0.5, mask))
    dv = with_backward(torch.zeros_like(v), lambda g: (shares.detach() @ g,), v)
    return reference.merge_heads(shares @ v.detach() + dv) @ params["wo"]


@slip(
    "multi-head",
    pattern="the gradients of the queries and of the keys have changed places",
    likely="attention_backward returns dq, dk, dv in this order",
)
def multi_head_queries_and_keys_swapped(params: Params, x: Tensor, mask: Tensor, heads: int) -> Tensor:
    kept: list[Tensor] = []

    def attended(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        def back(g: Tensor) -> tuple[Tensor, ...]:
            with torch.enable_grad():
                own = [one.detach().requires_grad_() for one in (q, k, v)]
                kept[:] = torch.autograd.grad(reference.attention(*own, mask), own, g)
            return kept[1], kept[0], kept[2]

        return with_backward(reference.attention(q, k, v, mask), back, q, k, v)

    q, k, v = (reference.split_heads(x @ params[name], heads) for name in ("wq", "wk", "wv"))
    return reference.merge_heads(attended(q, k, v)) @ params["wo"]


# -------------------------------------------------------------------------------------------------------- layer norm


def _normed(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    eps: float,
    deviation: Callable[[Tensor, float], Tensor] = lambda var, eps: (var + eps).sqrt(),
    *,
    dim: tuple[int, ...] = (-1,),
    ddof: int = 0,
    usual: bool = False,
) -> Tensor:
    """Layer norm by another deviation or over other axes; with the usual backward, or the one that belongs to it."""
    mean, var = x.mean(dim=dim, keepdim=True), x.var(dim=dim, keepdim=True, correction=ddof)
    size = deviation(var, eps)
    xhat = (x - mean) / size
    value = gamma * xhat + beta
    return _usual(value, x, gamma, beta, xhat.detach(), size.detach()) if usual else value


def _mean(x: Tensor) -> Tensor:
    return x.mean(dim=-1, keepdim=True)


def _usual(
    value: Tensor,
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    xhat: Tensor,
    size: Tensor,
    mean: Callable[[Tensor], Tensor] = _mean,
    cross: Callable[[Tensor], Tensor] = _mean,
    before: bool = True,
    after: bool = False,
) -> Tensor:
    """A value with the usual backward of a layer norm, or with others for the two means in its dx."""

    def back(g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        own = g * gamma if before else g
        dx = (own - mean(own) - xhat * cross(own * xhat)) / size
        return dx * gamma if after else dx, (g * xhat).sum(dim=(0, 1)), g.sum(dim=(0, 1))

    return with_backward(value, back, x, gamma, beta)


_OUTSIDE = "epsilon belongs under the root, to the variance: sqrt(var + eps)"
_NO_EPSILON = "epsilon is missing: sqrt(var + eps)"
_FIXED = "use the epsilon that is handed over, not one of your own"
_ROOT = "divide by the standard deviation, the root of var + eps, not by the variance"
_UNBIASED = "the variance is divided by D, not by one less (ddof = 0)"
_EACH_STEP = "each step has a mean and a variance of its own, over its D entries: the last axis alone"


@slip("layer norm", pattern="epsilon stands outside the root", likely=_OUTSIDE)
def norm_epsilon_outside(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _normed(x, gamma, beta, eps, lambda var, eps: var.sqrt() + eps, usual=True)


@slip("layer norm", pattern="epsilon stands outside the root, forward and backward", likely=_OUTSIDE)
def norm_epsilon_outside_both_ways(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _normed(x, gamma, beta, eps, lambda var, eps: var.sqrt() + eps)


@slip("layer norm", pattern="epsilon is left out", likely=_NO_EPSILON)
def norm_no_epsilon(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _normed(x, gamma, beta, eps, lambda var, eps: var.sqrt())


@slip("layer norm", pattern="epsilon is 1e-5", likely=_FIXED)
def norm_epsilon_1e5(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return reference.layer_norm(x, gamma, beta, 1e-5)


@slip("layer norm", pattern="epsilon is 1e-8", likely=_FIXED)
def norm_epsilon_1e8(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return reference.layer_norm(x, gamma, beta, 1e-8)


@slip("layer norm", pattern="x is divided by the variance", likely=_ROOT)
def norm_by_variance(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _normed(x, gamma, beta, eps, lambda var, eps: var + eps, usual=True)


@slip("layer norm", pattern="x is divided by the variance, forward and backward", likely=_ROOT)
def norm_by_variance_both_ways(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _normed(x, gamma, beta, eps, lambda var, eps: var + eps)


@slip("layer norm", pattern="the variance is divided by D - 1", likely=_UNBIASED)
def norm_unbiased(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _normed(x, gamma, beta, eps, ddof=1, usual=True)


@slip("layer norm", pattern="the variance is divided by D - 1, forward and backward", likely=_UNBIASED)
def norm_unbiased_both_ways(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _normed(x, gamma, beta, eps, ddof=1)


@slip("layer norm", pattern="mean and variance are those of each entry, over the sequences", likely=_EACH_STEP)
def norm_over_the_batch(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _normed(x, gamma, beta, eps, dim=(0,))


@slip("layer norm", pattern="mean and variance are those of each entry, over the steps", likely=_EACH_STEP)
def norm_over_the_steps(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _normed(x, gamma, beta, eps, dim=(1,))


@slip("layer norm", pattern="mean and variance are those of a whole sequence", likely=_EACH_STEP)
def norm_over_the_sequence(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return _normed(x, gamma, beta, eps, dim=(1, 2))


@slip("layer norm", pattern="the mean is not subtracted", likely="subtract the mean before you divide")
def norm_mean_kept(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return gamma * x / (x.var(dim=-1, keepdim=True, unbiased=False) + eps).sqrt() + beta


@slip("layer norm", pattern="the result is without gamma", likely="multiply the normalised x by gamma")
def norm_no_gamma(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    right = reference.layer_norm(x, gamma, beta, eps)
    return straight_through(reference.layer_norm(x, torch.ones_like(gamma), beta, eps), right)


@slip("layer norm", pattern="the result is without beta", likely="add beta at the end")
def norm_no_beta(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    right = reference.layer_norm(x, gamma, beta, eps)
    return straight_through(right - beta, right)


def _pulled_norm(args: tuple[Tensor, Tensor, Tensor, float], **others: Any) -> Tensor:
    """The right layer norm with others for the two means in its dx."""
    x, gamma, beta, eps = args
    size = (x.var(dim=-1, keepdim=True, unbiased=False) + eps).sqrt().detach()
    xhat = ((x - _mean(x)) / size).detach()
    return _usual(reference.layer_norm(x, gamma, beta, eps), x, gamma, beta, xhat, size, **others)


_MEANS = "dx holds two means over the D entries of a step: of dxhat, and of dxhat * xhat"


@slip("layer norm", pattern="dx has sums where two means belong", likely=_MEANS + "; divide the sums by D")
def norm_sums(*args: Any) -> Tensor:
    total = {name: lambda x: x.sum(dim=-1, keepdim=True) for name in ("mean", "cross")}
    return _pulled_norm(args, **total)


@slip(
    "layer norm",
    pattern="the two means in dx are over all steps",
    likely=_MEANS + "; each step has its own (keepdims=True)",
)
def norm_means_over_all(*args: Any) -> Tensor:
    return _pulled_norm(args, mean=torch.mean, cross=torch.mean)


@slip(
    "layer norm", pattern="the two means in dx are over the sequences", likely=_MEANS + "; over the batch is batch norm"
)
def norm_means_over_batch(*args: Any) -> Tensor:
    return _pulled_norm(args, **{name: lambda x: x.mean(dim=0) for name in ("mean", "cross")})


def _nothing(x: Tensor) -> Tensor:
    return torch.zeros_like(x[..., :1])


@slip(
    "layer norm",
    pattern="dx is that of a constant mean and variance",
    likely="mean and variance depend on x too: two terms of dx are missing, which go back through them",
)
def norm_constants(*args: Any) -> Tensor:
    return _pulled_norm(args, mean=_nothing, cross=_nothing)


@slip(
    "layer norm",
    pattern="dx is that of a constant variance",
    likely="the variance depends on x too: the term of dx that goes back through it is missing",
)
def norm_variance_constant(*args: Any) -> Tensor:
    return _pulled_norm(args, cross=_nothing)


@slip(
    "layer norm",
    pattern="dx is that of a constant mean",
    likely="the mean depends on x too: the term of dx that goes back through it is missing",
)
def norm_mean_constant(*args: Any) -> Tensor:
    return _pulled_norm(args, mean=_nothing)


@slip(
    "layer norm",
    pattern="the term of the mean has the other sign in dx",
    likely="both terms that go back through mean and variance are subtracted",
)
def norm_mean_sign(*args: Any) -> Tensor:
    return _pulled_norm(args, mean=lambda x: -_mean(x))


@slip(
    "layer norm",
    pattern="the term of the variance has the other sign in dx",
    likely="both terms that go back through mean and variance are subtracted",
)
def norm_variance_sign(*args: Any) -> Tensor:
    return _pulled_norm(args, cross=lambda x: -_mean(x))


_GAMMA = "dx goes through gamma first: put dxhat = dout * gamma wherever dx needs dout"


@slip("layer norm", pattern="dx is without gamma", likely=_GAMMA)
def norm_gamma_missing_back(*args: Any) -> Tensor:
    return _pulled_norm(args, before=False)


@slip("layer norm", pattern="dx is multiplied by gamma at the end", likely=_GAMMA)
def norm_gamma_last(*args: Any) -> Tensor:
    return _pulled_norm(args, before=False, after=True)


@slip(
    "layer norm",
    pattern="dgamma is that of x",
    likely="dgamma is the sum of dout times the normalised x, not x",
)
def norm_dgamma_of_x(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    right = reference.layer_norm(x, gamma.detach(), beta, eps)
    return straight_through(right, right + gamma * x.detach())


# ------------------------------------------------------------------------------------------------------ affine, gelu


def _averaged(args: tuple[Tensor, Tensor, Tensor], which: str, count: int) -> Tensor:
    x, w, b = args
    w = on_the_way_back(w, lambda g: g / count) if "w" in which else w
    return reference.affine(x, w, on_the_way_back(b, lambda g: g / count) if "b" in which else b)


_SUM = "the gradients of w and b are sums over sequences and steps, not means"


@slip("affine", pattern="db is divided by N T", likely=_SUM)
def affine_db_mean(*args: Tensor) -> Tensor:
    return _averaged(args, "b", args[0].shape[0] * args[0].shape[1])


@slip("affine", pattern="dw and db are divided by N", likely=_SUM)
def affine_mean_over_sequences(*args: Tensor) -> Tensor:
    return _averaged(args, "wb", len(args[0]))


@slip("affine", pattern="dw and db are divided by N T", likely=_SUM)
def affine_mean_over_places(*args: Tensor) -> Tensor:
    return _averaged(args, "wb", args[0].shape[0] * args[0].shape[1])


@slip("affine", pattern="the result is without b", likely="b is not added")
def affine_no_bias(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return straight_through(x @ w, reference.affine(x, w, b))


_ROOT_TWO_BY_PI = (2 / torch.pi) ** 0.5


def _gelu_slope(x: Tensor, slope: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The GELU with another slope, made of x and of the tanh."""
    t = torch.tanh(_ROOT_TWO_BY_PI * (x + 0.044715 * x**3))
    return straight_through(reference.gelu(x), x * slope(x, t).detach())


@slip(
    "gelu",
    pattern="the slope of x³ is x²",
    likely="the slope of 0.044715 x³ has a factor of 3",
)
def gelu_cube_without_three(x: Tensor) -> Tensor:
    return _gelu_slope(x, lambda x, t: (1 + t) / 2 + x / 2 * (1 - t**2) * _ROOT_TWO_BY_PI * (1 + 0.044715 * x**2))


@slip(
    "gelu",
    pattern="the slope is that of a constant tanh",
    likely="x stands in two factors, x/2 and the tanh: the slope has two terms",
)
def gelu_first_factor_only(x: Tensor) -> Tensor:
    return _gelu_slope(x, lambda x, t: (1 + t) / 2)


@slip(
    "gelu",
    pattern="the slope is that of the tanh alone",
    likely="x stands in two factors, x/2 and the tanh: the slope has two terms",
)
def gelu_second_factor_only(x: Tensor) -> Tensor:
    return _gelu_slope(x, lambda x, t: x / 2 * (1 - t**2) * _ROOT_TWO_BY_PI * (1 + 3 * 0.044715 * x**2))


@slip(
    "gelu",
    pattern="the slope lacks that of what the tanh is taken of",
    likely="the chain rule goes on inside the tanh: the slope of √(2/π) (x + 0.044715 x³) is missing",
)
def gelu_inner_slope_missing(x: Tensor) -> Tensor:
    return _gelu_slope(x, lambda x, t: (1 + t) / 2 + x / 2 * (1 - t**2))


@slip(
    "gelu",
    pattern="the slope of the tanh is 1",
    likely="the slope of tanh is missing: one minus the square of its result",
)
def gelu_tanh_slope_missing(x: Tensor) -> Tensor:
    return _gelu_slope(x, lambda x, t: (1 + t) / 2 + x / 2 * _ROOT_TWO_BY_PI * (1 + 3 * 0.044715 * x**2))


@slip(
    "gelu", pattern="negative elements are 0, the others are x", likely="this is a ReLU: the GELU goes through a tanh"
)
def gelu_relu(x: Tensor) -> Tensor:
    return torch.relu(x)


@slip(
    "gelu",
    pattern="the result is x times the normal distribution",
    likely="use the formula with tanh: the two differ by up to a thousandth",
)
def gelu_exact(x: Tensor) -> Tensor:
    return torch.nn.functional.gelu(x)


@slip(
    "gelu",
    pattern="the result is x times a sigmoid of 1.702 x",
    likely="use the formula with tanh: this is another approximation",
)
def gelu_by_sigmoid(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


@slip("gelu", pattern="the result is twice the right one", likely="the half of x/2 is missing")
def gelu_no_half(x: Tensor) -> Tensor:
    return 2 * reference.gelu(x)


# ------------------------------------------------------------------------------------------------------------- block


def _norm(params: Params, x: Tensor, eps: float) -> Tensor:
    return reference.layer_norm(x, params["gamma"], params["beta"], eps)


def _mlp(params: Params, x: Tensor) -> Tensor:
    hidden = reference.affine(x, params["w1"], params["b1"])
    return reference.affine(reference.gelu(hidden), params["w2"], params["b2"])


def _block(
    args: tuple[Params, Tensor, Tensor, int, float],
    *,
    past_first: Callable[[Tensor], Tensor] = lambda x: x,
    past_second: Callable[[Tensor], Tensor] = lambda y: y,
    into_second: Callable[[Params, Tensor, Tensor, float], Tensor] = lambda params, x, y, eps: _norm(
        params["norm2"], y, eps
    ),
) -> Tensor:
    """The block with something done to what goes past a detour, or into the second one."""
    params, x, mask, heads, eps = args
    y = past_first(x) + reference.multi_head(params["attention"], _norm(params["norm1"], x, eps), mask, heads)
    return past_second(y) + _mlp(params["mlp"], into_second(params, x, y, eps))


_PAST = "what goes past a detour (x + ...) is a way back, too: "


@slip(
    "block",
    pattern="no gradient goes back past the first detour",
    likely=_PAST + "add the gradient of the first sum to dx",
)
def block_first_residual_dropped(*args: Any) -> Tensor:
    return _block(args, past_first=Tensor.detach)


@slip(
    "block",
    pattern="no gradient goes back past the second detour",
    likely=_PAST + "add dout to what comes out of the second detour",
)
def block_second_residual_dropped(*args: Any) -> Tensor:
    return _block(args, past_second=Tensor.detach)


@slip(
    "block",
    pattern="no gradient goes back past the detours",
    likely=_PAST + "add what comes from above to what comes out of each detour",
)
def block_residuals_dropped(*args: Any) -> Tensor:
    return _block(args, past_first=Tensor.detach, past_second=Tensor.detach)


@slip(
    "block",
    pattern="dout is added to dx, where the gradient of the first sum belongs",
    likely="past the first detour goes the whole gradient of the first sum: that past and through the second",
)
def block_residual_of_dout(*args: Any) -> Tensor:
    x = args[1]
    return _block(args, past_first=Tensor.detach) + (x - x.detach())


_WHOLE = "past a detour goes x as it is: x + f(norm(x)), not norm(x) + f(norm(x))"


@slip("block", pattern="past the first detour goes the normed x", likely=_WHOLE)
def block_residual_of_the_norm(*args: Any) -> Tensor:
    params, _, _, _, eps = args
    # The usual backward hands the gradient of the sum to x.
    return _block(args, past_first=lambda x: _moved(x, _norm(params["norm1"], x, eps)))


@slip(
    "block",
    pattern="the gradients are those of a block in which the normed x goes past the first detour",
    likely=_WHOLE,
)
def block_residual_of_the_norm_both_ways(*args: Any) -> Tensor:
    params, _, _, _, eps = args
    return _block(args, past_first=lambda x: _norm(params["norm1"], x, eps))


@slip(
    "block",
    pattern="the second norm has gamma and beta of the first",
    likely="the second norm has parameters of its own, norm2",
)
def block_same_norm_twice(*args: Any) -> Tensor:
    def normed(params: Params, x: Tensor, y: Tensor, eps: float) -> Tensor:
        norm1, norm2 = params["norm1"], params["norm2"]
        gamma, beta = (_moved(norm2[name], norm1[name]) for name in ("gamma", "beta"))
        return reference.layer_norm(y, gamma, beta, eps)

    return _block(args, into_second=normed)


_FIRST_SUM = "the second detour starts from the first sum, not from x"


@slip("block", pattern="x goes into the second detour", likely=_FIRST_SUM)
def block_second_detour_from_x(*args: Any) -> Tensor:
    # The usual backward goes back through the norm of x to the first sum.
    return _block(args, into_second=lambda params, x, y, eps: _norm(params["norm2"], _moved(y, x), eps))


@slip("block", pattern="x goes into the second detour, forward and backward", likely=_FIRST_SUM)
def block_second_detour_from_x_both_ways(*args: Any) -> Tensor:
    return _block(args, into_second=lambda params, x, y, eps: _norm(params["norm2"], x, eps))


_BEFORE = "the norms stand before the detours: x + f(norm(x)); after the sums they normalise what should go past"


@slip("block", pattern="the norms stand after the sums", likely=_BEFORE)
def block_normed_after(params: Params, x: Tensor, mask: Tensor, heads: int, eps: float) -> Tensor:
    # The usual backward, on what this forward kept.
    first = x + reference.multi_head(params["attention"], x, mask, heads)
    y = _norm(params["norm1"], first, eps)
    second = y + _mlp(params["mlp"], y)
    value = _norm(params["norm2"], second, eps)
    into = _moved(_norm(params["norm1"], _moved(x, first), eps), x)
    sum_one = _moved(x + reference.multi_head(params["attention"], into, mask, heads), y)
    detour = _moved(_norm(params["norm2"], _moved(sum_one, second), eps), y)
    return straight_through(value, sum_one + _mlp(params["mlp"], detour))


@slip("block", pattern="the gradients are those of a block whose norms stand after the sums", likely=_BEFORE)
def block_normed_after_both_ways(params: Params, x: Tensor, mask: Tensor, heads: int, eps: float) -> Tensor:
    y = _norm(params["norm1"], x + reference.multi_head(params["attention"], x, mask, heads), eps)
    return _norm(params["norm2"], y + _mlp(params["mlp"], y), eps)


@slip("block", pattern="there is no norm before the attention", likely="the attention sees the normed x")
def block_no_first_norm(params: Params, x: Tensor, mask: Tensor, heads: int, eps: float) -> Tensor:
    y = x + reference.multi_head(params["attention"], x, mask, heads)
    return y + _mlp(params["mlp"], _norm(params["norm2"], y, eps))


@slip(
    "block",
    pattern="there is nothing that goes past the first detour",
    likely="add x to what comes out of the attention",
)
def block_no_first_residual(*args: Any) -> Tensor:
    return _block(args, past_first=torch.zeros_like)


@slip(
    "block",
    pattern="there is nothing that goes past the second detour",
    likely="add the first sum to what comes out of the second detour",
)
def block_no_second_residual(*args: Any) -> Tensor:
    return _block(args, past_second=torch.zeros_like)


@slip("block", pattern="every step sees all", likely="hand the mask on to the attention")
def block_no_mask(params: Params, x: Tensor, mask: Tensor, heads: int, eps: float) -> Tensor:
    return reference.block(params, x, torch.ones_like(mask), heads, eps)


# -------------------------------------------------------------------------------------------------- loss, the network


@slip(
    "loss",
    pattern="loss and gradient are T times the right ones",
    likely="the mean is over sequences and steps: divide by N T",
)
def loss_mean_over_sequences(scores: Tensor, y: Tensor) -> Tensor:
    return reference.sequence_loss(scores, y) * y.shape[1]


@slip(
    "loss",
    pattern="loss and gradient are sums over sequences and steps",
    likely="the mean is over sequences and steps: divide by N T",
)
def loss_sum(scores: Tensor, y: Tensor) -> Tensor:
    return reference.sequence_loss(scores, y) * y.numel()


@slip(
    "loss",
    pattern="the gradient is a sum over sequences and steps",
    likely="the mean of the loss belongs in its gradient too: divide by N T",
)
def loss_gradient_sum(scores: Tensor, y: Tensor) -> Tensor:
    return reference.sequence_loss(on_the_way_back(scores, lambda g: g * y.numel()), y)


@slip(
    "loss",
    pattern="the gradient is T times the right one",
    likely="the mean of the loss belongs in its gradient too: divide by N T",
)
def loss_gradient_over_sequences(scores: Tensor, y: Tensor) -> Tensor:
    return reference.sequence_loss(on_the_way_back(scores, lambda g: g * y.shape[1]), y)


@slip("loss", pattern="the gradient is p/(N T)", likely="the 1 at the right symbol is not taken off")
def loss_no_minus_one(scores: Tensor, y: Tensor) -> Tensor:
    return straight_through(reference.sequence_loss(scores, y), scores.logsumexp(dim=2).mean())


def _reverser(
    params: Params,
    codes: Tensor,
    heads: int,
    eps: float,
    *,
    embedded: Callable[[Tensor, Tensor], Tensor] = lambda w, codes: w[codes],
    placed: Callable[[Tensor], Tensor] = lambda x: x + reference.positions(x),
    masked: Callable[[Tensor], Tensor] = torch.ones_like,
) -> Tensor:
    """The network of which some things are given; the others are right."""
    x = placed(embedded(params["embed"], codes))
    mask = masked(torch.ones(x.shape[1], x.shape[1], dtype=x.dtype))
    return reference.affine(reference.block(params["block"], x, mask, heads, eps), params["w"], params["c"])


@slip(
    "reverser",
    pattern="the positions are not added",
    likely="add the positions to the rows of embed: without them the order is lost",
)
def network_without_positions(params: Params, codes: Tensor, heads: int, eps: float) -> Tensor:
    return _reverser(params, codes, heads, eps, placed=lambda x: x)


@slip(
    "reverser",
    pattern="no step sees a later one",
    likely="here every step may look at all: hand the block a mask of ones",
)
def network_causal(params: Params, codes: Tensor, heads: int, eps: float) -> Tensor:
    return _reverser(params, codes, heads, eps, masked=torch.tril)


@slip(
    "reverser",
    pattern="the rows of embed are multiplied by √D",
    likely="add the positions to the rows of embed as they are",
)
def network_scaled(params: Params, codes: Tensor, heads: int, eps: float) -> Tensor:
    return _reverser(params, codes, heads, eps, placed=lambda x: x * x.shape[2] ** 0.5 + reference.positions(x))


@slip(
    "reverser",
    pattern="the result is the softmax of the scores",
    likely="return the scores: the softmax is in the loss",
)
def network_softmax(params: Params, codes: Tensor, heads: int, eps: float) -> Tensor:
    scores = reference.reverser(params, codes, heads, eps)
    return straight_through(scores.softmax(dim=2), scores)


@slip(
    "reverser",
    pattern="a row of embed has the gradient of the last place where its symbol stands",
    likely="a symbol that comes again brings a gradient each time: add them up; dembed[codes] += dx does not",
)
def network_repeats_lost(params: Params, codes: Tensor, heads: int, eps: float) -> Tensor:
    def embedded(w: Tensor, codes: Tensor) -> Tensor:
        def back(g: Tensor) -> tuple[Tensor]:
            dw = torch.zeros_like(w)
            for n in range(codes.shape[0]):
                for t in range(codes.shape[1]):
                    dw[codes[n, t]] = g[n, t]
            return (dw,)

        return with_backward(w[codes], back, w)

    return _reverser(params, codes, heads, eps, embedded=embedded)


# ---------------------------------------------------------------------------------------------------------- training


@slip(
    "training",
    pattern="the network is trained towards its own input",
    likely="the loss compares the scores with y, the reversed sequence, not with x",
)
def train_towards_itself(
    params: Params, x: Tensor, y: Tensor, heads: int, eps: float, lr: float, batch: int, steps: int
) -> tuple[Params, list[float]]:
    return reference.train(params, x, x, heads, eps, lr, batch, steps)


@slip(
    "training",
    pattern="the parameters are right; the losses are those of the batches after their updates",
    likely="measure the loss before the update, with the scores that gave it",
)
def train_loss_after_update(
    params: Params, x: Tensor, y: Tensor, heads: int, eps: float, lr: float, batch: int, steps: int
) -> tuple[Params, list[float]]:
    losses = []
    for step in range(1, steps + 1):
        trained, _ = reference.train(params, x, y, heads, eps, lr, batch, step)
        rows = ((step - 1) * batch + torch.arange(batch)) % len(x)
        losses.append(reference.sequence_loss(reference.reverser(trained, x[rows], heads, eps), y[rows]).item())
    return trained, losses
