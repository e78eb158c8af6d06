"""torch tensors beside the student's code: arguments as tensors, results as NumPy arrays. Imports torch when asked to.

Types are looked at with type() and tensors through the methods of their C base class, never by asking the object: a
subclass of torch.Tensor may lie about its shape, its numbers and itself. Only one that keeps its numbers elsewhere
(a __torch_dispatch__ of its own, a device without data) can't be read that way, and is not.
"""

from __future__ import annotations

import io
import traceback
from collections.abc import Sequence
from functools import cache
from typing import Any

from numpy import array as array_of
from numpy import ndarray

from grader.calls import Opaque
from grader.sandbox.patches import Setting

__all__ = ["GUARDED", "give", "give_narrow", "read", "read_narrow", "settings", "tensor_type", "warm"]

GUARDED = (
    "torch",
    "torch.autograd",
    "torch.fft",
    "torch.jit",
    "torch.linalg",
    "torch.nn",
    "torch.nn.functional",
    "torch.special",
)
"""Modules of torch that a submission's changes must not leave: the oracle may compute with them in the same process."""


class _Torch:
    """What is used of torch while it may hold a student's changes, as it was before."""

    def __init__(self) -> None:
        import torch

        self.base: Any = torch._C.TensorBase
        self.plain: Any = torch.Tensor
        self.from_numpy: Any = torch.from_numpy
        self.plainly: Any = torch._C.DisableTorchFunction
        self.keys: Any = torch._C._dispatch_keys
        self.python: Any = torch._C.DispatchKey.Python
        self.strided: Any = torch.strided
        self.wide, self.narrow = torch.float32, torch.bfloat16
        ints = (
            torch.uint8,
            torch.int8,
            torch.int16,
            torch.int32,
            torch.int64,
            torch.uint16,
            torch.uint32,
            torch.uint64,
        )
        floats = (torch.float16, torch.float32, torch.float64, torch.complex64, torch.complex128)
        self.known = frozenset((torch.bool, *ints, *floats))
        """Types of numbers that NumPy has too."""


_torch = cache(_Torch)


def tensor_type() -> type:
    """What give() makes."""
    kind: type = _torch().plain
    return kind


def give(value: ndarray[Any, Any]) -> Any:
    """A tensor of its own memory, as torch.tensor makes one, without a gradient."""
    return _torch().from_numpy(array_of(value, order="C")).clone()


def give_narrow(value: ndarray[Any, Any]) -> Any:
    """The same, but float32 as bfloat16, for which NumPy has no dtype."""
    tensor = give(value)
    return tensor.to(_torch().narrow) if tensor.dtype is _torch().wide else tensor


def read_narrow(value: Any) -> ndarray[Any, Any] | Opaque | None:
    """As read(), where tensors are to be bfloat16: such a one as float32; a float32 one, which is wider, as float64.

    So each dtype crosses over as the next wider one that NumPy has, and the judge sees which is wider than it may be.
    """
    torch = _torch()
    if not issubclass(type(value), torch.base):
        return None
    dtype = torch.base.dtype.__get__(value)
    if dtype is torch.narrow:
        with torch.plainly():
            return read(torch.base.to(value, torch.wide))
    numbers = read(value)
    return numbers.astype("float64") if dtype is torch.wide and type(numbers) is ndarray else numbers


def read(value: Any) -> ndarray[Any, Any] | Opaque | None:
    """The numbers of a tensor, in its own memory where that is the CPU's; None for whatever is no tensor.

    What NumPy has no type for, and what has no numbers to look at, is Opaque with words that say so.
    """
    torch = _torch()
    if not issubclass(type(value), torch.base):
        return None
    try:
        with torch.plainly():
            return _numbers(torch, value)
    except Exception:  # one left over from inside torch.vmap, one whose memory is gone
        return Opaque("a tensor that can't be read")


def _numbers(torch: _Torch, value: Any) -> ndarray[Any, Any] | Opaque:
    tensor = torch.base
    if torch.keys(value).has(torch.python):
        return Opaque("a tensor with a __torch_dispatch__ of its own")
    if tensor.layout.__get__(value) is not torch.strided:
        return Opaque(f"a tensor of layout {tensor.layout.__get__(value)}")
    if tensor.device.__get__(value).type == "meta":
        return Opaque("a tensor on the device meta, which holds no numbers")
    if tensor.dtype.__get__(value) not in torch.known:
        return Opaque(f"a tensor of dtype {str(tensor.dtype.__get__(value)).removeprefix('torch.')}")
    plain = tensor.detach(tensor.as_subclass(value, torch.plain))
    numbers: ndarray[Any, Any] = plain.cpu().resolve_conj().resolve_neg().numpy()
    return numbers


def settings() -> Sequence[Setting]:
    """What a submission may set for all of torch, and must not set for the oracle: torch.set_default_dtype."""
    import torch

    return ((torch.get_default_dtype, torch.set_default_dtype),)


def warm() -> None:
    """Import and set up all that torch leaves until its first use. Once, before a process is forked and walled in.

    Behind the wall there are no files, and what is imported late is not found: printing a tensor, an optimizer's step
    and torch.distributions import hundreds of modules (the compiler among them) when they are first used. So each is
    used here. One thread only, since a child of a process that has computed with several hangs, and no backward, since
    autograd's own threads don't live through a fork. Who draws random numbers afterwards draws the same ones each time.
    """
    import torch
    import torch.utils.checkpoint
    import torch.utils.data

    torch.set_num_threads(1)
    with torch.no_grad():
        for use in (_compute, _build, _store, _report):
            use(torch)
    torch.manual_seed(0)


def _compute(torch: Any) -> None:
    x = torch.eye(4, dtype=torch.float64)
    images = torch.ones(1, 2, 6, 6, dtype=torch.float64)
    functional = torch.nn.functional
    for array in (x, x.float()):
        torch.einsum("ij,jk,kl->il", array, array, array).exp().tanh().softmax(1)
        for function in ("svd", "qr", "eigh", "eigvals", "inv", "det", "cholesky"):
            getattr(torch.linalg, function)(array)
        torch.linalg.solve(array, array), torch.linalg.lstsq(array, array)
        torch.fft.irfft2(torch.fft.rfft2(array))
        functional.scaled_dot_product_attention(images.to(array.dtype), images.to(array.dtype), images.to(array.dtype))
        functional.conv2d(images.to(array.dtype), torch.ones(3, 2, 3, 3, dtype=array.dtype))
    torch.func.vmap(lambda row: (row @ x).relu().sum())(x)
    torch.utils.checkpoint.checkpoint(torch.tanh, x, use_reentrant=False)
    torch.distributions.MultivariateNormal(x[0], x).sample()


def _build(torch: Any) -> None:
    nn = torch.nn
    x = torch.ones(2, 3, 4)
    for module in (
        nn.LSTM(4, 4),
        nn.GRU(4, 4),
        nn.TransformerEncoderLayer(4, 2, 4),
        nn.BatchNorm1d(3),
        nn.Linear(4, 4),
    ):
        module(x)
    weight = nn.Parameter(x[0])
    weight.grad = x[0]
    for make in (torch.optim.SGD, torch.optim.Adam):
        optimizer = make([weight], lr=0.1)
        optimizer.step()
        optimizer.zero_grad()


def _store(torch: Any) -> None:
    file = io.BytesIO()
    torch.save({"x": torch.ones(2)}, file)
    file.seek(0)
    torch.load(file)
    list(torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(2, 2)), shuffle=True))


def _report(torch: Any) -> None:
    x = torch.eye(2)
    repr(x), repr(torch.nn.Parameter(x)), repr(torch.nn.Linear(2, 2))
    torch.testing.assert_close(x, x)
    for wrong, args in ((torch.testing.assert_close, (x, x + 1)), (torch.matmul, (x, torch.ones(3)))):
        try:
            wrong(*args)
        except Exception:
            traceback.format_exc()
