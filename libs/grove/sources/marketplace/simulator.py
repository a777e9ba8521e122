"""The simulated shop as a source of days."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from grove.sources.json_lines import in_files, json_lines
from grove.sources.marketplace.defects import spoil_catalogue, spoil_events
from grove.sources.marketplace.draws import Integers, uniforms
from grove.sources.marketplace.event_feed import event_table, item_ids, user_ids
from grove.sources.marketplace.oracle import Ranking, rank
from grove.sources.marketplace.other_feeds import catalogue_table, context_table, user_table
from grove.sources.marketplace.replay import (
    Before,
    LivedDay,
    beginning,
    live,
    positive_pairs,
)
from grove.sources.marketplace.scene import scene_of
from grove.sources.marketplace.world import World
from grove.sources.source import CalendarDay, FeedFiles

TRUTH_ITEMS = 100
_DAYS_KEPT = 4
TRUTH_SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("item_ids", pa.list_(pa.string())),
        ("probabilities", pa.list_(pa.float64())),
    ]
)


class Marketplace:
    """A shop that never closes and never ends.

    Days landed in order reuse the state of the day before. A day landed alone is reached by
    simulating the days before it, with the same result.

    Args:
        world: the shop.
        keep_seen_items: whether the oracle also ranks items with which the user has had a positive
            event.
    """

    name = "marketplace"
    feeds = ("events", "catalogue", "users", "context")

    def __init__(self, world: World, *, keep_seen_items: bool = False) -> None:
        self._world = world
        self._keep_seen_items = keep_seen_items
        self._before: dict[int, Before] = {}
        self._lived: LivedDay | None = None

    def days_available(self) -> tuple[date, date | None]:
        """First day, and no last one."""
        return self._world.first_day, None

    def calendar(self, day: date) -> CalendarDay:  # noqa: ARG002 — a shop of the Protocol
        """Open, every day."""
        return CalendarDay()

    def land(self, day: date) -> dict[str, FeedFiles]:
        """Files of the four feeds of a day."""
        lived = self._live_through(self._world.index_of(day))
        catalogue = json_lines(catalogue_table(lived.shop))
        lines = {
            "events": spoil_events(self._world.seed, day, self._event_lines(lived)),
            "catalogue": spoil_catalogue(lived.shop.scene.index, day, catalogue),
            "users": json_lines(user_table(lived.shop)),
            "context": json_lines(context_table(lived.shop)),
        }
        return {feed: self._files(content) for feed, content in lines.items()}

    def truth(self, day: date) -> pa.Table:
        """Oracle ranking of the users with a positive event that happened and landed on the day.

        See `grove.sources.marketplace.oracle` for what it reads. Seen items are those with
        a positive event landed on an earlier day.
        """
        lived = self._live_through(self._world.index_of(day))
        users = np.unique(positive_pairs(lived.landed[-1]) >> 32)
        nothing = np.empty(0, dtype=np.int64)
        seen = nothing if self._keep_seen_items else lived.seen
        ranking = rank(
            lived.shop,
            lived.projects,
            users=self._judged(lived, users),
            seen=seen,
            k=TRUTH_ITEMS,
        )
        return _truth_table(ranking)

    def _live_through(self, index: int) -> LivedDay:
        if self._lived is not None and self._lived.shop.scene.index == index:
            return self._lived
        before = self._before.get(index) or self._nearest(index)
        lived = live(self._world, before)
        while lived.shop.scene.index < index:
            lived = live(self._world, self._keep(lived.after))
        self._keep(lived.after)
        self._lived = lived
        return lived

    def _nearest(self, index: int) -> Before:
        earlier = [known for known in self._before if known <= index]
        return self._before[max(earlier)] if earlier else beginning()

    def _keep(self, before: Before) -> Before:
        self._before[before.index] = before
        while len(self._before) > _DAYS_KEPT:
            del self._before[min(self._before)]
        return before

    def _event_lines(self, lived: LivedDay) -> pa.Array:
        """Lines of everything that landed; late ones first, as they reached the collector."""
        today = lived.shop.scene.index
        oldest = today + 1 - len(lived.landed)
        return pa.concat_arrays(
            [
                json_lines(
                    event_table(
                        self._world,
                        made,
                        users=lived.shop.users,
                        scene=scene_of(self._world, oldest + age),
                    )
                )
                for age, made in enumerate(lived.landed)
            ]
        )

    def _judged(self, lived: LivedDay, users: Integers) -> Integers:
        draws = uniforms(
            self._world.seed, "judged", lived.shop.scene.index, shape=(len(lived.shop.users),)
        )[users]
        return np.sort(users[np.argsort(draws)[: self._world.size.oracle_users]])

    def _files(self, lines: pa.Array) -> FeedFiles:
        files = in_files(lines, lines_per_file=self._world.size.lines_per_file)
        return FeedFiles(files=files, rows=len(lines))


def _truth_table(ranking: Ranking) -> pa.Table:
    is_item = ranking.items >= 0  # [M, K]
    ends = np.concatenate([[0], np.cumsum(is_item.sum(axis=1))]).astype(np.int32)
    items = item_ids(ranking.items[is_item])
    chances = pa.array(ranking.probabilities[is_item])
    return pa.Table.from_arrays(
        [
            user_ids(ranking.users),
            pa.ListArray.from_arrays(pa.array(ends), items),
            pa.ListArray.from_arrays(pa.array(ends), chances),
        ],
        schema=TRUTH_SCHEMA,
    )
