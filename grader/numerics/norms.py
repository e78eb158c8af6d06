"""Mistakes in a hand-written normalisation, forward and backward.

Forward, gamma (x - mean) / sqrt(var + epsilon) + beta: epsilon and the axes are not told; they are the ones for which
the expected array *is* this formula. Then each usual mistake is made on purpose and compared.

The gradient is, in each slice it normalises, a combination of three vectors: gamma * dout, a constant and x - mean
(Ioffe and Szegedy, 2015, section 3). A missing term, a missing gamma and a wrong axis are therefore seen without
knowing epsilon: by which vectors span the student's slices. Where x is divided by its root mean square alone, there
are two: gamma * dout and x (Zhang and Sennrich, 2019).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from grader.numerics.claims import MAX_SIZE, Array, Diagnosis, DiagnosisCode, Mismatch, axis_sets, close
from grader.numerics.terms import spanned

__all__ = ["norm_backward", "norm_forward"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Norm:
    """gamma (x - mean) / sqrt(var + epsilon) + beta over some axes."""

    x: Array
    over: tuple[int, ...]
    gamma: Array
    beta: Array
    gamma_name: str
    epsilon: float = 0.0

    @property
    def centred(self) -> Array:
        return np.asarray(self.x - self.x.mean(axis=self.over, keepdims=True))

    @property
    def variance(self) -> Array:
        return np.asarray(self.x.var(axis=self.over, keepdims=True))

    @property
    def length(self) -> int:
        return int(np.prod([self.x.shape[axis] for axis in self.over]))

    def out(self) -> Array:
        return self.scaled(self.centred / np.sqrt(self.variance + self.epsilon))

    def scaled(self, normed: Array) -> Array:
        return self.gamma * normed + self.beta


def norm_forward(m: Mismatch) -> Iterator[Diagnosis]:
    """A normalisation with a usual mistake in its statistics."""
    if not m.context.forward or m.expected.ndim < 2 or m.expected.size > MAX_SIZE:
        return
    norm = _expected_norm(m)
    if norm is None:
        return
    for words, candidate in _slips(norm):
        if m.equals(candidate):
            unbiased = "ddof" in words
            cause = "var() and std() divide by n - 1 on torch and by n on NumPy" if unbiased else None
            yield Diagnosis(code=DiagnosisCode.FORMULA, pattern=f"yours is the expected one with {words}", cause=cause)
            return
    # In a single slice any factor looks like an epsilon.
    epsilon = _epsilon(norm, m.actual) if m.actual.size > norm.length else None
    if epsilon is not None and m.equals(replace(norm, epsilon=epsilon).out()):
        pattern = f"yours is the expected one with an epsilon of {epsilon:.3g} in place of {norm.epsilon:.3g}"
        yield Diagnosis(code=DiagnosisCode.FORMULA, pattern=pattern)
        return
    for over in axis_sets(m.expected.ndim):
        if over != norm.over and m.equals(replace(norm, over=over).out()):
            yield _wrong_axes(m, over, norm.over)
            return


def norm_backward(m: Mismatch) -> Iterator[Diagnosis]:
    """A gradient of a normalisation with a term or gamma missing, or over other axes."""
    dout = m.upstream
    if dout is None or dout.shape != m.expected.shape or m.expected.ndim < 2 or m.expected.size > MAX_SIZE:
        return
    for name, x in m.inputs.items():
        if x.shape != dout.shape:
            continue
        for (weight, gamma), over in product(_vectors(m), axis_sets(dout.ndim)):
            scaled, ones = dout * gamma, np.ones_like(x)
            if spanned(m, m.expected, (scaled, x), over) and not spanned(m, m.expected, (scaled,), over):
                yield from _terms_of_size(m, dout, scaled, weight, name, over)
                return
            centred = x - x.mean(axis=over, keepdims=True)
            if spanned(m, m.expected, (scaled, ones, centred), over) and not spanned(m, m.expected, (scaled,), over):
                yield from _terms(m, dout, scaled, weight, name, over)
                return


def _expected_norm(m: Mismatch) -> _Norm | None:
    """The normalisation that the expected array is, if it is one."""
    vectors = list(_vectors(m))
    for x in m.inputs.values():
        if x.shape != m.expected.shape:
            continue
        for (gamma_name, gamma), (beta_name, beta), over in product(vectors, vectors, axis_sets(x.ndim)):
            if (gamma_name and gamma_name == beta_name) or not np.all(gamma):
                continue
            shift = beta if beta_name else np.zeros(())
            norm = _Norm(x=x, over=over, gamma=gamma, beta=shift, gamma_name=gamma_name)
            epsilon = _epsilon(norm, m.expected)
            if epsilon is not None and close(replace(norm, epsilon=epsilon).out(), m.expected, 1e-9):
                return replace(norm, epsilon=epsilon)
    return None


def _epsilon(norm: _Norm, out: Array) -> float | None:
    """The epsilon that makes `out` this normalisation, if any: 1 / slope^2 - var, the same in every slice."""
    if norm.length < 3:
        return None
    normed, centred = (out - norm.beta) / norm.gamma, norm.centred
    squares = np.sum(centred * centred, axis=norm.over)
    slope = np.sum(normed * centred, axis=norm.over) / squares
    found = 1.0 / (slope * slope) - norm.variance.reshape(slope.shape)
    epsilon = float(np.median(found))
    return epsilon if np.isfinite(epsilon) and -1e-12 <= epsilon <= 1.0 else None


def _slips(norm: _Norm) -> Iterator[tuple[str, Array]]:
    centred, variance, epsilon, n = norm.centred, norm.variance, norm.epsilon, norm.length
    deviation = np.sqrt(variance + epsilon)
    yield "the mean not subtracted", norm.scaled(norm.x / deviation)
    yield "epsilon left out", norm.scaled(centred / np.sqrt(variance))
    yield "epsilon outside the root", norm.scaled(centred / (np.sqrt(variance) + epsilon))
    yield "the variance in place of its root", norm.scaled(centred / (variance + epsilon))
    yield "the variance in place of its root and no epsilon", norm.scaled(centred / variance)
    yield (
        "the unbiased variance (ddof = 1)",
        norm.scaled(centred / np.sqrt(variance * n / (n - 1) + epsilon)),
    )
    yield "the division by the standard deviation left out", norm.scaled(centred)
    if norm.gamma_name:
        yield f"{norm.gamma_name} left out", centred / deviation + norm.beta


def _terms(
    m: Mismatch, dout: Array, scaled: Array, weight: str, name: str, over: tuple[int, ...]
) -> Iterator[Diagnosis]:
    """What is wrong with a gradient that must be spanned by `scaled`, 1 and x - mean over these axes."""
    x = m.inputs[name]
    ones, centred, labels = np.ones_like(x), x - x.mean(axis=over, keepdims=True), m.axes(over)
    product_name = f"{weight} * dout" if weight else "dout"
    mean, cross = f"the term with the mean of {product_name}", f"the term with the mean of {product_name} times {name}"
    for basis, made_of, lost in (
        ((scaled,), f"{product_name} alone", f"{mean} and {cross}"),
        ((scaled, ones), f"{product_name} and a constant", cross),
        ((scaled, centred), f"{product_name} and {name} less its mean", mean),
    ):
        if spanned(m, m.actual, basis, over):
            pattern = f"over {labels} yours is made of {made_of}"
            yield Diagnosis(code=DiagnosisCode.MISSING_TERM, pattern=pattern, cause=f"missing: {lost}")
            return
    if weight and spanned(m, m.actual, (dout, ones, centred), over):
        pattern = (
            f"over {labels} yours is made of dout, a constant and {name}; expected {product_name} in place of dout"
        )
        yield Diagnosis(code=DiagnosisCode.WRONG_FACTOR, pattern=pattern, cause=f"{weight} is left out")
        return
    if spanned(m, m.actual, (scaled, ones, centred), over):
        pattern = f"over {labels} yours is made of {product_name}, a constant and {name}, in other proportions"
        cause = f"the coefficient of one of the three terms of the normalisation over {labels} is wrong"
        yield Diagnosis(code=DiagnosisCode.MISSING_TERM, pattern=pattern, cause=cause)
        return
    for other in axis_sets(x.ndim):
        if other != over and spanned(m, m.actual, (scaled, ones, x), other):
            yield _wrong_axes(m, other, over)
            return


def _terms_of_size(
    m: Mismatch, dout: Array, scaled: Array, weight: str, name: str, over: tuple[int, ...]
) -> Iterator[Diagnosis]:
    """The same where no mean is taken off: spanned by `scaled` and x."""
    x, labels, product_name = m.inputs[name], m.axes(over), f"{weight} * dout" if weight else "dout"
    if spanned(m, m.actual, (scaled,), over):
        cause = f"missing: the term with the mean of {product_name} times {name}"
        pattern = f"over {labels} yours is made of {product_name} alone"
        yield Diagnosis(code=DiagnosisCode.MISSING_TERM, pattern=pattern, cause=cause)
    elif weight and spanned(m, m.actual, (dout, x), over):
        pattern = f"over {labels} yours is made of dout and {name}; expected {product_name} in place of dout"
        yield Diagnosis(code=DiagnosisCode.WRONG_FACTOR, pattern=pattern, cause=f"{weight} is left out")
    elif spanned(m, m.actual, (scaled, x), over):
        pattern = f"over {labels} yours is made of {product_name} and {name}, in other proportions"
        cause = "the coefficient of one of the two terms is wrong"
        yield Diagnosis(code=DiagnosisCode.MISSING_TERM, pattern=pattern, cause=cause)


def _wrong_axes(m: Mismatch, yours: tuple[int, ...], right: tuple[int, ...]) -> Diagnosis:
    return Diagnosis(
        code=DiagnosisCode.WRONG_REDUCTION,
        pattern=f"yours is normalised over {m.axes(yours)}, the expected one over {m.axes(right)}",
        cause="the mean and the variance are taken over the wrong axes",
    )


def _vectors(m: Mismatch) -> Iterator[tuple[str, Array]]:
    """1, and each input vector that fits the last axis or the channels, ready to broadcast."""
    shape = m.expected.shape
    yield "", np.ones(())
    for name, vector in m.inputs.items():
        if vector.size < 2 or vector.ndim != 1:
            continue
        if vector.shape == shape[-1:]:
            yield name, vector
        elif len(shape) > 2 and vector.shape == shape[1:2]:
            yield name, vector.reshape((-1, *([1] * (len(shape) - 2))))
