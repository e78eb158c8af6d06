def loss_and_gradients(params, x, y):
    leaves = {name: Tensor(value) for name, value in params.items()}
    hidden = (Tensor(x) @ leaves["W1"] + leaves["b1"]).tanh()
    scores = hidden @ leaves["W2"] + leaves["b2"]
    log_p = scores - scores.exp().sum(axis=1, keepdims=True).log()
    loss = -(Tensor(one_hot(y, scores.data.shape[1], like=x)) * log_p).sum()
    loss.backward()
    return loss.data, {name: leaf.grad for name, leaf in leaves.items()}
