"""Where arguments are torch tensors, autograd is refused while student code runs: a deterrent, no wall.

What holds between enter() and leave():

1. Nothing is recorded. torch.inference_mode is on, in which no operation leaves a graph behind or carries a tangent.
2. The ways in are patched: Python functions that differentiate, and those that would leave (1), raise AutogradRefused.
   Every name in torch's modules that stands for the same function is patched with it.
3. A watch (TorchDispatchMode) sees every operation on its way to its kernel, and refuses those that compute another
   one's derivative: `aten.tanh_backward` and their like. No forward pass needs one.
4. A new thread starts with (1) and (3), which torch holds a thread; the patches are everybody's.

A refusal that the student's code swallows is raised again when its call ends, and so is it if a patch was undone.
All this lives in the student's process and is written in Python: who wants to get round it can, and the table says
how. It tells a student who borrows autograd out of habit what is asked for, and leaves who means to no way to say
that it was not known. torch's own code is let through where it turns a mode on or off for its own ends (printing a
tensor, torch.distributions). Functions are compiled nowhere: torch.compile and torch.jit give them back as they are.

Where the judge shares the process (the pytest door) its references use autograd: leave() puts everything back, and a
refusal that somebody kept is then the original again. In a process of the student's alone, enter() once more than
leave() leaves no moment without.

    way to dL/dx of tanh(x @ w)                              what comes of it
    -----------------------------------------------------    ------------------------------------------------------
    torch.autograd.grad                                      refused
    Tensor.backward                                          refused
    torch.autograd.backward                                  refused
    with torch.enable_grad()                                 refused
    @torch.enable_grad()                                     refused
    torch.set_grad_enabled(True)                             refused
    torch.inference_mode(False)                              refused
    torch._C._set_grad_enabled(True)                         refused
    torch._C._InferenceMode(False)                           refused
    Tensor.requires_grad_                                    refused
    Tensor.requires_grad = True                              refused
    a name imported with the file                            refused
    torch.autograd.functional.vjp                            refused
    torch.autograd.functional.jacobian                       refused
    torch.autograd.gradcheck                                 refused
    torch.func.grad                                          refused
    torch.func.vjp                                           refused
    torch.func.jvp                                           refused
    torch.func.jacrev                                        refused
    torch.func.linearize                                     refused
    torch._functorch's own layers                            refused
    torch.autograd.forward_ad                                refused
    torch.autograd.graph's entry to the engine               refused
    the engine that torch made                               refused
    a new engine                                             refused
    torch.nn.grad                                            refused
    torch.ops.aten.tanh_backward                             refused
    a derivative that has a name in torch                    refused
    an operation looked up by its name                       refused
    torch.ops.aten._backward                                 refused
    torch._make_dual                                         refused
    a dispatch mode taken off the stack                      refused
    torch's dispatch turned off                              refused
    dispatch keys put back                                   refused
    redispatch to a kernel                                   refused
    in a thread                                              refused
    in a pool of threads                                     refused
    a patch put back                                         refused
    torch.jit's compiler                                     refused
    torch.compile                                            refused
    walking grad_fn                                          nothing: there is no graph
    requires_grad=True where a tensor is made                nothing: there is no graph
    TensorBase's own requires_grad_                          nothing: there is no graph
    a custom torch.autograd.Function                         nothing: only its forward runs
    a hook on a tensor                                       nothing: there is no graph
    a kernel called by its dispatch key                      through
    torch._decomp's formulas                                 through
    the originals, found by gc                               through
    leave(), called by the student                           through
    complex step                                             through; a watch of its own looks for it
    finite differences                                       through; a watch of its own looks for them

Through as well, and not tried by the tests: sympy, on which torch rests (its result is a formula, to be written down
like any other); a process of its own or a thread made in C, which the wall around a student's process denies.
"""

from __future__ import annotations

import importlib
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn

__all__ = ["AutogradRefused", "Guard"]

_WAYS_IN = {
    "torch.Tensor": "backward",
    "torch.autograd": "backward grad gradcheck gradgradcheck",
    "torch.autograd.functional": "hessian hvp jacobian jvp vhp vjp",
    "torch.autograd.forward_ad": "enter_dual_level make_dual",
    "torch.autograd.graph": "_engine_run_backward get_gradient_edge",
    "torch.func": "grad grad_and_value hessian jacfwd jacrev jvp linearize vjp",
    "torch._functorch.eager_transforms": "grad_impl grad_and_value_impl grad_increment_nesting jvp_increment_nesting",
    "torch.nn.grad": "conv1d_input conv1d_weight conv2d_input conv2d_weight conv3d_input conv3d_weight",
    "torch.jit": "CompilationUnit",
    "torch._C": "_ImperativeEngine _enter_dual_level CompilationUnit",
    "torch._C._functorch": "_grad_increment_nesting _jvp_increment_nesting",
}
"""Refused to everybody: nothing in torch calls them but what differentiates."""

_WAYS_PAST_THE_WATCH = {
    "torch.utils._python_dispatch": "_disable_current_modes _pop_mode _pop_mode_temporarily",
    "torch._C": "_DisableTorchDispatch _pop_torch_dispatch_stack _dispatch_call_boxed _AutoDispatchBelowAutograd "
    "_AutoDispatchBelowADInplaceOrView _IncludeDispatchKeyGuard _ExcludeDispatchKeyGuard ExcludeDispatchKeyGuard "
    "_SetExcludeDispatchKeyGuard _ForceDispatchKeyGuard _PreserveDispatchKeyGuard "
    "_dispatch_tls_set_dispatch_key_excluded _dispatch_tls_set_dispatch_key_included",
    "torch._ops.OpOverload": "redispatch",
}
"""Refused unless torch's own code calls them."""

_COMPILERS = {"torch": "compile", "torch.jit": "script trace trace_module script_if_tracing"}
"""Functions of a function that do not change what it computes."""

_DERIVATIVE = re.compile(r"backward|_jvp\b|_(make|unpack)_dual\b|_standard_gamma_grad|_dirichlet_grad")
"""In the name of an operation: it computes the derivative of another."""

_PASSED_OVER = (__name__, "contextlib", "torch.autograd.grad_mode", "torch.utils._contextlib")
"""Modules whose frames stand between a mode and whoever turns it on."""

_ABSENT = object()


class AutogradRefused(RuntimeError):  # noqa: N818  (not an error of ours: what a student is told)
    """The student's code asked torch for a derivative."""


class _Patch:
    """One attribute of a module or class, and what stands in its place while the guard is on.

    `held` is one that refuses: nobody has a reason to put another in its place. The others may be changed meanwhile
    (by a debugger that follows new threads, say), and then stay as they are.
    """

    def __init__(self, owner: Any, name: str, value: Any, held: bool = True) -> None:
        self.owner, self.name, self.value, self.held = owner, name, value, held
        self.space = vars(owner)
        self.found: Any = _ABSENT

    def put_in(self) -> None:
        self.found = self.space.get(self.name, _ABSENT)
        setattr(self.owner, self.name, self.value)

    def take_out(self) -> None:
        if not self.held and self.space.get(self.name) is not self.value:
            return
        if self.found is _ABSENT:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.found)


class Guard:
    """What is patched and watched while student code runs; one a process, since what it changes is everybody's."""

    def __init__(
        self,
        beside: Callable[[], AbstractContextManager[Any]] = nullcontext,
        replaced: Iterable[tuple[Any, str, Any]] = (),
    ) -> None:
        """Nothing is on yet.

        Args:
            beside: makes what else holds in every thread while student code runs.
            replaced: what else stands in place of a name: its owner, the name, the value.
        """
        import torch

        self._torch: Any = torch
        self._beside = beside
        self._depth = 0
        self._refusal: AutogradRefused | None = None
        self._thread = 0
        self._mode: Any = None
        self._place = 0
        # As they are now: a student may put others in their place.
        self._inference_is_on = torch.is_inference_mode_enabled
        self._modes, self._mode_at = torch._C._len_torch_dispatch_stack, torch._C._get_dispatch_stack_at
        self._push, self._pop = torch._C._push_on_torch_dispatch_stack, torch._C._pop_torch_dispatch_stack
        self._watch = _watch(self)
        self._patches = list(_patches(self, torch))
        self._patches += [_Patch(owner, name, value, held=False) for owner, name, value in replaced]

    def enter(self) -> None:
        """Put the guard on, and forget what was refused before."""
        self._refusal = None
        self._depth += 1
        if self._depth == 1:
            self._put_on()

    def look(self) -> None:
        """Note whether the guard is still as it was put on. Uses no builtin: they may be the student's."""
        for patch in self._patches:
            if patch.held and patch.space.get(patch.name) is not patch.value:
                self._remember(f"undoing of what is refused ({patch.name})")
        if not self._inference_is_on() or not self._watched():
            self._remember("undoing of what is refused (the watch)")

    def leave(self) -> AutogradRefused | None:
        """Take the guard off, the last time; gives what was refused first since enter()."""
        self._depth -= 1
        if self._depth == 0:
            self._take_off()
        refusal, self._refusal = self._refusal, None
        return refusal

    @property
    def is_on(self) -> bool:
        """Whether student code is running."""
        return self._depth > 0

    def refuse(self, what: str) -> NoReturn:
        """Raise, and remember it.

        Raises:
            AutogradRefused: always.
        """
        raise self._remember(what)

    def watching(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, to be run in a thread of its own: with what torch holds a thread as it is here."""

        def run(*args: Any, **named: Any) -> Any:
            with self._torch.inference_mode(), self._beside():
                self._push(self._watch())
                return function(*args, **named)

        return run if self.is_on and threading.get_ident() == self._thread else function

    def _remember(self, what: str) -> AutogradRefused:
        refusal = AutogradRefused(f"autograd is refused here: no {what}, write the derivative yourself")
        self._refusal = self._refusal or refusal
        return refusal

    def _put_on(self) -> None:
        self._thread = threading.get_ident()
        self._inference = self._torch.inference_mode()
        self._inference.__enter__()
        self._mode, self._place = self._watch(), self._modes()
        self._push(self._mode)
        for patch in self._patches:
            patch.put_in()
        self._other = self._beside()
        self._other.__enter__()

    def _take_off(self) -> None:
        self._other.__exit__(None, None, None)
        for patch in self._patches:
            patch.take_out()
        while self._modes() > self._place:  # a student's own mode may have been left on
            self._pop(None)
        self._inference.__exit__(None, None, None)  # and with it whether gradients were on
        self._thread, self._mode = 0, None

    def _watched(self) -> bool:
        return self._modes() > self._place and self._mode_at(self._place) is self._mode


def _watch(guard: Guard) -> Any:
    """Class of the modes that see every operation."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    keys, including = torch._C.DispatchKey, torch._C._SetExcludeDispatchKeyGuard

    class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
        supports_higher_order_operators = True

        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            return False  # else its first use imports the compiler, a second's work

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = func.name()
            if _DERIVATIVE.search(name):
                guard.refuse(f"torch.ops.{name.replace('::', '.')}")
            # Torch comes here past its lazy conj() and -x. In inference mode an operation made of others comes here
            # whole: what it is made of must find them in force again, or irfft(x.conj()) would forget the conj().
            with including(keys.Conjugate, False), including(keys.Negative, False):
                return func(*args, **(kwargs or {}))

    return Watch


def _patches(guard: Guard, torch: Any) -> Iterator[_Patch]:
    """All patches: of what the tables name under every name that it has, and of what only a closer look refuses."""
    instead: dict[int, tuple[Any, Any, bool]] = {}
    for make, table in ((_refusal, _WAYS_IN), (_own_code_only, _WAYS_PAST_THE_WATCH), (_given_back, _COMPILERS)):
        for place, names in table.items():
            owner = _owner(place)
            for name in names.split():
                original = getattr(owner, name, None)  # not every release has all of them
                if original is None:
                    continue
                instead[id(original)] = original, make(guard, f"{place}.{name}", original), table is not _COMPILERS
                if isinstance(owner, type):
                    yield _Patch(owner, name, instead[id(original)][1])
    grad, inference = torch._C._set_grad_enabled, torch._C._InferenceMode
    instead[id(grad)] = grad, _off_only(guard, grad), True
    instead[id(inference)] = inference, _on_only(guard, inference), True
    for module in _modules_of_torch():
        for name, value in list(vars(module).items()):
            if id(value) in instead:
                yield _Patch(module, name, *instead[id(value)][1:])
    yield from _patches_of_tensors(guard, torch)
    yield from _patches_of_threads(guard)
    variable = torch.autograd.Variable
    yield _Patch(variable, "_execution_engine", _Engine(guard, variable._execution_engine))


def _owner(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        module, _, name = name.rpartition(".")
        return getattr(importlib.import_module(module), name)


def _modules_of_torch() -> Iterator[Any]:
    """Those that hold torch's functions under its names."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("torch", "functorch", "array_api_compat") and isinstance(module, type(sys)):
            yield module


def _refusal(guard: Guard, what: str, original: Any) -> Any:
    def refused(*args: Any, **named: Any) -> Any:
        if guard.is_on:
            guard.refuse(what)
        return original(*args, **named)

    return refused


def _own_code_only(guard: Guard, what: str, original: Any) -> Any:
    def refused(*args: Any, **named: Any) -> Any:
        if guard.is_on and not _asked_by_torch():
            guard.refuse(what)
        return original(*args, **named)

    return refused


def _given_back(guard: Guard, what: str, original: Any) -> Any:
    """In place of a compiler: the function as it is, or a decorator that gives it back."""

    def same(*args: Any, **named: Any) -> Any:
        if not guard.is_on or _asked_by_torch():
            return original(*args, **named)
        functions = [*args, *(value for name, value in named.items() if name in ("model", "obj", "func", "fn", "mod"))]
        return functions[0] if functions and functions[0] is not None else lambda function: function

    return same


def _off_only(guard: Guard, original: Any) -> Any:
    def set_grad_enabled(mode: Any, *args: Any, **named: Any) -> Any:
        if guard.is_on and mode and not _asked_by_torch():
            guard.refuse("torch.enable_grad")
        return original(mode, *args, **named)

    return set_grad_enabled


def _on_only(guard: Guard, original: Any) -> Any:
    def inference_mode(mode: Any = True, *args: Any, **named: Any) -> Any:
        if guard.is_on and not mode:
            guard.refuse("torch.inference_mode(False)")
        return original(mode, *args, **named)

    return inference_mode


def _asked_by_torch() -> bool:
    """Whether the nearest code that is neither ours nor a mode's belongs to torch."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") in _PASSED_OVER:
        frame = frame.f_back
    return frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in ("torch", "functorch")


def _patches_of_tensors(guard: Guard, torch: Any) -> Iterator[_Patch]:
    base = torch._C.TensorBase

    def requires_grad_(tensor: Any, requires_grad: Any = True) -> Any:
        if guard.is_on and requires_grad:
            guard.refuse("Tensor.requires_grad_")
        return base.requires_grad_(tensor, requires_grad)

    def set_requires_grad(tensor: Any, value: Any) -> None:
        if guard.is_on and value:
            guard.refuse("Tensor.requires_grad = True")
        base.requires_grad.__set__(tensor, value)

    yield _Patch(torch.Tensor, "requires_grad_", requires_grad_)
    yield _Patch(torch.Tensor, "requires_grad", property(base.requires_grad.__get__, set_requires_grad))


def _patches_of_threads(guard: Guard) -> Iterator[_Patch]:
    """Both functions that start a thread (one came with Python 3.13), where they lie and where they are used."""
    for module, name in (("_thread", "start_new_thread"), ("_thread", "start_joinable_thread")):
        original = getattr(importlib.import_module(module), name, None)
        if original is not None:
            start = _starting(guard, original)
            for place in (importlib.import_module(module), threading):
                for alias in [alias for alias, value in vars(place).items() if value is original]:
                    yield _Patch(place, alias, start, held=False)


def _starting(guard: Guard, original: Any) -> Any:
    def start(function: Any, *args: Any, **named: Any) -> Any:
        return original(guard.watching(function), *args, **named)

    return start


class _Engine:
    """In place of autograd's engine."""

    def __init__(self, guard: Guard, original: Any) -> None:
        self._guard, self._original = guard, original

    def __getattr__(self, name: str) -> Any:
        if self._guard.is_on and not name.startswith("__"):
            self._guard.refuse(f"running of autograd's engine ({name})")
        return getattr(self._original, name)
