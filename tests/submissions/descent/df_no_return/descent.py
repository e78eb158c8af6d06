def df(x):
    slope = (4 * x**3 + 3 * x**2) / (x**4 + x**3 + 2)
