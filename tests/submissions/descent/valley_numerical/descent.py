def dvalley(p):
    return central_difference(valley, p, 1e-5)
