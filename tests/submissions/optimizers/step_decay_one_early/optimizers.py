def step_decay(lr, t, every, factor):
    return lr * factor ** ((t + 1) // every)
