def df(x):
    return 4 * x**3 + 3 * x**2
