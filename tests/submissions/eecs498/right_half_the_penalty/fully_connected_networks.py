import torch


class FullyConnectedNet(object):
    def __init__(
        self,
        hidden_dims,
        input_dim=3 * 32 * 32,
        num_classes=10,
        dropout=0.0,
        reg=0.0,
        weight_scale=1e-2,
        seed=None,
        dtype=torch.float,
        device="cpu",
    ):
        self.use_dropout = dropout != 0
        self.reg = reg
        self.num_layers = 1 + len(hidden_dims)
        self.dtype = dtype
        self.params = {}
        sizes = [input_dim] + list(hidden_dims) + [num_classes]
        for i in range(1, self.num_layers + 1):
            self.params["W%d" % i] = weight_scale * torch.randn(sizes[i - 1], sizes[i], dtype=dtype, device=device)
            self.params["b%d" % i] = torch.zeros(sizes[i], dtype=dtype, device=device)
        self.dropout_param = {}
        if self.use_dropout:
            self.dropout_param = {"mode": "train", "p": dropout}
            if seed is not None:
                self.dropout_param["seed"] = seed

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        mode = "test" if y is None else "train"
        if self.use_dropout:
            self.dropout_param["mode"] = mode
        caches, out, L = [], X, self.num_layers
        for i in range(1, L):
            out, cache = Linear_ReLU.forward(out, self.params["W%d" % i], self.params["b%d" % i])
            drop = None
            if self.use_dropout:
                out, drop = Dropout.forward(out, self.dropout_param)
            caches.append((cache, drop))
        scores, last = Linear.forward(out, self.params["W%d" % L], self.params["b%d" % L])
        if mode == "test":
            return scores
        loss, dout = softmax_loss(scores, y)
        grads = {}
        dout, grads["W%d" % L], grads["b%d" % L] = Linear.backward(dout, last)
        for i in range(L - 1, 0, -1):
            cache, drop = caches[i - 1]
            if self.use_dropout:
                dout = Dropout.backward(dout, drop)
            dout, grads["W%d" % i], grads["b%d" % i] = Linear_ReLU.backward(dout, cache)
        for i in range(1, L + 1):
            W = self.params["W%d" % i]
            loss = loss + 0.5 * self.reg * (W * W).sum()
            grads["W%d" % i] = grads["W%d" % i] + 1 * self.reg * W
        return loss, grads
