"""Takes three times the memory that it may, in lists and small objects."""
import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    pieces = []
    attempt("strings", lambda: len([pieces.append("x" * 4096 + str(n)) for n in range(3 * target.MEMORY >> 12)]))
    pieces.clear()
    attempt("one piece", lambda: len(bytearray(3 * target.MEMORY)))
