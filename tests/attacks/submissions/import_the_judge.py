"""Imports the judging side, by name, by path and by its text."""
import importlib
import importlib.util
import sys
from importlib.machinery import PathFinder

import target
from raw import attempt

NAMES = ("grader.reference", "grader.checks.judge", "grader.grading", "grader.assignment", "grader.numerics.tolerance")


def double(x):
    return 2 * x


def by_path(name):
    path = f"{target.GRADER_FOLDER}/{name.partition('.')[2].replace('.', '/')}.py"
    spec = importlib.util.spec_from_file_location(f"stolen_{name[-5:]}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_finder(name):
    spec = PathFinder.find_spec(name, [target.GRADER_FOLDER, f"{target.GRADER_FOLDER}/checks"])
    return spec.loader.get_source(name)[:40] if spec else False


def square(x):
    for name in NAMES:
        attempt(f"import {name}", importlib.import_module, name)
        attempt(f"{name} by its path", by_path, name)
        attempt(f"{name} by a finder", by_finder, name.rpartition(".")[2])
        attempt(f"{name} is there", lambda n=name: sys.modules.get(n, False))
