def df(x):
    return 1 / (x**4 + x**3 + 2)
