def flatten_forward(x):
    return x.reshape(-1), x.shape
