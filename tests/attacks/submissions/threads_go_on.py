"""Leaves threads that never end."""
import threading


def double(x):
    return 2 * x


def forever():
    while True:
        pass


def square(x):
    for _ in range(4):
        threading.Thread(target=forever).start()
