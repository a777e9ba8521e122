"""EASE^R: a linear item-item model in closed form, the strongest baseline without a sequence.

It is not the "EASE" of TreeBridge's tables, an adapter on text vectors.

An item's score for a user is the summed weight of the items in the user's history:
`history_matrix` times `ease_weights`, which `grove.inference.top_k.top_k` ranks as it does users'
and items' vectors. A user without a history gets score 0 for every item and needs another list.

Shapes: U users, N items. An item is a row of the item table; −1 means none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse import csr_matrix

from grove.errors import DataError

MOST_ITEMS = 20_000
"""Above this the dense [N, N] matrix is rejected: it takes 1.5 GiB here, and grows with N²."""
COLUMNS_PER_PIECE = 1_024
_GIB = 1 << 30


def history_matrix(
    histories: Sequence[NDArray[np.int64]], item_count: int, *, newest: int | None = None
) -> csr_matrix:
    """Binary user-item matrix of the histories, without order or count.

    Args:
        histories: per user the item rows of the events, oldest first; −1 is ignored.
        item_count: N, rows of the item table.
        newest: events per user that count, from the end; none: all.

    Returns:
        [U, N] float32, sparse, of ones.

    Example:
        >>> history_matrix([np.array([2, 0, 2, -1, 1])], 3, newest=2).toarray().tolist()
        [[0.0, 1.0, 1.0]]
    """
    rows = [_newest_items(items, newest) for items in histories]
    lengths = np.array([0, *map(len, rows)], dtype=np.int64)  # [U+1]
    columns = np.concatenate([np.zeros(0, dtype=np.int64), *rows])
    ones = np.ones(len(columns), dtype=np.float32)
    return csr_matrix((ones, columns, np.cumsum(lengths)), shape=(len(rows), item_count))


def ease_weights(interactions: csr_matrix, *, ridge: float) -> NDArray[np.float32]:
    """Weight with which an interaction with item i predicts item j, for all pairs.

    Column j is the ridge regression of item j on all other items: B = I − P·diag(1 / diag P) with
    P = (XᵀX + λI)⁻¹, that is −P_ij / P_jj off the diagonal and 0 on it.

    One [N, N] float32 matrix is allocated and used in place, 4·N² bytes: 0.5 GiB for 12,000 items,
    1.5 GiB for 20,000. The inverse takes about N³ multiplications.

    Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019), §3.1. Single
    precision and Cholesky, so that the inverse can replace the matrix in memory, are ours.

    Args:
        interactions: [U, N] sparse; only whether an entry is zero counts.
        ridge: λ, positive, no unit: as if λ more users had interacted with item j and nothing else.

    Returns:
        [N, N], zero diagonal, not symmetric.

    Raises:
        DataError: there are more than `MOST_ITEMS` items, or λ is too small to invert.

    Example:
        >>> ease_weights(csr_matrix(np.ones((3, 2))), ridge=1.0).round(2).tolist()
        [[0.0, 0.75], [0.75, 0.0]]
    """
    if interactions.shape[1] > MOST_ITEMS:
        raise _too_many(interactions.shape[1])
    weights = _inverse(_gram(interactions, ridge), ridge)  # [N, N]
    weights /= -weights.diagonal().copy()  # every column j by −P_jj
    np.fill_diagonal(weights, 0)
    return weights


def _newest_items(items: NDArray[np.int64], newest: int | None) -> NDArray[np.int64]:
    """Distinct items of the newest events, ascending."""
    known = items[items >= 0]
    start = 0 if newest is None else max(len(known) - newest, 0)
    return np.unique(known[start:]).astype(np.int64)


def _gram(interactions: csr_matrix, ridge: float) -> NDArray[np.float32]:
    """XᵀX + λI, [N, N] float32 in Fortran's order, which LAPACK works on without a copy.

    Counts of users are exact in float32 up to 2²⁴. In pieces, because the product of sparse
    matrices is sparse, and for a popular item that costs more than dense.
    """
    columns = (interactions != 0).astype(np.float32).tocsc()  # [U, N]
    items = columns.shape[1]
    gram = np.empty((items, items), dtype=np.float32, order="F")
    for start in range(0, items, COLUMNS_PER_PIECE):
        piece = slice(start, start + COLUMNS_PER_PIECE)
        gram[:, piece] = (columns.T @ columns[:, piece]).toarray()
    diagonal = np.arange(items)
    gram[diagonal, diagonal] += ridge
    return gram


def _inverse(gram: NDArray[np.float32], ridge: float) -> NDArray[np.float32]:
    """Inverse of a symmetric positive matrix, in its own memory, in C's order."""
    factor, stopped = lapack.spotrf(gram, lower=1, overwrite_a=1)
    if stopped:
        raise DataError(
            "the items' co-occurrences cannot be inverted",
            where=f"EASE^R, column {stopped} of {len(gram)}",
            expected="a λ that makes the matrix positive definite in single precision",
            found=f"ridge={ridge}",
            next_step="give a larger ridge",
        )
    inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
    upper: NDArray[np.float32] = inverse.T  # LAPACK fills one triangle; the other has zeros
    for start in range(0, len(upper), COLUMNS_PER_PIECE):
        stop = start + COLUMNS_PER_PIECE
        upper[stop:, start:stop] = upper[start:stop, stop:].T
        square = upper[start:stop, start:stop]
        square += np.triu(square, 1).T
    return upper


def _too_many(items: int) -> DataError:
    return DataError(
        "too many items for a dense item-item matrix",
        where="EASE^R",
        expected=f"at most {MOST_ITEMS:,} items, {_gibibytes(MOST_ITEMS)}",
        found=f"{items:,} items, which would take {_gibibytes(items)}",
        next_step="keep the most frequent items, or compare with popularity",
    )


def _gibibytes(items: int) -> str:
    return f"{4 * items**2 / _GIB:.1f} GiB"
