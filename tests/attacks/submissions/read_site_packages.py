"""Reads what is installed beside what it may import: a package could hold the answers."""
import os

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    attempt("listing", lambda: len(os.listdir(target.SITE_PACKAGES)))
    attempt("torch", lambda: open(f"{target.SITE_PACKAGES}/torch/__init__.py").read(40))
    attempt("numpy", lambda: open(f"{target.SITE_PACKAGES}/numpy/__init__.py").read(40))
