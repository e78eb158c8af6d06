"""Known slips of the recurrent networks: see grader/slips.py for what this file is and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from grader.slips import on_the_way_back, slip, straight_through, with_backward

Params = dict[str, Tensor]


# ---------------------------------------------------------------------------------------------------------- rnn step


def _slope(
    x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor, slope: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """A step whose tanh has another slope, made of the sum that goes into it and of the new state."""
    a = x @ wx + h @ wh + b
    value = torch.tanh(a)
    return straight_through(value, a * slope(a, value).detach())


@slip(
    "rnn step",
    pattern="the gradients are those of a step without a tanh",
    likely="the slope of tanh is missing: the upstream gradient goes through 1 - h_next ** 2 first",
)
def rnn_step_slope_missing(*args: Any) -> Tensor:
    return _slope(*args, lambda a, value: torch.ones_like(a))


_SLOPE = "the slope of tanh is one minus the square of its result, the new state"


@slip("rnn step", pattern="the slope is one minus the square of the sum that goes into tanh", likely=_SLOPE)
def rnn_step_square_of_the_sum(*args: Any) -> Tensor:
    return _slope(*args, lambda a, value: 1 - a**2)


@slip("rnn step", pattern="the slope is that of tanh at the new state", likely=_SLOPE)
def rnn_step_tanh_twice(*args: Any) -> Tensor:
    return _slope(*args, lambda a, value: 1 - torch.tanh(value) ** 2)


@slip("rnn step", pattern="the slope is one minus the new state, which is not squared", likely=_SLOPE)
def rnn_step_not_squared(*args: Any) -> Tensor:
    return _slope(*args, lambda a, value: 1 - value)


@slip("rnn step", pattern="the slope is the new state times one minus the new state", likely=_SLOPE)
def rnn_step_slope_of_sigmoid(*args: Any) -> Tensor:
    return _slope(*args, lambda a, value: value * (1 - value))


@slip(
    "rnn step",
    pattern="the slope is taken at the state before the step",
    likely="the slope of tanh is one minus the square of its result: h_next, not h",
)
def rnn_step_slope_at_the_old_state(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    return _slope(x, h, wx, wh, b, lambda a, value: 1 - h**2)


@slip(
    "rnn step",
    pattern="dh is the product with wh, not with its transpose",
    likely="wh is square, so both products fit: the way back goes through its transpose",
)
def rnn_step_wh_not_transposed(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    return _with_dh(x, h, wx, wh, b, lambda da: da @ wh)


def _with_dh(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor, dh: Callable[[Tensor], Tensor]) -> Tensor:
    """A step with another dh, made of the gradient of the sum that goes into tanh."""
    value = torch.tanh(x @ wx + h @ wh + b)

    def back(g: Tensor) -> tuple[Tensor, ...]:
        da = g * (1 - value.detach() ** 2)
        return da @ wx.T, dh(da), x.T @ da, h.T @ da, da.sum(dim=0)

    return with_backward(value, back, x, h, wx, wh, b)


@slip(
    "rnn step",
    pattern="the gradients of the weights and of b are divided by the number of rows",
    likely="they are sums over the batch, not means: the 1/N belongs to the loss",
)
def rnn_step_averaged(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    return reference.rnn_step(x, h, *(on_the_way_back(w, lambda g: g / len(x)) for w in (wx, wh, b)))


@slip("rnn step", pattern="db is divided by the number of rows", likely="db is a sum over the batch, not a mean")
def rnn_step_db_mean(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    return reference.rnn_step(x, h, wx, wh, on_the_way_back(b, lambda g: g / len(x)))


@slip(
    "rnn step",
    pattern="dwh is made of the new state",
    likely="dwh is h.T @ da with the state that went in, not with the one that came out",
)
def rnn_step_dwh_of_the_new_state(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    value = torch.tanh(x @ wx + h @ wh + b)

    def back(g: Tensor) -> tuple[Tensor, ...]:
        da = g * (1 - value.detach() ** 2)
        return da @ wx.T, da @ wh.T, x.T @ da, value.detach().T @ da, da.sum(dim=0)

    return with_backward(value, back, x, h, wx, wh, b)


@slip(
    "rnn step",
    pattern="what comes from the input and from the state is multiplied",
    likely="add them up: x @ wx + h @ wh + b",
)
def rnn_step_product(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    value = torch.tanh((x @ wx) * (h @ wh) + b)
    return _usual_step(value, x, h, wx, wh, b)


def _usual_step(value: Tensor, x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    """A wrong new state with the usual backward, whose tanh has the slope at that state."""
    a = x @ wx + h @ wh + b
    return straight_through(value, a * (1 - value**2).detach())


@slip("rnn step", pattern="the new state is that of b = 0", likely="b is not added")
def rnn_step_no_bias(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    return _usual_step(torch.tanh(x @ wx + h @ wh), x, h, wx, wh, b)


@slip("rnn step", pattern="the new state does not depend on the old one", likely="h @ wh is missing in the sum")
def rnn_step_no_state(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    return _usual_step(torch.tanh(x @ wx + b), x, h, wx, wh, b)


@slip("rnn step", pattern="the new state is the sum without a tanh", likely="the tanh is missing")
def rnn_step_no_tanh(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    return _usual_step(x @ wx + h @ wh + b, x, h, wx, wh, b)


@slip("rnn step", pattern="the new state is a sigmoid of the sum", likely="the step has a tanh, not a sigmoid")
def rnn_step_sigmoid(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    return torch.sigmoid(x @ wx + h @ wh + b)


@slip(
    "rnn step",
    pattern="the new state is that of the transpose of wh",
    likely="the state goes in as h @ wh, not h @ wh.T",
)
def rnn_step_wh_transposed(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    return torch.tanh(x @ wx + h @ wh.T + b)


# ------------------------------------------------------------------------------------------------ rnn, lstm, gru: time


Loop = tuple[Tensor, ...]
"""x, the first states, wx, wh, b."""


def _step_of(weights: Loop) -> Callable[..., Any]:
    """The cell that these weights are of: the number of its gates is the columns of wh by its rows."""
    wh = weights[1]
    return {1: reference.rnn_step, 3: reference.gru_step, 4: reference.lstm_step}[wh.shape[1] // wh.shape[0]]


def _unrolled(
    args: Loop,
    *,
    weights_at: Callable[[int, Tensor], Tensor] = lambda t, w: w,
    x_at: Callable[[int, Tensor], Tensor] = lambda t, x: x,
    before: Callable[[int, int, Tensor], Tensor] = lambda t, which, state: state,
) -> list[Tensor]:
    """Every state after the first: `before` is what each step makes of the states that it is given (0: h, 1: c)."""
    x, *states, wx, wh, b = args
    step, made = _step_of((wx, wh, b)), []
    for t, now in enumerate(x.unbind(1)):
        given = [before(t, which, state) for which, state in enumerate(states)]
        result = step(x_at(t, now), *given, *(weights_at(t, w) for w in (wx, wh, b)))
        states = list(result) if isinstance(result, tuple) else [result]
        made.append(states[0])
    return made


def _stacked(states: list[Tensor]) -> Tensor:
    return torch.stack(states, dim=1)


@slip(
    "rnn",
    "lstm",
    "gru",
    pattern="the gradients of the weights are those of the first step",
    likely="the weights are used in every step: add their gradients up over time (+=), do not assign them",
)
def loop_weights_of_the_first_step(*args: Tensor) -> Tensor:
    return _stacked(_unrolled(args, weights_at=lambda t, w: w.detach() if t else w))


@slip(
    "rnn",
    "lstm",
    "gru",
    pattern="the gradients of the weights are those of the last step",
    likely="the weights are used in every step: add their gradients up over time (+=), go on after the first of them",
)
def loop_weights_of_the_last_step(*args: Tensor) -> Tensor:
    last = args[0].shape[1] - 1
    return _stacked(_unrolled(args, weights_at=lambda t, w: w if t == last else w.detach()))


@slip(
    "rnn",
    "lstm",
    "gru",
    pattern="each step goes back by itself: no gradient comes from the steps after it",
    likely="a state is also used in the step after: add the gradient that comes from there to dh[:, t]",
)
def loop_no_recurrence(*args: Tensor) -> Tensor:
    return _stacked(_unrolled(args, before=lambda t, which, state: state.detach() if t else state))


@slip(
    "rnn",
    "lstm",
    "gru",
    pattern="only the upstream gradient of the last step counts",
    likely="every state is an output: each step adds its own dh[:, t] to what comes from the step after",
)
def loop_last_upstream(*args: Tensor) -> Tensor:
    *earlier, last = _unrolled(args)
    return _stacked([*(state.detach() for state in earlier), last])


@slip("rnn", "lstm", "gru", pattern="dh0 is 0", likely="dh0 is what is carried back from the first step: assign it")
def loop_dh0_zero(x: Tensor, h0: Tensor, *rest: Tensor) -> Tensor:
    return _stacked(_unrolled((x, h0.detach(), *rest)))


@slip(
    "rnn",
    "lstm",
    "gru",
    pattern="the gradients are those of all steps but the first",
    likely="the loop back ends too early: step 0 belongs to it",
)
def loop_first_step_left_out(*args: Tensor) -> Tensor:
    states = args[1:-3]

    def before(t: int, which: int, state: Tensor) -> Tensor:
        return straight_through(state, states[which]) if t == 1 else state.detach() if t == 0 else state

    made = _unrolled(
        args,
        weights_at=lambda t, w: w if t else w.detach(),
        x_at=lambda t, x: x if t else x.detach(),
        before=before,
    )
    return _stacked(made)


@slip(
    "rnn",
    "lstm",
    "gru",
    pattern="each step takes the upstream gradient of the step before",
    likely="the time is off by one: step t takes dh[:, t]",
)
def loop_upstream_of_the_step_before(*args: Tensor) -> Tensor:
    return on_the_way_back(_stacked(_unrolled(args)), lambda g: g.roll(1, dims=1))


@slip(
    "rnn",
    "lstm",
    "gru",
    pattern="each step takes the upstream gradient of the step after",
    likely="the time is off by one: step t takes dh[:, t]",
)
def loop_upstream_of_the_step_after(*args: Tensor) -> Tensor:
    return on_the_way_back(_stacked(_unrolled(args)), lambda g: g.roll(-1, dims=1))


@slip(
    "rnn",
    "lstm",
    "gru",
    pattern="dx runs from the last step to the first",
    likely="the loop back makes the last step's dx first: put each at its own t, or turn the list round at the end",
)
def loop_dx_reversed(x: Tensor, *rest: Tensor) -> Tensor:
    return _stacked(_unrolled((on_the_way_back(x, lambda g: g.flip(1)), *rest)))


@slip(
    "rnn",
    pattern="the two gradients of a state are multiplied",
    likely="a state has two uses, as an output and in the step after: their gradients add up",
)
def rnn_product_for_sum(x: Tensor, h0: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    states = [h0, *_unrolled((x, h0, wx, wh, b))]

    def back(g: Tensor) -> tuple[Tensor, ...]:
        carried, dx, sums = torch.ones_like(h0), [], [torch.zeros_like(w) for w in (wx, wh, b)]
        for t in range(x.shape[1] - 1, -1, -1):
            da = g[:, t] * carried * (1 - states[t + 1].detach() ** 2)
            dx.insert(0, da @ wx.T)
            parts = x[:, t].T @ da, states[t].detach().T @ da, da.sum(dim=0)
            sums = [one + part for one, part in zip(sums, parts, strict=True)]
            carried = da @ wh.T
        return torch.stack(dx, dim=1), carried, *sums

    return with_backward(_stacked(states[1:]), back, x, h0, wx, wh, b)


@slip(
    "lstm",
    pattern="no gradient is carried back from memory to memory",
    likely="each step hands dc back to the step before it, beside dh: do not start from zeros in every step",
)
def lstm_memory_not_carried_back(*args: Tensor) -> Tensor:
    return _stacked(_unrolled(args, before=lambda t, which, state: state.detach() if which and t else state))


_CARRY = "hand each step the state that came out of the step before, not the first one"


@slip("rnn", "lstm", "gru", pattern="every step starts from the first state", likely=_CARRY)
def loop_state_not_carried(*args: Tensor) -> Tensor:
    first = args[1:-3]
    # The usual backward carries on all the same.
    return _stacked(_unrolled(args, before=lambda t, which, state: first[which].detach() + (state - state.detach())))


@slip(
    "lstm",
    pattern="every step starts from the first memory",
    likely="hand each step the memory that came out of the step before, not the first one",
)
def lstm_memory_from_the_start(x: Tensor, h0: Tensor, c0: Tensor, *weights: Tensor) -> Tensor:
    def before(t: int, which: int, state: Tensor) -> Tensor:
        return c0.detach() + (state - state.detach()) if which else state

    return _stacked(_unrolled((x, h0, c0, *weights), before=before))


@slip(
    "rnn",
    "lstm",
    "gru",
    pattern="the result is the state before each step, the first one first",
    likely="return the states after the steps: h0 is not among them",
)
def loop_states_before_the_steps(x: Tensor, h0: Tensor, *rest: Tensor) -> Tensor:
    made = _unrolled((x, h0, *rest))
    return straight_through(_stacked([h0, *made[:-1]]), _stacked(made))


@slip(
    "rnn",
    "lstm",
    "gru",
    pattern="the steps run from the last to the first",
    likely="the first step is t = 0: go through time forwards",
)
def loop_backwards(x: Tensor, *rest: Tensor) -> Tensor:
    return _stacked(_unrolled((x.flip(1), *rest))[::-1])


@slip(
    "rnn",
    "lstm",
    "gru",
    pattern="the states start from zeros",
    likely="the state before the first step is the one that is handed over",
)
def loop_from_zeros(x: Tensor, *rest: Tensor) -> Tensor:
    *states, wx, wh, b = rest
    return _stacked(_unrolled((x, *(state * 0 for state in states), wx, wh, b)))


@slip(
    "rnn",
    "lstm",
    "gru",
    pattern="every number is one of float32",
    likely="an array of float32 holds the states: half of the digits are lost; make it of x's dtype",
)
def loop_float32(*args: Tensor) -> Tensor:
    right = _stacked(_unrolled(args))
    return straight_through(right.float().double(), right)


# --------------------------------------------------------------------------------------------------------- lstm step


Pair = tuple[Tensor, Tensor]
Cell = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]
"""x, h, c, wx, wh, b."""


def _sums(args: Cell) -> Tensor:
    x, h, _, wx, wh, b = args
    return x @ wx + h @ wh + b


def _gated(i: Tensor, f: Tensor, g: Tensor, o: Tensor, c: Tensor) -> Pair:
    c_next = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c_next.tanh(), c_next


@slip(
    "lstm step",
    pattern="the upstream gradient of the memory does not count",
    likely="c_next has two uses: add dc_next, which comes from the step after, to what comes through h_next",
)
def lstm_step_dc_forgotten(*args: Tensor) -> Pair:
    h, c = reference.lstm_step(*args)
    return h, c.detach()


@slip(
    "lstm step",
    pattern="the memory gets no gradient from the state that it makes",
    likely="c_next has two uses: add what comes back through h_next, its tanh and its gate, to dc_next",
)
def lstm_step_dc_not_through_h(*args: Tensor) -> Pair:
    _, c = reference.lstm_step(*args)
    o = _sums(args).chunk(4, dim=1)[3]
    return o.sigmoid() * c.detach().tanh(), c


@slip(
    "lstm step",
    pattern="dc is not multiplied by the forget gate",
    likely="the memory before the step went in as f * c: the gradient that goes back to it is dc * f",
)
def lstm_step_no_forget_gate_back(x: Tensor, h: Tensor, c: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Pair:
    i, f, g, o = _sums((x, h, c, wx, wh, b)).chunk(4, dim=1)
    kept = straight_through(f.sigmoid() * c, f.sigmoid() * c.detach() + c)
    c_next = kept + i.sigmoid() * g.tanh()
    return o.sigmoid() * c_next.tanh(), c_next


_TANH_C = "the slope of tanh(c_next) is 1 - tanh(c_next) ** 2: at the new memory"


def _with_slope(args: Cell, slope: Callable[[Tensor], Tensor]) -> Pair:
    """A step whose tanh(c_next) has another slope, made of the new memory."""
    _, c_next = reference.lstm_step(*args)
    o = _sums(args).chunk(4, dim=1)[3]
    shown = straight_through(c_next.tanh(), c_next * slope(c_next).detach())
    return o.sigmoid() * shown, c_next


@slip("lstm step", pattern="the slope of tanh is taken at the memory before the step", likely=_TANH_C)
def lstm_step_slope_at_the_old_memory(*args: Tensor) -> Pair:
    return _with_slope(args, lambda c_next: 1 - args[2].tanh() ** 2)


@slip("lstm step", pattern="the slope of tanh is one minus the square of the memory", likely=_TANH_C)
def lstm_step_slope_of_the_memory(*args: Tensor) -> Pair:
    return _with_slope(args, lambda c_next: 1 - c_next**2)


@slip("lstm step", pattern="the slope of tanh is taken at tanh of the memory", likely=_TANH_C)
def lstm_step_slope_twice(*args: Tensor) -> Pair:
    return _with_slope(args, lambda c_next: 1 - c_next.tanh().tanh() ** 2)


@slip(
    "lstm step",
    pattern="tanh(c_next) is passed as if its slope were 1",
    likely="the slope of tanh(c_next) is missing: 1 - tanh(c_next) ** 2",
)
def lstm_step_slope_missing(*args: Tensor) -> Pair:
    return _with_slope(args, torch.ones_like)


def _with_slopes(args: Cell, gate: Callable[[Tensor], Tensor], candidate: Callable[[Tensor], Tensor]) -> Pair:
    """A step whose sigmoids and whose tanh(g) have other slopes, made of their results."""

    def passed(value: Tensor, a: Tensor, slope: Callable[[Tensor], Tensor]) -> Tensor:
        return straight_through(value, a * slope(value).detach())

    i, f, g, o = _sums(args).chunk(4, dim=1)
    i, f, o = (passed(a.sigmoid(), a, gate) for a in (i, f, o))
    c_next = f * args[2] + i * passed(g.tanh(), g, candidate)
    return o * c_next.tanh(), c_next


@slip(
    "lstm step",
    pattern="the gates are passed as if their slope were 1",
    likely="the slope of the sigmoids is missing: s * (1 - s) for i, f and o",
)
def lstm_step_gates_without_slope(*args: Tensor) -> Pair:
    return _with_slopes(args, torch.ones_like, lambda g: 1 - g**2)


@slip(
    "lstm step",
    pattern="g is passed as if its slope were 1",
    likely="the slope of g is missing: 1 - g ** 2",
)
def lstm_step_candidate_without_slope(*args: Tensor) -> Pair:
    return _with_slopes(args, lambda s: s * (1 - s), torch.ones_like)


@slip(
    "lstm step",
    pattern="g has the slope of a sigmoid",
    likely="g is a tanh: its slope is 1 - g ** 2",
)
def lstm_step_candidate_as_gate(*args: Tensor) -> Pair:
    return _with_slopes(args, lambda s: s * (1 - s), lambda g: g * (1 - g))


@slip(
    "lstm step",
    pattern="the gates have the slope of a tanh",
    likely="i, f and o are sigmoids: their slope is s * (1 - s)",
)
def lstm_step_gates_as_candidate(*args: Tensor) -> Pair:
    return _with_slopes(args, lambda s: 1 - s**2, lambda g: 1 - g**2)


_ORDER = "the columns are those of i first, then f, g and o: forward and backward"


def _ordered(args: Cell, order: str) -> Pair:
    """The gates cut in another order."""
    parts = dict(zip(order, _sums(args).chunk(4, dim=1), strict=True))
    return _gated(*(parts[name] for name in "ifgo"), args[2])


@slip("lstm step", pattern="the gates are cut in the order i, f, o, g", likely=_ORDER)
def lstm_step_ifog(*args: Tensor) -> Pair:
    return _ordered(args, "ifog")


@slip("lstm step", pattern="the gates are cut in the order f, i, g, o", likely=_ORDER)
def lstm_step_figo(*args: Tensor) -> Pair:
    return _ordered(args, "figo")


@slip("lstm step", pattern="the gates are cut in the order f, i, o, g", likely=_ORDER)
def lstm_step_fiog(*args: Tensor) -> Pair:
    return _ordered(args, "fiog")


@slip("lstm step", pattern="the gates are cut in the order i, g, f, o", likely=_ORDER)
def lstm_step_igfo(*args: Tensor) -> Pair:
    return _ordered(args, "igfo")


@slip("lstm step", pattern="the gates are cut in the order i, o, f, g", likely=_ORDER)
def lstm_step_iofg(*args: Tensor) -> Pair:
    return _ordered(args, "iofg")


def _put_together(args: Cell, order: str) -> Pair:
    """The gates' gradients put together in another order than the gates were cut in."""

    def moved(da: Tensor) -> Tensor:
        parts = dict(zip("ifgo", da.chunk(4, dim=1), strict=True))
        return torch.cat([parts[name] for name in order], dim=1)

    return _gated(*on_the_way_back(_sums(args), moved).chunk(4, dim=1), args[2])


_TOGETHER = "put the gates' gradients together in the order in which the gates were cut: i, f, g, o"


@slip("lstm step", pattern="the gates' gradients are put together as i, f, o, g", likely=_TOGETHER)
def lstm_step_back_ifog(*args: Tensor) -> Pair:
    return _put_together(args, "ifog")


@slip("lstm step", pattern="the gates' gradients are put together as f, i, g, o", likely=_TOGETHER)
def lstm_step_back_figo(*args: Tensor) -> Pair:
    return _put_together(args, "figo")


@slip("lstm step", pattern="the gates' gradients are put together as i, g, f, o", likely=_TOGETHER)
def lstm_step_back_igfo(*args: Tensor) -> Pair:
    return _put_together(args, "igfo")


def _cut_by_reshape(a: Tensor, count: int) -> Tensor:
    """Cut by a reshape, which goes along the batch first; the backward puts gates side by side, as is usual."""
    return (
        a.reshape(count, len(a), -1).detach()
        + torch.stack(a.chunk(count, dim=1))
        - torch.stack(a.detach().chunk(count, dim=1))
    )


@slip(
    "lstm step",
    pattern="the gates are cut out of the numbers in the order of reading, along the batch first",
    likely="a reshape to (4, N, H) cuts along the batch: cut columns, or reshape to (N, 4, H)",
)
def lstm_step_gates_by_reshape(*args: Tensor) -> Pair:
    return _gated(*_cut_by_reshape(_sums(args), 4), args[2])


@slip(
    "lstm step",
    pattern="the state is the memory through the gate, without a tanh",
    likely="h_next = o * tanh(c_next): the tanh is missing",
)
def lstm_step_no_tanh(*args: Tensor) -> Pair:
    _, c_next = reference.lstm_step(*args)
    o = _sums(args).chunk(4, dim=1)[3]
    # The usual backward takes what it kept for the tanh.
    return o.sigmoid() * straight_through(c_next, c_next * (1 - c_next**2).detach()), c_next


@slip(
    "lstm step",
    pattern="the state is that of a step without an output gate",
    likely="h_next = o * tanh(c_next): the gate o is missing",
)
def lstm_step_no_output_gate(*args: Tensor) -> Pair:
    h, c_next = reference.lstm_step(*args)
    return straight_through(c_next.tanh(), h), c_next


@slip("lstm step", pattern="the old memory is kept whole", likely="c_next = f * c + i * g: the forget gate is missing")
def lstm_step_no_forget_gate(*args: Tensor) -> Pair:
    i, f, g, o = _sums(args).chunk(4, dim=1)
    c_next = args[2] + i.sigmoid() * g.tanh() + 0 * f
    return o.sigmoid() * c_next.tanh(), c_next


@slip("lstm step", pattern="the new memory is added whole", likely="c_next = f * c + i * g: the gate i is missing")
def lstm_step_no_input_gate(*args: Tensor) -> Pair:
    i, f, g, o = _sums(args).chunk(4, dim=1)
    c_next = f.sigmoid() * args[2] + g.tanh() + 0 * i
    return o.sigmoid() * c_next.tanh(), c_next


@slip("lstm step", pattern="g is a sigmoid", likely="g is a tanh: what is added to the memory may be negative")
def lstm_step_candidate_sigmoid(*args: Tensor) -> Pair:
    i, f, g, o = _sums(args).chunk(4, dim=1)
    c_next = f.sigmoid() * args[2] + i.sigmoid() * g.sigmoid()
    return o.sigmoid() * c_next.tanh(), c_next


@slip(
    "lstm step",
    pattern="h_next is made of the memory before the step",
    likely="h_next = o * tanh(c_next), with the new memory",
)
def lstm_step_shows_the_old_memory(*args: Tensor) -> Pair:
    _, c_next = reference.lstm_step(*args)
    o = _sums(args).chunk(4, dim=1)[3]
    return o.sigmoid() * args[2].tanh(), c_next


@slip(
    "lstm step",
    pattern="the gradients of the weights and of b are divided by the number of rows",
    likely="they are sums over the batch, not means: the 1/N belongs to the loss",
)
def lstm_step_averaged(x: Tensor, h: Tensor, c: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Pair:
    weights = (on_the_way_back(w, lambda g: g / len(x)) for w in (wx, wh, b))
    return reference.lstm_step(x, h, c, *weights)


# ---------------------------------------------------------------------------------------------------------- gru step


def _gru(
    args: Loop,
    *,
    r: Callable[[Tensor], Tensor] = torch.sigmoid,
    z: Callable[[Tensor], Tensor] = torch.sigmoid,
    reset: Callable[[Tensor, Tensor], Tensor] = lambda r, vn: r * vn,
    mixed: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda z, n, h: (1 - z) * n + z * h,
    candidate: Callable[[Tensor], Tensor] = torch.tanh,
    order: str = "rzn",
) -> Tensor:
    """A step of which some things are given; the others are right."""
    x, h, wx, wh, b = args
    u, v = (dict(zip(order, a.chunk(3, dim=1), strict=True)) for a in (x @ wx + b, h @ wh))
    gate_r, gate_z = r(u["r"] + v["r"]), z(u["z"] + v["z"])
    return mixed(gate_z, candidate(u["n"] + reset(gate_r, v["n"])), h)


@slip(
    "gru step",
    pattern="dh lacks what goes back directly, times z",
    likely="the state also goes into the next one as it is: the way back holds dh_next * z as well",
)
def gru_step_direct_way_forgotten(*args: Tensor) -> Tensor:
    return _gru(args, mixed=lambda z, n, h: (1 - z) * n + z * h.detach())


@slip(
    "gru step",
    pattern="what goes back through h @ wh to n is not multiplied by r",
    likely="n holds r * (h @ wh): its gradient goes back to h and wh times r",
)
def gru_step_reset_missing_back(*args: Tensor) -> Tensor:
    return _gru(args, reset=lambda r, vn: straight_through(r * vn, r * vn.detach() + vn))


@slip(
    "gru step",
    pattern="no gradient goes back through r",
    likely="r depends on x and h too: its gradient is that of n's sum times the part of h @ wh that r multiplies",
)
def gru_step_no_gradient_of_r(*args: Tensor) -> Tensor:
    return _gru(args, r=lambda a: a.sigmoid().detach())


@slip(
    "gru step",
    pattern="no gradient goes back through z",
    likely="z depends on x and h too: its gradient goes on to both, through the slope of the sigmoid",
)
def gru_step_no_gradient_of_z(*args: Tensor) -> Tensor:
    return _gru(args, z=lambda a: a.sigmoid().detach())


@slip(
    "gru step",
    pattern="the gradient of z lacks the part of the state before",
    likely="z stands in both terms, (1 - z) * n and z * h: its gradient is dh_next * (h - n)",
)
def gru_step_z_in_one_term(*args: Tensor) -> Tensor:
    return _gru(args, mixed=lambda z, n, h: (1 - z) * n + z.detach() * h)


@slip(
    "gru step",
    pattern="the gradient of z lacks the part of n",
    likely="z stands in both terms, (1 - z) * n and z * h: its gradient is dh_next * (h - n)",
)
def gru_step_z_in_the_other_term(*args: Tensor) -> Tensor:
    return _gru(args, mixed=lambda z, n, h: (1 - z.detach()) * n + z * h)


@slip(
    "gru step",
    pattern="the gradient of z has the other sign",
    likely="the gradient of z is dh_next * (h - n), not (n - h)",
)
def gru_step_z_sign(*args: Tensor) -> Tensor:
    return _gru(args, z=lambda a: on_the_way_back(a, lambda g: -g).sigmoid())


@slip("gru step", pattern="n is passed as if its slope were 1", likely="the slope of n is missing: 1 - n ** 2")
def gru_step_candidate_without_slope(*args: Tensor) -> Tensor:
    return _gru(args, candidate=lambda a: straight_through(a.tanh(), a))


@slip(
    "gru step",
    pattern="the gates are passed as if their slope were 1",
    likely="the slope of the sigmoids is missing: s * (1 - s) for r and z",
)
def gru_step_gates_without_slope(*args: Tensor) -> Tensor:
    return _gru(args, r=lambda a: straight_through(a.sigmoid(), a), z=lambda a: straight_through(a.sigmoid(), a))


_MIXED = "h_next = (1 - z) * n + z * h: z keeps the old state, and 1 - z takes the new one"


@slip("gru step", pattern="z takes the new where it should keep the old", likely=_MIXED)
def gru_step_z_swapped(*args: Tensor) -> Tensor:
    return _gru(args, mixed=lambda z, n, h: z * n + (1 - z) * h)


@slip(
    "gru step",
    pattern="r multiplies the state before the product with wh",
    likely="r multiplies h @ wh, the product: n = tanh(u_n + r * v_n)",
)
def gru_step_reset_before_the_product(*args: Tensor) -> Tensor:
    x, h, wx, wh, b = args
    H = h.shape[1]
    u, v = (x @ wx + b).chunk(3, dim=1), (h @ wh).chunk(3, dim=1)
    r, z = torch.sigmoid(u[0] + v[0]), torch.sigmoid(u[1] + v[1])
    return (1 - z) * torch.tanh(u[2] + (r * h) @ wh[:, 2 * H :]) + z * h


@slip("gru step", pattern="n is that of r = 1", likely="r is missing: n = tanh(u_n + r * v_n)")
def gru_step_no_reset(*args: Tensor) -> Tensor:
    return _gru(args, reset=lambda r, vn: vn + 0 * r)


@slip(
    "gru step",
    pattern="r multiplies the part of the input as well",
    likely="r multiplies the part of the state alone: n = tanh(u_n + r * v_n)",
)
def gru_step_reset_of_the_input(*args: Tensor) -> Tensor:
    x, h, wx, wh, b = args
    u, v = (x @ wx + b).chunk(3, dim=1), (h @ wh).chunk(3, dim=1)
    r, z = torch.sigmoid(u[0] + v[0]), torch.sigmoid(u[1] + v[1])
    return (1 - z) * torch.tanh(r * (u[2] + v[2])) + z * h


_GRU_ORDER = "the columns are those of r first, then z and n: forward and backward"


@slip("gru step", pattern="the gates are cut in the order z, r, n", likely=_GRU_ORDER)
def gru_step_zrn(*args: Tensor) -> Tensor:
    return _gru(args, order="zrn")


@slip("gru step", pattern="the gates are cut in the order r, n, z", likely=_GRU_ORDER)
def gru_step_rnz(*args: Tensor) -> Tensor:
    return _gru(args, order="rnz")


@slip(
    "gru step",
    pattern="the gates' gradients are put together as z, r, n",
    likely="put the gates' gradients together in the order in which the gates were cut: r, z, n",
)
def gru_step_back_zrn(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    def moved(da: Tensor) -> Tensor:
        r, z, n = da.chunk(3, dim=1)
        return torch.cat([z, r, n], dim=1)

    u, v = (on_the_way_back(a, moved).chunk(3, dim=1) for a in (x @ wx + b, h @ wh))
    r, z = torch.sigmoid(u[0] + v[0]), torch.sigmoid(u[1] + v[1])
    return (1 - z) * torch.tanh(u[2] + r * v[2]) + z * h


@slip(
    "gru step",
    pattern="the gradients of the weights and of b are divided by the number of rows",
    likely="they are sums over the batch, not means: the 1/N belongs to the loss",
)
def gru_step_averaged(x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) -> Tensor:
    weights = (on_the_way_back(w, lambda g: g / len(x)) for w in (wx, wh, b))
    return reference.gru_step(x, h, *weights)


# --------------------------------------------------------------------------------------------------------- embedding


@slip(
    "embedding",
    pattern="a row of dw is that of the last place where its symbol stands",
    likely="a symbol that comes again brings a gradient each time: add them up; dw[codes] += dout does not",
)
def embedding_repeats_lost(codes: Tensor, w: Tensor) -> Tensor:
    def back(g: Tensor) -> tuple[Tensor]:
        dw = torch.zeros_like(w)
        for n, t in _places(codes):
            dw[codes[n, t]] = g[n, t]
        return (dw,)

    return with_backward(w[codes], back, w)


def _places(codes: Tensor) -> Iterator[tuple[int, int]]:
    return ((n, t) for n in range(codes.shape[0]) for t in range(codes.shape[1]))


@slip(
    "embedding",
    pattern="a row of dw is the mean over the places where its symbol stands",
    likely="a symbol that comes again brings a gradient each time: add them up, and take no mean",
)
def embedding_mean_of_repeats(codes: Tensor, w: Tensor) -> Tensor:
    counts = one_hot(codes.flatten(), len(w)).sum(dim=0).clamp(min=1)[:, None]
    return reference.embedding(codes, on_the_way_back(w, lambda g: g / counts))


# --------------------------------------------------------------------------------------------------- temporal affine


@slip(
    "temporal affine",
    pattern="dw is that of the last step alone",
    likely="the weights are used in every step: dw is a sum over time, too",
)
def affine_dw_last_step(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    early = reference.temporal_affine(x[:, :-1], w.detach(), b)
    return torch.cat([early, reference.temporal_affine(x[:, -1:], w, b)], dim=1)


@slip(
    "temporal affine",
    pattern="dw and db are those of the last step alone",
    likely="w and b are used in every step: their gradients are sums over time, too",
)
def affine_last_step(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    early = reference.temporal_affine(x[:, :-1], w.detach(), b.detach())
    return torch.cat([early, reference.temporal_affine(x[:, -1:], w, b)], dim=1)


@slip(
    "temporal affine",
    pattern="dw is that of an x reshaped to (D, N T)",
    likely="reshape x to (N T, D) and transpose that: a reshape alone moves no axis",
)
def affine_reshape_for_transpose(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    def back(g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows = g.reshape(-1, g.shape[2])
        return g @ w.T, x.reshape(x.shape[2], -1) @ rows, rows.sum(dim=0)

    return with_backward(reference.temporal_affine(x, w, b), back, x, w, b)


def _averaged(args: tuple[Tensor, Tensor, Tensor], which: str, count: int) -> Tensor:
    x, w, b = args
    w = on_the_way_back(w, lambda g: g / count) if "w" in which else w
    return reference.temporal_affine(x, w, on_the_way_back(b, lambda g: g / count) if "b" in which else b)


_SUM = "the gradients of w and b are sums over sequences and steps, not means"


@slip("temporal affine", pattern="db is divided by N T", likely=_SUM)
def affine_db_mean(*args: Tensor) -> Tensor:
    return _averaged(args, "b", args[0].shape[0] * args[0].shape[1])


@slip("temporal affine", pattern="dw and db are divided by N", likely=_SUM)
def affine_mean_over_sequences(*args: Tensor) -> Tensor:
    return _averaged(args, "wb", len(args[0]))


@slip("temporal affine", pattern="dw and db are divided by N T", likely=_SUM)
def affine_mean_over_places(*args: Tensor) -> Tensor:
    return _averaged(args, "wb", args[0].shape[0] * args[0].shape[1])


@slip("temporal affine", pattern="the result is without b", likely="b is not added")
def affine_no_bias(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return straight_through(x @ w, reference.temporal_affine(x, w, b))


# -------------------------------------------------------------------------------------------------- temporal softmax


def _right(scores: Tensor, y: Tensor) -> Tensor:
    return one_hot(y.long(), scores.shape[2]).to(scores)


def _losses(scores: Tensor, y: Tensor) -> Tensor:
    """-log p of the right symbol at each place: (N, T)."""
    return -(scores.log_softmax(dim=2) * _right(scores, y)).sum(dim=2)


_MEAN = "the mean is over the places that count: divide by the sum of the mask"


@slip("temporal softmax", pattern="the sum is divided by N T", likely=_MEAN)
def loss_over_all_places(scores: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    return (_losses(scores, y) * mask).mean()


@slip("temporal softmax", pattern="the sum is divided by N", likely=_MEAN)
def loss_over_sequences(scores: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    return (_losses(scores, y) * mask).sum() / len(y)


@slip("temporal softmax", pattern="loss and gradient are sums over the places that count", likely=_MEAN)
def loss_sum(scores: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    return (_losses(scores, y) * mask).sum()


@slip(
    "temporal softmax",
    pattern="the gradient is a sum over the places that count",
    likely="the mean of the loss belongs in its gradient too: divide by the sum of the mask",
)
def loss_gradient_without_mean(scores: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    right = reference.temporal_softmax_loss(scores, y, mask)
    return straight_through(right, right * mask.sum())


@slip(
    "temporal softmax",
    pattern="the gradient is divided by N T",
    likely="the mean of the loss belongs in its gradient too: divide by the sum of the mask, not by N T",
)
def loss_gradient_over_all_places(scores: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    right = reference.temporal_softmax_loss(scores, y, mask)
    return straight_through(right, (_losses(scores, y) * mask).mean())


_MASK = "what the mask excludes adds nothing to the loss: multiply -log p by the mask"


@slip("temporal softmax", pattern="every place counts in the loss", likely=_MASK)
def loss_without_mask(scores: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    return _losses(scores, y).mean()


@slip(
    "temporal softmax", pattern="every place counts in the sum, which is divided by the sum of the mask", likely=_MASK
)
def loss_without_mask_in_the_sum(scores: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    return straight_through(_losses(scores, y).sum() / mask.sum(), reference.temporal_softmax_loss(scores, y, mask))


@slip(
    "temporal softmax",
    pattern="the gradient does not vanish where the mask is 0",
    likely="multiply the gradient by the mask, too",
)
def loss_gradient_without_mask(scores: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    return straight_through(reference.temporal_softmax_loss(scores, y, mask), _losses(scores, y).sum() / mask.sum())


@slip(
    "temporal softmax",
    pattern="where the mask is 0 the scores are set to 0, and counted",
    likely="mask -log p, not the scores: scores of 0 are a loss of log V, which is not nothing",
)
def loss_masks_the_scores(scores: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    masked = scores * mask[:, :, None]
    return _losses(masked, y).sum() / mask.sum()


_SYMBOLS = "the softmax is over the symbols, axis 2"


@slip("temporal softmax", pattern="the probabilities add up to 1 over time", likely=_SYMBOLS)
def loss_softmax_over_time(scores: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    weights, right = mask[:, :, None] / mask.sum(), _right(scores, y)
    loss = -(weights * right * scores.log_softmax(dim=1)).sum()
    return straight_through(loss, (weights * (scores.softmax(dim=1).detach() - right) * scores).sum())


def _with_epsilon(scores: Tensor, y: Tensor, mask: Tensor, size: float) -> Tensor:
    p = (scores.softmax(dim=2) * _right(scores, y)).sum(dim=2)
    loss = -((p + size).log() * mask).sum() / mask.sum()
    return straight_through(loss, reference.temporal_softmax_loss(scores, y, mask))


_EPSILON = "log(p + epsilon) is another loss: written without p, the logarithm of the softmax needs no epsilon"


@slip("temporal softmax", pattern="the loss is the mean of -log(p + 1e-8)", likely=_EPSILON)
def loss_epsilon_1e8(scores: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    return _with_epsilon(scores, y, mask, 1e-8)


@slip("temporal softmax", pattern="the loss is the mean of -log(p + 1e-12)", likely=_EPSILON)
def loss_epsilon_1e12(scores: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    return _with_epsilon(scores, y, mask, 1e-12)


@slip(
    "temporal softmax",
    pattern="the gradient is p where it should be p - onehot",
    likely="the 1 at the right symbol is not taken off",
)
def loss_no_minus_one(scores: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    slope = (scores.logsumexp(dim=2) * mask).sum() / mask.sum()
    return straight_through(reference.temporal_softmax_loss(scores, y, mask), slope)


# ------------------------------------------------------------------------------------------------------------- model


def _model(params: Params, codes: Tensor, states: Callable[[Tensor], Tensor]) -> Tensor:
    """The model, with something done to the states before the last layer."""
    x = reference.embedding(codes, params["embed"])
    h = reference.rnn(x, x.new_zeros(len(x), len(params["b"])), params["wx"], params["wh"], params["b"])
    return reference.temporal_affine(states(h), params["w"], params["c"])


@slip(
    "model",
    pattern="every score is made of the last state",
    likely="the scores of step t are made of the state after step t: the last one has seen what it should predict",
)
def model_sees_the_end(params: Params, codes: Tensor) -> Tensor:
    # The usual backward hands each step's gradient to its own state.
    return _model(params, codes, lambda h: straight_through(h[:, -1:].expand(h.shape), h))


@slip(
    "model",
    pattern="the gradients are those of a model in which every score is made of the last state",
    likely="the scores of step t are made of the state after step t: the last one has seen what it should predict",
)
def model_sees_the_end_both_ways(params: Params, codes: Tensor) -> Tensor:
    return _model(params, codes, lambda h: h[:, -1:].expand(h.shape))


@slip(
    "model",
    pattern="there is another tanh on the states",
    likely="the states come out of the RNN with a tanh on them: hand them to the last layer as they are",
)
def model_tanh_again(params: Params, codes: Tensor) -> Tensor:
    return _model(params, codes, torch.tanh)


@slip(
    "model", pattern="the result is the softmax of the scores", likely="return the scores: the softmax is in the loss"
)
def model_softmax_scores(params: Params, codes: Tensor) -> Tensor:
    scores = reference.text_model(params, codes)
    return straight_through(scores.softmax(dim=2), scores)


@slip(
    "model",
    pattern="the gradient of embed is zero",
    likely="the gradient goes on from the RNN's dx to the rows of embed",
)
def model_embedding_frozen(params: Params, codes: Tensor) -> Tensor:
    return reference.text_model({**params, "embed": params["embed"].detach()}, codes)


# ---------------------------------------------------------------------------------------------------------- generate


def _written(params: Params, first: Tensor, length: int, fed: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """A loop whose next symbols are made of what `fed` makes of (first, all so far)."""
    codes = first[:, None]
    for _ in range(length):
        following = reference.text_model(params, fed(first, codes))[:, -1].argmax(dim=1, keepdim=True)
        codes = torch.cat([codes, following], dim=1)
    return codes


@slip(
    "generate",
    pattern="each symbol follows the one before it alone",
    likely="the state is lost between the symbols: carry it on, or read all that was written from the start",
)
def generate_forgets(params: Params, first: Tensor, length: int) -> Tensor:
    return _written(params, first, length, lambda first, codes: codes[:, -1:])[:, 1:]


@slip(
    "generate",
    pattern="the network reads the first symbol again and again",
    likely="the next input is the symbol that was written last",
)
def generate_reads_the_first(params: Params, first: Tensor, length: int) -> Tensor:
    return _written(params, first, length, lambda first, codes: first[:, None].expand(codes.shape))[:, 1:]


@slip(
    "generate",
    pattern="the first symbol stands in front, and the last one is missing",
    likely="return what was written after the first symbol, `length` symbols, without it",
)
def generate_with_the_first(params: Params, first: Tensor, length: int) -> Tensor:
    return _written(params, first, length, lambda first, codes: codes)[:, :-1]


@slip(
    "generate",
    pattern="each symbol is the one of the smallest score",
    likely="write the symbol of the largest score: argmax",
)
def generate_argmin(params: Params, first: Tensor, length: int) -> Tensor:
    codes = first[:, None]
    for _ in range(length):
        following = reference.text_model(params, codes)[:, -1].argmin(dim=1, keepdim=True)
        codes = torch.cat([codes, following], dim=1)
    return codes[:, 1:]


# -------------------------------------------------------------------------------------------------------------- clip


def _norm(grads: Params) -> Tensor:
    return torch.cat([grad.flatten() for grad in grads.values()]).norm()


@slip(
    "clip",
    pattern="the gradients are as long as the limit, whatever they were",
    likely="gradients that are short enough stay as they are",
)
def clip_always(grads: Params, limit: float) -> Params:
    norm = _norm(grads)
    return {name: grad * limit / norm for name, grad in grads.items()}


@slip(
    "clip",
    pattern="each array is clipped by its own norm",
    likely="take one norm of all gradients together, and multiply all by one number: their direction stays",
)
def clip_each(grads: Params, limit: float) -> Params:
    return {name: grad * min(1.0, limit / float(grad.norm())) for name, grad in grads.items()}


_ONE_NUMBER = "multiply all gradients by one number, limit / norm: their direction stays"


@slip("clip", pattern="each entry is clipped to the limit", likely=_ONE_NUMBER)
def clip_entries(grads: Params, limit: float) -> Params:
    return {name: grad.clamp(-limit, limit) for name, grad in grads.items()}


@slip("clip", pattern="the norm is the sum of the squares", likely="the norm is the root of the sum of the squares")
def clip_root_forgotten(grads: Params, limit: float) -> Params:
    norm = float(_norm(grads)) ** 2
    return grads if norm <= limit else {name: grad * limit / norm for name, grad in grads.items()}


@slip(
    "clip",
    pattern="the norm is the sum of the absolute values",
    likely="the norm is the root of the sum of the squares",
)
def clip_absolute(grads: Params, limit: float) -> Params:
    norm = sum(float(grad.abs().sum()) for grad in grads.values())
    return grads if norm <= limit else {name: grad * limit / norm for name, grad in grads.items()}


@slip("clip", pattern="the gradients are divided by their norm, and the limit is left out", likely=_ONE_NUMBER)
def clip_to_one(grads: Params, limit: float) -> Params:
    norm = _norm(grads)
    return grads if norm <= limit else {name: grad / norm for name, grad in grads.items()}


@slip("clip", pattern="the gradients stay as they are", likely="the gradients are not clipped")
def clip_never(grads: Params, limit: float) -> Params:
    return grads


# ---------------------------------------------------------------------------------------------------------- training


@slip(
    "training",
    pattern="the symbols that went in are taken for the ones to predict",
    likely="the loss compares the scores with y, the symbols one step later, not with x",
)
def train_predicts_what_it_sees(
    params: Params, x: Tensor, y: Tensor, lr: float, limit: float, batch: int, steps: int
) -> tuple[Params, list[float]]:
    return reference.train(params, x, x, lr, limit, batch, steps)


@slip(
    "training",
    pattern="the parameters are right; the losses are those of the batches after their updates",
    likely="measure the loss before the update, with the scores that gave it",
)
def train_loss_after_update(
    params: Params, x: Tensor, y: Tensor, lr: float, limit: float, batch: int, steps: int
) -> tuple[Params, list[float]]:
    losses = []
    for step in range(1, steps + 1):
        trained, _ = reference.train(params, x, y, lr, limit, batch, step)
        rows = ((step - 1) * batch + torch.arange(batch)) % len(x)
        scores = reference.text_model(trained, x[rows])
        losses.append(reference.temporal_softmax_loss(scores, y[rows], torch.ones_like(y[rows])).item())
    return trained, losses
