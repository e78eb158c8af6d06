"""What is special about the topic recurrent: its cells are torch's own, and its data are the text's."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

REFERENCE = Path(__file__).parent.parent / "reference"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"loaded_{Path(name).stem}", REFERENCE / name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_the_cells_are_those_of_torch(cell: str) -> None:
    torch.manual_seed(1)
    theirs = getattr(torch.nn, cell)(input_size=3, hidden_size=5, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        theirs.bias_hh_l0.zero_()
    x, h, c = (torch.randn(shape, dtype=torch.float64) for shape in ((2, 4, 3), (2, 5), (2, 5)))
    weights = theirs.weight_ih_l0.T, theirs.weight_hh_l0.T, theirs.bias_ih_l0
    states = (h, c) if cell == "LSTM" else (h,)
    start = (h[None], c[None]) if cell == "LSTM" else h[None]
    expected, _ = theirs(x, start)
    torch.testing.assert_close(getattr(load("recurrent.py"), cell.lower())(x, *states, *weights), expected)


def test_the_windows_are_the_texts() -> None:
    made = load("data/make_windows.py")
    codes = made.encode(made.TEXT.read_text(encoding="utf-8"))
    x, y = made.windows(codes)
    with np.load(REFERENCE / "data" / "text_windows.npz", allow_pickle=False) as data:
        assert set(data.files) == {"x", "y"}
        for name, expected in (("x", x), ("y", y)):
            assert data[name].dtype == np.int8  # signed: codes, not pixels
            np.testing.assert_array_equal(data[name], expected)
    assert (len(codes), len(made.SYMBOLS), x.shape) == (5510, 32, (344, 16))


def test_windows_follow_each_other_and_y_is_one_ahead() -> None:
    made = load("data/make_windows.py")
    x, y = made.windows(made.encode("We  the\nPeople of"), length=5)
    assert [made.decode(row) for row in x] == ["we th", "e peo", "ple o"]
    assert [made.decode(row) for row in y] == ["e the", " peop", "le of"]
    x, _ = made.windows(made.encode("We  the\nPeople o"), length=5)  # nothing follows the last window's end
    assert [made.decode(row) for row in x] == ["we th", "e peo"]


def test_each_symbol_has_a_code_and_others_have_none() -> None:
    made = load("data/make_windows.py")
    assert sorted(set(made.encode(made.TEXT.read_text(encoding="utf-8")))) == list(range(32))
    with pytest.raises(ValueError, match="substring not found"):
        made.encode("1776")
