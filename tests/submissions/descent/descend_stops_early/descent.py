def descend(gradient, start, rate, steps):
    path = [start]
    for _ in range(steps):
        slope = gradient(path[-1])
        if abs(slope).max() < 1e-3:
            break
        path.append(path[-1] - rate * slope)
    return path
