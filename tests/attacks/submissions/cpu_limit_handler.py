"""Handles the signal that says its processor time is used up, and goes on in threads."""
import signal
import threading


def double(x):
    return 2 * x


def work():
    while True:
        sum(range(1000))


def square(x):
    signal.signal(signal.SIGXCPU, lambda number, frame: print("more"))
    for _ in range(3):
        threading.Thread(target=work, daemon=True).start()
    work()
