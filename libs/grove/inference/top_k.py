"""Exact top K by dot product, in pieces that fit in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix

NO_ITEM = -1
"""Fills a list that has fewer than k items."""
USERS_PER_PIECE = 512


def top_k(
    user_vectors: np.ndarray | csr_matrix,
    item_vectors: np.ndarray,
    *,
    k: int,
    excluded: Sequence[np.ndarray] | None = None,
    eligible: np.ndarray | None = None,
) -> np.ndarray:
    """Rank all items for every user by dot product and keep the k best.

    Args:
        user_vectors: [U, D] float, dense or sparse.
        item_vectors: [N, D] float.
        k: items per user.
        excluded: U arrays of item rows that the user must not get; none: nothing is excluded.
        eligible: [N] bool, items that anyone may get; none: all.

    Returns:
        [U, k] int64 item rows, best first, equal scores by row; −1 after the last item.

    Example:
        >>> top_k(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [2.0, 0.0]]), k=3).tolist()
        [[1, 0, -1]]
    """
    ranked = np.full((user_vectors.shape[0], k), NO_ITEM, dtype=np.int64)
    for start in range(0, user_vectors.shape[0], USERS_PER_PIECE):
        users = slice(start, start + USERS_PER_PIECE)
        scores = user_vectors[users] @ item_vectors.T  # [u, N]
        if eligible is not None:
            scores[:, ~eligible] = -np.inf
        for row, items in enumerate(excluded[users] if excluded is not None else ()):
            scores[row, items] = -np.inf
        best = _best(scores, min(k, scores.shape[1]))
        ranked[users, : best.shape[1]] = best
    return ranked


def _best(scores: np.ndarray, k: int) -> np.ndarray:
    """[u, k] columns of the largest scores in order; −1 for scores of −infinity."""
    if k < scores.shape[1]:
        threshold = -np.partition(-scores, k - 1, axis=1)[:, k - 1 : k]  # [u, 1]
        scores = np.where(scores >= threshold, scores, -np.inf)
    # A stable sort of all columns orders equal scores by row; after the cut few are finite.
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.where(np.isneginf(np.take_along_axis(scores, order, 1)), NO_ITEM, order)
