"""The sandbox: zygotes of one profile, and the children that they fork.

A zygote is started when it is first needed, replaced after so many forks or when it fails, and ended with the
sandbox. With several, children go to the one that has the fewest.

Where no wall can be had (macOS, a kernel without seccomp) or none is wanted (unsafe), children are started by exec,
one Python each, with limits alone.
"""

from __future__ import annotations

import sys
import threading
from types import TracebackType

from grader.calls import Profile
from grader.errors import MachineError
from grader.sandbox.child import Child
from grader.sandbox.nvml import turn
from grader.sandbox.spawned import Spawned
from grader.sandbox.wall import Layer, Rung, rung_of
from grader.sandbox.warm import Zygote

__all__ = ["Sandbox"]

TRIES = 3
_REFUSED = "autograd refused (a deterrent)"
_AUTOGRAD = {
    Profile.NUMPY: "no torch",
    Profile.TORCH: _REFUSED,
    Profile.PRETEND_CUDA: _REFUSED,
    Profile.CUDA: f"{_REFUSED}, and a GPU's driver within reach",
    Profile.JAX: "jax.grad refused (a deterrent)",
}


class Sandbox:
    """Where submissions run. Safe to use from several threads; close it, or use it as a context manager."""

    def __init__(
        self,
        profile: Profile = Profile.NUMPY,
        *,
        rung: Rung = Rung.FULL,
        require: Rung = Rung.SECCOMP,
        zygotes: int = 1,
        forks: int = 500,
    ) -> None:
        """Nothing is started yet.

        Args:
            profile: which arrays the code is given.
            rung: how much of the wall to build at most. `none` takes the wall down: unsafe.
            require: the least wall to run a submission behind; `full` is what the user at hand can have in full.
            zygotes: how many to keep.
            forks: how many children a zygote forks before it is replaced.
        """
        self.profile = profile
        self._wanted, self._require = rung, require
        self._forks = forks
        self._lock = threading.RLock()
        self._places: list[Zygote | None] = [None] * zygotes
        self._retired: list[Zygote] = []
        self._beside: dict[Profile, Sandbox] = {}
        self._known: tuple[Rung, tuple[str, ...], dict[str, str]] | None = None
        if rung is Rung.NONE:
            self._known = (Rung.NONE, ("process", "resource limits"), {})
        elif sys.platform != "linux":
            self._known = (Rung.NONE, ("process", "resource limits"), {"seccomp": f"{sys.platform} has none"})

    def start(self) -> None:
        """Start the zygotes and don't wait: they import while the caller does something else."""
        with self._lock:
            if self._known is None or self._known[0] is not Rung.NONE:
                for place in range(len(self._places)):
                    self._zygote(place)

    def beside(self, profile: Profile) -> Sandbox:
        """One like it for another profile, or itself: made when it is first asked for, closed with this one."""
        if profile is self.profile:
            return self
        with self._lock:
            if profile not in self._beside:
                self._beside[profile] = Sandbox(
                    profile,
                    rung=self._wanted,
                    require=self._require,
                    zygotes=len(self._places),
                    forks=self._forks,
                )
            return self._beside[profile]

    @property
    def rung(self) -> Rung:
        """The rung that this machine allows."""
        return self._probed()[0]

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of everything that stands between a submission and this machine."""
        return (*self._probed()[1], _AUTOGRAD[self.profile])

    @property
    def refused(self) -> dict[str, str]:
        """Layers that could not be put up, with why."""
        return dict(self._probed()[2])

    def pids(self) -> tuple[int, ...]:
        """Numbers of the zygotes that run."""
        with self._lock:
            return tuple(zygote.pid for zygote in self._places if zygote is not None and not zygote.closed)

    def check(self) -> None:
        """Whether the wall is as high as required.

        Raises:
            MachineError: it is not; says what to do.
        """
        rung = self.rung
        # A user of its own is root's to give; for everybody else the wall is full without it.
        if rung.reaches(Rung.UNPRIVILEGED if self._require is Rung.FULL else self._require):
            return
        why = "; ".join(f"{layer}: {reason}" for layer, reason in self.refused.items()) or "the wall was taken down"
        raise MachineError(
            f"the wall that is required ({self._require}) can't be built here, only {rung} ({why}). {_advice()}"
        )

    def child(self, output_bytes: int, limits: dict[str, int]) -> Child:
        """A new process that serves calls.

        Args:
            output_bytes: how much may be printed.
            limits: resource limits by the names of the resource module; RLIMIT_DATA on top of what is preloaded.

        Raises:
            MachineError: there is none, or the wall is lower than required.
        """
        self.check()
        if self.rung is Rung.NONE:
            return Spawned(self.profile, output_bytes, limits)
        for left in reversed(range(TRIES)):
            try:
                return self._least_busy().fork(output_bytes, limits)
            except MachineError:
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        """End everything."""
        with self._lock:
            for zygote in (*self._places, *self._retired):
                if zygote is not None:
                    zygote.close()
            self._places = [None] * len(self._places)
            self._retired = []
            for other in self._beside.values():
                other.close()
            self._beside = {}

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def _probed(self) -> tuple[Rung, tuple[str, ...], dict[str, str]]:
        with self._lock:
            if self._known is None:
                zygote = self._zygote(0)
                zygote.wait_until_ready()
                rung = rung_of(set(zygote.layers))
                names = zygote.names if rung is not Rung.NONE else (str(Layer.LIMITS),)
                self._known = (rung, ("process", *names), zygote.refused)
                if rung is Rung.NONE:
                    self.close()
            return self._known

    def _least_busy(self) -> Zygote:
        with self._lock:
            zygotes = [self._zygote(place) for place in range(len(self._places))]
            return min(zygotes, key=lambda zygote: (zygote.children, zygote.forks))

    def _zygote(self, place: int) -> Zygote:
        """The zygote of a place: a new one if there is none, it failed, or it has forked enough."""
        self._retire()
        zygote = self._places[place]
        if zygote is None or zygote.closed or zygote.forks >= self._forks:
            if zygote is not None and not zygote.closed:
                self._retired.append(zygote)  # its children go on; it ends with the last of them
            gpu = turn() if self.profile is Profile.CUDA else None
            self._places[place] = zygote = Zygote(self.profile, self._wanted, gpu)
            self._retire()
        return zygote

    def _retire(self) -> None:
        for zygote in [zygote for zygote in self._retired if not zygote.children]:
            zygote.close()
            self._retired.remove(zygote)


def _advice() -> str:
    if sys.platform != "linux":
        return "Grade in a Linux container or virtual machine; for your own code, --unsafe"
    return (
        "Run as root or where user namespaces are allowed (sysctl kernel.apparmor_restrict_unprivileged_userns=0 on "
        "Ubuntu), or ask for less: --require seccomp; `grader doctor` lists what is missing"
    )
