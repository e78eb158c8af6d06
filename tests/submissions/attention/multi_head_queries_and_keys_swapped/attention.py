def multi_head_backward(dout, cache):
    params, x, heads, merged, attended = cache
    rows = x.reshape(-1, x.shape[2])
    grads = {"wo": merged.reshape(-1, merged.shape[2]).T @ dout.reshape(-1, dout.shape[2])}
    dmerged = split_heads(dout @ params["wo"].T, heads)
    dx = 0
    for name, dpart in zip(("wk", "wq", "wv"), attention_backward(dmerged, attended)):
        dprojected = merge_heads(dpart)
        grads[name] = rows.T @ dprojected.reshape(len(rows), -1)
        dx = dx + dprojected @ params[name].T
    return grads, dx
