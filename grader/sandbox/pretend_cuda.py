"""A pretend CUDA device: tensors with real numbers on the CPU that say cuda:0, and obey CUDA's rules.

So a file is seen to run on a GPU, or not to, on a machine that has none, and its numbers are checked in the same run.

A tensor of the device is one of the CPU whose class is another (Rules.pretend, a subclass of torch.Tensor): it shares
memory in views, is written into in place, and is one object however often torch hands it back, as any tensor. All that
student code calls of torch comes by Rules.call, from a TorchFunctionMode where no such tensor is among the arguments
(torch.zeros(3, device="cuda")) and from the class itself elsewhere (in threads). There, in order:

    1. functions with a rule of their own: .to, .cpu, .numpy, indexing, ...
    2. device=, or the default device, says where the result lies; else it lies where the arguments do.
    3. Tensors of both devices in one call raise as in torch, but for those of the CPU without dimensions, and for the
       functions that copy from one to the other.
    4. What needs the numbers on the host (item, bool, nonzero, a mask as index) is remembered as a wait for the GPU.
    5. torch computes, on the CPU, and the results are put on their device.

Of each tensor that was made on the CPU it is remembered where: who mixes it later is told the line. What no function of
torch's can show (torch.cuda, Generator, from_numpy, Parameter) is put in torch's place by pretend_runtime.

It is a teacher and no wall: code that turns torch's overrides off gets CPU tensors, and fails on a real GPU. Not held:
which kernels exist for which dtype, memory and its limits, the order of sums. Inside torch.func.vmap no rules hold, and
tensors say that they are on the CPU.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NoReturn

from numpy import ndarray

from grader.calls import Found

__all__ = ["DeviceError", "Rules", "Site", "rules"]

MOST_WAITS: Final = 32
"""Lines that are remembered, in one call of a student's function."""
_WAITS: Final = frozenset((
    "item", "tolist", "__bool__", "__int__", "__float__", "__index__", "__complex__", "__contains__", "is_nonzero",
    "nonzero", "argwhere", "masked_select", "unique", "unique_consecutive", "bincount", "equal", "allclose",
))  # fmt: skip
"""Functions whose result, or its size, the host has to know."""
_EITHER: Final = frozenset((
    "copy_", "set_", "view_as", "expand_as", "reshape_as", "resize_as_", "result_type", "is_same_size", "is_set_to",
    "can_cast", "tensor", "new_tensor", "_has_compatible_shallow_copy_type",
))  # fmt: skip
"""Functions that take tensors of both devices: they copy, or look at nothing but shapes and types."""
_NO_SCALARS: Final = frozenset((
    "stack", "hstack", "vstack", "dstack", "column_stack", "row_stack", "cat", "concat", "concatenate", "index_select",
    "index_add", "index_add_", "index_copy", "index_copy_", "gather", "scatter", "scatter_", "scatter_add",
    "scatter_add_", "take", "take_along_dim", "embedding",
))  # fmt: skip
"""Functions that take no tensor of the CPU, not even one without dimensions."""
_EACH: Final = frozenset(("broadcast_tensors", "atleast_1d", "atleast_2d", "atleast_3d"))
"""Functions that leave each tensor where it is."""
_BY_DATA: Final = frozenset(("tensor", "as_tensor", "asarray"))
"""Makers whose result lies where their data does, if that is a tensor."""
_MADE: Final = "_made_on_the_cpu"
"""Attribute of a tensor that holds the site."""
_INTERNAL: Final = ("torch", "functorch", "array_api_compat", "numpy", "grader", "contextlib", "copy")
"""Packages whose frames are passed over on the way to the student's line."""


class DeviceError(RuntimeError):
    """What torch raises where tensors of two devices meet; with where the one on the CPU came from."""

    def __init__(self, message: str, site: Site | None = None, name: str = "") -> None:
        super().__init__(message)
        self.site, self.name = site, name


DeviceError.__name__ = DeviceError.__qualname__ = "RuntimeError"  # as students see it on a GPU
DeviceError.__module__ = "builtins"


@dataclass(frozen=True, slots=True)
class Site:
    """A line of code, and what it does there with the device."""

    file: str
    line: int
    what: str
    """As it is written: torch.zeros, .item()."""
    mend: str = ""


class Rules:
    """The device, one a process: its class of tensors, and what holds for functions that are given some."""

    def __init__(self) -> None:
        import torch
        import torch.utils._device as default

        self.torch: Any = torch
        self.default = default
        self.off: Any = torch._C.DisableTorchFunction
        self.plain: Any = torch.Tensor
        self.base: Any = torch._C.TensorBase
        self.cuda, self.cpu = torch.device("cuda", 0), torch.device("cpu")
        self.pretend: type = _class_of_tensors(self)
        self.mode: Any = _mode(self)
        self.kinds: dict[type, type] = {torch.Tensor: self.pretend}
        self.makers = frozenset(default._device_constructors())
        self.waits: dict[tuple[str, int], Site] = {}
        self.special: Mapping[str, Callable[..., Any]] = {
            "__get__": self._get,
            "__set__": self._set,
            "__getitem__": self._getitem,
            "__setitem__": self._setitem,
            "__iter__": self._iterate,
            "__array__": self._numpy,
            "numpy": self._numpy,
            "__dlpack_device__": self._dlpack_device,
            "__repr__": self._show,
            "__format__": self._show,
            "__deepcopy__": self._deepcopy,
            "__reduce_ex__": self._reduce,
            "to": self._to,
            "cuda": self._to_cuda,
            "cpu": self._to_cpu,
            "type": self._type,
            "type_as": self._type_as,
            "get_device": self._get_device,
            "pin_memory": self._pin,
            "apply_": self._cpu_only,
            "map_": self._cpu_only,
        }

    # ------------------------------------------------------------------------------------------------ what is called

    def call(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """One function of torch's, under the device's rules."""
        name = getattr(function, "__name__", "")
        special = self.special.get(name)
        return self._usual(function, name, args, named) if special is None else special(function, args, named)

    def _usual(self, function: Any, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        ours, others = self._sorted(args, named)
        target = self._target(function, name, args, named, ours)
        if target is not None and target.type == "cuda":
            named = {**named, "device": self.cpu}
            named.pop("pin_memory", None)
        on_gpu = bool(ours) if target is None else target.type == "cuda"
        if name.startswith("new_") and target is None:
            on_gpu = self.is_ours(args[0])
        elif ours and others:
            self._check(name, args, named, ours, others)
        self._check_generator(args, named, on_gpu)
        if ours:
            self._note_wait(name, args, named)
        with self.off():
            result = function(*args, **named)
            if name in _EACH:
                return self._each(result, args)
            if on_gpu and not ours and name in _BY_DATA:  # it may lie in the memory of what it was made of
                result = result.clone()
            if on_gpu:
                return self._on_gpu(result, others)
            return self._on_cpu(result, function, name, others, named)

    def _target(
        self, function: Any, name: str, args: tuple[Any, ...], named: dict[str, Any], ours: Sequence[Any]
    ) -> Any:
        """The device that is asked for, as a torch.device; None where the arguments decide."""
        device = named.get("device")
        if device is not None:
            return self.device(device)
        if function not in self.makers:
            return None
        if name in _BY_DATA and args and isinstance(args[0], self.plain):
            return None
        return self.device(self.default.CURRENT_DEVICE or self.cpu) if self.default.CURRENT_DEVICE else self.cpu

    def device(self, device: Any) -> Any:
        """Any name of a device as a torch.device.

        Raises:
            RuntimeError: there is no such device: this machine has one GPU.
        """
        if isinstance(device, bool) or not isinstance(device, (str, int, self.torch.device)):
            return self.torch.device(device)  # says what is wrong with it
        found = self.torch.device("cuda", device) if isinstance(device, int) else self.torch.device(device)
        if found.type == "cuda" and found.index not in (None, 0):
            raise RuntimeError(
                "CUDA error: invalid device ordinal\nCUDA kernel errors might be asynchronously reported at some other "
                "API call, so the stacktrace below might be incorrect.\nThis machine has one GPU, cuda:0."
            )
        return found

    # ---------------------------------------------------------------------------------------------------- whose it is

    def is_ours(self, value: Any) -> bool:
        """Whether it is a tensor of the device."""
        return issubclass(type(value), self.pretend)

    def _sorted(self, args: Sequence[Any], named: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
        """The tensors among the arguments, of this device and of others."""
        ours: list[Any] = []
        others: list[Any] = []
        for value in _tensors((*args, *named.values()), self.plain):
            (ours if issubclass(type(value), self.pretend) else others).append(value)
        return ours, others

    def of(self, kind: type) -> type:
        """The class that stands for one of the CPU's tensors (torch.Tensor, Parameter) on the device."""
        if issubclass(kind, self.pretend):
            return kind
        if kind not in self.kinds:
            names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "stands_for": kind}
            make: Any = type(kind)
            self.kinds[kind] = make(kind.__name__, (self.pretend, kind), names)
        return self.kinds[kind]

    def put(self, tensor: Any) -> Any:
        """A tensor of the CPU that nobody else has, put on the device as it is."""
        tensor.__class__ = self.of(type(tensor))
        return tensor

    def take(self, tensor: Any) -> Any:
        """A copy on the CPU."""
        with self.off():
            return self.plain.clone(tensor)

    def follow(self, results: Any, args: Any) -> Any:
        """Results of a function that ran without the rules: on the device, if one of its arguments was."""
        return self._on_gpu(results) if any(map(self.is_ours, _tensors(args, self.plain))) else results

    def _on_gpu(self, value: Any, others: Sequence[Any] = ()) -> Any:
        """Results, put on the device; an argument that came back stays where it is."""
        kind = type(value)
        if issubclass(kind, self.plain):
            if not issubclass(kind, self.pretend) and not any(value is other for other in others):
                self.put(value)
        elif issubclass(kind, (tuple, list)):
            for item in value:
                self._on_gpu(item, others)
        return value

    def _on_cpu(self, value: Any, function: Any, name: str, others: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """Results that stay on the CPU, with where they were made."""
        kind = type(value)
        if issubclass(kind, self.pretend):  # asked for with device="cpu"
            self.wait(f"a copy to the CPU ({name})")
            value = self.plain.clone(value)
            return self.made(value, f"{name} with device='cpu'", "leave it on the GPU: device=x.device")
        if issubclass(kind, self.plain):
            site = next(filter(None, map(self._site_of, others)), None)
            if site is not None:
                self._tell(value, site)
            elif self._site_of(value) is None:
                how = "with device='cpu'" if named.get("device") is not None else "without device="
                self.made(value, f"torch.{name} {how}" if function in self.makers else f"torch.{name}")
        elif kind in (tuple, list):
            for item in value:
                self._on_cpu(item, function, name, others, named)
        return value

    def _each(self, results: Any, args: Any) -> Any:
        given = list(_tensors(args, self.plain))
        for result, tensor in zip(results if type(results) in (tuple, list) else [results], given, strict=True):
            if self.is_ours(tensor):
                self._on_gpu(result)
        return results

    # -------------------------------------------------------------------------------------------------- what is raised

    def _check(
        self, name: str, args: tuple[Any, ...], named: dict[str, Any], ours: Sequence[Any], others: Sequence[Any]
    ) -> None:
        """Whether a function may be given tensors of both devices.

        Raises:
            RuntimeError: it may not.
        """
        if name in _EITHER or name in _EACH:
            return
        written = named.get("out") if "out" in named else args[0] if _in_place(name) and args else None
        with self.off():
            large = [other for other in others if other.dim()]
        if isinstance(written, self.plain) and not self.is_ours(written) and name != "fill_":
            large = [written, *large]
        if large or name in _NO_SCALARS:
            self._mixed(name, args, named, (large or others)[0])

    def _mixed(self, name: str, args: Sequence[Any], named: Mapping[str, Any], wrong: Any) -> NoReturn:
        if name == "equal":
            raise self.error("Cannot compare two tensors on different devices. Got: cuda:0 and cpu", wrong)
        first = next(iter(_tensors((*args, *named.values()), self.plain)))
        devices = "cuda:0 and cpu" if self.is_ours(first) else "cpu and cuda:0"
        told = f"Expected all tensors to be on the same device, but found at least two devices, {devices}!"
        raise self.error(told, wrong)

    def error(self, message: str, wrong: Any) -> DeviceError:
        """What to raise about a tensor that lies on the wrong device."""
        frame, _ = _student_frame()
        names = () if frame is None else frame.f_locals.items()
        return DeviceError(message, self._site_of(wrong), next((n for n, v in names if v is wrong), ""))

    def _check_generator(self, args: Sequence[Any], named: Mapping[str, Any], on_gpu: bool) -> None:
        generator = named.get("generator")
        if generator is not None and (generator.device.type == "cuda") is not on_gpu:
            wanted, found = ("cuda", "cpu") if on_gpu else ("cpu", "cuda")
            raise RuntimeError(f"Expected a '{wanted}' device type for generator but found '{found}'")

    # ----------------------------------------------------------------------------------------------------- waits, sites

    def wait(self, what: str) -> None:
        """Remember that the host waits for the GPU here."""
        site = self.here(what)
        if site is not None and len(self.waits) < MOST_WAITS:
            self.waits.setdefault((site.file, site.line), site)

    def take_waits(self) -> list[Site]:
        """What was remembered since the last time."""
        found = list(self.waits.values())
        self.waits.clear()
        return found

    def _note_wait(self, name: str, args: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        if name in _WAITS:
            self.wait(_written(name))
        elif name == "where" and len(args) + len(named) == 1:
            self.wait("torch.where(condition)")
        elif name == "tensor" and not self.is_ours(args[0] if args else None):
            self.wait("torch.tensor of numbers on the GPU")
        elif name == "one_hot" and len(args) < 2 and "num_classes" not in named:
            self.wait("one_hot without num_classes=")
        elif name == "repeat_interleave" and "output_size" not in named and any(map(self.is_ours, args[1:])):
            self.wait("repeat_interleave without output_size=")

    def elsewhere(self, value: Any) -> tuple[Found, Site | None] | None:
        """What an array is that does not lie on the device, and where it was made; None for all else."""
        kind = type(value)
        if issubclass(kind, self.pretend):
            return None
        if issubclass(kind, self.base):
            return Found.ON_CPU, self._site_of(value)
        return (Found.NUMPY, None) if issubclass(kind, ndarray) else None

    def cause(self, error: BaseException) -> tuple[str, Site] | None:
        """The tensor on the CPU that an exception is about: its name, if it has one, and where it was made."""
        if type(error) is not DeviceError or error.site is None:
            return None
        return error.name, error.site

    def _site_of(self, tensor: Any) -> Site | None:
        """Where a tensor was made; what student code may have put there is no site."""
        site = vars(tensor).get(_MADE) if hasattr(tensor, "__dict__") else None
        return site if type(site) is Site else None

    def made(self, tensor: Any, what: str, mend: str = "give it device=x.device") -> Any:
        """A tensor that was made on the CPU, with the line that did it."""
        frame, library = _student_frame()
        if library:
            what, mend = f"in {library}", f"{mend}, or move it with .to(x.device)"
        if frame is not None:
            self._tell(tensor, Site(frame.f_code.co_filename, frame.f_lineno, what, mend))
        return tensor

    def _tell(self, tensor: Any, site: Site) -> None:
        vars(tensor)[_MADE] = site

    def here(self, what: str, mend: str = "") -> Site | None:
        """The line of the student's that is running."""
        frame, _ = _student_frame()
        return None if frame is None else Site(frame.f_code.co_filename, frame.f_lineno, what, mend)

    # --------------------------------------------------------------------------------------- functions with own rules

    def _plainly(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        with self.off():
            return function(*args, **named)

    def _get(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        ours = self.is_ours(args[0])
        if ours:
            match _attribute(function):
                case "device":
                    return self.cuda
                case "is_cuda":
                    return True
                case "is_cpu":
                    return False
        value = self._plainly(function, args, named)
        if issubclass(type(value), self.plain):
            return self._on_gpu(value) if ours else self.keep_site(value, args[0])
        return value

    def keep_site(self, value: Any, source: Any) -> Any:
        """What was made of a tensor of the CPU: made where that was."""
        site = self._site_of(source)
        if site is not None:
            self._tell(value, site)
        return value

    def _set(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        tensor, value = args[0], args[1] if len(args) > 1 else None
        name = _attribute(function)
        if name == "grad" and issubclass(type(value), self.plain) and self.is_ours(value) != self.is_ours(tensor):
            raise self.error("assigned grad has data located on a different device", value)
        self._plainly(function, args, named)
        if name == "data" and self.is_ours(value):
            self.put(tensor)
        elif name == "data" and self.is_ours(tensor):
            tensor.__class__ = getattr(type(tensor), "stands_for", self.plain)

    def _getitem(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        tensor, keys = args[0], list(_tensors(args[1:], self.plain))
        if not self.is_ours(tensor):
            for key in keys:
                if self.is_ours(key) and self._dims(key):
                    raise self.error(
                        "indices should be either on cpu or on the same device as the indexed tensor (cpu)", tensor
                    )
            self._wait_for_numbers(keys)
            return self._on_cpu(self._plainly(function, args, named), function, "getitem", [tensor], {})
        self._wait_for_mask(keys)
        return self._on_gpu(self._plainly(function, args, named))

    def _setitem(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> None:
        tensor, key, value = args
        keys, ours = list(_tensors((key,), self.plain)), self.is_ours(tensor)
        if not ours and any(self.is_ours(k) and self._dims(k) for k in keys):
            raise self.error(
                "indices should be either on cpu or on the same device as the indexed tensor (cpu)", tensor
            )
        if issubclass(type(value), self.plain):
            self._put_values(tensor, key, value, keys)
        self._plainly(function, args, named)

    def _put_values(self, tensor: Any, key: Any, value: Any, keys: Sequence[Any]) -> None:
        """Whether a tensor may be written there: a slice is copied from any device, a selection is not."""
        masked = any(self._is_mask(k) for k in keys)
        if self.is_ours(value) != self.is_ours(tensor):
            alone = masked and len(keys) == 1 and self._size(value) == 1 and not self.is_ours(value)
            if _selects(key, keys) and self._dims(value) and not alone:
                there, here = ("cpu", "cuda:0") if self.is_ours(tensor) else ("cuda:0", "cpu")
                raise self.error(
                    "Expected all tensors to be on the same device, but got values is on "
                    f"{there}, different from other tensors on {here}",
                    tensor if self.is_ours(value) else value,
                )
            if self.is_ours(value):
                self.wait("writing a tensor of the GPU into one of the CPU")
        elif masked and self.is_ours(tensor):
            self._wait_for_mask(keys)

    def _wait_for_mask(self, keys: Sequence[Any]) -> None:
        if any(self._is_mask(key) and self.is_ours(key) for key in keys):
            self.wait("a mask as index")

    def _wait_for_numbers(self, keys: Sequence[Any]) -> None:
        if any(map(self.is_ours, keys)):
            self.wait("a number of the GPU as index")

    def _is_mask(self, tensor: Any) -> bool:
        with self.off():
            return tensor.dtype in (self.torch.bool, self.torch.uint8)

    def _dims(self, tensor: Any) -> int:
        with self.off():
            return int(tensor.dim())

    def _size(self, tensor: Any) -> int:
        with self.off():
            return int(tensor.numel())

    def _iterate(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Iterator[Any]:
        with self.off():
            rows = list(function(*args))
        if self.is_ours(args[0]):
            self._on_gpu(rows)
        return iter(rows)

    def _numpy(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if self.is_ours(args[0]) and not named.get("force"):
            raise TypeError(
                "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory "
                "first."
            )
        if self.is_ours(args[0]):
            self.wait(".numpy(force=True)")
            return self._plainly(function, (self.take(args[0]), *args[1:]), named)
        return self._plainly(function, args, named)

    def _show(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> str:
        """Repr and format: the numbers, and where they are."""
        if not self.is_ours(args[0]):
            return str(self._plainly(function, args, named))
        self.wait("print of a tensor")
        text = str(self._plainly(function, (self.take(args[0]), *args[1:]), named))
        if not text.startswith("tensor("):
            return text
        head, comma, dtype = text.rpartition(", dtype=")
        return f"{head}, device='cuda:0'{comma}{dtype}" if comma else f"{text[:-1]}, device='cuda:0')"

    def _dlpack_device(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return (2, 0) if self.is_ours(args[0]) else self._plainly(function, args, named)

    def _deepcopy(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        tensor, memo = args
        if not self.is_ours(tensor):
            return self._plainly(function, args, named)
        if id(tensor) not in memo:
            copied = self.take(tensor)
            copied.__class__ = type(tensor)
            memo[id(tensor)] = copied
        return memo[id(tensor)]

    def _reduce(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if not self.is_ours(args[0]):
            return self._plainly(function, args, named)
        self.wait("pickling of a tensor")
        return _from_host, (self.take(args[0]),)

    def _to(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        tensor, device, rest = args[0], named.get("device"), list[Any]()
        other = named.get("other")
        for number, value in enumerate(args[1:]):
            if isinstance(value, self.plain):
                other = value
            elif isinstance(value, (str, self.torch.device)) or (type(value) is int and number == 0):
                device = value
            elif value is not None:
                rest.append(value)
        named = {name: value for name, value in named.items() if name not in ("device", "other")}
        to_gpu = self.is_ours(tensor) if device is None else self.device(device).type == "cuda"
        if other is not None:
            to_gpu, rest = self.is_ours(other), [other.dtype, *rest]
        if device is not None and self.device(device).type not in ("cpu", "cuda"):
            return self._plainly(function, args, named)
        types = [value for value in (*rest, named.get("dtype")) if isinstance(value, self.torch.dtype)]
        if "dtype" in named and not types:
            del named["dtype"]
        with self.off():
            result = function(tensor, *rest, **named) if types else tensor
            if named.get("copy") and result is tensor:
                result = tensor.clone()
        return self._moved(tensor, result, to_gpu, f".{function.__name__}()")

    def _moved(self, tensor: Any, result: Any, to_gpu: bool, how: str) -> Any:
        """What a conversion of a tensor gave, on its device: a copy, unless it was there."""
        if self.is_ours(tensor) == to_gpu:
            if result is tensor:
                return tensor
            return self._on_gpu(result) if to_gpu else self.keep_site(result, tensor)
        if result is tensor:
            result = self.take(tensor)
        if to_gpu:
            return self.put(result)
        self.wait(f"a copy to the CPU, {how}")
        return self.made(result, how, "leave it on the GPU")

    def _to_cuda(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        device = args[1] if len(args) > 1 else named.get("device")
        if device is not None and self.device(device).type != "cuda":
            raise RuntimeError("Invalid device, must be cuda device")
        return self._moved(args[0], args[0], True, ".cuda()")

    def _to_cpu(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return self._moved(args[0], args[0], False, ".cpu()")

    def _type(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        tensor, kind = args[0], args[1] if len(args) > 1 else named.get("dtype")
        with self.off():
            if kind is None:
                name: str = function(tensor)
                return name.replace("torch.", "torch.cuda.", 1) if self.is_ours(tensor) else name
            if isinstance(kind, self.torch.dtype):
                return self._moved(tensor, function(tensor, kind), self.is_ours(tensor), ".type()")
            name = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__name__}"
            result = function(tensor, name.replace("torch.cuda.", "torch."))
        return self._moved(tensor, result, name.startswith("torch.cuda."), f".type({name})")

    def _type_as(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return self._to(self.plain.to, args, {})

    def _get_device(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return 0 if self.is_ours(args[0]) else -1

    def _pin(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if self.is_ours(args[0]):
            raise RuntimeError(f"cannot pin '{args[0].type()}' only dense CPU tensors can be pinned")
        return args[0]

    def _cpu_only(self, function: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if self.is_ours(args[0]):
            raise TypeError(f"{function.__name__} is only implemented on CPU tensors")
        return self._plainly(function, args, named)


@cache
def rules() -> Rules:
    """The device of this process."""
    return Rules()


def _from_host(tensor: Any) -> Any:
    """A tensor of the device that was pickled."""
    return rules().put(rules().take(tensor))


def _class_of_tensors(held: Rules) -> type:
    import torch

    class Tensor(torch.Tensor):
        stands_for = torch.Tensor

        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return held.call(func, args, kwargs or {})

    Tensor.__module__, Tensor.__qualname__ = "torch", "Tensor"
    return Tensor


def _mode(held: Rules) -> Any:
    from torch.overrides import TorchFunctionMode

    class Mode(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return held.call(func, args, kwargs or {})

    return Mode


def _tensors(values: Any, kind: type) -> Iterator[Any]:
    """The tensors in these values, in order, however nested."""
    for value in values:
        found = type(value)
        if issubclass(found, kind):
            yield value
        elif found in (tuple, list) or issubclass(found, tuple):
            yield from _tensors(value, kind)
        elif found is dict:
            yield from _tensors(value.values(), kind)
        elif found is slice:
            yield from _tensors((value.start, value.stop, value.step), kind)


def _attribute(function: Any) -> str:
    """Name of the attribute whose __get__ or __set__ this is."""
    descriptor = function.__self__
    return str(getattr(descriptor, "fget", descriptor).__name__)


def _in_place(name: str) -> bool:
    """Whether a function of this name writes into its first argument: add_, __iadd__."""
    return (name.endswith("_") and not name.endswith("__")) or name in _AUGMENTED


_AUGMENTED: Final = frozenset((
    "__iadd__", "__isub__", "__imul__", "__itruediv__", "__idiv__", "__ifloordiv__", "__imod__", "__ipow__",
    "__imatmul__", "__iand__", "__ior__", "__ixor__", "__ilshift__", "__irshift__",
))  # fmt: skip


def _selects(key: Any, tensors: Sequence[Any]) -> bool:
    """Whether an index picks elements one by one (tensors, lists), and is no slice."""
    parts = key if type(key) is tuple else (key,)
    return bool(tensors) or any(type(part) is list for part in parts)


def _written(name: str) -> str:
    """A function's name as students write it."""
    dunder = {"__bool__": "bool()", "__int__": "int()", "__float__": "float()", "__index__": "an index or a range"}
    return dunder.get(name, f"{name.strip('_')}" if name.startswith("__") else f".{name}()")


def _student_frame() -> tuple[Any, str]:
    """The frame of the student's that is running, the nearest that is no library's; and what it called of torch.nn."""
    frame: Any = sys._getframe(1)
    called = ""
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        if module.partition(".")[0] not in _INTERNAL:
            break
        called = frame.f_code.co_qualname.partition(".")[0] if module.startswith("torch.nn.modules") else called
        frame = frame.f_back
    return frame, called
