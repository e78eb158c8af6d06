"""The judge's side: one student's code in a child process, asked one call at a time.

Trusts nothing that comes back. Every reply has one deadline for the whole of it, a cap on its bytes that comes from
the call, and the nonce of the call; see wire. A child that ends, hangs or breaks the protocol is killed with its
process group, and the next call starts a new one. A submission that does so while loading is not tried again.

What a process of the student's may still do: leave its group (setsid) and so outlive it. The layer beneath ends those.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, assert_never

import numpy as np

from grader.calls import (
    Call,
    Killed,
    Loaded,
    LoadOutcome,
    Malformed,
    Missing,
    Outcome,
    Raised,
    Returned,
    Source,
    TimedOut,
)
from grader.errors import MachineError
from grader.sandbox.executor import MAX_MESSAGE, MAX_TRACEBACK
from grader.sandbox.loading import MAX_PROBLEM, MAX_PROBLEMS, REFUSED
from grader.sandbox.wire import Reply, Status, Violation, pack_request, read_reply
from grader.sandbox.wording import MAX_NAME

__all__ = ["ChildProcess"]


ALLOWED = ("numpy", "array_api_compat")
OURS = (
    "grader",
    "grader.calls",
    "grader.errors",
    "grader.numerics",
    "grader.numerics.trees",
    "grader.sandbox",
    "grader.sandbox.autograd",
    "grader.sandbox.executor",
    "grader.sandbox.freeze",
    "grader.sandbox.loading",
    "grader.sandbox.patches",
    "grader.sandbox.profiles",
    "grader.sandbox.tensors",
    "grader.sandbox.wire",
    "grader.sandbox.wording",
    "grader.sandbox.worker",
)

# Runs in the child before anything else. sys.path holds the standard library alone (-I -S); of what is installed, only
# the packages named here are found, each in its own folder. An importer can be taken out again, an audit hook can't.
BOOT = """
import sys
from importlib.machinery import PathFinder
class Importer:
    places, ours = {places!r}, {ours!r}
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        top = name.partition('.')[0]
        if top == 'grader' and name not in cls.ours:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
        no_torch('import', (name,))
        return PathFinder.find_spec(name, [cls.places[name]]) if name in cls.places else None
def no_torch(event, args, Absent=ModuleNotFoundError):
    if event == 'import' and args[0].partition('.')[0] == 'torch':
        raise Absent({why!r}, name=args[0])
sys.meta_path.insert(0, Importer)
sys.addaudithook(no_torch)
from grader.sandbox.worker import main
main({fd}, {output_bytes}, {limits!r})
"""


class ChildProcess:
    """Evaluator in a process of its own, without torch."""

    def __init__(
        self,
        source: Source,
        *,
        seconds_to_load: float = 20.0,
        total_seconds: float = 300.0,
        output_bytes: int = 65536,
        memory_bytes: int = 2 << 30,
    ) -> None:
        """Nothing is started yet.

        Args:
            source: the student's files.
            seconds_to_load: wall clock, for the start of the process and the loading of the files.
            total_seconds: wall clock, for all calls together; after that no call is made.
            output_bytes: how much of what is printed is kept, a process.
            memory_bytes: private memory of the process (RLIMIT_DATA).
        """
        self._source = source
        self._seconds_to_load = seconds_to_load
        self._total_seconds = total_seconds
        self._left = total_seconds
        self._output_bytes = output_bytes
        self._memory_bytes = memory_bytes
        self._child: _Child | None = None
        self._outcome: LoadOutcome | None = None
        self._printed = ""
        self.started = 0
        """Processes started so far."""

    @property
    def isolation(self) -> tuple[str, ...]:
        """What stands between the code and this machine."""
        return ("process", "rlimits", "no torch")

    def load(self) -> LoadOutcome:
        """Start a process and load the submission, the first time."""
        if self._outcome is None:
            self._outcome = self._start()
        return self._outcome

    def call(self, call: Call) -> Outcome:
        """Evaluate one call.

        Raises:
            MachineError: no process could be started.
        """
        used_up = Killed(reason=f"the {self._total_seconds:g} s that one submission may take in all are used up")
        if self._left <= 0:
            return used_up
        loaded = self.load()
        if isinstance(loaded, Loaded) and self._child is None:
            loaded = self._outcome = self._start()
        if not isinstance(loaded, Loaded):
            return loaded
        seconds = min(call.seconds, self._left)
        if seconds <= 0:
            return used_up
        header = {"op": "call", "function": call.function, "keep": call.keep, "max_bytes": call.max_bytes}
        reply = self._ask(header, call.args, seconds, call.max_bytes)
        if isinstance(reply, TimedOut) and seconds < call.seconds:
            return used_up
        if not isinstance(reply, Reply):
            return reply
        if reply.status is Status.LOADED:
            self.close()
        return _outcome(call, reply)

    def output(self) -> str:
        """What the code printed so far, up to the cap of each process."""
        return (self._printed + (self._child.output() if self._child else ""))[: self._output_bytes]

    def close(self) -> None:
        """End the process and its group; leaves nothing behind."""
        if self._child is not None:
            self._printed = self.output()
            self._child.kill()
            self._child = None

    def _start(self) -> LoadOutcome:
        self._child = _Child(self._output_bytes, self._limits())
        self.started += 1
        files = {name: np.frombuffer(data, dtype=np.uint8) for name, data in self._source.files.items()}
        reply = self._ask({"op": "load", "entry": self._source.entry}, files, self._seconds_to_load, 0)
        if not isinstance(reply, Reply):
            return reply
        if reply.status is not Status.LOADED or len(reply.texts) != 2:
            self.close()
            return Malformed(problem="its process did not answer as agreed")
        functions, problems = ([line for line in text.split("\n") if line] for text in reply.texts)
        return Loaded(
            functions=tuple(functions), problems=tuple(line[:MAX_PROBLEM] for line in problems[:MAX_PROBLEMS])
        )

    def _limits(self) -> dict[str, int]:
        return {
            "RLIMIT_CORE": 0,
            "RLIMIT_FSIZE": max(1 << 20, self._output_bytes),
            "RLIMIT_NOFILE": 64,
            "RLIMIT_DATA": self._memory_bytes,
            "RLIMIT_CPU": int(self._total_seconds + self._seconds_to_load) + 1,
        }

    def _ask(
        self, header: dict[str, Any], value: Any, seconds: float, max_bytes: int
    ) -> Reply | TimedOut | Killed | Malformed:
        """One exchange. Whatever goes wrong ends the process."""
        child, nonce, start = self._child, secrets.randbits(64), time.monotonic()
        assert child is not None
        try:
            channel = _Channel(child.socket, start + seconds)
            channel.send(pack_request({**header, "nonce": nonce}, value))
            return read_reply(channel.read, nonce, max_bytes)
        except TimeoutError:
            self.close()
            return TimedOut(seconds=seconds)
        except Violation as violation:
            self.close()
            return Malformed(problem=str(violation))
        except (EOFError, ConnectionError):
            reason = child.reason()
            self.close()
            return Killed(reason=reason)
        except BaseException:  # Ctrl-C: the answer to this call must not be read as that to the next
            self.close()
            raise
        finally:
            self._left -= time.monotonic() - start


def _outcome(call: Call, reply: Reply) -> Outcome:
    match reply.status:
        case Status.RETURNED:
            return Returned(
                value=reply.value,
                changed=tuple(i for i in reply.changed if i < len(call.args)),
                changed_earlier=reply.changed_earlier,
                seconds=reply.seconds,
            )
        case Status.RAISED:
            kind, message, trace = (*reply.texts, "", "", "")[:3]
            return Raised(kind=kind[:MAX_NAME], message=message[:MAX_MESSAGE], traceback=trace[:MAX_TRACEBACK])
        case Status.MISSING:
            return Missing(function=call.function)
        case Status.MALFORMED:
            return Malformed(problem=reply.texts[0][:MAX_MESSAGE])
        case Status.LOADED:
            return Malformed(problem="its process answered another question")
        case _:
            assert_never(reply.status)


class _Channel:
    """The judge's end of the socket, with one deadline for a whole exchange."""

    def __init__(self, end: socket.socket, deadline: float) -> None:
        self.end, self.deadline = end, deadline

    def _arm(self) -> None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.end.settimeout(left)

    def send(self, pieces: Sequence[bytes | memoryview]) -> None:
        for piece in pieces:
            self._arm()
            self.end.sendall(piece)

    def read(self, size: int) -> bytearray:
        """Just so many bytes. Plain recv: descriptors that the child attaches are dropped by the kernel."""
        data = bytearray(size)
        view, at = memoryview(data), 0
        while at < size:
            self._arm()
            count = self.end.recv_into(view[at:])
            if not count:
                raise EOFError
            at += count
        return data


class _Child:
    """The process, its socket, its empty folder and what it prints."""

    def __init__(self, output_bytes: int, limits: dict[str, int]) -> None:
        self.output_bytes = output_bytes
        with contextlib.ExitStack() as held:
            try:
                self.folder = tempfile.mkdtemp(prefix="gradmark-")
                held.callback(shutil.rmtree, self.folder, ignore_errors=True)
                self.socket, theirs = socket.socketpair()
                held.callback(self.socket.close)
                with theirs:
                    self.printed = _output_file(output_bytes)
                    held.callback(os.close, self.printed)
                    self.process = self._start(theirs.fileno(), limits)
            except OSError as error:
                raise MachineError(f"no process could be started for the submission: {error}") from error
            self._held = held.pop_all()

    def _start(self, fd: int, limits: dict[str, int]) -> subprocess.Popen[bytes]:
        boot = BOOT.format(
            places=_places(), ours=OURS, why=REFUSED["torch"], fd=fd, output_bytes=self.output_bytes, limits=limits
        )
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-c", boot],
            stdin=subprocess.DEVNULL,
            stdout=self.printed,
            stderr=self.printed,
            pass_fds=[fd],
            cwd=self.folder,
            env=_environment(),
            start_new_session=True,
        )

    def output(self) -> str:
        """What was printed; the file has its full size from the start, so the unwritten rest is zeros."""
        return os.pread(self.printed, self.output_bytes, 0).rstrip(b"\0").decode("utf-8", "replace")

    def reason(self) -> str:
        """How the process ended, in words. It has hung up; give it a moment to be gone.

        It is not reaped yet: its number, and that of its group, must stay its own until the group is ended.
        """
        give_up = time.monotonic() + 1.0
        while (ended := os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)) is None:
            if time.monotonic() > give_up:
                return "it closed the connection to the judge"
            time.sleep(0.005)
        if ended.si_code == os.CLD_EXITED:
            return f"it exited with code {ended.si_status}"
        try:
            return f"it was ended by {signal.Signals(ended.si_status).name}"
        except ValueError:
            return f"it was ended by signal {ended.si_status}"

    def kill(self) -> None:
        """End the process and all in its group, reap it, and free what it held."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self._held.close()


def _environment() -> dict[str, str]:
    """A clean one: one thread a child (many run side by side), nothing inherited."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", **dict.fromkeys(threads, "1")}


def _places() -> dict[str, str]:
    """Folder that holds each package the child may import."""
    places = {"grader": str(Path(__file__).resolve().parent.parent.parent)}
    for name in ALLOWED:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            spec = None
        if spec is None or spec.origin is None:
            raise MachineError(f"{name} is not installed")
        places[name] = str(Path(spec.origin).parent.parent)
    return places


def _output_file(size: int) -> int:
    """Descriptor of a file of just this size that can't grow, in memory where the system has that."""
    if hasattr(os, "memfd_create"):
        import fcntl

        fd = os.memfd_create("output", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, size)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        return fd
    fd, path = tempfile.mkstemp(prefix="gradmark-")
    os.unlink(path)
    os.ftruncate(fd, size)
    return fd
