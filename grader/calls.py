"""What the judge asks of a student's code, and what comes back.

The judge never runs student code and the student's process never sees an expected value. Between them travel only
the nouns of this module: a Call names a function and carries its arguments; its Outcome is a closed set. Opaque
values (the cache of a forward pass) stay where the student's code runs, in numbered slots, and are named by Kept.

Values are trees: NumPy arrays and Python numbers, nested in tuples, lists and string-keyed dicts.

One thing goes the other way, and only where the judge offers it (Answering): a call of one of the student's own
functions, which is answered by the judge in its stead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

__all__ = [
    "Answering",
    "Call",
    "Elsewhere",
    "Evaluator",
    "Found",
    "Isolation",
    "Kept",
    "Killed",
    "Loaded",
    "LoadOutcome",
    "Malformed",
    "Method",
    "Missing",
    "NotAnswered",
    "Noticed",
    "Opaque",
    "Outcome",
    "Profile",
    "Raised",
    "Returned",
    "Role",
    "Rung",
    "Source",
    "StandIn",
    "TimedOut",
    "Value",
]

Value: TypeAlias = Any
"""A tree: numpy.ndarray | bool | int | float | None | Opaque | Elsewhere | tuple | list | dict[str, Value]."""


class Profile(StrEnum):
    """What arrays are to the student's code, and with that what its process may hold."""

    NUMPY = "numpy"
    """NumPy arrays, in a process without torch: there is no autograd to borrow."""
    TORCH = "torch"
    """torch tensors on the CPU; autograd is refused as well as a process can (grader.sandbox.autograd)."""
    PRETEND_CUDA = "pretend-cuda"
    """Likewise, on a GPU that is none: real numbers under CUDA's rules (grader.sandbox.pretend_cuda)."""
    JAX = "jax"
    """JAX arrays on the CPU (the extra "jax"); its transformations that differentiate are refused likewise."""
    CUDA = "cuda"
    """torch tensors on a GPU."""

    @property
    def has_torch(self) -> bool:
        """Whether torch is in the student's process."""
        return self in (Profile.TORCH, Profile.PRETEND_CUDA, Profile.CUDA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The student's Python files, by POSIX path relative to the submission, and the one that is loaded."""

    entry: str
    files: Mapping[str, bytes]
    adapter: bytes | None = None
    """Course code that turns the student's signatures into those that are asked for (grader.sandbox.adapting)."""
    root: str | None = None
    """Folder on this machine that holds the same files, where there is one: a debugger needs real paths."""
    graded: Mapping[str, str] = field(default_factory=dict)
    """Where a course grades several files: theirs by module name, in order. All are loaded; the entry is the first."""
    package: str = ""
    """What the course's own imports call the folder that they lie in (`from cs231n.layers import *`)."""
    given: Mapping[str, bytes] = field(default_factory=dict)
    """Modules that the course hands out, by their whole name, for where the submission hasn't got them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Argument that stands for the value kept in this slot by an earlier call. Using it empties the slot."""

    slot: int


@dataclass(frozen=True, slots=True)
class Opaque:
    """Leaf of a returned tree that is neither an array nor a number: only the name of its type crosses over."""

    type_name: str


class Found(StrEnum):
    """An array that is not on the device, or not of the library, of those that went in; the value says what it is."""

    ON_CPU = "a tensor on cpu"
    NUMPY = "a NumPy array"
    TENSOR = "a torch tensor"
    JAX = "a JAX array"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Elsewhere:
    """Leaf of a returned tree that is an array of another library, or on another device, than it should be."""

    found: Found
    wanted: Profile
    """Which arrays were given."""
    value: Any
    """Its numbers all the same; Opaque where they can't be read."""
    made: str = ""
    """Where, as far as it was seen: text of the student's process."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """One evaluation of a student's function."""

    function: str
    args: tuple[Value, ...]
    keep: int | None = None
    """The function returns its results and then a cache; send the results, keep the cache in this slot."""
    results: int = 1
    """How many there are before the cache: one is sent as it is, several as a tuple."""
    seconds: float = 10.0
    """Deadline for the whole reply, wall clock."""
    max_bytes: int = 64 << 20
    """Largest reply accepted, in bytes of array data: from the expected shape, never from what the child says."""
    precision: str = ""
    """What NumPy has no dtype for: "bfloat16", in which float32 arrays are handed over and come back, or "tf32"."""
    watch: bool = False
    """Look whether it differentiates numerically: the pass that made the cache used here, else the function itself."""
    program: tuple[Any, ...] | None = None
    """The function is a class of an engine; with it this graph is run (grader.graphs.Graph.program says what is in it).
    The arguments are the leaves, then the gradients that backward() is given."""


class Method(StrEnum):
    """A way to a derivative without its formula."""

    DIFFERENCES = "finite differences"
    COMPLEX_STEP = "the complex step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Evidence that a watched call differentiated numerically."""

    method: Method
    words: str
    """What was seen, with numbers and names of the student's process: show them, never act on them."""
    noise: float = 0.0
    """Error that this method leaves, as a share of the gradient; 0 if the result can't show whether it was used."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Returned:
    """The function came back."""

    value: Value
    changed: tuple[int, ...] = ()
    """Positions of this call's arguments that the function wrote into."""
    changed_earlier: tuple[int, ...] = ()
    """Positions of the arguments, of the call that kept the cache used here, that this call wrote into."""
    seconds: float = 0.0
    noticed: Noticed | None = None
    """Of a watched call."""
    waits: tuple[str, ...] = ()
    """Where it waited for the GPU: file, line and what for. Text of the student's process."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Raised:
    """The function raised. All fields are text from the student's process: show them, never act on them."""

    kind: str
    """Name of the exception's class."""
    message: str
    traceback: str
    """The student's own frames only, at most a few lines."""
    cause: str = ""
    """Where what it is about came from, as far as it was seen: the tensor on the CPU beside one on the GPU, say."""
    exception: BaseException | None = None
    """The exception itself where the code runs in this process (the pytest door), for the debugger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """No whole reply before the deadline; the process was ended."""

    seconds: float
    idle: bool = False
    """It did not compute meanwhile: it slept, or waited for something that never came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """The process ended during the call: os._exit, a crash, a limit."""

    reason: str
    used_up: bool = False
    """The time that the submission may take in all is used up: nothing more is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """The reply was not of the expected form: too large, an object array, a bad header."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """The submission defines no such function."""

    function: str


Outcome: TypeAlias = Returned | Raised | TimedOut | Killed | Malformed | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The submission was loaded, perhaps not whole."""

    functions: tuple[str, ...]
    """Names of the callables that the entry file defines or imports."""
    problems: tuple[str, ...] = field(default=())
    """What went wrong, a line each: file, line, error. The rest was loaded all the same."""


LoadOutcome: TypeAlias = Loaded | TimedOut | Killed | Malformed


class Rung(StrEnum):
    """How much of a wall stands around a submission, or is to be built at most; grader.sandbox.wall says of what."""

    FULL = "full"
    UNPRIVILEGED = "unprivileged"
    SECCOMP = "seccomp"
    NONE = "none"

    def reaches(self, other: Rung) -> bool:
        """Whether this is at least as high as the other."""
        ladder = list(Rung)
        return ladder.index(self) <= ladder.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """What stands between a submission and this machine; by default nothing."""

    wall: Rung = Rung.NONE
    layers: tuple[str, ...] = ()
    """Everything, by name."""


class Role(StrEnum):
    """What a function gives whose calls are answered."""

    VALUE = "value"
    """Whatever the answer is."""
    FORWARD = "forward"
    """The results in the answer, a tuple, and a cache behind them. The cache tells nobody anything."""
    BACKWARD = "backward"
    """The answer to the upstream gradients in front of the cache, and to the arguments of the call that made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """A function of the student's whose calls are answered by the judge, as the student's process is told of it."""

    function: str
    role: Role
    parameters: tuple[str, ...]
    """Names of the declared arguments, in order; those of the forward function for a backward."""
    scalars: Mapping[str, bool | int | float]
    """Those among them that need not be given where the student's function has no value of its own for them."""
    pair: str = ""
    """The same for a forward function and its backward."""


class NotAnswered(ValueError):  # noqa: N818  (raised in the student's code, which may deal with it)
    """A call that can't be answered in the function's stead; the text says why."""


class Answering(Protocol):
    """Whoever answers calls of some functions."""

    @property
    def stand_ins(self) -> Sequence[StandIn]:
        """The functions."""
        ...

    def answer(self, number: int, args: Value) -> Value:
        """The answer to a call of the function of this number. The arguments come from the student's process.

        Raises:
            NotAnswered: there is none, whatever the reason.
        """
        ...


class Evaluator(Protocol):
    """Where a student's code runs: a process of its own, or this one (the pytest door)."""

    @property
    def isolation(self) -> Isolation:
        """What stands between the code and this machine, for the report."""
        ...

    @property
    def overflowed(self) -> bool:
        """Whether more was printed than is kept."""
        ...

    def load(self) -> LoadOutcome:
        """Load the submission; once, the first time it is needed."""
        ...

    def call(self, call: Call) -> Outcome:
        """Evaluate one call. Never raises for anything that the student's code does."""
        ...

    def calls(self, calls: Sequence[Call]) -> Iterable[Outcome]:
        """Evaluate calls one after the other, as `call` would; where that saves waiting, asked all at once.

        The outcomes come in the order of the calls, and end with the first that ended the process.
        """
        ...

    def fresh(self) -> None:
        """Begin anew, where the code has a process of its own: nothing that it left in memory goes on."""
        ...

    def answering(self, answers: Answering) -> Evaluator:
        """Another one for the same submission, in which calls of some of its functions are answered by the judge.

        Where the code has a process of its own it is a new one. It takes its time from the same allowance.
        """
        ...

    def close(self) -> None:
        """End the process, if any, and whatever it started; one that is called again begins with another."""
        ...
