"""Says at import that all is loaded, with functions that aren't there, and ends."""
import os

from raw import header, send

text = b"double\nsquare\0"
send(header(status=4, text=len(text)) + b"N" + text)
os._exit(0)


def double(x):
    return 2 * x


def square(x):
    return None
