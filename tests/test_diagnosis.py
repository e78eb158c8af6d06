"""Diagnoses: a table of real mistakes and what must be said of each, and laws on what must never be said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace as Space
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.numerics.claims import close
from grader.numerics.diagnosis import Context, Diagnosis, DiagnosisCode, diagnose

Code = DiagnosisCode


# ------------------------------------------------------------------------------------------------ layers by hand
@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """One drawn case: arrays by name, true values by tensor name, axis names."""

    v: Space
    true: dict[str, np.ndarray]
    axes: dict[str, tuple[str, ...]]
    sizes: dict[str, int]
    inputs: dict[str, np.ndarray]
    upstream: np.ndarray | None
    upstream_axes: tuple[str, ...]

    def context(self, name: str) -> Context:
        forward = name in ("out", "loss") or name.startswith("new")
        return Context(
            name=name,
            axes=self.axes[name],
            sizes=self.sizes,
            inputs=self.inputs,
            upstream=self.upstream,
            upstream_axes=self.upstream_axes,
            others={k: t for k, t in self.true.items() if k != name and (k in ("out", "loss")) == forward},
            forward=forward,
        )


def affine(seed: int) -> Layer:
    r = np.random.default_rng(seed)
    n, d, m = ((3, 4, 5), (7, 6, 8), (9, 12, 11))[seed % 3]
    x, w, b, dout = (r.standard_normal(s) for s in ((n, d), (d, m), (m,), (n, m)))
    v = Space(x=x, w=w, b=b, dout=dout, n=n, r=r)
    true = {"dx": dout @ w.T, "dw": x.T @ dout, "db": dout.sum(0), "out": x @ w + b}
    axes = {"dx": ("N", "D"), "dw": ("D", "M"), "db": ("M",), "out": ("N", "M")}
    return _layer(v, true, axes, {"N": n, "D": d, "M": m}, {"x": x, "w": w, "b": b}, ("N", "M"))


def relu(seed: int) -> Layer:
    r = np.random.default_rng(seed)
    n, d = ((3, 4), (5, 6), (8, 9))[seed % 3]
    x, dout = r.standard_normal((n, d)), r.standard_normal((n, d))
    v = Space(x=x, dout=dout, r=r)
    true = {"dx": dout * (x > 0), "out": np.maximum(x, 0)}
    return _layer(v, true, dict.fromkeys(true, ("N", "D")), {"N": n, "D": d}, {"x": x}, ("N", "D"))


def softmax(seed: int) -> Layer:
    r = np.random.default_rng(seed)
    n, c = ((4, 3), (6, 5), (12, 10))[seed % 3]
    s, y = r.standard_normal((n, c)), r.integers(0, c, n)
    p = np.exp(s) / np.exp(s).sum(1, keepdims=True)
    one = np.eye(c)[y]
    losses = -np.log(p[np.arange(n), y])
    v = Space(s=s, p=p, one=one, n=n, losses=losses, r=r)
    true = {"dscores": (p - one) / n, "loss": np.array(losses.mean())}
    return _layer(v, true, {"dscores": ("N", "C"), "loss": ()}, {"N": n, "C": c}, {"scores": s}, ())


def mlp(seed: int) -> Layer:
    r = np.random.default_rng(seed)
    n, d, h, c = ((3, 8, 6, 5), (7, 20, 13, 10), (10, 49, 20, 11))[seed % 3]
    x, w1, b1, w2, b2, dout = (r.standard_normal(s) for s in ((n, d), (d, h), (h,), (h, c), (c,), (n, c)))
    a = x @ w1 + b1
    dh = dout @ w2.T
    da = dh * (a > 0)
    v = Space(x=x, w1=w1, w2=w2, a=a, dh=dh, da=da, dout=dout, n=n, hidden=np.maximum(a, 0), r=r)
    true = {
        "dparams['W1']": x.T @ da,
        "dparams['b1']": da.sum(0),
        "dparams['W2']": v.hidden.T @ dout,
        "dparams['b2']": dout.sum(0),
        "out": v.hidden @ w2 + b2,
    }
    axes = dict(zip(true, (("D", "H"), ("H",), ("H", "C"), ("C",), ("N", "C")), strict=True))
    inputs = {"x": x, "params['W1']": w1, "params['b1']": b1, "params['W2']": w2, "params['b2']": b2}
    return _layer(v, true, axes, {"N": n, "D": d, "H": h, "C": c}, inputs, ("N", "C"))


def norm(seed: int, axis: int) -> Layer:
    r = np.random.default_rng(seed)
    n, d = ((9, 8), (12, 7), (14, 16))[seed % 3]
    x, gamma, beta, dout = (r.standard_normal(s) for s in ((n, d), d, d, (n, d)))
    x = 1.7 * x + 0.3
    v = Space(x=x, gamma=gamma, beta=beta, dout=dout, axis=axis, n=n, r=r)
    v.hat, v.std = _normed(x, axis)
    true = {
        "dx": norm_dx(v),
        "dgamma": (dout * v.hat).sum(0),
        "dbeta": dout.sum(0),
        "out": gamma * v.hat + beta,
    }
    axes = {"dx": ("N", "D"), "dgamma": ("D",), "dbeta": ("D",), "out": ("N", "D")}
    return _layer(v, true, axes, {"N": n, "D": d}, {"x": x, "gamma": gamma, "beta": beta}, ("N", "D"))


def _normed(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    std = np.sqrt(x.var(axis=axis, keepdims=True) + 1e-5)
    return (x - x.mean(axis=axis, keepdims=True)) / std, std


def norm_dx(
    v: Space, *, gamma: Any = None, axis: int | None = None, mean: float = 1.0, cross: float = 1.0
) -> np.ndarray:
    """Gradient of a normalisation, with switches for its terms."""
    axis = v.axis if axis is None else axis
    hat, std = _normed(v.x, axis)
    dhat = v.dout * (v.gamma if gamma is None else gamma)
    m = dhat.mean(axis=axis, keepdims=True)
    c = hat * (dhat * hat).mean(axis=axis, keepdims=True)
    return (dhat - mean * m - cross * c) / std


def norm_out(
    v: Space,
    *,
    axis: Any = None,
    ddof: int = 0,
    eps: float = 1e-5,
    outside: float = 0.0,
    power: float = 0.5,
    mean: float = 1.0,
) -> np.ndarray:
    """The normalisation itself, with switches for its statistics."""
    axis = v.axis if axis is None else axis
    spread = (v.x.var(axis=axis, keepdims=True, ddof=ddof) + eps) ** power + outside
    return v.gamma * (v.x - mean * v.x.mean(axis=axis, keepdims=True)) / spread + v.beta


def layer_norm(seed: int) -> Layer:
    return norm(seed, 1)


def batch_norm(seed: int) -> Layer:
    return norm(seed, 0)


def rms_norm(seed: int) -> Layer:
    r = np.random.default_rng(seed)
    n, d = ((9, 8), (12, 7), (14, 16))[seed % 3]
    v = Space(x=r.standard_normal((n, d)) + 0.3, gamma=r.standard_normal(d), dout=r.standard_normal((n, d)), r=r)
    v.size = np.sqrt((v.x**2).mean(axis=1, keepdims=True) + 1e-3)
    true = {"dx": rms_dx(v), "dgamma": (v.dout * v.x / v.size).sum(0), "out": v.gamma * v.x / v.size}
    axes = {"dx": ("N", "D"), "dgamma": ("D",), "out": ("N", "D")}
    return _layer(v, true, axes, {"N": n, "D": d}, {"x": v.x, "gamma": v.gamma}, ("N", "D"))


def rms_dx(v: Space, *, gamma: Any = None, cross: float = 1.0) -> np.ndarray:
    dhat, hat = v.dout * (v.gamma if gamma is None else gamma), v.x / v.size
    return (dhat - cross * hat * (dhat * hat).mean(axis=1, keepdims=True)) / v.size


def conv(seed: int) -> Layer:
    r = np.random.default_rng(seed)
    n, c, f, k, h, wd = ((2, 3, 4, 3, 5, 7), (3, 2, 5, 3, 6, 8), (2, 4, 3, 3, 7, 6))[seed % 3]
    x, w, b, dout = (r.standard_normal(s) for s in ((n, c, h, wd), (f, c, k, k), (f,), (n, f, h, wd)))
    v = Space(x=x, w=w, b=b, dout=dout, r=r)
    true = {"dx": conv_dx(dout, w), "dw": conv_dw(x, dout, k), "db": dout.sum((0, 2, 3)), "out": conv_out(x, w, b)}
    axes = {"dx": ("N", "C", "H", "W"), "dw": ("F", "C", "HH", "WW"), "db": ("F",), "out": ("N", "F", "H", "W")}
    sizes = {"N": n, "C": c, "F": f, "H": h, "W": wd, "HH": k, "WW": k}
    return _layer(v, true, axes, sizes, {"x": x, "w": w, "b": b}, ("N", "F", "H", "W"))


def _windows(x: np.ndarray, k: int) -> np.ndarray:
    """Windows of x padded by k // 2, as (N, C, H, W, k, k)."""
    pad = k // 2
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    return np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(2, 3))


def conv_out(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("nchwij,fcij->nfhw", _windows(x, w.shape[2]), w) + b[:, None, None]


def conv_dw(x: np.ndarray, dout: np.ndarray, k: int) -> np.ndarray:
    return np.einsum("nchwij,nfhw->fcij", _windows(x, k), dout)


def conv_dx(dout: np.ndarray, w: np.ndarray) -> np.ndarray:
    return np.einsum("nfhwij,fcij->nchw", _windows(dout, w.shape[2]), w[:, :, ::-1, ::-1])


def max_pool(seed: int) -> Layer:
    r = np.random.default_rng(seed)
    n, c, h, w = ((2, 3, 4, 6), (3, 2, 6, 4), (1, 4, 8, 6))[seed % 3]
    x, dout = r.standard_normal((n, c, h, w)), r.standard_normal((n, c, h // 2, w // 2))
    blocks = x.reshape(n, c, h // 2, 2, w // 2, 2)
    out = blocks.max(axis=(3, 5))
    mask = x == out.repeat(2, 2).repeat(2, 3)
    spread = dout.repeat(2, 2).repeat(2, 3)
    v = Space(x=x, dout=dout, mask=mask, spread=spread, blocks=blocks, r=r)
    true = {"dx": spread * mask, "out": out}
    sizes = {"N": n, "C": c, "H": h, "W": w}
    return _layer(v, true, {"dx": ("N", "C", "H", "W"), "out": ("N", "C", "OH", "OW")}, sizes, {"x": x}, ())


def embedding(seed: int) -> Layer:
    r = np.random.default_rng(seed)
    n, v_, d = ((8, 5, 4), (20, 9, 6), (30, 12, 7))[seed % 3]
    ids, w, dout = r.integers(0, v_ - 1, n), r.standard_normal((v_, d)), r.standard_normal((n, d))
    ids[:3] = ids[0]
    dw = np.zeros_like(w)
    np.add.at(dw, ids, dout)
    v = Space(ids=ids, w=w, dout=dout, counts=np.maximum(np.bincount(ids, minlength=v_), 1), r=r)
    true = {"dw": dw, "out": w[ids]}
    axes = {"dw": ("V", "D"), "out": ("N", "D")}
    return _layer(v, true, axes, {"N": n, "V": v_, "D": d}, {"w": w}, ("N", "D"))


def sgd(seed: int) -> Layer:
    r = np.random.default_rng(seed)
    w, g = r.standard_normal((4, 3)), r.standard_normal((4, 3))
    v = Space(w=w, g=g, r=r)
    return _layer(v, {"new": w - 0.1 * g}, {"new": ("D", "H")}, {"D": 4, "H": 3}, {"w": w, "dw": g}, ())


def _layer(v: Space, true: Any, axes: Any, sizes: Any, inputs: Any, upstream_axes: tuple[str, ...]) -> Layer:
    upstream = getattr(v, "dout", None)
    return Layer(v=v, true=true, axes=axes, sizes=sizes, inputs=inputs, upstream=upstream, upstream_axes=upstream_axes)


# ---------------------------------------------------------------------------------------------------- the mistakes
Wrong = Callable[[Space, np.ndarray], Any]
"""(drawn arrays, true value of the tensor) -> what the student returned."""


def _assign(v: Space) -> np.ndarray:
    g = np.zeros_like(v.w)
    g[v.ids] = v.dout
    return g


def _changed(array: np.ndarray, index: Any, value: Any) -> np.ndarray:
    copy = array.copy()
    copy[index] = value
    return copy


def _scattered(t: np.ndarray) -> np.ndarray:
    return np.random.default_rng(3).permutation(t.ravel()).reshape(t.shape)


SLIPS: list[tuple[Callable[[int], Layer], str, str, Wrong, Code, str]] = [
    # affine
    (affine, "average", "dw", lambda v, t: v.x.T @ v.dout / v.n, Code.FACTOR, "backward averages over the batch"),
    (affine, "average", "dx", lambda v, t: t / v.n, Code.FACTOR, "backward averages over the batch"),
    (affine, "mean", "db", lambda v, t: v.dout.mean(0), Code.FACTOR, "backward averages over the batch"),
    (
        affine,
        "unreduced",
        "db",
        lambda v, t: v.dout,
        Code.MISSING_SUM,
        "sum dout over axis 0 (N): db = dout.sum(axis=0)",
    ),
    (affine, "keepdims", "db", lambda v, t: v.dout.sum(0, keepdims=True), Code.RESHAPED, "keepdims=True"),
    (affine, "all axes", "db", lambda v, t: np.full_like(t, v.dout.sum()), Code.WRONG_REDUCTION, "sum of the expected"),
    (
        affine,
        "scalar",
        "db",
        lambda v, t: v.dout.sum(),
        Code.WRONG_REDUCTION,
        "sum of the expected one over axis 0 (M)",
    ),
    (affine, "wrong axis", "db", lambda v, t: v.dout.sum(1), Code.WRONG_SHAPE, "yours has shape"),
    (affine, "first row", "db", lambda v, t: v.dout[0], Code.WRONG_REDUCTION, "dout[0] alone"),
    (affine, "bias returned", "db", lambda v, t: v.b, Code.FORMULA, "db is b"),
    (affine, "transposed", "dw", lambda v, t: t.T, Code.TRANSPOSED, "transpose"),
    (affine, "transposed and averaged", "dx", lambda v, t: -t, Code.SIGN, "minus sign"),
    (affine, "doubled", "dw", lambda v, t: 2 * t, Code.FACTOR, "every element is 2 times the expected one"),
    (affine, "halved", "dw", lambda v, t: t / 2, Code.FACTOR, "every element is 1/2 of the expected one"),
    (affine, "off by 1e-4", "dw", lambda v, t: t * 1.0001, Code.FACTOR, "1.0001 times"),
    (affine, "regularised", "dw", lambda v, t: t + 0.05 * v.w, Code.REGULARISATION, "0.05 * w, is too much"),
    (affine, "last sample", "dw", lambda v, t: v.x[:-1].T @ v.dout[:-1], Code.TERMS_DROPPED, "contribution of row"),
    (affine, "first twice", "dw", lambda v, t: t + np.outer(v.x[0], v.dout[0]), Code.TERMS_DROPPED, "counted twice"),
    (affine, "zeros", "dw", lambda v, t: 0 * t, Code.ALL_ZERO, "every element of yours is 0"),
    (affine, "None", "dw", lambda v, t: None, Code.NONE, "None"),
    (affine, "swapped", "dw", lambda v, t: v.dout @ v.w.T, Code.SWAPPED, "value of dx"),
    (affine, "one column", "dw", lambda v, t: _changed(t, np.s_[:, 1], 7.0), Code.LOCAL, "index 1 of axis 1 (M)"),
    (affine, "one element", "dw", lambda v, t: _changed(t, (3, 1), 7.0), Code.LOCAL, "dw[3, 1]"),
    (affine, "last column zero", "dw", lambda v, t: _changed(t, np.s_[:, -1], 0.0), Code.TERMS_DROPPED, "axis 1 (M)"),
    (
        affine,
        "nan",
        "dw",
        lambda v, t: _changed(t, (0, 2), np.nan),
        Code.NOT_FINITE,
        "the first at dw[0, 2]; the others",
    ),
    (affine, "float32", "dw", lambda v, t: t.astype(np.float32).astype(float), Code.FLOAT32, "float32"),
    (
        affine,
        "float32 dtype",
        "dw",
        lambda v, t: t.astype(np.float32),
        Code.DTYPE,
        "yours is float32, expected float64",
    ),
    (affine, "integers", "dw", lambda v, t: t.astype(int), Code.DTYPE, "cuts the fraction off"),
    (affine, "rows shuffled", "dx", lambda v, t: t[[1, 0, *range(2, len(t))]], Code.PERMUTED, "along axis 0 (N)"),
    (affine, "reversed", "dx", lambda v, t: t[::-1], Code.FLIPPED, "reversed along axis 0 (N)"),
    (affine, "order of memory", "dw", lambda v, t: t.T.reshape(t.shape), Code.RESHAPED, "a reshape where a transpose"),
    (affine, "flat", "dw", lambda v, t: t.ravel(), Code.RESHAPED, "the numbers are right"),
    (affine, "stale x", "dw", lambda v, t: v.x[::-1].T @ v.dout, Code.WRONG_FACTOR, "z must be x"),
    (affine, "centred x", "dw", lambda v, t: (v.x - v.x.mean(0)).T @ v.dout, Code.MISSING_TERM, "constant along"),
    (
        affine,
        "rank one",
        "dw",
        lambda v, t: t + np.outer(np.arange(1, len(t) + 1) ** 2, v.b),
        Code.MISSING_TERM,
        "rank 1",
    ),
    (affine, "scattered", "dx", lambda v, t: _scattered(t), Code.PERMUTED, "the same values in other places"),
    (affine, "summed", "dx", lambda v, t: t.sum(0) + 0 * t, Code.WRONG_REDUCTION, "over axis 0 (N), repeated"),
    (affine, "same rows", "dx", lambda v, t: t[2] + 0 * t, Code.CONSTANT, "yours is constant along axis 0 (N)"),
    (affine, "constant", "db", lambda v, t: 3.25 + 0 * t, Code.CONSTANT, "every element of yours is 3.25"),
    (affine, "offset", "dw", lambda v, t: t + 0.25, Code.MISSING_TERM, "off by the same number, +0.25"),
    (affine, "a row of x", "dx", lambda v, t: t + v.x * v.dout.sum(1)[:, None], Code.MISSING_TERM, "combination of x"),
    (
        affine,
        "outer",
        "dx",
        lambda v, t: t * np.outer(1 / v.dout[:, 0], v.w[:, 0]),
        Code.FACTOR_PER_SLICE,
        "times one of",
    ),
    (affine, "bias left out", "out", lambda v, t: v.x @ v.w, Code.MISSING_TERM, "b is not added"),
    (affine, "bias twice", "out", lambda v, t: t + v.b, Code.MISSING_TERM, "b is added once too often"),
    (affine, "bias subtracted", "out", lambda v, t: t - 2 * v.b, Code.MISSING_TERM, "minus 2 * b"),
    (affine, "ReLU after", "out", lambda v, t: np.maximum(t, 0), Code.TERMS_DROPPED, "a ReLU is applied"),
    # relu
    (relu, "no mask", "dx", lambda v, t: v.dout, Code.MASK_MISSING, "the gradient flows where x is negative"),
    (relu, "inverted", "dx", lambda v, t: v.dout * (v.x <= 0), Code.MASK_INVERTED, "the mask is inverted"),
    (relu, "mask of dout", "dx", lambda v, t: v.dout * (v.dout > 0), Code.MASK_WRONG, "the mask is taken from dout"),
    (relu, "dout ignored", "dx", lambda v, t: (v.x > 0) * 1.0, Code.FORMULA, "dx is (x > 0)"),
    (relu, "times x", "dx", lambda v, t: v.dout * v.x, Code.FORMULA, "dx is dout * x"),
    (relu, "leaky", "dx", lambda v, t: np.where(v.x > 0, v.dout, 0.1 * v.dout), Code.MASK_MISSING, "must be 0"),
    (relu, "value for mask", "dx", lambda v, t: v.dout * np.maximum(v.x, 0), Code.FORMULA, "dout * max(0, x)"),
    (relu, "identity", "out", lambda v, t: v.x, Code.MASK_MISSING, "max(0, x) is missing"),
    (relu, "abs", "out", lambda v, t: abs(v.x), Code.MASK_MISSING, "must be 0"),
    (relu, "min", "out", lambda v, t: np.minimum(v.x, 0), Code.MASK_INVERTED, "inverted"),
    # softmax and cross-entropy
    (softmax, "no -1", "dscores", lambda v, t: v.p / v.n, Code.MISSING_TERM, "the 1 is not subtracted"),
    (softmax, "+1", "dscores", lambda v, t: (v.p + v.one) / v.n, Code.MISSING_TERM, "must be subtracted"),
    (softmax, "no 1/N", "dscores", lambda v, t: v.p - v.one, Code.FACTOR, "its gradient has a factor 1/N"),
    (softmax, "1/N twice", "dscores", lambda v, t: t / v.n, Code.FACTOR, "applied twice"),
    (softmax, "1 not divided", "dscores", lambda v, t: v.p / v.n - v.one, Code.MISSING_TERM, "not divided by N"),
    (softmax, "sign", "dscores", lambda v, t: -t, Code.SIGN, "minus sign"),
    (softmax, "constant per row", "dscores", lambda v, t: t - t.max(1, keepdims=True), Code.MISSING_TERM, "axis 1 (C)"),
    (softmax, "only correct", "dscores", lambda v, t: t * v.one, Code.TERMS_DROPPED, "are 0 and must not be"),
    (softmax, "unreduced loss", "loss", lambda v, t: v.losses, Code.WRONG_SHAPE, "the mean over axis N"),
    (softmax, "sum", "loss", lambda v, t: v.losses.sum(), Code.FACTOR, "and N = "),
    (softmax, "sign", "loss", lambda v, t: -t, Code.SIGN, "minus sign"),
    (softmax, "overflow", "dscores", lambda v, t: np.full_like(t, np.nan), Code.NOT_FINITE, "NaN"),
    # network
    (mlp, "no mask", "dparams['W1']", lambda v, t: v.x.T @ v.dh, Code.FORMULA, "activation between the two layers"),
    (mlp, "no mask", "dparams['b1']", lambda v, t: v.dh.sum(0), Code.FORMULA, "activation between the two layers"),
    (mlp, "inverted", "dparams['W1']", lambda v, t: v.x.T @ (v.dh * (v.a <= 0)), Code.MASK_INVERTED, "is inverted"),
    (mlp, "mask of dh", "dparams['W1']", lambda v, t: v.x.T @ np.maximum(v.dh, 0), Code.FORMULA, "from the gradient"),
    (mlp, "mask of dh", "dparams['b1']", lambda v, t: np.maximum(v.dh, 0).sum(0), Code.FORMULA, "from the gradient"),
    (mlp, "value for mask", "dparams['W1']", lambda v, t: v.x.T @ (v.dh * v.hidden), Code.WRONG_FACTOR, "z is wrong"),
    (mlp, "average", "dparams['W1']", lambda v, t: t / v.n, Code.FACTOR, "averages over the batch"),
    (mlp, "average", "dparams['W2']", lambda v, t: t / v.n, Code.FACTOR, "averages over the batch"),
    (mlp, "a for h", "dparams['W2']", lambda v, t: v.a.T @ v.dout, Code.MASK_MISSING, "has not passed its activation"),
    (mlp, "regularised", "dparams['W1']", lambda v, t: t + 0.1 * v.w1, Code.REGULARISATION, "is too much"),
    (mlp, "regularised twice", "dparams['W2']", lambda v, t: t - 0.3 * v.w2, Code.REGULARISATION, "is missing"),
    (mlp, "unreduced", "dparams['b1']", lambda v, t: v.da, Code.MISSING_SUM, "over axis 0 (N)"),
    (mlp, "unreduced", "dparams['b2']", lambda v, t: v.dout, Code.MISSING_SUM, "sum dout over axis 0 (N)"),
    (mlp, "swapped", "dparams['W1']", lambda v, t: v.hidden.T @ v.dout, Code.SWAPPED, "dparams['W2']"),
    (mlp, "ReLU on the scores", "out", lambda v, t: np.maximum(t, 0), Code.TERMS_DROPPED, "a ReLU is applied"),
    # layer norm, batch norm
    (layer_norm, "no gamma", "dx", lambda v, t: norm_dx(v, gamma=1.0), Code.WRONG_FACTOR, "gamma is left out"),
    (
        layer_norm,
        "wrong axis",
        "dx",
        lambda v, t: norm_dx(v, axis=0),
        Code.WRONG_REDUCTION,
        "normalised over axis 0 (N)",
    ),
    (layer_norm, "no mean term", "dx", lambda v, t: norm_dx(v, mean=0.0), Code.MISSING_TERM, "mean"),
    (
        layer_norm,
        "no cross term",
        "dx",
        lambda v, t: norm_dx(v, cross=0.0),
        Code.MISSING_TERM,
        "mean of gamma * dout times x",
    ),
    (layer_norm, "neither", "dx", lambda v, t: norm_dx(v, mean=0.0, cross=0.0), Code.MISSING_TERM, "missing: "),
    (layer_norm, "cross twice", "dx", lambda v, t: norm_dx(v, cross=2.0), Code.MISSING_TERM, "coefficient"),
    (layer_norm, "no 1/std", "dx", lambda v, t: t * v.std, Code.FACTOR_PER_SLICE, "standard deviation is missing"),
    (
        layer_norm,
        "1/std twice",
        "dx",
        lambda v, t: t / v.std,
        Code.FACTOR_PER_SLICE,
        "standard deviation is applied twice",
    ),
    (layer_norm, "dout for hat", "dgamma", lambda v, t: v.dout.sum(0), Code.SWAPPED, "dbeta"),
    (
        layer_norm,
        "x for hat",
        "dgamma",
        lambda v, t: (v.dout * v.x).sum(0),
        Code.WRONG_REDUCTION,
        "(dout * x).sum(axis=0)",
    ),
    (layer_norm, "unreduced", "dgamma", lambda v, t: v.dout * v.hat, Code.MISSING_SUM, "over axis 0 (N)"),
    (layer_norm, "beta left out", "out", lambda v, t: t - v.beta, Code.MISSING_TERM, "beta is not added"),
    (rms_norm, "no gamma", "dx", lambda v, t: rms_dx(v, gamma=1.0), Code.WRONG_FACTOR, "gamma is left out"),
    (rms_norm, "no cross term", "dx", lambda v, t: rms_dx(v, cross=0.0), Code.MISSING_TERM, "gamma * dout times x"),
    (rms_norm, "cross sign", "dx", lambda v, t: rms_dx(v, cross=-1.0), Code.MISSING_TERM, "the two terms"),
    (batch_norm, "no gamma", "dx", lambda v, t: norm_dx(v, gamma=1.0), Code.FACTOR_PER_SLICE, "gamma is left out"),
    (
        batch_norm,
        "wrong axis",
        "dx",
        lambda v, t: norm_dx(v, axis=1),
        Code.WRONG_REDUCTION,
        "normalised over axis 1 (D)",
    ),
    (batch_norm, "no mean term", "dx", lambda v, t: norm_dx(v, mean=0.0), Code.MISSING_TERM, "mean"),
    (batch_norm, "no cross term", "dx", lambda v, t: norm_dx(v, cross=0.0), Code.MISSING_TERM, "times x"),
    (batch_norm, "cross sign", "dx", lambda v, t: norm_dx(v, cross=-1.0), Code.MISSING_TERM, "coefficient"),
    (batch_norm, "no 1/std", "dx", lambda v, t: t * v.std, Code.FACTOR_PER_SLICE, "standard deviation is missing"),
    (batch_norm, "1/std twice", "dx", lambda v, t: t / v.std, Code.FACTOR_PER_SLICE, "applied twice"),
    (batch_norm, "mean for sum", "dgamma", lambda v, t: t / v.n, Code.FACTOR, "averages over the batch"),
    (batch_norm, "keepdims", "dbeta", lambda v, t: t[None], Code.RESHAPED, "an axis of size 1 was kept"),
    (batch_norm, "x for hat", "dgamma", lambda v, t: (v.dout * v.x).sum(0), Code.WRONG_REDUCTION, "(dout * x)"),
    (batch_norm, "swapped", "dbeta", lambda v, t: (v.dout * v.hat).sum(0), Code.SWAPPED, "dgamma"),
    (batch_norm, "gamma left out", "out", lambda v, t: v.hat + v.beta, Code.FORMULA, "gamma left out"),
    (
        layer_norm,
        "wrong axis",
        "out",
        lambda v, t: norm_out(v, axis=0),
        Code.WRONG_REDUCTION,
        "normalised over axis 0 (N)",
    ),
    (
        batch_norm,
        "wrong axis",
        "out",
        lambda v, t: norm_out(v, axis=1),
        Code.WRONG_REDUCTION,
        "normalised over axis 1 (D)",
    ),
    (layer_norm, "unbiased", "out", lambda v, t: norm_out(v, ddof=1), Code.FORMULA, "divide by n - 1 on torch"),
    (batch_norm, "unbiased", "out", lambda v, t: norm_out(v, ddof=1), Code.FORMULA, "divide by n - 1 on torch"),
    (batch_norm, "another epsilon", "out", lambda v, t: norm_out(v, eps=1e-3), Code.FORMULA, "0.001 in place of 1e-05"),
    (layer_norm, "no epsilon", "out", lambda v, t: norm_out(v, eps=0.0), Code.FORMULA, "epsilon left out"),
    (
        layer_norm,
        "outside the root",
        "out",
        lambda v, t: norm_out(v, outside=1e-5, eps=0.0),
        Code.FORMULA,
        "outside the root",
    ),
    (
        batch_norm,
        "variance",
        "out",
        lambda v, t: norm_out(v, power=1.0),
        Code.FORMULA,
        "the variance in place of its root",
    ),
    (batch_norm, "no mean", "out", lambda v, t: norm_out(v, mean=0.0), Code.FORMULA, "the mean not subtracted"),
    # convolution
    (conv, "flipped", "dw", lambda v, t: t[:, :, ::-1, ::-1], Code.FLIPPED, "the kernel is flipped"),
    (conv, "H and W", "dw", lambda v, t: t.transpose(0, 1, 3, 2), Code.TRANSPOSED, "axes 2 (HH) and 3 (WW)"),
    (conv, "shifted", "dx", lambda v, t: np.roll(t, 1, 3), Code.SHIFTED, "axis 3 (W)"),
    (conv, "border zero", "dx", lambda v, t: _border_zero(t), Code.TERMS_DROPPED, "exactly the border"),
    (conv, "padding kept", "dx", lambda v, t: np.pad(t, ((0, 0), (0, 0), (1, 1), (1, 1))), Code.WRONG_SHAPE, "padding"),
    (conv, "empty slice", "dx", lambda v, t: t[:, :, 0:-0, 0:-0], Code.WRONG_SHAPE, "pad:-pad"),
    (conv, "unreduced", "db", lambda v, t: v.dout.sum((2, 3)), Code.MISSING_SUM, "the sum over axis"),
    (conv, "all unreduced", "db", lambda v, t: v.dout, Code.MISSING_SUM, "axes 0 (N), 2 (H) and 3 (W)"),
    (conv, "mean", "db", lambda v, t: v.dout.mean((0, 2, 3)), Code.MEAN_FOR_SUM, "dout.sum(axis=(0, 2, 3))"),
    (conv, "one channel", "dw", lambda v, t: _changed(t, np.s_[:, 0], 0.0), Code.TERMS_DROPPED, "axis 1 (C)"),
    (
        conv,
        "bias left out",
        "out",
        lambda v, t: conv_out(v.x, v.w, 0 * v.b),
        Code.MISSING_TERM,
        "b is not added",
    ),
    (conv, "last sample", "dx", lambda v, t: _changed(t, -1, 0.0), Code.TERMS_DROPPED, "loop or slice"),
    (conv, "kernel not flipped", "dx", lambda v, t: conv_dx(v.dout, v.w[:, :, ::-1, ::-1]), Code.FLIPPED, "the kernel"),
    (conv, "kernel flipped", "out", lambda v, t: conv_out(v.x, v.w[:, :, ::-1, ::-1], v.b), Code.FLIPPED, "the kernel"),
    (conv, "windows assigned", "dx", lambda v, t: conv_dx_assigned(v.dout, v.w), Code.TERMS_DROPPED, "must be added"),
    (conv, "first sample", "dw", lambda v, t: conv_dw(v.x[:1], v.dout[:1], v.w.shape[2]), Code.TERMS_DROPPED, "batch"),
    # max pool
    (max_pool, "to all", "dx", lambda v, t: v.spread, Code.MASK_MISSING, "elements that must be 0"),
    (max_pool, "averaged", "dx", lambda v, t: v.spread / 4, Code.FORMULA, "the gradient of an average"),
    (max_pool, "min", "dx", lambda v, t: v.spread * ~v.mask, Code.MASK_INVERTED, "inverted"),
    (max_pool, "doubled", "dx", lambda v, t: 2 * t, Code.FACTOR, "2 times"),
    (max_pool, "last row", "dx", lambda v, t: _changed(t, np.s_[:, :, -2:], 0.0), Code.TERMS_DROPPED, "are 0"),
    (max_pool, "H and W of the window", "dx", lambda v, t: np.roll(t, 1, 2), Code.SHIFTED, "axis 2 (H)"),
    # embedding
    (embedding, "assigned", "dw", lambda v, t: _assign(v), Code.TERMS_DROPPED, "must be added"),
    (embedding, "divided by counts", "dw", lambda v, t: t / v.counts[:, None], Code.FACTOR_PER_SLICE, "axis 0 (V)"),
    (embedding, "one row", "dw", lambda v, t: _changed(t, v.ids[0], 0.0), Code.TERMS_DROPPED, "of axis 0 (V)"),
    (embedding, "unreduced", "dw", lambda v, t: v.dout, Code.WRONG_SHAPE, "yours has shape"),
    (embedding, "every row", "dw", lambda v, t: t + 1.0 * (t == 0), Code.MASK_MISSING, "must be 0"),
    # update
    (sgd, "ascent", "new", lambda v, t: v.w + 0.1 * v.g, Code.SIGN, "added where it must be subtracted"),
    (sgd, "rate squared", "new", lambda v, t: v.w - 0.01 * v.g, Code.FACTOR, "0.1 times the expected step"),
    (sgd, "not taken", "new", lambda v, t: v.w, Code.FORMULA, "yours is w, unchanged"),
    (sgd, "decay", "new", lambda v, t: t - 0.01 * v.w, Code.MISSING_TERM, "minus 0.01 * w"),
]


HARD: list[tuple[Callable[[int], Layer], str, str, Wrong]] = [
    # Mistakes that no recogniser was written for: named or not, they count.
    (affine, "squared", "dw", lambda v, t: t * abs(t)),
    (mlp, "clipped", "dparams['W1']", lambda v, t: np.clip(t, -1, 1)),
    (mlp, "weights of tanh", "dparams['W1']", lambda v, t: v.x.T @ (v.dh * (1 - v.a**2))),
    (softmax, "wrong axis", "dscores", lambda v, t: np.exp(v.s) / np.exp(v.s).sum(0) - v.one),
    (softmax, "log of the sum left out", "loss", lambda v, t: -(v.s * v.one).sum() / v.n),
    (layer_norm, "other hat", "dgamma", lambda v, t: (v.dout * _normed(v.x, 0)[0]).sum(0)),
    (batch_norm, "epsilon squared", "dx", lambda v, t: norm_dx(v) + 1e-3 * v.hat**2),
    (conv, "stale input", "dw", lambda v, t: conv_dw(v.x[::-1], v.dout, v.w.shape[2])),
    (max_pool, "square of the share", "dx", lambda v, t: t * v.spread),
]


def conv_dx_assigned(dout: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The windows overwrite each other in place of adding up."""
    n, _, h, wd = dout.shape
    g = np.zeros((n, w.shape[1], h + 2, wd + 2))
    for i in range(h):
        for j in range(wd):
            g[:, :, i : i + 3, j : j + 3] = np.einsum("nf,fcij->ncij", dout[:, :, i, j], w)
    return g[:, :, 1:-1, 1:-1]


def _border_zero(t: np.ndarray) -> np.ndarray:
    g = np.zeros_like(t)
    g[..., 1:-1, 1:-1] = t[..., 1:-1, 1:-1]
    return g


def _told(layer: Layer, tensor: str, wrong: Wrong) -> tuple[Diagnosis, ...]:
    true = layer.true[tensor]
    return diagnose(wrong(layer.v, true), true, layer.context(tensor))


def _names(found: tuple[Diagnosis, ...], code: Code, text: str) -> bool:
    return any(d.code is code and text in f"{d.pattern} | {d.cause}" for d in found)


SEEDS = range(3)
ALL = [(slip, seed) for slip in SLIPS for seed in SEEDS]
LAYERS = (affine, relu, softmax, mlp, layer_norm, batch_norm, conv, max_pool, embedding, sgd)


# --------------------------------------------------------------------------------------------------------- tables
@pytest.mark.parametrize("slip", SLIPS, ids=[f"{s[0].__name__}-{s[2]}-{s[1]}" for s in SLIPS])
def test_a_known_mistake_is_named(slip: Any) -> None:
    layer, _, tensor, wrong, code, text = slip
    found = _told(layer(1), tensor, wrong)
    assert _names(found, code, text), found


def test_a_code_of_0_is_not_taken_for_what_was_left_out():
    codes = np.array([[3, 1, 4, 2], [5, 2, 6, 5]])
    for expected, cause in ((codes, None), (codes + 0.5, "a loop or slice leaves out that end")):
        first, *_ = diagnose(_changed(expected, np.s_[:, 2:], 0), expected, Context(name="out", forward=True))
        assert (first.code, first.cause) == (Code.TERMS_DROPPED, cause)


def test_most_of_all_mistakes_are_named(record_property: Any) -> None:
    named = sum(_names(_told(s[0](seed), s[2], s[3]), s[4], s[5]) for s, seed in ALL)
    lucky = sum(
        _told(layer(seed), tensor, wrong)[0].code is not Code.UNKNOWN
        for layer, _, tensor, wrong in HARD
        for seed in SEEDS
    )
    total = len(ALL) + len(HARD) * len(SEEDS)
    print(f"named {named + lucky} of {total} damages")
    record_property("named", (named + lucky) / total)
    assert (named + lucky) / total >= 0.93


def test_the_golden_words_of_an_averaged_gradient() -> None:
    layer = affine(0)
    (found,) = diagnose(layer.true["dw"] / 3, layer.true["dw"], layer.context("dw"))
    assert found.pattern == "every element is 1/3 of the expected one, and N = 3"
    assert found.cause == "backward averages over the batch; the 1/N belongs to the loss and is already inside dout"


def test_the_golden_words_of_an_unreduced_bias() -> None:
    layer = affine(0)
    (found,) = diagnose(layer.v.dout, layer.true["db"], layer.context("db"))
    assert found.pattern == "yours has shape (3, 5), expected (5,): the sum over axis N (of size 3) is missing"
    assert found.cause == "sum dout over axis 0 (N): db = dout.sum(axis=0) has shape (M,)"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (-1.0, "opposite sign"),
        (1 / 7, "1/7 of the expected one, and N = 7 or C = 7"),
        (7.0, "7 times the expected one, and N = 7 or C = 7"),
        (-1 / 7, "-1/7 of the expected one, and N = 7 or C = 7"),
        (1 / 35, "1/35 of the expected one, and N * D = 35 or C * D = 35"),
        (5**-0.5, "1/sqrt(5) of the expected one, and sqrt(D) = sqrt(5)"),
        (4 / 5, "4/5 of the expected one, and D = 5"),
        (0.37, "every element is 0.37 times the expected one"),
        (1 + 1e-4, "every element is 1.0001 times the expected one"),
        (1 - 3e-7, "every element is 0.9999997 times the expected one"),
    ],
)
def test_a_factor_is_named_by_every_size_that_fits(value: float, words: str) -> None:
    true = np.random.default_rng(0).standard_normal((5, 3))
    context = Context(name="dw", axes=("D", "M"), sizes={"N": 7, "C": 7, "D": 5, "M": 3})
    (found,) = diagnose(value * true, true, context)
    assert words in found.pattern
    assert " or " not in found.pattern or found.cause is None


def test_a_number_alone_gets_a_factor_only_if_it_has_a_name() -> None:
    context = Context(name="loss", sizes={"N": 7}, forward=True)
    assert diagnose(2.0, np.array(14.0), context)[0].code is Code.FACTOR
    assert diagnose(2.1, np.array(14.0), context)[0].code is Code.UNKNOWN


def test_axes_of_one_size_are_all_named() -> None:
    true = np.arange(1.0, 6.0)
    given = np.random.default_rng(0).standard_normal((3, 5))
    given[0] += true - given.sum(0)
    (found,) = diagnose(given, true, Context(name="db", axes=("M",), sizes={"N": 3, "C": 3, "M": 5}))
    assert "N = 3 or C = 3" in found.pattern


def test_a_gradient_of_relu_at_exactly_zero_is_free() -> None:
    layer = relu(1)
    x = layer.v.x.copy()
    x[0, :3] = 0.0
    context = Context(name="dx", inputs={"x": x}, upstream=layer.v.dout)
    true = layer.v.dout * (x > 0)
    assert diagnose(layer.v.dout * (x >= 0), true, context) == ()
    assert diagnose(layer.v.dout * np.where(x == 0, 0.5, x > 0), true, context) == ()
    assert diagnose(layer.v.dout * np.where(x == 0, 1.5, x > 0), true, context) != ()


def test_an_overflow_is_blamed_only_on_the_rows_that_have_it() -> None:
    scores = np.array([[1e4, 0.0], [0.0, 1.0], [2.0, 1.0]])
    true = np.full((3, 2), 0.5)
    context = Context(name="dscores", axes=("N", "C"), inputs={"scores": scores})
    bad = _changed(true, (0, 0), np.nan)
    assert "exp overflows where scores" in str(diagnose(bad, true, context)[0].cause)
    assert diagnose(_changed(true, (1, 0), np.nan), true, context)[0].cause is None


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_of_a_single_number_nobody_can_say_whether_exp_overflowed_or_became_zero(loss: float) -> None:
    context = Context(name="loss", axes=(), inputs={"scores": np.array([[1e4, 0.0], [0.0, 1.0]])})
    (found,) = diagnose(np.float64(loss), np.float64(3.0), context)
    assert "inf / inf, 0 / 0 or log 0" in str(found.cause)
    assert "subtract" not in str(found.cause)


def test_of_a_single_number_nobody_can_say_how_its_variance_was_defined() -> None:
    context = Context(name="accuracy", sizes={"N": 20, "M": 4}, forward=True)
    (told,) = diagnose(np.array(0.3), np.array(0.4), context)
    assert told.cause is None
    assert "3/4" not in told.pattern


def test_of_a_single_slice_nobody_can_say_that_its_epsilon_is_another() -> None:
    x, gamma, beta = np.random.default_rng(1).standard_normal((1, 7)), np.arange(1.0, 8.0), np.ones(7) / np.arange(1, 8)
    context = Context(name="out", inputs={"x": x, "gamma": gamma, "beta": beta}, forward=True)
    out, other = (gamma * (x - x.mean()) / np.sqrt(x.var() + eps) + beta for eps in (1e-3, 2e-3))
    assert not any("epsilon" in told.pattern for told in diagnose(other, out, context))


def test_an_empty_result_is_put_down_to_padding_only_in_a_gradient() -> None:
    for forward in (True, False):
        (told,) = diagnose(np.zeros((2, 0)), np.ones((2, 3)), Context(name="dx", axes=("N", "D"), forward=forward))
        assert told.cause == (None if forward else "a slice such as pad:-pad is empty where pad is 0")


def test_gradient_only_causes_stay_out_of_a_forward() -> None:
    layer = affine(0)
    context = Context(name="out", sizes=layer.sizes, upstream=layer.v.dout, upstream_axes=("N", "M"), forward=True)
    for wrong in (layer.true["out"] / 3, layer.v.dout):
        text = " ".join(f"{d.pattern} {d.cause}" for d in diagnose(wrong, layer.true["out"], context))
        assert "dout" not in text
        assert "backward" not in text


def test_a_pair_from_torch_max_is_recognised() -> None:
    true = np.array([3.0, 1.0])
    (found,) = diagnose((true, np.array([0, 1])), true, Context(name="out", forward=True))
    assert found.code is Code.NOT_AN_ARRAY
    assert "returns a pair" in str(found.cause)


def test_every_code_has_a_title_of_its_own() -> None:
    assert len({code.title for code in Code}) == len(list(Code))


# ----------------------------------------------------------------------------------------------------------- laws
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("size", [1e-8, 1e-5, 1e-2, 1.0, 30.0])
def test_noise_has_no_pattern(layer: Callable[[int], Layer], size: float) -> None:
    r = np.random.default_rng(7)
    case = layer(1)
    for name, true in case.true.items():
        noise = size * r.standard_normal(true.shape)
        for wrong in (true + np.abs(true).max() * noise, true * (1 + noise), noise):
            if np.any(wrong != true):
                assert [d.code for d in diagnose(wrong, true, case.context(name))] == [Code.UNKNOWN]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_rounded_right_gradient_needs_no_diagnosis(layer: Callable[[int], Layer]) -> None:
    r = np.random.default_rng(7)
    case = layer(2)
    for name, true in case.true.items():
        assert diagnose(true * (1 + 1e-13 * r.standard_normal(true.shape)), true, case.context(name)) == ()
        rounded, low = true.astype(np.float32), Context(name=name)
        assert diagnose(rounded, rounded.copy(), low) == ()
        assert [d.code for d in diagnose(rounded, true, low)] in ([Code.DTYPE], [])


def test_a_plain_number_is_not_called_rounded() -> None:
    """1.5 in the place of 1.54 is of every type; what was rounded to float16 has digits to its end."""
    true, context = np.array([1.54]), Context(name="dw")
    assert Code.FLOAT32 not in {d.code for d in diagnose(np.array([1.5]), true, context)}
    (told,) = diagnose(true.astype(np.float16).astype(float), true, context)
    assert (told.code, "float16" in told.pattern) == (Code.FLOAT32, True)


@pytest.mark.parametrize(("layer", "tensor", "wrong"), [(s[0], s[2], s[3]) for s in SLIPS])
def test_a_claim_is_withdrawn_when_one_element_breaks_it(layer: Any, tensor: str, wrong: Wrong) -> None:
    case = layer(2)
    true = case.true[tensor]
    given = wrong(case.v, true)
    if not isinstance(given, np.ndarray) or given.size < 9 or given.dtype != np.float64 or not np.isfinite(given).all():
        return
    before = diagnose(given, true, case.context(tensor))
    where = int(np.argmax(np.abs(true))) if given.size == true.size else 0
    after = diagnose(_changed(given.copy().ravel(), where, 17.3).reshape(given.shape), true, case.context(tensor))
    exact = [d for d in before if d.code not in (Code.WRONG_SHAPE, Code.LOCAL, Code.FLOAT32, Code.UNKNOWN)]
    assert not set(exact) & set(after)


ANYTHING = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.lists(st.one_of(st.floats(), st.lists(st.floats(), max_size=2), st.none()), max_size=4),
    st.tuples(hnp.arrays(np.float64, (2, 3)), st.integers()),
    st.dictionaries(st.text(max_size=1), st.integers(), max_size=2),
    st.just(object()),
    hnp.arrays(
        st.one_of(
            hnp.floating_dtypes(sizes=(16, 32, 64)),
            hnp.integer_dtypes(),
            hnp.boolean_dtypes(),
            hnp.complex_number_dtypes(),
            hnp.datetime64_dtypes(),
            hnp.unicode_string_dtypes(),
        ),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    ),
    hnp.arrays(np.object_, hnp.array_shapes(max_dims=2, max_side=3), elements=st.one_of(st.none(), st.floats())),
)
SHAPES = st.sampled_from([(), (1,), (3,), (0,), (2, 3), (4, 4), (1, 1), (2, 3, 4), (2, 1, 3, 3)])
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=200, deadline=None)
@given(actual=ANYTHING, shape=SHAPES, data=st.data())
def test_nothing_makes_a_diagnosis_raise(actual: Any, shape: tuple[int, ...], data: st.DataObject) -> None:
    arrays = hnp.arrays(np.float64, st.sampled_from([shape, (2, 3), (3,)]), elements=st.floats())
    context = Context(
        name="dx",
        sizes={"N": 2, "D": 3},
        inputs={"x": data.draw(arrays), "w": data.draw(arrays)},
        upstream=data.draw(st.one_of(st.none(), arrays)),
        others={"db": data.draw(arrays)},
        forward=data.draw(st.booleans()),
    )
    expected = data.draw(hnp.arrays(np.float64, shape, elements=FLOATS))
    if data.draw(st.booleans()):
        actual = data.draw(hnp.arrays(np.float64, shape, elements=st.floats()))
    for found in diagnose(actual, expected, context):
        assert isinstance(found, Diagnosis)
        assert found.pattern


@settings(max_examples=100, deadline=None)
@given(true=hnp.arrays(np.float64, st.sampled_from([(3,), (2, 3), (4, 4), (2, 3, 4)]), elements=FLOATS))
def test_an_equal_array_has_no_diagnosis(true: np.ndarray) -> None:
    assert diagnose(true.copy(), true, Context(name="dx")) == ()


def test_an_object_that_fights_back_is_not_an_array() -> None:
    class Hostile:
        def __array__(self, *_: Any, **__: Any) -> np.ndarray:
            raise SystemError("no")

    assert diagnose(Hostile(), np.zeros(3), Context(name="dx"))[0].code is Code.NOT_AN_ARRAY


SIZED = hnp.arrays(
    np.float64, 4, elements=st.floats(-1e3, 1e3) | st.sampled_from([np.inf, -np.inf, np.nan, 1e308, 1e-308])
)
LEVEL = st.floats(1e-3, 1e3).map(lambda value: np.full(4, value))


@given(SIZED | LEVEL, st.floats(-3, 3) | st.floats(0.9, 1.1), st.integers(0, 3), st.sampled_from([1e-12, 1e-7, 1e-4]))
def test_law_close_is_its_definition_however_it_gets_there(
    candidate: np.ndarray, off: float, index: int, tolerance: float
) -> None:
    """Around the edge of what is allowed: off is in units of that."""
    with np.errstate(all="ignore"):
        top = np.abs(candidate).max()
        rms = top * np.sqrt(np.mean(np.square(candidate / top))) if 0 < top < np.inf else top
        allowed = tolerance * (np.abs(candidate) + 0.01 * rms)
        actual = candidate.copy()
        actual[index] += off * allowed[index]
        assume(not np.isclose(abs(actual[index] - candidate[index]), allowed[index], rtol=1e-6, atol=0.0))
        assert close(actual, candidate, tolerance) == bool(np.all(np.abs(actual - candidate) <= allowed))
