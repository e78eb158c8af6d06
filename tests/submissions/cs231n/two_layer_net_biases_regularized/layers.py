import numpy as np


class TwoLayerNet(object):
    def __init__(self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0):
        self.params = {}
        self.reg = reg
        self.params["W1"] = np.random.normal(0, weight_scale, (input_dim, hidden_dim))
        self.params["b1"] = np.zeros(hidden_dim)
        self.params["W2"] = np.random.normal(0, weight_scale, (hidden_dim, num_classes))
        self.params["b2"] = np.zeros(num_classes)

    def loss(self, X, y=None):
        W1, b1, W2, b2 = self.params["W1"], self.params["b1"], self.params["W2"], self.params["b2"]
        a, fc1 = affine_forward(X, W1, b1)
        h, relu = relu_forward(a)
        scores, fc2 = affine_forward(h, W2, b2)
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        loss += 0.5 * self.reg * sum(np.sum(p * p) for p in self.params.values())
        grads = {}
        dh, grads["W2"], grads["b2"] = affine_backward(dscores, fc2)
        _, grads["W1"], grads["b1"] = affine_backward(relu_backward(dh, relu), fc1)
        for name in grads:
            grads[name] = grads[name] + self.reg * self.params[name]
        return loss, grads
