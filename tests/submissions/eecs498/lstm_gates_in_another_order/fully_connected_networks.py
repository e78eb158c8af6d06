import math

import torch
from torch import nn


class LSTM(nn.Module):
    def __init__(self, input_dim, hidden_dim):
        super().__init__()
        self.Wx = nn.Parameter(torch.randn(input_dim, hidden_dim * 4).div(math.sqrt(input_dim)))
        self.Wh = nn.Parameter(torch.randn(hidden_dim, hidden_dim * 4).div(math.sqrt(hidden_dim)))
        self.b = nn.Parameter(torch.zeros(hidden_dim * 4))

    def step_forward(self, x, prev_h, prev_c):
        i, f, g, o = (x.mm(self.Wx) + prev_h.mm(self.Wh) + self.b).chunk(4, dim=1)
        next_c = torch.sigmoid(f) * prev_c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(next_c), next_c

    def forward(self, x, h0):
        h, c, every = h0, torch.zeros_like(h0), []
        for t in range(x.shape[1]):
            h, c = self.step_forward(x[:, t], h, c)
            every.append(h)
        return torch.stack(every, dim=1)
