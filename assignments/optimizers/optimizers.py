"""Optimizers, by hand, on trees of parameters.

Fill in the functions below, from the top down. The lesson in README.md derives every formula and has small examples
with numbers; `pytest` in this folder says how far you are.

Parameters come as a *tree*: dicts and lists in each other, to any depth, with arrays at the ends, for example

    {"layers": [{"w": (D, H), "b": (H,)}, {"w": (H, C), "b": (C,)}]}

Gradients, and what an optimizer remembers of each parameter, are trees of the same form. A step takes everything it
needs as arguments and returns everything that is new: there is no object that remembers. g is the gradient of a
parameter θ; all formulas are meant for each entry of each array. Arrays are NumPy's, of float64. So that your code
would run on torch tensors as it is: with `xp = array_namespace(g)`, write `xp.sqrt(v)` where you would write
`np.sqrt(v)`.
"""

from array_api_compat import array_namespace, device


def tree_map(function, tree, *others):
    """Given. A new tree of the form of `tree`, with function(leaf, *leaves of the others at the same place)."""
    if isinstance(tree, dict):
        return {key: tree_map(function, tree[key], *(other[key] for other in others)) for key in tree}
    if isinstance(tree, (list, tuple)):
        return [tree_map(function, *items) for items in zip(tree, *others, strict=True)]
    return function(tree, *others)


def tree_leaves(tree):
    """Given. The arrays of a tree in a list."""
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [leaf for item in tree for leaf in tree_leaves(item)] if isinstance(tree, (list, tuple)) else [tree]


# ------------------------------------------------------------------------------------------------ without a memory


def sgd_step(params, grads, lr):
    """One step of gradient descent.

    θ ← θ - lr g

    Args:
        params: tree of arrays.
        grads: tree of the same form, the gradients.
        lr: learning rate, a float.

    Returns:
        params: tree of the same form.
    """
    raise NotImplementedError("sgd_step is not written yet")


def decay_step(params, grads, lr, decay):
    """One step of gradient descent with weight decay: every parameter also shrinks towards zero.

    θ ← θ - lr (g + decay θ)

    Args:
        params: tree of arrays.
        grads: tree of the same form.
        lr: learning rate, a float.
        decay: a float.

    Returns:
        params: tree of the same form.
    """
    raise NotImplementedError("decay_step is not written yet")


# ----------------------------------------------------------------------------------------------------- with a memory


def momentum_step(params, grads, state, lr, mu):
    """One step with momentum: the velocity v remembers earlier gradients.

    v ← mu v + g
    θ ← θ - lr v                with the new v

    Args:
        params: tree of arrays.
        grads: tree of the same form.
        state: dict of v, a tree of the same form; zeros at first.
        lr: learning rate, a float.
        mu: a float from 0 to 1.

    Returns:
        params: tree of the same form.
        state: dict of the new v.
    """
    raise NotImplementedError("momentum_step is not written yet")


def nesterov_step(params, grads, state, lr, mu):
    """One step with Nesterov's momentum: the step looks ahead by one more mu v.

    v ← mu v + g
    θ ← θ - lr (g + mu v)       with the new v

    Args:
        params: tree of arrays.
        grads: tree of the same form.
        state: dict of v, a tree of the same form; zeros at first.
        lr: learning rate, a float.
        mu: a float from 0 to 1.

    Returns:
        params: tree of the same form.
        state: dict of the new v.
    """
    raise NotImplementedError("nesterov_step is not written yet")


def rmsprop_step(params, grads, state, lr, beta, eps):
    """One step of RMSprop: every entry is divided by how large its gradients usually are.

    v ← beta v + (1 - beta) g²
    θ ← θ - lr g / (√v + eps)   with the new v; eps is outside of the root

    Args:
        params: tree of arrays.
        grads: tree of the same form.
        state: dict of v, a tree of the same form; zeros at first.
        lr: learning rate, a float.
        beta: a float from 0 to 1.
        eps: a float above 0.

    Returns:
        params: tree of the same form.
        state: dict of the new v.
    """
    raise NotImplementedError("rmsprop_step is not written yet")


def adam_step(params, grads, state, lr, beta1, beta2, eps):
    """One step of Adam.

    t ← t + 1
    m ← beta1 m + (1 - beta1) g
    v ← beta2 v + (1 - beta2) g²
    m̂ = m / (1 - beta1^t)       v̂ = v / (1 - beta2^t)
    θ ← θ - lr m̂ / (√v̂ + eps)

    m and v in the state are the plain averages: the corrected ones, with the hats, are for this step only. Adam's
    authors also give the form lr √(1 - beta2^t) / (1 - beta1^t) · m / (√v + eps), which differs in what eps is
    added to; it is accepted as well.

    Args:
        params: tree of arrays.
        grads: tree of the same form.
        state: dict of m and v, trees of the same form, zeros at first, and t, an int: the number of steps taken
            before this one, 0 at first.
        lr: learning rate, a float.
        beta1: a float from 0 to 1.
        beta2: a float from 0 to 1.
        eps: a float above 0.

    Returns:
        params: tree of the same form.
        state: dict of the new m, v and t; t counts this step too, so after the first it is 1.
    """
    raise NotImplementedError("adam_step is not written yet")


def adamw_step(params, grads, state, lr, beta1, beta2, eps, decay):
    """One step of AdamW: Adam, with a weight decay that does not go through the averages.

    θ ← θ - lr decay θ - lr m̂ / (√v̂ + eps)        with the θ of before the step in both places

    m, v, t, m̂ and v̂ are those of adam_step, of the gradient g alone.

    Args:
        params: tree of arrays.
        grads: tree of the same form.
        state: dict of m, v and t, as for adam_step.
        lr: learning rate, a float.
        beta1: a float from 0 to 1.
        beta2: a float from 0 to 1.
        eps: a float above 0.
        decay: a float.

    Returns:
        params: tree of the same form.
        state: dict of the new m, v and t.
    """
    raise NotImplementedError("adamw_step is not written yet")


# ------------------------------------------------------------------------------------------------- before the step


def clip_by_norm(grads, max_norm):
    """Shorten all gradients by one factor, if together they are longer than max_norm.

    norm = √(Σ g²)              over all entries of all arrays of the tree
    g ← g max_norm / norm       where norm > max_norm; else g stays as it is

    Nothing is added to the norm in the quotient. If all gradients are zero they stay so.

    Args:
        grads: tree of arrays.
        max_norm: a float above 0.

    Returns:
        grads: tree of the same form.
        norm: a single number, the norm before anything was shortened.
    """
    raise NotImplementedError("clip_by_norm is not written yet")


def step_decay(lr, t, every, factor):
    """Learning rate that drops by steps.

    lr in steps 0 to every - 1, lr factor in the next `every` steps, lr factor² in those after them, and so on.

    Args:
        lr: the learning rate to begin with, a number or an array of shape ().
        t: number of the step, an int; the first is 0.
        every: an int above 0.
        factor: a float.

    Returns:
        The learning rate of step t, a single number.
    """
    raise NotImplementedError("step_decay is not written yet")


def cosine_decay(lr, t, total, lowest):
    """Learning rate that falls along half a cosine.

    lowest + (lr - lowest) (1 + cos(π t / total)) / 2         for t from 0 to total
    lowest                                                    after that

    Args:
        lr: the learning rate to begin with, a number or an array of shape ().
        t: number of the step, an int; the first is 0.
        total: an int above 0.
        lowest: a float.

    Returns:
        The learning rate of step t, a single number.
    """
    raise NotImplementedError("cosine_decay is not written yet")


def warm_up(lr, t, steps):
    """Learning rate that rises in even steps, and then stays.

    lr (t + 1) / steps          for t from 0 to steps - 1: the first step moves already, the last has the whole lr
    lr                          after that

    Args:
        lr: the learning rate in the end, a number or an array of shape ().
        t: number of the step, an int; the first is 0.
        steps: an int above 0.

    Returns:
        The learning rate of step t, a single number.
    """
    raise NotImplementedError("warm_up is not written yet")


# --------------------------------------------------------------------------------------------------------- training


def network(params, x, y):
    """Given. Loss and gradients of a network that reads digits: affine, ReLU, affine, mean cross-entropy.

    Args:
        params: {"layers": [{"w": (D, H), "b": (H,)}, {"w": (H, C), "b": (C,)}]}.
        x: (N, D).
        y: (N,), integers from 0 to C - 1.

    Returns:
        loss: a single number.
        grads: tree of the form of params.
    """
    xp = array_namespace(x)
    first, second = params["layers"]
    hidden = x @ first["w"] + first["b"]
    active = xp.where(hidden > 0, hidden, xp.zeros_like(hidden))
    scores = active @ second["w"] + second["b"]
    shifted = scores - xp.max(scores, axis=1, keepdims=True)
    log_p = shifted - xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True))
    classes = xp.arange(scores.shape[1], device=device(x))
    right = xp.astype(y[:, None] == classes[None, :], x.dtype)
    dscores = (xp.exp(log_p) - right) / x.shape[0]
    dhidden = xp.where(hidden > 0, dscores @ second["w"].T, xp.zeros_like(hidden))
    grads = {
        "layers": [
            {"w": x.T @ dhidden, "b": xp.sum(dhidden, axis=0)},
            {"w": active.T @ dscores, "b": xp.sum(dscores, axis=0)},
        ]
    }
    return -xp.sum(right * log_p) / x.shape[0], grads


def train(params, x, y, lr, eps, batch, steps):
    """Train the network with Adam, beta1 = 0.9, beta2 = 0.999.

    Step k = 0, 1, ..., steps - 1 takes the rows (k batch + i) mod N for i = 0, ..., batch - 1: in order, without
    shuffling, and from the start again when the data run out.

    Args:
        params: where to start, a tree of the form that `network` takes. It stays as it was.
        x: (N, D) examples.
        y: (N,) their classes, integers.
        lr: learning rate, a float.
        eps: of Adam, a float.
        batch: number of rows in a step, an int, at most N.
        steps: number of steps, an int.

    Returns:
        params: the trained parameters, a tree of the same form.
        losses: list of `steps` floats, the loss of each step's batch before that step's update.
    """
    raise NotImplementedError("train is not written yet")
