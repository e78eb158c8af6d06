"""Returns an array and goes on changing it in a thread while it is sent."""
import threading


def double(x):
    return 2 * x


def spoil(array):
    while True:
        array += 1
        array.resize((1 << 16,), refcheck=False)
        array.resize((3,), refcheck=False)


def square(x):
    out = x.copy()
    threading.Thread(target=spoil, args=(out,), daemon=True).start()
    return out
