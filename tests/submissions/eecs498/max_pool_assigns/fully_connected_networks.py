import torch


class MaxPool(object):
    @staticmethod
    def forward(x, pool_param):
        height, width, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
        N, C, H, W = x.shape
        out = torch.zeros(N, C, int(1 + (H - height) / stride), int(1 + (W - width) / stride), dtype=x.dtype)
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                part = x[:, :, i * stride : i * stride + height, j * stride : j * stride + width]
                out[:, :, i, j] = part.reshape(N, C, -1).max(dim=2).values
        return out, (x, pool_param)

    @staticmethod
    def backward(dout, cache):
        x, pool_param = cache
        height, width, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
        dx = torch.zeros_like(x)
        N, C = x.shape[:2]
        for n in range(N):
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    window = x[n, :, i * stride : i * stride + height, j * stride : j * stride + width]
                    local = torch.zeros(C, height * width, dtype=x.dtype)
                    local[range(C), window.reshape(C, -1).argmax(dim=1)] = dout[n, :, i, j]
                    dx[n, :, i * stride : i * stride + height, j * stride : j * stride + width] = local.reshape(
                        window.shape
                    )
        return dx
