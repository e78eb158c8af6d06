"""Starts programs by all that the standard library has for it."""
import os
import subprocess

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    program = ["/bin/true", target.MARK]
    attempt("subprocess.run", lambda: subprocess.run(program).returncode == 0)
    attempt("shell", lambda: subprocess.check_output("echo out", shell=True))
    attempt("os.system", lambda: os.system("exit 0") == 0)
    attempt("os.popen", lambda: os.popen("echo out").read() or False)
    attempt("os.spawnv", lambda: os.spawnv(os.P_WAIT, program[0], program) == 0)
    attempt("os.posix_spawn", lambda: os.posix_spawn(program[0], program, {}))
