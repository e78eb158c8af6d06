"""Known slips of the network as objects: see grader/slips.py for what this file is and how it is read.

The mathematics of the layers is the first topic's, and its mistakes are told by the patterns of one array. What is new
is who keeps what, and for how long. That shows where one layer is used more than once ("accumulation", "open calls",
"shared") and in a training, so of these most slips are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from grader.slips import on_the_way_back, slip, straight_through, with_backward

Params = dict[str, Tensor]
Pair = tuple[Tensor, Tensor]

# What is said of the slips, of several exercises in the same words.
_LEARNS = "the layer changes its weight within its backward: dx needs the weight that forward used; SGD alone moves it"
_OWN = "backward adds to the grad of the very Parameters that parameters() lists, the same objects each time"
_MASK = "the mask is taken from dout; it belongs to the input of the forward pass"
_ASSIGNED = "backward adds to the grad that is there, it does not replace it: a layer may be used more than once"
_OVERWRITTEN = "a forward call overwrites what the one before kept: each object keeps an entry for each open call"
_FIRST_IN = "backward answers the latest forward call that is still open: take the last entry, not the first"
_CLEARED = "the gradients are zeros when a step's backward begins: zero_grad is called, and sets each parameter.grad"
_UPHILL = "subtract the step: the gradient points uphill"
_MEAN = "the velocity is a sum; the weighted mean is another form, with another learning rate"
_KEPT = "each parameter's velocity is kept in the object: a step begins with that of the step before"
_NAME = "a new value for a name changes nothing: set parameter.value"
_UNREACHED = "set parameter.value, of the model's own Parameters, while the gradients of backward are still there"
_ALIASED = "the velocity must be an array of its own: it is the gradient's, and zero_grad clears that in place"
_OVER_THE_END = "a batch that runs over the end goes on with the first rows: take the rows modulo N"
_NO_RELU = "the ReLU between the layers is missing"
_SCORES = "the scores come from the last layer as they are; a ReLU is between each two layers"
_EPSILON = "log(p + epsilon) is another loss: written without p, the logarithm of the softmax needs no epsilon"


# ---------------------------------------------------------------------------------------------------- linear, relu


@slip("linear", pattern="dw and db are zero, dx is right", likely=_OWN)
def linear_gradients_elsewhere(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return reference.linear(x, *(on_the_way_back(p, torch.zeros_like) for p in (w, b)))


def _learning(rate: float, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Linear that moves its weight by `rate` times the gradient before it computes dx."""

    def back(g: Tensor) -> Sequence[Tensor]:
        dw = x.T @ g
        return g @ (w - rate * dw).T, dw, g.sum(dim=0)

    return with_backward(reference.linear(x, w, b), back, x, w, b)


@slip("linear", pattern="dx is that of a weight after a step of 0.1", likely=_LEARNS)
def linear_learns_by_1e1(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return _learning(0.1, x, w, b)


@slip("linear", pattern="dx is that of a weight after a step of 0.01", likely=_LEARNS)
def linear_learns_by_1e2(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return _learning(0.01, x, w, b)


@slip("relu", pattern="dx is dout where dout > 0 and 0 elsewhere", likely=_MASK)
def relu_mask_of_dout(x: Tensor) -> Tensor:
    return straight_through(reference.relu(x), on_the_way_back(x, lambda g: g.clamp(min=0)))


# ---------------------------------------------------------------------------------------- accumulation, open calls


def _of_linear(x: Tensor, dout: Tensor) -> Pair:
    return x.T @ dout, dout.sum(dim=0)


@slip("accumulation", pattern="the second backward pass leaves its own gradients alone", likely=_ASSIGNED)
def accumulation_assigned(*args: Tensor) -> dict[str, Pair]:
    right: dict[str, Pair] = reference.accumulated(*args)
    return {**right, "both": right["again"]}


@slip("accumulation", pattern="behind zero_grad the gradients of before are still there", likely=_CLEARED)
def accumulation_never_cleared(*args: Tensor) -> dict[str, Pair]:
    right: dict[str, Pair] = reference.accumulated(*args)
    dw, db = (before + new for before, new in zip(right["both"], right["again"], strict=True))
    return {**right, "again": (dw, db)}


def _open(args: Sequence[Tensor], of_x: Tensor, of_z: Tensor) -> dict[str, Any]:
    """Open calls whose backward of x and of z take these for the input."""
    _, _, _, dout, _, dz = args
    (dw, db), (more_w, more_b) = _of_linear(of_x, dout), _of_linear(of_z, dz)
    return {**reference.interleaved(*args), "parameters": (dw + more_w, db + more_b)}


@slip("open calls", pattern="both backward calls take the input of the latest forward call", likely=_OVERWRITTEN)
def open_calls_overwritten(*args: Tensor) -> dict[str, Any]:
    return _open(args, of_x=args[4], of_z=args[4])


@slip("open calls", pattern="the first backward call takes the input of the first forward call", likely=_FIRST_IN)
def open_calls_first_in_first_out(*args: Tensor) -> dict[str, Any]:
    return _open(args, of_x=args[4], of_z=args[2])


@slip("open calls", pattern="the gradients are those of the last backward call alone", likely=_ASSIGNED)
def open_calls_assigned(*args: Tensor) -> dict[str, Any]:
    _, _, x, dout, _, _ = args
    return {**reference.interleaved(*args), "parameters": _of_linear(x, dout)}


@slip("open calls", pattern="dz and dx are those of a weight after steps of 0.01", likely=_LEARNS)
def open_calls_learn(*args: Tensor) -> dict[str, Any]:
    w, _, _, dout, z, dz = args
    right: dict[str, Any] = reference.interleaved(*args)
    once = w - 0.01 * z.T @ dz
    return {**right, "dz": dz @ once.T, "dx": dout @ (once - 0.01 * right["parameters"][0]).T}


# ---------------------------------------------------------------------------------------------------------- shared

_CALLS = (0, 1, 2)
_LATEST, _FIRST_OUT = (2, 2, 2), (2, 1, 0)


def _shared(
    params: Params,
    x: Tensor,
    *,
    linear: Sequence[int] = _CALLS,
    relu: Sequence[int] = _CALLS,
    adds: Sequence[int] = _CALLS,
    rate: float = 0.0,
) -> Tensor:
    """The backward of call k takes what Linear kept in call linear[k], and ReLU in call relu[k].

    Of the calls in `adds` the gradients are added; with a `rate`, Linear moves its weight in each call.
    """
    inputs, before = [x], list[Tensor]()
    for _ in _CALLS:
        before.append(reference.linear(inputs[-1], params["w"], params["b"]))
        inputs.append(reference.relu(before[-1]))

    def back(dout: Tensor) -> Sequence[Tensor]:
        w, g, dw, db = params["w"], dout, torch.zeros_like(params["w"]), torch.zeros_like(params["b"])
        for call in reversed(_CALLS):
            g = g * (before[relu[call]] > 0)
            if call in adds:
                dw, db = dw + inputs[linear[call]].T @ g, db + g.sum(dim=0)
            w = w - rate * dw
            g = g @ w.T
        return dw, db

    return with_backward(inputs[-1], back, params["w"], params["b"])


@slip("shared", pattern="every backward call of Linear takes the input of its last forward call", likely=_OVERWRITTEN)
def shared_linear_overwritten(params: Params, x: Tensor) -> Tensor:
    return _shared(params, x, linear=_LATEST)


@slip("shared", pattern="every backward call of ReLU takes the mask of its last forward call", likely=_OVERWRITTEN)
def shared_relu_overwritten(params: Params, x: Tensor) -> Tensor:
    return _shared(params, x, relu=_LATEST)


@slip("shared", pattern="every backward call takes what the last forward call kept", likely=_OVERWRITTEN)
def shared_both_overwritten(params: Params, x: Tensor) -> Tensor:
    return _shared(params, x, linear=_LATEST, relu=_LATEST)


@slip("shared", pattern="Linear's first backward call takes the input of its first forward call", likely=_FIRST_IN)
def shared_linear_first_out(params: Params, x: Tensor) -> Tensor:
    return _shared(params, x, linear=_FIRST_OUT)


@slip("shared", pattern="the first backward call takes what the first forward call kept", likely=_FIRST_IN)
def shared_both_first_out(params: Params, x: Tensor) -> Tensor:
    return _shared(params, x, linear=_FIRST_OUT, relu=_FIRST_OUT)


@slip("shared", pattern="the gradients are those of the first use of the layer alone", likely=_ASSIGNED)
def shared_assigned(params: Params, x: Tensor) -> Tensor:
    return _shared(params, x, adds=(0,))


@slip(
    "shared",
    pattern="the gradients are without those of the first use of the layer",
    likely="the way back ends before the first module: look at the bounds of the loop",
)
def shared_stops_early(params: Params, x: Tensor) -> Tensor:
    return _shared(params, x, adds=(1, 2))


@slip("shared", pattern="the gradients are those of a weight that moves by steps of 0.01", likely=_LEARNS)
def shared_learns(params: Params, x: Tensor) -> Tensor:
    return _shared(params, x, rate=0.01)


# ------------------------------------------------------------------------------------------------------------ loss


def _by_probabilities(scores: Tensor, y: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    p = (scores.softmax(dim=1) * one_hot(y.long(), scores.shape[1])).sum(dim=1)
    return straight_through(-change(p).log().mean(), reference.softmax_loss(scores, y))


@slip("loss", pattern="the loss is the mean of -log(p + 1e-8)", likely=_EPSILON)
def loss_epsilon_1e8(scores: Tensor, y: Tensor) -> Tensor:
    return _by_probabilities(scores, y, lambda p: p + 1e-8)


@slip("loss", pattern="the loss is the mean of -log(p + 1e-12)", likely=_EPSILON)
def loss_epsilon_1e12(scores: Tensor, y: Tensor) -> Tensor:
    return _by_probabilities(scores, y, lambda p: p + 1e-12)


# ---------------------------------------------------------------------------------------------------- sgd, training

Rule = Callable[[Tensor, Tensor, Tensor, float, float], Pair]
"""(parameter, gradient, velocity, lr, momentum) -> (parameter, velocity)."""


def _momentum(p: Tensor, g: Tensor, v: Tensor, lr: float, mu: float) -> Pair:
    return p - lr * (mu * v + g), mu * v + g


def _moved(params: Params, grads: Params, kept: Params, rule: Rule, lr: float, mu: float) -> Params:
    """Parameters after a step; `kept` holds the velocities."""
    moved = {}
    for name, p in params.items():
        moved[name], kept[name] = rule(p.detach(), grads[name], kept.get(name, torch.zeros(())), lr, mu)
    return moved


def _wrapped(start: int, batch: int, N: int) -> Tensor:
    return (start + torch.arange(batch)) % N


def _trained(
    args: Sequence[Any],
    rule: Rule = _momentum,
    *,
    network: Callable[[Params, Tensor], Tensor] | None = None,
    rows: Callable[[int, int, int], Tensor] = _wrapped,
    cleared: bool = True,
    first_lost: bool = False,
) -> tuple[Params, list[float]]:
    """A training of which the step, the network, the rows by (step batch, batch, N), or what is kept are given."""
    params, x, y, lr, momentum, batch, steps = args
    kept, grads, losses = Params(), Params(), list[float]()
    for step in range(steps):
        leaves = {name: value.detach().requires_grad_() for name, value in params.items()}
        here = rows(step * batch, batch, len(x))
        loss = reference.softmax_loss((network or reference.sequential)(leaves, x[here]), y[here])
        new = dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True))
        grads = new if cleared or not grads else {name: grads[name] + g for name, g in new.items()}
        kept = Params() if first_lost and step == 1 else kept
        params = _moved(leaves, grads, kept, rule, lr, momentum)
        losses.append(loss.item())
    return params, losses


def _stepped(args: Sequence[Any], rule: Rule) -> Any:
    """What another rule makes of the given gradients, or of a training: the number of arguments tells which."""
    if len(args) > 4:
        return _trained(args, rule)
    params, grads, lr, momentum = args
    kept, after = Params(), list[Params]()
    for step in grads:
        params = _moved(params, step, kept, rule, lr, momentum)
        after.append(params)
    return after


@slip("sgd", "training", pattern="the parameters move along the gradient", likely=_UPHILL)
def sgd_ascends(*args: Any) -> Any:
    return _stepped(args, lambda p, g, v, lr, mu: _momentum(p, g, v, -lr, mu))


@slip("sgd", "training", pattern="the velocity is momentum v + (1 - momentum) g", likely=_MEAN)
def sgd_averages(*args: Any) -> Any:
    return _stepped(args, lambda p, g, v, lr, mu: _momentum(p, (1 - mu) * g, v, lr, mu))


@slip("sgd", "training", pattern="the steps are those without momentum", likely=_KEPT)
def sgd_velocity_forgotten(*args: Any) -> Any:
    return _stepped(args, lambda p, g, v, lr, mu: _momentum(p, g, v, lr, 0.0))


@slip("sgd", pattern="no parameter moves", likely=_NAME)
def sgd_moves_a_name(*args: Any) -> Any:
    return _stepped(args, lambda p, g, v, lr, mu: (p, v))


@slip("training", pattern="no parameter moves: all are as they were drawn", likely=_UNREACHED)
def training_moves_nothing(*args: Any) -> tuple[Params, list[float]]:
    return _trained(args, lambda p, g, v, lr, mu: (p, v))


@slip("training", pattern="the second step knows nothing of the velocity of the first", likely=_ALIASED)
def training_velocity_is_the_gradient(*args: Any) -> tuple[Params, list[float]]:
    return _trained(args, first_lost=True)


@slip("training", pattern="each step goes with the sum of the gradients of all steps so far", likely=_CLEARED)
def training_never_clears(*args: Any) -> tuple[Params, list[float]]:
    return _trained(args, cleared=False)


@slip("training", pattern="a batch at the end of the data is shorter", likely=_OVER_THE_END)
def training_cuts_at_the_end(*args: Any) -> tuple[Params, list[float]]:
    return _trained(args, rows=lambda start, batch, N: torch.arange(N)[start % N :][:batch])


@slip("training", pattern="a batch at the end is shorter, and the next one starts at row 0", likely=_OVER_THE_END)
def training_by_epochs(*args: Any) -> tuple[Params, list[float]]:
    return _trained(args, rows=lambda start, batch, N: torch.arange(N)[start % (-(-N // batch) * batch) :][:batch])


# ------------------------------------------------------------------------------------------------------------- mlp


def _network(args: Sequence[Any], behind: Callable[[Tensor], Tensor]) -> Any:
    """A network with this behind every layer, or what it is trained to."""

    def network(params: dict[str, Any], x: Tensor) -> Tensor:
        weights = params.get("weights") or [params["W1"], params["W2"]]
        for w, b in zip(weights, params.get("biases") or [params["b1"], params["b2"]], strict=True):
            x = behind(reference.linear(x, w, b))
        return x

    return network(*args) if len(args) == 2 else _trained(args, network=network)


@slip("mlp", "training", pattern="the network is one of linear layers alone", likely=_NO_RELU)
def mlp_no_relu(*args: Any) -> Any:
    return _network(args, lambda x: x)


@slip("mlp", "training", pattern="no score is negative: there is a ReLU on the scores", likely=_SCORES)
def mlp_relu_on_scores(*args: Any) -> Any:
    return _network(args, reference.relu)
