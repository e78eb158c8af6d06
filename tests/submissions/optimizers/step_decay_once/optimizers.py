def step_decay(lr, t, every, factor):
    return lr * factor if t >= every else lr
