"""Leaves a program behind that has nothing of this process but its name. It ends by itself in 20 s."""
import subprocess

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    none = subprocess.DEVNULL
    code = f"exec -a {target.MARK} sleep 20 &"
    attempt(
        "setsid",
        lambda: subprocess.Popen(["/usr/bin/setsid", "/bin/bash", "-c", code], stdin=none, stdout=none, stderr=none).pid,
    )
