"""Starts threads as many as it may, 400 at most."""
import threading
import time


def double(x):
    return 2 * x


def square(x):
    threading.stack_size(1 << 16)
    made = 0
    try:
        for made in range(400):
            threading.Thread(target=time.sleep, args=(1.0,), daemon=True).start()
    except RuntimeError as error:
        print(f"stopped after {made}: {error}")
        return
    print(f"GOT: {made + 1} threads")
