"""Gets memory that can be written and run: its own machine code, which asks no table of calls."""
import ctypes
import mmap

from raw import LIBC, attempt, syscall

RWX = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC


def double(x):
    return 2 * x


def fresh(protection=3):
    LIBC.mmap.restype = ctypes.c_void_p
    start = LIBC.mmap(None, ctypes.c_size_t(4096), protection, 0x22, -1, ctypes.c_long(0))
    return False if start == ctypes.c_void_p(-1).value else start


def square(x):
    attempt("mmap", fresh, RWX)
    attempt("mprotect", lambda: syscall("mprotect", fresh(), 4096, RWX) == 0)
    attempt("mprotect, run only", lambda: syscall("mprotect", fresh(), 4096, 5) == 0)
    attempt("mprotect with a key", lambda: syscall("pkey_mprotect", fresh(), 4096, RWX, -1) == 0)
    attempt("a shadow stack", syscall, "map_shadow_stack", 0, 4096, 0)
    attempt("whatever can be read can be run", lambda: syscall("personality", 0x0400000) >= 0)
    attempt("code of the C library", overwrite)


def overwrite():
    start = ctypes.cast(LIBC.getpid, ctypes.c_void_p).value & -4096
    done = syscall("mprotect", start, 4096, RWX)
    syscall("mprotect", start, 4096, 5)
    return done == 0
