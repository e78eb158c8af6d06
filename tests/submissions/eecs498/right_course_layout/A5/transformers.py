import math

import torch
from torch import Tensor, nn, optim
from torch.nn import functional as F


def scaled_dot_product_two_loop_single(query, key, value):
    """A query and a key at a time."""
    K, M = query.shape
    out = torch.zeros_like(value)
    for q in range(K):
        scores = torch.stack([query[q] @ key[k] / math.sqrt(M) for k in range(K)])
        out[q] = torch.softmax(scores, dim=0) @ value
    return out


def scaled_dot_product_two_loop_batch(query, key, value):
    """A sequence and a query at a time."""
    out = torch.zeros_like(value)
    for n in range(len(query)):
        for q in range(query.shape[1]):
            scores = key[n] @ query[n, q] / math.sqrt(query.shape[2])
            out[n, q] = torch.softmax(scores, dim=0) @ value[n]
    return out


def scaled_dot_product_no_loop_batch(query, key, value, mask=None):
    """All at once."""
    scores = query @ key.transpose(1, 2) / math.sqrt(query.shape[2])
    if mask is not None:
        scores = scores.masked_fill(mask, -1e9)
    weights = torch.softmax(scores, dim=2)
    return weights @ value, weights


class SelfAttention(nn.Module):
    """Query, key and value by linear layers."""

    def __init__(self, dim_in, dim_q, dim_v):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(dim_in, dim_q), nn.Linear(dim_in, dim_q), nn.Linear(dim_in, dim_v)
        self.weights_softmax = None

    def forward(self, query, key, value, mask=None):
        y, self.weights_softmax = scaled_dot_product_no_loop_batch(self.q(query), self.k(key), self.v(value), mask)
        return y


class MultiHeadAttention(nn.Module):
    """Heads side by side, and a linear layer over them."""

    def __init__(self, num_heads, dim_in, dim_out):
        super().__init__()
        self.heads = nn.ModuleList([SelfAttention(dim_in, dim_out, dim_out) for _ in range(num_heads)])
        self.last = nn.Linear(num_heads * dim_out, dim_in)

    def forward(self, query, key, value, mask=None):
        return self.last(torch.cat([head(query, key, value, mask) for head in self.heads], dim=2))


class LayerNormalization(nn.Module):
    """Place by place."""

    def __init__(self, emb_dim, epsilon=1e-10):
        super().__init__()
        self.epsilon = epsilon
        self.scale, self.shift = nn.Parameter(torch.ones(emb_dim)), nn.Parameter(torch.zeros(emb_dim))

    def forward(self, x):
        centred = x - x.mean(-1, keepdim=True)
        std = torch.sqrt((centred**2).mean(-1, keepdim=True) + self.epsilon)
        return self.scale * centred / std + self.shift


class FeedForwardBlock(nn.Module):
    """linear, ReLU, linear."""

    def __init__(self, inp_dim, hidden_dim_feedforward):
        super().__init__()
        self.first = nn.Linear(inp_dim, hidden_dim_feedforward)
        self.second = nn.Linear(hidden_dim_feedforward, inp_dim)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


def get_subsequent_mask(seq):
    """True for the places after each."""
    N, K = seq.shape
    places = torch.arange(K)
    return (places[None, :] > places[:, None]).expand(N, K, K)
