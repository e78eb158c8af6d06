"""Waits for somebody to type something."""
import pdb
import sys


def double(x):
    return 2 * x


def square(x):
    if sys.stdin.read() != "":
        print("GOT: standard input")
    pdb.set_trace()
    return input()
