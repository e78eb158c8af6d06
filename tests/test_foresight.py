"""What is foreseen changes the time alone: outcomes and output are those of one call after the other, come what may."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.assignment import Assignment
from grader.calls import Call, Kept, Outcome, Raised, Returned, Source
from grader.grading import grade
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.sandbox import process
from grader.sandbox.foresight import Script, is_same
from grader.sandbox.pool import Sandbox
from grader.sandbox.process import ChildProcess
from grader.submission import Submission
from grader.topics import find_manifest

BACK = "def b(d, c):\n    return d + 10 * c\n"
SOURCES = {
    "pure": "def f(x):\n    return x + 1, x\n" + BACK,
    "remembers": "SEEN = []\ndef f(x):\n    SEEN.append(x)\n    return x + len(SEEN), x\n" + BACK,
    "draws": "import numpy as np\ndef f(x):\n    return x + np.random.rand(), x\n" + BACK,
    "prints": "def f(x):\n    print(x)\n    return x, x\n" + BACK,
    "prints far too much": "def f(x):\n    print('x' * 50)\n    return x, x\n" + BACK,
    "raises": "def f(x):\n    if x[0] > 1:\n        raise ValueError('no')\n    return x, x\n" + BACK,
    "no pair": "def f(x):\n    return (x, x) if x[0] < 2 else x\n" + BACK,
    "ends": "import os\ndef f(x):\n    if x[0] == 2:\n        os._exit(3)\n    return x, x\n" + BACK,
    "crashes": "def f(x):\n    g = lambda: g()\n    return (g() if x[0] == 2 else x), x\n" + BACK,
    "a class": "class C:\n    n = 0\ndef f(x):\n    C.n += 1\n    return x + C.n, x\n" + BACK,
}


def forward(number: int, slot: int) -> Call:
    return Call(function="f", args=(np.full(2, float(number)),), keep=slot)


def backward(number: int, slot: int) -> Call:
    return Call(function="b", args=(np.full(2, float(number)), Kept(slot)))


def told(outcome: Outcome) -> object:
    match outcome:
        case Returned():
            return np.asarray(outcome.value).tolist(), outcome.changed, outcome.changed_earlier
        case Raised():
            return outcome.kind, outcome.message, outcome.traceback
        case _:
            return outcome


def asked(
    place: Sandbox, text: str, checks: Sequence[Sequence[Call]], scripts: Sequence[Script | None]
) -> tuple[list[object], ChildProcess]:
    """What comes of some checks, each with what is foreseen of it."""
    child = ChildProcess(Source(entry="s.py", files={"s.py": text.encode()}), sandbox=place, output_bytes=100)
    found: list[object] = []
    for number, (calls, script) in enumerate(zip(checks, scripts, strict=True)):
        if number == 2:
            child.fresh()
        child.foresee(script)
        for call in calls:
            found += [told(child.call(call)), child.overflowed]
        found.append(len(child.asked) == len(calls) and all(map(is_same, child.asked, calls)))
    found += [child.output(), child.overflowed]
    child.close()
    return found, child


CALLS = st.builds(
    lambda back, number, slot: (backward if back else forward)(number, slot),
    st.booleans(),
    st.integers(0, 3),
    st.integers(1, 3),
)
CHECK = st.lists(CALLS, max_size=8)


@pytest.mark.parametrize("name", SOURCES)
@settings(max_examples=12)
@given(data=st.data())
def test_with_a_script_or_without_it_all_is_the_same(sandbox: Sandbox, name: str, data: st.DataObject) -> None:
    """Scripts that are right, that go on too long, that end too early, that go another way, and none."""
    checks = data.draw(st.lists(CHECK, min_size=3, max_size=3))
    scripts = []
    for calls in checks:
        same = data.draw(st.integers(0, len(calls)))
        whole = [*calls[:same], *data.draw(CHECK)]
        scripts.append(Script(whole) if whole else None)
    without, _ = asked(sandbox, SOURCES[name], checks, [None] * 3)
    foreseen, _ = asked(sandbox, SOURCES[name], checks, scripts)
    assert foreseen == without


def test_a_cache_is_there_where_the_judge_goes_another_way(sandbox: Sandbox) -> None:
    """Its slot was used in an earlier check, and by what was foreseen."""
    checks = [[forward(1, 1), backward(1, 1)], [forward(2, 1), backward(3, 1)]]
    scripts = [Script(checks[0]), Script([forward(2, 1), backward(2, 1), forward(1, 1)])]
    found, child = asked(sandbox, SOURCES["pure"], checks, scripts)
    assert found[5:10:2] == [([3.0, 3.0], (), ()), ([23.0, 23.0], (), ()), True]
    assert child.started == 1


@pytest.mark.parametrize(("name", "exchanges"), [("pure", 2), ("remembers", 2), ("a class", 7), ("prints", 7)])
def test_a_check_is_one_exchange_where_it_was_foreseen(
    sandbox: Sandbox, name: str, exchanges: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [call for slot in (1, 2, 3) for call in (forward(slot, slot), backward(slot, slot))]
    count: list[int] = []
    send = process._Channel.send
    monkeypatch.setattr(process._Channel, "send", lambda self, pieces: (count.append(1), send(self, pieces))[1])
    asked(sandbox, SOURCES[name], [calls], [Script(calls)])
    assert len(count) == exchanges


def test_one_that_sleeps_is_asked_by_itself_and_given_its_time(sandbox: Sandbox) -> None:
    text = "import time\ndef f(x):\n    time.sleep(0.6)\n    return x, x\n"
    calls = [forward(1, 1), forward(2, 2)]
    found, child = asked(sandbox, text, [calls], [Script(calls)])
    assert [found[0], found[2]] == [([1.0, 1.0], (), ()), ([2.0, 2.0], (), ())]
    assert child.started == 1


def test_what_is_the_same_bit_by_bit() -> None:
    def call(*args: object) -> Call:
        return Call(function="f", args=args)

    x = np.arange(3.0)
    assert is_same(call(x, {"a": [1, (2.0, None)]}), call(x.copy(), {"a": [1, (2.0, None)]}))
    assert is_same(call(np.nan, Kept(1)), call(np.nan, Kept(1)))
    for other in (x.astype(np.float32), x[:2], x.reshape(3, 1), -0.0 * x, list(x), None, np.where(x > 0, x, -0.0)):
        assert not is_same(call(x), call(other))
    for one, other in ((0.0, -0.0), (1, 1.0), (1, True), ((1,), [1]), ({"a": 1}, {"b": 1}), (Kept(1), Kept(2))):
        assert not is_same(call(one), call(other))
    assert not is_same(Call(function="f", args=(), keep=1), call())
    assert not is_same(Call(function="f", args=(), watch=True), call())


@pytest.fixture(scope="module")
def mlp() -> Assignment:
    return load_assignment(find_manifest("mlp"))


def test_the_worked_solution_takes_one_process_and_some_tens_of_exchanges(
    mlp: Assignment, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mlp.solution is not None
    source = Source(entry="mlp.py", files={"mlp.py": mlp.solution.read_bytes()})
    submission = Submission(name="s", path="mlp.py", source=source, notes=())
    count: list[int] = []
    send = process._Channel.send
    monkeypatch.setattr(process._Channel, "send", lambda self, pieces: (count.append(1), send(self, pieces))[1])
    oracle, counts, started = Oracle(mlp), [], []
    for _ in range(2):
        count.clear()
        child = ChildProcess(source, sandbox=sandbox, total_seconds=120)
        report = grade(mlp, submission, evaluator=child, oracle=oracle)
        assert report.score.earned == 40
        counts.append(len(count))
        started.append(child.started)
    assert started == [1, 1]
    assert counts[0] > 300 > 80 >= counts[1]
