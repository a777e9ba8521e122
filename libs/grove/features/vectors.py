"""An Arrow column of vectors as a matrix; without torch, as trees and indexes need it too."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from grove.errors import DataError


def vector_matrix(vectors: pa.ChunkedArray) -> np.ndarray:
    """Stack a column of equally long lists.

    Args:
        vectors: N lists of float; N may be 0 where the column's type fixes their length.

    Returns:
        [N, D] float32.

    Raises:
        DataError: the width is not known, or the vectors differ in it.

    Example:
        >>> vector_matrix(pa.chunked_array([[[1.0, 2.0]], [[3.0, 4.0]]])).tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """
    column = vectors.combine_chunks()
    fixed = pa.types.is_fixed_size_list(column.type)
    widths = [column.type.list_size] if fixed else column.value_lengths().unique().to_pylist()
    if len(widths) != 1 or not widths[0]:
        raise DataError(
            "vectors do not form a matrix",
            where="a column of vectors",
            expected="vectors that are all of one width",
            found=f"{len(vectors)} vectors of the widths {widths}",
            next_step="run the stage that wrote them for this day again",
        )
    flat = column.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, dtype=np.float32).reshape(-1, widths[0])
