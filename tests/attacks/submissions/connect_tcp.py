"""Connects to a server on this machine, by sockets and by what is built on them."""
import http.client
import socket

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    address = ("127.0.0.1", target.TCP_PORT)
    attempt("connection", socket.create_connection, address, 1)
    attempt("web page", lambda: http.client.HTTPConnection(*address, timeout=0.1).connect() is None)
    attempt("version 6", lambda: socket.socket(socket.AF_INET6).close() or True)
    attempt("names", socket.getaddrinfo, "localhost", target.TCP_PORT)
