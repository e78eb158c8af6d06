def descend(gradient, start, rate, steps):
    slope = gradient(start)
    return [start - k * rate * slope for k in range(steps + 1)]
