"""Forks as often as it may, 60 times at most; each child waits a little and ends."""
import os
import time


def double(x):
    return 2 * x


def square(x):
    for made in range(1, 61):
        try:
            child = os.fork()
        except OSError as error:
            print("stopped: fork:", error)
            return
        if child == 0:
            try:
                time.sleep(2)
            finally:
                os._exit(0)
    print(f"GOT: {made} processes")
