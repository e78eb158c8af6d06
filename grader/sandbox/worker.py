"""The child: takes calls from one socket, gives back arrays. Holds the student's code and nothing of the judge's.

Forked by the zygote, behind a wall (serve), or started by exec without one (main).
"""

from __future__ import annotations

import contextlib
import io
import linecache
import os
import random
import signal
import socket
import sys
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final, NoReturn

import numpy as np

from grader.calls import (
    Call,
    Kept,
    Loaded,
    Malformed,
    Missing,
    NotAnswered,
    Noticed,
    Profile,
    Raised,
    Returned,
    Role,
    Source,
    StandIn,
    Value,
)
from grader.sandbox import kernel
from grader.sandbox.executor import Executor
from grader.sandbox.leftovers import Picture, picture
from grader.sandbox.loading import Program
from grader.sandbox.stand_ins import StandIns
from grader.sandbox.wall import set_limits
from grader.sandbox.wire import (
    ADAPTER,
    GIVEN,
    MAX_TEXT,
    TOGETHER,
    Incoming,
    Reply,
    Status,
    pack_reply,
    pack_request,
    read_request,
)

__all__ = ["Capped", "main", "prepare", "rehearse", "serve"]


class Capped(io.RawIOBase):
    """Standard output into a file of fixed size: what does not fit is dropped, and printing never fails."""

    def __init__(self, fd: int) -> None:
        self.fd, self.room = fd, MAX_TEXT

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.fd

    def write(self, data: Any) -> int:
        piece = bytes(memoryview(data)[: self.room])
        self.room -= len(piece)
        if piece:
            with contextlib.suppress(OSError):
                os.write(self.fd, piece)
        return len(memoryview(data).cast("B"))


def main(fd: int, output_bytes: int, limits: dict[str, int], profile: str) -> None:
    """Serve calls in a process that was started by exec, without a wall.

    Args:
        fd: this end of the socket.
        output_bytes: how much may be printed.
        limits: resource limits by the names of the resource module, soft and hard alike.
        profile: what arrays are to the submission.
    """
    if Profile(profile) is Profile.CUDA:  # its libraries and the driver take more memory than a submission may
        limits.pop("RLIMIT_DATA", None)
    set_limits(limits)
    if sys.platform == "linux":
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    serve(fd, prepare(), output_bytes, Profile(profile))


def prepare() -> Capped:
    """What a child does once in its life and may be done before it is forked. Gives where its output will go."""
    out = Capped(1)
    for name in ("stdout", "stderr", "__stdout__", "__stderr__"):
        setattr(sys, name, io.TextIOWrapper(out, encoding="utf-8", errors="replace", write_through=True))
    sys.breakpointhook = lambda *args, **kwargs: None  # one that was forgotten stops nobody here
    random.seed(0)  # code that draws numbers draws the same ones every time it is graded
    np.random.seed(0)
    return out


def serve(fd: int, out: Capped, output_bytes: int, profile: Profile) -> NoReturn:
    """Serve calls until the judge hangs up.

    Args:
        fd: this end of the socket.
        out: what prepare() gave.
        output_bytes: how much may be printed.
        profile: what arrays are to the submission.
    """
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=fd)  # else it asks the kernel which it is
    out.room = output_bytes
    incoming = Incoming(lambda room: _receive(channel, room))
    answers = _Answers(channel)
    questions = _Questions(channel, incoming)
    executor: Executor | None = None
    begun: Picture | None = None
    room = output_bytes
    while True:
        header, value = read_request(incoming.read)
        nonce = header["nonce"]
        if header["op"] == "load":
            executor = _executor(_source(header, {name: text.tobytes() for name, text in value.items()}), profile)
            reply = _loaded(executor)
            stand_ins = [StandIn(**{**each, "role": Role(each["role"])}) for each in header["stand_ins"]]
            if stand_ins:
                executor.stand_ins = StandIns(stand_ins, questions.ask, executor.program.kit)
            begun, room = None if stand_ins else picture(executor.program), out.room
            answers.tell(nonce, reply, last=begun is None)
        elif executor is None:
            os._exit(70)
        elif header["op"] == "again":
            executor.forget()
            clean = begun is not None and out.room == room and begun.still_holds()
            answers.tell(nonce, _loaded(executor) if clean else Reply(status=Status.MISSING))
        elif header["op"] == "call":
            questions.nonce = nonce
            answers.tell(nonce, _answer(executor, header, value), more=incoming.ahead)
        else:
            asked, every = read_request(incoming.read)
            _run(executor, list(zip(asked["calls"], every, strict=True)), nonce, out, answers)


def _run(
    executor: Executor, calls: list[tuple[dict[str, Any], Any]], nonce: int, out: Capped, answers: _Answers
) -> None:
    """Evaluate calls that were foreseen, up to one after which the judge may ask something else."""
    room = out.room
    for number, (header, args) in enumerate(calls, start=1):
        reply = _answer(executor, header, args)
        last = number == len(calls) or reply.status is not Status.RETURNED or out.room != room or reply.seconds > _SLOW
        answers.tell(nonce + number - 1, reply, more=not last, last=last)
        if last:
            return


_SLOW: Final = 0.05
"""Seconds of a call behind which no other is made that was only foreseen."""


class _Answers:
    """What is told to the judge: to calls that were asked in one go in one go, as long as they are quick."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.held, self.since = bytearray(), 0.0

    def tell(self, nonce: int, reply: Reply, *, more: bool = False, last: bool = False) -> None:
        """Send an answer, or keep it back for a moment where more will follow. `last` as in Reply."""
        frame = pack_reply(nonce, reply, last=last)
        if more and len(frame) == 1 and len(self.held) < _AT_ONCE:
            if not self.held:
                self.since = monotonic()
            if monotonic() - self.since < TOGETHER:
                self.held += frame[0]
                return
        for piece in [self.held, *frame] if self.held else frame:
            self.channel.sendall(piece)
        self.held = bytearray()


class _Questions:
    """What is asked of the judge in the middle of a call. Such calls are asked one by one, so no other is waiting."""

    def __init__(self, channel: socket.socket, incoming: Incoming) -> None:
        self.channel, self.incoming = channel, incoming
        self.nonce = 0
        """Of the call."""

    def ask(self, number: int, args: Value) -> Value:
        """The judge's answer.

        Raises:
            NotAnswered: it has none.
        """
        for piece in pack_reply(self.nonce, Reply(status=Status.ASKED, value=args, texts=(str(number),))):
            self.channel.sendall(piece)
        header, value = read_request(self.incoming.read)
        if header["refused"]:
            raise NotAnswered(header["refused"])
        return value


_AT_ONCE: Final = 1 << 16
"""Bytes of answers that are kept back at most, and one more answer."""


_OF_A_CALL: Final = ("function", "keep", "results", "precision", "max_bytes", "watch", "program")
_REHEARSED: Final = b"""
import numpy as np
def forward(x, w):
    return x @ w, (x, w)
def backward(dout, cache):
    x, w = cache
    return {"dx": dout @ w.T, "n": 1.0, "rest": [x.T @ dout, None]}
def fails(x):
    raise ValueError("no")
"""


def rehearse(profile: Profile) -> None:
    """Answer calls on a submission of our own, before the first fork.

    When code runs for the first time Python writes into it, and into its classes: what it learns about them. So each
    child would have to learn anew, and to copy the pages that this is written on.
    """
    executor = Executor(Program(Source(entry="rehearsal.py", files={"rehearsal.py": _REHEARSED}), profile), Exception)
    x, w = np.ones((3, 2)), np.ones((2, 4))
    for number in range(20):
        _loaded(executor)
        for function, args, keep in (
            ("forward", (x, w), 0),
            ("backward", (np.ones((3, 4)), Kept(0)), None),
            ("fails", ({"x": x, "n": 2},), None),
        ):
            header = {"function": function, "keep": keep, "results": 1, "max_bytes": 1 << 20, "watch": number == 0}
            header |= {"program": None, "precision": ""}
            data = b"".join(pack_request(header, args))
            header, value = read_request(Incoming(io.BytesIO(data).readinto).read)
            pack_reply(0, _answer(executor, header, value))
    linecache.clearcache()


def _source(header: dict[str, Any], texts: dict[str, bytes]) -> Source:
    """The submission, with the course's code that runs beside it."""
    adapter = texts.pop(ADAPTER, None)
    given = {name.removeprefix(GIVEN): texts.pop(name) for name in list(texts) if name.startswith(GIVEN)}
    told = {name: header[name] for name in ("entry", "graded", "package")}
    return Source(files=texts, adapter=adapter, given=given, **told)


def _executor(source: Source, profile: Profile) -> Executor:
    """The submission's executor, made here and nowhere else in the child."""
    program = Program(source, profile, alone=True)
    if program.kit.guard is not None:
        program.kit.guard.enter()  # never left: this process has no oracle, and so no moment without the guard
    return Executor(program, BaseException)


def _loaded(executor: Executor) -> Reply:
    loaded: Loaded = executor.load()
    return Reply(status=Status.LOADED, texts=(_lines(loaded.functions), _lines(loaded.problems)))


def _lines(texts: Sequence[str]) -> str:
    """Texts as lines, as many as fit into half of what a reply may hold, and none in part."""
    lines, room = [], MAX_TEXT // 2 - 1
    for text in texts:
        line = text.replace("\0", " ")
        room -= len(line.encode("utf-8", "replace")) + 1
        if room < 0:
            break
        lines.append(line)
    return "\n".join(lines)


def _answer(executor: Executor, header: dict[str, Any], args: tuple[Any, ...]) -> Reply:
    call = Call(args=args, **{name: header[name] for name in _OF_A_CALL})
    outcome = executor.call(call)
    match outcome:
        case Returned():
            return Reply(
                status=Status.RETURNED,
                value=outcome.value,
                texts=_sighted(outcome.noticed, outcome.waits),
                changed=outcome.changed,
                changed_earlier=outcome.changed_earlier,
                seconds=outcome.seconds,
            )
        case Raised(kind=kind, message=message, traceback=trace, cause=cause):
            texts = tuple(text.replace("\0", " ") for text in (kind, message, trace, cause))
            return Reply(status=Status.RAISED, texts=texts)
        case Malformed(problem=problem):
            return Reply(status=Status.MALFORMED, texts=(problem.replace("\0", " "),))
        case Missing(function=function):
            return Reply(status=Status.MISSING, texts=(function.replace("\0", " "),))
        case _:
            raise AssertionError(outcome)


def _sighted(noticed: Noticed | None, waits: Sequence[str]) -> tuple[str, ...]:
    """Three texts of what was noticed, then where it waited."""
    seen = (noticed.method, repr(noticed.noise), noticed.words) if noticed else ("", "", "") if waits else ()
    return tuple([text.replace("\0", " ") for text in (*seen, *waits)])


def _receive(channel: socket.socket, room: memoryview) -> int:
    count = channel.recv_into(room)
    if not count:
        os._exit(0)  # the judge has hung up; nothing that the student registered may run now
    return count
