"""Sample of the query vectors."""

from __future__ import annotations

import numpy as np


def spread_rows(count: int, at_most: int) -> np.ndarray:
    """Rows spread evenly over 0..count-1, all of them up to `at_most`.

    Example:
        >>> spread_rows(10, 3).tolist()
        [0, 3, 6]
    """
    chosen = min(count, at_most)
    return np.arange(chosen) * count // max(chosen, 1)
