def softmax_backward(dp, cache):
    p = cache
    return p * (dp - dp.mean(axis=-1, keepdims=True))
