"""Known slips of the optimizers: see grader/slips.py for what this file is and how it is read.

Most are written as what an entry's step is made of: `_optimizer` and `_adam` do the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Optimizer

from grader.slips import slip

Kept = dict[str, Any]
Rule = Callable[[Tensor, Tensor, Kept], Tensor]


class _Stepper(Optimizer):
    """A rule for each array: (parameter, gradient, what is kept of it) -> new parameter.

    What is kept starts with zeros in `fields`, and with "step" = 0; "number" and "of" say which array it is.
    """

    def __init__(self, params: list[Tensor], rule: Rule, *fields: str) -> None:
        super().__init__(params, {})
        self.rule, every = rule, self.param_groups[0]["params"]
        for number, p in enumerate(every):
            zeros = {field: torch.zeros_like(p, requires_grad=False) for field in fields}
            self.state[p] = {
                **zeros,
                "step": torch.tensor(0.0, dtype=torch.float64),
                "number": number,
                "of": len(every),
            }

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for p in self.param_groups[0]["params"]:
            p.copy_(self.rule(p.clone(), p.grad, self.state[p]))


# -------------------------------------------------------------------------------------- sgd and weight decay


@slip(
    "sgd",
    pattern="the parameters move along the gradient",
    likely="subtract the step: the gradient points uphill",
)
def sgd_ascends(params: list[Tensor], lr: float) -> Optimizer:
    return _Stepper(params, lambda p, g, kept: p + lr * g)


@slip(
    "sgd",
    pattern="arrays of one axis stay as they were, the others move",
    likely="update the biases too: every array of the tree moves",
)
def sgd_skips_biases(params: list[Tensor], lr: float) -> Optimizer:
    return _Stepper(params, lambda p, g, kept: p - lr * g if p.ndim > 1 else p)


@slip(
    "weight_decay",
    pattern="the parameter that decays is the one after the step",
    likely="the decay is of the parameter as it was: lr (g + decay p), in one step",
)
def decay_after_the_step(params: list[Tensor], lr: float, decay: float) -> Optimizer:
    return _Stepper(params, lambda p, g, kept: (p - lr * g) * (1 - lr * decay))


@slip(
    "weight_decay",
    pattern="the decay is twice the one asked for",
    likely="this is the gradient of decay p^2; asked for is that of half of it: decay p",
)
def decay_factor_two(params: list[Tensor], lr: float, decay: float) -> Optimizer:
    return reference.weight_decay(params, lr, 2 * decay)


@slip(
    "weight_decay",
    pattern="the decay is half of the one asked for",
    likely="asked for is g + decay p, without a half",
)
def decay_half(params: list[Tensor], lr: float, decay: float) -> Optimizer:
    return reference.weight_decay(params, lr, decay / 2)


@slip(
    "weight_decay",
    pattern="arrays of one axis do not decay, the others do",
    likely="every array decays here, the biases too",
)
def decay_of_weights_only(params: list[Tensor], lr: float, decay: float) -> Optimizer:
    return _Stepper(params, lambda p, g, kept: p - lr * (g + decay * p if p.ndim > 1 else g))


@slip(
    "weight_decay",
    pattern="the decay has the other sign: the parameters grow",
    likely="the decay is added to the gradient: p - lr (g + decay p)",
)
def decay_with_the_other_sign(params: list[Tensor], lr: float, decay: float) -> Optimizer:
    return _Stepper(params, lambda p, g, kept: p - lr * (g - decay * p))


@slip(
    "weight_decay",
    pattern="the parameters shrink by decay, not by lr decay",
    likely="the decay is a part of the gradient: the learning rate multiplies it too",
)
def decay_without_rate(params: list[Tensor], lr: float, decay: float) -> Optimizer:
    return _Stepper(params, lambda p, g, kept: (1 - decay) * p - lr * g)


@slip("weight_decay", pattern="nothing decays", likely="the decay is left out: the step is lr (g + decay p)")
def decay_missing(params: list[Tensor], lr: float, decay: float) -> Optimizer:
    return reference.sgd(params, lr)


# ------------------------------------------------------------------------------------------ momentum, nesterov


def _velocity(
    params: list[Tensor], new: Callable[[Tensor, Tensor], Tensor], step: Rule, keep: bool = True
) -> Optimizer:
    """`new` makes the velocity of the old one and g; `step` takes it as kept["momentum_buffer"], the old as "old"."""

    def rule(p: Tensor, g: Tensor, kept: Kept) -> Tensor:
        kept["old"] = kept["momentum_buffer"]
        kept["momentum_buffer"] = new(kept["old"], g)
        moved = p - step(p, g, kept)
        if not keep:
            kept["momentum_buffer"] = kept["old"]
        return moved

    return _Stepper(params, rule, "momentum_buffer")


@slip(
    "momentum",
    pattern="the velocity is mu v + (1 - mu) g",
    likely="the velocity is a sum, mu v + g; the weighted mean is another form, with another learning rate",
)
def momentum_averages(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return _velocity(params, lambda v, g: mu * v + (1 - mu) * g, lambda p, g, kept: lr * kept["momentum_buffer"])


@slip(
    "momentum",
    pattern="the velocity that is returned is the one that was given",
    likely="return the new velocity in the state: every step starts from rest",
)
def momentum_not_carried(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return _velocity(params, lambda v, g: mu * v + g, lambda p, g, kept: lr * kept["momentum_buffer"], keep=False)


@slip(
    "momentum",
    pattern="the parameters move by the velocity of before the step",
    likely="make the new velocity first, and move by that",
)
def momentum_old_velocity(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return _velocity(params, lambda v, g: mu * v + g, lambda p, g, kept: lr * kept["old"])


@slip(
    "momentum",
    pattern="the velocity is mu v - lr g",
    likely="another convention: here the velocity is mu v + g, and the step lr v is subtracted",
)
def momentum_rate_in_the_velocity(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return _velocity(params, lambda v, g: mu * v - lr * g, lambda p, g, kept: -kept["momentum_buffer"])


@slip(
    "momentum",
    pattern="the velocity is mu v + lr g",
    likely="another convention: here the velocity is mu v + g, and the learning rate is in the step",
)
def momentum_positive_rate_in_the_velocity(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return _velocity(params, lambda v, g: mu * v + lr * g, lambda p, g, kept: kept["momentum_buffer"])


@slip(
    "momentum",
    pattern="the velocity is v + g: nothing is forgotten",
    likely="the old velocity is multiplied by mu",
)
def momentum_without_mu(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return _velocity(params, lambda v, g: v + g, lambda p, g, kept: lr * kept["momentum_buffer"])


@slip(
    "momentum", pattern="the steps are those of Nesterov's momentum", likely="the step is lr v, without looking ahead"
)
def momentum_is_nesterov(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return SGD(params, lr=lr, momentum=mu, nesterov=True)


@slip(
    "nesterov",
    pattern="the step is lr (g + v), without mu",
    likely="the velocity is looked ahead with mu: g + mu v",
)
def nesterov_adds_the_whole_velocity(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return _velocity(params, lambda v, g: mu * v + g, lambda p, g, kept: lr * (g + kept["momentum_buffer"]))


@slip("nesterov", pattern="the step is that of plain momentum, lr v", likely="Nesterov's step is lr (g + mu v)")
def nesterov_is_momentum(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return SGD(params, lr=lr, momentum=mu)


@slip(
    "nesterov",
    pattern="the velocity in the step is the one of before it",
    likely="look ahead with the new velocity: v = mu v + g first, then g + mu v",
)
def nesterov_old_velocity(params: list[Tensor], lr: float, mu: float) -> Optimizer:
    return _velocity(params, lambda v, g: mu * v + g, lambda p, g, kept: lr * (g + mu * kept["old"]))


# ------------------------------------------------------------------------------------------------------ rmsprop


def _rmsprop(
    params: list[Tensor], average: Callable[[Tensor, Tensor], Tensor], step: Callable[[Tensor, Tensor], Tensor]
) -> Optimizer:
    """`average` makes v of the old v and g; `step` is what is subtracted, of g and v."""

    def rule(p: Tensor, g: Tensor, kept: Kept) -> Tensor:
        kept["square_avg"] = average(kept["square_avg"], g)
        return p - step(g, kept["square_avg"])

    return _Stepper(params, rule, "square_avg")


@slip(
    "rmsprop",
    pattern="the average is one number for each array",
    likely="every entry has an average of its own: no mean over g^2",
)
def rmsprop_average_of_an_array(params: list[Tensor], lr: float, beta: float, eps: float) -> Optimizer:
    return _rmsprop(params, lambda v, g: beta * v + (1 - beta) * (g**2).mean(), lambda g, v: lr * g / (v.sqrt() + eps))


@slip("rmsprop", pattern="the step is that of an epsilon of 1e-8", likely="use the epsilon that is given, eps")
def rmsprop_epsilon_hard_coded(params: list[Tensor], lr: float, beta: float, eps: float) -> Optimizer:
    return reference.rmsprop(params, lr, beta, 1e-8)


@slip("rmsprop", pattern="the step is that without epsilon", likely="epsilon is left out: divide by sqrt(v) + eps")
def rmsprop_without_epsilon(params: list[Tensor], lr: float, beta: float, eps: float) -> Optimizer:
    return reference.rmsprop(params, lr, beta, 0.0)


@slip(
    "rmsprop",
    pattern="the step is lr g / sqrt(v + eps)",
    likely="epsilon is inside of the root: divide by sqrt(v) + eps",
)
def rmsprop_epsilon_inside_the_root(params: list[Tensor], lr: float, beta: float, eps: float) -> Optimizer:
    return _rmsprop(params, lambda v, g: beta * v + (1 - beta) * g**2, lambda g, v: lr * g / (v + eps).sqrt())


@slip(
    "rmsprop",
    pattern="the step is lr g / sqrt(v + eps^2)",
    likely="the root of a sum is no sum of roots: divide by sqrt(v) + eps",
)
def rmsprop_epsilon_squared_inside(params: list[Tensor], lr: float, beta: float, eps: float) -> Optimizer:
    return _rmsprop(params, lambda v, g: beta * v + (1 - beta) * g**2, lambda g, v: lr * g / (v + eps**2).sqrt())


@slip(
    "rmsprop",
    pattern="the average is the sum of all squares so far",
    likely="this is AdaGrad, which forgets nothing: v = beta v + (1 - beta) g^2",
)
def rmsprop_is_adagrad(params: list[Tensor], lr: float, beta: float, eps: float) -> Optimizer:
    return _rmsprop(params, lambda v, g: v + g**2, lambda g, v: lr * g / (v.sqrt() + eps))


@slip(
    "rmsprop",
    pattern="the step divides by the average of before it",
    likely="make the new average first, and divide by that",
)
def rmsprop_old_average(params: list[Tensor], lr: float, beta: float, eps: float) -> Optimizer:
    def rule(p: Tensor, g: Tensor, kept: Kept) -> Tensor:
        old, kept["square_avg"] = kept["square_avg"], beta * kept["square_avg"] + (1 - beta) * g**2
        return p - lr * g / (old.sqrt() + eps)

    return _Stepper(params, rule, "square_avg")


@slip(
    "rmsprop",
    pattern="the step is lr g / sqrt(v) times eps",
    likely="brackets: divide by (sqrt(v) + eps), or epsilon multiplies",
)
def rmsprop_times_epsilon(params: list[Tensor], lr: float, beta: float, eps: float) -> Optimizer:
    return _rmsprop(params, lambda v, g: beta * v + (1 - beta) * g**2, lambda g, v: lr * g / v.sqrt() * eps)


@slip(
    "rmsprop",
    pattern="the average is (1 - beta) v + beta g^2",
    likely="the weights are exchanged: beta is that of the old average",
)
def rmsprop_weights_exchanged(params: list[Tensor], lr: float, beta: float, eps: float) -> Optimizer:
    return reference.rmsprop(params, lr, 1 - beta, eps)


@slip(
    "rmsprop",
    pattern="the step is lr g / sqrt(v), plus eps",
    likely="brackets: divide by (sqrt(v) + eps), or epsilon is added to the step",
)
def rmsprop_without_bracket(params: list[Tensor], lr: float, beta: float, eps: float) -> Optimizer:
    return _rmsprop(params, lambda v, g: beta * v + (1 - beta) * g**2, lambda g, v: lr * g / v.sqrt() + eps)


@slip("rmsprop", pattern="the step is lr g / (v + eps)", likely="the root is missing: divide by sqrt(v) + eps")
def rmsprop_without_root(params: list[Tensor], lr: float, beta: float, eps: float) -> Optimizer:
    return _rmsprop(params, lambda v, g: beta * v + (1 - beta) * g**2, lambda g, v: lr * g / (v + eps))


# -------------------------------------------------------------------------------------------------- adam, adamw


class _Now:
    """What a step of Adam is made of, for one array."""

    def __init__(self, g: Tensor, m: Tensor, v: Tensor, t: float, b1: float, b2: float) -> None:
        self.g, self.m, self.v, self.t = g, m, v, t
        self.m_hat = m / (1 - b1**t) if t > 0 else m
        self.v_hat = v / (1 - b2**t) if t > 0 else v


def _adam(
    params: list[Tensor],
    betas: tuple[float, float],
    lr: float,
    decay: float,
    step: Callable[[_Now], Tensor],
    second: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None,
) -> Optimizer:
    """Adam with this step, before it is multiplied by lr; `second` makes v of the old v, g and the new m."""
    b1, b2 = betas

    def rule(p: Tensor, g: Tensor, kept: Kept) -> Tensor:
        kept["step"] = kept["step"] + 1
        kept["exp_avg"] = m = b1 * kept["exp_avg"] + (1 - b1) * g
        v = kept["exp_avg_sq"]
        kept["exp_avg_sq"] = v = b2 * v + (1 - b2) * g**2 if second is None else second(v, g, m)
        return p * (1 - lr * decay) - lr * step(_Now(g, m, v, float(kept["step"]), b1, b2))

    return _Stepper(params, rule, "exp_avg", "exp_avg_sq")


@slip(
    "adam",
    "adamw",
    pattern="beta1 is that of v and beta2 that of m",
    likely="the betas are exchanged: beta1 is of m, beta2 of v",
)
def adam_betas_exchanged(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0
) -> Optimizer:
    return _adam(params, (b2, b1), lr, decay, lambda now: now.m_hat / (now.v_hat.sqrt() + eps))


@slip(
    "adam",
    "adamw",
    pattern="the steps are those of betas of 0.9 and 0.999",
    likely="use the betas that are given, beta1 and beta2",
)
def adam_betas_hard_coded(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0
) -> Optimizer:
    return _adam(params, (0.9, 0.999), lr, decay, lambda now: now.m_hat / (now.v_hat.sqrt() + eps))


@slip(
    "adam",
    "adamw",
    pattern="m is corrected, v is not",
    likely="correct both averages: v too is divided by 1 - beta2^t",
)
def adam_corrects_m_only(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0
) -> Optimizer:
    return _adam(params, (b1, b2), lr, decay, lambda now: now.m_hat / (now.v.sqrt() + eps))


@slip(
    "adam",
    "adamw",
    pattern="v is corrected, m is not",
    likely="correct both averages: m too is divided by 1 - beta1^t",
)
def adam_corrects_v_only(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0
) -> Optimizer:
    return _adam(params, (b1, b2), lr, decay, lambda now: now.m / (now.v_hat.sqrt() + eps))


@slip(
    "adam",
    "adamw",
    pattern="the averages are used as they are, without the correction",
    likely="the bias correction is missing: m / (1 - beta1^t) and v / (1 - beta2^t)",
)
def adam_no_bias_correction(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0
) -> Optimizer:
    return _adam(params, (b1, b2), lr, decay, lambda now: now.m / (now.v.sqrt() + eps))


@slip(
    "adam",
    "adamw",
    pattern="the steps are those of an epsilon of 1e-8",
    likely="use the epsilon that is given, eps",
)
def adam_epsilon_hard_coded(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0
) -> Optimizer:
    return _adam(params, (b1, b2), lr, decay, lambda now: now.m_hat / (now.v_hat.sqrt() + 1e-8))


@slip("adam", "adamw", pattern="the steps are those without epsilon", likely="epsilon is left out: sqrt(v) + eps")
def adam_without_epsilon(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0
) -> Optimizer:
    return _adam(params, (b1, b2), lr, decay, lambda now: now.m_hat / now.v_hat.sqrt())


@slip(
    "adam",
    "adamw",
    pattern="the step is lr m / sqrt(v + eps)",
    likely="epsilon is inside of the root: divide by sqrt(v) + eps",
)
def adam_epsilon_inside_the_root(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0
) -> Optimizer:
    return _adam(params, (b1, b2), lr, decay, lambda now: now.m_hat / (now.v_hat + eps).sqrt())


@slip(
    "adam",
    "adamw",
    pattern="the step is lr m / (sqrt(v) eps)",
    likely="epsilon is added to the root, not multiplied",
)
def adam_times_epsilon(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0
) -> Optimizer:
    return _adam(params, (b1, b2), lr, decay, lambda now: now.m_hat / (now.v_hat.sqrt() * eps))


@slip("adam", "adamw", pattern="the step is lr m / (v + eps)", likely="the root is missing: divide by sqrt(v) + eps")
def adam_without_root(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0
) -> Optimizer:
    return _adam(params, (b1, b2), lr, decay, lambda now: now.m_hat / (now.v_hat + eps))


@slip(
    "adam",
    "adamw",
    pattern="v is the largest |g| so far, beta2 times the old",
    likely="this is AdaMax: v is the average of g^2, and the step divides by its root",
)
def adam_is_adamax(params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0) -> Optimizer:
    return _adam(
        params,
        (b1, b2),
        lr,
        decay,
        lambda now: now.m_hat / (now.v + eps),
        lambda v, g, m: torch.maximum(b2 * v, g.abs()),
    )


@slip(
    "adam",
    "adamw",
    pattern="the step is made of g, not of its average",
    likely="this is RMSprop: divide m, the average of g, by the root",
)
def adam_is_rmsprop(params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0) -> Optimizer:
    return _adam(params, (b1, b2), lr, decay, lambda now: now.g / (now.v_hat.sqrt() + eps))


@slip("adam", "adamw", pattern="v is the average of m^2", likely="v is the average of the squared gradients, g^2")
def adam_v_of_m(params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0) -> Optimizer:
    return _adam(
        params,
        (b1, b2),
        lr,
        decay,
        lambda now: now.m_hat / (now.v_hat.sqrt() + eps),
        lambda v, g, m: b2 * v + (1 - b2) * m**2,
    )


@slip(
    "adam",
    "adamw",
    pattern="the state holds the corrected averages",
    likely="keep m and v as they are, and correct them for the step alone: else they are corrected again and again",
)
def adam_keeps_the_corrected(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0
) -> Optimizer:
    def rule(p: Tensor, g: Tensor, kept: Kept) -> Tensor:
        kept["step"] = t = kept["step"] + 1
        kept["exp_avg"] = m = (b1 * kept["exp_avg"] + (1 - b1) * g) / (1 - b1**t)
        kept["exp_avg_sq"] = v = (b2 * kept["exp_avg_sq"] + (1 - b2) * g**2) / (1 - b2**t)
        return p * (1 - lr * decay) - lr * m / (v.sqrt() + eps)

    return _Stepper(params, rule, "exp_avg", "exp_avg_sq")


def _counted(
    params: list[Tensor],
    betas: tuple[float, float],
    lr: float,
    eps: float,
    decay: float,
    t: Callable[[Kept], Any],
    after: Callable[[Kept], float],
) -> Optimizer:
    """Adam with another t: of the corrections, and of the state afterwards; of what was kept before the step."""
    b1, b2 = betas

    def rule(p: Tensor, g: Tensor, kept: Kept) -> Tensor:
        now, kept["step"] = t(kept), torch.tensor(after(kept), dtype=torch.float64)
        kept["exp_avg"] = m = b1 * kept["exp_avg"] + (1 - b1) * g
        kept["exp_avg_sq"] = v = b2 * kept["exp_avg_sq"] + (1 - b2) * g**2
        return p * (1 - lr * decay) - lr * m / (1 - b1**now) / ((v / (1 - b2**now)).sqrt() + eps)

    return _Stepper(params, rule, "exp_avg", "exp_avg_sq")


@slip(
    "adam",
    "adamw",
    pattern="t counts the arrays of the tree, not the steps",
    likely="count t on once a step, outside of what is done for each array",
)
def adam_t_counts_arrays(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0
) -> Optimizer:
    return _counted(
        params,
        (b1, b2),
        lr,
        eps,
        decay,
        lambda kept: float(kept["step"]) + kept["number"] + 1,
        lambda kept: float(kept["step"]) + kept["of"],
    )


@slip(
    "adam",
    "adamw",
    pattern="t stays what it was: every step is corrected as the first",
    likely="count t on, and return it in the state",
)
def adam_t_frozen(params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0) -> Optimizer:
    return _counted(params, (b1, b2), lr, eps, decay, lambda kept: 1.0, lambda kept: 0.0)


@slip(
    "adam",
    "adamw",
    pattern="every step is corrected as the first, with t = 1",
    likely="the exponent of the corrections is t, the number of the step",
)
def adam_t_is_one(params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0) -> Optimizer:
    return _counted(params, (b1, b2), lr, eps, decay, lambda kept: 1.0, lambda kept: float(kept["step"]) + 1)


@slip(
    "adam",
    "adamw",
    pattern="the corrections are those of t + 1",
    likely="count on once: t is 1 in the first step",
)
def adam_t_one_too_many(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0
) -> Optimizer:
    return _counted(
        params,
        (b1, b2),
        lr,
        eps,
        decay,
        lambda kept: float(kept["step"]) + 2,
        lambda kept: float(kept["step"]) + 1,
    )


@slip(
    "adam",
    "adamw",
    pattern="the parameters are NaN: 0 / 0, as 1 - beta^0 is 0",
    likely="count t on first: it is 1 in the first step",
)
def adam_t_from_zero(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float = 0.0
) -> Optimizer:
    zero = torch.tensor(0.0, dtype=torch.float64)
    return _counted(
        params,
        (b1, b2),
        lr,
        eps,
        decay,
        lambda kept: kept["step"] + zero,
        lambda kept: float(kept["step"]) + 1,
    )


@slip(
    "adamw",
    pattern="the parameter that decays is the one after the step",
    likely="the decay is of the parameter as it was: p (1 - lr decay) first, then the step",
)
def adamw_decays_afterwards(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float
) -> Optimizer:
    def rule(p: Tensor, g: Tensor, kept: Kept) -> Tensor:
        kept["step"] = t = kept["step"] + 1
        kept["exp_avg"] = m = b1 * kept["exp_avg"] + (1 - b1) * g
        kept["exp_avg_sq"] = v = b2 * kept["exp_avg_sq"] + (1 - b2) * g**2
        return (p - lr * m / (1 - b1**t) / ((v / (1 - b2**t)).sqrt() + eps)) * (1 - lr * decay)

    return _Stepper(params, rule, "exp_avg", "exp_avg_sq")


@slip("adamw", pattern="the steps are those of Adam: nothing decays", likely="shrink the parameters by lr decay too")
def adamw_is_adam(params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float) -> Optimizer:
    return reference.adam(params, lr, b1, b2, eps)


@slip(
    "adamw",
    pattern="the decay is added to the gradient, and averaged and divided with it",
    likely="this is Adam with a penalty: AdamW shrinks the parameters apart from the gradient",
)
def adamw_is_adam_with_decay(
    params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float
) -> Optimizer:
    return torch.optim.Adam(params, lr=lr, betas=(b1, b2), eps=eps, weight_decay=decay)


@slip(
    "adamw",
    pattern="the parameters shrink by decay, not by lr decay",
    likely="the learning rate multiplies the decay too: p (1 - lr decay)",
)
def adamw_without_rate(params: list[Tensor], lr: float, b1: float, b2: float, eps: float, decay: float) -> Optimizer:
    return reference.adamw(params, lr, b1, b2, eps, decay / lr)


# --------------------------------------------------------------------------------------------------------- clip


def _norm(grads: Any) -> Tensor:
    return reference.clip_by_norm(grads, math.inf)[1]


def _mapped(function: Callable[[Tensor], Tensor], tree: Any) -> Any:
    if isinstance(tree, Tensor):
        return function(tree)
    if isinstance(tree, dict):
        return {key: _mapped(function, item) for key, item in tree.items()}
    return [_mapped(function, item) for item in tree]


def _by(grads: Any, norm: Tensor, max_norm: float) -> tuple[Any, Tensor]:
    """Clipped by another norm."""
    return _mapped(lambda g: g * (max_norm / norm if norm > max_norm else 1.0), grads), norm


@slip(
    "clip",
    pattern="short gradients are brought to max_norm too",
    likely="gradients that are short enough stay as they are: the factor is at most 1",
)
def clip_always(grads: Any, max_norm: float) -> tuple[Any, Tensor]:
    norm = _norm(grads)
    return _mapped(lambda g: g * (max_norm / norm), grads), norm


@slip(
    "clip",
    pattern="every entry is cut off at -max_norm and max_norm",
    likely="this is clipping by value: all entries are multiplied by one factor, max_norm / norm",
)
def clip_by_value(grads: Any, max_norm: float) -> tuple[Any, Tensor]:
    return _mapped(lambda g: g.clamp(-max_norm, max_norm), grads), _norm(grads)


@slip(
    "clip",
    pattern="every array is shortened by its own norm",
    likely="one norm over all arrays, and one factor for all of them: the direction stays what it was",
)
def clip_each_array(grads: Any, max_norm: float) -> tuple[Any, Tensor]:
    return _mapped(lambda g: _by(g, g.norm(), max_norm)[0], grads), _norm(grads)


@slip(
    "clip",
    pattern="the factor is max_norm / (norm + 1e-6)",
    likely="no epsilon here: the factor is max_norm / norm, and is asked for only where the norm is larger",
)
def clip_epsilon(grads: Any, max_norm: float) -> tuple[Any, Tensor]:
    norm = _norm(grads)
    return _mapped(lambda g: g * (max_norm / (norm + 1e-6)).clamp(max=1.0), grads), norm


@slip(
    "clip",
    pattern="the norm that is returned is the one after clipping",
    likely="return the norm as it was before",
)
def clip_norm_afterwards(grads: Any, max_norm: float) -> tuple[Any, Tensor]:
    clipped, norm = reference.clip_by_norm(grads, max_norm)
    return clipped, norm.clamp(max=max_norm)


@slip(
    "clip",
    pattern="the norm is the sum of the norms of the arrays",
    likely="add up the squares of all entries, and take one root",
)
def clip_sum_of_norms(grads: Any, max_norm: float) -> tuple[Any, Tensor]:
    return _by(grads, torch.stack([g.norm() for g in reference._leaves(grads)]).sum(), max_norm)


@slip("clip", pattern="the norm is the sum of the squares", likely="the root of the sum is missing")
def clip_without_root(grads: Any, max_norm: float) -> tuple[Any, Tensor]:
    return _by(grads, _norm(grads) ** 2, max_norm)


# ---------------------------------------------------------------------------------------------------- schedules


@slip(
    "step_decay",
    pattern="the rate drops once and never again",
    likely="it drops after every `every` steps: the exponent is t // every",
)
def step_decay_once(lr: Tensor, t: int, every: int, factor: float) -> Tensor:
    return lr * factor if t >= every else lr


@slip("step_decay", pattern="the rate is that of t + 1", likely="t counts from 0: the exponent is t // every")
def step_decay_one_early(lr: Tensor, t: int, every: int, factor: float) -> Tensor:
    return reference.step_decay(lr, t + 1, every, factor)


@slip(
    "step_decay",
    pattern="the rate falls in every step",
    likely="divide without a remainder: t // every, not t / every",
)
def step_decay_without_steps(lr: Tensor, t: int, every: int, factor: float) -> Tensor:
    return lr * factor ** (t / every)


@slip("cosine_decay", pattern="after the end the rate rises again", likely="it stays at the lowest: min(t, total)")
def cosine_rises_again(lr: Tensor, t: int, total: int, lowest: float) -> Tensor:
    return lowest + (lr - lowest) * (1 + math.cos(math.pi * t / total)) / 2


@slip(
    "cosine_decay",
    pattern="the rate is too large by the lowest times the cosine's share",
    likely="the cosine is of lr - lowest: it falls from lr to lowest",
)
def cosine_to_zero(lr: Tensor, t: int, total: int, lowest: float) -> Tensor:
    return lowest + lr * (1 + math.cos(math.pi * min(t, total) / total)) / 2


@slip(
    "cosine_decay",
    pattern="the cosine runs through a whole period, down and up",
    likely="half a period: cos(pi t / total), without the 2",
)
def cosine_whole_period(lr: Tensor, t: int, total: int, lowest: float) -> Tensor:
    return lowest + (lr - lowest) * (1 + math.cos(2 * math.pi * min(t, total) / total)) / 2


@slip("cosine_decay", pattern="the cosine's share is twice the right one", likely="the half is missing: (1 + cos) / 2")
def cosine_without_half(lr: Tensor, t: int, total: int, lowest: float) -> Tensor:
    return lowest + (lr - lowest) * (1 + math.cos(math.pi * min(t, total) / total))


@slip("warm_up", pattern="the rate rises beyond lr", likely="it ends at lr: min((t + 1) / steps, 1)")
def warm_up_never_ends(lr: Tensor, t: int, steps: int) -> Tensor:
    return lr * (t + 1) / steps


@slip(
    "warm_up",
    pattern="the rate is that of one step before",
    likely="the first step, t = 0, has the rate lr / steps: use t + 1",
)
def warm_up_starts_at_zero(lr: Tensor, t: int, steps: int) -> Tensor:
    return lr * min(t / steps, 1.0)


# ----------------------------------------------------------------------------------------------------- training

Trained = tuple[Any, list[float]]


def _trained_by(
    params: Any, x: Tensor, y: Tensor, batch: int, steps: int, make: Callable[[list[Tensor]], Optimizer]
) -> Trained:
    """The training with another optimizer."""
    trained = reference._copied(params)
    return reference._trained(trained, make(reference._leaves(trained)), x, y, batch, steps)


@slip("training", pattern="the steps are those of beta2 = 0.99", likely="beta2 is 0.999 in this training")
def train_beta2_99(params: Any, x: Tensor, y: Tensor, lr: float, eps: float, batch: int, steps: int) -> Trained:
    return _trained_by(params, x, y, batch, steps, lambda leaves: reference.adam(leaves, lr, 0.9, 0.99, eps))


@slip(
    "training",
    pattern="every step is Adam's first",
    likely="hand the state that a step returns on to the next step",
)
def train_forgets_the_state(
    params: Any, x: Tensor, y: Tensor, lr: float, eps: float, batch: int, steps: int
) -> Trained:
    b1, b2 = reference.BETAS

    def first(p: Tensor, g: Tensor, kept: Kept) -> Tensor:
        m, v = (1 - b1) * g / (1 - b1), (1 - b2) * g**2 / (1 - b2)
        return p - lr * m / (v.sqrt() + eps)

    return _trained_by(params, x, y, batch, steps, lambda leaves: _Stepper(leaves, first))


@slip("training", pattern="the steps are those of plain gradient descent", likely="this training is with Adam")
def train_with_sgd(params: Any, x: Tensor, y: Tensor, lr: float, eps: float, batch: int, steps: int) -> Trained:
    return _trained_by(params, x, y, batch, steps, lambda leaves: reference.sgd(leaves, lr))
