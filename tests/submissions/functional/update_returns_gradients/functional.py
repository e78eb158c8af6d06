def update(params, x, y, rate):
    return loss_gradient(params, x, y)
