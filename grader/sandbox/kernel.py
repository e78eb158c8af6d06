"""The few Linux system calls that Python has no name for, by ctypes. Everything here raises OSError as os does.

Numbers of prctl, clone and mount are those of the kernel's uapi headers, the same on every architecture; system
calls that libc does not wrap have their number by architecture.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Collection
from typing import Any

__all__ = [
    "CAP_SETFCAP",
    "NEWIPC",
    "NEWNET",
    "NEWNS",
    "NEWPID",
    "NEWUSER",
    "NEWUTS",
    "bound_capabilities",
    "drop_capabilities",
    "machine",
    "map_own_user",
    "mount",
    "pivot_root",
    "prctl",
    "seccomp",
    "setns",
    "syscall",
    "unmount",
    "unshare",
]

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 24, 38
NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
MS_REC, MS_PRIVATE = 16384, 1 << 18
MNT_DETACH = 2
CAP_SETFCAP = 31
CAPABILITIES = 64
"""Numbers to try; the kernel says where they end."""
_CAPABILITY_VERSION = 0x20080522

_NUMBERS = {
    "x86_64": {"pivot_root": 155, "capset": 126, "seccomp": 317},
    "aarch64": {"pivot_root": 41, "capset": 91, "seccomp": 277},
}


def machine() -> str:
    """Architecture as uname gives it; empty where this is not Linux."""
    return platform.machine() if sys.platform == "linux" else ""


def _libc() -> Any:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


_LIBC: Any = _libc() if sys.platform == "linux" else None


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, *args: Any) -> int:
    """A system call by its number."""
    return _checked(_LIBC.syscall(ctypes.c_long(number), *args), f"system call {number}")


def prctl(option: int, value: Any = 0, more: Any = 0) -> int:
    """Set a property of this process."""
    args = (ctypes.c_ulong(arg) if isinstance(arg, int) else arg for arg in (value, more, 0, 0))
    return _checked(_LIBC.prctl(option, *args), f"prctl {option}")


def seccomp(operation: int, flags: int, argument: Any) -> int:
    """Set how this process may call the kernel."""
    return syscall(_NUMBERS[machine()]["seccomp"], ctypes.c_uint(operation), ctypes.c_uint(flags), argument)


def unshare(flags: int) -> None:
    """Leave the namespaces of these kinds for new ones."""
    _checked(_LIBC.unshare(flags), "unshare")


def setns(fd: int, kind: int) -> None:
    """Enter a namespace by its descriptor."""
    _checked(_LIBC.setns(fd, kind), "setns")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """Mount a file system, or change a mount."""
    text = options.encode() or None
    _checked(
        _LIBC.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), text), f"mount {target}"
    )


def unmount(target: str) -> None:
    """Take a mount out of the tree at once; it goes when its last user does."""
    _checked(_LIBC.umount2(target.encode(), MNT_DETACH), f"unmount {target}")


def pivot_root(new: str, old: str) -> None:
    """Make a mount the root, and put the old root there."""
    syscall(_NUMBERS[machine()]["pivot_root"], new.encode(), old.encode())


def map_own_user() -> None:
    """In a new user namespace: be the same user as outside, and nobody else."""
    user, group = os.getuid(), os.getgid()
    unshare(NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def bound_capabilities(keep: Collection[int] = ()) -> None:
    """Give up the right to get a capability, but some, back by an exec."""
    for number in range(CAPABILITIES):
        if number not in keep:
            try:
                prctl(PR_CAPBSET_DROP, number)
            except OSError:  # beyond the last there is, or not ours to drop
                break


def drop_capabilities(keep: Collection[int] = ()) -> None:
    """Give up every capability but some."""
    kept = sum(1 << number for number in keep)
    low, high = kept & 0xFFFFFFFF, kept >> 32
    header = ctypes.create_string_buffer(struct.pack("II", _CAPABILITY_VERSION, 0))
    sets = ctypes.create_string_buffer(struct.pack("6I", low, low, 0, high, high, 0))
    syscall(_NUMBERS[machine()]["capset"], header, sets)
