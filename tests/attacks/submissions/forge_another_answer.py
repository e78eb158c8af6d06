"""Answers a call as if it had been the loading."""
from raw import header, send


def double(x):
    return 2 * x


def square(x):
    text = b"square\0all is well"
    send(header(status=4, text=len(text)) + b"N" + text)
    return x
