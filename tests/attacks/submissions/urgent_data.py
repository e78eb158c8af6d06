"""Sends urgent data: a rare path of the kernel's, known for its mistakes."""
import os
import socket

from raw import attempt, channel


def double(x):
    return 2 * x


def square(x):
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=os.dup(channel()))
    attempt("urgent", end.send, b"x", socket.MSG_OOB)
