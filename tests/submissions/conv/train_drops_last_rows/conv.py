def train(params, images, labels, lr, batch, steps):
    x, losses = prepare(images), []
    for step in range(steps):
        first = step % (len(x) // batch) * batch
        scores, cache = cnn_forward(params, x[first : first + batch], 1)
        loss, dscores = softmax_loss(scores, labels[first : first + batch])
        params = sgd_step(params, cnn_backward(dscores, cache), lr)
        losses.append(float(loss))
    return params, losses
