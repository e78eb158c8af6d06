"""Our gradient check beside its peers, on one corpus: what they catch, whom they accuse wrongly, what it costs.

    python -m pytest tests/benchmarks -m benchmark -s

prints one table. A peer that is not installed is named as skipped. `forwards` is the median number of calls of the
forward for a right layer; `time` is the median cost of checking a right layer, in units of one forward and backward.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import gradient_layers as corpus

from grader.numerics.gradcheck import Outcome, check_gradients

SEEDS = (0, 1, 2)
SMALL = 4000
"""Inputs at most for a checker that takes one column of the Jacobian at a time."""

Checker = Callable[[corpus.Layer, int], bool]
"""checker(layer, seed) -> accepted."""


# --------------------------------------------------------------------------------------------------------- checkers


def ours(layer: corpus.Layer, seed: int) -> bool:
    """Accepts unless it found a fault."""
    result = check_gradients(layer.forward, layer.backward, layer.inputs, seed=seed, localise=False)
    return result.outcome is not Outcome.FAILED


def _flat(out: Any) -> np.ndarray:
    parts = out.values() if isinstance(out, dict) else [out]
    return np.concatenate([np.ravel(part) for part in parts])


def _unflat(dout: np.ndarray, like: Any) -> Any:
    if not isinstance(like, dict):
        return dout.reshape(np.shape(like)) if np.ndim(like) else dout[0]
    sizes = np.cumsum([part.size for part in like.values()])[:-1]
    parts = np.split(dout, sizes)
    return {key: part.reshape(like[key].shape) for key, part in zip(like, parts, strict=True)}


def _flat_pair(layer: corpus.Layer) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """forward(*floats) -> flat output, and backward(flat dout, *floats) -> gradients."""
    others = layer.inputs[len(layer.floats) :]

    def forward(*floats: np.ndarray) -> np.ndarray:
        return _flat(layer.forward(*map(np.array, floats), *others)[0])

    def backward(dout: np.ndarray, *floats: np.ndarray) -> tuple[np.ndarray, ...]:
        out, cache = layer.forward(*map(np.array, floats), *others)
        return tuple(layer.backward(_unflat(np.array(dout), out), cache))

    return forward, backward


def torch_gradcheck(layer: corpus.Layer, seed: int, *, fast: bool) -> bool:
    """torch.autograd.gradcheck with its default step and tolerances."""
    import torch

    forward, backward = _flat_pair(layer)

    class Pair(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *xs: Any) -> Any:
            ctx.save_for_backward(*xs)
            return torch.from_numpy(forward(*(x.detach().numpy() for x in xs)))

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, dout: Any) -> Any:
            xs = [x.detach().numpy() for x in ctx.saved_tensors]
            return tuple(torch.from_numpy(np.array(each)) for each in backward(dout.numpy(), *xs))

    torch.manual_seed(seed)
    xs = [torch.from_numpy(x.copy()).requires_grad_() for x in layer.floats]
    # For the message of a failure, the fast mode builds whole Jacobians: 9 GB for the affine layer. We need no message.
    with mock.patch.object(sys.modules["torch.autograd.gradcheck"], "_run_slow_mode_and_get_error", _no_message):
        return bool(torch.autograd.gradcheck(Pair.apply, xs, fast_mode=fast, raise_exception=False))


def _no_message(*_: Any) -> str:
    return ""


def jax_check_vjp(layer: corpus.Layer, seed: int) -> bool:
    """jax.test_util.check_vjp with its default step and tolerances, in float64."""
    import jax
    from jax.test_util import check_vjp

    jax.config.update("jax_enable_x64", True)
    forward, backward = _flat_pair(layer)

    def vjp(*floats: Any) -> tuple[Any, Callable[[Any], Any]]:
        given = [np.asarray(each) for each in floats]
        return forward(*given), lambda dout: backward(np.asarray(dout), *given)

    def function(*floats: Any) -> Any:
        return forward(*(np.asarray(each) for each in floats))

    return _accepts(partial(check_vjp, function, vjp, layer.floats))


def autograd_check_grads(layer: corpus.Layer, seed: int) -> bool:
    """autograd.test_util.check_grads with its fixed step and tolerance."""
    from autograd.extend import defvjp, primitive
    from autograd.test_util import check_grads

    forward, backward = _flat_pair(layer)
    function = primitive(forward)
    defvjp(
        function,
        *(
            lambda ans, *floats, k=k: lambda dout: np.array(backward(dout, *floats)[k])
            for k in range(len(layer.floats))
        ),
    )
    np.random.seed(seed)  # autograd draws from the global state
    return _accepts(partial(check_grads(function, modes=["rev"], order=1), *layer.floats))


def _accepts(check: Callable[[], Any]) -> bool:
    try:
        check()
    except AssertionError:
        return False
    return True


CHECKERS: dict[str, tuple[Checker, str, int | None, tuple[int, ...]]] = {
    "gradmark": (ours, "numpy", None, SEEDS),
    "torch gradcheck, fast": (partial(torch_gradcheck, fast=True), "torch", None, SEEDS),
    "torch gradcheck, slow (small)": (partial(torch_gradcheck, fast=False), "torch", SMALL, SEEDS[:1]),
    "jax check_vjp": (jax_check_vjp, "jax", None, SEEDS),
    "autograd check_grads": (autograd_check_grads, "autograd", None, SEEDS),
}
"""By name: the checker, the module it needs, the largest layer in inputs, the seeds."""


# -------------------------------------------------------------------------------------------------------- measuring


@dataclass(slots=True, kw_only=True)
class Row:
    """What one checker did."""

    caught: int = 0
    wrong: int = 0
    missed: list[str] = field(default_factory=list)
    accused: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    right: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    """By whether the layer has kinks."""
    forwards: dict[bool, list[int]] = field(default_factory=lambda: {False: [], True: []})
    ratios: list[float] = field(default_factory=list)


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _once(layer: corpus.Layer) -> None:
    out, cache = layer.forward(*layer.inputs)
    dout = {key: np.ones_like(part) for key, part in out.items()} if isinstance(out, dict) else np.ones_like(out)
    layer.backward(dout, cache)


def _right_layer(row: Row, checker: Checker, layer: corpus.Layer, seed: int) -> None:
    calls = 0

    def forward(*inputs: Any) -> Any:
        nonlocal calls
        calls += 1
        return layer.forward(*inputs)

    accepted = checker(replace(layer, forward=forward), seed)
    row.right[layer.kinks] += 1
    row.accused[layer.kinks] += not accepted
    if accepted:
        row.forwards[layer.kinks].append(calls)
        unit = min(_seconds(lambda: _once(layer)) for _ in range(5))
        row.ratios.append(_seconds(lambda: checker(layer, seed)) / unit)


def _measure(checker: Checker, largest: int | None, seeds: tuple[int, ...]) -> Row:
    row = Row()
    for seed in seeds:
        layers = [
            layer
            for layer in corpus.all_layers(seed)
            if largest is None or sum(each.size for each in layer.floats) <= largest
        ]
        for layer in layers:
            _right_layer(row, checker, layer, seed)
        for damage, layer in corpus.wrong_pairs(layers):
            accepted = checker(layer, seed)
            row.wrong += 1
            row.caught += not accepted
            if accepted:
                row.missed.append(f"{layer.name}: {damage}, seed {seed}")
    return row


def _line(name: str, row: Row) -> str:
    def median(values: list[Any]) -> str:
        return f"{np.median(values):,.0f}" if values else "-"

    caught = f"{row.caught}/{row.wrong} ({row.caught / row.wrong:.1%})"
    accused = " + ".join(f"{row.accused[kinks]}/{row.right[kinks]}" for kinks in (False, True))
    forwards = " / ".join(median(row.forwards[kinks]) for kinks in (False, True))
    return f"{name:30} {caught:>18} {accused:>16} {forwards:>18} {median(row.ratios):>8}"


@pytest.mark.filterwarnings("ignore")  # the peers' own
def test_gradient_checkers(capsys: pytest.CaptureFixture[str]) -> None:
    """Ours misses fewer than 1 in 1000, accuses nobody, and takes 16 forwards, 40 at kinks."""
    rows, lines = {}, []
    for name, (checker, module, largest, seeds) in CHECKERS.items():
        try:
            __import__(module)
        except ImportError:
            lines.append(f"{name:30} skipped: {module} is not installed")
            continue
        rows[name] = _measure(checker, largest, seeds)
        lines.append(_line(name, rows[name]))
    head = f"{'checker':30} {'wrong caught':>18} {'false fails':>16} {'forwards':>18} {'time':>8}"
    note = f"{'':30} {'':>18} {'smooth + kinks':>16} {'smooth / kinks':>18} {'ratio':>8}"
    with capsys.disabled():
        print("\n" + "\n".join([head, note, *lines]))
    mine = rows["gradmark"]
    assert mine.caught >= 0.999 * mine.wrong, mine.missed
    assert sum(mine.accused.values()) == 0
    assert np.median(mine.forwards[False]) == 16
    assert max(mine.forwards[True]) <= 40
