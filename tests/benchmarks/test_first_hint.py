"""The first hint: how often it names the cause, and how often it is wrong. By topic and by kind of mistake.

    python -m pytest tests/benchmarks/test_first_hint.py -m benchmark -s

What is looked at is what a student reads first: the first finding of the first check that fails.

Corpus: every part that a wrong submission fails. Mutants: of odd right submissions of the corpus and of variants of the
worked solutions, so not the code that the judge's own catalogue (grader.checks.lookalikes) is made of. Damages: of what
the worked solutions return.

When does a finding name the cause? Where its code does (SPEAKING: what was raised, a shape, a numerical derivative), or
where it has a `likely`, or a pattern that says what the array is (EXACT). A name is wrong if

- of the corpus, the expected.toml has a hint for this finding, and it is not in the message;
- of a damage, the code of the diagnosis is not among those that are true of that damage (TRUE_OF);
- of a mutant, it is another than the mutation *and* is not borne out: with arrays drawn from other seeds, the same code
  is no longer told any of it. What is told under every seed is another name of the same function. This can't fault
  the rule of an engine's operation, which was held against numbers of its own before it was told.
"""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np

from grader.assignment import Assignment
from grader.authoring.corpus import compose, parts_of, read_slips
from grader.authoring.forks import Ended, in_forks
from grader.authoring.trying import (
    Version,
    damaged_versions,
    judged,
    mutated_versions,
    quietly,
    worked_solution,
)
from grader.authoring.variants import variants
from grader.calls import Source
from grader.checks.likeness import as_if
from grader.findings import Verdict
from grader.grading import Session, grade
from grader.manifest import load_assignment
from grader.mutants import Mutant, MutantKind
from grader.reference import Oracle
from grader.report.model import PartReport
from grader.sandbox.inprocess import InProcess
from grader.submission import read_submission
from grader.topics import assignment_names, find_manifest

MUTANTS = int(os.environ.get("GRADMARK_HINTS", "150"))
"""At most, of a topic."""
SEEDS = (11, 12, 13)
"""From which arrays are drawn to see whether a hint is borne out."""
NAMED, WRONG = 0.95, 0.005

SPEAKING = frozenset(
    (
        "WRONG_SHAPE", "WRONG_DTYPE", "WRONG_STRUCTURE", "WRONG_DEVICE", "GRADIENT_FOLLOWS_FORWARD", "ACCUMULATES",
        "CACHE_SHARED", "NONDETERMINISTIC", "NUMERICAL_DERIVATIVE", "WRONG_RATE", "SHARED_MASK", "SAME_MASK",
        "NOT_WRITTEN", "MISSING_FUNCTION", "DOES_NOT_LOAD", "RAISED", "TIMED_OUT", "KILLED", "TIME_USED_UP",
        "OUT_OF_MEMORY", "MALFORMED", "MUTATES_ARGUMENT", "SUBMISSION_UNREADABLE", "FAILS_ALREADY", "NOT_RUN",
    )
)  # fmt: skip
"""Codes whose headline is the cause."""
EXACT = frozenset(("ALL_ZERO", "SIGN", "FACTOR", "TRANSPOSED", "SWAPPED", "FLOAT32", "FORMULA"))
"""Diagnoses whose pattern says what was done, where no cause is known beside."""
PLAIN = frozenset(("ALL_ZERO", "RULE"))
"""What is plain to see, and what was held against numbers of its own."""
TRUE_OF = {
    "zero": {"ALL_ZERO"},
    "sign": {"SIGN"},
    "doubled": {"FACTOR"},
    "off by 1e-3": {"FACTOR"},
    "off by 1e-6": {"FACTOR", "FLOAT32"},
    "one element": {"LOCAL"},
    "one row zero": {"TERMS_DROPPED", "LOCAL", "ALL_ZERO", "FACTOR_PER_SLICE", "MASK_MISSING"},
    "transposed": {"TRANSPOSED", "SHIFTED", "FLIPPED", "PERMUTED"},
    "swapped": {"SWAPPED"},
    "noise 1e-5": set(),
    "float32": {"FLOAT32"},
    "one tensor": {"SIGN"},
    "adds to the first": {"CONSTANT", "MISSING_TERM"},
}
"""What may be said of a damage, by code of the diagnosis; of noise nothing. UNKNOWN is no claim."""


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """What a student reads first."""

    code: str
    diagnosis: str
    text: str
    likely: str

    @property
    def names(self) -> bool:
        """Whether it names a cause."""
        return self.code in SPEAKING or bool(self.likely) or self.diagnosis in EXACT


@dataclass(slots=True, kw_only=True)
class Tally:
    """Of one topic or kind."""

    named: int = 0
    unnamed: int = 0
    wrong: int = 0

    def line(self, name: str) -> str:
        every = (self.named + self.unnamed + self.wrong) or 1
        shares = [f"{100 * n / every:6.1f} %" for n in (self.named, self.unnamed, self.wrong)]
        numbers = f"{self.named:7} {self.unnamed:8} {self.wrong:6}"
        return f"{name:<28} {numbers}   {' '.join(shares)}"


@dataclass(slots=True, kw_only=True)
class Table:
    """By whatever is counted."""

    rows: dict[str, Tally] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def add(self, name: str, verdict: str, line: str = "") -> None:
        row = self.rows.setdefault(name, Tally())
        setattr(row, verdict, getattr(row, verdict) + 1)
        if verdict != "named":
            self.told.append(f"{verdict}: {line}")

    @property
    def total(self) -> Tally:
        rows = self.rows.values()
        named, unnamed, wrong = (sum(getattr(r, n) for r in rows) for n in ("named", "unnamed", "wrong"))
        return Tally(named=named, unnamed=unnamed, wrong=wrong)

    def show(self, title: str) -> None:
        print(f"\n{title:<28} {'named':>7} {'unnamed':>8} {'wrong':>6}")
        for name, row in self.rows.items():
            print(row.line(name))
        print(self.total.line("all"))


def hints(assignment: Assignment, oracle: Oracle, version: Version) -> Iterator[Hint]:
    """Of each check that fails."""
    session = Session(assignment, version.evaluator(), oracle)
    np.random.seed(0)
    with quietly():
        warnings.simplefilter("ignore")
        for name in version.exercises:
            for check in judged(session, assignment.exercise(name)):
                if check.verdict is Verdict.FAILED:
                    told = check.findings[0]
                    where = f"{check.exercise}/{check.aspect}/{check.case}"
                    text = f"{where}: {told.headline} | {told.pattern} | {told.likely}"
                    yield Hint(code=told.code.name, diagnosis=told.diagnosis, text=text, likely=told.likely)


def first_hint(assignment: Assignment, oracle: Oracle, version: Version) -> Hint | None:
    """Of the first check that fails; None if none does."""
    return next(hints(assignment, oracle, version), None)


def first_hints(
    assignment: Assignment, oracle: Oracle, versions: Sequence[Version]
) -> Iterator[tuple[Version, Hint | None]]:
    def work(number: int) -> bytes:
        return msgspec.json.encode(first_hint(assignment, oracle, versions[number]))

    for number, answer in in_forks(work, len(versions), seconds=60.0, workers=2):
        if isinstance(answer, Ended):
            code = "TIMED_OUT" if answer.endless else "KILLED"
            yield versions[number], Hint(code=code, diagnosis="", text="it ended its process", likely="")
        else:
            yield versions[number], msgspec.json.decode(answer, type=Hint | None)


def held_out(assignment: Assignment, folder: Path) -> list[Version]:
    """Mutants of right code that the judge's catalogue was not made of."""
    solution, chance = worked_solution(assignment), random.Random(1)
    bases: list[tuple[Source, str | None]] = []
    for slip in read_slips(assignment.name):
        if not slip.fails:
            source = assignment.with_course_code(read_submission(compose(slip, assignment, folder), assignment).source)
            if len(source.files) == 1:
                bases.append((source, None))
    bases = chance.sample(bases, min(len(bases), max(1, MUTANTS // 10)))
    text = solution.files[assignment.file].decode()
    others = list(variants(text))
    for variant in chance.sample(others, min(len(others), MUTANTS // 4)):
        bases.append((replace(solution, files={assignment.file: variant.source.encode()}), variant.function))
    found: list[Version] = []
    for source, function in bases:
        every = mutated_versions(assignment, source)
        mine = [each for each in every if each.mutant is not None and function in (None, each.mutant.function)]
        found += chance.sample(mine, min(len(mine), 4 if function else 20))
    return chance.sample(found, min(len(found), MUTANTS))


def says(hint: Hint, mutant: Mutant) -> bool:
    """Whether it is the mutation that is told."""
    left_out = mutant.kind is MutantKind.UPSTREAM and hint.likely.startswith("dout is left out")
    return left_out or as_if(mutant) in hint.likely


def claims(hint: Hint) -> set[str]:
    """What it says, each by itself: of two slips with one result both are told, and other arrays tell them apart."""
    kind, _, what = hint.diagnosis.partition(" ")
    return {f"{kind} {name}" for name in what.split(" or ")}


def borne_out(version: Version, assignment: Assignment, hint: Hint) -> bool:
    """Whether other arrays tell the same, in one case or another."""

    def same(seed: int) -> bool:
        drawn = replace(assignment, seed=seed)
        return any(claims(other) & claims(hint) for other in hints(drawn, Oracle(drawn), version))

    def work(number: int) -> bytes:
        return msgspec.json.encode(same(SEEDS[number]))

    answers = [answer for _, answer in in_forks(work, len(SEEDS), seconds=60.0, workers=2)]
    return all(isinstance(answer, bytes) and msgspec.json.decode(answer) for answer in answers)


def of_mutants(name: str, folder: Path, topics: Table, kinds: Table, ways: Table) -> None:
    assignment = load_assignment(find_manifest(name))
    oracle = Oracle(assignment)
    for version, hint in list(first_hints(assignment, oracle, held_out(assignment, folder))):
        if hint is None:
            continue  # equivalent, or missed: tests/benchmarks/test_never_wrong.py
        verdict = "named" if hint.names else "unnamed"
        assert version.mutant is not None
        claimed = hint.code not in SPEAKING and hint.names and hint.diagnosis not in PLAIN
        if claimed and not says(hint, version.mutant) and not borne_out(version, assignment, hint):
            verdict = "wrong"
        line = f"{name}: {version.kind}: {version.words} -> {hint.code} {hint.diagnosis} {hint.text}"
        topics.add(name, verdict, line)
        kinds.add(version.kind, verdict, line)
        ways.add(hint.code if hint.code in SPEAKING else hint.diagnosis.partition(" ")[0], verdict, line)


def of_damages(name: str, topics: Table, kinds: Table) -> None:
    assignment = load_assignment(find_manifest(name))
    oracle = Oracle(assignment)
    versions = damaged_versions(assignment, worked_solution(assignment))
    for version, hint in first_hints(assignment, oracle, versions):
        damage = version.words.split(": ")[1].removesuffix(", in what it returns")
        if hint is None:
            continue
        verdict = "named" if hint.names else "unnamed"
        if hint.code not in SPEAKING and hint.names and hint.diagnosis.split(" ")[0] not in TRUE_OF[damage]:
            verdict = "wrong"
        line = f"{name}: {version.words} -> {hint.code} {hint.diagnosis} {hint.text}"
        topics.add(name, verdict, line)
        kinds.add(damage, verdict, line)


def of_corpus(name: str, folder: Path, table: Table) -> None:
    """Every failing part of every wrong submission."""
    assignment = load_assignment(find_manifest(name))
    oracle, slips = Oracle(assignment), [slip for slip in read_slips(name) if slip.fails]

    def work(number: int) -> bytes:
        submission = read_submission(compose(slips[number], assignment, folder), assignment)
        evaluator = InProcess(assignment.with_course_code(submission.source), assignment.profile)
        report = grade(assignment, submission, evaluator=evaluator, oracle=oracle)
        return msgspec.json.encode([(e.name, p.name, _first(p)) for e, p in parts_of(report) if p.earned < p.possible])

    for number, answer in in_forks(work, len(slips), seconds=20.0, workers=1):
        slip = slips[number]
        if isinstance(answer, Ended):
            table.add(name, "named")  # that it does not end, or ends its process
            continue
        for exercise, part, hint in msgspec.json.decode(answer, type=list[tuple[str, str, Hint | None]]):
            label = f"{exercise}/{part}"
            if hint is None:
                continue
            wanted = [e.hint for e in slip.expects if e.part == label and e.code == hint.code and e.hint]
            said = any(text in hint.text for text in wanted)
            verdict = "named" if hint.names or said else "unnamed"
            if hint.likely and wanted and not said:
                verdict = "wrong"
            table.add(name, verdict, f"{name}/{slip.name} {label}: {slip.title} -> {hint.diagnosis} {hint.text}")


def _first(part: PartReport) -> Hint | None:
    """The first finding of the first check that fails."""
    for check in part.checks:
        if check.verdict == "failed" and check.findings:
            told = check.findings[0]
            every = (told.headline, told.worst, told.pattern, told.likely, told.also, told.graph)
            return Hint(
                code=told.code,
                diagnosis=told.diagnosis or "",
                text=" | ".join(filter(None, every)),
                likely=told.likely or "",
            )
    return None


def topics() -> tuple[str, ...]:
    asked = os.environ.get("GRADMARK_TOPICS")
    return tuple(asked.split(",")) if asked else tuple(assignment_names())


def finish(title: str, *tables: Table, least: float = NAMED) -> None:
    for number, table in enumerate(tables):
        table.show(f"{title}, by {('topic', 'kind', 'what names it')[number]}")
    for line in tables[0].told:
        print(line)
    total = tables[0].total
    every = total.named + total.unnamed + total.wrong
    assert every
    assert total.wrong < max(1, WRONG * every)
    assert total.named >= least * every


def test_corpus(tmp_path: Path) -> None:
    table = Table()
    for name in topics():
        of_corpus(name, tmp_path / name, table)
        print(f"{name}: done", table.rows.get(name), *table.told, sep="\n", file=sys.stderr, flush=True)
        table.told.clear()
    finish("corpus", table)


def test_damages() -> None:
    table, kinds = Table(), Table()
    for name in topics():
        of_damages(name, table, kinds)
    finish("damages", table, kinds, least=0.0)  # noise and half an element are no mistakes that have a cause


def test_mutants(tmp_path: Path) -> None:
    table, kinds, ways = Table(), Table(), Table()
    for name in topics():
        of_mutants(name, tmp_path / name, table, kinds, ways)
        print(f"{name}: done", table.rows.get(name), *table.told, sep="\n", file=sys.stderr, flush=True)
        table.told.clear()
    finish("mutants", table, kinds, ways)
