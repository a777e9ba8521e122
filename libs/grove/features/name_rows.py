"""Row of each name in a list of names."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def rows_of(values: pa.Array | pa.ChunkedArray, names: pa.Array) -> np.ndarray:
    """Look up names.

    Args:
        values: [E] strings to look up; null is in no list.
        names: [N] distinct strings.

    Returns:
        [E] int64 in 0 .. N − 1, −1 where a value is not among the names.

    Example:
        >>> rows_of(pa.array(["b", None, "x", "a"]), pa.array(["a", "b"])).tolist()
        [1, -1, -1, 0]
    """
    rows = pc.fill_null(pc.index_in(values, value_set=names), -1)
    return np.asarray(rows.to_numpy(zero_copy_only=False), dtype=np.int64)
