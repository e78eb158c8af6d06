def softmax_backward(dp, cache):
    p = cache
    return dp * p * (1 - p)
