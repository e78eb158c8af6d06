"""Reads the judge's environment, command line, files and memory in /proc."""
import os
import re

import target
from raw import attempt


def double(x):
    return 2 * x


def secret(data):
    return re.findall(re.escape(target.SECRET_PREFIX.encode()) + b"[0-9a-f]{32}", data) or False


def memory(pid, address):
    with open(f"/proc/{pid}/mem", "rb", 0) as file:
        file.seek(address)
        return secret(file.read(target.LENGTH))


def square(x):
    proc = f"/proc/{target.JUDGE_PID}"
    attempt("environment", lambda: secret(open(f"{proc}/environ", "rb").read()))
    attempt("memory", memory, target.JUDGE_PID, target.JUDGE_ADDRESS)
    attempt("command line", lambda: len(open(f"{proc}/cmdline").read()))
    attempt("maps", lambda: len(open(f"{proc}/maps").readline()))
    attempt("status", lambda: open(f"{proc}/status").readline())
    attempt("descriptors", lambda: len(os.listdir(f"{proc}/fd")))
    attempt("its root", lambda: open(f"{proc}/root{target.SECRET_FILE}").read())
    attempt("its folder", lambda: os.readlink(f"{proc}/cwd"))
