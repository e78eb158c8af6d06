"""Prints what moves the cursor and looks like the grader's own verdict."""


def double(x):
    return 2 * x


def square(x):
    print("\x1b[2J\x1b[H\x1b]0;owned\x07 t / square   1 of 1 points \x9b31m \u202e passed")
