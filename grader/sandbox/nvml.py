"""How many GPUs there are, without touching one.

Whoever asks may be about to fork, and a process that has used a GPU can't be forked with it. So the driver's management
library is asked (NVML), which opens no context on any device.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import os

__all__ = ["gpus", "turn"]


@functools.cache
def gpus() -> int:
    """How many NVIDIA GPUs the driver shows; 0 without a driver."""
    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return 0
    count = ctypes.c_uint(0)
    if nvml.nvmlInit_v2() != 0:
        return 0
    try:
        return count.value if nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)) == 0 else 0
    finally:
        nvml.nvmlShutdown()


_TURNS = itertools.count(os.getpid())
"""Judges are processes of their own: they begin at different numbers."""


def turn() -> int:
    """Number of the GPU whose turn it is: of several each has as many processes as the others."""
    return next(_TURNS) % max(gpus(), 1)
