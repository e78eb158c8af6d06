"""A submission in a process of its own: what it finds there, what it can't do to the judge, and what is left after."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.calls import (
    Call,
    Kept,
    Killed,
    Loaded,
    Malformed,
    Missing,
    Outcome,
    Profile,
    Raised,
    Returned,
    Source,
    TimedOut,
)
from grader.errors import MachineError
from grader.sandbox import boot, process
from grader.sandbox.inprocess import InProcess
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
QUICK = 0.5
"""Deadline of a call that will not keep it."""

Start = Callable[..., ChildProcess]
without_wall = pytest.mark.parametrize("start", ["unwalled"], indirect=True)
"""For what a submission can't even try behind the wall."""


@pytest.fixture(params=["sandbox", "unwalled"])
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """A child for the text of mlp.py, with numpy, os, sys and time imported; closed at the end."""
    sandbox = request.getfixturevalue(request.param)
    with contextlib.ExitStack() as stack:

        def started(text: str = "", **options: Any) -> ChildProcess:
            head = "import os, sys, time\nimport numpy as np\ndef ok(): return 7\n"
            source = Source(entry="mlp.py", files={"mlp.py": (head + text).encode()})
            child = ChildProcess(source, sandbox=sandbox, **options)
            stack.callback(child.close)
            return child

        yield started


def ask(child: ChildProcess, function: str = "f", *args: Any, seconds: float = 10.0, **options: Any) -> Outcome:
    return child.call(Call(function=function, args=args, seconds=seconds, **options))


def value(child: ChildProcess, function: str = "f", *args: Any, **options: Any) -> Any:
    outcome = ask(child, function, *args, **options)
    assert isinstance(outcome, Returned), outcome
    return outcome.value


def texts(child: ChildProcess, function: str = "f") -> list[str]:
    """Strings that a function returns as keys of a dict."""
    return list(value(child, function))


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


# --------------------------------------------------------------------------------------------- an exchange that works


def test_a_forward_its_backward_and_what_they_write_into(start: Start) -> None:
    child = start(
        "def forward(x, w):\n    x[0] = 5\n    return x @ w, (x, w)\n"
        "def backward(dout, cache):\n    x, w = cache\n    w[:] = 0\n"
        "    return {'x': dout, 'n': None, 'o': (1, [object()])}"
    )
    x, w = np.arange(6.0).reshape(3, 2), np.ones((2, 4), np.float32)
    out = ask(child, "forward", x, w, keep=3)
    assert isinstance(out, Returned)
    assert (out.value.shape, out.changed, out.changed_earlier) == ((3, 4), (0,), ())
    assert out.seconds >= 0
    back = ask(child, "backward", out.value, Kept(3))
    assert isinstance(back, Returned)
    assert (back.changed, back.changed_earlier) == ((), (1,))
    assert np.array_equal(back.value["x"], out.value)
    assert (back.value["n"], back.value["o"][1][0].type_name) == (None, "object")
    assert x[0].tolist() == [0, 1]
    assert isinstance(ask(child, "backward", x, Kept(3)), Malformed)
    assert child.started == 1
    assert child.isolation.layers[0] == "process"
    assert child.isolation.layers[-1] == "no torch"


def test_what_loading_tells(start: Start) -> None:
    child = start("import no_such_module\ndef étage(): pass\nraise ValueError('a\\nb\\0c')")
    loaded = child.load()
    assert isinstance(loaded, Loaded)
    assert loaded.functions == ("ok", "étage")
    assert loaded.problems == (
        "mlp.py, line 4: ModuleNotFoundError: No module named 'no_such_module'",
        "mlp.py, line 6: ValueError: a b\ufffdc",
    )
    assert child.load() is loaded
    assert isinstance(ask(child, "no_such_function"), Missing)
    found = ask(child, "no_such_module")
    assert isinstance(found, Raised)
    assert (found.kind, found.exception) == ("ModuleNotFoundError", None)


def test_a_submission_of_very_many_names_and_problems(start: Start) -> None:
    child = start(
        "for n in range(5000):\n    exec(f'def ф{n}_{\"я\" * 20}(): pass', globals())\n"
        + "".join(f"raise ValueError('{n}' + '\\u20ac' * 500)\n" for n in range(40))
    )
    loaded = child.load()
    assert isinstance(loaded, Loaded)
    assert loaded.functions[0] == "ok"
    assert {name[0] for name in loaded.functions[1:]} == {"ф"}
    assert all(name.endswith("я" * 20) for name in loaded.functions[1:])
    assert len(loaded.problems) == 20
    assert value(child, f"ф4999_{'я' * 20}") is None


def test_five_hundred_files(sandbox: Sandbox) -> None:
    files = {f"nn/m{n}.py": f"from .m{n - 1} import *\nx{n} = {n}\n".encode() for n in range(1, 500)}
    files |= {
        "nn/m0.py": b"x0 = 0\n" + b"#" * 1_000_000,
        "mlp.py": b"".join(b"from nn.m%d import *\n" % n for n in range(500)),
    }
    files["mlp.py"] += b"def f(): return x499"
    child = ChildProcess(Source(entry="mlp.py", files=files), sandbox=sandbox)
    try:
        assert child.load() == Loaded(functions=("f",), problems=())
        assert value(child) == 499
    finally:
        child.close()


def test_results_as_large_as_they_may_be(start: Start) -> None:
    child = start("def f(n): return np.ones(n)\ndef many(n): return [0.5] * n")
    assert value(child, "f", 1 << 17, max_bytes=1 << 20).sum() == 1 << 17
    outcome = ask(child, "f", (1 << 17) + 1, max_bytes=1 << 20)
    assert isinstance(outcome, Malformed)
    assert outcome.problem.startswith("it is too large")
    assert len(value(child, "many", 5000)) == 5000
    assert isinstance(ask(child, "many", 1_000_000), Malformed)
    assert child.started == 1


# ----------------------------------------------------------------------------------------------- what the child finds


@without_wall
def test_what_can_be_imported(start: Start) -> None:
    names = ("torch", "torch.nn", "pytest", "grader.checks", "grader.reference", "grader.assignment", "hypothesis",
             "numpy.linalg", "array_api_compat.numpy", "json")  # fmt: skip
    child = start(
        f"import importlib\ndef f():\n    found = {{}}\n"
        f"    for name in {names}:\n"
        "        try:\n            importlib.import_module(name)\n            found[name] = None\n"
        "        except ImportError as error:\n            found[f'{name}: {error}'[:150]] = None\n"
        "    return found"
    )
    absent = "torch is not available here: this assignment is graded with NumPy, so that the gradient is your own"
    assert texts(child) == [
        f"torch: {absent}",
        f"torch.nn: {absent}",
        *(f"{name}: No module named {name!r}" for name in names[2:7]),
        *names[7:],
    ]


@without_wall
def test_torch_stays_away_when_the_importer_is_taken_out(start: Start) -> None:
    place = str(Path(np.__file__).parent.parent)
    child = start(
        f"def f():\n    from importlib.machinery import PathFinder\n    sys.meta_path[:] = [PathFinder]\n"
        f"    sys.path.append({place!r})\n    import torch"
    )
    outcome = ask(child)
    assert isinstance(outcome, Raised)
    assert outcome.message.startswith("torch is not available here")


@without_wall
def test_the_environment_is_clean(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADMARK_SECRET", "1")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    child = start(
        "def f(): return dict.fromkeys(os.environ)\n"
        "def cwd(): return dict.fromkeys([str(os.listdir('.')), sys.stdin.read(), os.getcwd()])\n"
        "def group(): return [os.getpid() == os.getpgrp() == os.getsid(0), os.getppid()]"
    )
    assert set(texts(child)) - {"LC_CTYPE"} == {
        "PATH", "HOME", "LANG", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
        "CUDA_DEVICE_ORDER", "CUDA_VISIBLE_DEVICES", "PYTORCH_NVML_BASED_CUDA_CHECK", "USE_PYTORCH_KERNEL_CACHE",
        "PYTHONHASHSEED",
    }  # fmt: skip
    listing, read, folder = texts(child, "cwd")
    assert (listing, read) == ("[]", "")
    assert Path(folder) != Path.cwd()
    assert value(child, "group") == [1, os.getpid()]


@without_wall
@linux
def test_nothing_that_the_judge_has_open_is_open_there(start: Start, tmp_path: Path) -> None:
    child = start(
        "def f():\n    found = {}\n    for fd in os.listdir('/proc/self/fd'):\n"
        "        try: found[os.readlink(f'/proc/self/fd/{fd}')] = None\n        except OSError: pass\n    return found"
    )
    with (tmp_path / "points.json").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        found = {name.partition(":")[0] for name in texts(child)}
    assert found == {"/dev/null", "/memfd", "socket"}


def test_what_is_put_into_numpy_and_the_builtins_stays_and_breaks_nothing(start: Start) -> None:
    child = start(
        "import builtins, warnings\nnp.float = float\n"
        "np.array = np.asarray = np.ndarray = np.generic = np.errstate = None\n"
        "np.isfinite = np.median = np.unique = lambda x: 1 / 0\n"
        "warnings.catch_warnings = warnings.simplefilter = None\n"
        "for name in ('isinstance', 'issubclass', 'len', 'sum', 'type', 'zip', 'enumerate', 'tuple', 'list', 'next'):\n"
        "    setattr(builtins, name, None)\n"
        "def f(x, tree):\n    assert len is None and np.array is None\n    tree['W'] += 1\n"
        "    return {'x': x * np.float(2), 'n': [1.5, None]}, x\n"
        "def g(dout, cache):\n    cache += 1\n    return dout * cache\n"
        "def fails(): raise ValueError('why')\n"
    )
    x, tree = np.arange(1.0, 5.0) / 7, {"W": np.ones(2), "rest": (1, [None, np.ones(1)])}
    loaded = child.load()
    assert isinstance(loaded, Loaded)
    assert loaded.problems == ()
    for watch in (False, True):
        first = ask(child, "f", x, tree, keep=0, watch=watch)
        assert isinstance(first, Returned), first
        assert (first.value["x"].tolist(), first.value["n"][1], first.changed) == ((2 * x).tolist(), None, (1,))
        second = ask(child, "g", x, Kept(0), watch=watch)
        assert isinstance(second, Returned), second
        assert (second.changed, second.changed_earlier, second.noticed) == ((), (0,), None)
    failed = ask(child, "fails")
    assert isinstance(failed, Raised)
    assert (failed.kind, failed.traceback) == (
        "ValueError",
        "mlp.py, line 18, in fails: def fails(): raise ValueError('why')",
    )
    assert child.started == 1


def test_what_is_set_for_warnings_and_numpys_errors_does_not_last(start: Start) -> None:
    child = start(
        "import warnings\nwarnings.simplefilter('error')\nnp.seterr(all='raise')\n"
        "def f():\n    warnings.warn('called')\n    return np.zeros(1) / 0\n"
        "def g():\n    warnings.simplefilter('error')\n    warnings.filters = None\n    np.seterr(all='raise')\n"
    )
    for function in ("f", "g", "f"):
        assert isinstance(ask(child, function), Returned)


# ------------------------------------------------------------------------------------------------------------ deadlines


@pytest.mark.parametrize(
    ("body", "idle"),
    [("while True: pass", False), ("time.sleep(60)", True), ("__import__('threading').Event().wait()", True)],
)
def test_a_call_past_its_deadline(start: Start, body: str, idle: bool) -> None:
    child = start(f"def f():\n    {body}")
    child.load()
    assert ask(child, seconds=QUICK) == TimedOut(seconds=QUICK, idle=idle)
    assert value(child, "ok") == 7
    assert child.started == 2


@without_wall
def test_a_process_that_stops_itself(start: Start) -> None:
    child = start("def f(): os.kill(os.getpid(), 19)")
    child.load()
    assert ask(child, seconds=QUICK) == TimedOut(seconds=QUICK, idle=True)
    assert value(child, "ok") == 7
    assert child.started == 2


def test_a_load_past_its_deadline_is_not_tried_again(start: Start) -> None:
    child = start("time.sleep(60)", seconds_to_load=1.0)
    loaded = child.load()
    assert isinstance(loaded, TimedOut)
    assert ask(child, "ok") == loaded
    assert child.started == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [("os._exit(0)", "it exited with code 0"), ("os.abort()", "it was ended by SIG"),
     ("raise KeyboardInterrupt", "")],
)  # fmt: skip
def test_a_load_that_ends_the_process_is_not_tried_again(start: Start, body: str, reason: str) -> None:
    child = start(body)
    for outcome in (child.load(), ask(child, "ok")):
        assert isinstance(outcome, Killed)
        assert outcome.reason.startswith(reason)
    assert child.started == 1


def test_the_time_that_all_calls_may_take(start: Start) -> None:
    child = start("def f(): time.sleep(60)", total_seconds=3.0)
    used_up = Killed(reason="the 3 s that one submission may take in all are used up", used_up=True)
    assert value(child, "ok") == 7
    assert ask(child) == used_up
    assert ask(child, "ok") == used_up
    assert isinstance(child.load(), Loaded)
    assert child.started == 1


@without_wall
@linux
def test_a_child_that_writes_slowly_or_reads_nothing(start: Start) -> None:
    child = start(
        "import socket, stat\n"
        "end = socket.socket(fileno=next(fd for fd in range(3, 64) if os.path.exists(f'/proc/self/fd/{fd}')\n"
        "                    and stat.S_ISSOCK(os.fstat(fd).st_mode)))\n"
        "def slow():\n    while True:\n        end.send(b'G')\n        time.sleep(0.01)\n"
        "def f(x=None): time.sleep(60)"
    )
    assert isinstance(ask(child, "slow", seconds=QUICK), TimedOut | Malformed)
    child.load()
    assert isinstance(ask(child, "f", np.zeros(1 << 20), seconds=QUICK), TimedOut)
    assert value(child, "ok") == 7


# --------------------------------------------------------------------------------------------- it starts, and it ends


@without_wall
def test_a_process_that_can_not_be_started(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    child = start()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/no/such/python")
        with pytest.raises(MachineError, match=r"no process could be started for the submission: .*No such file"):
            ask(child, "ok")
    with monkeypatch.context() as patch:
        patch.setitem(boot.PACKAGES, Profile.NUMPY, ("no_such_package",))
        with pytest.raises(MachineError, match="no_such_package is not installed"):
            child.load()
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", "/no/such/folder")
        with pytest.raises(MachineError, match="no process could be started"):
            child.load()
    assert child.started == 0
    assert value(child, "ok") == 7


@without_wall
@linux
def test_nothing_is_left_of_a_process_that_could_not_be_started(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    before = descriptors()
    for _ in range(3):
        with pytest.raises(MachineError):
            start().load()
    assert descriptors() == before
    assert list(tmp_path.iterdir()) == []


@without_wall
@linux
def test_nothing_is_left_after_closing(start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = descriptors()
    for number in range(20):
        child = start("def pid(): return os.getpid()\ndef leave():\n    open('a', 'w').write('x')\n    os._exit(0)")
        pid = int(value(child, "pid"))
        if number % 2:
            assert isinstance(ask(child, "leave"), Killed)
        child.close()
        child.close()
        assert not Path(f"/proc/{pid}").exists()
        assert descriptors() == before
        assert list(tmp_path.iterdir()) == []


def gone(pid: int) -> bool:
    """Whether a process is no more, or only waits to be reaped; it is given a moment."""
    stat = Path(f"/proc/{pid}/stat")
    for _ in range(100):
        try:
            if stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


BACKGROUND = {
    "subprocess": "import subprocess\n    pid = subprocess.Popen(['/bin/sleep', '60']).pid",
    "fork": "pid = os.fork()\n    if pid == 0:\n        time.sleep(60)\n        os._exit(0)",
    "orphan": "r, w = os.pipe()\n    if os.fork() == 0:\n        pid = os.fork()\n        if pid:\n"
              "            os.write(w, str(pid).encode())\n            os._exit(0)\n"
              "        time.sleep(60)\n        os._exit(0)\n"
              "    pid = int(os.read(r, 20))",
}  # fmt: skip


@without_wall
@linux
@pytest.mark.parametrize("name", BACKGROUND)
@pytest.mark.parametrize("end", ["close", "exit"])
def test_what_it_started_ends_with_it(start: Start, name: str, end: str) -> None:
    child = start(f"def f():\n    {BACKGROUND[name]}\n    return pid\ndef leave(): os._exit(3)")
    pid = int(value(child))
    assert Path(f"/proc/{pid}").exists()
    if end == "exit":
        # It holds the socket open: that the process is gone shows at the deadline only.
        assert isinstance(ask(child, "leave", seconds=QUICK), Killed | TimedOut)
    else:
        child.close()
    assert gone(pid)


@without_wall
def test_a_grandchild_that_holds_the_socket_does_not_hold_the_judge(start: Start) -> None:
    child = start("def f():\n    if os.fork():\n        os._exit(0)\n    time.sleep(60)")
    child.load()
    assert isinstance(ask(child, seconds=QUICK), TimedOut)
    assert value(child, "ok") == 7


@without_wall
def test_a_grandchild_that_answers_too(start: Start) -> None:
    child = start("def f():\n    os.fork()\n    return 1")
    child.load()
    ask(child, seconds=QUICK)  # two processes write at once: whatever comes of it is no answer to another call
    answers = [ask(child, "ok", seconds=1.0) for _ in range(3)]
    assert all(isinstance(answer, Returned | Malformed | Killed | TimedOut) for answer in answers)
    assert isinstance(answers[-1], Returned)


def test_ctrl_c_in_the_judge_ends_the_child(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    child = start()
    assert value(child, "ok") == 7

    def interrupted(*args: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(process, "read_reply", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ask(child, "ok")
    assert value(child, "ok") == 7
    assert child.started == 2


@linux
def test_a_child_does_not_outlive_a_judge_that_is_killed(tmp_path: Path) -> None:
    judge = (
        "from grader.sandbox.process import ChildProcess\nfrom grader.sandbox.pool import Sandbox\n"
        "from grader.calls import Call, Rung, Source\nimport os\n"
        "sandbox = Sandbox(rung=Rung.NONE, require=Rung.NONE)\n"
        "source = Source(entry='a.py', files={'a.py': b'import os\\ndef f(): return os.getpid()'})\n"
        "child = ChildProcess(source, sandbox=sandbox)\n"
        "print(int(child.call(Call(function='f', args=())).value), child._child.folder, flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", judge], capture_output=True, text=True, check=False)
    pid, folder = done.stdout.split()
    assert gone(int(pid))
    Path(folder).rmdir()


# ----------------------------------------------------------------------------------------------------- what is printed


@without_wall
def test_what_is_printed_is_kept_up_to_a_cap(start: Start) -> None:
    child = start(
        "print('loading')\ndef f():\n    print('héllo', file=sys.stderr)\n    print('raw', file=sys.__stdout__)\n"
        "    os.write(1, b'fd\\n')\n    os.system('echo shell')\n"
        "def leave():\n    print('bye')\n    os._exit(0)\n"
        "def much():\n    for _ in range(100): print('x' * 1_000_000)\n"
        "    os.system('yes | head -c 1000000 2>/dev/null')",
        output_bytes=1000,
    )
    assert child.output() == ""
    value(child)
    assert child.output() == "loading\nhéllo\nraw\nfd\nshell\n"
    ask(child, "leave")
    assert child.output() == "loading\nhéllo\nraw\nfd\nshell\nbye\n"
    value(child, "much")
    assert child.output().startswith("loading\nhéllo\nraw\nfd\nshell\nbye\nxxxx")
    assert len(child.output()) <= 1000
    child.close()
    assert child.output().endswith("xxx")


# --------------------------------------------------------------------------------------------------- several at once

SEVERAL = """
state = []
def f(x):
    state.append(float(x[0]))
    if x[0] == 13:
        os._exit(3)
    if x[0] == 14:
        time.sleep(60)
    if x[0] == 15:
        raise ValueError("fifteen")
    return x + len(state), x
"""


def asked(*numbers: float, size: int = 2, seconds: float = 10.0) -> list[Call]:
    """Calls of f, one a number."""
    every = enumerate(numbers)
    return [Call(function="f", args=(np.full(size, float(x)),), keep=i, seconds=seconds) for i, x in every]


def told(outcomes: Iterable[Outcome]) -> list[object]:
    """What came back, by its first number or its kind."""
    return [outcome.value[0] if isinstance(outcome, Returned) else type(outcome) for outcome in outcomes]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((1, 2, 3), [2, 4, 6]),
        ((1, 15, 3), [2, Raised, 6]),
        ((13,), [Killed]),
        ((), []),
    ],
)
def test_calls_in_one_go_are_calls_one_after_the_other(
    start: Start, numbers: tuple[float, ...], expected: list[object]
) -> None:
    assert told(start(SEVERAL).calls(asked(*numbers))) == expected
    assert told(map(start(SEVERAL).call, asked(*numbers))) == expected
    assert told(InProcess(Source(entry="s.py", files={"s.py": SEVERAL.encode()})).calls(asked(1, 15, 3))) == [
        2,
        Raised,
        6,
    ]


@pytest.mark.parametrize(("number", "ending"), [(13, Killed), (14, TimedOut)])
def test_nothing_is_asked_behind_one_that_ended_the_process(start: Start, number: float, ending: type) -> None:
    child = start(SEVERAL)
    outcomes = told(child.calls(asked(1, 2, number, 4, seconds=QUICK)))
    assert outcomes[-1] is ending
    assert set(outcomes[:-1]) <= {2, 4}
    assert told(child.calls(asked(7))) == [8]  # by another process


@pytest.mark.parametrize(("size", "exchanges"), [(2, 1), (1 << 10, 3), (1 << 16, 8)])
def test_small_ones_go_together_and_large_ones_alone(
    start: Start, size: int, exchanges: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = start(SEVERAL)
    child.load()
    counted, ask = [], child._ask
    monkeypatch.setattr(child, "_ask", lambda *args: (counted.append(1), ask(*args))[1])
    assert told(child.calls(asked(*range(8), size=size))) == [2 * x + 1 for x in range(8)]
    assert len(counted) == exchanges


def test_slow_ones_are_each_given_their_time(start: Start) -> None:
    text = "def f(x):\n    time.sleep(0.4)\n    return x, x\n"
    assert told(start(text).calls(asked(1, 2, 3, 4, seconds=1.0))) == [1, 2, 3, 4]
