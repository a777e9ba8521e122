"""64-bit keys for item ids, because an index stores numbers."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from grove.errors import DataError

KEY_BITS = 63
"""One bit less than the integer has: FAISS reads negative keys as "nothing found"."""


class RowsByKey:
    """Rows of keys, for many look-ups: the keys are sorted once.

    Args:
        keys: [N] int64, distinct, N at least 1.

    Example:
        >>> RowsByKey(np.array([7, 5])).find(np.array([[5, -1], [7, 5]])).tolist()
        [[1, -1], [0, 1]]
    """

    def __init__(self, keys: np.ndarray) -> None:
        self._order = np.argsort(keys)
        self._ordered = keys[self._order]

    def find(self, found: np.ndarray) -> np.ndarray:
        """Rows of keys, −1 for an unknown one; of the shape of `found`."""
        places = np.searchsorted(self._ordered, found).clip(max=len(self._ordered) - 1)
        return np.where(self._ordered[places] == found, self._order[places], -1)


def item_keys(item_ids: Sequence[str] | np.ndarray) -> np.ndarray:
    """Hash ids to keys that are the same on every day and machine.

    Args:
        item_ids: N distinct ids.

    Returns:
        [N] int64, at least 0 and distinct.

    Raises:
        DataError: an id occurs twice, or two ids share a key (at 10⁷ items one time in
            about 200 000).

    Example:
        >>> item_keys(["A-17"]).tolist()
        [8369838868043500218]
    """
    keys = np.fromiter((_key(str(item_id)) for item_id in item_ids), np.int64, len(item_ids))
    distinct, occurrences = np.unique(keys, return_counts=True)
    if len(distinct) == len(keys):
        return keys
    shared = keys == distinct[occurrences > 1][0]
    raise DataError(
        "two items share a key",
        where="keys of the index",
        expected="distinct item ids whose keys differ",
        found=", ".join(str(item_ids[row]) for row in np.flatnonzero(shared).tolist()),
        next_step="remove the duplicate, or rename one of the items",
    )


def _key(item_id: str) -> int:
    digest = blake2b(item_id.encode("utf-8"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - KEY_BITS)
