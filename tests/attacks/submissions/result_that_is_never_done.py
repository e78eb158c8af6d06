"""Returns a generator without end, and a list that holds itself."""
import itertools


def double(x):
    return 2 * x


COUNT = [0]


def square(x):
    COUNT[0] += 1
    endless = []
    endless.append(endless)
    return itertools.count() if COUNT[0] == 1 else endless
