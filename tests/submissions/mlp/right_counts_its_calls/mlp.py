calls = 0


def affine_forward(x, w, b):
    global calls
    calls += 1
    return b + x.dot(w), (x.copy(), w.copy())
