from array_api_compat import array_namespace, device


def one_hot(y, classes, like):
    xp = array_namespace(like)
    columns = xp.arange(classes, device=device(like))
    return xp.astype(y[:, None] == columns[None, :], like.dtype)


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    xp = array_namespace(dout)
    return dout @ w.T, x.T @ dout, xp.sum(dout, axis=0)


def relu_forward(x):
    xp = array_namespace(x)
    return xp.maximum(x, xp.zeros_like(x)), x


def relu_backward(dout, cache):
    xp = array_namespace(dout)
    return xp.where(cache > 0, dout, xp.zeros_like(dout))


def softmax_loss(scores, y):
    xp = array_namespace(scores)
    examples, classes = scores.shape
    shifted = scores - xp.max(scores, axis=1, keepdims=True)
    log_p = shifted - xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True))
    right = one_hot(y, classes, like=scores)
    loss = -xp.sum(right * log_p) / examples
    return loss, (xp.exp(log_p) - right) / examples


def mlp_forward(params, x):
    hidden, first = affine_forward(x, params["W1"], params["b1"])
    active, rectified = relu_forward(hidden)
    scores, second = affine_forward(active, params["W2"], params["b2"])
    return scores, (first, rectified, second)


def mlp_backward(dscores, cache):
    first, rectified, second = cache
    dactive, dw2, db2 = affine_backward(dscores, second)
    dhidden = relu_backward(dactive, rectified)
    _, dw1, db1 = affine_backward(dhidden, first)
    return {"W1": dw1, "b1": db1, "W2": dw2, "b2": db2}


def sgd_step(params, grads, lr):
    return {name: value - lr * grads[name] for name, value in params.items()}


def train(params, x, y, lr, batch, steps):
    xp = array_namespace(x)
    losses = []
    for step in range(steps):
        rows = (xp.arange(batch, device=device(x)) + step * batch) % x.shape[0]
        scores, cache = mlp_forward(params, xp.take(x, rows, axis=0))
        loss, dscores = softmax_loss(scores, xp.take(y, rows, axis=0))
        params = sgd_step(params, mlp_backward(dscores, cache), lr)
        losses.append(float(loss))
    return params, losses


if __name__ == "__main__":
    print "done"
