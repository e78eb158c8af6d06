class SpatialBatchNorm(object):
    @staticmethod
    def forward(x, gamma, beta, bn_param):
        out, cache = BatchNorm.forward(x.reshape(-1, x.shape[1]), gamma, beta, bn_param)
        return out.reshape(x.shape), cache

    @staticmethod
    def backward(dout, cache):
        dx, dgamma, dbeta = BatchNorm.backward_alt(dout.reshape(-1, dout.shape[1]), cache)
        return dx.reshape(dout.shape), dgamma, dbeta
