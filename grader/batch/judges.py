"""Judges on this machine: as many as it has cores, forked from one process that knows everything already.

    coordinator   reads hand-ins, writes the gradebook (running); holds no torch
      bench       has imported torch and had the reference evaluate every case; forks judges and reaps them
        judge     grades one submission at a time: has the bench's oracle, and a zygote of its own (grader.sandbox)

So the reference is evaluated once for a class, what it gave is in memory once, and a judge that was killed is replaced
in milliseconds. The bench answers one request at a time: to fork a judge, and to end one. Its children are reaped by
the latter alone, so the number of a judge is its own until then.

A judge that takes long does not hold up the others: after LONG seconds it no longer counts for the number that may run
at once, and another one takes its place, up to LONG_AT_ONCE of them. Time limits count what a submission computes, not
what the machine does beside it, so nobody loses by that.

A judge that ends before it has answered is replaced, and its submission given to another one; the second time it is
reported as lost. Where the bench itself was killed, and its judges with it, nobody's submission is blamed.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from multiprocessing.connection import Connection
from typing import Final, NoReturn

from grader.batch.work import Desk, Graded, Order, Task, lost
from grader.errors import GradmarkError, MachineError
from grader.sandbox import kernel
from grader.sandbox.child import output_file, read_output
from grader.sandbox.nvml import keep_off

__all__ = ["LONG", "Waiting", "grade_here", "main"]

LONG: Final = 5.0
"""Seconds after which a submission is a long one."""
LONG_AT_ONCE: Final = 8
"""How many long ones there may be beside those that count."""
_TICK: Final = 0.5
_BOOT_SECONDS: Final = 300.0
_ANSWER_SECONDS: Final = 60.0
_TRIES: Final = 2
_BENCHES: Final = 5
"""Benches started in a row without a single result in between, before it is given up."""
_END_SECONDS: Final = 3.0
"""For a judge to end its zygote and itself, before it is killed."""
_MESSAGES: Final = 1 << 16
_REQUEST: Final = struct.Struct("<Bq")
_NUMBER: Final = struct.Struct("<q")

Waiting = Callable[[Sequence[tuple[str, float]]], None]
"""Called about twice a second with what is being graded: (name, seconds so far), the longest first."""


def grade_here(
    order: Order, tasks: Iterator[Task], *, workers: int, patience: float, waiting: Waiting
) -> Iterator[Graded]:
    """Grade tasks on this machine. They are taken as judges become free, and come back as they are done.

    Args:
        order: what all are graded with.
        tasks: taken one by one, by this thread.
        workers: how many judges work at once, long ones apart.
        patience: seconds after which a judge that has not answered is given up; more than any submission may take.
        waiting: is told what is being graded.

    Raises:
        MachineError: no judge could be started, or none has a wall as high as required.
    """
    with _Room(order, workers, patience) as room:
        yield from room.run(tasks, waiting)


@dataclass(slots=True, eq=False)
class _Judge:
    """A judge, as the coordinator sees it."""

    pid: int
    connection: Connection
    task: Task | None = None
    since: float = 0.0
    ready: bool = False

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since if self.task is not None else 0.0


class _Request(IntEnum):
    """What a bench can be asked, one at a time, each answered by a number."""

    FORK = 1
    """A judge that serves on the socket sent along; answered by its pid."""
    END = 2
    """The judge of this pid; answered by how it had ended, as wait gives it."""


class _Bench:
    """The process that forks judges."""

    def __init__(self, order: Order) -> None:
        self._held = contextlib.ExitStack()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._said = output_file(_MESSAGES)
            self._held.callback(os.close, self._said)
            self._held.callback(self._control.close)
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "grader.batch.judges", str(theirs.fileno())],
                    stdin=subprocess.PIPE,
                    stdout=self._said,
                    stderr=self._said,
                    pass_fds=[theirs.fileno()],
                    env={**os.environ, **_ONE_THREAD},
                    start_new_session=True,
                )
            except OSError as error:
                self._held.close()
                raise MachineError(f"no process could be started to grade in: {error}") from error
        assert self._process.stdin is not None
        with contextlib.suppress(OSError), self._process.stdin as told:  # one that has ended is found when it is asked
            told.write(pickle.dumps(order))  # not as an argument: those can be read by everyone

    def judge(self) -> _Judge:
        """Fork a judge; it is ready when it says so."""
        ours, theirs = socket.socketpair()
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):  # a judge that was stopped in the middle of a message
            ours.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", int(_ANSWER_SECONDS), 0))
        with theirs:
            pid = self._ask(_Request.FORK, fds=[theirs.fileno()])
        return _Judge(pid=pid, connection=Connection(ours.detach()))

    def end(self, judge: _Judge) -> str:
        """End a judge; how it had ended before."""
        judge.connection.close()
        code = os.waitstatus_to_exitcode(self._ask(_Request.END, judge.pid))
        return f"it exited with code {code}" if code >= 0 else f"it was ended by {signal.Signals(-code).name}"

    def close(self) -> None:
        """End it, and every judge. It sees that the socket is closed, and ends them in order."""
        self._control.close()
        try:
            self._process.wait(2 * _END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._held.close()

    def _ask(self, request: _Request, pid: int = 0, fds: Sequence[int] = ()) -> int:
        try:
            self._control.settimeout(_BOOT_SECONDS)
            socket.send_fds(self._control, [_REQUEST.pack(request, pid)], fds)
            answer = self._control.recv(_NUMBER.size)
        except OSError as error:
            raise _GoneError(f"the process that starts judges did not answer: {error}") from error
        if len(answer) != _NUMBER.size:
            said = read_output(self._said, _MESSAGES).strip().splitlines()
            raise _GoneError(f"the process that starts judges has ended{f': {said[-1][:300]}' if said else ''}")
        (number,) = _NUMBER.unpack(answer)
        return int(number)


class _GoneError(MachineError):
    """The bench is gone, and its judges with it."""


_ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A core has a judge of its own; and a process that forks must not have threads in its libraries."""


@dataclass(slots=True, eq=False)
class _Room:
    """The bench, its judges, and what is to be given to them again."""

    order: Order
    workers: int
    patience: float
    judges: list[_Judge] = field(default_factory=list)
    again: list[Task] = field(default_factory=list)
    ended: dict[int, int] = field(default_factory=dict)
    """How many judges ended over a task, by its number."""
    benches: int = 0
    bench: _Bench | None = None

    def __enter__(self) -> _Room:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def run(self, tasks: Iterator[Task], waiting: Waiting) -> Iterator[Graded]:
        """Grade them."""
        more = True
        told = 0.0
        while more or self.again or any(judge.task for judge in self.judges):
            try:
                while (more or self.again) and self._may_begin():
                    task = self.again.pop() if self.again else next(tasks, None)
                    if task is None:
                        more = False
                    else:
                        self._give(task)
                yield from self._taken(self._ready())
                for judge in [judge for judge in self.judges if judge.seconds > self.patience]:
                    yield from self._over(judge)
            except _GoneError as gone:
                self._start_over(gone)
            if time.monotonic() - told > _TICK:
                told = time.monotonic()
                busy = sorted((judge for judge in self.judges if judge.task), key=lambda judge: judge.since)
                waiting([(judge.task.submission.name, judge.seconds) for judge in busy if judge.task])

    def _may_begin(self) -> bool:
        """Whether another one may be graded now: as many at once as there are workers, long ones apart."""
        at_work = [judge for judge in self.judges if judge.task]
        long = sum(judge.seconds > LONG for judge in at_work)
        return len(at_work) - min(long, LONG_AT_ONCE) < self.workers

    def _give(self, task: Task) -> None:
        """Give it to a judge that has nothing to do, or to a new one."""
        judge = next((judge for judge in self.judges if not judge.task), None)
        if judge is None:
            try:
                self.bench = self.bench or _Bench(self.order)
                judge = self.bench.judge()
            except MachineError:
                self.again.append(task)
                raise
            self.judges.append(judge)
        judge.task, judge.since = task, time.monotonic()
        with contextlib.suppress(OSError):  # a judge that has ended is found by reading from it
            judge.connection.send(task)

    def _ready(self) -> list[_Judge]:
        """Judges that have something to say, or have ended; after a moment none."""
        poll = select.poll()
        judges = {judge.connection.fileno(): judge for judge in self.judges}
        for fd in judges:
            poll.register(fd, select.POLLIN)
        return [judges[fd] for fd, _ in poll.poll(_TICK * 1000)]

    def _taken(self, ready: Sequence[_Judge]) -> Iterator[Graded]:
        for judge in ready:
            try:
                said = judge.connection.recv()
            except (EOFError, OSError):
                yield from self._over(judge)
                continue
            if isinstance(said, str):
                raise MachineError(said)
            if said is None:  # it is ready
                judge.ready = True
                judge.since = time.monotonic()
                continue
            judge.task = None
            self.benches = 0
            self.ended.pop(said.number, None)
            yield said
            if len(self.judges) > self.workers:  # it stood in for a long one
                self._end(judge)

    def _over(self, judge: _Judge) -> Iterator[Graded]:
        """A judge ended before it answered."""
        task, ready = judge.task, judge.ready
        how = self._end(judge)
        if task is None:
            return
        count = self.ended[task.number] = self.ended.get(task.number, 0) + 1
        if count < _TRIES:
            self.again.append(task)
            return
        del self.ended[task.number]
        where = "while it was graded" if ready else "before it was graded"
        yield lost(self.order, task, f"{where} the judge's own process ended {count} times; the last time {how}")

    def _end(self, judge: _Judge) -> str:
        assert self.bench is not None
        self.judges.remove(judge)
        try:
            return self.bench.end(judge)
        except _GoneError:
            if judge.task:
                self.again.append(judge.task)
            raise

    def _start_over(self, gone: _GoneError) -> None:
        """Another bench, whose judges go on with what these had."""
        self.again += [judge.task for judge in self.judges if judge.task]
        self.benches += 1
        self._close()
        if self.benches >= _BENCHES:
            raise MachineError(str(gone)) from gone

    def _close(self) -> None:
        for judge in self.judges:
            judge.connection.close()
        self.judges.clear()
        if self.bench is not None:
            self.bench.close()
            self.bench = None


# --------------------------------------------------------------------------------------------- the bench's own process


def main(fd: int) -> NoReturn:
    """Be the bench: prepare, then fork judges until the coordinator hangs up."""
    _end_with_parent()
    keep_off()  # it forks judges, and they fork none that a GPU's threads would not outlive
    control = socket.socket(fileno=fd)
    desk = Desk(pickle.loads(sys.stdin.buffer.read()))  # the coordinator's: no byte of it is a student's
    desk.prepare()
    children: set[int] = set()
    while True:
        message, fds, _, _ = socket.recv_fds(control, _REQUEST.size, 1)
        if not message:
            _end_all(children)
            os._exit(0)
        request, pid = _REQUEST.unpack(message)
        if request == _Request.FORK:
            pid = os.fork()
            if pid == 0:
                control.close()
                _judge(desk, Connection(fds[0]))
            children.add(pid)
            answer = pid
        else:
            os.kill(pid, signal.SIGKILL)
            answer = os.waitpid(pid, 0)[1]
            children.discard(pid)
        for received in fds:
            os.close(received)
        control.send(_NUMBER.pack(answer))


def _end_all(pids: set[int]) -> None:
    """End children and reap them: those that don't end in time by force."""
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    late = time.monotonic() + _END_SECONDS
    while pids and time.monotonic() < late:
        pids -= {pid for pid in pids if os.waitpid(pid, os.WNOHANG)[0]}
        time.sleep(0.01)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _judge(desk: Desk, connection: Connection) -> NoReturn:
    """Grade what comes until the coordinator hangs up."""
    code = 70
    try:
        _end_with_parent()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        desk.open()
        connection.send(None)
        while True:
            task = connection.recv()
            connection.send(Graded(number=task.number, sealed=desk.grade(task.submission)))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        code = 0
    except GradmarkError as error:
        with contextlib.suppress(OSError):
            connection.send(str(error))
    except SystemExit:
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(BaseException):
            desk.close()
        os._exit(code)


def _end_with_parent() -> None:
    if sys.platform == "linux":
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]))
