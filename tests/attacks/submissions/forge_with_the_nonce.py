"""Takes the call's number from the worker's frames and answers itself: just another way to return a wrong value."""
from raw import header, send


def double(x):
    return 2 * x


def square(x):
    send(header(tree=1) + b"N")
    return x
