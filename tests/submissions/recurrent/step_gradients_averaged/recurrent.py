def rnn_step_backward(dh_next, cache):
    x, h, wx, wh, h_next = cache
    N = x.shape[0]
    da = dh_next * (1 - h_next**2)
    return da @ wx.T, da @ wh.T, x.T @ da / N, h.T @ da / N, da.mean(axis=0)
