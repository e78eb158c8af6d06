"""Submissions that misbehave: each costs the call that it does so in, and the next call is as good as new."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from grader.calls import Call, Killed, Loaded, Malformed, Opaque, Outcome, Raised, Returned, Rung, Source, TimedOut
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds its socket in /proc")

QUICK = 0.7
without_wall = pytest.mark.parametrize("children", ["unwalled"], indirect=True)
walled = pytest.mark.parametrize("children", ["sandbox"], indirect=True)
HEAD = """
import array, ctypes, os, signal, socket, stat, struct, sys, threading, time
import numpy as np

def channel():
    for fd in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                return fd
        except OSError:
            pass
    return 3  # behind the wall fstat fails, and it is always this one

END = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=os.dup(channel()))

def nonce():
    frame = sys._getframe()
    while frame:
        for found in frame.f_locals.values():
            if type(found) is dict and 'nonce' in found:
                return found['nonce']
        frame = frame.f_back

def header(magic=b'GMK1', number=None, status=0, arrays=0, tree=1, text=0):
    number = nonce() if number is None else number
    return struct.pack('<4sQBQQdHII', magic, number, status, 0, 0, 0.0, arrays, tree, text)

def ok(x=7):
    return x
"""


class Children(contextlib.ExitStack):
    """Children of one sandbox, closed at the end."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sandbox = sandbox


@pytest.fixture(params=["sandbox", "unwalled"])
def children(request: pytest.FixtureRequest) -> Iterator[Children]:
    if request.param == "sandbox" and request.getfixturevalue("sandbox").rung is Rung.NONE:
        pytest.skip("there is no wall on this machine")
    with Children(request.getfixturevalue(request.param)) as stack:
        yield stack


def start(children: Children, text: str, **options: Any) -> ChildProcess:
    source = Source(entry="mlp.py", files={"mlp.py": f"{HEAD}\n{text}\n".encode()})
    child = ChildProcess(source, sandbox=children.sandbox, **options)
    children.callback(child.close)
    loaded = child.load()
    assert isinstance(loaded, Loaded), loaded
    return child


def ask(child: ChildProcess, function: str = "f", *args: Any, **options: Any) -> Outcome:
    return child.call(Call(function=function, args=args, **{"seconds": 10.0, **options}))


def assert_works(child: ChildProcess) -> None:
    outcome = ask(child, "ok", np.arange(3.0))
    assert isinstance(outcome, Returned), outcome
    assert outcome.value.tolist() == [0, 1, 2]


ENDS = {
    "os._exit": ("os._exit(0)", "it exited with code 0"),
    "os._exit with a code": ("os._exit(77)", "it exited with code 77"),
    "crashes": ("ctypes.string_at(0)", "it was ended by SIGSEGV"),
    "aborts": ("os.abort()", "it was ended by SIG"),  # behind the wall it can't send itself SIGABRT, and crashes
    "closes the descriptor": ("os.closerange(3, 64)", "it exited with code"),
    "closes and goes on": ("os.closerange(3, 64); time.sleep(60)", "it closed the connection to the judge"),
}
ENDS_WITHOUT_WALL = {
    "kills itself": ("os.kill(os.getpid(), signal.SIGKILL)", "it was ended by SIGKILL"),
    "signal without a name": ("os.kill(os.getpid(), 40)", "it was ended by signal 40"),
    "shuts the socket": ("END.shutdown(socket.SHUT_RDWR)", "it exited with code"),
    "kills its group": ("os.killpg(0, signal.SIGKILL)", "it was ended by SIGKILL"),
    "execs": ("os.execv('/bin/true', ['true'])", "it exited with code 0"),
    "execs, the socket in hand": ("os.set_inheritable(END.fileno(), True); os.execv('/bin/true', ['true'])",
                                  "it exited with code 0"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), ENDS.values(), ids=ENDS)
def test_what_ends_the_process_costs_one_call(children: Children, body: str, reason: str) -> None:
    child = start(children, f"def f():\n    {body}")
    outcome = ask(child)
    assert isinstance(outcome, Killed), outcome
    assert outcome.reason.startswith(reason)
    assert_works(child)
    assert child.started == 2


@without_wall
@pytest.mark.parametrize(("body", "reason"), ENDS_WITHOUT_WALL.values(), ids=ENDS_WITHOUT_WALL)
def test_what_ends_a_process_without_a_wall(children: Children, body: str, reason: str) -> None:
    test_what_ends_the_process_costs_one_call(children, body, reason)


RAISES = {
    "SystemExit": ("sys.exit(0)", "SystemExit"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "recursion": ("return f()", "RecursionError"),
    "reads standard input": ("return input()", "EOFError"),
    "imports torch": ("import torch", "ModuleNotFoundError"),
    "an array of 8 GB": ("return np.ones(1 << 30)", "MemoryError"),
    "too much in small pieces": ("keep = []\n    while True: keep.append(bytearray(1 << 24))", "MemoryError"),
}
RAISES_WITHOUT_WALL = {
    "starts the debugger": ("__import__('pdb').set_trace()", "BdbQuit"),
    "writes much to a file": ("open('big', 'wb').write(bytes(1 << 24))", "OSError"),
    "opens many files": ("keep = [open(os.devnull) for _ in range(100)]", "OSError"),
}
RAISES_BEHIND_THE_WALL = {
    "opens a file": ("open('big', 'wb')", "FileNotFoundError"),
    "lists a folder": ("os.listdir('.')", "FileNotFoundError"),
    "starts a program": ("import subprocess; subprocess.run(['true'])", "PermissionError"),
    "forks": ("os.fork()", "PermissionError"),
    "opens a socket": ("socket.socket()", "PermissionError"),
    "shuts the socket": ("END.shutdown(socket.SHUT_RDWR)", "PermissionError"),
    "sends a signal to itself": ("os.kill(os.getpid(), signal.SIGTERM)", "PermissionError"),
    "sends descriptors": ("END.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0]))])",
                          "PermissionError"),
    "execs": ("os.execv('/bin/true', ['true'])", "PermissionError"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "kind"), RAISES.values(), ids=RAISES)
def test_what_raises_does_not_even_cost_the_process(children: Children, body: str, kind: str) -> None:
    child = start(children, f"def f():\n    {body}", memory_bytes=256 << 20)
    outcome = ask(child)
    assert isinstance(outcome, Raised), outcome
    assert kind in (outcome.kind, outcome.kind.removeprefix("_Array"))
    assert_works(child)
    assert child.started == 1


@without_wall
@pytest.mark.parametrize(("body", "kind"), RAISES_WITHOUT_WALL.values(), ids=RAISES_WITHOUT_WALL)
def test_what_raises_without_a_wall(children: Children, body: str, kind: str) -> None:
    test_what_raises_does_not_even_cost_the_process(children, body, kind)


@walled
@pytest.mark.parametrize(("body", "kind"), RAISES_BEHIND_THE_WALL.values(), ids=RAISES_BEHIND_THE_WALL)
def test_what_the_wall_refuses(children: Children, body: str, kind: str) -> None:
    test_what_raises_does_not_even_cost_the_process(children, body, kind)


def test_a_breakpoint_that_was_forgotten_stops_nobody(children: Children) -> None:
    child = start(children, "def f():\n    breakpoint()\n    return 5")
    outcome = ask(child)
    assert isinstance(outcome, Returned), outcome
    assert outcome.value == 5


RETURNS = {
    "lazy object": "class A:\n        __array__ = __iter__ = __len__ = lambda *a: time.sleep(60)\n    return A()",
    "generator": "return (x for x in iter(int, 1))",
    "an int of 10^7 digits": "return 1 << 33_000_000",
    "objects": "return np.array([object()])",
    "endless iterator of a list": "class L(list):\n        __iter__ = lambda s: iter(int, 1)\n    return L([1])",
}


@pytest.mark.parametrize("name", RETURNS)
def test_odd_results_are_no_trouble(children: Children, name: str) -> None:
    child = start(children, f"def f():\n    {RETURNS[name]}")
    outcome = ask(child)
    assert isinstance(outcome, Returned), outcome
    assert isinstance(outcome.value, Opaque | list)
    assert child.started == 1


FORGES = {
    "no header": ("b'x' * 100", "does not start as a reply does"),
    "text": ("b'all tests passed\\n' * 10", "does not start as a reply does"),
    "pickle": ("b'\\x80\\x04cos\\nsystem\\n(S\"false\"\\ntR.' * 5", "does not start as a reply does"),
    "another call's nonce": ("header(number=nonce() ^ 1) + b'N'", "belongs to no call"),
    "status": ("header(status=200) + b'N'", "out of bounds"),
    "loads again": ("header(status=4, tree=1) + b'N'", "answered another question"),
    "huge array": ("header(arrays=1, tree=3) + struct.pack('<BB8q', 11, 8, *[1 << 40] * 8)", "at most"),
    "no numbers": ("header(arrays=1, tree=3) + struct.pack('<BB8q', 255, 1, 8, *[0] * 7)", "unknown kind"),
    "overflowing zeros": (
        "header(arrays=1, tree=3) + struct.pack('<BB8q', 11, 8, 0, *[1 << 20] * 7) + b'A\\0\\0'", "of shape"),
    "huge tree": ("header(tree=(1 << 32) - 1)", "out of bounds"),
    "huge text": ("header(text=(1 << 32) - 1) + b'N'", "out of bounds"),
    "deep tree": ("header(tree=300) + b'T\\1\\0' * 100", "too deep"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGES)
def test_forged_replies_are_malformed(children: Children, name: str) -> None:
    data, problem = FORGES[name]
    child = start(children, f"def f():\n    END.sendall({data})\n    time.sleep(60)")
    outcome = ask(child, max_bytes=1 << 20)
    assert isinstance(outcome, Malformed), outcome
    assert problem in outcome.problem
    assert_works(child)
    assert child.started == 2


def test_a_reply_with_the_right_nonce_is_just_another_way_to_return(children: Children) -> None:
    child = start(children, "def f():\n    END.sendall(header(tree=1) + b'N')\n    return 1")
    outcome = ask(child)
    assert isinstance(outcome, Returned)
    assert outcome.value is None
    assert isinstance(ask(child, "ok"), Malformed)  # the worker's own reply comes after it
    assert_works(child)
    assert child.started == 2


def test_what_a_forged_reply_says_is_cut_and_can_not_move_a_cursor(children: Children) -> None:
    child = start(
        children,
        "def f():\n    text = ('k' * 1000 + '\\0' + '\\x1b[2J' * 1000 + '\\0' + 't' * 9000).encode()\n"
        "    END.sendall(header(status=1, text=len(text)) + b'N' + text)\n"
        "def g(): END.sendall(header(status=2, text=9000) + b'N' + b'p' * 9000)",
    )
    outcome = ask(child)
    assert isinstance(outcome, Raised)
    assert (outcome.kind, outcome.message, outcome.traceback) == ("k" * 100, "\ufffd[2J" * 125, "t" * 3000)
    child.close()
    assert ask(child, "g") == Malformed(problem="p" * 500)


def test_what_is_sent_before_it_is_asked(children: Children) -> None:
    child = start(
        children,
        "def f():\n    def later():\n        time.sleep(0.05)\n        END.sendall(b'!' * 1000)\n"
        "    threading.Thread(target=later).start()\n    return 1\ndef wait(): time.sleep(0.3)",
    )
    assert isinstance(ask(child), Returned)
    assert isinstance(ask(child, "wait"), Malformed)
    assert_works(child)


def test_a_flood_does_not_pass_the_deadline(children: Children) -> None:
    child = start(
        children,
        "def f():\n    def flood():\n        while True: END.sendall(bytes(1 << 16))\n"
        "    threading.Thread(target=flood).start()\n    return 1\n"
        "def slow():\n    END.sendall(header(tree=60000))\n    while True:\n        END.sendall(b'N')\n"
        "        time.sleep(0.001)",
    )
    ask(child)
    assert isinstance(ask(child, "ok"), Malformed | Returned | Killed)
    child.close()
    assert isinstance(ask(child, "slow", seconds=QUICK), TimedOut)
    assert_works(child)


@without_wall
def test_descriptors_that_are_sent_along_are_dropped(children: Children) -> None:
    child = start(
        children,
        "def f():\n    reply = header(tree=1) + b'N'\n"
        "    fds = array.array('i', [0, 1, 2] * 20)\n"
        "    END.sendmsg([reply], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])\n"
        "    time.sleep(60)",
    )
    before = len(os.listdir("/proc/self/fd"))
    outcome = ask(child)
    assert isinstance(outcome, Returned)
    assert len(os.listdir("/proc/self/fd")) == before


def test_memory_that_is_used_up(children: Children) -> None:
    child = start(
        children,
        "def f():\n    libc = ctypes.CDLL(None)\n    libc.malloc.restype = ctypes.c_void_p\n"
        "    while True: ctypes.memset(libc.malloc(ctypes.c_size_t(1 << 24)), 1, 1 << 24)\n"
        "def g():\n    sys.setrecursionlimit(1 << 30)\n    g()",
        memory_bytes=128 << 20,
    )
    assert isinstance(ask(child), Killed)
    assert isinstance(ask(child, "g", seconds=3.0), Killed | Raised | TimedOut)
    assert_works(child)


def test_caches_that_are_never_used_do_not_use_up_the_memory(children: Children) -> None:
    child = start(children, "def f():\n    return 1, np.ones(1 << 20)", memory_bytes=256 << 20)
    for slot in range(60):
        assert isinstance(ask(child, keep=slot), Returned)


def test_a_submission_that_breaks_its_own_process(children: Children) -> None:
    child = start(
        children,
        "import builtins\n"
        "def f():\n    for name in list(sys.modules): sys.modules.pop(name)\n    return 1\n"
        "def g():\n    sys.settrace(lambda *a: 1 / 0)\n    threading.excepthook = sys.excepthook = None\n    return 1\n"
        "def h():\n    builtins.len = builtins.isinstance = np.array = None\n    return 1\n"
        "def t():\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    sys.stdout = None\n"
        "    os.chdir('/')\n    return 1",
    )
    for name in "fght":
        assert isinstance(ask(child, name, seconds=2.0), Returned | Raised | Killed | TimedOut), name
    child.close()
    assert_works(child)


def test_a_submission_that_finds_the_graders_modules(children: Children) -> None:
    child = start(
        children,
        "def f():\n    from grader.sandbox import executor, wire, freeze\n"
        "    executor.freeze = wire.pack_reply = None\n"
        "    raise freeze.Unfit('full marks')",
    )
    outcome = ask(child)
    assert isinstance(outcome, Malformed | Killed | Raised)
    child.close()
    assert_works(child)
