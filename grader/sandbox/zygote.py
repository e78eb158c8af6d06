"""The zygote: a process that has imported everything and forks one walled child a submission.

Started by `warm` through `boot`. It holds no secret: whatever is in its memory is in that of every submission. It
reads requests from the judge (control), one at a time, and nothing that a child wrote.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
from dataclasses import dataclass, field
from typing import Any, NoReturn

from grader.calls import Profile
from grader.sandbox import kernel
from grader.sandbox.control import ANSWER, MAX_MESSAGE, WALL_STANDS, Answer
from grader.sandbox.preload import preload, told_by_a_child
from grader.sandbox.wall import Layer, Rung, Wall, confine, empty_root, enter, in_own_pid_namespace, probe
from grader.sandbox.worker import Capped, prepare, rehearse, serve

__all__ = ["main"]

_MAX_DESCRIPTORS = 4096
_SLACK_BYTES = 256 << 20


def main(fd: int, rung: str, profile: str) -> None:
    """Probe, preload, and serve the judge until it hangs up.

    Args:
        fd: the control socket.
        rung: how much of the wall to build at most.
        profile: what to import.
    """
    profile = Profile(profile)
    # torch is told to do with one thread; JAX and CUDA can't, and all but NumPy compile what they compute.
    on_gpu = profile is Profile.CUDA
    wall = probe(
        Rung.SECCOMP if on_gpu and Rung(rung).reaches(Rung.SECCOMP) else Rung(rung),
        threads=not profile.has_torch or on_gpu,
        executable_memory=profile is not Profile.NUMPY,
        devices=on_gpu,
    )
    enter(wall)
    preload(profile)
    if profile not in _STARTED_BY_EACH:
        rehearse(profile)
    out = prepare()
    own = os.open("/proc/self/ns/pid", os.O_RDONLY) if Layer.PID_NAMESPACE in wall.layers else None
    data, size = _memory_of_a_child(profile)
    silence = os.open(os.devnull, os.O_WRONLY)
    if Layer.EMPTY_ROOT in wall.layers:
        empty_root(keep=_RANDOM if profile is Profile.JAX else ())
    if Layer.NOT_DUMPABLE in wall.layers:
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    control = socket.socket(fileno=fd)
    control.send(json.dumps({"layers": wall.layers, "names": wall.names, "refused": wall.refused}).encode())
    # What there is now stays as it is: a collection in a child would touch, and so copy, every page of it.
    gc.collect()
    gc.freeze()
    _Zygote(control, wall, own, data, size, profile, out, silence).run()


_STARTED_BY_EACH = (Profile.JAX, Profile.CUDA)
"""Profiles whose libraries start threads with the first operation, which don't live through a fork: each child starts
its own."""

_RANDOM = ("/dev/urandom",)
"""Read when JAX starts, which in a child is before it can run a submission's code."""


def _memory_of_a_child(profile: Profile) -> tuple[int, int]:
    """Bytes of private memory and of addresses that a child has before it loads a submission."""
    if profile not in _STARTED_BY_EACH:
        return _memory("VmData"), _memory("VmSize")

    def started() -> str:
        _start(profile)
        return f"{_memory('VmData')} {_memory('VmSize')}"

    data, size = map(int, told_by_a_child(started).split())
    return data, size


def _start(profile: Profile) -> None:
    """What has to be done in each child, before it is confined: what is started here is confined with it."""
    if profile is Profile.JAX:
        from grader.sandbox import jaxarrays

        jaxarrays.start()
    elif profile is Profile.CUDA:
        from grader.sandbox import cuda

        cuda.start()


def _memory(field: str) -> int:
    """Bytes that the process has now: of private memory (VmData), or of addresses (VmSize); see proc(5)."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith(field))


@dataclass(slots=True)
class _Zygote:
    control: socket.socket
    wall: Wall
    own: int | None
    """Its own namespace of processes."""
    data: int
    size: int
    """Bytes that it has itself, of private memory and of addresses: a child's limits come on top."""
    profile: Profile
    out: Capped
    silence: int
    """Where libraries complain of what the wall refuses: past Python, and so past what a student prints."""
    forks: int = 0
    dropped: dict[int, int] = field(default_factory=dict)
    """Children that were killed and are not reaped yet, by descriptors of theirs."""
    poll: select.poll = field(default_factory=select.poll)

    def run(self) -> NoReturn:
        self.poll.register(self.control, select.POLLIN)
        while True:
            for fd, _ in self.poll.poll():
                if fd in self.dropped:
                    self.reap(fd)
                else:
                    self.answer()

    def answer(self) -> None:
        """One request."""
        message, fds, _, _ = socket.recv_fds(self.control, MAX_MESSAGE, 2)
        if not message:
            os._exit(0)  # the judge has hung up
        request = json.loads(message)
        match request["op"]:
            case "fork":
                self.fork(request, fds)
            case "end":
                self.end(request["pid"])
            case "drop":
                self.drop(request["pid"])

    def fork(self, request: dict[str, Any], fds: list[int]) -> None:
        self.forks += 1
        pid = 0
        try:
            pid = os.fork() if self.own is None else in_own_pid_namespace(self.own, os.fork)
            if pid == 0:
                self.child(request, *fds)
            pidfd = os.pidfd_open(pid)
        except OSError as error:
            if pid:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            self.control.send(ANSWER.pack(Answer.FAILED, error.errno or 0, 0, 0.0))
            return
        finally:
            for fd in fds:
                os.close(fd)
        socket.send_fds(self.control, [ANSWER.pack(Answer.FORKED, pid, 0, 0.0)], [pidfd])
        os.close(pidfd)

    def end(self, pid: int) -> None:
        """Kill and reap. It is not reaped before, so its number is its own; one that has ended keeps its ending."""
        os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        self.control.send(ANSWER.pack(Answer.ENDED, pid, status, usage.ru_utime + usage.ru_stime))

    def drop(self, pid: int) -> None:
        """Kill, and go on: with several cores the next child is forked while this one's memory is freed."""
        fd = os.pidfd_open(pid)
        signal.pidfd_send_signal(fd, signal.SIGKILL)
        self.dropped[fd] = pid
        self.poll.register(fd, select.POLLIN)

    def reap(self, fd: int) -> None:
        """One that has ended meanwhile."""
        self.poll.unregister(fd)
        os.close(fd)
        os.waitpid(self.dropped.pop(fd), 0)

    @staticmethod
    def prepare_device(limits: dict[str, int]) -> None:
        """As much memory of the device as of the machine. The driver reserves addresses and opens files as it likes."""
        from grader.sandbox import cuda

        cuda.limit_memory(limits["RLIMIT_DATA"])
        del limits["RLIMIT_AS"]
        limits["RLIMIT_NOFILE"] = 256

    def child(self, request: dict[str, Any], channel: int, output: int) -> NoReturn:
        """Become the child of one submission."""
        try:
            os.setsid()
            os.dup2(output, 1)
            os.dup2(self.silence if self.profile in _STARTED_BY_EACH else output, 2)
            os.dup2(channel, 3)
            os.closerange(4, _MAX_DESCRIPTORS)
            limits = request["limits"]
            # Memory that is made read-only after it was filled, stacks that grow down and page tables count for
            # RLIMIT_AS alone; the reserves of threads count for it too, hence the slack.
            limits["RLIMIT_AS"] = self.size + limits["RLIMIT_DATA"] + _SLACK_BYTES
            _start(self.profile)
            if self.profile is Profile.CUDA:
                self.prepare_device(limits)
            limits["RLIMIT_DATA"] += self.data
            confine(self.wall, number=self.forks, limits=limits)
            os.write(3, WALL_STANDS)
            serve(3, self.out, request["output_bytes"], self.profile)
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}".encode("utf-8", "replace")[:500])
        finally:
            os._exit(70)
