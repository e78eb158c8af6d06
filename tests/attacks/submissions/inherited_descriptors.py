"""Looks at every descriptor it was given: more than standard input, output and one socket is too much."""
from raw import descriptors


def double(x):
    return 2 * x


def square(x):
    print(descriptors())
    if len(descriptors()) != 4:
        print("GOT: more or less than four descriptors:", descriptors())
