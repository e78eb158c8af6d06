def split_heads(x, heads):
    N, T, E = x.shape
    return x.reshape(N, heads, T, E // heads)


def merge_heads(x):
    N, H, T, K = x.shape
    return x.reshape(N, T, H * K)
