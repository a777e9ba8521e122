"""Search of an index, and its recall against exact search.

Notation: Q queries, N items, D width, k results.
"""

from __future__ import annotations

import faiss
import numpy as np

from grove.index.build import is_graph

QUERIES_PER_BATCH = 4096
"""Large enough that FAISS scores all vectors of a batch by matmul."""


def search(
    index: faiss.Index, queries: np.ndarray, *, k: int, ef_search: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the items with approximately the largest inner products.

    Args:
        index: from `build_index`.
        queries: [Q, D] float.
        k: results per query.
        ef_search: HNSW candidates while searching, raised to k; other kinds ignore it.

    Returns:
        Keys [Q, k] int64, best first, -1 after the last one found, and inner products
        [Q, k] float32.
    """
    candidates = max(ef_search, k)
    # FAISS's stubs leave this class out.
    graph_parameters = faiss.SearchParametersHNSW  # type: ignore[attr-defined]
    parameters = graph_parameters(efSearch=candidates) if is_graph(index) else None
    dense = np.ascontiguousarray(queries, dtype=np.float32)
    scores, keys = index.search(dense, k, params=parameters)
    return keys, scores


def exact_search(
    keys: np.ndarray, vectors: np.ndarray, queries: np.ndarray, *, k: int
) -> np.ndarray:
    """Find the items with the largest inner products exhaustively.

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
    index: faiss.Index,
    keys: np.ndarray,
    vectors: np.ndarray,
    queries: np.ndarray,
    *,
    k: int,
    ef_search: int,
) -> float:
    """Recall@k: share of the true top k that the index finds, averaged over queries.

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
    truth = exact_search(keys, vectors, queries, k=k)  # [Q, k]
    found, _ = search(index, queries, k=truth.shape[1], ef_search=ef_search)  # [Q, k]
    hits = sum(len(np.intersect1d(*pair)) for pair in zip(found, truth, strict=True))
    return hits / truth.size
