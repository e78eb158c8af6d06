"""Connects to a socket that has a path."""
import socket

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    attempt("stream", lambda: socket.socket(socket.AF_UNIX).connect(target.UNIX_SOCKET) is None)
    place = f"{target.WRITABLE[0]}/{target.MARK}-socket"
    attempt("its own", lambda: socket.socket(socket.AF_UNIX).bind(place) is None)
