"""What a textbook claims of Adam on MNIST, on the images trained on and on others (assignments/optimizers/README.md).

    python -m pytest tests/benchmarks/test_adam_on_digits.py -m benchmark -s

The worked solution trains 784-200-10: lr 0.001, batches of 500, 2,000 steps; half a minute of a core for each start.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

REFERENCE = Path(__file__).parent.parent.parent / "reference"
STEPS = 2000


def digits() -> tuple[Any, Any]:
    """Pixels from 0 to 1, shape (10000, 784), and classes; the first 8,000 are trained on."""
    with np.load(REFERENCE / "data" / "mnist_10k.npz", allow_pickle=False) as data:
        return data["images"].reshape(-1, 784) / 255, data["labels"].astype(int)


def accuracy(params: Any, x: Any, y: Any) -> float:
    first, second = params["layers"]
    active = np.maximum(x @ first["w"] + first["b"], 0)
    return float(((active @ second["w"] + second["b"]).argmax(axis=1) == y).mean())


@pytest.mark.benchmark
@pytest.mark.parametrize(("size", "held_out"), [(1.0, (0.80, 0.90)), (0.05, (0.94, 0.98))])
def test_adam_beats_95_percent_on_the_images_trained_on(size: float, held_out: tuple[float, float]) -> None:
    spec = importlib.util.spec_from_file_location("optimizers", REFERENCE / "solutions" / "optimizers.py")
    assert spec is not None
    assert spec.loader is not None
    optimizers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(optimizers)
    x, y = digits()
    rng = np.random.default_rng(0)
    shapes = [(784, 200), (200, 10)]
    layers = [{"w": size * rng.normal(size=shape), "b": np.zeros(shape[1])} for shape in shapes]
    params, _ = optimizers.train({"layers": layers}, x[:8000], y[:8000], 0.001, 1e-8, 500, STEPS)
    on_train, on_others = accuracy(params, x[:8000], y[:8000]), accuracy(params, x[8000:], y[8000:])
    print(f"\nweights {size} N(0, 1), {STEPS} steps: {on_train:.1%} trained on, {on_others:.1%} held out")
    assert on_train > 0.95
    assert held_out[0] < on_others < held_out[1]
