"""Refuses to hear what the judge says, but goes on speaking."""
import socket

from raw import channel


def double(x):
    return 2 * x


def square(x):
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=channel())
    end.shutdown(socket.SHUT_RD)
    end.detach()
    return x
