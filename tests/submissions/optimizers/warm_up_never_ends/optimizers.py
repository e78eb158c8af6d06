def warm_up(lr, t, steps):
    return lr * (t + 1) / steps
