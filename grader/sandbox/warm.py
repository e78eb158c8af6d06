"""The judge's side of a zygote: starts it, has it fork children, ends it.

A zygote that does not answer, or answers nonsense, is ended with all its children; the pool starts another one.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import threading
from typing import Any, NoReturn

from grader.calls import Profile
from grader.errors import MachineError
from grader.sandbox.boot import command, environment
from grader.sandbox.child import Ending, Spent, is_full, output_file, read_output, spent_by
from grader.sandbox.control import ANSWER, MAX_MESSAGE, WALL_STANDS, Answer
from grader.sandbox.wall import Layer, Rung

__all__ = ["Forked", "Zygote"]

BOOT_SECONDS = 120.0
ANSWER_SECONDS = 15.0
_MESSAGES = 1 << 16
"""Bytes kept of what a zygote itself prints: why it did not start."""


class Zygote:
    """One preloaded process. Safe to use from several threads."""

    def __init__(self, profile: Profile, rung: Rung, gpu: str | None = None) -> None:
        """Start it, and don't wait until it is ready.

        Args:
            profile: what to import.
            rung: how much of the wall to build at most.
            gpu: number of the device that children may use; none if not given.

        Raises:
            MachineError: no process could be started.
        """
        self.lock = threading.RLock()
        self.children = 0
        self.forks = 0
        self.ready = False
        self.closed = False
        self.layers: frozenset[Layer] = frozenset()
        self.names: tuple[str, ...] = ()
        self.refused: dict[str, str] = {}
        with contextlib.ExitStack() as held:
            try:
                self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                held.callback(self._control.close)
                with theirs:
                    self._said = output_file(_MESSAGES)
                    held.callback(os.close, self._said)
                    self._process = subprocess.Popen(
                        command("zygote", (theirs.fileno(), str(rung), str(profile)), profile),
                        stdin=subprocess.DEVNULL,
                        stdout=self._said,
                        stderr=self._said,
                        pass_fds=[theirs.fileno()],
                        cwd="/",
                        env=environment(gpu),
                        start_new_session=True,
                    )
            except OSError as error:
                raise MachineError(f"no process could be started for submissions: {error}") from error
            self._held = held.pop_all()

    @property
    def pid(self) -> int:
        """Number of the process that was started; the zygote is that one or its only child."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Wait until everything is imported and the wall is probed.

        Raises:
            MachineError: it did not start.
        """
        with self.lock:
            if self.ready:
                return
            message, _ = self._receive(BOOT_SECONDS)
            told = json.loads(message)  # nothing of a student's has run yet
            self.layers = frozenset(map(Layer, told["layers"]))
            self.names, self.refused = tuple(told["names"]), told["refused"]
            self.ready = True

    def fork(self, output_bytes: int, limits: dict[str, int]) -> Forked:
        """A new child behind its wall.

        Raises:
            MachineError: there is none; then the zygote has been ended, unless it said that it could not fork.
        """
        with contextlib.ExitStack() as held:
            ours, theirs = socket.socketpair()
            held.callback(ours.close)
            printed = output_file(output_bytes)
            held.callback(os.close, printed)
            request = {"op": "fork", "limits": limits, "output_bytes": output_bytes}
            with theirs, self.lock:
                self.wait_until_ready()
                kind, pid, _, _, fds = self._ask(request, [theirs.fileno(), printed])
                if kind == Answer.FORKED and len(fds) == 1:
                    self.forks += 1
                    self.children += 1
                elif kind == Answer.FAILED:
                    raise MachineError(f"no process could be forked for the submission: {os.strerror(pid)}")
                else:
                    self._broken("it did not answer as agreed")
            held.callback(os.close, fds[0])
            child = Forked(self, pid, fds[0], ours, printed, output_bytes)
            try:
                child.wait_for_wall()
            except BaseException:
                self.end(pid)
                raise
            child.held = held.pop_all()
            return child

    def end(self, pid: int) -> Ending | None:
        """End a child; how it had ended before that. None if the zygote is gone, and all its children with it."""
        with self.lock:
            self.children -= 1
            if self.closed:
                return None
            try:
                kind, answered, status, cpu, _ = self._ask({"op": "end", "pid": pid}, [])
                if kind != Answer.ENDED or answered != pid:
                    self._broken("it did not answer as agreed")
            except MachineError:
                return None
        code = os.waitstatus_to_exitcode(status)
        return Ending(code=code, cpu_seconds=cpu) if code >= 0 else Ending(signal=-code, cpu_seconds=cpu)

    def drop(self, pid: int) -> None:
        """End a child, however it ends, and don't wait until it has: that takes as long as a fork."""
        with self.lock:
            self.children -= 1
            if not self.closed:
                with contextlib.suppress(MachineError):
                    self._tell({"op": "drop", "pid": pid}, [])

    def close(self) -> None:
        """End it, and every child that it has."""
        with self.lock:
            if self.closed:
                return
            self.closed = True
            self._control.close()  # it ends by itself, and takes its namespace along
            try:
                self._process.wait(2.0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._held.close()

    def _ask(self, request: dict[str, Any], fds: list[int]) -> tuple[int, int, int, float, list[int]]:
        self._tell(request, fds)
        message, received = self._receive(ANSWER_SECONDS)
        if len(message) != ANSWER.size:
            for fd in received:
                os.close(fd)
            self._broken("it did not answer as agreed")
        kind, pid, status, cpu = ANSWER.unpack(message)
        return kind, pid, status, cpu, received

    def _tell(self, request: dict[str, Any], fds: list[int]) -> None:
        if self.closed:
            raise MachineError("the process that starts submissions was ended")
        try:
            socket.send_fds(self._control, [json.dumps(request).encode()], fds)
        except OSError as error:
            self._broken(error.strerror or str(error))

    def _receive(self, seconds: float) -> tuple[bytes, list[int]]:
        """One message. Whatever goes wrong, also Ctrl-C, ends the zygote: answers must not get out of step."""
        try:
            self._control.settimeout(seconds)
            message, fds, _, _ = socket.recv_fds(self._control, MAX_MESSAGE, 2)
        except TimeoutError:
            self._broken(f"it did not answer within {seconds:g} s")
        except OSError as error:
            self._broken(error.strerror or str(error))
        except BaseException:
            self.close()
            raise
        if not message:
            self._broken("it has ended")
        return message, fds

    def _broken(self, why: str) -> NoReturn:
        said = read_output(self._said, _MESSAGES).strip().splitlines()
        self._process.kill()
        self.close()
        raise MachineError(f"the process that starts submissions failed: {why}{f': {said[-1][:300]}' if said else ''}")


class Forked:
    """A child of a zygote."""

    walled = True

    def __init__(
        self, zygote: Zygote, pid: int, pidfd: int, end: socket.socket, printed: int, output_bytes: int
    ) -> None:
        self.socket = end
        self.held = contextlib.ExitStack()
        self._zygote, self._pid, self._pidfd, self._printed, self._output_bytes = (
            zygote,
            pid,
            pidfd,
            printed,
            output_bytes,
        )
        self._ending: Ending | None = None
        self._reaped = False

    def wait_for_wall(self) -> None:
        """Wait until the child says that its wall stands; before that it knows nothing of the submission.

        Raises:
            MachineError: it does not stand.
        """
        self.socket.settimeout(ANSWER_SECONDS)
        try:
            said = self.socket.recv(1)
        except OSError as error:
            raise MachineError(f"a process for the submission did not start: {error}") from error
        if said != WALL_STANDS:
            why = self.output() or "it did not say why"
            raise MachineError(f"no wall could be put up around the submission: {why}")

    def output(self) -> str:
        """What was printed so far."""
        return read_output(self._printed, self._output_bytes)

    def overflowed(self) -> bool:
        """Whether it printed as much as is kept, or more."""
        return is_full(self._printed, self._output_bytes)

    def spent(self) -> Spent | None:
        """What it has had of the machine."""
        return None if self.pid is None else spent_by(self.pid)

    @functools.cached_property
    def pid(self) -> int | None:
        """Its number as this process sees it; None where /proc does not tell."""
        with contextlib.suppress(OSError), open(f"/proc/self/fdinfo/{self._pidfd}") as info:
            number = next((int(line.split()[1]) for line in info if line.startswith("Pid:")), -1)
            return number if number > 0 else None
        return None

    def ending(self) -> Ending | None:
        """How it ended; None if it has not within a moment.

        Raises:
            MachineError: its zygote ended, and took it along.
        """
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        ended = bool(poll.poll(1000))
        self._reap()
        if self._ending is None:
            raise MachineError("the process that starts submissions ended")
        return self._ending if ended else None

    def _reap(self) -> None:
        if not self._reaped:
            self._reaped = True
            self._stop()
            self._ending = self._zygote.end(self._pid)

    def _stop(self) -> None:
        """From here on none of its code runs."""
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def kill(self) -> None:
        """End it and all that it started, and free what it held."""
        if not self._reaped:
            self._reaped = True
            self._stop()
            self._zygote.drop(self._pid)
        self.held.close()
