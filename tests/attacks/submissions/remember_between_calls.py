"""Keeps what it saw in one call for the next: a cache, if inputs came again."""
SEEN = []


def double(x):
    return 2 * x


def square(x):
    if SEEN:
        print("GOT: the first call's input")
    SEEN.append(x)
