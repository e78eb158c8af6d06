import math


def f(x):
    return math.log(x**4 + x**3 + 2)
