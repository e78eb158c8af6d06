for _ in range(100):
    print("x" * 1_000_000)


def relu_forward(x):
    return x * (x > 0), x
