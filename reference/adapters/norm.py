"""Batch normalisation as the judge asks for it: a pair of functions, and the running statistics after several batches.

The student's batchnorm_forward returns three things. Each running statistic may be of shape (D,) or (1, D).
"""


def batchnorm_layer(x, gamma, beta, running, momentum, eps, train):
    """(out, cache) of one call; the running statistics that it returns are left to batchnorm_running."""
    out, _, cache = student.batchnorm_forward(x, gamma, beta, running, momentum, eps, train)
    return out, cache


def batchnorm_running(batches, gamma, beta, momentum, eps):
    """What is returned after each batch, each call going on from the one before; test time changes nothing."""
    running, states = None, []
    for x in batches:
        _, running, _ = student.batchnorm_forward(x, gamma, beta, running, momentum, eps, True)
        _, running, _ = student.batchnorm_forward(x + 1, gamma, beta, running, momentum, eps, False)
        states.append({name: value.reshape(gamma.shape) for name, value in running.items()})
    return states
