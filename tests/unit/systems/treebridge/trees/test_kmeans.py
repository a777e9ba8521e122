import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from grove.errors import DataError
from grove.systems.treebridge.trees import kmeans
from grove.systems.treebridge.trees.kmeans import (
    balanced_kmeans,
    even_sizes,
    group_means,
    kmeans_centroids,
    split_nodes,
)


def mixture(count, seed=0):
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(12, 16))
    vectors = centres[generator.integers(0, 12, size=count)] + generator.normal(size=(count, 16))
    return vectors.astype(np.float32)


def distortion(vectors, labels):
    means = group_means(vectors, labels, labels.max() + 1)
    return ((vectors - means[labels]) ** 2).sum(axis=1).mean()


@given(count=st.integers(1, 80), clusters=st.integers(1, 80), seed=st.integers(0, 50))
@settings(max_examples=40)
def test_sizes_differ_by_at_most_one(count, clusters, seed):
    clusters = min(clusters, count)
    labels = balanced_kmeans(mixture(count, seed), clusters, iterations=3, seed=seed)
    sizes = np.bincount(labels, minlength=clusters)
    assert len(labels) == count
    assert len(sizes) == clusters
    assert sizes.max() - sizes.min() <= 1


def test_equal_input_and_seed_give_equal_labels():
    vectors = mixture(700)
    first = balanced_kmeans(vectors, 9, iterations=5, seed=3)
    assert np.array_equal(first, balanced_kmeans(vectors.copy(), 9, iterations=5, seed=3))


def test_distortion_is_within_five_percent_of_ordinary_kmeans():
    vectors = mixture(3000)
    labels = balanced_kmeans(vectors, 15, iterations=15, seed=0)
    centroids = kmeans_centroids(vectors, 15, iterations=15, seed=0)
    nearest = faiss.knn(vectors, centroids, 1)[1][:, 0]
    assert distortion(vectors, labels) <= 1.05 * distortion(vectors, nearest)


def test_duplicate_vectors_still_balance():
    labels = balanced_kmeans(np.ones((23, 4)), 5, iterations=3, seed=0)
    assert sorted(np.bincount(labels)) == [4, 4, 5, 5, 5]


def test_one_vector_is_one_cluster():
    assert balanced_kmeans(np.ones((1, 4)), 1, iterations=3, seed=0).tolist() == [0]


@pytest.mark.parametrize("clusters", [7, 10, 23])
def test_many_clusters_are_found_in_two_steps(monkeypatch, clusters):
    monkeypatch.setattr(kmeans, "SPLIT_ABOVE", 4)
    labels = balanced_kmeans(mixture(101), clusters, iterations=3, seed=0)
    sizes = np.bincount(labels, minlength=clusters)
    assert sorted(sizes, reverse=True) == even_sizes(101, clusters).tolist()


def test_a_sample_of_many_vectors_is_enough(monkeypatch):
    vectors = mixture(4000)
    whole = distortion(vectors, balanced_kmeans(vectors, 10, iterations=10, seed=0))
    monkeypatch.setattr(kmeans, "SAMPLE_PER_CLUSTER", 64)
    labels = balanced_kmeans(vectors, 10, iterations=10, seed=0)
    assert np.bincount(labels).tolist() == [400] * 10
    assert distortion(vectors, labels) <= 1.1 * whole


@pytest.mark.parametrize(
    ("vectors", "clusters", "message"),
    [
        (np.full((4, 2), np.nan), 2, "not finite"),
        (np.array([[1, 0], [np.inf, 0]]), 1, "not finite"),
        (np.array([[1, 0], [0, 0]]), 1, "zero"),
        (np.ones((3, 2)), 4, "fewer vectors than clusters"),
        (np.ones((3, 2)), 0, "fewer vectors than clusters"),
        (np.empty((0, 2)), 1, "no vectors"),
        (np.ones(3), 1, "no vectors"),
    ],
)
def test_bad_input_is_a_data_error(vectors, clusters, message):
    with pytest.raises(DataError, match=message):
        balanced_kmeans(vectors, clusters, iterations=3, seed=0)


def test_group_means_equal_plain_means():
    vectors, groups = mixture(50), np.arange(50) % 7
    plain = np.stack([vectors[groups == group].mean(axis=0) for group in range(7)])
    assert np.allclose(group_means(vectors, groups, 7), plain, atol=1e-6)


def test_group_means_of_chosen_rows_leave_groups_without_a_member_at_zero():
    vectors = np.arange(8, dtype=np.float32).reshape(4, 2)
    groups, rows = np.array([2, 0, 2]), np.array([1, 3, 2])
    means = group_means(vectors, groups, 4, rows=rows)
    assert means.tolist() == [[6, 7], [0, 0], [3, 4], [0, 0]]
    with pytest.raises(ValueError, match="same length"):
        group_means(vectors, groups, 4)  # the rows are ambiguous


def test_nodes_split_in_parallel_as_they_split_alone():
    vectors, nodes = mixture(400), np.random.default_rng(1).integers(0, 7, size=400)
    children = split_nodes(vectors, nodes, 5, iterations=4, seed=2)
    for node in range(7):
        alone = balanced_kmeans(vectors[nodes == node], 5, iterations=4, seed=2)
        assert np.array_equal(children[nodes == node], alone)


def test_an_error_in_one_node_is_not_lost():
    with pytest.raises(DataError, match="fewer vectors than clusters"):
        split_nodes(mixture(20), np.repeat([0, 1], [17, 3]), 4, iterations=2, seed=0)


def test_nodes_are_split_in_parallel_and_not_their_matmuls(monkeypatch):
    def threads():
        # NumPy's pools. That of FAISS is on OpenMP, which has a number of threads per thread.
        pools = [pool for pool in threadpool_info() if pool.get("threading_layer") == "pthreads"]
        return [pool["num_threads"] for pool in pools]

    seen = []

    def split(vectors, clusters, **_):
        seen.append(threads())
        return np.arange(len(vectors)) % clusters

    monkeypatch.setattr(kmeans, "balanced_kmeans", split)
    with threadpool_limits(2, user_api="blas"):
        split_nodes(mixture(40), np.arange(40) % 4, 2, iterations=3, seed=0)
        after = threads()
    assert after
    assert set(after) == {2}
    assert seen == [[1] * len(after)] * 4
