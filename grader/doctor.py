"""Does grading work on this machine, and how well is a submission walled in?

Everything is tried, not looked up: torch is imported (in a process of its own, since a broken driver can end the
process that asks for it), and a child is started on a small source that answers one call and tries to import torch.

What is seen becomes Lines. A *problem* means that nothing can be graded here, and says what to do; a *warning* says
what a result from this machine is not worth.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib import metadata
from typing import Final, assert_never

from grader import __version__
from grader.calls import Call, Evaluator, Killed, Loaded, Malformed, Returned, Rung, Source, TimedOut
from grader.errors import GradmarkError
from grader.topics import assignment_names, find_manifest

__all__ = ["Level", "Line", "as_json", "diagnose", "render", "works"]

_NEEDED: Final = ("numpy", "torch", "pytest", "click", "msgspec", "jsonschema", "array-api-compat")
_START_SECONDS: Final = 60.0


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was looked at."""

    about: str
    level: Level = Level.OK
    seen: str
    remedy: str = ""
    """What to do; every problem has one."""


def works(lines: Sequence[Line]) -> bool:
    """Whether grading works here."""
    return all(line.level is not Level.PROBLEM for line in lines)


def diagnose(progress: Callable[[str], None] = lambda text: None) -> tuple[Line, ...]:
    """Look at everything; takes seconds.

    Args:
        progress: called before each thing that takes time.
    """
    lines = [Line(about="gradmark", seen=__version__), _python(), *_packages()]
    progress("importing torch")
    lines += _torch()
    progress("reading the topics")
    lines += _topics()
    progress("starting a process for a submission")
    return (*lines, *_isolation())


def render(lines: Sequence[Line]) -> str:
    """The lines as text, then the verdict."""
    wide = max(len(line.about) for line in lines)
    texts = []
    for line in lines:
        texts.append(f"{line.level.value:<8} {line.about:<{wide}}  {line.seen}")
        if line.remedy:
            texts.append(f"{'':<8} {'':<{wide}}  -> {line.remedy}")
    verdict = "Grading works here." if works(lines) else "Grading does not work here; see each problem above."
    return "\n".join([*texts, "", verdict])


def as_json(lines: Sequence[Line]) -> bytes:
    """The lines as a JSON document: {works, lines: [{about, level, seen, remedy}]}."""
    document = {"works": works(lines), "lines": [asdict(line) for line in lines]}
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


# ------------------------------------------------------------------------------------------------- what is installed


def _python() -> Line:
    return Line(about="python", seen=f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _packages() -> Iterator[Line]:
    for name in _NEEDED:
        try:
            yield Line(about=name, seen=metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Line(
                about=name, level=Level.PROBLEM, seen="not installed", remedy=f"{sys.executable} -m pip install {name}"
            )


_ASK_TORCH: Final = """
import json, torch
x = torch.ones(3, dtype=torch.float64, requires_grad=True)
(x * x).sum().backward()
assert x.grad.tolist() == [2.0, 2.0, 2.0], f"wrong gradient: {x.grad.tolist()}"
count = torch.cuda.device_count() if torch.cuda.is_available() else 0
print(json.dumps([f"cuda:{index} {torch.cuda.get_device_name(index)}" for index in range(count)]))
"""


def _torch(python: str = sys.executable) -> Iterator[Line]:
    """Whether torch, which the references are written in, computes; and the devices that it sees."""
    command = [python, "-c", _ASK_TORCH]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_START_SECONDS)
        last = (done.stderr.strip().splitlines() or [f"the process ended with status {done.returncode}"])[-1]
    except (OSError, subprocess.TimeoutExpired) as error:
        done, last = None, str(error)
    if done is None or done.returncode != 0:
        remedy = "install torch again; its CPU build is enough where there is no GPU"
        yield Line(about="torch computes", level=Level.PROBLEM, seen=f"no: {last}", remedy=remedy)
        return
    devices = json.loads(done.stdout.splitlines()[-1])
    yield Line(about="torch computes", seen="yes, in float64")
    yield Line(about="devices", seen=", ".join(["cpu", *devices]) if devices else "cpu (no GPU here)")


def _topics() -> Iterator[Line]:
    from grader.manifest import load_assignment

    names = assignment_names()
    if not names:
        yield Line(
            about="topics",
            level=Level.WARNING,
            seen="none came with this installation",
            remedy="give --assignment PATH, or install gradmark again",
        )
    for name in names:
        manifest = find_manifest(name)
        try:
            topic = load_assignment(manifest)
        except GradmarkError as error:
            yield Line(about=f"topic {name}", level=Level.PROBLEM, seen=str(error), remedy="mend the manifest")
        else:
            seen = f"{topic.title}: {len(topic.exercises)} exercises, {float(topic.points):g} points"
            yield Line(about=f"topic {name}", seen=seen)


# ------------------------------------------------------------------------------------------------- the wall


_PROBE: Final = b"""
def double(x):
    return 2 * x


def torch_is_here():
    try:
        import torch
    except ImportError:
        return False
    return True
"""


def _isolation() -> Iterator[Line]:
    """Start a process as a submission has it, behind the wall that can be had here, and ask it."""
    from grader.sandbox.pool import Sandbox
    from grader.sandbox.process import ChildProcess

    clock = time.perf_counter()
    with Sandbox(require=Rung.NONE) as sandbox:
        child = None
        try:
            source = Source(entry="probe.py", files={"probe.py": _PROBE})
            child = ChildProcess(source, sandbox=sandbox, seconds_to_load=_START_SECONDS)
            answered = tuple(_asked(child, clock))
            yield from answered
            if works(answered):
                yield from _wall(sandbox.rung, sandbox.layers, sandbox.refused)
        except Exception as error:  # whatever it is, it is what the doctor was asked for
            seen = f"failed: {type(error).__name__}: {error}"
            yield Line(about="submission's process", level=Level.PROBLEM, seen=seen, remedy=_REMEDY)
        finally:
            if child is not None:
                child.close()


_REMEDY: Final = "see that this user may start processes and has memory left; then report this line to gradmark"


def _asked(child: Evaluator, clock: float) -> Iterator[Line]:
    import numpy as np

    outcome = child.load()
    if not isinstance(outcome, Loaded):
        seen = f"did not start: {_told(outcome)}"
        yield Line(about="submission's process", level=Level.PROBLEM, seen=seen, remedy=_REMEDY)
        return
    started = time.perf_counter() - clock
    x = np.arange(6, dtype=np.float64).reshape(2, 3)
    answer = child.call(Call(function="double", args=(x,)))
    if not isinstance(answer, Returned) or not np.array_equal(answer.value, 2 * x):
        seen = f"doubling an array gave {answer!r}"
        yield Line(about="submission's process", level=Level.PROBLEM, seen=seen, remedy=_REMEDY)
        return
    yield Line(about="submission's process", seen=f"started in {started:.2f} s, answers a call")
    yield _torch_there(child.call(Call(function="torch_is_here", args=(), seconds=_START_SECONDS)))


def _torch_there(answer: object) -> Line:
    about = "torch in it"
    if isinstance(answer, Returned) and not answer.value:
        return Line(about=about, seen="no: no autograd to borrow")
    return Line(
        about=about,
        level=Level.WARNING,
        seen="it can be imported: a submission can let autograd do its backward passes",
        remedy="report this line to gradmark; until then, look for `import torch` in what was handed in",
    )


_RUNGS: Final = {
    Rung.FULL: "full: no files, no network, no other process, a user and namespaces of its own",
    Rung.UNPRIVILEGED: "unprivileged: no files, no network, no other process, namespaces of its own",
    Rung.SECCOMP: "seccomp: no files, no network, no other process; a second line of defence is missing",
    Rung.NONE: "none: a submission can read the files that you can, and use the network",
}


def _wall(rung: Rung, layers: Sequence[str], refused: Mapping[str, str]) -> Iterator[Line]:
    """What stands between a submission and this machine, and what could not be put up."""
    if rung is Rung.NONE:
        remedy = "grade on Linux, or with --unsafe in a virtual machine that holds nothing else"
        yield Line(about="wall", level=Level.WARNING, seen=_RUNGS[rung], remedy=remedy)
    else:
        yield Line(about="wall", seen=_RUNGS[rung])
    yield Line(about="layers", seen=", ".join(layers))
    for layer, why in refused.items():
        remedy = "" if rung.reaches(Rung.UNPRIVILEGED) else _REMEDIES.get(layer, "")
        yield Line(about=f"no {layer}", seen=why, remedy=remedy)


_NAMESPACES: Final = "run as root, or allow user namespaces: sysctl kernel.apparmor_restrict_unprivileged_userns=0"
_REMEDIES: Final = {
    "seccomp": "a kernel with seccomp filters, x86-64 or aarch64",
    "Landlock": "Linux 5.13 or newer with Landlock among its security modules",
    "user namespace": _NAMESPACES,
    "mount namespace": _NAMESPACES,
    "PID namespace": _NAMESPACES,
}


def _told(outcome: TimedOut | Killed | Malformed) -> str:
    match outcome:
        case TimedOut(seconds=seconds):
            return f"no answer within {seconds:g} s"
        case Killed(reason=reason):
            return reason
        case Malformed(problem=problem):
            return problem
        case _:
            assert_never(outcome)
