"""Layers in a row, by the student's own."""

from .fast_layers import *
from .layers import *


def affine_relu_forward(x, w, b):
    """affine, ReLU."""
    a, first = affine_forward(x, w, b)
    out, second = relu_forward(a)
    return out, (first, second)


def affine_relu_backward(dout, cache):
    """dx, dw, db."""
    return affine_backward(relu_backward(dout, cache[1]), cache[0])


def conv_relu_forward(x, w, b, conv_param):
    """conv, ReLU."""
    a, first = conv_forward_fast(x, w, b, conv_param)
    out, second = relu_forward(a)
    return out, (first, second)


def conv_relu_backward(dout, cache):
    """dx, dw, db."""
    return conv_backward_fast(relu_backward(dout, cache[1]), cache[0])


def conv_relu_pool_forward(x, w, b, conv_param, pool_param):
    """conv, ReLU, max pool."""
    a, first = conv_relu_forward(x, w, b, conv_param)
    out, second = max_pool_forward_fast(a, pool_param)
    return out, (first, second)


def conv_relu_pool_backward(dout, cache):
    """dx, dw, db."""
    return conv_relu_backward(max_pool_backward_fast(dout, cache[1]), cache[0])


def conv_bn_relu_forward(x, w, b, gamma, beta, conv_param, bn_param):
    """conv, spatial batch norm, ReLU."""
    a, first = conv_forward_fast(x, w, b, conv_param)
    normalized, second = spatial_batchnorm_forward(a, gamma, beta, bn_param)
    out, third = relu_forward(normalized)
    return out, (first, second, third)


def conv_bn_relu_backward(dout, cache):
    """dx, dw, db, dgamma, dbeta."""
    da, dgamma, dbeta = spatial_batchnorm_backward(relu_backward(dout, cache[2]), cache[1])
    return *conv_backward_fast(da, cache[0]), dgamma, dbeta
