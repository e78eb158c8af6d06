def update(params, x, y, rate):
    for (w, b), (dw, db) in zip(params, loss_gradient(params, x, y)):
        w -= rate * dw
        b -= rate * db
    return params
