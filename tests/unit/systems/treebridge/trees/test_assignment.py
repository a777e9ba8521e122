import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from grove.systems.treebridge.trees import assignment
from grove.systems.treebridge.trees.assignment import (
    assign_balanced,
    dual_prices,
    nearest_clusters,
)
from grove.systems.treebridge.trees.kmeans import even_sizes


def squared_distances(vectors, centroids):
    return ((vectors[:, None] - centroids[None]) ** 2).sum(axis=-1)


def reference_assign_balanced(vectors, centroids, capacities):
    """The optimum: one column per unit of a cluster's capacity."""
    columns = np.repeat(np.arange(len(capacities)), capacities)
    distances = squared_distances(vectors.astype(np.float64), centroids.astype(np.float64))
    rows, places = linear_sum_assignment(distances[:, columns])
    labels = np.empty(len(vectors), dtype=np.int64)
    labels[rows] = columns[places]
    return labels


@pytest.mark.parametrize("seed", range(5))
def test_cost_is_within_three_percent_of_the_optimum(seed):
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(240, 6)).astype(np.float32)
    centroids = vectors[generator.choice(240, 12, replace=False)]
    labels = assign_balanced(vectors, centroids, even_sizes(240, 12)).labels
    best = reference_assign_balanced(vectors, centroids, even_sizes(240, 12))
    distances, rows = squared_distances(vectors, centroids), np.arange(240)
    assert distances[rows, labels].sum() <= 1.03 * distances[rows, best].sum()


@given(
    count=st.integers(1, 60),
    clusters=st.integers(1, 20),
    distinct=st.integers(1, 60),
    seed=st.integers(0, 99),
)
@settings(max_examples=60)
def test_every_cluster_is_filled_exactly(count, clusters, distinct, seed):
    clusters = min(clusters, count)
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(count, 3)).astype(np.float32)
    vectors = vectors[generator.integers(0, min(distinct, count), size=count)]
    centroids = generator.normal(size=(clusters, 3)).astype(np.float32)
    sizes = np.bincount(
        assign_balanced(vectors, centroids, even_sizes(count, clusters)).labels, minlength=clusters
    )
    assert sorted(sizes, reverse=True) == even_sizes(count, clusters).tolist()


def test_few_candidates_still_fill_exactly(monkeypatch):
    monkeypatch.setattr(assignment, "DENSE_FLOATS", 0)
    monkeypatch.setattr(assignment, "CANDIDATES", 2)
    vectors = np.random.default_rng(0).normal(size=(103, 4)).astype(np.float32)
    # All but one centroid are far away, so two candidates cannot hold all vectors.
    centroids = np.eye(10, 4, dtype=np.float32) + 50 * np.arange(10, dtype=np.float32)[:, None]
    sizes = np.bincount(
        assign_balanced(vectors, centroids, even_sizes(103, 10)).labels, minlength=10
    )
    assert sorted(sizes) == [10] * 7 + [11] * 3


def test_candidates_are_the_nearest_clusters(monkeypatch):
    monkeypatch.setattr(assignment, "DENSE_FLOATS", 0)
    monkeypatch.setattr(assignment, "CANDIDATES", 3)
    generator = np.random.default_rng(1)
    vectors = generator.normal(size=(40, 5)).astype(np.float32)
    centroids = generator.normal(size=(9, 5)).astype(np.float32)
    found = nearest_clusters(vectors, centroids)
    nearest = np.argsort(squared_distances(vectors, centroids), axis=1)[:, :3]
    assert [set(row) for row in found.clusters] == [set(row) for row in nearest]


def test_prices_stay_when_all_clusters_are_alike():
    found = nearest_clusters(np.ones((6, 2), dtype=np.float32), np.zeros((3, 2), dtype=np.float32))
    assert dual_prices(found, np.array([2, 2, 2]), np.zeros(3)).tolist() == [0, 0, 0]


def test_crowded_clusters_have_higher_prices():
    vectors = np.array([[1.0], [1.1], [1.2], [9.0]], dtype=np.float32)
    found = nearest_clusters(vectors, np.array([[1.0], [9.0]], dtype=np.float32))
    prices = dual_prices(found, np.array([2, 2]), np.zeros(2))
    assert prices[0] > prices[1]


@pytest.mark.parametrize("candidates", [5, 12])
def test_sizes_at_the_prices_are_within_a_fifth_of_the_capacities(monkeypatch, candidates):
    monkeypatch.setattr(assignment, "DENSE_FLOATS", 0)
    monkeypatch.setattr(assignment, "CANDIDATES", candidates)
    generator = np.random.default_rng(2)
    vectors = generator.normal(size=(2400, 6)).astype(np.float32)
    found = nearest_clusters(vectors, vectors[:12])
    prices = dual_prices(found, even_sizes(2400, 12), np.zeros(12))
    chosen, _ = found.cheapest(found.costs + found.spread(prices))
    sizes = np.bincount(chosen, minlength=12)
    assert np.abs(sizes - 200).max() <= 40


def test_earlier_prices_give_an_equally_good_assignment():
    generator = np.random.default_rng(3)
    vectors = generator.normal(size=(600, 6)).astype(np.float32)
    first = assign_balanced(vectors, vectors[:12], even_sizes(600, 12))
    again = assign_balanced(vectors, vectors[:12], even_sizes(600, 12), prices=first.prices)
    distances, rows = squared_distances(vectors, vectors[:12]), np.arange(600)
    assert distances[rows, again.labels].sum() <= 1.01 * distances[rows, first.labels].sum()


def test_the_floor_of_the_exponent_changes_no_label(monkeypatch):
    generator = np.random.default_rng(4)
    topics = generator.normal(size=(12, 8)).astype(np.float32)
    vectors = 0.05 * generator.normal(size=(900, 8)).astype(np.float32)
    vectors += topics[generator.choice(12, 900, p=np.arange(1, 13) / 78)]
    floored = assign_balanced(vectors, topics, even_sizes(900, 12)).labels
    monkeypatch.setattr(assignment, "LEAST_EXPONENT", -1e9)
    assert np.array_equal(assign_balanced(vectors, topics, even_sizes(900, 12)).labels, floored)
    monkeypatch.setattr(assignment, "LEAST_EXPONENT", -0.5)  # a floor this high does
    assert not np.array_equal(assign_balanced(vectors, topics, even_sizes(900, 12)).labels, floored)
