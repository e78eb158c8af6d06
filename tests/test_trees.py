"""Trees of arrays as named leaves and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.numerics.trees import leaves, map_leaves, named_leaves, rebuild, same_structure

TREES = st.recursive(
    st.integers() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text("abW12", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)


def test_names_are_what_a_student_would_write():
    tree = {"W1": 1, "layers": [2, (3, {"b": 4})]}
    assert named_leaves(tree, "params") == [
        ("params['W1']", 1),
        ("params['layers'][0]", 2),
        ("params['layers'][1][0]", 3),
        ("params['layers'][1][1]['b']", 4),
    ]
    assert named_leaves(5, "x") == [("x", 5)]


@given(TREES)
def test_law_leaves_and_rebuild_are_inverse(tree):
    assert rebuild(tree, leaves(tree)) == tree
    assert [leaf for _, leaf in named_leaves(tree, "t")] == leaves(tree)


@given(TREES)
def test_law_names_differ(tree):
    names = [name for name, _ in named_leaves(tree, "t")]
    assert len(set(names)) == len(names)


@given(TREES)
def test_law_mapping_keeps_the_structure(tree):
    mapped = map_leaves(lambda leaf: (leaf,)[0], tree)
    assert mapped == tree
    assert same_structure(mapped, tree)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_rebuild_needs_as_many_values_as_leaves(count):
    with pytest.raises(ValueError, match=f"{count} values for a tree of 2 leaves"):
        rebuild({"a": 0, "b": [1]}, list(range(count)))


@pytest.mark.parametrize(
    ("actual", "expected", "same"),
    [
        ([1, 2], (1, 2), True),
        ({"b": 1, "a": 2}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ([1, 2, 3], [1, 2], False),
        ([1], 1, False),
        (1, [1], False),
        ({"0": 1}, [1], False),
        (None, 1, True),
        ({"a": [1, {"b": 2}]}, {"a": (1, {"b": 2})}, True),
        ({"a": [1, {"c": 2}]}, {"a": (1, {"b": 2})}, False),
        ([], (), True),
        ({}, [], False),
    ],
)
def test_same_structure(actual, expected, same):
    assert same_structure(actual, expected) is same
