"""Equal vectors are indexed once and found as often as there are items."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grove.index import build_index, item_keys, recall_against_exact, search
from grove.index.groups import first_equal_rows, group_items

FLAT, GRAPH = "IDMap2,Flat", "IDMap2,HNSW32"


def index_of(vectors, factory=FLAT):
    keys = item_keys([f"item-{number:05d}" for number in range(len(vectors))])
    return keys, build_index(keys, vectors, factory=factory, ef_construction=80)


@st.composite
def catalogues(draw):
    """Items that draw their vectors from few different ones: one item, all equal, none equal."""
    seed, distinct = draw(st.integers(0, 1000)), draw(st.integers(1, 12))
    pool = np.random.default_rng(seed).integers(-2, 3, size=(distinct, 4)).astype(np.float32)
    chosen = draw(st.lists(st.integers(0, distinct - 1), min_size=1, max_size=40))
    return pool[chosen]


def reference_search(vectors, queries, k):
    """Rows by score, equal scores by the first row of the vector, then by row; and the scores."""
    firsts = [int(np.flatnonzero((vectors == vector).all(axis=1))[0]) for vector in vectors]
    scores = queries @ vectors.T
    rows = [
        sorted(range(len(vectors)), key=lambda row: (-one[row], firsts[row], row))[:k]
        for one in scores
    ]
    return rows, np.take_along_axis(scores, np.array(rows), axis=1)


@settings(max_examples=60)
@given(vectors=catalogues(), k=st.integers(1, 50), seed=st.integers(0, 1000))
def test_search_over_groups_is_exact_search(vectors, k, seed):
    # Small whole numbers: every inner product is exact, so that equal scores are equal.
    queries = np.random.default_rng(seed).integers(-2, 3, size=(5, 4)).astype(np.float32)
    keys, index = index_of(vectors)
    found, scores = search(index, queries, k=k, ef_search=64)
    rows, expected = reference_search(vectors, queries, len(vectors))
    length = min(k, len(vectors))
    assert np.array_equal(scores[:, :length], expected[:, :length])
    assert (found[:, length:] == -1).all()
    assert all(len(set(one)) == length for one in found[:, :length].tolist())
    if k >= len(vectors):
        # FAISS chooses among distinct vectors of one score only where not all are returned.
        assert np.array_equal(found[:, :length], keys[np.array(rows)])
    recall = recall_against_exact(index, keys, vectors, queries, k=k, ef_search=64)
    assert recall == 1.0


@settings(max_examples=30)
@given(vectors=catalogues(), seed=st.integers(0, 1000))
def test_every_item_of_a_graph_is_found(vectors, seed):
    keys, index = index_of(vectors, GRAPH)
    query = np.random.default_rng(seed).normal(size=(1, 4))
    found, _ = search(index, query, k=len(vectors), ef_search=64)
    assert sorted(found[0]) == sorted(keys)


@pytest.mark.parametrize("factory", [FLAT, GRAPH])
@pytest.mark.parametrize(("count", "k"), [(1, 1), (1, 5), (300, 100), (300, 300), (300, 1000)])
def test_a_catalogue_of_one_vector(factory, count, k):
    keys, index = index_of(np.ones((count, 8)), factory)
    found, scores = search(index, np.ones((2, 8)), k=k, ef_search=16)
    length = min(count, k)
    assert np.array_equal(found[:, :length], np.tile(keys[:length], (2, 1)))
    assert (found[:, length:] == -1).all()
    assert (scores[:, :length] == 8).all()
    queries = np.random.default_rng(0).normal(size=(20, 8))
    recall = recall_against_exact(index, keys, np.ones((count, 8)), queries, k=k, ef_search=16)
    assert recall == 1.0


def test_a_group_larger_than_the_list_fills_it_in_the_order_of_its_items():
    vectors = np.repeat(np.eye(3), [2, 50, 2], axis=0)
    keys, index = index_of(vectors, GRAPH)
    found, _ = search(index, np.array([[0.5, 1.0, 0.0]]), k=10, ef_search=16)
    assert found[0].tolist() == keys[2:12].tolist()


def test_recall_counts_results_that_are_as_near_as_the_best():
    # 300 copies of one vector beside 4,000 others: no index can know which 100 copies are meant.
    generator = np.random.default_rng(0)
    others, one = generator.normal(size=(4000, 16)), 2 * generator.normal(size=(1, 16))
    vectors = np.vstack([others, np.repeat(one, 300, axis=0)]).astype(np.float32)
    queries = one + 0.1 * generator.normal(size=(50, 16))
    keys, index = index_of(vectors, GRAPH)
    assert recall_against_exact(index, keys, vectors, queries, k=100, ef_search=128) == 1.0


def test_recall_does_not_count_items_that_are_farther_than_the_best():
    vectors = np.arange(1, 11, dtype=np.float32)[:, None]
    keys, _ = index_of(vectors)
    lower = build_index(keys[:8], vectors[:8], factory=FLAT, ef_construction=8)
    recall = recall_against_exact(lower, keys, vectors, np.ones((3, 1)), k=4, ef_search=8)
    assert recall == 0.5


@given(catalogues())
def test_rows_of_equal_vectors_name_the_first(vectors):
    found = first_equal_rows(vectors)
    expected = [int(np.flatnonzero((vectors == vector).all(axis=1))[0]) for vector in vectors]
    assert found.tolist() == expected


def test_vectors_that_differ_in_the_last_bit_are_not_equal():
    vectors = np.array([[1.0], [np.nextafter(np.float32(1), np.float32(2))]], dtype=np.float32)
    assert first_equal_rows(vectors).tolist() == [0, 1]
    assert index_of(vectors)[1].vectors.ntotal == 2


def test_an_item_is_found_by_its_own_key_whatever_its_group():
    groups = group_items(np.array([40, 10, 30, 20]), np.array([40, 10, 40, 10]))
    assert groups.members.tolist() == [40, 30, 10, 20]
    assert groups.group_keys(np.array([20, 30, 40])).tolist() == [10, 40, 40]
    assert groups.sizes.tolist() == [2, 2]


def test_a_vector_is_read_back_for_every_item():
    vectors = np.eye(3, dtype=np.float32)[[1, 1, 2]]
    keys, index = index_of(vectors)
    assert np.array_equal(np.stack([index.reconstruct(int(key)) for key in keys]), vectors)
