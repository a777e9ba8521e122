"""A vector model loaded for the items of a day, whatever the system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A model loaded for the items of a day."""

    item_vectors: np.ndarray
    """[N, D] float32, in the item table's order."""
    users: Callable[[pa.Table], Mapping[str, np.ndarray]]
    """Rows of `histories` → [U, D] by name of the vector; lists of several are interleaved in
    this order."""
