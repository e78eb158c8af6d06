"""A class of 200, mixed, through the batch: the whole corpus, and what else is handed in.

Every wrong one is found out as expected, every right one passes, hostile ones cost nobody else anything, what can't
be read is told, and nothing is laid to anybody's charge that is not theirs.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from grader.assignment import Assignment
from grader.authoring.corpus import Slip, compose, differences, read_slips
from grader.batch.handins import read_class
from grader.batch.judges import grade_here
from grader.batch.running import Pass, begin, patience
from grader.batch.work import Order
from grader.calls import Rung
from grader.gradebook import Gradebook
from grader.manifest import load_assignment
from grader.report.model import Report, validate
from grader.topics import find_manifest

SLIPS = read_slips("mlp")
SIZE = 200
HOSTILE = {
    "exits": "import os\nos._exit(0)",
    "aborts": "import os\nos.abort()",
    "loops": "while True:\n    pass",
    "sleeps": "import time\ntime.sleep(1000)",
    "recurses": "def f():\n    return f()\nf()",
    "kills": "import os, signal\nfor pid in (os.getppid(), 1, -1):\n    os.kill(pid, signal.SIGKILL)",
    "forks": "import os\nfor _ in range(1000):\n    os.fork()",
    "hoards": "hoard = []\nwhile True:\n    try: hoard.append(bytearray(1 << 24))\n    except MemoryError: pass",
    "floods": "while len('x' * 10_000_000):\n    print('x' * 10_000_000)\n    break",
    "writes": "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'PASSED')\n    except OSError: pass",
    "patches": "import numpy.testing, numpy\nnumpy.testing.assert_allclose = numpy.allclose = lambda *a, **k: True",
}
"""Put before the worked solution."""
SURVIVORS = {"floods", "kills", "forks", "patches"}
"""Those whose code goes on when it has not got what it wanted: the functions after it are right, and count."""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    """The topic with shorter time limits, so that those that hang don't take the time of those that don't."""
    shipped = load_assignment(find_manifest("mlp"))
    folder = tmp_path_factory.mktemp("course")
    (folder / "assignments" / "mlp").mkdir(parents=True)
    (folder / "reference").symlink_to(shipped.reference.parent)
    manifest = folder / "assignments" / "mlp" / "assignment.toml"
    text = shipped.manifest.read_text()
    manifest.write_text(text.replace("call_seconds = 5\n", "call_seconds = 2\nload_seconds = 2\n"))
    loaded = load_assignment(manifest)
    assert (loaded.limits.call_seconds, loaded.limits.load_seconds) == (2, 2)
    return loaded


def solution(course: Assignment) -> str:
    """The worked solution."""
    assert course.solution is not None
    return course.solution.read_text()


def notebook(text: str) -> str:
    """A notebook of one cell of code, with a magic."""
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": 1, "source": text}]
    cells.append({**cells[0], "source": "%matplotlib inline\n!pip install torch"})
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


def zipped(**files: str) -> bytes:
    """An archive."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_py", ".py"), text)
    return data.getvalue()


def hand_in(folder: Path, course: Assignment) -> None:
    """Everything that is no slip, by what it is."""
    right, stub = solution(course), (find_manifest("mlp").parent / course.file).read_text()
    for name, text in HOSTILE.items():
        (folder / f"hostile_{name}.py").write_text(f"{text}\n{right}")
    for number in range(4):
        (folder / f"stub_{number}.py").write_text(stub)
        (folder / f"notebook_{number}.ipynb").write_text(notebook(f"# {number}\n{right}"))
        (folder / f"zip_{number}.zip").write_bytes(zipped(mlp_py=f"# {number}\n{right}"))
        (folder / f"none_{number}").mkdir()
    for number, data in enumerate((b"PK\x03\x04", b"not a zip", zipped(mlp_py=right)[:-40])):
        (folder / f"broken_{number}.zip").write_bytes(data)
    (folder / "broken_3.ipynb").write_text('{"cells": [')
    (folder / "broken_4.pdf").write_bytes(b"%PDF-1.7")
    (folder / "empty_0.py").write_text("")
    (folder / "empty_1.py").write_bytes(bytes(100))


@pytest.fixture(scope="module")
def reports(course: Assignment, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Report]:
    """What everyone gets."""
    folder = tmp_path_factory.mktemp("class")
    for slip in SLIPS:
        path = compose(slip, course, folder)
        if path.suffix == ".zip":
            path.rename(folder / f"{slip.name}.zip")
            path.parent.rmdir()
    hand_in(folder, course)
    order = Order(manifest=course.manifest, require=Rung.NONE)
    with Gradebook(tmp_path_factory.mktemp("run"), write=True) as book:
        begin(book, course, order, folder)
        handins = read_class(folder).handins
        Pass(book, course, order).grade(
            handins,
            lambda tasks: grade_here(order, tasks, workers=2, patience=patience(course), waiting=lambda busy: None),
        )
        return {
            recorded.attempt.student: book.report(recorded.row, recorded.attempt.student) for recorded in book.current()
        }


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
def test_a_submission_is_judged_as_expected(slip: Slip, reports: Mapping[str, Report]) -> None:
    report = reports[slip.name]
    assert differences(report, slip) == ()
    assert report.score.possible == 40


def test_there_are_200_reports_and_all_are_valid(reports: Mapping[str, Report]) -> None:
    assert len(reports) == SIZE
    for student, report in reports.items():
        validate(json.loads(msgspec.json.encode(report)))
        assert report.submission.name == student
        assert (report.format, report.score.possible) == ("gradmark-report", 40)


def test_nobodys_fault_is_misnamed(reports: Mapping[str, Report]) -> None:
    for student, report in reports.items():
        assert report.score.undecided == 0, student
        assert {check.fault for check in checks(report)} <= {None, "student"}, student


def checks(report: Report) -> Iterator[msgspec.Struct]:
    for exercise in report.exercises:
        for part in exercise.parts:
            yield from part.checks


@pytest.mark.parametrize(
    ("kind", "count", "code", "earned"),
    [
        ("stub", 4, "NOT_WRITTEN", 0),
        ("notebook", 4, None, 40),
        ("zip", 4, None, 40),
        ("none", 4, "SUBMISSION_UNREADABLE", 0),
        ("broken", 5, "SUBMISSION_UNREADABLE", 0),
        ("empty", 2, None, 0),
    ],
)
def test_what_else_is_handed_in(
    kind: str, count: int, code: str | None, earned: float, reports: Mapping[str, Report]
) -> None:
    found = [report for student, report in reports.items() if student.rpartition("_")[0] == kind]
    assert len(found) == count
    for report in found:
        assert report.score.earned == earned, report.submission
        if code is not None:
            codes = Counter(f.code for check in checks(report) for f in check.findings)  # type: ignore[attr-defined]
            assert set(codes) == {code}, codes


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_one_gets_what_its_functions_are_worth(name: str, reports: Mapping[str, Report]) -> None:
    assert reports[f"hostile_{name}"].score.earned == (40 if name in SURVIVORS | {"recurses"} else 0)
