"""Arrow columns of vectors as matrices, and which of them to search with."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from grove.errors import DataError


def vector_matrix(vectors: pa.ChunkedArray) -> np.ndarray:
    """Stack a column of equally long lists.

    Args:
        vectors: N lists of float.

    Returns:
        [N, D] float32.

    Raises:
        DataError: there is no vector, or they differ in width.

    Example:
        >>> vector_matrix(pa.chunked_array([[[1.0, 2.0]], [[3.0, 4.0]]])).tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """
    widths = vectors.combine_chunks().value_lengths().unique().to_pylist()
    if len(widths) != 1 or not widths[0]:
        raise DataError(
            "vectors do not form a matrix",
            where="a column of vectors",
            expected="at least one vector, all of one width",
            found=f"{len(vectors)} vectors of the widths {widths}",
            next_step="run the stage that wrote them for this day again",
        )
    flat = vectors.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, dtype=np.float32).reshape(-1, widths[0])


def spread_rows(count: int, at_most: int) -> np.ndarray:
    """Rows spread evenly over 0..count-1, all of them when they are few enough.

    Example:
        >>> spread_rows(10, 3).tolist()
        [0, 3, 6]
    """
    wanted = min(count, at_most)
    return np.arange(wanted) * count // max(wanted, 1)
