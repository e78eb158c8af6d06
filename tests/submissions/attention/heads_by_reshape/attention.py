def split_heads(x, heads):
    N, T, E = x.shape
    return x.reshape(N, heads, T, E // heads)
