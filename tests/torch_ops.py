"""Torch's own list of its operations (op_db) as layers on NumPy arrays: right gradients that nobody here has written.

Each sample of an operation is a Layer: its float64 tensors that want a gradient are the inputs, whatever else it takes
stays as it is, the forward is the operation in float64, the backward torch.autograd.grad. As in torch's own test of
its gradients, `gradcheck_wrapper` and `output_process_fn_grad` come between: they keep a Cholesky factor's input
symmetric, and take from an eigenvector what does not depend on its phase. Random operations draw the same in each
call. A complex output is its real and imaginary parts.

What can't be had this way is a Skipped, of a closed list of reasons.
"""

from __future__ import annotations

import enum
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from gradient_layers import Layer
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils._pytree import tree_flatten, tree_unflatten

LARGEST = 4096
"""Numbers in the inputs of a sample, and in its outputs, at most."""


class Skipped(enum.Enum):
    """Why a sample is not checked."""

    LARGE = f"more than {LARGEST} numbers in or out"
    EMPTY = "no numbers in or out"
    LAYOUT = "the inputs or outputs are sparse or nested, not arrays"
    NOT_ALONE = "the gradient is wanted of something that is no float64 array"
    NO_GRADIENT = "no output depends on an input in a way that autograd follows"
    NOT_FINITE = "an input, the value or the gradient is not finite"
    LESS = "the operation itself rounds to less than float64"
    RAISES = "the sample can't be made, or the operation refuses it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation by the name that op_db has for it."""

    name: str
    info: Any


def operations() -> list[Operation]:
    """Every entry of op_db with a float64 gradient on the CPU."""
    return [
        Operation(name=".".join(filter(None, (info.name, info.variant_test_name))), info=info)
        for info in op_db
        if info.supports_autograd and torch.float64 in info.supported_backward_dtypes("cpu")
    ]


def layers(operation: Operation, seed: int, most: int) -> Iterator[Layer | Skipped]:
    """Samples of an operation, at most so many, spread over all that are small enough."""
    torch.manual_seed(seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            samples = list(operation.info.sample_inputs("cpu", torch.float64, requires_grad=True))
    except Exception:
        yield Skipped.RAISES
        return
    usable = [sample for sample in samples if _size(sample) <= LARGEST]
    if not usable:
        yield Skipped.LARGE
    chosen = np.unique(np.linspace(0, len(usable) - 1, most).round().astype(int)) if usable else ()
    for number in chosen:
        yield _layer(operation, usable[number], f"{operation.name} #{number}")


def _size(sample: Any) -> int:
    leaves, _ = tree_flatten((sample.input, sample.args, sample.kwargs))
    return sum(leaf.numel() for leaf in leaves if isinstance(leaf, torch.Tensor) and leaf.requires_grad)


def _layer(operation: Operation, sample: Any, name: str) -> Layer | Skipped:
    leaves, form = tree_flatten((sample.input, sample.args, sample.kwargs))
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor) and leaf.requires_grad]
    if any(isinstance(leaf, torch.Tensor) and leaf.layout is not torch.strided for leaf in leaves):
        return Skipped.LAYOUT
    if not places or any(leaves[i].dtype is not torch.float64 for i in places):
        return Skipped.NOT_ALONE
    inputs = tuple(leaves[i].detach().resolve_conj().resolve_neg().numpy().copy() for i in places)
    if sum(each.size for each in inputs) == 0:
        return Skipped.EMPTY
    if not all(np.all(np.isfinite(each)) for each in inputs):
        return Skipped.NOT_FINITE
    evaluate = partial(_evaluate, operation.info, sample, leaves, form, places)
    layer = Layer(name=name, forward=evaluate, backward=_differentiate, inputs=inputs)
    return _checked(layer)


def _checked(layer: Layer) -> Layer | Skipped:
    """The layer, if there is something to check."""
    try:
        out, cache = layer.forward(*layer.inputs)
    except _NoGradientError as error:
        return error.reason
    except Exception:
        return Skipped.RAISES
    parts = list(out.values()) if isinstance(out, dict) else [out]
    size = sum(part.size for part in parts)
    if size == 0 or size > LARGEST:
        return Skipped.EMPTY if size == 0 else Skipped.LARGE
    ones = {key: np.ones_like(part) for key, part in out.items()} if isinstance(out, dict) else np.ones_like(out)
    try:
        gradients = layer.backward(ones, cache)
    except Exception:
        return Skipped.RAISES
    return layer if all(np.all(np.isfinite(each)) for each in [*parts, *gradients]) else Skipped.NOT_FINITE


class _NoGradientError(Exception):
    def __init__(self, reason: Skipped) -> None:
        super().__init__(reason.value)
        self.reason = reason


def _evaluate(info: Any, sample: Any, leaves: list[Any], form: Any, places: list[int], *inputs: np.ndarray) -> Any:
    """The operation in float64: its outputs as arrays, and what autograd needs."""
    torch.manual_seed(0)
    wanted = [torch.from_numpy(np.array(each)).requires_grad_() for each in inputs]
    filled = [leaf.detach().clone() if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
    for place, tensor in zip(places, wanted, strict=True):
        filled[place] = tensor
    first, args, kwargs = tree_unflatten(filled, form)
    with torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = info.gradcheck_wrapper(info.get_op(), first, *args, **kwargs)
        if sample.output_process_fn_grad is not None:
            result = sample.output_process_fn_grad(result)
        outs = [out for out in tree_flatten(result)[0] if isinstance(out, torch.Tensor) and out.requires_grad]
        if any(out.layout is not torch.strided or out.is_nested for out in outs):
            raise _NoGradientError(Skipped.LAYOUT)
        if any(out.dtype not in (torch.float64, torch.complex128) for out in outs):
            raise _NoGradientError(Skipped.LESS)
        outs = [torch.view_as_real(out.resolve_conj()) if out.is_complex() else out for out in outs]
        if not outs:
            raise _NoGradientError(Skipped.NO_GRADIENT)
    arrays = [np.array(out.detach().numpy()) for out in outs]
    return (arrays[0] if len(outs) == 1 else {str(i): part for i, part in enumerate(arrays)}), (wanted, outs)


def _differentiate(dout: Any, cache: Any) -> tuple[np.ndarray, ...]:
    """Its gradients; a cache serves more than once, as some damages want it."""
    wanted, outs = cache
    parts = list(dout.values()) if isinstance(dout, dict) else [dout]
    upstream = [torch.from_numpy(np.array(part)).to(out.dtype) for part, out in zip(parts, outs, strict=True)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = torch.autograd.grad(outs, wanted, upstream, allow_unused=True, retain_graph=True)
    return tuple(
        np.zeros(x.shape) if each is None else np.array(each.detach().resolve_neg().numpy())
        for each, x in zip(found, wanted, strict=True)
    )
