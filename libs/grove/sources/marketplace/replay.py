"""Replay of the days: the state that one day leaves to the next.

A day needs three things from earlier ones: each user's project, the pairs of user and item that
have had a positive event, and events that land later than they happened. They follow from the
days before, so landing day D alone simulates those days again, without writing them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grove.sources.marketplace.behaviour import Shop, live_through
from grove.sources.marketplace.demand import taste_today
from grove.sources.marketplace.display import display_of
from grove.sources.marketplace.draws import Integers, pick, uniforms
from grove.sources.marketplace.funnel import KINDS
from grove.sources.marketplace.oracle import pair_keys
from grove.sources.marketplace.people import draw_users
from grove.sources.marketplace.products import draw_items
from grove.sources.marketplace.scene import scene_of
from grove.sources.marketplace.world import World

DAY_MILLISECONDS = 86_400_000
MOST_LATE_DAYS = 2
"""An event lands at most this many days after the day that made it."""


@dataclass(frozen=True)
class Before:
    """State at the beginning of a day."""

    index: int
    projects: Integers  # [U] users known the day before
    seen: Integers  # sorted pair_keys with a positive event landed before the day
    events: tuple[NDArray[np.void], ...]
    """Events of the last days, oldest first; some of them land today."""


@dataclass(frozen=True)
class LivedDay:
    """A simulated day: what it began with, its shop, and what landed on it."""

    shop: Shop
    projects: Integers
    """[U] each user's project before the day, new users included."""
    seen: Integers
    landed: tuple[NDArray[np.void], ...]
    """Events that landed, by the day that made them: two days ago, yesterday, today."""
    after: Before


def beginning() -> Before:
    """State at the beginning of the first day."""
    nothing = np.empty(0, dtype=np.int64)
    return Before(0, nothing, nothing, ())


def live(world: World, before: Before) -> LivedDay:
    """Simulate the day after `before`."""
    shop = open_shop(world, before.index)
    projects = _with_new_users(shop, before.projects)
    events, projects_after = live_through(shop, projects)
    recent = (*before.events, events)[-1 - MOST_LATE_DAYS :]
    landed = tuple(
        made[made["time"] // DAY_MILLISECONDS + made["delay"] == age]
        for age, made in zip(range(len(recent) - 1, -1, -1), recent, strict=True)
    )
    seen = np.union1d(before.seen, np.concatenate([positive_pairs(made) for made in landed]))
    after = Before(before.index + 1, projects_after, seen, recent)
    return LivedDay(shop, projects, before.seen, landed, after)


def open_shop(world: World, index: int) -> Shop:
    """The shop as it is when a day begins."""
    items = draw_items(world, world.items_known(index))
    users = draw_users(world, world.users_known(index))
    scene = scene_of(world, index)
    return Shop(world, items, users, scene, display_of(world, items, scene))


def positive_pairs(events: NDArray[np.void]) -> Integers:
    """`pair_keys` of the events that are clicks; carts and orders follow a click."""
    clicks = events[events["kind"] == KINDS.index("click")]
    return np.unique(pair_keys(clicks["user"], clicks["item"]))


def _with_new_users(shop: Shop, projects: Integers) -> Integers:
    new = np.arange(len(projects), len(shop.users))
    draws = uniforms(shop.world.seed, "first project", shape=(len(shop.users),))[new]
    return np.concatenate([projects, pick(taste_today(shop.users, shop.scene, new), draws)])
