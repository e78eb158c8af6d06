"""Whatever one function does, it costs the checks that call it; the report is whole, valid and scored as planned."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from courses import codes, parts

from grader.assignment import Assignment
from grader.authoring.stubs import overlay
from grader.calls import Source
from grader.cases import draw_case
from grader.grading import grade, grade_path
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.report.model import report_json, validate
from grader.sandbox.inprocess import InProcess
from grader.sandbox.pool import Sandbox
from grader.submission import Submission
from grader.topics import find_manifest

HEADER = "import struct\nHEADER = struct.Struct('<4sQBQQdHII')\n"
WRITE = """    for fd in range(3, 64):
        try:
            os.write(fd, DATA)
        except OSError:
            pass
"""

HOSTILE = {
    "exits": ("os._exit(0)", "KILLED"),
    "exits as if all were well": ("sys.stdout.flush(); os._exit(0)", "KILLED"),
    "raises SystemExit": ("sys.exit(0)", "RAISED"),
    "loops for ever": ("while True: pass", "TIMED_OUT"),
    "sleeps for ever and ignores signals": (
        "[signal.signal(s, signal.SIG_IGN) for s in (1, 2, 15)]\n    time.sleep(1e6)",
        "TIMED_OUT",
    ),
    "prints 100 MB and returns nothing": ("[print('x' * 1000000) for _ in range(100)]", "WRONG_STRUCTURE"),
    "returns NaN": ("return {k: v * np.nan for k, v in params.items()}", "NOT_FINITE"),
    "returns object arrays": ("return {k: v.astype(object) for k, v in params.items()}", "WRONG_STRUCTURE"),
    "returns text": ("return {k: 'right' for k in params}", "WRONG_STRUCTURE"),
    "returns itself": ("p = []\n    p.append(p)\n    return p", "MALFORMED"),
    "returns far too much": (
        "return {k: np.broadcast_to(1.0, (10**6, 10**6)) for k in params}",
        "MALFORMED",
    ),
    "crashes": ("ctypes.string_at(0)", "KILLED"),
    "takes all memory": ("x = [np.ones(10**8) for _ in range(100)]", "OUT_OF_MEMORY"),
    "recurses": ("return sgd_step(params, grads, lr)", "RAISED"),
    "closes every descriptor": ("os.closerange(0, 64)\n    return params", "KILLED"),
    "forges a reply of 2^40 elements": (
        "DATA = HEADER.pack(b'GMK1', 1, 0, 0, 0, 0.0, 1, 0, 0) + struct.pack('<BB8q', 12, 2, 2**40, 2**40, *[0] * 6)\n"
        + WRITE,
        "MALFORMED",
    ),
    "forges a reply of text": ("DATA = b'{\"score\": 100}' * 10\n" + WRITE, "MALFORMED"),
    "patches numpy": (
        "np.testing.assert_allclose = np.allclose = np.array_equal = lambda *a, **k: True\n    return params",
        "WRONG_TRAJECTORY",
    ),
    "an exception that can't be shown": (
        "class E(BaseException):\n        def __str__(self): raise self\n        __repr__ = __str__\n    raise E",
        "RAISED",
    ),
    "an array that lies": (
        "class A(np.ndarray):\n        shape = property(lambda s: 1 / 0)\n"
        "    return {k: v.view(A) for k, v in params.items()}",
        "WRONG_TRAJECTORY",
    ),
}


@pytest.fixture(scope="module")
def mlp() -> Assignment:
    assignment = load_assignment(find_manifest("mlp"))
    return replace(assignment, limits=msgspec.structs.replace(assignment.limits, call_seconds=1.0, memory_mb=512))


@pytest.fixture(scope="module")
def oracle(mlp: Assignment) -> Oracle:
    return Oracle(mlp)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_step_costs_the_step_alone(mlp: Assignment, oracle: Oracle, sandbox: Sandbox, name: str) -> None:
    body, code = HOSTILE[name]
    head = "import ctypes, os, signal, sys, time\nimport numpy as np\n" + HEADER
    assert mlp.solution is not None
    text = overlay(mlp.solution.read_text(), f"{head}\ndef sgd_step(params, grads, lr):\n    {body}\n")
    source = Source(entry="mlp.py", files={"mlp.py": text.encode()})
    report = grade(mlp, Submission(name=name, path="mlp.py", source=source, notes=()), oracle=oracle, sandbox=sandbox)
    validate(json.loads(report_json(report)))
    found = parts(report)
    assert code in codes(found["step"])
    assert {n for n, part in found.items() if part.verdict != "passed"} == {"step"}
    assert (report.score.earned, report.score.possible, report.score.undecided) == (36, 40, 0)
    assert len(report.submission.printed.encode()) <= mlp.limits.output_bytes


IMPORTS = {
    "loops at import": ("while True: pass\n", "did not finish within 1 s"),
    "exits at import": ("import os\nos._exit(0)\n", "ended its process"),
    "raises SystemExit at import": ("raise SystemExit\n", "SystemExit"),
}


@pytest.mark.parametrize("name", IMPORTS)
def test_a_file_that_ends_its_own_loading_is_told_so(
    mlp: Assignment, oracle: Oracle, sandbox: Sandbox, name: str
) -> None:
    text, words = IMPORTS[name]
    quick = replace(mlp, limits=msgspec.structs.replace(mlp.limits, load_seconds=1.0))
    source = Source(entry="mlp.py", files={"mlp.py": text.encode()})
    report = grade(quick, Submission(name="s", path="mlp.py", source=source, notes=()), oracle=oracle, sandbox=sandbox)
    validate(json.loads(report_json(report)))
    assert (report.score.earned, report.score.undecided, report.score.verdict) == (0, 0, "failed")
    headlines = {f.headline for part in parts(report).values() for c in part.checks for f in c.findings}
    assert all(words in headline or "loading" in headline for headline in headlines), headlines


def test_a_submission_that_can_not_be_read_is_a_report_with_every_check_in_it(mlp: Assignment, tmp_path: Path) -> None:
    (tmp_path / "s.zip").write_bytes(b"PK\x03\x04 not really")
    report = grade_path(mlp, tmp_path / "s.zip")
    validate(json.loads(report_json(report)))
    assert {check.status for part in parts(report).values() for check in part.checks} == {"not run"}
    assert (report.score.earned, report.score.possible, report.score.verdict) == (0, 40, "failed")


@pytest.mark.parametrize("line", ["import torch", "from torch.nn import functional", "import torch.nn as nn"])
def test_no_door_lends_a_submission_an_autograd(mlp: Assignment, oracle: Oracle, sandbox: Sandbox, line: str) -> None:
    """The oracle's torch is loaded in this process; in process or in a child, the submission can't have it."""
    oracle.expected(mlp.exercises[0], draw_case(mlp, mlp.exercises[0], mlp.exercises[0].cases[0]))
    assert "torch" in sys.modules
    assert mlp.solution is not None
    slip = f"def relu_forward(x):\n    {line}\n    return x * (x > 0), x\n"
    source = Source(entry="mlp.py", files={"mlp.py": overlay(mlp.solution.read_text(), slip).encode()})
    submission = Submission(name="s", path="mlp.py", source=source, notes=())
    for evaluator in (InProcess(source), None):
        report = grade(mlp, submission, evaluator=evaluator, oracle=oracle, sandbox=sandbox)
        told = {f.headline for c in report.exercises[1].parts[0].checks for f in c.findings}
        assert told
        assert all("torch is not available here" in headline for headline in told)
    assert "torch" in sys.modules


def test_random_code_is_graded_the_same_every_time(mlp: Assignment, oracle: Oracle, sandbox: Sandbox) -> None:
    assert mlp.solution is not None
    slip = "import random\nimport numpy as np\n\ndef relu_forward(x):\n    print(random.random(), np.random.rand())\n"
    source = Source(entry="mlp.py", files={"mlp.py": overlay(mlp.solution.read_text(), slip).encode()})
    submission = Submission(name="s", path="mlp.py", source=source, notes=())
    first, second = (grade(mlp, submission, oracle=oracle, sandbox=sandbox).submission.printed for _ in range(2))
    assert first == second
    assert len(set(first.splitlines())) > 10
