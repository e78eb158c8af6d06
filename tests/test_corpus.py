"""The corpus as messages: what a student is told. That each is judged as expected is in test_class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from grader.assignment import Assignment
from grader.authoring.corpus import compose, read_slip, read_slips
from grader.calls import Source
from grader.grading import grade, grade_path
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.report.console import render
from grader.report.model import Report
from grader.sandbox.inprocess import InProcess
from grader.sandbox.pool import Sandbox
from grader.submission import Submission
from grader.topics import find_manifest, submissions_folder

SLIPS = read_slips("mlp")


@pytest.fixture(scope="session")
def mlp() -> Assignment:
    assignment = load_assignment(find_manifest("mlp"))
    return replace(assignment, limits=msgspec.structs.replace(assignment.limits, call_seconds=2.0))


@pytest.fixture(scope="session")
def oracle(mlp: Assignment) -> Oracle:
    return Oracle(mlp)


def test_the_corpus_is_as_large_as_promised() -> None:
    wrong = [slip for slip in SLIPS if slip.fails]
    assert len(wrong) >= 40
    assert len(SLIPS) - len(wrong) >= 8
    assert all(slip.expects for slip in wrong)


MESSAGES = (
    "affine_all_mean",
    "affine_central_differences",
    "affine_db_not_summed",
    "affine_scaled_both_ways",
    "affine_shared_cache",
    "affine_weight_decay",
    "load_helper_does_not_parse",
    "load_syntax_error",
    "network_b1_missing",
    "relu_mask_missing",
    "relu_one_sided_difference",
    "right_cache_used_once",
    "run_os_exit",
    "sgd_ascends",
    "softmax_no_minus_one",
    "softmax_not_stable",
    "softmax_sum",
    "train_drops_last_rows",
    "train_loss_after_update",
)


def told(name: str, mlp: Assignment, oracle: Oracle, sandbox: Sandbox, folder: Path) -> Report:
    return grade_path(
        mlp, compose(read_slip(submissions_folder() / "mlp" / name), mlp, folder), oracle=oracle, sandbox=sandbox
    )


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_reads_as_its_golden_file(
    name: str, mlp: Assignment, oracle: Oracle, sandbox: Sandbox, tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    golden(f"messages/{name}.txt", render(told(name, mlp, oracle, sandbox, tmp_path)) + "\n")


def test_the_golden_messages_say_what_the_issue_asks(
    mlp: Assignment, oracle: Oracle, sandbox: Sandbox, tmp_path: Path
) -> None:
    averaged = render(told("affine_all_mean", mlp, oracle, sandbox, tmp_path))
    assert "pattern  every element is 1/3 of the expected one, and N = 3" in averaged
    assert "the 1/N belongs to the loss and is already inside dout" in averaged
    unreduced = render(told("affine_db_not_summed", mlp, oracle, sandbox, tmp_path))
    assert "sum dout over axis 0 (N)" in unreduced


def test_both_evaluators_give_the_worked_solution_every_point(
    mlp: Assignment, oracle: Oracle, sandbox: Sandbox
) -> None:
    assert mlp.solution is not None
    source = Source(entry="mlp.py", files={"mlp.py": mlp.solution.read_bytes()})
    submission = Submission(name="s", path="mlp.py", source=source, notes=())
    for evaluator in (None, InProcess(source)):
        report = grade(mlp, submission, evaluator=evaluator, oracle=oracle, sandbox=sandbox)
        assert (report.score.earned, report.score.verdict) == (40, "passed")


@pytest.mark.parametrize("seed", range(5))
def test_the_worked_solution_passes_whatever_the_hidden_seed(
    mlp: Assignment, oracle: Oracle, sandbox: Sandbox, seed: int
) -> None:
    assert mlp.solution is not None
    report = grade_path(mlp, mlp.solution, hidden_seed=seed, oracle=oracle, sandbox=sandbox)
    assert (report.score.earned, report.score.verdict) == (40, "passed")


def test_the_untouched_stub_earns_nothing(mlp: Assignment, oracle: Oracle, sandbox: Sandbox) -> None:
    report = grade_path(mlp, mlp.manifest.parent / mlp.file, oracle=oracle, sandbox=sandbox)
    assert (report.score.earned, report.score.undecided, report.score.verdict) == (0, 0, "failed")
