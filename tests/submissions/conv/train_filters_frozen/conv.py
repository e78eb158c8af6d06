def train(params, images, labels, lr, batch, steps):
    x, losses = prepare(images), []
    for step in range(steps):
        rows = [(step * batch + i) % len(x) for i in range(batch)]
        scores, cache = cnn_forward(params, x[rows], 1)
        loss, dscores = softmax_loss(scores, labels[rows])
        grads = cnn_backward(dscores, cache)
        params = {"conv": params["conv"], "affine": sgd_step(params["affine"], grads["affine"], lr)}
        losses.append(float(loss))
    return params, losses
