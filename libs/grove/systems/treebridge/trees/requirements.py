"""Requirements on the vectors and item ids of a tree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grove.errors import DataError

LARGEST_NORM = 1e12
"""Its square times 10¹³ vectors is still below the largest float32."""


def require_vectors(
    vectors: np.ndarray, item_ids: Sequence[str] | np.ndarray | None = None
) -> np.ndarray:
    """Check that every vector can be compared with every other.

    Args:
        vectors: [N, D] float, any norm but zero.
        item_ids: N ids, for the message; none: it names rows.

    Returns:
        The same vectors, [N, D] float32 in one C-ordered block.

    Raises:
        DataError: there is no vector, or one is not finite, zero, or so long that sums of squared
            distances would not be finite.
    """
    if vectors.ndim != 2 or 0 in vectors.shape:
        raise _wrong("no vectors to cluster", "an array [N, D] with N, D >= 1", str(vectors.shape))
    dense = np.ascontiguousarray(vectors, dtype=np.float32)  # [N, D]
    squared_norms = np.einsum("nd,nd->n", dense, dense)  # [N]
    if not np.isfinite(squared_norms).all():
        bad = np.flatnonzero(~np.isfinite(squared_norms))
        raise _wrong("vectors are not finite", "no NaN and no infinity", _named(bad, item_ids))
    if not squared_norms.all():
        zero = np.flatnonzero(squared_norms == 0)
        raise _wrong("vectors are zero", "a norm above 0", _named(zero, item_ids))
    if squared_norms.max() > LARGEST_NORM**2:
        long = np.flatnonzero(squared_norms > LARGEST_NORM**2)
        expected = f"a norm of at most {LARGEST_NORM:g}"
        raise _wrong("vectors are too long", expected, _named(long, item_ids))
    return dense


def require_item_ids(item_ids: Sequence[str] | np.ndarray, count: int) -> np.ndarray:
    """Check that there is one distinct id per vector.

    Args:
        item_ids: N ids.
        count: N, the number of vectors.

    Returns:
        [N] object array of str.

    Raises:
        DataError: the number differs, or an id occurs twice.
    """
    ids = np.array([str(item_id) for item_id in item_ids], dtype=object)  # [N]
    if len(ids) != count:
        raise _wrong("ids and vectors do not pair up", f"{count} ids", f"{len(ids)} ids")
    distinct, occurrences = np.unique(ids, return_counts=True)
    if len(distinct) != len(ids):
        twice = ", ".join(distinct[occurrences > 1][:5])
        raise _wrong("item ids occur twice", "one vector per item", twice)
    return ids


def _named(rows: np.ndarray, item_ids: Sequence[str] | np.ndarray | None) -> str:
    if item_ids is None or rows[-1] >= len(item_ids):
        return f"{len(rows)} such rows, the first are {rows[:5].tolist()}"
    names = ", ".join(str(item_ids[row]) for row in rows[:5])
    return f"{len(rows)} such items, the first are {names}"


def _wrong(what: str, expected: str, found: str) -> DataError:
    return DataError(
        what,
        where="input of a tree",
        expected=expected,
        found=found,
        next_step="correct the item vectors, then run the stage that wrote them again",
    )
