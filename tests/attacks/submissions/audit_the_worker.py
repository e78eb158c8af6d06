"""Hooks into every event of the interpreter: an audit hook can't be taken out again."""
import sys


def double(x):
    return 2 * x


def hook(event, args):
    raise SystemExit(event)


def square(x):
    sys.addaudithook(hook)
    return x
