"""What the references of the topic optimizers say without torch's name for it is what torch does under that name."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, StepLR

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("optimizers_reference", ROOT / "reference" / "optimizers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rates(make, steps: int) -> list[float]:
    """The learning rate of each step under one of torch's schedules."""
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=0.7)
    schedule: LRScheduler = make(optimizer)
    found = []
    for _ in range(steps):
        found.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return found


def test_the_schedules_are_torchs(reference: ModuleType) -> None:
    lr = torch.tensor(0.7, dtype=torch.float64)
    cases = [
        (reference.step_decay, (5, 0.3), rates(lambda o: StepLR(o, step_size=5, gamma=0.3), 17)),
        (reference.cosine_decay, (12, 0.03), rates(lambda o: CosineAnnealingLR(o, T_max=12, eta_min=0.03), 13)),
        (reference.warm_up, (6,), rates(lambda o: LinearLR(o, start_factor=1 / 6, total_iters=5), 10)),
    ]
    for schedule, arguments, expected in cases:
        found = [schedule(lr, t, *arguments).item() for t in range(len(expected))]
        assert found == pytest.approx(expected, rel=1e-12), schedule.__name__
    assert reference.cosine_decay(lr, 30, 12, 0.03).item() == pytest.approx(0.03)


def test_clipping_is_torchs_but_for_what_it_adds_to_the_norm(reference: ModuleType) -> None:
    grads = {"a": [torch.randn(3, 4).double()], "b": torch.randn(5).double()}
    leaves = [torch.zeros_like(leaf, requires_grad=True) for leaf in (grads["a"][0], grads["b"])]
    for leaf, grad in zip(leaves, (grads["a"][0], grads["b"]), strict=True):
        leaf.grad = grad.clone()
    expected = torch.nn.utils.clip_grad_norm_(leaves, 0.5)
    clipped, norm = reference.clip_by_norm(grads, 0.5)
    assert norm.item() == pytest.approx(expected.item(), rel=1e-12)
    torch.testing.assert_close(clipped["b"], leaves[1].grad, rtol=1e-5, atol=0.0)
    assert math.hypot(clipped["a"][0].norm(), clipped["b"].norm()) == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize("decay", [None, 0.3])
def test_epsilon_hat_is_the_form_that_the_authors_give(reference: ModuleType, decay: float | None) -> None:
    lr, beta1, beta2, eps = 0.1, 0.8, 0.95, 0.05
    rng = np.random.default_rng(0)
    p = rng.standard_normal(7)
    leaf = torch.tensor(p, requires_grad=True)
    make, more = (reference.adam_epsilon_hat, []) if decay is None else (reference.adamw_epsilon_hat, [decay])
    optimizer = make([leaf], lr, beta1, beta2, eps, *more)
    m = v = np.zeros(7)
    for t in range(1, 12):
        g = rng.standard_normal(7)
        leaf.grad = torch.tensor(g)
        optimizer.step()
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        step = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + eps)
        p = p * (1 - lr * (decay or 0.0)) - step
        np.testing.assert_allclose(leaf.detach().numpy(), p, rtol=1e-12)
