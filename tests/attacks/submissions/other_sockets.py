"""Asks for sockets of every other kind: of the kernel, of the card, of the machine beneath, for ciphers."""
import socket

from raw import attempt, family

KINDS = {
    "netlink: routes": (16, 3, 0),
    "netlink: events": (16, 2, 15),
    "netlink: sockets": (16, 3, 4),
    "packets": (17, 3, 0),
    "raw": (2, 3, 1),
    "ping": (2, 2, 1),
    "the machine beneath": (40, 1, 0),
    "ciphers": (38, 5, 0),
    "bluetooth": (31, 3, 1),
    "express data": (44, 3, 0),
    "cluster": (30, 1, 0),
    "multipath": (2, 1, 262),
}


def double(x):
    return 2 * x


def square(x):
    for name, kind in KINDS.items():
        attempt(name, family, kind)
    attempt("names of cards", socket.if_nameindex)
