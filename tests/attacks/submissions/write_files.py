"""Leaves files in every folder that may be written to."""
import os
import tempfile

import numpy as np

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    for folder in target.WRITABLE:
        path = f"{folder}/{target.MARK}-file"
        attempt(path, lambda path=path: open(path, "w").write("left"))
        attempt(f"{path}.npy", lambda path=path: np.save(path, x))
        attempt(f"{path}, temporary", lambda f=folder: tempfile.mkstemp(prefix=target.MARK, dir=f))
        attempt(f"{path}, without a name", lambda f=folder: os.open(f, os.O_TMPFILE | os.O_RDWR))
