"""JAX arrays beside the student's code: arguments as jax.Array, results as NumPy arrays. Imports jax when asked to.

Double precision is switched on: a gradient is held against finite differences in float64, whatever the library. What a
submission returns is looked at by its type, as everywhere: a tracer that escaped from a transformation has no numbers,
and says so.

JAX computes in threads of its own from its first operation on, and a process with threads can't be forked with them.
So a zygote imports it and computes nothing; each child starts it for itself (50 ms), and compiles every operation for
every shape (50 ms each). That makes it the slowest of the profiles, which no class should be graded by first.

`jax.grad` and its like are refused while student code runs, as autograd is with torch (grader.sandbox.autograd): a
deterrent, no wall. Every public name in jax's modules that stands for a transformation that differentiates is patched;
what only computes (jit, vmap, lax.scan) is left. Through goes what builds on JAX's internals (jax._src.interpreters).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from numpy import array as array_of
from numpy import asarray, ndarray

from grader.calls import Opaque
from grader.sandbox.autograd import AutogradRefused
from grader.sandbox.patches import Setting

__all__ = ["GUARDED", "Guard", "array_type", "compute", "give", "read", "settings", "start"]

GUARDED = ("jax", "jax.lax", "jax.nn", "jax.numpy", "jax.numpy.linalg", "jax.scipy.special")
"""Modules of jax that a submission's changes must not leave."""

_DIFFERENTIATE = (
    *("grad", "hessian", "jacfwd", "jacobian", "jacrev", "jvp", "linear_transpose", "linearize"),
    *("value_and_grad", "vjp"),
)
"""Names in the module jax of what gives a derivative."""


class _Jax:
    """What is used of jax while it may hold a student's changes, as it was before."""

    def __init__(self) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_platforms", "cpu")
        from jax._src.array import ArrayImpl

        self.array: Any = ArrayImpl
        self.tracer: Any = jax.core.Tracer
        self.from_numpy: Any = jax.numpy.asarray
        self.numbers: Any = ArrayImpl._value.fget


_jax = cache(_Jax)


def array_type() -> type:
    """What give() makes."""
    kind: type = _jax().array
    return kind


def give(value: ndarray[Any, Any]) -> Any:
    """An array of jax's own, of the same dtype. It can't be written into: `x.at[i].set(v)` makes another."""
    return _jax().from_numpy(array_of(value, order="C"))


def read(value: Any) -> ndarray[Any, Any] | Opaque | None:
    """The numbers of an array; None for whatever is none of jax's. A tracer, which has no numbers, is Opaque."""
    jax = _jax()
    if issubclass(type(value), jax.tracer):
        return Opaque("a value from inside a jax transformation, which has no numbers")
    if type(value) is not jax.array:
        return None
    try:
        numbers = asarray(jax.numbers(value))
    except Exception:  # donated or deleted: its memory is gone
        return Opaque("a jax array that can't be read")
    if numbers.dtype.kind not in "biufc":
        return Opaque(f"a jax array of dtype {numbers.dtype}")
    return numbers


def settings() -> Sequence[Setting]:
    """What a submission may set for all of jax, and must not set for the next call."""
    import jax

    return ((lambda: jax.config.jax_enable_x64, lambda on: jax.config.update("jax_enable_x64", on)),)


def start() -> None:
    """Have JAX start its threads, and whatever it has to read from files: never in a process that will fork."""
    one = give(array_of([[1.0]]))
    one @ one


def compute() -> None:
    """Use what a network uses, once: to find out what JAX imports for it. As with start(), never before a fork."""
    import array_api_compat
    import jax

    x = give(array_of([[1.0, 2.0], [3.0, 4.0]]))
    xp = array_api_compat.array_namespace(x)
    xp.linalg.vector_norm(xp.exp(x) @ x.T + xp.where(x > 0, x, xp.zeros_like(x)))
    xp.max(x, axis=1, keepdims=True), xp.sum(x, axis=0), xp.mean(x), xp.var(x), xp.argmax(x, axis=1)
    xp.arange(2, device=array_api_compat.device(x)), xp.zeros((2,), dtype=x.dtype, device=array_api_compat.device(x))
    jax.device_put(x, jax.devices()[0]), jax.pure_callback(lambda a: a, x, x), jax.numpy.asarray([1, 2]), xp.eye(2)
    (
        xp.linalg.solve(x, x),
        xp.linalg.svd(x),
        xp.linalg.eigh(x),
        jax.numpy.fft.fft(x),
        jax.lax.fori_loop(0, 2, lambda i, c: c, x),
    )
    xp.take(x, xp.asarray([0, 1]), axis=0), x.at[0].set(1.0), x[:, ::-1], x[x > 1].sum(), xp.sort(x), xp.astype(x, int)
    jax.nn.softmax(x), jax.nn.relu(x), jax.scipy.special.logsumexp(x), jax.nn.one_hot(xp.asarray([0, 1]), 3)
    jax.jit(jax.vmap(lambda row: row @ x))(x), jax.lax.scan(lambda c, row: (c + row, c), x[0], x)
    jax.random.normal(jax.random.key(0), (2,)), jax.numpy.einsum("ij,kj->ik", x, x), jax.numpy.pad(x, 1)
    repr(x), float(x[0, 0]), x.tolist(), bool(x[0, 0] > 0)


class Guard:
    """The transformations that differentiate, refused while student code runs."""

    def __init__(self) -> None:
        import jax

        self._depth = 0
        self._refusal: AutogradRefused | None = None
        originals = {id(getattr(jax, name)): name for name in _DIFFERENTIATE if hasattr(jax, name)}
        self._patches = [
            (vars(module), name, value, self._refusing(originals[id(value)], value))
            for module in _modules()
            for name, value in list(vars(module).items())
            if id(value) in originals
        ]

    def enter(self) -> None:
        """Put the guard on, and forget what was refused before."""
        self._refusal = None
        self._depth += 1
        if self._depth == 1:
            for space, name, _, refusing in self._patches:
                space[name] = refusing

    def look(self) -> None:
        """Note whether the guard is still as it was put on. Uses no builtin: they may be the student's."""
        for space, name, _, refusing in self._patches:
            if space.get(name) is not refusing:
                self._remember(f"undoing of what is refused (jax.{name})")

    def leave(self) -> AutogradRefused | None:
        """Take the guard off, the last time; gives what was refused first since enter()."""
        self._depth -= 1
        if self._depth == 0:
            for space, name, original, _ in self._patches:
                space[name] = original
        refusal, self._refusal = self._refusal, None
        return refusal

    @property
    def is_on(self) -> bool:
        """Whether student code is running."""
        return self._depth > 0

    def _refusing(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def refused(*args: Any, **named: Any) -> Any:
            if self.is_on:
                raise self._remember(f"jax.{name}")
            return original(*args, **named)

        return refused

    def _remember(self, what: str) -> AutogradRefused:
        refusal = AutogradRefused(f"autograd is refused here: no {what}, write the derivative yourself")
        self._refusal = self._refusal or refusal
        return refusal


def _modules() -> Iterator[Any]:
    """Those that hold jax's functions under its names."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("jax", "array_api_compat") and isinstance(module, type(sys)):
            yield module
