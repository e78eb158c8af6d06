"""Sends signals to the judge by every call that sends one."""
import ctypes
import os
import signal
import struct

import target
from raw import attempt, syscall


def double(x):
    return 2 * x


def square(x):
    pid, number = target.JUDGE_PID, signal.SIGURG
    attempt("kill", os.kill, pid, number)
    attempt("to its group", lambda: os.killpg(os.getpgid(pid), 0))
    attempt("tgkill", syscall, "tgkill", pid, pid, int(number))
    attempt("tkill", syscall, "tkill", pid, int(number))
    attempt("pidfd", lambda: signal.pidfd_send_signal(os.pidfd_open(pid), number))
    info = ctypes.create_string_buffer(struct.pack("iii", number, 0, -1) + bytes(116))
    attempt("queue", syscall, "rt_tgsigqueueinfo", pid, pid, int(number), info)
