"""Hit rate, NDCG and coverage of ranked lists.

U users, K list length, P (user, item) pairs. An item is a row of the item table; −1 in a
list means "no item here".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Targets:
    """What users turned out to want, as (user, item) pairs without repetition.

    Args:
        users: [P] int64, position of the user in the lists.
        items: [P] int64, row of the item.
        user_count: U, users in the lists; users without a pair are not judged.
    """

    users: Rows
    items: Rows
    user_count: int

    def among(self, wanted: NDArray[np.bool_]) -> Targets:
        """Keep the pairs whose item is marked in `wanted`, [N] bool.

        Example:
            >>> targets = Targets(np.array([0, 1]), np.array([2, 0]), user_count=2)
            >>> targets.among(np.array([True, False, False])).users.tolist()
            [1]
        """
        kept = wanted[self.items]
        return Targets(self.users[kept], self.items[kept], self.user_count)

    def of_users(self, judged: NDArray[np.bool_]) -> Targets:
        """Keep the pairs of the users marked in `judged`, [U] bool.

        Example:
            >>> targets = Targets(np.array([0, 1]), np.array([2, 0]), user_count=2)
            >>> targets.of_users(np.array([True, False])).items.tolist()
            [2]
        """
        kept = judged[self.users]
        return Targets(self.users[kept], self.items[kept], self.user_count)

    def per_user(self) -> NDArray[np.int64]:
        """Number of wanted items of each user, [U]."""
        return np.bincount(self.users, minlength=self.user_count)


def make_targets(pairs: Iterable[tuple[int, int]], user_count: int) -> Targets:
    """Sort pairs by user and item and drop repetitions.

    Example:
        >>> make_targets([(1, 5), (0, 7), (1, 5)], user_count=2).items.tolist()
        [7, 5]
    """
    unique = sorted(set(pairs))
    table = np.array(unique, dtype=np.int64).reshape(-1, 2)  # [P, 2]
    return Targets(table[:, 0], table[:, 1], user_count)


def hit_matrix(lists: Rows, targets: Targets) -> NDArray[np.bool_]:
    """Mark the entries of the lists that their user wanted.

    Args:
        lists: [U, K] int64, best first, −1 where a list has ended.
        targets: what the same U users wanted.

    Returns:
        [U, K] bool.

    Raises:
        ValueError: the lists are of other users than the targets.

    Example:
        >>> hit_matrix(np.array([[4, 7, -1]]), make_targets([(0, 7)], user_count=1)).tolist()
        [[False, True, False]]
    """
    if len(lists) != targets.user_count:
        raise ValueError(f"expected lists of {targets.user_count} users, got {len(lists)}")
    span = int(max(lists.max(initial=0), targets.items.max(initial=0))) + 1
    wanted = np.unique(targets.users * span + targets.items)  # [P]
    listed = np.arange(len(lists))[:, None] * span + lists  # [U, K]
    found: NDArray[np.bool_] = np.isin(listed, wanted, kind="sort") & (lists >= 0)
    return found


def user_hits(lists: Rows, targets: Targets, *, cutoff: int) -> NDArray[np.float64]:
    """One for each judged user with a wanted item in the first `cutoff` places, else zero.

    Returns:
        [users with a target] float64, in the order of the lists.

    Example:
        >>> user_hits(np.array([[4, 7], [1, 2]]), make_targets([(0, 7), (1, 3)], 2), cutoff=2)
        array([1., 0.])
    """
    judged = targets.per_user() > 0
    hits = hit_matrix(lists[:, :cutoff], targets)[judged]
    return np.asarray(hits.any(axis=1), dtype=np.float64)


def user_ndcg(lists: Rows, targets: Targets, *, cutoff: int) -> NDArray[np.float64]:
    """Discounted gain of each judged user's list, as a share of the best reachable.

    The best list has every wanted item first: its gain counts min(wanted, cutoff) places,
    not only the hits found, so a list cannot score well by finding one item of ten.

    Returns:
        [users with a target] float64 in [0, 1].

    Example:
        >>> lists = np.array([[7, 1, 2]])
        >>> user_ndcg(lists, make_targets([(0, 7), (0, 9)], 1), cutoff=3).round(4)
        array([0.6131])
    """
    wanted = targets.per_user()
    judged = wanted > 0
    discounts = 1.0 / np.log2(np.arange(2, cutoff + 2))  # [K]
    hits = hit_matrix(lists[:, :cutoff], targets)[judged]
    gains = hits @ discounts[: hits.shape[1]]
    ideal = np.cumsum(discounts)[np.minimum(wanted[judged], cutoff) - 1]
    return gains / ideal


def hit_rate(lists: Rows, targets: Targets, *, cutoff: int) -> float:
    """Share of judged users with a wanted item in their first `cutoff` places; 0 without users.

    Source: TreeBridge, Evaluation Metrics, equation 2.

    Example:
        >>> hit_rate(np.array([[4, 7], [1, 2]]), make_targets([(0, 7), (1, 3)], 2), cutoff=2)
        0.5
    """
    hits = user_hits(lists, targets, cutoff=cutoff)
    return float(hits.mean()) if hits.size else 0.0


def ndcg(lists: Rows, targets: Targets, *, cutoff: int) -> float:
    """Mean over judged users of `user_ndcg`; 0 without users."""
    gains = user_ndcg(lists, targets, cutoff=cutoff)
    return float(gains.mean()) if gains.size else 0.0


def coverage(lists: Rows, item_count: int, *, cutoff: int) -> float:
    """Share of the catalogue that appears in anybody's first `cutoff` places.

    Example:
        >>> coverage(np.array([[0, 1], [1, -1]]), 4, cutoff=2)
        0.5
    """
    listed = lists[:, :cutoff]
    return len(np.unique(listed[listed >= 0])) / item_count if item_count else 0.0
