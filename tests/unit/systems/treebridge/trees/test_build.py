from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grove.errors import DataError
from grove.systems.treebridge.trees import Tree, TreeShape, append, build_tree, code_churn
from grove.systems.treebridge.trees.build import mean_squared_distance


def build(count, *, seed=0, level_sizes=None, capacity=8, headroom=0.25, previous=None) -> Tree:
    vectors = np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32)
    shape = TreeShape(level_sizes=level_sizes, leaf_capacity=capacity, headroom=headroom)
    ids = [f"item-{number:04d}" for number in range(count)]
    return build_tree(vectors, ids, shape=shape, iterations=4, seed=seed, previous=previous)


def contents(tree):
    arrays = (*tree.codebooks, *tree.centroids, tree.leaves, tree.slots)
    return [array.tobytes() for array in arrays] + [tree.generation, tree.item_ids.tolist()]


@given(
    count=st.integers(1, 150),
    capacity=st.integers(2, 12),
    headroom=st.sampled_from([0, 0.25, 0.5]),
    seed=st.integers(0, 20),
)
@settings(max_examples=30)
def test_invariants_of_a_new_tree(count, capacity, headroom, seed):
    tree = build(count, seed=seed, capacity=capacity, headroom=headroom)
    sizes = np.bincount(tree.leaves, minlength=tree.leaf_count)
    assert sizes.max() - sizes.min() <= 1
    assert sizes.min() >= 1
    assert sizes.max() <= capacity * (1 - headroom)
    places = {(*path, slot) for path, slot in zip(tree.paths.tolist(), tree.slots, strict=True)}
    assert len(places) == count
    assert len(np.unique(tree.paths, axis=0)) == tree.leaf_count
    assert tree.slots.max() < capacity


def test_siblings_have_distinct_codes_and_each_node_its_own_mean(tree):
    vectors = np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)
    for depth in range(2):
        prefixes, nodes = np.unique(tree.paths[:, : depth + 1], axis=0, return_inverse=True)
        assert len(prefixes) == len(tree.centroids[depth])
        for node, centroid in enumerate(tree.centroids[depth]):
            assert np.allclose(vectors[nodes == node].mean(axis=0), centroid, atol=1e-5)


def test_equal_input_and_seed_give_an_equal_tree():
    assert contents(build(90, seed=4)) == contents(build(90, seed=4))


def test_generation_distinguishes_trees():
    generations = {build(90, seed=1).generation, build(90, seed=2).generation}
    generations |= {build(90, seed=1, capacity=10, level_sizes=(4, 4)).generation}
    assert len(generations) == 3
    assert all(len(generation) == 12 for generation in generations)


def test_duplicate_vectors_still_balance():
    shape = TreeShape(level_sizes=(3, 3), leaf_capacity=8, headroom=0.25)
    ids = [str(number) for number in range(50)]
    tree = build_tree(np.ones((50, 4)), ids, shape=shape, iterations=3, seed=0)
    assert sorted(np.bincount(tree.leaves)) == [5] * 4 + [6] * 5
    assert tree.distortion_at_build == pytest.approx(0, abs=1e-9)


def test_one_item_is_a_tree():
    tree = build(1)
    assert (tree.level_sizes, tree.paths.tolist(), tree.slots.tolist()) == ((1,), [[0]], [0])


def test_rebuilding_with_the_same_items_moves_nothing():
    first = build(120, seed=3)
    again = build(120, seed=3, previous=first)
    assert code_churn(first, again) == 0
    assert again.generation == first.generation


def topics(count):
    """Vectors around sixteen topics in turn, and their ids."""
    vectors = np.tile(np.eye(16, 8, dtype=np.float32) + 0.1, (count // 16 + 1, 1))[:count]
    vectors += 0.3 * np.random.default_rng(0).normal(size=vectors.shape).astype(np.float32)
    return vectors, [f"{number:04d}" for number in range(count)]


def test_a_tree_of_another_shape_is_renamed_to_overlap_the_old_one():
    vectors, ids = topics(160)
    wide = TreeShape(level_sizes=(6, 4), leaf_capacity=16, headroom=0.25)
    shape = TreeShape(level_sizes=(4, 4), leaf_capacity=16, headroom=0.25)
    old = build_tree(vectors, ids, shape=wide, iterations=5, seed=1)
    plain = build_tree(vectors, ids, shape=shape, iterations=5, seed=2)
    renamed = build_tree(vectors, ids, shape=shape, iterations=5, seed=2, previous=old)
    assert code_churn(old, renamed) < code_churn(old, plain)
    together = plain.leaves[:, None] == plain.leaves[None]
    assert np.array_equal(together, renamed.leaves[:, None] == renamed.leaves[None])


@pytest.mark.parametrize("sizes", [(6, 6), (6, 7), (7, 6), (6, 5), (5, 6)])
def test_a_rebuilt_tree_keeps_most_paths_and_is_as_good_as_one_from_scratch(sizes):
    vectors, ids = topics(450)
    shape = TreeShape(level_sizes=(6, 6), leaf_capacity=20, headroom=0.25)
    old = build_tree(vectors[:400], ids[:400], shape=shape, iterations=15, seed=1)
    options = {"shape": replace(shape, level_sizes=sizes), "iterations": 15, "seed": 1}
    plain = build_tree(vectors[20:], ids[20:], **options)
    rebuilt = build_tree(vectors[20:], ids[20:], **options, previous=old)
    assert code_churn(old, rebuilt) < 0.5 < code_churn(old, plain)
    assert rebuilt.distortion_at_build < 1.03 * plain.distortion_at_build
    assert np.ptp(np.bincount(rebuilt.leaves, minlength=rebuilt.leaf_count)) <= 1
    again = build_tree(vectors[20:], ids[20:], **options, previous=old)
    assert again.generation == rebuilt.generation


def test_groups_are_kept_when_their_space_rotates():
    vectors, ids = topics(400)
    turned = vectors @ np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0]
    shape = TreeShape(level_sizes=(6, 6), leaf_capacity=16, headroom=0.25)
    old = build_tree(vectors, ids, shape=shape, iterations=15, seed=1)
    assert code_churn(old, build_tree(turned, ids, shape=shape, iterations=15, seed=2)) > 0.5
    rebuilt = build_tree(turned, ids, shape=shape, iterations=15, seed=2, previous=old)
    assert code_churn(old, rebuilt) < 0.4
    assert rebuilt.generation != old.generation
    assert rebuilt.distortion_at_build < 1.02 * old.distortion_at_build


def test_a_codes_vector_is_the_mean_offset_of_its_nodes_from_their_parents():
    vectors, ids = topics(420)
    shape = TreeShape(level_sizes=(6, 6), leaf_capacity=16, headroom=0.25)
    old = build_tree(vectors[:400], ids[:400], shape=shape, iterations=15, seed=1)
    wider = replace(shape, level_sizes=(7, 6))
    tree = build_tree(vectors, ids, shape=wider, iterations=15, seed=1, previous=old)
    offsets = tree.centroids[1].reshape(7, 6, 8) - tree.centroids[0][:, None]
    assert np.allclose(tree.codebooks[1], offsets[:6].mean(axis=0), atol=1e-5)
    costs = ((offsets[6][:, None] - tree.codebooks[1]) ** 2).sum(axis=-1)  # of the new parent
    cheapest = min(costs[np.arange(6), list(codes)].sum() for codes in permutations(range(6)))
    assert costs.trace() == pytest.approx(cheapest, rel=1e-4)


def test_a_tree_that_is_uneven_or_of_another_capacity_is_rebuilt():
    vectors, ids = np.ones((60, 4), dtype=np.float32), [f"{number:02d}" for number in range(60)]
    shape = TreeShape(level_sizes=(3, 3), leaf_capacity=12, headroom=0.25)
    old = build_tree(vectors[:50], ids[:50], shape=shape, iterations=3, seed=0)
    grown = append(old, vectors[50:], ids[50:])
    assert np.ptp(np.bincount(grown.leaves)) > 1
    even = build_tree(vectors, ids, shape=shape, iterations=3, seed=0, previous=grown)
    assert np.ptp(np.bincount(even.leaves)) <= 1
    roomy = replace(shape, leaf_capacity=20)
    assert (
        build_tree(
            vectors[:50], ids[:50], shape=roomy, iterations=3, seed=0, previous=old
        ).leaf_capacity
        == roomy.leaf_capacity
    )


@pytest.mark.parametrize("scale", [1e-7, 1.0, 1e3])
def test_whether_vectors_are_the_same_does_not_depend_on_their_size(scale):
    vectors, ids = topics(300)
    shape = TreeShape(level_sizes=(5, 5), leaf_capacity=16, headroom=0.2)
    options = {"shape": shape, "iterations": 5, "seed": 1}
    old = build_tree(scale * vectors, ids, **options)
    others = scale * np.random.default_rng(7).normal(size=vectors.shape)
    assert build_tree(others, ids, **options, previous=old).generation != old.generation
    turn = np.random.default_rng(2).permutation(300)
    again = build_tree(scale * vectors[turn], np.array(ids)[turn], **options, previous=old)
    assert again.generation == old.generation


def test_a_tree_is_kept_for_any_order_of_the_items():
    vectors, ids = topics(300)
    shape = TreeShape(level_sizes=(5, 5), leaf_capacity=16, headroom=0.2)
    old = build_tree(vectors, ids, shape=shape, iterations=5, seed=1)
    turn = np.random.default_rng(2).permutation(300)
    names = np.array(ids)[turn].tolist()
    again = build_tree(vectors[turn], names, shape=shape, iterations=5, seed=1, previous=old)
    assert (again.generation, code_churn(old, again)) == (old.generation, 0)
    assert again.item_ids.tolist() == names
    assert np.array_equal(again.slots, old.slots[turn])


def test_no_other_names_of_the_last_level_keep_more_paths():
    vectors = np.random.default_rng(0).normal(size=(200, 6))
    ids = [str(number) for number in range(200)]
    old, new = None, None
    for sizes in [(3, 3, 3), (3, 4, 3)]:
        shape = TreeShape(level_sizes=sizes, leaf_capacity=16, headroom=0.25)
        old, new = new, build_tree(vectors, ids, shape=shape, iterations=5, seed=1, previous=new)
    kept = [
        (old.paths == np.column_stack([new.paths[:, :2], np.array(names)[new.paths[:, 2]]]))
        .all(axis=1)
        .sum()
        for names in permutations(range(3))
    ]  # the first are the names as they are
    assert kept[0] == max(kept) > min(kept)


def test_a_previous_tree_of_other_items_or_depth_is_no_hindrance():
    assert build(40, previous=build(30, level_sizes=(2, 2, 2))).leaf_count > 0
    other = TreeShape(level_sizes=None, leaf_capacity=8, headroom=0.25)
    strangers = build_tree(np.eye(4), list("abcd"), shape=other, iterations=3, seed=0)
    assert build(40, previous=strangers).generation == build(40).generation


@pytest.mark.parametrize(
    ("vectors", "ids", "message"),
    [
        (np.ones((2, 2)), ["a", "a"], "occur twice"),
        (np.ones((2, 2)), ["a"], "do not pair up"),
        (np.zeros((2, 2)), ["a", "b"], "zero"),
        (np.full((2, 2), np.nan), ["a", "b"], "not finite"),
        (np.array([[1.0, 2.0], [9e18, 9e18]]), ["a", "b"], "too long"),
    ],
)
def test_bad_items_are_data_errors(vectors, ids, message):
    shape = TreeShape(level_sizes=None, leaf_capacity=8, headroom=0.25)
    with pytest.raises(DataError, match=message):
        build_tree(vectors, ids, shape=shape, iterations=3, seed=0)


def test_mean_squared_distance_equals_the_plain_one():
    generator = np.random.default_rng(0)
    vectors, centroids = generator.normal(size=(30, 4)), generator.normal(size=(5, 4))
    nodes = generator.integers(0, 5, 30)
    plain = np.mean([np.sum((v - centroids[n]) ** 2) for v, n in zip(vectors, nodes, strict=True)])
    assert mean_squared_distance(vectors, centroids, nodes) == pytest.approx(plain)
