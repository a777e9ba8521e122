from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from grove.systems.treebridge.trees import append, code_churn, tree_quality


def reference_coherence(leaves, categories):
    pairs = [
        categories[one] == categories[other]
        for one, other in combinations(range(len(leaves)), 2)
        if leaves[one] == leaves[other]
    ]
    return sum(pairs) / len(pairs)


@pytest.fixture
def vectors():
    return np.random.default_rng(0).normal(size=(200, 8)).astype(np.float32)


def test_quality_of_a_new_tree(tree, vectors):
    categories = np.random.default_rng(1).choice(["shoes", "hats", "bags"], 200)
    quality = tree_quality(tree, vectors, categories)
    assert quality["items"] == 200
    assert quality["leaves"] == 20
    assert quality["leaf_smallest"] == quality["leaf_largest"] == 10
    assert quality["free_share"] == pytest.approx(1 - 200 / 320)
    assert quality["distortion"] == pytest.approx(tree.distortion_at_build)
    assert quality["code_use"] == [1.0, 1.0]
    assert quality["collisions"] == 0
    assert quality["coherence"] == pytest.approx(reference_coherence(tree.leaves, categories))
    chance = reference_coherence(np.zeros(200), categories)
    assert quality["coherence_by_chance"] == pytest.approx(chance)


def test_a_slot_held_twice_is_a_collision(tree, vectors):
    broken = replace(tree, slots=np.zeros_like(tree.slots))
    assert tree_quality(broken, vectors, ["a"] * 200)["collisions"] == 180


def test_churn_counts_items_whose_path_changed(tree):
    moved = replace(tree, leaves=np.where(np.arange(200) < 30, tree.leaves[199], tree.leaves))
    expected = np.mean(tree.leaves != moved.leaves)
    assert code_churn(tree, moved) == pytest.approx(expected)
    assert code_churn(tree, append(tree, np.ones((1, 8)), ["a"])) == 0


def test_churn_of_trees_without_common_items_or_depth(tree):
    assert code_churn(tree, replace(tree, item_ids=np.arange(200).astype(str))) == 0
    assert code_churn(tree, replace(tree, level_sizes=(20,))) == 1
