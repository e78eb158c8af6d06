"""Prints 200 MB, to both outputs, by Python, by number and by a vector."""
import os
import sys


def double(x):
    return 2 * x


def square(x):
    line = b"x" * (1 << 20)
    for _ in range(50):
        print("x" * (1 << 20))
        print("x" * (1 << 20), file=sys.stderr)
        for fd in (1, 2):
            try:
                os.write(fd, line)
                os.pwrite(fd, line, 1 << 20)
            except OSError:
                pass
