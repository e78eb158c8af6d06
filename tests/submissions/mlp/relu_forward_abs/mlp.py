def relu_forward(x):
    return abs(x), x
