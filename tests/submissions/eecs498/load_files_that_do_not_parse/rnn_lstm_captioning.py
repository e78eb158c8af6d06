import math
from typing import Optional, Tuple

import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torchvision.models import feature_extraction


class ImageEncoder(nn.Module):
    def __init__(self, pretrained: bool = True):
        super().__init__()
        self.cnn = torchvision.models.regnet_x_400mf(pretrained=pretrained)


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    """One step."""
    next_h = torch.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h, cache):
    """Its gradients."""
    x, prev_h, Wx, Wh, next_h = cache
    da = dnext_h * (1 - next_h**2)
    return da @ Wx.t(), da @ Wh.t(), x.t() @ da, prev_h.t() @ da, da.sum(0)


def rnn_forward(x, h0, Wx, Wh, b):
    """All steps."""
    h, states, caches = h0, [], []
    for t in range(x.shape[1]):
        h, cache = rnn_step_forward(x[:, t], h, Wx, Wh, b)
        states.append(h)
        caches.append(cache)
    return torch.stack(states, 1), caches


def rnn_backward(dh, cache):
    """Back through time: a state is seen by its own output and by the next step."""
    steps, carried = [], torch.zeros_like(dh[:, 0])
    for t in range(dh.shape[1] - 1, -1, -1):
        dx, carried, *weights = rnn_step_backward(dh[:, t] + carried, cache[t])
        steps.insert(0, (dx, *weights))
    dx, dWx, dWh, db = zip(*steps)
    return torch.stack(dx, 1), carried, sum(dWx), sum(dWh), sum(db)


class LSTM(nn.Module):
    """Gates in the order input, forget, output, and the block's input."""

    def __init__(self, input_dim, hidden_dim):
        super().__init__()
        self.Wx = nn.Parameter(torch.randn(input_dim, 4 * hidden_dim) / math.sqrt(input_dim))
        self.Wh = nn.Parameter(torch.randn(hidden_dim, 4 * hidden_dim) / math.sqrt(hidden_dim))
        self.b = nn.Parameter(torch.zeros(4 * hidden_dim))

    def step_forward(self, x, prev_h, prev_c):
        i, f, o, g = (x @ self.Wx + prev_h @ self.Wh + self.b).chunk(4, dim=1)
        next_c = torch.sigmoid(f) * prev_c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(next_c), next_c

    def forward(self, x, h0):
        h, c, states = h0, torch.zeros_like(h0), []
        for t in range(x.shape[1]):
            h, c = self.step_forward(x[:, t], h, c)
            states.append(h)
        return torch.stack(states, 1)


class WordEmbedding(nn.Module):
    """Rows of a table."""

    def __init__(self, vocab_size, embed_size):
        super().__init__()
        self.W_embed = nn.Parameter(torch.randn(vocab_size, embed_size) / math.sqrt(vocab_size))

    def forward(self, x):
        return self.W_embed[x]


def temporal_softmax_loss(x, y, ignore_index=None):
    return F.cross_entropy(x.permute(0, 2, 1), y, ignore_index=ignore_index, reduction="sum") / x.shape[0]


def dot_product_attention(prev_h, A):
    """What a state sees of a grid: the weighted mean, and the weights."""
    N, H, P, Q = A.shape
    places = A.reshape(N, H, P * Q)
    weights = torch.softmax((prev_h[:, None] @ places / math.sqrt(H))[:, 0], dim=1)
    return (places @ weights[:, :, None])[:, :, 0], weights.reshape(N, P, Q)
