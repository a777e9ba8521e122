"""Exact top K by dot product, in pieces that fit in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix

from grove.inference.products import NO_ITEM

USERS_PER_PIECE = 512


def top_k(
    user_vectors: np.ndarray | csr_matrix,
    item_vectors: np.ndarray,
    *,
    k: int,
    excluded: Sequence[np.ndarray] | None = None,
    eligible: np.ndarray | None = None,
    products: np.ndarray | None = None,
) -> np.ndarray:
    """Rank all items for every user by dot product and keep the k best.

    Items with equal vectors have equal scores and are neighbours in a list, ordered by row.

    Args:
        user_vectors: [U, D] float, dense or sparse.
        item_vectors: [N, D] float.
        k: items per user.
        excluded: U arrays of item rows that the user must not get; none: nothing is excluded.
        eligible: [N] bool, items that anyone may get; none: all.
        products: [N] int64, product of each item: a list holds the best allowed item of each
            product, the first of equal ones; none: all items.

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
        if products is not None:
            scores = _without_worse_variants(scores, products)
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


def _without_worse_variants(scores: np.ndarray, products: np.ndarray) -> np.ndarray:
    """Scores [u, N] in which only the first best item of each product is above −infinity."""
    # Items of one product are made neighbours: one `reduceat` then finds the best of each product.
    order = np.argsort(products, kind="stable")  # [N]
    starts = np.flatnonzero(np.diff(products[order], prepend=-1))  # [P]
    ordered = scores[:, order]  # [u, N]
    best = np.maximum.reduceat(ordered, starts, axis=1)  # [u, P]
    is_best = ordered == np.repeat(best, np.diff(starts, append=len(order)), axis=1)  # [u, N]
    places = np.where(is_best, np.arange(len(order)), len(order))  # [u, N]
    kept = order[np.minimum.reduceat(places, starts, axis=1)]  # [u, P]
    remaining = np.full_like(scores, -np.inf)
    np.put_along_axis(remaining, kept, best, 1)
    return remaining
