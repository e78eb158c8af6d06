def update(params, x, y, rate):
    grads = loss_gradient(params, x, y)
    return [(w - rate * dw / len(x), b - rate * db / len(x)) for (w, b), (dw, db) in zip(params, grads)]
