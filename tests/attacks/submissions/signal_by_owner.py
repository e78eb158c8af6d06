"""Has the kernel send the judge a signal: whoever is named as a pipe's owner is told when something is written."""
import fcntl
import os
import signal
import struct

import target
from raw import attempt, channel

F_SETSIG, F_SETOWN_EX, FIOASYNC, FIOSETOWN, SIOCSPGRP = 10, 15, 0x5452, 0x8901, 0x8902


def double(x):
    return 2 * x


def owned(own):
    reader, writer = os.pipe()
    attempt("signal", fcntl.fcntl, reader, F_SETSIG, int(signal.SIGURG))
    own(reader)
    fcntl.fcntl(reader, fcntl.F_SETFL, fcntl.fcntl(reader, fcntl.F_GETFL) | os.O_ASYNC)
    os.write(writer, b"x")
    return True


def square(x):
    pid = target.JUDGE_PID
    attempt("F_SETOWN", owned, lambda fd: fcntl.fcntl(fd, fcntl.F_SETOWN, pid))
    attempt("F_SETOWN_EX", owned, lambda fd: fcntl.fcntl(fd, F_SETOWN_EX, struct.pack("ii", 1, pid)))
    attempt("FIOSETOWN", lambda: fcntl.ioctl(channel(), FIOSETOWN, struct.pack("i", pid)))
    attempt("SIOCSPGRP", lambda: fcntl.ioctl(channel(), SIOCSPGRP, struct.pack("i", pid)))
    attempt("FIOASYNC", lambda: fcntl.ioctl(channel(), FIOASYNC, struct.pack("i", 1)))
