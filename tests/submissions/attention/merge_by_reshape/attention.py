def merge_heads(x):
    N, H, T, K = x.shape
    return x.reshape(N, T, H * K)
