"""Trees over items with equal vectors: balanced, equal on a second build, every item in a leaf."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grove.systems.treebridge.trees import TreeShape, append, build_tree

CAPACITY, HEADROOM = 8, 0.25
FILL = 6


def ids_of(count, first=0):
    return [f"item-{number:05d}" for number in range(first, first + count)]


def build(vectors, previous=None):
    shape = TreeShape(level_sizes=None, leaf_capacity=CAPACITY, headroom=HEADROOM)
    ids = ids_of(len(vectors))
    return build_tree(vectors, ids, shape=shape, iterations=4, seed=0, previous=previous)


def variants(sizes, width=6, seed=0):
    """Vectors of which each is repeated as often as `sizes` states."""
    pool = np.random.default_rng(seed).normal(size=(len(sizes), width))
    return np.repeat(pool, sizes, axis=0).astype(np.float32)


def places_of(tree):
    return list(zip(tree.leaves.tolist(), tree.slots.tolist(), strict=True))


@settings(max_examples=40)
@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=12),
    seed=st.integers(0, 100),
    noise=st.sampled_from([0.0, 1e-7, 1e-4]),
)
def test_a_tree_of_variants_is_balanced_and_holds_every_item(sizes, seed, noise):
    vectors = variants(sizes, seed=seed)
    vectors = vectors + noise * np.random.default_rng(seed).normal(size=vectors.shape)
    tree = build(vectors)
    filled = np.bincount(tree.leaves, minlength=tree.leaf_count)
    assert filled.max() - filled.min() <= 1
    assert filled.max() <= FILL
    assert len(set(places_of(tree))) == len(vectors)
    assert all(np.isfinite(level).all() for level in (*tree.centroids, *tree.codebooks))
    again = build(vectors)
    assert (again.generation, places_of(again)) == (tree.generation, places_of(tree))


@pytest.mark.parametrize("sizes", [[100] * 8, [3] * 200, [1] * 300 + [300]])
def test_equal_vectors_are_in_few_leaves_of_few_parents(sizes):
    vectors, groups = variants(sizes), np.repeat(np.arange(len(sizes)), sizes)
    tree = build(vectors)
    fewest = sum(-(-size // FILL) for size in sizes)
    pairs = len(set(zip(groups.tolist(), tree.leaves.tolist(), strict=True)))
    assert pairs <= 2 * fewest
    per_parent = FILL * int(np.prod(tree.level_sizes[1:]))
    parents = len(set(zip(groups.tolist(), tree.paths[:, 0].tolist(), strict=True)))
    assert parents <= 2 * sum(-(-size // per_parent) for size in sizes)


def test_a_rebuild_over_equal_vectors_keeps_every_path():
    vectors = variants([40, 40, 20])
    tree = build(vectors)
    again = build(vectors, previous=tree)
    assert places_of(again) == places_of(tree)


def test_new_variants_join_leaves_with_a_free_slot():
    vectors = variants([50, 50])
    tree = build(vectors)
    count = tree.free_slots
    grown = append(tree, np.repeat(vectors[:1], count, axis=0), ids_of(count, first=100))
    assert grown.free_slots == 0
    assert places_of(grown)[:100] == places_of(tree)
    assert len(set(places_of(grown))) == 100 + count
    repeated = append(tree, np.repeat(vectors[:1], count, axis=0), ids_of(count, first=100))
    assert places_of(repeated) == places_of(grown)
