"""Looks through all of its own memory for what the judge, or an earlier submission, left in it."""
import re

import target
from raw import scan


def double(x):
    return 2 * x


def square(x):
    decoy = target.SECRET_PREFIX.encode() + b"f" * 32
    found, size = scan(re.compile(re.escape(target.SECRET_PREFIX.encode()) + b"[0-9a-f]{32}"))
    print(f"{size >> 20} MB looked at")
    if decoy not in found:
        print("GOT: not even its own decoy: it does not look well")
    for secret in found - {decoy}:
        print("GOT:", secret.decode())
