import numpy as np
import pytest

from grove.systems.treebridge.trees import TreeShape, build_tree


def vectors_of(count, seed=0, width=8):
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


def ids_of(count, first=0):
    return [f"item-{number:04d}" for number in range(first, first + count)]


@pytest.fixture(scope="session")
def tree():
    """A tree of 200 items with two levels and free slots."""
    shape = TreeShape(level_sizes=(5, 4), leaf_capacity=16, headroom=0.25)
    return build_tree(vectors_of(200), ids_of(200), shape=shape, iterations=5, seed=1)
