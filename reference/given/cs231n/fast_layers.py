"""The fast layers by the student's own slow ones: here the arrays are small."""

from .layers import conv_backward_naive as conv_backward_fast
from .layers import conv_forward_naive as conv_forward_fast
from .layers import max_pool_backward_naive as max_pool_backward_fast
from .layers import max_pool_forward_naive as max_pool_forward_fast

conv_forward_im2col = conv_forward_strides = conv_forward_fast
conv_backward_im2col = conv_backward_strides = conv_backward_fast
