"""Our gradient check over torch's own list of operations, beside torch.autograd.gradcheck on the same samples.

    python -m pytest tests/benchmarks/test_op_db.py -m benchmark -s

Right gradients come first: all operations with a float64 gradient, many samples, several seeds. Then the damages of
tests/gradient_layers.py to samples of each. What the two checkers and torch's gradients do not agree on is listed with
the reason, one by one; what is not in that list fails the benchmark. Needs expecttest, as torch's list does.

A damage may be too small to show: a pass says how likely it is to have missed an error of a given size. One that
passes though those odds were below 1 in 1000 counts as missed, any other one as "too small".
"""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import gradient_layers as corpus
from test_gradient_checkers import torch_gradcheck

from grader.numerics.gradcheck import GradientCheck, Outcome, check_gradients

SEEDS = (0, 1, 2)
SAMPLES = 10
"""Of each operation and seed, at most, with their right gradients; the first one with each damage, too."""
SLOW = 12
"""Inputs at most for torch's slow mode."""
ODDS = 1e-3

_JUMPS = "its labels are floats and compared with 1 and -1: the loss jumps beside them, so it has no derivative there"
_RANDOM = "a random draw counts as constant by torch's convention; with the same seed it moves with mean and std"
_DUPLICATES = "two inputs have one place in the output and the last one stays, yet torch gives the gradient to both"

EXPLAINED: dict[str, tuple[Outcome, str]] = {
    "as_strided_scatter": (
        Outcome.FAILED,
        "torch is wrong: dout goes where the input is overwritten, and nothing where it stays (op_db expects it)",
    ),
    "nn.functional.max_unpool1d": (Outcome.FAILED, _DUPLICATES),
    "nn.functional.max_unpool2d": (Outcome.FAILED, _DUPLICATES),
    "nn.functional.max_unpool3d": (Outcome.FAILED, _DUPLICATES),
    "nn.functional.hardsigmoid": (Outcome.FAILED, "torch multiplies by a 1/6 in float32: its gradient is off by 3e-8"),
    "normal": (Outcome.FAILED, _RANDOM),
    "normal.number_mean": (Outcome.FAILED, _RANDOM),
    "nn.functional.cosine_embedding_loss": (Outcome.INCONCLUSIVE, _JUMPS),
    "nn.functional.hinge_embedding_loss": (Outcome.INCONCLUSIVE, _JUMPS),
}
"""Operations whose gradient by torch is not found right, or not always, and why that is not our mistake."""


@dataclass(slots=True, kw_only=True)
class Row:
    """What one checker did."""

    right: int = 0
    accused: Counter[str] = field(default_factory=Counter)
    undecided: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    caught: int = 0
    open: Counter[str] = field(default_factory=Counter)
    """Damages on which it is undecided, by operation."""
    small: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    forwards: list[int] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)


def ours(layer: corpus.Layer, seed: int = 0) -> GradientCheck:
    """Our check; that it is wrong is enough to know, not where."""
    return check_gradients(layer.forward, layer.backward, layer.inputs, seed=seed, localise=False)


def _relative_error(layer: corpus.Layer, damaged: corpus.Layer) -> float:
    """Size of what a damage does, in the units in which a check gives its odds."""
    scale = np.concatenate([np.full(x.size, np.sqrt(np.mean(x**2)) or 1.0) for x in layer.inputs])
    out, cache = layer.forward(*layer.inputs)
    rng = np.random.default_rng(3)
    dout = (
        {key: rng.standard_normal(part.shape) for key, part in out.items()}
        if isinstance(out, dict)
        else rng.standard_normal(out.shape)
    )
    right, wrong = (
        scale * np.concatenate([np.ravel(each) for each in backward(dout, cache)])
        for backward in (layer.backward, damaged.backward)
    )
    return float(np.linalg.norm(right - wrong) / np.linalg.norm(right))


def _operation(layer: corpus.Layer) -> str:
    return layer.name.rpartition(" #")[0]


def _counted(layer: corpus.Layer) -> tuple[corpus.Layer, list[int]]:
    calls = [0]

    def forward(*inputs: Any) -> Any:
        calls[0] += 1
        return layer.forward(*inputs)

    return replace(layer, forward=forward), calls


def _seconds(call: Callable[[], Any]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


def _once(layer: corpus.Layer) -> None:
    out, cache = layer.forward(*layer.inputs)
    layer.backward({k: np.ones_like(v) for k, v in out.items()} if isinstance(out, dict) else np.ones_like(out), cache)


def _right(row: Row, layer: corpus.Layer, seed: int) -> None:
    result = ours(layer, seed)
    row.right += 1
    row.accused[_operation(layer)] += result.outcome is Outcome.FAILED
    row.undecided[_operation(layer)] += result.outcome is Outcome.INCONCLUSIVE
    if result.passed:
        row.forwards.append(result.forward_calls)


def _damages(row: Row, layer: corpus.Layer, damages: list[tuple[str, corpus.Layer]]) -> None:
    for name, damaged in damages:
        result = ours(damaged)
        row.wrong += 1
        row.caught += result.outcome is Outcome.FAILED
        row.open[_operation(layer)] += result.outcome is Outcome.INCONCLUSIVE
        if result.passed:
            error = _relative_error(layer, damaged)
            if result.odds_of_missing(error) >= ODDS:
                row.small[_operation(layer)] += 1
            else:
                row.missed.append(f"{layer.name}: {name}, {error:.1e} of the gradient")


def _torch(row: Row, layer: corpus.Layer, damages: list[tuple[str, corpus.Layer]], *, fast: bool) -> None:
    counted, calls = _counted(layer)
    row.right += 1
    try:
        accepted = torch_gradcheck(counted, 0, fast=fast)
    except Exception:  # it raises where it can't check, whatever it was told: a mixture of types, say
        row.undecided[_operation(layer)] += 1
        return
    row.accused[_operation(layer)] += not accepted
    if not accepted:
        return
    row.forwards.append(calls[0])
    row.ratios.append(
        _seconds(lambda: torch_gradcheck(layer, 0, fast=fast)) / max(_seconds(lambda: _once(layer)), 1e-6)
    )
    for _, damaged in damages:
        row.wrong += 1
        row.caught += not torch_gradcheck(damaged, 0, fast=fast)


def _lines(rows: dict[str, Row]) -> Iterator[str]:
    titles = f"{'right, called wrong':>20} {'undecided':>10} {'wrong, caught':>24} {'forwards':>9} {'time':>6}"
    yield f"{'checker':28} {titles}"
    for name, row in rows.items():
        accused = f"{sum(row.accused.values())}/{row.right}"
        caught = f"{row.caught}/{row.wrong} ({row.caught / row.wrong:.1%})"
        ratio = f"{np.median(row.ratios):,.0f}"
        undecided = sum(row.undecided.values())
        yield f"{name:28} {accused:>20} {undecided:>10} {caught:>24} {np.median(row.forwards):>9.0f} {ratio:>6}"


def _listed(title: str, counts: Counter[str]) -> str:
    found = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if count)
    return f"{title}: {found or 'none'}"


@dataclass(slots=True, kw_only=True)
class Measured:
    """What all checkers did, and which operations were looked at."""

    ours: Row = field(default_factory=Row)
    fast: Row = field(default_factory=Row)
    slow: Row = field(default_factory=Row)
    checked: set[str] = field(default_factory=set)
    skipped: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Operations by the reason for which a sample of theirs is not checked."""

    @property
    def right(self) -> int:
        """Gradients of torch that we found right."""
        return self.ours.right - sum(self.ours.accused.values()) - sum(self.ours.undecided.values())

    @property
    def unexplained(self) -> list[str]:
        """Operations that we called wrong, or were undecided about, without a reason in the list."""
        found = ((Outcome.FAILED, self.ours.accused), (Outcome.INCONCLUSIVE, self.ours.undecided))
        return [
            f"{name}: {outcome.value}"
            for outcome, counts in found
            for name, count in counts.items()
            if count and (name not in EXPLAINED or EXPLAINED[name][0] is not outcome)
        ]


def _measure() -> Measured:
    import torch_ops

    measured = Measured()
    for operation in torch_ops.operations():
        for seed in SEEDS:
            for layer in torch_ops.layers(operation, seed, SAMPLES):
                if isinstance(layer, torch_ops.Skipped):
                    measured.skipped[layer.value].add(operation.name)
                    continue
                _right(measured.ours, layer, seed)
                if operation.name not in measured.checked and operation.name not in EXPLAINED:
                    _beside_torch(measured, layer)
                measured.checked.add(operation.name)
    return measured


def _beside_torch(measured: Measured, layer: corpus.Layer) -> None:
    damages = list(corpus.wrong_pairs([layer]))
    _damages(measured.ours, layer, damages)
    measured.ours.ratios.append(_seconds(lambda: ours(layer)) / max(_seconds(lambda: _once(layer)), 1e-6))
    _torch(measured.fast, layer, damages, fast=True)
    if sum(x.size for x in layer.inputs) <= SLOW:
        _torch(measured.slow, layer, damages, fast=False)


def _told(measured: Measured) -> Iterator[str]:
    mine, fast, slow = measured.ours, measured.fast, measured.slow
    yield f"{len(measured.checked)} operations, {mine.right} gradients of torch: {measured.right} found right"
    yield from _lines({"gradmark": mine, "torch gradcheck, fast": fast, f"torch, slow (inputs <= {SLOW})": slow})
    yield "what is not found right, and why:"
    for name, (outcome, why) in EXPLAINED.items():
        yield f"  {outcome.name.lower():12} {name} ({mine.accused[name] + mine.undecided[name]}): {why}"
    yield _listed("damages on which gradmark is undecided", mine.open)
    yield _listed(f"damages that pass, too small to show (odds above {ODDS:g})", mine.small)
    yield _listed("right gradients that torch calls wrong, fast", fast.accused)
    yield _listed("right gradients that torch calls wrong, slow", slow.accused)
    yield _listed("right gradients that torch can't check, fast", fast.undecided)
    for reason, names in measured.skipped.items():
        whole = ", ".join(sorted(names - measured.checked)) or "none"
        yield f"skipped, {reason}: samples of {len(names)} operations, of these all of: {whole}"


@pytest.mark.filterwarnings("ignore")  # torch's own
def test_op_db(capsys: pytest.CaptureFixture[str]) -> None:
    """No right gradient is called wrong, no damage passes that should show; each disagreement has its reason."""
    pytest.importorskip("expecttest", reason="torch's list of operations needs expecttest: pip install expecttest")
    import torch

    torch.set_num_threads(1)  # sums in another order would differ from call to call
    measured = _measure()
    with capsys.disabled():
        print("\n" + "\n".join(_told(measured)))
    assert not measured.unexplained
    assert not measured.ours.missed
    assert measured.right >= 5000
