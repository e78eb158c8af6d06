"""What the judge asks, in the words of functional.py: a loss and its gradient as a model, whose output is one number.

There is no cache: what is kept for the backward is what went in.
"""


def loss(params, x, y):
    return student.loss(params, x, y), (params, x, y)


def loss_gradient(dout, kept):
    return _times(dout, student.loss_gradient(*kept))


def _times(dout, tree):
    """Each gradient times dout; what is no array is handed over as it is, for the judge to name."""
    if isinstance(tree, (list, tuple)):
        return [_times(dout, item) for item in tree]
    return dout * tree if hasattr(tree, "shape") else tree
