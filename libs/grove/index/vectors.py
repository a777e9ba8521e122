"""Which vectors to search with."""

from __future__ import annotations

import numpy as np


def spread_rows(count: int, at_most: int) -> np.ndarray:
    """Rows spread evenly over 0..count-1, all of them when they are few enough.

    Example:
        >>> spread_rows(10, 3).tolist()
        [0, 3, 6]
    """
    wanted = min(count, at_most)
    return np.arange(wanted) * count // max(wanted, 1)
