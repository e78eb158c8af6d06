"""Never returns, and ignores every signal that can be ignored."""
import signal


def double(x):
    return 2 * x


def square(x):
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while True:
        pass
