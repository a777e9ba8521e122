"""Gate of the update: drift of the item vectors, and held-out users before and after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from grove.contracts import CheckResult
from grove.datasets import HISTORIES, Layout
from grove.inference.interleave import round_robin
from grove.inference.top_k import top_k
from grove.quality.invariants import update_not_worse, vector_drift
from grove.runtime.tables import read_arrow
from grove.settings.sections import EvaluationSettings
from grove.stages.encoded import Encoded
from grove.training.holdout import held_out

CUTOFF = 50
"""K of the update's HR@K."""


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Users that were held out of the update and have a positive on its day."""

    histories: pa.Table
    """[U] rows, cut before the day."""
    targets: list[np.ndarray]
    """U arrays of item rows: positives that happened on the day and that a list may contain."""
    seen: list[np.ndarray] | None
    """U arrays of item rows a list must not contain; none where seen items are recommended."""


@dataclass(frozen=True, kw_only=True)
class UpdateEffect:
    """Effect of an update on item vectors and held-out users."""

    drift: float
    """Mean cosine distance of the item vectors before and after; see `mean_drift`."""
    hits: np.ndarray
    """[2, U] float 0 or 1: whether each held-out user was hit, before and after."""

    def as_notes(self) -> dict[str, Any]:
        """The effect as the report holds it."""
        held_out = {"users": self.hits.shape[1], "hits": self.hits.sum(1).tolist()}
        return {"drift": self.drift, "held_out": held_out}

    def checks(self, evaluation: EvaluationSettings, *, max_drift: float) -> list[CheckResult]:
        """The check of the drift, then the one of the held-out users.

        Args:
            evaluation: tolerance, and how many users the second check needs to fail.
            max_drift: largest drift allowed.
        """
        return [
            vector_drift(self.drift, maximum=max_drift),
            update_not_worse(
                self.hits[0],
                self.hits[1],
                tolerance=evaluation.tolerance,
                minimum_users=evaluation.holdout_min_users,
            ),
        ]


def held_out_users(
    layout: Layout, day: date, item_table: pa.Table, *, share: float, keep_seen: bool
) -> HeldOut:
    """Find the users drawn for the day who have a history before it and a positive on it.

    A positive of an earlier day that landed late is no target: the day's lists are not for it.

    Args:
        layout: paths of the home.
        day: D.
        item_table: N items; positives of other items do not count.
        share: of the users who are held out.
        keep_seen: whether lists may hold items a user has interacted with.
    """
    before = _drawn(read_arrow(layout, HISTORIES, day=day, cut="before"), day, share)
    through = _drawn(read_arrow(layout, HISTORIES, day=day, cut="through"), day, share)
    positives = _rows_by_user(through, item_table, happened_on=day)
    seen = _rows_by_user(before, item_table)
    users, targets = [], []
    for user in sorted(positives.keys() & seen.keys()):
        found = positives[user] if keep_seen else np.setdiff1d(positives[user], seen[user])
        if len(found):
            users.append(user)
            targets.append(found)
    chosen = pc.index_in(pa.array(users, pa.string()), before["user_id"].combine_chunks())
    return HeldOut(
        histories=before.take(chosen),
        targets=targets,
        seen=None if keep_seen else [seen[user] for user in users],
    )


def hits(encoded: Encoded, held: HeldOut) -> np.ndarray:
    """Whether each held-out user's list of 50 has one of its targets, [U] float 0 or 1."""
    if not held.targets:
        return np.zeros(0)
    lists = round_robin(
        [
            top_k(vectors, encoded.item_vectors, k=CUTOFF, excluded=held.seen)
            for vectors in encoded.users(held.histories).values()
        ],
        CUTOFF,
    )  # [U, 50]
    return hits_of_lists(lists, held)


def hits_of_lists(lists: np.ndarray, held: HeldOut) -> np.ndarray:
    """Whether each list has one of its user's targets: [U, K] rows → [U] float 0 or 1."""
    found = [np.isin(targets, row).any() for targets, row in zip(held.targets, lists, strict=True)]
    return np.asarray(found, dtype=np.float64)


def mean_drift(before: np.ndarray, after: np.ndarray) -> float:
    """Mean cosine distance of vectors before and after.

    Args:
        before: [N, D].
        after: [N, D], of the same items.

    Returns:
        0 (same directions) to 2.

    Example:
        >>> mean_drift(np.eye(2), 3 * np.eye(2))
        0.0
    """
    products = np.einsum("nd,nd->n", before, after, dtype=np.float64)
    norms = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    return float(np.mean(1 - products / np.maximum(norms, 1e-12)))


def _drawn(histories: pa.Table, day: date, share: float) -> pa.Table:
    """Histories of the held-out users, in order of user."""
    drawn = [held_out(user, day, share) for user in histories["user_id"].to_pylist()]
    return histories.filter(pa.array(drawn, pa.bool_())).sort_by("user_id")


def _rows_by_user(
    histories: pa.Table, item_table: pa.Table, *, happened_on: date | None = None
) -> dict[str, np.ndarray]:
    """Distinct item rows of each user's events; of all, or of those of a day that landed on it."""
    rows = {item: row for row, item in enumerate(item_table["item_id"].to_pylist())}
    names = ("user_id", "item_ids", "landed_days", "event_times")
    columns = (histories[name].to_pylist() for name in names)
    return {
        user: np.unique(
            [
                rows[item]
                for item, landed, time in zip(items, days, times, strict=True)
                if item in rows
                and happened_on in (None, landed)
                and happened_on in (None, time.date())
            ]
        ).astype(np.int64)
        for user, items, days, times in zip(*columns, strict=True)
    }
