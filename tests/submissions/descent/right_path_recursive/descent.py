def descend(gradient, start, rate, steps):
    if steps == 0:
        return (start,)
    return (start, *descend(gradient, start - rate * gradient(start), rate, steps - 1))
