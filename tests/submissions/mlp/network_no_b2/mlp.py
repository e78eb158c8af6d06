def mlp_forward(params, x):
    hidden, first = affine_forward(x, params["W1"], params["b1"])
    active, rectified = relu_forward(hidden)
    scores, second = affine_forward(active, params["W2"], 0 * params["b2"])
    return scores, (first, rectified, second)
