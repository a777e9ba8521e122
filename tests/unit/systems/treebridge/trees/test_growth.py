import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grove.errors import DataError
from grove.systems.treebridge.trees import append, keep_items


def new_vectors(count, seed=9):
    return np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)


def new_ids(count):
    return [f"new-{number:03d}" for number in range(count)]


def reference_leaves(tree, vectors):
    """Rounds in plain Python: items propose, the closest are accepted, the others propose again."""
    room = [tree.leaf_capacity] * tree.leaf_count
    for leaf in tree.leaves:
        room[leaf] -= 1
    placed = {}
    while len(placed) < len(vectors):
        asked = {}
        for row in set(range(len(vectors))) - set(placed):
            distances = ((tree.centroids[-1].astype(np.float64) - vectors[row]) ** 2).sum(axis=1)
            nearest = min((d, leaf) for leaf, d in enumerate(distances) if room[leaf] > 0)
            asked.setdefault(nearest[1], []).append((nearest[0], row))
        for leaf, askers in asked.items():
            for _, row in sorted(askers)[: room[leaf]]:
                placed[row] = leaf
            room[leaf] -= len(askers[: room[leaf]])
    return [placed[row] for row in range(len(vectors))]


@pytest.mark.parametrize("count", [1, 30, 120])
def test_items_go_to_the_nearest_leaf_with_room(tree, count):
    grown = append(tree, new_vectors(count), new_ids(count))
    assert grown.leaves[200:].tolist() == reference_leaves(tree, new_vectors(count))


@given(count=st.integers(0, 120), seed=st.integers(0, 99), alike=st.booleans())
@settings(max_examples=25)
def test_no_published_code_moves(tree, count, seed, alike):
    vectors = np.ones((count, 8)) if alike else new_vectors(count, seed)
    grown = append(tree, vectors, new_ids(count))
    assert np.array_equal(grown.leaves[:200], tree.leaves)
    assert np.array_equal(grown.slots[:200], tree.slots)
    assert grown.generation == tree.generation
    assert np.bincount(grown.leaves).max() <= tree.leaf_capacity
    places = grown.leaves * grown.leaf_capacity + grown.slots
    assert len(np.unique(places)) == 200 + count
    assert grown.slots.max(initial=0) < grown.leaf_capacity


def test_the_last_slot_can_be_filled_and_then_no_more(tree):
    full = append(tree, new_vectors(120), new_ids(120))
    assert full.free_slots == 0
    with pytest.raises(DataError, match="no free slot") as caught:
        append(full, new_vectors(1), ["one-more"])
    assert "rebuild" in caught.value.next_step


def test_few_candidates_per_search_give_the_same_leaves(tree, monkeypatch):
    whole = append(tree, new_vectors(100), new_ids(100))
    monkeypatch.setattr("grove.systems.treebridge.trees.assignment.DENSE_FLOATS", 0)
    monkeypatch.setattr("grove.systems.treebridge.trees.assignment.CANDIDATES", 2)
    few = append(tree, new_vectors(100), new_ids(100))
    assert np.array_equal(few.leaves, whole.leaves)


@pytest.mark.parametrize(
    ("vectors", "ids", "message"),
    [
        (np.ones((1, 8)), ["item-0003"], "in the tree already"),
        (np.ones((2, 8)), ["a", "a"], "occur twice"),
        (np.ones((1, 5)), ["a"], "another space"),
        (np.zeros((1, 8)), ["a"], "zero"),
        (np.full((1, 8), np.nan), ["a"], "not finite"),
    ],
)
def test_bad_items_are_data_errors(tree, vectors, ids, message):
    with pytest.raises(DataError, match=message):
        append(tree, vectors, ids)


def test_removed_items_free_their_slots(tree):
    remaining = tree.item_ids[50:]
    smaller = keep_items(tree, remaining)
    assert np.array_equal(smaller.leaves, tree.leaves[50:])
    assert smaller.free_slots == tree.free_slots + 50
    again = append(smaller, new_vectors(1), ["a"])
    taken = smaller.slots[smaller.leaves == again.leaves[-1]]
    assert again.slots[-1] == min(set(range(tree.leaf_capacity)) - set(taken.tolist()))


def test_without_removed_items_the_tree_is_the_same(tree):
    assert keep_items(tree, [*tree.item_ids, "stranger"]) is tree
