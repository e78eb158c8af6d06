"""Zygotes and their children: they are replaced, they end, they leave nothing; what happens to them costs nobody."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from courses import checks, make_course

from grader.assignment import Assignment
from grader.calls import Call, Killed, Loaded, Outcome, Raised, Returned, Rung, Source, TimedOut
from grader.checks import asking
from grader.errors import MachineError
from grader.grading import grade
from grader.reference import Oracle
from grader.report.model import Report
from grader.sandbox import boot, pool, warm
from grader.sandbox.child import Child, Ending, Spent
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess, _Clock
from grader.submission import Submission

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="zygotes are for Linux")

SOURCE = b"import os, time\ndef double(x): return 2 * x\ndef pid(x): return os.getpid()\ndef rest(x): time.sleep(60)\n"
X = np.arange(3.0)


@pytest.fixture
def walled(sandbox: Sandbox) -> Sandbox:
    """The shared sandbox, where it has a wall."""
    if sandbox.rung is Rung.NONE:
        pytest.skip("there is no wall on this machine")
    return sandbox


@pytest.fixture
def own(walled: Sandbox) -> Iterator[Sandbox]:
    """A sandbox that a test may break."""
    with Sandbox() as sandbox:
        yield sandbox


def process(sandbox: Sandbox, text: bytes = SOURCE, **options: Any) -> ChildProcess:
    return ChildProcess(Source(entry="t.py", files={"t.py": text}), sandbox=sandbox, **options)


def ask(child: ChildProcess, function: str = "double", **options: Any) -> Outcome:
    return child.call(Call(function=function, args=(X,), **options))


def works(sandbox: Sandbox) -> bool:
    child = process(sandbox)
    try:
        outcome = ask(child)
        return isinstance(outcome, Returned) and outcome.value.tolist() == [0, 2, 4]
    finally:
        child.close()


def works_again(sandbox: Sandbox) -> bool:
    """As the judge does it: what was ended in the middle is asked once more."""
    for _ in range(2):
        with contextlib.suppress(MachineError):
            return works(sandbox)
    return works(sandbox)


def status(pid: int) -> str:
    """What the kernel says of a process; a zombie's where there is none."""
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "\nState:\tZ"


def below(pid: int) -> set[int]:
    """Numbers of a process's descendants."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found: set[int] = set()
    more = {pid}
    while more:
        more = {child for child, parent in parents.items() if parent in more}
        found |= more
    return found


def soon(condition: Any) -> bool:
    """Whether it comes true within some seconds."""
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


# -------------------------------------------------------------------------------------------- what a child starts with


def test_each_child_is_a_new_one(walled: Sandbox) -> None:
    text = b"seen = []\ndef double(x):\n    seen.append(1)\n    return len(seen) * 2 * x\n"
    child = process(walled, text)
    first, second = ask(child), ask(child)
    child.fresh()
    third = ask(child)
    child.close()
    values = [outcome.value[1] for outcome in (first, second, third) if isinstance(outcome, Returned)]
    assert values == [2, 4, 2]
    assert child.started == 2


def test_nothing_of_the_judge_is_there(walled: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADMARK_SECRET", "1")
    text = (
        b"import os, sys\n"
        b"def names(x): return dict.fromkeys([*os.environ, *sys.modules])\n"
        b"def open_files(x):\n    found = []\n"
        b"    for fd in range(256):\n        try:\n            os.dup(fd)\n            found.append(fd)\n"
        b"        except OSError:\n            pass\n    return found\n"
    )
    with Sandbox() as sandbox:
        child = process(sandbox, text)
        names, files = ask(child, "names"), ask(child, "open_files")
        child.close()
    assert isinstance(names, Returned)
    assert isinstance(files, Returned)
    assert "PATH" in names.value
    assert not {"GRADMARK_SECRET", "torch", "grader.reference", "grader.checks", "grader.assignment"} & set(names.value)
    assert {int(fd) for fd in files.value} - set(range(4, 64)) == {0, 1, 2, 3}


def test_what_a_course_imports_is_there(walled: Sandbox) -> None:
    text = (
        b"import collections, concurrent.futures, copy, dataclasses, functools, itertools, json, logging, math\n"
        b"import pickle, random, re, string, sys, time, typing, unittest, warnings\n"
        b"import numpy.linalg as la, numpy.testing, numpy.lib.stride_tricks, array_api_compat.numpy\n"
        b"from numpy.random import default_rng\n"
        b"def double(x):\n"
        b"    with concurrent.futures.ThreadPoolExecutor(2) as pool:\n"
        b"        return sum(pool.map(lambda half: half @ la.inv(np.eye(3)), (x, x)))\n"
        b"import numpy as np\n"
    )
    child = process(walled, text)
    loaded, outcome = child.load(), ask(child)
    child.close()
    assert isinstance(loaded, Loaded)
    assert loaded.problems == ()
    assert isinstance(outcome, Returned), outcome
    assert outcome.value.tolist() == [0, 2, 4]


def test_children_that_were_closed_are_ended_and_reaped(own: Sandbox) -> None:
    """Without another request to their zygote."""
    assert works(own)
    (zygote,) = own.pids()
    assert soon(lambda: len(below(zygote)) <= 1)
    idle = below(zygote)
    busy = process(own, b"def double(x):\n    while True: pass\n")
    busy.load()
    assert below(zygote) > idle
    busy.close()
    assert soon(lambda: below(zygote) == idle)


# ---------------------------------------------------------------------------------------------- limits, by their names


def test_memory_is_limited_beyond_what_every_process_has(walled: Sandbox) -> None:
    text = b"import numpy as np\ndef take(x): return np.ones(int(x[0]) << 17).size\n"
    child = process(walled, text, memory_bytes=64 << 20)
    fits = child.call(Call(function="take", args=(np.array([48.0]),)))
    too_much = child.call(Call(function="take", args=(np.array([80.0]),)))
    child.close()
    assert isinstance(fits, Returned)
    assert isinstance(too_much, Raised)
    assert "MemoryError" in too_much.kind


def test_limits_have_findings_of_their_own(walled: Sandbox, tmp_path: Path) -> None:
    exercise = (
        'name = "f"\nkind = "function"\nfunction = "f"\nreference = "f"\ninputs = { x = "N" }\npoints = { value = 1 }\n'
        'case = [{ name = "a", sizes = { N = 3 } }]\n'
    )
    head = (
        'format = 1\nname = "t"\ntitle = "T"\nfile = "t.py"\nreference = "t.py"\nseed = 3\n'
        "[limits]\ncall_seconds = 0.5\nmemory_mb = 64\noutput_bytes = 100\n"
    )
    course = make_course(tmp_path, exercise, "def f(x):\n    return 2 * x\n", head)
    bodies = {
        "TIMED_OUT": "while True: pass",
        "OUT_OF_MEMORY": "keep = [0] * (1 << 25)",
        "KILLED": "__import__('os')._exit(3)",
        "OUTPUT_CUT": "print('x' * 200)\n    return 2 * x",
    }
    for code, body in bodies.items():
        (check,) = checks(graded(course, f"def f(x):\n    {body}\n".encode(), walled))
        assert [finding.code for finding in check.findings] == [code]
        assert check.verdict == ("passed" if code == "OUTPUT_CUT" else "failed")
        assert check.fault == (None if code == "OUTPUT_CUT" else "student")


def graded(course: Assignment, text: bytes, sandbox: Sandbox, **options: Any) -> Report:
    source = Source(entry="t.py", files={"t.py": text})
    return grade(course, Submission(name="t", path="t.py", source=source, notes=()), sandbox=sandbox, **options)


def test_who_opens_a_file_is_told_that_there_are_none(walled: Sandbox, tmp_path: Path) -> None:
    text = RIGHT.replace(b"t = np.tanh(x)", b"t = np.load('weights.npy')")
    (tmp_path / "a").mkdir()
    report = graded(make_course(tmp_path / "a", *LAYER), text, walled)
    told = {finding.likely for check in checks(report) for finding in check.findings}
    assert told == {asking._WALL}


def test_the_time_in_all_has_a_finding_of_its_own(walled: Sandbox, tmp_path: Path) -> None:
    cases = ", ".join(f'{{ name = "{name}", sizes = {{ N = 3 }} }}' for name in "abcdef")
    exercises = "\n[[exercise]]\n".join(
        f'name = "{name}"\nkind = "function"\nfunction = "f"\nreference = "f"\ninputs = {{ x = "N" }}\n'
        f"points = {{ value = 1 }}\ncase = [{cases}]\n"
        for name in ("one", "two")
    )
    head = (
        'format = 1\nname = "t"\ntitle = "T"\nfile = "t.py"\nreference = "t.py"\nseed = 3\n'
        "[limits]\ncall_seconds = 5\ntotal_seconds = 1\n"
    )
    course = make_course(tmp_path, exercises, "def f(x):\n    return 2 * x\n", head)
    report = graded(course, b"import time\ndef f(x):\n    time.sleep(0.3)\n    return 2 * x\n", walled)
    codes = {finding.code for check in checks(report) for finding in check.findings}
    assert codes == {"TIME_USED_UP", "NOT_RUN"}
    assert report.score.undecided == 0


class Pretended:
    """A child that has had so much of the machine."""

    walled = True

    def __init__(self, spent: Spent | None) -> None:
        self.before = spent
        self.now = spent

    def spent(self) -> Spent | None:
        return self.now


CLOCK = {
    "it computes": (Spent(cpu=12, waited=0), 12.0, 0.0),
    "it sleeps": (Spent(cpu=0, waited=0), 12.0, 0.0),
    "the machine is busy": (Spent(cpu=7, waited=5), 7.0, 3.0),
    "its threads compute": (Spent(cpu=23, waited=1), 12.0, 0.0),  # more than passed counts as what passed
    "its threads wait for each other": (Spent(cpu=11, waited=40), 11.0, 0.0),
    "nothing is known": (None, 12.0, 0.0),
}


@pytest.mark.parametrize(("spent", "counts", "left"), CLOCK.values(), ids=CLOCK)
def test_what_counts_as_time(spent: Spent | None, counts: float, left: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """12 seconds of the 10 that a call may take have passed."""
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    child = Pretended(Spent() if spent else None)
    clock = _Clock(child, seconds=10.0)  # type: ignore[arg-type]
    assert clock.left() == pytest.approx(0.05)
    now += 0.0625
    assert clock.left() == pytest.approx(9.9375)  # it is not looked at before
    now += 11.9375
    child.now = spent
    assert clock.spent() == pytest.approx(counts, abs=0.06)
    assert clock.left() == pytest.approx(left, abs=0.06)
    now += 100
    assert clock.left() == 0  # no machine is so busy


def test_a_machine_that_is_too_busy_is_at_fault_itself(walled: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    child = process(walled)
    child.load()
    started = time.monotonic()
    monkeypatch.setattr(
        warm.Forked, "spent", lambda self: Spent(cpu=0.0, waited=max(0.0, time.monotonic() - started - 0.01))
    )
    with pytest.raises(MachineError, match="this machine is too busy"):
        ask(child, "rest", seconds=0.1)
    monkeypatch.undo()
    assert isinstance(ask(child), Returned)
    child.close()


# ----------------------------------------------------------------------------------- what happens to them from outside


def test_a_zygote_that_was_killed_is_replaced(own: Sandbox) -> None:
    assert works(own)
    (first,) = own.pids()
    os.kill(first, signal.SIGKILL)
    assert soon(lambda: not below(first) and "\nState:\tZ" in status(first))  # on a busy machine it takes a moment
    assert works_again(own)
    assert own.pids() != (first,)


def test_a_zygote_that_does_not_answer_is_replaced(own: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    assert works(own)
    monkeypatch.setattr(warm, "ANSWER_SECONDS", 0.5)
    (first,) = own.pids()
    stopped = {first} | below(first)
    for pid in stopped:
        with contextlib.suppress(ProcessLookupError):  # a submission that was about to end
            os.kill(pid, signal.SIGSTOP)
    assert works_again(own)
    assert own.pids() != (first,)
    assert soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in stopped))


def test_a_zygote_that_can_not_start_says_why(walled: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "command", lambda *_: [sys.executable, "-c", "raise SystemExit('no luck')"])
    with Sandbox() as sandbox, pytest.raises(MachineError, match="it has ended: no luck"):
        sandbox.check()


def test_a_call_whose_zygote_is_killed_is_nobodys_mistake(own: Sandbox) -> None:
    child = process(own)
    child.load()
    threading.Timer(0.2, lambda: os.kill(own.pids()[0], signal.SIGKILL)).start()
    with pytest.raises(MachineError, match="ended"):
        ask(child, "rest")
    assert isinstance(ask(child), Returned)
    child.close()


def test_a_call_whose_process_is_killed_from_outside_is_nobodys_mistake(own: Sandbox) -> None:
    child = process(own)
    child.load()
    threading.Timer(0.2, lambda: os.kill(pid_of(child), signal.SIGKILL)).start()
    with pytest.raises(MachineError, match="killed from outside"):
        ask(child, "rest")
    assert isinstance(ask(child), Returned)
    child.close()


def pid_of(child: ChildProcess) -> int:
    assert isinstance(child._child, warm.Forked)
    pid = child._child.pid
    assert pid is not None
    return pid


LAYER = (
    'name = "tanh"\nkind = "layer"\nforward = "f"\nbackward = "b"\nreference = "f"\n'
    'inputs = { x = "N D", w = "D" }\noutput = "N D"\npoints = { forward = 1, backward = 2 }\n'
    'case = [{ name = "a", sizes = { N = 3, D = 4 } }, { name = "b", sizes = { N = 4, D = 2 } }]\n',
    "def f(x, w):\n    return torch.tanh(x) * w\n",
)
RIGHT = (
    b"import numpy as np\ndef f(x, w):\n    t = np.tanh(x)\n    return t * w, (t, w)\n"
    b"def b(d, c):\n    t, w = c\n    return d * w * (1 - t * t), (d * t).sum(0)\n"
)


@pytest.mark.parametrize("victim", ["zygote", "child"])
def test_killing_while_a_submission_is_graded_costs_it_nothing(own: Sandbox, tmp_path: Path, victim: str) -> None:
    """At every call in turn: the check is made again in another process."""
    course = make_course(tmp_path, *LAYER)
    oracle = Oracle(course)
    calls = kills = 0
    for at in range(1, 200):
        source = Source(entry="t.py", files={"t.py": RIGHT})
        child = ChildProcess(source, sandbox=own)
        ask, calls = child.calls, 0

        def killing(asked: Sequence[Call], at: int = at, child: ChildProcess = child, ask: Any = ask) -> list[Outcome]:
            nonlocal calls, kills
            calls += 1
            if calls == at and child._child is not None:
                kills += 1
                os.kill(own.pids()[0] if victim == "zygote" else pid_of(child), signal.SIGKILL)
            outcomes: list[Outcome] = ask(asked)
            return outcomes

        child.calls = killing  # type: ignore[method-assign]
        submission = Submission(name="t", path="t.py", source=source, notes=())
        report = grade(course, submission, evaluator=child, oracle=oracle)
        assert (report.score.earned, report.score.undecided) == (3, 0)
        if calls < at:
            break
    assert kills >= 15


def test_a_machine_on_which_every_process_is_killed_is_at_fault(own: Sandbox, tmp_path: Path) -> None:
    source = Source(entry="t.py", files={"t.py": RIGHT})
    child = ChildProcess(source, sandbox=own)
    ask = child.calls

    def killing(asked: Sequence[Call]) -> list[Outcome]:
        child.close()
        child._child = own.child(100, {"RLIMIT_DATA": 1 << 30})
        os.kill(pid_of(child), signal.SIGKILL)
        return ask(asked)

    child.calls = killing  # type: ignore[method-assign]
    submission = Submission(name="t", path="t.py", source=source, notes=())
    report = grade(make_course(tmp_path, *LAYER), submission, evaluator=child)
    assert (report.score.earned, report.score.undecided, report.score.verdict) == (0, 3, "undecided")
    assert {check.fault for check in checks(report)} == {"machine"}


FULL_DISK = """
import os, sys, tempfile
from pathlib import Path
from grader.sandbox import kernel
submission, assignment, folder = sys.argv[1:]
try:
    kernel.unshare(kernel.NEWNS)
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("none", folder, "tmpfs", 0, "size=8k")
except OSError as error:
    sys.exit(f"skip: {error}")
tempfile.tempdir = os.environ["TMPDIR"] = folder
with open(f"{folder}/full", "wb", buffering=0) as file:
    try:
        while True:
            file.write(bytes(512))
    except OSError:
        pass
try:
    tempfile.TemporaryFile(buffering=0).write(bytes(512))
    sys.exit("the folder is not full")
except OSError:
    pass
from grader.cli import main
sys.exit(main(["grade", submission, "--assignment", assignment]))
"""


def test_a_full_folder_for_temporary_files_costs_nothing(walled: Sandbox, tmp_path: Path) -> None:
    folder = Path(__file__).parent.parent / "assignments" / "mlp"
    solution = folder.parent.parent / "reference" / "solutions" / "mlp.py"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(solution), str(folder), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.stderr.startswith("skip: "):
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "40 of 40 points" in done.stdout


# ---------------------------------------------------------------------------------------------- many, and what is left


def test_a_zygote_is_replaced_after_so_many_forks(walled: Sandbox) -> None:
    with Sandbox(forks=3) as sandbox:
        seen = set()
        stays = process(sandbox)
        assert isinstance(ask(stays), Returned)
        for _ in range(7):
            assert works(sandbox)
            seen.update(sandbox.pids())
        assert len(seen) == 3
        assert isinstance(ask(stays), Returned)  # its zygote is kept while it has children
        assert stays.started == 1
        stays.close()
        assert works(sandbox)
    assert soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in seen))


def test_several_zygotes_serve_several_threads(walled: Sandbox) -> None:
    with Sandbox(zygotes=2, forks=20) as sandbox:
        sandbox.start()
        with ThreadPoolExecutor(6) as threads:
            assert all(threads.map(lambda _: works(sandbox), range(60)))
        assert len(sandbox.pids()) == 2


def test_children_of_one_time_have_different_users(walled: Sandbox) -> None:
    if walled.rung is not Rung.FULL:
        pytest.skip("only root can give submissions users of their own")
    text = b"import os\ndef user(x): return os.getuid()\n"
    children = [process(walled, text) for _ in range(3)]
    users = {int(outcome.value) for child in children if isinstance(outcome := ask(child, "user"), Returned)}
    for child in children:
        child.close()
    assert len(users) == 3
    assert 0 not in users


def traces() -> dict[str, Any]:
    """What could be left behind: counted, or listed by name."""
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "processes": len(below(os.getpid())),
        "memory files": sum("memfd:" in line for line in Path("/proc/self/maps").read_text().splitlines()),
        "temporary files": os.listdir(tempfile.gettempdir()),
        "mounts": len(Path("/proc/self/mounts").read_text().splitlines()),
        "control groups": sorted(str(path) for path in Path("/sys/fs/cgroup").glob("*/*gradmark*")),
        "threads": threading.active_count(),
    }


def nothing_more(before: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether all that is there now was there before. Some of that may have gone: other tests' processes end too."""
    pairs = [(before[name], found) for name, found in now.items()]
    return all(set(found) <= set(old) if isinstance(found, list) else found <= old for old, found in pairs)


ENDS = (
    SOURCE,
    b"import os\ndef double(x): os._exit(3)\n",
    b"import ctypes\ndef double(x): ctypes.string_at(0)\n",
    b"import threading\ndef double(x): [threading.Thread(target=threading.Event().wait).start() for _ in range(5)]\n",
    b"def double(x): raise MemoryError\n",
    b"print('x' * 100_000)\ndef double(x): return x[None] * 5\n",
)


def test_nothing_is_left_behind_after_1000_submissions(
    walled: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With two zygotes that are replaced every 200 forks; a third of the submissions ends its process."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = traces()
    with Sandbox(zygotes=2, forks=200) as sandbox:
        sandbox.check()
        with ThreadPoolExecutor(2) as threads:
            outcomes = list(threads.map(lambda number: ended(sandbox, ENDS[number % len(ENDS)]), range(1000)))
        during = traces()
    assert sum(isinstance(outcome, Returned) for outcome in outcomes) == 500
    assert sum(isinstance(outcome, Killed) for outcome in outcomes) == 334
    assert during["descriptors"] < before["descriptors"] + 30
    assert during["processes"] <= before["processes"] + 8
    assert soon(lambda: nothing_more(before, traces())), (before, traces())


def ended(sandbox: Sandbox, text: bytes) -> Outcome:
    child = process(sandbox, text)
    outcome = ask(child)
    child.close()
    return outcome


def test_a_judge_that_is_killed_takes_everything_along(walled: Sandbox) -> None:
    code = (
        "import os, sys\nimport numpy as np\nfrom grader.calls import Call, Source\n"
        "from grader.sandbox.pool import Sandbox\nfrom grader.sandbox.process import ChildProcess\n"
        "sandbox = Sandbox()\n"
        "child = ChildProcess(Source(entry='t.py', files={'t.py': b'def f(x): return x'}), sandbox=sandbox)\n"
        "child.call(Call(function='f', args=(np.ones(1),)))\nprint('ready', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as judge:
        assert judge.stdout is not None
        assert judge.stdout.readline() == b"ready\n"
        started = below(judge.pid)
        judge.kill()
    assert len(started) >= 2
    assert soon(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))


# ---------------------------------------------------------------------------------------------- where there is no wall


def broken_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without seccomp."""
    command = boot.command

    def without(module: str, arguments: tuple[Any, ...], profile: Any) -> list[str]:
        *start, text = command(module, arguments, profile)
        patch = "from grader.sandbox import seccomp\ndef no(*a): raise OSError(38, 'none')\nseccomp.install = no\n"
        return [*start, text.replace("from grader.sandbox.zygote", patch + "from grader.sandbox.zygote")]

    monkeypatch.setattr(warm, "command", without)


def test_without_seccomp_nothing_is_graded(walled: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken_wall(monkeypatch)
    with Sandbox() as sandbox, pytest.raises(MachineError, match=r"can't be built here, only none .*seccomp: .*none"):
        graded(make_course(tmp_path, *LAYER), RIGHT, sandbox)


def test_without_seccomp_what_asks_for_no_wall_is_graded_and_marked(
    walled: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken_wall(monkeypatch)
    with Sandbox(require=Rung.NONE) as sandbox:
        report = graded(make_course(tmp_path, *LAYER), RIGHT, sandbox)
        assert sandbox.pids() == ()
    assert report.score.earned == 3
    assert report.environment.wall is Rung.NONE
    assert report.environment.isolation == ["process", "resource limits", "no torch"]


def test_less_than_what_is_required_is_refused(walled: Sandbox) -> None:
    with Sandbox(rung=Rung.SECCOMP, require=Rung.FULL) as sandbox, pytest.raises(MachineError, match="only seccomp"):
        process(sandbox).load()


def test_a_full_wall_is_what_the_user_at_hand_can_have(walled: Sandbox) -> None:
    with Sandbox(rung=Rung.UNPRIVILEGED, require=Rung.FULL) as sandbox:
        if sandbox.rung is not Rung.UNPRIVILEGED:
            pytest.skip("there are no user namespaces on this machine")
        assert works(sandbox)


def test_other_systems_have_no_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool.sys, "platform", "darwin")
    with Sandbox() as sandbox:
        with pytest.raises(MachineError, match="Linux container"):
            sandbox.check()
        assert sandbox.refused == {"seccomp": "darwin has none"}


def test_a_wall_that_falls_in_a_child_is_the_machines_fault(walled: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    command = boot.command

    def falling(module: str, arguments: tuple[Any, ...], profile: Any) -> list[str]:
        *start, text = command(module, arguments, profile)
        patch = (
            "from grader.sandbox import zygote\ndef no(*a, **k): raise OSError(12, 'it fell')\nzygote.confine = no\n"
        )
        return [*start, text.replace("from grader.sandbox.zygote", patch + "from grader.sandbox.zygote")]

    monkeypatch.setattr(warm, "command", falling)
    with Sandbox() as sandbox, pytest.raises(MachineError, match=r"no wall could be put up .*it fell"):
        process(sandbox).load()


def test_endings_in_words() -> None:
    assert str(Ending(code=3)) == "it exited with code 3"
    assert str(Ending(signal=11)) == "it was ended by SIGSEGV"
    assert str(Ending(signal=40)) == "it was ended by signal 40"


def test_both_kinds_of_child_are_children(walled: Sandbox, unwalled: Sandbox) -> None:
    for sandbox in (walled, unwalled):
        child: Child = sandbox.child(100, {"RLIMIT_DATA": 1 << 30})
        assert child.walled == (sandbox is walled)
        assert child.output() == ""
        assert child.ending() is None  # it waits for its first request
        child.kill()


def test_a_sleeping_call_and_a_computing_one(walled: Sandbox) -> None:
    for body, idle in ((b"time.sleep(60)", True), (b"while True: pass", False)):
        child = process(walled, b"import time\ndef double(x):\n    " + body)
        child.load()
        assert ask(child, seconds=0.5) == TimedOut(seconds=0.5, idle=idle)
        child.close()
