"""Kills another submission in the middle of its work."""
import os
import signal

import target
from raw import attempt, syscall


def double(x):
    return 2 * x


def square(x):
    pid = target.SIBLING_PID
    if pid:
        attempt("kill", os.kill, pid, signal.SIGSTOP)
        attempt("tgkill", syscall, "tgkill", pid, pid, int(signal.SIGKILL))
        attempt("tkill", syscall, "tkill", pid, int(signal.SIGKILL))
        attempt("pidfd", lambda: signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL))
        attempt("kill", os.kill, pid, signal.SIGKILL)
