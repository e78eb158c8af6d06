"""Mistakes in a hand-written convolution: the mistake is made on purpose and compared.

Input x (N, C, H, W), kernel w (F, C, HH, WW), output (N, F, OH, OW). Stride and padding are not told; they are the ones
for which the expected array *is* the convolution (or its gradient) of these inputs. If none is, nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from grader.numerics.claims import Array, Diagnosis, DiagnosisCode, Mismatch, close

__all__ = ["convolution"]

_MAX_COST = 50_000_000
"""Multiplications that one convolution may cost."""

_Slip = tuple[str, Array, DiagnosisCode, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Convolution:
    x: Array
    w: Array
    bias: Array
    """(F,), zeros where the function has none."""
    stride: int
    pad: int

    def windows(self) -> Array:
        """(N, C, OH, OW, HH, WW), a view of the padded input."""
        p, s = self.pad, self.stride
        padded = np.pad(self.x, ((0, 0), (0, 0), (p, p), (p, p)))
        views = np.lib.stride_tricks.sliding_window_view(padded, self.w.shape[2:], axis=(2, 3))
        strided: Array = views[:, :, ::s, ::s]
        return strided

    def forward(self, w: Array) -> Array:
        """(N, F, OH, OW) with another kernel."""
        out: Array = np.einsum("nchwij,fcij->nfhw", self.windows(), w, optimize=True) + self.bias[:, None, None]
        return out

    def dw(self, dout: Array) -> Array:
        """(F, C, HH, WW)."""
        gradient: Array = np.einsum("nchwij,nfhw->fcij", self.windows(), dout, optimize=True)
        return gradient

    def dx(self, dout: Array, w: Array, *, add: bool = True) -> Array:
        """(N, C, H, W); if not `add`, windows in reading order overwrite what earlier ones left."""
        p, s = self.pad, self.stride
        n, c, h, wide = self.x.shape
        oh, ow = dout.shape[2:]
        padded = np.zeros((n, c, h + 2 * p, wide + 2 * p))
        # The last window over a place meets it with its first rows and columns, so those are written last.
        for i, j in product(reversed(range(w.shape[2])), reversed(range(w.shape[3]))):
            share = np.einsum("nfhw,fc->nchw", dout, w[:, :, i, j], optimize=True)
            place = padded[:, :, i : i + s * oh : s, j : j + s * ow : s]
            place[...] = place + share if add else share
        return padded[:, :, p : p + h, p : p + wide]


def convolution(m: Mismatch) -> Iterator[Diagnosis]:
    """A convolution, or one of its gradients, with a usual mistake."""
    for conv in _candidates(m):
        slips = _gradient_slips(m, conv) if m.upstream is not None else _forward_slips(m, conv)
        for words, candidate, code, cause in slips:
            if m.equals(candidate):
                yield Diagnosis(code=code, pattern=f"yours is {words}", cause=cause)
                return


def _candidates(m: Mismatch) -> Iterator[_Convolution]:
    """The convolutions of two of the inputs with an output of the right shape."""
    output = m.expected if m.context.forward else m.upstream
    if output is None or output.ndim != 4 or m.expected.ndim != 4:
        return
    arrays = [a for a in m.inputs.values() if a.ndim == 4 and a.size]
    biases = [a for a in m.inputs.values() if a.shape == output.shape[1:2]]
    for x, w in product(arrays, arrays):
        shapes_fit = x is not w and (*x.shape[:1], *w.shape[:1]) == output.shape[:2] and x.shape[1] == w.shape[1]
        if not shapes_fit or output.size * w[0].size > _MAX_COST:
            continue
        for stride, pad in product((1, 2, 3), range(4)):
            steps = [(x.shape[i] + 2 * pad - w.shape[i], stride * (output.shape[i] - 1), stride - 1) for i in (2, 3)]
            if all(low <= room <= low + slack for room, low, slack in steps):
                bias = biases[0] if biases and m.context.forward else np.zeros(w.shape[0])
                yield _Convolution(x=x, w=w, bias=bias, stride=stride, pad=pad)


def _forward_slips(m: Mismatch, conv: _Convolution) -> Iterator[_Slip]:
    if not m.context.forward or not close(conv.forward(conv.w), m.expected, 1e-9):
        return
    for what, kernel in _kernels(conv):
        yield f"the convolution with {what}", conv.forward(kernel), DiagnosisCode.FLIPPED, _KERNEL


def _gradient_slips(m: Mismatch, conv: _Convolution) -> Iterator[_Slip]:
    dout = m.upstream
    assert dout is not None  # the caller asked
    if m.expected.shape == conv.x.shape and close(conv.dx(dout, conv.w), m.expected, 1e-9):
        for what, kernel in _kernels(conv):
            yield f"the gradient of a convolution with {what}", conv.dx(dout, kernel), DiagnosisCode.FLIPPED, _KERNEL
        last = dout[:, -1:]
        for words, alone, w in (("", dout, conv.w), (", of the last filter alone", last, conv.w[-1:])):
            text = f"what is left where the windows overwrite each other{words}"
            yield text, conv.dx(alone, w, add=False), DiagnosisCode.TERMS_DROPPED, _ASSIGNED
        yield (
            "the gradient of the last filter alone",
            conv.dx(last, conv.w[-1:]),
            DiagnosisCode.TERMS_DROPPED,
            _ASSIGNED,
        )
    if m.expected.shape == conv.w.shape and close(conv.dw(dout), m.expected, 1e-9):
        for name, at in (("first", 0), ("last", len(dout) - 1)):
            only = dout * (np.arange(len(dout)) == at)[:, None, None, None]
            yield f"the gradient of the {name} sample alone", conv.dw(only), DiagnosisCode.TERMS_DROPPED, _SAMPLES
            corner = np.zeros_like(only)
            corner[..., -1, -1] = only[..., -1, -1]
            text = f"the gradient of the last window of the {name} sample alone"
            yield text, conv.dw(corner), DiagnosisCode.TERMS_DROPPED, _ASSIGNED


_KERNEL = "the kernel is flipped or its axes are exchanged: once too often, or once too few"
_ASSIGNED = "contributions are assigned (=) and must be added (+=)"
_SAMPLES = "the sum over the batch is missing: assigned (=) in place of added (+=), or returned in the loop"


def _kernels(conv: _Convolution) -> Iterator[tuple[str, Array]]:
    w = conv.w
    yield "the kernel flipped along both axes", w[:, :, ::-1, ::-1]
    yield "the kernel flipped along its rows", w[:, :, ::-1]
    yield "the kernel flipped along its columns", w[..., ::-1]
    if w.shape[2] == w.shape[3]:
        yield "the two axes of the kernel exchanged", w.swapaxes(2, 3)
