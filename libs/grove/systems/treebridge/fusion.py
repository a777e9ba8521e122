"""Candidates of several trees into one ranked list per user.

Shapes: U users, C candidates, M candidates that may be in the list, k items per list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from grove.inference.interleave import round_robin
from grove.inference.products import NO_ITEM
from grove.systems.treebridge.beam import Candidates

RankedList = tuple[np.ndarray, np.ndarray]
"""Rows [U, k] int64, best first, −1 for none; scores [U, k] float32, 0 for none."""
Fusion = Literal["sum", "max", "product", "round_robin"]
"""Fusion of the trees' candidates into one list; see `fuse_candidates`."""
_POOLING: dict[str, np.ufunc] = {"sum": np.add, "max": np.maximum, "product": np.add}


def rank_candidates(candidates: Candidates, *, k: int) -> RankedList:
    """Order one tree's candidates by probability, equal ones by row."""
    return _ranked(candidates.rows.numpy(), _probabilities(candidates), k)


def fuse_candidates(trees: Sequence[Candidates], *, k: int, fusion: Fusion = "sum") -> RankedList:
    """Order the items of all trees together.

    `sum`: score Σ_tree P_tree(item), the mixture of the trees' distributions, times the item's own
    score where `weigh_items` has multiplied by it. It needs no scale between the trees, as each
    tree's probabilities sum to one over the catalogue.
    `max`: score max_tree P_tree(item); one confident tree is enough. In both, an item that a tree's
    beam did not reach has probability zero there, and a tree with a sharper distribution has more
    influence.
    `product`: score Π_tree P_tree(item); both trees must agree. An item that a beam did not reach
    counts there as the least likely one that it reached.
    `round_robin`: by rank only, the trees' lists interleaved, the first tree first.

    Source: TreeBridge leaves the fusion of the trees' candidates open; these are ours.

    Args:
        trees: candidates of the same U users.
        k: items per user.
        fusion: `sum`, `max`, `product` or `round_robin`.

    Returns:
        Rows, and their sums or maxima; of a product its logarithm, 0 for an item that is the least
        likely of every tree; in a round robin, 1 / rank.

    Example:
        >>> from torch import tensor
        >>> first = Candidates(tensor([[0, 1]]), tensor([[0.6, 0.4]]).log())
        >>> second = Candidates(tensor([[1, 2]]), tensor([[0.25, 0.75]]).log())
        >>> for fusion in ("sum", "max", "product", "round_robin"):
        ...     fuse_candidates([first, second], k=3, fusion=fusion)[0].tolist()
        [[2, 1, 0]]
        [[2, 0, 1]]
        [[2, 0, 1]]
        [[0, 2, 1]]
    """
    if fusion == "round_robin":
        rows = round_robin([rank_candidates(tree, k=k)[0] for tree in trees], k)  # [U, k]
        return rows, np.where(rows == NO_ITEM, 0, 1 / np.arange(1, k + 1)).astype(np.float32)
    rows = np.concatenate([tree.rows.numpy() for tree in trees], axis=1)  # [U, C]
    scores_of = _log_ratios_to_the_least if fusion == "product" else _probabilities
    scores = np.concatenate([scores_of(tree) for tree in trees], axis=1)  # [U, C]
    return _ranked(*_pooled(rows, scores, _POOLING[fusion]), k)


def _pooled(rows: np.ndarray, scores: np.ndarray, pool: np.ufunc) -> tuple[np.ndarray, np.ndarray]:
    """Every item of a user once, its scores pooled: twice [U, C], in another order."""
    # Equal items become neighbours, so each item is one run and one `reduceat` over the flattened
    # rows pools all users at once. A run cannot cross users: every row starts one.
    order = np.argsort(rows, axis=1, kind="stable")
    rows, scores = np.take_along_axis(rows, order, 1), np.take_along_axis(scores, order, 1)
    first = np.ones(rows.shape, dtype=bool)
    first[:, 1:] = rows[:, 1:] != rows[:, :-1]
    pooled = np.zeros_like(scores)
    pooled[first] = pool.reduceat(scores.ravel(), np.flatnonzero(first))
    # The run of −1, no item, pools to some number too; `_ranked` puts it last.
    return np.where(first, rows, NO_ITEM), pooled


def _probabilities(candidates: Candidates) -> np.ndarray:
    return np.asarray(candidates.log_probabilities.double().exp().numpy())


def _log_ratios_to_the_least(candidates: Candidates) -> np.ndarray:
    """log(P / least P of the user's candidates), [U, C], at least 0.

    An item that is no candidate has 0, like the least likely one.
    """
    logs = candidates.log_probabilities.double().numpy()  # [U, C]
    found = candidates.rows.numpy() != NO_ITEM
    least = np.min(logs, axis=1, keepdims=True, where=found, initial=np.inf)  # [U, 1]
    return np.where(found, logs - np.where(found.any(axis=1, keepdims=True), least, 0), 0)


def _ranked(rows: np.ndarray, scores: np.ndarray, k: int) -> RankedList:
    # Scores are at least 0, so −1 sorts empty columns behind every item.
    keys = np.where(rows == NO_ITEM, -1.0, scores)  # [U, C]
    kept = _at_least_the_best(keys, k)  # [U, M]
    rows, keys = np.take_along_axis(rows, kept, 1), np.take_along_axis(keys, kept, 1)
    # Two stable sorts, by row and then by score: equal scores end in the order of their rows,
    # whatever order the beam found them in.
    by_row = np.argsort(rows, axis=1, kind="stable")
    rows, keys = np.take_along_axis(rows, by_row, 1), np.take_along_axis(keys, by_row, 1)
    best = np.argsort(-keys, axis=1, kind="stable")[:, :k]  # [U, ≤ k]
    missing = ((0, 0), (0, k - best.shape[1]))
    ranked = np.pad(np.take_along_axis(rows, best, 1), missing, constant_values=NO_ITEM)
    scored = np.pad(np.take_along_axis(keys, best, 1), missing)
    return ranked, np.where(ranked == NO_ITEM, 0, scored).astype(np.float32)


def _at_least_the_best(keys: np.ndarray, k: int) -> np.ndarray:
    """Columns, [U, M], of the k largest keys of each row and of all ties with the least of them.

    A beam finds thousands of candidates for tens of list items, and a partition is much cheaper
    than a full sort. Ties must all be kept, or the partition would choose among them.
    """
    width = keys.shape[1]
    if k >= width or not len(keys):
        return np.broadcast_to(np.arange(width), keys.shape)
    least = np.partition(keys, width - k, axis=1)[:, width - k, None]  # [U, 1]
    most = int((keys >= least).sum(axis=1).max())  # M
    return np.argpartition(keys, width - most, axis=1)[:, width - most :]
