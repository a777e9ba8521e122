"""K-means with clusters of equal size, and the ordinary one for codebooks.

Notation: N vectors, K clusters, D width.
"""

from __future__ import annotations

from collections.abc import Sequence

import faiss
import numpy as np
from scipy.sparse import csr_matrix

from grove.errors import DataError
from grove.systems.treebridge.trees.assignment import assign_balanced
from grove.systems.treebridge.trees.requirements import require_vectors
from grove.systems.treebridge.trees.threads import side_by_side

SAMPLE_PER_CLUSTER = 256
"""Vectors per cluster of the sample on which centroids are found, FAISS's own bound."""
BALANCED_ROUNDS = 7
"""Lloyd rounds with exact balance, after the ordinary ones."""
ORDINARY_SHARE = 0.5
"""Share of `iterations` that is spent before balancing, which moves the centroids anyway."""
SPLIT_ABOVE = 1024
"""More clusters than this are found in two steps, so that the cost stays below N x K."""


def balanced_kmeans(
    vectors: np.ndarray,
    clusters: int,
    *,
    iterations: int,
    seed: int,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Split vectors into clusters whose sizes differ by at most one.

    Ordinary k-means finds the dense regions; a few rounds of balanced assignment and new means
    then move the centroids to where clusters of equal size are cheap.

    Source: TreeBridge, Tree Encoder Generation, "Balanced k-means". Deviation: sizes differ by
    one where the paper inserts empty placeholders.

    Args:
        vectors: [N, D] float, finite, no zero vector.
        clusters: K, 1 <= K <= N.
        iterations: Lloyd rounds of ordinary k-means; half of them are run, and `BALANCED_ROUNDS`
            balanced ones replace the other half.
        seed: seed of the first centroids and of samples.
        start: [K, D] first centroids, from which the balanced rounds continue; cluster k stays
            near centroid k. None: they are found.

    Returns:
        [N] int64 cluster of each vector; equal input and seed give equal labels.

    Raises:
        DataError: a vector is not finite or zero, or there are fewer vectors than clusters.

    Example:
        >>> corners = np.array([[0, 1], [0, 2], [5, 1], [5, 2]], dtype=np.float32)
        >>> labels = balanced_kmeans(corners, 2, iterations=5, seed=0)
        >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
        True
    """
    dense = require_vectors(vectors)
    if not 1 <= clusters <= len(dense):
        raise DataError(
            "fewer vectors than clusters",
            where="balanced k-means",
            expected=f"between 1 and {len(dense)} clusters for {len(dense)} vectors",
            found=f"{clusters} clusters",
            next_step="use fewer codes per level (setting trees.level_sizes)",
        )
    sizes = even_sizes(len(dense), clusters)
    if start is not None:
        sample = _sample(dense, SAMPLE_PER_CLUSTER * clusters, seed=seed)  # [S, D]
        return _balance(dense, sample, start, sizes)
    return _split(dense, sizes, iterations=iterations, seed=seed)


def split_nodes(
    vectors: np.ndarray,
    nodes: np.ndarray,
    clusters: int,
    *,
    iterations: int,
    seed: int,
    starts: Sequence[np.ndarray | None] | None = None,
) -> np.ndarray:
    """Split the vectors of every node by `balanced_kmeans`, the nodes in parallel.

    The result does not depend on the number of cores; see `side_by_side`.

    Args:
        vectors: [N, D] float32.
        nodes: [N] int64 in 0..P-1; every node has at least K vectors.
        clusters: K, of each node.
        iterations: see `balanced_kmeans`.
        seed: of every node.
        starts: [K, D] first centroids of each node's clusters; none where they are to be found.

    Returns:
        [N] int64 in 0..K-1, the cluster of each vector within its node.
    """
    begin = starts or [None] * (int(nodes.max()) + 1)
    members = members_of_nodes(nodes)
    labels = np.empty(len(nodes), dtype=np.int64)

    def split(rows: np.ndarray, start: np.ndarray | None) -> None:
        labels[rows] = balanced_kmeans(
            vectors[rows], clusters, iterations=iterations, seed=seed, start=start
        )

    side_by_side(split, members, begin)
    return labels


def members_of_nodes(nodes: np.ndarray) -> list[np.ndarray]:
    """Rows of every node, in order, for nodes [N] int64 in 0..P-1.

    Example:
        >>> [rows.tolist() for rows in members_of_nodes(np.array([1, 0, 1]))]
        [[1], [0, 2]]
    """
    order = np.argsort(nodes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(nodes))[:-1])


def even_sizes(total: int, parts: int) -> np.ndarray:
    """Sizes of `parts` shares of `total` that differ by at most one, larger first, [parts].

    Example:
        >>> even_sizes(7, 3).tolist()
        [3, 2, 2]
    """
    return np.arange(total + parts - 1, total - 1, -1) // parts


def kmeans_centroids(
    vectors: np.ndarray, clusters: int, *, iterations: int, seed: int
) -> np.ndarray:
    """Find the centroids of ordinary k-means.

    Args:
        vectors: [N, D] float32; FAISS draws a sample when there are more than
            `SAMPLE_PER_CLUSTER` per cluster.
        clusters: K <= N.
        iterations: Lloyd rounds.
        seed: seed of the first centroids.

    Returns:
        [K, D] float32.
    """
    if clusters == 1:
        return vectors.mean(axis=0, keepdims=True)  # [1, D]
    clustering = faiss.Kmeans(
        vectors.shape[1],
        clusters,
        niter=iterations,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=SAMPLE_PER_CLUSTER,
    )
    clustering.train(vectors)
    return np.asarray(clustering.centroids)  # [K, D]


def group_means(
    vectors: np.ndarray, groups: np.ndarray, count: int, *, rows: np.ndarray | None = None
) -> np.ndarray:
    """Mean vector of every group.

    Args:
        vectors: [N, D] float32.
        groups: [M] int64 in 0..count-1.
        count: number of groups, G.
        rows: [M] int64, the vector of each member; none: all of them in order.

    Returns:
        [G, D] float32; zeros for a group without a member.
    """
    members = np.arange(len(vectors)) if rows is None else rows
    sizes = np.bincount(groups, minlength=count)  # [G]
    weights = (1.0 / sizes[groups]).astype(np.float32)  # [M]
    averaging = csr_matrix((weights, (groups, members)), (count, len(vectors)))
    return np.asarray(averaging @ vectors)  # [G, D]


def _split(vectors: np.ndarray, sizes: np.ndarray, *, iterations: int, seed: int) -> np.ndarray:
    """Split into clusters of the given sizes; in two steps when they are many."""
    if len(sizes) > SPLIT_ABOVE:
        return _split_in_two_steps(vectors, sizes, iterations=iterations, seed=seed)
    if len(sizes) == len(vectors):
        return np.arange(len(vectors))
    sample = _sample(vectors, SAMPLE_PER_CLUSTER * len(sizes), seed=seed)  # [S, D]
    ordinary = max(1, round(iterations * ORDINARY_SHARE))
    centroids = kmeans_centroids(sample, len(sizes), iterations=ordinary, seed=seed)
    return _balance(vectors, sample, centroids, sizes)


def _balance(
    vectors: np.ndarray, sample: np.ndarray, centroids: np.ndarray, sizes: np.ndarray
) -> np.ndarray:
    """Assign at the given sizes, after rounds of assignment and new means on a sample: [N]."""
    sample_sizes = even_sizes(len(sample), len(sizes)) if len(sample) < len(vectors) else sizes
    prices: np.ndarray | None = None
    for _ in range(BALANCED_ROUNDS):
        # Centroids move little between rounds, so the last prices are a good start.
        found = assign_balanced(sample, centroids, sample_sizes, prices=prices)
        centroids, prices = group_means(sample, found.labels, len(sizes)), found.prices
    return assign_balanced(vectors, centroids, sizes, prices=prices).labels


def _split_in_two_steps(
    vectors: np.ndarray, sizes: np.ndarray, *, iterations: int, seed: int
) -> np.ndarray:
    """Split into about √K groups of clusters, then each group into its clusters."""
    first_of_group = np.cumsum(
        np.concatenate([[0], even_sizes(len(sizes), round(len(sizes) ** 0.5))])
    )
    group_sizes = np.add.reduceat(sizes, first_of_group[:-1])
    groups = _split(vectors, group_sizes, iterations=iterations, seed=seed)
    labels = np.empty(len(vectors), dtype=np.int64)
    # Balancing may give a group another size than the sum it was made for: pair them by size.
    filled = np.bincount(groups, minlength=len(group_sizes))
    order = np.argsort(-filled, kind="stable")
    for group, position in zip(order, np.argsort(-group_sizes, kind="stable"), strict=True):
        members = np.flatnonzero(groups == group)
        span = slice(first_of_group[position], first_of_group[position + 1])
        labels[members] = first_of_group[position] + _split(
            vectors[members], sizes[span], iterations=iterations, seed=seed
        )
    return labels


def _sample(vectors: np.ndarray, at_most: int, *, seed: int) -> np.ndarray:
    if len(vectors) <= at_most:
        return vectors
    rows = np.random.default_rng(seed).choice(len(vectors), at_most, replace=False)
    return vectors[np.sort(rows)]
