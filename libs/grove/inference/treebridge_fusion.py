"""Candidates of several trees into one ranked list per user.

Shapes: U users, C candidates, k places.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grove.inference.beam import Candidates
from grove.inference.ranking import NO_ITEM

RankedList = tuple[np.ndarray, np.ndarray]
"""Rows [U, k] int64, best first, −1 for none; scores [U, k] float32, 0 for none."""


def rank_candidates(candidates: Candidates, *, k: int) -> RankedList:
    """Order one tree's candidates by probability, equal ones by row."""
    return _ranked(candidates.rows.numpy(), _probabilities(candidates), k)


def fuse_candidates(trees: Sequence[Candidates], *, k: int) -> RankedList:
    """Order the items of all trees by the sum of their probabilities in each.

    A sum of probabilities needs no scale between the trees, as each tree's sum to one over the
    catalogue; it is the mixture of the trees' distributions. An item that one tree's beam did not
    reach has probability zero there.

    Source: TreeBridge leaves the fusion of the trees' candidates open; this is ours.

    Args:
        trees: candidates of the same U users.
        k: places per user.

    Returns:
        Rows and summed probabilities.
    """
    rows = np.concatenate([tree.rows.numpy() for tree in trees], axis=1)  # [U, C]
    scores = np.concatenate([_probabilities(tree) for tree in trees], axis=1)  # [U, C]
    order = np.argsort(rows, axis=1, kind="stable")
    rows, scores = np.take_along_axis(rows, order, 1), np.take_along_axis(scores, order, 1)
    same = rows[:, 1:] == rows[:, :-1]  # [U, C-1]
    # An item stands at most once in a tree, so runs of one item are as long as there are trees.
    for _ in range(len(trees) - 1):
        carried = np.where(same, scores[:, :-1], 0)
        scores[:, 1:] += carried
        scores[:, :-1] -= carried
    rows[:, :-1][same] = NO_ITEM
    return _ranked(rows, scores, k)


def _probabilities(candidates: Candidates) -> np.ndarray:
    return np.asarray(candidates.log_probabilities.exp().double().numpy())


def _ranked(rows: np.ndarray, scores: np.ndarray, k: int) -> RankedList:
    by_row = np.argsort(rows, axis=1, kind="stable")
    rows, scores = np.take_along_axis(rows, by_row, 1), np.take_along_axis(scores, by_row, 1)
    keys = np.where(rows == NO_ITEM, -1.0, scores)
    best = np.argsort(-keys, axis=1, kind="stable")[:, :k]  # [U, ≤ k]
    missing = ((0, 0), (0, k - best.shape[1]))
    ranked = np.pad(np.take_along_axis(rows, best, 1), missing, constant_values=NO_ITEM)
    scored = np.pad(np.take_along_axis(scores, best, 1), missing)
    return ranked, np.where(ranked == NO_ITEM, 0, scored).astype(np.float32)
