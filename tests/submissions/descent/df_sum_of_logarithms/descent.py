def df(x):
    return 4 / x + 3 / x
