def descend(gradient, start, rate, steps):
    path = [start]
    while len(path) < steps:
        path.append(path[-1] - rate * gradient(path[-1]))
    return path
