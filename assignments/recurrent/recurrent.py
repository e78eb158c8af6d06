"""Recurrent networks, by hand.

Fill in the functions below, from the top down: each uses those above it. The lesson in README.md derives every
formula and has small examples with numbers; `pytest` in this folder says how far you are.

N is the number of sequences in a batch, T of steps of time, D of inputs at each step, H of hidden units, M of outputs,
V of symbols. Time is always the second axis: x[:, t] is what all sequences show at step t. Arrays are NumPy's, of
float64; codes of symbols are integers. So that your code would run on torch tensors, on a GPU, as it is: with
`xp = array_namespace(x)`, write `xp.tanh(x)` where you would write `np.tanh(x)`. What has no prefix (`x @ w`, `x.T`,
`x[:, t]`, `a + b`) works on both. Write the gradients yourself: autograd is not there to be asked.
"""

from array_api_compat import array_namespace, device


def sigmoid(a):
    """Given. 1 / (1 + exp(-a)), entry by entry, for any a: exp(-a) itself would overflow where a is far below 0."""
    xp = array_namespace(a)
    return (1 + xp.tanh(a / 2)) / 2


def one_hot(codes, classes, like):
    """Given. Zeros with a one where the code is: (...) of integers -> (..., classes), of dtype and device of `like`."""
    xp = array_namespace(like)
    columns = xp.arange(classes, device=device(like))
    return xp.astype(codes[..., None] == columns, like.dtype)


def rnn_step_forward(x, h, wx, wh, b):
    """One step of a recurrent network: a new state from the input and the state before.

    h_next = tanh(x wx + h wh + b)

    Args:
        x: (N, D), the input at this step.
        h: (N, H), the state after the step before.
        wx: (D, H).
        wh: (H, H).
        b: (H,).

    Returns:
        h_next: (N, H).
        cache: whatever rnn_step_backward will need. Its form is yours; nobody else looks inside.
    """
    raise NotImplementedError("rnn_step_forward is not written yet")


def rnn_step_backward(dh_next, cache):
    """Gradients of one step.

    L is the loss at the far end, a single number, and dh_next[n, k] = ∂L/∂h_next[n, k]. With a = x wx + h wh + b the
    derivative of tanh(a) is 1 - tanh(a)²; behind it, the step is an affine layer with two inputs.

    Args:
        dh_next: (N, H), the upstream gradient.
        cache: what rnn_step_forward returned beside h_next.

    Returns:
        dx: (N, D), dh: (N, H), dwx: (D, H), dwh: (H, H), db: (H,).
    """
    raise NotImplementedError("rnn_step_backward is not written yet")


def rnn_forward(x, h0, wx, wh, b):
    """A recurrent network through time: the state after each step goes into the next, with the same weights.

    h[:, t] = step(x[:, t], h[:, t - 1]), and h[:, -1] before the first step is h0

    Args:
        x: (N, T, D).
        h0: (N, H), the state before the first step.
        wx: (D, H).
        wh: (H, H).
        b: (H,).

    Returns:
        h: (N, T, H), the state after each step. h0 is not among them.
        cache: whatever rnn_backward will need.
    """
    raise NotImplementedError("rnn_forward is not written yet")


def rnn_backward(dh, cache):
    """Gradients through time, from the last step to the first.

    dh[:, t] is what the loss says about h[:, t] where it is used as an output. h[:, t] is used a second time, in step
    t + 1, and gradients of two uses add up. So do those of the weights, which are used in every step.

    Args:
        dh: (N, T, H), the upstream gradient.
        cache: what rnn_forward returned beside h.

    Returns:
        dx: (N, T, D), dh0: (N, H), dwx: (D, H), dwh: (H, H), db: (H,).
    """
    raise NotImplementedError("rnn_backward is not written yet")


def lstm_step_forward(x, h, c, wx, wh, b):
    """One step of a long short-term memory.

    a = x wx + h wh + b has 4H columns: those of i first, then f, g and o, H of each.
    i = σ(a_i)    f = σ(a_f)    g = tanh(a_g)    o = σ(a_o)
    c_next = f c + i g          h_next = o tanh(c_next)        entry by entry

    Args:
        x: (N, D), the input at this step.
        h: (N, H), the state after the step before.
        c: (N, H), the memory after the step before.
        wx: (D, 4H).
        wh: (H, 4H).
        b: (4H,).

    Returns:
        h_next: (N, H).
        c_next: (N, H).
        cache: whatever lstm_step_backward will need.
    """
    raise NotImplementedError("lstm_step_forward is not written yet")


def lstm_step_backward(dh_next, dc_next, cache):
    """Gradients of one step of a long short-term memory.

    c_next is used twice: in h_next and, as it is, in the step after. dc_next is the gradient of the second use.

    Args:
        dh_next: (N, H), the upstream gradient ∂L/∂h_next.
        dc_next: (N, H), the upstream gradient ∂L/∂c_next, but for what comes through h_next.
        cache: what lstm_step_forward returned beside h_next and c_next.

    Returns:
        dx: (N, D), dh: (N, H), dc: (N, H), dwx: (D, 4H), dwh: (H, 4H), db: (4H,).
    """
    raise NotImplementedError("lstm_step_backward is not written yet")


def lstm_forward(x, h0, c0, wx, wh, b):
    """A long short-term memory through time.

    Args:
        x: (N, T, D).
        h0: (N, H), the state before the first step.
        c0: (N, H), the memory before the first step.
        wx: (D, 4H).
        wh: (H, 4H).
        b: (4H,).

    Returns:
        h: (N, T, H), the state after each step.
        cache: whatever lstm_backward will need.
    """
    raise NotImplementedError("lstm_forward is not written yet")


def lstm_backward(dh, cache):
    """Gradients through time. Nothing outside sees c, so the last step's dc_next is zero.

    Args:
        dh: (N, T, H), the upstream gradient.
        cache: what lstm_forward returned beside h.

    Returns:
        dx: (N, T, D), dh0: (N, H), dc0: (N, H), dwx: (D, 4H), dwh: (H, 4H), db: (4H,).
    """
    raise NotImplementedError("lstm_backward is not written yet")


def gru_step_forward(x, h, wx, wh, b):
    """One step of a gated recurrent unit.

    u = x wx + b and v = h wh have 3H columns: those of r first, then z and n, H of each.
    r = σ(u_r + v_r)    z = σ(u_z + v_z)    n = tanh(u_n + r v_n)
    h_next = (1 - z) n + z h                                   entry by entry

    Args:
        x: (N, D), the input at this step.
        h: (N, H), the state after the step before.
        wx: (D, 3H).
        wh: (H, 3H).
        b: (3H,).

    Returns:
        h_next: (N, H).
        cache: whatever gru_step_backward will need.
    """
    raise NotImplementedError("gru_step_forward is not written yet")


def gru_step_backward(dh_next, cache):
    """Gradients of one step of a gated recurrent unit.

    h reaches h_next in four ways: through v_r, v_z and v_n, and directly, times z.

    Args:
        dh_next: (N, H), the upstream gradient.
        cache: what gru_step_forward returned beside h_next.

    Returns:
        dx: (N, D), dh: (N, H), dwx: (D, 3H), dwh: (H, 3H), db: (3H,).
    """
    raise NotImplementedError("gru_step_backward is not written yet")


def gru_forward(x, h0, wx, wh, b):
    """A gated recurrent unit through time.

    Args:
        x: (N, T, D).
        h0: (N, H), the state before the first step.
        wx: (D, 3H).
        wh: (H, 3H).
        b: (3H,).

    Returns:
        h: (N, T, H), the state after each step.
        cache: whatever gru_backward will need.
    """
    raise NotImplementedError("gru_forward is not written yet")


def gru_backward(dh, cache):
    """Gradients through time.

    Args:
        dh: (N, T, H), the upstream gradient.
        cache: what gru_forward returned beside h.

    Returns:
        dx: (N, T, D), dh0: (N, H), dwx: (D, 3H), dwh: (H, 3H), db: (3H,).
    """
    raise NotImplementedError("gru_backward is not written yet")


def embedding_forward(codes, w):
    """Embedding: for each code its row of w.

    out[n, t] = w[codes[n, t]]

    Args:
        codes: (N, T), integers from 0 to V - 1.
        w: (V, D), a vector for each symbol.

    Returns:
        out: (N, T, D).
        cache: whatever embedding_backward will need.
    """
    raise NotImplementedError("embedding_forward is not written yet")


def embedding_backward(dout, cache):
    """Gradient of the embedding. A symbol that stands in many places gets the sum of the gradients of all of them.

    `dw[codes] += dout` does not add up: of a code that comes twice, one gradient is lost. `one_hot` helps.

    Args:
        dout: (N, T, D), the upstream gradient.
        cache: what embedding_forward returned beside out.

    Returns:
        dw: (V, D). Codes have no gradient.
    """
    raise NotImplementedError("embedding_backward is not written yet")


def temporal_affine_forward(x, w, b):
    """The same affine layer at every step of every sequence.

    out[n, t, m] = Σ_d x[n, t, d] w[d, m] + b[m]

    Args:
        x: (N, T, D).
        w: (D, M).
        b: (M,).

    Returns:
        out: (N, T, M).
        cache: whatever temporal_affine_backward will need.
    """
    raise NotImplementedError("temporal_affine_forward is not written yet")


def temporal_affine_backward(dout, cache):
    """Gradients of the affine layer: w and b are used N T times.

    Args:
        dout: (N, T, M), the upstream gradient.
        cache: what temporal_affine_forward returned beside out.

    Returns:
        dx: (N, T, D), dw: (D, M), db: (M,).
    """
    raise NotImplementedError("temporal_affine_backward is not written yet")


def temporal_softmax_loss(scores, y, mask):
    """Softmax and cross-entropy at every step that counts, and the gradient.

    p[n, t, v] = exp(scores[n, t, v]) / Σ_k exp(scores[n, t, k])
    L = -(1/K) Σ_n Σ_t mask[n, t] log p[n, t, y[n, t]]          with K = Σ_n Σ_t mask[n, t]

    The mean is over the steps that count, not over all: sequences are of different lengths, and what fills up the
    shorter ones must change neither the loss nor any gradient. It must come out right for scores of ±10,000 too.

    Args:
        scores: (N, T, V).
        y: (N, T), integers from 0 to V - 1: the right symbol of each step.
        mask: (N, T), 1.0 where a step counts and 0.0 where it does not. At least one counts.

    Returns:
        loss: L, a single number.
        dscores: (N, T, V), ∂L/∂scores.
    """
    raise NotImplementedError("temporal_softmax_loss is not written yet")


def text_forward(params, codes):
    """A model of text: embedding, recurrent network from a state of zeros, affine layer.

    scores[n, t] are those of the symbol after codes[n, t]: the network has seen codes[n, :t + 1], and nothing later.

    Args:
        params: dict of embed (V, D), wx (D, H), wh (H, H), b (H,), w (H, V), c (V,).
        codes: (N, T), integers from 0 to V - 1.

    Returns:
        scores: (N, T, V).
        cache: whatever text_backward will need.
    """
    raise NotImplementedError("text_forward is not written yet")


def text_backward(dscores, cache):
    """Gradients of the model's parameters: the layers' backward passes, last layer first.

    Args:
        dscores: (N, T, V), the upstream gradient ∂L/∂scores.
        cache: what text_forward returned beside the scores.

    Returns:
        grads: dict with the same keys, of arrays of the same shapes, as params.
    """
    raise NotImplementedError("text_backward is not written yet")


def generate(params, first, length):
    """Let the model write: start each line with a symbol, take the likeliest one to follow, go on with that one.

    The state is zeros before the first symbol, and from then on is carried from each symbol to the next.

    Args:
        params: as text_forward takes them.
        first: (N,), the code of each line's first symbol.
        length: number of symbols to write after it, an int of at least 1.

    Returns:
        codes: (N, length), integers. The first symbol is not among them.
    """
    raise NotImplementedError("generate is not written yet")


def clip_gradients(grads, limit):
    """Shorten gradients that are too long, all by the same factor: the direction of the step stays as it is.

    norm = √(Σ of the squares of all entries of all arrays)
    If norm > limit, each array is multiplied by limit / norm; else all stay as they are.

    Args:
        grads: dict of arrays, with any keys.
        limit: the largest norm, a float above 0.

    Returns:
        A new dict with the same keys. `grads` stays as it was.
    """
    raise NotImplementedError("clip_gradients is not written yet")


def train(params, x, y, lr, limit, batch, steps):
    """Train the model of text with clipped gradient descent. Every step of every window counts: the mask is all ones.

    Step k = 0, 1, ..., steps - 1 takes the windows (k batch + i) mod N for i = 0, ..., batch - 1: in order, without
    shuffling, and from the start again when they run out. Each step is forward, loss, backward, clipping, and every
    parameter θ becomes θ - lr times its clipped gradient.

    Args:
        params: as text_forward takes them: where to start. It stays as it was.
        x: (N, T), windows of codes.
        y: (N, T), the code that follows each of them.
        lr: learning rate, a float.
        limit: the largest norm of the gradients, a float.
        batch: number of windows in a step, an int, at most N.
        steps: number of steps, an int.

    Returns:
        params: the trained parameters, a dict with the same keys.
        losses: list of `steps` floats, the loss of each step's batch before that step's update.
    """
    raise NotImplementedError("train is not written yet")
