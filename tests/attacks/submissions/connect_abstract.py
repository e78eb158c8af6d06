"""Connects to a socket that has a name and no path: no rights of files guard it."""
import socket

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    attempt("stream", lambda: socket.socket(socket.AF_UNIX).connect(target.ABSTRACT_NAME) is None)
    attempt("its own", lambda: socket.socket(socket.AF_UNIX).bind(f"{target.ABSTRACT_NAME}-own") is None)
