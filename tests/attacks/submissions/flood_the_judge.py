"""Writes into the socket as much as it takes, in a thread that goes on after the answer."""
import os
import threading

from raw import channel


def double(x):
    return 2 * x


def flood(fd):
    while True:
        os.write(fd, bytes(1 << 16))


def square(x):
    threading.Thread(target=flood, args=(channel(),), daemon=True).start()
    return x
