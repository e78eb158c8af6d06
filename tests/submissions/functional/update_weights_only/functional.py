def update(params, x, y, rate):
    return [(w - rate * dw, b) for (w, b), (dw, _) in zip(params, loss_gradient(params, x, y))]
