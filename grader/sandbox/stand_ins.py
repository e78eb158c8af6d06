"""Functions of a submission that somebody else answers: what stands in their place while its other code runs.

Where a student's layer is wrong, the network that calls it is judged once more with that layer's calls answered by the
judge (grader.answering). No code comes over for it. The name of the layer's function is bound to one that hands its
arguments to the judge and waits for the answer: wherever a module of the submission has that function, under whatever
name, or misses it; and in its class, where it is a method. It takes what the student's own function takes, with its
names and its default values.

What belongs to the student's function is not at hand then: its cache. In its place goes a token that holds the
arguments. Whoever opens it, or hands over something else, gets NotAnswered; so the judge knows that this code can't be
judged apart from its layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import get_ident
from types import FunctionType
from typing import Any, Final, NoReturn, TypeAlias

from numpy import ndarray

from grader.calls import NotAnswered, Role, StandIn, Value
from grader.sandbox.freeze import Unfit, freeze
from grader.sandbox.loading import Placeholder
from grader.sandbox.profiles import Kit

__all__ = ["MOST_ASKED_BYTES", "Ask", "StandIns"]

MOST_ASKED_BYTES: Final = 64 << 20
"""Of array data in one question."""

Ask: TypeAlias = Callable[[int, Value], Value]
"""Hands a question to the judge: the number of the function, its arguments. Gives the answer, or raises NotAnswered."""

_ABSENT: Final = object()


class _Token:
    """Stands for the cache of a forward pass that was answered."""

    __slots__ = ("_args", "_pair")

    def __init__(self, pair: str, args: tuple[Value, ...]) -> None:
        self._pair, self._args = pair, args

    def __bool__(self) -> bool:
        return True


def _opened(self: _Token, *_: Any) -> NoReturn:
    raise NotAnswered(f"the cache of {self._pair} is not there to be looked into: its forward was answered")


_OPERATIONS: Final = """
iter len getitem setitem contains getattr call add radd mul rmul sub truediv matmul neg array
"""
for _operation in _OPERATIONS.split():
    setattr(_Token, f"__{_operation}__", _opened)


class StandIns:
    """Context in which the functions are answered, to be entered by put_in. Outside of it everything is as it was."""

    def __init__(self, stand_ins: Sequence[StandIn], ask: Ask, kit: Kit) -> None:
        self._stand_ins = tuple(stand_ins)
        self._ask, self._kit = ask, kit
        self._thread = 0
        self._undo: list[tuple[Callable[..., None], tuple[Any, ...]]] = []

    def __enter__(self) -> None:
        """It was entered by put_in."""

    def __exit__(self, *_: object) -> None:
        self.take_out()

    def put_in(self, names: Mapping[str, Any], modules: Sequence[dict[str, Any]]) -> StandIns:
        """Let them be answered, to calls from this thread.

        Args:
            names: what the submission defines.
            modules: the names of each of its modules.
        """
        self._thread = get_ident()
        for number, stand_in in enumerate(self._stand_ins):
            first, *rest = stand_in.function.split(".")
            owner = names.get(first)
            if not rest:
                self._bind(first, None if type(owner) is Placeholder else owner, number, modules)
            elif len(rest) == 1 and issubclass(type(owner), type):
                own = _attribute(owner, rest[0])
                self._undo.append((_put_back, (owner, rest[0], _SPACE.__get__(owner).get(rest[0], _ABSENT))))
                type.__setattr__(owner, rest[0], staticmethod(self._answered(number, own)))
        return self

    def take_out(self) -> None:
        """Have everything as it was."""
        self._thread = 0
        while self._undo:
            put, args = self._undo.pop()
            put(*args)

    def _bind(self, name: str, own: Any, number: int, modules: Sequence[dict[str, Any]]) -> None:
        instead = self._answered(number, own)
        for module in modules:
            keys = [key for key, value in module.items() if value is own] if callable(own) else [name]
            for key in keys:
                self._undo.append((_restore, (module, key, module.get(key, _ABSENT))))
                module[key] = instead

    def _answered(self, number: int, own: Any) -> Callable[..., Any]:
        """What stands in the place of a function of the student's; `own` is None where there is none."""
        stand_in, function = self._stand_ins[number], own if type(own) is FunctionType else None

        def answered(*args: Any, **named: Any) -> Any:
            if get_ident() != self._thread:
                raise NotAnswered(f"{stand_in.function} is answered only where the judge called, in no other thread")
            if stand_in.role is Role.BACKWARD:
                *upstream, cache = _in_order(stand_in, function, args, named)
                return self._give(self._ask(number, (*self._frozen(stand_in, upstream), *_behind(stand_in, cache))))
            sent = self._frozen(stand_in, _bound(stand_in, function, args, named))
            answer = self._give(self._ask(number, sent))
            return (*answer, _Token(stand_in.pair, sent)) if stand_in.role is Role.FORWARD else answer

        return answered

    def _frozen(self, stand_in: StandIn, args: Sequence[Any]) -> tuple[Value, ...]:
        """Arguments as they are now: what is done to them later changes no cache."""
        try:
            found: tuple[Value, ...] = freeze(tuple(args), MOST_ASKED_BYTES // 2, self._kit.read)
            return found
        except Unfit as unfit:
            raise NotAnswered(f"{stand_in.function} is given something that can't be handed on: {unfit}") from None

    def _give(self, value: Value) -> Any:
        """An answer as the student's code gets it: arrays of its own."""
        if isinstance(value, ndarray):
            given = self._kit.give(value)
            return given[()] if type(given) is ndarray and not value.ndim else given
        if isinstance(value, (tuple, list)):
            items = [self._give(item) for item in value]
            return tuple(items) if isinstance(value, tuple) else items
        if isinstance(value, dict):
            return {key: self._give(item) for key, item in value.items()}
        return value


def _restore(module: dict[str, Any], key: str, value: Any) -> None:
    if value is _ABSENT:
        module.pop(key, None)
    else:
        module[key] = value


def _put_back(owner: Any, name: str, value: Any) -> None:
    if value is _ABSENT:
        type.__delattr__(owner, name)
    else:
        type.__setattr__(owner, name, value)


_SPACE: Final = type.__dict__["__dict__"]


def _attribute(owner: Any, name: str) -> Any:
    """What a class or those before it have by this name, whatever its metaclass says; None if nothing."""
    try:
        return type.__getattribute__(owner, name)
    except AttributeError:
        return None


def _own_names(function: FunctionType | None) -> Sequence[str]:
    """Names of the parameters of a student's function, as it calls them."""
    if function is None:
        return ()
    code = function.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _in_order(
    stand_in: StandIn, function: FunctionType | None, args: Sequence[Any], named: Mapping[str, Any]
) -> list[Any]:
    """Arguments of a backward in their order, at least one."""
    own = _own_names(function)
    places = {own.index(name) if name in own else -1: value for name, value in named.items()}
    found = {**dict(enumerate(args)), **places}
    if not found or sorted(found) != list(range(len(args) + len(named))):
        raise NotAnswered(f"{stand_in.function} is called with other arguments than an upstream gradient and a cache")
    return [found[place] for place in sorted(found)]


def _behind(stand_in: StandIn, cache: Any) -> tuple[Value, ...]:
    """The arguments of the forward call that a token stands for."""
    if type(cache) is not _Token or cache._pair != stand_in.pair:
        raise NotAnswered(f"{stand_in.function} is not given what the forward of {stand_in.pair} returned as its cache")
    return cache._args


def _bound(
    stand_in: StandIn, function: FunctionType | None, args: Sequence[Any], named: Mapping[str, Any]
) -> list[Any]:
    """Arguments in the declared order, those left out by the student's own values for them, or the course's."""
    names, own = stand_in.parameters, _own_names(function)
    found = dict(enumerate(args))
    for name, value in named.items():
        place = own.index(name) if name in own else names.index(name) if name in names else -1
        if place in found or place < 0:
            raise NotAnswered(f"{stand_in.function} has no argument {name}, as it is asked for")
        found[place] = value
    if max(found, default=0) >= len(names):
        raise NotAnswered(f"{stand_in.function} is given {len(found)} arguments, and is asked for with {len(names)}")
    defaults = dict(_defaults(function))
    for place, name in enumerate(names):
        if place not in found and place not in defaults and name not in stand_in.scalars:
            raise NotAnswered(f"{stand_in.function} is not given its argument {name}")
        found.setdefault(place, defaults[place] if place in defaults else stand_in.scalars.get(name))
    return [found[place] for place in range(len(names))]


def _defaults(function: FunctionType | None) -> Iterator[tuple[int, Any]]:
    """Default values of a function's parameters, by place."""
    if function is None:
        return
    values, count = function.__defaults__ or (), function.__code__.co_argcount
    yield from enumerate(values, start=count - len(values))
    own = _own_names(function)
    for name, value in (function.__kwdefaults__ or {}).items():
        if name in own:
            yield own.index(name), value
