"""Starting centroids of a rebuilt tree."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grove.systems.treebridge.trees.inheritance import OldCodes, inherited_starts


def reference_starts(vectors, old, sizes):
    """Mean of the items below every old node, in plain Python; none where there is no item."""
    below = {}
    for row, path in zip(old.rows.tolist(), old.paths.tolist(), strict=True):
        below.setdefault(tuple(path[: len(sizes)]), []).append(vectors[row])
    return {path: np.mean(rows, axis=0) for path, rows in below.items()}


@given(
    paths=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=20, max_size=40),
    seed=st.integers(0, 9),
)
def test_children_start_at_the_means_of_their_items_in_the_old_tree(paths, seed):
    vectors = np.random.default_rng(seed).normal(size=(len(paths), 4)).astype(np.float32)
    old = OldCodes(np.arange(len(paths)), np.array(paths), (3, 3))
    parents = np.arange(len(paths)) % 3
    starts = inherited_starts(vectors, parents, old, (3, 3))
    expected = reference_starts(vectors, old, (3, 3))
    for parent, start in enumerate(starts):
        had = [code for code in range(3) if (parent, code) in expected]
        assert (start is None) == (len(had) < 2)
        for code in had if start is not None else []:
            assert np.allclose(start[code], expected[parent, code], atol=1e-5)


def test_a_child_without_items_starts_at_the_item_farthest_from_the_others():
    vectors = np.array([[0, 0], [1, 0], [0, 9], [5, 0]], dtype=np.float32)
    old = OldCodes(np.array([0, 1, 3]), np.array([[0], [0], [1]]), (3,))
    (start,) = inherited_starts(vectors, np.zeros(4, dtype=np.int64), old, (3,))
    assert start.tolist() == [[0.5, 0], [5, 0], [0, 9]]


def test_dissimilar_trees_are_built_from_scratch():
    vectors, parents = np.ones((8, 2), dtype=np.float32), np.arange(8) // 4
    paths = np.array([[0, 0], [1, 1], [0, 1], [1, 0]])
    few = OldCodes(np.arange(3), paths[:3], (2, 2))
    enough = OldCodes(np.arange(4), paths, (2, 2))
    assert inherited_starts(vectors, parents, None, (2, 2)) == [None, None]
    assert inherited_starts(vectors, parents, few, (2, 2)) == [None, None]
    assert inherited_starts(vectors, parents, enough, (2, 3)) == [None, None]
    assert inherited_starts(vectors, np.arange(8) // 2, enough, (2, 2, 2)) == [None] * 4
    assert all(start is not None for start in inherited_starts(vectors, parents, enough, (2, 2)))
