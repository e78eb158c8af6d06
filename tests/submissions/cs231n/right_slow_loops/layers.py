import numpy as np


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    print("conv", x.shape, w.shape)
    xp = np.zeros((x.shape[0], x.shape[1], x.shape[2] + 2 * pad, x.shape[3] + 2 * pad))
    xp[:, :, pad : x.shape[2] + pad, pad : x.shape[3] + pad] = x
    H, W = int(1 + (xp.shape[2] - w.shape[2]) / stride), int(1 + (xp.shape[3] - w.shape[3]) / stride)
    out = np.zeros((x.shape[0], w.shape[0], H, W))
    for n in range(out.shape[0]):
        for f in range(out.shape[1]):
            for i in range(H):
                for j in range(W):
                    part = xp[n, :, i * stride : i * stride + w.shape[2], j * stride : j * stride + w.shape[3]]
                    out[n, f, i, j] = (part * w[f]).sum() + b[f]
    return out, {"xp": xp, "w": w, "pad": pad, "stride": stride}


def conv_backward_naive(dout, cache):
    xp, w, pad, stride = cache.pop("xp"), cache.pop("w"), cache.pop("pad"), cache.pop("stride")
    dxp, dw, db = np.zeros(xp.shape), np.zeros(w.shape), np.zeros(w.shape[0])
    for n, f, i, j in np.ndindex(*dout.shape):
        part = np.s_[n, :, i * stride : i * stride + w.shape[2], j * stride : j * stride + w.shape[3]]
        dxp[part] += w[f] * dout[n, f, i, j]
        dw[f] += xp[part] * dout[n, f, i, j]
        db[f] += dout[n, f, i, j]
    return [dxp[:, :, pad : dxp.shape[2] - pad, pad : dxp.shape[3] - pad], dw, db]
