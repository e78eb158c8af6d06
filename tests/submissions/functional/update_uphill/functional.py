def update(params, x, y, rate):
    grads = loss_gradient(params, x, y)
    return [(w + rate * dw, b + rate * db) for (w, b), (dw, db) in zip(params, grads)]
