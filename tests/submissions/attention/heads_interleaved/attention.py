def split_heads(x, heads):
    N, T, E = x.shape
    return x.reshape(N, T, E // heads, heads).transpose(0, 3, 1, 2)
