"""Which arrays this machine has: what is missing makes points pending, and is never a failure."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from typing import assert_never

from grader.calls import Profile
from grader.errors import MachineError
from grader.sandbox.nvml import gpus
from grader.settings import Device

__all__ = ["missing", "named", "require"]


def missing(profile: Profile, device: Device = Device.AUTO) -> str:
    """Why code can't be given these arrays here, in words; empty if it can."""
    match profile:
        case Profile.NUMPY | Profile.TORCH | Profile.PRETEND_CUDA:
            return ""
        case Profile.JAX:
            return "" if importlib.util.find_spec("jax") else "there is no JAX here (gradmark[jax])"
        case Profile.CUDA:
            if device is Device.CPU:
                return "--device cpu uses no GPU"
            return "" if gpus() else "there is no GPU here"
        case _:
            assert_never(profile)


def require(device: Device) -> None:
    """Hold a wish for a GPU against what there is.

    Raises:
        MachineError: a GPU is required, and there is none.
    """
    if device is Device.CUDA and not gpus():
        raise MachineError("there is no GPU, and cuda as the device requires one; auto leaves its points pending")


def named(profiles: Iterable[Profile]) -> str:
    """The devices that code of these profiles runs on here, for a report: "cpu", "cpu, cuda: NVIDIA H200"."""
    return ", ".join(sorted({_device(profile) for profile in profiles}))


def _device(profile: Profile) -> str:
    match profile:
        case Profile.NUMPY | Profile.TORCH | Profile.JAX:
            return "cpu"
        case Profile.PRETEND_CUDA:
            return "pretend cuda"
        case Profile.CUDA:
            kinds = " or ".join(dict.fromkeys(gpu.name for gpu in gpus() if gpu.name))
            return f"cuda: {kinds}" if kinds else "cuda"
        case _:
            assert_never(profile)
