"""Makes new pairs of sockets, over which descriptors could travel."""
import socket

from raw import attempt


def double(x):
    return 2 * x


def square(x):
    attempt("pair", lambda: [end.fileno() for end in socket.socketpair()])
    attempt("packets", lambda: [end.fileno() for end in socket.socketpair(type=socket.SOCK_SEQPACKET)])
