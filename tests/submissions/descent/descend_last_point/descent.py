def descend(gradient, start, rate, steps):
    x = start
    for _ in range(steps):
        x = x - rate * gradient(x)
    return x
