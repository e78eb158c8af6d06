def df(x):
    return (4 * x**3 + 2 * x**2) / (x**4 + x**3 + 2)
