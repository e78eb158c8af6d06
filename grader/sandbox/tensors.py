"""torch tensors beside the student's code: arguments as tensors, results as NumPy arrays. Imports torch when asked to.

Types are looked at with type() and tensors through the methods of their C base class, never by asking the object: a
subclass of torch.Tensor may lie about its shape, its numbers and itself. Only one that keeps its numbers elsewhere
(a __torch_dispatch__ of its own, a device without data) can't be read that way, and is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from grader.calls import Opaque
from grader.sandbox.patches import Setting

__all__ = ["GUARDED", "give", "read", "settings", "warm"]

GUARDED = ("torch", "torch.autograd", "torch.fft", "torch.linalg", "torch.nn", "torch.nn.functional", "torch.special")
"""Modules of torch that a submission's changes must not leave: the oracle may compute with them in the same process."""


def give(array: np.ndarray[Any, Any]) -> Any:
    """A tensor of its own memory, as torch.tensor makes one, without a gradient."""
    import torch

    return torch.from_numpy(np.array(array, order="C")).clone()


def read(value: Any) -> np.ndarray[Any, Any] | Opaque | None:
    """The numbers of a tensor, in its own memory where that is the CPU's; None for whatever is no tensor.

    What NumPy has no type for, and what has no numbers to look at, is Opaque with words that say so.
    """
    import torch

    tensor: Any = torch._C.TensorBase
    if not issubclass(type(value), tensor):
        return None
    try:
        with torch._C.DisableTorchFunctionSubclass():
            return _numbers(torch, tensor, value)
    except Exception:  # one left over from inside torch.vmap, one whose memory is gone
        return Opaque("a tensor that can't be read")


def _numbers(torch: Any, tensor: Any, value: Any) -> np.ndarray[Any, Any] | Opaque:
    if torch._C._dispatch_keys(value).has(torch._C.DispatchKey.Python):
        return Opaque("a tensor with a __torch_dispatch__ of its own")
    if tensor.layout.__get__(value) is not torch.strided:
        return Opaque(f"a tensor of layout {tensor.layout.__get__(value)}")
    if tensor.device.__get__(value).type == "meta":
        return Opaque("a tensor on the device meta, which holds no numbers")
    if tensor.dtype.__get__(value) not in _known(torch):
        return Opaque(f"a tensor of dtype {str(tensor.dtype.__get__(value)).removeprefix('torch.')}")
    plain = tensor.detach(tensor.as_subclass(value, torch.Tensor))
    array: np.ndarray[Any, Any] = plain.cpu().resolve_conj().resolve_neg().numpy()
    return array


def _known(torch: Any) -> frozenset[Any]:
    """Types of numbers that NumPy has too."""
    ints = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16, torch.uint32, torch.uint64)
    floats = (torch.float16, torch.float32, torch.float64, torch.complex64, torch.complex128)
    return frozenset((torch.bool, *ints, *floats))


def settings() -> Sequence[Setting]:
    """What a submission may set for all of torch, and must not set for the oracle: torch.set_default_dtype."""
    import torch

    return ((torch.get_default_dtype, torch.set_default_dtype),)
