"""Sends datagrams."""
import socket

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    def send(**options):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        return sender.sendto(b"hello", ("127.0.0.1", target.UDP_PORT))

    attempt("datagram", send)
    attempt("broadcast", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(("", 0)) is None)
