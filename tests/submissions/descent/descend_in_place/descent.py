def descend(gradient, start, rate, steps):
    x = start
    path = [x]
    for _ in range(steps):
        x -= rate * gradient(x)
        path.append(x)
    return path
