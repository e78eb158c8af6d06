"""Turns the one socket it has to somebody else: connects it anew, gives it a name, listens."""
import os
import socket

import target
from raw import attempt, channel


def double(x):
    return 2 * x


def square(x):
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=os.dup(channel()))
    attempt("connect", lambda: end.connect(target.ABSTRACT_NAME) is None)
    attempt("name", lambda: end.bind(f"{target.ABSTRACT_NAME}-own") is None)
    attempt("listen", lambda: end.listen() is None)
    attempt("send elsewhere", end.sendto, b"x", target.UNIX_SOCKET)
