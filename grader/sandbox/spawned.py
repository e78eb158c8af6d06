"""A submission's process by exec, with limits and no wall: for systems without one, and where it is taken down.

What it can't do: keep the submission from files, the network, or from leaving its process group and outliving it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from grader.calls import Profile
from grader.errors import MachineError
from grader.sandbox.boot import command, environment
from grader.sandbox.child import Ending, Spent, is_full, output_file, read_output, spent_by
from grader.sandbox.nvml import turn

__all__ = ["Spawned"]


class Spawned:
    """The process, its socket, its empty folder and what it prints."""

    walled = False

    def __init__(self, profile: Profile, output_bytes: int, limits: dict[str, int]) -> None:
        """Start it.

        Raises:
            MachineError: no process could be started.
        """
        self._output_bytes = output_bytes
        with contextlib.ExitStack() as held:
            try:
                self.folder = tempfile.mkdtemp(prefix="gradmark-")
                held.callback(shutil.rmtree, self.folder, ignore_errors=True)
                self.socket, theirs = socket.socketpair()
                held.callback(self.socket.close)
                with theirs:
                    self._printed = output_file(output_bytes)
                    held.callback(os.close, self._printed)
                    self._process = self._start(profile, theirs.fileno(), limits)
            except OSError as error:
                raise MachineError(f"no process could be started for the submission: {error}") from error
            self._held = held.pop_all()

    def _start(self, profile: Profile, fd: int, limits: dict[str, int]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command("worker", (fd, self._output_bytes, limits, str(profile)), profile),
            stdin=subprocess.DEVNULL,
            stdout=self._printed,
            stderr=self._printed,
            pass_fds=[fd],
            cwd=self.folder,
            env=environment(turn() if profile is Profile.CUDA else None),
            start_new_session=True,
        )

    def output(self) -> str:
        """What was printed so far."""
        return read_output(self._printed, self._output_bytes)

    def overflowed(self) -> bool:
        """Whether it printed as much as is kept, or more."""
        return is_full(self._printed, self._output_bytes)

    def spent(self) -> Spent | None:
        """What it has had of the machine."""
        return spent_by(self._process.pid)

    def ending(self) -> Ending | None:
        """How it ended; None if it has not within a moment.

        It is not reaped yet: its number, and that of its group, must stay its own until the group is ended.
        """
        give_up = time.monotonic() + 1.0
        while (ended := os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)) is None:
            if time.monotonic() > give_up:
                return None
            time.sleep(0.005)
        if ended.si_code == os.CLD_EXITED:
            return Ending(code=ended.si_status)
        return Ending(signal=ended.si_status)

    def kill(self) -> None:
        """End the process and all in its group, reap it, and free what it held."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._held.close()
