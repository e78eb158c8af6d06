import torch


class Conv(object):
    @staticmethod
    def forward(x, w, b, conv_param):
        pad, stride = conv_param["pad"], conv_param["stride"]
        N, C, H, W = x.shape
        F, C, HH, WW = w.shape
        xp = torch.nn.functional.pad(x, (pad, pad, pad, pad))
        out = torch.zeros(N, F, 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride)
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                part = xp[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
                out[:, :, i, j] = torch.tensordot(part, w, dims=([1, 2, 3], [1, 2, 3])) + b
        return out, (x, w, b, conv_param)

    @staticmethod
    def backward(dout, cache):
        x, w, b, conv_param = cache
        pad, stride = conv_param["pad"], conv_param["stride"]
        HH, WW = w.shape[2:]
        xp = torch.nn.functional.pad(x, (pad, pad, pad, pad))
        dxp, dw = torch.zeros_like(xp), torch.zeros_like(w)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                h, v = i * stride, j * stride
                dw += torch.tensordot(dout[:, :, i, j].t(), xp[:, :, h : h + HH, v : v + WW], dims=1)
                dxp[:, :, h : h + HH, v : v + WW] += torch.tensordot(dout[:, :, i, j], w, dims=1)
        return dxp[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]], dw, dout.sum(dim=(0, 2, 3))
