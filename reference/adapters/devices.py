"""What the judge draws in float64, in the types of mixed precision; results of few digits, in the dtype of the input.

Gradients are handed over in float16, and a flag as a truth value. What is asked for in float32 or float16 is as exact
in a wider dtype; there its numbers are compared, and nobody is told that they should have had more digits.
"""

import torch


def sum_in_order(x):
    return widened(student.sum_in_order(x), x.dtype)


def compensated_sum(x):
    """One array, so that what was lost is measured against the total."""
    found = widened(student.compensated_sum(x), x.dtype)
    arrays = isinstance(found, (tuple, list)) and all(isinstance(each, torch.Tensor) for each in found)
    return torch.stack(tuple(found)) if arrays else found


def unscale(grads, scale):
    return student.unscale(in_half(grads), scale)


def update_scale(scale, good, finite, interval):
    return student.update_scale(scale, good, finite > 0, interval)


def mixed_step(params, grads, scale, lr):
    return widened(student.mixed_step(params, in_half(grads), scale, lr), scale.dtype)


def in_half(grads):
    """As a backward pass in float16 would have left them: too large is infinite, too small is zero."""
    return {name: g.to(torch.float16) for name, g in grads.items()}


def widened(value, dtype):
    """A tree whose arrays of float16 and float32 are of this dtype; anything else in it stays as it is."""
    match value:
        case torch.Tensor() if value.dtype in (torch.float16, torch.float32):
            return value.to(dtype)
        case tuple() | list():
            return type(value)(widened(each, dtype) for each in value)
        case dict():
            return {name: widened(each, dtype) for name, each in value.items()}
        case _:
            return value
