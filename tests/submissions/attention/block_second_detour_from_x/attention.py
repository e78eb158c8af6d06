def block_forward(params, x, mask, heads, eps):
    p, q, mlp = params["norm1"], params["norm2"], params["mlp"]
    normed, norm1 = layer_norm_forward(x, p["gamma"], p["beta"], eps)
    attended, attention = multi_head_forward(params["attention"], normed, mask, heads)
    normed, norm2 = layer_norm_forward(x, q["gamma"], q["beta"], eps)
    hidden, first = affine_forward(normed, mlp["w1"], mlp["b1"])
    active, gelu = gelu_forward(hidden)
    out, second = affine_forward(active, mlp["w2"], mlp["b2"])
    out = x + attended + out
    return out, (norm1, attention, norm2, first, gelu, second)
