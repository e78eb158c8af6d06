"""Other cases than those of the manifest: where a mutant is right in all of these, is it right elsewhere too?

From each case of an exercise others are made by changing one thing (the numbers that are drawn, a size, a draw, an
argument), then several at once. The simplest come first, so that the first one which tells two solutions apart is the
one to put into the manifest: `as_toml` writes it as a [[exercise.case]].

Not all of them make sense (a filter larger than its image, a rate of 10). Whoever uses them keeps those which the
worked solution passes.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from grader.assignment import ArraySpec, CaseSpec, Draw, Exercise, Scalar, named_specs

__all__ = ["Configuration", "as_toml", "configurations"]

_FIXED: Final = (Draw.CLASSES, Draw.IGNORED, Draw.MASK, Draw.DATA)
"""Draws of what is no plain number."""
_DRAWS: Final = (
    Draw.UNIFORM, Draw.SPARSE, Draw.NEAR_KINK, Draw.TIES, Draw.DISTINCT, Draw.POSITIVE, Draw.TINY, Draw.HUGE,
    Draw.EXTREME, Draw.ONES, Draw.ZEROS,
)  # fmt: skip
_SCALES: Final = ((0.01, 0.0), (30.0, 0.0), (1.0, 3.0), (1.0, -3.0))
"""Scale and shift."""
_RANDOM: Final = 40
"""Configurations that differ in several things at once."""
_SMALL, _LARGE = (2, 3, 4, 5, 6, 7, 8, 9), (5, 7, 11, 13, 6, 8, 9, 10)
"""Sizes, each once: none may stand for another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A case that is not in the manifest, with what is checked about it."""

    spec: CaseSpec
    aspects: tuple[str, ...]


def configurations(exercise: Exercise, *, most: int = 150) -> tuple[Configuration, ...]:
    """Other cases of an exercise, simplest first; at most this many, kept evenly over all kinds."""
    found: dict[str, Configuration] = {}
    taken = {case.name for case in exercise.cases}
    for spec, aspects in _made(exercise, _bases(exercise)):
        if spec.name not in taken and not _is_outside(exercise, spec):
            found.setdefault(spec.name, Configuration(spec=spec, aspects=aspects))
    every = list(found.values())
    if len(every) <= most:
        return tuple(every)
    return tuple(every[round(number * (len(every) - 1) / (most - 1))] for number in range(most))


def _is_outside(exercise: Exercise, spec: CaseSpec) -> bool:
    """Whether it draws what the statement leaves out."""
    return any(name in spec.draw and spec.draw[name].draw in draws for name, draws in exercise.outside.items())


def _bases(exercise: Exercise) -> list[tuple[CaseSpec, tuple[str, ...]]]:
    """The cases to begin with, of fixed sizes, each with its aspects; what only asks for a trained network is none."""
    found = []
    for case in exercise.cases:
        aspects = tuple(aspect for part in exercise.parts for spec, aspect in part.checks if spec is case)
        if "result" not in aspects:
            sizes = {
                axis: size if isinstance(size, int) else (size[0] + size[1]) // 2 for axis, size in case.sizes.items()
            }
            found.append((replace(case, sizes=sizes, hidden=False), aspects))
    return found


def _made(
    exercise: Exercise, bases: Sequence[tuple[CaseSpec, tuple[str, ...]]]
) -> Iterator[tuple[CaseSpec, tuple[str, ...]]]:
    for base, aspects in bases:
        yield replace(base, name=f"{base.name}, drawn anew"), aspects
    leaves = {name: spec for input_, tree in exercise.inputs.items() for name, spec in named_specs(input_, tree)}
    for number, (base, aspects) in enumerate(bases):
        # What changes one thing in a later case too is mostly said by the first case already.
        every = [
            *_other_sizes(exercise, base),
            *_other_arguments(exercise, base),
            *_other_draws(exercise, leaves, base),
            *_other_graphs(base),
        ]
        for other in every if number == 0 else every[:: 2 + number // 3]:
            yield other, aspects
    rng = random.Random(0)
    for number in range(_RANDOM if bases else 0):
        base, aspects = rng.choice(bases)
        yield _random(exercise, leaves, base, number, rng), aspects


def _other_sizes(exercise: Exercise, base: CaseSpec) -> Iterator[CaseSpec]:
    free = _free_axes(exercise, base)
    for axis in free:
        yield _named(base, f"{axis} of 1", sizes={**base.sizes, axis: 1})
    for name, numbers in (("small", _SMALL), ("large", _LARGE)):
        if len(free) <= len(numbers):
            yield _named(base, f"other {name} sizes", sizes={**base.sizes, **dict(zip(free, numbers, strict=False))})
            turned = dict(zip(free, reversed(numbers[: len(free)]), strict=True))
            yield _named(base, f"{name} sizes, the other way round", sizes={**base.sizes, **turned})
    yield _named(base, "all sizes 3", sizes={**base.sizes, **dict.fromkeys(free, 3)})
    for axis in free:
        size = base.sizes[axis]
        if isinstance(size, int):
            yield _named(base, f"{axis} of {size + 1}", sizes={**base.sizes, axis: size + 1})


def _free_axes(exercise: Exercise, base: CaseSpec) -> list[str]:
    """Axes whose sizes may change: not those of a row of the data set."""
    fixed = {
        axis
        for name, tree in exercise.inputs.items()
        for _, spec in named_specs(name, tree)
        if spec.draw is Draw.DATA
        for axis in spec.axes[1:]
    }
    return [axis for axis in base.sizes if axis not in fixed]


def _other_arguments(exercise: Exercise, base: CaseSpec) -> Iterator[CaseSpec]:
    for name, usual in exercise.arguments.items():
        for other in _other_scalars(base.arguments.get(name, usual)):
            yield _named(base, f"{name} = {_toml(other)}", arguments={**base.arguments, name: other})


def _other_scalars(value: Scalar) -> list[Scalar]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [other for other in (0, 1, 2, 3, 5, value + 1) if other != value]
    if 0.0 < value < 1.0:
        others = [value / 10, value / 3, 0.3, 0.7, 0.9, 1 - (1 - value) / 5]
    else:
        others = [0.1, 0.5, 1.0, 2.0, 3 * value, value + 0.25]
    return [other for other in dict.fromkeys(float(f"{each:.3g}") for each in others) if other != value]


def _other_draws(exercise: Exercise, leaves: Mapping[str, ArraySpec], base: CaseSpec) -> Iterator[CaseSpec]:
    for name, usual in leaves.items():
        spec = base.draw.get(name, usual)
        if spec.draw is Draw.IGNORED:
            yield _named(base, f"{name} classes", draw={**base.draw, name: replace(spec, draw=Draw.CLASSES)})
        if spec.draw in _FIXED:
            continue
        for draw in _DRAWS if spec.draw is not Draw.PROBABILITY else ():
            if draw is not spec.draw:
                yield _named(base, f"{name} {draw.value}", draw={**base.draw, name: replace(spec, draw=draw)})
        for scale, shift in () if name in exercise.outside else _SCALES:  # which could lie there
            other = replace(spec, scale=scale * spec.scale, shift=shift)
            words = f"{name} shifted by {shift:g}" if shift else f"{name} scaled by {scale:g}"
            yield _named(base, words, draw={**base.draw, name: other})
    plain = [name for name, spec in leaves.items() if spec.draw not in _FIXED and name not in exercise.outside]
    for scale in (0.001, 30.0) if len(plain) > 1 else ():
        scaled = {name: replace(leaves[name], scale=scale * leaves[name].scale) for name in plain}
        yield _named(base, f"everything scaled by {scale:g}", draw={**base.draw, **scaled})


def _other_graphs(base: CaseSpec) -> Iterator[CaseSpec]:
    if base.graph is None:
        return
    for nodes in {2 * base.graph.nodes, base.graph.nodes + 3}:
        yield _named(base, f"{nodes} nodes", graph=msgspec.structs.replace(base.graph, nodes=nodes))
    for backwards in (1, 2, 3):
        if backwards != base.graph.backwards:
            graph = msgspec.structs.replace(base.graph, backwards=backwards)
            yield _named(base, f"backward called {backwards} times", graph=graph)
    graph = msgspec.structs.replace(base.graph, upstream=not base.graph.upstream)
    yield _named(base, f"{'with' if graph.upstream else 'without'} a gradient given", graph=graph)


def _random(
    exercise: Exercise, leaves: Mapping[str, ArraySpec], base: CaseSpec, number: int, rng: random.Random
) -> CaseSpec:
    sizes = {**base.sizes, **{axis: rng.randint(1, 7) for axis in _free_axes(exercise, base)}}
    arguments, draw = dict(base.arguments), dict(base.draw)
    for name, usual in exercise.arguments.items():
        if rng.random() < 0.4:
            arguments[name] = rng.choice(_other_scalars(arguments.get(name, usual)))
    for name, spec in leaves.items():
        if spec.draw not in (*_FIXED, Draw.PROBABILITY) and rng.random() < 0.25:
            draw[name] = replace(spec, draw=rng.choice(_DRAWS))
    return replace(base, name=f"mixed {number + 1}", sizes=sizes, arguments=arguments, draw=draw)


def _named(base: CaseSpec, words: str, **changes: Any) -> CaseSpec:
    return replace(base, name=f"{base.name}, {words}", **changes)


# ---------------------------------------------------------------------------------------------------------- as text


def as_toml(exercise: Exercise, spec: CaseSpec) -> str:
    """A case as it would stand in the manifest of its exercise."""
    usual = {name: leaf for input_, tree in exercise.inputs.items() for name, leaf in named_specs(input_, tree)}
    lines = ["[[exercise.case]]", f"name = {_toml(spec.name)}"]
    if spec.part is not None:
        lines.append(f"part = {_toml(spec.part)}")
    if spec.sizes:
        lines.append(f"sizes = {_toml(dict(spec.sizes))}")
    if spec.draw:
        lines.append(f"draw = {_toml({name: _draw(leaf, usual[name]) for name, leaf in spec.draw.items()})}")
    if spec.arguments:
        lines.append(f"arguments = {_toml(dict(spec.arguments))}")
    if spec.graph is not None:
        lines.append(f"graph = {_toml(msgspec.to_builtins(spec.graph))}")
    return "\n".join(lines)


def _draw(spec: ArraySpec, usual: ArraySpec) -> Any:
    changed = {
        name: value
        for name, value, before in (("scale", spec.scale, usual.scale), ("shift", spec.shift, usual.shift))
        if value != before
    }
    return {"draw": spec.draw.value, **changed} if changed else spec.draw.value


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case dict():
            return f"{{ {', '.join(f'{_key(key)} = {_toml(item)}' for key, item in value.items())} }}"
    raise TypeError(f"{value!r} has no form in TOML")


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)
