import numpy as np

_params = []


def predict(params, x):
    _params.extend([] if _params else params)
    *hidden, (w, b) = _params
    for weights, bias in hidden:
        x = np.maximum(x @ weights + bias, 0)
    return x @ w + b
