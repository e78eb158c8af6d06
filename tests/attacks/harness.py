"""The place where attacks are let loose, and the checks on it that trust no attack.

One harness a rung: a sandbox, a course of two exercises, listeners on every kind of socket, secrets in a file, in the
judge's environment, in its memory, in the memory of a sibling that runs all the while and in that of an earlier
submission that is gone. An attack is graded like any submission; it is told in `target` where everything is, more
than a student could ever know. Then the harness looks at the machine as it did before, and compares.

What is left by an attack that did get through is taken away again, so that each attack finds the same place.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pty
import resource
import secrets
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import raw
from catalogue import expected

import grader
from grader.assignment import Assignment
from grader.calls import Call, Returned, Rung, Source
from grader.grading import grade
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.report.model import Report, report_json, validate
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess
from grader.submission import Submission

__all__ = ["ATTACKS", "RUNGS", "Attempt", "Harness", "NoSuchRung"]

HERE = Path(__file__).parent
ATTACKS = {path.stem: path for path in sorted((HERE / "submissions").glob("*.py"))}
RUNGS = ("full", "unprivileged", "seccomp")
"""With a wall. The lowest, "none", is where attacks must bite."""

EXERCISE = """
[[exercise]]
name = "{name}"
kind = "function"
function = "{name}"
reference = "{name}"
inputs = {{ x = "N" }}
points = {{ value = 1 }}
"""
CASE = '[[exercise.case]]\nname = "{name}"\nsizes = {{ N = {size} }}\n'
MANIFEST = (
    'format = 1\nname = "t"\ntitle = "T"\nfile = "t.py"\nreference = "t.py"\nseed = 3\n'
    "[limits]\noutput_bytes = 65536\ntotal_seconds = 30\nmemory_mb = 128\n"
    + EXERCISE.format(name="double")
    + CASE.format(name="small", size=3)
    + EXERCISE.format(name="square")
    + CASE.format(name="small", size=3)
    + CASE.format(name="again", size=5)
)
REFERENCE = "def double(x):\n    return 2 * x\ndef square(x):\n    return x * x\n"

PREFIX = "SECRET-"
SIBLING = """
import ctypes, os, target
KEPT = ctypes.create_string_buffer(target.SECRET.encode())
def address(): return ctypes.addressof(KEPT)
def pid(): return os.getpid()
def answer(x): return x + 1
"""
FOLDERS = ("/tmp", "/var/tmp", "/dev/shm", os.getcwd(), str(Path.home()))
"""Where an attack may try to leave something, and the harness looks for its mark."""
GRACE = 3.0
"""Seconds that a process which was killed is given to be gone."""


class NoSuchRung(Exception):  # noqa: N818  (not an error: what this machine allows)
    """The machine allows less; the text says what."""


@contextlib.contextmanager
def _sandbox(rung: str) -> Iterator[Sandbox]:
    """A sandbox with just this much of a wall. Its zygote is not replaced while all goes well: that would be seen."""
    with Sandbox(rung=Rung(rung), require=Rung.NONE, forks=1 << 20) as sandbox:
        if sandbox.rung != Rung(rung):
            raise NoSuchRung(f"this machine allows {sandbox.rung} only: {', '.join(sandbox.layers)}")
        yield sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What can be seen from outside of the machine, the judge, the zygotes and the sibling."""

    files: frozenset[str]
    """In the harness's own folders; elsewhere those that bear the mark."""
    processes: frozenset[int]
    """Descendants of the judge, and whatever bears the mark."""
    descriptors: int
    traced_by: str
    niceness: int
    affinity: frozenset[int]
    limits: tuple[tuple[int, int], ...]
    oom_score: str
    mounts: tuple[str, ...]
    ipc: tuple[str, ...]
    keys: tuple[str, ...]
    zygotes: tuple[int, ...]
    arrivals: tuple[str, ...] = ()
    """On sockets, as signals, on the terminal: since the last look."""
    sibling: str = "answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of an attack."""

    reports: tuple[Report, ...]
    printed: str
    leaked: tuple[str, ...]
    """Names of the secrets found in a report."""
    traces: tuple[str, ...]
    """What the checks outside found, a line each."""

    @property
    def got(self) -> tuple[str, ...]:
        """What the attack says it got."""
        return tuple(line for line in self.printed.splitlines() if line.startswith("GOT:"))


@dataclass(slots=True, eq=False)
class Listeners:
    """One socket of each kind that nobody but an attack has a reason to speak to, and a terminal."""

    tcp: socket.socket
    udp: socket.socket
    stream: socket.socket
    abstract: socket.socket
    terminal: int
    slave: int
    signals: list[int] = field(default_factory=list)

    def arrivals(self) -> list[str]:
        """What came in since the last look."""
        found = [f"signal {number}" for number in self.signals]
        self.signals.clear()
        for name in ("tcp", "stream", "abstract"):
            with contextlib.suppress(BlockingIOError):
                while True:
                    getattr(self, name).accept()[0].close()
                    found.append(f"a connection to the {name} socket")
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(f"a datagram: {self.udp.recv(200)!r}")
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(f"typed at the terminal: {os.read(self.slave, 200)!r}")
        return found


class Harness:
    """A sandbox with one rung's walls, and everything around it that an attack could want."""

    def __init__(self, rung: str, stack: contextlib.ExitStack) -> None:
        """Set up, to be torn down with the stack.

        Raises:
            NoSuchRung: this machine does not allow it.
        """
        self.rung = rung
        self.stack = stack
        self.mark = f"gmk{secrets.token_hex(5)}"
        self.secrets = {
            name: f"{PREFIX}{secrets.token_hex(16)}" for name in ("file", "environment", "memory", "sibling", "earlier")
        }
        self._be_subreaper()
        self._place()
        self._listen()
        os.environ["GRADMARK_SECRET"] = self.secrets["environment"]
        stack.callback(os.environ.pop, "GRADMARK_SECRET", None)
        self.memory = ctypes.create_string_buffer(self.secrets["memory"].encode())
        self.assignment = self._course()
        self.oracle = Oracle(self.assignment)
        self.sandbox = stack.enter_context(_sandbox(rung))
        self._grade("earlier", "import target\nTEXT = target.SECRET * 100\n", SECRET=self.secrets["earlier"])
        self._start_sibling()
        self.before = self.look()

    # ------------------------------------------------------------------------------------------------- setting up

    def _be_subreaper(self) -> None:
        """Orphans of the submissions become children of the judge: none can leave the family."""
        prctl = ctypes.CDLL(None).prctl
        prctl(36, 1, 0, 0, 0)
        self.stack.callback(prctl, 36, 0, 0, 0, 0)

    def _place(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="attacks-"))
        self.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o755)  # another uid must be stopped by the wall, not by its absence of rights
        (self.folder / "secrets").mkdir()
        self.secret_file = self.folder / "secrets" / f"{self.mark}-answers.txt"
        self.secret_file.write_text(self.secrets["file"])
        (self.folder / "open").mkdir()
        (self.folder / "open").chmod(0o777)

    def _listen(self) -> None:
        def made(kind: int, address: Any) -> socket.socket:
            made = socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX, kind)
            self.stack.callback(made.close)
            made.bind(address)
            made.setblocking(False)
            if kind == socket.SOCK_STREAM:
                made.listen(16)
            return made

        path = str(self.folder / "secrets" / "socket")
        terminal, slave = pty.openpty()
        self.stack.callback(os.close, terminal)
        self.stack.callback(os.close, slave)
        for fd in (terminal, slave):
            os.set_blocking(fd, False)
        self.listeners = Listeners(
            tcp=made(socket.SOCK_STREAM, ("127.0.0.1", 0)),
            udp=made(socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            stream=made(socket.SOCK_STREAM, path),
            abstract=made(socket.SOCK_STREAM, f"\0{self.mark}"),
            terminal=terminal,
            slave=slave,
        )
        os.chmod(path, 0o777)
        for number in (signal.SIGURG, signal.SIGWINCH, signal.SIGCONT):
            before = signal.signal(number, lambda number, frame: self.listeners.signals.append(number))
            self.stack.callback(signal.signal, number, before)

    def _course(self) -> Assignment:
        for path, text in {
            "reference/t.py": "import torch\n" + REFERENCE,
            "assignments/t/assignment.toml": MANIFEST,
        }.items():
            (self.folder / "course" / path).parent.mkdir(parents=True)
            (self.folder / "course" / path).write_text(text)
        return load_assignment(self.folder / "course" / "assignments" / "t" / "assignment.toml")

    def _start_sibling(self) -> None:
        """Another submission, which is in the middle of its work."""
        family = self._processes()
        source = Source(entry="t.py", files=self._files(SIBLING, SECRET=self.secrets["sibling"]))
        self.sibling = self._child(source)
        self.stack.callback(self.sibling.close)
        self.sibling_address = int(self._ask_sibling("address"))
        inside = int(self._ask_sibling("pid"))
        new = self._processes() - family
        self.sibling_pid = next((pid for pid in sorted(new) if _innermost(pid) == inside), 0)
        self.sibling_started = self.sibling.started

    # ------------------------------------------------------------------------------ the only places that grade or run

    def _child(self, source: Source) -> ChildProcess:
        return ChildProcess(source, sandbox=self.sandbox, total_seconds=600.0, memory_bytes=128 << 20)

    def _grade(self, name: str, text: str, **targets: object) -> Report:
        wanted = expected(name)
        limits = msgspec.structs.replace(
            self.assignment.limits, call_seconds=wanted.call_seconds, load_seconds=wanted.load_seconds
        )
        source = Source(entry="t.py", files=self._files(text, **targets))
        submission = Submission(name=name, path="t.py", source=source, notes=())
        assignment = replace(self.assignment, limits=limits)
        return grade(assignment, submission, sandbox=self.sandbox, oracle=self.oracle)

    def _zygotes(self) -> tuple[int, ...]:
        return self.sandbox.pids()

    # ----------------------------------------------------------------------------------------------- letting them loose

    def attack(self, name: str) -> Attempt:
        """Grade an attack and look at what it did; then make all as it was."""
        reports = tuple(self._grade(name, ATTACKS[name].read_text()) for _ in range(expected(name).times))
        for report in reports:
            validate(json.loads(report_json(report)))
        whole = "".join(report_json(report).decode() for report in reports)
        after = self._settled()
        attempt = Attempt(
            reports=reports,
            printed="\n".join(report.submission.printed for report in reports),
            leaked=tuple(f"the {where}'s secret" for where, text in self.secrets.items() if text in whole),
            traces=tuple(_differences(self.before, after)),
        )
        if attempt.traces:
            self._mend(after)
        return attempt

    def _files(self, text: str, **targets: object) -> dict[str, bytes]:
        """A submission: the attack, what it may want to know, and its tools."""
        known = {
            "MARK": self.mark,
            "SECRET_PREFIX": PREFIX,
            "SECRET_FILE": str(self.secret_file),
            "SECRET_FOLDER": str(self.secret_file.parent),
            "SECRET_SIZE": self.secret_file.stat().st_size,
            "WRITABLE": [str(self.folder / "open"), *FOLDERS, "."],
            "GRADER_FOLDER": str(Path(grader.__file__).parent),
            "SITE_PACKAGES": str(Path(np.__file__).parent.parent),
            "JUDGE_PID": os.getpid(),
            "JUDGE_ADDRESS": ctypes.addressof(self.memory),
            "ZYGOTE_PIDS": list(self._zygotes()),
            "SIBLING_PID": getattr(self, "sibling_pid", 0),
            "SIBLING_ADDRESS": getattr(self, "sibling_address", 0),
            "LENGTH": len(self.secrets["memory"]),
            "TCP_PORT": self.listeners.tcp.getsockname()[1],
            "UDP_PORT": self.listeners.udp.getsockname()[1],
            "UNIX_SOCKET": self.listeners.stream.getsockname(),
            "ABSTRACT_NAME": f"\0{self.mark}",
            "TERMINAL": os.ttyname(self.listeners.slave),
            "IPC_KEY": key_of(self.mark),
            "MEMORY": self.assignment.limits.memory_mb << 20,
            **targets,
        }
        target = "".join(f"{name} = {value!r}\n" for name, value in known.items())
        return {"t.py": text.encode(), "target.py": target.encode(), "raw.py": (HERE / "raw.py").read_bytes()}

    def _ask_sibling(self, function: str, *args: Any) -> Any:
        outcome = self.sibling.call(Call(function=function, args=args, seconds=10.0))
        return outcome.value if isinstance(outcome, Returned) else outcome

    # -------------------------------------------------------------------------------------------------- looking around

    def look(self) -> State:
        """The state of things now."""
        number = np.float64(secrets.randbelow(1000))
        answer = self._ask_sibling("answer", np.array([number]))
        right = isinstance(answer, np.ndarray) and answer.tolist() == [number + 1]
        sibling = "answers" if right and self.sibling.started == self.sibling_started else f"is gone: {answer}"
        return State(
            files=frozenset(self._all_files()),
            processes=self._processes(),
            descriptors=len(os.listdir("/proc/self/fd")),
            traced_by=_line("/proc/self/status", "TracerPid"),
            niceness=os.getpriority(os.PRIO_PROCESS, 0),
            affinity=frozenset(os.sched_getaffinity(0)),
            limits=tuple(resource.getrlimit(kind) for kind in range(16)),
            oom_score=Path("/proc/self/oom_score_adj").read_text().strip(),
            mounts=tuple(_lines("/proc/self/mountinfo", self.mark)),
            ipc=tuple(_ipc(self.mark)),
            keys=tuple(line for line in _lines("/proc/keys", self.mark) if "i" not in line.split()[1]),
            zygotes=self._zygotes(),
            arrivals=tuple(self.listeners.arrivals()),
            sibling=sibling,
        )

    def _settled(self) -> State:
        """The state once processes that were killed had time to be gone."""
        self._wait_for(lambda: not self._processes() - self.before.processes, 0.3 if self.rung == "none" else GRACE)
        return self.look()

    def _wait_for(self, done: Callable[[], bool], seconds: float = GRACE) -> None:
        end = time.monotonic() + seconds
        while not done() and time.monotonic() < end:
            with contextlib.suppress(ChildProcessError):  # orphans come to the judge, their subreaper
                for pid in self._processes() - self.before.processes:
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.01)

    def _all_files(self) -> Iterator[str]:
        for folder, folders, names in os.walk(self.folder):
            yield from (os.path.join(folder, name) for name in [*folders, *names])
        for folder in (*FOLDERS, str(Path(grader.__file__).parent)):
            with contextlib.suppress(OSError):
                yield from (os.path.join(folder, name) for name in os.listdir(folder) if self.mark in name)

    def _processes(self) -> frozenset[int]:
        """Descendants of the judge, and whatever bears the mark in its name or command line.

        The environments of other people's processes are none of our business; whoever leaves the family is caught by
        the judge being its subreaper.
        """
        parents: dict[int, int] = {}
        marked = set()
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError, IndexError):
                    stat = Path("/proc", name, "stat").read_text()
                    parents[int(name)] = int(stat.rpartition(")")[2].split()[1])
                    if self.mark in stat or self.mark.encode() in Path("/proc", name, "cmdline").read_bytes():
                        marked.add(int(name))
        family = {os.getpid()}
        while more := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= more
        return frozenset((family | marked) - {os.getpid()})

    # ------------------------------------------------------------------------------------------- making it as it was

    def _mend(self, found: State) -> None:
        """Take away what an attack left, set back what it turned, and start again what it ended."""
        zygotes = self._zygotes()
        left = found.processes - self.before.processes
        if zygotes == self.before.zygotes:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._wait_for(lambda: not self._processes() & left)
        for line in found.mounts:
            ctypes.CDLL(None).umount2(line.split()[4].encode(), 2)
        for path in sorted(found.files - self.before.files, reverse=True):
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        with contextlib.suppress(PermissionError):  # only root can take it back
            os.setpriority(os.PRIO_PROCESS, 0, self.before.niceness)
        os.sched_setaffinity(0, self.before.affinity)
        for kind, limit in enumerate(self.before.limits):
            if resource.getrlimit(kind) != limit:
                resource.setrlimit(kind, limit)
        with contextlib.suppress(PermissionError):
            Path("/proc/self/oom_score_adj").write_text(self.before.oom_score)
        _remove_ipc(found.ipc)
        for line in found.keys:
            raw.syscall("keyctl", 21, int(line.split()[0], 16))
        if found.sibling != "answers" or zygotes != self.before.zygotes:
            self.sibling.close()
            self._start_sibling()
        self.before = self.look()


def _differences(before: State, after: State) -> Iterator[str]:
    for part in fields(State):
        then, now = getattr(before, part.name), getattr(after, part.name)
        if then != now:
            if isinstance(then, frozenset):
                then, now = f"without {sorted(then - now)}", f"with {sorted(now - then)}"
            yield f"{part.name.replace('_', ' ')}: {then} before, {now} after"


def _line(path: str, start: str) -> str:
    return next((line for line in Path(path).read_text().splitlines() if line.startswith(start)), "")


def _lines(path: str, text: str) -> list[str]:
    try:
        return [line for line in Path(path).read_text(errors="replace").splitlines() if text in line]
    except OSError:
        return []


def _innermost(pid: int) -> int:
    """A process's number as it sees it itself."""
    try:
        return int(_line(f"/proc/{pid}/status", "NSpid").split()[-1])
    except (OSError, IndexError):
        return 0


def key_of(mark: str) -> int:
    """Key of the System V objects that attacks make, from the mark: others on this machine have their own."""
    return int(mark[3:], 16) & 0x7FFFFFFF


def _ipc(mark: str) -> Iterator[str]:
    """What of System V has the mark's key, and POSIX queues of its name."""
    for kind in ("shm", "sem", "msg"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]:
                if int(line.split()[0]) == key_of(mark):
                    yield f"{kind} {line.split()[1]}"
    with contextlib.suppress(OSError):
        raw.syscall("mq_unlink", mark.encode())
        yield "message queue"


def _remove_ipc(found: tuple[str, ...]) -> None:
    for kind, _, number in (line.partition(" ") for line in found if line[:3] in ("shm", "sem", "msg")):
        raw.syscall(f"{kind}ctl", int(number), *((0, 0) if kind != "sem" else (0, 0, 0)))
