"""What trips a file that was written for NumPy where its arrays are torch tensors, told by what torch then raises.

Pure: the name of an exception and its message in, the mend out. A message is matched whole, so nothing is claimed of an
exception that only looks alike. Where no exception is raised (ddof, an index that comes twice) numbers tell: diagnosis.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["mend"]

_ATTRIBUTES: Final = {
    "astype": "write xp.astype(x, dtype), or x.to(dtype)",
    "copy": "write xp.asarray(x, copy=True), or x.clone()",
    "fill": "write x[...] = value, or x.fill_(value)",
    "tobytes": "compare tensors with tensors",
    "dot": "write x @ y",
    "put": "write x[index] = values",
    "ptp": "write xp.max(x) - xp.min(x)",
    "compress": "write x[mask]",
    "searchsorted": "write xp.searchsorted(x, v)",
}
"""Of NumPy's arrays, and not of tensors."""

_PAIR: Final = "on torch x.{name}(axis) is a pair (values, indices): write xp.{name}(x, axis=...), which is the values"
_TABLE: Final = (
    (
        "AttributeError",
        r"'(?:Tensor|Parameter)' object has no attribute '(?P<name>\w+)'.*",
        "a torch tensor has no .{name}: {by_name}",
    ),
    (
        "AttributeError",
        r"module 'array_api_compat\.(?:torch|numpy)' has no attribute '(?P<name>\w+)'.*",
        "the array libraries have no {name} in common: build it from what they share (zeros, slices, concat, where)",
    ),
    (
        "ValueError",
        r"step must be greater than zero",
        "torch slices only forwards, x[::-1] is not there: write xp.flip(x, axis=0)",
    ),
    (
        "TypeError",
        r".*\btorch\.return_types\.(?P<name>max|min|median|mode|sort)\b.*",
        _PAIR,
    ),
    (
        "AttributeError",
        r"'torch\.return_types\.(?P<name>max|min|median|mode|sort)' object has no attribute .*",
        _PAIR,
    ),
    (
        "TypeError",
        r".*'(?:builtin_function_or_method|method)'.*",
        "is it x.size? On torch that is a method: write x.shape[0], or math.prod(x.shape) for all elements",
    ),
    (
        "TypeError",
        r"first operand must be array",
        "np.add.at knows no tensors: write dw.index_add_(0, index, dout), or multiply by a matrix of zeros and ones",
    ),
    (
        "TypeError",
        r"can't convert cuda:0 device type tensor to numpy.*",
        "NumPy can't compute on the GPU: use the tensor's own library, xp = array_namespace(x) and xp.exp(x)",
    ),
    (
        "TypeError",
        r"transpose\(\) (?:received an invalid combination of arguments|takes 2 positional arguments but \d were).*",
        "on torch x.transpose exchanges two axes: write xp.permute_dims(x, (0, 2, 1))",
    ),
    (
        "RuntimeError",
        r"(?:expected (?:m1 and m2|mat1 and mat2|scalar type|both vectors)|addmv input).*(?:[Ff]loat|[Dd]ouble).*",
        "torch.zeros and the like make float32 unless they are told otherwise: give them dtype=x.dtype",
    ),
    (
        "RuntimeError",
        r"Index put requires the source and destination dtypes match.*",
        "torch.zeros and the like make float32 unless they are told otherwise: give them dtype=x.dtype",
    ),
    (
        "RuntimeError",
        r"Expected all tensors to be on the same device.*|indices should be either on cpu.*",
        "one of them was made on the CPU: give it device=x.device, or make it with zeros_like(x)",
    ),
    (
        "RuntimeError",
        r"Expected a '(?P<name>cuda|cpu)' device type for generator but found .*",
        "a generator draws on its own device: torch.Generator(device=x.device)",
    ),
    (
        "RuntimeError",
        r"CUDA error: invalid device ordinal.*",
        "there is one GPU: write x.device, not the number of a device",
    ),
    (
        "AssertionError",
        r"Torch not compiled with CUDA enabled",
        "the arrays say where to compute: write device=x.device, not cuda",
    ),
)
_MATCHERS: Final = tuple((kind, re.compile(pattern, re.DOTALL), text) for kind, pattern, text in _TABLE)


def mend(kind: str, message: str) -> str:
    """What to write instead, where an exception is that of a known trap; else nothing.

    Args:
        kind: name of the exception's class.
        message: its text, from the student's process.
    """
    for known, pattern, text in _MATCHERS:
        found = pattern.fullmatch(message) if kind == known else None
        if found is not None:
            name = found.groupdict().get("name", "")
            if "{by_name}" in text and name not in _ATTRIBUTES:
                return ""
            return text.format(name=name, by_name=_ATTRIBUTES.get(name, ""))
    return ""
