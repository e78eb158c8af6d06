"""torch tensors on a GPU, beside the student's code. What is no different on the CPU stands in tensors.

A process that has used a GPU can't be forked with it. So a zygote does not, and each child starts CUDA itself, before
it is confined and with nothing of a submission in it: the driver opens its devices then, starts threads, and torch
loads the libraries that it else loads late (cuBLAS, cuFFT, cuSOLVER). What a submission needs afterwards is memory and
ioctl, so the filter that is put on all threads of the child allows ioctl, on whatever is open, and nothing else more:
no files, no processes, no network. That is a weaker wall: the driver behind ioctl is large, and its code runs in the
kernel. There is no empty root and there are no namespaces: the devices are files.

Arithmetic is what its dtype says: float32 is multiplied with all its digits, not the ten of TF32, unless a setting is
declared so. Every call is waited for (`finish`) before its time is taken, and an error of a kernel is the error of the
call that started it. After one that the device can't recover from, the process is of no more use, and is ended.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from numpy import ndarray

from grader.calls import Found
from grader.sandbox import tensors

__all__ = ["BROKEN", "Rules", "finish", "give", "give_narrow", "limit_memory", "pin_arithmetic", "start"]

BROKEN = "AcceleratorError"
"""Kind of the exception after which the device can't be used by this process any more."""


class Rules:
    """What is known of arrays on a real device: where they lie. Who made one, or waits, is seen on a pretend one."""

    def elsewhere(self, value: Any) -> tuple[Found, None] | None:
        """What an array is that does not lie on the device; None for all else."""
        if issubclass(type(value), ndarray) and value.ndim:
            return Found.NUMPY, None
        base = _torch()._C.TensorBase
        if issubclass(type(value), base) and base.device.__get__(value).type == "cpu":
            return Found.ON_CPU, None
        return None

    def cause(self, error: BaseException) -> None:
        """Nothing: torch says on which devices it found what."""
        return

    def take_waits(self) -> tuple[()]:
        """Nothing."""
        return ()


def give(value: ndarray[Any, Any]) -> Any:
    """A tensor of its own memory on the current device."""
    return tensors.give(value).to("cuda")


def give_narrow(value: ndarray[Any, Any]) -> Any:
    """The same, but float32 as bfloat16."""
    return tensors.give_narrow(value).to("cuda")


def finish() -> None:
    """Wait for everything that was started.

    Raises:
        RuntimeError: some of it failed.
    """
    _torch().cuda.synchronize()


def pin_arithmetic(tf32: bool = False) -> None:
    """All digits of float32, in products and in convolutions (there torch's default is TF32)."""
    torch = _torch()
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32


def limit_memory(limit: int) -> None:
    """How many bytes of the device's memory tensors may take; what the context takes does not count."""
    cuda = _torch().cuda
    total = cuda.get_device_properties(cuda.current_device()).total_memory
    cuda.set_per_process_memory_fraction(min(1.0, limit / total))


def start() -> None:
    """Start CUDA in this process and load what torch loads late: never in one that will fork."""
    torch = _torch()
    with torch.no_grad():
        images, weights = torch.ones(1, 2, 6, 6, device="cuda"), torch.ones(3, 2, 3, 3, device="cuda")
        for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
            x = torch.eye(4, device="cuda", dtype=dtype)
            torch.softmax(x @ x, 1)
            torch.nn.functional.conv2d(images.to(dtype), weights.to(dtype))
        x = torch.eye(4, device="cuda", dtype=torch.float64)
        torch.linalg.solve(x, x), torch.linalg.svd(x), torch.linalg.eigh(x), torch.linalg.qr(x), torch.linalg.inv(x)
        torch.fft.irfft(torch.fft.rfft(x)), torch.randn(2, device="cuda"), torch.sort(x), torch.cumsum(x, 0)
    torch.cuda.synchronize()
    torch.cuda.manual_seed_all(0)


@cache
def _torch() -> Any:
    import torch

    return torch
