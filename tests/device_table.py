"""What torch does on a GPU, as expressions: functions whose results must be the CPU's, and rules for both devices.

Each is evaluated with `names(device)`. tests/test_pretend_cuda.py holds the pretend device against both tables, and a
real GPU where there is one.
"""

from __future__ import annotations

from typing import Any

__all__ = ["OPERATIONS", "RULES", "names"]


def names(device: Any) -> dict[str, Any]:
    """What the expressions are about: x, w, v, i, m, s, ... on the device; c, ci, cm, c0 on the CPU."""
    import numpy as np
    import torch

    rng = np.random.default_rng(5)

    def on(place: Any, array: Any) -> Any:
        return torch.tensor(array).to(place)

    return {
        "torch": torch,
        "np": np,
        "F": torch.nn.functional,
        "d": device,
        "x": on(device, rng.standard_normal((3, 4))),
        "w": on(device, rng.standard_normal((4, 5))),
        "v": on(device, rng.standard_normal(4)),
        "q": on(device, (lambda a: a @ a.T + np.eye(4))(rng.standard_normal((4, 4)))),
        "i": on(device, np.array([2, 0, 1])),
        "m": on(device, rng.standard_normal((3, 4)) > 0),
        "s": on(device, np.array(1.5)),
        "g": on(device, rng.standard_normal((2, 3, 6, 6))),
        "k": on(device, rng.standard_normal((4, 3, 3, 3))),
        "c": on("cpu", rng.standard_normal((3, 4))),
        "cv": on("cpu", rng.standard_normal(4)),
        "ci": on("cpu", np.array([2, 0, 1])),
        "cm": on("cpu", rng.standard_normal((3, 4)) > 0),
        "c0": on("cpu", np.array(0.5)),
        "a": rng.standard_normal((3, 4)),
    }


OPERATIONS = tuple(
    line.strip()
    for line in """
    x + x
    x - 1
    2 / x
    x ** 2
    -x
    x @ w
    x // 0.3
    x % 2
    x > 0
    x == x
    ~m
    m & m
    m | ~m
    abs(x)
    x + v
    v * x
    x * s
    s * s
    x[0]
    x[:, 1:3]
    x[..., None]
    x[i]
    x[i, i]
    x[m]
    x[x > 0]
    x[[0, 2]]
    x[1, 2]
    x[::2]
    x.T
    x.mT
    x.t()
    x.real
    x.data
    x.sum()
    x.sum(0)
    x.sum(dim=1, keepdim=True)
    x.mean(0)
    x.var(0)
    x.std(1, correction=0)
    x.prod(1)
    x.max()
    x.max(1)
    x.min(0).values
    x.argmax(1)
    x.amax(1, keepdim=True)
    x.median(1)
    x.mode(1)
    x.kthvalue(2, 1)
    x.sort(1)
    x.argsort(1, descending=True)
    x.topk(2, 1)
    x.cumsum(1)
    x.cumprod(0)
    x.logsumexp(1)
    x.norm()
    x.any()
    m.all(1)
    m.count_nonzero()
    x.nonzero()
    m.nonzero(as_tuple=True)
    x.exp()
    x.abs().log()
    x.tanh()
    x.sigmoid()
    x.relu()
    x.clamp(-1, 1)
    x.clamp(min=s)
    x.round()
    x.sign()
    x.abs().sqrt()
    x.pow(3)
    x.erf()
    x.reshape(4, 3)
    x.view(2, 6)
    x.flatten()
    x.ravel()
    x.permute(1, 0)
    x.transpose(0, 1)
    x.unsqueeze(0)
    x[None].squeeze(0)
    x.expand(2, 3, 4)
    x.repeat(2, 1)
    x.repeat_interleave(2, 0)
    x.tile((2, 1))
    x.flip(0)
    x.roll(1, 0)
    x.split(2, 1)
    x.chunk(2, 1)
    x.unbind(0)
    x.diagonal()
    x.tril()
    x.contiguous()
    x.clone()
    x.detach()
    x.float()
    x.to(torch.float32)
    x.long()
    x.type(torch.float16)
    x.half().float()
    x.masked_fill(m, 0.0)
    x.masked_select(m)
    x.index_select(0, i)
    x.gather(1, i[:, None])
    x.scatter(1, i[:, None], 1.0)
    x.scatter_add(0, i[None].expand(3, 3), x)
    x.index_add(0, i, x)
    x.take(i)
    x.new_zeros(2)
    x.new_full((2,), 1.0)
    x.new_tensor([1.0, 2.0])
    x.clone().zero_()
    x.clone().add_(1)
    x.clone().copy_(x)
    x.clone().fill_(2.0)
    x.clone().index_fill_(0, i, 0.0)
    x.unfold(1, 2, 1)
    x.as_strided((2, 2), (1, 2))
    x.matmul(v)
    v.dot(v)
    v.outer(v)
    x.mm(w)
    x.addmm(x, q)
    x.mv(v)
    list(x)
    [row for row in x]
    x.tolist()
    x.item() if x.numel() == 1 else s.item()
    float(s)
    bool(s > 0)
    int(s)
    len(x)
    x.numel()
    x.dim()
    x.size(0)
    tuple(x.shape)
    x.dtype
    x.stride()
    x.is_contiguous()
    x.element_size()
    s in x
    torch.add(x, x, alpha=2)
    torch.addcmul(x, x, x, value=0.5)
    torch.addcdiv(x, x, x.exp())
    torch.where(m, x, 0.0)
    torch.where(m, x, -x)
    torch.where(m)
    torch.maximum(x, torch.zeros_like(x))
    torch.minimum(x, s)
    torch.fmod(x, 0.4)
    torch.atan2(x, x.exp())
    torch.lerp(x, -x, 0.3)
    torch.stack([x, x])
    torch.stack((x, x), dim=2)
    torch.cat([x, x], 1)
    torch.concat((x, x))
    torch.hstack([x, x])
    torch.vstack([x, x])
    torch.einsum("ij,jk->ik", x, w)
    torch.tensordot(x, w, 1)
    torch.bmm(x[None], w[None])
    torch.matmul(x, w)
    torch.outer(v, v)
    torch.cross(x[:, :3], x[:, 1:], dim=1)
    torch.kron(x, x)
    torch.cdist(x, x)
    torch.block_diag(x, x)
    torch.meshgrid(v, v, indexing="ij")
    torch.broadcast_tensors(x, v)
    torch.atleast_2d(v)
    torch.cumsum(x, 0)
    torch.diff(x)
    torch.trapezoid(x)
    torch.softmax(x, 1)
    torch.log_softmax(x, 1)
    torch.logaddexp(x, x)
    torch.nan_to_num(x)
    torch.isnan(x)
    torch.isclose(x, x)
    torch.allclose(x, x)
    torch.equal(x, x)
    torch.unique(i)
    torch.bincount(i)
    torch.searchsorted(v.sort().values, v)
    torch.bucketize(x, v.sort().values)
    torch.histc(x, 4)
    torch.quantile(x, 0.5)
    torch.zeros_like(x)
    torch.ones_like(x)
    torch.full_like(x, 2.0)
    torch.empty_like(x).zero_()
    torch.zeros(2, 3, device=d)
    torch.ones(2, device=d, dtype=torch.float64)
    torch.full((2,), 3.0, device=d)
    torch.arange(4, device=d)
    torch.linspace(0, 1, 5, device=d)
    torch.eye(3, device=d)
    torch.tensor([1.0, 2.0], device=d)
    torch.as_tensor([1.0], device=d)
    torch.as_tensor(a, device=d)
    torch.asarray(a, device=d)
    torch.tril_indices(3, 3, device=d)
    torch.scalar_tensor(2.0, device=d)
    torch.empty(2, device=d).fill_(1.0)
    torch.linalg.norm(x)
    torch.linalg.vector_norm(x, dim=1)
    torch.linalg.inv(q)
    torch.linalg.solve(q, v)
    torch.linalg.det(q)
    torch.linalg.svdvals(x)
    torch.linalg.eigvalsh(q)
    torch.linalg.cholesky(q)
    torch.linalg.slogdet(q)
    torch.linalg.matrix_power(q, 3)
    torch.fft.fft(v)
    torch.fft.irfft(torch.fft.rfft(v))
    torch.fft.fftfreq(4, device=d)
    torch.special.expit(x)
    torch.polar(v.abs(), v)
    torch.view_as_real(torch.complex(v, v))
    torch.vmap(lambda r: r)(torch.ones(2)).sum() if False else x
    torch.func.functional_call(torch.nn.Linear(4, 2).double().to(d), {"weight": q[:2], "bias": q[0, :2]}, (x,))
    F.relu(x)
    F.gelu(x)
    F.softplus(x)
    F.softmax(x, dim=1)
    F.linear(x, w.T)
    F.linear(x, w.T, w[0])
    F.mse_loss(x, torch.zeros_like(x))
    F.cross_entropy(x, i)
    F.nll_loss(x.log_softmax(1), i)
    F.one_hot(i, 4)
    F.one_hot(i)
    F.layer_norm(x, (4,), v, v)
    F.batch_norm(x, None, None, v, v, training=True)
    F.normalize(x)
    F.pad(x, (1, 1))
    F.conv2d(g, k, padding=1)
    F.max_pool2d(g, 2)
    F.avg_pool2d(g, 2)
    F.unfold(g, 3)
    F.interpolate(g, scale_factor=2)
    F.embedding(i, w)
    F.dropout(x, 0.0)
    F.huber_loss(x, -x)
    F.binary_cross_entropy_with_logits(x, m.double())
    F.cosine_similarity(x, x)
    F.scaled_dot_product_attention(g, g, g)
    """.splitlines()
    if line.strip()
)
"""Whatever they give is on the device, and equal to what the CPU gives."""

MIXED = "Expected all tensors to be on the same device"
ON_CPU, ON_GPU, NO_TENSOR = "cpu", "cuda", "none"
RULES: dict[str, Any] = {
    # two devices in one call
    "x + c": MIXED,
    "c + x": MIXED,
    "x * cv": MIXED,
    "x @ c.T": MIXED,
    "c + s": MIXED,
    "x > c": MIXED,
    "torch.add(x, c)": MIXED,
    "torch.maximum(x, c)": MIXED,
    "torch.where(cm, x, x)": "",
    "torch.cat([x, c])": MIXED,
    "torch.stack([x, c])": MIXED,
    "torch.stack([s, c0])": MIXED,
    "torch.einsum('ij,kj->ik', x, c)": MIXED,
    "x.index_select(0, ci)": "",
    "x.gather(1, ci[:, None])": "",
    "x.scatter(1, ci[:, None], 1.0)": "",
    "x.masked_fill(cm, 0.0)": "",
    "torch.equal(x, c)": "",
    "torch.nn.functional.linear(x, c)": MIXED,
    "F.cross_entropy(x, ci)": "",
    "F.embedding(ci, w)": "",
    "x.clone().add_(c)": MIXED,
    "c.clone().add_(x)": MIXED,
    "c0.clone().add_(s)": "",
    "torch.add(x, x, out=torch.empty(3, 4, dtype=torch.float64))": "",
    "torch.nn.Linear(4, 2).double()(x)": "",
    # a number of the CPU beside the GPU's tensors
    "x + c0": ON_GPU,
    "c0 * x": ON_GPU,
    "torch.where(m, x, c0)": ON_GPU,
    "torch.maximum(x, c0)": ON_GPU,
    "x.clone().mul_(c0)": ON_GPU,
    "x.clone().fill_(c0)": ON_GPU,
    "x + torch.tensor(2.0)": ON_GPU,
    # copies and indices
    "x.clone().copy_(c)": ON_GPU,
    "c.clone().copy_(x)": ON_CPU,
    "x[ci]": ON_GPU,
    "x[cm]": ON_GPU,
    "x[ci, 0]": ON_GPU,
    "c[i]": "indices should be either on",
    "c[m]": "indices should be either on",
    "x.view_as(c)": ON_GPU,
    "v.expand_as(c)": ON_GPU,
    "x.type_as(c)": ON_CPU,
    "c.type_as(x)": ON_GPU,
    "x.to(c)": ON_CPU,
    "c.to(x)": ON_GPU,
    "x.new_tensor(a)": ON_GPU,
    "c.new_zeros(3)": ON_CPU,
    "c.new_zeros(3, device=d)": ON_GPU,
    "x.new_zeros(3, device='cpu')": ON_CPU,
    "torch.broadcast_tensors(x, cv)[1]": ON_CPU,
    # where things are made
    "torch.zeros(3)": ON_CPU,
    "torch.arange(3)": ON_CPU,
    "torch.rand(3)": ON_CPU,
    "torch.from_numpy(a)": ON_CPU,
    "torch.Tensor(2, 3)": ON_CPU,
    "torch.tensor([s, s])": ON_CPU,
    "torch.as_tensor(x)": ON_GPU,
    "torch.zeros_like(c)": ON_CPU,
    "torch.zeros_like(c, device=d)": ON_GPU,
    "torch.zeros_like(x, device='cpu')": ON_CPU,
    "torch.zeros(3, device='cuda')": ON_GPU,
    "torch.zeros(3, device=torch.device('cuda', 0))": ON_GPU,
    "torch.zeros(3, device=x.device)": ON_GPU,
    "torch.zeros(3, device=0)": ON_GPU,
    "torch.rand(3, device='cuda')": ON_GPU,
    "torch.randn(3, device=d, generator=torch.Generator(device=d))": ON_GPU,
    "torch.randn(3, device=d, generator=torch.Generator())": "Expected a 'cuda' device type for generator",
    "torch.randn(3, generator=torch.Generator(d))": "Expected a 'cpu' device type for generator",
    "x.clone().normal_(generator=torch.Generator())": "Expected a 'cuda' device type for generator",
    "torch.nn.Linear(4, 2, device=d).weight": ON_GPU,
    "torch.nn.Linear(4, 2).to(d).weight": ON_GPU,
    "torch.nn.Linear(4, 2).cuda().weight": ON_GPU,
    "torch.nn.Linear(4, 2).to(x).weight": ON_GPU,
    "torch.nn.Linear(4, 2).to(d).cpu().weight": ON_CPU,
    "torch.nn.Parameter(x)": ON_GPU,
    "torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.BatchNorm1d(2)).double().to(d)(x)": ON_GPU,
    # from one to the other
    "x.cpu()": ON_CPU,
    "x.to('cpu')": ON_CPU,
    "c.to(d)": ON_GPU,
    "c.to(d, torch.float32)": ON_GPU,
    "c.to(device=d, dtype=torch.float32)": ON_GPU,
    "c.cuda()": ON_GPU,
    "c.cuda(0)": ON_GPU,
    "c.to(0)": ON_GPU,
    "x.type('torch.FloatTensor')": ON_CPU,
    "c.type('torch.cuda.FloatTensor')": ON_GPU,
    "x.to(torch.float32)": ON_GPU,
    "x.to(d) is x": NO_TENSOR,
    "c.cpu() is c": NO_TENSOR,
    "x.pin_memory()": "",
    # NumPy
    "x.numpy()": "can't convert cuda:0 device type tensor to numpy",
    "np.asarray(x)": "can't convert cuda:0 device type tensor to numpy",
    "np.array(x)": "can't convert cuda:0 device type tensor to numpy",
    "np.exp(x)": "can't convert cuda:0 device type tensor to numpy",
    "np.maximum(x, 0)": "can't convert cuda:0 device type tensor to numpy",
    "np.dot(a.T, x)": "can't convert cuda:0 device type tensor to numpy",
    "x + a": "",
    "x.cpu().numpy()": NO_TENSOR,
    "x.numpy(force=True)": NO_TENSOR,
    "np.asarray(c)": NO_TENSOR,
    # what a tensor says of itself
    "str(x.device) == 'cuda:0'": NO_TENSOR,
    "(x.is_cuda, x.is_cpu, c.is_cuda, c.is_cpu) == (True, False, False, True)": NO_TENSOR,
    "x.get_device() == 0 and torch.get_device(x) == 0": NO_TENSOR,
    "x.type() == 'torch.cuda.DoubleTensor'": NO_TENSOR,
    "isinstance(x, torch.Tensor) and torch.is_tensor(x)": NO_TENSOR,
    "\"device='cuda:0'\" in repr(x)": NO_TENSOR,
    "torch.cuda.is_available() and torch.cuda.device_count() >= 1": NO_TENSOR,
    "torch.cuda.current_device() == 0": NO_TENSOR,
    "torch.zeros(2, device='cuda').device == torch.device('cuda', 0)": NO_TENSOR,
}
"""Where the result is, NO_TENSOR for something else that is true or an array, or the words of what is raised; "" for
words that differ from one release of torch to the next."""
