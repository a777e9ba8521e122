"""Metrics of ranked lists: HR@K, Recall@K, NDCG@K, MAP@K and coverage@K.

Notation: U users, K list length, P (user, item) pairs. In formulas, 𝒰 is the set of evaluated users
(those with at least one positive), R_u the positives of user u, and L_u the first K items of the
user's list, in order of rank. An item is a row of the item table; −1 in a list means "no item".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Targets:
    """Positives of some users, as (user, item) pairs without repetition.

    Args:
        users: [P] int64, row of the user in the lists.
        items: [P] int64, row of the item.
        user_count: U, users in the lists; users without a pair are not evaluated.
    """

    users: Rows
    items: Rows
    user_count: int

    def among(self, marked: NDArray[np.bool_]) -> Targets:
        """Keep the pairs whose item is in `marked`, [N] bool.

        Example:
            >>> targets = Targets(np.array([0, 1]), np.array([2, 0]), user_count=2)
            >>> targets.among(np.array([True, False, False])).users.tolist()
            [1]
        """
        kept = marked[self.items]
        return Targets(self.users[kept], self.items[kept], self.user_count)

    def of_users(self, marked: NDArray[np.bool_]) -> Targets:
        """Keep the pairs of the users in `marked`, [U] bool.

        Example:
            >>> targets = Targets(np.array([0, 1]), np.array([2, 0]), user_count=2)
            >>> targets.of_users(np.array([True, False])).items.tolist()
            [2]
        """
        kept = marked[self.users]
        return Targets(self.users[kept], self.items[kept], self.user_count)

    def per_user(self) -> NDArray[np.int64]:
        """Number of positives of each user, [U]."""
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
    """Mark the entries of the lists that are positives of their user.

    Args:
        lists: [U, K] int64, best first, −1 where a list has ended.
        targets: positives of the same U users.

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
    # One number per (user, item) pair, so that one search over all users finds the hits.
    positives = np.unique(targets.users * span + targets.items)  # [P]
    listed = np.arange(len(lists))[:, None] * span + lists  # [U, K]
    found: NDArray[np.bool_] = np.isin(listed, positives, kind="sort") & (lists >= 0)
    return found


def user_hits(lists: Rows, targets: Targets, *, cutoff: int) -> NDArray[np.float64]:
    """Hit of each evaluated user: 1 with a positive among the first `cutoff` items, else 0.

    Formula: HR_u@K = 𝟙[L_u ∩ R_u ≠ ∅].

    Returns:
        [users with a positive] float64, in the order of the lists.

    Example:
        >>> user_hits(np.array([[4, 7], [1, 2]]), make_targets([(0, 7), (1, 3)], 2), cutoff=2)
        array([1., 0.])
    """
    evaluated = targets.per_user() > 0
    hits = hit_matrix(lists[:, :cutoff], targets)[evaluated]
    return np.asarray(hits.any(axis=1), dtype=np.float64)


def user_ndcg(lists: Rows, targets: Targets, *, cutoff: int) -> NDArray[np.float64]:
    """Normalized discounted cumulative gain of each evaluated user's list.

    Formula: NDCG_u@K = DCG_u / IDCG_u, with DCG_u = Σ_{k=1..K} 𝟙[L_u[k] ∈ R_u] / log₂(k + 1) and
    IDCG_u = Σ_{k=1..min(|R_u|, K)} 1 / log₂(k + 1).

    IDCG counts all positives of the user, not only the hits found, so a list cannot score well by
    finding one positive of ten.

    Returns:
        [users with a positive] float64 in [0, 1].

    Example:
        >>> lists = np.array([[7, 1, 2]])
        >>> user_ndcg(lists, make_targets([(0, 7), (0, 9)], 1), cutoff=3).round(4)
        array([0.6131])
    """
    positives = targets.per_user()  # [U]
    evaluated = positives > 0  # [U]
    discounts = 1.0 / np.log2(np.arange(2, cutoff + 2))  # [K]
    hits = hit_matrix(lists[:, :cutoff], targets)[evaluated]
    gains = hits @ discounts[: hits.shape[1]]
    ideal = np.cumsum(discounts)[np.minimum(positives[evaluated], cutoff) - 1]
    return gains / ideal


def hit_rate(lists: Rows, targets: Targets, *, cutoff: int) -> float:
    """Mean of `user_hits` over the evaluated users; 0 without users.

    Formula: HR@K = (1 / |𝒰|) Σ_u 𝟙[L_u ∩ R_u ≠ ∅].

    Source: TreeBridge, Evaluation Metrics, equation 2.

    Example:
        >>> hit_rate(np.array([[4, 7], [1, 2]]), make_targets([(0, 7), (1, 3)], 2), cutoff=2)
        0.5
    """
    hits = user_hits(lists, targets, cutoff=cutoff)
    return float(hits.mean()) if hits.size else 0.0


def ndcg(lists: Rows, targets: Targets, *, cutoff: int) -> float:
    """Mean of `user_ndcg` over the evaluated users; 0 without users.

    Formula: NDCG@K = (1 / |𝒰|) Σ_u DCG_u / IDCG_u, IDCG_u over all positives of u.
    """
    gains = user_ndcg(lists, targets, cutoff=cutoff)
    return float(gains.mean()) if gains.size else 0.0


def recall(lists: Rows, targets: Targets, *, cutoff: int) -> float:
    """Share of all positives that are in their user's list, over all users together; 0 without any.

    Formula: Recall@K = Σ_u |L_u ∩ R_u| / Σ_u |R_u|.

    This is the micro average: a user counts in proportion to the number of positives. With one
    positive per user it equals HR@K. With many, as in a basket, HR@K is near 1 for most lists and
    Recall@K still separates them.

    Example:
        >>> positives = Targets(np.array([0, 0, 1]), np.array([7, 9, 3]), user_count=2)
        >>> recall(np.array([[7, 4, 9], [1, 3, 2]]), positives, cutoff=2)  # 7 and 3, not 9
        0.6666666666666666
    """
    return float(hit_matrix(lists[:, :cutoff], targets).sum() / max(len(targets.users), 1))


def average_precision(lists: Rows, targets: Targets, *, cutoff: int) -> float:
    """Mean average precision over the evaluated users; 0 without users.

    Formula: MAP@K = (1 / |𝒰|) Σ_u (1 / min(|R_u|, K)) Σ_{k=1..K} 𝟙[L_u[k] ∈ R_u] · P_u@k, with
    P_u@k the share of positives among the first k items.

    With one positive, as in the competition of Best Buy's file, a hit at rank k is worth 1 / k.

    Example:
        >>> positives = Targets(np.array([0, 0, 1]), np.array([7, 9, 3]), user_count=2)
        >>> lists = np.array([[7, 4, 9], [1, 3, 2]])
        >>> average_precision(lists, positives, cutoff=3)  # (5/6 + 1/2) / 2
        0.6666666666666666
    """
    positives = targets.per_user()  # [U]
    evaluated = positives > 0  # [U]
    hits = hit_matrix(lists[:, :cutoff], targets)[evaluated]  # [U, K]
    precision = hits.cumsum(axis=1) / np.arange(1, hits.shape[1] + 1)  # [U, K]
    best = np.minimum(positives[evaluated], cutoff)
    return float(((precision * hits).sum(axis=1) / best).mean()) if len(best) else 0.0


def coverage(lists: Rows, item_count: int, *, cutoff: int) -> float:
    """Share of the catalogue that is among the first `cutoff` items of any user.

    Formula: coverage@K = |∪_u L_u| / N, over all users with a list, N items in the catalogue.

    Example:
        >>> coverage(np.array([[0, 1], [1, -1]]), 4, cutoff=2)
        0.5
    """
    listed = lists[:, :cutoff]
    return len(np.unique(listed[listed >= 0])) / item_count if item_count else 0.0
