"""The torch profile's deterrent: every way to a derivative that we know, and honest torch code that it must not touch.

The table in grader.sandbox.autograd is held to what happens here, row by row.
"""

from __future__ import annotations

import math
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from grader.calls import Call, Loaded, Outcome, Profile, Raised, Returned, Source
from grader.sandbox import autograd
from grader.sandbox.inprocess import InProcess
from grader.sandbox.profiles import kit_of

HEAD = """
import gc, threading, _thread, numpy as np, torch, torch.nn.functional as F
from concurrent.futures import ThreadPoolExecutor
from torch import nn
from torch.autograd import grad as borrowed

def out(x, w):
    return torch.tanh(x @ w)

"""

RNG = np.random.default_rng(5)
X, W, DOUT = RNG.standard_normal((3, 4)), RNG.standard_normal((4, 5)), RNG.standard_normal((3, 5))
DX = (DOUT * (1 - np.tanh(X @ W) ** 2)) @ W.T


def source(text: str) -> Source:
    return Source(entry="t.py", files={"t.py": (HEAD + text).encode()})


def run(text: str, *args: Any) -> Outcome:
    """Outcome of one call of a function f that the text defines."""
    return InProcess(source(text), Profile.TORCH).call(Call(function="f", args=args))


def indented(body: str, by: int = 4) -> str:
    return "\n".join(" " * by + line for line in body.split("\n"))


def cheat(body: str) -> Outcome:
    return run(f"def f(x, w, dout):\n{indented(body)}\n", X, W, DOUT)


def returned(outcome: Outcome) -> Returned:
    assert isinstance(outcome, Returned), outcome
    return outcome


def numbers(outcome: Outcome) -> np.ndarray[Any, Any]:
    value = returned(outcome).value
    assert isinstance(value, np.ndarray), value
    return value


# What each way does. Where it gets there it returns dL/dx.
WAYS = {
    "torch.autograd.grad": "return torch.autograd.grad(out(x, w), x, dout)[0]",
    "Tensor.backward": "out(x, w).backward(dout)\nreturn x.grad",
    "torch.autograd.backward": "torch.autograd.backward(out(x, w), dout)\nreturn x.grad",
    "with torch.enable_grad()": "with torch.enable_grad():\n    y = out(x, w)\nreturn y",
    "@torch.enable_grad()": "@torch.enable_grad()\ndef g(): return out(x, w)\nreturn g()",
    "torch.set_grad_enabled(True)": "torch.set_grad_enabled(True)\nreturn out(x, w)",
    "torch.inference_mode(False)": "with torch.inference_mode(False):\n    return out(x, w)",
    "torch._C._set_grad_enabled(True)": "torch._C._set_grad_enabled(True)\nreturn out(x, w)",
    "torch._C._InferenceMode(False)": "with torch._C._InferenceMode(False):\n    return out(x, w)",
    "Tensor.requires_grad_": "x.requires_grad_()\nreturn x",
    "Tensor.requires_grad = True": "x.requires_grad = True\nreturn x",
    "a name imported with the file": "return borrowed(out(x, w), x, dout)[0]",
    "torch.autograd.functional.vjp": "return torch.autograd.functional.vjp(lambda x: out(x, w), x, dout)[1]",
    "torch.autograd.functional.jacobian": (
        "J = torch.autograd.functional.jacobian(lambda x: out(x, w), x)\nreturn torch.einsum('ijkl,ij->kl', J, dout)"
    ),
    "torch.autograd.gradcheck": "return torch.autograd.gradcheck(lambda x: out(x, w), x)",
    "torch.func.grad": "return torch.func.grad(lambda x: (out(x, w) * dout).sum())(x)",
    "torch.func.vjp": "return torch.func.vjp(lambda x: out(x, w), x)[1](dout)[0]",
    "torch.func.jvp": "return torch.func.jvp(lambda x: out(x, w), (x,), (torch.ones_like(x),))[1]",
    "torch.func.jacrev": "return torch.einsum('ijkl,ij->kl', torch.func.jacrev(lambda x: out(x, w))(x), dout)",
    "torch.func.linearize": "return torch.func.linearize(lambda x: out(x, w), x)[1](torch.ones_like(x))",
    "torch._functorch's own layers": (
        "from torch._C import _functorch as C\n"
        "level = C._grad_increment_nesting()\n"
        "try: return out(C._wrap_for_grad(x, level), w)\n"
        "finally: C._grad_decrement_nesting()"
    ),
    "torch.autograd.forward_ad": (
        "import torch.autograd.forward_ad as ad\n"
        "with ad.dual_level():\n    return ad.unpack_dual(out(ad.make_dual(x, torch.ones_like(x)), w)).tangent"
    ),
    "torch.autograd.graph's entry to the engine": (
        "return torch.autograd.graph._engine_run_backward((out(x, w),), (dout,), False, False, (x,), True, False)[0]"
    ),
    "the engine that torch made": (
        "engine = torch.autograd.Variable._execution_engine\n"
        "return engine.run_backward((out(x, w),), (dout,), False, False, (x,), True, False)[0]"
    ),
    "a new engine": (
        "return torch._C._ImperativeEngine().run_backward((out(x, w),), (dout,), False, False, (x,), True, False)[0]"
    ),
    "torch.nn.grad": (
        "columns = w.T.reshape(5, 4, 1)\n"
        "dy = (dout * (1 - out(x, w) ** 2)).reshape(3, 5, 1)\n"
        "return torch.nn.grad.conv1d_input((3, 4, 1), columns, dy).reshape(3, 4)"
    ),
    "torch.ops.aten.tanh_backward": "return torch.ops.aten.tanh_backward(dout, out(x, w)) @ w.T",
    "a derivative that has a name in torch": "return torch._softmax_backward_data(dout, out(x, w), 1, x.dtype) @ w.T",
    "an operation looked up by its name": (
        "return torch._C._jit_get_operation('aten::tanh_backward')[0](dout, out(x, w)) @ w.T"
    ),
    "torch.ops.aten._backward": "torch.ops.aten._backward(out(x, w), [x], dout)\nreturn x.grad",
    "torch._make_dual": "return torch._unpack_dual(out(torch._make_dual(x, torch.ones_like(x), 0), w), 0)[1]",
    "a dispatch mode taken off the stack": (
        "from torch.utils import _python_dispatch as dispatch\n"
        "with dispatch._disable_current_modes():\n    return torch.ops.aten.tanh_backward(dout, out(x, w)) @ w.T"
    ),
    "torch's dispatch turned off": (
        "with torch._C._DisableTorchDispatch():\n    return torch.ops.aten.tanh_backward(dout, out(x, w)) @ w.T"
    ),
    "dispatch keys put back": (
        "key = torch._C.DispatchKeySet(torch._C.DispatchKey.AutogradCPU)\n"
        "with torch._C._IncludeDispatchKeyGuard(torch._C.DispatchKey.AutogradCPU):\n    return out(x, w)"
    ),
    "redispatch to a kernel": (
        "keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CPU)\n"
        "return torch.ops.aten.tanh_backward.default.redispatch(keys, dout, out(x, w)) @ w.T"
    ),
    "in a thread": (
        "found = []\n"
        "def work():\n    found.append(torch.ops.aten.tanh_backward(dout, out(x, w)) @ w.T)\n"
        "thread = threading.Thread(target=work)\n"
        "threading.excepthook = lambda *args: None\n"
        "thread.start()\nthread.join()\nreturn found[0]"
    ),
    "in a pool of threads": (
        "def work():\n"
        "    y = out(x.detach().requires_grad_(), w)\n    return torch.autograd.grad(y, x, dout)[0]\n"
        "with ThreadPoolExecutor(1) as pool:\n    return pool.submit(work).result()"
    ),
    "a patch put back": "torch.Tensor.backward = lambda tensor: None\nreturn (dout * (1 - out(x, w) ** 2)) @ w.T",
    "torch.jit's compiler": (
        "unit = torch.jit.CompilationUnit('def f(x, y):\\n    return torch.autograd.grad([y], [x])')\n"
        "return unit.f(x, out(x, w))[0]"
    ),
    "torch.compile": "return torch.compile(lambda: torch.autograd.grad(out(x, w), x, dout)[0])()",
    "walking grad_fn": (
        "node = out(torch.zeros_like(x, requires_grad=True) + x, w).grad_fn\nreturn node.next_functions[0][0](node(dout))"
    ),
    "requires_grad=True where a tensor is made": (
        "z = torch.zeros_like(x, requires_grad=True)\ny = out(x + z, w)\nassert not y.requires_grad\nreturn y.grad_fn"
    ),
    "TensorBase's own requires_grad_": (
        "torch._C.TensorBase.requires_grad_(x)\ny = out(x, w)\nassert x.requires_grad and y.grad_fn is None\nreturn y"
    ),
    "a custom torch.autograd.Function": (
        "class Tanh(torch.autograd.Function):\n"
        "    @staticmethod\n    def forward(ctx, z):\n        ctx.save_for_backward(z)\n        return z.tanh()\n"
        "    @staticmethod\n    def backward(ctx, dy):\n        return dy * (1 - ctx.saved_tensors[0].tanh() ** 2)\n"
        "return Tanh.apply(nn.Parameter(x) @ w).grad_fn"
    ),
    "a hook on a tensor": "y = out(nn.Parameter(x), w)\ny.register_hook(print)\nreturn y",
    "a kernel called by its dispatch key": (
        "tanh_backward = torch.ops.aten.tanh_backward.default\n"
        "return tanh_backward._op_dk(torch._C.DispatchKey.CPU, dout, out(x, w)) @ w.T"
    ),
    "torch._decomp's formulas": (
        "from torch._decomp.decompositions import tanh_backward\nreturn tanh_backward(dout, out(x, w)) @ w.T"
    ),
    "the originals, found by gc": (
        "def found(kind, name):\n"
        "    return next(o for o in gc.get_objects() if isinstance(o, kind) and o.__name__ == name)\n"
        "with found(type, '_InferenceMode')(False):\n"
        "    found(type(len), '_set_grad_enabled')(True)\n"
        "    torch._C.TensorBase.requires_grad_(x)\n"
        "    engine = next(o for o in gc.get_objects() if type(o).__name__ == '_Engine')._original\n"
        "    y = x @ w\n"
        "    dy = dout * (1 - y.detach().tanh() ** 2)\n"  # the watch sees the engine's aten.tanh_backward
        "    return engine.run_backward((y,), (dy,), False, False, (x,), True, False)[0]"
    ),
    "leave(), called by the student": (
        "from grader.sandbox.profiles import kit_of\nfrom grader.calls import Profile\nguard = kit_of(Profile.TORCH).guard\nguard.leave()\n"
        "try:\n    x = x.clone().requires_grad_()\n    return torch.autograd.grad(out(x, w), x, dout)[0]\n"
        "finally:\n    guard.enter()"
    ),
    "complex step": (
        "dx = torch.zeros_like(x)\n"
        "for i in range(3):\n    for j in range(4):\n"
        "        z = x.to(torch.complex128)\n        z[i, j] += 1e-30j\n"
        "        dx[i, j] = (out(z, w.to(z.dtype)).imag / 1e-30 * dout).sum()\n"
        "return dx"
    ),
    "finite differences": (
        "dx = torch.zeros_like(x)\n"
        "for i in range(3):\n    for j in range(4):\n"
        "        h = torch.zeros_like(x)\n        h[i, j] = 1e-5\n"
        "        dx[i, j] = ((out(x + h, w) - out(x - h, w)) / 2e-5 * dout).sum()\n"
        "return dx"
    ),
}


def table() -> dict[str, str]:
    """What the module's docstring says of each way: its first word."""
    rows = re.findall(r"^    (\S.{50,54}?)  +(refused|nothing|through)\b", autograd.__doc__ or "", re.MULTILINE)
    return {way.strip(): verdict for way, verdict in rows}


def test_the_table_has_every_way_and_no_other() -> None:
    assert list(table()) == list(WAYS)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore")
def test_a_way_does_what_the_table_says(way: str) -> None:
    outcome = cheat(WAYS[way])
    match table()[way]:
        case "refused":
            assert isinstance(outcome, Raised), outcome
            assert outcome.kind == "AutogradRefused"
            assert re.fullmatch("autograd is refused here: no .+, write the derivative yourself", outcome.message)
        case "nothing":
            assert not isinstance(outcome, Raised) or outcome.kind != "AutogradRefused"
            assert not (isinstance(outcome, Returned) and right(outcome))
        case "through":
            assert right(outcome)
    assert_as_before()


def right(outcome: Outcome) -> bool:
    value = outcome.value if isinstance(outcome, Returned) else None
    return isinstance(value, np.ndarray) and value.shape == DX.shape and bool(np.allclose(value, DX, atol=1e-7))


def assert_as_before() -> None:
    """The oracle can work: autograd does, in this thread and in one of its own."""
    assert not torch.is_inference_mode_enabled()
    assert torch.is_grad_enabled()
    assert torch._C._len_torch_dispatch_stack() == 0
    x = torch.tensor(X).requires_grad_()
    (dx,) = torch.autograd.grad(torch.tanh(x @ torch.tensor(W)), x, torch.tensor(DOUT))
    np.testing.assert_allclose(dx, DX)
