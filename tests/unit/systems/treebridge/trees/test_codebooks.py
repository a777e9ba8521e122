import itertools
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grove.systems.treebridge.trees.codebooks import (
    distinct_codes,
    renaming_to_overlap,
    residual_codebook,
)


def reference_distinct_codes(siblings, codebook):
    """Try every order of the codes."""
    return min(
        permutations(range(len(codebook))),
        key=lambda codes: sum(
            ((siblings[child] - codebook[code]) ** 2).sum() for child, code in enumerate(codes)
        ),
    )


@given(seed=st.integers(0, 10_000), codes=st.integers(1, 5))
@settings(max_examples=40)
def test_siblings_get_the_cheapest_distinct_codes(seed, codes):
    generator = np.random.default_rng(seed)
    offsets = generator.normal(size=(3, codes, 2))
    codebook = generator.normal(size=(codes, 2))
    found = distinct_codes(offsets, codebook)
    assert found.tolist() == [
        list(reference_distinct_codes(siblings, codebook)) for siblings in offsets
    ]


def test_siblings_that_are_equal_get_distinct_codes():
    assert sorted(distinct_codes(np.zeros((1, 4, 2)), np.eye(4, 2))[0]) == [0, 1, 2, 3]


def test_the_codebook_clusters_residuals_of_the_parents():
    parent_means = np.array([[10, 0], [0, 10]], dtype=np.float32)
    residuals = np.array([[1, 1], [-1, -1]], dtype=np.float32)
    parents = np.repeat([0, 1], 20)
    vectors = parent_means[parents] + residuals[np.arange(40) % 2]
    codebook = residual_codebook(vectors, parent_means, parents, codes=2, iterations=10, seed=0)
    assert np.allclose(sorted(codebook.tolist()), [[-1, -1], [1, 1]], atol=1e-5)


@given(codes=st.permutations(range(6)))
def test_a_renamed_codebook_is_recognised(codes):
    old = np.repeat(np.arange(6), 4)
    new = np.asarray(codes)[old]
    names = renaming_to_overlap(new, old, np.ones(24, dtype=bool), size=6, previous_size=6)
    assert np.array_equal(names[new], old)


@pytest.mark.parametrize("sizes", [(3, 8), (8, 3)])
def test_a_renaming_is_a_permutation_when_level_sizes_changed(sizes):
    generator = np.random.default_rng(0)
    new, old = (generator.integers(0, size, 50) for size in sizes)
    names = renaming_to_overlap(new, old, new == 0, size=sizes[0], previous_size=sizes[1])
    assert sorted(names) == list(range(sizes[0]))


@given(
    pairs=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=30),
    previous=st.integers(5, 6),
)
def test_a_smaller_level_keeps_as_many_items_as_the_best_renaming(pairs, previous):
    new, old = np.array(pairs).T
    names = renaming_to_overlap(
        new, old, np.ones(len(new), dtype=bool), size=3, previous_size=previous
    )
    most = max((np.array(order)[new] == old).sum() for order in itertools.permutations(range(3)))
    assert (names[new] == old).sum() == most


def test_items_with_a_kept_prefix_count_first():
    new, old = np.array([0, 1, 1, 1]), np.array([1, 1, 1, 1])
    names = renaming_to_overlap(
        new, old, np.array([True, False, False, False]), size=2, previous_size=2
    )
    assert names[0] == 1
