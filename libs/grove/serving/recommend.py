"""Recommendation for one user: two vectors in the index, a generator over the trees, one list."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from grove.errors import DataError
from grove.index import search
from grove.inference.interleave import fuse_served
from grove.inference.products import best_of_products
from grove.serving.reader import ReleaseReader
from grove.systems.treebridge.search import SearchFilters

FIRST_FETCH = 4
"""First size of an index search, as a multiple of k; doubled until filters leave k items."""
LABELS = {"h_next": "next", "h_gen": "general", "tree": "tree", "popular": "popular"}
"""Name of every list in the output."""


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """One recommended item, for display."""

    item_id: str
    title: str
    brand: str | None
    price: float | None
    found_by: tuple[str, ...]
    """Labels of the lists that hold it: next, general, tree; or popular."""


def recommend(
    reader: ReleaseReader,
    user_id: str,
    *,
    k: int,
    region: str | None = None,
    keyword_vector: np.ndarray | None = None,
) -> list[Recommendation]:
    """Recommend k items to a user.

    Every list is filtered before the lists are fused, so a user gets k items whenever k eligible
    ones exist, or k products where lists hold one variant of each. A user without a history gets
    the most popular eligible items, with or without a keyword: the generator needs a history.

    Source: STARS §5.2 for the two vectors and their interleaving; TreeBridge, Tree Encoder
    Generation, for the beam.

    Args:
        reader: an open release.
        user_id: the user.
        k: number of items.
        region: the user's region; none: that of the user's newest event.
        keyword_vector: [E] float, the user's search text, embedded like item texts.

    Returns:
        Up to k items, best first.

    Raises:
        DataError: k is below 1; or, for a user with a history, the keyword's vector is not finite
            or of another encoder.
    """
    if k < 1:
        raise DataError(
            "k must be at least 1",
            where="recommend",
            expected="k of at least 1",
            found=f"k = {k}",
            next_step="ask for at least one item",
        )
    history = reader.history_of(user_id)
    eligible = eligible_items(reader.items, region or last_region(history))
    if not history.num_rows:
        popular = _popular(reader, eligible, k)
        return [_shown(reader.items, int(row), {"popular": popular}) for row in popular[0]]
    lists = _personal_lists(reader, history, eligible, k, keyword_vector)
    rows = fuse_served(**lists, k=k, products=reader.products)
    return [_shown(reader.items, int(row), lists) for row in rows[0] if row >= 0]


def eligible_items(items: pa.Table, region: str | None) -> np.ndarray:
    """Items that can be sold in a region now.

    Args:
        items: N rows with stock and regions.
        region: none: everywhere.

    Returns:
        [N] bool: in stock, or of unknown stock; sold in the region, or without a list of regions.
    """
    stock = pc.fill_null(items["stock"], 1).to_numpy()
    in_stock = stock > 0
    if region is None:
        return np.asarray(in_stock)
    sold = [not regions or region in regions for regions in items["regions"].to_pylist()]
    return np.asarray(in_stock & np.array(sold, dtype=bool))


def last_region(history: pa.Table) -> str | None:
    """Region of a user's newest event; none where it is unknown."""
    if not history.num_rows or not len(history["regions"][0]):
        return None
    return history["regions"][0][-1].as_py() or None


def _personal_lists(
    reader: ReleaseReader,
    history: pa.Table,
    eligible: np.ndarray,
    k: int,
    keyword_vector: np.ndarray | None,
) -> dict[str, np.ndarray]:
    user_id = history["user_id"][0]
    nothing = np.zeros(0, dtype=np.int64)
    excluded = nothing if reader.keeps_seen_items else reader.seen_by(user_id.as_py())
    allowed = eligible.copy()
    allowed[excluded] = False
    user = reader.user_embeddings.filter(pc.equal(reader.user_embeddings["user_id"], user_id))
    tree, _ = reader.searcher.recommend(
        history,
        k=k,
        filters=SearchFilters(
            eligible=eligible,
            excluded=[excluded],
            keyword_vectors=None if keyword_vector is None else keyword_vector[None],
            products=reader.products,
        ),
    )
    return {
        "h_next": nearest_allowed(reader, _vector(user, "h_next"), allowed, k),
        "h_gen": nearest_allowed(reader, _vector(user, "h_gen"), allowed, k),
        "tree": tree,
    }


def nearest_allowed(
    reader: ReleaseReader, query: np.ndarray, allowed: np.ndarray, k: int
) -> np.ndarray:
    """Nearest items of a vector that pass the filters.

    Equal scores are in the order of the release's items. Where lists hold one variant of each
    product, it is the nearest one.

    Args:
        reader: an open release.
        query: [1, D] float32.
        allowed: [N] bool.
        k: number of items.

    Returns:
        [1, k] item rows, −1 after the last item that is allowed and in the index.
    """
    total = reader.index.ntotal
    fetch = min(total, max(FIRST_FETCH * k, 1))
    while True:
        keys, _ = search(reader.index, query, k=fetch, ef_search=reader.ef_search)
        rows = reader.rows_of_keys(keys[0])
        rows = rows[rows >= 0]
        kept = _first_variants(rows[allowed[rows]], reader.products, k)
        if len(kept) == k or fetch == total:
            return np.pad(kept, (0, k - len(kept)), constant_values=-1)[None]
        fetch = min(total, 2 * fetch)


def _vector(user: pa.Table, column: str) -> np.ndarray:
    return np.array(user[column].to_pylist(), dtype=np.float32)  # [1, D]


def _popular(reader: ReleaseReader, eligible: np.ndarray, k: int) -> np.ndarray:
    """[1, at most k] item rows, most frequent first, ties by row."""
    order = np.argsort(-reader.popularity, kind="stable")
    return _first_variants(order[eligible[order]], reader.products, k)[None]


def _first_variants(rows: np.ndarray, products: np.ndarray | None, k: int) -> np.ndarray:
    """First k item rows, of one product the first only: [L] → [at most k]."""
    if products is None:
        return rows[:k]
    kept = best_of_products(rows[None], k, products)[0]
    return kept[kept >= 0]


def _shown(items: pa.Table, row: int, lists: dict[str, np.ndarray]) -> Recommendation:
    shown = items.slice(row, 1).to_pylist()[0]
    return Recommendation(
        item_id=shown["item_id"],
        title=shown["title"],
        brand=shown["brand"],
        price=shown["price"],
        found_by=tuple(LABELS[name] for name, rows in lists.items() if row in rows[0]),
    )
