def block_forward(params, x, mask, heads, eps):
    p, q, mlp = params["norm1"], params["norm2"], params["mlp"]
    attended, attention = multi_head_forward(params["attention"], x, mask, heads)
    y, norm1 = layer_norm_forward(x + attended, p["gamma"], p["beta"], eps)
    hidden, first = affine_forward(y, mlp["w1"], mlp["b1"])
    active, gelu = gelu_forward(hidden)
    out, second = affine_forward(active, mlp["w2"], mlp["b2"])
    out, norm2 = layer_norm_forward(y + out, q["gamma"], q["beta"], eps)
    return out, (norm1, attention, norm2, first, gelu, second)
