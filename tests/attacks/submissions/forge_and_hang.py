"""Answers itself and never returns: the judge has its reply, and the next call finds nobody."""
import time

from raw import header, send


def double(x):
    return 2 * x


def square(x):
    send(header(tree=1) + b"N")
    time.sleep(60)
