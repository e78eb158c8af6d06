"""Adapters: signatures that are not those of the kinds, graded in this process and in one of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from courses import codes, grade_text, make_course, parts

from grader.assignment import Assignment
from grader.calls import Call, Returned, Source
from grader.errors import ManifestError
from grader.grading import grade
from grader.report.model import Report
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess
from grader.submission import Submission

EXERCISE = (
    'name = "e"\nkind = "layer"\nforward = "scale_forward"\nbackward = "scale_backward"\nreference = "f"\n'
    'writes = ["Scale"]\ninputs = { x = "N D", w = "D" }\noutput = "N D"\narguments = { power = 2 }\n'
    'points = { forward = 1, backward = 2 }\n[[exercise.case]]\nname = "small"\nsizes = { N = 3, D = 4 }\n'
)
REFERENCE = "def f(x, w, power):\n    return x**power * w\n"
ADAPTER = """
def scale_forward(x, w, power):
    layer = student.Scale({"power": power})
    return layer.forward(x, w), layer

def scale_backward(dout, layer):
    return layer.backward(dout)
"""
CLASS = """
class Scale:
    def __init__(self, config):
        self.power = config["power"]
    def forward(self, x, w):
        self.x, self.w = x, w
        return x**self.power * w
    def backward(self, dout):
        dx = dout * self.power * self.x ** (self.power - 1) * self.w
        return dx, (dout * self.x**self.power).sum(axis=0)
"""


def in_a_process(assignment: Assignment, text: str) -> Report:
    source = Source(entry="t.py", files={"t.py": text.encode()})
    return grade(assignment, Submission(name="t", path="t.py", source=source, notes=()))


@pytest.mark.parametrize("run", [grade_text, in_a_process])
def test_a_class_is_graded_as_a_pair_of_functions(tmp_path: Path, run: object) -> None:
    assignment = make_course(tmp_path, EXERCISE, REFERENCE, adapter=ADAPTER)
    assert assignment.functions == ("Scale",)
    assert run(assignment, CLASS).score.verdict == "passed"  # type: ignore[operator]
    report = run(assignment, CLASS.replace("self.power - 1", "self.power"))  # type: ignore[operator]
    assert codes(parts(report)["backward"]) == {"WRONG_GRADIENT"}
    assert parts(report)["forward"].verdict == "passed"


@pytest.mark.parametrize("run", [grade_text, in_a_process])
def test_what_the_adapter_does_not_find_is_told_by_the_students_name(tmp_path: Path, run: object) -> None:
    report = run(make_course(tmp_path, EXERCISE, REFERENCE, adapter=ADAPTER), "x = 1\n")  # type: ignore[operator]
    (told, *_) = [f for check in parts(report)["forward"].checks for f in check.findings]
    assert (told.code, told.headline) == ("MISSING_FUNCTION", "there is no function Scale in t.py")


def test_what_the_students_code_raises_is_shown_without_the_adapters_lines(tmp_path: Path) -> None:
    text = CLASS.replace("self.x, self.w = x, w", "raise KeyError('no')")
    report = grade_text(make_course(tmp_path, EXERCISE, REFERENCE, adapter=ADAPTER), text)
    (told, *_) = [f for check in parts(report)["forward"].checks for f in check.findings]
    assert told.code == "RAISED"
    assert "t.py, line" in told.detail
    assert "adapter" not in told.detail


def test_an_argument_that_is_written_into_behind_an_adapter_is_named(tmp_path: Path) -> None:
    text = CLASS.replace("self.x, self.w = x, w", "self.x, self.w = x.copy(), w\n        x *= 1.5; x /= 1.5; x[0] = 0")
    report = grade_text(make_course(tmp_path, EXERCISE, REFERENCE, adapter=ADAPTER), text)
    told = [f for check in parts(report)["forward"].checks for f in check.findings if f.code == "MUTATES_ARGUMENT"]
    assert told[0].headline == "scale_forward writes into its argument x"


def test_an_adapter_may_ask_whether_something_is_there(tmp_path: Path) -> None:
    adapter = ADAPTER.replace("student.Scale(", "(student.Scale if hasattr(student, 'Scale') else student.Old)(")
    assignment = make_course(tmp_path, EXERCISE, REFERENCE, adapter=adapter)
    assert grade_text(assignment, CLASS.replace("class Scale", "class Old")).score.verdict == "passed"


FORGER = """
import gc, types
class Scale:
    def __init__(self, config):
        for thing in gc.get_objects():
            if type(thing) is types.FunctionType and thing.__module__ == "adapter":
                thing.__code__ = (lambda *args: (True, None)).__code__
    def forward(self, x, w):
        return 0.0 * x
    def backward(self, dout):
        return True
"""


@pytest.mark.parametrize("run", [grade_text, in_a_process])
def test_who_rewrites_the_adapter_earns_nothing(tmp_path: Path, run: object) -> None:
    report = run(make_course(tmp_path, EXERCISE, REFERENCE, adapter=ADAPTER), FORGER)  # type: ignore[operator]
    assert (report.score.earned, report.score.undecided, report.score.verdict) == (0, 0, "failed")


def test_an_adapter_belongs_to_the_digest_and_must_parse(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = make_course(tmp_path / "a", EXERCISE, REFERENCE, adapter=ADAPTER)
    other = make_course(tmp_path / "b", EXERCISE, REFERENCE, adapter=ADAPTER + "\n# changed\n")
    assert one.digest != other.digest
    (tmp_path / "c").mkdir()
    with pytest.raises(ManifestError, match=r"adapter\.py does not parse"):
        make_course(tmp_path / "c", EXERCISE, REFERENCE, adapter="def f(:\n")


def test_writes_is_for_adapters(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="only an adapter needs it"):
        make_course(tmp_path, EXERCISE, REFERENCE)


def test_what_an_adapter_keeps_is_gone_before_the_next_exercise(sandbox: Sandbox) -> None:
    adapter = b"SEEN = []\ndef f(x):\n    SEEN.append(x)\n    return float(len(SEEN))\n"
    source = Source(entry="t.py", files={"t.py": b"def g(x):\n    return x\n"}, adapter=adapter)
    process, call = ChildProcess(source, sandbox=sandbox), Call(function="f", args=(1.0,))
    try:
        outcomes = [process.call(call), process.call(call)]
        process.fresh()
        outcomes.append(process.call(call))
    finally:
        process.close()
    assert [outcome.value for outcome in outcomes if isinstance(outcome, Returned)] == [1.0, 2.0, 1.0]
