# layer
from array_api_compat import array_namespace


def f(x, w):
    xp = array_namespace(x)
    t = xp.tanh(x)
    return t * w, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), array_namespace(dout).sum(dout * t, axis=0)
