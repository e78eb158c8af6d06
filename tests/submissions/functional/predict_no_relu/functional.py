def predict(params, x):
    for w, b in params:
        x = x @ w + b
    return x
