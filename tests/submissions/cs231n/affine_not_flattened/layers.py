def affine_forward(x, w, b):
    out = x.dot(w) + b
    return out, (x, w, b)
