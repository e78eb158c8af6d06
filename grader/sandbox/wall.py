"""The layers between a submission and the machine: which there are, which work here, and how they are put up.

Layers of two kinds. What the zygote *enters* once: namespaces, and a root folder with nothing in it. What each child
*confines* itself with, after the fork and before it reads a byte of the submission, in this order: resource limits, a
user of its own, no capabilities, no new privileges, death with its parent, not dumpable, Landlock, seccomp. (A change
of user clears the death signal and makes dumpable again, hence the order; seccomp comes last since it forbids what
the others do.)

Nothing is assumed of a machine. `probe` tries each layer, on top of those that worked, in a throw-away child: a
half-done unshare leaves a process that can do nothing any more (a user namespace under Ubuntu's AppArmor rule, say).
What works is named in the report.

    rung           what stands                                               typical place
    full           all of it                                                 root on a Linux machine
    unprivileged   all but a user of its own                                 any user, where user namespaces are allowed
    seccomp        seccomp and limits, Landlock where there is any           GitHub's runners, Docker, gVisor
    none           another process, limits                                   macOS
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from grader.calls import Rung
from grader.sandbox import kernel, landlock, seccomp

__all__ = [
    "Layer",
    "Rung",
    "Wall",
    "confine",
    "empty_root",
    "enter",
    "in_own_pid_namespace",
    "probe",
    "rung_of",
    "set_limits",
]


class Layer(StrEnum):
    """One layer, in the order in which they are probed."""

    LIMITS = "resource limits"
    NO_NEW_PRIVILEGES = "no new privileges"
    NOT_DUMPABLE = "not dumpable"
    DEATH_SIGNAL = "death signal"
    SECCOMP = "seccomp"
    LANDLOCK = "Landlock"
    OWN_USER = "own user"
    USER_NAMESPACE = "user namespace"
    MOUNT_NAMESPACE = "mount namespace"
    NETWORK_NAMESPACE = "network namespace"
    IPC_NAMESPACE = "IPC namespace"
    UTS_NAMESPACE = "UTS namespace"
    PID_NAMESPACE = "PID namespace"
    EMPTY_ROOT = "empty root"
    NO_CAPABILITIES = "no capabilities"


_BASE: Final = frozenset({Layer.LIMITS, Layer.NO_NEW_PRIVILEGES, Layer.NOT_DUMPABLE, Layer.DEATH_SIGNAL})
_SECCOMP: Final = _BASE | {Layer.SECCOMP}
_UNPRIVILEGED: Final = _SECCOMP | {
    Layer.LANDLOCK,
    Layer.MOUNT_NAMESPACE,
    Layer.NETWORK_NAMESPACE,
    Layer.IPC_NAMESPACE,
    Layer.PID_NAMESPACE,
    Layer.EMPTY_ROOT,
    Layer.NO_CAPABILITIES,
}
_FULL: Final = _UNPRIVILEGED | {Layer.OWN_USER}

_NAMESPACES: Final = {
    Layer.MOUNT_NAMESPACE: kernel.NEWNS,
    Layer.NETWORK_NAMESPACE: kernel.NEWNET,
    Layer.IPC_NAMESPACE: kernel.NEWIPC,
    Layer.UTS_NAMESPACE: kernel.NEWUTS,
}
_FIRST_USERS: Final = (2_000_000, 30_000)
"""Where users of our own begin: far from everybody's, else within the 65,536 that a container is lent."""
_USERS: Final = 10_000
_MAX_THREADS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """What works on this machine."""

    layers: tuple[Layer, ...]
    refused: dict[Layer, str]
    """Why the others don't."""
    landlock: int = 0
    """Version of its interface."""
    first_user: int = 0
    program: bytes = b""
    """The seccomp filter."""

    @property
    def names(self) -> list[str]:
        """The layers as reports name them."""
        return [f"{layer} {self.landlock}" if layer is Layer.LANDLOCK else str(layer) for layer in self.layers]


def rung_of(layers: set[Layer]) -> Rung:
    """The rung that these layers make."""
    for rung, needed in ((Rung.FULL, _FULL), (Rung.UNPRIVILEGED, _UNPRIVILEGED), (Rung.SECCOMP, _SECCOMP)):
        if needed <= layers:
            return rung
    return Rung.NONE


# ------------------------------------------------------------------------------------------------------------- probing


def probe(rung: Rung, *, threads: bool, executable_memory: bool, devices: bool = False) -> Wall:
    """Try the layers up to a rung, each in a throw-away child. Call it in a process with one thread.

    Below `full` the process gives up its capabilities first, for good: it builds what any user could.
    """
    wanted = {Rung.FULL: list(Layer), Rung.UNPRIVILEGED: list(Layer), Rung.SECCOMP: list(_SECCOMP), Rung.NONE: []}[rung]
    if rung is not Rung.FULL:
        with contextlib.suppress(OSError):  # whoever is no root has none; a root that is to be mapped must keep one
            kernel.bound_capabilities(keep=[kernel.CAP_SETFCAP])
            kernel.drop_capabilities(keep=[kernel.CAP_SETFCAP])
    try:
        version = landlock.version()
    except OSError:
        version = 0
    program = b""
    if seccomp.supported():
        program = seccomp.filter_program(
            kernel.machine(), threads=threads, executable_memory=executable_memory, devices=devices
        )
    wall = Wall(layers=(), refused={}, landlock=version, first_user=0, program=program)
    for layer in Layer:
        if layer in wanted and not _needless(layer, wall):
            wall = _tried(wall, layer)
    return wall


def _tried(wall: Wall, layer: Layer) -> Wall:
    """The wall with the layer on top, or with why it has none."""
    why = ""
    for first_user in _FIRST_USERS if layer is Layer.OWN_USER else (wall.first_user,):
        higher = replace(wall, layers=(*wall.layers, layer), first_user=first_user)
        why = _why_not(higher, layer)
        if not why:
            return higher
    return replace(wall, refused={**wall.refused, layer: why})


def _needless(layer: Layer, wall: Wall) -> bool:
    """Whether a layer is not even tried: root needs no user namespace, and an empty root needs a mount namespace."""
    if layer is Layer.USER_NAMESPACE:
        return Layer.OWN_USER in wall.layers
    return layer is Layer.EMPTY_ROOT and Layer.MOUNT_NAMESPACE not in wall.layers


def _why_not(wall: Wall, layer: Layer) -> str:
    """Put the wall up in a throw-away child and try the layer out; what went wrong, empty if nothing."""
    answer, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        why = b"?"
        try:
            enter(wall)
            if Layer.PID_NAMESPACE in wall.layers:
                _try_pid_namespace()
            if Layer.EMPTY_ROOT in wall.layers:
                empty_root()
                if os.listdir("/"):
                    raise OSError(_STOPS_NOTHING)
            rest = [other for other in wall.layers if layer is not Layer.LANDLOCK or other is not Layer.SECCOMP]
            confine(replace(wall, layers=tuple(rest)), number=0, limits=_TRIAL_LIMITS)
            why = _broken(layer).encode()
        except BaseException as error:
            why = (str(error) or type(error).__name__).encode("utf-8", "replace")
        finally:
            with contextlib.suppress(OSError):
                os.write(theirs, b"!" + why[:500])
            os._exit(0)
    os.close(theirs)
    with open(answer, "rb") as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said[1:].decode("utf-8", "replace") if said else "the process that tried it ended"


_TRIAL_LIMITS: Final = {"RLIMIT_CORE": 0, "RLIMIT_NOFILE": 64}
_STOPS_NOTHING: Final = "it is there and stops nothing"
_REFUSES_FILES: Final = {Layer.SECCOMP: FileNotFoundError, Layer.LANDLOCK: PermissionError}


def _broken(layer: Layer) -> str:
    """Whether a layer that could be put up does what it is there for: why not, empty if it does."""
    if layer not in _REFUSES_FILES:
        return ""
    try:
        os.open("/", os.O_RDONLY)
    except _REFUSES_FILES[layer]:
        return ""
    return _STOPS_NOTHING


def _try_pid_namespace() -> None:
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    pid = in_own_pid_namespace(own, os.fork)
    if pid == 0:
        os._exit(0 if os.getpid() == 1 else 1)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        raise OSError("the child is not the first process of a namespace of its own")


# ----------------------------------------------------------------------------------------------- entered by the zygote


def enter(wall: Wall) -> None:
    """Go into the namespaces, all but that of processes."""
    if Layer.USER_NAMESPACE in wall.layers:
        kernel.map_own_user()
    flags = 0
    for layer, flag in _NAMESPACES.items():
        if layer in wall.layers:
            flags |= flag
    if flags:
        kernel.unshare(flags)
    if Layer.MOUNT_NAMESPACE in wall.layers:
        kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    if Layer.PID_NAMESPACE in wall.layers:
        # The zygote becomes the first process of a namespace of its own: whatever it leaves dies with it.
        kernel.unshare(kernel.NEWPID)
        pid = os.fork()
        if pid:
            _wait_for(pid)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_for(pid: int) -> None:
    """What is left of the process that was started: it ends as the zygote does."""
    os.closerange(0, 256)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os._exit(status if status >= 0 else 128 - status)


def in_own_pid_namespace(own: int, fork: Callable[[], int]) -> int:
    """Fork a child that is the first process of a namespace of its own; the parent stays where it is.

    Args:
        own: descriptor of the caller's own namespace.
        fork: os.fork.
    """
    kernel.unshare(kernel.NEWPID)
    pid = -1
    try:
        pid = fork()
    finally:
        if pid != 0:
            kernel.setns(own, kernel.NEWPID)
    return pid


def empty_root(keep: Sequence[str] = ()) -> None:
    """Exchange the whole file system for a folder that can't be written to. Needs a mount namespace.

    Args:
        keep: files that stay, all else goes.
    """
    kernel.mount("none", "/tmp", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC, "size=4k,mode=555")
    for path in keep:
        place = f"/tmp{path}"
        os.makedirs(os.path.dirname(place))
        os.close(os.open(place, os.O_CREAT))
        kernel.mount(path, place, "", kernel.MS_BIND)
    os.chdir("/tmp")
    kernel.pivot_root(".", ".")  # the old root now lies on top of the new one; see pivot_root(2)
    kernel.unmount(".")
    os.chdir("/")
    flags = kernel.MS_REMOUNT | kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("none", "/", "", flags)


# ------------------------------------------------------------------------------------------ what a child does to itself


def confine(wall: Wall, *, number: int, limits: dict[str, int]) -> None:
    """Put up the child's own layers, in order. After this, nothing more can be given up or got back.

    Args:
        wall: what works here.
        number: of the child; submissions that run at the same time have different users.
        limits: resource limits by the names of the resource module, soft and hard alike.

    Raises:
        OSError: one could not be put up although it worked when it was tried.
    """
    layers = wall.layers
    if Layer.LIMITS in layers:
        own_user = Layer.OWN_USER in layers  # of a user's processes RLIMIT_NPROC counts all
        _insist({**limits, **({"RLIMIT_NPROC": _MAX_THREADS} if own_user else {})})
    if Layer.OWN_USER in layers:
        user = wall.first_user + number % _USERS
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    if Layer.NO_CAPABILITIES in layers:
        kernel.drop_capabilities()
    if Layer.NO_NEW_PRIVILEGES in layers:
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if Layer.DEATH_SIGNAL in layers:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if Layer.NOT_DUMPABLE in layers:
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    if Layer.LANDLOCK in layers:
        landlock.restrict(wall.landlock)
    if Layer.SECCOMP in layers:
        seccomp.install(wall.program)


def _insist(limits: dict[str, int]) -> None:
    """Resource limits, and that they hold.

    Raises:
        OSError: one does not.
    """
    set_limits(limits)
    for name, value in limits.items():
        soft, hard = resource.getrlimit(getattr(resource, name))
        if not (0 <= soft <= value and 0 <= hard <= value):  # negative: none at all
            raise OSError(f"{name} can't be set to {value}")


def set_limits(limits: dict[str, int]) -> None:
    """Resource limits that hold from here on, soft and hard alike; each where the system has it."""
    for name, value in limits.items():
        kind = getattr(resource, name, None)
        if kind is not None:
            with contextlib.suppress(ValueError, OSError):
                hard = resource.getrlimit(kind)[1]
                most = value if hard == resource.RLIM_INFINITY else min(value, hard)
                resource.setrlimit(kind, (most, most))
