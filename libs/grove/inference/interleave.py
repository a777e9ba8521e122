"""Interleaving of several ranked lists into one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grove.inference.products import NO_ITEM, distinct_places, take_places


def round_robin(
    lists: Sequence[np.ndarray], k: int, *, products: np.ndarray | None = None
) -> np.ndarray:
    """Interleave the lists round-robin, best item first, without duplicates.

    Source: STARS §5.2, the interleaving of the lists of h_gen and h_next.

    Args:
        lists: each [U, K_l] int64 item rows, best first, −1 for none, without repetition in a row.
        k: items per user in the result.
        products: [N] int64, product of each item, of which only the first is kept; none: all items.

    Returns:
        [U, k] int64, no item twice in a row; −1 where the lists ran out.

    Example:
        >>> round_robin([np.array([[1, 2, 3]]), np.array([[2, 4, -1]])], k=5).tolist()
        [[1, 2, 4, 3, -1]]
    """
    merged = _interleave(lists)  # [U, L]
    return take_places(merged, distinct_places(merged, k, products), NO_ITEM)


def fuse_served(
    *,
    h_next: np.ndarray,
    h_gen: np.ndarray,
    tree: np.ndarray,
    k: int,
    products: np.ndarray | None = None,
) -> np.ndarray:
    """Fuse the lists of STARS and TreeBridge into the served list, which is also evaluated.

    The two models are interleaved, STARS first, as their scores are not comparable. The two lists
    of STARS come from one encoder and are similar, so they are interleaved first and share one
    half: otherwise one model would fill two thirds of the list.

    Args:
        h_next: [U, K] item rows ranked by STARS' h_next.
        h_gen: [U, K] item rows ranked by STARS' h_gen.
        tree: [U, K] item rows ranked by TreeBridge.
        k: items per user.
        products: as in `round_robin`; each list must then hold K products.

    Returns:
        [U, k] item rows, −1 where the lists ran out.

    Example:
        >>> one, two, three = np.arange(1, 10).reshape(3, 1, 3)
        >>> fuse_served(h_next=one, h_gen=two, tree=three, k=6).tolist()
        [[1, 7, 4, 8, 2, 9]]
    """
    stars = round_robin([h_next, h_gen], k, products=products)
    return round_robin([stars, tree], k, products=products)


def _interleave(lists: Sequence[np.ndarray]) -> np.ndarray:
    """[U, lists · longest], the first items of all lists, then the second ones, and so on."""
    longest = max(items.shape[1] for items in lists)
    padded = [
        np.pad(items, ((0, 0), (0, longest - items.shape[1])), constant_values=NO_ITEM)
        for items in lists
    ]
    return np.stack(padded, axis=2).reshape(len(padded[0]), longest * len(padded))
