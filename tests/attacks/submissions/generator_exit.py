"""Raises what ends generators and tasks, and what ends a loop over one."""


def double(x):
    return 2 * x


COUNT = [0]


def square(x):
    COUNT[0] += 1
    raise GeneratorExit if COUNT[0] == 1 else StopIteration(x)
