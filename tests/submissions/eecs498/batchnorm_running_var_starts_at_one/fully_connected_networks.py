import torch


class BatchNorm(object):
    @staticmethod
    def forward(x, gamma, beta, bn_param):
        eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
        N, D = x.shape
        running_mean = bn_param.get("running_mean", torch.zeros(D, dtype=x.dtype, device=x.device))
        running_var = bn_param.get("running_var", torch.ones(D, dtype=x.dtype, device=x.device))
        if bn_param["mode"] == "train":
            mean, var = x.mean(dim=0), x.var(dim=0, unbiased=False)
            running_mean = momentum * running_mean + (1 - momentum) * mean
            running_var = momentum * running_var + (1 - momentum) * var
        else:
            mean, var = running_mean, running_var
        bn_param["running_mean"], bn_param["running_var"] = running_mean.detach(), running_var.detach()
        std = torch.sqrt(var + eps)
        x_hat = (x - mean) / std
        return gamma * x_hat + beta, (x_hat, std, gamma)

    @staticmethod
    def backward(dout, cache):
        return BatchNorm.backward_alt(dout, cache)

    @staticmethod
    def backward_alt(dout, cache):
        x_hat, std, gamma = cache
        dbeta, dgamma = dout.sum(dim=0), (dout * x_hat).sum(dim=0)
        return gamma / std * (dout - (dbeta + x_hat * dgamma) / len(dout)), dgamma, dbeta
