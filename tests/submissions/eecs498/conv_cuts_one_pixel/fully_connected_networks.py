import torch


class Conv(object):
    @staticmethod
    def forward(x, w, b, conv_param):
        out = torch.nn.functional.conv2d(x, w, b, stride=conv_param["stride"], padding=conv_param["pad"])
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
        return dxp[:, :, 1:-1, 1:-1], dw, dout.sum(dim=(0, 2, 3))
