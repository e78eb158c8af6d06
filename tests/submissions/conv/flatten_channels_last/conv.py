def flatten_forward(x):
    return x.transpose(0, 2, 3, 1).reshape(x.shape[0], -1), x.shape
