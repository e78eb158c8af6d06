"""What a profile changes where the student's code runs: one value, asked by the loader and the executor.

The NumPy profile never imports torch: what is torch's stands in tensors and autograd and is imported when a submission
of that profile is first loaded. Whoever watches a student's calls (for numerical derivatives, say) and has to look
into arrays does so with `Kit.read`, and sees NumPy arrays whatever the profile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Protocol, TypeAlias, assert_never

from numpy import array, ndarray  # by name: numpy may hold a student's changes when these are used

from grader.calls import Found, Profile
from grader.sandbox.autograd import AutogradRefused
from grader.sandbox.patches import GUARDED, Setting

__all__ = ["REFUSED", "Guard", "Kit", "Read", "Rules", "Site", "kit_of"]

REFUSED: Mapping[str, str] = {
    "torch": "torch is not available here: this assignment is graded with NumPy, so that the gradient is your own"
}
"""What a submission of the NumPy profile may not import, with what it is told; in every process that runs one, so that
all doors agree."""

Read: TypeAlias = Callable[[Any], Any]
"""From any object to its numbers as a NumPy array of the same memory, or Opaque, if it is an array of the profile's
library; else to None. It never asks the object, only its type."""


class Guard(Protocol):
    """What refuses to differentiate while student code runs; one a process."""

    def enter(self) -> None:
        """Put it on, and forget what was refused before."""
        ...

    def look(self) -> None:
        """Note whether it is still as it was put on."""
        ...

    def leave(self) -> AutogradRefused | None:
        """Take it off, the last time; gives what was refused first since enter()."""
        ...


class Site(Protocol):
    """A line of code, and what it does there with the device."""

    @property
    def file(self) -> str:
        """As in tracebacks."""
        ...

    @property
    def line(self) -> int:
        """Its number."""
        ...

    @property
    def what(self) -> str:
        """A few words."""
        ...

    @property
    def mend(self) -> str:
        """What to write instead; perhaps nothing."""
        ...


class Rules(Protocol):
    """What is known of the arrays of a device beside the CPU."""

    def elsewhere(self, value: Any) -> tuple[Found, Site | None] | None:
        """What an array is that does not lie on the device, and where it was made; None for all else."""
        ...

    def cause(self, error: BaseException) -> tuple[str, Site] | None:
        """The array on the CPU that an exception is about: its name, if it has one, and where it was made."""
        ...

    def take_waits(self) -> Sequence[Site]:
        """Where student code waited for the device since the last time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kit:
    """What a profile brings."""

    array: type
    """What arrays are."""
    give: Callable[[ndarray[Any, Any]], Any]
    """From an argument's array to what the student's code gets: a copy in C order, its own."""
    read: Read
    refused: Mapping[str, str]
    """What can't be imported, with why."""
    needed: Sequence[str]
    """Packages that a submission's file of the same name may not stand for."""
    guarded: Sequence[str]
    """Modules whose changes are kept apart from the judge; so are those of the settings."""
    settings: Sequence[Setting] = ()
    guard: Guard | None = None
    """Holds while student code runs."""
    rules: Rules | None = None
    """Those of its device, if it has one beside the CPU."""
    finish: Callable[[], None] | None = None
    """Waits for what was started on the device, if it works on its own."""
    narrow: tuple[Callable[[ndarray[Any, Any]], Any], Read] | None = None
    """How to give and read where float32 arrays stand for bfloat16 ones, if the library has them."""
    arithmetic: Callable[[bool], None] | None = None
    """Whether float32 may be multiplied as TF32, where the device can."""

    def in_precision(self, precision: str) -> Kit:
        """The kit as it is in the precision of a call (Call.precision)."""
        if self.arithmetic is not None:
            self.arithmetic(precision == "tf32")
        if precision != "bfloat16" or self.narrow is None:
            return self
        give, read = self.narrow
        return replace(self, give=give, read=read)


@cache
def kit_of(profile: Profile) -> Kit:
    """The kit of a profile."""
    match profile:
        case Profile.NUMPY:
            return Kit(
                array=ndarray,
                give=_give,
                read=_read,
                refused=REFUSED,
                needed=("numpy", "array_api_compat"),
                guarded=GUARDED,
            )
        case Profile.TORCH:
            from grader.sandbox import autograd, tensors

            return Kit(
                array=tensors.tensor_type(),
                give=tensors.give,
                read=tensors.read,
                refused={},
                needed=("numpy", "array_api_compat", "torch"),
                guarded=(*GUARDED, *tensors.GUARDED),
                settings=tensors.settings(),
                guard=autograd.Guard(),
                narrow=(tensors.give_narrow, tensors.read_narrow),
            )
        case Profile.PRETEND_CUDA:
            return _pretend_cuda()
        case Profile.JAX:
            from grader.sandbox import jaxarrays

            return Kit(
                array=jaxarrays.array_type(),
                give=jaxarrays.give,
                read=jaxarrays.read,
                refused=REFUSED,
                needed=("numpy", "array_api_compat", "jax"),
                guarded=(*GUARDED, *jaxarrays.GUARDED),
                settings=jaxarrays.settings(),
                guard=jaxarrays.Guard(),
            )
        case Profile.CUDA:
            return _cuda()
        case _:
            assert_never(profile)


def _pretend_cuda() -> Kit:
    from grader.sandbox import autograd, tensors
    from grader.sandbox.pretend_cuda import rules
    from grader.sandbox.pretend_runtime import default_device, replacements

    held = rules()

    def give(value: ndarray[Any, Any]) -> Any:
        with held.off():
            return held.put(tensors.give(value))

    def give_narrow(value: ndarray[Any, Any]) -> Any:
        with held.off():
            return held.put(tensors.give_narrow(value))

    return Kit(
        array=held.pretend,
        give=give,
        read=tensors.read,
        refused={},
        needed=("numpy", "array_api_compat", "torch"),
        guarded=(*GUARDED, *tensors.GUARDED, "torch.cuda"),
        settings=(*tensors.settings(), default_device()),
        guard=autograd.Guard(held.mode, replacements(held)),
        rules=held,
        narrow=(give_narrow, tensors.read_narrow),
    )


def _cuda() -> Kit:
    from grader.sandbox import autograd, cuda, tensors
    from grader.sandbox.pretend_runtime import default_device

    cuda.pin_arithmetic()
    return Kit(
        array=tensors.tensor_type(),
        give=cuda.give,
        read=tensors.read,
        refused={},
        needed=("numpy", "array_api_compat", "torch"),
        guarded=(*GUARDED, *tensors.GUARDED, "torch.cuda"),
        settings=(*tensors.settings(), default_device()),
        guard=autograd.Guard(),
        rules=cuda.Rules(),
        finish=cuda.finish,
        narrow=(cuda.give_narrow, tensors.read_narrow),
        arithmetic=cuda.pin_arithmetic,
    )


def _give(value: ndarray[Any, Any]) -> ndarray[Any, Any]:
    return array(value, order="C")


def _read(value: Any) -> Any:
    return value if issubclass(type(value), ndarray) else None
