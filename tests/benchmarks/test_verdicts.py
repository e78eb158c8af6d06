"""How often the verdict is wrong: right submissions under many private seeds, wrong ones beside them.

    python -m pytest tests/benchmarks/test_verdicts.py -m benchmark -s

Every right but odd submission of the corpus, and the worked solution, is graded under SEEDS private seeds, and every
wrong one that needs no process of its own under a few. The bound is the rule of three: with no failure in n checks,
the rate lies below 3 / n with 95 % confidence.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np

from grader.assignment import Assignment
from grader.authoring.corpus import Slip, compose, differences, read_slips
from grader.grading import grade
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.report.model import Report
from grader.sandbox.inprocess import InProcess
from grader.submission import Submission, read_submission
from grader.topics import find_manifest

SEEDS = 20
SEEDS_WRONG = 3
OWN_PROCESS = ("run_", "load_", "sgd_never_ends")
"""Submissions that end or hang the process they run in; tests/test_corpus.py grades them."""


def submissions(assignment: Assignment, slips: list[Slip], folder: Path) -> list[tuple[Slip, Submission]]:
    return [(slip, read_submission(compose(slip, assignment, folder), assignment)) for slip in slips]


def graded(assignment: Assignment, submission: Submission, oracle: Oracle, seed: int) -> Report:
    np.random.seed(seed)  # for the submissions that draw numbers
    with contextlib.redirect_stdout(io.StringIO()):
        return grade(assignment, submission, evaluator=InProcess(submission.source), oracle=oracle, hidden_seed=seed)


def test_verdicts(tmp_path: Path) -> None:
    assignment = load_assignment(find_manifest("mlp"))
    slips = [slip for slip in read_slips("mlp") if not slip.name.startswith(OWN_PROCESS)]
    right = submissions(assignment, [slip for slip in slips if not slip.fails], tmp_path)
    wrong = submissions(assignment, [slip for slip in slips if slip.fails], tmp_path)
    checks = failed = caught = missed = 0
    for seed in range(1, SEEDS + 1):
        oracle = Oracle(assignment)
        for slip, submission in right:
            report = graded(assignment, submission, oracle, seed)
            made = [check for exercise in report.exercises for part in exercise.parts for check in part.checks]
            checks += len(made)
            failed += sum(check.verdict != "passed" for check in made)
            if report.score.earned != report.score.possible:
                print(f"right and not passed: {slip.name}, seed {seed}")
        for slip, submission in wrong if seed <= SEEDS_WRONG else ():
            report = graded(assignment, submission, oracle, seed)
            unseen = [line for line in differences(report, slip) if line.startswith("earns its points")]
            missed += len(unseen)
            caught += len(slip.fails) - len(unseen)
            if unseen:
                print(f"wrong and passed: {slip.name}, seed {seed}: {unseen}")
    print(f"\nchecks of right code: {checks}, not passed: {failed} (below {3 / checks:.1e} with 95 % confidence)")
    print(f"parts of wrong code that must fail: {caught + missed}, passed: {missed}")
    assert failed == 0
    assert missed == 0
