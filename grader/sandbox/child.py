"""What the judge knows of a process that runs a submission, however it was started."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["Child", "Ending", "Spent", "is_full", "output_file", "read_output", "spent_by"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended."""

    code: int | None = None
    """Exit code; None if a signal ended it."""
    signal: int = 0
    cpu_seconds: float = 0.0

    def __str__(self) -> str:
        if self.code is not None:
            return f"it exited with code {self.code}"
        try:
            return f"it was ended by {signal.Signals(self.signal).name}"
        except ValueError:
            return f"it was ended by signal {self.signal}"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process has had of the machine so far."""

    cpu: float = 0.0
    """Seconds of CPU time, all threads."""
    waited: float = 0.0
    """Seconds in which it could have run and the machine did not let it."""


class Child(Protocol):
    """A process that serves calls (worker.serve)."""

    @property
    def socket(self) -> socket.socket:
        """The judge's end of the connection."""
        ...

    @property
    def walled(self) -> bool:
        """Whether a wall keeps its code from sending a signal, even to itself."""
        ...

    def output(self) -> str:
        """What was printed so far."""
        ...

    def overflowed(self) -> bool:
        """Whether it printed as much as is kept, or more."""
        ...

    def spent(self) -> Spent | None:
        """What it has had of the machine; None where that can't be told."""
        ...

    def ending(self) -> Ending | None:
        """How it ended; None if it has not, though it is given a moment.

        Raises:
            MachineError: what it depends on ended first.
        """
        ...

    def kill(self) -> None:
        """End it and all that it started, and free what it held. Never raises."""
        ...


_IN_MEMORY = hasattr(os, "memfd_create")


def output_file(size: int) -> int:
    """Descriptor of a file of just this size that can't grow, in memory where the system has that."""
    if _IN_MEMORY:
        import fcntl

        fd = os.memfd_create("output", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, size)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        return fd
    fd, path = tempfile.mkstemp(prefix="gradmark-")
    os.unlink(path)
    os.ftruncate(fd, size)
    return fd


def read_output(fd: int, size: int) -> str:
    """What is in such a file; it has its full size from the start, so the unwritten rest is zeros."""
    if _IN_MEMORY and not os.fstat(fd).st_blocks:  # not a page of it was ever written
        return ""
    return os.pread(fd, size, 0).rstrip(b"\0").decode("utf-8", "replace")


def is_full(fd: int, size: int) -> bool:
    """Whether such a file is written to its end."""
    return os.pread(fd, 1, size - 1) not in (b"", b"\0")


_TICK = 1 / os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 0.01


def spent_by(pid: int) -> Spent | None:
    """What a process has had of the machine, from /proc; None where there is none. See proc(5): stat, schedstat."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()  # its name may be no text
        waited = Path(f"/proc/{pid}/schedstat").read_bytes().split()[1]
        return Spent(cpu=(int(fields[11]) + int(fields[12])) * _TICK, waited=int(waited) / 1e9)
    except (OSError, IndexError, ValueError):
        return None
