"""Submissions with known mistakes, graded: to show what a student is told, and to hold the judge to its word.

The corpus (tests/submissions/README.md) says for each submission which parts must not earn their points and what
must be found in them. `show` grades a handful and prints their messages; `check_corpus` grades all and prints only
where the judge says something else than expected.

`show` ends with the experiment that a grader by accuracy fails: the textbook's 784-200-10 network, trained with the
right gradient and with one that is 100 times too large. The second reaches the better accuracy.
"""

from __future__ import annotations

import shlex
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.assignment import Assignment
from grader.authoring.corpus import Slip, compose, differences, parts_of, read_slip, read_slips
from grader.calls import Call, Returned, Rung
from grader.errors import CourseError, MachineError
from grader.grading import grade_path
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.report.console import points, render_part
from grader.report.model import Report, write_report
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess
from grader.submission import read_submission
from grader.topics import assignment_names, find_manifest, submissions_folder

__all__ = ["Graded", "check_corpus", "show"]

Say: TypeAlias = Callable[[str], None]
Array: TypeAlias = NDArray[Any]

_TOPIC: Final = "mlp"
_SHOWN: Final = (
    "right_einsum",
    "right_class_cache",
    "affine_all_mean",
    "affine_db_not_summed",
    "relu_mask_missing",
    "softmax_sum",
    "sgd_ascends",
    "run_os_exit",
)
"""One submission for each kind of message."""
_RIGHT: Final = "worked_solution"
_SUM_FOR_MEAN: Final = "softmax_sum"


# ------------------------------------------------------------------------------------------------- grading it


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """One submission with its report and what is not as expected in it."""

    slip: Slip
    report: Report
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the demo's submissions run, and where their reports go."""

    sandbox: Sandbox
    folder: Path
    progress: Say


def _grade(slip: Slip, submission: Path, assignment: Assignment, oracle: Oracle, place: _Place) -> Graded:
    report = grade_path(
        assignment,
        submission,
        sandbox=place.sandbox,
        oracle=oracle,
        progress=lambda part: place.progress(f"{slip.name}: {part.exercise} / {part.name}"),
    )
    write_report(report, _folder(place.folder / "reports" / assignment.name) / f"{slip.name}.json")
    return Graded(slip=slip, report=report, differences=differences(report, slip))


def _folder(path: Path | None) -> Path:
    """The folder, made if need be; a fresh temporary one for None."""
    try:
        if path is None:
            return Path(tempfile.mkdtemp(prefix="gradmark-demo-"))
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(f"{path} can't be written: {error.strerror or error}") from error
    return path


def show(out: Path | None, say: Say, progress: Say) -> bool:
    """Grade a handful of submissions and train the textbook's network; True if all went as expected.

    Args:
        out: folder for the composed submissions and the reports; a temporary one if None.
        say: prints a block of text.
        progress: told what is being done.

    Raises:
        CourseError: the corpus or the topic is at fault.
        MachineError: `out` can't be written, or no process can be started.
    """
    folder, assignment = _folder(out), load_assignment(find_manifest(_TOPIC))
    with Sandbox(assignment.profile, require=Rung.NONE) as sandbox:
        sandbox.start()
        return _show(assignment, _Place(sandbox=sandbox, folder=folder, progress=progress), say)


def _show(assignment: Assignment, place: _Place, say: Say) -> bool:
    oracle, graded, folder = Oracle(assignment), [], place.folder
    submissions = folder / "submissions" / assignment.name
    paths = dict([_worked_solution(assignment, submissions)])
    for slip in (read_slip(submissions_folder() / _TOPIC / name) for name in _SHOWN):
        paths[slip] = compose(slip, assignment, submissions)
    for slip, path in paths.items():
        graded.append(_grade(slip, path, assignment, oracle, place))
        if slip.fails:
            say(_first_failure(graded[-1]))
    say(_table(graded))
    place.progress("training the textbook's network, twice")
    by_name = {one.slip.name: (one.report, paths[one.slip]) for one in graded}
    say(_experiment(assignment, place.sandbox, by_name[_RIGHT], by_name[_SUM_FOR_MEAN]))
    say(f"The submissions and their reports are in {folder}. Grade one yourself:\n\n  {_command(paths, assignment)}")
    return not any(one.differences for one in graded)


def check_corpus(out: Path | None, say: Say, progress: Say) -> bool:
    """Grade every submission of every topic; True if each is as its expected.toml says. Arguments as for `show`."""
    folder, graded = _folder(out), []
    for topic in assignment_names():
        assignment = load_assignment(find_manifest(topic))
        oracle = Oracle(assignment)
        with Sandbox(assignment.profile, require=Rung.NONE) as sandbox:
            place = _Place(sandbox=sandbox, folder=folder, progress=progress)
            for slip in read_slips(topic):
                path = compose(slip, assignment, folder / "submissions" / topic)
                graded.append(_grade(slip, path, assignment, oracle, place))
    if not graded:
        raise CourseError(f"there are no submissions in {submissions_folder()}")
    say(_table(graded))
    right = sum(not one.differences for one in graded)
    say(f"{right} of {len(graded)} submissions were graded as expected. Submissions and reports are in {folder}")
    return right == len(graded)


def _worked_solution(assignment: Assignment, into: Path) -> tuple[Slip, Path]:
    if assignment.solution is None:
        raise CourseError(f"{assignment.manifest}: solution: the demonstration needs one")
    folder = _folder(into / _RIGHT)
    try:
        shutil.copyfile(assignment.solution, folder / assignment.file)
    except OSError as error:
        raise MachineError(f"{folder} can't be written: {error.strerror or error}") from error
    slip = Slip(name=_RIGHT, title="The worked solution", folder=folder, whole=True, fails=(), expects=())
    return slip, folder


def _command(paths: Mapping[Slip, Path], assignment: Assignment) -> str:
    path = next(path for slip, path in paths.items() if slip.fails)
    return f"grader grade {shlex.quote(str(path))} --assignment {assignment.name}"


# ------------------------------------------------------------------------------------------------- what is printed


def _first_failure(graded: Graded) -> str:
    """The message of the first part that failed, under what the student did."""
    report = graded.report
    title = f"--- {graded.slip.name}: {graded.slip.title}"
    for exercise, part in parts_of(report):
        if part.verdict != "passed":
            return (
                f"{title}\n\n{render_part(report.assignment.name, report.assignment.manifest, exercise.name, part)}\n"
            )
    return f"{title}\n\nnothing was found\n"


def _table(graded: Sequence[Graded]) -> str:
    """One line a submission, and below those that are not as expected what differs."""
    rows = [("submission", "points", "first finding", "as expected", "seconds")]
    for one in graded:
        score = one.report.score
        rows.append(
            (
                one.slip.name,
                f"{points(score.earned)} of {points(score.possible)}",
                _first_finding(one.report),
                "NO" if one.differences else "yes",
                f"{one.report.seconds:.1f}",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    told = [f"  {one.slip.name}: {difference}" for one in graded for difference in one.differences]
    return "\n".join([*lines, *(["", "Not as expected:", *told] if told else [])]) + "\n"


def _first_finding(report: Report) -> str:
    found = (
        f"{exercise.name} / {part.name}: {finding.code}"
        for exercise, part in parts_of(report)
        if part.verdict != "passed"
        for check in part.checks
        for finding in check.findings
        if not finding.warning
    )
    return next(found, "-")


# ------------------------------------------------------------------------------------------------- the experiment

_STEPS: Final = 2000
_STEPS_A_CALL: Final = 400
"""Five times through the images, so that the next call goes on where this one ended; a reply holds 1,024 arrays."""
_IMAGES: Final = 8000
_EXPERIMENT: Final = """\
The textbook's experiment: a 784-200-10 network, weights from N(0, 1), zero biases, pixels from 0 to 1,
lr 0.001, batches of 100, 2,000 steps on 8,000 digits. The textbook says about 70 %.
"""
_MORAL: Final = """
The second loss is the sum over the batch where the mean was asked: its gradient is 100 times too large, and it
trains better, because the rate of 0.001 was too small for the right one. Accuracy can't grade a gradient.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trained:
    """Accuracies that a training reached, as shares, and the time that it took."""

    trained_on: float
    held_out: float
    seconds: float


def _experiment(
    assignment: Assignment, sandbox: Sandbox, right: tuple[Report, Path], wrong: tuple[Report, Path]
) -> str:
    """Train with the right loss and with the sum for the mean, at the same time, and compare."""
    images, labels = _digits(assignment)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda graded: _train(assignment, sandbox, graded[1], images, labels), (right, wrong)))
    lines = [f"{'loss':<12}  {'points':<8}  {'accuracy: trained on':>20}  {'held out':>8}  {'seconds':>7}"]
    for name, (report, _), run in zip(("mean (right)", "sum (wrong)"), (right, wrong), runs, strict=True):
        earned = f"{points(report.score.earned)} of {points(report.score.possible)}"
        lines.append(f"{name:<12}  {earned:<8}  {run.trained_on:>20.1%}  {run.held_out:>8.1%}  {run.seconds:>7.1f}")
    return _EXPERIMENT + "\n" + "\n".join(lines) + "\n" + _MORAL


def _digits(assignment: Assignment) -> tuple[Array, Array]:
    """Images (N, 784) from 0 to 1 and their labels (N,)."""
    with np.load(str(assignment.data), allow_pickle=False) as data:
        return data["images"].reshape(-1, 784) / 255, data["labels"].astype(np.int64)


def _train(assignment: Assignment, sandbox: Sandbox, submission: Path, images: Array, labels: Array) -> _Trained:
    """Train with the submission's own `train`, in a process of its own; the accuracies are computed here."""
    rng = np.random.default_rng(0)
    params = {
        "W1": rng.normal(size=(784, 200)),
        "b1": np.zeros(200),
        "W2": rng.normal(size=(200, 10)),
        "b2": np.zeros(10),
    }
    source = assignment.with_course_code(read_submission(submission, assignment).source)
    child = ChildProcess(source, sandbox=sandbox, seconds_to_load=60, total_seconds=600, memory_bytes=4 << 30)
    clock = time.perf_counter()
    try:
        for _ in range(_STEPS // _STEPS_A_CALL):
            args = (params, images[:_IMAGES], labels[:_IMAGES], 0.001, 100, _STEPS_A_CALL)
            outcome = child.call(Call(function="train", args=args, seconds=120, max_bytes=16 << 20))
            if not isinstance(outcome, Returned):
                raise MachineError(f"the training did not come back: {outcome}")
            params, _ = outcome.value
    finally:
        child.close()
    right = (
        np.argmax(np.maximum(images @ params["W1"] + params["b1"], 0) @ params["W2"] + params["b2"], axis=1) == labels
    )
    return _Trained(
        trained_on=float(right[:_IMAGES].mean()),
        held_out=float(right[_IMAGES:].mean()),
        seconds=time.perf_counter() - clock,
    )
