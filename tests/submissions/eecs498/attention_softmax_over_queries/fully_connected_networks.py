import math

import torch


def scaled_dot_product_no_loop_batch(query, key, value, mask=None):
    weights = torch.bmm(query, key.transpose(1, 2)) / math.sqrt(query.shape[2])
    if mask is not None:
        weights = weights.masked_fill(mask, -1e9)
    weights = torch.softmax(weights, dim=1)
    return torch.bmm(weights, value), weights
