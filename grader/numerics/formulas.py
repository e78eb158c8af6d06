"""A small dictionary of formulas over dout and the inputs: what the student computed in place of the gradient.

Sums and means of dout, dout times an elementwise function of an input, products of two or three matrices. Each is
compared whole, up to a factor that has a name. The dictionary is in the order of simplicity; the first hit is told.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from grader.numerics.claims import Array, Diagnosis, DiagnosisCode, Mismatch, axis_sets, close
from grader.numerics.scale import factor, factor_per_slice, is_named, times
from grader.numerics.support import dropped, mask_inverted, mask_missing
from grader.numerics.terms import constant_along

__all__ = ["formula", "wrong_factor"]

_MAX_PRODUCT = 200_000_000
"""Multiplications that one matrix product of the dictionary may cost."""
_MAX_SOLVE_SIDE = 512


def formula(m: Mismatch) -> Iterator[Diagnosis]:
    """The student's array equals a formula of the dictionary."""
    if m.expected.size < 2:
        return
    for words, candidate, code, cause in _dictionary(m):
        value = m.multiple(candidate)
        if value is None or not is_named(value, m) or np.count_nonzero(candidate) < 2:
            continue
        scaled = "" if abs(value - 1.0) <= 1e-6 else f"{times(value, m)} "
        yield Diagnosis(code=code, pattern=f"{m.context.name} is {scaled}{words}", cause=cause)
        return


def wrong_factor(m: Mismatch) -> Iterator[Diagnosis]:
    """A product whose one factor is right and known: the other is recovered and diagnosed in its turn.

    x.T @ z with N < D, or z @ dout with N < M: the student's array lies in the same space as the expected one, so z
    is found by least squares. A mask that is missing deep inside a network is seen in z.
    """
    if m.expected.ndim != 2 or max(m.expected.shape) > 8 * _MAX_SOLVE_SIDE:
        return
    for words, known in _matrices(m):
        for side in ("left", "right"):
            inner = _recover(m, known, side)
            if inner is None:
                continue
            product = f"{words} @ z" if side == "left" else f"z @ {words}"
            pattern = f"yours is {product}, as it must be, but z is wrong"
            parts = (mask_missing, mask_inverted, dropped, factor, factor_per_slice, constant_along)
            found = next((one for part in parts for one in part(inner)), None)
            if found is not None:
                code, pattern = found.code, f"{pattern}: {found.pattern}"
            else:
                code = DiagnosisCode.WRONG_FACTOR
            yield Diagnosis(code=code, pattern=pattern, cause=_source(m, inner, words, found))
            return


def _source(m: Mismatch, inner: Mismatch, words: str, found: Diagnosis | None) -> str | None:
    """The likely cause of a wrong z, by what z must be and what is wrong with it."""
    if found is not None and found.cause is not None:
        return found.cause
    if words.startswith("dout"):
        truth = {name: x for name, x in m.inputs.items() if x.ndim == 2}
        if found is not None and found.code is DiagnosisCode.MASK_MISSING:
            return "the cached input of this layer has not passed its activation"
        names = [n for n, x in truth.items() if any(close(inner.expected, a, 1e-6) for a in (x, x.T))]
        return (
            f"z must be {names[0]}, or its transpose: the cached one is stale, overwritten or another"
            if names
            else None
        )
    if m.context.forward or found is None:
        return None
    if found.code is DiagnosisCode.MASK_MISSING:
        return "the gradient that arrives here has not passed the mask of an activation"
    return None


def _recover(m: Mismatch, known: Array, side: str) -> Mismatch | None:
    """The other factors of actual and expected, if both are products with this one and it leaves room for doubt."""
    matrix = known if side == "left" else known.T
    actual, expected = (a if side == "left" else a.T for a in (m.actual, m.expected))
    if matrix.shape[0] != actual.shape[0] or matrix.shape[1] >= matrix.shape[0] or matrix.shape[1] > _MAX_SOLVE_SIDE:
        return None
    both, *_ = np.linalg.lstsq(matrix, np.hstack([actual, expected]), rcond=None)
    ours, theirs = np.hsplit(both, 2)
    if not close(matrix @ ours, actual, m.tolerance) or not close(matrix @ theirs, expected, m.tolerance):
        return None
    # Least squares leaves 1e-16 where there was a zero; a mask is seen by its zeros.
    ours, theirs = (np.where(np.abs(z) <= 1e-9 * np.abs(z).max(initial=0.0), 0.0, z) for z in (ours, theirs))
    return m.within(ours, theirs, "z") if side == "left" else m.within(ours.T, theirs.T, "z")


def _dictionary(m: Mismatch) -> Iterator[tuple[str, Array, DiagnosisCode, str | None]]:
    shape = m.expected.shape
    small = m.expected.size <= 1_000_000
    for words, candidate in _plain(m):
        if candidate.shape == shape:
            cause = "the upstream gradient is handed on unchanged" if words == "dout" else None
            yield words, candidate, DiagnosisCode.FORMULA, cause
    for words, candidate in _reductions(m) if small else ():
        if candidate.shape == shape:
            yield words, candidate, DiagnosisCode.WRONG_REDUCTION, None
    for words, candidate in _elementwise(m) if small else ():
        if candidate.shape == shape:
            yield words, candidate, DiagnosisCode.FORMULA, None
    products = list(_products(m))
    # Only of an array that is itself such a product can it be said that the operands are the mistake.
    is_product = any(
        candidate.shape == shape and close(candidate, m.expected, m.tolerance) for _, candidate in products
    )
    cause = "the operands of the product are others, or a transpose is missing or misplaced" if is_product else None
    for words, candidate in products:
        yield words, candidate, DiagnosisCode.FORMULA, cause
    for words, candidate, cause in _chains(m):
        yield words, candidate, DiagnosisCode.FORMULA, cause


def _plain(m: Mismatch) -> Iterator[tuple[str, Array]]:
    if m.upstream is not None:
        yield "dout", m.upstream
    yield from m.inputs.items()


def _reductions(m: Mismatch) -> Iterator[tuple[str, Array]]:
    """Sums and means of dout and of dout * x; single rows of dout."""
    dout = m.upstream
    if dout is None or dout.ndim == 0:
        return
    arrays = {"dout": dout} | {f"(dout * {name})": x * dout for name, x in m.inputs.items() if x.shape == dout.shape}
    for words, array in arrays.items():
        for over in axis_sets(array.ndim):
            where = over[0] if len(over) == 1 else over
            for verb, reduce in (("sum", np.sum), ("mean", np.mean)):
                yield f"{words}.{verb}(axis={where})", np.asarray(reduce(array, axis=over))
                kept = np.asarray(reduce(array, axis=over, keepdims=True))
                if array.shape == m.expected.shape:
                    yield f"{words}.{verb}(axis={where}, keepdims=True), repeated", np.broadcast_to(kept, array.shape)
    for row in (0, -1):
        yield f"dout[{row}] alone, not the sum over the rows", dout[row] if len(dout) else dout


def _elementwise(m: Mismatch) -> Iterator[tuple[str, Array]]:
    """Products of dout and the usual derivatives, taken at the usual wrong arguments."""
    dout = m.upstream
    for name, x in m.inputs.items():
        if x.shape != m.expected.shape:
            continue
        squash = 1.0 / (1.0 + np.exp(-x))
        functions = {
            name: x,
            f"({name} > 0)": np.where(x > 0, 1.0, 0.0),
            f"({name} <= 0)": np.where(x <= 0, 1.0, 0.0),
            f"(1 - {name}**2)": 1.0 - x * x,
            f"{name} * (1 - {name})": x * (1.0 - x),
            f"exp({name})": np.exp(x),
            f"tanh({name})": np.tanh(x),
            f"(1 - tanh({name}))": 1.0 - np.tanh(x),
            f"(1 - tanh({name})**2)": 1.0 - np.tanh(x) ** 2,
            f"sigmoid({name})": squash,
            f"sigmoid({name}) * (1 - sigmoid({name}))": squash * (1.0 - squash),
            f"max(0, {name})": np.maximum(x, 0.0),
        }
        for words, values in functions.items():
            yield words, values
            if dout is not None and dout.shape == x.shape:
                yield f"dout * {words}", dout * values


def _matrices(m: Mismatch) -> list[tuple[str, Array]]:
    """All of dout and the inputs as matrices (all axes but the first flattened), and their transposes."""
    arrays = [("dout", m.upstream)] if m.upstream is not None else []
    plain = [
        (words, a if a.ndim == 2 else a.reshape(a.shape[0], -1))
        for words, a in [*arrays, *m.inputs.items()]
        if a is not None and a.ndim >= 2 and a.size
    ]
    return plain + [(f"{words}.T", a.T) for words, a in plain]


def _products(m: Mismatch) -> Iterator[tuple[str, Array]]:
    """A @ B for every pair that fits."""
    shape = m.expected.shape
    matrices = _matrices(m)
    for left, a in matrices:
        for right, b in matrices:
            if a.shape[1] != b.shape[0] or a.size * b.shape[1] > _MAX_PRODUCT:
                continue
            if (a.shape[0], b.shape[1]) == shape:
                yield f"{left} @ {right}", a @ b


def _chains(m: Mismatch) -> Iterator[tuple[str, Array, str]]:
    """Two layers back without the activation between them, or with the mask of the wrong tensor."""
    dout = m.upstream
    if dout is None or dout.ndim != 2:
        return
    weights = {f"{name}.T": w.T for name, w in m.inputs.items() if w.ndim == 2 and w.shape[1] == dout.shape[1]}
    for words, w in weights.items():
        if dout.size * w.shape[1] > _MAX_PRODUCT:
            continue
        back = dout @ w
        for z, arriving, cause in (
            (f"(dout @ {words})", back, "the derivative of the activation between the two layers is left out"),
            (
                f"z, z = max(0, dout @ {words})",
                np.maximum(back, 0.0),
                "the mask is taken from the gradient, not the input",
            ),
        ):
            yield z, arriving, cause
            yield f"the sum over the rows of {z}", arriving.sum(axis=0), cause
            for name, x in m.inputs.items():
                if (
                    x.ndim == 2
                    and x.shape[0] == arriving.shape[0]
                    and (x.shape[1], arriving.shape[1]) == m.expected.shape
                ):
                    yield f"{name}.T @ {z}", x.T @ arriving, cause
                if (
                    x.ndim == 2
                    and x.shape[1] == arriving.shape[1]
                    and (arriving.shape[0], x.shape[0]) == m.expected.shape
                ):
                    yield f"{z} @ {name}.T", arriving @ x.T, cause
