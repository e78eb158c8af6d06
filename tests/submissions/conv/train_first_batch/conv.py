def train(params, images, labels, lr, batch, steps):
    x, losses = prepare(images), []
    for step in range(steps):
        scores, cache = cnn_forward(params, x[:batch], 1)
        loss, dscores = softmax_loss(scores, labels[:batch])
        params = sgd_step(params, cnn_backward(dscores, cache), lr)
        losses.append(float(loss))
    return params, losses
