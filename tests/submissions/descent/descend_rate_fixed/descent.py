def descend(gradient, start, rate, steps):
    path = [start]
    for _ in range(steps):
        path.append(path[-1] - 0.1 * gradient(path[-1]))
    return path
