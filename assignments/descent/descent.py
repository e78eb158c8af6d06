"""Going downhill: derivatives by hand, gradient descent, and a checker for derivatives.

Fill in the functions below, from the top down. The lesson in README.md derives every formula and has small examples
with numbers; `pytest` in this folder says how far you are.

D is the number of components of a point. Arrays are NumPy's, of float64. So that your code would run on torch
tensors, on a GPU, as it is: with `xp = array_namespace(x)`, write `xp.log(x)` where you would write `np.log(x)`. What
has no prefix (`x * x`, `x**3`, `x > 0`, `a + b`) works on both. Write the derivatives yourself: nothing here
differentiates for you, and where a formula is asked, differences are no answer.
"""

from array_api_compat import array_namespace, device


def f(x):
    """A curve with one valley and one flat place, entry by entry: the logarithm of x⁴ + x³ + 2.

    Args:
        x: array of any shape.

    Returns:
        f at each entry of x, of the shape of x.
    """
    raise NotImplementedError("f is not written yet")


def df(x):
    """The derivative of f, entry by entry, as a formula.

    With u(x) = x⁴ + x³ + 2, f is log u, and the chain rule says f'(x) = u'(x) / u(x).

    Args:
        x: array of any shape.

    Returns:
        f' at each entry of x, of the shape of x.
    """
    raise NotImplementedError("df is not written yet")


def descend(gradient, start, rate, steps):
    """Gradient descent: from `start`, `steps` times one step against the gradient.

    x[0] = start
    x[k + 1] = x[k] - rate gradient(x[k])        k = 0, ..., steps - 1

    Args:
        gradient: function of an array that returns an array of the same shape. Any function: that of a curve (df
            below a row of starting points) or of a surface (dvalley).
        start: array of any shape. It stays as it was.
        rate: the learning rate, a float.
        steps: number of steps, an int; the path has one point more.

    Returns:
        The path: a list of steps + 1 arrays, from the start to the last point.
    """
    raise NotImplementedError("descend is not written yet")


def valley(p):
    """A curved valley in two dimensions: at the point (x, y) its height is

    (1 - x)² + 10 (y - x²)²

    Args:
        p: (2,) or (2, N): a point, or N of them. p[0] is x and p[1] is y.

    Returns:
        The height there: a single number, or (N,).
    """
    raise NotImplementedError("valley is not written yet")


def dvalley(p):
    """The gradient of the valley: its derivative with respect to x and to y, as formulas.

    Args:
        p: (2,) or (2, N): a point, or N of them. p[0] is x and p[1] is y.

    Returns:
        ∂valley/∂x and ∂valley/∂y there, in one array of the shape of p.
    """
    raise NotImplementedError("dvalley is not written yet")


def central_difference(f, x, h):
    """The gradient of a function in numbers, one component after the other.

    n[d] = (f(x + h e_d) - f(x - h e_d)) / (2h)

    e_d is 1 at d and 0 elsewhere: only component d of x moves.

    Args:
        f: function of an array (D,) that returns a single number. Any such function.
        x: (D,), where. It stays as it was.
        h: the step, a float. Use this one.

    Returns:
        n: (D,).
    """
    raise NotImplementedError("central_difference is not written yet")


def check_gradient(f, df, x):
    """Whether df gives the gradient of f at x. Step and tolerance are yours to choose.

    Let s be the size of f near x: of f(x) and of its slopes, whichever is larger. (f varies over lengths of about 1,
    so the two are never far apart, but for places where the slopes vanish.) Then

    - a right df is accepted, whatever s is (from 1e-8 to 1e8), also where some or all slopes are 0;
    - a df with an error of s/1000 or more in any component is rejected.

    Args:
        f: function of an array (D,) that returns a single number.
        df: function of an array (D,) that returns an array (D,), maybe the gradient of f.
        x: (D,), where. It stays as it was.

    Returns:
        True if df(x) is the gradient of f at x, False if it is not.
    """
    raise NotImplementedError("check_gradient is not written yet")
