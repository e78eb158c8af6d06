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
    # solution
    xp = array_namespace(x)
    return xp.log(x**4 + x**3 + 2)
    # end solution


def df(x):
    """The derivative of f, entry by entry, as a formula.

    With u(x) = x⁴ + x³ + 2, f is log u, and the chain rule says f'(x) = u'(x) / u(x).

    Args:
        x: array of any shape.

    Returns:
        f' at each entry of x, of the shape of x.
    """
    # solution
    return (4 * x**3 + 3 * x**2) / (x**4 + x**3 + 2)
    # end solution


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
    # solution
    path = [start]
    for _ in range(steps):
        path.append(path[-1] - rate * gradient(path[-1]))
    return path
    # end solution


def valley(p):
    """A curved valley in two dimensions: at the point (x, y) its height is

    (1 - x)² + 10 (y - x²)²

    Args:
        p: (2,) or (2, N): a point, or N of them. p[0] is x and p[1] is y.

    Returns:
        The height there: a single number, or (N,).
    """
    # solution
    x, y = p[0], p[1]
    return (1 - x) ** 2 + 10 * (y - x**2) ** 2
    # end solution


def dvalley(p):
    """The gradient of the valley: its derivative with respect to x and to y, as formulas.

    Args:
        p: (2,) or (2, N): a point, or N of them. p[0] is x and p[1] is y.

    Returns:
        ∂valley/∂x and ∂valley/∂y there, in one array of the shape of p.
    """
    # solution
    xp = array_namespace(p)
    x, y = p[0], p[1]
    off = y - x**2
    return xp.stack([-2 * (1 - x) - 40 * x * off, 20 * off])
    # end solution


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
    # solution
    xp = array_namespace(x)
    sides = h * xp.eye(x.shape[0], dtype=x.dtype, device=device(x))
    return xp.stack([(f(x + side) - f(x - side)) / (2 * h) for side in sides])
    # end solution


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
    # solution
    xp = array_namespace(x)
    claimed, found = df(x), central_difference(f, x, 1e-5)
    largest = max(abs(float(f(x))), float(xp.max(xp.abs(found))))
    return float(xp.max(xp.abs(claimed - found))) <= 1e-5 * largest
    # end solution
