"""Raises its own limits, by name and by number, soft and hard."""
import ctypes
import resource
import struct

from raw import attempt, syscall


def double(x):
    return 2 * x


KINDS = ("RLIMIT_DATA", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_CORE", "RLIMIT_AS", "RLIMIT_MEMLOCK")


def raised(kind, action, most):
    before = resource.getrlimit(kind)[0]
    if before == resource.RLIM_INFINITY:
        return False
    action(kind, most)
    return resource.getrlimit(kind)[0] > before


def by_number(kind, most):
    syscall("prlimit64", 0, kind, ctypes.create_string_buffer(struct.pack("QQ", most, most)), 0)


def square(x):
    for name in KINDS:
        kind = getattr(resource, name)
        most = 1 << 16 if name == "RLIMIT_NOFILE" else 1 << 40
        attempt(name, raised, kind, lambda k, m: resource.setrlimit(k, (m, m)), most)
        attempt(f"{name} by number", raised, kind, by_number, most)
