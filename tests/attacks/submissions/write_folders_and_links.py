"""Makes folders, links, pipes and devices, and renames."""
import os
import stat

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    for number, folder in enumerate(target.WRITABLE):
        base = f"{folder}/{target.MARK}-{number}"
        attempt("folder", lambda b=base: os.makedirs(f"{b}-folder/inner"))
        attempt("symbolic link", lambda b=base: os.symlink(target.SECRET_FILE, f"{b}-symlink"))
        attempt("read through it", lambda b=base: open(f"{b}-symlink").read())
        attempt("hard link", lambda b=base: os.link(target.SECRET_FILE, f"{b}-link"))
        attempt("pipe", lambda b=base: os.mkfifo(f"{b}-pipe"))
        attempt("device", lambda b=base: os.mknod(f"{b}-null", 0o666 | stat.S_IFCHR, os.makedev(1, 3)))
        attempt("rename", lambda b=base: os.rename(f"{b}-folder", f"{b}-renamed"))
        attempt("rights", lambda b=base: os.chmod(f"{b}-renamed", 0o777))
