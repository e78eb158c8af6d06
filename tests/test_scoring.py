"""Points: exact, never more than possible, never lost by anybody else's fault."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.assignment import CaseSpec, Part
from grader.findings import Check, Fault, Status, Verdict
from grader.scoring import PartScore, score_part

NAMES = ("a", "b", "c", "d")
PART = Part(
    exercise="e",
    name="p",
    points=Fraction("2.5"),
    checks=tuple((CaseSpec(name=name, sizes={}, draw={}, arguments={}), "value") for name in NAMES),
)


def check(case: str, status: Status, fault: Fault | None, credit: str = "0") -> Check:
    return Check(
        exercise="e",
        part="p",
        aspect="value",
        case=case,
        hidden=False,
        status=status,
        fault=fault,
        credit=Fraction(1) if status is Status.PASSED else Fraction(credit),
    )


def passed(case: str) -> Check:
    return check(case, Status.PASSED, None)


STUDENT = [(Status.FAILED, Fault.STUDENT), (Status.TIMED_OUT, Fault.STUDENT), (Status.KILLED, Fault.STUDENT)]
OTHERS = [(Status.UNDECIDED, Fault.COURSE), (Status.UNDECIDED, Fault.MACHINE), (Status.NOT_RUN, Fault.MACHINE)]


@pytest.mark.parametrize(
    ("checks", "verdict", "earned", "undecided"),
    [
        ([passed(n) for n in NAMES], Verdict.PASSED, "2.5", "0"),
        ([], Verdict.UNDECIDED, "0", "2.5"),
        ([passed("a"), passed("b"), passed("c")], Verdict.UNDECIDED, "0", "2.5"),
        ([*map(passed, "abc"), check("d", Status.FAILED, Fault.STUDENT)], Verdict.FAILED, "0", "0"),
        ([*map(passed, "abc"), check("d", Status.FAILED, Fault.STUDENT, "0.5")], Verdict.FAILED, "1.25", "0"),
        ([*map(passed, "abc"), check("d", Status.UNDECIDED, Fault.COURSE)], Verdict.UNDECIDED, "0", "2.5"),
        (
            [
                *map(passed, "ab"),
                check("c", Status.UNDECIDED, Fault.MACHINE),
                check("d", Status.FAILED, Fault.STUDENT, "0.5"),
            ],
            Verdict.FAILED,
            "0",
            "1.25",
        ),
    ],
)
def test_a_part_is_scored(checks: list[Check], verdict: Verdict, earned: str, undecided: str) -> None:
    scored = score_part(PART, checks)
    assert (scored.verdict, scored.earned, scored.undecided) == (verdict, Fraction(earned), Fraction(undecided))


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.just((Status.PASSED, None, "1")),
            st.tuples(st.sampled_from(STUDENT), st.sampled_from(["0", "0.5", "1"])).map(lambda t: (*t[0], t[1])),
            st.tuples(st.sampled_from(OTHERS), st.just("0")).map(lambda t: (*t[0], t[1])),
        ),
        min_size=len(NAMES),
        max_size=len(NAMES),
    )
)
def test_nobody_else_s_fault_costs_a_point(outcomes: list[tuple[Status, Fault | None, str] | None]) -> None:
    checks = [check(name, *outcome) for name, outcome in zip(NAMES, outcomes, strict=True) if outcome]
    scored = score_part(PART, checks)
    blameless = [c if c.fault is Fault.STUDENT else passed(c.case) for c in checks]
    blameless += [passed(name) for name, outcome in zip(NAMES, outcomes, strict=True) if outcome is None]
    best = score_part(PART, blameless)
    assert scored.earned + scored.undecided == best.earned
    assert 0 <= scored.earned + scored.undecided <= PART.points


def test_over_full_scores_can_not_be_built() -> None:
    with pytest.raises(ValueError, match="of 5/2 points"):
        PartScore(part=PART, verdict=Verdict.PASSED, earned=Fraction(3), undecided=Fraction(0))
