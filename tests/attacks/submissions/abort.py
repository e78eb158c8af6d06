"""Ends by SIGABRT, and would leave all of its memory in a file."""
import os
import resource


def double(x):
    return 2 * x


def square(x):
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
    except (OSError, ValueError):
        pass
    os.abort()
