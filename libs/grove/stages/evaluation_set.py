"""The evaluation set of a day: its positives, and what was known as of D−1."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from grove.contracts import arrow_schema, load_contract
from grove.datasets import HISTORIES, INTERACTIONS, Layout
from grove.evaluation.metrics import Targets
from grove.evaluation.popularity import popularity_order, same_list_for_all
from grove.features.name_rows import rows_of
from grove.inference.products import best_of_products, product_numbers
from grove.runtime.tables import partition_days, read_arrow
from grove.settings.shop import SourceSettings
from grove.stages.model_inputs import (
    day_before,
    item_table_of,
    items_as_of,
    known_items,
    product_ids,
)

RECENT_DAYS = 7
"""Days of the second popularity baseline: D−7 .. D−1."""


@dataclass(frozen=True, kw_only=True)
class EvaluationSet:
    """A day to evaluate models on: U users with a positive on it, N items.

    Everything but the targets is as of D−1.
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
    """Targets the user had interacted with before; empty where these are not recommended."""
    excluded: list[np.ndarray]
    """U arrays of item rows that lists must not hold."""
    past_rows: np.ndarray
    """[E] int64, item row of every earlier positive event of all users; −1 no longer sold."""
    past_days: np.ndarray
    """[E] datetime64[D], landing day of each."""
    left_out: dict[str, int]
    """Positives of the day that are no targets, by reason."""
    products: np.ndarray | None = None
    """[N] int64, product of each item, of which a list holds one variant; none: lists hold all."""

    @property
    def known_excluded(self) -> list[np.ndarray]:
        """Exclusions of the users who have a history, in the order of the histories."""
        return [self.excluded[user] for user in self.known]

    def for_all_users(self, lists: np.ndarray) -> np.ndarray:
        """Give users without a history the list a server gives them: the most popular items.

        Args:
            lists: [H, K] item rows, in the order of the histories.

        Returns:
            [U, K].
        """
        complete = self.popularity(lists.shape[1])
        complete[self.known] = lists
        return complete

    def popularity(self, length: int, *, since: date | None = None) -> np.ndarray:
        """The most popular items for every user, [U, length], of all earlier days or since one."""
        chosen = slice(None) if since is None else self.past_days >= np.datetime64(since, "D")
        order = popularity_order(self.past_rows[chosen], len(self.item_table))
        if self.products is not None:
            order = best_of_products(order[None], len(order), self.products)[0]
            order = order[order >= 0]
        return same_list_for_all(order, self.excluded, length=length)


@dataclass(frozen=True, kw_only=True)
class _Pairs:
    """Distinct pairs of U users and N items."""

    keys: np.ndarray
    """[P] int64, user · N + item, ascending."""
    items: int
    users: int

    def targets(self, chosen: np.ndarray) -> Targets:
        """The pairs marked in `chosen`, [P] bool."""
        keys, items = self.keys[chosen], max(self.items, 1)
        return Targets(keys // items, keys % items, user_count=self.users)

    def items_by_user(self) -> list[np.ndarray]:
        """Item rows of each user, U arrays."""
        if not self.users:
            return []
        bounds = np.searchsorted(self.keys, np.arange(1, self.users) * self.items)
        return np.split(self.keys % max(self.items, 1), bounds)


def read_evaluation_set(
    layout: Layout, day: date, *, vectors: pa.Table, source: SourceSettings, max_users: int
) -> EvaluationSet:
    """Collect the users and the targets of a day, and the positives before it.

    A catalogue feed names the day's new items before they are bought, so they count. Without
    one, the items first seen on the day are exactly those that were bought: then the items are
    those as of D−1, and positives of other items are counted separately.

    Args:
        layout: paths of the home.
        day: D.
        vectors: of all texts; see `grove.stages.model_inputs.text_vectors`.
        source: its feeds, its positive events, and whether seen items are recommended.
        max_users: most users in the set.
    """
    as_of = day if "catalogue" in source.feeds else day_before(day)
    table = item_table_of(items_as_of(layout, as_of), vectors)
    item_ids = table["item_id"].combine_chunks()
    positives, past = _positives_of(layout, day, source), _positives_before(layout, day, source)
    users = draw_users(pc.unique(positives["user_id"]).to_pylist(), day, max_users)
    user_ids = pa.array(users, pa.string())
    histories = _histories(layout, day, users)
    of_day, seen = _pairs(positives, user_ids, item_ids), _pairs(past, user_ids, item_ids)
    repeated, keep_seen = np.isin(of_day.keys, seen.keys), source.keep_seen_items
    return EvaluationSet(
        users=users,
        item_table=table,
        new_items=~known_items(layout, day, table["item_id"]),
        histories=histories,
        known=rows_of(histories["user_id"], user_ids),
        targets=of_day.targets(~repeated | keep_seen),
        repurchases=of_day.targets(repeated & keep_seen),
        excluded=[np.zeros(0, np.int64)] * len(users) if keep_seen else seen.items_by_user(),
        past_rows=rows_of(past["item_id"], item_ids),
        past_days=past["day"].to_numpy().astype("datetime64[D]"),
        left_out=_left_out(positives, user_ids, item_ids)
        | {"seen before": 0 if keep_seen else int(repeated.sum())},
        products=product_numbers(product_ids(layout, as_of, table["item_id"]))
        if source.one_variant_per_product
        else None,
    )


def draw_users(user_ids: Sequence[str], day: date, most: int) -> list[str]:
    """Draw users up to a maximum number: the same ones in every process, others every day.

    Example:
        >>> draw_users(["b", "a"], date(2026, 11, 19), 5)
        ['a', 'b']
    """

    def order(user_id: str) -> bytes:
        return hashlib.blake2b(f"judged/{day:%Y-%m-%d}/{user_id}".encode(), digest_size=8).digest()

    return sorted(sorted(user_ids, key=order)[:most])


def _positives_of(layout: Layout, day: date, source: SourceSettings) -> pa.Table:
    """Positives that landed and happened on the day; late ones of earlier days are excluded."""
    events = _positives(layout, [day], source)
    return events.filter(pc.equal(pc.cast(events["event_time"], pa.date32()), pa.scalar(day)))


def _positives_before(layout: Layout, day: date, source: SourceSettings) -> pa.Table:
    days = [earlier for earlier in partition_days(layout, INTERACTIONS) if earlier < day]
    return _positives(layout, days, source)


def _positives(layout: Layout, days: Sequence[date], source: SourceSettings) -> pa.Table:
    return read_arrow(
        layout,
        INTERACTIONS,
        columns=("day", "user_id", "item_id", "event_time"),
        day=list(days),
        event_type=list(source.positive_events),
    )


def _histories(layout: Layout, day: date, users: list[str]) -> pa.Table:
    """Histories of some users cut before the day, in order of user."""
    if not users:
        return arrow_schema(load_contract(HISTORIES)).empty_table()
    histories = read_arrow(layout, HISTORIES, day=day, cut="before", user_id=users)
    return histories.sort_by("user_id").combine_chunks()


def _pairs(events: pa.Table, user_ids: pa.Array, item_ids: pa.Array) -> _Pairs:
    """Distinct pairs of some events; events of other users or items have none."""
    users, items = rows_of(events["user_id"], user_ids), rows_of(events["item_id"], item_ids)
    found = (users >= 0) & (items >= 0)
    keys = np.unique(users[found] * len(item_ids) + items[found])
    return _Pairs(keys=keys, items=len(item_ids), users=len(user_ids))


def _left_out(events: pa.Table, user_ids: pa.Array, item_ids: pa.Array) -> dict[str, int]:
    """Events without a pair, by reason."""
    users, items = rows_of(events["user_id"], user_ids), rows_of(events["item_id"], item_ids)
    return {
        "user not drawn": int((users < 0).sum()),
        "item not known the day before": int(((users >= 0) & (items < 0)).sum()),
    }
