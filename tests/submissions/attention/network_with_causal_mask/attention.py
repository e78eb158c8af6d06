def reverser_forward(params, codes, heads, eps):
    chosen = one_hot(codes, len(params["embed"]), params["embed"])
    x = chosen @ params["embed"]
    y, block = block_forward(params["block"], x + positions(x), causal_mask(x), heads, eps)
    scores, affine = affine_forward(y, params["w"], params["c"])
    return scores, (chosen, block, affine)
