def multi_head_forward(params, x, mask, heads):
    q, k, v = (split_heads(x @ params[name], 1) for name in ("wq", "wk", "wv"))
    attended, cache = attention_forward(q, k, v, mask)
    merged = merge_heads(attended)
    return merged @ params["wo"], (params, x, 1, merged, cache)
