"""Trees of arrays: parameters in nested dicts, tuples and lists, as flat lists of named leaves and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["joined", "keys_of", "leaves", "map_leaves", "named_leaves", "rebuild", "same_structure", "split"]


def named_leaves(tree: Any, name: str = "") -> list[tuple[str, Any]]:
    """Leaves in reading order with their names, as a student would write them: ``params['W1']``, ``layers[0]``."""
    return list(_walk(tree, name))


def leaves(tree: Any) -> list[Any]:
    """Leaves in reading order. An empty container has none."""
    if isinstance(tree, (dict, tuple, list)):
        items = tree.values() if isinstance(tree, dict) else tree
        return [leaf for item in items for leaf in leaves(item)]
    return [tree]


def keys_of(tree: Any) -> set[Any]:
    """Keys of all dicts in a tree."""
    items = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, (tuple, list)) else ()
    return set(tree if isinstance(tree, dict) else ()).union(*map(keys_of, items))


def rebuild(like: Any, values: Sequence[Any]) -> Any:
    """Tree of the structure of `like` with these leaves, in reading order.

    Raises:
        ValueError: the number of values is not the number of leaves of `like`.
    """
    if len(values) != len(leaves(like)):
        raise ValueError(f"{len(values)} values for a tree of {len(leaves(like))} leaves")
    rest = iter(values)
    return map_leaves(lambda _: next(rest), like)


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """Tree of the same structure with function(leaf) in place of each leaf, called in reading order."""
    if isinstance(tree, dict):
        return {key: map_leaves(function, value) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        items = [map_leaves(function, value) for value in tree]
        return tuple(items) if isinstance(tree, tuple) else items
    return function(tree)


def joined(tree: Any) -> NDArray[Any]:
    """All elements of a tree of arrays in one row, in reading order."""
    return np.concatenate([np.ravel(np.asarray(leaf)) for leaf in leaves(tree)])


def split(row: NDArray[Any], like: Any) -> Any:
    """The tree of the structure and shapes of `like` whose elements stand in this row: undoes joined()."""
    ends = np.cumsum([np.size(leaf) for leaf in leaves(like)])[:-1]
    pieces = np.split(row, ends)
    return rebuild(like, [piece.reshape(np.shape(leaf)) for piece, leaf in zip(pieces, leaves(like), strict=True)])


def same_structure(actual: Any, expected: Any) -> bool:
    """Whether the containers agree. A list may stand for a tuple, and keys may come in any order."""
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and actual.keys() == expected.keys()
            and all(same_structure(actual[key], expected[key]) for key in expected)
        )
    if isinstance(expected, (tuple, list)):
        return (
            isinstance(actual, (tuple, list))
            and len(actual) == len(expected)
            and all(map(same_structure, actual, expected))
        )
    return not isinstance(actual, (dict, tuple, list))


def _walk(tree: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _walk(value, f"{name}[{key!r}]")
    elif isinstance(tree, (tuple, list)):
        for index, value in enumerate(tree):
            yield from _walk(value, f"{name}[{index}]")
    else:
        yield name, tree
