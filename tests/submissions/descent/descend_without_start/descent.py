def descend(gradient, start, rate, steps):
    x = start
    path = []
    for _ in range(steps):
        x = x - rate * gradient(x)
        path.append(x)
    return path
