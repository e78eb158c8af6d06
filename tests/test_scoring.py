"""Points: exact, never more than possible, never lost by anybody else's fault."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.assignment import CaseSpec, Part
from grader.calls import Profile
from grader.findings import Check, Fault, Status, Verdict
from grader.scoring import PartScore, score_part, worst
from grader.settings import Precision, Setting

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


Outcome: TypeAlias = tuple[Status, Fault | None, str]
TORCH, CUDA = Setting(Profile.TORCH), Setting(Profile.CUDA, Precision.FLOAT32)
PORTABLE = replace(PART, also_on=((TORCH, Fraction("0.1")), (CUDA, Fraction("0.05"))))
OUTCOMES: list[Outcome] = [
    (Status.PASSED, None, "1"),
    (Status.FAILED, Fault.STUDENT, "0"),
    (Status.FAILED, Fault.STUDENT, "0.5"),
]
OUTCOMES += [(Status.UNDECIDED, Fault.COURSE, "0"), (Status.PENDING, None, "0")]


def checks_of(outcomes: dict[Setting | None, list[Outcome]]) -> list[Check]:
    return [
        replace(check(name, *outcome), setting=setting)
        for setting, every in outcomes.items()
        for name, outcome in zip(NAMES, every, strict=True)
    ]


FOUR = st.lists(st.sampled_from(OUTCOMES), min_size=4, max_size=4)


@given(st.fixed_dictionaries({None: FOUR, TORCH: FOUR, CUDA: FOUR}))
def test_each_setting_is_worth_its_share_and_no_more(
    outcomes: dict[Setting | None, list[Outcome]],
) -> None:
    """What becomes of a setting's share is what would become of the whole part, were it asked there alone."""
    scored = score_part(PORTABLE, checks_of(outcomes))
    shares = {None: Fraction("0.85"), TORCH: Fraction("0.1"), CUDA: Fraction("0.05")}
    alone = {key: score_part(PART, checks_of({None: every})) for key, every in outcomes.items()}
    for what in ("earned", "undecided", "pending"):
        assert getattr(scored, what) == sum(shares[key] * getattr(each, what) for key, each in alone.items())
    assert scored.verdict is worst(each.verdict for each in alone.values())
    assert scored.earned + scored.undecided + scored.pending <= PORTABLE.points


@given(st.sampled_from(OUTCOMES[:3]), st.lists(st.sampled_from(OUTCOMES[:3]), min_size=4, max_size=4))
def test_what_is_pending_is_what_can_still_come(main: Outcome, settled: list[Outcome]) -> None:
    """Settling what is pending takes nothing that was earned, and gives at most what was pending."""
    known = {None: [main] * 4, TORCH: [OUTCOMES[0]] * 4}
    before = score_part(PORTABLE, checks_of({**known, CUDA: [OUTCOMES[-1]] * 4}))
    after = score_part(PORTABLE, checks_of({**known, CUDA: settled}))
    assert before.pending == PORTABLE.points * Fraction("0.05")
    assert 0 <= after.earned - before.earned <= before.pending
    assert not after.pending


def test_a_setting_that_was_not_asked_is_undecided() -> None:
    scored = score_part(PORTABLE, [passed(name) for name in NAMES])
    assert (scored.earned, scored.undecided) == (Fraction("2.125"), Fraction("0.375"))


def test_over_full_scores_can_not_be_built() -> None:
    with pytest.raises(ValueError, match="of 5/2 points"):
        PartScore(part=PART, verdict=Verdict.PASSED, earned=Fraction(3), undecided=Fraction(0))
