"""Trees of codes as arrays, against walking the paths."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grove.errors import DataError
from grove.systems.treebridge.code_tree import (
    allowed_codes,
    build_code_tree,
    read_code_tree,
)

SIZES, CAPACITY = (3, 4), 2


def draw_paths(seed):
    generator = np.random.default_rng(seed)
    places = np.array(list(np.ndindex(*SIZES, CAPACITY)))
    chosen = places[generator.permutation(len(places))[: generator.integers(1, len(places) + 1)]]
    paths = np.where(generator.random((len(chosen), 1)) < 0.2, -1, chosen[:, :-1])
    return paths, chosen[:, -1]


def path_of(tree, level, node):
    """Codes from the root to a node, found by looking for its parent upwards."""
    codes = []
    for above in range(level, -1, -1):
        codes.append(int(tree.codes[above][node]))
        node = int(np.searchsorted(tree.child_start[above], node, side="right")) - 1
    return codes[::-1]


@settings(max_examples=100)
@given(seed=st.integers(0, 10_000))
def test_every_item_is_where_its_path_says(seed):
    paths, slots = draw_paths(seed)
    tree = build_code_tree(paths, slots, capacity=CAPACITY)
    for item, (path, slot) in enumerate(zip(paths.tolist(), slots, strict=True)):
        nodes = tree.item_nodes[:, item]
        if path[0] < 0:
            assert (nodes == -1).all()
            assert item not in tree.leaf_items
            continue
        for level, node in enumerate(nodes):
            assert path_of(tree, level, node) == path[: level + 1]
        assert tree.leaf_items[nodes[-1], slot] == item
    assert (tree.leaf_items >= 0).sum() == (paths[:, 0] >= 0).sum()


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000))
def test_nodes_and_allowed_codes_are_the_existing_prefixes(seed):
    paths, slots = draw_paths(seed)
    tree = build_code_tree(paths, slots, capacity=CAPACITY)
    for level, codes_of_level in enumerate(tree.codes):
        existing = {tuple(path[: level + 1]) for path in paths.tolist() if path[0] >= 0}
        nodes = {tuple(path_of(tree, level, node)) for node in range(len(codes_of_level))}
        assert nodes == existing
        assert len(codes_of_level) == len(existing)
        allowed = allowed_codes(tree, level, SIZES[level])
        assert allowed.sum() == len(existing)
        for parent, codes in enumerate(allowed):
            prefix = path_of(tree, level - 1, parent) if level else []
            assert {(*prefix, int(code)) for code in np.flatnonzero(codes)} <= existing


def codes_table():
    return pa.table(
        {
            "item_id": ["b", "a", "gone"],
            "path": pa.array([[1, 0], [0, 2], [0, 2]], pa.list_(pa.int32())),
            "slot": pa.array([0, 0, 1], pa.int64()),
        }
    )


def test_codes_are_matched_to_the_item_table_by_id():
    tree = read_code_tree(codes_table(), pa.array(["a", "b", "unplaced"]), capacity=2)
    assert tree.leaf_items.tolist() == [[0, -1], [1, -1]]
    assert tree.item_nodes[:, 2].tolist() == [-1, -1]


def test_a_tree_of_other_items_is_an_error():
    with pytest.raises(DataError, match="a tree without items"):
        read_code_tree(codes_table(), pa.array(["x"]), capacity=2)


@pytest.mark.parametrize(
    ("paths", "expected", "found"),
    [
        ([[1, 0], [0], [1, 1]], "2 codes in every path", r"a at \[0\]"),
        ([None, [1, 0], [0, 2]], "2 codes in every path", "b at None"),
        ([[], [], []], "some codes", "3 such items"),
        ([[1, 0], [0, -1], [1, 1]], "from 0 up", r"a at \[0, -1, 0\]"),
        ([[1, 0], [0, None], [1, 1]], "from 0 up", r"a at \[0, -1, 0\]"),
        ([[1, 0], [1, 0], [1, 1]], "of its own", r"a at \[1, 0, 0\]"),
    ],
)
def test_an_invalid_position_is_reported_with_its_item(paths, expected, found):
    codes = pa.table(
        {
            "item_id": ["b", "a", "c"],
            "path": pa.array(paths, pa.list_(pa.int32())),
            "slot": pa.array([0, 0, 0], pa.int64()),
        }
    )
    with pytest.raises(DataError, match=found) as caught:
        read_code_tree(codes, pa.array(["a", "b", "c"]), capacity=2)
    assert expected in caught.value.expected


@pytest.mark.parametrize("slot", [-1, None])
def test_an_invalid_slot_is_reported_with_its_item(slot):
    column = pa.array([0, slot, 1], pa.int64())
    codes = codes_table().set_column(2, "slot", column)
    with pytest.raises(DataError, match=r"a at \[0, 2, -1\]"):
        read_code_tree(codes, pa.array(["a", "b"]), capacity=2)
