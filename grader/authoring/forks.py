"""Much work on code that may never end, crash or eat all memory: done in forks, which know all that this process knows.

Course authors' own code and mutants of it: there is no wall, only an end. A worker's kernel ends it when it has used
its seconds of CPU time, whatever it is doing, and another takes its place. CPU time, since a busy machine must not turn
a slow right one into an endless one; what only waits is ended by the clock, much later.
"""

from __future__ import annotations

import gc
import os
import resource
import select
import signal
import struct
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NoReturn

from grader.errors import MachineError

__all__ = ["Ended", "in_forks"]

PATIENCE: Final = 30.0
"""Seconds on the clock, per second of CPU time, before a worker that does not compute is ended."""
MEMORY: Final = 4 << 30
"""Bytes that a worker may have: a mutated loop may append for ever."""
_HEAD: Final = struct.Struct("<?q")
_NUMBER: Final = struct.Struct("<q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A piece of work that ended its process."""

    endless: bool
    """It used up its time; else it crashed, exited or ran out of memory."""


@dataclass(slots=True, eq=False)
class _Worker:
    pid: int
    orders: int
    answers: int
    job: int | None = None
    deadline: float = 0.0
    received: bytearray = field(default_factory=bytearray)


def in_forks(
    work: Callable[[int], bytes], jobs: int, *, seconds: float, workers: int = 1
) -> Iterator[tuple[int, bytes | Ended]]:
    """Do work(0), ..., work(jobs - 1), each in a fork of this process; (number, what it gave) as they are done.

    Args:
        work: what to do. What it prints is dropped, and what it changes is seen by the jobs that follow in its fork.
        jobs: how many there are.
        seconds: of CPU time that one may take.
        workers: forks at once.

    Raises:
        MachineError: a worker can't be forked, or `work` raised.
    """
    gc.collect()
    gc.freeze()  # else the forks' collectors would write to every page that they share
    try:
        yield from _in_forks(work, jobs, seconds, max(1, min(workers, jobs)))
    finally:
        gc.unfreeze()


def _in_forks(
    work: Callable[[int], bytes], jobs: int, seconds: float, workers: int
) -> Iterator[tuple[int, bytes | Ended]]:
    waiting, crew = iter(range(jobs)), [_fork(work, seconds) for _ in range(workers)]
    try:
        for worker in crew:
            _order(worker, waiting, seconds)
        while busy := [worker for worker in crew if worker.job is not None]:
            ready, _, _ = select.select([worker.answers for worker in busy], [], [], 1.0)
            for worker in busy:
                job, answer = worker.job, _answer(worker, worker.answers in ready)
                if answer is None or job is None:
                    continue
                if isinstance(answer, Ended):
                    crew.remove(worker)
                    crew.append(worker := _fork(work, seconds))
                _order(worker, waiting, seconds)
                yield job, answer
    finally:
        for worker in crew:
            _end(worker)


def _order(worker: _Worker, waiting: Iterator[int], seconds: float) -> None:
    """Give a worker its next job, if there is one."""
    worker.job = next(waiting, None)
    if worker.job is not None:
        worker.deadline = time.monotonic() + PATIENCE * seconds
        os.write(worker.orders, _NUMBER.pack(worker.job))


def _answer(worker: _Worker, ready: bool) -> bytes | Ended | None:
    """What a worker's job gave; None while it is at it."""
    if not ready:
        if time.monotonic() < worker.deadline:
            return None
        _end(worker)
        return Ended(endless=True)
    piece = os.read(worker.answers, 1 << 16)
    worker.received += piece
    if not piece:
        status = _end(worker, kill=False)
        return Ended(endless=os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF)
    if len(worker.received) < _HEAD.size:
        return None
    done, size = _HEAD.unpack_from(worker.received)
    if len(worker.received) < _HEAD.size + size:
        return None
    answer = bytes(worker.received[_HEAD.size :])
    worker.received.clear()
    if not done:
        raise MachineError(f"in a fork: {answer.decode(errors='replace')}")
    return answer


def _end(worker: _Worker, *, kill: bool = True) -> int:
    """Reap a worker, which is killed first if it has not ended by itself; its status."""
    os.close(worker.orders)
    os.close(worker.answers)
    if kill:
        os.kill(worker.pid, signal.SIGKILL)
    return os.waitpid(worker.pid, 0)[1]


def _fork(work: Callable[[int], bytes], seconds: float) -> _Worker:
    theirs, orders = os.pipe()
    answers, ours = os.pipe()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which a fork is without: they are idle
            pid = os.fork()
    except OSError as error:
        raise MachineError(f"no process can be forked: {error.strerror}") from error
    if pid == 0:
        os.close(orders)
        os.close(answers)
        _work(work, seconds, theirs, ours)
    os.close(theirs)
    os.close(ours)
    return _Worker(pid=pid, orders=orders, answers=answers)


def _work(work: Callable[[int], bytes], seconds: float, orders: int, answers: int) -> NoReturn:
    """Be a worker."""
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)  # which ends the process, whatever it is doing
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(1)  # a fork is without its parent's threads, and torch would wait for them for ever
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, resource.getrlimit(resource.RLIMIT_DATA)[1]))
        while order := os.read(orders, _NUMBER.size):
            (job,) = _NUMBER.unpack(order)
            signal.setitimer(signal.ITIMER_PROF, seconds)
            done, answer = True, b""
            try:
                answer = work(job)
            except Exception:
                done, answer = False, traceback.format_exc().encode()
            signal.setitimer(signal.ITIMER_PROF, 0.0)
            reply = _HEAD.pack(done, len(answer)) + answer
            while reply:
                reply = reply[os.write(answers, reply) :]
    finally:
        os._exit(0)  # nothing of the parent's is flushed a second time
