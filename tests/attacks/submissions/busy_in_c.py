"""Is busy in one piece of C code that lets no signal handler and no other thread in."""
import re


def double(x):
    return 2 * x


def square(x):
    re.match(r"(a|a)*b", "a" * 40)
