"""Waits for itself: two locks that it holds."""
import threading


def double(x):
    return 2 * x


def square(x):
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
