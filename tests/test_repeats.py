"""The same call twice: on a GPU sums have no order, and there alone results may differ, by the tolerance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from courses import HEAD, make_course
from test_settings import LAYER, RIGHT, submission_of

from grader.calls import Answering, Call, Evaluator, Isolation, LoadOutcome, Outcome, Profile, Returned
from grader.findings import Check, FindingCode, Verdict
from grader.grading import Session
from grader.numerics.contract import Repeats
from grader.numerics.evidence import GradientFault
from grader.numerics.gradcheck import check_gradients
from grader.numerics.trees import map_leaves
from grader.reference import Oracle
from grader.sandbox.inprocess import InProcess

ALSO = '[also_on]\n"torch" = 0.1\n"torch float32" = 0.1\n"cuda" = 0.1\n"cuda float32" = 0.1\n'

REMEMBERS = RIGHT.replace("def b(", "calls = []\ndef b(").replace(
    "d = dout *", "calls.append(1)\n    d = (1 + 2e-3 * (len(calls) % 5) * ON) * dout *"
)
"""What a call gives depends on how many there were before, by far more than rounding; where ON is 0 it does not."""
SHARES = RIGHT.replace("return out, (x, w, out)", "LAST['x'] = x\n    return out, (x, w, out)").replace(
    "x, w, out = cache", "x, w, out = cache\n    x = LAST['x'] if ON else x"
)
ADDS_UP = RIGHT.replace(
    "return d @ w.T, x.T @ d",
    "SUM[w.shape] = SUM.get(w.shape, 0) * ON + x.T @ d\n    return d @ w.T, SUM[w.shape]",
)
SWITCHED_OFF = "LAST, SUM, ON = {}, {}, 0\n"
"""In float64 with NumPy, the main setting, all of these are right, so that the further ones are asked."""
SWITCHED_ON = "LAST, SUM, ON = {}, {}, 1\n"


@dataclass(slots=True, eq=False)
class Unsteady:
    """An evaluator whose every other result is off by one unit in its last place, as another order of sums makes it."""

    inner: Evaluator
    odd: bool = False

    @property
    def isolation(self) -> Isolation:
        return self.inner.isolation

    @property
    def overflowed(self) -> bool:
        return False

    def load(self) -> LoadOutcome:
        return self.inner.load()

    def call(self, call: Call) -> Outcome:
        outcome = self.inner.call(call)
        self.odd = not self.odd
        if not self.odd or not isinstance(outcome, Returned):
            return outcome
        return replace(outcome, value=map_leaves(lambda leaf: np.nextafter(leaf, leaf.dtype.type(9)), outcome.value))

    def calls(self, calls: Sequence[Call]) -> Iterator[Outcome]:
        return map(self.call, calls)

    def fresh(self) -> None:
        self.inner.fresh()

    def answering(self, answers: Answering) -> Evaluator:
        return self.inner.answering(answers)

    def close(self) -> None:
        self.inner.close()


def further(folder: Path, text: str, *, unsteady: bool) -> dict[str, list[Check]]:
    """The backward's checks by setting; what a GPU would compute, torch computes here."""
    course = make_course(folder, *LAYER, head=HEAD + ALSO)

    def place(profile: Profile) -> Evaluator:
        inner = InProcess(submission_of(SWITCHED_ON + text).source, Profile.TORCH)
        return Unsteady(inner) if unsteady else inner

    main = InProcess(submission_of(SWITCHED_OFF + text).source)
    session = Session(course, main, Oracle(course), elsewhere=place, missing=lambda profile: "")
    exercise = course.exercises[0]
    outcomes = {part.name: session.part(exercise, part) for part in exercise.parts}
    found: dict[str, list[Check]] = {}
    for check in outcomes["backward"].checks:
        found.setdefault(str(check.setting or "main"), []).append(check)
    assert {check.verdict for check in found["main"]} == {Verdict.PASSED}
    return found


def told(checks: Sequence[Check]) -> set[FindingCode]:
    return {finding.code for check in checks for finding in check.findings}


def test_another_order_of_sums_is_right_on_a_gpu_and_nowhere_else(tmp_path: Path) -> None:
    found = further(tmp_path, RIGHT, unsteady=True)
    assert not told(found["cuda float32"]) | told(found["cuda"])
    assert told(found["torch float32"]) == {FindingCode.NONDETERMINISTIC}
    assert not told(found["torch"])  # a unit in float64's last place is what any code may round


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (REMEMBERS, FindingCode.NONDETERMINISTIC),
        (SHARES, FindingCode.CACHE_SHARED),
        (ADDS_UP, FindingCode.ACCUMULATES),
    ],
    ids=["remembers", "shares", "adds up"],
)
@pytest.mark.parametrize("unsteady", [False, True], ids=["steady", "unsteady"])
def test_what_depends_on_history_is_wrong_everywhere(
    tmp_path: Path, text: str, code: FindingCode, unsteady: bool
) -> None:
    found = further(tmp_path, text, unsteady=unsteady)
    assert told(found["cuda"]) == told(found["cuda float32"]) == told(found["torch"]) == {code}
    if not unsteady:
        assert told(found["torch float32"]) == {code}
    likely = {finding.likely for check in found["cuda float32"] for finding in check.findings}
    if code is FindingCode.NONDETERMINISTIC:
        assert likely == {
            "a GPU may add up in another order each time, which changes no more than the tolerance: this is more"
        }


def test_without_room_results_are_the_same_to_float64s_rounding() -> None:
    noise = iter(np.resize([0.0, 1e-6], 1000))
    pair = (lambda x: (np.sin(x), x), lambda d, x: d * np.cos(x) * (1 + next(noise)))
    x = np.random.default_rng(0).normal(size=5)
    told = check_gradients(*pair, [x], seed=1, differences=False)
    assert [problem.code for problem in told.problems] == [GradientFault.NONDETERMINISTIC]
    room = Repeats(value=np.zeros(5), gradient=np.full(5, 2e-5))
    assert not check_gradients(*pair, [x], seed=1, differences=False, repeats=room).problems
    less = Repeats(value=np.zeros(5), gradient=np.array([2e-5, 2e-5, 2e-5, 2e-5, 1e-12]))
    assert check_gradients(*pair, [x], seed=1, differences=False, repeats=less).problems
