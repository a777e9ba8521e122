"""Popularity rankings: the baselines every model has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def popularity_order(item_rows: NDArray[np.int64], item_count: int) -> NDArray[np.int64]:
    """Order all items by how often they occur, most frequent first, ties by row.

    Args:
        item_rows: [E] int64, one entry per event; −1 (an item not in the table) is ignored.
        item_count: N, rows of the item table.

    Returns:
        [N] int64, rows.

    Example:
        >>> popularity_order(np.array([2, 0, 2, -1]), 3).tolist()
        [2, 0, 1]
    """
    counts = np.bincount(item_rows[item_rows >= 0], minlength=item_count)  # [N]
    return np.argsort(-counts, kind="stable").astype(np.int64)


def same_list_for_all(
    order: NDArray[np.int64], excluded: Sequence[NDArray[np.int64]], *, length: int
) -> NDArray[np.int64]:
    """Give every user the same ranking without the items excluded for that user.

    Only the part of the ranking that the user with most exclusions needs is read.

    Args:
        order: [N] int64, the ranking.
        excluded: U arrays of rows a user must not get.
        length: K, items per list.

    Returns:
        [U, K] int64, −1 where the catalogue has ended.

    Example:
        >>> same_list_for_all(np.array([2, 0, 1]), [np.array([2]), np.array([])], length=2).tolist()
        [[0, 1], [2, 0]]
    """
    depth = min(len(order), length + max((len(rows) for rows in excluded), default=0))
    head = order[:depth]  # [H]
    lists = np.full((len(excluded), length), -1, dtype=np.int64)  # [U, K]
    for user, rows in enumerate(excluded):
        kept = head[~np.isin(head, rows)][:length]
        lists[user, : len(kept)] = kept
    return lists
