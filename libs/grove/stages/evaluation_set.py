"""What users turned out to want on a day, and what was known the evening before."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from grove.datasets import HISTORIES, INTERACTIONS
from grove.evaluation.metrics import Targets
from grove.evaluation.popularity import popularity_order, same_list_for_all
from grove.features.name_rows import rows_of
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import partition_days, read_arrow
from grove.stages.model_inputs import day_item_table, evening_before, known_items

RECENT_DAYS = 7
"""Days of the second popularity baseline: D−7 .. D−1."""


@dataclass(frozen=True, kw_only=True)
class EvaluationSet:
    """A day to be judged on: U users with a positive on it, N items.

    Nothing here, but the targets, was learnt from the day itself.
    """

    users: list[str]
    """U ids, ascending."""

    item_table: pa.Table
    """[N] items a list may hold."""
    new_items: np.ndarray
    """[N] bool: first seen on the day."""
    histories: pa.Table
    """[H] rows, cut before the day, of those users who have a history."""
    known: np.ndarray
    """[H] int64, position of each history's user among the users."""
    targets: Targets
    """The day's positives, without those already seen where seen items are not recommended."""
    repurchases: Targets
    """Of the targets, those the user had had before; empty where these are not recommended."""
    excluded: list[np.ndarray]
    """U arrays of item rows that lists must not hold."""
    past_rows: np.ndarray
    """[E] int64, item row of every earlier positive event of anybody; −1 no longer sold."""
    past_days: np.ndarray
    """[E] datetime64[D], landing day of each."""
    not_judged: dict[str, int]
    """Positives of the day that count for nothing, by reason."""

    @property
    def known_excluded(self) -> list[np.ndarray]:
        """Exclusions of the users who have a history, in the order of the histories."""
        return [self.excluded[user] for user in self.known]

    def for_everybody(self, lists: np.ndarray) -> np.ndarray:
        """Give the users without a history what a server gives them: the most popular items.

        Args:
            lists: [H, K] item rows, in the order of the histories.

        Returns:
            [U, K].
        """
        complete = self.popularity(lists.shape[1])
        complete[self.known] = lists
        return complete

    def popularity(self, length: int, *, since: date | None = None) -> np.ndarray:
        """The most popular items for everybody, [U, length], of all earlier days or since one."""
        chosen = slice(None) if since is None else self.past_days >= np.datetime64(since, "D")
        order = popularity_order(self.past_rows[chosen], len(self.item_table))
        return same_list_for_all(order, self.excluded, length=length)


def read_evaluation_set(stage: StageRun) -> EvaluationSet:
    """Collect the users, the targets and the past of the stage's day.

    A catalogue feed names the day's new items before anybody buys them, so they count. Without
    one, the items first seen on the day are exactly those that were bought: then the items are
    those as of the day before, and positives of others are counted apart.
    """
    named = "catalogue" in stage.settings.source.feeds
    table = day_item_table(stage, as_of=None if named else evening_before(stage))
    wanted = _positives(stage, [stage.day])
    happened = pc.equal(pc.cast(wanted["event_time"], pa.date32()), pa.scalar(stage.day))
    wanted = wanted.filter(happened)
    users = draw_users(
        pc.unique(wanted["user_id"]).to_pylist(), stage.day, stage.settings.evaluation.max_users
    )
    days = [day for day in partition_days(stage.layout, INTERACTIONS) if day < stage.day]
    past = _positives(stage, days)
    return _evaluation_set(
        stage, table, users, (wanted, past), new=~known_items(stage, table["item_id"])
    )


def draw_users(user_ids: Sequence[str], day: date, most: int) -> list[str]:
    """Draw at most so many users, the same ones in every process and others every day.

    Example:
        >>> draw_users(["b", "a"], date(2026, 11, 19), 5)
        ['a', 'b']
    """

    def place(user_id: str) -> bytes:
        return hashlib.blake2b(f"judged/{day:%Y-%m-%d}/{user_id}".encode(), digest_size=8).digest()

    return sorted(sorted(user_ids, key=place)[:most])


def _evaluation_set(
    stage: StageRun,
    table: pa.Table,
    users: list[str],
    wanted_and_past: tuple[pa.Table, pa.Table],
    *,
    new: np.ndarray,
) -> EvaluationSet:
    wanted, past = wanted_and_past
    item_ids, user_ids = table["item_id"].combine_chunks(), pa.array(users, pa.string())
    histories = _histories(stage, users)
    pairs, not_judged = _pairs(wanted, user_ids, item_ids)
    seen, _ = _pairs(past, user_ids, item_ids)
    repeated = np.isin(pairs, seen)
    keep_seen = stage.settings.source.keep_seen_items
    count = len(item_ids)
    nothing = [np.zeros(0, dtype=np.int64)] * len(users)
    return EvaluationSet(
        users=users,
        item_table=table,
        new_items=new,
        histories=histories,
        known=rows_of(histories["user_id"], user_ids),
        targets=_targets(pairs if keep_seen else pairs[~repeated], count, len(users)),
        repurchases=_targets(pairs[repeated] if keep_seen else pairs[:0], count, len(users)),
        excluded=nothing if keep_seen else _split(seen, count, len(users)),
        past_rows=rows_of(past["item_id"], item_ids),
        past_days=past["day"].to_numpy().astype("datetime64[D]"),
        not_judged=not_judged | {"seen before": 0 if keep_seen else int(repeated.sum())},
    )


def _positives(stage: StageRun, days: Sequence[date]) -> pa.Table:
    columns = ("day", "user_id", "item_id", "event_time")
    kinds = list(stage.settings.source.positive_events)
    return read_arrow(stage.layout, INTERACTIONS, columns=columns, day=list(days), event_type=kinds)


def _histories(stage: StageRun, users: list[str]) -> pa.Table:
    """Histories of some users cut before the day, in order of user."""
    histories = read_arrow(stage.layout, HISTORIES, day=stage.day, cut="before", user_id=users)
    return histories.sort_by("user_id").combine_chunks()


def _pairs(
    events: pa.Table, user_ids: pa.Array, item_ids: pa.Array
) -> tuple[np.ndarray, dict[str, int]]:
    """Distinct user · N + item of some events, ascending, and how many events have no such pair."""
    users, items = rows_of(events["user_id"], user_ids), rows_of(events["item_id"], item_ids)
    judged = (users >= 0) & (items >= 0)
    left_out = {
        "user not drawn": int((users < 0).sum()),
        "item not known the day before": int(((users >= 0) & (items < 0)).sum()),
    }
    return np.unique(users[judged] * len(item_ids) + items[judged]), left_out


def _targets(pairs: np.ndarray, items: int, users: int) -> Targets:
    return Targets(pairs // max(items, 1), pairs % max(items, 1), user_count=users)


def _split(pairs: np.ndarray, items: int, users: int) -> list[np.ndarray]:
    """Item rows of each user, U arrays."""
    bounds = np.searchsorted(pairs, np.arange(1, users) * items)
    return np.split(pairs % max(items, 1), bounds) if users else []
