"""In what a submission is graded: on which arrays, with how many digits.

The *main* setting of an assignment is its profile in float64, and decides nearly all of the points. A manifest may have
the same file graded in further settings, each for a share of every part's points (`[also_on]` in grader.manifest): the
same functions on torch tensors, in float32, on a GPU. What is asked there is the same; what is compared differs with
the digits (grader.checks, grader.numerics.tolerance).

The name of a setting is what a manifest and a report call it: "torch", "torch float32", "cuda bfloat16".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from grader.calls import Profile

__all__ = ["Device", "Precision", "Setting"]


class Precision(StrEnum):
    """How many digits the arrays have, or the arithmetic."""

    FLOAT64 = "float64"
    FLOAT32 = "float32"
    TF32 = "tf32"
    """float32 arrays, of which a GPU multiplies the first ten binary digits (NVIDIA's default for convolutions)."""
    BFLOAT16 = "bfloat16"

    @property
    def unit(self) -> float:
        """Unit roundoff: the largest relative error of rounding a number once."""
        match self:
            case Precision.FLOAT64:
                return 2.0**-53
            case Precision.FLOAT32:
                return 2.0**-24
            case Precision.TF32:
                return 2.0**-11
            case Precision.BFLOAT16:
                return 2.0**-8
            case _:
                assert_never(self)

    @property
    def dtype(self) -> str:
        """What the arrays say that they are."""
        return "float32" if self is Precision.TF32 else self.value


class Device(StrEnum):
    """Which devices a grading may use."""

    CPU = "cpu"
    """What needs another stays pending, also where there is one."""
    CUDA = "cuda"
    """Nothing is graded without a GPU."""
    AUTO = "auto"
    """Whatever there is."""


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """Arrays of a library on a device, with so many digits."""

    profile: Profile
    precision: Precision = Precision.FLOAT64

    def __str__(self) -> str:
        return self.profile.value if self.precision is Precision.FLOAT64 else f"{self.profile} {self.precision}"

    @property
    def words(self) -> str:
        """For a message, behind "with": float32 torch tensors."""
        digits = "" if self.precision is Precision.FLOAT64 else f"{self.precision} "
        return f"{digits}{_arrays(self.profile)}"

    @classmethod
    def parse(cls, name: str) -> Setting:
        """The setting of this name.

        Raises:
            ValueError: there is none; says which there are.
        """
        profile, _, precision = name.partition(" ")
        if profile not in set(Profile):
            raise ValueError(f"{profile!r} is no kind of array; there are {', '.join(Profile)}")
        if precision and precision not in set(Precision):
            raise ValueError(f"{precision!r} is no precision; there are {', '.join(Precision)}")
        return cls(Profile(profile), Precision(precision or Precision.FLOAT64))


def _arrays(profile: Profile) -> str:
    match profile:
        case Profile.NUMPY:
            return "NumPy arrays"
        case Profile.TORCH:
            return "torch tensors"
        case Profile.PRETEND_CUDA:
            return "torch tensors on a pretend GPU"
        case Profile.CUDA:
            return "torch tensors on a GPU"
        case Profile.JAX:
            return "JAX arrays"
        case _:
            assert_never(profile)
