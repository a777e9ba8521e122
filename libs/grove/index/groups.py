"""Items with equal vectors as one entry of an index.

In a graph, copies of one vector are linked to each other only, so a search ends among them or
never reaches them. An index therefore holds each distinct vector once, and a search expands every
vector it finds to the items that have it.

Notation: N items, G groups of items with equal vectors, Q queries, F groups found, D width, k
results.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grove.index.keys import RowsByKey

NO_KEY = -1
"""Fills a result that has fewer than k items."""
NO_SCORE = np.finfo(np.float32).min
"""Score of `NO_KEY`, as FAISS gives it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ItemGroups:
    """Item keys by group; groups and members are in the order in which the items were given."""

    members: np.ndarray
    """[N] int64, item keys, group after group."""
    starts: np.ndarray
    """[G+1] int64, start of each group among the members."""
    keys: np.ndarray
    """[G] int64 ascending, keys of the groups; a group has the key of its first item."""
    numbers: np.ndarray
    """[G] int64, the group that has each of these keys."""

    @property
    def sizes(self) -> np.ndarray:
        """[G] int64, items per group."""
        return np.diff(self.starts)

    def group_keys(self, item_keys: np.ndarray) -> np.ndarray:
        """Key of the group of each item: [M] known item keys → [M] int64."""
        places = RowsByKey(self.members).find(item_keys)  # [M]
        firsts = self.members[self.starts[:-1]]  # [G]
        return np.asarray(np.repeat(firsts, self.sizes)[places])

    def expand(
        self, group_keys: np.ndarray, scores: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Replace groups by their items, best first, and keep k items.

        Equal scores are in the order in which the items were given: of the first items of two
        groups, then of the items within a group.

        Args:
            group_keys: [Q, F] int64, no key twice in a row; −1 for none.
            scores: [Q, F] float32.
            k: items per query.

        Returns:
            Item keys [Q, k] int64 and scores [Q, k] float32; `NO_KEY` and `NO_SCORE` after the
            last item.
        """
        groups = self._numbers_of(group_keys)  # [Q, F]
        order = np.lexsort((groups, -scores), axis=1)  # missing groups have the lowest score
        groups, scores = (np.take_along_axis(one, order, 1) for one in (groups, scores))
        sizes = np.where(groups < 0, 0, self.starts[groups + 1] - self.starts[groups])  # [Q, F]
        before = np.cumsum(sizes, axis=1) - sizes  # [Q, F], items of better groups
        taken = np.clip(k - before, 0, sizes).ravel()  # [Q·F]
        # One entry per item of the result: its query, its group, and its rank within the group.
        entry = np.repeat(np.arange(taken.size), taken)  # [R]
        within = np.arange(len(entry)) - np.repeat(np.cumsum(taken) - taken, taken)  # [R]
        query, rank = entry // groups.shape[1], before.ravel()[entry] + within
        found = np.full((len(groups), k), NO_KEY, dtype=np.int64)
        found[query, rank] = self.members[self.starts[groups.ravel()[entry]] + within]
        found_scores = np.full((len(groups), k), NO_SCORE, dtype=np.float32)
        found_scores[query, rank] = scores.ravel()[entry]
        return found, found_scores

    def _numbers_of(self, group_keys: np.ndarray) -> np.ndarray:
        """Numbers of groups by key, −1 for none: [Q, F] → [Q, F]."""
        places = np.searchsorted(self.keys, group_keys).clip(max=len(self.keys) - 1)
        return np.where(group_keys == NO_KEY, -1, self.numbers[places])


def group_items(item_keys: np.ndarray, group_keys: np.ndarray) -> ItemGroups:
    """Collect the items of every group.

    Args:
        item_keys: [N] int64, distinct, N at least 1.
        group_keys: [N] int64, the key of each item's group, that of its first item.

    Returns:
        The groups, in the order of their first items.
    """
    keys, first, group = np.unique(group_keys, return_index=True, return_inverse=True)
    numbers = np.empty(len(keys), dtype=np.int64)
    numbers[np.argsort(first)] = np.arange(len(keys))
    number_of_item = numbers[group]  # [N]
    sizes = np.bincount(number_of_item)  # [G]
    return ItemGroups(
        members=item_keys[np.argsort(number_of_item, kind="stable")],
        starts=np.concatenate([[0], np.cumsum(sizes)]),
        keys=keys,
        numbers=numbers,
    )


def first_equal_rows(vectors: np.ndarray) -> np.ndarray:
    """First row that holds the same vector, for every row.

    Two vectors are equal when all their numbers are, bit for bit; 0 and −0 are equal.

    Args:
        vectors: [N, D] float32, finite.

    Returns:
        [N] int64, at most the row itself.

    Example:
        >>> first_equal_rows(np.array([[1, 0], [2, 0], [1, -0.0]], dtype=np.float32)).tolist()
        [0, 1, 0]
    """
    # Adding 0 turns −0 into 0. Rows as single values of D·4 bytes sort much faster than by column.
    rows = np.ascontiguousarray(vectors + np.float32(0))
    whole = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()  # [N]
    _, first, group = np.unique(whole, return_index=True, return_inverse=True)
    return np.asarray(first[group.ravel()])
