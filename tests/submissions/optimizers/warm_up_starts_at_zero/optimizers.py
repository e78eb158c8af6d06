def warm_up(lr, t, steps):
    return lr * min(t / steps, 1.0)
