"""The pretend GPU: the CPU's numbers under CUDA's rules. The same tables are asked of a real one where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from device_table import NO_TENSOR, ON_CPU, ON_GPU, OPERATIONS, RULES, names

from grader.calls import Call, Elsewhere, Found, Outcome, Profile, Raised, Returned, Source
from grader.sandbox.inprocess import InProcess
from grader.sandbox.pretend_cuda import rules
from grader.sandbox.profiles import kit_of

REAL = torch.cuda.is_available()
"""Asked before anything pretends."""
X = np.random.default_rng(6).standard_normal((3, 4))


@pytest.fixture(params=["pretend", pytest.param("real", marks=pytest.mark.skipif(not REAL, reason="no GPU here"))])
def gpu(request: pytest.FixtureRequest) -> Iterator[torch.device]:
    """A GPU, with what holds while student code runs."""
    guard = kit_of(Profile.PRETEND_CUDA).guard if request.param == "pretend" else None
    if guard is not None:
        guard.enter()
    try:
        yield torch.device("cuda")
    finally:
        if guard is not None:
            guard.leave()
            rules().take_waits()


# -------------------------------------------------------------------------------------------------------------- tables


def tensors(value: Any) -> Iterator[Any]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors(item)


def equal(found: Any, expected: Any) -> bool:
    """Whether they are the same, but for the device; of floating-point numbers but for a GPU's rounding."""
    if isinstance(expected, torch.Tensor):
        same = (found.shape, found.dtype, found.stride()) == (expected.shape, expected.dtype, expected.stride())
        one, other = (tensor.cpu().resolve_conj().numpy() for tensor in (found, expected))
        room = 1e-9 if REAL else 0.0
        return same and bool(np.allclose(one, other, rtol=room, atol=room, equal_nan=True))
    if isinstance(expected, (tuple, list)):
        return len(found) == len(expected) and all(map(equal, found, expected))
    return bool(type(found) is type(expected) and found == expected)


def test_functions_give_what_they_give_on_the_cpu(gpu: torch.device) -> None:
    wrong, here, there = [], names("cpu"), names(gpu)
    for text in OPERATIONS:
        expected, found = eval(text, here), eval(text, there)
        places = {str(tensor.device) for tensor in tensors(found)}
        if not equal(found, expected) or not places <= {"cuda:0"}:
            wrong.append((text, places))
    assert (wrong, len(OPERATIONS) > 200) == ([], True)


def broken(text: str, expected: str, gpu: torch.device) -> str:
    """How a rule was broken; empty if it was not."""
    raises = expected not in (ON_CPU, ON_GPU, NO_TENSOR)
    try:
        found = eval(text, names(gpu))
    except (RuntimeError, TypeError) as error:
        return "" if raises and expected in str(error) else f"raised {error}"
    if raises:
        return f"gave {found}"
    if expected == NO_TENSOR:
        return "" if isinstance(found, np.ndarray) or found is True else f"gave {found}"
    return "" if found.device.type == expected else f"is on {found.device}"


@pytest.mark.filterwarnings("ignore")
def test_rules_of_two_devices(gpu: torch.device) -> None:
    told = {text: broken(text, expected, gpu) for text, expected in RULES.items()}
    assert ({text: how for text, how in told.items() if how}, len(told) > 100) == ({}, True)


def test_a_broken_rule_is_seen(gpu: torch.device) -> None:
    assert broken("x + c", ON_GPU, gpu).startswith("raised Expected all tensors")
    assert broken("x + x", "Expected", gpu).startswith("gave tensor(")
    assert broken("x.cpu()", ON_GPU, gpu) == "is on cpu"


# ------------------------------------------------------------------------------------------------------- student code


def ask(text: str, *args: Any, function: str = "f") -> Outcome:
    """Outcome of a call of a function that has this body, with the arguments a and b; its first line is line 4."""
    lines = "\n".join(f"    {line}" for line in text.split("\n"))
    head = "import copy, pickle, threading, numpy as np\nimport torch; from torch import nn\n"
    head += f"def f({', '.join('ab'[: len(args)])}):\n"
    own = InProcess(Source(entry="t.py", files={"t.py": (head + lines).encode()}), Profile.PRETEND_CUDA)
    return own.call(Call(function=function, args=args))


def value(outcome: Outcome) -> Any:
    assert isinstance(outcome, Returned), outcome
    return outcome.value


SHARED = {
    "a view": "y = a[0]\ny += 1\nreturn a",
    "a transposed view": "a.T[0, 0] += 1\na[0, 1:] += 1\nreturn a",
    "in place": "y = a\na += 0\na[0].add_(1)\nassert y is a\nreturn a",
    "out=": "torch.add(a[0], 1, out=a[0])\nreturn a",
    "a mask": "m = torch.zeros_like(a).bool()\nm[0] = True\na[m] = a[m] + 1\nreturn a",
    "rows": "for number, row in enumerate(a):\n    row += number == 0\nreturn a",
    "data": "a.data[0] += 1\nreturn a",
    "a copy is another": "y = a.clone()\ny[1] = 9\na.cpu()[1] = 9\na.to('cpu')[1] = 9\na[0] += 1\nreturn a",
    "there and back": "y = a.cpu()\ny[0] += 1\nz = y.cuda()\ny[1] = 9\nreturn z",
    "deepcopy": "y, z = copy.deepcopy([a, a])\nassert y is z is not a and y.is_cuda\na[1] = 9\ny[0] += 1\nreturn z",
    "pickle": "y = pickle.loads(pickle.dumps(a))\ny[0] += 1\nassert y.is_cuda\nreturn y",
    "a parameter": "p = nn.Parameter(a)\nassert isinstance(p, nn.Parameter) and p.is_cuda\np.data[0] += 1\nreturn p",
    "default device": "torch.set_default_device('cuda')\ny = torch.zeros(3, 4)\ntorch.set_default_device(None)\n"
    "y[0] = 1\nreturn a + y",
    "device as a context": "with torch.device('cuda'):\n    y = torch.eye(3, 4)[:1].fill_(1)\na[:1] += y\nreturn a",
    "a copy of NumPy's": "n = np.ones(4)\ny = torch.as_tensor(n, device='cuda')\nn[0] = 9\na[0] += y\nreturn a",
    "vmap": "a[:1] = torch.func.vmap(lambda row: row + torch.ones(4, device=row.device))(a[:1])\nreturn a",
    "a thread": "def work():\n    a[0] += torch.ones(4, device='cuda', dtype=a.dtype)\n"
    "t = threading.Thread(target=work)\nt.start()\nt.join()\nreturn a",
    "streams and events": "s, e = torch.cuda.Stream(), torch.cuda.Event()\nwith torch.cuda.stream(s):\n"
    "    e.record()\n    a[0] += 1\ns.wait_event(e)\nwith torch.cuda.device(0):\n    return a",
    "an adder of one": "class Add(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.register_buffer('one', torch.ones(4))\n    def forward(self, x):\n        return x + self.one\n"
    "a[0] = Add().cuda().double()(a[0])\nreturn a",
}


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.filterwarnings("ignore")
def test_memory_is_shared_as_on_a_gpu(name: str) -> None:
    expected = X.copy()
    expected[0] += 1
    np.testing.assert_array_equal(value(ask(SHARED[name], X)), expected)


WAITS = {
    "a.sum().item()": ".item()",
    "bool(a.sum() > 0)": "bool()",
    "float(a.sum())": "float()",
    "int(a.sum())": "int()",
    "a.tolist()": ".tolist()",
    "a.cpu()": ".cpu()",
    "a.to('cpu')": ".to()",
    "print(a.sum())": "print of a tensor",
    "a[a > 0]": "a mask as index",
    "a.nonzero()": ".nonzero()",
    "torch.where(a > 0)": "torch.where(condition)",
    "torch.cuda.synchronize()": "torch.cuda.synchronize()",
    "list(range((a > -9).sum()))": "an index or a range",
    "torch.tensor([a.sum(), a.sum()])": "torch.tensor of numbers on the GPU",
    "assert torch.allclose(a, a)": ".allclose()",
    "1 in a": "contains",
    "a[a > 9] = torch.zeros_like(a[0, :0])": "a mask as index",
    "m = torch.zeros(4, device='cuda').bool(); m[:2] = True; a[:, m] = a[:, :2]": "a mask as index",
    "torch.zeros(3, 4)[0] = a[0]": "writing a tensor of the GPU into one of the CPU",
}
NO_WAITS = (
    "a + 1", "a.sum()", "a[0]", "a[torch.arange(2)]", "a.shape, len(a), a.numel()", "torch.where(a > 0, a, 0)",
    "a[a > 0] = 0", "a.cuda()", "torch.zeros(3).cuda()", "[r for r in a]", "torch.ones(2).tolist()",
    "torch.ones(2).sum().item()",
)  # fmt: skip


@pytest.mark.parametrize("text", WAITS)
def test_a_wait_for_the_gpu_is_told_with_its_line(text: str) -> None:
    outcome = ask(f"{text}\nreturn a", X)
    assert isinstance(outcome, Returned), outcome
    assert [where.startswith("t.py, line 4, ") and WAITS[text] in where for where in outcome.waits] == [True]


@pytest.mark.parametrize("text", NO_WAITS)
def test_what_waits_for_nothing_is_not_told(text: str) -> None:
    outcome = ask(f"{text}\nreturn a", X)
    assert isinstance(outcome, Returned), outcome
    assert outcome.waits == ()


def test_a_line_is_told_once_and_a_call_has_its_own() -> None:
    text = "import torch\ndef f(a):\n    return sum(r.sum().item() for r in a)\ndef g(a):\n    return a\n"
    own = InProcess(Source(entry="t.py", files={"t.py": text.encode()}), Profile.PRETEND_CUDA)
    first, second = (own.call(Call(function=name, args=(X,))) for name in "fg")
    assert isinstance(first, Returned)
    assert isinstance(second, Returned)
    assert (first.waits, second.waits) == (("t.py, line 3, .item()",), ())


STRAYED = {
    "torch.zeros(3)": (Found.ON_CPU, "torch.zeros without device=): give it device=x.device"),
    "torch.ones(3, device='cpu') * 0": (Found.ON_CPU, "torch.ones with device='cpu'): give it device=x.device"),
    "a[0, :3].cpu() * 0": (Found.ON_CPU, ".cpu()): leave it on the GPU"),
    "nn.Linear(3, 3).bias * 0": (Found.ON_CPU, "in Linear): give it device=x.device, or move it with .to(x.device)"),
    "np.zeros(3)": (Found.NUMPY, "NumPy is used at t.py, line 4"),
    "torch.zeros(3).numpy()": (Found.NUMPY, ""),
}  # fmt: skip


@pytest.mark.parametrize("text", STRAYED)
def test_what_is_returned_from_elsewhere_is_told_with_its_numbers(text: str) -> None:
    (found,) = value(ask(f"return [{text}]", X))
    assert isinstance(found, Elsewhere)
    assert (found.found, found.made.removeprefix("it was made on the CPU at t.py, line 4 (")) == STRAYED[text]
    np.testing.assert_array_equal(found.value, np.zeros(3))


def test_numbers_are_nowhere() -> None:
    found = value(ask("return [1.5, 2, True, a.sum().item(), np.float64(3.0), None, a.shape]", X))
    assert not any(isinstance(item, Elsewhere) for item in found)


def test_a_tensor_that_lies_about_its_device_is_where_its_class_is() -> None:
    text = (
        "class T(torch.Tensor):\n    device, is_cuda = torch.device('cuda'), True\nreturn torch.zeros(3).as_subclass(T)"
    )
    found = value(ask(text, X))
    assert isinstance(found, Elsewhere)
    assert found.found is Found.ON_CPU


def test_what_a_student_puts_where_sites_are_kept_is_no_site() -> None:
    found = value(ask("y = torch.zeros(3)\ny._made_on_the_cpu = 'nowhere'\nreturn y", X))
    assert isinstance(found, Elsewhere)
    assert found.made == ""


def test_the_error_names_the_tensor_and_both_lines() -> None:
    outcome = ask("bias = torch.zeros(4)\nscaled = a * 2\nreturn scaled + bias", X)
    assert isinstance(outcome, Raised)
    assert (outcome.kind, outcome.message) == (
        "RuntimeError",
        "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!",
    )
    assert outcome.traceback == "t.py, line 6, in f: return scaled + bias"
    assert outcome.cause == (
        "bias was made on the CPU at t.py, line 4 (torch.zeros without device=): give it device=x.device"
    )


def test_students_can_catch_it_as_on_a_gpu() -> None:
    text = "try:\n    a + torch.zeros(4)\nexcept RuntimeError as error:\n    return 'same device' in str(error)"
    assert value(ask(text, X))


def test_autograd_is_refused_there_too() -> None:
    outcome = ask("w = a.clone().requires_grad_()\nreturn torch.autograd.grad((w * w).sum(), w)", X)
    assert isinstance(outcome, Raised)
    assert outcome.kind == "AutogradRefused"


def test_nothing_pretends_once_student_code_has_returned() -> None:
    assert value(ask("torch.set_default_device('cuda')\nreturn torch.cuda.is_available()", X))
    assert torch.cuda.is_available() is REAL
    assert torch.zeros(2).device.type == "cpu"
    assert torch.get_default_device().type == "cpu"
    assert torch.nn.Parameter(torch.zeros(2)).device.type == "cpu"
    assert type(torch.Generator()) is torch.Generator
    np.testing.assert_array_equal(torch.from_numpy(X).numpy(), X)
