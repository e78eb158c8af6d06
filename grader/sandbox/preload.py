"""What is imported before the fork: behind the wall there are no files to import from.

All of it goes to every submission at no cost but a few milliseconds of the fork. What a course's code may sensibly
import is here; what has effects of its own when imported (antigravity, turtle, idlelib) is not.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from collections.abc import Callable
from typing import Final, assert_never

from grader.calls import Profile
from grader.sandbox.profiles import kit_of

__all__ = ["preload", "told_by_a_child"]

_NUMPY: Final = """
array_api_compat array_api_compat.numpy array_api_compat.numpy.fft array_api_compat.numpy.linalg numpy numpy.char
numpy.ctypeslib numpy.dtypes numpy.emath numpy.exceptions numpy.fft numpy.lib.array_utils numpy.lib.format
numpy.lib.introspect numpy.lib.mixins numpy.lib.npyio numpy.lib.recfunctions numpy.lib.scimath numpy.lib.stride_tricks
numpy.linalg numpy.ma numpy.polynomial numpy.random numpy.rec numpy.strings numpy.testing numpy.typing
"""
_TORCH: Final = """
array_api_compat.torch array_api_compat.torch.fft array_api_compat.torch.linalg torch torch.nn torch.nn.functional
"""
"""Beside those of NumPy; array_namespace(x) imports the first when it is first asked."""
_STANDARD: Final = """
abc argparse array ast asyncio base64 bdb binascii bisect builtins bz2 cProfile calendar cmath cmd code codecs
collections collections.abc colorsys concurrent.futures concurrent.futures.process concurrent.futures.thread
configparser contextlib contextvars copy copyreg csv ctypes ctypes.util dataclasses datetime decimal difflib dis
doctest email.message encodings.idna encodings.latin_1 encodings.utf_16 enum errno faulthandler fcntl fileinput
fnmatch fractions functools gc getopt getpass glob graphlib gzip hashlib heapq hmac html http.client
importlib.metadata importlib.resources inspect io itertools json keyword linecache locale logging logging.config
logging.handlers lzma marshal math mimetypes mmap multiprocessing multiprocessing.dummy multiprocessing.pool
multiprocessing.shared_memory numbers opcode operator optparse os os.path pathlib pdb pickle pickletools pkgutil
platform pprint profile pstats queue random re reprlib resource runpy sched secrets select selectors shelve shlex
shutil signal socket socketserver sqlite3 ssl stat statistics string stringprep struct subprocess symtable sys
sysconfig tarfile tempfile textwrap threading time timeit token tokenize trace traceback tracemalloc types typing
unicodedata unittest unittest.mock urllib.error urllib.parse urllib.request uuid warnings weakref
xml.etree.ElementTree zipfile zipimport zlib zoneinfo
"""


def preload(profile: Profile) -> None:
    """Import everything; what this Python or this NumPy does not have is left out."""
    torch = _TORCH if profile.has_torch else ""
    for name in (*_NUMPY.split(), *torch.split(), *_STANDARD.split()):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    _warm()
    match profile:
        case Profile.NUMPY:
            pass
        case Profile.TORCH | Profile.PRETEND_CUDA:
            from grader.sandbox import tensors

            tensors.warm()
        case Profile.CUDA:
            from grader.sandbox import cuda, tensors

            def use() -> None:
                tensors.warm()
                cuda.start()

            _import_what_is_used_late(use)
        case Profile.JAX:
            from grader.sandbox import jaxarrays

            kit_of(Profile.JAX)
            _import_what_is_used_late(jaxarrays.compute)
        case _:
            assert_never(profile)
    kit_of(profile)


def _import_what_is_used_late(use: Callable[[], object]) -> None:
    """Import what a library imports when it first computes: found out in a child, where this process must not."""

    def modules() -> str:
        use()
        return " ".join(sys.modules)

    for name in told_by_a_child(modules).split():
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def told_by_a_child(tell: Callable[[], str]) -> str:
    """What a forked child has to say, which then ends.

    Raises:
        RuntimeError: it failed.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            os.close(reading)
            with open(writing, "w") as pipe:
                pipe.write(tell())
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with open(reading) as pipe:
        told = pipe.read()
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise RuntimeError("a process that was to start the device failed")
    return told


def _warm() -> None:
    """Do once what imports or builds something when it is first done."""
    import numpy as np

    x = np.arange(6.0).reshape(2, 3)
    np.linalg.svd(x)
    np.fft.fft(x)
    np.einsum("ij,kj->ik", x, x, optimize=True)
    np.random.default_rng(0).normal(size=3)
    np.array2string(x)
    "".encode("idna")
