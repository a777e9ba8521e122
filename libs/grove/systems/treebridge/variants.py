"""Search of the trees for lists that hold one variant of each product.

Shapes: U users, C candidates, N items, k items per list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from grove.inference.products import NO_ITEM, distinct_places, first_occurrences, take_places
from grove.systems.treebridge.beam import Candidates
from grove.systems.treebridge.fusion import RankedList

GROWTH = 4
"""Factor by which a search widens until it has found enough products."""


def search_products(
    search: Callable[[int], dict[str, Candidates]], products: np.ndarray, k: int
) -> dict[str, Candidates]:
    """Widen a search of the trees until every user has candidates of k products in each tree.

    A user with fewer allowed products gets all of them: k times the items of the largest product
    hold k products, or they are all that the user may get.

    Args:
        search: least number of candidates per user and tree → candidates by tree.
        products: [N] int64, product of each item.
        k: products per user.

    Returns:
        The candidates of the last search, by tree.
    """
    most = min(k * int(np.bincount(products).max()), len(products))
    minimum = min(k, most)
    while True:
        found = search(minimum)
        if minimum == most or _enough(found.values(), products, k, minimum):
            return found
        minimum = min(GROWTH * minimum, most)


def best_variants(ranked: RankedList, k: int, products: np.ndarray) -> RankedList:
    """Keep the best variant of each product: rows and scores [U, C] → [U, k] each."""
    rows, scores = ranked
    places = distinct_places(rows, k, products)  # [U, k]
    return take_places(rows, places, NO_ITEM), take_places(scores, places, 0)


def _enough(trees: Iterable[Candidates], products: np.ndarray, k: int, minimum: int) -> bool:
    """Whether every user has k products in each tree, or every item that the user may get."""
    return all(_users_done(tree.rows.numpy(), products, k, minimum).all() for tree in trees)


def _users_done(rows: np.ndarray, products: np.ndarray, k: int, minimum: int) -> np.ndarray:
    """[U] bool of one tree's candidates [U, C]."""
    found = rows != NO_ITEM  # [U, C]
    numbers = np.where(found, products[rows], NO_ITEM)
    distinct = (first_occurrences(numbers) & found).sum(axis=1)
    # Fewer candidates than the minimum are all that there are.
    return np.asarray((distinct >= k) | (found.sum(axis=1) < minimum))
