import torch


def nn_forward_backward(params, X, y=None, reg=0.0):
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    N = len(X)
    scores, h1 = nn_forward_pass(params, X)
    if y is None:
        return scores
    shifted = scores - scores.max(dim=1, keepdim=True).values
    p = shifted.exp() / shifted.exp().sum(dim=1, keepdim=True)
    loss = -p[torch.arange(N), y].log().mean() + reg * ((W1 * W1).sum() + (W2 * W2).sum())
    grads = {}
    d = p.clone()
    d[torch.arange(N), y] -= 1
    d /= N
    grads["W2"] = h1.t().mm(d) + 2 * reg * W2
    grads["b2"] = d.sum(dim=0)
    dh = d.mm(W2.t())
    dh[h1 == 0] = 0
    grads["W1"] = X.t().mm(dh) + 2 * reg * W1
    grads["b1"] = dh.sum(dim=0)
    return loss, grads
