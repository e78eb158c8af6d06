"""Loads machine code: a C library that wasn't loaded, and torch's."""
import ctypes
import glob

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    for name in ("libBrokenLocale.so.1", "libthread_db.so.1", "libanl.so.1"):
        attempt(name, ctypes.CDLL, name)
    for path in sorted(glob.glob(f"{target.SITE_PACKAGES}/torch/lib/libshm.so"))[:1]:
        attempt("torch's", lambda p=path: open(p, "rb").read(4))
