"""Search of an index, and its recall against exact search.

Notation: Q queries, N items, G distinct vectors, D width, k results.
"""

from __future__ import annotations

import faiss
import numpy as np

from grove.index.build import ItemIndex
from grove.index.keys import RowsByKey

QUERIES_PER_BATCH = 4096
"""Large enough that FAISS scores all vectors of a batch by matmul."""
QUERIES_PER_COMPARISON = 256
"""Queries whose results are scored together: their vectors take Q · k · D numbers."""


def search(
    index: ItemIndex, queries: np.ndarray, *, k: int, ef_search: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the items with approximately the largest inner products.

    The k best distinct vectors are found and expanded to their items, so a result has k items
    whenever the index returns k. Equal scores are in the order in which `build_index` got the
    items: in a release by item id, as in `grove.inference.top_k`.

    Args:
        index: from `build_index`.
        queries: [Q, D] float.
        k: results per query.
        ef_search: HNSW candidates while searching, raised to k; other kinds ignore it.

    Returns:
        Keys [Q, k] int64, best first, -1 after the last one found, and inner products
        [Q, k] float32.
    """
    # FAISS's stubs leave this class out.
    graph_parameters = faiss.SearchParametersHNSW  # type: ignore[attr-defined]
    parameters = graph_parameters(efSearch=max(ef_search, k)) if index.is_graph else None
    dense = np.ascontiguousarray(queries, dtype=np.float32)
    distinct = min(k, index.vectors.ntotal)
    scores, keys = index.vectors.search(dense, distinct, params=parameters)  # [Q, min(k, G)]
    return index.groups.expand(keys, scores, k)


def exact_search(
    keys: np.ndarray, vectors: np.ndarray, queries: np.ndarray, *, k: int
) -> np.ndarray:
    """Find the items with the largest inner products exhaustively.

    Which of several items with one score are found, and in what order, is FAISS's choice.

    Args:
        keys: [N] int64.
        vectors: [N, D] float32.
        queries: [Q, D] float32.
        k: results per query.

    Returns:
        [Q, min(k, N)] int64 keys, best first.
    """
    dense = np.ascontiguousarray(vectors, dtype=np.float32)
    found = [
        faiss.knn(
            np.ascontiguousarray(queries[start : start + QUERIES_PER_BATCH], dtype=np.float32),
            dense,
            min(k, len(dense)),
            metric=faiss.METRIC_INNER_PRODUCT,
        )[1]
        for start in range(0, len(queries), QUERIES_PER_BATCH)
    ]
    return keys[np.concatenate(found)]


def recall_against_exact(
    index: ItemIndex,
    keys: np.ndarray,
    vectors: np.ndarray,
    queries: np.ndarray,
    *,
    k: int,
    ef_search: int,
) -> float:
    """Recall@k by score: share of a result that is as near as the true top k.

    Formula: 1/(Q·k) · Σ_q |{i ∈ found(q) : ⟨q, x_i⟩ ≥ s_k(q) − t(q)}|, where s_k(q) is the k-th
    largest inner product and t(q) = D · 2⁻²³ · ‖q‖ · max ‖x‖ bounds the rounding of two float32
    inner products. Without equal scores this is the share of the true top k that is found. With
    them the true top k is not unique, and every item as near as its last one counts.

    Args:
        index: from `build_index` over `keys` and `vectors`.
        keys: [N] int64.
        vectors: [N, D] float32.
        queries: [Q, D] float32, Q at least 1.
        k: results per query; all N when there are fewer items.
        ef_search: as in `search`.

    Returns:
        Recall@k in [0, 1].
    """
    dense = np.asarray(vectors, dtype=np.float32)
    truth = exact_search(keys, dense, queries, k=k)  # [Q, k]
    found, _ = search(index, queries, k=truth.shape[1], ef_search=ef_search)  # [Q, k]
    by_key = RowsByKey(keys)
    rows, last = by_key.find(found), by_key.find(truth[:, -1:])  # [Q, k], [Q, 1]
    rounding = dense.shape[1] * 2.0**-23 * float(np.linalg.norm(dense, axis=1).max())
    hits = 0
    for start in range(0, len(queries), QUERIES_PER_COMPARISON):
        piece = slice(start, start + QUERIES_PER_COMPARISON)
        asked = np.asarray(queries[piece], dtype=np.float32)
        least = _inner_products(asked, dense, last[piece])  # [q, 1]
        tolerance = rounding * np.linalg.norm(asked, axis=1, keepdims=True)  # [q, 1]
        near = _inner_products(asked, dense, rows[piece]) >= least - tolerance
        hits += int((near & (rows[piece] >= 0)).sum())
    return hits / truth.size


def _inner_products(queries: np.ndarray, vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Inner products of each query [q, D] with its rows [q, k] of the vectors: [q, k]."""
    return np.asarray(np.einsum("qd,qkd->qk", queries, vectors[rows]))
