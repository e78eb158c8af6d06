"""What the judge draws in float64, in the types of mixed precision: gradients of float16, a truth value for a flag."""

import torch


def unscale(grads, scale):
    return student.unscale(in_half(grads), scale)


def update_scale(scale, good, finite, interval):
    return student.update_scale(scale, good, finite > 0, interval)


def mixed_step(params, grads, scale, lr):
    return student.mixed_step(params, in_half(grads), scale, lr)


def compensated_sum(x):
    """One array, so that what was lost is measured against the total."""
    return torch.stack(tuple(student.compensated_sum(x)))


def in_half(grads):
    """As a backward pass in float16 would have left them: too large is infinite, too small is zero."""
    return {name: g.to(torch.float16) for name, g in grads.items()}
