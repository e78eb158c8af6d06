from builtins import object
import numpy as np

from ..layers import *
from ..fast_layers import *
from ..layer_utils import *


class ThreeLayerConvNet:
    """conv, ReLU, 2 x 2 max pool, affine, ReLU, affine, softmax."""

    def __init__(
        self,
        input_dim=(3, 32, 32),
        num_filters=32,
        filter_size=7,
        hidden_dim=100,
        num_classes=10,
        weight_scale=1e-3,
        reg=0.0,
        dtype=np.float32,
    ):
        self.reg, self.dtype = reg, dtype
        C, H, W = input_dim
        shapes = {
            "W1": (num_filters, C, filter_size, filter_size),
            "W2": (num_filters * (H // 2) * (W // 2), hidden_dim),
            "W3": (hidden_dim, num_classes),
        }
        self.params = {name: weight_scale * np.random.randn(*shape) for name, shape in shapes.items()}
        self.params |= {"b1": np.zeros(num_filters), "b2": np.zeros(hidden_dim), "b3": np.zeros(num_classes)}
        self.params = {name: value.astype(dtype) for name, value in self.params.items()}

    def loss(self, X, y=None):
        """Scores, or loss and gradients where y is given."""
        params = self.params
        conv_param = {"stride": 1, "pad": (params["W1"].shape[2] - 1) // 2}
        pool_param = {"pool_height": 2, "pool_width": 2, "stride": 2}
        out, first = conv_relu_pool_forward(X, params["W1"], params["b1"], conv_param, pool_param)
        out, hidden = affine_forward(out, params["W2"], params["b2"])
        out, second = relu_forward(out)
        scores, last = affine_forward(out, params["W3"], params["b3"])
        if y is None:
            return scores
        loss, dout = softmax_loss(scores, y)
        grads = {}
        dout, grads["W3"], grads["b3"] = affine_backward(dout, last)
        dout, grads["W2"], grads["b2"] = affine_backward(relu_backward(dout, second), hidden)
        _, grads["W1"], grads["b1"] = conv_relu_pool_backward(dout, first)
        for name in ("W1", "W2", "W3"):
            loss += 0.5 * self.reg * np.sum(params[name] ** 2)
            grads[name] += self.reg * params[name]
        return loss, grads
