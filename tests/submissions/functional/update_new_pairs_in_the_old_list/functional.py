def update(params, x, y, rate):
    for layer, (dw, db) in enumerate(loss_gradient(params, x, y)):
        w, b = params[layer]
        params[layer] = (w - rate * dw, b - rate * db)
    return params
