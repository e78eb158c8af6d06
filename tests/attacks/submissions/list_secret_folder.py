"""Lists folders: those of the course, of other submissions, of the machine."""
import glob
import os
from pathlib import Path

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    folder = target.SECRET_FOLDER
    attempt("listdir", lambda: os.listdir(folder))
    attempt("scandir", lambda: [entry.name for entry in os.scandir(folder)])
    attempt("glob", lambda: glob.glob(folder + "/*") or False)
    attempt("walk", lambda: list(os.walk(folder)) or False)
    attempt("iterdir", lambda: list(map(str, Path(folder).iterdir())))
    attempt("the root", lambda: len(os.listdir("/")) or False)
    attempt("/tmp", lambda: len(os.listdir("/tmp")) or False)
    attempt("change into it", lambda: os.chdir(folder))
    attempt("where it is itself", lambda: len(os.listdir("..")) or False)
