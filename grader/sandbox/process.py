"""The judge's side: one student's code in a child process, asked one call at a time.

Trusts nothing that comes back. Every reply has one deadline for the whole of it, a cap on its bytes that comes from
the call, and the nonce of the call; see wire. A child that ends, hangs or breaks the protocol is killed with all that
it started, and the next call starts a new one. A submission that does so while loading is not tried again.

Deadlines count what the submission does, not what happens around it: CPU time where it computes, and the wall clock
where it waits, without the time in which this machine did not let it run (proc(5), schedstat), or in which the judge
had it wait for an answer. A child that was killed from outside, or went with its zygote, is this machine's fault:
MachineError, and the judge asks again.
"""

from __future__ import annotations

import contextlib
import secrets
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, TypeAlias, assert_never

import numpy as np

from grader.calls import (
    Answering,
    Call,
    Isolation,
    Kept,
    Killed,
    Loaded,
    LoadOutcome,
    Malformed,
    Method,
    Missing,
    NotAnswered,
    Noticed,
    Outcome,
    Raised,
    Returned,
    Source,
    StandIn,
    TimedOut,
)
from grader.errors import MachineError
from grader.sandbox.child import Child, Ending, Spent
from grader.sandbox.cuda import BROKEN
from grader.sandbox.executor import MAX_MESSAGE, MAX_SLOTS, MAX_TRACEBACK, MAX_WAITS
from grader.sandbox.foresight import Script, header_of, is_same
from grader.sandbox.loading import MAX_PROBLEM, MAX_PROBLEMS
from grader.sandbox.pool import Sandbox
from grader.sandbox.stand_ins import MOST_ASKED_BYTES
from grader.sandbox.wire import (
    ADAPTER,
    GIVEN,
    TOGETHER,
    Incoming,
    Reply,
    Status,
    Violation,
    pack_request,
    read_reply,
)
from grader.sandbox.wording import MAX_NAME

__all__ = ["ChildProcess"]

_SIGKILL: Final = 9
_SLACK_SECONDS: Final = 30
"""Of CPU time, before the kernel ends what the judge should have ended."""
_MOST_WAITING: Final = 10.0
"""How many times its limit a call may take by the clock on a machine that is busy with other things."""
_PATIENCE: Final = 0.25
"""Seconds for an answer that is only foreseen. Who takes longer is asked one by one, and given all its time."""
_TO_LOOK: Final = 1.0
"""Seconds in which a process says whether anything is left in it."""
_MOMENT: Final = 0.2
"""Seconds in which a judge may see, at the latest, that it was asked something."""
_IDLE: Final = 0.1
"""Share of the time below which a call that ran out of it did not compute, but wait."""


class ChildProcess:
    """Evaluator in a process of its own."""

    def __init__(
        self,
        source: Source,
        *,
        sandbox: Sandbox,
        seconds_to_load: float = 20.0,
        total_seconds: float = 300.0,
        output_bytes: int = 65536,
        memory_bytes: int = 2 << 30,
    ) -> None:
        """Nothing is started yet.

        Args:
            source: the student's files.
            sandbox: where processes come from; it stays open.
            seconds_to_load: for the loading of the files.
            total_seconds: for all calls and loads together; after that no call is made.
            output_bytes: how much of what is printed is kept, a process.
            memory_bytes: private memory of the process (RLIMIT_DATA), on top of what every process has.
        """
        self._source = source
        self._sandbox = sandbox
        self._seconds_to_load = seconds_to_load
        self._total_seconds = total_seconds
        self._allowance = _Allowance(total_seconds)
        self._answers: Answering | None = None
        self._output_bytes = output_bytes
        self._memory_bytes = memory_bytes
        self._child: Child | None = None
        self._channel: _Channel | None = None
        self._outcome: LoadOutcome | None = None
        self._printed = ""
        self._reprinted = 0
        self._overflowed = False
        self._smooth = False
        """Whether every call to this process returned."""
        self._foresees = True
        self._script: Script | None = None
        self._ahead: _Ahead | None = None
        self._past: list[Call] = []
        """What this process was asked since it had loaded the submission, or was found as it was then."""
        self.asked: list[Call] = []
        """What was asked since `foresee`."""
        self.started = 0
        """Processes started so far, but for those that stood in for another one."""

    @property
    def isolation(self) -> Isolation:
        """What stands between the code and this machine."""
        return Isolation(wall=self._sandbox.rung, layers=self._sandbox.layers)

    @property
    def overflowed(self) -> bool:
        """Whether more was printed than is kept."""
        if self._ahead is not None:  # some of it may be of calls that nobody asked for yet; where it prints it stops
            return self._ahead.overflowed
        return self._overflowed or (self._child is not None and self._child.overflowed())

    def load(self) -> LoadOutcome:
        """Start a process and load the submission, the first time.

        Raises:
            MachineError: no process could be started, or it was ended from outside.
        """
        if self._outcome is None:
            self._outcome = self._start()
        return self._outcome

    def call(self, call: Call) -> Outcome:
        """Evaluate one call.

        Raises:
            MachineError: no process could be started, or it was ended from outside.
        """
        return self.calls([call])[0]

    def calls(self, calls: Sequence[Call]) -> list[Outcome]:
        """Evaluate calls one after the other, as many asked in one go as are small.

        Nothing is asked behind one that ended the process. Of several in one go the first that is not answered stands
        for the one that did not return: they come from one question, so what is said of them is the same.

        Raises:
            MachineError: no process could be started, or it was ended from outside.
        """
        outcomes: list[Outcome] = []
        while len(outcomes) < len(calls):
            seconds = min(calls[len(outcomes)].seconds, self._allowance.left)
            if seconds <= 0:
                return [*outcomes, self._used_up()]
            loaded = self.load()
            if isinstance(loaded, Loaded) and self._child is None:
                loaded = self._outcome = self._start()
            if not isinstance(loaded, Loaded):
                return [*outcomes, loaded]
            foreseen = self._foreseen(calls[len(outcomes)])
            if foreseen is not None:
                outcomes.append(foreseen)
                continue
            for call, reply in self._exchange(calls[len(outcomes) :], seconds):
                outcomes.append(reply if not isinstance(reply, Reply) else _outcome(call, reply))
                self._note(call)
                self._smooth = self._smooth and isinstance(outcomes[-1], Returned)
                if isinstance(reply, TimedOut) and seconds < call.seconds:
                    outcomes[-1] = self._used_up()
                if isinstance(reply, Reply) and (reply.status is Status.LOADED or _broke_device(outcomes[-1])):
                    self.close()
            if self._child is None:
                break
        return outcomes

    def _exchange(self, calls: Sequence[Call], seconds: float) -> list[tuple[Call, _Answer]]:
        """Ask the first of these calls, and the next ones with it while they fit into one piece."""
        questions: list[_Question] = []
        room = _AT_ONCE
        for call in calls:
            question = _Question(header={"op": "call", **header_of(call)}, value=call.args, max_bytes=call.max_bytes)
            room -= question.size
            if questions and room < 0:
                break
            questions.append(question)
            if call.watch or self._answers:  # it takes its time; it may ask something, and must find nothing but that
                break
        return list(zip(calls, self._ask(questions, seconds), strict=False))

    def fresh(self) -> None:
        """The next call finds nothing of what earlier ones left in memory.

        The process goes on where every call returned and it says that it is as it was when the submission was loaded
        (leftovers); else it is ended. One that lies about it deceives its own later calls.
        """
        with contextlib.suppress(MachineError):
            self._settle()
            if self._child is not None and self._smooth and self._is_as_it_was():
                self._past = []
                self._foresees = True
                return
        self.close()

    def _is_as_it_was(self) -> bool:
        (said,) = self._ask([_Question(header={"op": "again"}, value=None, max_bytes=0)], _TO_LOOK)
        return isinstance(said, Reply) and said.status is Status.LOADED

    def answering(self, answers: Answering) -> ChildProcess:
        """Another process for the same submission, in which these functions are answered; on this one's time."""
        other = ChildProcess(
            self._source,
            sandbox=self._sandbox,
            seconds_to_load=self._seconds_to_load,
            total_seconds=self._total_seconds,
            output_bytes=self._output_bytes,
            memory_bytes=self._memory_bytes,
        )
        other._answers, other._allowance = answers, self._allowance
        return other

    def output(self) -> str:
        """What the code printed so far, up to the cap of each process."""
        with contextlib.suppress(MachineError):
            self._settle()
        return (self._printed + self._new_output())[: self._output_bytes]

    def _new_output(self) -> str:
        """What this process printed; what it printed while it loaded only the first time."""
        return self._child.output()[self._reprinted :] if self._child else ""

    def close(self) -> None:
        """End the process and what it started; leaves nothing behind."""
        with contextlib.suppress(MachineError):
            self._settle()
        if self._child is not None:
            self._overflowed = self.overflowed
            self._printed = self.output()
            child, self._child = self._child, None
            child.kill()

    # ------------------------------------------------------------------------------------------ what foresight says

    def foresee(self, script: Script | None) -> None:
        """Begin a check, of which it is known what it will ask if everything is right.

        Raises:
            MachineError: as for a call.
        """
        self._settle()
        self._script, self.asked = script, []

    def _note(self, call: Call) -> None:
        self._past.append(call)
        self.asked.append(call)

    def _foreseen(self, call: Call) -> Outcome | None:
        """The outcome of a call that the process makes unasked; None if it must be asked."""
        if self._ahead is None:
            script, self._script = self._script, None
            if script is None or not self._foresees or not is_same(script.calls[0], call):
                return None
            self._ahead = _Ahead(script, self.overflowed)
        ahead = self._ahead
        foreseen = ahead.script.calls[ahead.at]
        if not is_same(foreseen, call):
            self._go_back()
            return None
        reply = self._next()
        if reply is None:
            self._go_back()
            return None
        outcome = _outcome(foreseen, reply)
        self._note(foreseen)
        self._smooth = self._smooth and isinstance(outcome, Returned)
        return outcome

    def _next(self) -> Reply | None:
        """The next answer to what was foreseen; None if there is none, whatever the reason."""
        ahead, child = self._ahead, self._child
        assert ahead is not None
        assert child is not None
        channel, clock = self._channel_to(child), _Clock(child, _PATIENCE)
        try:
            channel.begin(clock)
            if not ahead.sent:
                ahead.sent = True
                channel.send([b"".join(pack_request({"op": "calls", "nonce": ahead.nonce}, None)), ahead.script.frame])
            nonce = ahead.nonce + ahead.at
            reply = read_reply(channel.incoming.read, nonce, ahead.script.calls[ahead.at].max_bytes)
        except (TimeoutError, Violation, EOFError, ConnectionError):
            ahead.lost = True
            return None
        except BaseException:
            self._ahead = None
            self.close()
            raise
        finally:
            self._allowance.left -= clock.spent()
        if reply.status is Status.LOADED:
            ahead.lost = True
            return None
        ahead.at += 1
        if reply.last or ahead.at == len(ahead.script.calls):
            self._ahead = None
        return reply

    def _settle(self) -> None:
        """Before anything else is asked: nothing was done but what was asked for."""
        if self._ahead is not None:
            self._go_back()

    def _go_back(self) -> None:
        """Bring the process to where it would be without the calls that nobody asked for.

        Raises:
            MachineError: it can't be.
        """
        past, left, before = self._past, self._allowance.left, (self._printed, self._overflowed)
        lost = self._ahead.lost if self._ahead else False
        while self._ahead is not None and not lost:
            lost = self._next() is None
        self._ahead = None
        if not lost:
            with contextlib.suppress(MachineError):
                lost = not self._is_as_it_was()
            lost = lost or self._child is None
        if lost:
            if self._child is not None:
                self._child.kill()
                self._child = None
            self._printed, self._overflowed = before
            self._foresees = False
            self.started -= 1
            self._outcome = self._start()
        again = past if lost else _with_caches(past)
        while again and self._child is not None:
            again = again[len(self._exchange(again, again[0].seconds)) :]
        self._past, self._allowance.left = past, left
        if again or self._child is None:
            raise MachineError("the submission's process did not do again what another one had done")

    def _channel_to(self, child: Child) -> _Channel:
        if self._channel is None or self._channel.end is not child.socket:
            self._channel = _Channel(child.socket)
        return self._channel

    def _used_up(self) -> Killed:
        reason = f"the {self._total_seconds:g} s that one submission may take in all are used up"
        return Killed(reason=reason, used_up=True)

    def _start(self) -> LoadOutcome:
        self._child = self._sandbox.child(self._output_bytes, self._limits())
        self.started += 1
        self._smooth, self._past, self._ahead = True, [], None
        self._reprinted = 0
        source = self._source
        texts = {**source.files, **{GIVEN + name: text for name, text in source.given.items()}}
        if source.adapter is not None:
            texts[ADAPTER] = source.adapter
        files = {name: np.frombuffer(text, dtype=np.uint8) for name, text in texts.items()}
        header = {
            "op": "load",
            "entry": source.entry,
            "graded": dict(source.graded),
            "package": source.package,
            "stand_ins": [_as_sent(each) for each in self._answers.stand_ins] if self._answers else [],
        }
        load = _Question(header=header, value=files, max_bytes=0)
        (reply,) = self._ask([load], self._seconds_to_load)
        if not isinstance(reply, Reply):
            return reply
        if reply.status is not Status.LOADED or len(reply.texts) != 2:
            self.close()
            return Malformed(problem="its process did not answer as agreed")
        self._foresees = self._foresees and not reply.last
        if self.started > 1:
            self._reprinted = len(self._child.output())
        functions, problems = ([line for line in text.split("\n") if line] for text in reply.texts)
        return Loaded(
            functions=tuple(functions), problems=tuple(line[:MAX_PROBLEM] for line in problems[:MAX_PROBLEMS])
        )

    @property
    def _cpu_seconds(self) -> int:
        """CPU time after which the kernel ends a process; the judge does so before."""
        return int(self._total_seconds + self._seconds_to_load) + _SLACK_SECONDS

    def _limits(self) -> dict[str, int]:
        return {
            "RLIMIT_CORE": 0,
            "RLIMIT_FSIZE": max(1 << 20, self._output_bytes),
            "RLIMIT_NOFILE": 64,
            "RLIMIT_MEMLOCK": 0,
            "RLIMIT_MSGQUEUE": 0,
            "RLIMIT_DATA": self._memory_bytes,
            "RLIMIT_CPU": self._cpu_seconds,
        }

    def _ask(self, questions: Sequence[_Question], seconds: float) -> list[_Answer]:
        """One exchange, in which each question has so much time. Whatever goes wrong ends it, and the process."""
        child, answers = self._child, list[_Answer]()
        assert child is not None
        channel = self._channel_to(child)
        if len(questions) > 1:
            seconds += TOGETHER  # an answer may be kept back for so long
        clock = _Clock(child, seconds)
        try:
            channel.begin(clock)
            pieces = [piece for question in questions for piece in question.frame]
            channel.send(pieces if len(questions) == 1 else [b"".join(pieces)])
            for question in questions:
                if answers:
                    self._allowance.left -= clock.charged()
                    clock = _Clock(child, seconds)
                    channel.begin(clock)
                answers.append(self._reply(question, channel, clock))
        except TimeoutError:
            idle, spent = clock.computed() < _IDLE * seconds, clock.spent()
            self.close()
            if spent < seconds:
                had = f"{spent:.2g} of its {seconds:g} s within {clock.passed():.2g} s"
                raise MachineError(f"this machine is too busy: a call had {had}") from None
            answers.append(TimedOut(seconds=seconds, idle=idle))
        except Violation as violation:
            self.close()
            answers.append(Malformed(problem=str(violation)))
        except (EOFError, ConnectionError):
            answers.append(self._ended(child))
        except BaseException:  # Ctrl-C: the answer to this call must not be read as that to the next
            self.close()
            raise
        finally:
            self._allowance.left -= clock.charged()
        return answers

    def _reply(self, question: _Question, channel: _Channel, clock: _Clock) -> Reply:
        """The reply to a question. What the child asks before, if it may ask, is answered."""
        asked_bytes = MOST_ASKED_BYTES if self._answers and question.header["op"] == "call" else None
        while True:
            reply = read_reply(channel.incoming.read, question.nonce, question.max_bytes, asked_bytes)
            if reply.status is not Status.ASKED:
                return reply
            asked = time.monotonic()
            if clock.computed_too_long():
                raise TimeoutError
            refused, value = "", None
            try:
                value = self._answer(reply, clock)
            except NotAnswered as refusal:
                refused = str(refusal)
            clock.answered(asked)
            channel.send(pack_request({"refused": refused}, value))

    def _answer(self, asked: Reply, clock: _Clock) -> Any:
        assert self._answers is not None
        number = asked.texts[0]
        if not (number.isascii() and number.isdigit() and len(number) < 6):
            raise Violation("it asked something that is no question")
        if self._allowance.left <= clock.charged():
            raise NotAnswered("the time that one submission may take in all is used up")
        return self._answers.answer(int(number), asked.value)

    def _ended(self, child: Child) -> Killed:
        """The process hung up.

        Raises:
            MachineError: it was ended from outside.
        """
        try:
            ending = child.ending()
        finally:
            self.close()
        if ending is None:
            return Killed(reason="it closed the connection to the judge")
        if self._from_outside(child, ending):
            raise MachineError("the submission's process was killed from outside (is there memory left?)")
        return Killed(reason=str(ending))

    def _from_outside(self, child: Child, ending: Ending) -> bool:
        """Whether somebody else ended it: behind the wall a submission can't send itself a signal."""
        return child.walled and ending.signal == _SIGKILL and ending.cpu_seconds < self._cpu_seconds - 1


@dataclass(slots=True)
class _Allowance:
    """Seconds that a submission may still take, in whichever of its processes."""

    left: float


def _as_sent(stand_in: StandIn) -> dict[str, Any]:
    sent = {field.name: getattr(stand_in, field.name) for field in fields(stand_in)}
    return {**sent, "role": str(stand_in.role), "scalars": dict(stand_in.scalars)}


_Answer: TypeAlias = Reply | TimedOut | Killed | Malformed


class _Question:
    """A request with its frame."""

    def __init__(self, *, header: dict[str, Any], value: Any, max_bytes: int) -> None:
        self.header = header
        self.nonce = secrets.randbits(64)
        self.max_bytes = max_bytes
        self.frame = pack_request({**header, "nonce": self.nonce}, value)
        self.size = sum(memoryview(piece).nbytes for piece in self.frame)


class _Ahead:
    """Calls that the process was told to make unasked."""

    def __init__(self, script: Script, overflowed: bool) -> None:
        self.script = script
        self.overflowed = overflowed
        """As it was before."""
        self.nonce = secrets.randbits(63)
        """Of the first answer; each one behind it has the next."""
        self.sent = self.lost = False
        self.at = 0
        """How many of its answers were taken."""


def _with_caches(calls: Sequence[Call]) -> list[Call]:
    """The latest calls whose caches were not used yet. A slot is filled again and again."""
    kept: dict[int, Call] = {}
    for call in calls:
        for arg in call.args:
            if isinstance(arg, Kept):
                kept.pop(arg.slot, None)
        if call.keep is not None:
            kept.pop(call.keep, None)
            kept[call.keep] = call
    return list(kept.values())[-MAX_SLOTS:]


_UNSEEN: Final = 0.05
"""Seconds of each call in which nobody looks at what it spends: most calls are over by then, and looking costs more."""


class _Clock:
    """How much of its time a call has used."""

    def __init__(self, child: Child, seconds: float) -> None:
        self.child, self.seconds = child, seconds
        self.begun = self.resumed = time.monotonic()
        self.left_out = self.of_the_judge = 0.0
        self.unseen = min(_UNSEEN, seconds)
        self.before: Spent | None = None
        """What the child had had of the machine when the unseen time was over."""

    def passed(self) -> float:
        """By the clock on the wall."""
        return time.monotonic() - self.begun

    def computed(self) -> float:
        """Seconds of CPU time, after the unseen ones."""
        now = self.child.spent()
        return now.cpu - self.before.cpu if now and self.before else self.passed()

    def spent(self) -> float:
        """What counts: the larger of CPU time and the time that passed while the machine let it run.

        After the child has ended, the time that passed.
        """
        passed = self.passed()
        now = self.child.spent() if self.before else None
        if now is None or self.before is None:
            return passed
        let_run = passed - (now.waited - self.before.waited)
        return min(max(self.unseen + now.cpu - self.before.cpu, let_run), max(passed, self.seconds))

    def answered(self, asked: float) -> None:
        """Leave out the time in which the child waited for the judge.

        It has asked something, which arrived at this time, and is answered now. On a busy machine the judge may have
        been late to see that, which no clock tells apart from a child that waits for something else. So what passed
        before is left out too, up to a moment; what was computed meanwhile counts.
        """
        now = time.monotonic()
        moment = min(asked - self.resumed, _MOMENT)
        self.before = self.before or self.child.spent()
        self.begun += now - asked + moment
        self.left_out += moment
        self.of_the_judge += now - asked
        self.resumed = now

    def computed_too_long(self) -> bool:
        """Whether a child that asks again and again has computed longer than it may."""
        return self.before is not None and self.computed() > self.seconds

    def charged(self) -> float:
        """What counts for all that a submission may take: also what was left out, and the time of the answers."""
        return max(self.spent(), self.left_out) + self.of_the_judge

    def left(self) -> float:
        """Seconds until it is worth looking again; 0 when its time is over."""
        passed = self.passed()
        if passed < self.unseen:
            return self.unseen - passed
        self.before = self.before or self.child.spent()
        if passed < self.seconds:
            return self.seconds - passed
        if passed > self.seconds * _MOST_WAITING:
            return 0.0
        left = self.seconds - self.spent()
        return max(left, 0.02) if left > 0 else 0.0


def _broke_device(outcome: Outcome) -> bool:
    """Whether a kernel failed on a GPU in a way that all later calls of the process would fail in."""
    return isinstance(outcome, Raised) and outcome.kind == BROKEN


def _outcome(call: Call, reply: Reply) -> Outcome:
    match reply.status:
        case Status.RETURNED:
            return Returned(
                value=reply.value,
                changed=tuple(i for i in reply.changed if i < len(call.args)),
                changed_earlier=reply.changed_earlier,
                seconds=reply.seconds,
                noticed=_noticed(reply.texts[:3]) if call.watch else None,
                waits=tuple(text[:MAX_MESSAGE] for text in reply.texts[3 : 3 + MAX_WAITS]),
            )
        case Status.RAISED:
            kind, message, trace, cause = (*reply.texts, "", "", "", "")[:4]
            return Raised(
                kind=kind[:MAX_NAME],
                message=message[:MAX_MESSAGE],
                traceback=trace[:MAX_TRACEBACK],
                cause=cause[:MAX_MESSAGE],
            )
        case Status.MISSING:
            name = reply.texts[0] if reply.texts else ""
            return Missing(function=name if name.isidentifier() and len(name) <= MAX_NAME else call.function)
        case Status.MALFORMED:
            return Malformed(problem=reply.texts[0][:MAX_MESSAGE])
        case Status.LOADED | Status.ASKED:
            return Malformed(problem="its process answered another question")
        case _:
            assert_never(reply.status)


def _noticed(texts: Sequence[str]) -> Noticed | None:
    """What the child says that it saw; nothing if it is not said as it should be."""
    try:
        method, noise, words = texts
        return Noticed(method=Method(method), noise=float(noise), words=words[:MAX_MESSAGE])
    except ValueError:
        return None


_PIECE: Final = 1 << 20
_AT_ONCE: Final = 1 << 15
"""Bytes of requests sent in one go: a socket takes them whole, whether or not the child reads, or waits for us to."""


class _Channel:
    """The judge's end of the socket, with one clock for each exchange."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self.end = end
        self.incoming = Incoming(self._receive)
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(end, select.POLLIN)
        self._writable.register(end, select.POLLOUT)

    def begin(self, clock: _Clock) -> None:
        """A new exchange. What an earlier one left over is read in this one, and is no answer to it."""
        self.clock, self.late = clock, False

    def send(self, pieces: Sequence[bytes | memoryview]) -> None:
        """All of a frame."""
        for piece in pieces:
            view = memoryview(piece).cast("B")
            while view:
                try:
                    view = view[self.end.send(view[:_PIECE]) :]
                except BlockingIOError:
                    self._wait(self._writable)

    def _receive(self, room: memoryview) -> int:
        """Plain recv: descriptors that the child attaches are dropped by the kernel."""
        while True:
            self._wait(self._readable)
            with contextlib.suppress(BlockingIOError):
                count = self.end.recv_into(room)
                if not count:
                    raise EOFError
                return count

    def _wait(self, poll: select.poll) -> None:
        """Until the socket is ready.

        Raises:
            TimeoutError: the call's time is over.
        """
        while True:
            left = self.clock.left()
            if left <= 0:
                # What has arrived is taken all the same, once: it may be the judge who was late.
                if not self.late and poll.poll(0):
                    self.late = True
                    return
                raise TimeoutError
            if poll.poll(left * 1000 + 1):
                return
