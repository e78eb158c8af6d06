"""Waits for others to connect to it."""
import socket

from raw import attempt


def double(x):
    return 2 * x


def square(x):
    attempt("tcp", lambda: socket.create_server(("127.0.0.1", 0)).getsockname())
    attempt("asyncio", loop)


def loop():
    import asyncio

    asyncio.new_event_loop().close()
    return True
