"""The oracle: expected values and gradients from the torch reference, in float64.

An author writes only the forward function; torch.autograd gives the gradient. What comes out is plain NumPy, made
once a case and shared by every submission (Oracle.once). On the judging side this module is the only one that imports
torch, and only when a value is first asked for: help, schema and reports don't pay for it.

In a coarser precision (Case.precision) the expected values are still exact, at the rounded inputs, and beside them
stands by how much torch's own result in that precision misses them, and rounding the inputs would (Expected.slack).

The known slips (grader.slips) are references too: the same evaluation, with a wrong function in the place of a right
one. What they give is held against wrong answers, and never against anything that decides a point.

The oracle is not believed blindly. `doubt` holds torch.autograd against finite differences of the reference itself
(grader.numerics.gradcheck); where the two disagree, nobody loses a point and the course is told.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from grader.assignment import Assignment, Exercise, Kind
from grader.cases import Case
from grader.errors import OracleError
from grader.graphs import Graph, evaluate, name_of, total
from grader.numerics.gradcheck import GradientFault, check_gradients
from grader.numerics.tolerance import slack_of
from grader.numerics.trees import joined, leaves, map_leaves, rebuild, split
from grader.settings import Precision
from grader.slips import Slip, Variant, slips_in

__all__ = ["Expected", "Oracle", "Traced"]

MOST_CALLS = 8
"""A reference that calls another more often is looked at with a slip in all calls, and not in each on its own."""

Array: TypeAlias = NDArray[Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expected:
    """What the reference makes of a case. Fields that the kind does not have are empty."""

    value: Any
    """Forward result or loss, a tree where the function returns one; for a training the losses, shape (steps,)."""
    gradients: Mapping[str, Any]
    """Gradient of sum(upstream * value) for each input with a gradient: trees of arrays."""
    trajectory: tuple[Any, ...] = ()
    """Step and training: the parameters after each step (training: after the last one only)."""
    states: tuple[Mapping[str, Any], ...] = ()
    """Step: the optimizer's state after each step, by the student's field names."""
    slack: Expected | None = None
    """In a coarser precision than float64 the same trees with a Slack for each array."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Traced:
    """A graph evaluated and differentiated by torch."""

    values: list[Array]
    """Of all nodes."""
    gradients: list[Array]
    """For each node the sum of what the calls of backward() bring it; empty where there is no call."""


class Oracle:
    """The references of one assignment, with what they gave so far.

    What depends on the assignment and a seed alone is kept here (`once`) and shared by the submissions of a class: the
    drawn cases, whether they can tell right from wrong, the expected values, the other trainings that explain a wrong
    one. Its size is that of the assignment, times the seeds that are graded under, and not that of the class.
    """

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self._module: ModuleType | None = None
        self._slips: tuple[Slip, ...] | None = None
        self._made: dict[Hashable, Any] = {}
        self.asked: dict[Hashable, Any] = {}
        """What right submissions were asked, by check: a guess at what others will be (grader.sandbox.foresight)."""

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made the first time that it is asked for; where that raises, again the next time.

        Whoever is given it shares it, and changes nothing in it.
        """
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]  # type: ignore[no-any-return]

    def expected(self, exercise: Exercise, case: Case) -> Expected:
        """Expected values of a case.

        Raises:
            OracleError: the reference is missing, raised, or gave what no result can be held against: no tensor,
                numbers of less than double precision, NaN.
        """
        return self.once(("expected", case.key), lambda: self._held(exercise, case))

    def slips(self, exercise: Exercise) -> list[Slip]:
        """The slips of an exercise itself.

        Raises:
            OracleError: the file of slips, or the reference's, can't be run.
        """
        return [slip for slip in self._known(exercise) if exercise.name in slip.exercises]

    def variants(self, exercise: Exercise, case: Case) -> Sequence[Variant]:
        """The reference of an exercise with each of the known slips: its own, then those of what it calls in this case.

        Those in a single call come last: who has one wrong layer calls it everywhere.

        Raises:
            OracleError: the file of slips can't be run, or the reference itself fails.
        """
        slips = self._known(exercise)
        found = [Variant(slip=slip, replaced=exercise.reference) for slip in self.slips(exercise)]
        calls = self.once(("calls", exercise.reference, case.key), lambda: self._calls(exercise, case)) if slips else {}
        for name, count in calls.items():
            layers = {other.name for other in self.assignment.exercises if other.reference == name}
            for slip in slips:
                layer = next((layer for layer in slip.exercises if layer in layers), None)
                if exercise.name in layers and exercise.name in slip.exercises:  # of another reference that is right
                    found.append(Variant(slip=slip, replaced=name))
                    continue
                if layer is None:
                    continue
                every = Variant(slip=slip, replaced=name, layer=layer, of=count)
                single = range(1, count + 1) if 1 < count <= MOST_CALLS and exercise.kind is not Kind.TRAINING else ()
                found += [every, *(replace(every, call=call) for call in single)]
        return sorted(found, key=lambda variant: variant.call > 0)

    def slipped(self, exercise: Exercise, case: Case, variant: Variant) -> Expected | None:
        """What a reference with a slip in it makes of a case; None where it makes nothing of it.

        Without gradients where it can't go back: its result has another shape than the upstream gradient, say.
        """

        def evaluated() -> Expected | None:
            try:
                with _in_place(self._loaded(exercise), variant.replaced, variant.slip, variant.call):
                    with suppress(Exception):
                        return self._guard(exercise, lambda: self._evaluate(exercise, case))  # type: ignore[no-any-return]
                    if exercise.kind not in (Kind.LAYER, Kind.MODEL):
                        return None
                    return Expected(value=self._forward(exercise, case.args), gradients={})
            except Exception:  # a hint less: whatever is wrong with a slip, it is no student's loss
                return None

        return self.once(("slipped", exercise.reference, case.key, variant.key), evaluated)

    def _known(self, exercise: Exercise) -> tuple[Slip, ...]:
        path = self.assignment.slips
        if self._slips is None:
            right = {"reference": self._loaded(exercise)}
            module = None if path is None else self._run(exercise, path, "slips", right)
            self._slips = () if module is None else slips_in(module)
        return self._slips

    def _calls(self, exercise: Exercise, case: Case) -> dict[str, int]:
        """How often the reference calls those of the other exercises: by name, none that is not called."""
        module, counts = self._loaded(exercise), dict[str, int]()
        with ExitStack() as held:
            for name in dict.fromkeys(other.reference for other in self.assignment.exercises):
                if name not in ("", exercise.reference) and callable(getattr(module, name, None)):
                    held.enter_context(_counted(module, name, counts))
            self._guard(exercise, lambda: self._evaluate(exercise, case))
        return counts

    def gradients(self, exercise: Exercise, case: Case, inputs: Sequence[Any], upstream: Any) -> list[Any]:
        """Gradients at other inputs of the same structure as the case's: a tree an input with a gradient."""
        _, gradients = self._vjp(exercise, [*inputs, *case.arguments.values()], upstream)
        return gradients

    def value(self, exercise: Exercise, args: Sequence[Any]) -> Any:
        """What the reference returns for arguments that need be no case's: a tree, of several results a tuple."""
        return self._forward(exercise, args)

    def differentiated(self, exercise: Exercise, args: Sequence[Any], upstream: Any) -> tuple[Any, list[Any]]:
        """Value and gradients for arguments that need be no case's; `upstream` is None for a loss."""
        return self._vjp(exercise, args, upstream)

    def step(self, exercise: Exercise, params: Any, grads: Any, rest: Sequence[Any]) -> Any:
        """Parameters after one step of an optimizer that has taken none before."""
        optimizer, tensors = self._optimizer(exercise, params, rest)
        self._take(exercise, optimizer, leaves(tensors), grads)
        return map_leaves(_to_numpy, tensors)

    def afford(self, exercise: Exercise, args: Sequence[Any]) -> None:
        """See that value and gradients for these arguments cost neither much time nor much memory.

        Raises:
            OracleError: they do; or that can't be told, since what is computed depends on the numbers.
        """
        function = self._function(exercise, exercise.reference)
        wanted = [name in exercise.gradients for name in exercise.inputs]
        self._guard(exercise, lambda: _count(function, args, [*wanted, *[False] * (len(args) - len(wanted))]))

    def evaluate(self, exercise: Exercise, case: Case, params: Any) -> tuple[float, float]:
        """Loss and accuracy of trained parameters on the images and labels of the case."""
        function = self._function(exercise, str(exercise.evaluate))
        doubles = map_leaves(lambda leaf: np.asarray(leaf, dtype=np.float64), params)

        def numbers() -> tuple[float, float]:
            loss, accuracy = function(_to_torch(doubles), *self._rest(case))
            return float(loss), float(accuracy)

        loss, accuracy = self._guard(exercise, numbers)
        return loss, accuracy

    def doubt(self, exercise: Exercise, case: Case) -> str | None:
        """Why finite differences and torch.autograd disagree on the reference itself, or None if they agree."""
        return self.once(("doubt", case.key), lambda: self._doubt(exercise, case))

    def graph(self, exercise: Exercise, graph: Graph) -> Traced:
        """What torch makes of a graph, which need not be a case's.

        Raises:
            OracleError: torch raised, or gave NaN.
        """
        traced: Traced = self._guard(exercise, lambda: _traced(graph))
        _hold(exercise, Expected(value=traced.values, gradients={"nodes": traced.gradients}))
        return traced

    def doubt_of_graph(self, exercise: Exercise, graph: Graph, seed: int) -> str | None:
        """Why finite differences and torch.autograd disagree on a graph, or None if they agree."""
        return _doubt_of_graph(graph, lambda graph: self._guard(exercise, lambda: _traced(graph)), seed)

    def _engine(self, exercise: Exercise, graph: Graph) -> Expected:
        traced = self.graph(exercise, graph)
        gradients = {name_of(node): gradient for node, gradient in enumerate(traced.gradients[: len(graph.leaves)])}
        return Expected(value=traced.values[graph.backwards[-1].node], gradients=gradients)

    def _doubt(self, exercise: Exercise, case: Case) -> str | None:
        if case.graph is not None:
            return self.doubt_of_graph(exercise, case.graph, case.seed)

        several = isinstance(case.upstream, tuple)

        def forward(*inputs: Any) -> tuple[Array, Any]:
            value = self._forward(exercise, [*inputs, *case.arguments.values()])
            return joined(value) if several else value, inputs

        def backward(upstream: Any, inputs: Any) -> list[Any]:
            upstream = np.asarray(upstream)
            return self.gradients(exercise, case, inputs, split(upstream, case.upstream) if several else upstream)

        if not exercise.gradients or exercise.kind in (Kind.STEP, Kind.TRAINING, Kind.FUNCTION):
            return None
        check = check_gradients(
            forward,
            backward,
            list(case.inputs.values()),
            names=list(case.inputs),
            differentiate=list(exercise.gradients),
            seed=case.seed,
            localise=False,
        )
        return None if not check.problems else "; ".join(map(str, check.problems))

    def _held(self, exercise: Exercise, case: Case) -> Expected:
        return self._with_slack(exercise, case, lambda case, precision: self._evaluate(exercise, case, precision))

    def _with_slack(self, exercise: Exercise, case: Case, evaluate: Callable[[Case, Precision], Expected]) -> Expected:
        """What the reference makes of a case; in a coarser precision with what a right result may miss it by.

        Raises:
            OracleError: torch itself can't compute it in that precision.
        """
        expected: Expected = self._guard(exercise, lambda: evaluate(case, Precision.FLOAT64))
        _hold(exercise, expected)
        precision = case.precision
        if precision is Precision.FLOAT64:
            return expected
        rng = np.random.default_rng(case.seed)
        coarse: Expected = self._guard(exercise, lambda: evaluate(case, precision))
        nudged: list[Expected] = [
            self._guard(exercise, lambda: evaluate(case.nudged(precision.unit, rng), Precision.FLOAT64))
            for _ in range(_NUDGES)
        ]
        floats = any(np.asarray(leaf).dtype.kind == "f" for leaf in leaves(list(case.inputs.values())))
        # Where none goes in, there is none to keep. A bfloat16 array crosses over as float32 (tensors.read_narrow).
        dtype = "float64" if not floats else "float32"
        return replace(expected, slack=_slack(exercise, precision, dtype, expected, [coarse, *nudged]))

    def _evaluate(self, exercise: Exercise, case: Case, precision: Precision = Precision.FLOAT64) -> Expected:
        match exercise.kind:
            case Kind.STEP:
                return self._steps(exercise, case, precision)
            case Kind.TRAINING:
                return self._training(exercise, case, precision)
            case Kind.FUNCTION:
                return Expected(value=self._forward(exercise, case.args, precision), gradients={})
            case Kind.ENGINE:
                assert case.graph is not None  # grader.manifest
                return self._engine(exercise, case.graph)
            case Kind.LAYER | Kind.MODEL | Kind.LOSS:
                value, gradients = self._vjp(exercise, case.args, case.upstream, precision)
                return Expected(value=value, gradients=dict(zip(exercise.gradients, gradients, strict=True)))
            case Kind.DROPOUT:
                return self._masked(exercise, case, np.ones(case.upstream.shape), precision)

    def with_mask(self, exercise: Exercise, case: Case, mask: Array) -> Expected:
        """Dropout: what the reference makes of the case where these elements (1) are kept and those (0) dropped."""
        return self._with_slack(exercise, case, lambda case, precision: self._masked(exercise, case, mask, precision))

    def _masked(self, exercise: Exercise, case: Case, mask: Array, precision: Precision) -> Expected:
        (name, x), p = next(iter(case.inputs.items())), case.arguments["p"]
        args = (x, mask, p)
        value, (gradient,) = self._vjp(replace(exercise, gradients=(name,)), args, case.upstream, precision)
        return Expected(value=value, gradients={name: gradient})

    def _forward(self, exercise: Exercise, args: Sequence[Any], precision: Precision = Precision.FLOAT64) -> Any:
        """A tree where the reference returns one: of a function, or of a forward with several results."""
        function = self._function(exercise, exercise.reference)
        value = self._guard(exercise, lambda: function(*[_to_torch(arg, precision) for arg in args]))
        return map_leaves(lambda leaf: _to_numpy(_tensor(exercise, leaf)), value)

    def _vjp(
        self, exercise: Exercise, args: Sequence[Any], upstream: Any, precision: Precision = Precision.FLOAT64
    ) -> tuple[Any, list[Any]]:
        """Value and gradients; of several results a tuple, with a tuple of upstream gradients."""
        import torch

        function = self._function(exercise, exercise.reference)
        tensors = [_to_torch(arg, precision) for arg in args]
        names = list(exercise.inputs)
        wanted = [tensors[names.index(name)] for name in exercise.gradients]
        flat = [leaf.requires_grad_() for leaf in leaves(wanted)]
        result = self._guard(exercise, lambda: function(*tensors))
        several = isinstance(upstream, tuple)
        values = [_tensor(exercise, value) for value in (_several(exercise, result, upstream) if several else [result])]
        ups = upstream if several else (upstream,)
        for value, up in zip(values, ups, strict=True):
            if tuple(value.shape) != (() if up is None else up.shape):
                declared = "a loss has shape ()" if up is None else f"declared {up.shape}"
                raise OracleError(exercise.name, f"it returned shape {tuple(value.shape)}, {declared}")
        seeds = [None if up is None else _to_torch(np.asarray(up), precision) for up in ups]
        used = [(value, seed) for value, seed in zip(values, seeds, strict=True) if value.requires_grad]
        if not used:
            raise OracleError(exercise.name, "nothing that it returned depends on an input with a gradient")
        outs, seeds = [value for value, _ in used], [seed for _, seed in used]
        raw = self._guard(exercise, lambda: torch.autograd.grad(outs, flat, seeds, allow_unused=True))
        gradients = [np.zeros(x.shape) if g is None else _to_numpy(g) for g, x in zip(raw, flat, strict=True)]
        found = [_to_numpy(value) for value in values]
        return tuple(found) if several else found[0], list(rebuild(wanted, gradients))

    def _steps(self, exercise: Exercise, case: Case, precision: Precision) -> Expected:
        params, *rest = case.args
        optimizer, tensors = self._optimizer(exercise, params, rest, precision)
        flat = leaves(tensors)
        trajectory, states = [], []
        for update in case.updates:
            self._take(exercise, optimizer, flat, update, precision)
            trajectory.append(map_leaves(_to_numpy, tensors))
            states.append({name: _field(params, optimizer, flat, field) for name, field in exercise.state.items()})
        return Expected(value=np.zeros(0), gradients={}, trajectory=tuple(trajectory), states=tuple(states))

    def _optimizer(
        self, exercise: Exercise, params: Any, rest: Sequence[Any], precision: Precision = Precision.FLOAT64
    ) -> tuple[Any, Any]:
        """An optimizer over these parameters, and the tree of the tensors that it changes."""
        tensors = map_leaves(lambda leaf: _to_torch(leaf, precision).requires_grad_(), params)
        make = self._function(exercise, exercise.reference)
        return self._guard(exercise, lambda: make(leaves(tensors), *rest)), tensors

    def _take(
        self,
        exercise: Exercise,
        optimizer: Any,
        flat: Sequence[Any],
        update: Any,
        precision: Precision = Precision.FLOAT64,
    ) -> None:
        """One step, along these gradients: each goes with the parameter at its place, or of its key."""
        for leaf, gradient in zip(flat, leaves(update), strict=True):
            leaf.grad = _to_torch(gradient, precision)
        self._guard(exercise, optimizer.step)

    def _training(self, exercise: Exercise, case: Case, precision: Precision) -> Expected:
        function = self._function(exercise, exercise.reference)
        params, losses = self._guard(exercise, lambda: function(*[_to_torch(arg, precision) for arg in case.args]))
        return Expected(
            value=np.asarray(losses, dtype=np.float64), gradients={}, trajectory=(map_leaves(_to_numpy, params),)
        )

    def _rest(self, case: Case) -> list[Any]:
        return [_to_torch(value) for value in list(case.inputs.values())[1:]]

    def _function(self, exercise: Exercise, name: str) -> Callable[..., Any]:
        function = getattr(self._loaded(exercise), name, None)
        if not callable(function):
            raise OracleError(exercise.name, f"{self.assignment.reference.name} has no function {name!r}")
        return function  # type: ignore[no-any-return]

    def _loaded(self, exercise: Exercise) -> ModuleType:
        if self._module is None:
            self._module = self._run(exercise, self.assignment.reference, "reference", {})
        return self._module

    def _run(self, exercise: Exercise, path: Path, role: str, given: Mapping[str, Any]) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"gradmark_{role}_{self.assignment.name}", path)
        if spec is None or spec.loader is None:
            raise OracleError(exercise.name, f"{path} can't be loaded")
        module = importlib.util.module_from_spec(spec)
        vars(module).update(given)
        loader = spec.loader
        self._guard(exercise, lambda: loader.exec_module(module))
        return module

    @staticmethod
    def _guard(exercise: Exercise, action: Callable[[], Any]) -> Any:
        """Run course code; whatever it raises is the course's fault and says so."""
        try:
            with _one_thread():
                return action()
        except OracleError:
            raise
        except Exception as error:
            raise OracleError(exercise.name, f"it raised {type(error).__name__}: {error}") from error


@contextmanager
def _in_place(module: ModuleType, name: str, wrong: Callable[..., Any], which: int) -> Iterator[None]:
    """In a module, a function by another: in one call, counted from 1, or in all (0). It is put back, come what may.

    What the other itself calls is right: a slip of `relu` may be made of `relu`.
    """
    right, calls, inside = getattr(module, name), 0, False

    def called(*args: Any, **options: Any) -> Any:
        nonlocal calls, inside
        if inside:
            return right(*args, **options)
        calls += 1
        if which not in (0, calls):
            return right(*args, **options)
        inside = True
        try:
            return wrong(*args, **options)
        finally:
            inside = False

    setattr(module, name, called)
    try:
        yield
    finally:
        setattr(module, name, right)


@contextmanager
def _counted(module: ModuleType, name: str, counts: dict[str, int]) -> Iterator[None]:
    """Count the calls of a function of a module."""
    right = getattr(module, name)

    def called(*args: Any, **options: Any) -> Any:
        counts[name] = counts.get(name, 0) + 1
        return right(*args, **options)

    setattr(module, name, called)
    try:
        yield
    finally:
        setattr(module, name, right)


@contextmanager
def _one_thread() -> Iterator[None]:
    """No threads of torch's own: a class has a judge on every core, and none of its arrays is worth waiting for others.

    On a busy machine they would wait for each other, computing nothing, many times as long as the sum takes. And what
    is added up in one thread is the same on a machine of any number of cores.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


MOST_OPERATIONS = 20_000
MOST_ELEMENTS = 1 << 27
"""Of all that an evaluation makes, together: 1 GB, were it kept."""
MOST_FLOPS = 1 << 34
"""Of its products and convolutions: some seconds."""


def _count(function: Callable[..., Any], args: Sequence[Any], wanted: Sequence[bool]) -> None:
    """Run a function and its derivative on shapes alone (torch's meta device), up to the bounds above.

    Raises:
        Exception: of whatever kind, where they don't suffice or the function needs the numbers.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils.flop_counter import flop_registry

    class Meter(TorchDispatchMode):  # type: ignore[no-untyped-call]
        operations = elements = flops = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            count = flop_registry.get(func.overloadpacket)
            self.operations += 1
            self.flops += count(*args, **(kwargs or {}), out_val=out) if count else 0
            self.elements += sum(leaf.numel() for leaf in leaves(out) if isinstance(leaf, torch.Tensor))
            if self.operations > MOST_OPERATIONS or self.elements > MOST_ELEMENTS or self.flops > MOST_FLOPS:
                raise ValueError("it is too large")
            return out

    with torch.device("meta"), Meter():  # type: ignore[no-untyped-call]
        tensors = [
            map_leaves(lambda leaf: leaf.to("meta") if isinstance(leaf, torch.Tensor) else leaf, _to_torch(arg))
            for arg in args
        ]
        inputs = [
            leaf.requires_grad_() for tree, wants in zip(tensors, wanted, strict=True) if wants for leaf in leaves(tree)
        ]
        outs = [out for out in leaves(function(*tensors)) if isinstance(out, torch.Tensor) and out.requires_grad]
        if outs and inputs:
            torch.autograd.grad(outs, inputs, [torch.ones_like(out) for out in outs], allow_unused=True)


def _traced(graph: Graph) -> Traced:
    import torch

    inputs = [_to_torch(leaf).requires_grad_() for leaf in graph.leaves]
    nodes = evaluate(graph, inputs)
    outputs = [nodes[call.node] for call in graph.backwards]
    given = [
        torch.ones_like(out) if call.gradient is None else _to_torch(call.gradient)
        for out, call in zip(outputs, graph.backwards, strict=True)
    ]
    found = torch.autograd.grad(outputs, nodes, given, allow_unused=True) if outputs else []
    gradients = [np.zeros(x.shape) if g is None else _to_numpy(g) for g, x in zip(found, nodes, strict=False)]
    return Traced(values=[_to_numpy(node) for node in nodes], gradients=gradients)


def _doubt_of_graph(graph: Graph, trace: Callable[[Graph], Traced], seed: int) -> str | None:
    """Why finite differences of the graph's own definition and torch.autograd disagree, or None if they agree.

    Beside its own numbers a graph may be undefined (a quotient by a ReLU): that is no disagreement.
    """

    def forward(*inputs: Any) -> tuple[Any, Any]:
        here = replace(graph, leaves=inputs)
        return total(here, evaluate(here)), trace(here).gradients[: len(inputs)]

    names = [name_of(index) for index in range(len(graph.leaves))]
    check = check_gradients(forward, None, list(graph.leaves), names=names, seed=seed, contract=False, localise=False)
    return "; ".join(str(problem) for problem in check.problems if problem.code is GradientFault.WRONG) or None


def _several(exercise: Exercise, result: Any, upstream: tuple[Any, ...]) -> Sequence[Any]:
    if not isinstance(result, (tuple, list)) or len(result) != len(upstream):
        raise OracleError(exercise.name, f"it must return {len(upstream)} tensors, one for each declared output")
    return result


def _tensor(exercise: Exercise, value: Any) -> Any:
    import torch

    if not isinstance(value, torch.Tensor):
        raise OracleError(exercise.name, f"it must return a tensor, it returned {type(value).__name__}")
    return value


def _hold(exercise: Exercise, expected: Expected) -> None:
    """Refuse expected arrays that right code can't equal.

    Raises:
        OracleError: one holds NaN, or was computed with fewer digits than the comparison asks for.
    """
    found = {
        "value": expected.value,
        "gradient": dict(expected.gradients),
        "trajectory": (list(expected.trajectory), [dict(state) for state in expected.states]),
    }
    for what, tree in found.items():
        for array in map(np.asarray, leaves(tree)):
            coarse = array.dtype.kind == "f" and array.dtype.itemsize < 8 and not np.array_equal(array, array.round())
            if coarse or array.dtype.kind not in "biuf":
                raise OracleError(exercise.name, f"its {what} is of dtype {array.dtype}; it must work in float64")
            if np.isnan(array).any():
                raise OracleError(exercise.name, f"its {what} has NaN: no result equals that")


def _field(params: Any, optimizer: Any, flat: Sequence[Any], field: str) -> Any:
    """A field of torch.optim's state as a tree like the parameters, or one number (a step count) for all of them."""
    import torch

    values = [_to_numpy(torch.as_tensor(optimizer.state[leaf][field])) for leaf in flat]
    if all(value.ndim == 0 for value in values):
        return values[0].astype(np.float64)  # torch counts in float32, which would make a student's beta ** t coarse
    return rebuild(params, values)


def _to_torch(value: Any, precision: Precision = Precision.FLOAT64) -> Any:
    """Arrays as tensors of their own memory's copy, floats in this precision; numbers stay numbers."""
    import torch

    kind = getattr(torch, precision.dtype)

    def leaf(item: Any) -> Any:
        if not isinstance(item, np.ndarray):
            return item
        if item.dtype.kind != "f":
            return torch.from_numpy(item.copy())
        return torch.from_numpy(np.array(item, dtype=np.float64)).to(kind)

    return map_leaves(leaf, value)


def _to_numpy(tensor: Any) -> Array:
    import torch

    tensor = tensor.detach().cpu()
    if tensor.dtype is torch.bfloat16:  # NumPy has none
        tensor = tensor.float()
    return np.array(tensor.numpy(), copy=True)


_NUDGES = 4
"""Roundings of the inputs that are tried. A sum that lies within rounding of a kink crosses it in half of them."""


def _slack(
    exercise: Exercise, precision: Precision, dtype: str, expected: Expected, others: Sequence[Expected]
) -> Expected:
    """Trees of Slack like those of the expected arrays."""

    def over(what: str, tree: Any, every: Sequence[Any]) -> Any:
        columns = zip(*map(leaves, every), strict=True)
        found = [
            slack_of(leaf, column, unit=precision.unit, dtype=dtype)
            for leaf, column in zip(leaves(tree), columns, strict=True)
        ]
        if None in found:
            problem = f"in {precision} torch's own {what} is not finite: give the case also_on = false"
            raise OracleError(exercise.name, problem)
        return rebuild(tree, found)

    trajectory, states = list(expected.trajectory), [dict(state) for state in expected.states]
    return Expected(
        value=over("value", expected.value, [other.value for other in others]),
        gradients=over("gradient", dict(expected.gradients), [dict(other.gradients) for other in others]),
        trajectory=tuple(over("trajectory", trajectory, [list(other.trajectory) for other in others])),
        states=tuple(over("state", states, [[dict(state) for state in other.states] for other in others])),
    )
