"""Which GPUs there are, without touching one, and whose turn it is.

Whoever asks may be about to fork, and a process that has used a GPU can't be forked with it. So the driver's management
library is asked (NVML), which opens no context on any device. It knows nothing of CUDA_VISIBLE_DEVICES, by which users
and schedulers say which may be used: that is looked at here.

What was asked once is remembered, also by forks: `keep_off` hides the GPUs from a process whose submissions get them.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Gpu", "gpus", "keep_off", "turn"]

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_TEXT = 96
"""Bytes that NVML's names and UUIDs take at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One NVIDIA GPU."""

    number: str
    """As nvidia-smi counts them, and CUDA with CUDA_DEVICE_ORDER=PCI_BUS_ID."""
    uuid: str
    name: str


@functools.cache
def gpus() -> tuple[Gpu, ...]:
    """Those that may be used, in the order in which CUDA_VISIBLE_DEVICES names them; none without a driver."""
    try:
        nvml = _library()
    except OSError:
        return ()
    if nvml.nvmlInit_v2() != 0:
        return ()
    try:
        every = tuple(_all(nvml))
    finally:
        nvml.nvmlShutdown()
    return _named_in(os.environ.get(_VISIBLE), every)


def keep_off() -> None:
    """Have this process, and those that it forks, compute without a GPU; submissions are given theirs all the same.

    Where there is a GPU autograd starts threads for it, which no fork survives. To be called before torch is asked for
    anything: it looks when it is first used.
    """
    gpus()
    os.environ[_VISIBLE] = ""


def _library() -> Any:
    return ctypes.CDLL("libnvidia-ml.so.1")


def _all(nvml: Any) -> Iterator[Gpu]:
    count = ctypes.c_uint(0)
    if nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)) != 0:
        return
    for number in range(count.value):
        device = ctypes.c_void_p()
        if nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(number), ctypes.byref(device)) == 0:
            uuid, name = (_said(ask, device) for ask in (nvml.nvmlDeviceGetUUID, nvml.nvmlDeviceGetName))
            yield Gpu(number=str(number), uuid=uuid, name=name)


def _said(ask: Any, device: ctypes.c_void_p) -> str:
    text = ctypes.create_string_buffer(_TEXT)
    return text.value.decode(errors="replace") if ask(device, text, ctypes.c_uint(_TEXT)) == 0 else ""


def _named_in(visible: str | None, every: tuple[Gpu, ...]) -> tuple[Gpu, ...]:
    """By number or by the beginning of the UUID; what names none ends the list, as with CUDA. None names all."""
    if visible is None:
        return every
    found: list[Gpu] = []
    for word in map(str.strip, visible.split(",")):
        named = [gpu for gpu in every if word == gpu.number or (word.startswith("GPU-") and gpu.uuid.startswith(word))]
        if not named:
            break
        found.append(named[0])
    return tuple(found)


_TURNS = itertools.count(os.getpid())
"""Judges are processes of their own: they begin at different numbers."""


def turn() -> str:
    """Number of the GPU whose turn it is: of several each has as many processes as the others. Of none, 0."""
    every = gpus()
    return every[next(_TURNS) % len(every)].number if every else "0"
