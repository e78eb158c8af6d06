"""The same work on a Dask cluster: every worker of it holds a desk, and grades one submission at a time.

A submission travels as bytes, so the workers need no common file system for them. They need gradmark and the
assignment: the manifest at the same path, or a topic of the same name that came with gradmark. Whether both are the
coordinator's, to the byte, is seen before anything is graded.

Dask gives the task of a worker that died to another one. How often, the scheduler decides: give it
DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=1, and a submission that ends its worker twice is reported as lost, as on
one machine. Memory is bounded here by the tasks on their way, two for each thread of the cluster.

A cluster under Slurm, by dask-jobqueue (`pip install gradmark[dask] dask-jobqueue`), from the login node:

    from dask_jobqueue import SLURMCluster

    cluster = SLURMCluster(cores=1, processes=1, memory="4GB", walltime="01:00:00")
    cluster.scale(40)
    print(cluster.scheduler_address)  # for: grader batch ... --dask tcp://10.0.0.1:35711
    input("Enter ends it")
"""

from __future__ import annotations

import contextlib
import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from typing import Any, Final

from grader.batch.judges import Waiting
from grader.batch.work import Desk, Graded, Order, Task, grader_digest, lost
from grader.errors import MachineError
from grader.gradebook import Sealed
from grader.manifest import load_assignment
from grader.submission import Submission
from grader.topics import find_manifest

__all__ = ["grade_on_cluster"]

_NAME: Final = "gradmark"
_CONNECT_SECONDS: Final = 30
_WORKER_SECONDS: Final = 300
_TICK: Final = 0.5
_AHEAD: Final = 2
"""Tasks on their way for each thread of the cluster."""


def grade_on_cluster(order: Order, tasks: Iterator[Task], *, address: str, waiting: Waiting) -> Iterator[Graded]:
    """Grade tasks on a cluster. They are taken as it has room for them, and come back as they are done.

    Args:
        order: what all are graded with.
        tasks: taken one by one, by this thread.
        address: of the scheduler, such as tcp://10.0.0.1:8786, or its scheduler file.
        waiting: is told, about twice a second, that it waits; it is not known here what is graded just now.

    Raises:
        MachineError: Dask is not installed, no scheduler answers, no worker comes, or a worker has another gradmark,
            another assignment or no wall as high as required.
    """
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise MachineError(f"--dask needs Dask: pip install 'gradmark[dask]' ({error})") from error
    where: dict[str, Any] = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    try:
        client = distributed.Client(**where, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise MachineError(f"no Dask scheduler answers at {address}: {error}") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_WORKER_SECONDS)
        except TimeoutError as error:
            raise MachineError(f"the Dask cluster at {address} has no worker") from error
        name = load_assignment(order.manifest).name
        yield from _graded(client, order, name, _agreed(client, order, name), tasks, waiting)


def _graded(
    client: Any, order: Order, name: str, ours: _Version, tasks: Iterator[Task], waiting: Waiting
) -> Iterator[Graded]:
    from distributed import KilledWorker

    run, more = uuid.uuid4().hex, True
    done: SimpleQueue[Any] = SimpleQueue()
    on_their_way: dict[str, tuple[Any, Task]] = {}  # a future that nobody holds is cancelled
    while more or on_their_way:
        room = _AHEAD * max(1, sum(client.nthreads().values()))
        while more and len(on_their_way) < room:
            task = next(tasks, None)
            if task is None:
                more = False
            else:
                key = f"{_NAME}-{run}-{task.number}"
                future = client.submit(_grade, order, name, ours, task.submission, key=key, pure=False)
                on_their_way[key] = future, task
                future.add_done_callback(done.put)
        waiting([])
        with contextlib.suppress(Empty):
            future = done.get(timeout=_TICK)
            _, task = on_their_way.pop(future.key)
            error = future.exception()
            if error is None:
                yield Graded(number=task.number, sealed=future.result())
            elif isinstance(error, KilledWorker):
                yield lost(order, task, f"the worker that graded it ended, again and again: {error}")
            elif isinstance(error, MachineError):
                raise error
            else:
                yield lost(order, task, f"{type(error).__name__}: {error}")


def _agreed(client: Any, order: Order, name: str) -> _Version:
    """The gradmark and assignment of this process, once every worker is seen to have the same.

    Raises:
        MachineError: names one that has not.
    """
    ours = _version(order, name)
    for worker, version in client.run(_version, order, name, on_error="return").items():
        if isinstance(version, BaseException):
            raise MachineError(f"the Dask worker {worker} can't grade: {type(version).__name__}: {version}")
        ours.hold(version, str(worker))
    return ours


# ------------------------------------------------------------------------------------------------ on the workers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    grader: str
    assignment: str

    def hold(self, theirs: _Version, worker: str) -> None:
        """See that a worker's is the same.

        Raises:
            MachineError: it is not.
        """
        for what in ("grader", "assignment"):
            if getattr(self, what) != getattr(theirs, what):
                name = "gradmark" if what == "grader" else what
                both = f"{getattr(theirs, what)}, and here {getattr(self, what)}"
                raise MachineError(f"the Dask worker {worker} has another {name} than this process: {both}")


def _version(order: Order, name: str) -> _Version:
    return _Version(grader=grader_digest(), assignment=load_assignment(_here(order, name).manifest).digest)


def _here(order: Order, name: str) -> Order:
    """The order with the manifest that this machine has."""
    return order if order.manifest.is_file() else replace(order, manifest=find_manifest(name))


_lock = threading.Lock()
_desk: list[Desk] = []
"""The desk of this worker's process: it outlives the task that opened it, and is for one thread at a time."""


def _grade(order: Order, name: str, ours: _Version, submission: Submission) -> Sealed:
    with _lock:
        if not _desk or _desk[0].order != _here(order, name):
            ours.hold(_version(order, name), socket.gethostname())  # it may have come after the others were asked
            for former in _desk:
                former.close()
            desk = Desk(_here(order, name))
            desk.open()
            _desk[:] = [desk]
        return _desk[0].grade(submission)
