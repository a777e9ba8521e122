"""The update's own gate: drift of the vectors, and held-out users before against after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from grove.contracts import CheckResult
from grove.datasets import HISTORIES
from grove.inference.interleave import round_robin
from grove.inference.top_k import top_k
from grove.quality.invariants import update_not_worse, vector_drift
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_arrow
from grove.stages.vector_models import Encoded
from grove.training.holdout import held_out

CUTOFF = 50
"""K of the update's HR@K."""


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """Users that took no part in the update and have something to find on its day."""

    histories: pa.Table
    """[U] rows, cut before the day."""
    targets: list[np.ndarray]
    """U arrays of item rows: positives that happened on the day and that a list may contain."""
    seen: list[np.ndarray] | None
    """U arrays of item rows a list must not contain; none where seen items are recommended."""


def held_out_users(stage: StageRun, item_table: pa.Table) -> HeldOut:
    """Find the users drawn for the day who have a history before it and a positive on it.

    A positive of an earlier day that landed late is no target: the day's lists are not for it.

    Args:
        stage: of the day.
        item_table: positives of other items do not count.
    """
    before = _drawn(stage, "before")
    through = _drawn(stage, "through")
    positives = _rows_by_user(through, item_table, happened_on=stage.day)
    seen = _rows_by_user(before, item_table)
    keep_seen = stage.settings.source.keep_seen_items
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
            for vectors in encoded.users(held.histories)
        ],
        CUTOFF,
    )  # [U, 50]
    return hits_of_lists(lists, held)


def hits_of_lists(lists: np.ndarray, held: HeldOut) -> np.ndarray:
    """Whether each list has one of its user's targets: [U, K] rows → [U] float 0 or 1."""
    found = [np.isin(targets, row).any() for targets, row in zip(held.targets, lists, strict=True)]
    return np.asarray(found, dtype=np.float64)


def update_checks(
    stage: StageRun, drift: float, rates: np.ndarray, *, max_drift: float
) -> Iterator[CheckResult]:
    """Judge an update by how far vectors moved and how held-out users fare, and report both.

    Args:
        stage: of the day, named after the update.
        drift: mean cosine distance of the item vectors before and after; see `mean_drift`.
        rates: [2, U] whether each held-out user was hit, before and after.
        max_drift: largest drift allowed.

    Yields:
        The check on the vectors, then the one on the users.
    """
    stage.report.note("drift", drift)
    stage.report.note("held_out", {"users": rates.shape[1], "hits": rates.sum(1).tolist()})
    yield vector_drift(drift, maximum=max_drift)
    yield update_not_worse(
        rates[0],
        rates[1],
        tolerance=stage.settings.evaluation.tolerance,
        minimum_users=stage.settings.evaluation.holdout_min_users,
    )


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


def _drawn(stage: StageRun, cut: str) -> pa.Table:
    """Histories of the held-out users, in order of user."""
    histories = read_arrow(stage.layout, HISTORIES, day=stage.day, cut=cut)
    share = stage.settings.evaluation.holdout_share
    drawn = [held_out(user, stage.day, share) for user in histories["user_id"].to_pylist()]
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
