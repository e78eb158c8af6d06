"""Asks the network through the one socket it has: cards, addresses, its file, its namespace."""
import fcntl
import struct

from raw import attempt, channel


def double(x):
    return 2 * x


def square(x):
    fd = channel()
    request = struct.pack("16si20x", b"", 1)
    attempt("name of a card", lambda: fcntl.ioctl(fd, 0x8910, request)[:16])
    attempt("list of cards", lambda: fcntl.ioctl(fd, 0x8912, bytes(40)))
    attempt("address of a card", lambda: fcntl.ioctl(fd, 0x8927, struct.pack("40s", b"lo")))
    attempt("its namespace", lambda: fcntl.ioctl(fd, 0x894C, 0))
    attempt("its file", lambda: fcntl.ioctl(fd, 0x89E0, 0))
