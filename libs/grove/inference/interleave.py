"""Interleaving of several ranked lists into one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grove.inference.top_k import NO_ITEM


def round_robin(lists: Sequence[np.ndarray], k: int) -> np.ndarray:
    """Interleave the lists round-robin, best item first, without duplicates.

    Source: STARS §5.2, the interleaving of the lists of h_gen and h_next.

    Args:
        lists: each [U, K_l] int64 item rows, best first, −1 for none, without repetition in a row.
        k: items per user in the result.

    Returns:
        [U, k] int64, no item twice in a row; −1 where the lists ran out.

    Example:
        >>> round_robin([np.array([[1, 2, 3]]), np.array([[2, 4, -1]])], k=5).tolist()
        [[1, 2, 4, 3, -1]]
    """
    merged = _interleave(lists)  # [U, L]
    first = _first_occurrence(merged) & (merged != NO_ITEM)  # [U, L]
    rank = np.cumsum(first, axis=1) - 1  # [U, L]
    users, columns = np.nonzero(first & (rank < k))
    fused = np.full((len(merged), k), NO_ITEM, dtype=np.int64)
    fused[users, rank[users, columns]] = merged[users, columns]
    return fused


def fuse_served(*, h_next: np.ndarray, h_gen: np.ndarray, tree: np.ndarray, k: int) -> np.ndarray:
    """Fuse the lists of STARS and TreeBridge into the served list, which is also evaluated.

    The two models are interleaved, STARS first, as their scores are not comparable. The two lists
    of STARS come from one encoder and are similar, so they are interleaved first and share one
    half: otherwise one model would fill two thirds of the list.

    Args:
        h_next: [U, K] item rows ranked by STARS' h_next.
        h_gen: [U, K] item rows ranked by STARS' h_gen.
        tree: [U, K] item rows ranked by TreeBridge.
        k: items per user.

    Returns:
        [U, k] item rows, −1 where the lists ran out.

    Example:
        >>> one, two, three = np.arange(1, 10).reshape(3, 1, 3)
        >>> fuse_served(h_next=one, h_gen=two, tree=three, k=6).tolist()
        [[1, 7, 4, 8, 2, 9]]
    """
    return round_robin([round_robin([h_next, h_gen], k), tree], k)


def _interleave(lists: Sequence[np.ndarray]) -> np.ndarray:
    """[U, lists · longest], the first items of all lists, then the second ones, and so on."""
    longest = max(items.shape[1] for items in lists)
    padded = [
        np.pad(items, ((0, 0), (0, longest - items.shape[1])), constant_values=NO_ITEM)
        for items in lists
    ]
    return np.stack(padded, axis=2).reshape(len(padded[0]), longest * len(padded))


def _first_occurrence(values: np.ndarray) -> np.ndarray:
    """Bool of the same shape: the value does not occur earlier in its row."""
    order = np.argsort(values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, 1)
    new = np.ones(values.shape, dtype=bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    first = np.empty_like(new)
    np.put_along_axis(first, order, new, 1)
    return first
