def sum_to(gradient, shape):
    return gradient
