def descend(gradient, start, rate, steps):
    path, velocity = [start], 0 * start
    for _ in range(steps):
        velocity = 0.9 * velocity - rate * gradient(path[-1])
        path.append(path[-1] + velocity)
    return path
