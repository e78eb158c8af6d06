def descend(gradient, start, rate, steps):
    path = [start]
    for _ in range(steps):
        slope = gradient(path[-1])
        path.append(path[-1] - rate * slope / ((slope**2).sum() ** 0.5 + 1e-12))
    return path
