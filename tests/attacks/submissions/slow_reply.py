"""Sends its reply a byte at a time, each in time."""
import time

from raw import header, send


def double(x):
    return 2 * x


def square(x):
    send(header(tree=40000))
    while True:
        send(b"N")
        time.sleep(0.01)
