import math

import torch
from torch import nn
from torch.nn import functional as F


class MultiHeadAttention(nn.Module):
    def __init__(self, num_heads: int, dim_in: int, dim_out: int):
        super().__init__()
        self.W_o = nn.Linear(num_heads * dim_out, dim_in)
        self.attention_blocks = nn.ModuleList(SelfAttention(dim_in, dim_out, dim_out) for _ in range(num_heads))
        bound = math.sqrt(6 / (dim_in + num_heads * dim_out))
        nn.init.uniform_(self.W_o.weight, -bound, bound)

    def forward(self, query, key, value, mask=None):
        return self.W_o(torch.cat([block(query, key, value, mask) for block in self.attention_blocks], dim=-1))


class LayerNormalization(nn.Module):
    def __init__(self, emb_dim: int, epsilon: float = 1e-10):
        super().__init__()
        self.epsilon = epsilon
        self.register_parameter("shift", nn.Parameter(torch.zeros(emb_dim)))
        self.register_parameter("scale", nn.Parameter(torch.ones(emb_dim)))

    def forward(self, x):
        mean = torch.sum(x, dim=-1, keepdim=True) / x.shape[-1]
        var = torch.sum((x - mean) ** 2, dim=-1, keepdim=True) / x.shape[-1]
        return self.scale * (x - mean) * torch.rsqrt(var + self.epsilon) + self.shift


class FeedForwardBlock(nn.Module):
    def __init__(self, inp_dim: int, hidden_dim_feedforward: int):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(inp_dim, hidden_dim_feedforward), nn.ReLU(), nn.Linear(hidden_dim_feedforward, inp_dim)
        )

    def forward(self, x):
        return self.net(x)
