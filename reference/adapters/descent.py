"""What the judge asks, in the words of descent.py: functions are handed over by number, and points in rows.

It only translates. The claims about a gradient that it makes are right or wrong as the arguments say; which of them a
checker ought to accept, the judge works out for itself.
"""

from array_api_compat import array_namespace, device


def _slope(x):
    return _sum(_alternating(x) * x + array_namespace(x).sin(x))


def _dslope(x):
    return _alternating(x) + array_namespace(x).cos(x)


def _humps(x):
    return _sum(x * array_namespace(x).exp(-x))


def _dhumps(x):
    return (1 - x) * array_namespace(x).exp(-x)


def _bowl(x):
    return _sum(x) ** 2 / 2 + _sum((1 + _count(x)) * x**4) / 4


def _dbowl(x):
    return _sum(x) + (1 + _count(x)) * x**3


FUNCTIONS = ((_slope, _dslope), (_humps, _dhumps), (_bowl, _dbowl))


def f(x):
    """A layer whose cache is what went in."""
    kept = _copy(x)
    return student.f(x), kept


def df(dout, x):
    return _times(dout, student.df(x))


def valley(p):
    kept = _copy(p)
    return student.valley(p), kept


def dvalley(dout, p):
    return _times(dout, student.dvalley(p))


def descend(start, function, rate, steps):
    return _points(student.descend(FUNCTIONS[function][1], start, rate, steps))


def line(start, rate, steps):
    return _points(student.descend(student.df, start, rate, steps))


def valley_path(start, rate, steps):
    return _points(student.descend(student.dvalley, start, rate, steps))


def central_difference(x, function, h):
    return student.central_difference(FUNCTIONS[function][0], x, h)


def check_gradient(x, wrong, component, function, scale, factor, shift, turn):
    """A verdict on each point: one array of them."""
    xp = array_namespace(x)
    of, gradient = FUNCTIONS[function]

    def scaled(row):
        return scale * of(row)

    def claim(weight, turned, added):
        def claimed(row):
            found = gradient(row)
            return scale * (weight * (xp.roll(found, 1) if turned else found) + added)

        return claimed

    verdicts = []
    for row, is_wrong, at in zip(x, wrong, component, strict=True):
        one = xp.astype(_count(row) == at, row.dtype)
        claimed = claim(factor, turn, shift * one) if is_wrong else claim(1.0, False, 0 * one)
        verdicts.append(_verdict(student.check_gradient(scaled, claimed, row), xp))
    return xp.asarray(verdicts, device=device(x))


def _times(dout, slopes):
    """Upstream gradients times slopes; what is no array is handed over as it is, for the judge to name."""
    return dout * slopes if hasattr(slopes, "shape") else slopes


def _verdict(value, xp):
    """A truth value, in any of the forms that it may have."""
    if isinstance(value, int):
        return bool(value)
    if getattr(value, "shape", None) == () and xp.isdtype(value.dtype, "bool"):
        return bool(value)
    raise TypeError(f"check_gradient must return True or False, it returned a value of type {type(value).__name__}")


def _points(path):
    """A path as a list of points; one array of them is as good."""
    return list(path) if getattr(path, "shape", ()) != () else path


def _sum(x):
    return array_namespace(x).sum(x)


def _count(x):
    return array_namespace(x).arange(x.shape[0], device=device(x))


def _alternating(x):
    xp = array_namespace(x)
    return xp.where(_count(x) % 2 == 0, 2 + 0 * x, -3 + 0 * x)


def _copy(x):
    return array_namespace(x).asarray(x, copy=True)
