"""Variants of one product: ranked lists that hold only the best variant of each.

Shapes: U users, N items, L ranks of a list, k items per list.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

NO_ITEM = -1
"""Fills a list that has fewer than k items."""


def product_numbers(product_ids: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Number the product of every item: the row of its first item.

    Args:
        product_ids: [N] strings; an item with null or an empty text is a product of its own.

    Returns:
        [N] int64; items of one product have one number.

    Example:
        >>> product_numbers(pa.array(["shirt", None, "shirt", "", None])).tolist()
        [0, 1, 0, 3, 4]
    """
    rows = np.arange(len(product_ids))
    joined = (
        product_ids.combine_chunks() if isinstance(product_ids, pa.ChunkedArray) else product_ids
    )
    named = pc.fill_null(pc.not_equal(joined, ""), False).to_numpy(zero_copy_only=False)  # [N]
    codes = joined.dictionary_encode().indices.fill_null(-1).to_numpy()  # [N]
    _, first, product = np.unique(codes, return_index=True, return_inverse=True)
    return np.where(named, first[product], rows)


def first_occurrences(values: np.ndarray) -> np.ndarray:
    """Mark the values that do not occur earlier in their row: [U, L] → [U, L] bool."""
    order = np.argsort(values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, 1)
    new = np.ones(values.shape, dtype=bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    first = np.empty_like(new)
    np.put_along_axis(first, order, new, 1)
    return first


def distinct_places(ranked: np.ndarray, k: int, products: np.ndarray | None = None) -> np.ndarray:
    """Positions of the first k items of every list, without repeated items or products.

    Args:
        ranked: [U, L] item rows, best first; −1 for none, at any rank.
        k: items per list.
        products: [N] int64, product of each item; none: items are distinct, products may repeat.

    Returns:
        [U, k] int64 positions, ascending; −1 where the list ran out.

    Example:
        >>> distinct_places(np.array([[2, -1, 0, 2, 1]]), 3).tolist()
        [[0, 2, 4]]
        >>> distinct_places(np.array([[2, -1, 0, 2, 1]]), 3, np.array([0, 1, 0])).tolist()
        [[0, 4, -1]]
    """
    values = ranked if products is None else np.where(ranked < 0, NO_ITEM, products[ranked])
    first = first_occurrences(values) & (ranked != NO_ITEM)  # [U, L]
    rank = np.cumsum(first, axis=1) - 1  # [U, L]
    users, columns = np.nonzero(first & (rank < k))
    places = np.full((len(ranked), k), -1, dtype=np.int64)
    places[users, rank[users, columns]] = columns
    return places


def take_places(values: np.ndarray, places: np.ndarray, missing: float) -> np.ndarray:
    """Values at positions of each row, `missing` for −1: [U, L], [U, k] → [U, k]."""
    taken = np.take_along_axis(values, places.clip(min=0), 1)
    return np.where(places < 0, np.asarray(missing, dtype=values.dtype), taken)


def best_of_products(ranked: np.ndarray, k: int, products: np.ndarray) -> np.ndarray:
    """Keep the best variant of each product: [U, L] item rows → [U, k].

    Example:
        >>> best_of_products(np.array([[3, 1, 2, 0]]), 3, np.array([0, 1, 1, 3])).tolist()
        [[3, 1, 0]]
    """
    return take_places(ranked, distinct_places(ranked, k, products), NO_ITEM)
