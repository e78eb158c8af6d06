"""What torch says of the pretend device where no function of a tensor is called: torch.cuda, Generator and the rest.

Names in torch's modules, with what stands in their place while student code runs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from grader.sandbox.pretend_cuda import Rules

__all__ = ["default_device", "replacements"]


def replacements(rules: Rules) -> Iterator[tuple[Any, str, Any]]:
    """Owner, name and value of each."""
    import torch

    for name, value in _cuda(rules).items():
        if hasattr(torch.cuda, name):
            yield torch.cuda, name, value
    accelerator = getattr(torch, "accelerator", None)
    for name, value in _accelerator(rules).items():
        if hasattr(accelerator, name):
            yield accelerator, name, value
    yield torch, "Generator", _generator(rules)
    yield torch, "from_numpy", _from_numpy(rules)
    yield torch.nn.Parameter, "__new__", _new_parameter(rules)
    yield torch._C._nn, "_parse_to", _parse_to(rules)
    vmap = _vmap(rules)
    yield from ((owner, "vmap", vmap) for owner in (torch, torch.func))


def default_device() -> tuple[Any, Any]:
    """How to read what torch.set_default_device was told last, and how to set it."""
    import torch

    def told() -> Any:
        context = getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)
        return None if context is None else context.device

    return told, torch.set_default_device


def _cuda(rules: Rules) -> dict[str, Any]:
    torch = rules.torch

    def synchronize(device: Any = None) -> None:
        rules.device("cuda" if device is None else device)
        rules.wait("torch.cuda.synchronize()")

    def set_device(device: Any) -> None:
        rules.device(device)

    def properties(device: Any = None) -> Any:
        return SimpleNamespace(name="pretend CUDA", major=8, minor=0, total_memory=8 << 30, multi_processor_count=1)

    def nothing(*args: Any, **named: Any) -> None:
        pass

    def zero(*args: Any, **named: Any) -> int:
        return 0

    seeds = dict.fromkeys(("manual_seed", "manual_seed_all"), torch.random.default_generator.manual_seed)
    no_ops = dict.fromkeys(("init", "empty_cache", "reset_peak_memory_stats", "ipc_collect"), nothing)
    counts = ("memory_allocated", "max_memory_allocated", "memory_reserved", "max_memory_reserved", "current_device")
    return {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "device_count": lambda: 1,
        "get_device_name": lambda device=None: "pretend CUDA",
        "get_device_capability": lambda device=None: (8, 0),
        "get_device_properties": properties,
        "is_bf16_supported": lambda including_emulation=True: True,
        "mem_get_info": lambda device=None: (8 << 30, 8 << 30),
        "synchronize": synchronize,
        "set_device": set_device,
        "device": _Device,
        "Stream": _stream(synchronize),
        "Event": _event(synchronize),
        "current_stream": lambda device=None: _stream(synchronize)(),
        "default_stream": lambda device=None: _stream(synchronize)(),
        "stream": contextlib.nullcontext,
        **seeds,
        **no_ops,
        **dict.fromkeys(counts, zero),
    }


def _accelerator(rules: Rules) -> dict[str, Any]:
    return {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "current_accelerator": lambda check_available=False: rules.torch.device("cuda"),
        "current_device_index": lambda: 0,
        "synchronize": lambda device=None: rules.wait("torch.accelerator.synchronize()"),
    }


class _Device:
    """In place of torch.cuda.device."""

    def __init__(self, device: Any) -> None:
        self.idx = 0

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass


def _stream(synchronize: Any) -> type:
    class Stream:
        def __init__(self, device: Any = None, priority: int = 0) -> None:
            pass

        def synchronize(self) -> None:
            synchronize()

        def wait_stream(self, stream: Any) -> None:
            pass

        def wait_event(self, event: Any) -> None:
            pass

        def record_event(self, event: Any = None) -> Any:
            return event

        def query(self) -> bool:
            return True

        def __enter__(self) -> Stream:
            return self

        def __exit__(self, *exception: object) -> None:
            pass

    return Stream


def _event(synchronize: Any) -> type:
    class Event:
        def __init__(self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> None:
            pass

        def record(self, stream: Any = None) -> None:
            pass

        def wait(self, stream: Any = None) -> None:
            pass

        def query(self) -> bool:
            return True

        def synchronize(self) -> None:
            synchronize()

        def elapsed_time(self, end: Any) -> float:
            return 0.0

    return Event


def _generator(rules: Rules) -> type:
    """In place of torch.Generator: one that says cuda draws with the CPU's numbers."""
    torch = rules.torch

    class Generator(torch.Generator):  # type: ignore[name-defined, misc]
        def __new__(cls, device: Any = "cpu") -> Any:
            found = rules.device(device)
            made = super().__new__(cls, device="cpu")
            made.place = rules.cuda if found.type == "cuda" else found
            return made

        @property
        def device(self) -> Any:
            return self.place

    Generator.__module__ = "torch"
    return Generator


def _from_numpy(rules: Rules) -> Any:
    original = rules.torch.from_numpy

    def from_numpy(array: Any) -> Any:
        return rules.made(original(array), "torch.from_numpy", "move it with .to(x.device)")

    return from_numpy


def _parse_to(rules: Rules) -> Any:
    """What Module.to() was asked for; a tensor says where it lies in C++, past all overrides."""
    original = rules.torch._C._nn._parse_to

    def parse_to(*args: Any, **named: Any) -> Any:
        device, *rest = original(*args, **named)
        like = args[0] if args else named.get("tensor")
        return (rules.cuda if rules.is_ours(like) else device, *rest)

    return parse_to


def _vmap(rules: Rules) -> Any:
    """Inside it tensors are of a kind of its own, which has no class: the rules are off until it returns."""
    original = rules.torch.vmap

    def vmap(*args: Any, **named: Any) -> Any:
        mapped = original(*args, **named)

        def run(*args: Any, **named: Any) -> Any:
            with rules.off():
                result = mapped(*args, **named)
            return rules.follow(result, (args, tuple(named.values())))

        return run

    return vmap


def _new_parameter(rules: Rules) -> Any:
    original = rules.torch.nn.Parameter.__new__
    make = rules.torch.Tensor._make_subclass

    def new(cls: type, data: Any = None, requires_grad: bool = True) -> Any:
        if not rules.is_ours(data):
            return rules.keep_site(original(cls, data, requires_grad), data)
        with rules.off():
            return rules.put(make(cls, data, requires_grad))

    return staticmethod(new)
