_velocity = []


def update(params, x, y, rate):
    grads = loss_gradient(params, x, y)
    if not _velocity or any(v.shape != dw.shape for (v, _), (dw, _) in zip(_velocity, grads)):
        _velocity[:] = [(0 * dw, 0 * db) for dw, db in grads]
    _velocity[:] = [(0.9 * v + dw, 0.9 * u + db) for (v, u), (dw, db) in zip(_velocity, grads)]
    return [(w - rate * v, b - rate * u) for (w, b), (v, u) in zip(params, _velocity)]
