"""One codebook per level, shared by all nodes of the level, and the assignment of its codes.

Notation: N items, P parents, K codes of a level, D width.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from grove.systems.treebridge.trees.kmeans import SAMPLE_PER_CLUSTER, kmeans_centroids


def residual_codebook(
    vectors: np.ndarray,
    parent_means: np.ndarray,
    parents: np.ndarray,
    *,
    codes: int,
    iterations: int,
    seed: int,
) -> np.ndarray:
    """Cluster the residuals to the parents' means, over the items of all parents.

    Formula: RV_{i,l} = V_i − Centroid(C_{i,l−1}).

    Source: TreeBridge, Tree Encoder Generation, "RV-Kmeans Refinement". The paper leaves the
    centroid above the first level open; here it is zero, so level one clusters the vectors
    themselves. As in FAISS, k-means runs on a sample of the items.

    Args:
        vectors: [N, D] float32.
        parent_means: [P, D] float32.
        parents: [N] int64, the parent of each item.
        codes: K.
        iterations: k-means rounds.
        seed: seed of the sample and of the first centroids.

    Returns:
        [K, D] float32.
    """
    count = min(len(vectors), SAMPLE_PER_CLUSTER * codes)
    rows = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:count])  # [S]
    residuals = vectors[rows] - parent_means[parents[rows]]  # [S, D]
    return kmeans_centroids(residuals, codes, iterations=iterations, seed=seed)


def distinct_codes(offsets: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """Give each node a code near its offset, distinct among siblings.

    With the nearest code for every node, two siblings may get one code; their subtrees would merge
    and a path could hold more than τ items. A linear assignment per parent keeps codes distinct at
    the least total distance.

    Source: TreeBridge, Tree Encoder Generation, "Code Reassignment". Deviation: distinct codes
    where the paper takes the nearest.

    Args:
        offsets: [P, K, D] float32, mean of a node less the mean of its parent.
        codebook: [K, D] float32.

    Returns:
        [P, K] int64; each row is a permutation of the K codes.

    Example:
        >>> distinct_codes(np.array([[[0.1], [0.2]]]), np.array([[0.0], [1.0]])).tolist()
        [[0, 1]]
    """
    codes = np.empty(offsets.shape[:2], dtype=np.int64)  # [P, K]
    squared_norms = np.einsum("kd,kd->k", codebook, codebook)  # [K]
    for parent, siblings in enumerate(offsets):
        # A sibling's own norm is the same for every code, so it cannot change the choice.
        costs = squared_norms - 2 * (siblings @ codebook.T)  # [K, K]
        codes[parent] = linear_sum_assignment(costs)[1]
    return codes


def renaming_to_overlap(
    codes: np.ndarray,
    previous_codes: np.ndarray,
    same_prefix: np.ndarray,
    *,
    size: int,
    previous_size: int,
) -> np.ndarray:
    """Rename the codes of a level so that most items keep their code.

    A codebook's order has no meaning, so any permutation of a whole level is free. Items whose
    path above is unchanged count first: only they can keep their whole path.

    Args:
        codes: [C] int64, new codes of the items both trees hold.
        previous_codes: [C] int64, their old codes.
        same_prefix: [C] bool, the levels above have the same codes in both trees.
        size: K, codes of this level in the new tree.
        previous_size: the same in the old tree.

    Returns:
        [K] int64, a permutation: the new name of each new code.

    Example:
        >>> kept = np.array([True, True])
        >>> codes, previous = np.array([0, 1]), np.array([1, 0])
        >>> renaming_to_overlap(codes, previous, kept, size=2, previous_size=2).tolist()
        [1, 0]
    """
    # All other items together weigh less than one item with a kept prefix.
    weights = np.where(same_prefix, 1.0, 0.5 / (len(codes) + 1))  # [C]
    overlap = np.bincount(
        codes * previous_size + previous_codes, weights=weights, minlength=size * previous_size
    ).reshape(size, previous_size)  # [K, K of the old tree]
    # Names beyond the new level's size are cut first, so that they cannot take a code's best match.
    old_code, new_code = linear_sum_assignment(overlap[:, :size].T, maximize=True)
    names = np.full(size, -1, dtype=np.int64)
    names[new_code] = old_code
    names[names < 0] = np.setdiff1d(np.arange(size), names)
    return names
