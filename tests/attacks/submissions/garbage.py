"""Runs code in the collector of garbage, which starts whenever it likes."""
import gc


def double(x):
    return 2 * x


def collected(phase, info):
    raise SystemExit(phase)


def square(x):
    gc.callbacks.append(collected)
    gc.set_threshold(1, 1, 1)
    gc.collect()
    return [list(x) for _ in range(100)]
