"""Windows of character codes out of founding_texts.txt, as text_windows.npz holds them.

    python reference/data/make_windows.py          # writes text_windows.npz beside the text

tests/test_topic_recurrent.py holds the file equal to what this makes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LENGTH", "SYMBOLS", "TEXT", "decode", "encode", "windows"]

TEXT = Path(__file__).with_name("founding_texts.txt")
LENGTH = 16
SYMBOLS = " ',-.;abcdefghijklmnopqrstuvwxyz"
"""Symbol number k is the k-th of these."""


def encode(text: str) -> NDArray[np.int8]:
    """Codes of a text in small letters, with one blank for each run of blanks and line ends.

    Raises:
        ValueError: it holds a symbol that has no code.
    """
    return np.array([SYMBOLS.index(symbol) for symbol in " ".join(text.lower().split())], dtype=np.int8)


def decode(codes: Any) -> str:
    """The text that these codes spell."""
    return "".join(SYMBOLS[int(code)] for code in codes)


def windows(codes: NDArray[np.int8], length: int = LENGTH) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """The text cut in pieces: x (N, length), and y of the same shape, in each place the code that follows.

    What is left over at the end, too short for a window, is dropped.
    """
    count = (len(codes) - 1) // length
    x, y = codes[: count * length], codes[1 : count * length + 1]
    return x.reshape(count, length), y.reshape(count, length)


if __name__ == "__main__":
    x, y = windows(encode(TEXT.read_text(encoding="utf-8")))
    np.savez_compressed(TEXT.with_name("text_windows.npz"), x=x, y=y)
