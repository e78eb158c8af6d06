"""Reads a file of the course while it is loaded, before anything is asked."""
import target
from raw import attempt

attempt("at import", lambda: open(target.SECRET_FILE).read())


def double(x):
    return 2 * x


def square(x):
    return None
