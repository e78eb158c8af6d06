"""A corpus of right layers and of ways to get their backward wrong, for the tests and the benchmarks.

Right layers are plain NumPy with hand-written backwards. A damage turns a right pair into a wrong one, in a way that
students do; where it changes nothing (swapping the gradients of a layer with one input), it does not apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from grader.authoring import damages

Forward = Callable[..., tuple[Any, Any]]
Backward = Callable[[Any, Any], Any]
Gradients = tuple[np.ndarray, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """A forward/backward pair and inputs for it. Integer inputs are not differentiated."""

    name: str
    forward: Forward
    backward: Backward
    inputs: tuple[np.ndarray, ...]
    kinks: bool = False

    @property
    def floats(self) -> tuple[np.ndarray, ...]:
        """The inputs that backward returns gradients of."""
        return tuple(each for each in self.inputs if each.dtype.kind == "f")


# --------------------------------------------------------------------------------------------------- right layers


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(0)


def matmul_forward(a, b):
    return a @ b, (a, b)


def matmul_backward(dout, cache):
    a, b = cache
    return dout @ b.T, a.T @ dout


def relu_forward(x):
    return np.maximum(x, 0.0), x


def relu_backward(dout, x):
    return (dout * (x > 0),)


def mlp_forward(x, w1, b1, w2, b2):
    hidden, first = affine_forward(x, w1, b1)
    active, mask = relu_forward(hidden)
    out, second = affine_forward(active, w2, b2)
    return out, (first, mask, second)


def mlp_backward(dout, cache):
    first, mask, second = cache
    dactive, dw2, db2 = affine_backward(dout, second)
    dx, dw1, db1 = affine_backward(relu_backward(dactive, mask)[0], first)
    return dx, dw1, db1, dw2, db2


def conv_forward(x, w, b):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))  # N C H W kh kw
    return np.tensordot(windows, w, ((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2) + b[:, None, None], (windows, w)


def conv_backward(dout, cache):
    windows, w = cache
    N, C, H, W = windows.shape[:4]
    dpadded = np.zeros((N, C, H + 2, W + 2))
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            dpadded[:, :, i : i + H, j : j + W] += np.tensordot(dout, w[:, :, i, j], (1, 0)).transpose(0, 3, 1, 2)
    dw = np.tensordot(dout, windows, ((0, 2, 3), (0, 2, 3)))
    return dpadded[:, :, 1:-1, 1:-1], dw, dout.sum((0, 2, 3))


def _normalise(x, gamma, beta, axis):
    mean, var = x.mean(axis, keepdims=True), x.var(axis, keepdims=True)
    inverse = 1 / np.sqrt(var + 1e-5)
    normal = (x - mean) * inverse
    return gamma * normal + beta, (normal, inverse, gamma)


def _normalise_backward(dout, cache, axis):
    normal, inverse, gamma = cache
    dnormal = dout * gamma
    mean = dnormal.mean(axis, keepdims=True)
    along = (dnormal * normal).mean(axis, keepdims=True)
    return inverse * (dnormal - mean - normal * along), (dout * normal).sum(0), dout.sum(0)


def batchnorm_forward(x, gamma, beta):
    return _normalise(x, gamma, beta, 0)


def batchnorm_backward(dout, cache):
    return _normalise_backward(dout, cache, 0)


def layernorm_forward(x, gamma, beta):
    return _normalise(x, gamma, beta, 1)


def layernorm_backward(dout, cache):
    return _normalise_backward(dout, cache, 1)


def lstm_forward(x, h, c, wx, wh, b):
    a = x @ wx + h @ wh + b
    H = h.shape[1]
    i, f, o = (1 / (1 + np.exp(-a[:, k * H : (k + 1) * H])) for k in range(3))
    g = np.tanh(a[:, 3 * H :])
    new_c = f * c + i * g
    squashed = np.tanh(new_c)
    return {"h": o * squashed, "c": new_c}, (x, h, c, wx, wh, i, f, o, g, squashed)


def lstm_backward(dout, cache):
    x, h, c, wx, wh, i, f, o, g, squashed = cache
    dc = dout["c"] + dout["h"] * o * (1 - squashed**2)
    gates = (
        dc * g * i * (1 - i),
        dc * c * f * (1 - f),
        dout["h"] * squashed * o * (1 - o),
        dc * i * (1 - g**2),
    )
    da = np.concatenate(gates, axis=1)
    return da @ wx.T, da @ wh.T, dc * f, x.T @ da, h.T @ da, da.sum(0)


def pool_forward(x):
    N, C, H, W = x.shape
    windows = x.reshape(N, C, H // 2, 2, W // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(N, C, H // 2, W // 2, 4)
    return windows.max(-1), windows


def _unpool(windows):
    N, C, H, W, _ = windows.shape
    return windows.reshape(N, C, H, W, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(N, C, 2 * H, 2 * W)


def pool_backward(dout, windows):
    winner = np.arange(4) == windows.argmax(-1)[..., None]
    return (_unpool(winner * dout[..., None]),)


def pool_backward_counts_ties_twice(dout, windows):
    return (_unpool((windows == windows.max(-1, keepdims=True)) * dout[..., None]),)


def pool_backward_splits_ties(dout, windows):
    winner = windows == windows.max(-1, keepdims=True)
    return (_unpool(winner / winner.sum(-1, keepdims=True) * dout[..., None]),)


def softmax_forward(scores, y):
    shifted = scores - scores.max(1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return -logs[np.arange(len(y)), y].mean(), (logs, y)


def softmax_backward(dout, cache):
    logs, y = cache
    dscores = np.exp(logs)
    dscores[np.arange(len(y)), y] -= 1
    return (dout * dscores / len(y),)


def embedding_forward(table, indices):
    return table[indices], (table.shape, indices)


def embedding_backward(dout, cache):
    shape, indices = cache
    dtable = np.zeros(shape)
    np.add.at(dtable, indices, dout)
    return (dtable,)


def smooth_layers(seed: int) -> list[Layer]:
    """Ten layers without kinks, or with so many elements that none is near one."""
    rng = np.random.default_rng(seed)
    n = rng.standard_normal
    weights = n((784, 200)) / 28, 0.1 * n(200), n((200, 10)) / 14, 0.1 * n(10)
    lstm = n((8, 32)), n((8, 64)), n((8, 64)), 0.1 * n((32, 256)), 0.1 * n((64, 256)), 0.1 * n(256)
    table = [
        ("affine", affine_forward, affine_backward, (n((32, 784)), n((784, 200)), n(200))),
        ("matmul", matmul_forward, matmul_backward, (n((64, 64)), n((64, 64)))),
        ("mlp", mlp_forward, mlp_backward, (n((100, 784)), *weights)),
        ("conv", conv_forward, conv_backward, (n((2, 3, 16, 16)), n((8, 3, 3, 3)), n(8))),
        ("batch norm", batchnorm_forward, batchnorm_backward, (n((64, 50)), n(50), n(50))),
        ("lstm", lstm_forward, lstm_backward, lstm),
        ("layer norm", layernorm_forward, layernorm_backward, (n((20, 30)), n(30), n(30))),
        ("max pool", pool_forward, pool_backward, (n((2, 3, 16, 16)),)),
        ("softmax loss", softmax_forward, softmax_backward, (n((100, 10)), rng.integers(0, 10, 100))),
        ("embedding", embedding_forward, embedding_backward, (n((50, 16)), rng.integers(0, 50, 40))),
    ]
    return [
        Layer(name=name, forward=forward, backward=backward, inputs=inputs) for name, forward, backward, inputs in table
    ]


def kinked_layers(seed: int) -> list[Layer]:
    """Three layers at or near kinks in a third of their outputs."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((40, 30))
    chosen = rng.random(x.shape) < 0.3
    near = np.where(chosen, rng.uniform(-1e-6, 1e-6, x.shape), x)
    zeros = np.where(chosen, 0.0, x)
    ties = rng.integers(0, 6, (2, 3, 16, 16)).astype(float)
    table = [
        ("relu near 0", relu_forward, relu_backward, near),
        ("relu at 0", relu_forward, relu_backward, zeros),
        ("max pool with ties", pool_forward, pool_backward, ties),
    ]
    return [
        Layer(name=name, forward=forward, backward=backward, inputs=(x,), kinks=True)
        for name, forward, backward, x in table
    ]


def all_layers(seed: int) -> list[Layer]:
    """The whole corpus of right layers."""
    return smooth_layers(seed) + kinked_layers(seed)


# -------------------------------------------------------------------------------------------------------- damages


def _map_out(function: Callable[[Any], Any], tree: Any) -> Any:
    return {key: function(value) for key, value in tree.items()} if isinstance(tree, dict) else function(tree)


def _on_gradients(change: Callable[[Gradients], Gradients]) -> Callable[[Layer], Layer]:
    """Damage that spoils what the right backward returns."""

    def damage(layer: Layer) -> Layer:
        return replace(layer, backward=lambda dout, cache: change(tuple(layer.backward(dout, cache))))

    return damage


def _on_upstream(change: Callable[[Any], Any]) -> Callable[[Layer], Layer]:
    """Damage that feeds the right backward with another upstream gradient."""

    def damage(layer: Layer) -> Layer:
        return replace(layer, backward=lambda dout, cache: layer.backward(_map_out(change, dout), cache))

    return damage


def _without_last_example(layer: Layer) -> Layer:
    def backward(dout: Any, cache: Any) -> Gradients:
        def cut(part: Any) -> Any:
            return np.concatenate([part[:-1], np.zeros_like(part[-1:])]) if np.ndim(part) else part

        right = tuple(layer.backward(dout, cache))
        return (*right[:-1], layer.backward(_map_out(cut, dout), cache)[-1])

    return replace(layer, backward=backward)


def _averaged(layer: Layer) -> Layer:
    rows = len(np.atleast_1d(layer.inputs[0]))
    return replace(layer, backward=lambda dout, cache: tuple(each / rows for each in layer.backward(dout, cache)))


DAMAGES: dict[str, Callable[[Layer], Layer]] = {
    **{name: _on_gradients(damage) for name, damage in damages.DAMAGES.items()},
    "averaged": _averaged,
    "last example dropped": _without_last_example,
    "ignores dout": _on_upstream(np.ones_like),
    "clips dout": _on_upstream(lambda part: np.clip(part, -0.5, 0.5)),
}
"""Sixteen ways to a wrong gradient that break no other promise: those of grader.authoring.damages, and four more."""


def changes(layer: Layer, damaged: Layer) -> bool:
    """Whether a damage shows at all at these inputs; 1e-8 of the gradient's size is the least that counts."""
    out, cache = layer.forward(*layer.inputs)
    dout = _map_out(lambda part: np.random.default_rng(3).standard_normal(np.shape(part)), out)
    right = np.concatenate([each.ravel() for each in layer.backward(dout, cache)])
    _, cache = damaged.forward(*layer.inputs)
    wrong = np.concatenate([each.ravel() for each in damaged.backward(dout, cache)])
    return bool(np.linalg.norm(right - wrong) > 1e-8 * np.linalg.norm(right))


def wrong_pairs(layers: list[Layer]) -> Iterator[tuple[str, Layer]]:
    """Every damage of every layer that shows, by name of the damage."""
    for layer in layers:
        for name, damage in DAMAGES.items():
            damaged = damage(layer)
            if changes(layer, damaged):
                yield name, damaged


# ------------------------------------------------------------------------------------------------------ side effects


def accumulates(layer: Layer) -> Layer:
    """Keeps adding to the gradients of the calls before."""
    total: list[np.ndarray] = []

    def backward(dout: Any, cache: Any) -> Gradients:
        new = layer.backward(dout, cache)
        total[:] = [old + each for old, each in zip(total, new, strict=True)] if total else [*new]
        return tuple(each.copy() for each in total)

    return replace(layer, backward=backward)


def shares_its_cache(layer: Layer) -> Layer:
    """One slot for the cache of all calls."""
    slot: list[Any] = [None]

    def forward(*inputs: Any) -> tuple[Any, Any]:
        out, slot[0] = layer.forward(*inputs)
        return out, None

    return replace(layer, forward=forward, backward=lambda dout, cache: layer.backward(dout, slot[0]))


def random_each_call(layer: Layer) -> Layer:
    """Another relative error of 1e-6 each time."""
    rng = np.random.default_rng(5)

    def backward(dout: Any, cache: Any) -> Gradients:
        return tuple(each * (1 + 1e-6 * rng.standard_normal()) for each in layer.backward(dout, cache))

    return replace(layer, backward=backward)


def writes_into_its_input(layer: Layer) -> Layer:
    """Leaves its first input multiplied by 2, once the output and the cache are computed from a copy."""

    def forward(*inputs: Any) -> tuple[Any, Any]:
        result = layer.forward(*(each.copy() for each in inputs))
        inputs[0][...] = 2 * inputs[0] + 1
        return result

    return replace(layer, forward=forward)


def writes_into_dout(layer: Layer) -> Layer:
    """Leaves the upstream gradient zeroed."""

    def backward(dout: Any, cache: Any) -> Any:
        gradients = tuple(each.copy() for each in layer.backward(dout, cache))
        for part in dout.values() if isinstance(dout, dict) else [dout]:
            part[...] = 0.0
        return gradients

    return replace(layer, backward=backward)


def float32_forward(layer: Layer) -> Layer:
    """Rounds its output to float32."""

    def forward(*inputs: Any) -> tuple[Any, Any]:
        out, cache = layer.forward(*inputs)
        return _map_out(lambda part: np.asarray(part).astype(np.float32).astype(float), out), cache

    return replace(layer, forward=forward)
