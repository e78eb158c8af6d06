"""The torch profile's arrays: arguments as tensors, what is returned as NumPy arrays, and no import left for later."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from grader.calls import Call, Elsewhere, Found, Kept, Malformed, Opaque, Outcome, Profile, Raised, Returned, Source
from grader.numerics.trees import leaves
from grader.sandbox.inprocess import InProcess
from grader.sandbox.tensors import give, read

X = np.random.default_rng(6).standard_normal((3, 4))


def runner(text: str, profile: Profile = Profile.TORCH) -> InProcess:
    head = "import numpy as np\nimport torch\nfrom torch import nn\n"
    return InProcess(Source(entry="t.py", files={"t.py": (head + text).encode()}), profile)


def ask(body: str, *args: Any, **kwargs: Any) -> Outcome:
    """Outcome of one call of a function f of the arguments a and b."""
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    text = f"def f({', '.join('ab'[: len(args)])}):\n{lines}"
    return runner(text).call(Call(function="f", args=args, **kwargs))


def value(outcome: Outcome) -> Any:
    assert isinstance(outcome, Returned), outcome
    return outcome.value


# ----------------------------------------------------------------------------------------------------------- arguments


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i4", "i8", "f2", "f4", "f8", "c16"])
def test_an_array_becomes_a_tensor_of_its_own(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    tensor = give(array)
    assert (type(tensor), tensor.requires_grad, tensor.is_contiguous()) == (torch.Tensor, False, True)
    tensor.resize_(7).resize_(2, 3)  # as a tensor that torch made
    found = read(tensor)
    assert isinstance(found, np.ndarray)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    tensor.zero_()
    np.testing.assert_array_equal(array, np.arange(6).reshape(2, 3).astype(dtype))


@pytest.mark.parametrize("array", [X.T, X[::-1], np.broadcast_to(1.0, (3, 2)), np.array(3.0), np.zeros((0, 3))])
def test_tensors_lie_in_memory_in_c_order(array: np.ndarray[Any, Any]) -> None:
    tensor = give(array)
    assert (tuple(tensor.shape), tensor.is_contiguous()) == (array.shape, True)
    np.testing.assert_array_equal(tensor, array)


def test_trees_numbers_and_none_are_given_as_they_are() -> None:
    tree = {"W": X, "rest": [np.float32(2), (None, np.array(1))]}
    body = (
        "assert type(a['W']) is torch.Tensor and a['W'].dtype is torch.float64\n"
        "assert type(a['rest'][0]) is float and a['rest'][1][0] is None and a['rest'][1][1].shape == ()\n"
        "return a"
    )
    assert [type(leaf) for leaf in leaves(value(ask(body, tree)))] == [np.ndarray, np.ndarray, type(None), np.ndarray]


CHANGES = {
    "nothing": ("return a['W'] + a['n'] + a['l'][0]", False),
    "read in every way": ("a['W'].T, a['W'][0], a['W'].numpy(), a['W'].reshape(2), a['W'].data, repr(a['W'])", False),
    "same bits": ("a['W'].copy_(a['W'].clone())", False),
    "sign of zero": ("a['W'][1] = -0.0", True),
    "one element": ("a['l'][0][0] += 1e-15", True),
    "in place": ("a['W'] += 1", True),
    "a method in place": ("a['W'].mul_(2).add_(1)", True),
    "through a view": ("a['W'][:1].fill_(3)", True),
    "through its NumPy array": ("a['W'].numpy()[0] = 3", True),
    "through data": ("a['W'].data = torch.ones(2, dtype=torch.float64)", True),
    "through out=": ("torch.add(a['W'], 1, out=a['W'])", True),
    "replaced": ("a['W'] = a['W'] + 1", True),
    "replaced by an equal one": ("a['W'] = a['W'].clone()", False),
    "replaced by a parameter": ("a['W'] = nn.Parameter(a['W'])", True),
    "replaced by an array": ("a['W'] = a['W'].numpy()", True),
    "replaced by one without numbers": ("a['W'] = torch.empty(2, dtype=torch.float64, device='meta')", True),
    "another shape": ("a['W'].unsqueeze_(0)", True),
    "another dtype": ("a['W'].data = a['W'].float()", True),
    "resized": ("a['W'].resize_(5)", True),
    "a gradient put beside it": ("a['W'].grad = a['W'].clone()", False),
    "refers to itself": ("a['W'] = a", True),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.filterwarnings("ignore")
def test_what_counts_as_written_into(name: str) -> None:
    body, changed = CHANGES[name]
    tree = {"W": np.array([np.nan, 0.0]), "n": 2.0, "none": None, "l": [np.ones(1), 3]}
    outcome = ask(body, tree, np.ones(2))
    assert isinstance(outcome, Returned), outcome
    assert outcome.changed == ((0,) if changed else ())


def test_what_backward_writes_into_of_the_call_that_made_its_cache() -> None:
    own = runner("def forward(x, w): return x @ w, (x, w)\ndef backward(d, cache):\n    cache[1].add_(1)\n    return d")
    assert isinstance(own.call(Call(function="forward", args=(X, X.T), keep=1)), Returned)
    outcome = own.call(Call(function="backward", args=(X, Kept(1))))
    assert isinstance(outcome, Returned)
    assert (outcome.changed, outcome.changed_earlier) == ((), (1,))


# ------------------------------------------------------------------------------------------------------------- results

ARRAYS = {
    "float64": "a * 2",
    "transposed": "(a.T * 2).T",
    "a view with gaps": "torch.stack([a * 2, a], 2)[..., 0]",
    "expanded": "(a[:1] * 0 + 2).expand(3, 4) * a",
    "a parameter": "nn.Parameter(a * 2)",
    "requires_grad": "(a * 2).clone().detach() + torch.zeros(3, 4, requires_grad=True)",
    "made of an array": "torch.from_numpy(a.numpy() * 2)",
    "a subclass": "(a * 2).as_subclass(type('T', (torch.Tensor,), {}))",
    "a subclass that lies": "(a * 2).as_subclass(type('T', (torch.Tensor,), dict(shape=(9,), dtype=3, numpy=None,"
    " cpu=1, detach=1, device=0, layout=2, __array__=None, __torch_function__=classmethod(lambda *args: 1 / 0))))",
    "minus, put off": "torch._neg_view(a * -2)",
    "inference": "torch.inference_mode()(lambda: a * 2)()",
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.filterwarnings("ignore")
def test_a_tensor_comes_back_as_its_numbers(name: str) -> None:
    found = value(ask(f"return {ARRAYS[name]}", X))
    assert type(found) is np.ndarray
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, 2 * X)


@pytest.mark.parametrize("code", ["a.numpy() * 2", "np.array((a * 2).tolist())"])
def test_an_array_comes_back_as_one_of_another_library(code: str) -> None:
    found = value(ask(f"return {code}", X))
    assert isinstance(found, Elsewhere)
    assert (found.found, found.wanted) == (Found.NUMPY, Profile.TORCH)
    np.testing.assert_array_equal(found.value, 2 * X)


DTYPES = {
    "torch.float16": "f2", "torch.float32": "f4", "torch.float64": "f8", "torch.complex64": "c8",
    "torch.complex128": "c16", "torch.bool": "?", "torch.uint8": "u1", "torch.int8": "i1", "torch.int16": "i2",
    "torch.int32": "i4", "torch.int64": "i8", "torch.uint16": "u2",
}  # fmt: skip


@pytest.mark.parametrize("name", DTYPES)
def test_a_dtype_stays_what_it_is(name: str) -> None:
    assert value(ask(f"return a.to({name})", np.ones(3))).dtype == DTYPES[name]


def test_numbers_and_trees_of_tensors() -> None:
    body = (
        "return {'loss': a.sum(), 'item': a.sum().item(), 'max': a.max(0), 'shape': a.shape,"
        " 'conj': (a + 1j).conj(), 'l': [a, (a[0],)]}"
    )
    found = value(ask(body, X))
    assert (found["loss"].shape, found["loss"].dtype, float(found["loss"])) == ((), "f8", found["item"])
    assert [array.dtype for array in found["max"]] == ["f8", "i8"]
    assert tuple(map(int, found["shape"])) == (3, 4)
    np.testing.assert_array_equal(found["conj"], X - 1j)
    np.testing.assert_array_equal(found["l"][1][0], X[0])


OPAQUE = {
    "a.bfloat16()": "a tensor of dtype bfloat16",
    "a.to(torch.float8_e4m3fn)": "a tensor of dtype float8_e4m3fn",
    "torch.quantize_per_tensor(a.float(), 0.1, 0, torch.quint8)": "a tensor of dtype quint8",
    "a.to_sparse()": "a tensor of layout torch.sparse_coo",
    "torch.empty(3, 4, device='meta')": "a tensor on the device meta, which holds no numbers",
    "torch.float64": "dtype",
    "nn.Linear(2, 2)": "Linear",
    "torch": "module",
    "torch.nested.nested_tensor([a, a])": "a tensor that can't be read",
}


@pytest.mark.parametrize("text", OPAQUE)
@pytest.mark.filterwarnings("ignore")
def test_what_has_no_numbers_for_numpy_says_so(text: str) -> None:
    assert value(ask(f"return {text}", X)) == Opaque(OPAQUE[text])


def test_a_tensor_that_keeps_its_numbers_elsewhere_is_not_asked() -> None:
    text = (
        "class Far(torch.Tensor):\n"
        "    @staticmethod\n"
        "    def __new__(cls): return torch.Tensor._make_wrapper_subclass(cls, (3, 4), dtype=torch.float64)\n"
        "    @classmethod\n"
        "    def __torch_dispatch__(cls, func, types, args=(), kwargs=None): raise SystemExit\n"
        "def f(): return Far()"
    )
    found = value(runner(text).call(Call(function="f", args=())))
    assert found == Opaque("a tensor with a __torch_dispatch__ of its own")


def test_a_result_that_is_too_large_is_not_copied() -> None:
    outcome = ask("return a[:1, :1].expand(10**6, 10**6)", X, max_bytes=1000)
    assert isinstance(outcome, Malformed)
    assert "too large: an array of shape (1000000, 1000000)" in outcome.problem


def test_a_numpy_submission_that_makes_no_tensors_sees_no_torch() -> None:
    own = runner("def f(a): return type(a) is np.ndarray and 'torch' not in __import__('sys').modules", Profile.NUMPY)
    assert value(own.call(Call(function="f", args=(X,))))


def test_a_file_called_torch_does_not_stand_for_torch() -> None:
    files = {"t.py": b"import torch\ndef f(a): return torch.tanh(a)", "torch.py": b"tanh = None"}
    own = InProcess(Source(entry="t.py", files=files), Profile.TORCH)
    np.testing.assert_allclose(value(own.call(Call(function="f", args=(X,)))), np.tanh(X))


def test_an_exception_of_torchs_is_one_of_the_submissions() -> None:
    outcome = ask("return a @ b", X, X)
    assert isinstance(outcome, Raised)
    assert (outcome.kind, outcome.message) == (
        "RuntimeError",
        "mat1 and mat2 shapes cannot be multiplied (3x4 and 3x4)",
    )
    assert outcome.traceback == "t.py, line 5, in f: return a @ b"


# ------------------------------------------------------------------------------------------------------------- warm-up

WARM = """
import sys, warnings
warnings.simplefilter("ignore")
from grader.sandbox.tensors import warm
warm()
import io, copy, torch, traceback, numpy as np
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
assert torch.get_num_threads() == 1

class Wall:
    def find_spec(self, name, path=None, target=None):
        raise ModuleNotFoundError("imported late: " + name)

walls = [Wall()]
def audit(event, args):
    if event == "open" and walls:
        raise PermissionError("opened late: " + str(args[0]))
sys.addaudithook(audit)
sys.meta_path.insert(0, walls[0])
x, images = torch.randn(3, 4, dtype=torch.float64), torch.randn(2, 3, 8, 8, dtype=torch.float64)
p = nn.Parameter(x)
p.grad = torch.ones_like(x)
torch.set_grad_enabled(False)
for name, use in {USES}.items():
    try:
        use()
    except Exception as error:
        traceback.print_exc()
        sys.exit(name + " needs more than there is")
try:
    x @ x
except RuntimeError:
    assert "cannot be multiplied" in traceback.format_exc()
walls.clear()
print(len({USES}))
"""

USES = """{
    "repr": lambda: (repr(x), str(p), f"{x[0, 0]:.2f}", repr(nn.Linear(2, 2)), repr(x.bool()), repr(x.to_sparse())),
    "einsum": lambda: torch.einsum("ij,kj,kl->il", x, x, x),
    "conv": lambda: (F.conv2d(images, images), F.conv_transpose2d(images[:, :2], images)),
    "pool": lambda: F.max_pool2d(images, 2, return_indices=True),
    "interpolate": lambda: F.interpolate(images, scale_factor=2.0, mode="bilinear"),
    "losses": lambda: (F.cross_entropy(x, torch.tensor([0, 1, 2])), F.smooth_l1_loss(x, x), F.huber_loss(x, x)),
    "attention": lambda: F.scaled_dot_product_attention(images, images, images, is_causal=True),
    "linalg": lambda: (torch.linalg.pinv(x), torch.linalg.matrix_rank(x), torch.linalg.eig(x @ x.T)),
    "fft": lambda: (torch.fft.fftn(x), torch.fft.irfft(torch.fft.rfft(x)), torch.fft.fftshift(x)),
    "special": lambda: (torch.special.erf(x), torch.special.logsumexp(x, 0), torch.lgamma(x)),
    "vmap": lambda: torch.func.vmap(lambda row: torch.softmax(row, 0) + torch.linalg.norm(row))(x),
    "functional_call": lambda: torch.func.functional_call(nn.Linear(4, 2).double(), {}, (x,)),
    "recurrent": lambda: (nn.LSTM(4, 5).double()(x), nn.GRU(4, 5).double()(x), nn.RNN(4, 5).double()(x)),
    "transformer": lambda: nn.Transformer(4, 2, 1, 1, 8).double()(x[None], x[None]),
    "layers": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout()).double()(images),
    "embedding": lambda: (nn.Embedding(3, 4)(torch.tensor([1])), F.one_hot(torch.tensor([1, 2]))),
    "optimizers": lambda: [make([p], lr=0.1).step() for make in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW,
        torch.optim.RMSprop, torch.optim.Adagrad)],
    "schedule": lambda: torch.optim.lr_scheduler.CosineAnnealingLR(torch.optim.SGD([p], 0.1), 3),
    "init": lambda: (nn.init.kaiming_normal_(x.clone()), nn.init.orthogonal_(x.clone())),
    "clip": lambda: nn.utils.clip_grad_norm_([p], 1.0),
    "save": lambda: torch.save(nn.Linear(2, 2).state_dict(), io.BytesIO()),
    "deepcopy": lambda: copy.deepcopy(nn.Linear(2, 2)),
    "data": lambda: list(DataLoader(TensorDataset(x, x), batch_size=2, shuffle=True)),
    "distributions": lambda: (torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2)).sample(),
        torch.distributions.Categorical(logits=x).probs, torch.distributions.Normal(0.0, 1.0).log_prob(x)),
    "testing": lambda: torch.testing.assert_close(x, x),
    "checkpoint": lambda: torch.utils.checkpoint.checkpoint(torch.tanh, x, use_reentrant=False),
    "indexing": lambda: (x.index_add(0, torch.tensor([0, 0]), x[:2]), x.scatter(0, torch.tensor([[0]]), 1.0)),
    "numpy": lambda: (np.asarray(x), torch.from_numpy(np.ones(3)), x.tolist(), np.random.default_rng(0).random(2)),
    "settings": lambda: (torch.set_default_dtype(torch.float64), torch.set_printoptions(precision=3)),
}"""


def test_after_the_warm_up_nothing_is_imported_and_no_file_opened() -> None:
    """Behind the wall there are no files: what torch leaves until its first use must have been used."""
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", WARM.replace("{USES}", USES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 25
