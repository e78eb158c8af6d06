"""Sets an alarm that nobody handles."""
import signal
import time


def double(x):
    return 2 * x


def square(x):
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    time.sleep(60)
