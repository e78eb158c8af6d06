"""Landlock: nothing of the file system, no TCP, no signal and no abstract socket beyond the process itself.

The ruleset has no rules, so it denies all that the kernel at hand can deny; see landlock(7). Only one thread is
restricted: apply it before there are others.
"""

from __future__ import annotations

import ctypes
import os
import struct

from grader.sandbox import kernel

__all__ = ["restrict", "version"]

CREATE_RULESET, RESTRICT_SELF = 444, 446
_VERSION_FLAG = 1

_FILES = ((1, 0x1FFF), (2, 0x2000), (3, 0x4000), (5, 0x8000))
"""(version, rights): what each version of the interface added to the rights on files (execute ... ioctl)."""
_NETWORK = 0x3
"""bind and connect of TCP, since version 4."""
_SCOPES = 0x3
"""abstract Unix sockets and signals to outside, since version 6."""


def version() -> int:
    """Version of the interface here.

    Raises:
        OSError: there is none.
    """
    return kernel.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))


def restrict(interface: int) -> None:
    """Deny everything to this thread and to all that it starts. Needs no-new-privs.

    Args:
        interface: what version() said.
    """
    files = sum(rights for since, rights in _FILES if interface >= since)
    network = _NETWORK if interface >= 4 else 0
    scopes = _SCOPES if interface >= 6 else 0
    size = 8 if interface < 4 else 16 if interface < 6 else 24
    attributes = ctypes.create_string_buffer(struct.pack("=QQQ", files, network, scopes))
    ruleset = kernel.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0))
    try:
        kernel.syscall(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)
