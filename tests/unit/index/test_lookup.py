import numpy as np
import pytest

from grove.index import build_index, exact_search, item_keys, recall_against_exact, search

HNSW = "IDMap2,HNSW32"
EF = 128


def pairs(count, width=8, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    return item_keys([f"item-{number}" for number in range(count)]), vectors


def queries_of(count, width=8):
    return np.random.default_rng(5).normal(size=(count, width)).astype(np.float32)


def reference_exact_search(keys, vectors, queries, k):
    return keys[np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :k]]


def test_exact_search_equals_a_full_sort(monkeypatch):
    monkeypatch.setattr("grove.index.lookup.QUERIES_PER_BATCH", 7)
    keys, vectors = pairs(200)
    found = exact_search(keys, vectors, queries_of(30), k=10)
    assert np.array_equal(found, reference_exact_search(keys, vectors, queries_of(30), 10))


@pytest.mark.parametrize("count", [1, 2, 5, 30, 99, 100, 101, 400])
def test_a_tiny_graph_misses_almost_nothing(count):
    keys, vectors = pairs(count)
    index = build_index(keys, vectors, factory=HNSW, ef_construction=80)
    assert recall_against_exact(index, keys, vectors, queries_of(300), k=100, ef_search=EF) >= 0.99


def test_recall_counts_missing_results():
    keys, vectors = pairs(100)
    half = build_index(keys[:50], vectors[:50], factory="IDMap2,Flat", ef_construction=8)
    recall = recall_against_exact(half, keys, vectors, queries_of(500), k=10, ef_search=EF)
    truth = reference_exact_search(keys, vectors, queries_of(500), 10)
    assert recall == pytest.approx(np.isin(truth, keys[:50]).mean())


def test_search_returns_keys_best_first_and_marks_the_end():
    keys, vectors = pairs(3)
    index = build_index(keys, vectors, factory=HNSW, ef_construction=80)
    found, scores = search(index, queries_of(1), k=5, ef_search=EF)
    assert np.array_equal(found[:, :3], reference_exact_search(keys, vectors, queries_of(1), 3))
    assert found[0, 3:].tolist() == [-1, -1]
    assert (np.diff(scores[0, :3]) <= 0).all()


def test_equal_vectors_are_all_found():
    keys, _ = pairs(60)
    index = build_index(keys, np.ones((60, 4)), factory=HNSW, ef_construction=80)
    found, _ = search(index, np.ones((1, 4)), k=60, ef_search=EF)
    assert sorted(found[0]) == sorted(keys)
